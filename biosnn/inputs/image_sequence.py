"""Images that are shown one after the other, inside the generated code, as rates of spike trains or as currents."""

from __future__ import annotations

import gc
from typing import Any, TypeAlias
from weakref import WeakSet

import numpy as np
from brian2 import Quantity, Subgroup, defaultclock, prefs, second
from brian2.core.spikesource import SpikeSource
from brian2.units.fundamentalunits import Dimension
from numpy.typing import ArrayLike, NDArray

from biosnn.codegen.code_objects import Task
from biosnn.errors import ModelError, RunError, field_error, unknown
from biosnn.inputs import check
from biosnn.inputs.group import InputGroup
from biosnn.inputs.restore import Restore
from biosnn.projection import Kind, OneToOne, Projection
from biosnn.projection.clear import Clear
from biosnn.projection.delays import Arrivals
from biosnn.quantity import check_dimension

# In the slot "start", so that what an image drives has changed when the time step begins; in this order.
_TURN, _CLEAR, _DRIVE = -10, -9, -8
BLANK = -1
# By how much of a time step a time may miss a multiple, and below how many steps doubles can tell.
_SLACK, _MANY = 1e-3, 2**40
_CHANGED = ("x", "frame", "presentation_order", "pixels", "_steps", "_places", "_turns", "_early")
_TURNED = ("_spikespace", *_CHANGED, "t_in_timesteps")

_Driven: TypeAlias = tuple[Any, int, int]
"""A variable that images set, and the first and last (exclusive) of its neurons."""

_alive: WeakSet[Images] = WeakSet()


class Images(InputGroup):
    """Pixels that show one image after the other; made by `images`.

    In the time step in which the image changes, every pixel spikes once, so that whatever hangs on it can run then.

    Attributes
    ----------
    x : unit of the images
        What each pixel shows; zero while nothing is shown.
    frame : int
        The image that is shown, -1 for none.
    pixels : unit of the images, shape (images * pixels of one,)
        The images themselves. The points of a prepared run may have others, of the same number: "pictures.pixels".
    presentation_order : int array
        The image of each presentation. It can be set before a run, and by the points of a sweep.
    shape : tuple of int
        Of an image.
    """

    def __init__(
        self,
        sequence: NDArray[Any],
        unit: Dimension,
        steps: NDArray[np.int64],
        places: NDArray[np.int64],
        presentation_order: NDArray[np.int64],
        *,
        dt: Quantity | str | None,
        name: str,
    ) -> None:
        self.shape, self.n_images = sequence.shape[1:], len(sequence)
        self._driven: list[_Driven] = []
        _alive.add(self)
        InputGroup.__init__(self, int(np.prod(self.shape)), dt=dt, when="start", order=_TURN, name=name)
        variables = self.variables
        variables.add_array("x", size=self._N, dimensions=unit, dtype=prefs["core.default_float_dtype"])
        variables.add_array("frame", size=1, dtype=np.int32, scalar=True, index="0")
        values = sequence.reshape(-1)
        # Not read-only: other images can be shown at the points of a prepared run, as many at a time, at other times.
        variables.add_array(
            "pixels", size=values.size, values=values, dtype=values.dtype, dimensions=unit, constant=True
        )
        # Steps in 64 bits: in 32 they end after 60 hours of 0.1 ms each.
        variables.add_array("_steps", size=steps.size, values=steps.astype(np.int64), dtype=np.int64, constant=True)
        variables.add_array(
            "_places", size=places.size, values=places.astype(np.int32), dtype=np.int32, read_only=True, constant=True
        )
        # An index of its own, through which Brian2 reads and sets single places.
        variables.add_arange(
            "_presentation", presentation_order.size, constant=True, read_only=True, index="_presentation"
        )
        variables.add_array("presentation_order", size=presentation_order.size, dtype=np.int32, index="_presentation")
        variables.add_array("_turns", size=1, dtype=np.int32, scalar=True, index="0")
        # By how many steps presentations come sooner than planned, where something ends one before its time.
        variables.add_array("_early", size=1, dtype=np.int64, scalar=True, index="0")
        self.spikes_by(_Turn(self))
        self._enable_group_attributes()
        variables["frame"].set_value(BLANK)
        self.presentation_order = presentation_order

    def __setattr__(self, name: str, value: Any, level: int = 0) -> None:
        """Set a variable; the presentation order is checked."""
        if name == "presentation_order":
            self.variables["presentation_order"].set_value(
                _checked_order(self.name, value, self.n_images, self.variables["presentation_order"].size)
            )
            return
        super().__setattr__(name, value, level=level + 1)

    def drive(
        self,
        target: Any,
        variable: str,
        weights: Any = None,
        kind: Kind | None = None,
        *,
        onto: bool = False,
        name: str | None = None,
    ) -> Projection:
        """Let a variable of a group be the weighted sum of what the pixels show, from the step in which it changes.

        What several drives of these images lead to the same neurons adds up. Other images cannot drive them too.

        It is worked out once per image, not in every time step. The rate of spike trains or the constant current into a
        neuron are such variables; with a kernel, the current is that of the first layer of a network for images.

        Parameters
        ----------
        target : group
            Whose variable it is.
        variable : str
            Its name. Whatever else sets it, is overwritten.
        weights : Quantity, array or str, optional
            As in `Projection`: one value, or an array of the kind's natural shape. By default the kind's own, or 1.
        kind : Kind, optional
            What connects to what; by default each pixel to the neuron of its index.
        onto : bool
            Whether the sum is added to what the variable is when the simulation begins, such as a bias of each neuron.
        name : str, optional
            Of the projection.

        Returns
        -------
        Projection
            With the weights ``w``. A Network takes it along with the images.

        Raises
        ------
        ModelError
            If the variable is unknown or constant, sizes or weights do not fit the kind, units do not agree, or other
            images drive the same neurons.
        """
        where = f"{self.name}.drive"
        kind = OneToOne() if kind is None else kind
        var = _writable(where, target, variable)
        name = f"{self.name}_{variable}*" if name is None else name
        check.plain_name(where, name)
        joint = Projection(self, target, kind, _weights(where, weights, kind), name=name)
        if kind.gates:
            raise ModelError(field_error(where, "a kind that is a sum", kind))
        driven = (var, *joint.endpoints.span("post"))
        self._refuse_others(where, driven, target, variable)
        spikes = self.variables["_spikespace"]
        at = {"clock": self.clock, "when": "start"}
        begin = Restore if onto else Clear
        clear = begin(joint, [driven], spikes, order=_CLEAR, name=f"{joint.name}_clear", **at)
        joint.contained_objects.append(clear)
        joint.add_pathway("pre", "pre", f"{variable}_post += w*x_pre", Arrivals(spikes), when="start", order=_DRIVE)
        self.contained_objects.append(joint)
        self._driven.append(driven)
        return joint

    def _refuse_others(self, where: str, driven: _Driven, target: Any, variable: str) -> None:
        """Other images put to zero, at times of their own, what these have added."""
        if self._others(driven):
            gc.collect()  # images that nobody holds any more may still be there: they hold each other in a circle
        for other in self._others(driven):
            do = "Add up what they show in a variable for each of them, or show all of it by one images."
            raise ModelError(
                field_error(f"{where}, {variable} of {target.name}", "neurons that no other images drive", other, do)
            )

    def _others(self, driven: _Driven) -> list[str]:
        """Names of other images that drive some of these neurons."""
        var, start, stop = driven
        return [
            other.name
            for other in _alive
            if other is not self and any(v is var and start < last and first < stop for v, first, last in other._driven)
        ]


def _writable(where: str, target: Any, variable: Any) -> Any:
    """The variable of a group that is to be driven."""
    if not isinstance(target, SpikeSource):
        raise ModelError(field_error(f"{where}, target", "a group of neurons", getattr(target, "name", target)))
    if not isinstance(variable, str):
        raise ModelError(field_error(f"{where}, variable", f"the name of a variable of {target.name}", variable))
    variables = (target.source if isinstance(target, Subgroup) else target).variables
    var = variables.get(variable)
    if var is None or var.read_only or not hasattr(var, "get_value"):
        valid = [n for n, v in variables.items() if hasattr(v, "get_value") and not v.read_only and n[0] != "_"]
        raise ModelError(f"{where}: " + unknown(f"variable of {target.name}", variable, valid))
    return var


def _weights(where: str, weights: Any, kind: Any) -> Any:
    if weights is None:
        return 1.0 if getattr(kind, "weight", None) is None else kind.weight
    if isinstance(weights, Kind) or (isinstance(weights, type) and issubclass(weights, Kind)):
        do = "Write kind=... for what connects to what."
        raise ModelError(field_error(f"{where}, weights", "numbers", weights, do))
    return check.quantity(f"{where}, weights", weights)


class _Turn(Task):
    """Turns to the next image when its time has come."""

    def __init__(self, group: Images) -> None:
        self.images = group
        needed = {name: group.variables[name] for name in _TURNED}
        kwds = {"eventspace_variable": group.variables["_spikespace"], "n_images": group.n_images, "size": len(group)}
        at = {"clock": group.clock, "when": group.when, "order": group.order, "name": f"{group.name}_turn"}
        Task.__init__(self, group, "turn", "biosnn.inputs", needed, self.turn, kwds, **at)

    def turn(self) -> None:
        """Do it, on the targets that run in this process."""
        get = {name: self.images.variables[name].get_value() for name in _TURNED}
        now, spikes, turns = int(get["t_in_timesteps"].item()), get["_spikespace"], int(get["_turns"].item())
        next_turn = int(np.searchsorted(get["_steps"], now + int(get["_early"].item()), side="right"))
        spikes[-1] = 0
        if next_turn <= turns:
            return
        get["_turns"][...] = next_turn
        place, pixels = get["_places"][next_turn - 1], len(get["x"])
        frame = BLANK if place == BLANK else int(get["presentation_order"][place])
        if not BLANK <= frame < self.images.n_images:
            raise RunError(
                field_error(f"{self.images.name}, presentation_order", f"images below {self.images.n_images}", frame)
            )
        get["frame"][...] = frame
        get["x"][:] = 0 if frame == BLANK else get["pixels"][frame * pixels : (frame + 1) * pixels]
        spikes[:] = [*range(pixels), pixels]


def images(
    sequence: Quantity | ArrayLike,
    *,
    period: Quantity | str | None = None,
    onsets: Quantity | None = None,
    shown: Quantity | str | None = None,
    presentation_order: ArrayLike | None = None,
    dt: Quantity | str | None = None,
    name: str = "images*",
) -> Images:
    """Show images one after the other, switched inside the generated code.

    Parameters
    ----------
    sequence : Quantity or array, shape (images, ...)
        What each pixel of each image shows. Whole numbers, such as the grey levels of a file, take two bytes per pixel.
    period : Quantity or str
        From one presentation to the next; the first one begins with the simulation.
    onsets : Quantity, shape (presentations,)
        Instead of a period: when each presentation begins, one after the other. Nothing is shown before the first one.
    shown : Quantity or str, optional
        How long each is shown before nothing is; by default until the next one.
    presentation_order : array of int, optional
        The image of each presentation; by default all in their order. After the last one, its image stays or, with
        ``shown``, nothing is shown. It can be set before a run, as a variable of the group, and ``sim.sweep`` takes it:
        points such as ``{"pictures.presentation_order": order}``, of the same length, show other orders without a new
        build.
    dt : Quantity or str, optional
        Time step of the group; by default the session's.
    name : str
        Its name.

    Returns
    -------
    Images
        A group. See `Images.drive` for what to do with it.

    Raises
    ------
    ModelError
        If there are no images, they are no array of real numbers, a time is no multiple of the time step or out of
        order, a place of the presentation order names no image, the time step is not above 0, or the name is none that
        Brian2 takes.
    QuantityError
        If a quantity has the wrong dimension, or a text is none.

    Examples
    --------
    >>> sequence = images(digits, period=500 * ms, shown=350 * ms)
    >>> inputs = poisson(64, 0 * Hz)
    >>> sequence.drive(inputs, "rates", 63.75 * Hz / 16)
    """
    where = check.plain_name("images", name)
    values, unit = _sequence(where, sequence)
    numbers = _checked_order(
        where, np.arange(len(values)) if presentation_order is None else presentation_order, len(values)
    )
    step = check.time_step(where, dt) or Quantity(defaultclock.dt)
    begins = _begins(where, period, onsets, step, len(numbers))
    steps, places = begins, np.arange(len(begins))
    if shown is not None:
        length = int(_in_steps(f"{where}, shown", check.time(f"{where}, shown", shown), step).item())
        gap = np.diff(begins).min(initial=np.iinfo(np.int64).max)
        if not 0 < length <= gap:
            raise ModelError(field_error(f"{where}, shown", "more than nothing, and at most until the next", shown))
        if length < gap or len(begins) == 1:
            steps = np.stack([begins, begins + length], axis=1).ravel()
            places = np.stack([places, np.full_like(places, BLANK)], axis=1).ravel()
        else:
            steps, places = np.append(begins, begins[-1] + length), np.append(places, BLANK)
    return Images(values, unit, steps, places, numbers, dt=dt, name=name)


def _sequence(where: str, sequence: Any) -> tuple[NDArray[Any], Dimension]:
    expected = "an array (images, pixels or rows, columns, ...) of real numbers"
    checked = check.numbers(f"{where}, sequence", sequence, expected)
    if checked.ndim < 2 or checked.size == 0:
        raise ModelError(field_error(f"{where}, sequence", expected, checked.shape))
    values = np.asarray(checked)
    if not np.all(np.isfinite(values)):
        raise ModelError(field_error(f"{where}, sequence", "finite values", "NaN or infinity"))
    small = np.asarray(sequence).dtype.kind in "biu" and np.abs(values).max() <= np.iinfo(np.int16).max
    return values.astype(np.int16 if small else prefs["core.default_float_dtype"]), checked.dim


def _checked_order(where: str, numbers: Any, images: int, length: int | None = None) -> NDArray[np.int64]:
    try:
        order = np.asarray(numbers)
    except ValueError:  # rows of unequal length
        order = np.asarray(None)
    if order.ndim != 1 or len(order) != (length or max(len(order), 1)) or order.dtype.kind not in "iu":
        expected = f"{length or 'one or more'} whole numbers"
        raise ModelError(field_error(f"{where}, presentation_order", expected, f"{order.dtype} of shape {order.shape}"))
    wrong = (order < 0) | (order >= images)
    if wrong.any():
        raise ModelError(
            field_error(f"{where}, presentation_order", f"images from 0 to {images - 1}", int(order[wrong][0]))
        )
    return order.astype(np.int64)


def _begins(where: str, period: Any, onsets: Any, dt: Quantity, presentations: int) -> NDArray[np.int64]:
    if (period is None) == (onsets is None):
        raise ModelError(field_error(where, "either a period or onsets", f"period={period}, onsets={onsets}"))
    if period is not None:
        length = int(_in_steps(f"{where}, period", check.time(f"{where}, period", period), dt).item())
        if length < 1:
            raise ModelError(field_error(f"{where}, period", "at least a time step", period))
        return np.arange(presentations) * length
    begins = _in_steps(f"{where}, onsets", check.numbers(f"{where}, onsets", onsets, "times"), dt)
    if begins.shape != (presentations,) or begins[0] < 0 or np.any(np.diff(begins) < 1):
        expected = f"{presentations} times, one after the other, for as many presentations"
        raise ModelError(field_error(f"{where}, onsets", expected, onsets))
    return begins


def _in_steps(where: str, times: Quantity, dt: Quantity) -> NDArray[np.int64]:
    check_dimension(where, times, second)
    exact = np.asarray(times / dt, dtype=float)
    if not np.all(np.abs(exact) < _MANY):  # also where one is NaN
        raise ModelError(field_error(where, f"less than {_MANY} time steps of {dt}", times))
    steps = np.round(exact)
    # Multiples are rounded when they are written as decimals and divided: by a few units in the last place.
    if np.any(np.abs(exact - steps) > _SLACK + 4 * np.spacing(np.abs(exact))):
        raise ModelError(field_error(where, f"multiples of the time step of {dt}", times))
    return steps.astype(np.int64)
