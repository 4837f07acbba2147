"""A converted network in Brian2: groups of neurons, projections between them, and images that drive the first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Network, Quantity, SpikeMonitor, StateMonitor, ms, second
from brian2.units.fundamentalunits import DIMENSIONLESS, get_unit
from numpy.typing import NDArray

from biosnn.build import neurons
from biosnn.coding import TTFS, Bernoulli, Regular
from biosnn.conversion.lowering import order, spread
from biosnn.conversion.spiking import SpikingNetwork, largest_pixel
from biosnn.conversion.tally import Tally
from biosnn.conversion.wiring import MAXIMUM, OUTPUT, Population
from biosnn.errors import ConversionError, field_error
from biosnn.inputs import begin_anew, encoder, images
from biosnn.model import NeuronModel
from biosnn.projection import Dense, Projection
from biosnn.quantity import parse_quantity
from biosnn.schedule import within_step

DT = 1 * ms
"""How long a step is; only the names of rates depend on it."""
_BEGIN = -7  # in the slot "start": after images have turned and driven
PICTURES, ON, OFF = "pictures", "on", "off"


@dataclass(frozen=True)
class Membrane:
    """How a neuron model takes a charge of one threshold.

    Parameters
    ----------
    model : NeuronModel
        The model.
    potential, drive : str
        The variable that spikes add to, which is the membrane potential, and that of a lasting input.
    quantum : Quantity
        From where an image begins without ``start`` to the threshold.
    current : Quantity
        The value of the lasting input that brings so much in a time step.
    """

    model: NeuronModel
    potential: str
    drive: str
    quantum: Quantity
    current: Quantity

    @classmethod
    def of(cls, model: NeuronModel) -> Membrane:
        """Find them in a model.

        Raises
        ------
        ConversionError
            If it has no membrane potential that spikes add to, no lasting input, or no parameter for its threshold.
        """
        where = f"Neuron {model.name!r}"
        potentials = [name for name in model.spike_inputs if name in model.parsed.diff_eq_names]
        lasting = [name for name, entry in model.inputs.items() if entry.kind == "value"]
        do = "Conversion takes neurons such as if_soft, if_hard, lif_soft and lif."
        if len(potentials) != 1 or len(lasting) != 1:
            expected = "one membrane potential that spikes add to, and one lasting input"
            raise ConversionError(field_error(f"{where} inputs", expected, list(model.inputs), do))
        named = [name for name in model.parameters if re.search(rf"\b{name}\b", model.threshold)]
        if len(named) != 1:
            expected = "a comparison with one parameter, such as 'v >= v_th'"
            raise ConversionError(field_error(f"{where} threshold", expected, model.threshold, do))
        potential, drive = potentials[0], lasting[0]
        theta = parse_quantity(model.parameters[named[0]].value)
        begin = model.initial.get(potential, "0")
        rest = parse_quantity(model.parameters[begin].value) if begin in model.parameters else 0 * theta
        quantum = Quantity(theta - rest)
        if not float(quantum) > 0:
            raise ConversionError(field_error(f"{where} threshold", "above the potential at the start", quantum, do))
        return cls(model, potential, drive, quantum, _current(where, model, quantum, drive))

    def begin(self, start: float) -> str:
        """The membrane potential at which an image begins, so many thresholds from rest, as an expression."""
        unit = get_unit(self.quantum.dim)
        quantum = (
            repr(float(self.quantum)) if self.quantum.dim is DIMENSIONLESS else f"{float(self.quantum)!r}*{unit!r}"
        )
        return f"{self.model.initial.get(self.potential, f'0*({quantum})')} + {float(start)!r}*({quantum})"


def _current(where: str, model: NeuronModel, quantum: Quantity, drive: str) -> Quantity:
    """The lasting input that brings a threshold in a step: a slope, or a current that charges a capacitance."""
    dimension = parse_quantity(model.inputs[drive].default).dim
    slope = Quantity(quantum / DT)
    if slope.dim == dimension:
        return slope
    if "C" in model.parameters:
        charging = Quantity(slope * parse_quantity(model.parameters["C"].value))
        if charging.dim == dimension:
            return charging
    expected = f"the unit of {get_unit(slope.dim)}, or a current beside a parameter C"
    raise ConversionError(field_error(f"{where} input {drive}", expected, model.inputs[drive].default))


@dataclass(frozen=True, eq=False)
class Built:
    """The Brian2 objects of a converted network.

    Parameters
    ----------
    network : Network
        All of them.
    shown : int
        How many images are shown in one run.
    period : Quantity
        How long each is.
    groups : dict of str to NeuronGroup
        By the name of the population; those of the input are "on" and "off".
    output : StateMonitor or SpikeMonitor
        Of the output.
    tallies : dict of str to Tally or SpikeMonitor
        Spikes of each group.
    """

    network: Network
    shown: int
    period: Quantity
    groups: dict[str, Any]
    output: Any
    tallies: dict[str, Any]


def build(snn: SpikingNetwork, steps: int, shown: int, *, each: bool = False) -> Built:
    """Make the Brian2 objects, in an open session.

    Parameters
    ----------
    snn : SpikingNetwork
        The network.
    steps : int
        How long an image is shown.
    shown : int
        How many images in one run.
    each : bool
        Whether the spikes of each neuron are counted for each image by itself.

    Returns
    -------
    Built
    """
    membrane, period = Membrane.of(snn.options.model), steps * DT
    values = snn.graph.input.shape
    blank = np.zeros((shown, int(np.prod(values))), np.float32)
    pictures = images(blank, period=period, name=PICTURES)
    groups = _inputs(snn, pictures, period, shown)
    projections: list[Any] = []
    for number, population in enumerate(snn.wiring.populations):
        group = _population(snn, population, membrane, f"layer_{number}")
        groups[population.name] = group
        projections += _joined(snn, population, membrane, groups, pictures, number)
        begin_anew(group, pictures, _state(snn, population, group), order=_BEGIN)
    within_step(*groups.values(), *projections)
    output = groups[snn.graph.output]
    reads = (
        StateMonitor(output, "v", record=True, when="end", name="read")
        if snn.options.output == "potential"
        else SpikeMonitor(output, name="read")
    )
    spiking = {name: group for name, group in groups.items() if group.thresholder or not hasattr(group, "equations")}
    tallies = {
        name: Tally(group, pictures, shown if each else 1, name=f"tally_{number}")
        for number, (name, group) in enumerate(spiking.items())
    }
    network = Network(pictures, *groups.values(), *projections, reads)
    return Built(network, shown, period, groups, reads, tallies)


def _population(snn: SpikingNetwork, population: Population, membrane: Membrane, name: str) -> Any:
    size = population.neurons
    if population.kind == MAXIMUM:
        # Each spike that passes the window is passed on, in the same step.
        return neurons(size, "if_hard", name=name, values={"v_th": "0.5"})
    bias = population.bias.ravel()[order(population.shape)]
    if population.kind == OUTPUT and snn.options.output == "potential":
        return neurons(size, "integrator", name=name, values={"z": Quantity(bias / DT)})
    theta = spread(snn.thresholds[population.name], population.shape)
    values: dict[str, Any] = {membrane.drive: Quantity(bias / theta * membrane.current)}
    values[membrane.potential] = membrane.begin(snn.options.start)
    return neurons(size, membrane.model, name=name, values=values)


def _state(snn: SpikingNetwork, population: Population, group: Any) -> list[str] | None:
    """What is put back when an image comes: all that changes, and a lasting input that first spikes switch on."""
    if snn.options.input != "first spike" or snn.graph.input.name not in {path.source for path in population.paths}:
        return None
    found = [*group.equations.diff_eq_names, *(n for n in ("lastspike", "not_refractory") if n in group.variables)]
    return [*found, *(name for name, entry in group.model.inputs.items() if entry.kind == "value")]


def _inputs(snn: SpikingNetwork, pictures: Any, period: Quantity, shown: int) -> dict[str, Any]:
    """The groups of pixels that spike: one for positive values and, if there are any, one for negative ones."""
    if snn.options.input == "analog":
        return {}
    rate = 1 / DT
    kinds = {
        "poisson": Bernoulli(rate=rate, duration=period, dt=DT),
        "regular": Regular(rate=rate, duration=period, dt=DT),
        "first spike": TTFS(duration=period, dt=DT),
    }
    model = encoder(kinds[snn.options.input])
    onsets = images(np.arange(shown)[:, None] * period, period=period, name="onsets")
    groups = {}
    for name, sign in ((ON, 1), (OFF, -1)):
        if name == OFF and snn.lowest >= 0:
            continue
        group = neurons(len(pictures), model, name=name)
        pictures.drive(group, "x", float(sign), name=f"{name}_values")
        onsets.drive(group, "onset", 1.0, Dense(), name=f"{name}_onsets")
        group.contained_objects.append(onsets)
        groups[name] = group
    return groups


def _joined(
    snn: SpikingNetwork, population: Population, membrane: Membrane, groups: dict[str, Any], pictures: Any, number: int
) -> list[Projection]:
    """The synapses that arrive at a population."""
    group, graph = groups[population.name], snn.graph
    relays = population.kind == MAXIMUM
    integrates = population.kind == OUTPUT and snn.options.output == "potential"
    plain = relays or integrates
    potential, drive = ("v", "z") if plain else (membrane.potential, membrane.drive)
    quantum, current = (Quantity(1.0), 1 / DT) if plain else (membrane.quantum, membrane.current)
    theta = snn.thresholds[population.name]
    theta = np.ones_like(theta) if integrates else theta
    found: list[Projection] = []
    for k, path in enumerate(population.paths):
        joint, name = snn.joints[population.name, k], f"joint_{number}_{k}"
        if path.source != graph.input.name:
            weights = joint.scaled(snn.thresholds[path.source], theta)
            adds = f"{potential}_post += w"
            made = Projection(groups[path.source], group, joint.kind, weights * quantum, on_pre=adds, name=name)
            if relays:
                made.forget_regularly(events=pictures, order=_BEGIN)
            found.append(made)
            continue
        ones = np.ones(graph.input.shape[:1])
        if snn.options.input == "analog":
            pictures.drive(group, drive, joint.scaled(ones, theta) * current, joint.kind, onto=True, name=name)
            continue
        scaled = joint.scaled(ones * largest_pixel(snn), theta)
        lasts = snn.options.input == "first spike"
        adds = f"{drive if lasts else potential}_post += w"
        for side, sign in ((ON, 1), (OFF, -1)):
            if side in groups:
                weights = sign * scaled * (current if lasts else quantum)
                found.append(Projection(groups[side], group, joint.kind, weights, on_pre=adds, name=f"{name}_{side}"))
    return found


def frames(snn: SpikingNetwork, shown: NDArray[np.float32]) -> NDArray[np.float32]:
    """Images as pixels in the order of the neurons, shape (n, pixels); of inputs that spike, at most 1."""
    flat = shown.reshape(len(shown), -1)[:, order(snn.graph.input.shape)]
    if snn.options.input == "analog":
        return flat
    return np.clip(flat / largest_pixel(snn), -1, 1)


def duration(images_shown: int, steps: int) -> Quantity:
    """How long it takes to show so many images."""
    return images_shown * steps * float(DT) * second
