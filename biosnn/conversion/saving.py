"""A converted network as a file: its layers, weights and thresholds, the model of its neurons, and how it was made.

The file is an ``.npz`` archive, which ``np.load`` and ``unzip`` open. ``network.json`` describes the layers,
``neuron.toml`` is the neuron's model in full. It is parsed, never executed, and checked before it is used.
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
from numpy.typing import NDArray

from biosnn import archive, codec, files
from biosnn.ann import layers as kinds
from biosnn.ann.graph import Graph
from biosnn.ann.layers import Layer
from biosnn.conversion.converting import ConvertedNetwork
from biosnn.conversion.hybrid.network import HybridNetwork, to_hybrid
from biosnn.conversion.network import Adjustment, Options, SpikingNetwork, population_network_for
from biosnn.conversion.populations import RELU
from biosnn.conversion.thresholds import ThresholdSettings
from biosnn.errors import BiosnnError, ConversionError, field_error, unknown
from biosnn.model import NeuronModel, from_toml, to_toml

FORMAT = 1
ABOUT, NEURON = "network.json", "neuron.toml"
_LIMIT = 10**7  # bytes of the texts
_AGAIN = "Convert the network again."
_KINDS: dict[str, type[Layer]] = {
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


@dataclasses.dataclass(frozen=True, kw_only=True)
class _About:
    """What ``network.json`` says."""

    format: int
    biosnn: str
    layers: list[dict[str, Any]]
    output: str
    head: tuple[str, ...]
    lowest: float
    highest: float
    options: dict[str, Any]
    balance: ThresholdSettings
    arrays: dict[str, Any]
    spiking: tuple[str, ...] | None = None
    recipe: str = "plain"


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
        codec.plain(adjustment, apart=arrays, place=f"adjusted/{name}")
    layers = [
        {"kind": type(layer).__name__, **codec.plain(layer, apart=arrays, place=f"layers/{layer.name}")}
        for layer in snn.graph.layers
    ]
    keys = {name: f"array_{number}" for number, name in enumerate(arrays)}
    about = _About(
        format=FORMAT,
        biosnn=version("biosnn"),
        layers=layers,
        output=snn.graph.output,
        head=snn.graph.head,
        lowest=snn.lowest,
        highest=snn.highest,
        options=codec.plain(snn.options, without=("balance", "neuron", "preset")),
        balance=snn.options.balance,
        arrays={name: entry | {"key": keys[name]} for name, entry in archive.entries(arrays).items()},
        spiking=network.spiking if isinstance(network, HybridNetwork) else None,
        recipe=snn.recipe,
    )
    texts = {ABOUT: json.dumps(codec.plain(about), indent=1), NEURON: to_toml(snn.options.model)}
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
        arrays = archive.read_arrays(file, f"{file}: {ABOUT}", about.arrays, ConversionError)
        with files.reading(f"{file}: {NEURON}", ConversionError, "a model of a neuron", _AGAIN):
            model = from_toml(texts[NEURON], f"{file}: {NEURON}")
            if not isinstance(model, NeuronModel):
                raise ConversionError(field_error(f"{file}: {NEURON}", "a neuron", type(model).__name__))
        converted = _network(file, about, model, arrays)
        return converted if about.spiking is None else to_hybrid(converted, about.spiking)


def _network(file: Path, about: _About, model: NeuronModel, arrays: Mapping[str, NDArray[Any]]) -> ConvertedNetwork:
    where = f"{file}: {ABOUT}"
    with files.reading(where, ConversionError, "the description of a converted network", _AGAIN):
        graph = Graph(
            tuple(_layer(f"{where} layers", entry, arrays) for entry in about.layers), about.output, about.head
        )
        neuron = {"neuron": model} if about.options.get("code") == "rate" else {}
        given = {"balance": about.balance, **neuron}
        options = codec.made(Options, about.options, f"{where} options", ConversionError, given=given)
        populated = population_network_for(graph, options)
    thresholds, adjusted = _thresholds(file, populated, arrays), _adjusted(file, populated, arrays)
    return ConvertedNetwork(populated, thresholds, about.lowest, about.highest, options, adjusted, about.recipe)


def _thresholds(file: Path, populated: Any, arrays: Mapping[str, Any]) -> dict[str, Any]:
    thresholds = {}
    for population in populated.populations:
        name = f"thresholds/{population.name}"
        value = np.asarray(arrays.get(name, ()), np.float32)
        if value.shape != population.shape[:1] or not np.all((value > 0) & np.isfinite(value)):
            expected = f"{population.shape[0]} numbers above 0"
            raise ConversionError(field_error(f"{file}: {name}", expected, f"shape {value.shape}"))
        thresholds[population.name] = value
    return thresholds


def _adjusted(file: Path, populated: Any, arrays: Mapping[str, Any]) -> dict[str, Adjustment]:
    adjustments, names = {}, [field.name for field in dataclasses.fields(Adjustment)]
    for population in populated.populations:
        keys = [f"adjusted/{population.name}/{name}" for name in names]
        if any(key in arrays for key in keys):
            if population.kind != RELU:
                raise ConversionError(field_error(f"{file}: {keys[0]}", "adjustments of ReLUs only", population.kind))
            values = [np.asarray(arrays.get(key, ()), np.float32) for key in keys]
            for key, name, value in zip(keys, names, values, strict=True):
                if value.shape != population.shape[:1] and (name == "excitability" or value.shape != population.shape):
                    expected = f"{population.shape[0]} numbers"
                    raise ConversionError(field_error(f"{file}: {key}", expected, f"shape {value.shape}"))
            with files.reading(f"{file}: {population.name!r}", ConversionError, "adjustments of thresholds"):
                adjustments[population.name] = Adjustment(*values)
    return adjustments


def is_converted(path: str | os.PathLike[str]) -> bool:
    """Whether a file is one that `save` wrote."""
    try:
        texts = archive.read_texts(Path(path), ConversionError, _LIMIT)
    except BiosnnError:
        return False
    return ABOUT in texts


def _about(file: Path, texts: Mapping[str, str]) -> _About:
    if ABOUT not in texts or NEURON not in texts:
        expected = f"a converted network, with {ABOUT} and {NEURON} in it"
        raise ConversionError(field_error(f"{file}", expected, sorted(texts) or "arrays only"))
    about = files.parse_json(f"{file}: {ABOUT}", texts[ABOUT], ConversionError, _AGAIN)
    given = about.get("format") if isinstance(about, dict) else type(about).__name__
    if given != FORMAT:
        do = "It was written by another version of biosnn: convert the network again."
        raise ConversionError(field_error(f"{file}: {ABOUT} format", str(FORMAT), given, do))
    parsed: _About = codec.made(_About, about, f"{file}: {ABOUT}", ConversionError)
    return parsed


def _layer(where: str, entry: Mapping[str, Any], arrays: Mapping[str, Any]) -> Layer:
    name, kind = entry.get("name"), str(entry.get("kind"))
    if kind not in _KINDS:
        raise ConversionError(f"{where}: {unknown('kind', kind, _KINDS)}")
    content = {field: value for field, value in entry.items() if field != "kind"}
    keys = {field.name: f"layers/{name}/{field.name}" for field in dataclasses.fields(_KINDS[kind])}
    given = {field: arrays[key] for field, key in keys.items() if key in arrays}
    layer: Layer = codec.made(_KINDS[kind], content, f"{where} {name!r}", ConversionError, given=given)
    return layer
