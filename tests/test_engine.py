"""Sessions on every target: closed forms, determinism, and nothing left changed."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import brian2
import numpy as np
import pytest
from brian2 import Hz, Network, NeuronGroup, StateMonitor, Synapses, ms, mV, second, volt
from engine_networks import small

from biosnn.engine import Point, Simulation, session
from biosnn.engine.compiler import toolchain
from biosnn.errors import EngineError, RunError
from biosnn.projection import Projection, Sparse

CPP = pytest.param("cpp", marks=pytest.mark.cpp)
CYTHON = pytest.param("cython", marks=pytest.mark.cpp)
TARGETS = ["numpy", CPP]
brian_device = importlib.import_module("brian2.devices.device")


def simulate(target: str, *, seed: int = 1, drive: Any = 10 * mV, duration: Any = 30 * ms) -> dict[str, Any]:
    with session(target, seed=seed) as sim:
        net = small(drive)
        sim.run(net, duration)
        trace, spikes = net["trace"], net["spikes"]
        return {"t": trace.t[:] / ms, "v": trace.v[:] / mV, "i": spikes.i[:], "ts": spikes.t[:] / ms}


@pytest.mark.parametrize("target", [*TARGETS, CYTHON])
def test_rc_charging_is_exact(target: str) -> None:
    result = simulate(target, drive=[10, 20, 0] * mV)
    expected = np.outer([10, 20, 0], 1 - np.exp(-result["t"] / 10))
    np.testing.assert_allclose(result["v"], expected, rtol=0, atol=1e-11)
    assert len(result["t"]) == 300


@pytest.mark.parametrize("target", [*TARGETS, CYTHON])
def test_same_seed_same_arrays_and_another_seed_others(target: str) -> None:
    first, again, other = (simulate(target, seed=seed) for seed in (1, 1, 2))
    assert len(first["i"]) > 20
    for name, values in first.items():
        np.testing.assert_array_equal(values, again[name])
    assert not np.array_equal(first["ts"], other["ts"])


@pytest.mark.cpp
def test_every_target_gives_the_same_network_the_same_voltages() -> None:
    reference = simulate("numpy")
    for target in ("cython", "cpp"):
        np.testing.assert_allclose(simulate(target)["v"], reference["v"], rtol=1e-12)


@pytest.mark.parametrize("target", TARGETS)
def test_several_runs_with_values_set_in_between(target: str) -> None:
    with session(target, seed=1) as sim:
        net = small(10 * mV)
        sim.run(net, 20 * ms)
        net["cell"].drive = 0 * mV
        sim.run(net, 10 * ms)
        v = net["trace"].v[0] / mV
        assert net["cell"].offset[:].tolist() == [0, 0.25, 0]
    t = np.arange(300) * 0.1
    peak = 10 * (1 - np.exp(-2))
    expected = np.where(t <= 20, 10 * (1 - np.exp(-t / 10)), peak * np.exp(-(t - 20) / 10))
    np.testing.assert_allclose(v, expected, atol=1e-11)


def several_clocks(target: str) -> dict[str, Any]:
    """Clocks of 0.1, 0.2 and 0.3 ms, a synapse with a delay between them, values set by index, and two runs."""
    with session(target, seed=1) as sim:
        fast = NeuronGroup(4, "dv/dt = 1/ms : 1", threshold="v > 2", reset="v = 0", method="euler", name="fast")
        slow = NeuronGroup(6, "dv/dt = -v/(5*ms) : 1", method="euler", dt=0.3 * ms, name="slow")
        fast.v[:] = [0.1, 0.2, 0.3, 0.4]
        slow.v[-1], slow.v[0] = 7, 1
        part = slow[2:4]
        part.v[1] = 5
        synapses = Synapses(fast, slow, on_pre="v_post += 1", delay=0.7 * ms, name="synapses")
        synapses.connect(i=[0, 1, 2, 3], j=[0, 2, 4, 5])
        seen = StateMonitor(slow, "v", record=True, dt=0.2 * ms, name="seen")
        net = Network(fast, slow, synapses, seen)
        sim.run(net, 5 * ms, namespace={"ms": ms})
        fast.v[2] = 1.5
        sim.run(net, 4 * ms, namespace={"ms": ms})
        return {"t": seen.t[:] / ms, "v": seen.v[:], "fast": fast.v[:], "part": part.v[:], "end": float(net.t)}


@pytest.mark.cpp
def test_several_clocks_and_values_set_by_index_are_the_same_in_the_program() -> None:
    reference, found = several_clocks("numpy"), several_clocks("cpp")
    assert len(reference["t"]) == 45
    for name, values in reference.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-12, err_msg=name)


@pytest.mark.parametrize("index", [3, -4])
def test_a_value_at_an_index_that_is_not_there_is_refused(index: int) -> None:
    with session("cpp", seed=1), pytest.raises((EngineError, IndexError), match=r"index|bounds"):
        small()["cell"].v[index] = 1 * mV


@pytest.mark.parametrize("target", TARGETS)
def test_a_time_step_and_a_reset(target: str) -> None:
    with session(target, seed=1, dt=0.5 * ms) as sim:
        net = small()
        sim.run(net, 5 * ms)
        assert len(net["trace"].t[:]) == 10
        sim.reset(dt=0.25 * ms, seed=3)
        net = small(20 * mV)
        sim.run(net, 5 * ms)
        assert len(net["trace"].t[:]) == 20
        assert float(sim.dt) == 0.25e-3
        assert sim.seed == 3
        assert net["trace"].v[0][-1] / mV == pytest.approx(20 * (1 - np.exp(-0.475)))


@pytest.mark.parametrize("target", TARGETS)
def test_sweep_equals_the_same_runs_one_by_one(target: str) -> None:
    cases = [(1, 5), (2, 5), (3, 6), (4, 7), (5, 7)]
    points = [Point({"cell.drive": drive * mV}, seed=seed) for drive, seed in cases]
    with session(target, seed=1) as sim:
        net = small()
        trace, spikes = net["trace"], net["spikes"]

        def program() -> None:
            sim.run(net, 10 * ms)

        found = sim.sweep(net, program, points, lambda _: (trace.v[:] / mV, spikes.t[:] / ms), jobs=2)
    assert len(found) == 5
    for (v, times), (drive, seed) in zip(found, cases, strict=True):
        np.testing.assert_allclose(v[:, -1], drive * (1 - np.exp(-0.99)))
        alone = simulate(target, seed=seed, drive=drive * mV, duration=10 * ms)
        np.testing.assert_array_equal(times, alone["ts"])


@pytest.mark.parametrize("target", TARGETS)
def test_sweep_over_arrays_with_a_program_that_draws(target: str) -> None:
    points = [{"cell.drive": np.array(drives) * mV} for drives in ([1, 2, 3], [4, 5, 6])]
    with session(target, seed=1) as sim:
        net = small()

        def program() -> None:
            net["cell"].offset = "rand()"
            sim.run(net, 10 * ms)

        found = sim.sweep(net, program, points, lambda _: (net["cell"].v[:] / mV, net["cell"].offset[:]))
    for (v, _), point in zip(found, points, strict=True):
        np.testing.assert_allclose(v, np.asarray(point["cell.drive"]) * 1e3 * (1 - np.exp(-1)))
    np.testing.assert_array_equal(found[0][1], found[1][1])
    assert 0 < found[0][1].min() < found[0][1].max() < 1


def test_an_empty_sweep_is_an_empty_list() -> None:
    with session("numpy", seed=1) as sim:
        assert sim.sweep(small(), lambda: None, [], lambda _: 1) == []


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([{"cel.v": 1 * mV}], "No group in the network named 'cel'. Did you mean 'cell'?"),
        ([{"cell.w": 1 * mV}], "No variable of cell that can be set named 'w'"),
        ([{"cell.drive": 1 * ms}], "Point 0: cell.drive:"),
        ([{"cell.drive": 1 * mV}, {"cell.tau": 1 * ms}], "Point 1: expected the same variables"),
        ([{"cell.drive": 1 * mV}, {"cell.drive": [1, 2, 3] * mV}], "Point 1: expected the same variables"),
        ([Point(seed=-1)], "seed: expected a whole number"),
        ([{"seed": 1}], "(got 'seed'). Write Point({...}, seed=...), from biosnn.engine."),
        ([{"t": 1 * ms}], "(got 't'). Write Point({...}, start=...)"),
        ([{"durations": [1] * ms}], "(got 'durations'). Write Point({...}, durations=...)"),
    ],
)
def test_points_that_do_not_fit_are_refused(points: list[Any], message: str) -> None:
    with session("numpy", seed=1) as sim, pytest.raises(EngineError, match=re.escape(message)):
        sim.sweep(small(), lambda: None, points, lambda _: None)


@pytest.mark.parametrize("target", TARGETS)
def test_what_reads_takes_the_number_of_the_point_which_is_said_before_anything_is_built(target: str) -> None:
    with session(target, seed=1) as sim:
        net = small()
        points = [{"cell.drive": drive * mV} for drive in (1, 2)]
        with pytest.raises(EngineError, match=r"read: expected a function of the point's number"):
            sim.sweep(net, lambda: pytest.fail("it was built"), points, lambda: 1)
        assert sim.sweep(net, lambda: sim.run(net, 1 * ms), points, lambda number: number) == [0, 1]


# ---- nothing is left changed (the fixture in conftest.py compares) ---------------------------------------------


@pytest.mark.parametrize("target", [*TARGETS, CYTHON])
def test_an_exception_inside_restores_everything(target: str) -> None:
    def meddle() -> None:
        with session(target, seed=1, dt=0.5 * ms) as sim:
            brian2.prefs.codegen.cpp.extra_compile_args = ["-O0"]
            brian2.defaultclock.dt = 3 * ms
            brian2.seed(5)
            np.random.seed(9)  # noqa: NPY002
            assert sim.target == target
            small()
            brian2.set_device("runtime")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        meddle()


@pytest.mark.cpp
def test_random_numbers_that_cython_has_drawn_ahead_survive_a_session() -> None:
    def drawing(name: str) -> Network:
        group = NeuronGroup(3, "x : 1", name=name, namespace={})
        group.run_regularly("x = rand()", name=f"{name}_draws")
        return Network(group)

    def draw(sim: Simulation, net: Network, name: str) -> Any:
        sim.run(net, 0.1 * ms)
        return np.array(net[name].x[:])

    with session("cython", seed=1) as outer:
        net = drawing("outer")
        first, following = draw(outer, net, "outer"), draw(outer, net, "outer")
        brian2.seed(1)
        np.testing.assert_array_equal(draw(outer, net, "outer"), first)
        with session("cython", seed=7) as inner:
            assert not np.array_equal(draw(inner, drawing("inner"), "inner"), first)
        np.testing.assert_array_equal(draw(outer, net, "outer"), following)


def test_sessions_nest() -> None:
    with session("numpy", seed=1) as outer:
        net = small(10 * mV)
        outer.run(net, 10 * ms)
        with session("numpy", seed=2, dt=1 * ms) as inner:
            other = small(20 * mV)
            inner.run(other, 10 * ms)
            assert len(other["trace"].t[:]) == 10
        assert float(brian2.defaultclock.dt) == 1e-4
        outer.run(net, 10 * ms)
        np.testing.assert_allclose(net["trace"].v[0][-1] / mV, 10 * (1 - np.exp(-1.99)))


def test_automatic_names_begin_anew_in_each_session_and_the_old_ones_come_back() -> None:
    before = [NeuronGroup(1, "x : 1") for _ in range(3)]
    with session("numpy", seed=1):
        inside = NeuronGroup(1, "x : 1")
        assert inside.name == "neurongroup"
    assert NeuronGroup(1, "x : 1").name not in {group.name for group in (*before, inside)}


def test_a_seed_is_drawn_and_told_when_none_is_given() -> None:
    with session("numpy") as first:
        seed = first.seed
    with session("numpy") as other:
        assert other.seed != seed
    assert 0 <= seed < 2**32


# ---- errors ----------------------------------------------------------------------------------------------------


def test_an_unknown_target_lists_the_valid_ones() -> None:
    with pytest.raises(EngineError, match=r"No target named 'cp'.*Valid names: cpp, cython, numpy"), session("cp"):
        pass


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, True, "1"])
def test_a_wrong_seed_is_refused(seed: Any) -> None:
    with pytest.raises(EngineError, match="seed: expected a whole number"), session("numpy", seed=seed):
        pass


@pytest.mark.parametrize("dt", [0 * ms, -1 * ms, 0.1, 1 * mV, float("nan") * second, None])
def test_a_wrong_time_step_is_refused(dt: Any) -> None:
    with pytest.raises(EngineError, match="dt: expected a positive time"), session("numpy", dt=dt):
        pass


@pytest.mark.parametrize("duration", [5, 1 * mV, -1 * ms, float("inf") * second, "1 s"])
def test_a_wrong_duration_is_refused(duration: Any) -> None:
    with session("numpy", seed=1) as sim, pytest.raises(EngineError, match=r"sim\.run duration: expected"):
        sim.run(small(), duration)


def test_a_group_is_not_a_network() -> None:
    with session("numpy", seed=1) as sim, pytest.raises(EngineError, match="Network"):
        sim.run(NeuronGroup(1, "x : 1"), 1 * ms)


def test_a_closed_simulation_runs_no_more() -> None:
    with session("numpy", seed=1) as sim:
        net = small()
    for use in (lambda: sim.run(net, 1 * ms), sim.execute, sim.reset):
        with pytest.raises(EngineError, match="session is closed"):
            use()


@pytest.mark.parametrize("target", TARGETS)
def test_an_equation_that_cannot_be_code_names_the_object_and_the_cause(target: str) -> None:
    with session(target, seed=1) as sim:
        net = Network(NeuronGroup(1, "dx/dt = nowhere/second : 1", method="euler", name="lost"))
        with pytest.raises(EngineError, match=r"lost.*nowhere"):
            sim.run(net, 1 * ms)


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_looked_up_in_the_caller_s_frame(target: str) -> None:
    nearby = 3 * Hz  # noqa: F841
    with session(target, seed=1) as sim:
        net = Network(NeuronGroup(1, "dx/dt = nearby : 1", method="euler", name="lost"))
        with pytest.raises(EngineError, match="nearby"):
            sim.run(net, 1 * ms)


class Named:
    name = "leaky"


@pytest.mark.parametrize("target", TARGETS)
def test_nan_in_a_state_variable_names_group_model_and_index(target: str) -> None:
    with session(target, seed=1) as sim:
        net = small([1, np.nan, np.nan] * mV)
        net["cell"].add_attribute("model")
        net["cell"].model = Named()

        def simulate_all() -> None:
            sim.run(net, 1 * ms)
            sim.execute()

        with pytest.raises(RunError, match=r"v of cell, model leaky is NaN.*index 1, for 2 of 3.*dt = 100\. us"):
            simulate_all()
        assert sim.models == [net["cell"].model]


@pytest.mark.parametrize("target", TARGETS)
def test_nan_that_the_user_puts_into_a_parameter_is_the_user_s_affair(target: str) -> None:
    with session(target, seed=1) as sim:
        net = small()
        net["cell"].offset = np.nan
        sim.run(net, 1 * ms)
        sim.execute()
        assert np.isnan(net["cell"].offset[:]).all()


def test_infinity_is_refused_in_a_differential_equation_only() -> None:
    with session("numpy", seed=1) as sim:
        group = NeuronGroup(2, "dv/dt = 1/second : 1\nlatest : second", method="euler", name="cell", namespace={})
        group.latest = -np.inf * second
        net = Network(group)
        sim.run(net, 1 * ms)
        group.v = np.inf
        with pytest.raises(RunError, match="v of cell is infinite"):
            sim.run(net, 1 * ms)


# ---- targets ---------------------------------------------------------------------------------------------------


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.delenv("BIOSNN_CXX", raising=False)


@pytest.mark.usefixtures("no_compiler")
@pytest.mark.parametrize("target", ["cpp", "cython"])
def test_without_a_compiler_numpy_does_the_work_and_says_so(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    with session(target, seed=1) as sim:
        assert sim.target == "numpy"
        assert "no C++ compiler found" in sim.note
        net = small()
        sim.run(net, 1 * ms)
        assert net["trace"].v[0][-1] > 0 * volt
    assert f"numpy instead of {target}" in capsys.readouterr().err


def test_a_compiler_asked_for_and_not_there_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIOSNN_CXX", "/nowhere/g++")
    assert toolchain.find_compiler() is None
    assert "/nowhere/g++" in toolchain.target_problems()["cpp"]
    assert toolchain.choose_target("cpp")[0] == "numpy"


def test_numpy_always_works() -> None:
    assert toolchain.target_problems()["numpy"] == ""
    assert toolchain.choose_target("numpy") == ("numpy", "")


@pytest.mark.cpp
def test_arrays_are_read_once_and_what_nothing_changes_is_no_result() -> None:
    """Lists of synapses may be larger than all else; they are known without the program."""
    random = np.random.default_rng(1)
    i, j = random.integers(400, size=(2, 200_000))
    given = random.uniform(size=400)
    with session("cpp", seed=1) as sim:
        group = NeuronGroup(400, "x : 1\ny : 1", threshold="x > 0.5", namespace={}, name="group")
        group.x = given
        group.y = 3.0
        group.y = given  # set twice: the second time counts
        kind = Sparse.pairs(i, j, shape=(400, 400))
        joint = Projection(group, group, kind, model="w : 1", on_pre="y_post += w", name="joint")
        joint["w"] = np.full(len(i), 1e-6)
        sim.run(Network(group, joint), 1 * ms)
        np.testing.assert_array_equal(group.x[:], given)
        assert {"_list_indices", "_list_indptr"} <= {var.name for var in sim.device.as_given}
        files = [path.name for path in Path(sim.device.results_dir).iterdir()]
        assert not any("_list_indices" in name for name in files)
        assert any("joint_w" in name for name in files)
        expected = given + 1e-6 * 10 * np.bincount(j[given[i] > 0.5], minlength=400)
        np.testing.assert_allclose(group.y[:], expected, rtol=1e-12)
        np.testing.assert_array_equal(joint["w"], 1e-6)
