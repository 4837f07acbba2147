"""Points in processes of their own, on this machine and on workers of Dask; some are killed, some cannot write."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep_functions import MARKS
from sweep_here import Here, function

from biosnn.errors import SweepError
from biosnn.sweep import Dask, Local, Store, Sweep

pytestmark = pytest.mark.xdist_group("sweeps")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    with pytest.MonkeyPatch.context() as patch:
        # What workers find, and those that take the place of one that was killed.
        patch.setenv(MARKS, str(tmp_path_factory.mktemp("marks")))
        yield from _cluster(distributed)


def _cluster(distributed: Any) -> Iterator[Any]:
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


def test_points_that_kill_their_process_are_tried_again_and_others_are_not(tmp_path: Path, marks: Path) -> None:
    points = [{"n": 3}, {"n": 4, "rule": "killed once"}, {"n": 5, "rule": "exit"}, {"n": 6}]
    store = Sweep(function("noise"), points=points).run(Local(2), tmp_path / "store")
    assert store.status() == {"done": 3, "running": 0, "missing": 0, "failed": 1}
    (failure,) = store.failures()
    assert failure.error.startswith("its process ended with status 3")
    assert len(list(marks.iterdir())) == 1


def test_a_point_that_a_queue_ends_is_missing_and_not_failed(tmp_path: Path, marks: Path) -> None:
    sweep = Sweep(function("waits"), grid={"place": [1, 2], "seconds": [60.0]})
    store = Store(tmp_path / "store")
    store.begin(sweep.plan)
    command = [sys.executable, "-m", "biosnn.sweep.array", str(store.folder), "--task", "0", "--tasks", "1"]
    job = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not store.claimed() and time.monotonic() < deadline:
        time.sleep(0.1)
    [point] = [pid for pid in _descendants(job.pid) if _is_point(pid)]
    os.kill(point, signal.SIGTERM)  # which is begun again, as it was killed
    job.terminate()
    said, _ = job.communicate(timeout=60)
    assert job.returncode == 128 + signal.SIGTERM
    assert "The same sweep goes on from here." in said
    deadline = time.monotonic() + 20
    while _exists(point) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert store.status() == {"done": 0, "running": 0, "missing": 2, "failed": 0}
    assert list(marks.iterdir()) == []


def test_dask_computes_the_same_bits_as_one_process(tmp_path: Path, client: Any) -> None:
    sweep = Sweep(function("spikes"), grid={"drive": [1.1, 2.0, 3.0]}, seeds=[1, 2])
    here = sweep.run(Here(), tmp_path / "here")
    dask = sweep.run(Dask(client), tmp_path / "dask")
    assert dask.status()["done"] == 6
    for point in sweep.plan.points:
        assert np.array_equal(dask.result(point.key).arrays["times"], here.result(point.key).arrays["times"])


def test_the_death_of_a_worker_costs_no_point(tmp_path: Path, client: Any) -> None:
    sweep = Sweep(function("waits"), grid={"place": range(3), "seconds": [2.5]})
    killed: list[int] = []

    def watch(now: Any) -> None:
        # The first point is done, and the others are under way.
        if now.done and now.running and not killed:
            workers = client.scheduler_info(n_workers=-1)["workers"]
            killed.extend(client.run(os.getpid, workers=list(workers)[:1]).values())
            os.kill(killed[0], signal.SIGKILL)

    store = sweep.run(Dask(client), tmp_path / "store", watch=watch)
    assert killed
    assert store.status() == {"done": 3, "running": 0, "missing": 0, "failed": 0}
    runs = [len(path.read_text().splitlines()) for path in Path(os.environ[MARKS]).glob("*-1")]
    assert runs == [1, 1, 1]


def test_an_address_where_nobody_answers_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("biosnn.sweep.executors.CONNECT", "1s")
    with pytest.raises(SweepError, match="no scheduler of Dask answers there"):
        Sweep(function("noise")).run(Dask("tcp://127.0.0.1:9"), tmp_path / "store")
    with pytest.raises(SweepError, match="no scheduler of Dask answers there"):
        Sweep(function("noise")).run(Dask("nonsense"), tmp_path / "store")


def test_a_full_disk_is_told_and_costs_nothing_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = Sweep(function("noise"), seeds=[1])
    store = sweep.run(Here(), tmp_path / "store")
    more = Sweep(function("noise"), grid={"n": [200_000]}, seeds=[1, 2])
    # No file of a process may be larger than this, which is as if the disk were full.
    limited = "import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)); import signal; "
    limited += (
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); runpy.run_module('biosnn.sweep.point', run_name='__main__')"
    )
    monkeypatch.setattr("biosnn.sweep.work.POINT", ("-c", limited))
    found = more.run(Local(1), store.folder)
    assert found.status() == {"done": 0, "running": 0, "missing": 0, "failed": 2}
    assert all("File too large" in failure.error for failure in found.failures())
    assert len(store.finished()) == 1
    assert not any((store.folder / "claims").iterdir())


@pytest.mark.cpp
@pytest.mark.slow
def test_two_workers_with_an_empty_cache_build_a_program_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIOSNN_CACHE", str(tmp_path / "cache"))
    sweep = Sweep(function("spikes"), seeds=range(1, 5), target="cpp")
    store = sweep.run(Local(2), tmp_path / "store", figures=True)
    assert store.status()["done"] == 4
    assert len(list((tmp_path / "cache" / "programs").iterdir())) == 1


@pytest.mark.slow
def test_nothing_is_lost_or_run_twice_whatever_is_killed_when(tmp_path: Path, marks: Path) -> None:
    """Workers, coordinators and both are killed at 20 random moments."""
    sweep = Sweep(function("waits"), grid={"place": range(12), "seconds": [0.3]}, seeds=[1, 2])
    store = Store(tmp_path / "store")
    store.begin(sweep.plan)
    place = repr(str(store.folder))
    code = f"from biosnn.sweep import *; Sweep.of_store({place}).run(Local(2), {place}, figures=True)"
    choose = random.Random(1)
    for number in range(20):
        process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True, stderr=subprocess.DEVNULL)
        time.sleep(choose.uniform(1, 9))
        points = [pid for pid in _descendants(process.pid) if _is_point(pid)]
        victims = [points, [process.pid], [*points, process.pid]][number % 3]
        for pid in victims:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        process.kill()
        process.wait()
        # Every result that has its name is whole.
        assert all(row.status != "damaged" for row in store.rows())
    sweep.run(Local(2), store.folder)
    assert store.status() == {"done": 24, "running": 0, "missing": 0, "failed": 0}
    assert not any((store.folder / "claims").iterdir())
    assert not any((store.folder / "unfinished").iterdir())
    assert len(list(marks.iterdir())) == 24
    assert [path.name for path in marks.iterdir() if len(path.read_text().splitlines()) > 2] == []


def _descendants(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task").glob("*/children")
    found = [int(word) for path in children for word in path.read_text().split()]
    return [*found, *(below for child in found for below in _descendants(child))]


def _exists(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def _is_point(pid: int) -> bool:
    try:
        return b"biosnn.sweep.point" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
