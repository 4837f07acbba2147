"""The codings by name."""

from __future__ import annotations

import inspect
from typing import Any

from biosnn.coding.base import Coding
from biosnn.coding.change import Delta
from biosnn.coding.latency import TTFS, MembraneTTFS, RankOrder
from biosnn.coding.pattern import Burst, Phase
from biosnn.coding.population import Population
from biosnn.coding.rate import Bernoulli, Poisson, Regular
from biosnn.errors import CodingError, NotFoundError, unknown

CODINGS: dict[str, type[Coding]] = {
    "bernoulli": Bernoulli,
    "poisson": Poisson,
    "regular": Regular,
    "ttfs": TTFS,
    "ttfs_membrane": MembraneTTFS,
    "rank_order": RankOrder,
    "phase": Phase,
    "burst": Burst,
    "population": Population,
    "delta": Delta,
}
"""Every coding there is. One of your own joins them by ``CODINGS["mine"] = Mine``."""


def coding(name: str, **parameters: Any) -> Coding:
    """Make a coding by its name.

    Parameters
    ----------
    name : str
        One of `CODINGS`.
    **parameters
        What differs from its defaults.

    Returns
    -------
    Coding

    Raises
    ------
    NotFoundError
        If there is no coding of that name. The message lists those that are there.
    CodingError
        If it has no such parameter, or a value does not fit.
    QuantityError
        If a parameter has the wrong dimension.
    """
    if name not in CODINGS:
        raise NotFoundError(unknown("coding", name, CODINGS))
    known = inspect.signature(CODINGS[name]).parameters
    for parameter in parameters:
        if parameter not in known:
            raise CodingError(unknown(f"parameter of the coding {name}", parameter, known))
    return CODINGS[name](**parameters)


def meanings() -> dict[str, str]:
    """Say of each coding, by its name, what it does: the first line of its docstring."""
    return {name: (inspect.getdoc(coding_class) or "").partition("\n")[0] for name, coding_class in CODINGS.items()}
