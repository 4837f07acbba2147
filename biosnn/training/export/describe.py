"""A network that is trained by gradients as tables of words."""

from __future__ import annotations

from brian2 import Quantity, second

from biosnn.quantity import format_quantity, parse_quantity
from biosnn.training.network import Connection, Layer, TrainableNetwork

Rows = list[tuple[str, ...]]


def tables(network: TrainableNetwork) -> list[tuple[tuple[str, ...], Rows]]:
    """Headings and rows of three tables: the whole, the layers, the connections."""
    numbers = {one.name: network.weights[one.name].size for one in network.connections}
    trained = sum(numbers[one.name] for one in network.connections if one.trained)
    whole: Rows = [
        ("inputs", f"{network.inputs:,}, {network.input}"),
        ("time step", format_quantity(network.dt * second)),
        ("an example", f"{format_quantity(network.duration * second)}, {network.steps:,} steps"),
        ("output", network.output),
        ("weights", f"{sum(numbers.values()):,}, of which {trained:,} are trained"),
    ]
    layers: Rows = [(one.name, f"{one.size:,}", one.model.name, _parameters(network, one)) for one in network.layers]
    connections: Rows = [
        (
            _ends(one),
            type(one.kind).__name__,
            one.onto,
            f"{one.delay}",
            f"{numbers[one.name]:,}",
            ("yes, each keeps its sign" if one.keep_sign else "yes") if one.trained else "no",
        )
        for one in network.connections
    ]
    return [
        (("", ""), whole),
        (("layer", "neurons", "model", "trained parameters"), layers),
        (("connection", "kind", "onto", "delay in steps", "weights", "trained"), connections),
    ]


def _ends(one: Connection) -> str:
    ends = f"{one.source} to {one.target}"
    return ends if one.name == f"{one.source}_to_{one.target}" else f"{one.name}: {ends}"


def _parameters(network: TrainableNetwork, layer: Layer) -> str:
    found = []
    for name, bounds in layer.trained.items():
        dimension = Quantity(parse_quantity(layer.model.parameters[name].value)).dim
        value, low, high = (
            format_quantity(Quantity(float(f"{number:.6g}"), dim=dimension))
            for number in (network.parameters[f"{layer.name}.{name}"], *bounds)
        )
        found.append(f"{name} = {value} ({low} to {high})")
    return "; ".join(found)
