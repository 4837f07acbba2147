"""Statements one after another: what variables are after all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from biosnn.adjoint.names import Expr, symbol
from biosnn.errors import AdjointError
from biosnn.model.statements import split_statements

_STATEMENT = re.compile(r"(\w+)\s*([-+*/%]?)=\s*(.+)", re.ASCII)


@dataclass(frozen=True)
class Statement:
    """A statement: the variable that it writes to, and what it becomes."""

    target: str
    value: str


def statements(where: str, text: str) -> tuple[Statement, ...]:
    """Take statements apart; ``x += a`` is ``x = x + (a)``.

    Raises
    ------
    AdjointError
        If one is no such statement.
    """
    taken = []
    for line in split_statements(text):
        match = _STATEMENT.fullmatch(line)
        if match is None:
            raise AdjointError(f"{where}: expected a statement like 'v = v_r' (got {line!r}).")
        target, operator, value = match.groups()
        taken.append(Statement(target, f"{target} {operator} ({value})" if operator else value))
    return tuple(taken)


def after(states: Iterable[str], written: Iterable[tuple[str, Expr]]) -> Mapping[str, Expr]:
    """What each variable is after assignments one after another, in terms of what all were before."""
    now: dict[Expr, Expr] = {}
    for target, value in written:
        now[symbol(target)] = value.xreplace(now)
    return {name: now.get(symbol(name), symbol(name)) for name in states}
