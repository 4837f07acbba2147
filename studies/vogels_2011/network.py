"""The recurrent network of Vogels et al. (2011)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from brian2 import Hz, Network, SpikeMonitor, ms, nS, pA, second

from biosnn.engine import Point, Simulation
from biosnn.groups.build import neurons, synapses
from biosnn.measure import cv, mean_correlation, population_rate, window_counts
from biosnn.projection import FixedProbability
from biosnn.seeds import derived_seed
from biosnn.study import Claim, Result

if TYPE_CHECKING:
    from .study import Settings

DT = 0.1 * ms
EXC, INH, CHANCE = 8000, 2000, 0.02
ETA, TARGET_RATE = 0.01, 3 * Hz
CONTROL = 0.5  # seconds: without learning nothing changes
BEGIN, HALF, SEVEN, LAST = (0.0, 0.1), (0.45, 0.55), (6.5, 7.5), 3.0
SHOWN, SHOWN_CELLS = 0.2, 100


def run_network(settings: Settings, sim: Simulation) -> Result:
    sim.reset(dt=DT)
    exc_n, inh_n = round(EXC * settings.size), round(INH * settings.size)
    cells = neurons(exc_n + inh_n, "lif_cond", values={"I": 200 * pA}, name="cells")
    exc, inh = cells[:exc_n], cells[exc_n:]
    sparse = FixedProbability(CHANCE / settings.size)
    wires = [
        synapses(exc, cells, "static", onto="g_exc", gain=0.3 * nS, connect=sparse, name="excite"),
        synapses(inh, inh, "static", onto="g_inh", gain=3 * nS, connect=sparse, name="inhibit"),
        synapses(
            *(inh, exc, "istdp"),
            onto="g_inh",
            gain=1 * nS,
            connect=sparse,
            values={"eta": ETA, "rho_0": TARGET_RATE},
            name="learns",
        ),
    ]
    spikes = SpikeMonitor(exc)
    network = Network(cells, *wires, spikes)
    end = float(settings.network_duration / second)
    points = []
    for number in range(settings.seeds + 1):
        without = number == settings.seeds
        eta = 0.0 if without else settings.learning * ETA
        seed, duration = derived_seed(sim.seed, 1, number), min(CONTROL, end) if without else end
        points.append(Point({"learns.eta": eta}, seed=seed, durations=[duration * second]))

    def read(number: int) -> dict[str, Any]:
        at, of = np.asarray(spikes.t / second), np.asarray(spikes.i)
        return _measure(at, of, exc_n, min(CONTROL, end) if number == settings.seeds else end)

    *found, control = sim.sweep(network, lambda: sim.run(network, settings.network_duration, "network"), points, read)
    return _result(found, control, end)


def _measure(at: np.ndarray, of: np.ndarray, cells: int, end: float) -> dict[str, Any]:
    def rate(begin: float, until: float) -> float:
        return float(np.count_nonzero((at >= begin) & (at < until))) / cells / (until - begin)

    first = max(0.0, end - LAST)
    late = at >= first
    irregular = cv(at[late], of[late], neurons=cells)
    counts = window_counts(at[late], of[late], window=0.005, begin=first, end=end, neurons=cells)
    time, rates = population_rate(at, neurons=cells, begin=0, end=end, window=min(0.1, end / 2))
    shown = {"begin": at < SHOWN, "end": (at >= end - SHOWN) & (at < end)}
    return {
        "first": rate(*BEGIN),
        "half": rate(*HALF),
        "seven": rate(*SEVEN),
        "last": rate(first, end),
        "CV": float(np.nanmean(irregular)) if np.isfinite(irregular).any() else np.nan,
        "correlation": mean_correlation(counts),
        "time": time * second,
        "rate": rates * Hz,
        **{f"{what} time": at[chosen & (of < SHOWN_CELLS)] * second for what, chosen in shown.items()},
        **{f"{what} cell": of[chosen & (of < SHOWN_CELLS)] for what, chosen in shown.items()},
    }


def _result(found: list[dict[str, Any]], control: dict[str, Any], end: float) -> Result:
    def mean(key: str) -> float:
        return float(np.mean([one[key] for one in found]))

    values: dict[str, Any] = {"network rate at first": mean("first") * Hz, "network rate, last 3 s": mean("last") * Hz}
    if end >= max(HALF):
        values["network rate after 0.5 s"] = mean("half") * Hz
    if end >= max(SEVEN):
        values["network rate after 7 s"] = mean("seven") * Hz
    values |= {"network CV, last 3 s": mean("CV"), "network correlation, last 3 s": mean("correlation")}
    values |= {"network rate without learning": control["last"] * Hz}
    values |= {"network correlation without learning": control["correlation"]}
    arrays = {"network time": found[0]["time"], "network rates": found[0]["rate"]}
    arrays |= {"network control time": control["time"], "network control rates": control["rate"]}
    for what in ("begin", "end"):
        arrays |= {f"network {what} {key}": found[0][f"{what} {key}"] for key in ("time", "cell")}
    return Result(values, arrays)


def _active(result: Result) -> bool:
    """The network fires above 1 Hz, at first and in the last 3 s."""
    return bool(result.values["network rate, last 3 s"] > 1 * Hz and result.values["network rate at first"] > 1 * Hz)


CLAIMS = [
    Claim(
        "network slow",
        "Learning brings the network's excitatory rate down to less than a tenth of what it is at first.",
        lambda result: bool(result.values["network rate, last 3 s"] < 0.1 * result.values["network rate at first"]),
        _active,
    ),
    Claim(
        "network irregular",
        "At the end it fires irregularly and asynchronously: mean CV above 0.7, mean correlation in 5 ms under 0.05.",
        lambda result: bool(
            result.values["network CV, last 3 s"] > 0.7 and result.values["network correlation, last 3 s"] < 0.05
        ),
        _active,
    ),
    Claim(
        "network control: no learning",
        "Without learning the network keeps firing above 100 Hz.",
        lambda result: bool(result.values["network rate without learning"] > 100 * Hz),
        _active,
    ),
]
