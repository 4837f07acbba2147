"""Let layers that have learned answer images, and keep their spikes for the layers after them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from brian2 import defaultclock, prefs
from numpy.typing import NDArray

from biosnn.datasets import Dataset
from biosnn.errors import DataError, field_error
from biosnn.learning.layers.build import build_layers, text_of
from biosnn.learning.layers.sources import RecordedSpikes, Recording, ShownImages
from biosnn.learning.layers.trained import LayersTrained
from biosnn.learning.responses import Responses
from biosnn.learning.schedule import TrainingSchedule
from biosnn.learning.training import TrainingRun, train

PLACES, PARTS, MOST = 500, 16, 4000
"""How many images run at once at least, into how many pieces many are divided, and the most images of a piece."""


def record(
    sim: Any,
    trained: LayersTrained,
    data: Dataset,
    images: NDArray[np.int64],
    depth: int,
    *,
    given: Recording | None = None,
) -> Recording:
    """Show images to a network that has learned, and keep the spikes of a layer.

    Parameters
    ----------
    sim : Simulation
        An open session, whose program so far is given up.
    trained : LayersTrained
        The network.
    data : Dataset
        The images.
    images : ndarray of int
        Which are shown, each once.
    depth : int
        How many layers there are up to the one that is recorded; 0 for the contrast cells.
    given : Recording, optional
        The spikes of an earlier layer, which are played in place of what that layer would answer. By default images are
        shown.

    Returns
    -------
    Recording

    Raises
    ------
    DataError
        If the given recording has not all these images, or there are none.
    """
    if not len(images):
        raise DataError(field_error("record, images", "at least one", 0))
    size = min(max(PLACES, math.ceil(len(images) / PARTS)), MOST)
    sim.reset()
    part: dict[str, Any] = {} if given is None else {"start": given.depth, "capacity": capacity_of([given], size)}
    built = build_layers(data, trained.layers, places=size, stop=depth, **part)
    source = ShownImages(timed=True) if given is None else RecordedSpikes(given, timed=True)
    schedule = TrainingSchedule(images[:0], images, 0, 0, trained.seed)
    values = {key: value for key, value in trained.state_below(depth).items() if built.has(key)}
    (history,) = train(sim, built, [TrainingRun(schedule, source, learning=False, values=values)], checkpoint=size)
    own = _key(sim, trained, depth)
    key = own if given is None else f"{own} of {given.key}"
    return Recording(depth, images, _compact(history.timed), key, history.seconds)


class Recordings:
    """Recordings of networks on one dataset, each made when it is first asked for."""

    def __init__(self) -> None:
        self._kept: dict[str, Recording] = {}

    def of(
        self, sim: Any, trained: LayersTrained, data: Dataset, images: NDArray[np.int64], depth: int
    ) -> tuple[Recording, float]:
        """The spikes of a layer in answer to these images, and to others that it was asked before.

        Returns
        -------
        Recording
        float
            How long a processor worked on what was not there yet (s).
        """
        key = _key(sim, trained, depth)
        kept = self._kept.get(key)
        missing = np.unique(images) if kept is None else np.setdiff1d(images, kept.images)
        if not len(missing) and kept is not None:
            return kept, 0.0
        new = record(sim, trained, data, missing, depth)
        if kept is not None:
            images, spikes = np.append(kept.images, new.images), _compact(kept.spikes + new.spikes)
            self._kept[key] = replace(new, images=images, spikes=spikes, seconds=kept.seconds + new.seconds)
        else:
            self._kept[key] = new
        return self._kept[key], new.seconds


def respond(
    sim: Any,
    trained: Sequence[LayersTrained],
    data: Dataset,
    images: NDArray[np.int64],
    *,
    depth: int | None = None,
    recordings: Recordings | None = None,
) -> list[Any]:
    """Show images to networks that have learned, and count the spikes of a layer.

    Parameters
    ----------
    sim : Simulation
        An open session, whose program so far is given up.
    trained : sequence of LayersTrained
        The networks.
    data : Dataset
        The images.
    images : ndarray of int
        Which are shown.
    depth : int, optional
        How many layers there are up to the one that is counted; by default all.
    recordings : Recordings, optional
        Where the answers of the layers before the last one are kept; what is there is not worked out again.

    Returns
    -------
    list of csr_array of int, shape (images, neurons)
        One for each network.
    """
    recordings = Recordings() if recordings is None else recordings
    found = []
    for each in trained:
        last = len(each.layers.layers) if depth is None else depth
        below = each.layers.plastic[-1]
        if last <= below or not below:
            recording, _ = recordings.of(sim, each, data, images, last)
        else:
            given, _ = recordings.of(sim, each, data, images, below)
            recording = record(sim, each, data, np.unique(images), last, given=given)
        found.append(recording.counts(images))
    return found


def capacity_of(recordings: Sequence[Recording], places: int) -> int:
    """How many spikes so many presentations have at most: a power of two, so that one program serves many networks."""
    most = max((int(np.bincount(one.spikes.row, minlength=1).max()) for one in recordings), default=1)
    return int(2 ** math.ceil(math.log2(max(most * places, 2))))


def _compact(spikes: Responses) -> Responses:
    """The same in smaller whole numbers."""
    types = {"row": np.int32, "step": np.int16, "neuron": np.int32}
    return replace(spikes, **{name: getattr(spikes, name).astype(kind) for name, kind in types.items()})


def _key(sim: Any, trained: LayersTrained, depth: int) -> str:
    """Stands for the first layers of a network, as they are, and the session that they run in."""
    texts = [*text_of(trained.layers, depth), str(trained.seed)]
    texts += [sim.target, repr(float(defaultclock.dt)), str(prefs["core.default_float_dtype"])]
    digest = hashlib.sha256("\0".join(texts).encode())
    for key, value in sorted(trained.state_below(depth).items()):
        digest.update(f"{depth} {key}\0".encode() + np.ascontiguousarray(value, float).tobytes())
    return f"{depth} {digest.hexdigest()}"
