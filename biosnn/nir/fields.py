"""The fields of NIR's nodes, checked and kept in one form. NumPy only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.ann.layers import MOST_NEURONS, MOST_VALUES, Pair, Shape, Sides
from biosnn.errors import ConversionError, field_error

Numbers = NDArray[Any]  # of any type of number where a node is made; kept in the precision they have
LAYOUT = "Images are channels first."


def set_numbers(node: Any, name: str, axes: int | None = None) -> None:
    """Keep an array of finite numbers; those that are no floats become so."""
    where = f"{node.kind} {name}"
    array: NDArray[Any] = np.asarray(getattr(node, name))
    if array.dtype.kind not in "fiub" or not 0 < array.size <= MOST_VALUES:
        raise ConversionError(field_error(where, f"1 to {MOST_VALUES} numbers", f"{array.dtype} {array.shape}"))
    if axes is not None and array.ndim != axes:
        raise ConversionError(field_error(where, f"{axes} axes", array.shape))
    kept = np.array(array, array.dtype if array.dtype in (np.float32, np.float64) else np.float64, order="C")
    wrong = int(kept.size - np.isfinite(kept).sum())
    if wrong:
        do = "Train it again, or find the step that lost them: a network with such numbers computes nothing."
        raise ConversionError(field_error(where, "finite numbers", f"{wrong} NaN or infinite", do))
    kept.flags.writeable = False
    object.__setattr__(node, name, kept)


def set_bias(node: Any, weight: Numbers, bias: Numbers) -> None:
    set_numbers(node, "bias")
    if np.shape(bias) != weight.shape[:1]:
        expected = f"the shape {weight.shape[:1]}, one for each output"
        raise ConversionError(field_error(f"{node.kind} bias", expected, np.shape(bias)))


def set_shape(node: Any, name: str) -> None:
    where = f"{node.kind} {name}"
    given = np.atleast_1d(np.asarray(getattr(node, name)))
    if given.ndim != 1 or given.dtype.kind not in "iu" or not 1 <= given.size <= 32 or given.min() < 1:
        raise ConversionError(field_error(where, "whole numbers, at least 1", getattr(node, name)))
    shape = tuple(int(n) for n in given)
    if math.prod(shape) > MOST_NEURONS:
        raise ConversionError(field_error(where, f"at most {MOST_NEURONS} values", shape))
    object.__setattr__(node, name, shape)


def set_window(node: Any, **least: int) -> None:
    for name, bound in least.items():
        given = np.asarray(getattr(node, name))
        if given.dtype.kind not in "iu" or given.shape not in ((), (1,), (2,)):
            raise ConversionError(field_error(f"{node.kind} {name}", "one whole number, or two", getattr(node, name)))
        pair = tuple(int(n) for n in np.broadcast_to(given, (2,)))
        if not all(bound <= n <= MOST_NEURONS for n in pair):
            raise ConversionError(field_error(f"{node.kind} {name}", f"whole numbers, at least {bound}", pair))
        object.__setattr__(node, name, pair)


def whole(where: str, given: Any, least: int) -> int:
    array = np.asarray(given)
    if array.dtype.kind not in "iu" or array.size != 1 or not least <= int(array.item()) <= MOST_NEURONS:
        raise ConversionError(field_error(where, f"a whole number, at least {least}", given))
    return int(array.item())


def image(node: Any, shape: Shape) -> Shape:
    if len(shape) != 3:
        raise ConversionError(field_error(f"{node.kind} input", "the shape (channels, height, width)", shape))
    return shape


def places(node: Any, size: Sequence[int], spans: Sequence[int], stride: Pair, sides: Sides) -> Pair:
    """How many places a window has, down and across."""
    rooms = [n + sides[k] + sides[k + 2] - spans[k] for k, n in enumerate(size)]
    if min(rooms) < 0:
        raise ConversionError(
            field_error(f"{node.kind} input", f"at least the window's size {tuple(spans)}", tuple(size))
        )
    return rooms[0] // stride[0] + 1, rooms[1] // stride[1] + 1
