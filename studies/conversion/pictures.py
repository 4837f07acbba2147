"""Images as a network was trained on them, and which of them are for calibration and which for the test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.conversion import Graph, SpikingNetwork, check_images, is_converted, load, read_network
from biosnn.datasets import Dataset, from_file, stratified_split
from biosnn.datasets import load as load_data
from biosnn.errors import ConversionError, SettingsError, field_error

SPLIT_SEED = 1
"""Of the images that are held out: the networks of the shelf have not learned from them (models/networks/train.py)."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """A network and its images.

    Parameters
    ----------
    graph : Graph
        The ordinary network.
    converted : SpikingNetwork or None
        The spiking one, if the file has one already.
    calibration, test : ndarray of float32, shape (n, *shape of the input)
        Images.
    labels : ndarray of int, shape (n,)
        Of the test images.
    source : str
        Where they come from.
    """

    graph: Graph
    converted: SpikingNetwork | None
    calibration: NDArray[np.float32]
    test: NDArray[np.float32]
    labels: NDArray[np.int64]
    source: str


def load_pictures(settings: Any) -> Pictures:
    """Load the network and the images that the settings name."""
    converted = load(settings.model) if is_converted(settings.model) else None
    graph = converted.graph if converted else read_network(settings.model)
    data = from_file(settings.data) if settings.data.endswith(".npz") else load_data(settings.data)
    training, test = _split(settings, data)
    limit = settings.calibration or len(training)
    shown = settings.images or len(test)
    calibration, test = training[:limit], test[:shown]
    if len(test) < settings.explained:
        raise SettingsError(field_error("explained", f"at most the {len(test)} images shown", settings.explained))
    return Pictures(
        graph,
        converted,
        _prepared(settings, graph, data.images[calibration]),
        _prepared(settings, graph, data.images[test]),
        data.labels[test],
        data.source,
    )


def _split(settings: Any, data: Dataset) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Images for calibration and for the test, both in random order."""
    if settings.held_out:
        return stratified_split(data.labels, settings.held_out, SPLIT_SEED)
    if not 0 < data.for_training < len(data.labels):
        do = "Say how many images are kept for the test."
        raise SettingsError(field_error("held_out", f"at least 1, as {data.name} has no test images", 0, do))
    rng = np.random.default_rng(SPLIT_SEED)
    return rng.permutation(data.for_training), rng.permutation(np.arange(data.for_training, len(data.labels)))


def _prepared(settings: Any, graph: Graph, images: NDArray[Any]) -> NDArray[np.float32]:
    """Scale images, and lay them out as the network takes them."""
    values = images.astype(np.float32) / np.float32(settings.divide)
    values = values[..., None] if values.ndim == 3 else values  # channels last, as files of images have them
    for name, change in (("mean", np.subtract), ("deviation", np.divide)):
        numbers = getattr(settings, name)
        if len(numbers) not in (1, values.shape[-1]):
            raise SettingsError(field_error(name, f"a number for each of {values.shape[-1]} channels", numbers))
        values = change(values, np.asarray(numbers, np.float32))
    shape = graph.input.shape
    first = values.transpose(0, 3, 1, 2)
    laid = values if shape == values.shape[1:] else first
    if len(shape) == 1 and laid[0].size == shape[0]:
        laid = laid.reshape(len(laid), -1)
    try:
        return check_images(graph, laid)
    except ConversionError as problem:
        raise SettingsError(f"data={settings.data}: its images do not fit {settings.model}. {problem}") from None
