"""What cannot be recorded or read is refused by name, and before anything runs or is compiled where that is known."""

from __future__ import annotations

from typing import Any

import brian2
import numpy as np
import pytest
from brian2 import Hz, Network, NeuronGroup, ms, mV
from recorded_cells import CELLS, DT, cells

import biosnn
from biosnn.engine.compiler import compile
from biosnn.errors import BiosnnError, EngineError, ModelError
from biosnn.recording import spool


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"start": 3 * ms, "stop": 2 * ms}, r"stop: expected a time after 3\. ms \(got 2\. \* msecond\)"),
        ({"start": 3 * ms, "stop": 3 * ms}, "stop: expected a time after 3"),
        ({"stop": 0 * ms}, "stop: expected a time after 0"),
        ({"start": -1 * ms}, "start: expected a finite time, not negative"),
        ({"stop": np.inf * ms}, "stop: expected a finite time"),
        ({"start": np.nan * ms}, "start: expected a finite time"),
        ({"start": 3}, "start"),
        ({"stop": 3 * mV}, "stop"),
        ({"stop": "soon"}, "stop"),
        ({"start": [1, 2] * ms}, "start: expected one time"),
        ({"record": [3, 40]}, r"record: expected neurons 0 to 39 \(got 40\)"),
        ({"record": [-1]}, r"record: expected neurons 0 to 39 \(got -1\)"),
        ({"record": [3, 5, 3]}, r"record: expected each neuron once \(got '3 several times'\)"),
        ({"record": [1.5]}, "record: expected True, a slice, whole numbers"),
        ({"record": []}, "record: expected True, a slice, whole numbers"),
        ({"record": [[1], [2]]}, "record: expected True, a slice, whole numbers"),
        ({"record": [[1], [2, 3]]}, "record: expected True, a slice, whole numbers"),
        ({"record": "all"}, "record: expected True, a slice, whole numbers"),
        ({"record": np.ones(CELLS, bool)}, "np.flatnonzero makes numbers of it"),
        ({"record": False}, "Leave the recording out"),
        ({"record": slice(30, 50)}, "record: expected some of neurons 0 to 39"),
        ({"record": slice(9, 9)}, "record: expected some of neurons 0 to 39"),
        ({"record": slice(0.5, 9)}, "record: expected True, a slice, whole numbers"),
        ({"record": "of another"}, "record: expected a subgroup of cells"),
        ({"group": "part", "record": "beyond"}, "record: expected a subgroup of cells_subgroup"),
        ({"group": "silent"}, r"group: expected a group that spikes \(got 'silent'\). Has it a threshold\?"),
        ({"group": 3}, "group: expected a group that spikes"),
        ({"name": "my spikes"}, "name: expected letters"),
    ],
)
def test_what_does_not_fit_is_refused(given: dict[str, Any], message: str) -> None:
    with biosnn.session("numpy", dt=DT):
        group = cells()
        silent = NeuronGroup(3, "x : 1", namespace={}, name="silent")
        other = biosnn.poisson(9, np.ones(9) * Hz)
        named = {"silent": silent, "part": group[:8], "of another": other[:4], "beyond": group[:9]}
        kwds = {"group": group, **given}
        kwds |= {name: named[value] for name, value in kwds.items() if isinstance(value, str) and value in named}
        with pytest.raises(BiosnnError, match=message):
            biosnn.record_spikes(kwds.pop("group"), **kwds)


def test_a_group_without_a_regular_time_step_is_refused() -> None:
    clock = pytest.importorskip("brian2.core.clocks")
    if not hasattr(clock, "EventClock"):
        pytest.skip("since Brian2 2.10")
    with biosnn.session("numpy", dt=DT):
        group = NeuronGroup(3, "", threshold="True", reset="", clock=clock.EventClock([1, 3] * ms), namespace={})
        with pytest.raises(ModelError, match="expected a group with a regular time step"):
            biosnn.record_spikes(group)


@pytest.mark.parametrize("target", ["numpy", pytest.param("cpp", marks=pytest.mark.cpp)])
def test_another_time_step_is_refused_before_the_run(target: str) -> None:
    with biosnn.session(target, seed=1, dt=DT) as sim:
        group = cells()
        net = Network(group, biosnn.record_spikes(group, name="spikes"))
        sim.run(net, 1 * ms)
        brian2.defaultclock.dt = 0.2 * ms
        with pytest.raises(EngineError, match=r"spikes: time step: expected 100\. us, as it began \(got 200"):
            sim.run(net, 1 * ms)


@pytest.mark.parametrize("target", ["numpy", pytest.param("cpp", marks=pytest.mark.cpp)])
def test_a_run_that_goes_back_in_time_is_refused_before_it(target: str) -> None:
    with biosnn.session(target, seed=1, dt=DT) as sim:
        group = cells()
        net = Network(group, biosnn.record_spikes(group, name="spikes"))
        sim.run(net, 1 * ms)
        net.t_ = 0.0
        with pytest.raises(EngineError, match=r"spikes: time: expected a run that begins at 1\. ms or later.*got 0"):
            sim.run(net, 1 * ms)


def test_a_window_between_two_time_steps_is_refused() -> None:
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        group = cells()
        recording = biosnn.record_spikes(group, start=1.01 * ms, stop=1.09 * ms, name="spikes")
        with pytest.raises(EngineError, match=r"expected a time step of 100\. us between start and stop"):
            sim.run(Network(group, recording), 2 * ms)


def test_more_steps_than_marks_can_tell_apart_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "MOST_STEPS", 20)
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        group = cells()
        net = Network(group, biosnn.record_spikes(group, name="spikes"))
        sim.run(net, 2 * ms)
        with pytest.raises(EngineError, match=r"time steps of spikes: expected at most 20 \(got 21\)"):
            sim.run(net, 0.1 * ms)


@pytest.mark.parametrize(("start", "stop"), [(2, 4), (3.5, None), (3, 9)])
def test_a_window_is_read_when_the_network_has_passed_it(start: float, stop: float | None) -> None:
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        group = cells()
        recording = biosnn.record_spikes(group, start=start * ms, stop=None if stop is None else stop * ms)
        net = Network(group, recording)
        sim.run(net, 3 * ms)
        for read_it in (lambda: recording.num_spikes, lambda: recording.t, recording.trains):
            with pytest.raises(EngineError, match=r"is not within what is simulated, from 0\. s until 3\. ms"):
                read_it()
        sim.run(net, 6 * ms)
        assert recording.num_spikes > 0
        assert start * ms <= recording.t[0]


@pytest.mark.cpp
def test_a_window_beyond_the_runs_is_refused_before_anything_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("it was compiled")

    monkeypatch.setattr(compile, "build", never)
    with biosnn.session("cpp", seed=1, dt=DT) as sim:
        group = cells()
        recording = biosnn.record_spikes(group, start=2 * ms, stop=4 * ms, name="late")
        net = Network(group, recording)
        sim.run(net, 3 * ms)
        message = (
            r"The window of late, from 2\. ms until 4\. ms, is not within what is simulated, from 0\. s until 3\. ms"
        )
        with pytest.raises(EngineError, match=message):
            _ = recording.i
        sim.run(net, 1 * ms)
        with pytest.raises(AssertionError, match="it was compiled"):
            sim.execute()
        sim.reset()
        group = cells()
        net = Network(group, biosnn.record_spikes(group, start=2 * ms, stop=4 * ms, name="late"))
        with pytest.raises(EngineError, match="The window of late"):
            sim.sweep(net, lambda: sim.run(net, 3 * ms), [{"cells.p": 0.5}], lambda _: None)
