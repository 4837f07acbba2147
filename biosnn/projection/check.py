"""What is wrong with the statements of a projection, found before anything is compiled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from brian2 import DimensionMismatchError
from brian2.codegen.permutation_analysis import OrderDependenceError, check_for_order_independence
from brian2.codegen.translation import analyse_identifiers, make_statements
from brian2.core.functions import Function
from brian2.core.variables import ArrayVariable, AuxiliaryVariable, Variables
from brian2.equations.unitcheck import check_units_statements
from brian2.utils.stringtools import get_identifiers

from biosnn.codegen.divisible import written as changed_by
from biosnn.errors import ModelError, field_error, unknown
from biosnn.projection.kinds import CHANGE, INDEX
from biosnn.projection.pathway import add_index

RANDOM = ("rand", "randn")


def check_statements(projection: Any, where: str, code: str, side: str, namespace: dict[str, Any]) -> None:
    """Refuse statements that are not well formed or whose result would depend on the order of the synapses.

    Parameters
    ----------
    projection : Projection
        Whose variables they may use.
    where : str
        What to call them in a message.
    code : str
        The statements.
    side : {"pre", "post", "", "weight"}
        As in `Pathway`.
    namespace : dict
        Constants that they may use.

    Raises
    ------
    ModelError
        For an unknown name, a syntax error, wrong units, a variable that may not be written, and a race.
    """
    _check_written(projection, where, code)
    variables = _resolve(projection, where, code, namespace)
    _check_units(where, code, variables)
    scalar, vector = _parse(where, code, variables)
    statements = [*scalar, *vector]
    written = {statement.var for statement in statements if statement.op != ":="}
    for name in sorted(written):
        _check_writable(projection, where, name, variables[name], side)
    _check_names(projection, where, statements)
    if projection.kind.sums and side == "pre":
        _check_sums(projection, where, vector)
    _check_order(projection, where, vector, variables, side)
    if side != "weight":
        _check_operators(projection, where, statements)
        _check_aliases(projection, where, statements, written)


def check_carried(projection: Any, where: str, code: str, side: str, *, late: bool) -> None:
    """Refuse what would count a spike as one that carries a value, or would ask too late for the value.

    Parameters
    ----------
    projection : Projection
        Between groups whose models may have a ``spike_value``.
    where : str
        What to call the statements in a message.
    code : str
        The statements.
    side : {"pre", "post"}
        Whose spikes run them.
    late : bool
        Whether spikes arrive later than they are sent.

    Raises
    ------
    ModelError
        If a gate counts such spikes, or statements name the value of a spike that is no longer present.
    """
    group, kind = projection.endpoints.whole(side), projection.kind
    value = getattr(getattr(group, "model", None), "spike_value", "")
    if kind.gates and value and kind.carried != value:
        do = f"Give {type(kind).__name__} spike_value={value!r}, and statements such as v_post += {CHANGE}*w."
        expected = f"a kind with the spike_value of {group.name}, whose spikes carry {value} and are not counted as one"
        raise ModelError(field_error(where, expected, kind.carried or "none", do))
    if kind.carried:
        value = kind.carried
        _check_graded(projection, where, code, value)
    if value and late and (kind.carried or f"{value}_{side}" in projection.named(code)):
        do = f"When a spike arrives later, {value} of {group.name} is that of another time: leave out the delay."
        raise ModelError(field_error(where, "no delay of spikes that carry a value", "a delay", do))


def _check_graded(projection: Any, where: str, code: str, value: str) -> None:
    variables, indices = projection.variables, projection.variables.indices
    carried = f"{value}_pre"
    if carried not in variables:
        valid = [name.removesuffix("_pre") for name in variables if name.endswith("_pre") and not name.startswith("_")]
        raise ModelError(f"{where}, spike_value: " + unknown("variable of the source", value, valid))
    _resolve(projection, f"{where}, {value} of the source", f"_taken = {carried}", projection.namespace)
    if not variables[carried].dim.is_dimensionless:
        raise ModelError(field_error(f"{where}, spike_value", "a variable without a unit", value))
    if CHANGE not in projection.named(code):
        expected = (
            f"statements with {CHANGE}, by how much the largest sum of a window has changed, as v_post += {CHANGE}*w"
        )
        raise ModelError(field_error(where, expected, code))
    first, second = projection.endpoints.span("pre"), projection.endpoints.span("post")
    apart = first[1] <= second[0] or second[1] <= first[0]
    for name in changed_by(code):
        onto = indices.get(name) == "_postsynaptic_idx" and not apart
        if onto and any(variables[name] is variables[other] for other in projection.named(carried)):
            do = "Source and target are one group, so the result would depend on the order of the spikes."
            raise ModelError(field_error(where, f"no statement that writes what {value} depends on", name, do))


def check_expression(projection: Any, where: str, code: str, given: Mapping[str, Any] | None = None) -> None:
    """Refuse statements about drawn synapses that are not well formed, or in which chance comes from elsewhere.

    Parameters
    ----------
    projection : Projection
        Whose variables they may use.
    where : str
        What to call them in a message.
    code : str
        The statements.
    given : mapping of str to Unit, optional
        Names to which they give a value, and that are no variables.

    Raises
    ------
    ModelError
        For an unknown name, a syntax error, wrong units, and functions that remember something.
    """
    variables = _resolve(projection, where, code, projection.namespace)
    variables |= {name: AuxiliaryVariable(name, dimensions=unit.dim) for name, unit in (given or {}).items()}
    _check_units(where, code, variables)
    _parse(where, code, variables)
    for name, var in variables.items():
        if isinstance(var, Function) and not var.stateless and name not in RANDOM:
            do = "Of the functions with random numbers, rand() and randn() may be used."
            raise ModelError(field_error(where, "functions of their arguments alone", name, do))


def _resolve(projection: Any, where: str, code: str, namespace: dict[str, Any]) -> dict[str, Any]:
    known = dict(projection.variables)
    try:
        _, used_known, used = analyse_identifiers(code, known, recursive=True)
    except (SyntaxError, ValueError) as error:
        raise ModelError(f"{where}: {error} in {code!r}.") from None
    resolved = {}
    for name in sorted(used_known | used):
        try:
            resolved[name] = projection.resolve_all([name], run_namespace=namespace)[name]
        except KeyError:
            valid = [known_name for known_name in known if not known_name.startswith("_")]
            raise ModelError(f"{where}: " + unknown("variable, function or unit", name, valid)) from None
    return resolved


def _check_written(projection: Any, where: str, code: str) -> None:
    """A name that is changed must be known. (One that is set, and is not, becomes a name for an intermediate value.)"""
    for line in re.split(r"[\n;]", code):
        assignment = re.match(r"\s*(\w+)\s*(\+=|-=|\*=|/=|\*\*=)", line)
        if assignment and assignment[1] not in projection.variables:
            valid = [name for name in projection.variables if not name.startswith("_")]
            raise ModelError(f"{where}: " + unknown("variable", assignment[1], valid))


def _check_units(where: str, code: str, variables: dict[str, Any]) -> None:
    try:
        check_units_statements(code, variables)
    except DimensionMismatchError as error:
        raise ModelError(f"{where}: units do not agree in {code!r}: {error}") from None
    except (SyntaxError, ValueError) as error:
        raise ModelError(f"{where}: {error} in {code!r}.") from None


def _parse(where: str, code: str, variables: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    try:
        # A copy, since names that statements make up are added to it.
        return make_statements(code, dict(variables), np.float64, optimise=False)  # type: ignore[no-any-return]
    except (SyntaxError, ValueError) as error:
        raise ModelError(f"{where}: {error} in {code!r}.") from None


def _check_writable(projection: Any, where: str, name: str, var: Any, side: str) -> None:
    computed = name in projection.synaptic and projection.drawn is not None and not projection.kind.stored
    if computed or not isinstance(var, ArrayVariable) or var.read_only or var.constant:
        do = " Store the synapses (stored=True) to change them." if computed else ""
        raise ModelError(f"{where}: {name} is constant and cannot be written.{do}")
    index = projection.variables.indices[name]
    one_for_all = index == "_idx" and projection.fit.shape == () and side != "weight"
    if var.scalar or index == "0" or one_for_all:
        do = "Many synapses would write to it at once. Leave out the flag (shared), or use run_regularly of a group."
        raise ModelError(field_error(where, f"no statement that writes to the shared variable {name}", name, do))


def _check_names(projection: Any, where: str, statements: Iterable[Any]) -> None:
    """A postsynaptic variable has two names, with and without "_post": which of them is written counts for both."""
    variables, indices = projection.variables, projection.variables.indices
    used = sorted({name for statement in statements for name in {statement.var, *_words(statement.expr)}})
    for name in used:
        for other in used:
            both = name < other and other in variables and name in variables
            if both and variables[name] is variables[other] and indices[name] == indices[other]:
                raise ModelError(
                    field_error(where, f"one name for one variable, such as {other}", f"{name} and {other}")
                )


def _check_sums(projection: Any, where: str, statements: Iterable[Any]) -> None:
    variables, indices = projection.variables, projection.variables.indices
    resting = [getattr(variables[s.var], "conditional_write", None) for s in statements if s.var in variables]
    names = {name for name in indices if indices[name] == "_postsynaptic_idx"}
    names |= {name for name in variables if any(variables[name] is var for var in resting if var is not None)}
    names |= {"j", *RANDOM}
    for statement in statements:
        reads = names & set(_words(statement.expr))
        onto = indices.get(statement.var) == "_postsynaptic_idx" and statement.op in ("+=", "-=")
        if (statement.op != ":=" and not onto) or reads:
            text = f"{statement.var} {statement.op} {statement.expr}"
            expected = "statements of the form x_post += ..., without postsynaptic variables or rand() on the right"
            raise ModelError(field_error(where, f"{expected}, since spikes are summed before", text))


def _check_operators(projection: Any, where: str, statements: Iterable[Any]) -> None:
    """What several synapses write may be added to, or multiplied, or set, but not one and then the other."""
    used: dict[int, set[str]] = {}
    for statement in statements:
        if statement.op == ":=" or projection.variables.indices[statement.var] == "_idx":
            continue
        operators = used.setdefault(id(projection.variables[statement.var]), set())
        kind = {"-=": "+=", "/=": "*="}.get(statement.op, statement.op)
        if operators - {kind}:
            do = "Use only += and -=, only *= and /=, or one =."
            expected = (
                f"one kind of change to {statement.var}, since the result would depend on the order of the spikes"
            )
            raise ModelError(field_error(where, expected, " and ".join(sorted(operators | {kind})), do))
        operators.add(kind)


def _check_aliases(projection: Any, where: str, statements: Iterable[Any], written: Iterable[str]) -> None:
    """Within one layer, a neuron's variable has a name from either side: what one spike writes, another may read."""
    variables, indices = projection.variables, projection.variables.indices
    first, second = projection.endpoints.span("pre"), projection.endpoints.span("post")
    if first[1] <= second[0] or second[1] <= first[0]:
        return  # no neuron is on both sides
    for name in written:
        for statement in statements:
            for other in _words(statement.expr):
                same = other in variables and variables[other] is variables[name]
                if same and indices[other] != indices[name]:
                    text = f"{statement.var} {statement.op} {statement.expr}"
                    expected = f"no statement that reads {other}, which is written as {name}"
                    do = "Source and target are one group, so the result would depend on the order of the spikes."
                    raise ModelError(field_error(where, expected, text, do))


def _words(text: str) -> list[str]:
    return list(get_identifiers(text))


def _check_order(projection: Any, where: str, statements: list[Any], variables: dict[str, Any], side: str) -> None:
    """A weight has a synapse of its own, so order matters only where several synapses share what is written."""
    indices = dict(projection.variables.indices)
    variables = {name: var for name, var in variables.items() if name not in RANDOM}
    for name, var in variables.items():
        if isinstance(var, Function) and not var.stateless:
            do = (
                "Functions that remember something depend on the order of the synapses; rand() and randn() may be used."
            )
            raise ModelError(field_error(where, "functions of their arguments alone", name, do))
    scratch = Variables(None)
    for index in ("_presynaptic_idx", "_postsynaptic_idx", "_weight_idx", INDEX):
        add_index(scratch, index, unique=False)
    if projection.kind.shares_weights and not side:
        # At a spike, a neuron's synapses all have different weights. All synapses together do not.
        indices |= {name: "_weight_idx" for name, index in indices.items() if index == "_idx"}
    index_of = {name: indices.get(name, "_idx") for name in variables}
    try:
        check_for_order_independence(statements, {**variables, **dict(scratch)}, {**index_of, **_constant(scratch)})
    except OrderDependenceError:
        text = "; ".join(f"{statement.var} {statement.op} {statement.expr}" for statement in statements)
        do = "Several synapses write to one variable: only add to it (+=), and do not read it in the same statements."
        raise ModelError(
            field_error(where, "statements whose result does not depend on the order of the synapses", text, do)
        ) from None


def _constant(scratch: Variables) -> dict[str, str]:
    return dict.fromkeys(scratch, "0")
