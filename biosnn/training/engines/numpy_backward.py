"""The backward pass in NumPy: the time steps of a forward pass in reverse, and what was done in each, in reverse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from biosnn.training.batch import FIRST_SPIKES, Floats, Gradients
from biosnn.training.engines.numpy_pass import Pass
from biosnn.training.methods import SHAPES, Exact, Surrogate
from biosnn.training.network import OUTSIDE
from biosnn.training.plan import LayerPlan


class Backward:
    """One backward pass of a `NumpyEngine`, of whose `backward` the other parameters are."""

    def __init__(self, engine: Any, kept: Pass, by_features: Floats, by_counts: Mapping[str, Floats]) -> None:
        self.engine, self.kept, self.plan = engine, kept, engine.plan
        self.network, self.method = engine.network, engine.method
        self.by_features, self.by_counts = by_features, by_counts
        examples = len(by_features)
        self.shapes = {plan.name: (examples, plan.size) for plan in self.plan.layers}
        self.adjoints = {
            f"{plan.name}.{name}": np.zeros(self.shapes[plan.name]) for plan in self.plan.layers for name in plan.states
        }
        self.errors = [
            {name: np.zeros(shape) for name, shape in self.shapes.items()} for _ in range(self.network.steps)
        ]
        self.matrices = {one.name: self.plan.matrix(one) for one in self.network.connections}
        self.by_matrix = {name: np.zeros_like(matrix) for name, matrix in self.matrices.items()}
        self.by_parameter = dict.fromkeys(self.network.parameters, 0.0)
        self.at_arrival: dict[tuple[str, int], Floats] = {}
        self.clipped = 0

    def run(self) -> Gradients:
        """Go back to the start."""
        for n in reversed(range(self.network.steps)):
            self._loss(n)
            if isinstance(self.method, Exact):
                self._releases(n)
            before_reset = {plan.name: self._through_reset(plan, n) for plan in self.plan.layers}
            self._arrivals(n, before_reset)
            for plan in self.plan.layers:
                if plan.spikes:
                    if isinstance(self.method, Exact):
                        self._jumps(plan, n)
                    else:
                        self._surrogate(plan, n, before_reset[plan.name])
            for plan in self.plan.layers:
                self._step(plan, n)
        self._start()
        return Gradients(self._weights(), self.by_parameter, self.clipped)

    def _of(self, plan: LayerPlan, state: Mapping[str, Floats], n: int) -> dict[str, Any]:
        adjoints = {f"_lambda_{name}": self.adjoints[f"{plan.name}.{name}"] for name in plan.states}
        return {**self.engine._at(plan, state, n), **adjoints}

    def _loss(self, n: int) -> None:
        """What the loss reads of the state after this step."""
        engine, plan = self.engine, self.plan.by_name[self.network.output]
        key = f"{plan.name}.{plan.states[0]}"
        if engine.feature == "mean_potential":
            self.adjoints[key] = self.adjoints[key] + self.by_features / self.network.steps
        elif engine.feature == "max_potential":
            self.adjoints[key] = self.adjoints[key] + np.where(engine._maxima == n, self.by_features, 0)
        elif engine.feature == "last_potential":
            if n == self.network.steps - 1:
                self.adjoints[key] = self.adjoints[key] + self.by_features
        elif engine.feature in FIRST_SPIKES:
            self.errors[n][plan.name] += np.where(engine._first == n, self.by_features, 0)
            if engine.feature == "first_spike_or_approach":
                self._approach(plan, n)

    def _approach(self, plan: LayerPlan, n: int) -> None:
        """How near neurons without a spike come to their threshold, in the step in which they come nearest."""
        f, values = self.engine._functions[plan.name], self._of(plan, self.kept.after[n], n)
        by_g = -self.network.duration / self.plan.distance(plan) * self.by_features
        by_g = np.where(self.engine._nearest == n, by_g, 0)
        for name, slope in plan.adjoint.threshold_gradient.items():
            key = f"{plan.name}.{name}"
            self.adjoints[key] = self.adjoints[key] + by_g * f(slope, values)
        for name in plan.trained:
            slope = plan.adjoint.threshold_parameters.get(name, 0)
            self.by_parameter[f"{plan.name}.{name}"] += float(np.sum(by_g * f(slope, values)))

    def _releases(self, n: int) -> None:
        """The end of a refractory period shifts with the spike that has begun it."""
        for plan in self.plan.layers:
            at_spike = n + 1 - self.plan.refractory_steps(plan)
            if plan.rests and at_spike >= 0:
                release = self.engine._functions[plan.name](
                    plan.adjoint.release, self._of(plan, self.kept.after[n], n + 1)
                )
                self.errors[at_spike][plan.name] += self.kept.spikes[at_spike][plan.name] * release

    def _through_reset(self, plan: LayerPlan, n: int) -> dict[str, Floats]:
        """The adjoints before the reset, if whether and when it happens is taken as given."""
        found: dict[str, Floats] = {name: self.adjoints[f"{plan.name}.{name}"] for name in plan.states}
        if not plan.spikes:
            return found
        values, s = self._of(plan, self._before_reset(n), n), self.kept.spikes[n][plan.name]
        through = {}
        for name in plan.states:
            terms = (
                self.engine._functions[plan.name](slope, values) * found[to]
                for (to, of), slope in plan.adjoint.reset_jacobian.items()
                if of == name
            )
            through[name] = found[name] + s * (sum(terms, np.zeros_like(s)) - found[name])
        return through

    def _before_reset(self, n: int) -> dict[str, Floats]:
        """The state between arrivals and resets."""
        state: dict[str, Floats] = self.engine._arrivals(n, dict(self.kept.stepped[n]), self.matrices)
        return state

    def _arrivals(self, n: int, before_reset: Mapping[str, Mapping[str, Floats]]) -> None:
        for one in self.network.connections:
            plan = self.plan.by_name[one.target]
            lost = np.zeros(self.shapes[one.target], dtype=bool)
            if one.onto in plan.adjoint.held:
                lost = self.kept.resting[n][one.target]
                if plan.spikes:
                    lost = lost | (self.kept.spikes[n][one.target] == 1)
            arriving = np.where(lost, 0, before_reset[one.target][one.onto])
            if n < one.delay:
                continue
            spikes = self.engine._source(one.source, n - one.delay)
            self.by_matrix[one.name] += spikes.T @ arriving
            if one.source in OUTSIDE:
                continue
            if isinstance(self.method, Exact):
                values = self._of(plan, self.kept.stepped[n], n)
                f, resting = self.engine._functions[one.target], self.kept.resting[n][one.target]
                slope = f(self.plan.arrival_slope(one, held=False), values) + np.zeros_like(arriving)
                if plan.rests:
                    held = f(self.plan.arrival_slope(one, held=True), values)
                    slope = np.where(resting | (self.kept.spikes[n][one.target] == 1), held, slope)
                slope = np.where(lost, 0, slope)
                self.errors[n - one.delay][one.source] += spikes * (slope @ self.matrices[one.name].T)
            else:
                self.errors[n - one.delay][one.source] += arriving @ self.matrices[one.name].T

    def _jumps(self, plan: LayerPlan, n: int) -> None:
        """Through the spikes of this step, by their times."""
        jump, f = plan.adjoint.spike_jump, self.engine._functions[plan.name]
        assert jump is not None
        assert isinstance(self.method, Exact)
        s = self.kept.spikes[n][plan.name] == 1
        if not s.any():
            return
        values = {**self._of(plan, self.kept.stepped[n], n), "_err": self.errors[n][plan.name]}
        values["_gdot"] = f(jump.slope, values) + np.zeros(s.shape)
        total = f(jump.jump, values) + np.zeros(s.shape)
        distance = self.plan.distance(plan)
        smallest = self.method.smallest_slope(distance)
        if smallest:
            self.clipped += int(np.sum((values["_gdot"] < smallest) & s))
            values["_gdot"] = np.maximum(values["_gdot"], smallest)
        values["_B"], values["_gdot"], cut = clipped(total, values["_gdot"], self.method.largest_jump / distance)
        self.clipped += int(np.sum(cut & s))
        with np.errstate(divide="ignore", invalid="ignore"):  # of neurons that do not spike now, and are not looked at
            new = {name: f(expression, values) for name, expression in jump.before.items()}
        for name in plan.trained:
            if name in jump.parameters:
                self.by_parameter[f"{plan.name}.{name}"] += float(
                    np.sum(np.where(s, f(jump.parameters[name], values), 0))
                )
        push = self.by_counts.get(plan.name)
        for name, value in new.items():
            if push is not None and name in plan.adjoint.threshold_gradient:
                value = value + push * f(plan.adjoint.threshold_gradient[name], values)
            key = f"{plan.name}.{name}"
            self.adjoints[key] = np.where(s, value, self.adjoints[key])

    def _surrogate(self, plan: LayerPlan, n: int, before_reset: Mapping[str, Floats]) -> None:
        """As if spikes came gradually."""
        assert isinstance(self.method, Surrogate)
        f, a = self.engine._functions[plan.name], plan.adjoint
        values = self._of(plan, self.kept.stepped[n], n)
        g = f(a.threshold, values) + np.zeros(self.shapes[plan.name])
        width = self.method.width * self.plan.distance(plan)
        slope = SHAPES[self.method.shape].slope(g / width) / width
        slope = np.where(self.kept.resting[n][plan.name], 0, slope)
        by_spike = self.errors[n][plan.name] + self.by_counts.get(plan.name, 0.0)
        if self.engine.feature == "spike_count" and plan.name == self.network.output:
            by_spike = by_spike + self.by_features
        at_reset = self._of(plan, self._before_reset(n), n)
        if not self.method.detach_reset:
            for name, expression in a.reset.items():
                by_spike = by_spike + at_reset[f"_lambda_{name}"] * (f(expression, at_reset) - at_reset[name])
        s = self.kept.spikes[n][plan.name]
        for name in plan.trained:
            through = sum(
                f(slope_, at_reset) * at_reset[f"_lambda_{to}"]
                for (to, by), slope_ in a.reset_parameters.items()
                if by == name
            )
            total = s * through + slope * by_spike * f(a.threshold_parameters.get(name, 0), values)
            self.by_parameter[f"{plan.name}.{name}"] += float(np.sum(total))
        for name in plan.states:
            gradient = f(a.threshold_gradient[name], values) if name in a.threshold_gradient else 0.0
            self.adjoints[f"{plan.name}.{name}"] = before_reset[name] + slope * by_spike * gradient

    def _step(self, plan: LayerPlan, n: int) -> None:
        """Through the equations."""
        values, f = self._of(plan, self.kept.before[n], n), self.engine._functions[plan.name]
        resting = self.kept.resting[n][plan.name]

        def either(free: Any, held: Mapping[str, Any], name: str) -> Any:
            found = f(free, values)
            return np.where(resting, f(held.get(name, 0), values), found) if plan.rests else found + 0.0 * resting

        for name in plan.trained:
            gradient = either(plan.step_gradients[name], plan.step_gradients_held, name)
            self.by_parameter[f"{plan.name}.{name}"] += float(np.sum(gradient))
        new = {name: either(plan.back[name], plan.back_held, name) for name in plan.states}
        self.adjoints.update({f"{plan.name}.{name}": value for name, value in new.items()})

    def _start(self) -> None:
        """Where state variables start may depend on parameters."""
        for plan in self.plan.layers:
            for (name, by), slope in plan.adjoint.initial_parameters.items():
                if by in plan.trained:
                    each = self.engine._functions[plan.name](slope, self.engine._values(plan))
                    self.by_parameter[f"{plan.name}.{by}"] += float(np.sum(each * self.adjoints[f"{plan.name}.{name}"]))

    def _weights(self) -> dict[str, Floats]:
        """The gradients of matrices as those of weights, several synapses of which may be one."""
        found = {}
        for one, fit in zip(self.network.connections, self.network.fits, strict=True):
            if one.trained:
                indptr, targets, index = self.plan.synapses(one)
                each = self.by_matrix[one.name][np.repeat(np.arange(len(indptr) - 1), np.diff(indptr)), targets]
                flat = np.bincount(index, each, minlength=one.weight.size) * one.gain
                found[one.name] = fit.natural(flat)
        return found


def clipped(jump: Floats, slope: Floats, largest: float) -> tuple[Floats, Floats, Any]:
    """Jump and slope with a quotient of at most so much, and where it was cut.

    On a grid the slope may be below zero where a neuron has just touched its threshold: the jump is then cut, too.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        cut = (np.abs(jump) > largest * slope) & (jump != 0)
    return np.where(cut, np.sign(jump) * largest, jump), np.where(cut, 1.0, slope), cut
