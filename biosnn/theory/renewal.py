"""Intervals of a leaky integrate-and-fire neuron in white noise, in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.integrate import quad
from scipy.special import erfcx

from biosnn.theory.neurons import siegert_rate


def siegert_cv(mu: Any, sigma: Any, *, tau_m: Any, v_th: Any, v_reset: Any, t_ref: Any) -> float:
    """The coefficient of variation of the intervals of a leaky integrate-and-fire neuron in Gaussian white noise.

    Parameters
    ----------
    mu, sigma, tau_m, v_th, v_reset, t_ref : Quantity
        As in `siegert_rate`, one value each.

    Returns
    -------
    float

    Notes ----- CV**2 = 2 pi (r tau_m)**2 times the integral over x, from (v_reset - mu)/sigma to (v_th - mu)/sigma,
    of exp(x**2) times the integral of exp(z**2)(1 + erf(z))**2 up to x: Brunel 2000, appendix A.1,
    doi:10.1023/A:1008925309027.
    """
    rate = float(np.asarray(siegert_rate(mu, sigma, tau_m=tau_m, v_th=v_th, v_reset=v_reset, t_ref=t_ref) * tau_m))
    lower, upper = float(np.asarray((v_reset - mu) / sigma)), float(np.asarray((v_th - mu) / sigma))

    def inner(x: float) -> float:
        # exp(x**2 - z**2) keeps the product of both in range; below -8 - |x| nothing is left.
        value, _ = quad(lambda z: np.exp(x**2 - z**2) * erfcx(-z) ** 2, min(x, 0.0) - 8, x, limit=200)
        return float(value)

    value, _ = quad(inner, lower, upper, limit=200)
    return float(np.sqrt(2 * np.pi * rate**2 * value))
