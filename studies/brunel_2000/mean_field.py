"""The rate at which the network's mean-field theory is consistent with itself."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

from biosnn.theory import siegert_rate

from . import numbers as n


def drive(rate: float, g: float, eta: float) -> tuple[float, float]:
    """Mean and noise (mV) of the input of neurons that all fire at a rate (Hz): equations 4 and 5 of the paper."""
    seconds, relative = n.TAU_M / 1000, n.INDEGREES["I"] / n.INDEGREES["E"]
    outside, each = n.external_rate(eta), n.INDEGREES["E"] * n.J * seconds
    mu = each * (outside + rate * (1 - g * relative))
    variance = each * n.J * (outside + rate * (1 + g**2 * relative))
    return mu, float(np.sqrt(variance))


def fixed_point(g: float, eta: float) -> float:
    """The highest rate (Hz) that neurons have if their input comes from neurons of this rate: equation 21."""

    def excess(rate: float) -> float:
        mu, sigma = drive(rate, g, eta)
        given = {"tau_m": n.TAU_M / 1000, "v_th": n.THETA, "v_reset": n.V_RESET, "t_ref": n.T_REF / 1000}
        return float(siegert_rate(mu, sigma, **given)) - rate

    grid = np.concatenate([[0.0], np.geomspace(0.1, 1000 / n.T_REF, 60)])
    signs = np.sign([excess(rate) for rate in grid])
    last = int(np.flatnonzero(np.diff(signs))[-1])
    return float(brentq(excess, grid[last], grid[last + 1], xtol=1e-6))
