"""CIFAR-10 in its binary version, found on this machine or downloaded, and checked; or a copy stored as JPEG.

The binary version is one archive of six files: 1 byte of label and 3072 of red, green and blue planes per image
(Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html). The version for Python is pickled and is not read.
"""

from __future__ import annotations

import hashlib
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn import files
from biosnn.datasets.download import download
from biosnn.datasets.own import read_npz
from biosnn.display import Brief
from biosnn.errors import DataError, field_error
from biosnn.folders import data_folder

SIDE = 32
CLASSES = 10

_PARTS = (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin")
"""Five files of training images, and one of test images."""

_LENGTH = 1 + 3 * SIDE * SIDE
"""Bytes of an image and its label."""

_AGAIN = "Delete it, and it is downloaded anew."
_SOURCE = "Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images"
_COPY = "a copy stored as JPEG, with losses: networks score about ten points less on it than on the original"


@dataclass(frozen=True)
class CifarSet(Brief):
    """A dataset in the format of CIFAR-10.

    Parameters
    ----------
    folder : str
        Where in the data folder its archive lies. A copy stored as JPEG lies in a folder of this name and ``-jpeg``.
    archive : str
        The name of the archive.
    addresses : tuple of str
        Where it can be had.
    sha256 : str
        Of the archive.
    images : int
        How many images each of its files has.
    """

    folder: str
    archive: str
    addresses: tuple[str, ...]
    sha256: str
    images: int

    def load(self) -> tuple[NDArray[np.uint8], NDArray[np.int64], int, str]:
        """All images, channels last; their labels; how many, at the beginning, are for training; and which version.

        The original archive is taken where it lies in the data folder, else the copy, else the archive is downloaded.

        Raises
        ------
        DataError
            If there is neither and it cannot be downloaded, or a file is not what it should be.
        """
        path = data_folder() / self.folder / self.archive
        copy = data_folder() / f"{self.folder}-jpeg"
        if not path.exists() and copy.is_dir():
            (train, train_labels), (test, test_labels) = (_copied(copy / name) for name in ("train5k.npz", "test.npz"))
            source = f"{_SOURCE}; {_COPY}"
        else:
            if not path.exists():
                download(path, self.addresses, self._is_right, f"{self.folder}/{self.archive}")
            parts = self._parts(path)
            train, train_labels = (np.concatenate(arrays) for arrays in zip(*parts[:-1], strict=True))
            test, test_labels = parts[-1]
            source = f"{_SOURCE}; the original images"
        return np.concatenate([train, test]), np.concatenate([train_labels, test_labels]), len(train), source

    def _is_right(self, path: Path) -> bool:
        return _sha256(path) == self.sha256

    def _parts(self, path: Path) -> list[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
        digest = _sha256(path)
        if digest != self.sha256:
            do = "It is truncated or another file, such as that for Python. Delete it, and it is downloaded anew."
            raise DataError(field_error(f"{path}, SHA-256", self.sha256, digest, do))
        contents = {}
        boundary = files.reading(path, DataError, "a gzip archive", _AGAIN)
        with files.opened(path, DataError) as file, boundary, tarfile.open(fileobj=file, mode="r:gz") as archive:
            for member in archive:  # in their order, since a gzip stream does not go back
                if member.isfile() and (name := Path(member.name).name) in _PARTS:
                    content = archive.extractfile(member)
                    assert content is not None
                    contents[name] = content.read(self.images * _LENGTH + 1)
        return [parse(f"{path}: {name}", contents.get(name, b""), self.images) for name in _PARTS]


def parse(where: str, content: bytes, images: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Read a file of the binary version.

    Parameters
    ----------
    where : str
        What to call it in a message.
    content : bytes
        Of each image one byte of label, and 3072 bytes: red, green and blue, each row by row.
    images : int
        How many it has.

    Returns
    -------
    ndarray of uint8, shape (images, 32, 32, 3)
    ndarray of int64, shape (images,)

    Raises
    ------
    DataError
        If it has another length, or a label is no class.
    """
    if len(content) != images * _LENGTH:
        expected = f"{images} images of {_LENGTH} bytes, {images * _LENGTH} in all"
        raise DataError(field_error(where, expected, len(content)))
    rows = np.frombuffer(content, dtype=np.uint8).reshape(images, _LENGTH)
    planes = rows[:, 1:].reshape(images, 3, SIDE, SIDE)
    return _checked(where, np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), rows[:, 0])


def _copied(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """A file's images in an order that is random and always the same.

    Copies are often sorted by class; the first images of the original are a fair sample, and so they are here.
    """
    arrays = read_npz(path, ("x", "y"))
    images, labels = _checked(str(path), arrays["x"], arrays["y"])
    order = np.random.default_rng(0).permutation(len(images))
    return images[order], labels[order]


def _checked(where: str, x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    if x.dtype != np.uint8 or x.shape[1:] != (SIDE, SIDE, 3) or not len(x):
        expected = f"uint8 of shape (n, {SIDE}, {SIDE}, 3)"
        raise DataError(field_error(f"{where}, images", expected, f"{x.dtype} {x.shape}"))
    if y.shape != x.shape[:1] or y.dtype.kind not in "iu" or not 0 <= y.min() <= y.max() < CLASSES:
        expected = f"{len(x)} classes from 0 to {CLASSES - 1}"
        got = f"{y.dtype} {y.shape}" + (f" up to {y.max()}" if y.size and y.dtype.kind in "iu" else "")
        raise DataError(field_error(f"{where}, labels", expected, got))
    return x, y.astype(np.int64)


def _sha256(path: Path) -> str:
    with files.opened(path, DataError) as file, files.reading(path, DataError, "a file"):
        return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


CIFAR10 = CifarSet(
    "cifar10",
    "cifar-10-binary.tar.gz",
    ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    images=10_000,
)
