"""Activity on its way through many layers: where it dies out, and the information that is left.

Random networks of integrate-and-fire neurons, chains of cortical neurons under volleys and under rates, and layers that
take images in different codes.
"""

from biosnn.propagation.chain import Chain, CorticalChains
from biosnn.propagation.coded_layers import CodedLayers, Depth, run_depth
from biosnn.propagation.cortical_chains import ChainResult, run_chains
from biosnn.propagation.random_networks import RandomNetworks, RandomResult, run_random

__all__ = [
    "Chain",
    "ChainResult",
    "CodedLayers",
    "CorticalChains",
    "Depth",
    "RandomNetworks",
    "RandomResult",
    "run_chains",
    "run_depth",
    "run_random",
]
