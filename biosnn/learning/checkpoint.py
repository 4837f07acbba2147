"""Keep what networks have come to in a training, so that one that was stopped goes on."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from brian2 import get_dimensions, prefs

from biosnn import archive, files
from biosnn.errors import DataError
from biosnn.learning.history import TrainingHistory, from_arrays
from biosnn.learning.network import PlasticNetwork
from biosnn.printable import printable

_ABOUT, _LIMIT = "about.json", 10**6


@dataclasses.dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one training: a file for each network.

    Parameters
    ----------
    folder : Path
        Where they lie; made when the first is kept.
    fingerprints : sequence of str
        What each network's result depends on. A checkpoint with another one is none.
    """

    folder: Path
    fingerprints: Sequence[str]

    def _path(self, number: int) -> Path:
        return self.folder / f"network-{number + 1}.npz"

    def keep(self, number: int, history: TrainingHistory) -> None:
        """Write what a network has come to, whole or not at all. The one before is kept too, should this be damaged."""
        self.folder.mkdir(parents=True, exist_ok=True)
        arrays, path = history.arrays(), self._path(number)
        about = {"fingerprint": self.fingerprints[number], "arrays": archive.entries(arrays)}
        if path.is_file():
            path.replace(_previous(path))
        archive.write(path, arrays, {_ABOUT: json.dumps(about)})

    def last(self, number: int, nothing: TrainingHistory) -> TrainingHistory:
        """What a network had come to when it was last kept; ``nothing`` if that is not known, or another network's.

        If the last checkpoint is damaged, it is the one before, from which a training comes to the same result.
        """
        for path in (self._path(number), _previous(self._path(number))):
            if not os.path.lexists(path):
                continue
            try:
                history = self._read(path, number, nothing)
            except DataError as error:
                _say(f"the checkpoint is not used: {error}")
                continue
            _say(f"network {number + 1} goes on after {history.done:,} presentations, which {path} has kept")
            return history
        return nothing

    def _read(self, path: Path, number: int, nothing: TrainingHistory) -> TrainingHistory:
        with files.reading(path, DataError, "a checkpoint"):
            texts = archive.read_texts(path, DataError, _LIMIT)
            about = files.parse_json(f"{path}: {_ABOUT}", texts[_ABOUT], DataError)
            if about["fingerprint"] != self.fingerprints[number]:
                raise DataError(f"{path} is of another training or version")
            arrays = archive.read_arrays(path, str(path), about["arrays"], DataError)
            return from_arrays(arrays, nothing)


def _previous(path: Path) -> Path:
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def _say(text: str) -> None:
    print(f"biosnn: {printable(text)}", file=sys.stderr, flush=True)


def fingerprint(built: PlasticNetwork, run: Any, *extra: Any) -> str:
    """A number in hexadecimal that stands for all that a network's result depends on.

    Parameters
    ----------
    built : DiehlCookNetwork
        With its models, its data and how they are shown.
    run : TrainingRun
        What it is trained with.
    extra
        What else it depends on: numbers, texts and arrays.
    """
    own = [getattr(part, f.name) for part in (run.schedule, run.source) for f in dataclasses.fields(part)]
    own += [type(run.source).__name__, run.learning, run.winners]
    for name, value in run.values.items():  # as a text, a long array would be shortened
        own += [name, str(get_dimensions(value)), np.asarray(value)]
    parts = [
        version("biosnn"),
        float(built.excitatory.clock.dt),
        str(prefs["core.default_float_dtype"]),
        *built.identity,
    ]
    digest = hashlib.sha256()
    for part in [*parts, *own, *extra]:
        found = np.ascontiguousarray(part).tobytes() if isinstance(part, np.ndarray) else repr(part).encode()
        digest.update(f"{len(found)}\0".encode() + found)
    return digest.hexdigest()
