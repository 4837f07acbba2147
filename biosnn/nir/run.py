"""A network of NIR, run as it is: its neurons' equations in Brian2, its other nodes as synapses between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from brian2 import Network, SpikeMonitor, StateMonitor, TimedArray, second
from numpy.typing import ArrayLike, NDArray

from biosnn.ann.connections import order
from biosnn.ann.layers import Shape
from biosnn.display import Brief
from biosnn.engine import Simulation
from biosnn.errors import ConversionError, field_error, unknown
from biosnn.groups.build import neurons
from biosnn.groups.schedule import within_step
from biosnn.nir.connections import connections, constants, through
from biosnn.nir.fields import Numbers
from biosnn.nir.models import METHODS, check_step, entrance, model_of, reset_statements, start, values_of
from biosnn.nir.network import LinearPath, NirNetwork, a_network
from biosnn.nir.neurons import Neuron, Spiking
from biosnn.nir.nodes import Threshold
from biosnn.nir.run_settings import Shown, recorded, shown
from biosnn.projection import Projection


@dataclass(frozen=True, eq=False)
class NirRun(Brief):
    """What came out of a run. If several samples were shown, all arrays have an axis for them in front.

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
        """That of the only Output; `ConversionError` if there are several."""
        if len(self.outputs) != 1:
            raise ConversionError(field_error("NirRun output", "a network with one Output", sorted(self.outputs)))
        return next(iter(self.outputs.values()))


def run_nir(
    sim: Simulation,
    network: NirNetwork,
    inputs: ArrayLike | Mapping[str, ArrayLike],
    *,
    method: str = "euler",
    record: Iterable[str] = (),
) -> NirRun:
    """Run a network in the time steps of a session, as many as there are inputs.

    In each step, what comes in passes all populations in their order (`NirNetwork.order`): what arrives at one in this
    step is summed, its neurons are integrated, those above the threshold spike and are reset, and the spikes pass on to
    the next. What leads back arrives in the next step. A spike counts 1 in the step in which it arrives; docs/nir.md
    has the scheme in formulas.

    Parameters
    ----------
    sim : Simulation
        An open session; its ``dt`` is the time step.
    network : NirNetwork
        The network.
    inputs : array_like, shape (steps, *shape of the input) or (samples, steps, *shape of the input), or mapping
        Spikes (0 and 1) or values, for each time step; by the name of the Input, if there are several. Samples are
        shown one after the other, each to a network that has seen nothing yet.
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
    if not isinstance(sim, Simulation):
        do = "with biosnn.session('numpy', dt=1*ms) as sim: run_nir(sim, ...)"
        raise ConversionError(field_error("run_nir sim", "an open session", type(sim).__name__, do))
    given, dt = shown(a_network("run_nir network", network), inputs), float(sim.dt)
    names = recorded(network, record, given)
    built = _build(network, given, method, dt)
    spiking = {n: SpikeMonitor(built.groups[n]) for n in names if isinstance(network.nodes[n], Spiking | Threshold)}
    watched = {
        name: StateMonitor(built.groups[name], "v", record=True, when="end")
        for name in names
        if isinstance(network.nodes[name], Neuron)
    }
    if built.groups:
        parts = [*built.groups.values(), *built.synapses, *spiking.values(), *watched.values()]
        sim.run(Network(*parts), given.samples * given.steps * sim.dt)
    spikes = {n: _spikes(monitor, given, dt, network.shapes[n]) for n, monitor in spiking.items()}
    potentials = {n: _natural(np.asarray(monitor.v[:]).T, given, network.shapes[n]) for n, monitor in watched.items()}
    sent = {**potentials, **{n: trains.astype(np.float64) for n, trains in spikes.items()}, **given.values}
    outputs = _outputs(network, sent, given, dt)
    every = [given.as_given(arrays) for arrays in (outputs, spikes, potentials)]
    return NirRun(*every)


@dataclass(eq=False)
class _Built:
    groups: dict[str, Any] = field(default_factory=dict)
    synapses: list[Any] = field(default_factory=list)


def _build(network: NirNetwork, given: Shown, method: str, dt: float) -> _Built:
    """The groups of neurons, and the synapses between them, in the order of a step."""
    built, biases = _Built(), constants(network)
    for name in network.order:
        node = network.nodes[name]
        if isinstance(node, Neuron | Threshold):
            check_step(name, node, method, dt)
            built.groups[name] = _group(network, name, given, biases.get(name), method, dt)
    for path in network.paths:
        if path.source in built.groups and path.target in built.groups:
            built.synapses += _between(network, path, built.groups, given, dt)
    if built.groups:
        within_step(*built.groups.values(), *built.synapses)
    return built


def _group(network: NirNetwork, name: str, given: Shown, bias: Numbers | None, method: str, dt: float) -> Any:
    """A population whose input of a step is cleared when it has been integrated."""
    node, shape = network.nodes[name], network.shapes[name]
    assert isinstance(node, Neuron | Threshold)
    places, onto = order(shape), entrance(node)
    more = {} if bias is None else {"bias": bias.ravel()[places]}
    terms = list(more)
    if given.samples > 1 and isinstance(node, Neuron):
        more["v_0"] = np.broadcast_to(np.asarray(start(node), np.float64), shape).ravel()[places]
    sends = any(path.source == name and path.target not in network.outputs for path in network.paths)
    group = neurons(len(places), model_of(node, method, sends, more), values=values_of(node, shape) | more)
    paths = [path for path in _paths(network, name) if path.source in given.values]
    if paths:
        arriving = sum(_through(network, path, given.values[path.source], dt) for path in paths)
        values = np.asarray(arriving).reshape(given.samples * given.steps, -1)[:, places]
        group.namespace["drive"] = TimedArray(values, dt=dt * second)
        terms.append("drive(t, i)")
    if given.samples > 1:
        group.run_regularly(reset_statements(node), dt=given.steps * dt * second, when="start")
    if terms:
        group.run_regularly(f"{onto} += {' + '.join(terms)}", when="before_groups")
    taken = f"v = {onto}\n" if isinstance(node, Threshold) else ""
    group.run_regularly(f"{taken}{onto} = 0", when="after_groups")
    return group


def _between(network: NirNetwork, path: LinearPath, groups: Mapping[str, Any], given: Shown, dt: float) -> list[Any]:
    """The synapses of a path."""
    source, target = network.nodes[path.source], network.nodes[path.target]
    assert isinstance(target, Neuron | Threshold)
    graded = not isinstance(source, Spiking | Threshold)
    statement = f"{entrance(target)}_post += w*v_pre" if graded else f"{entrance(target)}_post += w"
    made, place = [], network.order.index
    for lag, connected in connections(network, path, dt):
        # What is sent to a population that has had its turn arrives a step later as it is.
        late = max(lag, (path.source, path.target) in network.back) - (place(path.source) >= place(path.target))
        if graded and late:
            do = "Potentials that are sent with a delay are not run: let neurons with a threshold send spikes."
            where = f"Node {path.source!r} ({source.kind})"
            raise ConversionError(field_error(where, "a path without Delay to other neurons", path.through, do))
        ends, delay = (groups[path.source], groups[path.target]), {"delay": late * dt * second} if late else {}
        made.append(Projection(*ends, connected.kind, connected.weights, on_pre=statement, **delay))
        if late and given.samples > 1:
            made[-1].reset_regularly(given.steps * dt * second)
    return made


def _paths(network: NirNetwork, target: str) -> list[LinearPath]:
    return [path for path in network.paths if path.target == target]


def _through(network: NirNetwork, path: LinearPath, values: Numbers, dt: float) -> Numbers:
    """Take values (samples, steps, ...) along a path, each sample for itself."""
    return np.stack([through(network, path, sample, dt) for sample in values])


def _natural(values: Numbers, given: Shown, shape: Shape) -> Numbers:
    """Values (steps of all samples, neurons) in the shape that NIR has."""
    natural = np.empty_like(values)
    natural[:, order(shape)] = values
    return natural.reshape(given.samples, given.steps, *shape)


def _spikes(monitor: Any, given: Shown, dt: float, shape: Shape) -> NDArray[np.bool_]:
    spikes = np.zeros((given.samples * given.steps, int(np.prod(shape))), bool)
    when = np.round(np.asarray(monitor.t[:]) / dt).astype(np.int64)
    spikes[when, np.asarray(monitor.i[:])] = True
    return _natural(spikes, given, shape)


def _outputs(network: NirNetwork, sent: Mapping[str, Numbers], given: Shown, dt: float) -> dict[str, Numbers]:
    biases, outputs = constants(network), {}
    for name in network.outputs:
        total = np.zeros((given.samples, given.steps, *network.shapes[name]))
        for path in _paths(network, name):
            total += _through(network, path, sent[path.source], dt)
        outputs[name] = total + biases.get(name, 0.0)
    return outputs
