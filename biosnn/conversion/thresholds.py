"""Thresholds for the neurons that stand for ReLUs: how large activations get on calibration images."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biosnn.ann.images import check_images
from biosnn.ann.layers import Relu
from biosnn.ann.reference import reference
from biosnn.conversion.populations import HOLD, MAXIMUM, OUTPUT, Population, PopulationNetwork
from biosnn.errors import ConversionError, field_error

METHODS = ("percentile", "max", "error")
SCOPES = ("channel", "layer")
BINS = 2048
"""In how many steps activations are looked at where the error of a threshold is worked out."""
TRIED = 160
"""How many thresholds are tried for each channel, from the largest activation down to a tenth of it."""


@dataclass(frozen=True)
class ThresholdSettings:
    """How a threshold is found from the activations of a layer.

    A neuron fires at most once per time step, so that its threshold is the largest activation that a rate can stand
    for. A high one makes every spike stand for much and needs many steps; a low one clips large activations.

    Parameters
    ----------
    method : {"percentile", "max", "error"}
        The value that few activations exceed (Rueckauer et al. 2017); the largest one (Diehl et al. 2015; Han et al.
        2020, the largest weighted input); or that with which the activations are told with the smallest mean squared
        error, if each is told in whole spikes.
    percentile : float, optional
        Which, of all activations of calibration images, zeros among them (%). By default 99.9, and more where there are
        many steps: `percentile_for` them.
    steps : int
        For how many steps images are going to be shown.
    per : {"channel", "layer"}
        Whether each channel of a layer has a threshold of its own. A layer without channels has one per neuron then.
    alpha : float
        Factor of all thresholds.

    Raises
    ------
    ConversionError
        If a field makes no sense.
    """

    method: str = "percentile"
    percentile: float | None = None
    steps: int = 64
    per: str = "channel"
    alpha: float = 1.0

    def __post_init__(self) -> None:
        for name, valid in (("method", METHODS), ("per", SCOPES)):
            if getattr(self, name) not in valid:
                raise ConversionError(field_error(f"ThresholdSettings.{name}", " or ".join(valid), getattr(self, name)))
        if self.percentile is not None and not 50 <= self.percentile <= 100:
            raise ConversionError(
                field_error("ThresholdSettings.percentile", "a number from 50 to 100", self.percentile)
            )
        if isinstance(self.steps, bool) or not isinstance(self.steps, int) or self.steps < 1:
            raise ConversionError(field_error("ThresholdSettings.steps", "a whole number of at least 1", self.steps))
        if not 0 < self.alpha < math.inf:
            raise ConversionError(field_error("ThresholdSettings.alpha", "a number above 0", self.alpha))

    @property
    def above(self) -> float:
        """The fraction of the activations that may exceed the threshold."""
        if self.method != "percentile":
            return 0.0
        return 1 - (percentile_for(self.steps) if self.percentile is None else self.percentile) / 100


def percentile_for(steps: int) -> float:
    """The percentile of activations that makes a good threshold for so many steps (%).

    A lower threshold clips more, a higher one counts in coarser spikes. If activations fall off exponentially, the
    squared error by clipping goes with the part that is clipped, and that of counting with 1/steps², so that the best
    part to clip falls as 1/steps². It is 0.1 % at 64 steps: the value of Rueckauer et al. 2017, and the best of those
    tried for a ResNet-20 (studies/conversion/README.md). With fewer steps, clipping more brought nothing.
    """
    return 100 - 0.1 * min((64 / steps) ** 2, 1.0)


def find_thresholds(
    populated: PopulationNetwork,
    calibration: ArrayLike,
    balance: ThresholdSettings,
    *,
    most: int = 1,
    batch: int = 50,
) -> Mapping[str, NDArray[np.float32]]:
    """Find the thresholds of all populations.

    Parameters
    ----------
    populated : PopulationNetwork
        The network.
    calibration : array_like, shape (n, *shape of the input)
        Images such as those the network was trained on; no labels are needed.
    balance : ThresholdSettings
        How.
    most : int
        How many spikes a neuron may send in a step: a burst of two tells twice the threshold.
    batch : int
        How many images ONNX Runtime computes at a time. Only the largest activations are kept.

    Returns
    -------
    mapping of str to ndarray of float32, shape (channels,)
        For each population; of a layer without channels, shape (neurons,). The output has the one that it would need to
        spike, the same for all classes.

    Raises
    ------
    ConversionError
        If there are no images or they do not fit the network, or a layer is silent for all of them.
    """
    images = check_images(populated.graph, calibration)
    passing = (MAXIMUM, HOLD)  # they pass on the values of another layer
    names = [population.name for population in populated.populations if population.kind not in passing]
    largest = {name: _Largest(balance, most) for name in names}
    computed = reference(populated.graph, batch=batch)
    for start in range(0, len(images), batch):
        for name, values in computed.activations(images[start : start + batch], names).items():
            largest[name].see(values, len(images))
    if balance.method == "error":
        for name in names[: None if populated.ends else -1]:  # what the output has, nothing is told in
            largest[name] = _WithError(balance, most, largest[name].kept.max(axis=1))
        for start in range(0, len(images), batch):
            for name, values in computed.activations(images[start : start + batch], names).items():
                largest[name].see(values, len(images))
    thresholds: dict[str, NDArray[np.float32]] = {}
    for population in populated.populations:
        if population.kind in passing:
            thresholds[population.name] = thresholds[population.paths[0].source]
        else:
            thresholds[population.name] = _threshold(populated, population, largest[population.name], balance)
    return thresholds


def _by_channel(values: NDArray[np.float32], balance: ThresholdSettings) -> NDArray[np.float32]:
    """The activations of a batch, shape (n, channels, ...), as a row for each threshold."""
    channels = np.moveaxis(values, 1, 0).reshape(values.shape[1], -1)
    return channels.reshape(1, -1) if balance.per == "layer" else channels


class _Largest:
    """The largest values of each channel, as many as a percentile needs, from batches."""

    def __init__(self, balance: ThresholdSettings, most: int) -> None:
        self.balance, self.most, self.kept, self.places = balance, most, np.empty((0, 0), np.float32), 0

    def see(self, values: NDArray[np.float32], images: int) -> None:
        """Take the activations of a batch, shape (n, channels, ...), out of so many images in all."""
        channels = _by_channel(values, self.balance)
        self.places = channels.shape[1] // len(values) * images
        needed = min(math.ceil(self.balance.above * (self.places - 1)) + 1, self.places)
        joined = channels if not self.kept.size else np.concatenate([self.kept, channels], axis=1)
        needed = min(needed, joined.shape[1])
        self.kept = np.partition(joined, joined.shape[1] - needed, axis=1)[:, -needed:].copy()

    def value(self) -> NDArray[np.float64]:
        """The threshold of each channel, with which a spike in every step tells the percentile, or the largest."""
        ordered = np.sort(self.kept, axis=1)[:, ::-1].astype(float)
        above = self.balance.above * (self.places - 1)
        lower, part = math.floor(above), above - math.floor(above)
        following = ordered[:, min(lower + 1, ordered.shape[1] - 1)]
        return np.asarray((ordered[:, lower] * (1 - part) + following * part) / self.most)


class _WithError(_Largest):
    """How often activations of each size occur in each channel, to find the threshold of the smallest error."""

    def __init__(self, balance: ThresholdSettings, most: int, largest: NDArray[np.float32]) -> None:
        super().__init__(balance, most)
        self.kept = np.maximum(largest, 0)[:, None]
        self.histogram = np.zeros((len(largest), BINS), np.int64)

    def see(self, values: NDArray[np.float32], images: int) -> None:  # noqa: ARG002 - they are all counted
        """Count the activations of a batch."""
        channels = _by_channel(values, self.balance)
        width = np.where(self.kept > 0, self.kept, 1) / BINS
        number = np.clip(channels / width, 0, BINS - 1).astype(np.int64)
        number += np.arange(len(channels))[:, None] * BINS
        positive = number[channels > 0]
        self.histogram += np.bincount(positive, minlength=self.histogram.size).reshape(self.histogram.shape)

    def value(self) -> NDArray[np.float64]:
        """The threshold of the smallest mean squared error, for each channel."""
        levels = self.balance.steps * self.most
        tried = np.geomspace(0.1, 1, TRIED)
        middles = (np.arange(BINS) + 0.5) / BINS  # of the largest activation
        told = tried[:, None] / levels * np.clip(np.round(middles * levels / tried[:, None]), 0, levels)
        errors = np.square(middles - told) @ self.histogram.T
        best = tried[errors.argmin(axis=0)] * self.kept[:, 0].astype(float)
        return np.asarray(best / self.most)


def _threshold(
    populated: PopulationNetwork, population: Population, largest: _Largest, balance: ThresholdSettings
) -> NDArray[np.float32]:
    threshold = largest.value()
    everywhere = float(largest.kept.max())
    if everywhere <= 0:
        if population.kind == OUTPUT:
            return np.ones(population.shape[0], np.float32)
        do = "Its units are dead: train the network again, or look at how the images are normalised."
        raise ConversionError(
            field_error(f"Layer {population.name!r}", "an activation above 0 for some calibration image", 0.0, do)
        )
    # A channel that is silent, or nearly always so, has what its layer needs: should it fire once, little is added.
    threshold = np.where(threshold > 0, threshold, threshold.max() if threshold.max() > 0 else everywhere)
    layer = populated.graph[population.name]
    if population.kind == OUTPUT:
        threshold = np.asarray(
            threshold.max()
        )  # spikes of all classes stand for the same, so that they can be compared
    scaled = np.broadcast_to(threshold * balance.alpha, population.shape[:1])
    if isinstance(layer, Relu) and math.isfinite(layer.most):
        scaled = np.minimum(
            scaled, layer.most / largest.most
        )  # clipped there in the network itself: the neuron need not represent more
    return np.ascontiguousarray(scaled, dtype=np.float32)
