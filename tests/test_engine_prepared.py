"""Prepared programs: run at one point after the other, and gone on with from the state of a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, SpikeMonitor, Synapses, ms, mV, nA, pA, second
from engine_networks import small

import biosnn
from biosnn.engine import Point, network_state, session
from biosnn.errors import EngineError

CPP = pytest.param("cpp", marks=pytest.mark.cpp)
TARGETS = ["numpy", CPP]
DELAY = 3.7 * ms


def learning(*, delay: Any = DELAY) -> Network:
    """Plastic synapses with delays between cells with a refractory period, none of which draws a random number."""
    source = biosnn.neurons(5, "lif", name="source")
    source.I = np.linspace(0.21, 0.4, 5) * nA
    target = biosnn.neurons(3, "lif_exp", name="target")
    rule = biosnn.synapses(
        source, target, "stdp_pair", onto="I_exc", gain=300 * pA, connect=biosnn.Dense(), delay=delay
    )
    return Network(source, target, rule, SpikeMonitor(target, name="spikes"), SpikeMonitor(source, name="inputs"))


def outcome(net: Network) -> dict[str, Any]:
    spikes = net["spikes"]
    weights = next(obj for obj in net.objects if hasattr(obj, "kind"))
    return {"t": np.asarray(spikes.t), "i": spikes.i[:], "w": np.array(weights.w).ravel()}


def in_pieces(target: str, make: Callable[[], Network], pieces: list[Any]) -> list[dict[str, Any]]:
    found = []
    with session(target, seed=1) as sim:
        net = make()
        start, example = 0 * second, Point(durations=[1] * second)
        prepared = sim.prepare(net, lambda: sim.run(net, 1 * second), example, resumable=True)
        going: dict[str, Any] = {}
        for piece in pieces:
            point = Point(going, start=start, durations=[piece] * second)
            ((result, going),) = prepared.run([point], lambda _: (outcome(net), network_state(net)))
            found.append(result)
            start += piece * second
    return found


@pytest.mark.parametrize("target", [pytest.param("numpy", marks=pytest.mark.slow), CPP])
def test_pieces_are_what_one_run_is(target: str) -> None:
    with session(target, seed=1) as sim:
        net = learning()
        sim.run(net, 0.5 * second)
        whole = outcome(net)
    # Boundaries in the refractory period of some cells, and with spikes on their way.
    pieces = in_pieces(target, learning, [0.1003, 0.1507, 0.0, 0.249])
    assert len(whole["t"]) > 50
    np.testing.assert_array_equal(np.concatenate([piece["i"] for piece in pieces]), whole["i"])
    np.testing.assert_allclose(np.concatenate([piece["t"] for piece in pieces]), whole["t"], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(pieces[-1]["w"], whole["w"])
    assert not np.array_equal(pieces[0]["w"], whole["w"])


@pytest.mark.parametrize("target", TARGETS)
def test_a_prepared_program_runs_again_and_again_and_a_point_may_leave_values_out(target: str) -> None:
    with session(target, seed=1) as sim:
        net = small()
        cell = net["cell"]

        def program() -> None:
            sim.run(net, 10 * ms)
            cell.offset = 0.5
            sim.run(net, 10 * ms)

        example = Point({"cell.drive": [0, 0, 0] * mV}, durations=[0, 0] * ms)
        prepared = sim.prepare(net, program, example)

        def read(_: int) -> tuple[Any, int, Any]:
            return cell.v[:] / mV, net["spikes"].num_spikes, net["trace"].t[:] / ms

        whole = Point({"cell.drive": [10, 20, 30] * mV}, seed=4)
        first, few = prepared.run([whole, Point(durations=[5, 0] * ms)], read)
        (again,) = prepared.run([whole], read)
        np.testing.assert_allclose(first[0], np.array([10, 20, 30]) * (1 - np.exp(-2)), rtol=1e-9)
        np.testing.assert_array_equal(first[0], again[0])
        assert first[1] == again[1] > 10
        # What was left out: the drive that the network has of its own, and the session's seed.
        np.testing.assert_allclose(few[0], 10 * (1 - np.exp(-0.5)), rtol=1e-9)
        assert len(few[2]) == 50
        with pytest.raises(EngineError, match=r"inside read\(\) only"):
            _ = net["spikes"].num_spikes if target == "cpp" else _fail()


def _fail() -> None:
    raise EngineError("results of the other targets stay readable, not inside read() only")


@pytest.mark.parametrize("target", TARGETS)
def test_a_point_begins_at_its_time(target: str) -> None:
    with session(target, seed=1) as sim:
        group = NeuronGroup(1, "last : second", name="group", namespace={})
        group.run_regularly("last = t", dt=sim.dt)
        net = Network(group, biosnn.poisson(1, 0 * second**-1, name="inputs"))
        prepared = sim.prepare(net, lambda: sim.run(net, 3 * ms), {}, resumable=True)
        times = prepared.run([Point(start=2 * second), {}], lambda _: float(group.last[0]))
        np.testing.assert_allclose(times, [2.0029, 0.0029], rtol=0, atol=1e-12)


def test_progress_of_points_is_told_to_whoever_asks(capsys: pytest.CaptureFixture[str]) -> None:
    said: list[float] = []
    with session("numpy", seed=1) as sim:
        net = small()
        prepared = sim.prepare(net, lambda: sim.run(net, 1 * ms), {})
        prepared.run([Point(seed=1), Point(seed=2)], lambda _: None, report=said.append)
    assert said == [0.0, 0.5]
    assert "sweep" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ({"cell.tau": 1 * ms}, "the same variables and shapes"),
        ({"cell.drive": [1, 2] * mV}, "the same variables and shapes"),
        ({"cell.nothing": 1}, "cell.*nothing"),
        (Point(start=-1 * second), "Point 0: start: expected finite times"),
        (Point(start=3 * mV), "Point 0: start: "),
        (Point(durations=[1, 2] * second), "the same variables and shapes"),
        (Point(durations=[float("inf")] * second), "Point 0: durations: expected finite times"),
        (Point(seed=-1), "seed"),
        ({"t": 1 * second}, r"Write Point\({...}, start=...\)"),
    ],
)
def test_a_point_that_does_not_fit_is_refused(point: Any, message: str) -> None:
    with session("numpy", seed=1) as sim:
        net = small()
        example = Point({"cell.drive": [0, 0, 0] * mV}, start=0 * second, durations=[0] * ms)
        prepared = sim.prepare(net, lambda: sim.run(net, 1 * ms), example)
        with pytest.raises(EngineError, match=message):
            prepared.run([point], lambda _: None)


def test_the_state_of_synapses_with_weights_or_delays_cannot_be_kept() -> None:
    with session("numpy", seed=1) as sim:
        net = small()
        weighted = Synapses(net["coin"], net["cell"], "w : 1", on_pre="offset_post += w", name="weighted")
        weighted.connect()
        with pytest.raises(EngineError, match=r"weighted.* w cannot be kept"):
            sim.prepare(Network(*net.objects, weighted), lambda: None, {}, resumable=True)
        late = Synapses(net["coin"], net["cell"], on_pre="offset_post += 1", delay=3 * ms, name="late")
        late.connect()
        with pytest.raises(EngineError, match=r"late.*delays cannot be kept"):
            network_state(Network(*net.objects, late))
