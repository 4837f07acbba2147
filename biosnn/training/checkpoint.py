"""Keep what a training has come to after each epoch, so that one that was stopped goes on and comes to the same."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn import archive, codec, files
from biosnn.display import Brief
from biosnn.errors import BiosnnError, TrainingError
from biosnn.model import to_toml
from biosnn.printable import printable
from biosnn.training.history import Epoch
from biosnn.training.network import TrainableNetwork
from biosnn.training.optimizers import State

_ABOUT, _LIMIT = "about.json", 10**7


@dataclass
class Progress(Brief):
    """How far a training is.

    Parameters
    ----------
    optimizer : mapping of str to mapping of arrays
        What the optimizer keeps of each array that it changes.
    epochs : list of Epoch
        What has been.
    best : int
        The number of the best epoch, -1 before the first.
    best_weights, best_parameters : mapping
        What the network had then.
    """

    optimizer: dict[str, State]
    epochs: list[Epoch] = field(default_factory=list)
    best: int = -1
    best_weights: dict[str, NDArray[Any]] = field(default_factory=dict)
    best_parameters: dict[str, float] = field(default_factory=dict)

    def add(self, epoch: Epoch, network: TrainableNetwork) -> None:
        """Note an epoch; it is the best if its validation loss is the lowest, or if there is none."""
        self.epochs.append(epoch)
        before = self.epochs[self.best].validation_loss if self.best >= 0 else None
        if before is None or epoch.validation_loss is None or epoch.validation_loss < before:
            self.best = len(self.epochs) - 1
            self.best_weights = {name: array.copy() for name, array in network.weights.items()}
            self.best_parameters = dict(network.parameters)


@dataclass(frozen=True)
class Training:
    """The checkpoint of one training.

    Parameters
    ----------
    path : Path or None
        Its file; None where nothing is kept.
    fingerprint : str
        What the result depends on: one with another is none of this training.
    epochs : int
        How many are asked for: a checkpoint of more is none of them either.
    """

    path: Path | None
    fingerprint: str
    epochs: int

    @classmethod
    def of(cls, sim: Any, network: TrainableNetwork, plan: Any, data: Any, validation: Any) -> Training:
        """The checkpoint of a training of this network, in the folder that the simulation names."""
        folder = sim.checkpoint_folder
        digest = hashlib.sha256(
            f"{version('biosnn')}\0{sim.seed}\0{sim.target}\0{network.dt}\0{network.duration}\0{network.input}".encode()
        )
        asked = {one.name: repr(getattr(plan, one.name)) for one in dataclasses.fields(plan) if one.name != "epochs"}
        digest.update(json.dumps(asked, sort_keys=True).encode())
        for layer in network.layers:
            digest.update(f"{layer.name}\0{layer.size}\0{dict(layer.trained)!r}\0{to_toml(layer.model)}".encode())
        for one in network.connections:
            about = (one.name, one.source, one.target, one.onto, one.gain, one.delay, one.trained, one.keep_sign)
            digest.update(f"{about!r}\0{type(one.kind).__name__}".encode())
            for part in dataclasses.fields(one.kind):  # type: ignore[arg-type]
                value = getattr(one.kind, part.name)
                digest.update(value.tobytes() if isinstance(value, np.ndarray) else f"{value!r}\0".encode())
            for weights in (network.weights[one.name], one.weight):
                digest.update(np.ascontiguousarray(weights).tobytes())
        digest.update(json.dumps(network.parameters, sort_keys=True).encode())
        for examples in (data, validation):
            for part in () if examples is None else dataclasses.fields(examples):
                if isinstance(array := getattr(examples, part.name), np.ndarray):
                    digest.update(np.ascontiguousarray(array).tobytes())
        name = digest.hexdigest()
        return cls(None if folder is None else Path(folder) / f"training-{name[:16]}.npz", name, plan.epochs)

    def keep(self, network: TrainableNetwork, state: Progress) -> None:
        """Write how far the training is, whole or not at all."""
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        arrays = {f"weights {name}": array for name, array in network.weights.items()}
        arrays |= {f"best {name}": array for name, array in state.best_weights.items()}
        arrays |= {f"state {name} {key}": x for name, kept in state.optimizer.items() for key, x in kept.items()}
        about = {
            "fingerprint": self.fingerprint,
            "arrays": archive.entries(arrays),
            "epochs": [codec.plain(epoch) for epoch in state.epochs],
            "best": state.best,
            "parameters": network.parameters,
            "best_parameters": state.best_parameters,
        }
        archive.write(self.path, arrays, {_ABOUT: json.dumps(about)})

    def resume(self, network: TrainableNetwork, begin: Callable[[], dict[str, State]]) -> Progress:
        """How far the training was when it was last kept, with the network set to it; or its beginning."""
        state = Progress(begin())
        if self.path is None or not self.path.is_file():
            return state
        try:
            about, arrays = _read(self.path)
        except BiosnnError as error:
            print(f"biosnn: the checkpoint is not used: {printable(str(error))}", file=sys.stderr, flush=True)
            return state
        if about.get("fingerprint") != self.fingerprint or len(about["epochs"]) > self.epochs:
            return state
        network.weights = {name: arrays[f"weights {name}"] for name in network.weights}
        network.parameters = {name: float(about["parameters"][name]) for name in network.parameters}
        state.epochs = [codec.made(Epoch, entry, str(self.path), TrainingError) for entry in about["epochs"]]
        state.best = int(about["best"])
        state.best_weights = {name: arrays[f"best {name}"] for name in network.weights}
        state.best_parameters = {name: float(x) for name, x in about["best_parameters"].items()}
        state.optimizer = {
            name: {key: arrays[f"state {name} {key}"] for key in kept} for name, kept in state.optimizer.items()
        }
        return state


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    with files.reading(path, TrainingError, "a checkpoint of a training"):
        about = files.parse_json(
            f"{path}: {_ABOUT}", archive.read_texts(path, TrainingError, _LIMIT)[_ABOUT], TrainingError
        )
        return about, archive.read_arrays(path, str(path), about["arrays"], TrainingError)
