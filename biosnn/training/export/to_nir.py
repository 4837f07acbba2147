"""A network that is trained by gradients as a network of NIR, which other frameworks read.

Frameworks run NIR in time steps of Euler's method, in which the potential sees the new current (docs/nir.md). Where a
model is solved exactly, a step of training is another one. So nodes get the time constants and resistances with which
Euler's step is that of training; they differ from the model's by about half a time step. Run in steps of the same
length, the network repeats every spike. Spikes pass a layer within a step there, and take one in training: they come a
step earlier for each layer between them and the input.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from biosnn.ann.layers import MOST_VALUES
from biosnn.errors import TrainingError, field_error
from biosnn.nir import NirNetwork, write_nir
from biosnn.nir.kinds import IF, LI, LIF, CubaLI, CubaLIF, Delay, I, Input, Linear, Node, Output
from biosnn.training.engines.numpy_pass import Functions
from biosnn.training.network import BIAS, INPUT, Connection, Layer, TrainableNetwork
from biosnn.training.plan import LayerPlan, NetworkPlan, plan_of

ANSWER = "network output"
"""The name of the node at which the answer is taken; no layer can be called so."""


def to_nir(network: TrainableNetwork, path: str | os.PathLike[str]) -> NirNetwork:
    """Write a network as an NIR file, whole or not at all.

    The membrane of a layer may be leaky, driven by one current that decays. Or spikes add to it, if its reset takes off
    the threshold. Connections become matrices. Run in time steps as long as those of training, which stand in the
    metadata, it repeats every spike.

    Parameters
    ----------
    network : TrainableNetwork
        With the weights and parameters that it has now.
    path : str or path
        The file.

    Returns
    -------
    NirNetwork
        What was written.

    Raises
    ------
    TrainingError
        If NIR cannot say something of it exactly, such as a refractory period; the message names it.
    ConversionError
        If the file cannot be written.
    MissingExtraError
        If the extra ``convert`` is not installed.
    """
    made = nir_network(network)
    write_nir(made, path)
    return made


def nir_network(network: TrainableNetwork) -> NirNetwork:
    """The network that `to_nir` writes."""
    _check_outside(network)
    far = _far(network)
    plan = NetworkPlan(network, [plan_of(layer, exact=False) for layer in network.layers])
    nodes: dict[str, Node] = {
        INPUT: Input(shape=(network.inputs,)),
        ANSWER: Output(shape=(network.size(network.output),)),
    }
    for layer in plan.layers:
        nodes[layer.name] = _neurons(network, layer, far[layer.name])
    edges = [(network.output, ANSWER)]
    for number, one in enumerate(network.connections):
        _check(network, one)
        name = _synapses(one, number)
        nodes[name] = Linear(weight=plan.matrix(one).T)
        edges += [(one.source, name), (name, one.target)]
    about = {"made_by": "biosnn", "what": "a network trained by gradients", "dt": network.dt}
    back = NirNetwork(nodes, tuple(edges)).back
    for number, one in enumerate(network.connections):
        # What goes back within a loop takes a step by itself.
        lag = one.delay + 1 + far[one.source] - far[one.target]
        if lag > ((one.source, one.target) in back):
            name = _synapses(one, number)
            nodes[f"{name}, delay"] = Delay(delay=np.full(network.size(one.source), lag * network.dt))
            edges.remove((one.source, name))
            edges += [(one.source, f"{name}, delay"), (f"{name}, delay", name)]
    return NirNetwork(nodes, tuple(edges), about)


def _synapses(one: Connection, number: int) -> str:
    return f"{one.source} to {one.target}, {number}"


def _far(network: TrainableNetwork) -> dict[str, int]:
    """How many layers away from the input each layer is, by the shortest way."""
    far, waiting = {INPUT: 0}, [INPUT]
    for source in waiting:  # grows as it goes
        for one in network.connections:
            if one.source == source and one.target not in far:
                far[one.target] = far[source] + 1
                waiting.append(one.target)
    for layer in network.layers:
        if layer.name not in far:
            expected = "a layer that connections lead to from the input"
            raise TrainingError(field_error(f"to_nir, layer {layer.name!r}", expected, "none"))
    return far


def _check_outside(network: TrainableNetwork) -> None:
    do = "Save it with save_network, or run it with as_brian."
    if network.input != "spikes":
        raise TrainingError(field_error("to_nir, inputs", "spikes", network.input, do))
    for one in network.connections:
        if one.source == BIAS:
            raise TrainingError(field_error(f"to_nir, connection {one.name!r}", "a source that spikes", "a bias", do))


def _check(network: TrainableNetwork, one: Connection) -> None:
    where, size = f"to_nir, connection {one.name!r}", network.size(one.source) * network.size(one.target)
    if size > MOST_VALUES:
        raise TrainingError(field_error(where, f"a matrix of at most {MOST_VALUES} weights", size))


@dataclass(frozen=True)
class _Membrane:
    """A time step of a layer, v = decay v + drive I + constant, then I = kept I; None where there is no current.

    Parameters
    ----------
    v, current : str
        How the model calls them.
    """

    v: str
    current: str | None
    decay: float
    drive: float
    constant: float
    kept: float


def _neurons(network: TrainableNetwork, plan: LayerPlan, far: int) -> Node:
    if plan.rests:
        raise _refused(plan.layer, "no refractory period", plan.layer.model.refractory)
    function, values = Functions(plan), {**network.values(plan.layer), "dt": network.dt, "t": 0.0}
    step = _membrane(plan, function, values)
    fires = _fires(plan, function, values, step) if plan.spikes else {}
    _check_driven(network, plan.layer, step, fires)
    begun = {name: float(function(plan.adjoint.initial.get(name, 0), values)) for name in plan.states}
    if step.current is not None and begun[step.current] != 0:
        raise _refused(plan.layer, f"that {step.current} begins at 0", begun[step.current])
    start = begun[step.v]
    for _ in range(far):  # in these steps of training nothing can have reached it, and NIR leaves them out
        start = step.decay * start + step.constant
        if fires and start > fires["v_threshold"]:
            raise _refused(plan.layer, "a neuron that does not spike before anything reaches it", plan.layer.model.name)
    return _node(plan.size, network.dt, step, fires, start)


def _check_driven(network: TrainableNetwork, layer: Layer, step: _Membrane, fires: Mapping[str, Any]) -> None:
    """Refuse a layer whose spikes do not arrive where those of NIR do."""
    onto = step.current or step.v
    for one in network.connections:
        if one.target == layer.name and one.onto != onto:
            raise _refused(layer, f"spikes that add to {onto} only", f"{one.onto}, by connection {one.name!r}")
    if step.current is None and fires.get("reset") == "set":
        expected = "spikes that add to a current, since a reset to a fixed value deletes those that come with it"
        raise _refused(layer, expected, step.v)
    if step.decay == 1 and (step.constant or step.current is not None):
        raise _refused(layer, "a membrane that leaks, or that spikes alone drive", f"{step.v} of {layer.model.name!r}")


def _node(size: int, dt: float, step: _Membrane, fires: Mapping[str, Any], start: float) -> Node:
    """The neurons of NIR whose step of Euler's method is this one."""
    leak = 1 - step.decay
    words: dict[str, Any] = {name: value for name, value in fires.items() if isinstance(value, str)}
    numbers = {name: value for name, value in fires.items() if name not in words}
    rest = step.constant / leak if leak else 0.0
    if abs(start - rest) > 1e-12 * abs(start):
        numbers["v_initial"] = start
    kinds: tuple[Callable[..., Node], Callable[..., Node]]
    if step.current is not None:
        kinds = CubaLI, CubaLIF
        numbers |= {"tau_mem": dt / leak, "r": step.drive / leak, "v_leak": rest}
        numbers |= {"tau_syn": dt / (1 - step.kept), "w_in": 1 / (1 - step.kept)}
    elif leak:
        kinds = LI, LIF
        numbers |= {"tau": dt / leak, "r": step.decay / leak, "v_leak": rest}
    else:
        kinds = I, IF
        numbers |= {"r": 1 / dt}
    return kinds[bool(fires)](**{name: np.full(size, value) for name, value in numbers.items()}, **words)


def _membrane(plan: LayerPlan, function: Functions, values: Mapping[str, float]) -> _Membrane:
    """The step of a layer, if it is that of a membrane and of a current that decays at most."""
    layer, a = plan.layer, plan.adjoint
    v = next(iter(a.threshold_gradient), plan.states[0])
    others = [name for name in plan.states if name != v]
    if len(others) > 1:
        raise _refused(layer, "a membrane potential and one current at most", ", ".join(plan.states))
    slopes = {key: _number(layer, function, slope, values) for key, slope in a.step_jacobian.items()}
    rest = {name: float(function(a.step[name], {**values, **dict.fromkeys(plan.states, 0.0)})) for name in plan.states}
    current = others[0] if others else None
    decay, drive, kept = slopes.get((v, v), 0.0), 0.0, 0.0
    if current is not None:
        drive, kept = slopes.get((v, current), 0.0), slopes.get((current, current), 0.0)
        if slopes.get((current, v), 0.0) or rest[current] or not 0 <= kept < 1:
            raise _refused(layer, f"a current {current} that decays by itself", plan.layer.model.name)
    if not 0 <= decay <= 1:
        raise _refused(layer, f"a membrane potential {v} that decays", plan.layer.model.name)
    return _Membrane(v, current, decay, drive, rest[v], kept)


def _fires(plan: LayerPlan, function: Functions, values: Mapping[str, float], step: _Membrane) -> dict[str, Any]:
    """Threshold and reset in the words of NIR."""
    layer, a = plan.layer, plan.adjoint
    origin = {**values, **dict.fromkeys(plan.states, 0.0)}
    gradient = {name: _number(layer, function, slope, values) for name, slope in a.threshold_gradient.items()}
    if set(gradient) != {step.v} or not gradient[step.v] > 0:
        raise _refused(layer, f"a threshold of {step.v} alone", layer.model.threshold)
    threshold = -float(function(a.threshold, origin)) / gradient[step.v]
    slopes = {key: _number(layer, function, slope, values) for key, slope in a.reset_jacobian.items()}
    after = {name: float(function(expression, origin)) for name, expression in a.reset.items()}
    unchanged = {} if step.current is None else {(step.current, step.current): 1.0}
    told = {"v_threshold": threshold, "fires": ">=" if ">=" in layer.model.threshold else ">"}
    if not after.get(step.current or "", 0.0) and slopes == unchanged:
        return told | {"reset": "set", "v_reset": after[step.v]}
    subtracts = np.isclose(after[step.v], -threshold, rtol=1e-12, atol=0)
    if not after.get(step.current or "", 0.0) and slopes == unchanged | {(step.v, step.v): 1.0} and subtracts:
        return told | {"reset": "subtract"}
    expected = f"a reset that sets {step.v} to a value, or takes the threshold off it"
    raise _refused(layer, expected, layer.model.reset)


def _number(layer: Layer, function: Functions, slope: Any, values: Mapping[str, float]) -> float:
    """A slope that does not depend on what changes."""
    found = float(function(slope, values))  # states are not given, and read as NaN
    if np.isnan(found):
        raise _refused(layer, "a linear model, whose step depends on its parameters only", layer.model.name)
    return found


def _refused(layer: Layer, expected: str, got: object) -> TrainingError:
    return TrainingError(field_error(f"to_nir, layer {layer.name!r}", expected, got, "NIR cannot say it exactly."))
