"""The queues of clusters: workers of Dask that a queue starts, or an array of jobs without any scheduler process."""

from __future__ import annotations

import contextlib
import math
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from biosnn import codec, files, optional_dependencies
from biosnn.errors import SweepError, field_error, unknown
from biosnn.folders import size_text
from biosnn.sweep.executors import Executor, Workers, _DaskWorkers
from biosnn.sweep.layout import Layout

QUEUES = {"slurm": "SLURMCluster", "pbs": "PBSCluster", "sge": "SGECluster", "lsf": "LSFCluster"}
_ACCOUNTS = {"slurm": "account", "pbs": "account", "sge": "project", "lsf": "project"}
ARRAY = "slurm-array"
_MOST_TEXT = 2**20
_TIMEOUT = 60  # seconds that sbatch may take


@dataclass(frozen=True)
class Cluster(Executor):
    """Workers of Dask in jobs of a cluster's queue, by dask-jobqueue.

    Parameters
    ----------
    queue : str
        "slurm", "pbs", "sge" or "lsf".
    jobs : int
        How many jobs.
    cores : int
        Processors of a job: as many points are computed in it at once.
    memory : str
        Of a job, such as "8GB".
    walltime : str
        Of a job, such as "04:00:00".
    partition, account : str
        Where jobs wait, and who pays.
    lifetime, stagger : str
        After how long a worker ends by itself, before the queue ends it, and how much workers differ in that: such as
        "3h50m" and "5m".
    scratch : str
        A folder on the node's own disk, for Dask and for the cache of compiled programs.
    processor : str
        For which processor programs are compiled, where those of the nodes differ: such as "x86-64-v3".
    prologue : tuple of str
        Lines of the shell before a worker starts, such as "module load gcc".
    options : tuple of str
        Further directives of the job, such as "--constraint=skylake".
    """

    queue: str
    jobs: int = 1
    cores: int = 1
    memory: str = "4GB"
    walltime: str = "01:00:00"
    partition: str = ""
    account: str = ""
    lifetime: str = ""
    stagger: str = ""
    scratch: str = ""
    processor: str = ""
    prologue: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.queue not in QUEUES:
            raise SweepError(unknown("queue", self.queue, (*QUEUES, ARRAY)))
        _check_counts(self)

    @contextlib.contextmanager
    def workers(self) -> Iterator[Workers]:
        """The workers, for a block; the jobs end with it."""
        jobqueue = optional_dependencies.imported("dask_jobqueue", "cluster")
        distributed = optional_dependencies.imported("distributed", "cluster")
        made = getattr(jobqueue, QUEUES[self.queue])
        with made(**self.arguments()) as cluster, distributed.Client(cluster, set_as_default=False) as client:
            try:
                cluster.scale(jobs=self.jobs)
            except FileNotFoundError as error:
                do = "Start this where jobs are submitted."
                raise SweepError(f"{error.filename}: is not installed here. {do}") from None
            yield _QueuedWorkers(client, self)

    def arguments(self) -> dict[str, Any]:
        """What dask-jobqueue is told."""
        given: dict[str, Any] = {
            "cores": self.cores,
            "processes": self.cores,  # one point a process, so that none waits for another's lock of Python
            "memory": self.memory,
            "walltime": self.walltime,
            "python": sys.executable,
            "job_script_prologue": _prologue(self.prologue, self.scratch, self.processor),
            "job_extra_directives": list(self.options),
            "worker_extra_args": [
                *(("--lifetime", self.lifetime) if self.lifetime else ()),
                *(("--lifetime-stagger", self.stagger) if self.stagger else ()),
            ],
        }
        optional = {"queue": self.partition, _ACCOUNTS[self.queue]: self.account, "local_directory": self.scratch}
        return given | {name: text for name, text in optional.items() if text}


class _QueuedWorkers(_DaskWorkers):
    """Workers that may not have been started yet."""

    def __init__(self, client: Any, cluster: Cluster) -> None:
        super().__init__(client)
        self.cluster = cluster
        self.most = cluster.jobs * cluster.cores

    def count(self, memory: int = 0) -> int:
        found = super().count(memory)
        return found if found > 1 else self.most

    def check(self, seconds: float, memory: int) -> None:
        """Refuse to go on where a job is shorter than a point, or has less memory."""
        if seconds > _seconds(self.cluster.walltime):
            expected = f"more than the {seconds:.0f} s that the first point has taken"
            raise SweepError(field_error("walltime", expected, self.cluster.walltime, _KEPT))
        given = _bytes(self.cluster.memory) / self.cluster.cores
        if memory > given:
            expected = (
                f"more than {size_text(memory * self.cluster.cores)}, as each of {self.cluster.cores} points at once"
            )
            expected += f" takes {size_text(memory)}"
            raise SweepError(field_error("memory", expected, self.cluster.memory, _KEPT))


_KEPT = "What is finished is kept."


def _seconds(walltime: str) -> float:
    """How long "04:00:00", "1-00:00:00" or, as LSF has it, "04:00" is; endless where it is written in another way."""
    days, _, clock = walltime.rpartition("-")
    parts = clock.split(":")
    if not all(part.isascii() and part.isdigit() for part in parts) or not (days or "0").isdigit():
        return math.inf
    scale = (3600, 60, 1) if len(parts) == 3 else (3600, 60)
    return int(days or 0) * 86400 + sum(int(part) * unit for part, unit in zip(parts, scale, strict=False))


def _bytes(memory: str) -> float:
    """How much "16GB" or "500 MiB" is; endless where it is written in another way."""
    found = re.fullmatch(r"\s*([\d.]+)\s*([kMGT]?)(i?)B?\s*", memory)
    if found is None:
        return math.inf
    scale: float = (1024 if found[3] else 1000) ** " kMGT".index(found[2] or " ")
    return float(found[1]) * scale


@dataclass(frozen=True)
class JobArray:
    """An array of jobs of SLURM, each of which computes a share of the points; no process waits for them.

    Parameters
    ----------
    jobs : int
        How many jobs; each computes every jobs-th point.
    at_once : int
        How many run at once; 0 for no limit.
    cores : int
        Processors of a job: as many points are computed in it at once.
    memory, walltime, partition, account, scratch, processor, prologue, options
        As those of `Cluster`.
    """

    jobs: int = 10
    at_once: int = 0
    cores: int = 1
    memory: str = "4GB"
    walltime: str = "01:00:00"
    partition: str = ""
    account: str = ""
    scratch: str = ""
    processor: str = ""
    prologue: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    submitted: list[str] = field(default_factory=list, compare=False, repr=False)

    def __post_init__(self) -> None:
        _check_counts(self)

    def script(self, store: Layout, points: int) -> str:
        """The job's script."""
        folder = store.folder.absolute()
        jobs = min(self.jobs, points)
        directives = {
            "job-name": f"biosnn-{folder.name}",
            "array": f"0-{jobs - 1}" + (f"%{self.at_once}" if self.at_once else ""),
            "cpus-per-task": str(self.cores),
            "mem": self.memory,
            "time": self.walltime,
            "partition": self.partition,
            "account": self.account,
            "output": str(folder / "jobs" / "%A_%a.log"),
        }
        lines = [f"#SBATCH --{name}={shlex.quote(text)}" for name, text in directives.items() if text]
        lines += [f"#SBATCH {text}" for text in self.options]
        command = [sys.executable, "-m", "biosnn.sweep.array", str(folder), "--tasks", str(jobs)]
        command += ["--cores", str(self.cores)]
        return "\n".join(
            [
                "#!/bin/bash",
                *lines,
                *_prologue(self.prologue, self.scratch, self.processor),
                f"export BIOSNN_CORES={self.cores}",
                f'exec {shlex.join(command)} --task "$SLURM_ARRAY_TASK_ID"',
                "",
            ]
        )

    def submit(self, store: Layout, points: int) -> None:
        """Hand the jobs to the queue.

        Raises
        ------
        SweepError
            If there is no ``sbatch``, or it refuses them.
        """
        sbatch = shutil.which("sbatch")
        if sbatch is None:
            raise SweepError("sbatch: is not installed here. Start this where jobs are submitted.")
        place = store.folder / "jobs"
        try:
            place.mkdir(exist_ok=True)
            file = place / "array.sh"
            file.write_text(self.script(store, points), encoding="utf-8")
            file.chmod(file.stat().st_mode | stat.S_IXUSR)
        except OSError as error:
            raise SweepError(f"{place}: cannot be written: {error.strerror or error}.") from None
        command = [sbatch, "--parsable", str(file.absolute())]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
        except (OSError, subprocess.SubprocessError) as error:
            raise SweepError(f"{shlex.join(command)}: {error}.") from None
        if done.returncode != 0:
            told = (done.stderr or done.stdout).strip() or f"status {done.returncode}"
            raise SweepError(f"{shlex.join(command)}: refused: {told}. The points that are finished are kept.")
        self.submitted.append(done.stdout.strip().partition(";")[0])


def read_queue(path: Path | str) -> Cluster | JobArray:
    """Read where points are computed from a small TOML.

    It has the fields of `Cluster` or, with ``queue = "slurm-array"``, those of `JobArray`.

    Raises
    ------
    SweepError
        If the file cannot be read, or a field is wrong.
    """
    path = Path(path)
    content = files.parse_toml(path, files.read_text(path, SweepError, _MOST_TEXT), SweepError)
    kind: type[Cluster] | type[JobArray] = JobArray if content.get("queue") == ARRAY else Cluster
    if kind is JobArray:
        content = {name: value for name, value in content.items() if name != "queue"}
    elif "queue" not in content:
        raise SweepError(f"{path}: expected queue = one of {', '.join((*QUEUES, ARRAY))}.")
    known = {item.name for item in fields(kind)} - {"submitted"}
    for name in content:
        if name not in known:
            raise SweepError(f"{path}: {unknown('field', name, known)}")
    with files.reading(path, SweepError, "where points are computed"):
        made: Cluster | JobArray = codec.made(kind, content, str(path), SweepError)
    return made


def _check_counts(given: Cluster | JobArray) -> None:
    where = type(given).__name__
    for name in ("jobs", "cores"):
        value = getattr(given, name)
        if type(value) is not int or value < 1:
            raise SweepError(field_error(f"{where}.{name}", "1 or more", value))
    for item in fields(given):
        value = getattr(given, item.name)
        for text in value if isinstance(value, (tuple, list)) else (value,):
            if isinstance(text, str) and "\n" in text:
                raise SweepError(field_error(f"{where}.{item.name}", "a text of one line", text))


def _prologue(lines: tuple[str, ...], scratch: str, processor: str) -> list[str]:
    """Lines of the shell before Python: the cache on the node's own disk, the processor that all nodes have."""
    given = list(lines)
    if scratch:
        given.append(f"export BIOSNN_CACHE={_expanded(scratch)}/biosnn-cache")
    elif cache := os.environ.get("BIOSNN_CACHE"):
        given.append(f"export BIOSNN_CACHE={shlex.quote(cache)}")
    if processor:
        given.append(f"export BIOSNN_MARCH={shlex.quote(processor)}")
    return given


def _expanded(path: str) -> str:
    """Quoted, but for variables such as $TMPDIR, which only the node knows."""
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"').replace("`", "\\`") + '"'
