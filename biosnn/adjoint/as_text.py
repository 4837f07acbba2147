"""The adjoint of a model as a text that one can read: what happens backwards in time, and what is kept for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import sympy
from brian2.parsing.sympytools import CustomSympyPrinter

from biosnn.adjoint.functions import absolute, is_difference
from biosnn.adjoint.gradient import Adjoint, Derivatives, tidy
from biosnn.adjoint.names import ERROR, JUMP, SLOPE, WEIGHT, Expr, lambda_of

_SHORT = {ERROR: "err", JUMP: "B", SLOPE: "gdot", WEIGHT: "weight"}
_DIFFERENCE = "expdiff"
_NOTES = {
    _DIFFERENCE: "expdiff(x, y) = (exp(x) - exp(y))/(x - y), and of more points the difference of such quotients",
    "exprel": "exprel(x) = (exp(x) - 1)/x",
}

Lines = Iterator[str]


class _Printer(CustomSympyPrinter):  # type: ignore[misc]
    """Expressions as models have them, with numbers as short as they are."""

    def _print_Float(self, expr: Expr) -> str:
        return f"{float(expr):.12g}"

    def _print_Function(self, expr: Expr) -> str:
        arguments = self.stringify(expr.args, ", ")
        if is_difference(expr):
            return f"{_DIFFERENCE}({arguments})"
        return f"abs({arguments})" if isinstance(expr, absolute) else str(super()._print_Function(expr))

    def _print_ExpBase(self, expr: Expr) -> str:
        return f"exp({self.stringify(expr.args, ', ')})"

    def _print_Exp1(self, expr: Expr) -> str:  # noqa: ARG002 - as sympy calls it
        return "exp(1)"


class _Words:
    """Names for the symbols of an adjoint that no name of the model has."""

    def __init__(self, a: Adjoint) -> None:
        self._taken = {*a.model.parsed, *a.model.parameters, *a.model.inputs}
        made = {lambda_of(name): f"lambda_{name}" for name in a.states} | _SHORT
        self._made = {one: sympy.Symbol(self._free(word), real=True) for one, word in made.items()}

    def _free(self, word: str) -> str:
        return f"{word}_" if word in self._taken else word

    def __call__(self, expression: Expr) -> str:
        return str(_Printer().doprint(sympy.sympify(expression).xreplace(self._made)))

    def parts(self) -> Iterator[Expr]:
        """Names for parts that several expressions share: c1, c2, …"""
        number = 0
        while True:
            number += 1
            if f"c{number}" not in self._taken:
                yield sympy.Symbol(f"c{number}", real=True)


def text(a: Adjoint) -> str:
    """Write an adjoint down.

    Parameters
    ----------
    a : Adjoint

    Returns
    -------
    str
        Sections with a heading each: between spikes, at a spike, at the end of refractoriness, at an arriving spike,
        the gradients, and what the forward pass keeps.
    """
    words = _Words(a)
    sections: dict[str, Iterable[str]] = {
        "between spikes, in continuous time": _continuous(a, words),
        f"between spikes, back over a step dt of {a.model.method!r}": _discrete(words, a, a.step_jacobian),
    }
    if a.held:
        title = f"back over a step while refractory ({', '.join(sorted(a.held))} held)"
        sections[title] = _discrete(words, a, a.step_held_jacobian)
    sections["at a spike, back through the reset (state before it, lambda after it)"] = _spike(a, words)
    sections["at the end of refractoriness"] = _release(a, words)
    sections["at an arriving spike"] = _arrivals(a, words)
    sections["gradients"] = _gradients(a, words)
    sections["the forward pass keeps"] = _kept(a)
    sections["only with a surrogate gradient"] = [one for one in (a.exact_refused, *a.arrivals_refused.values()) if one]
    written = {title: list(lines) for title, lines in sections.items()}
    whole = "\n".join(line for lines in written.values() for line in lines)
    written["where"] = [note for name, note in _NOTES.items() if f"{name}(" in whole]
    head = f"Backwards in time through {a.model.name}: lambda_x is what the loss L changes by with x."
    blocks = ["\n".join([title, *(f"    {line}" for line in lines)]) for title, lines in written.items() if lines]
    return "\n\n".join([head, *blocks])


def _transposed(a: Adjoint, table: Derivatives) -> dict[str, Expr]:
    """For each state variable, the adjoints of all that it changes, times by how much."""
    terms: dict[str, list[Expr]] = {name: [] for name in a.states}
    for (to, of), slope in table.items():
        terms[of].append(lambda_of(to) * slope)
    return {name: sympy.Add(*entries) for name, entries in terms.items()}


def _continuous(a: Adjoint, words: _Words) -> Lines:
    for name, total in _transposed(a, a.flow_jacobian).items():
        yield f"d{words(lambda_of(name))}/dt = {words(_collected(a, sympy.expand_mul(-total)))}"


def _collected(a: Adjoint, expression: Expr) -> Expr:
    """A sum by adjoints, with what each is multiplied by in factors."""
    if expression == 0:
        return expression
    found = sympy.collect(expression, [lambda_of(name) for name in a.states], evaluate=False)
    return sympy.Add(*(key * tidy(factor) for key, factor in found.items()))


def _discrete(words: _Words, a: Adjoint, table: Derivatives) -> Lines:
    totals = _transposed(a, table)
    parts, reduced = sympy.cse(list(totals.values()), symbols=words.parts())
    for name, part in parts:
        yield f"{name} = {words(part)}"
    for name, total in zip(totals, reduced, strict=True):
        if total != lambda_of(name):
            yield f"{words(lambda_of(name))} <- {words(total)}"


def _spike(a: Adjoint, words: _Words) -> Lines:
    if a.spike_jump is None:
        return
    yield f"{words(SLOPE)} = {words(a.spike_jump.slope)}"
    yield f"{words(JUMP)} = {words(a.spike_jump.jump)}"
    for name, expression in a.spike_jump.before.items():
        if expression != lambda_of(name):
            yield f"{words(lambda_of(name))} <- {words(expression)}"
    ends = " + that of the end of refractoriness" if a.release != 0 else ""
    yield f"{words(ERROR)}: sent back by targets + dL/dt of the spike{ends}"


def _release(a: Adjoint, words: _Words) -> Lines:
    if a.refractory is not None:
        yield f"{words(a.refractory)} after a spike: {words(ERROR)} of that spike += {words(a.release)}"


def _arrivals(a: Adjoint, words: _Words) -> Lines:
    for name in a.spike_inputs:
        yield f"of a {words(WEIGHT)} onto {name}: dL/d{words(WEIGHT)} += {words(lambda_of(name))}"
        free, held = (a.arrival_error(name, held=state) for state in (False, True))
        yield f"    sent back to whoever spiked: {words(ERROR)} += {words(free)}"
        if a.held and name in a.held:
            yield "    while refractory: lost"
        elif a.held and held != free:
            yield f"    while refractory: {words(ERROR)} += {words(held)}"


def _gradients(a: Adjoint, words: _Words) -> Lines:
    for name in (*a.parameters, *a.inputs):
        if name in a.untrainable:
            continue
        flows = [lambda_of(to) * slope for (to, by), slope in a.flow_parameters.items() if by == name]
        terms = [f"integral of {words(_collected(a, sympy.expand_mul(sympy.Add(*flows))))} dt"] if flows else []
        spikes: Mapping[str, Expr] = a.spike_jump.parameters if a.spike_jump else {}
        if name in spikes:
            terms.append(f"at each spike {words(spikes[name])}")
        if name in a.refractory_parameters:
            terms.append(f"at each end of refractoriness {words(a.refractory_parameters[name] * a.release)}")
        starts = [lambda_of(to) * slope for (to, by), slope in a.initial_parameters.items() if by == name]
        if starts:
            terms.append(f"at the start {words(sympy.Add(*starts))}")
        if terms:
            yield f"dL/d{name} = {'; '.join(terms)}"
    for name, why in a.untrainable.items():
        yield f"dL/d{name}: none ({why.partition(': ')[2] or why})"


def _kept(a: Adjoint) -> Lines:
    def listed(names: Iterable[str]) -> str:
        chosen = frozenset(names)
        return ", ".join(name for name in a.states if name in chosen) or "nothing"

    always = a.kept_every_step()
    yield f"at every step: {listed(always)}"
    for name in a.parameters:
        if more := a.kept_every_step([name]) - always:
            yield f"    to train {name}: {listed(more)} too"
    if a.spike_jump is not None:
        yield f"before each reset: {listed(a.kept_at_spikes())}"
    if a.refractory is not None:
        yield f"at each end of refractoriness: {listed(a.kept_at_release())}"
    for name in a.spike_inputs:
        yield f"before each spike onto {name}: {listed(a.kept_at_arrivals(name))}"
