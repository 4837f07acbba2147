"""Two layers of the study `features`: feature maps that learn from images, and cells that learn from their spikes.

The maps are the first layer of the network for MNIST: contrast cells with on- and off-centres, 64 maps of 7x7, pooling.
The cells are 1600 that learn from what 1600 pooled maps have answered, which is played to them: here so many random
spikes an image as there are in the study. Time steps are half as long as there, and as many.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from brian2 import ms
from numpy.typing import NDArray

from biosnn.datasets import Dataset
from biosnn.learning.layers import Cells, Contrast, Convolution, LayerSettings, Pool, build_layers
from sides import mnist
from sides.programs import Side, Work

IMAGES, PRESENTATIONS = 200, 2000
SPIKES = 158
"""Of the pooled maps in answer to an image."""
LAYERS = LayerSettings(
    (Convolution(64, 7), Pool(4), Cells(1600, winners=1, adaptation=0.8)),
    Contrast(strength=1.0),
    first=10 * ms,
    later=5 * ms,
    last=1 * ms,
)
POOLED = 1600
SOURCE = Path(__file__).with_suffix(".cpp")


def pictures() -> Dataset:
    """The images."""
    grey, _ = mnist.images(IMAGES)
    return Dataset("images", grey.reshape(-1, 28, 28), np.zeros(IMAGES, np.int64), 255, "a benchmark")


def weights(inputs: int, neurons: int) -> NDArray[np.float64]:
    """Those that all sides begin with."""
    return np.random.default_rng(1).uniform(0, np.sqrt(3 / inputs), inputs * neurons)


def spikes() -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Time step and neuron of each spike that cells learn from, sorted."""
    rng, period = np.random.default_rng(2), round(float(LAYERS.period / (0.5 * ms)))
    kinds = rng.random((50, POOLED)) ** 3  # images of so many kinds
    found = []
    for image in range(PRESENTATIONS):
        chance = kinds[rng.integers(len(kinds))] * rng.random(POOLED)
        neurons = np.argpartition(chance, -SPIKES)[-SPIKES:]
        steps = image * period + rng.integers(14, 23, SPIKES)
        found.append(np.stack([steps, neurons])[:, np.lexsort((neurons, steps))])
    step, neuron = np.concatenate(found, axis=1).astype(np.int32)
    return step, neuron


def maps() -> Work:
    built = build_layers(pictures(), LAYERS, places=IMAGES, stop=2)
    built.pictures.presentation_order = np.arange(IMAGES)
    built.plastic.w = weights(98, 64)
    return _work(built, IMAGES * LAYERS.period)


def cells() -> Work:
    step, neuron = spikes()
    built = build_layers(pictures(), LAYERS, places=PRESENTATIONS, start=2, capacity=len(step))
    built.inputs.load(step, neuron)
    built.plastic.w = weights(POOLED, 1600)
    return _work(built, PRESENTATIONS * LAYERS.period)


def _work(built: Any, duration: Any) -> Work:
    return Work(built.network, duration, {"answers": built.spikes.variables["N"]}, built.plastic.variables["w"])


def maps_by_hand(folder: Path) -> tuple[Path, list[str]]:
    mnist.images(IMAGES)[0].tofile(folder / "images")
    weights(98, 64).tofile(folder / "weights")
    return SOURCE, ["maps", "images", "weights", str(IMAGES)]


def cells_by_hand(folder: Path) -> tuple[Path, list[str]]:
    np.stack(spikes(), axis=1).tofile(folder / "spikes")
    weights(POOLED, 1600).tofile(folder / "weights")
    return SOURCE, ["cells", "spikes", "weights", str(PRESENTATIONS)]


SIDES = {
    "maps": Side("maps, biosnn", "biosnn", maps),
    "maps32": Side("maps, biosnn, float32", "biosnn", maps, "float32"),
    "maps_hand": Side("maps, C++ by hand", "c++", maps_by_hand),
    "cells": Side("cells, biosnn", "biosnn", cells),
    "cells32": Side("cells, biosnn, float32", "biosnn", cells, "float32"),
    "cells_hand": Side("cells, C++ by hand", "c++", cells_by_hand),
}
