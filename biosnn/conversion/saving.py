"""A converted network as a file: its layers, weights and thresholds, the model of its neurons, and how it was made.

The file is an ``.npz`` archive, which ``np.load`` and ``unzip`` open. ``network.json`` describes the layers,
``neuron.toml`` is the neuron's model in full. It is parsed, never executed, and checked before it is used.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
import os
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn import archive, files
from biosnn.ann import layers as kinds
from biosnn.ann.graph import Graph
from biosnn.ann.layers import Layer
from biosnn.conversion.converting import ConvertedNetwork
from biosnn.conversion.hybrid.network import HybridNetwork, to_hybrid
from biosnn.conversion.network import Adjustment, Options, SpikingNetwork, wired_for
from biosnn.conversion.populations import RELU
from biosnn.conversion.thresholds import Balance
from biosnn.errors import BiosnnError, ConversionError, field_error, unknown
from biosnn.model import NeuronModel, from_toml, to_toml

FORMAT = 1
ABOUT, NEURON = "network.json", "neuron.toml"
_LIMIT = 10**7  # bytes of the texts
_AGAIN = "Convert the network again."
_KINDS: dict[str, Callable[..., Layer]] = {
    kind.__name__: kind
    for kind in (
        kinds.Input,
        kinds.Convolution,
        kinds.Linear,
        kinds.Scale,
        kinds.Relu,
        kinds.Add,
        kinds.Concat,
        kinds.AveragePool,
        kinds.MaxPool,
        kinds.Select,
    )
}
_ARRAYS = ("weight", "bias", "source")


def save(network: SpikingNetwork | HybridNetwork, path: str | os.PathLike[str]) -> None:
    """Write a converted network into a file, whole or not at all.

    Parameters
    ----------
    network : SpikingNetwork or HybridNetwork
        The network.
    path : str or path
        The file, ``.npz``.

    Raises
    ------
    ConversionError
        If the file has another suffix or cannot be written.
    """
    file = Path(path)
    if file.suffix != ".npz":
        raise ConversionError(field_error(f"{file}", "a file name that ends in .npz", file.suffix))
    snn = network.whole if isinstance(network, HybridNetwork) else network
    arrays: dict[str, Any] = {f"thresholds/{name}": value for name, value in snn.thresholds.items()}
    for name, adjustment in snn.adjusted.items():
        arrays |= {f"adjusted/{name}/{what}": value for what, value in vars(adjustment).items()}
    described = []
    for layer in snn.graph.layers:
        fields = {field.name: getattr(layer, field.name) for field in dataclasses.fields(layer)}
        arrays |= {f"layers/{layer.name}/{name}": fields.pop(name) for name in _ARRAYS if name in fields}
        if isinstance(layer, kinds.Relu) and layer.most == float("inf"):
            del fields["most"]
        described.append({"kind": type(layer).__name__, **fields})
    options = snn.options
    keys = {name: f"array_{number}" for number, name in enumerate(arrays)}
    about = {
        "format": FORMAT,
        "biosnn": version("biosnn"),
        "layers": described,
        "output": snn.graph.output,
        "head": list(snn.graph.head),
        "lowest": snn.lowest,
        "highest": snn.highest,
        "options": {name: getattr(options, name) for name in ("code", "start", "input", "output")},
        "balance": dataclasses.asdict(options.balance),
        "arrays": {name: entry | {"key": keys[name]} for name, entry in archive.entries(arrays).items()},
    }
    if isinstance(network, HybridNetwork):
        about["spiking"] = list(network.spiking)
    texts = {ABOUT: json.dumps(about, indent=1), NEURON: to_toml(options.model)}
    try:
        archive.write(file, {keys[name]: array for name, array in arrays.items()}, texts)
    except OSError as problem:
        raise ConversionError(f"{file}: cannot be written ({problem}).") from None


def load(path: str | os.PathLike[str]) -> ConvertedNetwork | HybridNetwork:
    """Read a converted network that `save` wrote.

    Returns
    -------
    ConvertedNetwork or HybridNetwork
        What was written.

    Raises
    ------
    ConversionError
        If the file is missing or damaged, or is something else. The message says where.
    """
    file = Path(path)
    with files.reading(file, ConversionError, "a converted network", _AGAIN):
        texts = archive.read_texts(file, ConversionError, _LIMIT)
        about = _about(file, texts)
        arrays = archive.read_arrays(file, f"{file}: {ABOUT}", _field(file, about, "arrays", dict), ConversionError)
        with files.reading(f"{file}: {NEURON}", ConversionError, "a model of a neuron", _AGAIN):
            model = from_toml(texts[NEURON], f"{file}: {NEURON}")
            if not isinstance(model, NeuronModel):
                raise ConversionError(field_error(f"{file}: {NEURON}", "a neuron", type(model).__name__))
        found = _network(file, about, model, arrays)
        if "spiking" not in about:
            return found
        return to_hybrid(found, [str(name) for name in _field(file, about, "spiking", list)])


def _network(
    file: Path, about: Mapping[str, Any], model: NeuronModel, arrays: Mapping[str, NDArray[Any]]
) -> ConvertedNetwork:
    with files.reading(f"{file}: {ABOUT}", ConversionError, "the description of a converted network", _AGAIN):
        graph = Graph(
            tuple(_layer(file, entry, arrays) for entry in _field(file, about, "layers", list)),
            _field(file, about, "output", str),
            tuple(map(str, _field(file, about, "head", list))),
        )
        balance = Balance(**_field(file, about, "balance", dict))
        chosen = _field(file, about, "options", dict)
        if chosen.get("code") == "rate":
            chosen = chosen | {"neuron": model}
        options = Options(balance, **chosen)
        wired = wired_for(graph, options)
        lowest, highest = (_field(file, about, name, float) for name in ("lowest", "highest"))
    thresholds, adjusted = _thresholds(file, wired, arrays), _adjusted(file, wired, arrays)
    return ConvertedNetwork(wired, thresholds, lowest, highest, options, adjusted)


def _thresholds(file: Path, wired: Any, arrays: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for population in wired.populations:
        name = f"thresholds/{population.name}"
        value = np.asarray(arrays.get(name, ()), np.float32)
        if value.shape != population.shape[:1] or not np.all((value > 0) & np.isfinite(value)):
            expected = f"{population.shape[0]} numbers above 0"
            raise ConversionError(field_error(f"{file}: {name}", expected, f"shape {value.shape}"))
        found[population.name] = value
    return found


def _adjusted(file: Path, wired: Any, arrays: Mapping[str, Any]) -> dict[str, Adjustment]:
    found, names = {}, [field.name for field in dataclasses.fields(Adjustment)]
    for population in wired.populations:
        keys = [f"adjusted/{population.name}/{name}" for name in names]
        if any(key in arrays for key in keys):
            if population.kind != RELU:
                raise ConversionError(field_error(f"{file}: {keys[0]}", "adjustments of ReLUs only", population.kind))
            values = [np.asarray(arrays.get(key, ()), np.float32) for key in keys]
            for key, value in zip(keys, values, strict=True):
                if value.shape != population.shape[:1]:
                    expected = f"{population.shape[0]} numbers"
                    raise ConversionError(field_error(f"{file}: {key}", expected, f"shape {value.shape}"))
            with files.reading(f"{file}: {population.name!r}", ConversionError, "adjustments of thresholds"):
                found[population.name] = Adjustment(*values)
    return found


def is_converted(path: str | os.PathLike[str]) -> bool:
    """Whether a file is one that `save` wrote."""
    try:
        texts = archive.read_texts(Path(path), ConversionError, _LIMIT)
    except BiosnnError:
        return False
    return ABOUT in texts


def _about(file: Path, texts: Mapping[str, str]) -> dict[str, Any]:
    if ABOUT not in texts or NEURON not in texts:
        expected = f"a converted network, with {ABOUT} and {NEURON} in it"
        raise ConversionError(field_error(f"{file}", expected, sorted(texts) or "arrays only"))
    about = files.parse_json(f"{file}: {ABOUT}", texts[ABOUT], ConversionError, _AGAIN)
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        given = about.get("format") if isinstance(about, dict) else type(about).__name__
        do = "It was written by another version of biosnn: convert the network again."
        raise ConversionError(field_error(f"{file}: {ABOUT} format", str(FORMAT), given, do))
    return about


def _field(file: Path, about: Mapping[str, Any], name: str, kind: type) -> Any:
    value: Any = about.get(name)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, kind) or (isinstance(value, float) and not math.isfinite(value)):
        raise ConversionError(field_error(f"{file}: {ABOUT} {name}", kind.__name__, value))
    return value


def _layer(file: Path, entry: Any, arrays: Mapping[str, Any]) -> Layer:
    where = f"{file}: {ABOUT} layers"
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise ConversionError(field_error(where, "layers with a kind and a name", entry))
    kind = _KINDS.get(str(entry.get("kind")))
    if kind is None:
        raise ConversionError(f"{where}: {unknown('kind', str(entry.get('kind')), _KINDS)}")
    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()}
    del fields["kind"]
    known = set(inspect.signature(kind).parameters)
    for name in fields:
        if name not in known:
            raise ConversionError(f"{where} {entry['name']!r}: {unknown('field', name, known)}")
    for name in _ARRAYS:
        if name in known:
            key = f"layers/{entry['name']}/{name}"
            if key not in arrays:
                raise ConversionError(field_error(f"{file}", f"the array {key!r}", sorted(arrays)))
            fields[name] = arrays[key]
    return kind(**fields)
