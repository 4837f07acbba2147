"""How far a long piece of work is: said in a plain log and in a terminal, on every target."""

from __future__ import annotations

import re
from typing import Any

import pytest
from brian2 import Network, NeuronGroup, StateMonitor, ms, second
from engine_networks import small

from biosnn.engine import Point, session
from biosnn.errors import EngineError

TARGETS = ["numpy", pytest.param("cpp", marks=pytest.mark.cpp)]


@pytest.mark.parametrize("target", TARGETS)
def test_a_plain_log_tells_how_far_a_run_is(
    target: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BIOSNN_PROGRESS", "plain:0")
    with session(target, seed=1) as sim:
        net = small()
        sim.run(net, 20 * ms, what="charging the cells")
        sim.execute()
    lines = [line for line in capsys.readouterr().err.splitlines() if "charging" in line]
    assert lines[-1] == "biosnn: charging the cells: 100 % (20 ms of 20 ms simulated)"


def test_a_short_run_says_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("BIOSNN_PROGRESS", "plain:600")
    monkeypatch.setattr("biosnn.engine.progress.QUIET", 600.0)  # seconds by the clock; a machine may be busy
    with session("numpy", seed=1) as sim:
        sim.run(small(), 30 * ms)
    assert capsys.readouterr().err == ""


def test_a_wrong_progress_mode_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIOSNN_PROGRESS", "loud")
    with session("numpy", seed=1) as sim, pytest.raises(EngineError, match="BIOSNN_PROGRESS: expected off, bar"):
        sim.run(small(), 1 * ms)


def test_a_bar_is_drawn_in_its_own_words(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("BIOSNN_PROGRESS", "bar:0")
    with session("numpy", seed=1) as sim:
        group = NeuronGroup(1, "x : 1", name="idle", namespace={})
        net = Network(group, StateMonitor(group, "x", record=True, name="seen"))
        sim.run(net, 5 * ms, what="waiting")
    assert "waiting" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.cpp
def test_a_sweep_says_how_far_its_points_are(monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    monkeypatch.setenv("BIOSNN_PROGRESS", "plain:0")
    with session("cpp", seed=1) as sim:
        group = NeuronGroup(1000, "dv/dt = -v/(10*ms) + xi*ms**-0.5 : 1", method="euler", namespace={}, name="cells")
        network = Network(group)
        points = [Point(seed=seed) for seed in (1, 2, 3)]
        sim.sweep(network, lambda: sim.run(network, 4 * second), points, lambda _: float(group.v[0]), jobs=2)
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("biosnn: sweep")]
    shares = [int(re.search(r"(\d+) %", line)[1]) for line in lines]  # type: ignore[index]
    assert shares == sorted(shares)
    assert shares[-1] == 100
    assert any(0 < share < 33 for share in shares)  # before the first point is over
    assert lines[-1].endswith("(12 s simulated, 3 of 3 points)")
