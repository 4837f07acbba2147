"""Figures of the study florian_2007, from a saved result only."""

import numpy as np
from brian2 import Hz

from biosnn.report import Figure, new_figure
from biosnn.study import SavedResult

COLOURS = {"01": "#0072b2", "10": "#56b4e9", "11": "#d55e00"}
MARKS = {"01": "-", "10": "--", "11": "-"}
LABELS = {"mstdpet": "with an eligibility trace (MSTDPET)", "mstdp": "without (MSTDP)"}


def plot(result: SavedResult) -> list[Figure]:
    rules = [rule for rule in LABELS if f"{rule}: rates" in result.arrays]
    return [_learning(result, rules), _networks(result, rules)]


def _learning(result: SavedResult, rules: list[str]) -> Figure:
    shown = [(rule, what) for rule in rules for what in ("", " control") if f"{rule}{what}: rates" in result.arrays]
    columns = max(1, len(shown) // len(rules))
    figure, axes = new_figure(len(rules), columns, width=4.2 * columns, height=2.7 * len(rules), squeeze=False)
    epoch = result.arrays["epoch"]
    end = int(result.arrays["learning epochs"][0])
    for one, (rule, what) in zip(axes.ravel(), shown, strict=False):
        rates = np.asarray(result.arrays[f"{rule}{what}: rates"] / Hz)
        for k, pattern in ((1, "01"), (2, "10"), (3, "11")):
            one.plot(epoch, rates[:, k], MARKS[pattern], color=COLOURS[pattern], lw=1.2, label=f"input {pattern}")
        one.axvspan(end + 0.5, epoch[-1] + 0.5, color="0.9", lw=0)
        one.set_title("reward by chance (control)" if what else LABELS[rule], fontsize=10)
        one.set(xlim=(0, epoch[-1] + 0.5), ylim=(0, None), ylabel="output rate (Hz)")
    for one in axes[-1]:
        one.set_xlabel("epoch")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3, fontsize=9)
    caption = (
        "Firing rate of the output for each pattern, means over networks, as in figure 3 of the paper; at 00 it is "
        "silent. Rewarded while one bit is 1 and punished while both are, the output comes to tell them apart. Shaded: "
        "without reward, with fixed weights. Right: reward and punishment by chance (control)."
    )
    return Figure("learning", figure, caption)


def _networks(result: SavedResult, rules: list[str]) -> Figure:
    figure, axes = new_figure(1, len(rules), width=4 * len(rules), height=3.6, squeeze=False)
    for one, rule in zip(axes[0], rules, strict=True):
        top = 10.0
        for name, colour, mark, label in (
            (rule, "#0072b2", "o", "rewarded"),
            (f"{rule} control", "#d55e00", "s", "by chance (control)"),
        ):
            if f"{name}: each rate" in result.arrays:
                each = np.asarray(result.arrays[f"{name}: each rate"] / Hz)
                one.plot(each[:, 3], each[:, 1:3].min(axis=1), mark, ms=5, mfc="none", color=colour, label=label)
                top = max(top, 1.05 * each.max())
        one.plot([0, top], [0, top], color="0.6", lw=0.8, ls=":")
        one.set(xlabel="rate at 11 (Hz)", xlim=(-2, top), ylim=(-2, top), title=LABELS[rule])
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2, fontsize=9)
    axes[0, 0].set_ylabel("rate at 01 or 10, the lower (Hz)")
    caption = "Each network in the last epoch. Above the dotted line it has learned the exclusive or."
    return Figure("networks", figure, caption)
