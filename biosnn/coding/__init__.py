"""Values into spikes and back: ten codings, each with the bound of its error after any time, and what disturbs them."""

from biosnn.coding.base import Coding
from biosnn.coding.change import Delta
from biosnn.coding.fitted_decoder import fitted_values
from biosnn.coding.latency import TTFS, MembraneTTFS, RankOrder
from biosnn.coding.noise import delete, jitter, noisy
from biosnn.coding.own import Function, find_codings, read_codings
from biosnn.coding.pattern import Burst, Phase
from biosnn.coding.population import Population
from biosnn.coding.rate import Bernoulli, Poisson, Regular
from biosnn.coding.registry import CODINGS, coding, meanings
from biosnn.coding.spikes import Spikes

__all__ = [
    "CODINGS",
    "TTFS",
    "Bernoulli",
    "Burst",
    "Coding",
    "Delta",
    "Function",
    "MembraneTTFS",
    "Phase",
    "Poisson",
    "Population",
    "RankOrder",
    "Regular",
    "Spikes",
    "coding",
    "delete",
    "find_codings",
    "fitted_values",
    "jitter",
    "meanings",
    "noisy",
    "read_codings",
]
