"""Figures of the study song_2000, from a saved result only."""

import numpy as np
from brian2 import Hz

from biosnn.report import Figure, graded, new_figure
from biosnn.study import SavedResult


def plot(result: SavedResult) -> list[Figure]:
    rate_in = np.asarray(result.arrays["rate in"] / Hz)
    out = np.asarray(result.arrays["rate out"] / Hz)
    weights = result.arrays["weights"]
    n = len(rate_in) - 2
    figure, (left, middle, right) = new_figure(1, 3, width=9.6, height=3.4)
    edges = np.linspace(0, 1, 26)
    shown = sorted({0, n // 2, n - 1})
    for k, colour in zip(shown, graded(len(shown)), strict=True):
        share = np.histogram(weights[k], edges)[0] / weights.shape[1]
        left.stairs(share, edges, color=colour, lw=1.5, label=f"{rate_in[k]:g} Hz in")
    left.set(xlabel="weight / bound", ylabel="share of synapses", title="A₋ above A₊")
    left.legend(loc="upper center")
    for k, line in ((n, "-"), (n + 1, ":")):
        share = np.histogram(weights[k], edges)[0] / weights.shape[1]
        middle.stairs(share, edges, color="#d55e00", lw=1.5, ls=line, label=f"{rate_in[k]:g} Hz in")
    middle.set(xlabel="weight / bound", title="A₋ below A₊ (control)", ylim=(0, 1))
    middle.legend(loc="upper center")
    right.errorbar(rate_in[:n], out[:n].mean(axis=1), out[:n].std(axis=1), marker="o", capsize=3, label="A₋ above A₊")
    right.errorbar(
        *(rate_in[n:], out[n:].mean(axis=1), out[n:].std(axis=1)), marker="s", ls="--", color="#d55e00", label="control"
    )
    right.set(xlabel="input rate (Hz)", ylabel="output rate (Hz)", xlim=(0, None), yscale="log")
    right.legend(loc="upper left")
    caption = (
        "Weights at the end, with depression above potentiation (left) and below (middle, the control), and the output "
        "rate against the input rate (right; bars: standard deviation over seeds)."
    )
    return [Figure("weights", figure, caption)]
