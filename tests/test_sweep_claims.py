"""Who computes a point: one process of many, and another one when it has ended."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from sweep_here import Here, function

from biosnn.errors import SweepError
from biosnn.sweep import Sweep
from biosnn.sweep.claims import _Heart, alive, claimed
from biosnn.sweep.coordinator import _Coordinator, run_plan
from biosnn.sweep.executors import Done, Executor, Workers
from biosnn.sweep.store import Store
from biosnn.sweep.work import NOT_RUN, Chunk, Ended


def test_a_claim_is_one_process_s_until_its_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "claim"
    with claimed(path) as first:
        assert first is not None
        with claimed(path) as second:
            assert second is None
        assert first.held()
        assert alive(path)
    assert not path.exists()
    assert list(tmp_path.iterdir()) == []


def test_the_claim_of_a_process_that_was_killed_is_free_at_once(tmp_path: Path) -> None:
    path = tmp_path / "claim"
    code = f"""
import os, signal
from pathlib import Path
from biosnn.sweep.claims import claimed
with claimed(Path({str(path)!r})):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    assert path.exists()
    assert not alive(path)
    with claimed(path) as claim:
        assert claim is not None


def test_a_claim_of_another_machine_counts_as_long_as_it_is_touched(tmp_path: Path) -> None:
    path = tmp_path / "claim"
    path.write_text('{"mark": "0123abcd-1-ffffffff"}')
    assert alive(path)
    with claimed(path) as claim:
        assert claim is None
    an_hour_ago = time.time() - 3600
    os.utime(path, (an_hour_ago, an_hour_ago))
    assert not alive(path)
    with claimed(path) as claim:
        assert claim is not None


def test_a_claim_is_touched_while_it_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("biosnn.sweep.claims.PERIOD", 0.01)
    monkeypatch.setattr("biosnn.sweep.claims._heart", _Heart())
    path = tmp_path / "claim"
    with claimed(path):
        an_hour_ago = time.time() - 3600
        os.utime(path, (an_hour_ago, an_hour_ago))
        deadline = time.monotonic() + 10
        while not alive(path) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert alive(path)


def test_a_claim_that_was_taken_over_is_neither_held_nor_given_back(tmp_path: Path) -> None:
    path = tmp_path / "claim"
    with claimed(path) as claim:
        assert claim is not None
        path.write_text('{"mark": "0123abcd-1-ffffffff"}')
        assert not claim.held()
    assert path.exists()


def _take(path: Path, taken: Path, number: int, together: Barrier) -> None:
    together.wait()
    with claimed(path) as claim:
        if claim is not None:
            (taken / str(number)).touch()
        together.wait()  # nobody gives it back before all have tried


def test_of_many_processes_that_see_a_dead_claim_one_takes_it(tmp_path: Path) -> None:
    (taken := tmp_path / "taken").mkdir()
    path = tmp_path / "claim"
    path.write_text('{"mark": "0123abcd-1-ffffffff"}')
    an_hour_ago = time.time() - 3600
    os.utime(path, (an_hour_ago, an_hour_ago))
    context = multiprocessing.get_context("fork")
    together = context.Barrier(12)
    processes = [context.Process(target=_take, args=(path, taken, number, together)) for number in range(12)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert len(list(taken.iterdir())) == 1


def test_two_coordinators_on_a_store_run_each_point_once(tmp_path: Path, marks: Path) -> None:
    sweep = Sweep(function("waits"), grid={"place": range(6), "seconds": [0.05]})
    store = Store(tmp_path / "store")
    store.begin(sweep.plan)
    key = sweep.plan.points[0].key
    # The first point is being computed by another coordinator, which takes its time.
    with claimed(store.claim(key)):
        run = threading.Thread(target=run_plan, args=(store, sweep.plan, Here()))
        run.start()
        deadline = time.monotonic() + 60
        while len(store.finished()) < 5 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert store.status() == {"done": 5, "running": 1, "missing": 0, "failed": 0}
        time.sleep(0.5)
        assert run.is_alive()  # it waits for the other one
    run.join(60)
    assert store.status()["done"] == 6
    assert all(len(path.read_text().splitlines()) == 1 for path in marks.iterdir())
    assert len(list(marks.iterdir())) == 6


class _Ends(Executor):
    """Processes that end with a status, and leave nothing."""

    def __init__(self, *statuses: int) -> None:
        self.statuses, self.sizes = list(statuses), []

    @contextlib.contextmanager
    def workers(self) -> Iterator[Workers]:
        yield _Ending(self)


class _Ending(Workers):
    def __init__(self, of: _Ends) -> None:
        self.of = of

    def count(self, memory: int = 0) -> int:  # noqa: ARG002
        return 1

    def submit(self, chunk: Chunk, done: Done) -> None:
        self.of.sizes.append(len(chunk.keys))
        done(Ended(self.of.statuses.pop(0) if self.of.statuses else -9, "the last line", "node1"))


@pytest.mark.parametrize(
    ("statuses", "error"),
    [
        ([0] * 9, "given up after 4 processes that ended without a result on node1: the last line"),
        ([-9] * 9, "given up after 4 processes that were killed (the last with status -9) on node1: the last line"),
        ([143] * 9, "given up after 4 processes that were killed (the last with status 143) on node1: the last line"),
        ([3], "its process ended with status 3 on node1: the last line"),
    ],
)
def test_a_process_that_leaves_nothing_is_not_begun_for_ever(tmp_path: Path, statuses: list[int], error: str) -> None:
    store = Sweep(function("noise")).run(_Ends(*statuses), tmp_path / "store")
    assert [failure.error for failure in store.failures()] == [error]


def test_what_nobody_can_tell_of_is_neither_done_nor_failed(tmp_path: Path) -> None:
    sweep = Sweep(function("noise"))
    with pytest.raises(SweepError, match="the last line"):
        sweep.run(_Ends(NOT_RUN), tmp_path / "store")
    assert Store(tmp_path / "store").status()["missing"] == 1


def test_a_killed_chunk_is_searched_in_halves(tmp_path: Path) -> None:
    sweep = Sweep(function("noise"), seeds=range(9))
    Sweep(function("noise"), seeds=[0]).run(Here(), tmp_path / "store")
    ends = _Ends()
    coordinator = _Coordinator(Store(tmp_path / "store"), sweep.plan, None, lambda _: None)
    coordinator.seconds, coordinator.begun = 0.001, True
    coordinator.run(_Ending(ends))
    assert ends.sizes[:4] == [8, 4, 4, 2]
    assert max(ends.sizes[8:]) == 1
