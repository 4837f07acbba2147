"""The layers of an ordinary network (ANN), as far as they can be made to spike. NumPy only.

Shapes leave out the batch axis; of images, they are channels first: (channels, height, width).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from biosnn.display import Brief
from biosnn.errors import ConversionError, field_error

Shape = tuple[int, ...]
Pair = tuple[int, int]
Sides = tuple[int, int, int, int]
Floats = NDArray[Any]  # of any type of number where a layer is made; kept in the precision of the layer

MOST_VALUES = 2**27
"""How many weights a layer may have, or values all layers together: memory stays below a few gigabytes."""
MOST_NEURONS = 2**24
"""How many values one layer may have."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer(Brief):
    """What all layers have.

    Parameters
    ----------
    name : str
        Unique within a graph.
    inputs : tuple of str
        The layers whose outputs it takes.
    shape : tuple of int
        Of its output, without the batch axis; by default not known yet, as before a `Graph` is made.

    Attributes
    ----------
    dtype : type
        The precision of its weights; a subclass may have another.

    Raises
    ------
    ConversionError
        If a field makes no sense. The message names the layer.
    """

    name: str
    inputs: tuple[str, ...] = ()
    shape: Shape = ()
    dtype: ClassVar[type[np.floating[Any]]] = np.float32

    @property
    def where(self) -> str:
        """What to call the layer in a message."""
        return f"Layer {self.name!r} ({type(self).__name__})"

    @property
    def neurons(self) -> int:
        """How many values its output has."""
        return math.prod(self.shape)

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one input; those of a kernel are counted at every place, with its padding."""
        return 0

    def fit(self, shapes: Sequence[Shape]) -> Shape:
        """Tell the shape of the output from those of the inputs.

        Raises
        ------
        ConversionError
            If the inputs do not fit the layer.
        """
        return self._one(shapes)

    def _one(self, shapes: Sequence[Shape]) -> Shape:
        if len(shapes) != 1:
            raise ConversionError(field_error(self.where, "one input", list(self.inputs)))
        return shapes[0]

    def _image(self, shapes: Sequence[Shape]) -> Shape:
        shape = self._one(shapes)
        if len(shape) != 3:
            raise ConversionError(field_error(self.where, "an input of the shape (channels, height, width)", shape))
        return shape


@dataclass(frozen=True, kw_only=True, eq=False)
class Input(Layer):
    """Where the images or values come in; its shape is that of one of them."""

    def fit(self, shapes: Sequence[Shape]) -> Shape:
        if shapes:
            raise ConversionError(field_error(self.where, "no inputs", list(self.inputs)))
        return self.shape


@dataclass(frozen=True, kw_only=True, eq=False)
class Convolution(Layer):
    """A convolution of images (a cross-correlation, as all frameworks have it).

    Parameters
    ----------
    weight : ndarray, shape (out, in / groups, height, width)
        The kernels.
    bias : ndarray, shape (out,)
        Added to every place of a channel.
    stride, dilation : (int, int)
        Down and across.
    padding : (int, int, int, int)
        Rows and columns of zeros: top, left, bottom, right.
    groups : int
        Channels are divided into so many groups, each with kernels of its own.
    """

    weight: Floats
    bias: Floats
    stride: Pair = (1, 1)
    padding: Sides = (0, 0, 0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1

    def __post_init__(self) -> None:
        _set_weights(self, 4)
        _check_window(self, "stride", "padding", "dilation")
        if self.groups < 1 or len(self.weight) % self.groups:
            raise ConversionError(field_error(f"{self.where} groups", "a divisor of its channels", self.groups))

    def fit(self, shapes: Sequence[Shape]) -> Shape:
        channels, *size = self._image(shapes)
        out, of_group, *kernel = self.weight.shape
        if channels != of_group * self.groups:
            expected = f"an input of {of_group * self.groups} channels, as its weights {self.weight.shape} say"
            raise ConversionError(field_error(self.where, expected, shapes[0], _LAYOUT))
        return (out, *_windows(self, size, kernel, self.dilation))

    @property
    def macs(self) -> int:
        return self.neurons * math.prod(self.weight.shape[1:])


@dataclass(frozen=True, kw_only=True, eq=False)
class Linear(Layer):
    """All inputs to all outputs. An input of several axes is taken flat, the last axis fastest.

    Parameters
    ----------
    weight : ndarray, shape (out, in)
        The weights.
    bias : ndarray, shape (out,)
        Added to the outputs.
    """

    weight: Floats
    bias: Floats

    def __post_init__(self) -> None:
        _set_weights(self, 2)

    def fit(self, shapes: Sequence[Shape]) -> Shape:
        shape = self._one(shapes)
        if math.prod(shape) != self.weight.shape[1]:
            expected = f"an input of {self.weight.shape[1]} values, as its weights {self.weight.shape} say"
            raise ConversionError(field_error(self.where, expected, shape))
        return (len(self.weight),)

    @property
    def macs(self) -> int:
        return self.weight.size


@dataclass(frozen=True, kw_only=True, eq=False)
class Scale(Layer):
    """Every value times a weight, plus a bias: what is left of a normalisation that no neighbour could take in.

    Parameters
    ----------
    weight, bias : ndarray
        Of as many axes as the input; an axis of length 1 stands for the same number all along it.
    """

    weight: Floats
    bias: Floats

    def __post_init__(self) -> None:
        _set_floats(self, "weight")
        _set_floats(self, "bias")

    def fit(self, shapes: Sequence[Shape]) -> Shape:
        shape = self._one(shapes)
        for name, array in (("weight", self.weight), ("bias", self.bias)):
            if array.ndim != len(shape) or any(n not in (1, m) for n, m in zip(array.shape, shape, strict=True)):
                expected = f"a shape that goes with the input {shape}"
                raise ConversionError(field_error(f"{self.where} {name}", expected, array.shape))
        return shape

    @property
    def macs(self) -> int:
        return self.neurons


@dataclass(frozen=True, kw_only=True, eq=False)
class Relu(Layer):
    """The positive part of a value; ``most`` clips it from above, as in ReLU6."""

    most: float = math.inf

    def __post_init__(self) -> None:
        if not self.most > 0:
            raise ConversionError(field_error(f"{self.where} most", "a number above 0", self.most))


@dataclass(frozen=True, kw_only=True, eq=False)
class Add(Layer):
    """The sum of layers of the same shape, such as a residual and its shortcut."""

    def fit(self, shapes: Sequence[Shape]) -> Shape:
        if not shapes or len(set(shapes)) > 1:
            raise ConversionError(field_error(self.where, "inputs of the same shape", list(shapes)))
        return shapes[0]


@dataclass(frozen=True, kw_only=True, eq=False)
class Concat(Layer):
    """Layers one after the other along an axis, counted without the batch axis; 0 is channels."""

    axis: int = 0

    def fit(self, shapes: Sequence[Shape]) -> Shape:
        rest = {shape[: self.axis] + shape[self.axis + 1 :] for shape in shapes}
        if len(rest) != 1 or any(not 0 <= self.axis < len(shape) for shape in shapes):
            expected = f"inputs of the same shape but for axis {self.axis}"
            raise ConversionError(field_error(self.where, expected, list(shapes)))
        longer = sum(shape[self.axis] for shape in shapes)
        return (*shapes[0][: self.axis], longer, *shapes[0][self.axis + 1 :])


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pool(Layer):
    kernel: Pair
    stride: Pair = (1, 1)
    padding: Sides = (0, 0, 0, 0)

    def __post_init__(self) -> None:
        _check_window(self, "kernel", "stride", "padding")
        if any(side >= length for side, length in zip(self.padding, self.kernel * 2, strict=True)):
            raise ConversionError(field_error(f"{self.where} padding", f"less than {self.kernel}", self.padding))

    def fit(self, shapes: Sequence[Shape]) -> Shape:
        channels, *size = self._image(shapes)
        return (channels, *_windows(self, size, self.kernel, (1, 1)))


@dataclass(frozen=True, kw_only=True, eq=False)
class AveragePool(_Pool):
    """The mean of each window of a channel; of the whole channel, where the kernel is as large as the image.

    Parameters
    ----------
    kernel, stride : (int, int)
        Down and across.
    padding : (int, int, int, int)
        Top, left, bottom, right.
    counts_padding : bool
        Whether padding counts as zeros that lower the mean, rather than being left out of it.
    """

    counts_padding: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class SumPool(_Pool):
    """The sum of each window of a channel; padding counts as zeros. Networks of NIR have it, and no `Graph`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MaxPool(_Pool):
    """The largest value of each window of a channel; padding never is.

    Parameters
    ----------
    kernel, stride : (int, int)
        Down and across.
    padding : (int, int, int, int)
        Top, left, bottom, right.
    """


@dataclass(frozen=True, kw_only=True, eq=False)
class Select(Layer):
    """Values taken from the input: what flatten, reshape, transpose, slice and padding with zeros come down to.

    Parameters
    ----------
    source : ndarray of int, of the shape of the output
        For each value the flat index of the one it takes, the last axis fastest, or -1 for a zero.
    """

    source: NDArray[np.int64]

    def __post_init__(self) -> None:
        source = np.ascontiguousarray(self.source)
        if not np.issubdtype(source.dtype, np.integer) or not source.size or source.min() < -1:
            raise ConversionError(
                field_error(f"{self.where} source", "indices, or -1", f"{source.dtype} {source.shape}")
            )
        object.__setattr__(self, "source", source.astype(np.int64, copy=False))

    def fit(self, shapes: Sequence[Shape]) -> Shape:
        size = math.prod(self._one(shapes))
        if self.source.max() >= size:
            raise ConversionError(field_error(f"{self.where} source", f"indices below {size}", int(self.source.max())))
        return self.source.shape

    @property
    def reshapes(self) -> bool:
        """Whether it keeps all values it takes in their order, so that only the shape is another."""
        return bool(np.array_equal(self.source.ravel(), np.arange(self.source.size)))


_LAYOUT = "Images are channels first."


def _set_weights(layer: Convolution | Linear, axes: int) -> None:
    """Keep the weights and the bias in the layer's precision, and hold them against each other."""
    _set_floats(layer, "weight")
    _set_floats(layer, "bias")
    if layer.weight.ndim != axes or not layer.weight.size:
        raise ConversionError(field_error(f"{layer.where} weight", f"{axes} axes, none empty", layer.weight.shape))
    if layer.bias.shape != layer.weight.shape[:1]:
        expected = f"the shape {layer.weight.shape[:1]}, one for each output"
        raise ConversionError(field_error(f"{layer.where} bias", expected, layer.bias.shape))


def _set_floats(layer: Layer, name: str) -> None:
    array: NDArray[Any] = np.asarray(getattr(layer, name))
    where = f"{layer.where} {name}"
    if array.dtype.kind not in "fiu" or not 0 < array.size <= MOST_VALUES:
        raise ConversionError(field_error(where, f"1 to {MOST_VALUES} numbers", f"{array.dtype} {array.shape}"))
    with np.errstate(over="ignore"):  # beyond the precision becomes infinite, which is refused below
        floats = np.ascontiguousarray(array, dtype=layer.dtype)
    wrong = int(floats.size - np.isfinite(floats).sum())
    if wrong:
        do = "Train it again, or find the step that lost them: a network with such weights computes nothing."
        raise ConversionError(field_error(where, f"finite numbers ({floats.dtype})", f"{wrong} NaN or infinite", do))
    object.__setattr__(layer, name, floats)


def _check_window(layer: Layer, *names: str) -> None:
    for name in names:
        value, length, least = getattr(layer, name), *((4, 0) if name == "padding" else (2, 1))
        if len(value) != length or any(not isinstance(n, int) or not least <= n <= MOST_VALUES for n in value):
            expected = f"{length} whole numbers, at least {least}"
            raise ConversionError(field_error(f"{layer.where} {name}", expected, value))


def _windows(layer: Convolution | _Pool, size: Sequence[int], kernel: Sequence[int], dilation: Pair) -> Pair:
    """How many places a kernel has, down and across."""
    places = []
    for axis in (0, 1):
        room = size[axis] + layer.padding[axis] + layer.padding[axis + 2] - dilation[axis] * (kernel[axis] - 1) - 1
        places.append(room // layer.stride[axis] + 1)
    if min(places) < 1:
        expected = f"an image at least as large as the kernel {tuple(kernel)}"
        raise ConversionError(field_error(layer.where, expected, tuple(size)))
    return places[0], places[1]
