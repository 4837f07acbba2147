"""The forward and the backward pass in NumPy: all neurons of all examples at once, a time step after the other.

It keeps everything, and is what the C++ engine is held against.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from biosnn.training.batch import FIRST_SPIKES, Answer, ConstantInputs, Floats, Gradients, Inputs, SpikeList
from biosnn.training.checks import check_inputs, check_slopes
from biosnn.training.engines.numpy_backward import Backward
from biosnn.training.engines.numpy_pass import Functions, Pass
from biosnn.training.methods import SHAPES, Exact, Surrogate
from biosnn.training.network import BIAS, INPUT, TrainableNetwork
from biosnn.training.optimizers import Optimizer, State
from biosnn.training.plan import LayerPlan, NetworkPlan


class NumpyEngine:
    """Runs a network and its adjoint.

    Parameters
    ----------
    network : TrainableNetwork
        Its weights and parameters are read at every pass.
    method : Exact or Surrogate
        How a gradient goes through spikes.
    feature : str
        What the loss reads, one of `FEATURES`.
    smooth : bool
        Let spikes be the step of the surrogate itself, between 0 and 1: a program whose exact gradient a surrogate is.
    """

    def __init__(
        self, network: TrainableNetwork, method: Exact | Surrogate, feature: str, *, smooth: bool = False
    ) -> None:
        self.network, self.method, self.feature, self.smooth = network, method, feature, smooth
        self.plan = NetworkPlan.of(network, method, feature)
        self._functions = {plan.name: Functions(plan) for plan in self.plan.layers}
        self._pass: Pass | None = None

    def forward(self, inputs: Inputs) -> Answer:
        """Simulate some examples.

        Parameters
        ----------
        inputs : SpikeList or ConstantInputs
            What the network's inputs are.
        """
        check_inputs(self.network, inputs)
        network, examples = self.network, len(inputs)
        self._pass = kept = Pass(_in_each_step(inputs, (network.steps, examples, network.inputs)))
        matrices = {one.name: self.plan.matrix(one) for one in network.connections}
        state = {key: np.broadcast_to(x, (examples, self._size(key))) for key, x in self._start().items()}
        last = {plan.name: np.full((examples, plan.size), -(10**9)) for plan in self.plan.layers}
        for n in range(network.steps):
            kept.before.append(state)
            state, resting, spiked = self._equations(n, state, last)
            kept.stepped.append(state)
            kept.resting.append(resting)
            kept.spikes.append(spiked)
            state = self._arrivals(n, dict(state), matrices)
            state = self._resets(n, state)
            kept.after.append(state)
            for name, s in spiked.items():
                last[name] = np.where(s == 1, n, last[name])
        return Answer(self._features(), {plan.name: self._list(plan.name) for plan in self.plan.layers if plan.spikes})

    def _size(self, key: str) -> int:
        return int(self.network.layer(key.partition(".")[0]).size)

    def _start(self) -> dict[str, float]:
        start = {}
        for plan in self.plan.layers:
            for name in plan.states:
                expression = plan.adjoint.initial.get(name, 0)
                start[f"{plan.name}.{name}"] = float(self._functions[plan.name](expression, self._values(plan)))
        return start

    def _values(self, plan: LayerPlan) -> dict[str, Any]:
        return {**self.plan.values(plan), "dt": self.network.dt}

    def _at(self, plan: LayerPlan, state: Mapping[str, Floats], n: int) -> dict[str, Any]:
        own = {name: state[f"{plan.name}.{name}"] for name in plan.states}
        return {**self._values(plan), "t": n * self.network.dt, **own}

    def _equations(self, n: int, state: Mapping[str, Floats], last: Mapping[str, Any]) -> tuple[Any, Any, Any]:
        new, resting, spiked = {}, {}, {}
        for plan in self.plan.layers:
            values, f = self._at(plan, state, n), self._functions[plan.name]
            rests = n - last[plan.name] < self.plan.refractory_steps(plan)
            resting[plan.name] = rests
            for name in plan.states:
                free = f(plan.adjoint.step[name], values)
                new[f"{plan.name}.{name}"] = (
                    np.where(rests, f(plan.adjoint.step_held[name], values), free) if plan.rests else free + 0 * rests
                )
            if plan.spikes:
                g = f(plan.adjoint.threshold, self._at(plan, new, n)) + 0.0 * rests
                hard = (g >= 0 if plan.adjoint.spikes_at_zero else g > 0) & ~rests
                spiked[plan.name] = self._soft(plan, g) if self.smooth else hard.astype(float)
        return new, resting, spiked

    def _soft(self, plan: LayerPlan, g: Floats) -> Floats:
        assert isinstance(self.method, Surrogate)
        soft: Floats = SHAPES[self.method.shape].step(g / (self.method.width * self.plan.distance(plan)))
        return soft

    def _source(self, source: str, n: int) -> Floats:
        assert self._pass is not None
        if source == BIAS:
            return np.ones((self._pass.inputs.shape[1], 1))
        return self._pass.inputs[n] if source == INPUT else self._pass.spikes[n][source]

    def _arrivals(self, n: int, state: dict[str, Floats], matrices: Mapping[str, Floats]) -> dict[str, Floats]:
        assert self._pass is not None
        for one in self.network.connections:
            if n < one.delay:
                continue
            key = f"{one.target}.{one.onto}"
            adds = self._source(one.source, n - one.delay) @ matrices[one.name]
            if one.onto in self.plan.by_name[one.target].adjoint.held:
                # Brian2 does not write to what rests, from the spike itself on.
                adds = np.where(self._pass.resting[n][one.target] | (self._pass.spikes[n][one.target] == 1), 0, adds)
            state[key] = state[key] + adds
        return state

    def _resets(self, n: int, state: dict[str, Floats]) -> dict[str, Floats]:
        assert self._pass is not None
        new = dict(state)
        for plan in self.plan.layers:
            if plan.spikes:
                values, s = self._at(plan, state, n), self._pass.spikes[n][plan.name]
                for name, expression in plan.adjoint.reset.items():
                    x = values[name]
                    new[f"{plan.name}.{name}"] = x + s * (self._functions[plan.name](expression, values) - x)
        return new

    def _features(self) -> Floats:
        assert self._pass is not None
        kept, name = self._pass, self.network.output
        plan = self.plan.by_name[name]
        if self.feature == "spike_count":
            counts: Floats = np.sum([spikes[name] for spikes in kept.spikes], axis=0)
            return counts
        first = f"{name}.{plan.states[0]}"
        if self.feature in FIRST_SPIKES:
            times = self._first_spikes(plan)
            return times if self.feature == "first_spike" else np.where(np.isinf(times), self._approaches(plan), times)
        traces = np.array([state[first] for state in kept.after])
        self._maxima = traces.argmax(axis=0)
        features: Floats
        if self.feature == "last_potential":
            features = traces[-1]
        else:
            features = traces.mean(axis=0) if self.feature == "mean_potential" else traces.max(axis=0)
        return features

    def _first_spikes(self, plan: LayerPlan) -> Floats:
        """When the straight line from step to step crosses the threshold for the first time; inf if it never does."""
        assert self._pass is not None
        spikes = np.array([s[plan.name] for s in self._pass.spikes]) == 1
        first = np.where(spikes.any(axis=0), spikes.argmax(axis=0), -1)
        self._first = first
        times = np.full(first.shape, np.inf)
        for b, j in zip(*np.nonzero(first >= 0), strict=True):
            n = first[b, j]
            f = self._functions[plan.name]
            before, now = (
                float(
                    f(
                        plan.adjoint.threshold,
                        {key: np.asarray(x)[..., b, j] if np.ndim(x) else x for key, x in at.items()},
                    )
                )
                for at in (self._at(plan, self._pass.before[n], n), self._at(plan, self._pass.stepped[n], n))
            )
            part = -before / (now - before) if before < 0 < now else 1.0
            times[b, j] = (n - 1 + part) * self.network.dt
        return times

    def _approaches(self, plan: LayerPlan) -> Floats:
        """A time after the end, the later the farther a neuron stayed from its threshold."""
        assert self._pass is not None
        f = self._functions[plan.name]
        g = np.array([f(plan.adjoint.threshold, self._at(plan, at, n)) for n, at in enumerate(self._pass.after)])
        self._nearest = np.where(self._first < 0, g.argmax(axis=0), -1)
        times: Floats = self.network.duration * (1 - g.max(axis=0) / self.plan.distance(plan))
        return times

    def _list(self, name: str) -> SpikeList:
        assert self._pass is not None
        spikes = np.array([s[name] for s in self._pass.spikes]) == 1
        example, step, neuron = np.nonzero(spikes.transpose(1, 0, 2))
        indptr = np.searchsorted(example, np.arange(spikes.shape[1] + 1))
        return SpikeList(indptr.astype(np.int64), neuron.astype(np.int32), step.astype(np.int32))

    def step(self, optimizer: Optimizer, values: Any, gradient: Any, state: State, rate: float) -> None:
        """Change an array as an optimizer does."""
        optimizer.step(values, gradient, state, rate)

    # ---- backwards --------------------------------------------------------------------------------------------

    def backward(self, by_features: Floats, by_counts: Mapping[str, Floats] | None = None) -> Gradients:
        """Go back through the examples of the last forward pass.

        Parameters
        ----------
        by_features : array, shape (examples, output neurons)
            How the loss changes with the features.
        by_counts : mapping of str to array of shape (examples, neurons), optional
            What a spike more of a neuron costs, for layers whose activity is regularised.
        """
        examples = 0 if self._pass is None else self._pass.inputs.shape[1]
        check_slopes(self.network, examples, by_features, by_counts or {})
        assert self._pass is not None
        return Backward(self, self._pass, by_features, by_counts or {}).run()


def _in_each_step(inputs: Inputs, shape: tuple[int, int, int]) -> Floats:
    """What each input gives in each time step, shape (steps, examples, inputs)."""
    if isinstance(inputs, ConstantInputs):
        return np.broadcast_to(inputs.values, shape)
    given = np.zeros(shape)
    example = np.repeat(np.arange(len(inputs)), np.diff(inputs.indptr))
    np.add.at(given, (inputs.step, example, inputs.neuron), 1.0)
    return given
