"""A trained network as an ordinary Brian2 network, which repeats every spike of the forward pass of training.

A time step is Brian2's: the equations of all groups, then all thresholds, then all arriving spikes, then all resets. So
it is in training, where a spike that arrives in a step acts in the next one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Network, NeuronGroup, Quantity, SpikeMonitor, second
from brian2.equations.equations import DIFFERENTIAL_EQUATION, PARAMETER
from numpy.typing import NDArray

from biosnn.errors import TrainingError, field_error
from biosnn.groups.build import neurons
from biosnn.inputs import Playback, images, playback, reset_on_image
from biosnn.model import NeuronModel
from biosnn.projection import Projection
from biosnn.quantity import parse_quantity, unit_text
from biosnn.training.batch import ConstantInputs, Inputs, SpikeList
from biosnn.training.checks import check_inputs
from biosnn.training.examples import Labelled, inputs_of
from biosnn.training.network import BIAS, INPUT, Connection, Layer, TrainableNetwork


@dataclass(frozen=True, eq=False)
class BrianNetwork:
    """A trained network in Brian2; made by `as_brian`.

    Attributes
    ----------
    network : Network
        All of it: add monitors of your own, and run it for `duration`.
    inputs : tuple of Playback, or of a NeuronGroup
        What sends the input spikes. A second one sends those of inputs that spike twice in a time step, and so on.
        Inputs that are values are neurons that spike in every step, and have their value as ``x``.
    groups : mapping of str to NeuronGroup
        The neurons of each layer.
    projections : mapping of str to tuple of Projection
        The synapses of each connection; those from the input come from each of `inputs`.
    monitors : mapping of str to SpikeMonitor
        Of each layer that spikes.
    examples, steps : int
        How many examples follow each other, and how many time steps each takes.
    dt : float
        The time step (s).
    """

    network: Network
    inputs: tuple[Any, ...]
    groups: Mapping[str, NeuronGroup]
    projections: Mapping[str, tuple[Projection, ...]]
    monitors: Mapping[str, SpikeMonitor]
    examples: int
    steps: int
    dt: float

    @property
    def duration(self) -> Quantity:
        """How long all examples take."""
        return self.examples * self.steps * self.dt * second

    def spikes(self) -> dict[str, SpikeList]:
        """The spikes of each layer in each example, as a forward pass of training gives them; after a run."""
        return {name: self._list(monitor) for name, monitor in self.monitors.items()}

    def _list(self, monitor: SpikeMonitor) -> SpikeList:
        now, neuron = np.round(np.asarray(monitor.t[:]) / self.dt).astype(np.int64), np.asarray(monitor.i[:])
        order = np.lexsort((neuron, now))
        example, step = np.divmod(now[order], self.steps)
        indptr = np.searchsorted(example, np.arange(self.examples + 1)).astype(np.int64)
        return SpikeList(indptr, neuron[order].astype(np.int32), step.astype(np.int32))


def as_brian(sim: Any, network: TrainableNetwork, data: Inputs | Labelled) -> BrianNetwork:
    """Build a trained network of Brian2's groups and biosnn's projections.

    In double precision it repeats every spike of training, in the same time step, unless a membrane potential comes so
    near its threshold that the last digit of a sum decides.

    Parameters
    ----------
    sim : Simulation
        An open session, whose time step is the network's.
    network : TrainableNetwork
        With the weights and parameters that it has now.
    data : LabelledSpikeTrains, LabelledValues, SpikeList or ConstantInputs
        The inputs of one example or several. Those follow each other, and each meets the network as it was at the
        beginning.

    Returns
    -------
    BrianNetwork

    Raises
    ------
    TrainingError
        If the time step is another one, inputs do not fit the network, a kind of connection is no sum of what arrives,
        or a model depends on the time while there are several examples.

    Examples
    --------
    >>> with biosnn.session("cpp", dt=0.1 * ms) as sim:  # doctest: +SKIP
    ...     built = training.as_brian(sim, network, data)
    ...     sim.run(built.network, built.duration)
    ...     print(built.spikes()["hidden"])
    """
    if not np.isclose(float(sim.dt), network.dt, rtol=1e-9, atol=0):
        do = "Open the session with it: biosnn.session(..., dt=...)."
        raise TrainingError(
            field_error("as_brian, sim.dt", f"the network's time step {network.dt * second}", sim.dt, do)
        )
    given = data if isinstance(data, SpikeList | ConstantInputs) else inputs_of(network, data, "as_brian, data")
    _check(network, given)
    several = len(given) > 1
    shown, inputs = _values(network, given) if isinstance(given, ConstantInputs) else ([], _inputs(network, given))
    biased = any(one.source == BIAS for one in network.connections)
    sources = {INPUT: inputs, BIAS: (_steady(1, "biases*"),) if biased else ()}
    groups = {layer.name: _group(network, layer) for layer in network.layers}
    projections = {
        one.name: tuple(
            _projection(network, one, source, groups[one.target])
            for source in sources.get(one.source) or (groups[one.source],)
        )
        for one in network.connections
    }
    monitors = {name: SpikeMonitor(group) for name, group in groups.items() if network.layer(name).model.threshold}
    parts = [
        *shown,
        *inputs,
        *sources[BIAS],
        *groups.values(),
        *monitors.values(),
        *(one for many in projections.values() for one in many),
    ]
    if several:
        parts.append(_begin_anew(network, len(given), groups, projections))
    return BrianNetwork(Network(parts), inputs, groups, projections, monitors, len(given), network.steps, network.dt)


def _check(network: TrainableNetwork, given: Inputs) -> None:
    check_inputs(network, given)
    for layer in network.layers:
        if len(given) > 1 and "t" in _names(layer.model):
            do = "Build the network for each example by itself."
            expected = "a model that does not depend on the time since the beginning"
            raise TrainingError(field_error(f"Layer {layer.name!r}", expected, layer.model.name, do))


def _names(model: NeuronModel) -> set[str]:
    texts = [model.equations, model.threshold, model.reset, model.refractory]
    return {word for text in texts for word in re.findall(r"(?<!d)\b[A-Za-z_]\w*", text.replace("lastspike", ""))}


def _inputs(network: TrainableNetwork, given: SpikeList) -> tuple[Playback, ...]:
    """What plays the spikes of all examples, one after another: in a step each neuron of a group spikes once."""
    now = np.repeat(np.arange(len(given)), np.diff(given.indptr)) * network.steps + given.step
    times = _which_time(now.astype(np.int64) * network.inputs + given.neuron)
    groups = []
    for number in range(int(times.max(initial=0)) + 1):
        chosen = times == number
        groups.append(playback(network.inputs, max(int(chosen.sum()), 1), name="inputs*"))
        groups[-1].load(now[chosen], given.neuron[chosen])
    return tuple(groups)


def _steady(size: int, name: str) -> NeuronGroup:
    """Neurons that spike in every time step, and whose spikes count ``x``."""
    group = NeuronGroup(size, "x : 1", threshold="True", reset="", name=name, namespace={})
    group.x = 1
    return group


def _values(network: TrainableNetwork, given: ConstantInputs) -> tuple[list[Any], tuple[NeuronGroup]]:
    """What tells the inputs the values of each example, and the inputs."""
    group = _steady(network.inputs, "inputs*")
    shown = images(np.asarray(given.values), period=network.duration * second, name="examples_shown*")
    shown.drive(group, "x")
    return [shown], (group,)


def _which_time(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many equal ones come before each value."""
    order = np.argsort(values, kind="stable")
    begins = np.diff(values[order], prepend=-1) != 0
    place = np.arange(len(values))
    times = np.empty(len(values), np.int64)
    times[order] = place - np.maximum.accumulate(np.where(begins, place, 0))
    return times


def _group(network: TrainableNetwork, layer: Layer) -> NeuronGroup:
    model = layer.model
    dimensions = {name: parse_quantity(one.value) for name, one in model.parameters.items()}
    trained = {
        name: Quantity(network.parameters[f"{layer.name}.{name}"], dim=Quantity(dimensions[name]).dim)
        for name in layer.trained
    }
    return neurons(layer.size, model, name=_brian_name(layer.name), values=trained)


def _projection(network: TrainableNetwork, one: Connection, source: Any, target: NeuronGroup) -> Projection:
    gain = Quantity(one.gain, dim=network.layer(one.target).model.parsed[one.onto].dim)
    graded = "*x_pre" if one.source in network.constant else ""
    made = Projection(
        source,
        target,
        one.kind,
        np.asarray(network.weights[one.name], np.float64),
        model=f"gain : {unit_text(gain)} (shared, constant)",
        on_pre=f"{one.onto}_post += gain*w{graded}",
        delay={"pre": one.delay * network.dt * second} if one.delay else None,
        name=_brian_name(one.name),
    )
    made.gain = gain
    return made


def _brian_name(name: str) -> str:
    """A name that Brian2 takes, and numbers if it is taken."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return f"{plain if plain[0].isalpha() else f'part{plain}'}*"


def _begin_anew(network: TrainableNetwork, examples: int, groups: Mapping[str, Any], projections: Any) -> Playback:
    """Let each example meet the network as it was at the beginning, without spikes on their way."""
    begins = playback(1, examples, name="examples*")
    begins.load(np.arange(examples) * network.steps, np.zeros(examples, np.int64))
    for play in begins.contained_objects:  # it spikes before whatever else happens in a time step
        play.when, play.order = "start", -1
    for group in groups.values():
        equations = group.model.parsed
        states = [name for name in equations if equations[name].type in (DIFFERENTIAL_EQUATION, PARAMETER)]
        resting = [name for name in ("lastspike", "not_refractory") if name in group.variables]
        reset_on_image(group, begins, [*states, *resting])
    for one in network.connections:
        for projection in projections[one.name] if one.delay else ():
            projection.reset_regularly(events=begins, when="start")
    return begins
