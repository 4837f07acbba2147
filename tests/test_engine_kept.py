"""What a session has recorded is readable when it is closed, takes no memory, and goes when nobody has it any more."""

from __future__ import annotations

import gc
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, SpikeMonitor, StateMonitor, ms, mV
from engine_networks import small
from test_engine_recorded import all_read, recorded

import biosnn
from biosnn.engine import Point, session
from biosnn.engine.program import kept
from biosnn.errors import EngineError


class Stopped(Exception):
    """What ends a block early, so that nothing of it is executed."""


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the simulations of a test are written."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def files(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("target", ["numpy", pytest.param("cpp", marks=pytest.mark.cpp)])
def test_all_that_was_recorded_is_the_same_when_the_session_is_closed(target: str) -> None:
    with session(target, seed=1) as sim:
        net = recorded()
        sim.run(net, 1 * ms)
        inside = all_read(net)
    for name, (values, _) in all_read(net).items():
        for before, after in zip(inside[name][1], values, strict=True):
            np.testing.assert_array_equal(before, np.array(after), err_msg=name)


@pytest.mark.parametrize("target", ["numpy", pytest.param("cpp", marks=pytest.mark.cpp)])
def test_a_projection_keeps_its_weights(target: str) -> None:
    with session(target, seed=1) as sim:
        cells = NeuronGroup(2, "v : 1", threshold="True", reset="", namespace={}, name="cells")
        all_to_all = biosnn.Projection(cells, cells, biosnn.Dense(), model="w : 1", on_pre="w += 1", name="all_to_all")
        all_to_all["w"] = [[1, 2], [3, 4]]
        sim.run(Network(cells, all_to_all), 0.1 * ms)
    assert np.asarray(all_to_all["w"]).tolist() == [[2, 3], [4, 5]]
    if target == "cpp":
        with pytest.raises(EngineError, match=r"Cannot set w: its session is closed"):
            all_to_all["w"] = [[1, 2], [3, 4]]


@pytest.mark.cpp
def test_what_is_queued_when_the_block_ends_is_executed() -> None:
    with session("cpp", seed=1) as sim:
        net = recorded()
        sim.run(net, 1 * ms)
        assert sim.queued == 1  # type: ignore[attr-defined]
    assert net["spikes"].num_spikes == 30


@pytest.mark.cpp
def test_a_block_that_fails_leaves_what_was_executed_before() -> None:
    nets = []
    for read in (True, False):
        with suppress(Stopped), session("cpp", seed=1) as sim:
            nets.append(recorded())
            sim.run(nets[-1], 1 * ms)
            if read:
                sim.execute()
            raise Stopped
    assert nets[0]["spikes"].num_spikes == 30
    with pytest.raises(EngineError, match=r"Cannot read spikes\.N: its session ended without results"):
        nets[1]["spikes"].num_spikes  # noqa: B018


@pytest.mark.cpp
def test_nothing_is_set_or_run_any_more() -> None:
    with session("cpp", seed=1) as sim:
        net = small()
        sim.run(net, 1 * ms)
    with pytest.raises(EngineError, match=r"Cannot set drive: its session is closed"):
        net["cell"].drive = 1 * mV
    with pytest.raises(EngineError, match="Cannot set drive"):
        net["cell"].drive["i == 0"] = "drive + drive"
    with pytest.raises(EngineError, match="cannot be run: its session is closed"):
        net.run(1 * ms)
    with session("numpy") as sim, pytest.raises(EngineError, match="Make its network anew"):
        sim.run(net, 1 * ms)


@pytest.mark.cpp
@pytest.mark.parametrize("made_in", ["numpy", "cpp"])
def test_reading_of_one_session_does_not_execute_what_another_has_queued(made_in: str) -> None:
    with session(made_in, seed=1) as sim:
        net = recorded()
        sim.run(net, 1 * ms)
    with suppress(Stopped), session("cpp", seed=1) as sim:
        sim.run(Network(NeuronGroup(1, "x : 1", name="other", namespace={})), 1 * ms)
        assert len(net["way"].w["i < 2"]) == 2
        assert len(net["way"].vw[:]) == 3
        assert sim.queued == 1  # type: ignore[attr-defined]
        raise Stopped  # so that it is not executed


@pytest.mark.cpp
def test_only_results_are_kept_and_they_go_with_their_last_monitor(scratch: Path) -> None:
    with session("cpp", seed=1) as sim:
        net = recorded()
        sim.run(net, 1 * ms)
        sim.execute()
        assert "main.cpp" in files(scratch)
    kept_files = files(scratch)
    assert any(name.startswith("_dynamic_array_spikes_t") for name in kept_files)
    assert not {"main", "main.cpp", "objects.cpp"} & set(kept_files)
    assert sum(path.stat().st_size for path in scratch.rglob("*") if path.is_file()) < 10_000
    del net, sim
    gc.collect()
    assert files(scratch) == []


@pytest.mark.cpp
def test_sessions_that_were_closed_first_give_way(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_kept", [])
    monkeypatch.setattr(kept, "MOST_BYTES", 100_000)
    monitors, longest = [], 500 * ms
    for _ in range(3):  # 5000 steps of 8 bytes, and as many for the times: 80 kB
        with session("cpp", seed=1) as sim:
            cells = NeuronGroup(1, "x : 1", name="cells", namespace={})
            monitors.append(StateMonitor(cells, "x", record=True, name="trace"))
            sim.run(Network(cells, monitors[-1]), longest)
    assert monitors[2].x.shape == (1, 5000)
    with pytest.raises(EngineError, match=r"Cannot read trace\.x: its session is closed, and sessions .* 0\.0001 GB"):
        monitors[0].x  # noqa: B018
    assert len(list(scratch.iterdir())) == 1


@pytest.mark.cpp
def test_garbage_gives_way_before_what_somebody_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_kept", [])
    monkeypatch.setattr(kept, "MOST_BYTES", 100_000)
    with session("cpp", seed=1) as sim:
        cells = NeuronGroup(1, "x : 1", threshold="True", reset="", name="cells", namespace={})
        spikes = SpikeMonitor(cells, name="spikes")
        sim.run(Network(cells, spikes), 1 * ms)
    for _ in range(3):
        with session("cpp", seed=1) as sim:
            group = NeuronGroup(1, "x : 1", name="cells", namespace={})
            sim.run(Network(group, StateMonitor(group, "x", record=True, name="trace")), 500 * ms)
        del group, sim
    assert spikes.num_spikes == 10


@pytest.mark.cpp
def test_results_of_points_are_readable_inside_read_only_also_behind_the_block() -> None:
    with session("cpp", seed=1) as sim:
        net = small()
        sim.sweep(net, lambda: sim.run(net, 1 * ms), [Point(seed=1)], lambda _: None)
    with pytest.raises(EngineError, match=r"inside read\(\) only"):
        net["trace"].v[:]
