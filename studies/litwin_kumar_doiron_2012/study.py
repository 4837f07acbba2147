"""Why does the firing rate of a neuron of cortex change from one trial to the next?

A network in which excitation and inhibition balance fires irregularly, but each second of it like any other: a
neuron's spike counts vary less than those of a Poisson process, where in cortex they vary more. Litwin-Kumar and
Doiron (2012) joined the excitatory neurons to clusters, in which synapses are more and stronger. Do clusters then
switch between high and low activity by themselves, slowly, so that counts vary as in cortex? And does a stimulus
suppress it?
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Hz, Network, Quantity, SpikeMonitor, ms, second

from biosnn.engine import Point, Simulation
from biosnn.groups.build import neurons, synapses
from biosnn.measure import cv2, fano_factor, mean_correlation, population_rate, window_counts
from biosnn.projection import FixedProbability
from biosnn.seeds import derived_seed
from biosnn.study import Claim, Result, setting

from . import parameters as n

TARGET = "cpp"
ANSWER = (
    "Clusters raise the Fano factor of spike counts to {clustered, Fano factor}, a stimulus brings that of "
    "its clusters to {stimulated, Fano factor of the clusters to be stimulated}; in a uniform network it is "
    "{uniform, Fano factor}."
)
METHOD = """\
4000 excitatory and 1000 inhibitory leaky integrate-and-fire neurons (`lif_psc_difference`), each with a constant drive,
drawn evenly between two values, and nothing random from outside. Excitatory neurons belong to 50 clusters of 80. The
chance of a synapse within a cluster is 2.5 times that between clusters, and its weight 1.9 times as large; the mean
chance is 0.2. All other pairs are joined with a chance of 0.5.

1. Fano factors are those of the counts of excitatory neurons in windows of 100 ms, and of 1 s, a mean over neurons,
   after the first half a second.
2. Correlations are those of the counts in windows of 100 ms, of pairs in one cluster and in two.
3. The stimulus is a constant 0.07 added to the drive of five clusters; the network is the same as without it. The Fano
   factors of their neurons are compared.
4. The same network in plain NumPy (`independent.py`) gives what is expected of rates and Fano factors.

The control has no clusters (`ratio=1`): as many synapses, all as strong. It is run beside the others, and must
be less variable than a Poisson process."""

WARM = 0.5  # seconds
WINDOW, LONG = 0.1, 1.0
SHOWN, SHOWN_CELLS = 2.0, 1600


@dataclass(frozen=True)
class Settings:
    duration: Quantity = setting(10.0 * second, "time over which each network is measured", minimum=2 * second)
    seeds: int = setting(3, "networks of each kind", minimum=1)
    ratio: float = setting(
        n.RATIO, "chance of a synapse in a cluster over that between two; 1 is the control", minimum=1.0
    )
    size: float = setting(1.0, "share of the clusters and of the inhibitory neurons", minimum=0.1, maximum=1.0)


def run(settings: Settings, sim: Simulation) -> Result:
    sim.reset(dt=n.DT * ms)
    kinds = {"clustered": (settings.ratio, 0.0), "stimulated": (settings.ratio, n.STIMULUS), "uniform": (1.0, 0.0)}
    found = _simulate(sim, settings, kinds)
    values: dict[str, Any] = {}
    arrays: dict[str, Any] = {}
    for name, each in found.items():
        keys = [key for key in each[0] if not key.startswith(("shown", "each"))]
        mean = {key: float(np.mean([one[key] for one in each])) for key in keys}
        values |= {f"{name}, rate of {sign}": mean.pop(f"rate {sign}") * Hz for sign in "EI"}
        values |= {f"{name}, {key}": value for key, value in mean.items()}
        arrays |= {f"{name}, {key}": value for key, value in each[0].items() if key.startswith("shown")}
        arrays |= {
            f"{name}, {key}": np.concatenate([one[key] for one in each]) for key in each[0] if key.startswith("each")
        }
    return Result(values, arrays)


def _simulate(
    sim: Simulation, settings: Settings, kinds: dict[str, tuple[float, float]]
) -> dict[str, list[dict[str, Any]]]:
    """What is measured in each network, at several seeds."""
    clusters, inh = round(settings.size * n.SIZES["E"] / n.CLUSTER), round(settings.size * n.SIZES["I"])
    exc = clusters * n.CLUSTER
    excites = f"int(i < {exc})"
    low, high = ([bounds[side] for bounds in n.DRIVE.values()] for side in (0, 1))
    each = {
        "tau_m": f"({n.TAU_M['I']} + {n.TAU_M['E'] - n.TAU_M['I']}*{excites})*ms",
        "mu": f"{low[1]} + {low[0] - low[1]}*{excites} + rand()*({high[1] - low[1]} + "
        f"{high[0] - low[0] - high[1] + low[1]}*{excites})",
        "v": "rand()",
    }
    cells = neurons(exc + inh, "lif_psc_difference", values=each, name="cells")
    parts = {"E": cells[:exc], "I": cells[exc:]}
    # Pairs are drawn all over the network, with the chance within a cluster and with that outside; each has weights
    # for its own.
    same = f"int(floor(i/{n.CLUSTER}) == floor(j/{n.CLUSTER}))"
    wires = [
        synapses(
            *(parts["E"], parts["E"], "static"),
            onto="y_exc",
            gain=1.0,
            connect=FixedProbability(0.1, autapses=False),
            values={"w": weight},
            name=name,
        )
        for name, weight in (("within", same), ("between", f"1 - {same}"))
    ]
    for pair in ("IE", "EI", "II"):
        onto, gain = ("y_exc" if pair[1] == "E" else "y_inh"), n.WEIGHTS[pair] / np.sqrt(settings.size)
        kind = FixedProbability(n.CHANCES[pair], autapses=False)
        wires.append(
            synapses(parts[pair[1]], parts[pair[0]], "static", onto=onto, gain=gain, connect=kind, name=f"to_{pair}")
        )
    spikes = SpikeMonitor(cells, name="spikes")
    network = Network(cells, *wires, spikes)
    end = WARM + float(settings.duration / second)
    stimulated = np.arange(exc + inh) < n.STIMULATED * n.CLUSTER
    points = []
    for name, (ratio, stimulus) in kinds.items():
        for seed in range(settings.seeds):
            given = _connections(ratio, clusters, settings.size) | {"cells.stimulus": stimulus * stimulated}
            points.append(Point(given, seed=derived_seed(sim.seed, seed, name == "uniform")))

    def read(_: int) -> dict[str, Any]:
        return measure(np.asarray(spikes.t / second), np.asarray(spikes.i), exc, inh, end)

    found = sim.sweep(network, lambda: sim.run(network, end * second, "clusters"), points, read)
    count = settings.seeds
    return {name: found[place * count : (place + 1) * count] for place, name in enumerate(kinds)}


def _connections(ratio: float, clusters: int, size: float) -> dict[str, Any]:
    """Chances and weights of the synapses within clusters and between them."""
    within, between = n.chances(ratio, clusters * n.CLUSTER)
    weight = n.WEIGHTS["EE"] / np.sqrt(size)
    return {
        "within.p": within,
        "between.p": between,
        "within.gain": weight * (n.STRONGER if ratio > 1 else 1.0),
        "between.gain": weight,
    }


def measure(at: np.ndarray, of: np.ndarray, exc: int, inh: int, end: float) -> dict[str, Any]:
    """Rates, variability and correlation of a network, and what is drawn of it."""
    late = at >= WARM
    at, of = at[late], of[late]
    excites, seconds = of < exc, end - WARM
    given: dict[str, Any] = {"begin": WARM, "end": end, "neurons": exc}
    counts = window_counts(at[excites], of[excites], window=WINDOW, **given)
    fano = fano_factor(counts)
    wide = fano_factor(window_counts(at[excites], of[excites], window=LONG, **given))
    irregularity = cv2(at[excites], of[excites], neurons=exc)
    within, between = _correlations(counts)
    shown = (at < WARM + SHOWN) & (of < min(SHOWN_CELLS, exc)) & excites
    return {
        "rate E": excites.sum() / exc / seconds,
        "rate I": (~excites).sum() / inh / seconds,
        "Fano factor": float(np.nanmean(fano)),
        "Fano factor of the clusters to be stimulated": float(np.nanmean(fano[: n.STIMULATED * n.CLUSTER])),
        "Fano factor in windows of 1 s": float(np.nanmean(wide)),
        "CV2": float(np.nanmean(irregularity)) if np.isfinite(irregularity).any() else np.nan,
        "correlation within clusters": within,
        "correlation between clusters": between,
        "each Fano factor": fano,
        "shown time": (at[shown] - WARM) * second,
        "shown cell": of[shown],
        "shown rate": _most_variable(at[shown], of[shown]) * Hz,
    }


def _most_variable(at: np.ndarray, of: np.ndarray) -> np.ndarray:
    """The rate in the course of time of the cluster that changes most, of those that are shown."""
    given: dict[str, Any] = {
        "neurons": n.CLUSTER,
        "begin": WARM,
        "end": WARM + SHOWN,
        "window": 0.02,
        "smoothing": 0.02,
    }
    each = [population_rate(at[of // n.CLUSTER == part], **given)[1] for part in range(SHOWN_CELLS // n.CLUSTER)]
    return np.asarray(max(each, key=np.std))


def _correlations(counts: np.ndarray) -> tuple[float, float]:
    """Mean correlation of pairs in one cluster, and in two."""
    clusters = counts.shape[1] // n.CLUSTER
    each = [counts[:, part * n.CLUSTER : (part + 1) * n.CLUSTER] for part in range(clusters)]
    pairs = [np.sum(np.ptp(one, axis=0) > 0) * (np.sum(np.ptp(one, axis=0) > 0) - 1) for one in each]
    inside = np.array([mean_correlation(one) for one in each])
    cells = int(np.sum(np.ptp(counts, axis=0) > 0))
    total = mean_correlation(counts) * cells * (cells - 1)
    sums, number = np.nansum(inside * pairs), sum(pairs)
    return float(sums / number), float((total - sums) / (cells * (cells - 1) - number))


# ---- what is claimed ---------------------------------------------------------------------------------------------


def _active(result: Result) -> bool:
    """The excitatory neurons of every network fire above 0.5 Hz."""
    return all(result.values[f"{name}, rate of E"] > 0.5 * Hz for name in ("clustered", "stimulated", "uniform"))


STIMULATED_FANO = "Fano factor of the clusters to be stimulated"
CLAIMS = [
    Claim(
        "slow variability",
        "In the clustered network counts vary more than those of a Poisson process: the mean Fano factor is above 1, "
        "and larger in long windows.",
        lambda result: bool(
            1 < result.values["clustered, Fano factor"] < result.values["clustered, Fano factor in windows of 1 s"]
        ),
        _active,
    ),
    Claim(
        "clusters",
        "Neurons of one cluster vary together: their mean correlation is at least 0.05, and 5 times that of others.",
        lambda result: bool(
            result.values["clustered, correlation within clusters"]
            > max(0.05, 5 * abs(result.values["clustered, correlation between clusters"]))
        ),
        _active,
    ),
    Claim(
        "stimulus",
        "A stimulus makes the neurons that get it less variable: their Fano factor falls by a quarter at least.",
        lambda result: bool(
            result.values[f"stimulated, {STIMULATED_FANO}"] < 0.75 * result.values[f"clustered, {STIMULATED_FANO}"]
        ),
        _active,
    ),
    Claim(
        "control",
        "Without clusters counts vary less than those of a Poisson process (Fano factor under 1), and no more in long "
        "windows.",
        lambda result: bool(
            result.values["uniform, Fano factor"] < 1
            and result.values["uniform, Fano factor in windows of 1 s"] < 1
            and result.values["uniform, correlation within clusters"] < 0.02
        ),
        _active,
    ),
]
