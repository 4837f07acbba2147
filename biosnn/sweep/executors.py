"""Where the points of a sweep are computed: on this machine, by the workers of Dask, or of a cluster's queue.

Executors are thin. They start processes and say how these ended; the store says what came out.
"""

from __future__ import annotations

import contextlib
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from biosnn import optional_dependencies
from biosnn.engine.compiler import compile
from biosnn.errors import SweepError, field_error
from biosnn.files import available_memory
from biosnn.sweep.work import Ended, compute_apart, share_of_cores

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
    def submit(self, store: str, keys: Sequence[str], figures: bool, done: Done) -> None:
        """Compute points; ``done`` is called, from any thread, when their process has ended."""

    def check(self, seconds: float, memory: int) -> None:  # noqa: B027 - most have room for any point
        """Refuse, with a `SweepError`, points that take so many seconds and bytes."""

    def stop(self) -> None:  # noqa: B027 - most have nothing to do
        """Compute nothing more."""


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
        try:
            yield _LocalWorkers(pool, many)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown()


class _LocalWorkers(Workers):
    def __init__(self, pool: ThreadPoolExecutor, many: int) -> None:
        self.pool, self.many = pool, many

    def count(self, memory: int = 0) -> int:
        return self.many if not memory else max(1, min(self.many, available_memory() // memory))

    def submit(self, store: str, keys: Sequence[str], figures: bool, done: Done) -> None:
        future = self.pool.submit(compute_apart, store, list(keys), figures, share_of_cores(self.many))
        future.add_done_callback(lambda ended: done(_ended(ended)))


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
        # A point that a killed worker had begun is tried on others: 3 deaths are many for a point, few for a queue that
        # ends its jobs after an hour.
        with contextlib.suppress(Exception):  # a scheduler may forbid it
            client.run_on_scheduler(_allow_failures)

    def count(self, memory: int = 0) -> int:
        # The nanny of a worker sees the memory of Python, not that of the processes which Python starts.
        found = self.client.scheduler_info(n_workers=-1)["workers"].values()
        many = sum(
            max(1, min(one["nthreads"], int(one.get("memory_limit") or 0) // memory if memory else one["nthreads"]))
            for one in found
        )
        return max(1, int(many))

    def submit(self, store: str, keys: Sequence[str], figures: bool, done: Done) -> None:
        name = f"biosnn-{keys[0]}-{uuid.uuid4().hex[:8]}"
        future = self.client.submit(compute_apart, store, list(keys), figures, key=name, pure=False, retries=0)
        self.futures.add(future)

        def ended(future: Any) -> None:
            self.futures.discard(future)
            done(_ended(future))

        future.add_done_callback(ended)

    def stop(self) -> None:
        with contextlib.suppress(Exception):  # the scheduler may be what has gone
            self.client.cancel(list(self.futures))


_KILLED = (
    "Every worker that computed this has ended, some ten of them: the queue or the system ends them. Give jobs more "
    "walltime or memory, or a point less to do."
)


def _allow_failures(dask_scheduler: Any) -> None:
    dask_scheduler.allowed_failures = max(10, dask_scheduler.allowed_failures)


def _ended(future: Any) -> Ended:
    """How a process ended, whatever kept the executor from saying so."""
    try:
        result = future.result()
    except BaseException as error:  # also of a cancelled future
        why = _KILLED if type(error).__name__ == "KilledWorker" else f"{type(error).__name__}: {error}"
        return Ended(GIVEN_UP, why, "")
    return result if isinstance(result, Ended) else Ended(GIVEN_UP, f"no status came back: {result!r}", "")
