"""A network of NIR, run as it is: its neurons' equations in Brian2, its other nodes as synapses between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from brian2 import Network, SpikeMonitor, StateMonitor, Synapses, TimedArray, second
from numpy.typing import ArrayLike, NDArray

from biosnn.build import neurons
from biosnn.conversion.layers import MOST_VALUES, Shape
from biosnn.conversion.nir_fields import Numbers
from biosnn.conversion.nir_joints import joints, neuron_order
from biosnn.conversion.nir_maps import constants, through
from biosnn.conversion.nir_models import METHODS, check_step, entrance, model_of, values_of
from biosnn.conversion.nir_network import NirNetwork
from biosnn.conversion.nir_neurons import Neuron, Spiking
from biosnn.conversion.nir_nodes import Input, Threshold
from biosnn.errors import ConversionError, field_error, unknown
from biosnn.model import NeuronModel
from biosnn.projection import Projection
from biosnn.schedule import within_step


@dataclass(frozen=True, eq=False)
class NirRun:
    """What came out of a run.

    Parameters
    ----------
    outputs : mapping of str to ndarray, shape (steps, *shape)
        Of each Output, what arrived at it in each time step: spikes as ones, potentials, or what nodes without memory
        made of them.
    spikes : mapping of str to ndarray of bool, shape (steps, *shape)
        Of the neurons that were recorded, in which steps they have spiked.
    potentials : mapping of str to ndarray, shape (steps, *shape)
        Their potentials at the end of each step, after a reset.
    """

    outputs: Mapping[str, Numbers]
    spikes: Mapping[str, NDArray[np.bool_]]
    potentials: Mapping[str, Numbers]

    @property
    def output(self) -> Numbers:
        """That of the only Output."""
        if len(self.outputs) != 1:
            raise ConversionError(field_error("NirRun output", "a network with one Output", sorted(self.outputs)))
        return next(iter(self.outputs.values()))


def run_nir(
    sim: Any,
    network: NirNetwork,
    inputs: ArrayLike | Mapping[str, ArrayLike],
    *,
    method: str = "euler",
    record: Iterable[str] = (),
) -> NirRun:
    """Run a network in the time steps of a session, as many as there are inputs.

    In each step, what comes in passes all populations in their order (`NirNetwork.order`): what arrives at one in this
    step is summed, its neurons are integrated, those above the threshold spike and are reset, and the spikes go on to
    the next. What leads back arrives in the next step. A spike counts 1 in the step in which it arrives; docs/nir.md
    has the scheme in formulas.

    Parameters
    ----------
    sim : Simulation
        An open session; its ``dt`` is the time step.
    network : NirNetwork
        The network.
    inputs : array_like, shape (steps, *shape of the input), or mapping
        Spikes (0 and 1) or values, for each time step; by the name of the Input, if there are several.
    method : {"euler", "exact"}
        Forward Euler, as the frameworks have it, or the exact solution for what is constant within a step.
    record : iterable of str
        Neurons whose spikes and potentials are wanted, beside those that lead to an Output.

    Returns
    -------
    NirRun

    Raises
    ------
    ConversionError
        If inputs do not fit, the method or a name is unknown, the time step does not go with a time constant or a
        delay, or results would take too much memory.
    """
    if method not in METHODS:
        raise ConversionError(f"run_nir method: {unknown('method', method, METHODS)}")
    shown = _shown(network, inputs)
    built = _build(network, shown, method, float(sim.dt))
    steps = len(next(iter(shown.values())))
    recorded = _recorded(network, record, steps)
    spiking = {
        name: SpikeMonitor(built.groups[name])
        for name in recorded
        if isinstance(network.nodes[name], Spiking | Threshold)
    }
    watched = {
        name: StateMonitor(built.groups[name], "v", record=True, when="end")
        for name in recorded
        if isinstance(network.nodes[name], Neuron)
    }
    if built.groups:
        parts = [*built.groups.values(), *built.synapses, *spiking.values(), *watched.values()]
        sim.run(Network(*parts), steps * sim.dt)
    spikes = {name: _spikes(monitor, steps, sim, network.shapes[name]) for name, monitor in spiking.items()}
    potentials = {name: _natural(np.asarray(monitor.v[:]).T, network.shapes[name]) for name, monitor in watched.items()}
    sent = {**potentials, **{name: found.astype(np.float64) for name, found in spikes.items()}, **shown}
    return NirRun(_outputs(network, sent, steps, float(sim.dt)), spikes, potentials)


@dataclass(eq=False)
class _Built:
    groups: dict[str, Any] = field(default_factory=dict)
    synapses: list[Any] = field(default_factory=list)


def _build(network: NirNetwork, shown: Mapping[str, Numbers], method: str, dt: float) -> _Built:
    """The groups of neurons, and the synapses between them, in the order of a step."""
    built, biases = _Built(), constants(network)
    for name in network.order:
        node = network.nodes[name]
        if isinstance(node, Neuron | Threshold):
            check_step(name, node, method, dt)
            steps = [
                through(network, way, shown[way.source], dt) for way in _ways(network, name) if way.source in shown
            ]
            sends = any(way.source == name and way.target not in network.outputs for way in network.ways)
            model = model_of(node, method, biased=name in biases, sends=sends)
            built.groups[name] = _group(node, model, network.shapes[name], biases.get(name), steps, dt)
    for way in network.ways:
        if way.source in built.groups and way.target in built.groups:
            back = network.leads_back(way)
            source, target = built.groups[way.source], built.groups[way.target]
            onto = entrance(network.nodes[way.target])  # type: ignore[arg-type]
            graded = not isinstance(network.nodes[way.source], Spiking | Threshold)
            for joint in joints(network, way, dt):
                # What leads back arrives a step later as it is.
                late = max(joint.lag - back, 0)
                if graded and late:
                    do = "Potentials that are sent with a delay are not run: let neurons with a threshold send spikes."
                    where = f"Node {way.source!r} ({network.nodes[way.source].kind})"
                    raise ConversionError(field_error(where, "a way without Delay to other neurons", way.through, do))
                statement = f"{onto}_post += w*v_pre" if graded else f"{onto}_post += w"
                built.synapses.append(_joined(source, target, joint, statement, late * dt * second))
    if built.groups:
        within_step(*built.groups.values(), *built.synapses)
    return built


def _ways(network: NirNetwork, target: str) -> list[Any]:
    return [way for way in network.ways if way.target == target]


def _group(
    node: Neuron | Threshold, model: NeuronModel, shape: Shape, bias: Any, steps: list[Numbers], dt: float
) -> Any:
    """A population that takes what arrives in a step, and forgets it when it has been integrated."""
    order, onto = neuron_order(shape), entrance(node)
    biased = {} if bias is None else {"bias": np.asarray(bias).ravel()[order]}
    group = neurons(len(order), model, values=values_of(node, shape) | biased)
    terms = list(biased)
    if steps:
        arriving = np.asarray(sum(steps[1:], steps[0]), np.float64)
        group.namespace["drive"] = TimedArray(arriving.reshape(len(arriving), -1)[:, order], dt=dt * second)
        terms.append("drive(t, i)")
    if terms:
        group.run_regularly(f"{onto} += {' + '.join(terms)}", when="before_groups")
    taken = f"v = {onto}\n" if isinstance(node, Threshold) else ""
    group.run_regularly(f"{taken}{onto} = 0", when="after_groups")
    return group


def _joined(source: Any, target: Any, joint: Any, statement: str, delay: Any) -> Any:
    late = {"delay": delay} if delay > 0 * second else {}
    if joint.kind is not None:
        return Projection(source, target, joint.kind, joint.weights, on_pre=statement, **late)
    synapses = Synapses(source, target, "w : 1 (constant)", on_pre=statement, namespace={}, **late)
    synapses.connect(i=joint.pairs[0], j=joint.pairs[1])
    synapses.w = joint.weights
    return synapses


def _shown(network: NirNetwork, inputs: Any) -> dict[str, Numbers]:
    """The inputs by name, checked."""
    given = inputs if isinstance(inputs, Mapping) else dict.fromkeys(network.inputs[:1], inputs)
    if sorted(given) != sorted(network.inputs):
        do = "Give them by name: {name: values}." if len(network.inputs) > 1 else ""
        raise ConversionError(field_error("run_nir inputs", f"those of {list(network.inputs)}", sorted(given), do))
    found: dict[str, Numbers] = {}
    for name, values in given.items():
        where, shape = f"run_nir inputs of {name!r}", network.shapes[name]
        try:
            array = np.asarray(values)
        except ValueError:  # rows of unequal length
            array = np.asarray(None)
        if array.dtype.kind not in "fiub" or array.ndim != len(shape) + 1 or array.shape[1:] != shape or not len(array):
            expected = f"numbers of the shape (steps, {', '.join(map(str, shape))})"
            raise ConversionError(field_error(where, expected, f"{array.dtype} {array.shape}"))
        if not np.isfinite(array).all():
            raise ConversionError(field_error(where, "finite numbers", "NaN or infinite"))
        found[name] = np.asarray(array, np.float64)
    lengths = {name: len(array) for name, array in found.items()}
    if len(set(lengths.values())) > 1:
        raise ConversionError(field_error("run_nir inputs", "as many steps for each", lengths))
    steps = max(lengths.values())
    most = max(int(np.prod(network.shapes[name])) for name in network.nodes)
    if steps * most > MOST_VALUES:
        expected = f"at most {MOST_VALUES // most} steps at once, as the largest node has {most} values"
        raise ConversionError(field_error("run_nir inputs", expected, steps))
    return found


def _recorded(network: NirNetwork, record: Iterable[str], steps: int) -> list[str]:
    valid = [name for name in network.order if not isinstance(network.nodes[name], Input)]
    wanted = [record] if isinstance(record, str) else list(record)
    for name in wanted:
        if name not in valid:
            raise ConversionError(f"run_nir record: {unknown('population of neurons', name, valid)}")
    leading = {way.source for way in network.ways if way.target in network.outputs}
    found = [name for name in valid if name in leading or name in wanted]
    values = steps * sum(int(np.prod(network.shapes[name])) for name in found)
    if values > MOST_VALUES:
        expected = f"populations with at most {MOST_VALUES} values in all steps"
        raise ConversionError(field_error("run_nir record", expected, f"{found}: {values}"))
    return found


def _natural(values: Numbers, shape: Shape) -> Numbers:
    """Values (steps, neurons) in the shape that NIR has."""
    found = np.empty_like(values)
    found[:, neuron_order(shape)] = values
    return found.reshape(len(values), *shape)


def _spikes(monitor: Any, steps: int, sim: Any, shape: Shape) -> NDArray[np.bool_]:
    found = np.zeros((steps, int(np.prod(shape))), bool)
    when = np.round(np.asarray(monitor.t[:] / sim.dt)).astype(np.int64)
    found[when, np.asarray(monitor.i[:])] = True
    return _natural(found, shape)


def _outputs(network: NirNetwork, sent: Mapping[str, Numbers], steps: int, dt: float) -> dict[str, Numbers]:
    biases, found = constants(network), {}
    for name in network.outputs:
        total = np.zeros((steps, *network.shapes[name]))
        for way in _ways(network, name):
            total += through(network, way, sent[way.source], dt)
        found[name] = total + biases.get(name, 0.0)
    return found
