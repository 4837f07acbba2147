"""Labelled images by name, as whole numbers of grey levels or colours."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from biosnn.datasets import cifar, idx
from biosnn.datasets.own import Examples, from_file
from biosnn.datasets.yin_yang import examples as yin_yang_examples
from biosnn.display import Brief
from biosnn.errors import DataError, NotFoundError, field_error, unknown


@dataclass(frozen=True)
class Dataset(Brief):
    """Labelled images.

    Parameters
    ----------
    name : str
        The name it is loaded by.
    images : ndarray of uint8, shape (n, height, width) or (n, height, width, 3)
        Grey levels, 0 for the background; or red, green and blue.
    labels : ndarray of int64, shape (n,)
        The class of each image, from 0.
    brightest : int
        The level that stands for full intensity.
    source : str
        Where the images come from.
    for_training : int
        How many images, the first ones, are for training in the dataset's own division, which keeps the others for the
        test; 0 if it has none.

    Raises
    ------
    DataError
        If the shapes do not fit each other, there are no images, or a grey level or a label is out of range.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    brightest: int
    source: str
    for_training: int = 0

    def __post_init__(self) -> None:
        where = f"Dataset {self.name!r}"
        grey_or_colour = self.images.ndim == 3 or (self.images.ndim == 4 and self.images.shape[3] == 3)
        if not grey_or_colour or self.images.dtype != np.uint8 or not self.images.size:
            got = f"{self.images.dtype} {self.images.shape}"
            expected = "uint8 of shape (n, height, width) or (n, height, width, 3)"
            raise DataError(field_error(f"{where}.images", expected, got))
        if self.labels.shape != self.images.shape[:1] or not np.issubdtype(self.labels.dtype, np.integer):
            got = f"{self.labels.dtype} {self.labels.shape}"
            raise DataError(field_error(f"{where}.labels", f"{len(self.images)} whole numbers", got))
        if self.labels.min() < 0:
            raise DataError(field_error(f"{where}.labels", "classes from 0", int(self.labels.min())))
        if self.images.max() > self.brightest:
            expected = f"grey levels up to {self.brightest}"
            raise DataError(field_error(f"{where}.images", expected, int(self.images.max())))

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.labels.max()) + 1

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of an image."""
        return self.images.shape[1], self.images.shape[2]

    @property
    def channels(self) -> int:
        """1 for grey levels, 3 for colours."""
        return 1 if self.images.ndim == 3 else 3

    @property
    def flat(self) -> NDArray[np.float64]:
        """The images as rows of intensities from 0 to 1, shape (n, height*width*channels)."""
        return self.images.reshape(len(self.images), -1) / float(self.brightest)

    @property
    def examples(self) -> Examples:
        """The images as intensities from 0 to 1, channels first: shape (n, channels, height, width)."""
        planes = np.moveaxis(self.images.reshape(len(self.images), *self.shape, self.channels), 3, 1)
        inputs = np.ascontiguousarray(planes, dtype=np.float32)
        inputs /= self.brightest
        return Examples(self.name, inputs, self.labels.astype(np.int64), self.source, self.for_training)

    def equally_bright(self) -> Dataset:
        """The images with their grey levels scaled to the same sum, the mean of all, as a retina adapts to the light.

        Where that would take a pixel beyond the brightest level, it stays there, and the sum is lower. Images without
        any light stay as they are.
        """
        sums = self.images.reshape(len(self.images), -1).sum(axis=1, dtype=float)
        scale = sums.mean() / np.maximum(sums, 1.0)
        images = np.empty_like(self.images)
        for part in np.array_split(np.arange(len(images)), -(-len(images) // 1000)):  # little memory at a time
            scaled = np.rint(self.images[part] * scale[part].reshape(-1, *[1] * (images.ndim - 1)))
            images[part] = np.minimum(scaled, self.brightest)
        return replace(self, images=images)

    def take(self, indices: NDArray[np.integer]) -> Dataset:
        """The images with these indices, in this order."""
        return Dataset(self.name, self.images[indices], self.labels[indices], self.brightest, self.source)


def load(name: str, *, test_images: bool = True) -> Dataset:
    """Load a dataset.

    Parameters
    ----------
    name : str
        ``digits``: 1,797 handwritten digits of 8x8 pixels that come with scikit-learn; nothing is downloaded.
        ``mnist``, ``fashion-mnist``: 60,000 training and 10,000 test images of 28x28 pixels, read from the folder that
        the environment variable ``BIOSNN_DATA`` names, or downloaded once into the user's folder for caches.
        ``cifar10``: 50,000 training and 10,000 test images of 32x32 pixels in colour, in the same way. If that folder
        has a copy stored as JPEG instead, with 5,000 training images, it is taken, in random order, and
        `Dataset.source` says so.
    test_images : bool
        Whether those that the dataset keeps for the test are in it. Without them `Dataset.for_training` says that all
        images are for training; the files of ``mnist`` and ``fashion-mnist`` that hold them are not even opened.

    Returns
    -------
    Dataset

    Raises
    ------
    NotFoundError
        If there is none of that name; the message lists those there are.
    DataError
        If the data are not what they should be.
    """
    if name not in _LOADERS:
        raise NotFoundError(unknown("dataset", name, _LOADERS))
    return _LOADERS[name](test_images)


def names(colour: bool = True) -> list[str]:
    """The names that `load` knows; without those of images in colour, if these are of no use."""
    return sorted(name for name in _LOADERS if colour or name not in _IN_COLOUR)


def examples(name: str | Path) -> Examples:
    """Labelled inputs for an ordinary network: of a dataset by its name, or of a file of your own.

    Parameters
    ----------
    name : str or Path
        A name that `load` knows: its images as intensities from 0 to 1, shape (n, channels, height, width).
        ``yin-yang``: points of a disc, shape (n, 4), as `yin_yang` draws them. Or the path of a ``.npz`` file, as
        `from_file` reads it.

    Returns
    -------
    Examples

    Raises
    ------
    NotFoundError
        If there is no dataset of that name; the message lists those there are.
    DataError
        If the data are not what they should be.
    """
    if isinstance(name, Path) or os.path.basename(name) != name or name.endswith(_FILES):
        return from_file(name)
    if name in _POINTS:
        return _POINTS[name]()
    if name not in _LOADERS:
        raise NotFoundError(unknown("dataset", name, (*_LOADERS, *_POINTS)))
    return load(name).examples


def _digits(test_images: bool) -> Dataset:  # noqa: ARG001 - it has none of its own
    from sklearn.datasets import load_digits  # slow to import, and only needed here

    bunch = load_digits()
    return Dataset(
        "digits",
        bunch.images.astype(np.uint8),
        bunch.target.astype(np.int64),
        16,
        "Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits, UCI, doi:10.24432/C50P49 (its test part)",
    )


def _idx(name: str, files: idx.IdxSet, test_images: bool) -> Dataset:
    images, labels, for_training = files.load(test_images=test_images)
    return Dataset(name, images, labels.astype(np.int64), 255, files.source, for_training)


def _cifar10(test_images: bool) -> Dataset:
    images, labels, for_training, source = cifar.CIFAR10.load()
    kept = slice(None) if test_images else slice(for_training)
    return Dataset("cifar10", images[kept], labels[kept], 255, source, for_training)


_LOADERS: dict[str, Callable[[bool], Dataset]] = {
    "cifar10": _cifar10,
    "digits": _digits,
    "fashion-mnist": partial(_idx, "fashion-mnist", idx.FASHION_MNIST),
    "mnist": partial(_idx, "mnist", idx.MNIST),
}

_IN_COLOUR = ("cifar10",)

_POINTS: dict[str, Callable[[], Examples]] = {"yin-yang": yin_yang_examples}
"""What are no images."""

_FILES = (".csv", ".h5", ".mat", ".npy", ".npz", ".pkl", ".pt")
"""Endings of what is meant as a file, though only one of them is read."""


def stratified_split(
    labels: NDArray[np.integer], held_out: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Divide images at random into two parts, every class in proportion.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
        The class of each image.
    held_out : int
        How many images the second part has.
    seed : int
        The same seed gives the same parts.

    Returns
    -------
    kept, held : ndarray of int64
        Indices into ``labels``, in random order, that together name every image once.

    Raises
    ------
    DataError
        If a part would be empty.
    """
    n = len(labels)
    if not 0 < held_out < n:
        raise DataError(field_error("stratified_split held_out", f"from 1 to {n - 1} images", held_out))
    rng = np.random.default_rng(seed)
    # Ranked within its class at random, an image's rank over the size of its class spreads every class evenly over
    # 0..1; the lowest ranks are held out.
    rank = np.empty(n)
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        rank[members] = (np.arange(len(members)) + rng.random()) / len(members)
    order = np.argsort(rank)
    return rng.permutation(order[held_out:]), rng.permutation(order[:held_out])
