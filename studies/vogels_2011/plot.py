"""Figures of the study vogels_2011, from a saved result only."""

import numpy as np
from brian2 import Hz, ms, nS, second

from biosnn.report import Figure, graded, new_figure
from biosnn.study import SavedResult

EXC, INH, CONTROL = "#0072b2", "#d55e00", "#000000"
TARGETS = ("#56b4e9", "#009e73", "#cc79a7", "#e69f00")


def plot(result: SavedResult) -> list[Figure]:
    figures = []
    if "cell targets" in result.arrays:
        figures.append(_cell(result))
    if "network rates" in result.arrays:
        figures.append(_network(result))
    return figures


def _cell(result: SavedResult) -> Figure:
    figure, (left, middle, right) = new_figure(1, 3, width=10, height=3.4)
    channel = np.arange(len(result.arrays["cell excitation"])) + 1
    excitation = np.asarray(result.arrays["cell excitation"] / nS)
    inhibition = np.asarray(result.arrays["cell inhibition, fluctuating inputs"] / nS)
    before = np.asarray(result.arrays["cell inhibition, without learning"] / nS)
    left.plot(channel, excitation, "o-", color=EXC, label="excitation")
    left.plot(channel, inhibition, "s-", color=INH, label="inhibition, learned")
    left.plot(channel, before, "s:", color=CONTROL, mfc="none", label="inhibition, control")
    left.set(xlabel="channel", ylabel="conductance of a synapse (nS)", xticks=channel, title="tuning")
    left.set_ylim(0, 1.25 * max(excitation.max(), inhibition.max(), 1e-6))
    course = np.asarray(result.arrays["cell weights course"] / nS)
    time = np.asarray(result.arrays["cell weights time"] / second)
    for k, one in enumerate(course):
        best = k == int(np.argmax(excitation))
        middle.plot(time, one, color=INH if best else "0.6", lw=1.8 if best else 0.9)
    middle.set(xlabel="time (s)", ylabel="inhibitory conductance (nS)", title="learning, by channel", xlim=(0, None))
    middle.set_ylim(0, None)
    time = np.asarray(result.arrays["cell time"] / second)
    targets = np.asarray(result.arrays["cell targets"] / Hz)
    for target, colour in zip(targets, graded(len(targets)), strict=True):
        rates = result.arrays[f"cell course, target {target:g} Hz"] / Hz
        right.plot(time, rates, color=colour, lw=1.2, label=f"target {target:g} Hz")
        right.axhline(target, color=colour, lw=0.8, ls="--")
    right.plot(time, result.arrays["cell course, without learning"] / Hz, ":", color=CONTROL, label="control")
    right.set(xlabel="time (s)", ylabel="firing rate (Hz)", yscale="log", ylim=(1, 300), xlim=(0, None), title="rate")
    left.legend(fontsize=8, loc="upper left")
    right.legend(fontsize=8, ncols=2, loc="upper center")
    caption = (
        "Left: conductances of the eight channels; learned inhibition has the shape of excitation. Middle: the mean "
        "inhibitory conductance of each channel while it learns, that of the preferred one in colour. Right: the "
        "firing rate goes to the target rate of the rule (dashed); without learning (control) it stays where it was."
    )
    return Figure("cell", figure, caption)


def _network(result: SavedResult) -> Figure:
    figure, axes = new_figure(1, 3, width=10, height=3.2)
    ends = {"begin": "at first", "end": "after learning"}
    for one, (key, title) in zip(axes, ends.items(), strict=False):
        at = np.asarray(result.arrays[f"network {key} time"] / ms)
        begin = 0.0 if key == "begin" else float(np.floor(at.min() / 10) * 10) if len(at) else 0.0
        one.plot(at - begin, result.arrays[f"network {key} cell"], "|", ms=3, mew=0.8, color=EXC)
        one.set(xlabel="time (ms)", ylabel="neuron", xlim=(0, 200), ylim=(-1, 100), title=title)
    time = np.asarray(result.arrays["network time"] / second)
    axes[2].plot(time, result.arrays["network rates"] / Hz, color=EXC, label="learning")
    control = np.asarray(result.arrays["network control time"] / second)
    axes[2].plot(control, result.arrays["network control rates"] / Hz, color=CONTROL, ls=":", lw=2.5, label="control")
    axes[2].axhline(3, color=TARGETS[1], ls="--", lw=0.9, label="target rate, 3 Hz")
    axes[2].set(xlabel="time (s)", ylabel="excitatory rate (Hz)", yscale="log", ylim=(1, 300), xlim=(0, None))
    axes[2].legend(loc="upper right", fontsize=8)
    caption = (
        "Spikes of 100 excitatory neurons in 200 ms, at first and after learning: from synchronous to irregular "
        "firing. Right: the mean excitatory rate, without learning (control, half a second) and with it."
    )
    return Figure("network", figure, caption)
