"""Sweeps on clusters: what a queue is told, and what a job computes."""

from __future__ import annotations

import math
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest
from sweep_here import function

from biosnn.errors import SweepError
from biosnn.sweep import Cluster, JobArray, Sweep, read_queue
from biosnn.sweep.queues import _QueuedWorkers, _seconds

FAKE = """#!/bin/sh
# A queue that runs the first job of an array at once, as its node would.
echo "$@" > "{folder}/arguments"
for last; do :; done
cp "$last" "{folder}/script"
SLURM_ARRAY_TASK_ID=0 bash "$last" > "{folder}/output" 2>&1
echo "4711;cluster"
"""


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fake ``sbatch`` on the path; returns where it leaves what it was given."""
    folder = tmp_path / "queue"
    folder.mkdir()
    sbatch = folder / "sbatch"
    sbatch.write_text(FAKE.format(folder=folder))
    sbatch.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def test_an_array_of_jobs_gets_its_directives_and_computes_its_shares(tmp_path: Path, queue: Path) -> None:
    sweep = Sweep(function("noise"), seeds=[1, 2])
    array = JobArray(
        jobs=2,
        at_once=1,
        memory="2GB",
        walltime="00:30:00",
        partition="short",
        account="lab",
        scratch="$TMPDIR",
        processor="x86-64-v3",
        prologue=("echo begun",),
        options=("--constraint=avx2",),
    )
    store = sweep.run(array, tmp_path / "my store")
    assert array.submitted == ["4711"]
    script = (queue / "script").read_text()
    directives = re.findall(r"^#SBATCH (.*)$", script, flags=re.MULTILINE)
    assert directives == [
        "--job-name='biosnn-my store'",
        "--array=0-1%1",
        "--cpus-per-task=1",
        "--mem=2GB",
        "--time=00:30:00",
        "--partition=short",
        "--account=lab",
        f"--output='{store.folder}/jobs/%A_%a.log'",
        "--constraint=avx2",
    ]
    assert 'export BIOSNN_CACHE="$TMPDIR"/biosnn-cache' in script
    assert "export BIOSNN_MARCH=x86-64-v3" in script
    assert "export BIOSNN_CORES=1" in script
    assert (queue / "output").read_text().startswith("begun\n")
    # The fake queue has run the first of two jobs.
    done = [row.point.seed for row in store.rows() if row.status == "done"]
    assert done == [1], (queue / "output").read_text()
    command = next(line for line in script.splitlines() if line.startswith("exec ")).removeprefix("exec ")
    words = shlex.split(command.replace('"$SLURM_ARRAY_TASK_ID"', "1"))
    assert words[0] == sys.executable
    subprocess.run(words, check=True)
    assert store.status()["done"] == 2
    # Nothing is left, so that nothing is handed to the queue.
    again = JobArray()
    sweep.run(again, store.folder)
    assert again.submitted == []


def test_a_queue_that_refuses_or_is_not_there_is_told(
    tmp_path: Path, queue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = Sweep(function("noise"))
    (queue / "sbatch").write_text("#!/bin/sh\necho 'sbatch: error: invalid partition: shrot' >&2\nexit 1\n")
    with pytest.raises(SweepError, match="refused: sbatch: error: invalid partition: shrot"):
        sweep.run(JobArray(), tmp_path / "store")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SweepError, match="sbatch: is not installed here"):
        sweep.run(JobArray(), tmp_path / "store")


@pytest.mark.parametrize(
    ("name", "directive"), [("slurm", "#SBATCH"), ("pbs", "#PBS"), ("sge", "#$"), ("lsf", "#BSUB")]
)
def test_workers_of_dask_are_jobs_of_each_kind_of_queue(name: str, directive: str) -> None:
    jobqueue = pytest.importorskip("dask_jobqueue")
    cluster = Cluster(
        name,
        cores=4,
        memory="16GB",
        walltime="04:00" if name == "lsf" else "04:00:00",
        partition="long",
        account="lab",
        lifetime="3h50m",
        stagger="5m",
        scratch="/scratch",
        processor="x86-64-v3",
        prologue=("module load gcc",),
    )
    kind = getattr(
        jobqueue, {"slurm": "SLURMCluster", "pbs": "PBSCluster", "sge": "SGECluster", "lsf": "LSFCluster"}[name]
    )
    arguments = cluster.arguments() | ({"lsf_units": "mb"} if name == "lsf" else {})
    with kind(**arguments, scheduler_options={"dashboard_address": None}) as made:
        script = made.job_script()
    assert directive in script
    assert "long" in script
    assert "--nworkers 4" in script
    assert "--nthreads 1" in script
    assert "--lifetime 3h50m" in script
    assert "module load gcc" in script
    assert 'export BIOSNN_CACHE="/scratch"/biosnn-cache' in script
    assert "export BIOSNN_MARCH=x86-64-v3" in script


def test_a_file_says_where_points_are_computed(tmp_path: Path) -> None:
    file = tmp_path / "cluster.toml"
    file.write_text('queue = "slurm"\njobs = 3\ncores = 2\nmemory = "8GB"\nprologue = ["module load gcc"]\n')
    assert read_queue(file) == Cluster("slurm", jobs=3, cores=2, memory="8GB", prologue=("module load gcc",))
    file.write_text('queue = "slurm-array"\njobs = 50\nat_once = 10\n')
    assert read_queue(file) == JobArray(jobs=50, at_once=10)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("jobs = 3", "expected queue"),
        ('queue = "slrum"', "Did you mean 'slurm'"),
        ('queue = "slurm"\nwaltime = "1:00"', "Did you mean 'walltime'"),
        ('queue = "slurm"\njobs = 0', "1 or more"),
        ('queue = "slurm"\njobs = "3"', "jobs"),
        ('queue = "slurm"\nmemory = "4GB\\n#SBATCH --uid=0"', "one line"),
        ('queue = "slurm-array"\nlifetime = "1h"', "No field named 'lifetime'"),
        ("queue = ", "TOML"),
    ],
)
def test_a_wrong_file_says_what_is_right(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "cluster.toml"
    file.write_text(text)
    with pytest.raises(SweepError, match=message):
        read_queue(file)
    with pytest.raises(SweepError, match=r"nowhere\.toml"):
        read_queue(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    ("seconds", "memory", "message"),
    [
        (3000, 10**9, ""),
        (4000, 10**9, r"walltime: expected more than the 4000 s that the first point has taken \(got '01:00:00'\)"),
        (10, 5 * 10**9, r"memory: expected more than 10 GB, as each of 2 points at once takes 5 GB \(got '8GB'\)"),
    ],
)
def test_jobs_that_are_too_small_for_a_point_are_refused_after_the_first(
    seconds: float, memory: int, message: str
) -> None:
    workers = _QueuedWorkers(Mock(), Cluster("slurm", cores=2, memory="8GB", walltime="01:00:00"))
    if message:
        with pytest.raises(SweepError, match=message):
            workers.check(seconds, memory)
    else:
        workers.check(seconds, memory)


@pytest.mark.parametrize(
    ("walltime", "seconds"), [("00:00:30", 30), ("1-01:00:00", 90000), ("04:30", 16200), ("later", math.inf)]
)
def test_a_walltime_is_read_as_queues_write_it(walltime: str, seconds: float) -> None:
    assert _seconds(walltime) == seconds
