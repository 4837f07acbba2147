"""Random numbers that are a function of a key and of a place, not of how many were drawn before.

What connects to what in a random network is drawn from them, so that the synapses of a neuron can be drawn on their
own, in any order, and again. Bits are those of SplitMix64 (Steele, Lea & Flood 2014), whose state is a counter; a
normal deviate takes them through Doornik's (2005) form of the ziggurat. ``templates/cpp/counter.cpp`` has the same.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint64]
Floats = NDArray[np.float64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_STREAM, _ATTEMPT = np.uint64(0xD1342543DE82EF95), np.uint64(0xAF251AF3B0F025B5)
_ANEW = np.uint64(0x632BE59BD9B4E019)
_LAYERS, _TAIL, _AREA = 128, 3.442619855899, 9.91256303526217e-3


def starts(key: int, stream: int, neurons: NDArray[np.int64], attempt: int = 0) -> Bits:
    """Where the numbers of each neuron begin.

    Parameters
    ----------
    key : int
        That of the network.
    stream, attempt : int
        What the numbers are for; how often they were drawn before.
    neurons : array of int
        Indices of neurons.
    """
    with np.errstate(over="ignore"):
        of_stream = np.asarray(key, dtype=np.uint64) + np.uint64(stream) * _STREAM + np.uint64(attempt) * _ATTEMPT
        return _mix(_mix(of_stream) + (neurons.astype(np.uint64) + np.uint64(1)) * _GOLDEN)


def bits(start: Bits, place: NDArray[np.int64]) -> Bits:
    """64 random bits for each place, of numbers that begin there."""
    with np.errstate(over="ignore"):
        return _mix(start + (place.astype(np.uint64) + np.uint64(1)) * _GOLDEN)


def uniform(random: Bits) -> Floats:
    """Numbers between 0 and 1, both excluded."""
    values: Floats = ((random >> np.uint64(11)).astype(np.float64) + 0.5) * (1.0 / 9007199254740992.0)
    return values


def below(random: Bits, n: int) -> NDArray[np.int64]:
    """Whole numbers from 0 to n - 1: the upper 64 bits of the product of n with 64 random bits."""
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    upper, lower = random >> half, random & low
    return ((upper * np.uint64(n) + (lower * np.uint64(n) >> half)) >> half).astype(np.int64)


def normal(random: Bits) -> Floats:
    """Normal deviates with mean 0 and standard deviation 1."""
    x, ratio = _layers()
    values, left, random = np.empty(random.shape), np.arange(random.size), random.copy()
    while left.size:
        layer = (random & np.uint64(_LAYERS - 1)).astype(np.int64)
        u = 2 * uniform(random) - 1
        with np.errstate(over="ignore"):
            random = _mix(random + _ANEW)
        other = uniform(random)
        deviate = u * x[layer]
        # Beyond the part of a layer that is surely below the curve: in the tail, or by comparison with the curve.
        above, under = np.exp(-0.5 * (x[layer] ** 2 - deviate**2)), np.exp(-0.5 * (x[layer + 1] ** 2 - deviate**2))
        accepted = (np.abs(u) < ratio[layer]) | ((layer > 0) & (under + other * (above - under) < 1))
        tail = (np.abs(u) >= ratio[layer]) & (layer == 0)
        deviate[tail] = np.copysign(_beyond(random[tail]), u[tail])
        done = accepted | tail
        values[left[done]] = deviate[done]
        with np.errstate(over="ignore"):
            left, random = left[~done], _mix(random[~done] + _ANEW)
    return values


def _beyond(random: Bits) -> Floats:
    """Deviates beyond the last layer, by Marsaglia's method."""
    values, left = np.empty(random.shape), np.arange(random.size)
    while left.size:
        with np.errstate(over="ignore"):
            first, second = random, _mix(random + _ANEW)
            random = _mix(second + _ANEW)
        x, y = -np.log(uniform(first)) / _TAIL, -np.log(uniform(second))
        done = 2 * y >= x * x
        values[left[done]] = _TAIL + x[done]
        left, random = left[~done], random[~done]
    return values


@cache
def _layers() -> tuple[Floats, Floats]:
    """The width of each layer of the ziggurat, and the fraction of it that is surely below the curve."""
    x = np.zeros(_LAYERS + 1)
    f = np.exp(-0.5 * _TAIL**2)
    x[0], x[1] = _AREA / f, _TAIL
    for layer in range(2, _LAYERS):
        x[layer] = np.sqrt(-2 * np.log(_AREA / x[layer - 1] + f))
        f = np.exp(-0.5 * x[layer] ** 2)
    return x, x[1:] / x[:-1]


def _mix(z: Bits) -> Bits:
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return z ^ (z >> np.uint64(31))
