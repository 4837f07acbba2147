"""Figures of the study izhikevich_2007, from a saved result only."""

import numpy as np
from brian2 import mV, second

from biosnn.report import Figure, new_figure
from biosnn.study import SavedResult

CHOSEN = ("#0072b2", "#56b4e9", "#009e73")
CONTROL = "#d55e00"


def plot(result: SavedResult) -> list[Figure]:
    figure, (left, right) = new_figure(1, 2, width=9, height=3.6, width_ratios=[1.6, 1])
    time = np.asarray(result.arrays["time"] / second)
    for k, course in enumerate(np.asarray(result.arrays["chosen"] / mV)):
        left.plot(time, course, color=CHOSEN[k % len(CHOSEN)], lw=1.5, label=f"chosen synapse {k + 1}")
    rewards = np.asarray(result.arrays["reward times"] / second)
    left.plot(rewards, np.full(len(rewards), -0.15), "|", ms=5, mew=0.7, color=CHOSEN[0])
    if "control" in result.arrays:
        label = "synapse 1, rewards at random (control)"
        left.plot(time, result.arrays["control"] / mV, "--", color=CONTROL, lw=1.5, label=label)
        given = np.asarray(result.arrays["control reward times"] / second)
        left.plot(given, np.full(len(given), -0.35), "|", ms=5, mew=0.7, color=CONTROL)
    left.set(xlabel="time (s)", ylabel="weight of the chosen synapse (mV)", xlim=(0, time[-1]), ylim=(-0.5, 4.2))
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper left", ncols=4, fontsize=8.5)
    edges = np.linspace(0, 4, 81)
    for name, colour, line, label in (
        ("others", "#000000", "-", "all other synapses"),
        ("control others", CONTROL, ":", "the same, control"),
    ):
        if name in result.arrays:
            weights = np.asarray(result.arrays[name] / mV)
            right.stairs(
                100 * np.histogram(weights, edges)[0] / len(weights), edges, color=colour, ls=line, label=label
            )
    ends = np.asarray(result.arrays["chosen at the end"] / mV)
    right.plot(ends, np.full(len(ends), 0.003), "v", color=CHOSEN[0], ms=8, clip_on=False, label="chosen synapses")
    right.set(xlabel="weight (mV)", ylabel="synapses (%)", yscale="log", xlim=(0, 4), ylim=(0.001, 100))
    right.legend(loc="upper center", fontsize=8.5)
    caption = (
        "Left: the weight of the chosen synapses, as in figure 1d of the paper; below, the times of the first one's "
        "rewards; with rewards at random (control) it does not grow. Right: all weights at the end."
    )
    return [Figure("reward", figure, caption)]
