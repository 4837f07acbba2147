"""Objects of Brian2 that were made on the way to an error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from brian2.core.base import BrianObject
from brian2.core.names import Nameable


@contextmanager
def without_leftovers() -> Iterator[None]:
    """Keep Brian2 from warning that what was made before an error is in no network: the error says what is wrong."""
    before = set(Nameable.__instances__())
    try:
        yield
    except BaseException:
        for reference in set(Nameable.__instances__()) - before:
            made = reference()
            if isinstance(made, BrianObject) and getattr(made, "_network", "") is None:  # a half-made one has none yet
                made._network = "none: it could not be made"
        raise
