"""Labelled values: what each input is in each of many examples, for as long as the example lasts."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from biosnn.errors import DataError, field_error


@dataclass(frozen=True, eq=False, repr=False)
class LabelledValues:
    """The value of each input in each of many examples, such as intensities of pixels, and its class.

    Parameters
    ----------
    values : array, shape (n, ...)
        Finite numbers; kept in the precision in which they are given, integers as float32.
    labels : array of int, shape (n,)
        The class of each example, from 0.

    Raises
    ------
    DataError
        If the arrays do not fit each other, or a value is not finite.
    """

    values: NDArray[np.floating]
    labels: NDArray[np.int64]

    def __post_init__(self) -> None:
        values, labels = np.asarray(self.values), np.asarray(self.labels)
        if values.dtype.kind not in "biuf" or values.ndim < 2 or not values.size:
            given = f"{values.dtype} {values.shape}"
            raise DataError(field_error("LabelledValues.values", "numbers, shape (n, ...)", given))
        if labels.dtype.kind not in "iu" or labels.shape != (len(values),) or labels.min() < 0:
            expected = f"{len(values)} classes, whole numbers from 0"
            raise DataError(field_error("LabelledValues.labels", expected, f"{labels.dtype} {labels.shape}"))
        values = values if values.dtype.kind == "f" else values.astype(np.float32)
        if not np.all(np.isfinite(values)):
            raise DataError(field_error("LabelledValues.values", "finite numbers", values[~np.isfinite(values)][0]))
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "labels", labels.astype(np.int64))

    def __len__(self) -> int:
        """How many examples there are."""
        return len(self.labels)

    def __repr__(self) -> str:
        return f"LabelledValues({len(self)} examples of shape {self.shape})"

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the inputs."""
        return self.values.shape[1:]

    @property
    def size(self) -> int:
        """How many inputs there are."""
        return math.prod(self.shape)

    def take(self, indices: NDArray[np.integer] | slice) -> LabelledValues:
        """The examples with these indices, in this order."""
        return replace(self, values=self.values[indices], labels=self.labels[indices])
