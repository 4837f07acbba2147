"""Part 3 of the study `vanishing`, biology: its measures on spikes that are known, and small chains."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from brian2 import Hz, ms, mV, second

import biosnn
from biosnn.catalogue import study_folder
from biosnn.report import Figure
from biosnn.study import Result

PACKAGE = "_study_vanishing_biology"


def part(name: str) -> ModuleType:
    """A file of the study, without those of its other parts."""
    package = sys.modules.setdefault(PACKAGE, ModuleType(PACKAGE))
    package.__path__ = [str(study_folder("vanishing"))]
    return importlib.import_module(f"{PACKAGE}.{name}")


biology, chains, rates, volleys = (
    part(name) for name in ("biology", "biology_chain", "biology_rates", "biology_volleys")
)
outcome, plot = part("biology_outcome"), part("plot_biology")
Spikes = chains.Spikes


def settings(**given: Any) -> Any:
    small = {"biology_groups": 2, "biology_seeds": 2, "biology_spikes": (30, 90), "biology_volleys": 1}
    return biology.BiologySettings(**{**small, **given})


def told(wanted: Any, answer: Any) -> Any:
    """A chain whose spikes are known: ``answer`` of how it is set."""
    run = lambda settings, read: [read(answer(setting)) for setting in settings]  # noqa: E731
    return SimpleNamespace(groups=wanted.biology_groups, width=wanted.biology_width, dt=wanted.biology_dt, run=run)


# ---- volleys -------------------------------------------------------------------------------------------------------


def test_the_background_is_that_of_brian2s_example() -> None:
    """Its constants: 25.27 mV/ms and 39.24 mV/sqrt(ms) in the equation of y."""
    assert float(chains.drive() / mV) == pytest.approx(25.27 * 0.325, rel=1e-3)
    assert float(chains.noise(chains.TAU_S) / mV) == pytest.approx(39.24 * 0.325**0.5, rel=1e-3)
    # Slower synapses spread the same noise over more time.
    moved = [float(chains.noise(tau) * tau**0.5 / mV) for tau in (0.325 * ms, 3 * ms)]
    assert moved[0] == pytest.approx(moved[1])


def test_a_sigmoid_is_found_again() -> None:
    a = np.arange(30, 101, 5)
    chance = 1 / (1 + np.exp(-(a - 52.0) / 3.0))
    survived = chance[:, None] > np.random.default_rng(1).random((4000, len(a))).T
    midpoint, width = volleys.sigmoid(a, survived)
    assert midpoint == pytest.approx(52, abs=0.3)
    assert width == pytest.approx(3, abs=0.2)
    assert volleys.survival_of(52.0, (midpoint, width)) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(("first", "low", "high"), [(6, 55, 60), (15, 98, 100), (0, 30, 32)])
def test_a_step_has_its_midpoint_within_it(first: int, low: float, high: float) -> None:
    a = np.arange(30, 101, 5)
    midpoint, width = volleys.sigmoid(a, np.repeat(np.arange(15)[:, None] >= first, 4, axis=1))
    assert low <= midpoint <= high
    assert width >= 0.5


def test_volleys_are_counted_and_timed_group_by_group() -> None:
    wanted = settings(biology_sigmas=(1 * ms,))
    trains = volleys.volley_trains(wanted, 1)
    assert np.bincount(trains.steps // 600, minlength=3).tolist() == [0, 30, 90]
    assert np.std(trains.steps[30:]) / 10 == pytest.approx(1, abs=0.25)

    def answer(setting: Any) -> Any:
        rng = np.random.default_rng(setting.seed)
        given = [(0, 0, 20, 2.0), (0, 1, 5, 3.0), (1, 0, 90, 1.0), (1, 1, 100, 0.5)]
        steps = [600 * (1 + volley) + 200 + 10 * rng.normal(0, sd, n) for volley, _, n, sd in given]
        cells = [100 * group + np.arange(n) for _, group, n, _ in given]
        before = np.arange(300, 600, 5)  # 60 spikes of 200 neurons in 30 ms
        return Spikes(np.rint(np.concatenate([before, *steps])).astype(int), np.concatenate([0 * before, *cells]))

    found = volleys.run_volleys(wanted, told(wanted, answer), [trains, trains], [1, 2])
    assert found.packets[:, 0, 1, 0].tolist() == [[90, 100]] * 2
    assert found.packets[:, 0, 0, 0].max() <= 20
    assert found.spreads[0, 0, 1, 0] == pytest.approx([1.0, 0.5], rel=0.25)
    assert found.survived[:, 0, :, 0].tolist() == [[False, True]] * 2
    assert found.background == pytest.approx([10.0, 10.0])
    assert np.all((found.midpoints > 30) & (found.midpoints < 90))


# ---- rates ---------------------------------------------------------------------------------------------------------


def layers(together: bool) -> Any:
    """Layers that answer the input's rate r with r*area/0.1 + (drive - 8), as Poisson trains, or all as one.

    Those of the synfire chain have an area of 0.158 mV s, and a drive of 8.21 mV.
    """

    def answer(setting: Any) -> Any:
        rng, steps, width = np.random.default_rng(setting.seed), setting.steps, 100
        rate = len(setting.given.steps) / width / (steps * 1e-4)
        area = np.asarray(setting.weights[0]) * 1000 * width * float(setting.tau_s / second)
        mu = np.asarray(setting.mu / mV)
        expected = np.maximum(rate * area / 0.1 + (mu - 8), 0) * steps * 1e-4
        if together and np.ptp(mu) == 0:
            times = rng.choice(steps, round(expected[0]), replace=False)
            return Spikes(np.repeat(times, len(mu)), np.tile(np.arange(len(mu)), len(times)))
        counts = rng.poisson(expected)
        return Spikes(rng.integers(0, steps, counts.sum()), np.repeat(np.arange(len(mu)), counts))

    return answer


def first(found: Any) -> Any:
    """The first condition only."""
    own = {name: getattr(found, name)[:1] for name in ("conditions", "weight", "drive", "response", "fano", "wander")}
    return rates.Rates(found.rates, **own)


@pytest.fixture(scope="module")
def known() -> dict[bool, Any]:
    """What is measured of layers that fire independently, and of those that fire together."""
    wanted = settings(biology_noises=(1.0,), biology_duration=2000 * ms)
    trains = [rates.rate_trains(wanted, seed) for seed in (1, 2)]
    return {
        together: rates.run_rates(wanted, told(wanted, layers(together)), trains, [1, 2]) for together in (False, True)
    }


def test_the_rule_finds_weight_and_drive_that_keep_rates(known: Any) -> None:
    assert known[False].conditions == ("noise 1", "synfire chain")
    assert known[False].weight == pytest.approx([0.1 / 100 / 0.003, 4.86], rel=0.05)  # area, neurons, s
    assert known[False].drive == pytest.approx([8, 8.21], abs=1.5)


def test_independent_layers_tell_a_rate_at_once_and_those_that_fire_together_do_not(known: Any) -> None:
    apart, together = (first(known[key]) for key in (False, True))
    assert known[False].slope[1] == pytest.approx(1.58, abs=0.1)
    for found in (apart, together):
        assert found.response.mean(axis=(0, 1)) == pytest.approx(np.tile(found.rates[:, None], 2), rel=0.15, abs=2)
        assert found.slope == pytest.approx(1, abs=0.1)
        assert found.told.min() > 0.98
    assert np.nanmean(apart.fano) == pytest.approx(1, abs=0.1)
    assert np.nanmean(together.fano) == pytest.approx(100, rel=0.15)
    # In 20 ms, n neurons of rate r have a variance of n r 0.02 spikes: that of the rate is r/(0.02 n), or r/0.02.
    assert apart.wander.mean() == pytest.approx(apart.rates.mean() / 0.02 / 100, rel=0.1)
    assert together.wander.mean() == pytest.approx(together.rates.mean() / 0.02, rel=0.15)
    variance = apart.rates.var()
    assert apart.told_fast.mean() == pytest.approx(variance / (variance + apart.rates.mean() / 2), abs=0.02)
    assert together.told_fast.mean() == pytest.approx(variance / (variance + apart.rates.mean() / 0.02), abs=0.05)


def test_inputs_are_poisson_trains_of_their_rates() -> None:
    found = rates.rate_trains(settings(), 3)
    assert set(found) == {5, 10, 20, 30, 40, 50, 60, 80}
    for rate, spikes in found.items():
        assert len(spikes.steps) == pytest.approx(rate * 0.75 * 100, abs=4 * np.sqrt(rate * 75))
        assert spikes.steps.max() < 7500
    assert len(rates.rate_trains(settings(biology_kept=(7 * Hz,)), 3)) == 9


# ---- the whole part ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found() -> Any:
    """A few short runs."""
    wanted = settings(
        biology_groups=3,
        biology_sigmas=(1 * ms, 3 * ms),
        biology_rates=(10 * Hz, 80 * Hz),
        biology_kept=(50 * Hz,),
        biology_noises=(1.0, 0.0),
        biology_duration=60 * ms,
        biology_dt=0.2 * ms,
    )
    with pytest.MonkeyPatch.context() as patch, biosnn.session("numpy", seed=1) as sim:
        patch.setattr(rates, "AREAS", np.array([0.07, 0.14]))
        patch.setattr(rates, "SETTLE", 60 * ms)
        return biology.run_biology(wanted, sim)


@pytest.fixture
def result(found: Any) -> Result:
    values, arrays = outcome.biology_values(found), outcome.biology_arrays(found)
    return Result(values, arrays, tables=outcome.biology_tables(found))


def test_small_volleys_die_and_large_ones_gather(found: Any) -> None:
    sent = found.volleys
    assert sent.survived[:, :, 0].sum() == 0
    assert sent.survived[:, :, 1].all()
    large = sent.packets[:, :, 1, 0]
    assert large[..., -1].min() >= 90
    assert np.all(sent.spreads[:, :, 1, 0, -1] < sent.spreads[:, :, 1, 0, 0])
    assert 1 < sent.background.mean() < 5


def test_without_noise_a_layer_fires_as_one(found: Any) -> None:
    noisy, quiet, _ = found.rates.fano[:, :, -1, -1].mean(axis=1)
    assert noisy < 10
    assert quiet > 50
    assert np.all(found.rates.response[:, :, 1] > found.rates.response[:, :, 0])


def test_what_is_reported(found: Any, result: Result) -> None:
    assert all(key.startswith("biology ") for key in (*result.values, *result.arrays))
    assert result.values["biology attractor"] == pytest.approx(100, abs=5)
    assert 30 < result.values["biology spikes to survive, sigma 1 ms"] < 90
    assert {claim.name for claim in outcome.BIOLOGY_CLAIMS if claim.active(result)} == {
        claim.name for claim in outcome.BIOLOGY_CLAIMS
    }
    assert outcome.biology_left_out(found) == []
    figures = plot.biology_figures(result)
    assert [figure.name for figure in figures] == ["synfire", "propagation"]
    assert all(isinstance(figure, Figure) for figure in figures)


def test_a_silent_network_claims_nothing(result: Result) -> None:
    empty = {"biology packets": 0, "biology response": 0, "biology survived": False}
    silent = Result(
        result.values, {**result.arrays, **{key: result.arrays[key] * value for key, value in empty.items()}}
    )
    assert not any(claim.active(silent) for claim in outcome.BIOLOGY_CLAIMS)


def test_rates_that_are_forgotten_fail(result: Result) -> None:
    claims = {claim.name: claim for claim in outcome.BIOLOGY_CLAIMS}
    arrays = result.arrays

    def holds(name: str, **given: Any) -> bool:
        changed = {f"biology {key.replace('_', ' ')}": value for key, value in given.items()}
        return claims[name].holds(Result(result.values, {**arrays, **changed}))

    assert holds("biology no noise, no fast rate", told_fast=arrays["biology told fast"] * [[[1]], [[0]], [[0]]])
    assert not holds("biology no noise, no fast rate", told_fast=arrays["biology told fast"] * [[[0]], [[1]], [[1]]])
    assert not holds("biology synfire chains forget rates", told_fast=1 + 0 * arrays["biology told fast"])
    assert not holds("biology noise carries rates", told=0 * arrays["biology told"])
    assert not holds("biology noise carries rates", response=-arrays["biology response"])
    assert not holds("biology no noise, one neuron", fano=1 + 0 * arrays["biology fano"])
    assert not holds("biology all or nothing", survived=~arrays["biology survived"])
    assert not holds("biology synchrony counts", midpoints=arrays["biology midpoints"][:, ::-1])
