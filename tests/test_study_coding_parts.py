"""Parts of the study `coding`: what is measured of a code, against what is known, and the figures."""

from __future__ import annotations

import importlib.util
import math
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from brian2 import Hz, ms

import biosnn
from biosnn.catalogue import study_folder
from biosnn.coding import TTFS, Burst, Function, MembraneTTFS, Phase, Poisson, RankOrder, Regular, delete
from biosnn.datasets import load
from biosnn.errors import CodingError
from biosnn.learning import CLEAN, Disturbance
from biosnn.propagation import CodedLayers, run_depth
from biosnn.report import Figure
from biosnn.study import Result

DT = 0.5 * ms
RATE = 200 * Hz


def part(name: str) -> ModuleType:
    """A file of the study, by itself."""
    path = study_folder("coding") / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"_study_coding_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


code, depth, plot_code, plot_depth = (part(name) for name in ("code", "depth", "plot_code", "plot_depth"))

MAKERS: dict[str, Any] = {
    "poisson": lambda T: Poisson(rate=RATE, duration=T, dt=DT),
    "regular": lambda T: Regular(rate=RATE, duration=T, dt=DT),
    "ttfs": lambda T: TTFS(duration=T, dt=DT),
    "ttfs_membrane": lambda T: MembraneTTFS(duration=T, dt=DT),
    "rank_order": lambda T: RankOrder(duration=T, dt=DT, together=math.ceil(64 * float(DT / T))),
    "phase": lambda T: Phase(duration=T, dt=DT),
    "burst": lambda T: Burst(duration=T, dt=DT, T_min=1 * ms, T_max=4 * ms),
}
LOSS = Disturbance("loss", spikes=lambda spikes, rng: delete(spikes, 0.3, rng))
NOISE = Disturbance("noise", values=0.1)


def looks(names: Any) -> dict[str, Any]:
    return {str(name): SimpleNamespace(label=str(name), colour="#0072b2", marker="o") for name in names}


@pytest.fixture(scope="module")
def measured() -> Any:
    times, disturbances = [5 * ms, 100 * ms], [CLEAN, LOSS, NOISE]
    return code.measure_codes(MAKERS, times=times, disturbances=disturbances, values=1024, repeats=2, seed=1)


def of(measured: Any, name: str, measure: str, disturbance: str = "none") -> Any:
    """A measure after 100 ms."""
    at = measured.codings.index(name), measured.disturbances.index(disturbance)
    return getattr(measured, measure)[at][-1].mean()


# ---- part 1 --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in MAKERS if name not in ("poisson", "rank_order")])
def test_without_a_disturbance_no_error_is_beyond_the_bound(measured: Any, name: str) -> None:
    assert of(measured, name, "error") <= MAKERS[name](100 * ms).bound()


def test_a_spike_time_is_as_wrong_as_a_step_is_wide(measured: Any) -> None:
    assert of(measured, "ttfs", "error") == pytest.approx(1 / (200 * np.sqrt(12)), rel=0.05)
    assert of(measured, "phase", "error") == pytest.approx(1 / (256 * np.sqrt(12)), rel=0.05)
    assert of(measured, "ttfs", "settled") > 0.09
    assert of(measured, "phase", "settled") < 0.006


def test_a_poisson_process_is_as_wrong_as_its_count_varies() -> None:
    # Half of the peak rate at most, so that no estimate is cut off at 1: values are halved by a coding of one's own.
    def half(values: Any, steps: int, rng: np.random.Generator) -> Any:
        return rng.random((steps, *values.shape)) < 0.05 * values / 2

    def read_half(raster: Any, steps: int) -> Any:
        return raster.sum(axis=0) / (0.05 * steps / 2)

    own = {"half": lambda T: Function(function=half, reader=read_half, duration=T, dt=DT)}
    found = code.measure_codes(own, times=[2000 * ms], disturbances=[CLEAN], values=1024, repeats=1, seed=1)
    mean_count = 0.05 * 4000 / 2
    # sqrt(x/(r T)), less the part that is cut off above 1.
    assert found.error[0, 0, 0, 0] == pytest.approx(np.sqrt(0.5 / mean_count), rel=0.1)
    assert found.spikes[0, 0, 0, 0] == pytest.approx(mean_count / 2, rel=0.05)


@pytest.mark.parametrize("name", MAKERS)
def test_the_fitted_decoder_is_hardly_worse_than_the_own_one_and_better_under_loss(measured: Any, name: str) -> None:
    # Of a few neurons that are silent, a decoder learns little from another half that has none.
    assert of(measured, name, "fitted") < 1.1 * of(measured, name, "error") + 0.004
    assert of(measured, name, "fitted", "loss") < 1.05 * of(measured, name, "error", "loss")


def test_information_is_what_is_there_at_most_and_noise_takes_of_it(measured: Any) -> None:
    assert np.nanmax(measured.information) <= 4
    assert np.nanmin(measured.information) >= 0
    assert of(measured, "ttfs", "information") > 3.5
    for name in MAKERS:
        assert of(measured, name, "information", "noise") < of(measured, name, "information") + 0.02


def test_spikes_and_their_times(measured: Any) -> None:
    assert of(measured, "poisson", "spikes") == pytest.approx(0.5 * 200 * 0.1, rel=0.05)
    assert of(measured, "ttfs", "spikes") == pytest.approx(1, abs=0.01)
    assert of(measured, "ttfs", "spikes", "loss") == pytest.approx(0.7, abs=0.05)
    assert of(measured, "ttfs", "first") == pytest.approx(0.05, rel=0.05)
    assert of(measured, "burst", "first") == 0
    assert of(measured, "burst", "last") > 0


def test_a_time_too_short_for_a_coding_is_a_gap_and_for_all_times_an_error(measured: Any) -> None:
    burst = measured.codings.index("burst")
    assert np.isnan(measured.error[burst, :, 0]).all()
    assert not np.isnan(measured.error[burst, :, 1]).any()
    only = {"burst": MAKERS["burst"]}
    with pytest.raises(CodingError, match="longest burst"):
        code.measure_codes(only, times=[2 * ms], disturbances=[CLEAN], values=64, repeats=1, seed=1)


def test_a_coding_without_a_decoder_has_the_error_of_the_fitted_one() -> None:
    def first(values: Any, steps: int, _rng: Any) -> Any:
        return np.arange(steps).reshape(-1, *[1] * values.ndim) == np.rint((1 - values) * (steps - 1))

    makers = {"first": lambda T: Function(function=first, duration=T, dt=DT)}
    found = code.measure_codes(makers, times=[20 * ms], disturbances=[CLEAN], values=512, repeats=1, seed=1)
    assert np.isnan(found.error).all()
    assert np.isnan(found.settled).all()
    assert found.fitted[0, 0, 0, 0] == pytest.approx(1 / (39 * np.sqrt(12)), rel=0.2)
    assert code.code_values(found)["reconstruction error of first after 20 ms"] == found.fitted[0, 0, 0, 0]
    # Figures are drawn of what is there.
    figures = plot_code.code_figures(Result({}, code.code_arrays(found)), looks(["first"]))
    assert [len(figure.figure.axes) for figure in figures] == [1, 1, 1]


def test_the_same_seed_gives_the_same_measures_whatever_else_is_measured() -> None:
    same = {"times": [10 * ms], "disturbances": [CLEAN, LOSS], "values": 128, "repeats": 1, "seed": 3}
    one = code.measure_codes({"poisson": MAKERS["poisson"]}, **same)
    two = code.measure_codes({"ttfs": MAKERS["ttfs"], "poisson": MAKERS["poisson"]}, **same)
    np.testing.assert_array_equal(one.fitted[0], two.fitted[1])


def test_the_figures_of_a_code(measured: Any) -> None:
    result = Result(code.code_values(measured), code.code_arrays(measured))
    figures = plot_code.code_figures(result, looks(measured.codings))
    assert [type(figure) for figure in figures] == [Figure] * 3
    assert result.values["reconstruction error of ttfs after 100 ms"] == pytest.approx(1 / (200 * 12**0.5), rel=0.1)
    assert result.arrays["code settled"].shape == (7, 3, 2, 2)


# ---- part 3 --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_figures_of_depth() -> None:
    same = {"duration": 10 * ms, "dt": 1 * ms}
    small = CodedLayers(layers=2, width=10, images=15, duration=10 * ms)
    with biosnn.session("numpy", seed=1) as sim:
        codings = {"ttfs": TTFS(**same), "phase": Phase(**same)}
        through = run_depth(codings, load("digits"), small, sim, dt=1 * ms, seeds=2, gains=(0.1, 3.0))
    result = Result(depth.depth_values(through), depth.depth_arrays(through))
    figures = plot_depth.depth_figures(result, looks(through.codings))
    assert [figure.name for figure in figures] == ["depth-accuracy", "depth-activity"]
    assert set(result.values) >= {"accuracy after 2 layers of ttfs", "accuracy after 2 layers of phase"}
