"""Exact gradients of small networks of LIF neurons, from event to event: what gradients on a grid are held against.

    tau_m dV/dt = -V + I,  tau_s dI/dt = -I;  a spike from i adds w[i, j] to I of j; at V = theta: V = 0, held for t_ref

Between events all is in closed form. A spike is found in the interval that ends at the maximum of V, where it is the
only root, and the backward pass is that of Wunderlich & Pehle 2021, doi:10.1038/s41598-021-91786-z. Times are plain
numbers, in the unit of the time constants. Layers of any number follow each other, without delay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

Array = NDArray[np.float64]
Trains = Sequence[Array]  # the times of the spikes of each neuron


@dataclass(frozen=True)
class Cell:
    """The constants of a neuron."""

    tau_m: float
    tau_s: float
    theta: float = 1.0
    t_ref: float = 0.0

    @property
    def gap(self) -> float:
        return 1 / self.tau_s - 1 / self.tau_m

    def kernel(self, s: Array | float) -> Array:
        """V at a time s after the current was 1 and V was 0; also of equal time constants."""
        s = np.maximum(s, 0.0)
        grown = s if self.gap == 0 else -np.expm1(-self.gap * s) / self.gap
        return np.exp(-s / self.tau_m) * grown / self.tau_m

    def integral(self, s: Array | float) -> Array:
        """The integral of the kernel from 0 to s."""
        s = np.maximum(s, 0.0)
        # d(tau_m V + tau_s I)/dt = -V
        return self.tau_s * -np.expm1(-s / self.tau_s) - self.tau_m * self.kernel(s)

    def slope(self, s: Array | float) -> Array:
        """The derivative of the kernel."""
        return np.where(np.asarray(s) > 0, (np.exp(-np.maximum(s, 0.0) / self.tau_s) - self.kernel(s)) / self.tau_m, 0)

    def potential(self, v: float, i: float, s: float) -> float:
        return v * np.exp(-s / self.tau_m) + i * float(self.kernel(s))

    def peak(self, v: float, i: float) -> float:
        """When V is largest after it was v < i, i > 0; infinity if it rises forever."""
        x, y = self.tau_m * self.gap, self.tau_m * self.gap * v / i
        if self.gap == 0:
            return self.tau_m * (1 - v / i)
        return (np.log1p(x) - np.log1p(y)) / self.gap if y > -1 else np.inf

    def crossing(self, v: float, i: float, span: float) -> float | None:
        """When V reaches the threshold within a time, if it does: before its maximum, or never."""
        if i <= self.theta:
            return None
        last = min(self.peak(v, i), span)
        if not np.isfinite(last) or self.potential(v, i, last) < self.theta:
            return None
        return float(brentq(lambda s: self.potential(v, i, s) - self.theta, 0, last, xtol=1e-15, rtol=1e-15))


@dataclass(frozen=True)
class Arrivals:
    """The spikes that reach a layer, in the order of time: when, and which of which neuron."""

    times: Array
    source: NDArray[np.int64]
    number: NDArray[np.int64]

    @classmethod
    def of(cls, trains: Trains) -> Arrivals:
        times = np.concatenate([np.asarray(train, float) for train in trains])
        source = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
        number = np.concatenate([np.arange(len(train)) for train in trains])
        order = np.argsort(times, kind="stable")
        return cls(times[order], source[order], number[order])

    def current(self, t: float, weights: Array, tau_s: float) -> float:
        """I of a neuron with these weights."""
        before = self.times <= t
        return float(np.exp(-(t - self.times[before]) / tau_s) @ weights[self.source[before]])

    def add(self, values: Array, totals: list[Array]) -> None:
        """Add what belongs to each arrival to what belongs to each spike of each neuron."""
        for i, k, value in zip(self.source, self.number, values, strict=True):
            totals[i][k] += value


def fire(cell: Cell, arrivals: Arrivals, weights: Array, until: float) -> Array:
    """The times of the spikes of one neuron."""
    t, v, i, free, spikes = 0.0, 0.0, 0.0, 0.0, []
    ends = np.append(arrivals.times, np.inf)
    for end, w in zip(np.minimum(ends, until), np.append(weights[arrivals.source], 0.0), strict=True):
        while t < end:
            if t < free:
                step = min(free, end) - t
                i, t = i * np.exp(-step / cell.tau_s), min(free, end)
                continue
            step = cell.crossing(v, i, end - t)
            if step is None:
                v, i, t = (
                    cell.potential(v, i, end - t) if end < np.inf else 0.0,
                    i * np.exp((t - end) / cell.tau_s),
                    end,
                )
            else:
                t, v, i = t + step, 0.0, i * np.exp(-step / cell.tau_s)
                free = t + cell.t_ref
                spikes.append(t)
        i += w
    return np.array(spikes)


def back(
    cell: Cell, arrivals: Arrivals, weights: Array, spikes: Array, dt: Array, dw: Array, sent: list[Array]
) -> None:
    """The backward pass of one neuron: adds to the gradient of its weights, and to that of the arrivals' times.

    Parameters
    ----------
    dt : ndarray
        The derivative of the loss with respect to each of its spikes' times.
    dw : ndarray
        Of its weights; added to.
    sent : list of ndarray
        Of the times of the spikes of the layer before; added to.
    """
    events = [(t, 0, k) for k, t in enumerate(spikes)] + [(t + cell.t_ref, 1, k) for k, t in enumerate(spikes)]
    events += [(t, 2, k) for k, t in enumerate(arrivals.times)]
    lam_v = lam_i = moved = 0.0
    held, now = False, max((t for t, _, _ in events), default=0.0)
    for t, kind, k in sorted(events, reverse=True):
        s, now = now - t, t
        lam_i = lam_i * np.exp(-s / cell.tau_s) + (0.0 if held else lam_v * float(cell.kernel(s)))
        lam_v = lam_v if held else lam_v * np.exp(-s / cell.tau_m)
        if kind == 1:  # V is free from here on, and would be later if the spike were
            held, moved = True, -lam_v * arrivals.current(t, weights, cell.tau_s) / cell.tau_m
        elif kind == 0:
            rise = (arrivals.current(t, weights, cell.tau_s) - cell.theta) / cell.tau_m
            held, lam_v = False, -(dt[k] + moved) / rise
        else:
            i = arrivals.source[k]
            dw[i] += lam_i
            sent[i][arrivals.number[k]] += weights[i] * (lam_i / cell.tau_s - (0.0 if held else lam_v / cell.tau_m))


@dataclass(frozen=True)
class OfSpikes:
    """A loss of the times of the last layer's spikes: the function returns it, and its derivative for each spike."""

    function: Callable[[Trains], tuple[float, Sequence[Array]]]


@dataclass(frozen=True)
class OfPotential:
    """A loss of V of a last layer that never fires: of its mean or its maximum from 0 to a time, or of V at that time.

    The function takes one number for each neuron, and returns the loss and its derivative for each number.
    """

    function: Callable[[Array], tuple[float, Array]]
    statistic: str
    duration: float

    def readout(self, cell: Cell, arrivals: Arrivals, weights: Array) -> tuple[float, Array, Array]:
        """The number of a neuron; what each arrival contributes in units of its weight; its derivative by the time."""
        if self.statistic == "mean":
            left = self.duration - arrivals.times
            share, moved = cell.integral(left) / self.duration, -cell.kernel(left) / self.duration
            return float(share @ weights[arrivals.source]), share, moved * weights[arrivals.source]
        w = weights[arrivals.source]
        at = self.duration if self.statistic == "last" else self._time_of_maximum(cell, arrivals, w)
        share, moved = cell.kernel(at - arrivals.times), -cell.slope(at - arrivals.times) * w
        # A maximum that an inhibitory spike ends comes with that spike.
        moved[arrivals.times == at] = -moved.sum()
        return float(share @ w), share, moved

    def _time_of_maximum(self, cell: Cell, arrivals: Arrivals, w: Array) -> float:
        edges = [0.0, *arrivals.times[arrivals.times < self.duration], self.duration]
        found = list(edges)
        for begin, end in pairwise(edges):
            there = arrivals.times <= begin
            i = float(np.exp(-(begin - arrivals.times[there]) / cell.tau_s) @ w[there])
            v = float(cell.kernel(begin - arrivals.times[there]) @ w[there])
            if i > max(v, 0.0) and begin + cell.peak(v, i) < end:
                found.append(begin + cell.peak(v, i))
        return max(found, key=lambda t: float(cell.kernel(t - arrivals.times) @ w))


def gradient(
    weights: Sequence[Array],
    spikes_in: Trains,
    tau_m: float,
    tau_s: float,
    theta: float,
    t_ref: float,
    loss: OfSpikes | OfPotential,
    until: float = np.inf,
) -> tuple[float, list[Array], list[list[Array]]]:
    """The loss, its derivative with respect to all weights, and the spikes of each layer of neurons that fire.

    Parameters
    ----------
    weights : list of ndarray, shape (n before, n after)
        Of each layer.
    spikes_in : list of ndarray
        The times of the spikes of each input.
    tau_m, tau_s, theta, t_ref : float
        Of all neurons. Neurons of which the potential is the output do not fire.
    loss : OfSpikes or OfPotential
        What the network is judged by.
    until : float
        Neurons fire before this time only.
    """
    value, dw, _, layers = both_gradients(weights, spikes_in, Cell(tau_m, tau_s, theta, t_ref), loss, until)
    return value, dw, layers


def both_gradients(
    weights: Sequence[Array], spikes_in: Trains, cell: Cell, loss: OfSpikes | OfPotential, until: float = np.inf
) -> tuple[float, list[Array], list[Array], list[list[Array]]]:
    """The same with the derivative with respect to the times of the spikes that come in."""
    reads = isinstance(loss, OfPotential)
    layers: list[Trains] = [spikes_in]
    for matrix in weights[: len(weights) - reads]:
        arrivals = Arrivals.of(layers[-1])
        layers.append([fire(cell, arrivals, column, until) for column in matrix.T])
    gradients = [np.zeros_like(matrix, dtype=float) for matrix in weights]
    if isinstance(loss, OfPotential):
        arrivals, matrix = Arrivals.of(layers[-1]), weights[-1]
        numbers, shares, moves = zip(*(loss.readout(cell, arrivals, column) for column in matrix.T), strict=True)
        value, slopes = loss.function(np.array(numbers))
        for j, slope in enumerate(slopes):
            np.add.at(gradients[-1][:, j], arrivals.source, slope * shares[j])
        sent = [np.zeros(len(train)) for train in layers[-1]]
        arrivals.add(np.asarray(slopes) @ np.array(moves), sent)
    else:
        value, given = loss.function(layers[-1])
        sent = [np.asarray(slope, float) for slope in given]
    for number in reversed(range(len(layers) - 1)):
        arrivals, dt = Arrivals.of(layers[number]), sent
        sent = [np.zeros(len(train)) for train in layers[number]]
        for j, spikes in enumerate(layers[number + 1]):
            back(cell, arrivals, weights[number][:, j], spikes, dt[j], gradients[number][:, j], sent)
    return value, gradients, sent, [list(layer) for layer in layers[1:]]
