"""The numbers of the published networks, as every side uses them: ms, mV, pF, pA, nS and Hz.

Those of networks that a study has stand there: in the file ``numbers.py`` in its folder. Nothing but NumPy is imported,
since NEST runs in an interpreter of its own.

A network may have fewer neurons than the published one. Then every neuron still gets as many synapses, and as much
background, as in the published network: indegrees and weights are kept, and only the chance that two inputs come from
the same neuron grows.
"""

from __future__ import annotations

import runpy
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

STUDIES = Path(__file__).parents[3] / "studies"


def numbers(study: str) -> Any:
    """What the file ``numbers.py`` of a study says."""
    return SimpleNamespace(**runpy.run_path(str(STUDIES / study / "numbers.py")))


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
_VOGELS_ABBOTT = numbers("vogels_abbott_2005")
VOGELS: dict[str, int] = _VOGELS_ABBOTT.SIZES
CHANCE: float = _VOGELS_ABBOTT.CHANCE
CUBA = Published("CUBA", _VOGELS, VOGELS, 10.0, 0.5, {"E": within(5.5, 0.15), "I": within(5.5, 0.15)})
COBA = Published("COBA", _VOGELS, VOGELS, 10.0, 0.5, {"E": within(19.5, 0.15), "I": within(19.5, 0.15)})
CUBA_WEIGHTS, COBA_WEIGHTS, COBA_START = (
    _VOGELS_ABBOTT.CUBA_WEIGHTS,
    _VOGELS_ABBOTT.COBA_WEIGHTS,
    _VOGELS_ABBOTT.COBA_START,
)

# ---- Brunel 2000 ------------------------------------------------------------------------------------------------

_BRUNEL = numbers("brunel_2000")
BRUNEL = Published(
    "Brunel",
    "Brunel 2000, doi:10.1023/A:1008925309027, figure 8C",
    _BRUNEL.SIZES,
    1.0,
    0.2,
    {"E": within(37.7, 0.1), "I": within(37.7, 0.1)},
)
INDEGREES: dict[str, int] = _BRUNEL.INDEGREES
J, BRUNEL_DELAY = _BRUNEL.J, _BRUNEL.DELAY  # mV, ms
G, ETA = _BRUNEL.REGIMES["C"]
TAU_M, THETA, V_RESET, T_REF = _BRUNEL.TAU_M, _BRUNEL.THETA, _BRUNEL.V_RESET, _BRUNEL.T_REF
EXTERNAL_RATE = _BRUNEL.external_rate(ETA)  # Hz, of each of as many sources as synapses from E
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

_POTJANS = numbers("potjans_diesmann_2014")
MICROCIRCUIT = Published(
    "microcircuit",
    "Potjans & Diesmann 2014, doi:10.1093/cercor/bhs358; rates: INM-6/microcircuit-PD14-model, network_params.py",
    _POTJANS.SIZES,
    1.0,
    0.2,
    {name: within(rate, 0.1) for name, rate in _POTJANS.RATES.items()},
)
WEIGHT, WEIGHT_SD, INHIBITION, DELAYS = _POTJANS.WEIGHT, _POTJANS.WEIGHT_SD, _POTJANS.INHIBITION, _POTJANS.DELAYS
BACKGROUND, BACKGROUND_RATE, STARTS = _POTJANS.BACKGROUND, _POTJANS.BACKGROUND_RATE, _POTJANS.STARTS


@dataclass(frozen=True)
class Bundle:
    """All synapses from one population of the microcircuit to another."""

    source: str
    target: str
    synapses: int
    weight: float
    delay: tuple[float, float]


def bundles(scale: float = 1.0) -> list[Bundle]:
    """The microcircuit's synapses; with fewer neurons each of them keeps those that it has in the whole circuit."""
    found, names = [], list(_POTJANS.NAMES)
    for target, row in zip(names, _POTJANS.synapse_numbers(scale).tolist(), strict=True):
        for source, number in zip(names, row, strict=True):
            if number:
                doubled = 2.0 if (source, target) == _POTJANS.DOUBLED else 1.0
                weight = WEIGHT * (1.0 if source.endswith("E") else INHIBITION) * doubled
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
