"""The nodes of NIR that map what comes in, checked when they are made; those of neurons are in `neurons`. NumPy only.

NIR (Neuromorphic Intermediate Representation): Pedersen et al. 2024, Nat Commun 15:8122,
doi:10.1038/s41467-024-52259-9. Names of nodes and of their fields are those of the library ``nir``. Shapes leave out
the batch axis; of images, they are channels first. Times are in seconds, all else is plain numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from biosnn.ann.layers import Pair, Shape, Sides
from biosnn.display import Brief
from biosnn.errors import ConversionError, field_error
from biosnn.nir.fields import LAYOUT, Numbers, image, places, set_bias, set_numbers, set_shape, set_window, whole


@dataclass(frozen=True, kw_only=True, eq=False)
class Node(Brief):
    """What all nodes have.

    Parameters
    ----------
    metadata : mapping of str to text or numbers
        What else a file says of the node; it does not change what is computed.

    Raises
    ------
    ConversionError
        If a field makes no sense. The message names the kind of node and the field.
    """

    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "metadata", MappingProxyType(dict(self.metadata)))
        self._check()

    @property
    def kind(self) -> str:
        """What NIR calls it."""
        return type(self).__name__

    def fit(self, shape: Shape) -> Shape:
        """Tell the shape of the output from that of the input; `ConversionError` if it does not fit."""
        return shape

    def _check(self) -> None:
        """Check the fields, and keep them in one form."""

    def _only(self, expected: Shape, shape: Shape, do: str = "") -> None:
        if shape != expected:
            raise ConversionError(field_error(f"{self.kind} input", f"the shape {expected}", shape, do))


@dataclass(frozen=True, kw_only=True, eq=False)
class Input(Node):
    """Where spikes or values come in, of this shape in each time step."""

    shape: Shape

    def _check(self) -> None:
        set_shape(self, "shape")

    def fit(self, shape: Shape) -> Shape:
        raise ConversionError(field_error("Input", "no edge that leads to it", f"one with the shape {shape}"))


@dataclass(frozen=True, kw_only=True, eq=False)
class Output(Node):
    """Where the answer is taken."""

    shape: Shape

    def _check(self) -> None:
        set_shape(self, "shape")

    def fit(self, shape: Shape) -> Shape:
        self._only(self.shape, shape)
        return shape


@dataclass(frozen=True, kw_only=True, eq=False)
class Linear(Node):
    """y = W x, with ``weight`` of the shape (out, in)."""

    weight: Numbers

    def _check(self) -> None:
        set_numbers(self, "weight", 2)

    def fit(self, shape: Shape) -> Shape:
        outer, inner = self.weight.shape
        do = "Put a Flatten before it, with start_dim=0: NIR counts no batch axis." if len(shape) > 1 else ""
        self._only((inner,), shape, do)
        return (outer,)


@dataclass(frozen=True, kw_only=True, eq=False)
class Affine(Linear):
    """y = W x + b, with ``weight`` (out, in) and ``bias`` (out,)."""

    bias: Numbers

    def _check(self) -> None:
        super()._check()
        set_bias(self, self.weight, self.bias)


@dataclass(frozen=True, kw_only=True, eq=False)
class Scale(Node):
    """y = s x, with ``scale`` of the shape of the input."""

    scale: Numbers

    def _check(self) -> None:
        set_numbers(self, "scale")

    def fit(self, shape: Shape) -> Shape:
        self._only(self.scale.shape, shape)
        return shape


@dataclass(frozen=True, kw_only=True, eq=False)
class Conv2d(Node):
    """A convolution of images (a cross-correlation, as all frameworks have it).

    Parameters
    ----------
    weight : ndarray, shape (out, in / groups, height, width)
        The kernels.
    bias : ndarray, shape (out,)
        Added to every place of a channel.
    stride, dilation : (int, int)
        Down and across; one number for both is taken too.
    padding : (int, int), "same" or "valid"
        Zeros above and below, left and right. Kept as a pair, or as "same", which keeps the size: where the zeros are
        odd, one more is below and to the right.
    groups : int
        Channels are divided into so many groups, each with kernels of its own.
    input_shape : (int, int), optional
        Height and width of the input, if the file says so.
    """

    weight: Numbers
    bias: Numbers
    stride: Pair = (1, 1)
    padding: Pair | str = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1
    input_shape: Pair | None = None

    def _check(self) -> None:
        set_numbers(self, "weight", 4)
        set_bias(self, self.weight, self.bias)
        set_window(self, stride=1, dilation=1)
        if isinstance(self.padding, str) and self.padding not in ("same", "valid"):
            raise ConversionError(field_error("Conv2d padding", "numbers, 'same' or 'valid'", self.padding))
        if isinstance(self.padding, str) and self.padding == "valid":
            object.__setattr__(self, "padding", (0, 0))
        if not isinstance(self.padding, str):
            set_window(self, padding=0)
        elif self.stride != (1, 1):
            raise ConversionError(field_error("Conv2d stride", "1 with the padding 'same'", self.stride))
        groups = whole("Conv2d groups", self.groups, 1)
        if len(self.weight) % groups:
            raise ConversionError(field_error("Conv2d groups", f"a divisor of {len(self.weight)} channels", groups))
        object.__setattr__(self, "groups", groups)
        if self.input_shape is not None:
            set_window(self, input_shape=1)

    @property
    def sides(self) -> Sides:
        """Rows and columns of zeros: top, left, bottom, right."""
        if not isinstance(self.padding, str):
            return (*self.padding, *self.padding)
        rooms = [d * (k - 1) for d, k in zip(self.dilation, self.weight.shape[2:], strict=True)]
        return rooms[0] // 2, rooms[1] // 2, rooms[0] - rooms[0] // 2, rooms[1] - rooms[1] // 2

    def fit(self, shape: Shape) -> Shape:
        channels, *size = image(self, shape)
        expected = self.weight.shape[1] * self.groups
        if channels != expected or (self.input_shape is not None and tuple(size) != self.input_shape):
            told = self.input_shape or ("height", "width")
            raise ConversionError(field_error("Conv2d input", f"the shape {(expected, *told)}", shape, LAYOUT))
        spans = [d * (k - 1) + 1 for d, k in zip(self.dilation, self.weight.shape[2:], strict=True)]
        return (len(self.weight), *places(self, size, spans, self.stride, self.sides))


@dataclass(frozen=True, kw_only=True, eq=False)
class SumPool2d(Node):
    """The sum of each window of a channel; ``kernel_size``, ``stride`` and ``padding`` are down and across."""

    kernel_size: Pair
    stride: Pair
    padding: Pair = (0, 0)

    def _check(self) -> None:
        set_window(self, kernel_size=1, stride=1, padding=0)
        if any(2 * side > length for side, length in zip(self.padding, self.kernel_size, strict=True)):
            expected = f"at most half of the kernel {self.kernel_size}"
            raise ConversionError(field_error(f"{self.kind} padding", expected, self.padding))

    def fit(self, shape: Shape) -> Shape:
        channels, *size = image(self, shape)
        return (channels, *places(self, size, self.kernel_size, self.stride, (*self.padding, *self.padding)))


@dataclass(frozen=True, kw_only=True, eq=False)
class AvgPool2d(SumPool2d):
    """The mean of each window of a channel; padding counts as zeros."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Flatten(Node):
    """The axes from ``start_dim`` to ``end_dim``, the last one included, become one. There is no batch axis to count.

    ``input_type`` is the shape of the input, if the file says so.
    """

    start_dim: int = 1
    end_dim: int = -1
    input_type: Shape | None = None

    def _check(self) -> None:
        for name in ("start_dim", "end_dim"):
            object.__setattr__(self, name, whole(f"Flatten {name}", getattr(self, name), -32))
        if self.input_type is not None:
            set_shape(self, "input_type")

    def fit(self, shape: Shape) -> Shape:
        if self.input_type is not None:
            self._only(self.input_type, shape)
        axes = len(shape)
        first, last = (n + axes if n < 0 else n for n in (self.start_dim, self.end_dim))
        if not 0 <= first <= last < axes:
            do = "NIR counts no batch axis: start_dim=0 makes all axes one."
            given = f"start_dim={self.start_dim}, end_dim={self.end_dim}"
            raise ConversionError(field_error("Flatten", f"axes of an input of the shape {shape}", given, do))
        return (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :])


@dataclass(frozen=True, kw_only=True, eq=False)
class Delay(Node):
    """y(t) = x(t - delay), with ``delay`` in seconds, of the shape of the input."""

    delay: Numbers

    def _check(self) -> None:
        set_numbers(self, "delay")
        if self.delay.min() < 0:
            raise ConversionError(field_error("Delay delay", "times that are not negative", float(self.delay.min())))

    def fit(self, shape: Shape) -> Shape:
        self._only(self.delay.shape, shape)
        return shape


@dataclass(frozen=True, kw_only=True, eq=False)
class Threshold(Node):
    """A spike in every step in which the input exceeds ``threshold``: no memory, no reset."""

    threshold: Numbers

    def _check(self) -> None:
        set_numbers(self, "threshold")

    def fit(self, shape: Shape) -> Shape:
        self._only(self.threshold.shape, shape)
        return shape
