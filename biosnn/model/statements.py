"""Check the statements that run at a spike: what they write to, syntax, names and physical dimensions."""

from __future__ import annotations

import re
from collections.abc import Iterable

from brian2.core.variables import Variable
from brian2.parsing.bast import brian_ast

from biosnn.errors import ModelError
from biosnn.model import size
from biosnn.model.dimensions import dimension_of
from biosnn.model.expressions import (
    Scope,
    check_algebra,
    dimension_in,
    is_builtin,
    is_condition,
    known_tree,
    said,
    syntax_tree,
    unknown_name,
)
from biosnn.model.plain import check_word
from biosnn.quantity import dimension_name

_STATEMENT = re.compile(r"([A-Za-z]\w*)\s*([-+*/%]?=)(?!=)\s*(.+)", re.ASCII)


def check_statements(where: str, text: str, names: Scope, writable: Iterable[str], for_all: Iterable[str] = ()) -> None:
    """Check statements such as ``v = v_r; theta += theta_plus``.

    A statement assigns to a writable variable, unless it is one number ``for_all``, or to a new name that later
    statements may read.
    """
    known, allowed = dict(names), set(writable) - set(for_all)
    for line in split_statements(text):
        match = _STATEMENT.fullmatch(line)
        if match is None:
            raise ModelError(f"{where}: expected a statement like 'v = v_r' or 'g += w' (got {size.cut(line)!r}).")
        target, operator, right = match.groups()
        if target in known and target not in allowed:
            what = "a name of Brian2" if is_builtin(target) else "constant here"
            what = "one number for all" if target in for_all else what
            raise ModelError(f"{where}: {target!r} is {what} and cannot be written to. " + _list(allowed))
        if operator != "=" and target not in known:
            raise ModelError(f"{where}: " + unknown_name("variable", target, known))
        if operator != "=" and known[target].is_boolean:
            do = f"Write '{target} = int({target}) {operator[:-1]} ({right})'."
            raise ModelError(f"{where}: {target!r} is true or false, and not counted with ({size.cut(line)!r}). {do}")
        tree = known_tree(where, right, known)
        if operator == "=" and target in known and not known[target].is_boolean:
            check_algebra(where, tree, known)
        if operator != "=":
            tree = syntax_tree(where, f"{target} {operator[0]} ({right})", names)
            _check_augmented(where, line, target, operator, right, known)
        result = dimension_in(where, tree, known)
        if target not in known:
            check_word(where, target)
            allowed.add(target)
        elif result != known[target].dim:
            expected, line = dimension_name(known[target].dim), size.cut(line)
            raise ModelError(f"{where}: {target!r} is {expected}, but {line!r} gives it {dimension_name(result)}.")
        # What a number was given is what it is in the statements that follow: a condition, on NumPy.
        condition = is_condition(where, tree, known)
        plain = Variable(target, dimensions=result, dtype=bool if condition else None)
        known[target] = plain if condition else names.get(target, plain)


def _check_augmented(where: str, line: str, target: str, operator: str, right: str, names: Scope) -> None:
    """Refuse what Brian2 takes for something else, or cannot do on each target."""
    bare = syntax_tree(where, f"{target} {operator[0]} {right}", names)  # as Brian2 checks dimensions
    try:
        dimension_of(bare.body, names)
    except (ValueError, TypeError):
        dimension_in(where, syntax_tree(where, f"{target} {operator[0]} ({right})", names), names)
        do = f"Write '{target} {operator} ({right})'."
        raise ModelError(f"{where}: Brian2 needs brackets around the right side of {size.cut(line)!r}. {do}") from None
    if names[target].dtype is int and operator != "=":
        kind = said(where, lambda: brian_ast(f"{target} {operator[0]} ({right})", dict(names)).dtype)
        if kind == "float":
            do = f"Write '{target} = int({target} {operator[0]} ({right}))'."
            raise ModelError(f"{where}: {target!r} is an integer, but {size.cut(line)!r} gives it a real number. {do}")


def written_names(text: str) -> set[str]:
    """The names that statements assign to."""
    found = (_STATEMENT.fullmatch(line) for line in split_statements(text))
    return {match[1] for match in found if match}


def split_statements(text: str) -> list[str]:
    """Split statements at line ends and semicolons, as Brian2 does."""
    return [line.strip() for line in re.split(r"[;\n]", text) if line.strip()]


def _list(names: Iterable[str]) -> str:
    return f"Writable here: {', '.join(sorted(names)) or '(nothing)'}."
