"""How far work is, in a notebook and in a log: one place in a notebook's cell, and never a flood of lines."""

from __future__ import annotations

import sys
from contextlib import suppress
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from brian2 import Network, NeuronGroup, ms
from page_reader import Page

from biosnn.engine import cell_output, progress, session
from biosnn.engine.progress import Progress


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    for module in (progress, cell_output):
        monkeypatch.setattr(module, "time", made)
    monkeypatch.setattr(progress, "_log", progress._Log())
    return made


class Kernel:
    """What a kernel of Jupyter shows, by the identity of the display; and how often it was changed."""

    def __init__(self) -> None:
        self.shell = SimpleNamespace(kernel=object(), execution_count=1)
        self.shown: dict[str, dict[str, str]] = {}
        self.changes = 0

    def display(self, bundle: dict[str, str], *, raw: bool, display_id: str, update: bool) -> None:
        assert raw
        assert update == (display_id in self.shown)
        self.shown[display_id] = bundle
        self.changes += 1

    @property
    def texts(self) -> list[str]:
        return [bundle["text/plain"] for bundle in self.shown.values()]


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    made = Kernel()
    ipython: Any = ModuleType("IPython")
    ipython.get_ipython = lambda: made.shell
    shows: Any = ModuleType("IPython.display")
    shows.display = made.display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", shows)
    monkeypatch.setattr(cell_output, "_outputs", [])
    monkeypatch.setenv("BIOSNN_PROGRESS", "")
    return made


def work(clock: Clock, what: str, seconds: int) -> None:
    """Work of so many seconds that tells every tenth of one how far it is."""
    with Progress(what) as bar:
        for step in range(10 * seconds):
            clock.now += 0.1
            bar.update((step + 1) / (10 * seconds), f"{step + 1} of {10 * seconds} steps")


def test_a_bar_moves_in_place_and_ends_in_one_line(
    clock: Clock, kernel: Kernel, capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress("charging") as bar:
        clock.now += 1.9
        bar.update(0.1, "1 of 10 steps")
        assert kernel.shown == {}  # it may be over soon
        clock.now += 3.1
        bar.update(0.5, "5 of 10 steps")
        (shown,) = kernel.shown.values()
        assert shown["text/plain"] == "charging: 50 % (5 of 10 steps), about 5 s left"
        (tag, attributes), *_ = [one for one in Page(shown["text/html"]).elements if one[0] == "progress"]
        assert (tag, attributes["value"]) == ("progress", "0.500")
        clock.now += 7
        bar.update(1.0, "10 of 10 steps")
    assert kernel.texts == ["charging: 12 s"]
    assert "<progress" not in next(iter(kernel.shown.values()))["text/html"]
    assert capsys.readouterr() == ("", "")


def test_a_loop_of_simulations_leaves_one_line(clock: Clock, kernel: Kernel) -> None:
    for _ in range(50):
        work(clock, "compiling", 3)
        work(clock, "simulating", 4)
    assert kernel.texts == ["compiling: 2 min 30 s (50 times); simulating: 3 min 20 s (50 times)"]
    assert kernel.changes < 5 * 350  # five a second at most


def test_kinds_of_work_are_added_up_when_there_are_many(clock: Clock, kernel: Kernel) -> None:
    for number in range(100):
        work(clock, f"image {number}", 3)
    assert len(kernel.texts[0]) < 150
    assert kernel.texts[0].endswith("other work: 4 min 42 s (94 times)")


def test_each_cell_has_a_line_of_its_own(clock: Clock, kernel: Kernel) -> None:
    work(clock, "simulating", 3)
    kernel.shell.execution_count += 1
    work(clock, "simulating", 4)
    assert kernel.texts == ["simulating: 3 s", "simulating: 4 s"]


def test_work_within_work_has_a_bar_of_its_own(clock: Clock, kernel: Kernel) -> None:
    with Progress("training") as bar:
        clock.now += 3
        bar.update(0.25, "1 of 4 epochs")
        work(clock, "compiling", 3)
        bar.update(0.5, "2 of 4 epochs")
        assert kernel.texts[0].splitlines() == [
            "training: 25 % (1 of 4 epochs), about 9 s left",
            "compiling: 3 s",
        ]
    assert kernel.texts == ["compiling: 3 s; training: 6 s"]


def test_work_that_fails_says_how_far_it_came(clock: Clock, kernel: Kernel) -> None:
    with suppress(KeyError), Progress("training") as bar:
        clock.now += 4
        bar.update(0.25, "1 of 4 epochs")
        raise KeyError
    assert kernel.texts == ["training: stopped at 25 % after 4 s"]


def test_what_is_shown_is_escaped(clock: Clock, kernel: Kernel) -> None:
    with Progress("<script>alert(1)</script>") as bar:
        clock.now += 4
        bar.update(0.25, "<b>&")
        (shown,) = kernel.shown.values()
        assert {tag for tag, _ in Page(shown["text/html"]).elements} == {"div", "progress"}
        assert "&lt;script&gt;" in shown["text/html"]


def test_progress_can_be_turned_off_in_a_notebook(
    clock: Clock, kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIOSNN_PROGRESS", "off")
    work(clock, "simulating", 5)
    assert kernel.shown == {}


def test_a_simulation_shows_its_progress_in_a_notebook(monkeypatch: pytest.MonkeyPatch, kernel: Kernel) -> None:
    monkeypatch.setattr(progress, "QUIET", 0.0)
    with session("numpy", seed=1) as sim:
        group = NeuronGroup(1, "x : 1", name="idle", namespace={})
        sim.run(Network(group), 5 * ms, what="waiting")
    assert kernel.texts == ["waiting: 0 s"]


def test_hours_of_work_are_some_dozens_of_lines_in_a_log(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BIOSNN_PROGRESS", "")
    for _ in range(2000):  # each would say something after two seconds
        work(clock, "simulating", 5)
    assert clock.now == pytest.approx(1000 + 10_000)
    lines = capsys.readouterr().err.splitlines()
    assert 40 < len(lines) < 80
    assert lines[0] == "biosnn: simulating: 40 % (20 of 50 steps), about 3 s left"
    clock.now += 600  # after a pause, however long it was, the next work is heard of within ten minutes
    work(clock, "training", 5)
    assert "training" in capsys.readouterr().err
