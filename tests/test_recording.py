"""Recorded spikes are those of SpikeMonitor, whatever is recorded of them and however often a network runs."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import brian2
import numpy as np
import pytest
from brian2 import Hz, Network, NeuronGroup, Quantity, SpikeGeneratorGroup, SpikeMonitor, ms, mV, second

import biosnn
from biosnn.engine import Point
from biosnn.engine.compiler import compile
from biosnn.engine.prepared import network_state
from biosnn.errors import BiosnnError, EngineError, ModelError, NotFoundError, RunError
from biosnn.recording import SpikeRecording, spool

DT = 0.1 * ms
TARGETS = ["numpy", pytest.param("cython", marks=pytest.mark.slow), pytest.param("cpp", marks=pytest.mark.cpp)]
CELLS = 40
RUNS = (3 * ms, 2 * ms)
LISTED = (31, 4, 17)


def cells(**kwds: Any) -> NeuronGroup:
    """Neurons that fire by chance, in most steps more of them than a mark has room for below."""
    model = "p : 1 (shared)"
    group = NeuronGroup(CELLS, model, threshold="rand() < p", reset="", namespace={}, name="cells", **kwds)
    group.p = 0.4
    return group


def network() -> Network:
    """Everything that is recorded in one network, beside monitors of the same groups."""
    group = cells()
    clockwork = SpikeGeneratorGroup(9, [7, 2, 5, 2], [0, 0, 0.4, 4.9] * ms, name="clockwork")
    noise = biosnn.poisson(12, np.full(12, 2000) * Hz, name="noise")
    part = group[8:30]
    recordings = [
        biosnn.record_spikes(group, name="all"),
        biosnn.record_spikes(group, record=LISTED, name="listed"),
        biosnn.record_spikes(group, record=slice(None, None, 3), name="every_third"),
        biosnn.record_spikes(group, record=slice(-5, None), name="last"),
        biosnn.record_spikes(group, record=group[10:20], name="row"),
        biosnn.record_spikes(group, record=7, name="one"),
        biosnn.record_spikes(part, name="part"),
        biosnn.record_spikes(part, record=[21, 0, 3], name="of_part"),
        biosnn.record_spikes(part, record=group[9:11], name="row_of_part"),
        biosnn.record_spikes(group, start=1.05 * ms, stop="3.2 ms", record=[1, 2, 5], name="window"),
        biosnn.record_spikes(group, start=1.2 * ms, name="begin"),
        biosnn.record_spikes(group, stop=1.2 * ms, name="end"),
        biosnn.record_spikes(clockwork, name="clockwork_spikes"),
        biosnn.record_spikes(noise, record=range(2, 9), name="noise_spikes"),
    ]
    monitors = [SpikeMonitor(each, name=f"{each.name}_monitor") for each in (group, clockwork, noise)]
    monitors.append(SpikeMonitor(part, name="part_monitor"))
    return Network(group, clockwork, noise, recordings, monitors)


EXPECTED: dict[str, tuple[str, Any, tuple[float, float]]] = {
    "all": ("cells", range(CELLS), (0, 50)),
    "listed": ("cells", LISTED, (0, 50)),
    "every_third": ("cells", range(0, CELLS, 3), (0, 50)),
    "last": ("cells", range(35, 40), (0, 50)),
    "row": ("cells", range(10, 20), (0, 50)),
    "one": ("cells", [7], (0, 50)),
    "part": ("part", range(22), (0, 50)),
    "of_part": ("part", [21, 0, 3], (0, 50)),
    "row_of_part": ("part", [1, 2], (0, 50)),
    "window": ("cells", [1, 2, 5], (11, 32)),
    "begin": ("cells", range(CELLS), (12, 50)),
    "end": ("cells", range(CELLS), (0, 12)),
    "clockwork_spikes": ("clockwork", range(9), (0, 50)),
    "noise_spikes": ("noise", range(2, 9), (0, 50)),
}
"""Of which monitor each recording has which neurons, and the steps (first, one after the last)."""
WINDOWED = ("window", "begin", "end")


def read(net: Network, names: Any) -> dict[str, Any]:
    """What recordings and monitors have."""
    found: dict[str, Any] = {}
    for name in names:
        spikes = net[name]
        found[name] = (spikes.i, spikes.t, spikes.count, spikes.trains(), spikes.num_spikes, np.array(spikes.i))
    for name in ("cells", "clockwork", "noise", "part"):
        monitor = net[f"{name}_monitor"]
        found[f"{name}_monitor"] = np.array(monitor.i), np.array(monitor.t), monitor.spike_trains()
    return found


@pytest.fixture(scope="module", params=TARGETS)
def points(request: pytest.FixtureRequest) -> dict[str, Any]:
    """A program of two runs, at points: two seeds, and once more from where the first has ended.

    Buffers have room for sixteen spikes, and marks for fifteen.
    """
    with pytest.MonkeyPatch.context() as patch, biosnn.session(request.param, seed=1, dt=DT) as sim:
        for name, value in {"ROOM": 64, "BITS": 4, "MOST": 15}.items():
            patch.setattr(spool, name, value)
        net, state = network(), {}

        def program() -> None:
            sim.run(net, RUNS[0])
            net["cells"].p = 0.6
            sim.run(net, RUNS[1])

        first = Point({"cells.p": np.array([0.3])}, seed=3, start=0 * second)
        prepared = sim.prepare(net, program, first, resumable=True)

        def begun(number: int) -> dict[str, Any]:
            if number == 0:
                state.update(network_state(net))
            return read(net, EXPECTED)

        def continued(_: int) -> dict[str, Any]:
            with pytest.raises(EngineError, match=r"The window of window, from 1\.05 ms until 3\.2 ms, is not within"):
                _ = net["window"].i
            return read(net, EXPECTED.keys() - {*WINDOWED})

        both = prepared.run([first, Point({"cells.p": np.array([0.5])}, seed=4, start=0 * second)], begun)
        later = Point(state, seed=5, start=5 * ms)
        return {"begun": both, "continued": prepared.run([later], continued)[0], "state": state}


def of_monitor(found: dict[str, Any], name: str) -> tuple[np.ndarray, np.ndarray]:
    """The spikes of a monitor that a recording should have."""
    monitor, neurons, (first, last) = EXPECTED[name]
    i, t, _ = found[f"{monitor}_monitor"]
    steps = np.round(t / float(DT))
    kept = np.isin(i, list(neurons)) & (steps >= first) & (steps < last)
    return i[kept], t[kept]


@pytest.mark.parametrize("name", EXPECTED)
def test_spikes_are_those_of_a_monitor_in_its_order(points: dict[str, Any], name: str) -> None:
    for found in points["begun"]:
        i, t, count, trains, number, _ = found[name]
        neurons = list(EXPECTED[name][1])
        expected_i, expected_t = of_monitor(found, name)
        assert number == len(expected_i) > 0
        np.testing.assert_array_equal(i, expected_i)
        np.testing.assert_array_equal(np.asarray(t), expected_t)
        assert t.dim is second.dim
        assert i.dtype == np.int32
        np.testing.assert_array_equal(count, [np.sum(expected_i == neuron) for neuron in neurons])
        assert list(trains) == neurons
        for neuron in neurons:
            np.testing.assert_array_equal(np.asarray(trains[neuron]), expected_t[expected_i == neuron])


def test_trains_are_those_of_a_monitor(points: dict[str, Any]) -> None:
    for found in points["begun"]:
        for name, monitor in (("all", "cells"), ("part", "part"), ("clockwork_spikes", "clockwork")):
            trains, theirs = found[name][3], found[f"{monitor}_monitor"][2]
            assert trains.keys() == theirs.keys()
            for neuron, times in theirs.items():
                np.testing.assert_array_equal(np.asarray(trains[neuron]), np.asarray(times))
            assert isinstance(trains[2], Quantity)
            assert np.shares_memory(trains[2], trains.times)


def test_a_point_has_spikes_of_its_own_and_what_was_read_stays(points: dict[str, Any]) -> None:
    one, other = points["begun"]
    assert not np.array_equal(one["all"][0], other["all"][0])
    for found in (one, other, points["continued"]):
        for name in EXPECTED.keys() & found.keys():
            np.testing.assert_array_equal(found[name][0], found[name][-1])
            assert not found[name][0].flags.writeable


def test_a_program_that_continues_records_what_comes_then(points: dict[str, Any]) -> None:
    assert not [key for key in points["state"] if key.partition(".")[0] in EXPECTED]
    found = points["continued"]
    for name in ("all", "listed", "part"):
        i, t, *_ = found[name]
        monitor, neurons, _ = EXPECTED[name]
        expected_i, expected_t, _ = found[f"{monitor}_monitor"]
        kept = np.isin(expected_i, list(neurons))
        np.testing.assert_array_equal(i, expected_i[kept])
        np.testing.assert_array_equal(np.asarray(t), expected_t[kept])
        assert 5 * ms <= t[0] < t[-1] < 10 * ms


def test_a_neuron_that_was_not_recorded_has_no_train() -> None:
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        group = cells()
        recording = biosnn.record_spikes(group, record=[3, 5])
        sim.run(Network(group, recording), 1 * ms)
        trains = recording.trains()
        assert 4 not in trains
        assert len(trains) == 2
        with pytest.raises(NotFoundError, match=r"Neuron 4 was not recorded"):
            trains[4]


def test_without_spikes_there_is_nothing_to_read() -> None:
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        group = cells()
        group.p = 0
        recording = biosnn.record_spikes(group)
        sim.run(Network(group, recording), 1 * ms)
        assert recording.num_spikes == len(recording.i) == len(recording.t) == 0
        assert not recording.count.any()
        assert [len(times) for times in recording.trains().values()] == [0] * CELLS


def test_what_was_recorded_in_this_process_leaves_no_file_and_outlives_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        group = cells()
        recording, monitor = biosnn.record_spikes(group), SpikeMonitor(group)
        sim.run(Network(group, recording, monitor), 2 * ms)
        assert recording.num_spikes > 0
        assert list(tmp_path.iterdir()) == []
    np.testing.assert_array_equal(recording.i, monitor.i[:])


def test_restoring_a_network_takes_back_what_was_recorded_since() -> None:
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        group = cells()
        recording, monitor = biosnn.record_spikes(group), SpikeMonitor(group)
        net = Network(group, recording, monitor)
        sim.run(net, 1 * ms)
        net.store("early")
        sim.run(net, 1 * ms)
        net.store("late")
        before = recording.i
        kept = before.copy()
        net.restore("early")
        np.testing.assert_array_equal(recording.i, monitor.i[:])
        sim.run(net, 2 * ms)
        np.testing.assert_array_equal(recording.i, monitor.i[:])
        net.restore("late")
        np.testing.assert_array_equal(recording.i, kept)
        np.testing.assert_array_equal(recording.t, monitor.t[:])
        np.testing.assert_array_equal(before, kept)


def test_recorded_spikes_are_not_stored_in_a_file(tmp_path: Path) -> None:
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        group = cells()
        net = Network(group, biosnn.record_spikes(group))
        sim.run(net, 1 * ms)
        with pytest.raises(EngineError, match="Store in memory, or use SpikeMonitor"):
            net.store(filename=str(tmp_path / "state"))


# ---- what is refused ------------------------------------------------------------------------------------------------


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


# ---- programs that fail, and long ones ------------------------------------------------------------------------------

FAILURES = """
if (std::getenv("BIOSNN_TEST") && std::string(std::getenv("BIOSNN_TEST")) == "taken")
    std::system("mkdir -p results/recorded_spikes_spikes/taken");
"""
ABORT = """
if (std::getenv("BIOSNN_TEST") && std::string(std::getenv("BIOSNN_TEST")) == "abort")
    std::abort();
"""


def failing(how: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, SpikeRecording, Any]:
    """A program that fails in a way that the environment chooses."""
    monkeypatch.setenv("BIOSNN_TEST", how)
    opened = biosnn.session("cpp", seed=1, dt=DT)
    sim = opened.__enter__()
    group = cells()
    recording = biosnn.record_spikes(group, name="spikes")
    brian2.device.insert_code("before_start", FAILURES)
    sim.run(Network(group, recording), 2 * ms)
    brian2.device.insert_code("main", ABORT)
    return opened, recording, sim


@pytest.mark.cpp
@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("abort", "crashed with SIGABRT"),
        ("taken", r"could not read its input or write its results.*\n.*recorded spikes cannot be written to results/"),
        ("cut", r"The spikes of spikes are incomplete: .* has 3 bytes instead of \d+"),
    ],
)
def test_of_a_run_that_failed_nothing_is_read(how: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, recording, sim = failing(how, monkeypatch)
    try:
        if how == "cut":
            sim.execute()
            os.truncate(Path(sim.device.results_dir) / "recorded_spikes_spikes", 3)
        with pytest.raises(RunError, match=message):
            recording.trains()
        with pytest.raises(EngineError, match=message if how == "cut" else "and gave no results"):
            _ = recording.i
    finally:
        opened.__exit__(None, None, None)


@pytest.mark.cpp
@pytest.mark.slow
def test_the_memory_of_a_program_does_not_grow_with_the_spikes() -> None:
    """3 million spikes take as much as 30,000. Which ones they are follows from the threshold."""
    with biosnn.session("cpp", seed=1, dt=DT) as sim:
        group = NeuronGroup(1000, "", threshold="(i + t_in_timesteps) % 10 == 0", reset="", namespace={}, name="cells")
        recording = biosnn.record_spikes(group, name="spikes")
        net = Network(group, recording)

        def read(_: int) -> tuple[int, int, np.ndarray, Any]:
            return recording.num_spikes, sim.usage.memory, np.array(recording.i), recording.trains()

        durations = [Point(durations=[steps] * DT) for steps in (300, 30_000)]
        few, many = sim.sweep(net, lambda: sim.run(net, 1 * ms), durations, read, jobs=1)
    assert (few[0], many[0]) == (30_000, 3_000_000)
    assert many[1] - few[1] < 500_000  # bytes, where the spikes are 12 million
    steps, places = np.divmod(np.arange(3_000_000), 100)
    np.testing.assert_array_equal(many[2], -steps % 10 + 10 * places)
    np.testing.assert_array_equal(np.asarray(many[3][998]), (2 + 10 * np.arange(3000)) * float(DT))
