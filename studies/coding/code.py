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

from biosnn.coding import Coding, Spikes, fitted_values
from biosnn.coding.fitted_decoder import extremes
from biosnn.errors import CodingError
from biosnn.learning import CLEAN, Disturbance, present
from biosnn.measure import information

Makers = Mapping[str, Callable[[Quantity], Coding]]
Floats = NDArray[np.float64]

POPULATION = 64
# Moments at which the estimate is tested for having settled, in so many populations, and when it counts as settled.
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
        How many values are encoded; rounded up to an even number of populations of 64.
    repeats : int
        How often, each time with other values and other chance. These are the same for all codings.
    seed : int
        Of values and chance.
    report : callable, optional
        Receives the fraction of the work that is done, and what is done next.

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
    first, last = extremes(every)
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


def rms(error: Floats) -> float:
    """The root of the mean square."""
    return float(np.sqrt(np.mean(np.square(error))))
