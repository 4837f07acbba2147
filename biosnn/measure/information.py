"""The information (bits) that a decoded value has on the value that was encoded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from biosnn.measure.layers import mutual_information

Floats = NDArray[np.float64]
BINS = 16


def information(values: Floats, decoded: Floats, bins: int = BINS) -> float:
    """Estimate the information (bits) that a decoded value has on a value.

    Values are divided into bins with as many of them each, for evenly drawn values bins of equal width, and so are
    decoded values, equal ones of which lie in the same bin. The mutual information of the table is corrected by the
    bias of each of its entropies, (cells that are not empty minus 1)/(2 N ln 2): Miller 1955, and Panzeri et al. 2007,
    doi:10.1152/jn.00559.2007. It is limited to the entropy of the values' bins. Nothing that is worked out from spikes
    tells more than the spikes: it is a lower bound.

    Parameters
    ----------
    values, decoded : ndarray, shape (neurons,)
    bins : int
        Of each.

    Returns
    -------
    float
        Bits, from 0 to log2(bins).
    """
    row = np.argsort(np.argsort(values)) * bins // len(values)
    edges = np.unique(np.quantile(decoded, np.linspace(0, 1, bins + 1)[1:-1]))
    column = np.searchsorted(edges, decoded, side="right")
    table = np.zeros((bins, len(edges) + 1))
    np.add.at(table, (row, column), 1)
    return mutual_information(table)
