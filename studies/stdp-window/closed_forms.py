"""What each rule of the catalogue must do to a weight, as sums over the pairs and triplets of two spike trains.

No trace is integrated here and nothing is taken from the model files but their parameters: each formula is that of the
rule's paper. A presynaptic spike counts as before a postsynaptic one in the same time step.
"""

from collections.abc import Callable, Mapping

import numpy as np

Train = np.ndarray
Parameters = Mapping[str, float]
Trace = Callable[[np.ndarray, float], float]
Step = Callable[[str, float, Train, Train, Parameters, float], float]


def _sum(intervals: np.ndarray, tau: float) -> float:
    return float(np.exp(-intervals / tau).sum())


def _nearest(intervals: np.ndarray, tau: float) -> float:
    return float(np.exp(-intervals.min() / tau)) if len(intervals) else 0.0


def _since_pre(t: float, pre: Train) -> np.ndarray:
    """Intervals from each presynaptic spike up to a postsynaptic spike at t."""
    return t - pre[pre <= t]


def _since(t: float, train: Train) -> np.ndarray:
    """Intervals from each earlier spike of a train."""
    return t - train[train < t]


def _pair(side: str, t: float, pre: Train, post: Train, p: Parameters, w: float) -> float:  # noqa: ARG001
    if side == "pre":
        return -p["A_minus"] * _sum(_since(t, post), p["tau_minus"])
    return p["A_plus"] * _sum(_since_pre(t, pre), p["tau_plus"])


def _pair_nearest(side: str, t: float, pre: Train, post: Train, p: Parameters, w: float) -> float:  # noqa: ARG001
    if side == "pre":
        return -p["A_minus"] * _nearest(_since(t, post), p["tau_minus"])
    return p["A_plus"] * _nearest(_since_pre(t, pre), p["tau_plus"])


def _pair_reduced(side: str, t: float, pre: Train, post: Train, p: Parameters, w: float) -> float:
    """Only spikes that follow each other immediately: no third spike may have used the earlier one up."""
    if side == "pre":
        partner = post[post < t].max(initial=-np.inf)
        used = np.any((pre > partner) & (pre < t))
    else:
        partner = pre[pre <= t].max(initial=-np.inf)
        used = np.any((post >= partner) & (post < t))
    return 0.0 if used else _pair_nearest(side, t, pre, post, p, w)


def _pair_multiplicative(side: str, t: float, pre: Train, post: Train, p: Parameters, w: float) -> float:
    return _pair(side, t, pre, post, p, w) * (w if side == "pre" else p["w_max"] - w)


def _pair_power(side: str, t: float, pre: Train, post: Train, p: Parameters, w: float) -> float:
    share = w / p["w_max"]
    if side == "pre":
        step = -p["alpha"] * share ** p["mu"] * _sum(_since(t, post), p["tau_minus"])
    else:
        step = (1 - share) ** p["mu"] * _sum(_since_pre(t, pre), p["tau_plus"])
    return float(p["lambda_w"] * p["w_max"] * step)


def _triplet(side: str, t: float, pre: Train, post: Train, p: Parameters, trace: Trace) -> float:
    if side == "pre":
        triplet = p.get("A3_minus", 0.0) * trace(_since(t, pre), p["tau_x"]) if "tau_x" in p else 0.0
        return -trace(_since(t, post), p["tau_minus"]) * (p["A2_minus"] + triplet)
    triplet = p["A3_plus"] * trace(_since(t, post), p["tau_y"])
    return trace(_since_pre(t, pre), p["tau_plus"]) * (p["A2_plus"] + triplet)


def _triplet_all(side: str, t: float, pre: Train, post: Train, p: Parameters, w: float) -> float:  # noqa: ARG001
    return _triplet(side, t, pre, post, p, _sum)


def _triplet_nearest(side: str, t: float, pre: Train, post: Train, p: Parameters, w: float) -> float:  # noqa: ARG001
    return _triplet(side, t, pre, post, p, _nearest)


def _diehl_cook(side: str, t: float, pre: Train, post: Train, p: Parameters, w: float) -> float:  # noqa: ARG001
    if side == "pre":
        return -p["eta_minus"] * _nearest(_since(t, post), p["tau_y"])
    return p["eta_plus"] * _nearest(_since_pre(t, pre), p["tau_x"]) * _nearest(_since(t, post), p["tau_z"])


def _istdp(side: str, t: float, pre: Train, post: Train, p: Parameters, w: float) -> float:  # noqa: ARG001
    if side == "pre":
        return p["eta"] * (_sum(_since(t, post), p["tau"]) - 2 * p["rho_0"] * p["tau"])
    return p["eta"] * _sum(_since_pre(t, pre), p["tau"])


RULES: dict[str, Step] = {
    "stdp_pair": _pair,
    "stdp_pair_nearest": _pair_nearest,
    "stdp_pair_reduced": _pair_reduced,
    "stdp_pair_multiplicative": _pair_multiplicative,
    "stdp_pair_power": _pair_power,
    "stdp_triplet": _triplet_all,
    "stdp_triplet_full": _triplet_all,
    "stdp_triplet_full_nearest": _triplet_nearest,
    "stdp_diehl_cook": _diehl_cook,
    "istdp": _istdp,
    "rstdp": _pair,
}
"""Rule -> the change at one spike. For ``rstdp`` it is the eligibility that changes, and it has no bounds."""


def change(rule: str, p: Parameters, pre: Train, post: Train, start: float) -> float:
    """Change of weight (or eligibility) by two spike trains.

    Parameters
    ----------
    rule : str
        A key of `RULES`.
    p : mapping of str to float
        The rule's parameters in SI units.
    pre, post : ndarray
        Spike times in seconds.
    start : float
        The weight before.

    Returns
    -------
    float
        The weight after, less the weight before.
    """
    w = start
    for t, side in sorted([*((t, 0) for t in pre), *((t, 1) for t in post)]):
        w += RULES[rule]("post" if side else "pre", t, pre, post, p, w)
        if rule != "rstdp":
            w = min(max(w, 0.0), p["w_max"])
    return w - start
