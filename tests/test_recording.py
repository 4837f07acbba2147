"""Recorded spikes are those of SpikeMonitor, whatever is recorded of them and however often a network runs."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import brian2
import numpy as np
import pytest
from brian2 import Hz, Network, NeuronGroup, Quantity, SpikeGeneratorGroup, SpikeMonitor, Synapses, ms, second
from recorded_cells import CELLS, DT, cells

import biosnn
from biosnn.engine import Point
from biosnn.engine.prepared import network_state
from biosnn.errors import EngineError, ModelError, NotFoundError, RunError
from biosnn.recording import SpikeRecording, spool

TARGETS = ["numpy", pytest.param("cython", marks=pytest.mark.slow), pytest.param("cpp", marks=pytest.mark.cpp)]
RUNS = (3 * ms, 2 * ms)
LISTED = (31, 4, 17)


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
    """A program of two runs, at points: two seeds, once more from where the first has ended, and for no time at all.

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

        first = Point({"cells.p": np.array([0.3])}, seed=3, start=0 * second, durations=[3, 2] * ms)
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
        later = [Point(state, seed=5, start=5 * ms), Point(start=5 * ms, durations=[0, 0] * ms)]
        after, nothing = prepared.run(later, continued, jobs=1)
        return {"begun": both, "continued": after, "nothing": nothing, "state": state}


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


def test_trains_of_a_part_of_the_time_have_the_spikes_of_that_time() -> None:
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        group = cells()
        recording = biosnn.record_spikes(group, start=1 * ms, stop=4 * ms, name="spikes")
        sim.run(Network(group, recording), 5 * ms)
        whole = recording.trains()
        for start, stop in ((1.5, 3.2), (None, 2), (3.9, None), (1, 4)):
            given = {"start": start, "stop": stop}
            part = recording.trains(**{end: time * ms for end, time in given.items() if time is not None})
            first, last = round(10 * (start or 0)), round(10 * (stop or 5))
            for neuron, times in whole.items():
                steps = np.round(np.asarray(times / DT))
                np.testing.assert_array_equal(part[neuron], times[(steps >= first) & (steps < last)])
            assert 0 < len(part.times) <= len(whole.times)
        for start, stop in ((0.5, 2), (2, 4.5), (4, None)):
            with pytest.raises(EngineError, match=r"spikes.trains: expected times from 1\. ms until 4\. ms \(got"):
                recording.trains(start=start * ms, stop=None if stop is None else stop * ms)
        with pytest.raises(ModelError, match="stop: expected a time after 3"):
            recording.trains(start=3 * ms, stop=2 * ms)


def test_spikes_that_pass_all_layers_in_a_step_are_those_of_a_monitor() -> None:
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        group = cells()
        followers = NeuronGroup(CELLS, "x : 1", threshold="x > 0.5", reset="x = 0", namespace={}, name="followers")
        onto = Synapses(group, followers, on_pre="x_post = 1", namespace={})
        onto.connect(j="i")
        early = biosnn.record_spikes(followers)
        biosnn.within_step(group, onto, followers)
        recordings = [early, biosnn.record_spikes(followers), biosnn.record_spikes(group)]
        monitor = SpikeMonitor(group)
        sim.run(Network(group, onto, followers, recordings, monitor), 2 * ms)
        for recording in recordings:
            np.testing.assert_array_equal(recording.i, monitor.i[:])
            np.testing.assert_array_equal(recording.t, monitor.t[:])


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


def test_a_point_without_spikes_has_none_of_those_before(points: dict[str, Any]) -> None:
    for name in EXPECTED.keys() - {*WINDOWED}:
        i, t, count, trains, number, _ = points["nothing"][name]
        assert len(i) == len(t) == count.sum() == len(trains.times) == number == 0


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


# ---- programs that fail, and long ones ------------------------------------------------------------------------------

FAILURES = """
if (std::getenv("BIOSNN_TEST") && std::string(std::getenv("BIOSNN_TEST")) == "taken")
    std::system("mkdir -p results/recorded_spikes_spikes/taken");
if (std::getenv("BIOSNN_TEST") && std::string(std::getenv("BIOSNN_TEST")) == "full")
{
    const rlimit room = {1000, 1000};
    std::signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &room);
}
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
    brian2.prefs["codegen.cpp.headers"] = ["<sys/resource.h>"]
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
        ("full", r"could not read its input or write its results.*\n.*recorded spikes cannot be written to results/"),
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
