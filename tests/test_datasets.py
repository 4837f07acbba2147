"""Datasets: what is loaded is what the source says, and a split is fair."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import os
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from biosnn.datasets import Dataset, idx, load, names, stratified_split
from biosnn.errors import DataError, NotFoundError


def test_digits_are_what_their_source_says() -> None:
    digits = load("digits")
    assert (digits.images.shape, digits.images.dtype) == ((1797, 8, 8), np.uint8)
    assert (digits.classes, digits.shape, digits.brightest) == (10, (8, 8), 16)
    assert np.bincount(digits.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert (digits.flat.min(), digits.flat.max()) == (0, 1)
    np.testing.assert_array_equal(digits.flat[7] * 16, digits.images[7].ravel())


def test_a_wrong_name_lists_the_right_ones() -> None:
    assert "digits" in names()
    with pytest.raises(NotFoundError, match=r"No dataset named 'digit'\. Did you mean 'digits'"):
        load("digit")


def test_some_images_can_be_taken_in_an_order() -> None:
    digits = load("digits")
    few = digits.take(np.array([5, 2]))
    np.testing.assert_array_equal(few.labels, digits.labels[[5, 2]])
    np.testing.assert_array_equal(few.images, digits.images[[5, 2]])


GOOD = Dataset("mine", np.ones((3, 2, 2), dtype=np.uint8), np.arange(3), 1, "a test")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.ones((3, 4), dtype=np.uint8)}, "shape"),
        ({"images": np.ones((3, 2, 2))}, "uint8"),
        ({"images": np.ones((3, 3, 2, 2), dtype=np.uint8)}, r"or \(n, height, width, 3\)"),
        ({"images": np.ones((0, 2, 2), dtype=np.uint8), "labels": np.arange(0)}, "uint8"),
        ({"labels": np.arange(4)}, "3 whole numbers"),
        ({"labels": np.ones(3)}, "3 whole numbers"),
        ({"labels": np.array([0, 1, -1])}, "classes from 0"),
        ({"images": np.full((3, 2, 2), 2, dtype=np.uint8)}, "grey levels up to 1"),
    ],
)
def test_data_that_do_not_fit_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        dataclasses.replace(GOOD, **change)  # type: ignore[arg-type]


@given(st.lists(st.integers(0, 4), min_size=2, max_size=60), st.data())
def test_a_split_names_every_image_once_and_every_class_in_proportion(labels: list[int], data: st.DataObject) -> None:
    held_out = data.draw(st.integers(1, len(labels) - 1))
    classes = np.array(labels)
    kept, held = stratified_split(classes, held_out, seed=data.draw(st.integers(0, 5)))
    assert len(held) == held_out
    assert sorted([*kept, *held]) == list(range(len(labels)))
    share = held_out / len(labels)
    for label in np.unique(classes):
        members = (classes == label).sum()
        assert abs((classes[held] == label).sum() - share * members) <= 2


def test_a_split_depends_on_its_seed_only() -> None:
    labels = load("digits").labels
    one, same, other = (stratified_split(labels, 500, seed)[1] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(np.sort(one), np.sort(other))


@pytest.mark.parametrize("held_out", [0, 3, -1])
def test_no_part_of_a_split_is_empty(held_out: int) -> None:
    with pytest.raises(DataError, match="from 1 to 2 images"):
        stratified_split(np.arange(3), held_out, seed=1)


# ---- IDX files ------------------------------------------------------------------------------------------------


def idx_bytes(values: NDArray[np.uint8]) -> bytes:
    return bytes([0, 0, 8, values.ndim]) + np.array(values.shape, dtype=">u4").tobytes() + values.tobytes()


@given(st.lists(st.integers(0, 5), min_size=1, max_size=3), st.integers(0, 2**20))
def test_an_idx_file_is_read_as_it_was_written(shape: list[int], seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    np.testing.assert_array_equal(idx.parse(Path("here"), idx_bytes(values)), values)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "an IDX file of unsigned bytes"),
        (b"<html>", "an IDX file of unsigned bytes"),
        (b"\0\0\x0d\1\0\0\0\1\0\0\0\0", "an IDX file of unsigned bytes"),  # floats
        (b"\0\0\x08\3\0\0\0\1", "length"),
        (idx_bytes(np.zeros((3, 2), dtype=np.uint8))[:-1], "length"),
        (idx_bytes(np.zeros((3, 2), dtype=np.uint8)) + b"\0", "length"),
        (b"\0\0\x08\2" + b"\xff" * 8 + b"\0", "length"),
    ],
)
def test_what_is_no_idx_file_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        idx.parse(Path("here"), content)


SMALL = {
    "train-images-idx3-ubyte": np.arange(24, dtype=np.uint8).reshape(6, 2, 2),
    "train-labels-idx1-ubyte": np.array([0, 1, 2, 0, 1, 2], dtype=np.uint8),
    "t10k-images-idx3-ubyte": np.arange(100, 108, dtype=np.uint8).reshape(2, 2, 2),
    "t10k-labels-idx1-ubyte": np.array([2, 0], dtype=np.uint8),
}


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[tuple[idx.IdxSet, Path]]:
    """A dataset whose mirror is a folder on this machine, after one that does not answer."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    for name, values in SMALL.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(idx_bytes(values)))
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        sums = {name: hashlib.sha256(idx_bytes(values)).hexdigest() for name, values in SMALL.items()}
        here = f"http://127.0.0.1:{server.server_address[1]}/"
        yield idx.IdxSet("small", "a test", (f"{here}nothing/", here), sums), folder
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BIOSNN_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_files_are_downloaded_once(mirror: tuple[idx.IdxSet, Path], data_folder: Path) -> None:
    files, folder = mirror
    images, labels, for_training = files.load()
    assert (images.shape, for_training) == ((8, 2, 2), 6)
    np.testing.assert_array_equal(labels, [0, 1, 2, 0, 1, 2, 2, 0])
    assert sorted(path.name for path in (data_folder / "small").iterdir()) == sorted(f"{n}.gz" for n in SMALL)
    for path in folder.iterdir():
        path.unlink()
    np.testing.assert_array_equal(files.load()[0], images)


def test_uncompressed_files_do_too(mirror: tuple[idx.IdxSet, Path], data_folder: Path) -> None:
    files, folder = mirror
    (data_folder / "small").mkdir(parents=True)
    for name, values in SMALL.items():
        (folder / f"{name}.gz").unlink()
        (data_folder / "small" / name).write_bytes(idx_bytes(values))
    assert files.load()[2] == 6


def test_a_wrong_download_is_not_kept(mirror: tuple[idx.IdxSet, Path], data_folder: Path) -> None:
    files, folder = mirror
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(b"something else"))
    with pytest.raises(DataError, match=r"train-images.* could not be downloaded.*BIOSNN_DATA.*404.*not the file"):
        files.load()
    assert not list((data_folder / "small").iterdir())


def test_a_truncated_or_wrong_file_is_told(mirror: tuple[idx.IdxSet, Path], data_folder: Path) -> None:
    files, _ = mirror
    files.load()
    path = data_folder / "small" / "t10k-labels-idx1-ubyte.gz"
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    with pytest.raises(DataError, match=r"t10k-labels.*cannot be read.*truncated.*Delete it"):
        files.load()
    path.write_bytes(gzip.compress(idx_bytes(np.array([2, 1], dtype=np.uint8))))
    with pytest.raises(DataError, match=r"t10k-labels.*SHA-256.*Delete it"):
        files.load()


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_the_real_ones(name: str) -> None:
    if not Path(os.environ.get("BIOSNN_DATA", "."), name).is_dir():
        pytest.skip(f"no {name} in BIOSNN_DATA")
    data = load(name)
    assert (data.images.shape, data.for_training, data.classes) == ((70_000, 28, 28), 60_000, 10)
    assert np.bincount(data.labels).min() > 6000


def test_images_can_be_made_equally_bright() -> None:
    images = np.array([[[0, 10], [0, 10]], [[5, 5], [5, 25]], [[100, 100], [100, 0]], [[0, 0], [0, 0]]], dtype=np.uint8)
    data = Dataset("four", images, np.arange(4), 200, "a test")
    scaled = data.equally_bright()
    # The mean sum is 90: the first is scaled by 4.5, the second by 2.25, the third by 0.3.
    assert scaled.images.tolist() == [[[0, 45], [0, 45]], [[11, 11], [11, 56]], [[30, 30], [30, 0]], [[0, 0], [0, 0]]]
    assert data.images[0, 0, 1] == 10
    assert (scaled.name, scaled.brightest, scaled.labels.tolist()) == ("four", 200, [0, 1, 2, 3])
    dim = Dataset("two", np.array([[[0, 1]], [[200, 200]]], dtype=np.uint8), np.arange(2), 200, "a test")
    assert dim.equally_bright().images[0].tolist() == [[0, 200]]


def test_images_in_colour_are_as_bright_as_all_their_colours() -> None:
    images = np.array([[[[1, 2, 3]]], [[[2, 4, 6]]]], dtype=np.uint8)
    data = Dataset("two", images, np.arange(2), 200, "a test")
    assert (data.shape, data.channels, data.flat.shape) == ((1, 1), 3, (2, 3))
    assert data.equally_bright().images[:, 0, 0].sum(axis=1).tolist() == [9, 9]  # the mean of 6 and 12
