"""Workers of a sweep that compute in this process, which spares the time that Python takes to begin."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from biosnn.errors import StalePlanError
from biosnn.sweep.executors import Done, Executor, Workers
from biosnn.sweep.layout import Layout
from biosnn.sweep.point import compute
from biosnn.sweep.work import CHANGED, Chunk, Ended

FUNCTIONS = Path(__file__).parent / "sweep_functions.py"


def function(name: str) -> str:
    return f"{FUNCTIONS}:{name}"


class Here(Executor):
    """Computes in this process, and keeps which chunks it was given."""

    def __init__(self) -> None:
        self.chunks: list[list[str]] = []

    @contextlib.contextmanager
    def workers(self) -> Iterator[Workers]:
        yield _Here(self.chunks)


class _Here(Workers):
    def __init__(self, chunks: list[list[str]]) -> None:
        self.chunks = chunks

    def count(self, memory: int = 0) -> int:  # noqa: ARG002
        return 2

    def submit(self, chunk: Chunk, done: Done) -> None:
        self.chunks.append(list(chunk.keys))
        try:
            compute(Layout(chunk.store), chunk.keys, figures_from=chunk.figures_from, seconds=chunk.seconds)
        except StalePlanError as error:
            done(Ended(CHANGED, str(error), "here"))
        else:
            done(Ended(0, "", "here"))
