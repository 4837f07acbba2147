"""What the adjoint of a neuron model is: expressions, all of them, in read-only tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sympy

from biosnn.adjoint.names import WEIGHT, Expr, lambda_of, symbol
from biosnn.errors import AdjointError, unknown
from biosnn.model import NeuronModel

Derivatives = Mapping[tuple[str, str], Expr]
"""By what is derived and by what: ``("v", "tau_m")``. What is not in it is zero."""


@dataclass(frozen=True)
class SpikeJump:
    """What goes backwards through a spike of the neuron's own.

    State variables stand for their values before the reset; `names.lambda_of` for the adjoints after it, `names.ERROR`
    for what else the loss changes by with the time of the spike. Compute ``slope``, then ``jump``, then the others.

    Parameters
    ----------
    slope : expression
        How fast the neuron crosses its threshold, in the place of `names.SLOPE`.
    jump : expression
        What the loss changes by with the time of the spike, in the place of `names.JUMP`.
    before : mapping of str to expression
        The adjoint of each state variable before the spike.
    parameters : mapping of str to expression
        What a spike adds to the gradient of each parameter, and of each value input.
    """

    slope: Expr
    jump: Expr
    before: Mapping[str, Expr]
    parameters: Mapping[str, Expr]


@dataclass(frozen=True, repr=False)
class Adjoint:
    """How the loss changes with the variables and the parameters of a neuron, backwards in time.

    Expressions are those of sympy, in symbols of `names.symbol` and numbers of basic SI units. Derivatives have only
    the entries that are not zero.

    Parameters
    ----------
    model : NeuronModel
    states : tuple of str
        What changes while the model runs, in the order of the file: the solutions of differential equations, and what
        a reset or an arriving spike writes to.
    parameters : tuple of str
        Parameters that a gradient can be taken of.
    untrainable : mapping of str to str
        Parameters and inputs that none can be taken of, and why.
    inputs, spike_inputs : tuple of str
        What is set from outside, which has a gradient as parameters have; what arriving spikes add to.
    held : frozenset of str
        What rests while the neuron is refractory. A spike that arrives at it then is lost.
    step, step_held : mapping of str to expression
        Each state variable a time step later; while the neuron is refractory (empty without such a period).
    step_jacobian, step_held_jacobian, step_parameters, step_held_parameters : mapping of (str, str) to expression
        Their derivatives by state variables, and by parameters and inputs.
    flow, flow_held, flow_jacobian, flow_parameters
        The same of the right sides of the differential equations.
    threshold : expression or None
        Where it becomes positive, the neuron spikes.
    spikes_at_zero : bool
        Whether the neuron spikes where it is zero, too.
    threshold_gradient, threshold_parameters : mapping of str to expression
    reset : mapping of str to expression
        Each state variable after a spike, in terms of those before.
    reset_jacobian, reset_parameters : mapping of (str, str) to expression
    refractory : expression or None
        How long the neuron rests.
    refractory_parameters : mapping of str to expression
        Its derivatives; times `release`, they are what the end of a period adds to gradients.
    release : expression
        What the loss changes by with the end of a refractory period, in the state at that time. It is a part of the
        error of the spike before.
    silent : expression or None
        For how long after a spike there is no other, beside the refractory period.
    rearmed_below : bool
        Whether the next spike can only come after the neuron has been below its threshold.
    initial : mapping of str to expression
        Where state variables start, but for those that start at zero or at random.
    initial_parameters : mapping of (str, str) to expression
    spike_jump : SpikeJump or None
        None for a neuron that never spikes.
    exact_refused : str or None
        Why an exact gradient cannot be taken, with these values of parameters; a surrogate gradient can.
    arrivals_refused : mapping of str to str
        The same for arriving spikes, of those inputs whose arrival alone may make the neuron spike.
    """

    model: NeuronModel
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    untrainable: Mapping[str, str]
    inputs: tuple[str, ...]
    spike_inputs: tuple[str, ...]
    held: frozenset[str]
    step: Mapping[str, Expr]
    step_held: Mapping[str, Expr]
    step_jacobian: Derivatives
    step_held_jacobian: Derivatives
    step_parameters: Derivatives
    step_held_parameters: Derivatives
    flow: Mapping[str, Expr]
    flow_held: Mapping[str, Expr]
    flow_jacobian: Derivatives
    flow_parameters: Derivatives
    threshold: Expr | None
    spikes_at_zero: bool
    threshold_gradient: Mapping[str, Expr]
    threshold_parameters: Mapping[str, Expr]
    reset: Mapping[str, Expr]
    reset_jacobian: Derivatives
    reset_parameters: Derivatives
    refractory: Expr | None
    refractory_parameters: Mapping[str, Expr]
    release: Expr
    silent: Expr | None
    rearmed_below: bool
    initial: Mapping[str, Expr]
    initial_parameters: Derivatives
    spike_jump: SpikeJump | None
    exact_refused: str | None
    arrivals_refused: Mapping[str, str]

    def __repr__(self) -> str:
        return f"<Adjoint of {self.model.name}: {', '.join(self.states)}>"

    def arrival_error(self, spike_input: str, *, held: bool = False) -> Expr:
        """What the loss changes by with the time of an arriving spike, to be sent back to whoever sent it.

        Parameters
        ----------
        spike_input : str
            The variable that it adds `names.WEIGHT` to.
        held : bool
            Whether the neuron is refractory.

        Returns
        -------
        expression
            In adjoints, the weight, and state variables as they are before the spike arrives.

        Raises
        ------
        AdjointError
            If spikes do not arrive at that variable.
        """
        if spike_input not in self.spike_inputs:
            where = f"NeuronModel {self.model.name!r}"
            raise AdjointError(f"{where}: " + unknown("variable that spikes add to", spike_input, self.spike_inputs))
        if held and spike_input in self.held:
            return sympy.Integer(0)
        flow, one = self.flow_held if held else self.flow, symbol(spike_input)
        terms = []
        for name, side in flow.items():
            if one in side.free_symbols:
                terms.append(lambda_of(name) * spread(side - side.xreplace({one: one + WEIGHT})))
        return sympy.Add(*terms)

    def kept_every_step(self, trained: Iterable[str] = ()) -> frozenset[str]:
        """State variables whose values at each step the backward pass needs, to train these parameters or inputs."""
        by_parameters = [self.step_parameters, self.step_held_parameters]
        chosen = [one for table in by_parameters for one in self._of(trained, table).values()]
        return self._read([*self.step_jacobian.values(), *self.step_held_jacobian.values(), *chosen])

    def kept_at_spikes(self, trained: Iterable[str] = ()) -> frozenset[str]:
        """State variables whose values before each reset the backward pass needs, to train these parameters."""
        if self.spike_jump is None:
            return frozenset()
        chosen = [
            self.spike_jump.parameters[name] for name in self._checked(trained) if name in self.spike_jump.parameters
        ]
        return self._read([self.spike_jump.slope, self.spike_jump.jump, *self.spike_jump.before.values(), *chosen])

    def kept_at_release(self) -> frozenset[str]:
        """State variables whose values at the end of each refractory period the backward pass needs."""
        return self._read([self.release])

    def kept_at_arrivals(self, spike_input: str) -> frozenset[str]:
        """State variables whose values before each arriving spike the backward pass needs."""
        return self._read([self.arrival_error(spike_input), self.arrival_error(spike_input, held=True)])

    def _read(self, expressions: Iterable[Expr]) -> frozenset[str]:
        read = {one for expression in expressions for one in sympy.sympify(expression).free_symbols}
        return frozenset(name for name in self.states if symbol(name) in read)

    def _of(self, names: Iterable[str], table: Derivatives) -> dict[tuple[str, str], Expr]:
        chosen = self._checked(names)
        return {entry: expression for entry, expression in table.items() if entry[1] in chosen}

    def _checked(self, names: Iterable[str]) -> frozenset[str]:
        chosen = frozenset(names)
        for name in chosen:
            self.check_trainable(name)
        return chosen

    def check_trainable(self, name: str) -> None:
        """Raise `AdjointError` unless a gradient can be taken of a parameter or an input of that name."""
        where = f"NeuronModel {self.model.name!r}"
        if name in self.untrainable:
            raise AdjointError(f"{where}: {name} has no gradient. {self.untrainable[name]}.")
        if name not in (*self.parameters, *self.inputs):
            raise AdjointError(
                f"{where}: " + unknown("trainable parameter or input", name, (*self.parameters, *self.inputs))
            )


def tidy(expression: Expr) -> Expr:
    """An expression with common factors taken out, which costs little."""
    return sympy.factor_terms(expression)


def spread(expression: Expr) -> Expr:
    """A difference of which a part vanishes, as what is left of it."""
    # Without exp(a + b) as exp(a)*exp(b): one of them may be too large for a number, and the other too small.
    return tidy(sympy.expand(expression, power_exp=False, power_base=False))
