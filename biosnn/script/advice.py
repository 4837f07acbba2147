"""Which ``Synapses`` of a script could be projections, and what that would save: from what they really connect."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Quantity, Synapses, get_unit, second
from brian2.core.functions import DEFAULT_FUNCTIONS, Function
from brian2.core.namespace import DEFAULT_CONSTANTS, DEFAULT_UNITS
from brian2.core.variables import Constant, DynamicArrayVariable
from brian2.equations.equations import DIFFERENTIAL_EQUATION
from brian2.utils.stringtools import get_identifiers
from numpy.typing import NDArray

from biosnn.codegen.divisible import written
from biosnn.display import Brief
from biosnn.engine.checks import describe
from biosnn.engine.state import forgive_unused
from biosnn.errors import BiosnnError
from biosnn.projection import Dense, FixedIndegree, FixedOutdegree, Kind, Lateral, OneToOne, Projection, Sparse
from biosnn.quantity import format_quantity, unit_text
from biosnn.script.run_record import RunRecord

_CONDITIONS = re.compile(r"\s*\(?\s*(i\s*!=\s*j|j\s*!=\s*i)\s*\)?\s*")


@dataclass(frozen=True, repr=False)
class Connected(Brief):
    """What synapses connect, after a run.

    Parameters
    ----------
    i, j : array of int
        The two neurons of each synapse.
    sources, targets : int
        How many neurons there are.
    calls : sequence
        The arguments of each call of ``connect``.
    """

    i: NDArray[Any]
    j: NDArray[Any]
    sources: int
    targets: int
    calls: Sequence[dict[str, Any]] = ()


def advice(run: RunRecord) -> list[str]:
    """Say of each ``Synapses`` of a script whether it could be a projection.

    Parameters
    ----------
    run : RunRecord
        What was run, and how it was connected.

    Returns
    -------
    list of str
        Lines to print.
    """
    found = sorted((obj for obj in run.objects if isinstance(obj, Synapses)), key=lambda synapses: str(synapses.name))
    if not found:
        return ["No Synapses were run: there is nothing to replace."]
    lines = []
    for synapses in found:
        own = [arguments for of, arguments in run.calls if of is synapses]
        lines += _advice(synapses, own)
    return [*lines, "What a projection is, and what it takes: docs/projections.md. Sizes are estimates."]


def _advice(synapses: Any, calls: Sequence[dict[str, Any]]) -> list[str]:
    between = f"{describe(synapses.source)} -> {describe(synapses.target)}"
    n = len(synapses)
    head = f"{synapses.name} ({between}, {n:,} synapses)"
    if n == 0:
        return [f"{head}: connects nothing."]
    connected = Connected(
        np.asarray(synapses.i[:]), np.asarray(synapses.j[:]), len(synapses.source), len(synapses.target), calls
    )
    reasons = []
    for name, kind in candidates(connected):
        reason = refused(synapses, kind)
        if not reason:
            before, after = bytes_now(synapses, n), bytes_then(synapses, name, n)
            return [
                f"{head}: could be a projection, {name}.",
                f"    Indices, delays and variables: {size(before)} now, {size(after)} then.",
                f"    {written_out(synapses, name)}",
            ]
        reasons.append(reason)
    return [f"{head}: stays Synapses. {reasons[-1]}"]


def candidates(connected: Connected) -> list[tuple[str, Kind]]:
    """The kinds that connect the same neurons, the most special first, and for each one by which it can be checked.

    Of synapses that chance has drawn, a kind that draws connects others, in the same way.
    """
    i, j, n_source, n_target = connected.i, connected.j, connected.sources, connected.targets
    n = len(i)
    once = len(np.unique(i.astype(np.int64) * n_target + j)) == n
    sparse = Sparse.pairs(i, j, shape=(n_source, n_target))
    kinds: list[tuple[str, Kind]] = []
    if once and n == n_source * n_target:
        kinds.append(("Dense()", Dense()))
    if n == n_source == n_target and np.array_equal(i, j):
        kinds.append(("OneToOne()", OneToOne()))
    if once and n_source == n_target and n == n_source * (n_source - 1) and not np.any(i == j):
        kinds.append(("Lateral()", Lateral()))
    probability = _probability(connected.calls)
    if probability:
        kinds.append((probability, sparse))
    elif n and not kinds:
        outdegrees, indegrees = np.bincount(i, minlength=n_source), np.bincount(j, minlength=n_target)
        drawn = any(" sample(" in f" {call['j']}" for call in connected.calls if isinstance(call.get("j"), str))
        if drawn and np.ptp(outdegrees) == 0:
            kinds.append((f"FixedOutdegree({outdegrees[0]})", FixedOutdegree(int(outdegrees[0]))))
        elif drawn and np.ptp(indegrees) == 0:
            kinds.append((f"FixedIndegree({indegrees[0]})", FixedIndegree(int(indegrees[0]))))
    kinds.append(("Sparse.pairs(i, j)", sparse))
    return kinds


def _probability(calls: Sequence[dict[str, Any]]) -> str:
    """The kind that draws what one call of ``connect`` has drawn, with a probability that is a number."""
    if len(calls) != 1 or set(calls[0]) - {"condition", "p"} or "p" not in calls[0]:
        return ""
    condition, p = calls[0].get("condition"), calls[0]["p"]
    try:
        p = float(p)
    except (TypeError, ValueError):
        return ""
    if not 0 < p < 1:
        return ""
    if condition is None:
        return f"FixedProbability({p:g})"
    return f"FixedProbability({p:g}, autapses=False)" if _CONDITIONS.fullmatch(condition) else ""


def refused(synapses: Any, kind: Kind) -> str:
    """Why synapses with these statements can be no projection of a kind; "" if they can."""
    for pathway in synapses._pathways:
        if pathway.event != "spike":
            return f"Its statements run at events ({pathway.event}), and not at spikes."
    if isinstance(kind, Lateral) and per_synapse(synapses):
        return f"Lateral() has one weight for all, and {', '.join(per_synapse(synapses))} differ."
    statements = {
        side: {p.objname: p.code for p in synapses._pathways if p.prepost == side} or None for side in ("pre", "post")
    }
    late = delays(synapses)
    if isinstance(kind, Lateral) and any(np.size(delay) > 1 for delay in late.values()):
        return "Lateral() has one delay for all synapses, and they differ."
    try:
        tried = Projection(
            synapses.source,
            synapses.target,
            kind,
            model="\n".join(model(synapses)),
            on_pre=statements["pre"],
            on_post=statements["post"],
            delay={name: _shaped(delay, kind, synapses) for name, delay in late.items()} or None,
            namespace=namespace(synapses),
            name="advised*",
        )
    except BiosnnError as error:
        return re.sub(r"^Projection '[^']*'(, |: )", "", str(error))
    finally:
        forgive_unused()  # or Brian2 would warn of what was only tried
    del tried
    return ""


def delays(synapses: Any) -> dict[str, Quantity]:
    """The delay of each pathway that has one: one for all synapses, or an array if they differ."""
    found = {}
    for pathway in synapses._pathways:
        values = np.atleast_1d(np.asarray(pathway.variables["delay"].get_value()))
        if np.any(values):
            found[pathway.objname] = (values[0] if np.all(values == values[0]) else values) * second
    return found


def _shaped(delay: Quantity, kind: Kind, synapses: Any) -> Quantity:
    """Delays as a kind takes them; here it does not matter which synapse has which."""
    shape = kind.fit(len(synapses.source), len(synapses.target)).shape
    return delay if np.ndim(delay) == 0 else np.reshape(np.asarray(delay), shape) * second


def model(synapses: Any) -> list[str]:
    """The equations of synapses, each once."""
    equations = {**synapses.equations, **(synapses.event_driven or {})}
    return [_written(equation) for equation in equations.values()]


def _written(equation: Any) -> str:
    left = f"d{equation.varname}/dt" if equation.type == DIFFERENTIAL_EQUATION else equation.varname
    right = f" = {equation.expr}" if equation.expr is not None else ""
    flags = f" ({', '.join(equation.flags)})" if equation.flags else ""
    return f"{left}{right} : {unit_text(get_unit(equation.dim) * 1.0)}{flags}"


def namespace(synapses: Any) -> dict[str, Any]:
    """The constants and functions that its statements have found where they were run."""
    found: dict[str, Any] = dict(synapses.namespace or {})
    for runner in [*synapses._pathways, synapses.state_updater]:
        variables = getattr(getattr(runner, "codeobj", None), "variables", {})
        for name, var in variables.items():
            if name in DEFAULT_UNITS or name in DEFAULT_CONSTANTS:
                continue
            if isinstance(var, Constant) and name not in synapses.variables:
                found[name] = Quantity(var.get_value(), dim=var.dim)
            elif isinstance(var, Function) and name not in DEFAULT_FUNCTIONS:
                found[name] = var
    return found


def per_synapse(synapses: Any) -> list[str]:
    """The variables that have to have a value for each synapse: they change, or are not the same for all."""
    changing = {name for pathway in synapses._pathways for name in written(pathway.code)}
    changing |= synapses.equations.diff_eq_names | (synapses.event_driven or synapses.equations).diff_eq_names
    names = []
    for name in _own(synapses):
        values = np.asarray(synapses.variables[name].get_value())
        if name in changing or (values.size and np.any(values != values.flat[0])):
            names.append(name)
    return names


def _own(synapses: Any) -> list[str]:
    declared = {*synapses.equations, *(synapses.event_driven or {})}
    return [name for name in declared if isinstance(synapses.variables.get(name), DynamicArrayVariable)]


def bytes_now(synapses: Any, n: int) -> int:
    """What ``Synapses`` take: two neurons each, per pathway a place in its list and a delay, and its variables."""
    delays = sum(0 if pathway.variables["delay"].scalar else 8 for pathway in synapses._pathways)
    variables = _bytes(synapses, _own(synapses))
    driven = 8 if synapses.event_driven else 0
    return n * (8 + 4 * len(synapses._pathways) + delays + variables + driven)


def bytes_then(synapses: Any, kind: str, n: int) -> int:
    """What a projection takes: a target each, where no rule tells it, and the variables that differ."""
    lists = 0
    if not kind.startswith(("Dense", "OneToOne", "Lateral")):
        lists = 2 if len(synapses.target) <= 2**16 else 4
        lists += 8 if any(pathway.prepost == "post" for pathway in synapses._pathways) else 0
    variables = _bytes(synapses, per_synapse(synapses))
    driven = 8 if synapses.event_driven else 0
    return n * (lists + variables + driven + 2 * sum(np.size(delay) > 1 for delay in delays(synapses).values()))


def _bytes(synapses: Any, names: list[str]) -> int:
    return sum(np.dtype(synapses.variables[name].dtype).itemsize for name in names)


def size(n: int) -> str:
    """A number of bytes as text."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n >= factor:
            return f"{n / factor:.3g} {unit}"
    return f"{n} bytes"


def written_out(synapses: Any, kind: str) -> str:
    """The line of Python that makes the projection."""
    words = [synapses.source.name, synapses.target.name, f"biosnn.{kind}"]
    lines = model(synapses)
    if lines:
        words.append(f"model={'; '.join(lines)!r}")
    for side in ("pre", "post"):
        codes = {p.objname: p.code for p in synapses._pathways if p.prepost == side}
        if codes:
            shown = next(iter(codes.values())) if list(codes) == [side] else codes
            words.append(f"on_{side}={shown!r}")
    late = delays(synapses)
    if late:
        texts = {name: format_quantity(d).replace(" ", "*") if np.ndim(d) == 0 else "..." for name, d in late.items()}
        words.append(f"delay={{{', '.join(f'{name!r}: {text}' for name, text in texts.items())}}}")
    names = sorted(_named(synapses))
    if names:
        words.append(f"namespace={{{', '.join(f'{name!r}: {name}' for name in names)}}}")
    return f"biosnn.Projection({', '.join(words)})"


def _named(synapses: Any) -> set[str]:
    texts = [*(pathway.code for pathway in synapses._pathways), *model(synapses)]
    used = {name for text in texts for name in get_identifiers(text)}
    return used & namespace(synapses).keys()
