"""A network that is trained by gradients as a file: its models as text, what is connected to what, weights, parameters.

The file is an ``.npz`` archive, which ``np.load`` and ``unzip`` open. ``training.json`` describes layers and
connections, ``LAYER.toml`` is the model of a layer in full. It is parsed, never executed, and checked before use.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from brian2 import Quantity, get_dimensions, second
from numpy.typing import NDArray

from biosnn import archive, codec, files
from biosnn.errors import BiosnnError, TrainingError, field_error, unknown
from biosnn.model import NeuronModel, from_toml, to_toml
from biosnn.projection import Conv2D, Dense, Kind, Lateral, OneToOne, Pool2D, Shortcut, Sparse
from biosnn.quantity import parse_quantity
from biosnn.training.network import BIAS, INPUT, Connection, Layer, TrainableNetwork

FORMAT = 1
ABOUT = "training.json"
MOST_NEURONS = 2**24
"""How many neurons a network of a file may have, and ends of connections to four times as many."""
_LIMIT = 10**7  # bytes of the texts
_EXPECTED, _AGAIN = "a network trained by gradients", "Save the network again."
_KINDS: dict[str, type[Kind]] = {
    kind.__name__: kind for kind in (Dense, OneToOne, Lateral, Conv2D, Pool2D, Shortcut, Sparse)
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Layer:
    """What ``training.json`` says of a layer; bounds are in basic units."""

    name: str
    size: int
    trained: dict[str, tuple[float, float]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Connection:
    """What ``training.json`` says of a connection; the gain is in the basic unit of its variable."""

    name: str
    source: str
    target: str
    kind: dict[str, Any]
    onto: str
    gain: float
    delay: int
    trained: bool
    keep_sign: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class _About:
    """What ``training.json`` says; times are in seconds, trained parameters in basic units."""

    format: int
    biosnn: str
    inputs: int
    input: str = "spikes"
    dt: float
    duration: float
    output: str
    layers: tuple[_Layer, ...]
    connections: tuple[_Connection, ...]
    parameters: dict[str, float]
    arrays: dict[str, Any]


def save_network(network: TrainableNetwork, path: str | os.PathLike[str]) -> None:
    """Write a network with the weights and parameters that it has now into a file, whole or not at all.

    Parameters
    ----------
    network : TrainableNetwork
        The network.
    path : str or path
        The file, ``.npz``.

    Raises
    ------
    TrainingError
        If the file has another suffix or cannot be written, or the network has a kind of connection that a file cannot
        tell, such as one whose synapses are drawn when a run begins.
    """
    file = Path(path)
    if file.suffix != ".npz":
        raise TrainingError(field_error(str(file), "a file name that ends in .npz", file.suffix))
    arrays: dict[str, Any] = {}
    connections = tuple(_told(network, one, arrays) for one in network.connections)
    keys = {name: f"array_{number}" for number, name in enumerate(arrays)}
    about = _About(
        format=FORMAT,
        biosnn=version("biosnn"),
        inputs=network.inputs,
        input=network.input,
        dt=network.dt,
        duration=network.duration,
        output=network.output,
        layers=tuple(_Layer(name=one.name, size=one.size, trained=dict(one.trained)) for one in network.layers),
        connections=connections,
        parameters=dict(network.parameters),
        arrays={name: entry | {"key": keys[name]} for name, entry in archive.entries(arrays).items()},
    )
    try:
        # Numbers of NumPy are written as those of Python.
        text = json.dumps(codec.plain(about), indent=1, allow_nan=False, default=lambda number: number.item())
    except ValueError:
        told = "finite parameters and bounds of parameters"
        raise TrainingError(field_error(str(file), told, "one that is not")) from None
    texts = {ABOUT: text, **{f"{one.name}.toml": to_toml(one.model) for one in network.layers}}
    try:
        archive.write(file, {keys[name]: array for name, array in arrays.items()}, texts)
    except OSError as problem:
        raise TrainingError(f"{file}: cannot be written ({problem}).") from None


def load_network(path: str | os.PathLike[str]) -> TrainableNetwork:
    """Read a network that `save_network` wrote. It answers as that did, to the last bit.

    Its weights at the beginning (`Connection.weight`) are those it was saved with, but for connections that keep the
    signs of their first weights: these have them still.

    Raises
    ------
    TrainingError
        If the file is missing or damaged, or is something else. The message says where.
    """
    file = Path(path)
    with files.reading(file, TrainingError, _EXPECTED, _AGAIN):
        texts = archive.read_texts(file, TrainingError, _LIMIT)
        about = _about(file, texts)
        arrays = archive.read_arrays(file, f"{file}: {ABOUT}", about.arrays, TrainingError)
        return _network(file, about, texts, arrays)


def is_saved_network(path: str | os.PathLike[str]) -> bool:
    """Whether a file is one that `save_network` wrote."""
    try:
        return ABOUT in archive.read_texts(Path(path), TrainingError, _LIMIT)
    except BiosnnError:
        return False


def _told(network: TrainableNetwork, one: Connection, arrays: dict[str, Any]) -> _Connection:
    kind = type(one.kind).__name__
    if _KINDS.get(kind) is not type(one.kind):
        do = "Give the synapses as a list: Sparse.pairs(i, j)."
        raise TrainingError(field_error(f"Connection {one.name!r}, kind", f"one of {', '.join(_KINDS)}", kind, do))
    arrays[f"weights {one.name}"] = network.weights[one.name]
    if one.keep_sign:
        arrays[f"first {one.name}"] = one.weight
    own = {name: getattr(one, name) for name in ("name", "source", "target", "onto", "trained", "keep_sign")}
    fields = {field.name: getattr(one.kind, field.name) for field in dataclasses.fields(one.kind)}  # type: ignore[arg-type]
    apart = {name: value for name, value in fields.items() if isinstance(value, np.ndarray)}
    arrays |= {f"{_place(one.name)}{name}": value for name, value in apart.items()}
    told = {"kind": kind, **{name: value for name, value in fields.items() if name not in apart}}
    return _Connection(**own, kind=told, gain=float(one.gain), delay=int(one.delay))


def _place(connection: str) -> str:
    """How the names of arrays begin that are fields of a connection's kind."""
    return f"kind {connection}/"


def _about(file: Path, texts: Mapping[str, str]) -> _About:
    if ABOUT not in texts:
        expected = f"{_EXPECTED}, with {ABOUT} in it"
        raise TrainingError(field_error(str(file), expected, sorted(texts) or "arrays only"))
    about = files.parse_json(f"{file}: {ABOUT}", texts[ABOUT], TrainingError, _AGAIN)
    given = about.get("format") if isinstance(about, dict) else type(about).__name__
    if given != FORMAT:
        do = "It was written by another version of biosnn."
        raise TrainingError(field_error(f"{file}: {ABOUT} format", str(FORMAT), given, do))
    parsed: _About = codec.made(_About, about, f"{file}: {ABOUT}", TrainingError)
    sizes = {INPUT: parsed.inputs, BIAS: 1, **{one.name: one.size for one in parsed.layers}}
    ends = sum(sizes.get(name, 0) for one in parsed.connections for name in (one.source, one.target))
    if sum(sizes.values()) > MOST_NEURONS or ends > 4 * MOST_NEURONS:
        expected = f"at most {MOST_NEURONS} neurons, and connections of four times as many"
        raise TrainingError(field_error(f"{file}: {ABOUT}", expected, f"{sum(sizes.values())} and {ends}"))
    return parsed


def _network(file: Path, about: _About, texts: Mapping[str, str], arrays: Mapping[str, Any]) -> TrainableNetwork:
    where = f"{file}: {ABOUT}"
    layers = [_layer(file, one, texts) for one in about.layers]
    models = {layer.name: layer.model for layer in layers}
    connections = [_connection(where, one, models, arrays) for one in about.connections]
    times = {"dt": about.dt * second, "duration": about.duration * second}
    with files.reading(where, TrainingError, _EXPECTED, _AGAIN):
        network = TrainableNetwork(about.inputs, layers, connections, output=about.output, input=about.input, **times)
    for one in network.connections:  # the shapes of weights have been checked if they are those of the beginning
        weights = _weights(where, arrays, f"weights {one.name}")
        if weights.shape != network.weights[one.name].shape:
            expected = f"weights of the shape {network.weights[one.name].shape}"
            raise TrainingError(field_error(f"{where}, weights of {one.name!r}", expected, weights.shape))
        network.weights[one.name] = weights
    if set(about.parameters) != set(network.parameters):
        expected = f"those that are trained: {sorted(network.parameters)}"
        raise TrainingError(field_error(f"{where} parameters", expected, sorted(about.parameters)))
    for layer in layers:
        for name, (low, high) in layer.trained.items():
            value = about.parameters[f"{layer.name}.{name}"]
            if not low <= value <= high:
                told = f"a value within the bounds {low:g} and {high:g}"
                raise TrainingError(field_error(f"{where} parameters, {layer.name}.{name}", told, value))
            network.parameters[f"{layer.name}.{name}"] = float(value)
    return network


def _layer(file: Path, one: _Layer, texts: Mapping[str, str]) -> Layer:
    name = f"{one.name}.toml"
    if name not in texts:
        raise TrainingError(f"{file}: {name}, the model of layer {one.name!r}, is missing. {_AGAIN}")
    with files.reading(f"{file}: {name}", TrainingError, "a model of a neuron", _AGAIN):
        model = from_toml(texts[name], f"{file}: {name}")
        if not isinstance(model, NeuronModel):
            raise TrainingError(field_error(f"{file}: {name}", "a neuron", type(model).__name__))
    with files.reading(f"{file}: {ABOUT} layers", TrainingError, "a layer", _AGAIN):
        units = {key: get_dimensions(parse_quantity(parameter.value)) for key, parameter in model.parameters.items()}
        bounds = {
            key: tuple(Quantity(bound, dim=units.get(key)) for bound in pair) for key, pair in one.trained.items()
        }
        return Layer(one.name, one.size, model, bounds)


def _connection(
    where: str, one: _Connection, models: Mapping[str, NeuronModel], arrays: Mapping[str, Any]
) -> Connection:
    where = f"{where} connections, {one.name!r}"
    if one.target not in models:
        raise TrainingError(f"{where}, target: " + unknown("layer", one.target, models))
    parsed = models[one.target].parsed
    if one.onto not in parsed:
        raise TrainingError(f"{where}, onto: " + unknown("variable", one.onto, parsed))
    own = {field.name: getattr(one, field.name) for field in dataclasses.fields(one)}
    own["kind"] = _kind(where, one, arrays)
    own["gain"] = Quantity(one.gain, dim=parsed[one.onto].dim)
    weight = _weights(where, arrays, f"{'first' if one.keep_sign else 'weights'} {one.name}")
    with files.reading(where, TrainingError, "a connection", _AGAIN):
        return Connection(weight=weight, **own)


def _kind(where: str, one: _Connection, arrays: Mapping[str, Any]) -> Kind:
    told = dict(one.kind)
    kind = str(told.pop("kind", None))
    if kind not in _KINDS:
        raise TrainingError(f"{where}: {unknown('kind', kind, _KINDS)}")
    place = _place(one.name)
    given = {name: _plain(f"{where}, {kind}, {name}", value) for name, value in told.items()}
    given |= {name.removeprefix(place): array for name, array in arrays.items() if name.startswith(place)}
    names = [field.name for field in dataclasses.fields(_KINDS[kind])]  # type: ignore[arg-type]
    for name in given:
        if name not in names:
            raise TrainingError(f"{where}, {kind}: {unknown('field', name, names)}")
    with files.reading(f"{where}, {kind}", TrainingError, "a kind of connection", _AGAIN):
        return _KINDS[kind](**given)


def _plain(where: str, value: Any) -> Any:
    """A field of a kind: whole numbers, and pairs and threes of them, truth values and words."""
    if isinstance(value, list):
        return tuple(_plain(where, item) for item in value)
    if not (value is None or isinstance(value, bool | int | str)):
        raise TrainingError(field_error(where, "whole numbers, lists of them or a word", value))
    return value


def _weights(where: str, arrays: Mapping[str, Any], name: str) -> NDArray[np.float64]:
    found = np.asarray(arrays.get(name))
    if found.dtype.kind != "f" or not np.all(np.isfinite(found)):
        given = "no such array" if name not in arrays else f"{found.dtype} of shape {found.shape}"
        raise TrainingError(field_error(f"{where}, {name}", "finite numbers", given, _AGAIN))
    return found.astype(np.float64)
