"""What is trained by gradients: layers of neurons and the connections between them, with the weights they have now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from brian2 import Quantity, get_dimensions, second
from brian2.units.fundamentalunits import Dimension
from numpy.typing import NDArray

from biosnn import catalogue
from biosnn.display import Brief, bounded, card, paragraph, table
from biosnn.errors import TrainingError, field_error, unknown
from biosnn.model import NeuronModel
from biosnn.projection import Dense, Fit, Kind, RandomKind
from biosnn.quantity import check_dimension, parse_quantity

INPUT, BIAS = "input", "bias"
"""Names of sources of connections: the input, and a value of one in every time step, whose weights are biases."""
OUTSIDE = (INPUT, BIAS)
"""What is no layer, and nothing is sent back to."""
INPUTS = ("spikes", "values")
"""What inputs may be."""


@dataclass(frozen=True)
class Layer:
    """Neurons of one model.

    Parameters
    ----------
    name : str
        How connections and results call it.
    size : int
        How many neurons.
    model : NeuronModel or str
        Their equations; a name is one of the catalogue.
    trained : mapping of str to pair
        Parameters of the model that are trained, one value for the layer, with the bounds of each in its unit:
        ``{"tau_m": ("5 ms", "50 ms")}``. None is trained by default.
    """

    name: str
    size: int
    model: NeuronModel
    trained: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        where = f"Layer {self.name!r}"
        if not str(self.name).isidentifier() or self.name in OUTSIDE:
            raise TrainingError(field_error("Layer, name", f"a word other than {' and '.join(OUTSIDE)}", self.name))
        check_size(f"{where}, size", self.size)
        object.__setattr__(self, "model", catalogue.neuron_model(self.model))
        bounds = {name: self._bounds(where, name, pair) for name, pair in self.trained.items()}
        object.__setattr__(self, "trained", bounds)

    def _bounds(self, where: str, name: str, pair: Any) -> tuple[float, float]:
        if name not in self.model.parameters:
            raise TrainingError(f"{where}, trained: " + unknown("parameter", name, self.model.parameters))
        value = parse_quantity(self.model.parameters[name].value)
        if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
            raise TrainingError(field_error(f"{where}, trained, {name}", "a pair of bounds", pair))
        low, high = (_in_unit(f"{where}, trained, {name}", one, get_dimensions(value)) for one in pair)
        if not (-np.inf < float(low) < float(high) < np.inf and float(low) <= float(value) <= float(high)):
            expected = f"bounds around its value {self.model.parameters[name].value}, which are finite"
            raise TrainingError(field_error(f"{where}, trained, {name}", expected, pair))
        return float(low), float(high)


@dataclass(frozen=True, eq=False)
class Connection(Brief):
    """Synapses from one layer, or the input, to a layer.

    Parameters
    ----------
    source, target : str
        Names of layers; the source may be `INPUT`, or `BIAS`, a single one whose value of one arrives in every
        step.
    weight : array
        The weights at the beginning, in the natural shape of the kind.
    kind : Kind
        What connects to what; weights that several synapses share have one gradient.
    onto : str
        The variable that a spike adds its weight to.
    gain : Quantity or float
        What a weight of one adds, in the unit of the variable.
    delay : int
        Time steps from a spike to its arrival. A spike that arrives in its own step acts in the next one.
    trained : bool
        Whether the weights are trained.
    keep_sign : bool
        Whether each weight keeps the sign that it begins with, as synapses of one neuron do after Dale.
    name : str
        By default that of the two layers: ``hidden_to_output``.
    """

    source: str
    target: str
    weight: NDArray[np.float64]
    kind: Kind = field(default_factory=Dense)
    onto: str = ""
    gain: Any = 1.0
    delay: int = 0
    trained: bool = True
    keep_sign: bool = False
    name: str = ""
    resolved: bool = field(default=False, repr=False)
    """Whether ``onto`` is named and ``gain`` is a number of basic units, as a network has them."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or f"{self.source}_to_{self.target}")
        where = f"Connection {self.name!r}"
        if isinstance(self.delay, bool) or not isinstance(self.delay, int | np.integer) or not 0 <= self.delay < 2**15:
            raise TrainingError(field_error(f"{where}, delay", "a whole number of time steps from 0 on", self.delay))
        weight = np.array(self.weight, dtype=np.float64)
        if not np.all(np.isfinite(weight)):
            raise TrainingError(field_error(f"{where}, weight", "finite numbers", weight[~np.isfinite(weight)][0]))
        object.__setattr__(self, "weight", weight)


class TrainableNetwork:
    """Layers and connections, checked, and what training changes of them.

    Parameters
    ----------
    inputs : int
        How many inputs there are.
    layers, connections : sequence
        What it is made of.
    dt, duration : Quantity
        Time step, and how long an example is simulated.
    output : str
        The layer that answers; the last one by default.
    input : {"spikes", "values"}
        Whether each input gives spikes, or a value that arrives in every time step: a synapse then adds the product of
        weight and value, a constant current.

    Attributes
    ----------
    weights : dict of str to array
        The weights of each connection, in their natural shape.
    parameters : dict of str to float
        The trained parameters by ``"layer.name"``, in basic units.

    Raises
    ------
    TrainingError
        If the parts do not fit each other; the message says which.
    """

    def __init__(
        self,
        inputs: int,
        layers: Sequence[Layer],
        connections: Sequence[Connection],
        *,
        dt: Any = 0.1e-3 * second,
        duration: Any = 20e-3 * second,
        output: str = "",
        input: str = "spikes",
    ) -> None:
        check_size("TrainableNetwork, inputs", inputs)
        if input not in INPUTS:
            raise TrainingError(field_error("TrainableNetwork, input", " or ".join(INPUTS), input))
        self.input = input
        self.inputs, self.layers = int(inputs), tuple(layers)
        self.dt, self.duration = _time("dt", dt), _time("duration", duration)
        if self.duration < self.dt or self.steps > 10**6:
            raise TrainingError(
                field_error("TrainableNetwork, duration", f"from 1 to a million steps of {self.dt * second}", duration)
            )
        names = [layer.name for layer in self.layers]
        if not names or len(set(names)) < len(names):
            raise TrainingError(field_error("TrainableNetwork, layers", "layers of different names", names))
        self.output = output or names[-1]
        if self.output not in names:
            raise TrainingError("TrainableNetwork, output: " + unknown("layer", self.output, names))
        self.connections = tuple(self._resolved(connection) for connection in connections)
        self.fits = [self._fit(connection) for connection in self.connections]
        used = [connection.name for connection in self.connections]
        if len(set(used)) < len(used):
            raise TrainingError(field_error("TrainableNetwork, connections", "connections of different names", used))
        self.weights = {connection.name: connection.weight.copy() for connection in self.connections}
        self._values = {layer.name: _values(layer.model) for layer in self.layers}
        self.parameters = {
            f"{layer.name}.{name}": float(parse_quantity(layer.model.parameters[name].value))
            for layer in self.layers
            for name in layer.trained
        }

    def __repr__(self) -> str:
        layers = ", ".join(f"{layer.name} ({layer.size} {layer.model.name})" for layer in self.layers)
        weights = sum(array.size for array in self.weights.values())
        return bounded(f"<TrainableNetwork: {self.inputs} inputs, {layers}; {weights:,} weights, {self.steps} steps>")

    def _repr_html_(self) -> str:
        layers = [(layer.name, f"{layer.size:,}", layer.model.name, ", ".join(layer.trained)) for layer in self.layers]
        ways = [
            (one.name, type(one.kind).__name__, " x ".join(map(str, self.weights[one.name].shape)), one.onto)
            for one in self.connections
        ]
        times = f"{self.inputs:,} inputs; {self.steps:,} steps of {self.dt * second} for an example."
        head = ("layer", "neurons", "model", "trained parameters")
        return card(
            "Network trained by gradients",
            "",
            paragraph(times),
            table(head, layers, numbers=(1,)),
            table(("connection", "kind", "weights", "onto"), ways),
        )

    @property
    def steps(self) -> int:
        """Time steps of an example."""
        return round(self.duration / self.dt)

    def layer(self, name: str) -> Layer:
        """The layer of a name."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise TrainingError("TrainableNetwork: " + unknown("layer", name, [layer.name for layer in self.layers]))

    @property
    def constant(self) -> tuple[str, ...]:
        """The sources of connections that give the same in every time step."""
        return OUTSIDE if self.input == "values" else (BIAS,)

    def size(self, name: str) -> int:
        """How many neurons a layer has, or how many inputs there are."""
        return {INPUT: self.inputs, BIAS: 1}.get(name) or self.layer(name).size

    def values(self, layer: Layer) -> dict[str, float]:
        """The parameters and value inputs of a layer as they are now, in basic units."""
        own = {name: self.parameters[f"{layer.name}.{name}"] for name in layer.trained}
        return self._values[layer.name] | own

    def keep_signs(self) -> None:
        """Let weights be 0 that should keep the sign that they began with, and have the other."""
        for one in self.connections:
            if one.keep_sign:
                weights = self.weights[one.name]
                np.copyto(weights, 0, where=weights * np.sign(one.weight) < 0)

    def copy(self) -> TrainableNetwork:
        """A network of the same parts, with weights and parameters of its own."""
        parts = (self.inputs, self.layers, self.connections)
        times = {"dt": self.dt * second, "duration": self.duration * second}
        other = TrainableNetwork(*parts, **times, output=self.output, input=self.input)
        other.weights = {name: weights.copy() for name, weights in self.weights.items()}
        other.parameters = dict(self.parameters)
        return other

    def _resolved(self, connection: Connection) -> Connection:
        """The connection with the variable that it leads to and the gain in basic units."""
        where = f"Connection {connection.name!r}"
        names = [layer.name for layer in self.layers]
        if connection.target not in names:
            raise TrainingError(f"{where}, target: " + unknown("layer", connection.target, names))
        if connection.source not in (*OUTSIDE, *names):
            raise TrainingError(f"{where}, source: " + unknown("layer", connection.source, (*OUTSIDE, *names)))
        if connection.source not in OUTSIDE and not self.layer(connection.source).model.threshold:
            raise TrainingError(field_error(f"{where}, source", "a layer that spikes", connection.source))
        if connection.resolved:
            return connection
        model = self.layer(connection.target).model
        onto = connection.onto or _only_input(where, model)
        if onto not in model.spike_inputs:
            raise TrainingError(f"{where}, onto: " + unknown("input", onto, model.spike_inputs))
        gain = _in_unit(f"{where}, gain", connection.gain, model.parsed[onto].dim)
        if not np.isfinite(gain):
            raise TrainingError(field_error(f"{where}, gain", "a finite value", connection.gain))
        return replace(connection, onto=onto, gain=gain, resolved=True)

    def _fit(self, connection: Connection) -> Fit:
        where, kind = f"Connection {connection.name!r}", connection.kind
        if kind.gates or isinstance(kind, RandomKind):
            do = "Give the synapses as Sparse.pairs(i, j)." if isinstance(kind, RandomKind) else "Pool by sums."
            expected = "a kind whose synapses are known and all pass"
            raise TrainingError(field_error(f"{where}, kind", expected, type(kind).__name__, do))
        fit = kind.fit(self.size(connection.source), self.size(connection.target))
        if connection.weight.shape != tuple(fit.shape):
            expected = f"the shape {tuple(fit.shape)} of {type(kind).__name__}"
            raise TrainingError(field_error(f"{where}, weight", expected, f"shape {connection.weight.shape}"))
        return fit


def _values(model: NeuronModel) -> dict[str, float]:
    """The parameters and value inputs of a model, in basic units: parsed once, as every pass asks for them."""
    texts = {name: one.value for name, one in model.parameters.items()}
    texts |= {name: one.default for name, one in model.inputs.items() if one.kind == "value"}
    return {name: float(parse_quantity(text)) for name, text in texts.items()}


def check_size(where: str, size: Any) -> None:
    """Refuse what is no number of neurons."""
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
        raise TrainingError(field_error(where, "a whole number of at least 1", size))


def _in_unit(where: str, value: Any, dimension: Dimension) -> float:
    """A number of basic units, of a quantity, a text or, without dimension, a number."""
    value = parse_quantity(value) if isinstance(value, str) else Quantity(value)
    check_dimension(where, value, dimension)
    return float(value)


def _time(name: str, value: Any) -> float:
    seconds = _in_unit(f"TrainableNetwork, {name}", value, second.dim)
    if not 0 < seconds < np.inf:
        raise TrainingError(field_error(f"TrainableNetwork, {name}", "a positive time", value))
    return seconds


def _only_input(where: str, model: NeuronModel) -> str:
    if len(model.spike_inputs) == 1:
        return model.spike_inputs[0]
    raise TrainingError(field_error(f"{where}, onto", f"one of {', '.join(model.spike_inputs) or 'no inputs'}", "''"))
