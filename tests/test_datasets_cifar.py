"""CIFAR-10: the original archive, found or downloaded, or a copy stored as JPEG; whole and right, or not at all."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import pickle
import tarfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from numpy.typing import NDArray

from biosnn.datasets import cifar, load, names
from biosnn.datasets.cifar import CifarSet
from biosnn.errors import DataError

RNG = np.random.default_rng(1)
IMAGES = RNG.integers(0, 256, (6, 2, 32, 32, 3), dtype=np.uint8)
"""Of each of the six files, two images."""
LABELS = np.arange(12).reshape(6, 2) % 10
NAMES = [*(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin"]


def file_bytes(images: NDArray[np.uint8], labels: NDArray[np.integer]) -> bytes:
    rows = [bytes([label]) + image.transpose(2, 0, 1).tobytes() for image, label in zip(images, labels, strict=True)]
    return b"".join(rows)


CONTENTS = {
    f"cifar-10-batches-bin/{name}": file_bytes(images, labels)
    for name, images, labels in zip(NAMES, IMAGES, LABELS, strict=True)
}


def packed(contents: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BIOSNN_DATA", str(tmp_path))
    return tmp_path


def files(content: bytes, *addresses: str) -> CifarSet:
    return CifarSet("small", "small.tar.gz", addresses, hashlib.sha256(content).hexdigest(), images=2)


def put(data: Path, content: bytes) -> CifarSet:
    (data / "small").mkdir(exist_ok=True)
    (data / "small" / "small.tar.gz").write_bytes(content)
    return files(content)


def put_copy(data: Path, x: NDArray[np.generic] = IMAGES[5], y: NDArray[np.generic] = LABELS[5]) -> None:
    (data / "small-jpeg").mkdir(exist_ok=True)
    np.savez(data / "small-jpeg" / "train5k.npz", x=IMAGES[0], y=LABELS[0])
    np.savez(data / "small-jpeg" / "test.npz", x=x, y=y)


def test_the_archive_is_read_in_its_own_order(data: Path) -> None:
    images, labels, for_training, source = put(data, packed(dict(reversed(CONTENTS.items())))).load()
    np.testing.assert_array_equal(images, IMAGES.reshape(12, 32, 32, 3))
    np.testing.assert_array_equal(labels, LABELS.ravel())
    assert (for_training, labels.dtype, images.dtype) == (10, np.int64, np.uint8)
    assert "Krizhevsky 2009" in source
    assert "the original images" in source


def test_a_copy_says_that_it_is_one(data: Path) -> None:
    put_copy(data)
    images, _, for_training, source = files(b"", "http://127.0.0.1:9/").load()
    assert (images.shape, for_training) == ((4, 32, 32, 3), 2)
    assert sorted(image.tobytes() for image in images[2:]) == sorted(image.tobytes() for image in IMAGES[5])
    assert "a copy stored as JPEG" in source
    assert "ten points less" in source


def test_the_first_images_of_a_sorted_copy_are_a_fair_sample(data: Path) -> None:
    labels = np.repeat(np.arange(10), 20)
    images = np.zeros((200, 32, 32, 3), np.uint8) + labels[:, None, None, None].astype(np.uint8)
    put_copy(data, images, labels)
    first, again = (files(b"").load() for _ in range(2))
    assert len(set(first[1][2:42])) >= 8
    np.testing.assert_array_equal(first[0][2:, 0, 0, 0], first[1][2:])  # each with its own label
    np.testing.assert_array_equal(first[1], again[1])


def test_the_original_is_taken_before_a_copy(data: Path) -> None:
    put_copy(data)
    assert "the original images" in put(data, packed(CONTENTS)).load()[3]


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder on this machine, and the address that it is served at."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def test_the_archive_is_downloaded_once_and_only_if_it_is_right(data: Path, mirror: tuple[Path, str]) -> None:
    content = packed(CONTENTS)
    there, address = mirror
    (there / "small.tar.gz").write_bytes(content[:-5])
    wanted = dataclasses.replace(files(content), addresses=(f"{address}small.tar.gz",))
    with pytest.raises(DataError, match=r"small.tar.gz is missing.*BIOSNN_DATA.*not the file that it should be"):
        wanted.load()
    assert not list((data / "small").iterdir())
    (there / "small.tar.gz").write_bytes(content)
    assert wanted.load()[2] == 10
    (there / "small.tar.gz").unlink()
    assert wanted.load()[2] == 10


def test_a_truncated_or_other_archive_is_told(data: Path) -> None:
    wanted = put(data, packed(CONTENTS))
    path = data / "small" / "small.tar.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"small.tar.gz, SHA-256: expected .* truncated or another file.*for Python"):
        wanted.load()


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ({**CONTENTS, "cifar-10-batches-bin/test_batch.bin": b"\0" * 3073}, r"test_batch.bin: expected 2 images.*3073"),
        ({name: content for name, content in CONTENTS.items() if "_3" not in name}, r"data_batch_3.bin: .*\(got 0\)"),
        (
            {**CONTENTS, "a/data_batch_1.bin": b"\x0a" * 6146},
            "data_batch_1.bin, labels: expected 2 classes from 0 to 9",
        ),
    ],
)
def test_an_archive_with_other_files_is_told(data: Path, contents: dict[str, bytes], message: str) -> None:
    with pytest.raises(DataError, match=message):
        put(data, packed(contents)).load()


def test_what_is_no_archive_is_told(data: Path) -> None:
    with pytest.raises(DataError, match=r"small.tar.gz: cannot be read.*Delete it"):
        put(data, b"no archive").load()


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (IMAGES[5].transpose(0, 3, 1, 2), LABELS[5], r"test.npz, images: expected uint8 of shape \(n, 32, 32, 3\)"),
        (IMAGES[5] / 255, LABELS[5], r"images: expected uint8.*float64"),
        (IMAGES[5][:0], LABELS[5][:0], "images: expected uint8"),
        (IMAGES[5], LABELS[5][:1], r"labels: expected 2 classes.*\(1,\)"),
        (IMAGES[5], LABELS[5] + 0.0, r"labels: expected 2 classes.*float64"),
        (IMAGES[5], LABELS[5] + 9, "labels: expected 2 classes from 0 to 9.*up to 10"),
        (IMAGES[5], LABELS[5] - 2, "labels: expected 2 classes from 0 to 9"),
    ],
)
def test_a_copy_that_is_wrong_is_told(data: Path, x: NDArray[np.generic], y: NDArray[np.generic], message: str) -> None:
    put_copy(data, x, y)
    with pytest.raises(DataError, match=message):
        files(b"").load()


def test_a_copy_is_not_half_loaded(data: Path) -> None:
    put_copy(data)
    path = data / "small-jpeg" / "train5k.npz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"train5k.npz: cannot be read as a .npz file"):
        files(b"").load()
    path.write_bytes(pickle.dumps({"x": 1}))
    with pytest.raises(DataError, match=r"train5k.npz: cannot be read as a .npz file"):
        files(b"").load()
    path.unlink()
    with pytest.raises(DataError, match=r"train5k.npz: no such file"):
        files(b"").load()


def test_it_is_one_of_the_datasets_and_left_out_where_colours_are_of_no_use(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "cifar10" in names()
    assert "cifar10" not in names(colour=False)
    put_copy(data)
    monkeypatch.setattr(cifar, "CIFAR10", files(b""))
    loaded = load("cifar10")
    assert (loaded.name, loaded.shape, loaded.channels, loaded.for_training) == ("cifar10", (32, 32), 3, 2)
    assert "JPEG" in loaded.source
    inputs = loaded.examples.inputs
    assert (inputs.shape, inputs.dtype) == ((4, 3, 32, 32), np.float32)
    np.testing.assert_array_equal(inputs, loaded.images.transpose(0, 3, 1, 2) / np.float32(255))


def test_the_real_one() -> None:
    folder = Path(os.environ.get("BIOSNN_DATA", "."))
    if not (folder / "cifar10-jpeg").is_dir() and not (folder / "cifar10").is_dir():
        pytest.skip("no cifar10 in BIOSNN_DATA")
    loaded = load("cifar10")
    assert np.bincount(loaded.labels[loaded.for_training :]).tolist() == [1000] * 10
    assert loaded.for_training in (5_000, 50_000)
