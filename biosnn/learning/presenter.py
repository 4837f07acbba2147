"""Show images to a network inside the generated code: which, when, how bright, and again if the response was weak.

Two groups do it. The *presenter* is one neuron that counts presentations: at the start of each it decides whether the
last image has to be shown again, and otherwise turns to the next place of its presentation order. The *inputs*, one for
each pixel, fire at a rate in proportion to the grey level at their place in the present image. Presentation order and
grey levels are plain arrays of these groups; a variable of the group says which of their elements is meant. So no
Python runs between images.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from brian2 import Hz, NeuronGroup, Quantity, StateMonitor, Synapses, ms
from numpy.typing import NDArray

from biosnn.datasets import Dataset
from biosnn.display import Brief
from biosnn.errors import DataError, ModelError, SettingsError, field_error
from biosnn.groups.build import neurons
from biosnn.inputs import playback, poisson
from biosnn.model import NeuronModel
from biosnn.quantity import check_dimension

# Brian2's slot "start" comes before everything else in a time step; within it, by order.
_TURN, _IMAGE, _TICK, _PIXEL, _RATE, _LOG = -11, -10, -9, -8, -7, -6


@dataclass(frozen=True)
class Protocol:
    """How an image is shown.

    Parameters
    ----------
    shown : Quantity
        How long an image is shown.
    rest : Quantity
        How long the inputs are silent after it.
    rate : Quantity
        Firing rate of an input at full intensity.
    minimum_spikes : int
        An image that got fewer spikes in answer is shown again, intensity_step, in training and test. 0: never.
    intensity_step : Quantity
        By how much the rate at full intensity is raised each time.
    times : int
        How often at most an image is shown again.

    Raises
    ------
    SettingsError
        If a value has another dimension or is out of range.
    """

    shown: Quantity
    rest: Quantity
    rate: Quantity
    minimum_spikes: int
    intensity_step: Quantity
    times: int

    def __post_init__(self) -> None:
        units = {"shown": ms, "rest": ms, "rate": Hz, "intensity_step": Hz}
        for field in fields(self):
            where, value = f"Protocol.{field.name}", getattr(self, field.name)
            if field.name in units:
                check_dimension(where, value, units[field.name])
            if value < 0:
                raise SettingsError(field_error(where, "no negative value", value))
        if self.shown == 0 * ms:
            raise SettingsError(field_error("Protocol.shown", "a time longer than nothing", self.shown))

    @property
    def period(self) -> Quantity:
        """From one presentation to the next."""
        return self.shown + self.rest


@dataclass(frozen=True)
class ImagePresenter(Brief):
    """The objects that show images.

    Parameters
    ----------
    group : NeuronGroup
        One neuron, called ``presenter``. Its variables: ``presentation_order`` (the images, in order), ``place`` (where
        in it), ``image`` (the present one), ``answers`` (spikes in answer to it so far), ``boost`` (how much brighter
        it is shown), ``first_boost`` (how much brighter each image is shown the first time), ``minimum_spikes``,
        ``winners`` (how many spikes `FirstSpike` leaves).
    inputs : SpikeTrains or NeuronGroup
        One neuron per pixel, row by row.
    log : StateMonitor
        ``image`` and ``boost`` of every presentation.
    places : int
        How many places the presentation order has.
    """

    group: NeuronGroup
    inputs: Any
    log: StateMonitor
    places: int

    @property
    def objects(self) -> list[Any]:
        """What goes into the network."""
        return [self.group, self.inputs, self.log]

    def play(self, images: NDArray[np.integer]) -> None:
        """Fill the presentation order: at each place the index of an image in the dataset."""
        self.group.variables["presentation_order"].set_value(self.filled(images))

    def filled(self, images: NDArray[np.integer]) -> NDArray[np.int32]:
        """The images as ``presentation_order`` takes them, which is longer: the last image fills what is left.

        Raises
        ------
        SettingsError
            If there is not one image for each place.
        """
        if len(images) != self.places:
            raise SettingsError(field_error("The presentation order", f"{self.places} images", len(images)))
        rest = self.group.variables["presentation_order"].size - self.places
        return np.pad(np.asarray(images, dtype=np.int32), (0, rest), mode="edge")


@dataclass(frozen=True)
class Played:
    """Inputs whose spikes are known beforehand, and which each point of a run brings; see `biosnn.inputs.playback`.

    Parameters
    ----------
    capacity : int
        How many spikes a run plays at most.
    """

    capacity: int


Inputs: TypeAlias = str | Path | NeuronModel | Played


def set_up(data: Dataset, protocol: Protocol, presentations: int, coding: Inputs = "") -> ImagePresenter:
    """Make the groups that show images.

    Parameters
    ----------
    data : Dataset
        The images. The presentation order names them by their index.
    protocol : Protocol
        How each is shown.
    presentations : int
        How many places the presentation order has. Fill it with `ImagePresenter.play`; after its last place, the
        image there is shown on.
    coding : str, Path, NeuronModel or Played
        Model of the inputs: a neuron with the value inputs ``x``, the grey level from 0 to 1, and ``onset``, when the
        image came. "" for Poisson spike trains at rates in proportion to the grey levels. `Played` for spikes that are
        given, not made; the images of the presentation order are then but names.

    Returns
    -------
    ImagePresenter

    Raises
    ------
    DataError
        If the images are in colour.
    ModelError
        If the coding lacks an input.
    """
    if data.channels != 1:
        raise DataError(field_error(f"Dataset {data.name!r}", "grey levels, one neuron per pixel", "images in colour"))
    group = NeuronGroup(
        1,
        """place : integer
        image : integer
        answers : integer
        boost : Hz
        ticks : integer
        brightness : Hz
        peak_rate : Hz (shared, constant)
        shown_ticks : integer (shared, constant)
        minimum_spikes : integer (shared, constant)
        winners : integer (shared, constant)
        intensity_step : Hz (shared, constant)
        first_boost : Hz (shared, constant)
        brightest : Hz (shared, constant)
        last_place : integer (shared, constant)""",
        namespace={},
        name="presenter",
    )
    # The size of an array is compiled in, and each length of a schedule would need the compiler. One power of two
    # serves many. What is beyond the last place is never looked at, and last_place is a number that the program reads.
    capacity = 1 << (presentations - 1).bit_length()
    _add_array(group, "presentation_order", np.zeros(capacity, dtype=np.int32), index="place")
    # As if the image before the first one had been answered, so that the first turn leads to place 0.
    group.place = -1
    group.answers = protocol.minimum_spikes
    group.minimum_spikes = protocol.minimum_spikes
    group.winners = 1
    group.intensity_step = protocol.intensity_step
    group.brightest = protocol.times * protocol.intensity_step
    group.last_place = presentations - 1
    # Half a step below the limit, since `boost` is a sum of steps, which rounding may leave on either side of it.
    group.run_regularly(
        """again = int(answers < minimum_spikes and boost < brightest - 0.5*intensity_step)
        boost = again*(boost + intensity_step) + (1 - again)*first_boost
        place = clip(place + 1 - again, 0, last_place)
        answers = 0
        ticks = 0""",
        dt=protocol.period,
        when="start",
        order=_TURN,
        name="presenter_turns",
    )
    group.run_regularly(
        "image = presentation_order", dt=protocol.period, when="start", order=_IMAGE, name="presenter_picks"
    )
    log = StateMonitor(
        group, ["image", "boost"], record=0, dt=protocol.period, when="start", order=_LOG, name="presenter_log"
    )
    # A time that both the showing and the whole presentation are multiples of: the lights go out in time.
    steps = [int(np.rint(float(time / group.clock.dt))) for time in (protocol.shown, protocol.period)]
    common = math.gcd(*steps)
    tick = common * group.clock.dt
    group.peak_rate = protocol.rate
    group.shown_ticks = steps[0] // common
    group.run_regularly(
        "brightness = (peak_rate + boost)*int(ticks < shown_ticks)\nticks += 1",
        dt=tick,
        when="start",
        order=_TICK,
        name="presenter_ticks",
    )
    return ImagePresenter(group, _inputs(data, group, tick, protocol.period, coding), log, presentations)


def _inputs(data: Dataset, group: NeuronGroup, tick: Quantity, period: Quantity, coding: Any) -> Any:
    """One neuron per pixel, which encodes the grey level at its place in the present image."""
    pixels = int(np.prod(data.shape))
    if isinstance(coding, Played):
        steps = round(float(period / group.clock.dt))
        return playback(pixels, coding.capacity, cycle=steps, name="inputs")
    inputs = neurons(pixels, coding, name="inputs") if coding else poisson(pixels, 0 * Hz, name="inputs")
    inputs.variables.add_array("pixel", size=len(inputs), dtype=np.int32)
    # Brian2's generated code knows no whole numbers of one byte, and float32 is the smallest type that it does know.
    grey = data.images.reshape(-1).astype(np.float32)
    grey /= data.brightest
    _add_array(inputs, "grey", grey, index="pixel", constant=True)
    inputs.variables.add_reference("brightness", group, "brightness", index="0")
    inputs.variables.add_reference("present", group, "image", index="0")
    look, see = "pixel = present*N + i", "rates = grey*brightness"
    if coding:
        for name in ("x", "onset"):
            if name not in inputs.model.inputs or inputs.model.inputs[name].kind != "value":
                what = f"coding {inputs.model.name!r}, inputs"
                raise ModelError(field_error(what, "the value inputs x and onset", sorted(inputs.model.inputs)))
        inputs.variables.add_reference("full", group, "peak_rate", index="0")
        look, see = f"{look}\nonset = t", "x = clip(grey*brightness/full, 0, 1)"
    inputs.run_regularly(look, dt=period, when="start", order=_PIXEL, name="inputs_look")
    inputs.run_regularly(see, dt=tick, when="start", order=_RATE, name="inputs_see")
    return inputs


def count_answers(presenter: ImagePresenter, group: Any) -> Synapses:
    """Count the spikes of a group as answers to the present image, so that a weak answer has it shown again."""
    counter = Synapses(group, presenter.group, on_pre="answers_post += 1", namespace={}, name="presenter_counts")
    counter.connect()
    return counter


def _add_array(group: Any, name: str, values: NDArray[Any], *, index: str, constant: bool = False) -> None:
    """Give a group an array of a size of its own; in its code, ``name`` is the element that variable ``index`` says."""
    group.variables.add_array(
        name, size=len(values), values=values, dtype=values.dtype, index=index, constant=constant, read_only=constant
    )
