"""What is left of an input in each layer of a network: how many spikes, when, and how much information."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr

from biosnn.errors import DataError, field_error
from biosnn.measure.decisions import accuracy, confusion
from biosnn.measure.decoding import decode

Floats = NDArray[np.float64]
LEVEL = 0.01
"""The rate under which a layer counts as extinct: one spike per neuron in a hundred steps."""


@dataclass(frozen=True)
class LayerActivity:
    """What a layer does when inputs are shown to the network.

    Parameters
    ----------
    name : str
    neurons : int
    rate : float
        Spikes per neuron and step.
    silent : float
        Fraction of neurons that no input makes fire.
    reached : float
        Fraction of inputs that make any neuron fire.
    survival : float
        The rate divided by that of the first layer; NaN where that one is silent.
    latency : float
        Median time of a neuron's first spike after the onset of an input, among those that fire, in the unit of
        ``firsts``; NaN without times or spikes.
    decoded : float
        Accuracy of a linear decoder of spike counts on inputs that it has not learned from; NaN without labels.
    information : float
        The information of its decisions on the class (bits), a lower bound of the layer's; NaN without labels. With
        few inputs for the test, chance seems to carry information too: of four classes and 16 inputs about 0.3 bits.
    """

    name: str
    neurons: int
    rate: float
    silent: float
    reached: float
    survival: float
    latency: float
    decoded: float
    information: float


def layer_activity(
    counts: Mapping[str, Any],
    *,
    steps: int,
    firsts: Mapping[str, Any] | None = None,
    labels: ArrayLike | None = None,
    learned: int | None = None,
    first: str | None = None,
) -> list[LayerActivity]:
    """Measure the layers of a network, random, trained or converted.

    Parameters
    ----------
    counts : mapping of str to array, shape (inputs, neurons)
        Of each layer, in their order: how often each neuron spikes at each input.
    steps : int
        How many time steps an input is shown.
    firsts : mapping of str to array, shape (inputs, neurons), optional
        Of each layer, when each neuron spikes first after the onset of an input: a step, or a time of any unit. Where a
        neuron does not spike, any number.
    labels : array_like of int, shape (inputs,), optional
        The class of each input, from 0.
    learned : int, optional
        How many inputs, the first ones, the decoder learns from; by default two thirds.
    first : str, optional
        The layer that survival relates to; by default the first.

    Returns
    -------
    list of LayerActivity
        In the order of the layers.

    Raises
    ------
    DataError
        If arrays, labels or numbers do not fit each other.
    """
    layers = {name: _checked(name, spikes) for name, spikes in counts.items()}
    _check(layers, steps, firsts, first)
    rates = {name: float(spikes.mean()) / steps for name, spikes in layers.items()}
    base = rates[first or next(iter(rates))]
    told = [_told(spikes, labels, learned) for spikes in layers.values()]
    return [
        LayerActivity(
            name=name,
            neurons=spikes.shape[1],
            rate=rates[name],
            silent=float((spikes.sum(axis=0) == 0).mean()),
            reached=float((spikes.sum(axis=1) > 0).mean()),
            survival=rates[name] / base if base else np.nan,
            latency=_latency(spikes, None if firsts is None else np.asarray(firsts[name])),
            decoded=decoded,
            information=information,
        )
        for (name, spikes), (decoded, information) in zip(layers.items(), told, strict=True)
    ]


def survival(rates: ArrayLike) -> Floats:
    """What each layer fires for each spike of the first: r_l/r_1.

    Parameters
    ----------
    rates : array_like, shape (..., layers)

    Returns
    -------
    ndarray, the same shape
        NaN where the first layer is silent.
    """
    known = _rates(rates)
    first = known[..., :1]
    return np.asarray(np.divide(known, first, out=np.full(known.shape, np.nan), where=first > 0))


def extinction_depth(rates: ArrayLike, level: float = LEVEL) -> Any:
    """The depth at which activity dies out: where the rate first falls under a level.

    Parameters
    ----------
    rates : array_like, shape (..., layers)
        Spikes per neuron and step of layers 1, 2 and so on.
    level : float
        Positive.

    Returns
    -------
    float, or ndarray of shape (...)
        Between the first layer under the level and the one before it, the depth is where a line between the logarithms
        of their rates crosses the level; a rate under a hundredth of the level is taken for that. So it is l - 1 < d <=
        l if layer l is the first one under the level, 1 if that is the first layer, and infinite if there is none.

    Raises
    ------
    DataError
        If a rate is negative or no number, or the level is not positive.
    """
    if not level > 0:
        raise DataError(field_error("extinction_depth level", "a positive rate", level))
    known = _rates(rates)
    height = np.log(np.maximum(known / level, 0.01))
    under = known < level
    after = under.argmax(axis=-1)[..., None]
    low = np.take_along_axis(height, after, -1)[..., 0]
    high = np.take_along_axis(height, np.maximum(after - 1, 0), -1)[..., 0]
    number = after[..., 0]
    between = np.divide(high, high - low, out=np.zeros_like(high), where=high > low)
    depth = np.where(number > 0, number + between, 1.0)
    return np.where(under.any(axis=-1), depth, np.inf)[()]


def mutual_information(table: ArrayLike) -> float:
    """The mutual information of decisions and classes, from how often each was made for each.

    Parameters
    ----------
    table : array_like of int, shape (classes, decisions)
        As `confusion` counts them.

    Returns
    -------
    float
        In bits. Few decisions seem to carry more than they do; each of the three entropies is corrected for that by its
        number of occupied bins (Miller 1955, in: Information Theory in Psychology, 95-100). The result is kept between
        0 and the entropy of the classes.

    Raises
    ------
    DataError
        If the table is empty or has negative entries.
    """
    counted = np.asarray(table, dtype=float)
    if counted.ndim != 2 or not counted.sum() > 0 or counted.min() < 0:
        raise DataError(field_error("mutual_information table", "counts by class and decision, not all 0", table))
    truth, chosen = counted.sum(axis=1), counted.sum(axis=0)
    of_classes, of_decisions, of_both = map(_entropy, (truth, chosen, counted.ravel()))
    bins = np.count_nonzero(truth) + np.count_nonzero(chosen) - np.count_nonzero(counted) - 1
    corrected = of_classes + of_decisions - of_both + bins / (2 * counted.sum() * np.log(2))
    return float(np.clip(corrected, 0, of_classes))


def _entropy(counted: Floats) -> float:
    """Of a distribution that was counted, in bits."""
    return float(entr(counted / counted.sum()).sum() / np.log(2))


def _told(spikes: Any, labels: ArrayLike | None, learned: int | None) -> tuple[float, float]:
    """Accuracy and information of a decoder."""
    if labels is None:
        return np.nan, np.nan
    start = max(2 * len(spikes) // 3, 1) if learned is None else learned
    decided = decode(spikes, labels, start)
    right = np.asarray(labels)
    return accuracy(decided, right[start:]), mutual_information(confusion(decided, right[start:], int(right.max()) + 1))


def _latency(spikes: Any, times: Any) -> float:
    if times is None or not spikes.any():
        return np.nan
    return float(np.median(times[spikes > 0]))


# ---- what is checked -----------------------------------------------------------------------------------------------


def _checked(name: str, spikes: Any) -> Any:
    array = np.asarray(spikes)
    if array.ndim != 2 or not array.size or array.dtype.kind not in "biuf" or not (array >= 0).all():
        got = f"shape {array.shape}, {array.dtype}"
        raise DataError(field_error(f"counts[{name!r}]", "spike counts, shape (inputs, neurons)", got))
    return array


def _check(layers: Mapping[str, Any], steps: int, firsts: Mapping[str, Any] | None, first: str | None) -> None:
    if not layers:
        raise DataError(field_error("counts", "an array for each layer", "none"))
    if len({len(spikes) for spikes in layers.values()}) > 1:
        inputs = {name: len(spikes) for name, spikes in layers.items()}
        raise DataError(field_error("counts", "the same inputs for every layer", inputs))
    if not steps > 0:
        raise DataError(field_error("steps", "a positive number", steps))
    if first is not None and first not in layers:
        raise DataError(field_error("first", f"a layer among {', '.join(layers)}", first))
    if firsts is not None:
        for name, spikes in layers.items():
            got = np.shape(firsts[name]) if name in firsts else "none"
            if got != spikes.shape:
                raise DataError(field_error(f"firsts[{name!r}]", f"times of shape {spikes.shape}", got))


def _rates(rates: ArrayLike) -> Floats:
    known = np.asarray(rates, dtype=float)
    if known.ndim < 1 or not known.shape[-1] or not (known >= 0).all():
        raise DataError(field_error("rates", "numbers that are not negative, one for each layer", rates))
    return known
