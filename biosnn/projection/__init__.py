"""Connectivity whose indices are implied by a rule."""

from biosnn.projection.kinds import Dense, Fit, Kind, Lateral, OneToOne
from biosnn.projection.projection import Projection

__all__ = ["Dense", "Fit", "Kind", "Lateral", "OneToOne", "Projection"]
