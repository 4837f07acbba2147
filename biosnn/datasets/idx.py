"""Datasets in the format of MNIST: four files in IDX format, found on this machine or downloaded, and checked.

What is checked is the SHA-256 of the uncompressed bytes: gzip files differ from mirror to mirror in their headers.
"""

from __future__ import annotations

import gzip
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from biosnn import files
from biosnn.datasets.download import download
from biosnn.display import Brief
from biosnn.errors import DataError, field_error
from biosnn.folders import data_folder

PARTS = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
"""Training images and labels, test images and labels."""

_MAGIC = b"\0\0\x08"  # of unsigned bytes
_MOST_AXES = 8


@dataclass(frozen=True)
class IdxSet(Brief):
    """A dataset in four IDX files.

    Parameters
    ----------
    folder : str
        Where in the data folder its files lie.
    source : str
        Who made it.
    mirrors : tuple of str
        Addresses of folders that have the files, compressed, under the names of `PARTS` and ``.gz``.
    sha256 : mapping
        Of the uncompressed bytes of each file.
    """

    folder: str
    source: str
    mirrors: tuple[str, ...]
    sha256: Mapping[str, str]

    def load(self, *, test_images: bool = True) -> tuple[NDArray[np.uint8], NDArray[np.uint8], int]:
        """All images, all labels, and how many of them, at the beginning, are training images.

        Without test images, their files are neither opened nor downloaded.

        Raises
        ------
        DataError
            If a file is missing and cannot be downloaded, or is not what it should be.
        """
        parts = [parse(self._path(name), self._bytes(name)) for name in (PARTS if test_images else PARTS[:2])]
        for images, labels in zip(parts[::2], parts[1::2], strict=True):
            if images.ndim != 3 or labels.shape != images.shape[:1]:
                got = f"{images.shape} and {labels.shape}"
                raise DataError(field_error(self.folder, "images (n, height, width) and n labels", got))
        return np.concatenate(parts[::2]), np.concatenate(parts[1::2]), len(parts[0])

    def _path(self, name: str) -> Path:
        """The file that there is, as it is or compressed, or where to put one."""
        folder = data_folder() / self.folder
        plain, packed = folder / name, folder / f"{name}.gz"
        return plain if plain.exists() and not packed.exists() else packed

    def _bytes(self, name: str) -> bytes:
        path = self._path(name)
        if not path.exists():
            self._download(name, path)
        content = unpack(path)
        digest = hashlib.sha256(content).hexdigest()
        if digest != self.sha256[name]:
            do = "It is truncated or another file. Delete it, and it is downloaded anew."
            raise DataError(field_error(f"{path}, SHA-256 of what is in it", self.sha256[name], digest, do))
        return content

    def _download(self, name: str, path: Path) -> None:
        def is_right(fetched: Path) -> bool:
            return hashlib.sha256(unpack(fetched)).hexdigest() == self.sha256[name]

        download(path, [f"{mirror}{name}.gz" for mirror in self.mirrors], is_right, f"{self.folder}/{name}.gz")


def unpack(path: Path) -> bytes:
    """The content of a file, uncompressed if it is a gzip file: as much as its first bytes announce, and one byte more.

    Raises
    ------
    DataError
        If it cannot be read, is no whole gzip file, or announces more than `files.check_size` lets through.
    """
    do = "It may be truncated. Delete it, and it is downloaded anew."
    with files.opened(path, DataError) as file, files.reading(path, DataError, "an IDX file", do):
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        stream = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if packed else file
        head = stream.read(4)
        is_idx = len(head) == 4 and head.startswith(_MAGIC)
        head += stream.read(4 * head[3]) if is_idx else b""
        announced = math.prod(_sizes(head)) if is_idx else 0
        files.check_size(path, announced, files.size_of(file), DataError, do)
        return head + stream.read(announced + 1)


def _sizes(head: bytes) -> tuple[int, ...]:
    """The lengths of the axes, as far as they are there."""
    return tuple(int.from_bytes(head[at : at + 4], "big") for at in range(4, min(len(head), 4 + 4 * head[3]) - 3, 4))


def parse(path: Path, content: bytes) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes (LeCun, Cortes & Burges, "The MNIST database", file formats).

    Parameters
    ----------
    path : Path
        What to call it in a message.
    content : bytes
        Two zeros, the type of the values, the number of dimensions, their sizes as big-endian numbers of four bytes,
        and the values.

    Returns
    -------
    ndarray of uint8

    Raises
    ------
    DataError
        If it is something else, or its length is not what its sizes say.
    """
    if len(content) < 4 or not content.startswith(_MAGIC):
        raise DataError(field_error(str(path), "an IDX file of unsigned bytes", content[:4].hex()))
    start, shape = 4 + 4 * content[3], _sizes(content)
    if not 1 <= content[3] <= _MOST_AXES:
        raise DataError(field_error(f"{path}, number of axes", f"1 to {_MOST_AXES}", content[3]))
    if len(shape) != content[3] or len(content) - start != math.prod(shape):
        raise DataError(field_error(f"{path}, length", f"a header and {shape} values", f"{len(content)} bytes"))
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)


MNIST = IdxSet(
    "mnist",
    "LeCun, Cortes & Burges, The MNIST database of handwritten digits; LeCun et al. 1998, Proc IEEE 86:2278, "
    "doi:10.1109/5.726791",
    ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
    {
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
)

FASHION_MNIST = IdxSet(
    "fashion-mnist",
    "Xiao, Rasul & Vollgraf 2017, Fashion-MNIST, arXiv:1708.07747",
    ("https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",),
    {
        "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
)
