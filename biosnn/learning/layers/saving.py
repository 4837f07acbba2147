"""Trained layers as a file: what they are made of, their models as text, weights and thresholds.

The file is an ``.npz`` archive: ``np.load`` and ``unzip`` open it. It is parsed, never executed,
and checked before it is used.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from brian2 import Quantity

from biosnn import archive, codec, files
from biosnn.catalogue import neuron_model, synapse_model
from biosnn.errors import BiosnnError, DataError, field_error
from biosnn.groups.values import with_values
from biosnn.learning.layers.build import TIMED, name_of
from biosnn.learning.layers.description import Cells, Contrast, Convolution, Layer, LayerSettings, Plastic, Pool
from biosnn.learning.layers.trained import LayersTrained
from biosnn.model import from_toml, to_toml
from biosnn.quantity import parse_quantity

KIND, FORMAT, ABOUT = "layers", 1, "about.json"
_AGAIN = "This network is damaged: train it again."
_LIMIT = 10**6  # bytes of the texts
_KINDS: dict[str, Any] = {kind.__name__: kind for kind in (Convolution, Pool, Cells)}
_MODELS = ("rule", "neuron")


def save_layers(trained: LayersTrained, path: Path | str) -> None:
    """Write trained layers into a file, whole or not at all; `DataError` if it cannot be written."""
    layers: list[Any] = []
    texts: dict[str, str] = {}
    for number, layer in enumerate(trained.layers.layers):
        if isinstance(layer, Plastic):
            rule = with_values(synapse_model(layer.rule), "", layer.rule_values)
            neuron = with_values(neuron_model(layer.neuron), "", layer.neuron_values)
            texts |= {f"rule_{number}.toml": to_toml(rule), f"neuron_{number}.toml": to_toml(neuron)}
            # These would else be those that follow from when the layer answers.
            timed = {name: value for name, value in layer.neuron_values.items() if name in TIMED}
            layer = dataclasses.replace(layer, rule_values={}, neuron_values=timed)
        layers.append({"layer": type(layer).__name__, **codec.plain(layer, without=_MODELS)})
    arrays = {f"state/{key}": value for key, value in trained.state.items()}
    about = {
        "kind": KIND,
        "format": FORMAT,
        "biosnn": version("biosnn"),
        "layers": layers,
        **codec.plain(trained.layers, without=("layers",)),
        **codec.plain(trained, without=("layers", "state", "histories")),
        "arrays": archive.entries(arrays),
    }
    try:
        archive.write(Path(path), arrays, {ABOUT: json.dumps(about, indent=1), **texts})
    except OSError as problem:
        raise DataError(f"{path}: cannot be written ({problem}).") from None


def is_saved_layers(path: Path | str) -> bool:
    """Whether a file is one that `save_layers` wrote."""
    try:
        about = json.loads(archive.read_texts(Path(path), DataError, _LIMIT).get(ABOUT, "null"))
    except (BiosnnError, ValueError):
        return False
    return isinstance(about, dict) and about.get("kind") == KIND


def load_layers(path: Path | str) -> LayersTrained:
    """Read trained layers from their file.

    Raises
    ------
    DataError
        If it is no such file, of another version, or damaged.
    """
    path = Path(path)
    with files.reading(path, DataError, "trained layers", _AGAIN):
        texts = archive.read_texts(path, DataError, _LIMIT)
        if ABOUT not in texts:
            raise DataError(field_error(str(path), f"trained layers, with {ABOUT} in it", sorted(texts)))
        about = files.parse_json(f"{path}: {ABOUT}", texts[ABOUT], DataError, _AGAIN)
        found = (about.get("kind"), about.get("format")) if isinstance(about, dict) else type(about).__name__
        if found != (KIND, FORMAT):
            raise DataError(field_error(f"{path} kind and format", f"{KIND!r} and {FORMAT}", found))
        arrays = archive.read_arrays(path, str(path), about.get("arrays"), DataError)
        settings = _settings(path, about, texts)
        state = {key.removeprefix("state/"): Quantity(value) for key, value in arrays.items()}
        given = {"layers": settings, "state": state, "histories": ()}
        where = f"{path}: {ABOUT}"
        trained: LayersTrained = codec.made(LayersTrained, about, where, DataError, given=given, ignore_unknown=True)
        _check(path, trained)
        return trained


def _settings(path: Path, about: Mapping[str, Any], texts: Mapping[str, str]) -> LayerSettings:
    where, given = f"{path}: {ABOUT}", about.get("layers")
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise DataError(field_error(f"{where} layers", "a list of layers", type(given).__name__, _AGAIN))
    layers = tuple(_layer(path, number, one, texts) for number, one in enumerate(given))
    contrast = codec.made(Contrast, about.get("contrast"), f"{where} contrast", DataError)
    made: LayerSettings = codec.made(
        LayerSettings, about, where, DataError, given={"layers": layers, "contrast": contrast}, ignore_unknown=True
    )
    return made


def _layer(path: Path, number: int, one: Mapping[str, Any], texts: Mapping[str, str]) -> Layer:
    where, kind = f"{path}: {ABOUT} layers[{number}]", _KINDS.get(str(one.get("layer")))
    if kind is None:
        raise DataError(field_error(f"{where} layer", f"one of {', '.join(_KINDS)}", one.get("layer"), _AGAIN))
    models: dict[str, Any] = {}
    for name in _MODELS if issubclass(kind, Plastic) else ():
        file = f"{name}_{number}.toml"
        if file not in texts:
            raise DataError(field_error(str(path), f"the model {file}", "none", _AGAIN))
        with files.reading(f"{path}: {file}", DataError, "a model"):
            models[name] = from_toml(texts[file], f"{path}: {file}")
    fields = {key: value for key, value in one.items() if key != "layer"}
    layer: Layer = codec.made(kind, fields, where, DataError, given=models)
    if isinstance(layer, Plastic):
        with files.reading(where, DataError, "values of a neuron"):
            timed = {name: parse_quantity(str(value)) for name, value in layer.neuron_values.items()}
        layer = dataclasses.replace(layer, neuron_values=timed)
    return layer


def _check(path: Path, trained: LayersTrained) -> None:
    """See that weights and thresholds are all there, fit the layers, and are numbers."""
    shapes = trained.layers.shapes(trained.image)
    for number in trained.layers.plastic:
        layer, name = trained.layers.layers[number], name_of(trained.layers.layers[number], number)
        before, channels = shapes[number], shapes[number + 1][2]
        seen = int(np.prod(before)) if isinstance(layer, Cells) else layer.kernel**2 * before[2]  # type: ignore[union-attr]
        sizes = {f"{name}_synapses.w": seen * channels}
        if isinstance(layer, Plastic) and layer.adaptation:
            sizes[f"{name}_thresholds.theta"] = channels
        for key, size in sizes.items():
            value = np.asarray(trained.state.get(key, ()))
            if value.size != size or value.dtype.kind != "f" or not np.isfinite(value).all():
                given = f"{value.dtype} of shape {value.shape}"
                raise DataError(field_error(f"{path}: {key}", f"{size} finite numbers", given, _AGAIN))
