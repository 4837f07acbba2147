"""The numbers of the published networks, as every side uses them: ms, mV, pF, pA, nS and Hz.

Nothing but NumPy is imported, since NEST runs in an interpreter of its own.

A network may have fewer neurons than the published one. Then every neuron still gets as many synapses, and as much
background, as in the published network: indegrees and weights are kept, and only the chance that two inputs come from
the same neuron grows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

DT = 0.1  # ms


@dataclass(frozen=True)
class Published:
    """A network's populations and how much of it is simulated.

    Parameters
    ----------
    label : str
        What tables call it.
    source : str
        Where its numbers and its rates are published.
    sizes : mapping
        Neurons of each population of the published network.
    seconds, settling : float
        How long it is simulated by default, and how much of it passes before rates are measured.
    rates : mapping
        Published mean rates in Hz, by population: the lowest and the highest.
    """

    label: str
    source: str
    sizes: dict[str, int]
    seconds: float
    settling: float
    rates: dict[str, tuple[float, float]] = field(default_factory=dict)

    def scaled(self, scale: float) -> dict[str, int]:
        """Neurons of each population at a scale."""
        return {name: max(1, round(scale * size)) for name, size in self.sizes.items()}


def within(rate: float, share: float) -> tuple[float, float]:
    return rate * (1 - share), rate * (1 + share)


# ---- Vogels & Abbott 2005, as benchmarks 1 (COBA) and 2 (CUBA) of Brette et al. 2007 ----------------------------

_VOGELS = "Vogels & Abbott 2005, doi:10.1523/JNEUROSCI.3508-05.2005; Brette et al. 2007, doi:10.1007/s10827-007-0038-6"
VOGELS = {"E": 3200, "I": 800}
CHANCE = 0.02
CUBA = Published("CUBA", _VOGELS, VOGELS, 10.0, 0.5, {"E": within(5.5, 0.15), "I": within(5.5, 0.15)})
COBA = Published("COBA", _VOGELS, VOGELS, 10.0, 0.5, {"E": within(19.5, 0.15), "I": within(19.5, 0.15)})
CUBA_WEIGHTS = {"E": 16.2, "I": 90.0}  # pA: with 100 Mohm the 1.62 and 9 mV of Brian's example
COBA_WEIGHTS = {"E": 6.0, "I": 67.0}  # nS
# COBA would be silent without a start: conductances as after many spikes, as mean and standard deviation.
COBA_START = {"v": (-65.0, 5.0), "g_exc": (40.0, 15.0), "g_inh": (200.0, 120.0)}

# ---- Brunel 2000 ------------------------------------------------------------------------------------------------

BRUNEL = Published(
    "Brunel",
    "Brunel 2000, doi:10.1023/A:1008925309027, figure 8C",
    {"E": 10_000, "I": 2500},
    1.0,
    0.2,
    {"E": within(37.7, 0.1), "I": within(37.7, 0.1)},
)
INDEGREES = {"E": 1000, "I": 250}
J = 0.1  # mV
G, ETA = 5.0, 2.0
BRUNEL_DELAY = 1.5
TAU_M, THETA, V_RESET, T_REF = 20.0, 20.0, 10.0, 2.0
EXTERNAL_RATE = ETA * THETA / (J * INDEGREES["E"] * TAU_M) * 1000  # Hz, of each of as many sources as synapses from E
BRUNEL_WEIGHTS = {"E": J, "I": -G * J}

# ---- a network as Brunel's whose synapses between excitatory cells learn ----------------------------------------

PLASTIC = Published(
    "plastic",
    "the network of Brunel 2000 with the rule of Song et al. 2000, doi:10.1038/78829",
    {"E": 8000, "I": 2000},
    3.0,
    0.5,
)
PLASTIC_INDEGREES = {"E": 800, "I": 200}
PLASTIC_WEIGHTS = {"E": J, "I": -6.0 * J}
PLASTIC_EXTERNAL_RATE = 1.3 * THETA / (J * PLASTIC_INDEGREES["E"] * TAU_M) * 1000
PLASTIC_DELAYS = (0.5, 2.5)  # ms, uniform
STDP = {"A_plus": 0.002, "A_minus": 0.0021, "tau_plus": 20.0, "tau_minus": 20.0, "w_max": 2.0}

# ---- Potjans & Diesmann 2014 ------------------------------------------------------------------------------------

_RATES = [0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829]
_NAMES = ["L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I"]
_SIZES = [20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948]
MICROCIRCUIT = Published(
    "microcircuit",
    "Potjans & Diesmann 2014, doi:10.1093/cercor/bhs358; rates: INM-6/microcircuit-PD14-model, network_params.py",
    dict(zip(_NAMES, _SIZES, strict=True)),
    1.0,
    0.2,
    {name: within(rate, 0.1) for name, rate in zip(_NAMES, _RATES, strict=True)},
)
# Connection probabilities, table 5 of the paper: a row for each target population, a column for each source.
PROBABILITIES = np.array(
    [
        [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
        [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
        [0.0077, 0.0059, 0.0497, 0.1350, 0.0067, 0.0003, 0.0453, 0.0],
        [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
        [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
        [0.0548, 0.0269, 0.0257, 0.0022, 0.0600, 0.3158, 0.0086, 0.0],
        [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
        [0.0364, 0.0010, 0.0034, 0.0005, 0.0277, 0.0080, 0.0658, 0.1443],
    ]
)
WEIGHT, WEIGHT_SD = 87.8, 0.1  # pA, and relative: 0.15 mV
INHIBITION = -4.0
# Mean and standard deviation; the paper prints those of inhibition as 0.8 and 0.4 ms, its code has these.
DELAYS = {"E": (1.5, 0.75), "I": (0.75, 0.375)}
BACKGROUND = dict(zip(_NAMES, [1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100], strict=True))
BACKGROUND_RATE = 8.0  # Hz
# Where membrane potentials begin, near where they will be (of the same code): mean and standard deviation.
STARTS = {
    "L23E": (-68.28, 5.36),
    "L23I": (-63.16, 4.57),
    "L4E": (-63.33, 4.74),
    "L4I": (-63.45, 4.94),
    "L5E": (-63.11, 4.94),
    "L5I": (-61.66, 4.55),
    "L6E": (-66.72, 5.46),
    "L6I": (-61.43, 4.48),
}


@dataclass(frozen=True)
class Bundle:
    """All synapses from one population of the microcircuit to another."""

    source: str
    target: str
    synapses: int
    weight: float
    delay: tuple[float, float]


def bundles(scale: float = 1.0) -> list[Bundle]:
    """The microcircuit's synapses, with the number that the probability that two neurons are joined at all stands for.

    With fewer neurons each of them keeps the synapses that it has in the whole circuit.
    """
    found = []
    for row, target in enumerate(_NAMES):
        for column, source in enumerate(_NAMES):
            chance = PROBABILITIES[row, column]
            if chance == 0:
                continue
            pairs = _SIZES[row] * _SIZES[column]
            each = math.log(1 - chance) / math.log(1 - 1 / pairs) / _SIZES[row]
            number = round(each * MICROCIRCUIT.scaled(scale)[target])
            excites = source.endswith("E")
            weight = WEIGHT * (1.0 if excites else INHIBITION) * (2.0 if (source, target) == ("L4E", "L23E") else 1.0)
            found.append(Bundle(source, target, number, weight, DELAYS[source[-1]]))
    return found


# ---- what the tables count --------------------------------------------------------------------------------------

NETWORKS = {"cuba": CUBA, "coba": COBA, "brunel": BRUNEL, "plastic": PLASTIC, "microcircuit": MICROCIRCUIT}


def outdegrees(network: str, scale: float) -> dict[str, float]:
    """Mean number of synapses that leave a neuron of each population."""
    sizes = NETWORKS[network].scaled(scale)
    if network == "microcircuit":
        leaving = dict.fromkeys(sizes, 0)
        for bundle in bundles(scale):
            leaving[bundle.source] += bundle.synapses
        return {name: leaving[name] / sizes[name] for name in sizes}
    return {name: indegrees(network)[name] * sum(sizes.values()) / sizes[name] for name in sizes}


def indegrees(network: str) -> dict[str, int]:
    """Synapses that a neuron gets from each population; a mean if they are drawn with a probability."""
    drawn = {name: round(CHANCE * size) for name, size in VOGELS.items()}
    return {"brunel": INDEGREES, "plastic": PLASTIC_INDEGREES}.get(network, drawn)


def learning(network: str) -> dict[str, float]:
    """Plastic synapses that reach a neuron of each population: its spikes change them, too."""
    return {"E": PLASTIC_INDEGREES["E"]} if network == "plastic" else {}


def synapses(network: str, scale: float) -> int:
    sizes = NETWORKS[network].scaled(scale)
    return round(sum(sizes[name] * leaving for name, leaving in outdegrees(network, scale).items()))


def normal(rng: Any, mean: float, deviation: float, size: int) -> NDArray[np.float64]:
    return np.asarray(rng.normal(mean, deviation, size))
