"""What Brian2 can do and a program cannot is refused before the run; and a user's error is not lost on its way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import brian2
import numpy as np
import pytest
from brian2 import (
    BrianObject,
    Network,
    NetworkOperation,
    NeuronGroup,
    PoissonGroup,
    SpikeGeneratorGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    TimedArray,
    check_units,
    gsl_rk2,
    ms,
)
from engine_networks import small

from biosnn.engine import Simulation, session
from biosnn.engine.compiler import toolchain
from biosnn.engine.program import gsl, versions
from biosnn.errors import EngineError

CPP = pytest.param("cpp", marks=pytest.mark.cpp)
EVERY = ["numpy", CPP, pytest.param("cython", marks=pytest.mark.cpp)]


@pytest.fixture
def sim() -> Iterator[Simulation]:
    """A session of the cpp target, in which nothing is built."""
    if toolchain.target_problems()["cpp"]:
        pytest.skip("no C++ compiler")
    with session("cpp", seed=1) as made:
        yield made
        made.reset()  # runs that were queued are not waited for


def ramp(**how: Any) -> NeuronGroup:
    return NeuronGroup(1, "dx/dt = 1/ms : 1", **{"method": "euler", "name": "ramp", "namespace": {"ms": ms}, **how})


class Own(BrianObject):  # type: ignore[misc]
    def run(self) -> None: ...


class Late(NeuronGroup):  # type: ignore[misc]
    def after_run(self) -> None: ...


@check_units(x=1, result=1)
def doubled(x: Any) -> Any:
    return 2 * x


NAMES = {"doubled": doubled, "Hz": brian2.Hz}


def operation() -> list[Any]:
    return [ramp(), NetworkOperation(lambda: None, name="looks")]


def replaced() -> list[Any]:
    group = ramp()
    vars(group)["run"] = lambda: None
    return [group]


def learning_by_gsl() -> list[Any]:
    group = ramp()
    equations = "dw/dt = -w/ms : 1 (clock-driven)"
    synapses = Synapses(group, group, equations, method=gsl_rk2, name="plastic", namespace={"ms": ms})
    synapses.connect(i=[0], j=[0])
    return [group, synapses]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (operation, r"looks is a network_operation\. No Python runs.*run_regularly.*target numpy or cython"),
        (lambda: [Own(name="mine")], r"mine, a Own, has a method run\(\) of its own"),
        (lambda: [Late(1, "x : 1", name="late")], r"late, a Late, has a method after_run\(\) of its own"),
        (replaced, r"ramp, a NeuronGroup, has a method run\(\)"),
        (
            lambda: [NeuronGroup(1, "dx/dt = doubled(1)*Hz : 1", method="euler", name="g", namespace=NAMES)],
            r"g_\w+ cannot be turned into code\. doubled is a function of Python.*implementation",
        ),
    ],
)
def test_what_a_program_cannot_do_is_refused_by_name(
    make: Callable[[], list[Any]], message: str, sim: Simulation
) -> None:
    network = Network(make())
    with pytest.raises(EngineError, match=message):
        sim.run(network, 1 * ms)


@pytest.mark.parametrize(("made_by_brian", "cure"), [(False, "Brian2 2.10 or later"), (True, "libgsl-dev")])
def test_the_gnu_library_is_asked_for_before_anything_is_built(
    made_by_brian: bool, cure: str, sim: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "GSL", made_by_brian)
    monkeypatch.setattr(gsl, "_HEADERS", ("<gsl/missing.h>",))
    for make in (lambda: [ramp(method="gsl_rk4")], learning_by_gsl):
        network = Network(make())
        with pytest.raises(
            EngineError, match=rf"(ramp|plastic)\w*: .*GNU Scientific Library.*such as rk4.*{cure}|{cure}"
        ):
            sim.run(network, 1 * ms)
        sim.reset()


@pytest.mark.cpp
@pytest.mark.skipif(
    not (versions.GSL and Path("/usr/include/gsl").is_dir()),
    reason="no GNU library, or Brian2 2.9, which cannot use it",
)
def test_a_program_integrates_by_the_gnu_library() -> None:
    with session("cpp", seed=1) as sim:
        group = NeuronGroup(2, "dv/dt = (1 - v)/(10*ms) : 1", method="gsl_rkf45", namespace={})
        sim.run(Network(group), 10 * ms)
        np.testing.assert_allclose(group.v[:], 1 - np.exp(-1), rtol=1e-5)


@pytest.mark.usefixtures("sim")
def test_a_network_operation_is_refused_however_the_network_is_run() -> None:
    group, operates = operation()
    with pytest.raises(EngineError, match="looks is a network_operation"):
        brian2.run(1 * ms)
    operates._network = group._network = None
    with pytest.raises(EngineError, match="looks is a network_operation"):
        Network(group, operates).run(1 * ms)


def test_an_inactive_network_operation_is_nothing_to_refuse(sim: Simulation) -> None:
    objects = operation()
    objects[1].active = False
    sim.run(Network(objects), 1 * ms)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"report": lambda *_: None}, r"report: <lambda> would never be called"),
        ({"report": "std::cout << completed;"}, r"report: C\+\+ code would never be called"),
        ({"profile": True}, r"profile=True.*not timed one by one on the cpp target"),
    ],
)
@pytest.mark.usefixtures("sim")
def test_ways_to_run_that_a_program_does_not_know_are_refused(how: dict[str, Any], message: str) -> None:
    network = Network(ramp())
    with pytest.raises(EngineError, match=message):
        network.run(1 * ms, **how)
    network.run(1 * ms, report="text")


@pytest.mark.usefixtures("sim")
def test_the_device_s_own_ways_are_refused() -> None:
    network = small()
    device = brian2.get_device()
    for use, message in [
        (network.store, r"network\.store: the state.*sim\.prepare"),
        (network.restore, r"network\.restore: the state.*sim\.prepare"),
        (lambda: network.profiling_info, "The profile of network"),
        (device.build, r"device\.build.*sim\.execute"),
        (device.run, r"device\.run.*sim\.sweep"),
        (device.apply_run_args, r"device\.apply_run_args.*sim\.sweep"),
    ]:
        with pytest.raises(EngineError, match=message):
            use()


@pytest.mark.parametrize("threads", [2, -1])
def test_threads_of_openmp_are_refused(threads: int, sim: Simulation) -> None:
    brian2.prefs["devices.cpp_standalone.openmp_threads"] = threads
    with pytest.raises(EngineError, match=r"devices\.cpp_standalone\.openmp_threads is not 0.*threads=2"):
        sim.run(small(), 1 * ms)


def test_a_timed_array_that_changes_between_runs_is_refused_and_not_taken_for_what_it_became(sim: Simulation) -> None:
    timed = TimedArray([1.0, np.nan], dt=1 * ms, name="timed")
    driven = NeuronGroup(1, "dx/dt = timed(t)/ms : 1", method="euler", name="g", namespace={"timed": timed, "ms": ms})
    network = Network(driven)
    timed.values[0] = 3  # before the first run it is as good as made so
    sim.run(network, 1 * ms)
    sim.run(network, 1 * ms)
    timed.values[0] = 5
    with pytest.raises(EngineError, match=r"The values of the TimedArray timed were changed after a run"):
        sim.execute()


@pytest.mark.parametrize(("outer", "inner"), [("numpy", "cpp"), ("cpp", "numpy"), ("cpp", "cpp")])
@pytest.mark.cpp
def test_a_network_is_not_run_in_another_session_than_its_own(outer: str, inner: str) -> None:
    with session(outer, seed=1) as own:
        network = Network(ramp())
        with session(inner, seed=1), pytest.raises(EngineError, match="another session was opened inside this one"):
            own.run(network, 1 * ms)


# ---- runs that are asked for otherwise -------------------------------------------------------------------------


def run_otherwise(target: str) -> dict[str, Any]:
    """Runs of Brian2's own, with a value and the network changed in between."""
    slope = 2
    with session(target, seed=1) as sim:
        group = NeuronGroup(2, "dx/dt = slope/ms : 1", method="euler", name="group")
        monitor = StateMonitor(group, "x", record=0, name="monitor")
        network = Network(group)
        network.run(1 * ms)
        network.add(monitor)
        group.x[1] = 10
        sim.run(network, 1 * ms, namespace={"slope": 3, "ms": ms})
        network.run(1 * ms, namespace={"slope": 1, "ms": ms})
        assert slope == 2
        return {"x": group.x[:], "t": monitor.t[:] / ms, "seen": monitor.x[0]}


def run_by_magic(target: str) -> dict[str, Any]:
    with session(target, seed=1):
        generator = SpikeGeneratorGroup(3, [0, 1], [1, 2] * ms, name="generator")
        spikes = SpikeMonitor(generator, name="spikes")
        brian2.run(5 * ms)
        generator.set_spikes([2, 2], [6, 8] * ms)
        brian2.run(5 * ms)
        return {"i": spikes.i[:], "when": spikes.t[:] / ms}


@pytest.mark.cpp
def test_runs_of_brian_itself_are_queued_and_give_what_they_give_on_numpy() -> None:
    reference, found = ({**run_otherwise(target), **run_by_magic(target)} for target in ("numpy", "cpp"))
    np.testing.assert_allclose(reference["x"], [6, 14])
    assert reference["i"].tolist() == [0, 1, 2, 2]
    for name, values in reference.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-12, err_msg=name)


# ---- the user's own error --------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", EVERY)
@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        (lambda: SpikeMonitor(NeuronGroup(1, "x : 1", namespace={})), ValueError, "threshold"),
        (lambda: StateMonitor(NeuronGroup(1, "x : 1", namespace={}), "x", record=[5]), IndexError, "outside"),
        (lambda: PoissonGroup(3, 10), brian2.DimensionMismatchError, "hertz"),
        (lambda: NeuronGroup(1, "dx/dt = ", namespace={}), Exception, "."),
    ],
)
def test_an_error_in_making_an_object_reaches_the_user(
    fault: Callable[[], Any], error: type[Exception], message: str, target: str
) -> None:
    with pytest.raises(error, match=message) as caught, session(target, seed=1):
        fault()
    assert "_network" not in str(caught.value)


@pytest.mark.parametrize("target", EVERY)
def test_an_interrupt_while_an_object_is_half_made_stays_one(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def half_made(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(NeuronGroup, "_create_variables", half_made)
    with pytest.raises(KeyboardInterrupt), session(target, seed=1):
        NeuronGroup(1, "x : 1", namespace={})
