"""Connectivity whose indices are implied by a rule."""

from biosnn.projection.convolution import Conv2D, Pool2D, Shortcut
from biosnn.projection.kinds import Dense, Fit, Kind, Lateral, OneToOne
from biosnn.projection.projection import Projection
from biosnn.projection.sparse import Sparse

__all__ = ["Conv2D", "Dense", "Fit", "Kind", "Lateral", "OneToOne", "Pool2D", "Projection", "Shortcut", "Sparse"]
