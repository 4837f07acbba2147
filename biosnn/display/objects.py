"""Dataclasses that show themselves in short."""

from __future__ import annotations

import dataclasses
from typing import Any

from biosnn.display.cards import card, table
from biosnn.display.texts import bounded, brief


class Brief:
    """A dataclass that shows itself in short, and so do those derived from it unless they have words of their own.

    Its card in a notebook has a row for each field.
    """

    def __init_subclass__(cls, **kwds: Any) -> None:
        super().__init_subclass__(**kwds)
        # A dataclass makes a representation of its own where the class itself has none.
        if "__repr__" not in vars(cls):
            cls.__repr__ = cls.__repr__  # type: ignore[method-assign]

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={text}" for name, text in _fields(self))
        return bounded(f"{type(self).__name__}({shown})")

    def _repr_html_(self) -> str:
        return card(type(self).__name__, "", table((), _fields(self)))


def _fields(obj: Any) -> list[tuple[str, str]]:
    return [(field.name, brief(getattr(obj, field.name))) for field in dataclasses.fields(obj) if field.repr]
