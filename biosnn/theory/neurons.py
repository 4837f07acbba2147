"""Firing rates of integrate-and-fire neurons and the STDP window, in closed form.

Every function takes quantities of any consistent units (or plain numbers throughout) and returns the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.integrate import quad
from scipy.special import erfcx

OVERSHOOT = 0.5825971579390106
"""-zeta(1/2)/sqrt(2 pi): by how many standard deviations of one step a discretely watched random walk has, on average,
run past a barrier when it is first seen beyond it (Broadie, Glasserman & Kou 1997, doi:10.1111/1467-9965.00035)."""


def lif_rate(mu: Any, *, tau_m: Any, v_th: Any, v_reset: Any, t_ref: Any) -> Any:
    """Firing rate of a leaky integrate-and-fire neuron at a constant drive.

    Parameters
    ----------
    mu : Quantity
        The steady-state potential of the membrane without a threshold (v_rest + R I), any shape.
    tau_m, v_th, v_reset, t_ref : Quantity
        Membrane time constant, threshold, reset and refractory period.

    Returns
    -------
    Quantity
        The rate, in the shape of ``mu``; zero where ``mu`` does not exceed the threshold.

    Notes
    -----
    f = 1/(t_ref + tau_m ln((mu - v_reset)/(mu - v_th))): Gerstner et al. 2014, Neuronal Dynamics, section 1.3,
    doi:10.1017/CBO9781107447615.
    """
    fires = np.asarray(mu - v_th) > 0
    # Any value above the threshold keeps the logarithm quiet where the neuron does not fire.
    safe = np.where(fires, np.asarray(mu), np.asarray(v_th + (v_th - v_reset)))
    rise = np.log((safe - np.asarray(v_reset)) / (safe - np.asarray(v_th)))
    return fires / (t_ref + tau_m * rise)


def siegert_rate(mu: Any, sigma: Any, *, tau_m: Any, v_th: Any, v_reset: Any, t_ref: Any) -> Any:
    """Firing rate of a leaky integrate-and-fire neuron in Gaussian white noise.

    Parameters
    ----------
    mu, sigma : Quantity
        Mean drive and strength of the noise, any shapes that go together:
        tau_m dv = (mu - v) dt + sigma sqrt(tau_m) dW, so that the membrane without a threshold has variance sigma**2/2.
    tau_m, v_th, v_reset, t_ref : Quantity
        Membrane time constant, threshold, reset and refractory period.

    Returns
    -------
    Quantity
        The rate, in the common shape of ``mu`` and ``sigma``.

    Notes
    -----
    1/r = t_ref + tau_m sqrt(pi) times the integral of exp(u**2)(1 + erf(u)) from (v_reset - mu)/sigma to
    (v_th - mu)/sigma: Siegert 1951, doi:10.1103/PhysRev.81.617; Brunel 2000, eq. 21, doi:10.1023/A:1008925309027.
    The integrand is erfcx(-u), which does not overflow before the rate is zero for all practical purposes.
    """
    lower, upper = np.asarray((v_reset - mu) / sigma), np.asarray((v_th - mu) / sigma)
    integral = np.vectorize(_siegert_integral, otypes=[float])(lower, upper)
    return 1 / (t_ref + tau_m * (np.sqrt(np.pi) * integral[()]))


def _siegert_integral(lower: float, upper: float) -> float:
    if upper > 25:
        return float("inf")
    return float(quad(lambda u: erfcx(-u), lower, upper, epsabs=0, epsrel=1e-11, limit=200)[0])


def siegert_rate_discrete(mu: Any, sigma: Any, *, dt: Any, tau_m: Any, v_th: Any, v_reset: Any, t_ref: Any) -> Any:
    """Predict the rate that the Euler-Maruyama method with time step ``dt`` finds for a neuron in white noise.

    Parameters
    ----------
    dt : Quantity
        The time step, less than ``tau_m``.
    mu, sigma, tau_m, v_th, v_reset, t_ref : Quantity
        As in `siegert_rate`; ``t_ref`` is the time for which the simulation holds the membrane.

    Returns
    -------
    Quantity
        The rate. Its error falls with the square root of the step.

    Notes
    -----
    Between spikes the method gives exact samples of a membrane with the time constant -dt/ln(1 - dt/tau_m) and the
    variance sigma**2/(2 - dt/tau_m). It looks at the membrane once per step and misses crossings in between, which acts
    like a threshold that is higher by `OVERSHOOT` standard deviations of one step's noise.
    """
    share = np.asarray(dt / tau_m)
    return siegert_rate(
        mu,
        sigma / np.sqrt(1 - share / 2),
        tau_m=-dt / np.log1p(-share),
        v_th=v_th + OVERSHOOT * sigma * np.sqrt(share),
        v_reset=v_reset,
        t_ref=t_ref,
    )


def stdp_window(delta: Any, *, A_plus: Any, A_minus: Any, tau_plus: Any, tau_minus: Any) -> Any:
    """Change of weight by one pair of spikes: the window of pair STDP.

    Parameters
    ----------
    delta : Quantity
        t_post - t_pre, any shape. Zero counts as pre before post.
    A_plus, A_minus : float
        Amplitudes of potentiation and depression, both positive.
    tau_plus, tau_minus : Quantity
        Their time constants.

    Returns
    -------
    ndarray
        The change of weight, in the shape of ``delta``.

    Notes
    -----
    Song, Miller & Abbott 2000, eq. 1, doi:10.1038/78829.
    """
    after = np.asarray(delta / tau_plus)
    before = np.asarray(delta / tau_minus)
    return np.where(after >= 0, A_plus * np.exp(-np.maximum(after, 0)), -A_minus * np.exp(np.minimum(before, 0)))
