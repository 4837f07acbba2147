"""Objects of Brian2 that were made on the way to an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

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
            if isinstance(made, BrianObject):
                _let_go(made)
        raise


def made_whole(init: Callable[..., None]) -> Callable[..., None]:
    """The same for the ``__init__`` of a class, whose object is there before it begins."""

    @wraps(init)
    def checked(self: Any, *args: Any, **kwds: Any) -> None:
        with without_leftovers():
            try:
                init(self, *args, **kwds)
            except BaseException:
                _let_go(self)
                raise

    return checked


def _let_go(made: Any) -> None:
    if vars(made).get("_network", "") is None:  # one that has hardly begun has none
        object.__setattr__(made, "_network", "none: it could not be made")
