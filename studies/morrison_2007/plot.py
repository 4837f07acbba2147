"""Figures of the study morrison_2007, from a saved result only."""

import numpy as np

from biosnn.report import Figure, new_figure
from biosnn.study import SavedResult


def plot(result: SavedResult) -> list[Figure]:
    figure, (left, right) = new_figure(1, 2, width=8, height=3.4)
    rest, alpha, mu = result.values["equilibrium"], float(result.settings["alpha"]), float(result.settings["mu"])
    w = np.geomspace(rest / 40, rest * 40, 200)
    left.loglog(w, w**mu, color="#0072b2", label=f"potentiation, μ = {mu:g}")
    left.loglog(w, w, ":", color="#0072b2", label="potentiation, μ = 1 (control)")
    left.loglog(w, alpha * w, color="#d55e00", label="depression")
    left.axvline(rest, color="black", lw=0.8)
    left.set(xlabel="weight (pA)", ylabel="change per pair / λ (pA)", title="the two sides of the rule")
    left.legend(loc="upper left", fontsize=8.5)
    edges = np.geomspace(rest / 40, rest * 40, 70)
    right.hist(result.arrays["start"], edges, color="0.75", label="first")
    right.hist(result.arrays["weights"][0], edges, color="#0072b2", label=f"last, μ = {mu:g}")
    right.axvline(rest, color="black", lw=0.8)
    right.set(xscale="log", xlabel="weight (pA)", ylabel="synapses", title="weights")
    right.legend(loc="upper right", fontsize=8.5)
    beyond = result.values["control, median over equilibrium"]
    caption = (
        "Left: potentiation and depression against the weight; they balance where the lines cross, which for mu = 1 "
        "(the control) they never do. Right: weights at the beginning and at the end; those of the control are at "
        f"{beyond:.2g} times the equilibrium, outside the figure."
    )
    return [Figure("weights", figure, caption)]
