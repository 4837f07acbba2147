"""What both engines compute for a layer: expressions of its adjoint, sorted by when in a time step they are needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

from biosnn.adjoint import WEIGHT, Adjoint, adjoint, lambda_of, symbol
from biosnn.errors import TrainingError, field_error, unknown
from biosnn.model import NeuronModel, to_toml
from biosnn.projection import Dense
from biosnn.quantity import parse_quantity
from biosnn.training.batch import FEATURES, FIRST_SPIKES
from biosnn.training.methods import Exact, Surrogate
from biosnn.training.network import OUTSIDE, Connection, Layer, TrainableNetwork

Expr = Any
_DERIVED: dict[str, Adjoint] = {}
"""Adjoints of models, by their text: to derive one takes a while."""


@dataclass(frozen=True)
class LayerPlan:
    """A layer as the engines see it.

    Parameters
    ----------
    layer : Layer
    adjoint : Adjoint
    trained : tuple of str
        Names of the parameters that gradients are taken of.
    back, back_held : mapping of str to expression
        The adjoint of each state variable before a step, given that after it (in `names.lambda_of` symbols) and, where
        it matters, the state before.
    step_gradients, step_gradients_held : mapping of str to expression
        What a step adds to the gradient of each trained parameter.
    """

    layer: Layer
    adjoint: Adjoint
    trained: tuple[str, ...]
    back: Mapping[str, Expr]
    back_held: Mapping[str, Expr]
    step_gradients: Mapping[str, Expr]
    step_gradients_held: Mapping[str, Expr]

    @property
    def name(self) -> str:
        """The layer's name."""
        return self.layer.name

    @property
    def size(self) -> int:
        """How many neurons it has."""
        return int(self.layer.size)

    @property
    def states(self) -> tuple[str, ...]:
        """Its state variables."""
        return self.adjoint.states

    @property
    def spikes(self) -> bool:
        """Whether its neurons have a threshold."""
        return self.adjoint.threshold is not None

    @property
    def rests(self) -> bool:
        """Whether its neurons are refractory after a spike."""
        return self.adjoint.refractory is not None

    @property
    def kept(self) -> tuple[str, ...]:
        """State variables whose values before each step the backward pass needs."""
        return self._in_order(self.adjoint.kept_every_step(self.trained))

    @property
    def kept_at_spikes(self) -> tuple[str, ...]:
        """State variables whose values at each spike, before the reset, an exact gradient needs."""
        return self._in_order(self.adjoint.kept_at_spikes(self.trained))

    @property
    def kept_at_release(self) -> tuple[str, ...]:
        """State variables whose values at the end of each refractory period an exact gradient needs."""
        return self._in_order(self.adjoint.kept_at_release())

    def kept_at_arrivals(self, onto: str) -> tuple[str, ...]:
        """State variables whose values at an arriving spike an exact gradient needs."""
        return self._in_order(self.adjoint.kept_at_arrivals(onto))

    def check_approach(self) -> None:
        """Refuse a threshold whose distance changes by the state with more than constants, which nothing keeps."""
        slopes = [*self.adjoint.threshold_gradient.values(), *map(self.adjoint.threshold_parameters.get, self.trained)]
        changing = {symbol(name) for name in self.states}
        if any(slope is not None and sympy.sympify(slope).free_symbols & changing for slope in slopes):
            do = "Take FirstSpike, which does not read how near neurons come to it."
            raise TrainingError(f"Layer {self.name!r}: its threshold is no sum of state variables and parameters. {do}")

    def _in_order(self, names: frozenset[str]) -> tuple[str, ...]:
        return tuple(name for name in self.states if name in names)


def _adjoint_of(model: NeuronModel) -> Adjoint:
    text = to_toml(model)
    if text not in _DERIVED:
        _DERIVED[text] = adjoint(model)
    return _DERIVED[text]


def plan_of(layer: Layer, *, exact: bool) -> LayerPlan:
    """Derive what a layer needs.

    Raises
    ------
    AdjointError, TrainingError
        If the model, or a trained parameter of it, has no gradient of this kind.
    """
    found = _adjoint_of(layer.model)
    trained = tuple(layer.trained)
    for name in trained:
        found.check_trainable(name)
        if name in found.refractory_parameters:
            do = "It is counted in time steps, and has no gradient in a program."
            raise TrainingError(f"Layer {layer.name!r}, trained: {name} is the refractory period. {do}")
    where = f"Layer {layer.name!r}, model {layer.model.name!r}"
    if exact and found.exact_refused:
        raise TrainingError(f"{where}: {found.exact_refused}")
    if found.silent is not None or found.rearmed_below:
        do = "Write the threshold as one comparison, and a refractory period as a duration."
        raise TrainingError(f"{where}: its spikes depend on the spike before by more than a refractory period. {do}")
    return LayerPlan(
        layer,
        found,
        trained,
        _back(found, found.step_jacobian),
        _back(found, found.step_held_jacobian) if found.refractory is not None else {},
        _gradients(found.step_parameters, trained),
        _gradients(found.step_held_parameters, trained),
    )


def _back(found: Adjoint, jacobian: Mapping[tuple[str, str], Expr]) -> dict[str, Expr]:
    return {
        state: sympy.Add(*(slope * lambda_of(after) for (after, before), slope in jacobian.items() if before == state))
        for state in found.states
    }


def _gradients(table: Mapping[tuple[str, str], Expr], trained: tuple[str, ...]) -> dict[str, Expr]:
    return {
        name: sympy.Add(*(slope * lambda_of(after) for (after, by), slope in table.items() if by == name))
        for name in trained
    }


class NetworkPlan:
    """A network as the engines see it; parameters are read when they are asked for.

    Parameters
    ----------
    network : TrainableNetwork
    layers : sequence of LayerPlan
    """

    def __init__(self, network: TrainableNetwork, layers: Sequence[LayerPlan]) -> None:
        self.network, self.layers = network, tuple(layers)
        self.by_name = {plan.name: plan for plan in layers}

    @classmethod
    def of(cls, network: TrainableNetwork, method: Exact | Surrogate, feature: str) -> NetworkPlan:
        """Derive what a network needs.

        Raises
        ------
        AdjointError, TrainingError
            If something of it has no gradient of this kind, or the feature is none of the output layer's.
        """
        exact = isinstance(method, Exact)
        plan = cls(network, [plan_of(layer, exact=exact) for layer in network.layers])
        output = plan.by_name[network.output]
        if feature not in FEATURES:
            raise TrainingError("feature: " + unknown("feature", feature, FEATURES))
        if feature in (*FIRST_SPIKES, "spike_count") and not output.spikes:
            do = "Read its potential: MeanPotential() or MaxPotential()."
            raise TrainingError(field_error(f"The loss's {feature}", f"spikes of layer {network.output!r}", "none", do))
        if feature == "spike_count" and exact:
            do = "Take times or potentials as the answer, or a Surrogate."
            raise TrainingError(f"spike_count: numbers of spikes have no exact gradient. {do}")
        if feature in FIRST_SPIKES and not exact:
            raise TrainingError(f"{feature}: the time of a spike has an exact gradient only. Use Exact().")
        if feature == "first_spike_or_approach":
            output.check_approach()
        if exact:
            plan._check_arrivals()
        return plan

    def _check_arrivals(self) -> None:
        for one in self.network.connections:
            found = self.by_name[one.target].adjoint
            refused = found.arrivals_refused.get(one.onto)
            if refused:
                raise TrainingError(f"Connection {one.name!r}: {refused}")
            if one.source not in OUTSIDE:
                self.arrival_slope(one, held=False)

    def arrival_slope(self, connection: Connection, *, held: bool) -> Expr:
        """What an arriving spike sends back to its source, per weight.

        Raises
        ------
        TrainingError
            If that is not proportional to the weight.
        """
        error = self.by_name[connection.target].adjoint.arrival_error(connection.onto, held=held)
        slope = sympy.diff(error, WEIGHT)
        if WEIGHT in slope.free_symbols and sympy.simplify(sympy.diff(slope, WEIGHT)) != 0:
            raise TrainingError(
                f"Connection {connection.name!r}: the equations are not linear in {connection.onto}, so that what a "
                "spike does depends on others that arrive with it. Let spikes add to a current, or take a Surrogate."
            )
        return slope.subs(WEIGHT, 0)

    def values(self, plan: LayerPlan) -> dict[str, float]:
        """The parameters and value inputs of a layer as they are now, in basic units."""
        return self.network.values(plan.layer)

    def refractory_steps(self, plan: LayerPlan) -> int:
        """For how many steps after its spike a neuron of a layer rests; as Brian2 rounds it."""
        if plan.adjoint.refractory is None:
            return 0
        values = {symbol(name): value for name, value in self.values(plan).items()}
        dt = self.network.dt
        return int((float(plan.adjoint.refractory.subs(values)) + 1e-3 * dt) / dt)

    def distance(self, plan: LayerPlan) -> float:
        """How far neurons start from their threshold, in its unit; with the parameters as they were before training."""
        assert plan.adjoint.threshold is not None
        begun = {name: float(parse_quantity(plan.layer.model.parameters[name].value)) for name in plan.trained}
        values = {symbol(name): value for name, value in (self.values(plan) | begun).items()}
        start = {symbol(name): plan.adjoint.initial.get(name, sympy.Integer(0)).subs(values) for name in plan.states}
        return abs(float(plan.adjoint.threshold.subs(start).subs(values))) or 1.0

    def synapses(self, connection: Connection) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """The synapses of a connection, by source: where those of each begin; their targets and numbers of weights."""
        fit = self.network.fits[self.network.connections.index(connection)]
        each = [fit.outgoing(i) for i in range(self.network.size(connection.source))]
        indptr = np.concatenate([[0], np.cumsum([len(weights) for weights, _ in each])])
        weights = np.concatenate([weights for weights, _ in each] or [np.zeros(0, np.int64)])
        return indptr, np.concatenate([targets for _, targets in each]).astype(np.int64), weights.astype(np.int64)

    def is_dense(self, connection: Connection) -> bool:
        """Whether every source has a synapse, with a weight of its own, at every target."""
        return isinstance(connection.kind, Dense)

    def matrix(self, connection: Connection) -> NDArray[np.float64]:
        """What a spike of each source adds to each target, shape (sources, targets)."""
        indptr, targets, index = self.synapses(connection)
        matrix = np.zeros((len(indptr) - 1, self.network.layer(connection.target).size))
        fit = self.network.fits[self.network.connections.index(connection)]
        stored = fit.stored(self.network.weights[connection.name])
        np.add.at(matrix, (np.repeat(np.arange(len(indptr) - 1), np.diff(indptr)), targets), stored[index])
        matrix *= connection.gain
        return matrix
