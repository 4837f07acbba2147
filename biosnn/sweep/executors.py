"""Where the points of a sweep are computed: on this machine, by the workers of Dask, or of a cluster's queue.

Executors are thin. They start processes and say how these ended; the store says what came out.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from biosnn import optional_dependencies
from biosnn.engine import children
from biosnn.engine.compiler import compile
from biosnn.errors import SweepError, field_error
from biosnn.files import available_memory
from biosnn.sweep.work import NOT_RUN, Chunk, Ended, compute_apart, share_of_cores

GIVEN_UP = 1
CONNECT = "10s"
"""How long a scheduler of Dask may take to answer."""
Done = Callable[[Ended], None]


class Workers(ABC):
    """Workers that wait for points."""

    @abstractmethod
    def count(self, memory: int = 0) -> int:
        """How many points may be computed at once, if each takes so many bytes."""

    @abstractmethod
    def submit(self, chunk: Chunk, done: Done) -> None:
        """Compute points; ``done`` is called, from any thread, when their process has ended."""

    def check(self, seconds: float, memory: int) -> None:  # noqa: B027 - most have room for any point
        """Refuse, with a `SweepError`, points that take so many seconds and bytes."""

    def stop(self) -> None:  # noqa: B027 - most have nothing to do
        """Compute nothing more, and end what is being computed."""


class Executor(ABC):
    """Where points are computed."""

    @abstractmethod
    def workers(self) -> contextlib.AbstractContextManager[Workers]:
        """The workers, for a block."""


@dataclass(frozen=True)
class Local(Executor):
    """This machine.

    Parameters
    ----------
    processes : int, optional
        How many points at once; by default, as many as there are processors. Fewer run where memory would not do.
    """

    processes: int | None = None

    def __post_init__(self) -> None:
        if self.processes is not None and (type(self.processes) is not int or self.processes < 1):
            raise SweepError(field_error("Local", "1 process or more", self.processes))

    @contextlib.contextmanager
    def workers(self) -> Iterator[Workers]:
        """The workers, for a block."""
        many = self.processes or compile.cores()
        pool = ThreadPoolExecutor(many)
        workers = _LocalWorkers(pool, many)
        try:
            yield workers
        finally:
            workers.stop()
            pool.shutdown()


class _LocalWorkers(Workers):
    def __init__(self, pool: ThreadPoolExecutor, many: int) -> None:
        self.pool, self.many = pool, many
        self.running: set[subprocess.Popen[str]] = set()

    def count(self, memory: int = 0) -> int:
        if not memory:
            return self.many
        # What runs has taken its memory already.
        return max(1, min(self.many, len(self.running) + available_memory() // memory))

    def submit(self, chunk: Chunk, done: Done) -> None:
        future = self.pool.submit(compute_apart, chunk, share_of_cores(self.many), self.running)
        future.add_done_callback(lambda ended: done(_ended(ended)))

    def stop(self) -> None:
        self.pool.shutdown(wait=False, cancel_futures=True)
        for process in tuple(self.running):
            children.end(process)


@dataclass(frozen=True)
class Dask(Executor):
    """The workers of Dask.

    Parameters
    ----------
    client : distributed.Client or str
        A client, or the address of a scheduler such as ``tcp://node1:8786``.
    """

    client: Any

    @contextlib.contextmanager
    def workers(self) -> Iterator[Workers]:
        """The workers, for a block."""
        if not isinstance(self.client, str):
            yield _DaskWorkers(self.client)
            return
        distributed = optional_dependencies.imported("distributed", "cluster")
        try:
            client = distributed.Client(self.client, timeout=CONNECT, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            do = "Start one with `dask scheduler`, and give the address that it prints."
            raise SweepError(
                f"{self.client}: no scheduler of Dask answers there ({error or 'timeout'}). {do}"
            ) from None
        with client:
            yield _DaskWorkers(client)


class _DaskWorkers(Workers):
    """Tasks that return how a process ended, and never arrays."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.futures: set[Any] = set()
        self.waited = False
        # A point that a killed worker had begun is tried on others: 3 deaths are many for a point, few for a queue that
        # ends its jobs after an hour.
        with contextlib.suppress(Exception):  # a scheduler may forbid it
            client.run_on_scheduler(_allow_failures)

    def count(self, memory: int = 0) -> int:
        with _scheduler(self.client):
            found = self.client.scheduler_info(n_workers=-1)["workers"].values()
        if not found and not self.waited:
            self.waited = True
            print("biosnn: the scheduler has no workers yet; points wait for them.", file=sys.stderr, flush=True)
        return max(1, sum(_room(one["nthreads"], one.get("memory_limit") or 0, memory) for one in found))

    def submit(self, chunk: Chunk, done: Done) -> None:
        name = f"biosnn-{chunk.keys[0]}-{uuid.uuid4().hex[:8]}"
        with _scheduler(self.client):
            future = self.client.submit(compute_apart, chunk, key=name, pure=False, retries=0)
        self.futures.add(future)

        def ended(future: Any) -> None:
            self.futures.discard(future)
            done(_ended(future))

        future.add_done_callback(ended)

    def stop(self) -> None:
        with contextlib.suppress(Exception):  # the scheduler may be what has gone
            self.client.cancel(list(self.futures))


def _room(threads: int, limit: int, memory: int) -> int:
    """How many points a worker takes. Its nanny sees Python's memory, not that of the processes which Python starts."""
    return max(1, min(threads, limit // memory)) if limit and memory else threads


@contextlib.contextmanager
def _scheduler(client: Any) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # a library's own, of several kinds
        raise SweepError(f"{client}: the scheduler of Dask has gone: {error}. {_KEPT}") from None


_KEPT = "What is finished is kept: start the sweep again."


def _allow_failures(dask_scheduler: Any) -> None:
    dask_scheduler.allowed_failures = max(10, dask_scheduler.allowed_failures)


_KILLED = (
    "Every worker that computed this has ended, some ten of them: the queue or the system ends them. Give jobs more "
    "walltime or memory, or a point less to do."
)


def _ended(future: Any) -> Ended:
    """How a process ended, whatever kept the executor from saying so."""
    try:
        result = future.result()
    except BaseException as error:  # also of a cancelled future
        name = type(error).__name__
        if name == "KilledWorker":
            return Ended(GIVEN_UP, _KILLED, "")
        if "Cancelled" in name or "Lost" in name:
            return Ended(NOT_RUN, f"the scheduler of Dask has given it up ({name})", "")
        return Ended(GIVEN_UP, f"{name}: {error}", "")
    return result if isinstance(result, Ended) else Ended(GIVEN_UP, f"no status came back: {result!r}", "")
