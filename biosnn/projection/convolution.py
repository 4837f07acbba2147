"""Kinds for neurons that stand for the channels of pixels: convolution, pooling, and shortcuts past layers.

The neuron of row y, column x and channel c has the index ``(y*columns + x)*channels + c``: an array of shape (rows,
columns, channels), flattened. Networks trained elsewhere often have channels first: transpose their images with
``(1, 2, 0)`` and their kernels, (out, in, row, column), with ``(2, 3, 1, 0)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np

from biosnn.errors import ModelError, field_error
from biosnn.projection.kinds import Fit, Indices, Kind

Shape: TypeAlias = tuple[int, int, int]
Pair: TypeAlias = tuple[int, int]
Padding: TypeAlias = int | Pair | tuple[Pair, Pair]


@dataclass(frozen=True)
class Conv2D(Kind):
    """Convolution: every pixel of the output sees a window of the input, with the same weights everywhere.

    As everywhere in deep learning, the kernel is not turned round (a cross-correlation). Weights: (kernel rows, kernel
    columns, input channels of a group, output channels). They are what is stored: a synapse has no memory of its own,
    and a statement that changes ``w`` changes it for all synapses that share it, one spike after another.

    Parameters
    ----------
    input : tuple of int
        (rows, columns, channels) of the source.
    channels : int
        Of the target.
    kernel, stride, dilation : int or pair of int
        For rows and columns.
    padding : int, pair of int, or pair of pairs
        Rows and columns of silence around the input: the same on all sides, (vertical, horizontal), or ((top, bottom),
        (left, right)).
    groups : int
        Input and output channels are split into so many groups, each of which sees only its own. As many as input
        channels: a depthwise convolution.

    Raises
    ------
    ModelError
        If numbers are out of range, channels are no multiple of the groups, or the kernel is larger than the input.
    """

    input: Shape
    channels: int
    kernel: int | Pair = 3
    stride: int | Pair = 1
    padding: Padding = 0
    dilation: int | Pair = 1
    groups: int = 1
    template: ClassVar[str] = "conv2d"
    shares_weights: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _shape("Conv2D, input", self.input)
        for name in ("channels", "groups"):
            _whole(f"Conv2D, {name}", getattr(self, name), 1)
        for name, number in (("input channels", self.input[2]), ("channels", self.channels)):
            if number % self.groups:
                raise ModelError(field_error(f"Conv2D, {name}", f"a multiple of {self.groups} groups", number))
        _ = self.windows

    @property
    def windows(self) -> Windows:
        """Where the kernel lies."""
        return Windows.of("Conv2D", self.input, self.kernel, self.stride, self.padding, self.dilation)

    @property
    def output(self) -> Shape:
        """(rows, columns, channels) of the target."""
        return (*self.windows.output, self.channels)

    def fit(self, n_source: int, n_target: int) -> Fit:
        _check_sizes("Conv2D", self.input, self.output, n_source, n_target)
        windows, channels_in, channels_out = self.windows, self.input[2], self.channels
        group_in, group_out = channels_in // self.groups, channels_out // self.groups

        # Weights are in the order (tap, channel within the input's group, channel of the output).
        def outgoing(i: int) -> tuple[Indices, Indices]:
            pixel, channel = divmod(i, channels_in)
            first = channel // group_in * group_out
            taps, pixels = windows.leading_from(pixel)
            outer = np.arange(first, first + group_out)
            weights = (taps[:, None] * group_in + channel % group_in) * channels_out + outer
            return weights.ravel(), (pixels[:, None] * channels_out + outer).ravel()

        def incoming(j: int) -> tuple[Indices, Indices]:
            pixel, channel = divmod(j, channels_out)
            first = channel // group_out * group_in
            taps, pixels = windows.leading_to(pixel)
            inner = np.arange(group_in)
            weights = (taps[:, None] * group_in + inner) * channels_out + channel
            return weights.ravel(), (pixels[:, None] * channels_in + first + inner).ravel()

        shape = (*windows.kernel, group_in, channels_out)
        numbers = {"channels_in": channels_in, "channels_out": channels_out, "group_in": group_in}
        return Fit(shape, outgoing, incoming, windows.numbers | numbers | {"group_out": group_out})


@dataclass(frozen=True)
class Pool2D(Kind):
    """Pooling: every pixel of the output sees a window of the input, each channel for itself. One weight for all.

    Parameters
    ----------
    input : tuple of int
        (rows, columns, channels) of the source; the target has as many channels.
    kernel : int or pair of int
        Rows and columns of the window.
    stride : int or pair of int, optional
        By default the kernel's size, so that windows do not overlap.
    padding : int, pair of int, or pair of pairs
        As in `Conv2D`. What is added counts as silent pixels.
    mode : {"average", "max"}
        ``average``: every spike passes, and the weight is by default one over the size of the window. ``max``: a spike
        passes where it makes its neuron's count larger than that of any other in the window so far, so that as many
        spikes have passed at any time as the most active neuron of the window has fired; the weight is by default 1.
    spike_value : str
        For ``max`` where spikes carry a value, such as a sign or a count: the variable of the source that says which,
        a whole number (it is rounded). The value of a window is then the largest of the sums of what its neurons have
        sent. At each spike that changes it, up or down, statements run, in which ``change`` is by how much it has
        changed: ``on_pre="v_post += change*w"``.

    Raises
    ------
    ModelError
        If numbers are out of range, the mode is unknown, the window is larger than the input, or there is a
        ``spike_value`` with another mode.
    """

    input: Shape
    kernel: int | Pair = 2
    stride: int | Pair | None = None
    padding: Padding = 0
    mode: str = "average"
    spike_value: str = ""
    template: ClassVar[str] = "pool2d"
    shares_weights: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _shape("Pool2D, input", self.input)
        if self.mode not in ("average", "max"):
            raise ModelError(field_error("Pool2D, mode", "'average' or 'max'", self.mode))
        if not isinstance(self.spike_value, str) or not (self.spike_value or "_").isidentifier():
            raise ModelError(
                field_error("Pool2D, spike_value", "the name of a variable of the source", self.spike_value)
            )
        if self.spike_value and not self.gates:
            do = "Averages need none: write on_pre='v_post += s_pre*w', if the variable is s."
            raise ModelError(field_error("Pool2D, spike_value", "none unless mode is 'max'", self.spike_value, do))
        _ = self.windows

    @property
    def windows(self) -> Windows:
        """Where the windows lie."""
        stride = self.kernel if self.stride is None else self.stride
        return Windows.of("Pool2D", self.input, self.kernel, stride, self.padding, 1)

    @property
    def output(self) -> Shape:
        """(rows, columns, channels) of the target."""
        return (*self.windows.output, self.input[2])

    @property
    def weight(self) -> float:
        return 1.0 if self.gates else 1.0 / float(np.prod(self.windows.kernel))

    @property
    def gates(self) -> bool:
        return self.mode == "max"

    @property
    def carried(self) -> str:
        return self.spike_value

    @property
    def sides(self) -> tuple[str, ...]:
        return ("pre",) if self.gates else super().sides

    def fit(self, n_source: int, n_target: int) -> Fit:
        _check_sizes("Pool2D", self.input, self.output, n_source, n_target)
        windows, channels = self.windows, self.input[2]

        def outgoing(i: int) -> tuple[Indices, Indices]:
            pixel, channel = divmod(i, channels)
            pixels = windows.leading_from(pixel)[1]
            return np.zeros_like(pixels), pixels * channels + channel

        def incoming(j: int) -> tuple[Indices, Indices]:
            pixel, channel = divmod(j, channels)
            pixels = windows.leading_to(pixel)[1]
            return np.zeros_like(pixels), pixels * channels + channel

        return Fit((), outgoing, incoming, windows.numbers | {"channels": channels})


@dataclass(frozen=True)
class Shortcut(Kind):
    """The way past the layers of a residual block: each neuron to the one in its place. One weight, by default 1.

    With a stride, only every so many rows and columns pass; with more channels in the target, those of the source
    come to lie in the middle, and the others get nothing (He et al. 2016, CVPR, option A of section 4.2). Without
    either it is the identity.

    Parameters
    ----------
    input : tuple of int
        (rows, columns, channels) of the source.
    channels : int, optional
        Of the target; by default those of the source.
    stride : int or pair of int
        For rows and columns.

    Raises
    ------
    ModelError
        If numbers are out of range, or the target has fewer channels than the source.
    """

    input: Shape
    channels: int | None = None
    stride: int | Pair = 1
    template: ClassVar[str] = "shortcut"
    shares_weights: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _shape("Shortcut, input", self.input)
        _pair("Shortcut, stride", self.stride, 1)
        _whole("Shortcut, channels", self.output[2], self.input[2])

    @property
    def output(self) -> Shape:
        """(rows, columns, channels) of the target."""
        down, right = _pair("Shortcut, stride", self.stride, 1)
        channels = self.input[2] if self.channels is None else self.channels
        return -(-self.input[0] // down), -(-self.input[1] // right), channels

    @property
    def weight(self) -> float:
        return 1.0

    def fit(self, n_source: int, n_target: int) -> Fit:
        _check_sizes("Shortcut", self.input, self.output, n_source, n_target)
        down, right = _pair("Shortcut, stride", self.stride, 1)
        (_, columns_in, channels_in), (_, columns_out, channels_out) = self.input, self.output
        before = (channels_out - channels_in) // 2
        none = np.array([], dtype=np.int64)

        def outgoing(i: int) -> tuple[Indices, Indices]:
            pixel, channel = divmod(i, channels_in)
            y, x = divmod(pixel, columns_in)
            if y % down or x % right:
                return none, none
            return _one((y // down * columns_out + x // right) * channels_out + channel + before)

        def incoming(j: int) -> tuple[Indices, Indices]:
            pixel, channel = divmod(j, channels_out)
            if not before <= channel < before + channels_in:
                return none, none
            y, x = divmod(pixel, columns_out)
            return _one((y * down * columns_in + x * right) * channels_in + channel - before)

        numbers = {"columns_in": columns_in, "channels_in": channels_in, "stride_rows": down, "stride_columns": right}
        numbers |= {"columns_out": columns_out, "channels_out": channels_out, "before": before}
        return Fit((), outgoing, incoming, numbers)


@dataclass(frozen=True)
class Windows:
    """Where a kernel's taps lead from the pixels of an input to those of an output.

    Parameters
    ----------
    input, output : pair of int
        Rows and columns.
    kernel, stride, dilation : pair of int
        For rows and columns.
    before : pair of int
        Padding at the top and at the left.
    """

    input: Pair
    output: Pair
    kernel: Pair
    stride: Pair
    dilation: Pair
    before: Pair

    @classmethod
    def of(
        cls, what: str, shape: Shape, kernel: int | Pair, stride: int | Pair, padding: Padding, dilation: int | Pair
    ) -> Windows:
        """Check the numbers and work out the size of the output.

        Raises
        ------
        ModelError
            If a number is out of range, or the kernel is larger than the input.
        """
        size = _pair(f"{what}, kernel", kernel, 1)
        step = _pair(f"{what}, stride", stride, 1)
        apart = _pair(f"{what}, dilation", dilation, 1)
        margins = _margins(f"{what}, padding", padding)
        # Output size: floor((n + padding - dilation*(kernel - 1) - 1)/stride) + 1 (Dumoulin & Visin 2016,
        # arXiv:1603.07285).
        room = [n + sum(m) - (k - 1) * d - 1 for n, m, k, d in zip(shape[:2], margins, size, apart, strict=True)]
        if min(room) < 0:
            raise ModelError(field_error(f"{what}, kernel", f"at most the size of the padded input {shape}", kernel))
        output = room[0] // step[0] + 1, room[1] // step[1] + 1
        return cls(shape[:2], output, size, step, apart, (margins[0][0], margins[1][0]))

    @property
    def numbers(self) -> dict[str, int]:
        """What templates ask for."""
        pairs = {"in": self.input, "out": self.output}
        numbers = {
            f"{axis}_{end}": pair[k] for end, pair in pairs.items() for k, axis in enumerate(("rows", "columns"))
        }
        for name in ("kernel", "stride", "dilation"):
            numbers |= {f"{name}_{axis}": getattr(self, name)[k] for k, axis in enumerate(("rows", "columns"))}
        return numbers | {"top": self.before[0], "left": self.before[1]}

    def leading_from(self, pixel: int) -> tuple[Indices, Indices]:
        """The taps that see a pixel of the input, and the pixels of the output for which they do."""
        by_axis = []
        for axis, place in enumerate(divmod(pixel, self.input[1])):
            taps = np.arange(self.kernel[axis])
            # Output y reads the input at y*stride - before + tap*dilation. Solved for y, which has to be whole.
            places = place + self.before[axis] - taps * self.dilation[axis]
            seen = (places >= 0) & (places % self.stride[axis] == 0)
            seen &= places < self.output[axis] * self.stride[axis]
            by_axis.append((taps[seen], places[seen] // self.stride[axis]))
        return self._cross(by_axis, self.output[1])

    def leading_to(self, pixel: int) -> tuple[Indices, Indices]:
        """The taps of a pixel of the output that lie on the input, and the pixels they lie on."""
        by_axis = []
        for axis, place in enumerate(divmod(pixel, self.output[1])):
            taps = np.arange(self.kernel[axis])
            places = place * self.stride[axis] - self.before[axis] + taps * self.dilation[axis]
            inside = (places >= 0) & (places < self.input[axis])
            by_axis.append((taps[inside], places[inside]))
        return self._cross(by_axis, self.input[1])

    def _cross(self, by_axis: list[tuple[Indices, Indices]], columns: int) -> tuple[Indices, Indices]:
        # Along both axes the choices are independent: every row with every column, row by row.
        (down, rows), (right, places) = by_axis
        taps = down[:, None] * self.kernel[1] + right
        return taps.ravel(), (rows[:, None] * columns + places).ravel()


def _one(index: int) -> tuple[Indices, Indices]:
    return np.zeros(1, dtype=np.int64), np.array([index], dtype=np.int64)


def _check_sizes(what: str, source: Shape, target: Shape, n_source: int, n_target: int) -> None:
    for side, shape, size in (("source", source, n_source), ("target", target, n_target)):
        if np.prod(shape) != size:
            expected = f"a {side} of {np.prod(shape)} neurons, (rows, columns, channels) = {tuple(shape)}"
            raise ModelError(field_error(what, expected, f"{size} neurons"))


def _shape(where: str, shape: object) -> None:
    if not isinstance(shape, tuple | list) or len(shape) != 3:
        raise ModelError(field_error(where, "(rows, columns, channels)", shape))
    for number in shape:
        _whole(where, number, 1)


def _whole(where: str, number: object, least: int) -> int:
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < least:
        raise ModelError(field_error(where, f"whole numbers of at least {least}", number))
    return int(number)


def _pair(where: str, numbers: object, least: int) -> Pair:
    both = numbers if isinstance(numbers, tuple | list) else (numbers, numbers)
    if len(both) != 2:
        raise ModelError(field_error(where, "one number, or one for rows and one for columns", numbers))
    return _whole(where, both[0], least), _whole(where, both[1], least)


def _margins(where: str, padding: object) -> tuple[Pair, Pair]:
    """((top, bottom), (left, right))."""
    both = padding if isinstance(padding, tuple | list) else (padding, padding)
    if len(both) != 2:
        raise ModelError(
            field_error(where, "one number, (vertical, horizontal) or ((top, bottom), (left, right))", padding)
        )
    return _pair(where, both[0], 0), _pair(where, both[1], 0)
