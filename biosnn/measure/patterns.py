"""Firing patterns of a neuron, recognised by rules: spikes, membrane potential and drive in, yes or no out.

The twenty patterns are those of Izhikevich 2004, figure 1, doi:10.1109/TNN.2004.832719. The paper shows and describes
them; the rules are ours. They compare intervals with intervals and drives with drives, so that no rate of any neuron
stands in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from biosnn.display import Brief
from biosnn.errors import DataError, field_error

Floats = NDArray[np.float64]
SAME = 1.1
"""Intervals within this factor are the same."""
ADAPTED = 1.5
"""By this factor intervals of an adapting cell grow at least."""
LONG = 2.0
"""From this factor on one interval is long beside another."""
RARE = 0.8
"""Of two intervals under a ramp: the second is shorter than this share of the first if firing begins at a low rate."""
FEWEST = 3
"""Spikes of a burst."""
LEAST_WAVE = 0.01
"""How far the potential falls on both sides of a wave at least, as a share of its range after the spike."""


@dataclass(frozen=True)
class Excursion(Brief):
    """A stretch of time in which the drive is other than at first.

    Parameters
    ----------
    start, end : float
    low, high : float
        The extremes of the drive in it, beside the drive at first.
    to_the_end : bool
        Whether it lasts as long as the recording.
    """

    start: float
    end: float
    low: float
    high: float
    to_the_end: bool

    @property
    def ramp(self) -> bool:
        """Whether the drive changes in it."""
        return self.high - self.low > 1e-9 * max(abs(self.high), abs(self.low))

    @property
    def positive(self) -> bool:
        """Whether it excites."""
        return self.high > 0

    @property
    def duration(self) -> float:
        """How long it is."""
        return self.end - self.start


@dataclass(frozen=True)
class Response(Brief):
    """What one neuron does when it is driven. Any units, as long as all times have the same.

    Parameters
    ----------
    time : ndarray, shape (steps,)
        Evenly spaced.
    potential : ndarray, shape (steps,)
        The membrane potential.
    drive : ndarray, shape (steps,)
        What it is driven with.
    spikes : ndarray
        The times of its spikes.

    Raises
    ------
    DataError
        If there are less than three steps, or not as many values for each.
    """

    time: Floats
    potential: Floats
    drive: Floats
    spikes: Floats

    def __post_init__(self) -> None:
        sizes = {len(self.time), len(self.potential), len(self.drive)}
        if len(sizes) != 1 or min(sizes) < 3:
            raise DataError(field_error("Response", "at least 3 steps, and all of one length", sorted(sizes)))

    @cached_property
    def end(self) -> float:
        """When the recording ends."""
        return float(self.time[-1])

    @cached_property
    def intervals(self) -> Floats:
        """Between spikes."""
        return np.diff(self.spikes)

    @cached_property
    def excursions(self) -> tuple[Excursion, ...]:
        """Where the drive differs from its first value."""
        apart = np.concatenate([[False], self.drive != self.drive[0], [False]])
        edges = np.flatnonzero(apart[1:] != apart[:-1])
        found = []
        for first, last in zip(edges[::2], edges[1::2], strict=True):
            inside = self.drive[first:last] - self.drive[0]
            ends = last == len(self.time)
            end = self.time[-1] if ends else self.time[last]
            found.append(Excursion(float(self.time[first]), float(end), inside.min(), inside.max(), ends))
        return tuple(found)

    @cached_property
    def clusters(self) -> tuple[Floats, ...]:
        """Spikes in groups, which are divided by intervals longer than half the longest one."""
        if len(self.spikes) < 2:
            return (self.spikes,) if len(self.spikes) else ()
        return tuple(np.split(self.spikes, 1 + np.flatnonzero(self.intervals > self.intervals.max() / LONG)))

    def between(self, start: float, end: float) -> Floats:
        """The spikes from one time to another."""
        return self.spikes[(self.spikes >= start) & (self.spikes < end)]

    def waves(self, start: float) -> int:
        """How many times the potential rises and falls again after a time, by more than a small share of its range."""
        trace = self.potential[self.time > start]
        return len(_waves(trace)) if len(trace) else 0

    def before(self, time: float) -> float:
        """The potential in the last step before a time."""
        return float(self.potential[max(int(np.searchsorted(self.time, time)) - 1, 0)])


def _waves(trace: Floats) -> NDArray[np.intp]:
    """Where a potential is highest before it falls by more than a small share of its range."""
    from scipy.signal import find_peaks  # slow to import, and only needed here

    return np.asarray(find_peaks(trace, prominence=LEAST_WAVE * np.ptp(trace))[0])


# ---- what the drive is -------------------------------------------------------------------------------------------


def _only(response: Response) -> Excursion | None:
    return response.excursions[0] if len(response.excursions) == 1 else None


def _step(response: Response) -> Floats | None:
    """The spikes of a constant drive that lasts to the end; None if the drive is another."""
    one = _only(response)
    if one is None or one.ramp or not (one.positive and one.to_the_end) or response.between(0, one.start).size:
        return None
    return response.spikes


def _pulse(response: Response, *, positive: bool) -> Excursion | None:
    """A single short drive, before and during which nothing need happen."""
    one = _only(response)
    short = one is not None and not one.to_the_end and one.duration < (response.end - response.time[0]) / 10
    return one if one is not None and short and one.positive == positive else None


def _ramp(response: Response) -> bool:
    one = _only(response)
    return one is not None and one.ramp and one.to_the_end


def _inhibited(response: Response) -> bool:
    """Whether the drive falls for a long time, and spikes come in that time only (or as it ends)."""
    one = _only(response)
    if one is None or one.positive or one.duration < (response.end - response.time[0]) / 4:
        return False
    inside = response.between(one.start, one.end)
    return len(inside) >= FEWEST and len(response.spikes) - len(inside) <= 1 and response.spikes[0] >= one.start


def _pairs(response: Response) -> list[tuple[float, Floats]] | None:
    """Of two pairs of equal pulses: how far apart the two are, and the spikes from each pair on."""
    pulses = response.excursions
    if len(pulses) != 4 or len({round(one.high, 9) for one in pulses}) != 1 or not pulses[0].positive:
        return None
    ends = [pulses[2].start, response.end]
    return [
        (pulses[k + 1].start - pulses[k].start, response.between(pulses[k].start, end))
        for k, end in zip((0, 2), ends, strict=True)
    ]


# ---- the rules ---------------------------------------------------------------------------------------------------


def tonic_spiking(response: Response) -> bool:
    """A step: spikes to the end, with intervals that settle and none that is longer than those."""
    spikes, intervals = _step(response), response.intervals
    if spikes is None or len(intervals) < FEWEST:
        return False
    last = intervals[-1]
    settled = last / SAME < intervals[-2] < SAME * last and intervals.max() < SAME * last
    return bool(settled and response.end - spikes[-1] < SAME * last)


def phasic_spiking(response: Response) -> bool:
    """A step: one spike, and silence for at least half of the step."""
    spikes = _step(response)
    return spikes is not None and len(spikes) == 1 and response.end - spikes[0] > response.excursions[0].duration / 2


def tonic_bursting(response: Response) -> bool:
    """A step: bursts to the end, with long intervals in between."""
    bursts = response.clusters
    if _step(response) is None or len(bursts) < 2 or not all(len(burst) >= FEWEST for burst in bursts[:-1]):
        return False
    return bool(response.end - response.spikes[-1] < LONG * response.intervals.max())


def phasic_bursting(response: Response) -> bool:
    """A step: one burst, and silence for at least half of the step."""
    spikes = _step(response)
    silence = response.end - response.spikes[-1] if len(response.spikes) else 0.0
    return (
        spikes is not None
        and len(spikes) >= FEWEST
        and silence > max(response.excursions[0].duration / 2, 4 * response.intervals.max())
    )


def mixed_mode(response: Response) -> bool:
    """A step: first a burst and the longest interval, then single spikes to the end."""
    groups = response.clusters
    if _step(response) is None or len(groups) < FEWEST or len(groups[0]) < 2:
        return False
    single = all(len(group) == 1 for group in groups[1:])
    gap = response.intervals[len(groups[0]) - 1]
    return bool(single and np.all(response.intervals[len(groups[0]) :] < gap / SAME))


def spike_frequency_adaptation(response: Response) -> bool:
    """A step: every interval is longer than the one before, up to the last."""
    spikes, intervals = _step(response), response.intervals
    if spikes is None or len(intervals) < FEWEST:
        return False
    growing = np.all(np.diff(intervals) > 0) and intervals[-1] > SAME * intervals[-2]
    lasting = response.end - spikes[-1] < LONG * intervals[-1]
    return bool(growing and lasting and intervals[-1] > ADAPTED * intervals[0])


def class_1(response: Response) -> bool:
    """A ramp: spikes that begin rarely, so that the second interval is much shorter than the first."""
    intervals = response.intervals
    return _ramp(response) and len(intervals) >= FEWEST and bool(intervals[1] < RARE * intervals[0])


def class_2(response: Response) -> bool:
    """A ramp: spikes that begin at a rate which the second interval hardly changes."""
    intervals = response.intervals
    return _ramp(response) and len(intervals) >= FEWEST and bool(RARE * intervals[0] <= intervals[1] < intervals[0])


def spike_latency(response: Response) -> bool:
    """A short pulse: one spike, later after the pulse than that was long, and no waves after it."""
    pulse, spikes = _pulse(response, positive=True), response.spikes
    return (
        pulse is not None
        and len(spikes) == 1
        and spikes[0] - pulse.end > pulse.duration
        and response.waves(spikes[0]) == 0
    )


def subthreshold_oscillations(response: Response) -> bool:
    """A short pulse: one spike, and after it several waves that do not reach the threshold."""
    pulse, spikes = _pulse(response, positive=True), response.spikes
    return pulse is not None and len(spikes) == 1 and response.waves(spikes[0]) >= 2


def resonator(response: Response) -> bool:
    """Two pairs of pulses: spikes follow the second pulse of the pair that is further apart, and no other."""
    return _answers(response, nearest=False)


def integrator(response: Response) -> bool:
    """Two pairs of pulses: spikes follow the second pulse of the pair that is closer, and no other."""
    return _answers(response, nearest=True)


def _answers(response: Response, *, nearest: bool) -> bool:
    pairs = _pairs(response)
    if pairs is None:
        return False
    answered, other = sorted(pairs, key=lambda pair: pair[0] if nearest else -pair[0])
    if len(answered[1]) != len(response.spikes) or not len(response.spikes) or len(other[1]):
        return False
    first = max(pulse.start for pulse in response.excursions[::2] if pulse.start <= response.spikes[0])
    return bool(response.spikes[0] >= first + answered[0])


def rebound_spike(response: Response) -> bool:
    """A short pulse that inhibits: one spike after its end."""
    return len(_after_inhibition(response)) == 1


def rebound_burst(response: Response) -> bool:
    """A short pulse that inhibits: a burst after its end, and silence."""
    spikes = _after_inhibition(response)
    return len(spikes) >= FEWEST and response.end - spikes[-1] > 4 * response.intervals.max()


def _after_inhibition(response: Response) -> Floats:
    pulse = _pulse(response, positive=False)
    silent = pulse is None or len(response.between(0, pulse.end)) > 0
    return np.zeros(0) if silent else response.spikes


def threshold_variability(response: Response) -> bool:
    """Two equal pulses, the second after inhibition: only the second is answered."""
    drives = response.excursions
    if [one.positive for one in drives] != [True, False, True] or round(drives[0].high - drives[2].high, 9):
        return False
    return len(response.spikes) > 0 and bool(response.spikes[0] >= drives[2].start)


def bistability(response: Response) -> bool:
    """Two equal pulses: spikes from the first to the second, and silence before and after."""
    drives = response.excursions
    if [one.positive for one in drives] != [True, True] or round(drives[0].high - drives[1].high, 9):
        return False
    inside = response.between(drives[0].start, drives[1].start)
    if len(inside) < FEWEST or len(inside) != len(response.spikes):
        return False
    longest = np.diff(inside).max()
    return bool(drives[1].start - inside[-1] < SAME * longest and response.end - drives[1].start > SAME * longest)


def depolarising_afterpotential(response: Response) -> bool:
    """A short pulse: one spike, after which the potential rises once more above rest, and returns."""
    pulse, spikes = _pulse(response, positive=True), response.spikes
    if pulse is None or len(spikes) != 1 or response.waves(spikes[0]) != 1:
        return False
    after = response.potential[response.time > spikes[0]]
    peak, rest = after[_waves(after)[0]], response.before(pulse.start)
    return bool(peak > rest and abs(after[-1] - rest) < (peak - rest) / 10)


def accommodation(response: Response) -> bool:
    """Two ramps: the steep one is answered, the slow one, which goes further, is not."""
    ramps = response.excursions
    if len(ramps) != 2 or not all(one.ramp and one.positive for one in ramps):
        return False
    slow, steep = sorted(ramps, key=lambda one: one.high / one.duration)
    answered = response.between(steep.start, response.end if steep.start > slow.start else slow.start)
    return slow.high > steep.high and 0 < len(answered) == len(response.spikes)


def inhibition_induced_spiking(response: Response) -> bool:
    """A drive that falls for long: single spikes as long as it lasts."""
    return _inhibited(response) and all(len(group) < FEWEST for group in _inside(response))


def inhibition_induced_bursting(response: Response) -> bool:
    """A drive that falls for long: bursts as long as it lasts."""
    bursts = _inside(response) if _inhibited(response) else ()
    return len(bursts) > 1 and all(len(burst) >= FEWEST for burst in bursts)


def _inside(response: Response) -> tuple[Floats, ...]:
    one = response.excursions[0]
    spikes = response.between(one.start, one.end)
    intervals = np.diff(spikes)
    return tuple(np.split(spikes, 1 + np.flatnonzero(intervals > intervals.max() / LONG)))


RULES: Mapping[str, Callable[[Response], bool]] = MappingProxyType(
    {
        rule.__name__: rule
        for rule in (
            *(tonic_spiking, phasic_spiking, tonic_bursting, phasic_bursting, mixed_mode, spike_frequency_adaptation),
            *(class_1, class_2, spike_latency, subthreshold_oscillations, resonator, integrator, rebound_spike),
            *(rebound_burst, threshold_variability, bistability, depolarising_afterpotential, accommodation),
            *(inhibition_induced_spiking, inhibition_induced_bursting),
        )
    }
)
"""By the names of the presets of the model ``izhikevich``, in the order of the paper's figure."""


def recognised(response: Response) -> tuple[str, ...]:
    """The names of the patterns that a response shows, in the order of `RULES`."""
    return tuple(name for name, rule in RULES.items() if rule(response))
