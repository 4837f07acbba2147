"""Part 1, the code itself: how much of a value its spikes tell, after which time, at what price, and under which noise.

Values are drawn evenly from 0 to 1 and told in populations of 64, since a rank order is the code of a population, and
every coding is to have the same work. A coding is made for the time allowed, so that it may use all of that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from brian2 import Quantity, ms, second
from numpy.typing import NDArray

from biosnn.coding import Coding, Spikes
from biosnn.errors import CodingError
from biosnn.learning import CLEAN, Disturbance, present
from biosnn.measure import mutual_information

Makers = Mapping[str, Callable[[Quantity], Coding]]
Floats = NDArray[np.float64]

POPULATION = 64
BINS = 16
# The fitted decoder looks at so many steps one by one, and at the later ones in so many bins.
FINE, COARSE = 64, 32
KNOTS = 17
RIDGES = np.logspace(-7, 4, 12)
# Moments at which is looked whether the estimate has settled, in so many populations, and when it counts as settled.
MOMENTS, LOOKED_AT, NEARLY = 24, 4, 1.1


@dataclass(frozen=True, eq=False)
class CodeMeasures:
    """What the codes came to; NaN where a coding cannot be made for so short a time.

    Parameters
    ----------
    codings, disturbances : tuple of str
        Their names.
    times : Quantity, shape (times,)
        Times allowed.
    error : ndarray, shape (codings, disturbances, times, repeats)
        Root mean square error of the coding's own decoder; NaN if it has none. It knows nothing of disturbances.
    fitted : ndarray, the same shape
        That of a decoder that is fitted to disturbed spikes: see `fitted_values`.
    information : ndarray, the same shape
        Bits that the spikes of a neuron tell of its value: see `information`.
    spikes : ndarray, the same shape
        Spikes a value.
    first, last : ndarray, the same shape
        Mean time (s) of the first and the last spike, of neurons that spike.
    settled : ndarray, the same shape
        Time (s) from which on the error of the own decoder, which sees the spikes so far, is at most 1.1 times what it
        is in the end: the spikes that come later are hardly needed.
    """

    codings: tuple[str, ...]
    disturbances: tuple[str, ...]
    times: Quantity
    error: Floats
    fitted: Floats
    information: Floats
    spikes: Floats
    first: Floats
    last: Floats
    settled: Floats


NUMBERS = tuple(field.name for field in fields(CodeMeasures))[3:]
TIMES = ("first", "last", "settled")


def measure_codes(
    makers: Makers,
    *,
    times: Sequence[Quantity],
    disturbances: Sequence[Disturbance],
    values: int,
    repeats: int,
    seed: int,
    report: Callable[[float, str], None] | None = None,
) -> CodeMeasures:
    """Measure codings, each for itself and without a network.

    Parameters
    ----------
    makers : mapping of str to callable
        By its name, what makes a coding for a duration.
    times : sequence of Quantity
        Times allowed.
    disturbances : sequence of Disturbance
        What happens to values and spikes.
    values : int
        How many values are told; rounded up to an even number of populations of 64.
    repeats : int
        How often, each time with other values and other chance. These are the same for all codings.
    seed : int
        Of values and chance.
    report : callable, optional
        Is told which share of the work is done, and what is done next.

    Raises
    ------
    CodingError
        If a coding can be made for none of the times; the message is that of the last one.
    """
    names = tuple(disturbance.name for disturbance in disturbances)
    table = {name: np.full((len(makers), len(names), len(times), repeats), np.nan) for name in NUMBERS}
    # Two halves: what is fitted on one is tested on the other.
    populations = 2 * max(1, -(-values // (2 * POPULATION)))
    drawn = [np.random.default_rng([seed, r]).random((populations, POPULATION)) for r in range(repeats)]
    for number, (coding, make) in enumerate(makers.items()):
        failures = []
        for at, duration in enumerate(times):
            if report:
                report((number * len(times) + at) / (len(makers) * len(times)), f"{coding}, {duration}")
            try:
                for d, disturbance in enumerate(disturbances):
                    for r in range(repeats):
                        rng = np.random.default_rng([seed, r, d, at])
                        found = _measure(make(duration), drawn[r], rng, disturbance)
                        for name in NUMBERS:
                            table[name][number, d, at, r] = found[name]
            except CodingError as failure:
                failures.append(failure)
        if len(failures) == len(times):
            raise failures[-1]
    seconds = np.array([float(duration) for duration in times])
    return CodeMeasures(tuple(makers), names, seconds * second, **table)


def code_arrays(measures: CodeMeasures) -> dict[str, Any]:
    """The arrays of a result: ``"code error"`` and so on, as in `CodeMeasures`, and the names of the axes."""
    arrays = {
        "code codings": np.array(measures.codings),
        "code disturbances": np.array(measures.disturbances),
        "code times": measures.times,
    }
    for name in NUMBERS:
        found = getattr(measures, name)
        arrays[f"code {name}"] = found * second if name in TIMES else found
    return arrays


def code_values(measures: CodeMeasures, at: Quantity | None = None) -> dict[str, float]:
    """A few numbers of the undisturbed codes after a time, by default the longest: their errors.

    The error is that of the own decoder, or of the fitted one where there is none. What is NaN is left out.
    """
    place = -1 if at is None else int(np.argmin(np.abs(np.log(np.asarray(measures.times) / float(at)))))
    clean = measures.disturbances.index(CLEAN.name) if CLEAN.name in measures.disturbances else 0
    after = f"after {float(measures.times[place] / ms):g} ms"
    found = {}
    for number, name in enumerate(measures.codings):
        mean = {key: float(np.mean(getattr(measures, key)[number, clean, place])) for key in NUMBERS}
        error = mean["fitted"] if np.isnan(mean["error"]) else mean["error"]
        found[f"reconstruction error of {name} {after}"] = error
    return {name: value for name, value in found.items() if not np.isnan(value)}


# ---- one coding, one time, one disturbance -------------------------------------------------------------------------


def _measure(coding: Coding, values: Floats, rng: np.random.Generator, disturbance: Disturbance) -> dict[str, float]:
    told = [present(coding, row, coding.length, rng, disturbance) for row in values]
    flat, every = values.ravel(), _joined(told)
    decoded = fitted_values(every, flat)
    first, last = _extremes(every)
    some = first < every.length
    dt = float(coding.dt)
    own, settled = _own_decoder(coding, told, values)
    return {
        "error": own,
        "fitted": rms(decoded - flat),
        "information": information(flat, decoded),
        "spikes": len(every) / flat.size,
        "first": dt * float(first[some].mean()) if some.any() else np.nan,
        "last": dt * float(last[some].mean()) if some.any() else np.nan,
        "settled": settled,
    }


def _own_decoder(coding: Coding, told: Sequence[Spikes], values: Floats) -> tuple[float, float]:
    """The error of a coding's decoder, and when it has settled (s)."""
    try:
        error = rms(np.array([coding.decode(spikes) for spikes in told]) - values)
    except CodingError:  # a coding of a user's own may have none
        return np.nan, np.nan
    moments = np.unique(np.rint(np.geomspace(1, coding.length, MOMENTS)).astype(int))
    errors = np.array(
        [
            rms(np.array([coding.read(spikes.before(k), k) for spikes in told[:LOOKED_AT]]) - values[:LOOKED_AT])
            for k in moments
        ]
    )
    still = np.flatnonzero(errors > NEARLY * errors[-1])
    return error, float(moments[still[-1] + 1 if still.size else 0] * coding.dt)


def _joined(told: Sequence[Spikes]) -> Spikes:
    """The spikes of all populations as those of one, whose neurons follow each other."""
    steps = np.concatenate([spikes.steps for spikes in told])
    neurons = np.concatenate([spikes.neurons + number * spikes.size for number, spikes in enumerate(told)])
    shape = (sum(spikes.size for spikes in told),)
    return Spikes(steps, neurons, shape=shape, length=told[0].length, dt=told[0].dt)


def _extremes(spikes: Spikes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The steps of the first and the last spike of each neuron."""
    last = np.zeros(spikes.size, dtype=np.int64)
    np.maximum.at(last, spikes.neurons, spikes.steps)
    return spikes.first_steps(), last


def rms(error: Floats) -> float:
    """The root of the mean square."""
    return float(np.sqrt(np.mean(np.square(error))))


# ---- the fitted decoder --------------------------------------------------------------------------------------------


def fitted_values(spikes: Spikes, values: Floats) -> Floats:
    """Decode each neuron's value by a decoder that has learned from the spikes of other neurons.

    The decoder is the same for all codings: a sum of one function of the spike count, one of the time of the first
    spike, one of the mean interval, and a weight for each spike by its time. It so contains what reads a rate, a
    latency, a burst and a binary number. Functions are linear between knots (a generalised additive model: Hastie &
    Tibshirani 1990); the weights of spikes are the linear reconstruction of Bialek et al. 1991,
    doi:10.1126/science.2063199. All is one ridge regression, whose penalty is chosen by generalised cross-validation
    (Golub, Heath & Wahba 1979, doi:10.1080/00401706.1979.10489751). One half of the neurons is decoded by what was
    fitted to the other half, and the other way round.

    Parameters
    ----------
    spikes : Spikes
        Of neurons that each tell one value, shape (neurons,).
    values : ndarray, shape (neurons,)
        What they tell.

    Returns
    -------
    ndarray, shape (neurons,)
        From 0 to 1.
    """
    seen, half = features(spikes), len(values) // 2
    parts = (slice(0, half), slice(half, None))
    decoded = [_ridge(seen[learned], values[learned], seen[new]) for new, learned in (parts, parts[::-1])]
    return np.clip(np.concatenate(decoded), 0, 1)


def features(spikes: Spikes) -> Floats:
    """What the fitted decoder sees of each neuron, shape (neurons, features)."""
    counts, (first, last) = spikes.counts(), _extremes(spikes)
    interval = np.where(counts > 1, (last - first) / np.maximum(counts - 1, 1), 0)
    silent, single = counts == 0, counts < 2
    tables = [
        _hats(counts.astype(float), np.ones(spikes.size, dtype=bool)),
        # Who is silent might spike later. That helps where none such is among those that are learned from.
        _hats(first.astype(float), np.ones(spikes.size, dtype=bool)),
        _hats(interval, ~single),
    ]
    return np.column_stack([_raster(spikes), silent, single, *tables])


def _raster(spikes: Spikes) -> Floats:
    """Spikes of each neuron in the first steps, and in bins of later ones."""
    late = spikes.steps - FINE
    width = max(1, -(-(spikes.length - FINE) // COARSE))
    place = np.where(late < 0, spikes.steps, FINE + late // width)
    columns = FINE + COARSE
    cells = np.bincount(spikes.neurons * columns + place, minlength=spikes.size * columns)
    return cells.reshape(-1, columns).astype(float)


def _hats(x: Floats, there: NDArray[np.bool_]) -> Floats:
    """A basis of functions of x that are linear between knots; 0 where there is no x."""
    if not there.any():
        return np.zeros((len(x), 0))
    knots = np.unique(np.quantile(x[there], np.linspace(0, 1, KNOTS)))
    hats = np.column_stack([np.interp(x, knots, row) for row in np.eye(len(knots))])
    # A straight line needs no penalty on its many pieces.
    return np.column_stack([hats, (x - knots[0]) / max(knots[-1] - knots[0], 1)]) * there[:, np.newaxis]


def _ridge(seen: Floats, values: Floats, new: Floats) -> Floats:
    """Ridge regression, with the penalty that generalised cross-validation likes best."""
    centre, mean, n = seen.mean(axis=0), values.mean(), len(values)
    x, y = seen - centre, values - mean
    size, axes = np.linalg.eigh(x.T @ x)
    size, along = np.maximum(size, 0), axes.T @ (x.T @ y)
    shrunk = 1 / (size + RIDGES[:, np.newaxis])
    left = y @ y - 2 * (shrunk * along**2).sum(axis=1) + (shrunk**2 * size * along**2).sum(axis=1)
    free = np.maximum(1 - (size * shrunk).sum(axis=1) / n, 1e-9)
    best = int(np.argmin(np.maximum(left, 1e-12) / free**2))
    return np.asarray((new - centre) @ (axes @ (shrunk[best] * along)) + mean)


# ---- information ---------------------------------------------------------------------------------------------------


def information(values: Floats, decoded: Floats, bins: int = BINS) -> float:
    """Estimate how many bits a decoded value tells of a value.

    Values are divided into bins with as many of them each, for evenly drawn values bins of equal width, and so are
    decoded values, equal ones of which lie in the same bin. The mutual information of the table is corrected by the
    bias of each of its entropies, (cells that are not empty minus 1)/(2 N ln 2): Miller 1955, and Panzeri et al. 2007,
    doi:10.1152/jn.00559.2007. It is limited to the entropy of the values' bins. Nothing that is worked out from spikes
    tells more than the spikes: it is a lower bound.

    Parameters
    ----------
    values, decoded : ndarray, shape (neurons,)
    bins : int
        Of each.

    Returns
    -------
    float
        Bits, from 0 to log2(bins).
    """
    row = np.argsort(np.argsort(values)) * bins // len(values)
    edges = np.unique(np.quantile(decoded, np.linspace(0, 1, bins + 1)[1:-1]))
    column = np.searchsorted(edges, decoded, side="right")
    table = np.zeros((bins, len(edges) + 1))
    np.add.at(table, (row, column), 1)
    return mutual_information(table)
