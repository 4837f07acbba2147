"""A trained network as a file: its state, its models as text, and how it was trained.

The file is an ``.npz`` archive: ``np.load`` and ``unzip`` open it. ``about.json`` says what it is, ``excitatory.toml``,
``inhibitory.toml`` and ``rule.toml`` are its models. It is parsed, never executed, and checked before it is used.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from brian2 import Quantity
from numpy.typing import NDArray

from biosnn import archive, codec, files
from biosnn.datasets import Dataset
from biosnn.display import bounded, brief, card, table
from biosnn.errors import DataError, ModelError, field_error
from biosnn.learning.diehl_cook import DiehlCookNetwork, NetworkSettings
from biosnn.learning.evaluation.scoring import Score
from biosnn.learning.history import TrainingHistory
from biosnn.learning.presenter import Played, Protocol
from biosnn.learning.schedule import TrainingSchedule
from biosnn.model import from_toml, to_toml

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
# How fields were called when earlier versions wrote them.
_RENAMED = {
    "lessons": "n_training",
    "settle": "reset_state",
    "fewest_spikes": "minimum_spikes",
    "brighter": "intensity_step",
}
_WEIGHTS = "state/plastic.w"


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

    def __repr__(self) -> str:
        made = self.network_settings
        return bounded(
            f"<Trained network: {made.size} neurons that have learned from {self.n_training:,} presentations of "
            f"{self.dataset}; accuracy {self.accuracy:.1%} on images held out>"
        )

    def _repr_html_(self) -> str:
        rows = [
            ("neurons", f"{self.network_settings.size:,}"),
            ("learned from", f"{self.n_training:,} presentations of {self.dataset}, {self.shape[0]} x {self.shape[1]}"),
            ("accuracy on images held out", f"{self.accuracy:.1%}"),
            ("neurons without a class", f"{int((self.neuron_labels < 0).sum()):,}"),
            ("state", brief(self.state)),
        ]
        return card("Trained network", "", table((), rows))

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
        **codec.plain(network, without=("network_settings", "state", *_OWN)),
        "network_settings": codec.plain(network.network_settings, without=_MODELS),
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
        if isinstance(about, dict) and about.get("kind") == "layers":
            do = "Read it with biosnn.learning.layers.load_layers."
            raise DataError(field_error(str(path), "a trained network of one layer", "several layers", do))
        found = about.get("format") if isinstance(about, dict) else type(about).__name__
        if found != FORMAT:
            raise DataError(field_error(f"{path} format", str(FORMAT), found, "It is of another version of biosnn."))
        arrays = archive.read_arrays(path, str(path), about.get("arrays"), DataError)
        try:
            network = _load(path, about, texts, arrays)
            _check_arrays(path, network.network_settings, network.shape, arrays)
        except DataError as problem:
            raise DataError(f"{problem} {_AGAIN}") from None
        return network


def _load(path: Path, about: Mapping[str, Any], texts: Mapping[str, str], arrays: Mapping[str, Any]) -> Trained:
    made, where = partial(codec.made, error=DataError, ignore_unknown=True, renamed=_RENAMED), f"{path}: {ABOUT}"
    models: dict[str, Any] = {}
    for name, file in _MODELS.items():
        with files.reading(f"{path}: {file}", DataError, "a model"):
            models[name] = from_toml(texts[file], f"{path}: {file}") if file in texts else ""
    content = about.get("network_settings", about.get("circuit"))  # as earlier versions called it
    given = {
        "network_settings": made(NetworkSettings, content, f"{where} network_settings", given=models),
        "state": {k.removeprefix("state/"): Quantity(v) for k, v in arrays.items() if k.startswith("state/")},
        **{name: arrays.get(name) for name in _OWN},
    }
    network: Trained = made(Trained, about, where, given=given)
    for name in ("time", "n_training", "accuracy"):
        if getattr(network, name) < 0:
            raise DataError(field_error(f"{where} {name}", "a number, not negative", getattr(network, name)))
    return network


def _check_arrays(path: Path, settings: NetworkSettings, shape: tuple[int, int], arrays: Mapping[str, Any]) -> None:
    """See that what a network has come to is all there, fits it, and has no NaN."""
    missing = [name for name in (*_OWN, _WEIGHTS) if name not in arrays]
    if missing:
        raise DataError(field_error(str(path), f"the arrays {', '.join((*_OWN, _WEIGHTS))}", f"no {missing[0]}"))
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
