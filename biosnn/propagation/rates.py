"""Rate propagation: does a deep layer still carry the input's rate? (van Rossum et al. 2002; Litvak et al. 2003)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from brian2 import Hz, Quantity, ms, mV, second
from numpy.typing import NDArray

from biosnn.display import Brief
from biosnn.propagation.chain import TAU_S, WEIGHT, Chain, CorticalChains, Setting, Spikes, drive, noise

Floats = NDArray[np.float64]

# What passes before anything is counted; the bins in which a layer's spikes are counted for its synchrony; the windows
# in which its rate is to be told fast, in bins.
SETTLE, BIN, FAST = 150 * ms, 2 * ms, 10
# Areas w*tau_s of the synaptic input of all of a layer's neurons that are tried (mV s), and mean drives (mV).
AREAS = np.linspace(0.05, 0.19, 6)
DRIVES = (0.0, 16.0)
SMOOTH = 5


SYNFIRE = "synfire chain"


@dataclass(frozen=True)
class Condition:
    """How rates are sent: the noise, 1 being that of the background, and what the layers have.

    ``area`` is w*tau_s of all of a layer's neurons together (mV s), and ``mu`` the mean of their background (mV).
    """

    name: str
    noise: float
    tau_s: Quantity
    area: float
    mu: float


@dataclass(frozen=True, eq=False)
class Rates(Brief):
    """The response of layers to an input's rate.

    Parameters
    ----------
    rates : ndarray, shape (rates,)
        Of each input (Hz).
    conditions : tuple of str
        ``"noise 1"`` and so on, with what the rule gives; ``"synfire chain"``, with what volleys were sent along.
    weight, drive : ndarray, shape (conditions,)
        The weight of a synapse, and the mean of the background (mV).
    response : ndarray, shape (conditions, seeds, rates, layers)
        Firing rate (Hz) of each layer.
    fano : ndarray, the same shape
        Variance over mean of the spikes of a whole layer in 2 ms: 1 if its neurons fire independently, and as many as
        they are if they fire all together. NaN in a silent layer.
    wander : ndarray, the same shape
        Variance (Hz^2) of the layer's rate in windows of 20 ms.
    """

    rates: Floats
    conditions: tuple[str, ...]
    weight: Floats
    drive: Floats
    response: Floats
    fano: Floats
    wander: Floats

    @property
    def slope(self) -> Floats:
        """How much a layer's rate rises with the input's: 1 keeps, 0 loses it; shape (conditions, seeds, layers)."""
        x = self.rates - self.rates.mean()
        return np.asarray(np.einsum("csrl,r->csl", self.response, x) / (x @ x))

    @property
    def told(self) -> Floats:
        """R squared of a line from the input's rate to a layer's, the same shape; 0 where all rates are the same."""
        return self._determination(0)

    @property
    def told_fast(self) -> Floats:
        """The same of the layer's rate in windows of 20 ms, whose variance counts as unexplained."""
        return self._determination(self.wander)

    def _determination(self, wander: Floats | float) -> Floats:
        # Of a line through the rates: the variance that it explains over all variance.
        total = (self.response.var(axis=2, keepdims=True) + wander).mean(axis=2)
        return np.where(total > 0, self.slope**2 * self.rates.var() / np.where(total > 0, total, 1), 0)


def rate_trains(wanted: CorticalChains, seed: int) -> dict[float, Spikes]:
    """Independent Poisson inputs at each rate (Hz), those of the rule included; as many as a layer has neurons."""
    steps, width = _steps(wanted), wanted.width
    hertz = sorted({float(rate / Hz) for rate in (*wanted.rates, *wanted.kept)})
    trains = {}
    for rate in hertz:
        rng = np.random.default_rng([seed, 2, round(1000 * rate)])
        counts = rng.poisson(rate * steps * float(wanted.dt / second), width)
        trains[rate] = Spikes(rng.integers(0, steps, counts.sum()), np.repeat(np.arange(width), counts))
    return trains


def run_rates(
    wanted: CorticalChains, chain: Chain, trains: Sequence[Mapping[float, Spikes]], seeds: Sequence[int]
) -> Rates:
    """Find weight and drive for each strength of noise by one rule, then measure the layers' response to each rate.

    The chain along which volleys are sent is measured as it is, too.
    """
    bench = _Bench(wanted, chain)
    kept = [float(rate / Hz) for rate in wanted.kept]
    conditions = [bench.calibrate(strength, trains[0], kept, seeds[0]) for strength in wanted.noises]
    synfire = float(WEIGHT * TAU_S / (mV * second)) * chain.width
    conditions.append(Condition(SYNFIRE, 1.0, TAU_S, synfire, float(drive() / mV)))
    rates = [float(rate / Hz) for rate in wanted.rates]
    points = [
        bench.setting(trains_of_seed[rate], seed, condition, np.full(chain.width, condition.mu))
        for condition in conditions
        for trains_of_seed, seed in zip(trains, seeds, strict=True)
        for rate in rates
    ]
    measured = np.array(chain.run(points, bench.measure))
    shape = (len(conditions), len(seeds), len(rates), chain.groups)
    measures = (measured[:, place].reshape(shape) for place in range(3))
    weights, drives = np.array([(bench.weight(condition), condition.mu) for condition in conditions]).T
    return Rates(np.array(rates), tuple(condition.name for condition in conditions), weights, drives, *measures)


def _steps(wanted: CorticalChains) -> int:
    return round(float((SETTLE + wanted.duration) / wanted.dt))


class _Bench:
    """The chain as it is used for rates."""

    def __init__(self, wanted: CorticalChains, chain: Chain) -> None:
        self.chain, self.tau_s, self.steps = chain, wanted.tau_s, _steps(wanted)
        self.first = round(float(SETTLE / chain.dt))
        self.bin = max(round(float(BIN / chain.dt)), 1)

    def weight(self, condition: Condition) -> float:
        """The weight (mV) of a synapse."""
        return condition.area / self.chain.width / float(condition.tau_s / second)

    def setting(self, given: Spikes, seed: int, condition: Condition, mu: Floats) -> Setting:
        """A run with the drive (mV) of each neuron of a layer."""
        chain = self.chain
        weights = np.full(chain.groups, self.weight(condition))
        sigma = np.full(chain.groups * chain.width, condition.noise) * noise(condition.tau_s)
        means: Quantity = np.tile(mu, chain.groups) * mV
        return Setting(given, self.steps, seed, weights * mV, means, sigma, condition.tau_s)

    def measure(self, spikes: Spikes) -> tuple[Floats, Floats, Floats]:
        """Firing rate (Hz), Fano factor, and variance of the rate within windows (Hz^2) of each layer."""
        chain = self.chain
        bins = (self.steps - self.first) // self.bin
        place = (spikes.steps - self.first) // self.bin
        kept = (spikes.steps >= self.first) & (place < bins)
        cell = (spikes.neurons // chain.width)[kept] * bins + place[kept]
        counts = np.bincount(cell, minlength=chain.groups * bins).reshape(chain.groups, bins)
        mean = counts.mean(axis=1)
        fano = np.where(mean > 0, counts.var(axis=1) / np.where(mean > 0, mean, 1), np.nan)
        hertz = 1 / (chain.width * float(self.bin * chain.dt / second))
        windows = counts[:, : bins // FAST * FAST].reshape(chain.groups, -1, FAST).mean(axis=2)
        return mean * hertz, fano, windows.var(axis=1) * hertz**2

    def calibrate(self, strength: float, trains: Mapping[float, Spikes], kept: Sequence[float], seed: int) -> Condition:
        """The area and the drive with which one layer best answers some rates with the same rates.

        All neurons of a layer get the same input, and do not interact. So the first layer is given another drive
        in each neuron, and one run gives the rate at every drive.
        """
        chain = self.chain
        drives = np.linspace(*DRIVES, chain.width)

        def read(spikes: Spikes) -> Floats:
            first = spikes.neurons[(spikes.steps >= self.first) & (spikes.neurons < chain.width)]
            counts = np.bincount(first, minlength=chain.width)
            return counts / float((self.steps - self.first) * chain.dt / second)

        def tried(area: float, mu: float) -> Condition:
            return Condition(f"noise {strength:g}", strength, self.tau_s, area, mu)

        points = [self.setting(trains[rate], seed, tried(area, 0), drives) for area in AREAS for rate in kept]
        rates = np.reshape(chain.run(points, read), (len(AREAS), len(kept), chain.width))
        return tried(*solved(AREAS, drives, rates, kept))


def solved(areas: Floats, drives: Floats, rates: Floats, kept: Sequence[float]) -> tuple[float, float]:
    """The area and the drive with which a layer's rates are nearest to those of its inputs, by least squares.

    Parameters
    ----------
    areas : ndarray, shape (areas,)
    drives : ndarray, shape (drives,)
    rates : ndarray, shape (areas, kept, drives)
        Of a layer, with inputs of each rate that is to be kept.
    kept : sequence of float
        These rates.
    """
    # Measured rates are noisy, so a polynomial takes their place along the drive. Between two areas they are linear.
    fine = np.linspace(drives[0], drives[-1], 801)
    smooth = np.array([[np.polyval(np.polyfit(drives, curve, SMOOTH), fine) for curve in of] for of in rates])
    between = np.linspace(areas[0], areas[-1], 241)
    below = np.minimum(np.searchsorted(areas, between, side="right") - 1, len(areas) - 2)
    part = ((between - areas[below]) / (areas[below + 1] - areas[below]))[:, None, None]
    curves = (1 - part) * smooth[below] + part * smooth[below + 1]
    off = ((curves - np.asarray(kept)[None, :, None]) ** 2).sum(axis=1)
    area, drive = np.unravel_index(np.argmin(off), off.shape)
    return float(between[area]), float(fine[drive])
