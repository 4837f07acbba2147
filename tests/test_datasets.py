"""Datasets: what is loaded is what the source says, and a split is fair."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biosnn.datasets import Dataset, load, names, stratified_split
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
