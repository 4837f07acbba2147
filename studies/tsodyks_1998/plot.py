"""Figures of the study tsodyks_1998, from a saved result only."""

from brian2 import ms, mV

from biosnn.report import Figure, new_figure
from biosnn.study import SavedResult

TITLES = {"depressing": "A   depressing", "facilitating": "B   facilitating"}


def plot(result: SavedResult) -> list[Figure]:
    figure, both = new_figure(1, 2, width=8.6, height=3.4)
    t = result.arrays["time"] / ms
    for axes, (case, title) in zip(both, TITLES.items(), strict=True):
        axes.plot(t, result.arrays[f"{case}, no recovery"] / mV, color="#d55e00", lw=1.1, label="no recovery (control)")
        axes.plot(t, result.arrays[case] / mV, color="#0072b2", lw=1.3, label="biosnn")
        at, nest = result.arrays["time of NEST"] / ms, result.arrays[f"NEST, {case}"] / mV
        axes.plot(at, nest, "o", ms=4, mfc="none", color="black", label="NEST")
        axes.set(xlabel="time (ms)", title=title, xlim=(0, 1200), ylim=(0, None))
    both[0].set_ylabel("membrane potential (mV)")
    handles, labels = both[0].get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="outside lower center", ncols=3, fontsize=9)
    caption = (
        "Membrane potential during twenty spikes at 20 Hz through a depressing and a facilitating synapse, as in "
        "figure 1 of the paper; circles: the values of NEST's test. Without recovery (the control) responses die out."
    )
    return [Figure("membrane-potential", figure, caption)]
