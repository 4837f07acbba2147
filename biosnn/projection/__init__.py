"""Connectivity whose indices are implied by a rule."""

from biosnn.projection.convolution import Conv2D, Pool2D, Shortcut
from biosnn.projection.kinds import Dense, Fit, Kind, Lateral, OneToOne
from biosnn.projection.projection import Projection
from biosnn.projection.random.distance import ByDistance
from biosnn.projection.random.kinds import FixedIndegree, FixedOutdegree, FixedProbability, RandomKind
from biosnn.projection.random.total import FixedTotal
from biosnn.projection.sparse import Sparse

__all__ = [
    "ByDistance",
    "Conv2D",
    "Dense",
    "Fit",
    "FixedIndegree",
    "FixedOutdegree",
    "FixedProbability",
    "FixedTotal",
    "Kind",
    "Lateral",
    "OneToOne",
    "Pool2D",
    "Projection",
    "RandomKind",
    "Shortcut",
    "Sparse",
]
