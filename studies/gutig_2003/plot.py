"""Figures of the study gutig_2003, from a saved result only."""

import numpy as np

from biosnn.report import Figure, new_figure
from biosnn.study import SavedResult


def plot(result: SavedResult) -> list[Figure]:
    figure, (left, right) = new_figure(1, 2, width=8, height=3.6)
    mu, alpha = np.asarray(result.arrays["mu"])[:-1], float(result.settings["alpha"])
    fine = np.geomspace(0.008, 1.2, 200)
    left.semilogx(fine, 1 / (1 + alpha ** (1 / fine)), color="black", lw=1.2, label="$1/(1 + α^{1/μ})$")
    for name, marker, colour in (("from below", "^", "#0072b2"), ("from above", "v", "#d55e00")):
        left.plot(mu, result.arrays[name][:-1], marker, ms=6, mfc="none", color=colour, label=f"start {name}")
    left.set(xlabel="exponent μ", ylabel="mean weight at the end", ylim=(0, 1), title=f"α = {alpha:g}")
    left.legend(loc="upper left")
    names = [f"{m:g}" for m in mu] + ["0"]
    for k, weights in enumerate(result.arrays["weights"]):
        colour = "#d55e00" if k == len(names) - 1 else "#0072b2"
        quartiles = np.percentile(weights, [5, 50, 95])
        right.plot([k, k], quartiles[[0, 2]], color=colour, lw=5, alpha=0.35, solid_capstyle="butt")
        right.plot(k, quartiles[1], "o", ms=5, color=colour)
        right.plot([k - 0.3, k + 0.3], [result.arrays["equilibrium"][k]] * 2, color="black", lw=1)
    right.set_xticks(range(len(names)), names)
    right.set(xlabel="exponent μ (0: additive, the control)", ylabel="weight", ylim=(-0.03, 1))
    right.set_title("median, 5 to 95 % of the weights")
    caption = (
        "Left: mean weight after STDP between uncorrelated Poisson trains, from two starts, against the exponent of "
        "the weight dependence, beside the closed form. Right: the weights' distribution at each exponent, with the "
        "closed form as black lines; with the additive rule (mu 0, the control) all weights lie at the bound."
    )
    return [Figure("equilibrium", figure, caption)]
