"""A trained network as a file: its state, its models as text, and how it was trained.

The file is an ``.npz`` archive: ``np.load`` and ``unzip`` open it. ``about.json`` says what it is, ``excitatory.toml``,
``inhibitory.toml`` and ``rule.toml`` are its models. It is parsed, never executed, and checked before it is used.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from brian2 import Quantity
from numpy.typing import NDArray

from biosnn import archive, files
from biosnn.datasets import Dataset
from biosnn.errors import DataError, ModelError, field_error
from biosnn.learning.diehl_cook import DiehlCookNetwork, NetworkSettings
from biosnn.learning.history import TrainingHistory
from biosnn.learning.presenter import Played, Protocol
from biosnn.learning.schedule import TrainingSchedule
from biosnn.learning.scoring import Score
from biosnn.model import from_toml, to_toml
from biosnn.quantity import format_quantity, parse_quantity

FORMAT = 1
ABOUT = "about.json"
_AGAIN = "This network is damaged: train it again."
_LIMIT = 10**6  # bytes of the texts
_MODELS = {
    "neuron": "excitatory.toml",
    "inhibitory": "inhibitory.toml",
    "rule": "rule.toml",
    "coding": "inputs.toml",
}
_OWN = ("neuron_labels", "mean", "learned_from", "held_out")
# What shows the images begins anew with each run.
_PRESENTER = ("presenter.", "inputs.")
# What fields are called in the file, where that is not as here: networks of earlier versions are read.
_IN_FILE = {"reset_state": "settle", "minimum_spikes": "fewest_spikes", "intensity_step": "brighter"}
_WEIGHTS = "state/plastic.w"
D = TypeVar("D", NetworkSettings, Protocol)


@dataclasses.dataclass(frozen=True)
class Trained:
    """A network that has learned.

    Parameters
    ----------
    network_settings : NetworkSettings
        What it is made of; its models are there in full.
    protocol : Protocol
        How images were shown.
    state : mapping of str to Quantity
        What it has come to, for `train` to go on from.
    time : float
        The network's time (s).
    neuron_labels : ndarray of int, shape (neurons,)
        The class of each cell; -1 for none.
    mean : ndarray, shape (classes, neurons)
        The mean response of each cell to the training images of each class.
    learned_from, held_out : ndarray of int
        Images of the dataset that it has learned from, and those that it has not seen.
    dataset : str
        The dataset's name.
    shape : tuple of int
        Height and width of an image.
    n_training : int
        Presentations that it has learned from in all.
    accuracy : float
        Of the vote on images held out.
    settings : mapping of str to str
        The settings of the study that trained it; empty if none did.
    """

    network_settings: NetworkSettings
    protocol: Protocol
    state: Mapping[str, Quantity]
    time: float
    neuron_labels: NDArray[np.int64]
    mean: NDArray[np.float64]
    learned_from: NDArray[np.int64]
    held_out: NDArray[np.int64]
    dataset: str
    shape: tuple[int, int]
    n_training: int
    accuracy: float
    settings: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def fields(self) -> NDArray[Any]:
        """Receptive fields: the input weights of each cell, laid out like an image; shape (neurons, height, width)."""
        weights = np.asarray(self.state["plastic.w"]).reshape(-1, self.network_settings.size).T
        return weights.reshape(-1, *self.shape)


def trained(
    built: DiehlCookNetwork,
    schedule: TrainingSchedule,
    history: TrainingHistory,
    score: Score,
    *,
    before: int = 0,
    settings: Mapping[str, str] | None = None,
) -> Trained:
    """What a network has become in a training run.

    Parameters
    ----------
    built, schedule, history, score
        The network, what it saw, what it did, and how well.
    before : int
        Training presentations that it had had before this run.
    settings : mapping, optional
        Of the study.
    """
    if isinstance(built.settings.coding, Played):
        do = "Keep its state by itself (TrainingHistory.state)."
        raise ModelError(
            field_error("trained, inputs", "a model or Poisson spike trains", "spikes that are played", do)
        )
    groups = {
        "neuron": built.excitatory,
        "inhibitory": built.inhibitory,
        "rule": built.plastic,
        "coding": built.presenter.inputs,
    }
    passed = schedule.n_training if built.stands_still else history.done
    # The models have their presets' values already.
    models = {name: group.model for name, group in groups.items() if hasattr(group, "model")}
    own: dict[str, Any] = {"neuron_preset": "", "rule_preset": "", **models}
    return Trained(
        network_settings=dataclasses.replace(built.settings, **own),
        protocol=built.protocol,
        state={key: value for key, value in history.state.items() if not key.startswith(_PRESENTER)},
        time=history.begin + passed * float(built.protocol.period),
        neuron_labels=score.neuron_labels,
        mean=score.mean,
        learned_from=np.sort(schedule.train),
        held_out=np.sort(schedule.test),
        dataset=built.data.name,
        shape=built.data.shape,
        n_training=before + schedule.n_training,
        accuracy=score.vote,
        settings=dict(settings or {}),
    )


def save_network(network: Trained, path: Path | str) -> None:
    """Write a trained network into a file, whole or not at all; `DataError` if it cannot be written."""
    own = {name: getattr(network, name) for name in _OWN}
    arrays = {**own, **{f"state/{key}": value for key, value in network.state.items()}}
    about = {
        "format": FORMAT,
        "biosnn": version("biosnn"),
        **{key: getattr(network, key) for key in ("dataset", "accuracy", "time")},
        "lessons": network.n_training,
        "shape": list(network.shape),
        "circuit": _plain(network.network_settings),
        "protocol": _plain(network.protocol),
        "settings": dict(network.settings),
        "arrays": archive.entries(arrays),
    }
    models = {file: getattr(network.network_settings, name) for name, file in _MODELS.items()}
    texts = {file: to_toml(model) for file, model in models.items() if model}
    try:
        archive.write(Path(path), arrays, {ABOUT: json.dumps(about, indent=1), **texts})
    except OSError as problem:
        raise DataError(f"{path}: cannot be written ({problem}).") from None


def load_network(path: Path | str) -> Trained:
    """Read a trained network from its file.

    Raises
    ------
    DataError
        If it is no such file, of another version, or damaged.
    """
    path = Path(path)
    with files.reading(path, DataError, "a trained network", _AGAIN):
        texts = archive.read_texts(path, DataError, _LIMIT)
        if ABOUT not in texts:
            raise DataError(field_error(str(path), f"a trained network, with {ABOUT} in it", sorted(texts)))
        about = files.parse_json(f"{path}: {ABOUT}", texts[ABOUT], DataError, _AGAIN)
        found = about.get("format") if isinstance(about, dict) else type(about).__name__
        if found != FORMAT:
            raise DataError(field_error(f"{path} format", str(FORMAT), found, "It is of another version of biosnn."))
        return _load(path, about, texts)


def _load(path: Path, about: Mapping[str, Any], texts: Mapping[str, str]) -> Trained:
    models: dict[str, Any] = {}
    for name, file in _MODELS.items():
        with files.reading(f"{path}: {file}", DataError, "a model", _AGAIN):
            models[name] = from_toml(texts[file], f"{path}: {file}") if file in texts else ""
    with files.reading(f"{path}: {ABOUT}", DataError, "the description of a trained network", _AGAIN):
        settings = _dataclass(NetworkSettings, {**about["circuit"], **models})
        protocol = _dataclass(Protocol, about["protocol"])
        shape = (int(about["shape"][0]), int(about["shape"][1]))
        numbers = {"time": float(about["time"]), "lessons": int(about["lessons"]), "accuracy": float(about["accuracy"])}
        texts = {str(key): str(text) for key, text in about["settings"].items()}
    for name, number in numbers.items():
        if not 0 <= number < np.inf:
            raise DataError(field_error(f"{path}: {ABOUT} {name}", "a number, not negative", number))
    arrays = archive.read_arrays(path, str(path), about["arrays"], DataError)
    _check_arrays(path, settings, shape, arrays)
    return Trained(
        network_settings=settings,
        protocol=protocol,
        state={k.removeprefix("state/"): Quantity(v) for k, v in arrays.items() if k.startswith("state/")},
        dataset=str(about["dataset"]),
        shape=shape,
        settings=texts,
        time=numbers["time"],
        n_training=int(numbers["lessons"]),
        accuracy=numbers["accuracy"],
        **{name: arrays[name] for name in _OWN},
    )


def _check_arrays(path: Path, settings: NetworkSettings, shape: tuple[int, int], arrays: Mapping[str, Any]) -> None:
    """See that what a network has come to is all there, fits it, and has no NaN."""
    missing = [name for name in (*_OWN, _WEIGHTS) if name not in arrays]
    if missing:
        raise DataError(
            field_error(str(path), f"the arrays {', '.join((*_OWN, _WEIGHTS))}", f"no {missing[0]}", _AGAIN)
        )
    weights = arrays[_WEIGHTS]
    if np.shape(weights) != (shape[0] * shape[1] * settings.size,):
        expected = f"{settings.size} times {shape[0]}x{shape[1]} weights"
        raise DataError(field_error(f"{path}: plastic.w", expected, np.shape(weights)))
    if arrays["neuron_labels"].shape != (settings.size,):
        expected, got = f"{settings.size} labels", arrays["neuron_labels"].shape
        raise DataError(field_error(f"{path}: neuron_labels", expected, got))
    if arrays["mean"].ndim != 2 or arrays["mean"].shape[1] != settings.size:
        expected = f"shape (classes, {settings.size})"
        raise DataError(field_error(f"{path}: mean", expected, arrays["mean"].shape))
    for name in ("neuron_labels", "learned_from", "held_out"):
        least = -1 if name == "neuron_labels" else 0
        array = arrays[name]
        if array.ndim != 1 or array.dtype.kind not in "iu" or array.min(initial=least) < least:
            expected = f"whole numbers from {least}, in one row"
            raise DataError(field_error(f"{path}: {name}", expected, f"{array.dtype} {array.shape}"))
    for name, array in arrays.items():
        plain = np.asarray(array)
        if plain.dtype.kind not in "biuf" or (plain.dtype.kind == "f" and np.isnan(plain).any()):
            raise DataError(field_error(f"{path}: {name}", "numbers, none of them NaN", str(plain.dtype)))


def _plain(instance: NetworkSettings | Protocol) -> dict[str, Any]:
    """The fields of a dataclass as JSON has them, but models: quantities as texts."""
    values = {field.name: getattr(instance, field.name) for field in dataclasses.fields(instance)}
    return {
        _IN_FILE.get(name, name): str(format_quantity(value)) if isinstance(value, Quantity) else value
        for name, value in values.items()
        if name not in _MODELS
    }


def _dataclass(cls: type[D], values: Mapping[str, Any]) -> D:
    """The dataclass that `_plain` has written."""
    kinds = {field.name: str(field.type) for field in dataclasses.fields(cls)}
    made: dict[str, Any] = {}
    for name, kind in kinds.items():
        value = values[_IN_FILE.get(name, name)]
        if kind == "Quantity":
            value = parse_quantity(value)
        elif kind.startswith("tuple"):
            value = tuple(str(item) for item in value)
        elif kind in ("int", "float", "str"):
            value = {"int": int, "float": float, "str": str}[kind](value)
        made[name] = value
    return cls(**made)


def check_fits(network: Trained, data: Dataset, where: str) -> None:
    """See that images are those that a network has learned from.

    Raises
    ------
    DataError
        If they are of another shape, or there are fewer of them.
    """
    if data.shape != network.shape:
        size = f"{network.shape[0]}x{network.shape[1]}"
        expected = f"images of {size} pixels, as it has learned from"
        raise DataError(field_error(f"{where}: dataset {data.name}", expected, data.shape))
    last = int(max(network.learned_from.max(initial=0), network.held_out.max(initial=0)))
    if data.name == network.dataset and last >= len(data.labels):
        raise DataError(field_error(f"{where}: images of {data.name}", f"more than {last}", len(data.labels)))
