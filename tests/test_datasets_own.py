"""Labelled inputs of a user's own, and of a dataset, as an ordinary network takes them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biosnn.datasets import examples, from_file, load
from biosnn.datasets.own import Examples
from biosnn.errors import DataError, NotFoundError

X = np.random.default_rng(1).normal(size=(4, 3, 5, 5))
Y = np.array([0, 2, 1, 1])


def saved(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "mine.npz", **arrays)
    return folder / "mine.npz"


def test_inputs_are_taken_as_they_are(tmp_path: Path) -> None:
    found = from_file(saved(tmp_path, x=X, y=Y.astype(np.uint8), other=np.array([None])))
    np.testing.assert_array_equal(found.inputs, X.astype(np.float32))
    assert found.labels.tolist() == Y.tolist()
    assert (found.inputs.dtype, found.labels.dtype) == (np.float32, np.int64)
    assert found.source == "the file mine.npz"
    grey = from_file(saved(tmp_path, x=np.full((4, 5), 255, np.uint8), y=Y))
    assert (grey.inputs.shape, grey.inputs.max()) == ((4, 5), 255)


def test_a_file_may_bring_inputs_for_the_test(tmp_path: Path) -> None:
    found = from_file(saved(tmp_path, x=X[:3], y=Y[:3], x_test=X[3:], y_test=Y[3:]))
    np.testing.assert_array_equal(found.inputs, X.astype(np.float32))
    assert (found.labels.tolist(), found.for_training) == (Y.tolist(), 3)
    assert from_file(saved(tmp_path, x=X, y=Y)).for_training == 0


def test_a_dataset_or_a_file_by_what_its_name_looks_like(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digits = examples("digits")
    assert (digits.inputs.shape, digits.inputs.dtype, digits.inputs.max()) == ((1797, 1, 8, 8), np.float32, 1)
    np.testing.assert_array_equal(digits.inputs.reshape(1797, 64), load("digits").flat.astype(np.float32))
    saved(tmp_path, x=X, y=Y)
    monkeypatch.chdir(tmp_path)
    for name in ("mine.npz", "./mine.npz", tmp_path / "mine.npz"):
        assert len(examples(name).labels) == 4
    with pytest.raises(NotFoundError, match="No dataset named 'digit'. Did you mean 'digits'"):  # noqa: RUF043
        examples("digit")
    with pytest.raises(DataError, match=r"theirs.csv: no such file \(looked at /"):
        examples("theirs.csv")


def test_some_can_be_taken_in_an_order(tmp_path: Path) -> None:
    few = from_file(saved(tmp_path, x=X, y=Y)).take(np.array([2, 1]))
    assert few.labels.tolist() == [1, 2]
    np.testing.assert_array_equal(few.inputs, X[[2, 1]].astype(np.float32))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": X, "labels": Y}, r"expected the arrays x and y \(got 'images, labels'\).*np.savez\(path, x="),
        ({}, r"expected the arrays x and y \(got 'none'\)"),
        ({"x": X, "y": Y[:3]}, r"y: expected one class for each of 4 inputs, shape \(4,\) \(got 'int64 \(3,\)'\)"),
        ({"x": X, "y": np.eye(4)}, r"y: .*use y.argmax\(axis=1\)"),
        ({"x": X, "y": Y[:, None]}, r"y: .*Use y.ravel\(\)"),
        ({"x": X, "y": Y + 0.0}, r"y: expected whole numbers .*float64.* Use y.astype\(int\)"),
        ({"x": X, "y": Y.astype(str)}, "y: expected whole numbers .*Number the classes from 0"),
        ({"x": X, "y": Y - 1}, r"y: expected classes from 0 \(got -1\)"),
        ({"x": X[:0], "y": Y[:0]}, r"x: expected numbers of shape \(n, ...\) \(got 'float64 \(0, 3, 5, 5\)'\)"),
        ({"x": Y, "y": Y}, r"x: expected numbers of shape \(n, ...\)"),
        ({"x": X.astype(str), "y": Y}, r"x: expected numbers"),
        ({"x": X + 0j, "y": Y}, r"x: expected numbers"),
        (
            {"x": np.where(X[2, 0, 0, 0] == X, np.nan, X), "y": Y},
            r"x: expected finite.*NaN.* first in x\[2",
        ),
        ({"x": X * 1e300, "y": Y}, "x: expected finite"),
        ({"x": X, "y": Y, "x_test": X}, r"expected x_test and y_test together \(got 'x_test'\). Save both, or neither"),
        ({"x": X, "y": Y, "x_test": X, "y_test": Y[:2]}, "y_test: expected one class for each of 4 inputs"),
        ({"x": X, "y": Y, "x_test": X[:, :1], "y_test": Y}, r"test inputs: expected .* as those for training .* \(got"),
        ({"x": np.array([None, 1]), "y": Y}, r"x: expected numbers \(got 'objects.*could run any code"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        from_file(saved(tmp_path, **arrays))


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, x=X, y=Y)
    whole = path.read_bytes()
    for content, message in [
        (b"", "cannot be read as a .npz file of NumPy.*np.savez"),
        (whole[:-30], "cannot be read as a .npz file of NumPy.*np.savez"),
        (whole.replace(X.tobytes()[:800], b"\0" * 800), "x: cannot be read as an array as NumPy saves it: Bad CRC"),
        (b"\x80\x04]", "cannot be read as a .npz file of NumPy.*np.savez"),
    ]:
        path.write_bytes(content)
        with pytest.raises(DataError, match=message):
            from_file(path)
    with pytest.raises(DataError, match="is a folder, not a file"):
        from_file(tmp_path)
    with pytest.raises(DataError, match="no such file"):
        from_file("~/nothing/at/all.npz")


def test_an_array_that_claims_more_than_it_brings_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f8", "fortran_order": False, "shape": (10**12, 4)})
    for member, message in [
        (head.getvalue() + b"\0" * 64, r"x: expected 32000000000000 bytes.*64 bytes"),
        (b"\x93NUMPY\x09\x00" + b"\0" * 64, "an array of version 1 or 2"),
        (b"no array at all", "cannot be read"),
    ]:
        path = saved(tmp_path, y=Y)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("x.npy", member)
        with pytest.raises(DataError, match=message):
            from_file(path)


def test_an_array_beyond_what_memory_should_be_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("biosnn.files.ALWAYS", 0)
    from_file(saved(tmp_path, x=X, y=Y))
    monkeypatch.setattr("biosnn.files.available_memory", lambda: 2 * X.nbytes)
    with pytest.raises(DataError, match=r"mine.npz: expected at most 2,400 bytes, half of the memory that is free"):
        from_file(saved(tmp_path, x=X, y=Y))


@pytest.mark.parametrize(
    ("inputs", "labels", "message"),
    [
        (X, Y, "float32 of shape"),
        (X.astype(np.float32), Y[:2], "4 classes from 0"),
        (X.astype(np.float32), Y - 1, "4 classes from 0"),
        (X.astype(np.float32), Y.astype(np.int32), "as int64"),
        (Y.astype(np.float32), Y, "float32 of shape"),
    ],
)
def test_examples_that_do_not_fit_are_refused(inputs: Any, labels: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Examples("mine", inputs, labels, "a test")
