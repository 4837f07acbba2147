"""MNIST images for the benchmarks, or a stand-in."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_FILE = "mnist/train-images-idx3-ubyte.gz"


def images(count: int) -> tuple[NDArray[np.uint8], str]:
    """The first training images as rows of 784 grey levels, and where they come from.

    Without MNIST in the folder that ``BIOSNN_DATA`` names: blobs about as bright and as large as digits.
    """
    path = Path(os.environ.get("BIOSNN_DATA", "."), _FILE)
    if path.exists():
        with gzip.open(path) as file:
            grey = np.frombuffer(file.read(16 + 784 * count), dtype=np.uint8, offset=16)
        return grey.reshape(count, 784), "MNIST"
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:28, :28]
    centres = rng.uniform(9, 18, (count, 3, 2))
    blobs = sum(
        np.exp(-((x - c[:, 0, None, None]) ** 2 + (y - c[:, 1, None, None]) ** 2) / 12.0)
        for c in np.moveaxis(centres, 1, 0)
    )
    grey = (np.minimum(1.0, np.where(blobs > 0.3, blobs, 0.0)) * 255).astype(np.uint8)
    return grey.reshape(count, 784), f"synthetic blobs, as there is no {_FILE} in BIOSNN_DATA"
