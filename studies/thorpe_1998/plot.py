"""Figures of the study thorpe_1998, from a saved result only."""

import numpy as np

from biosnn.report import Figure, new_figure
from biosnn.study import SavedResult

BLUE, RED, BLACK = "#0072b2", "#d55e00", "#000000"
SHOWN = (0.002, 0.005, 0.01, 0.05, 0.2)


def plot(result: SavedResult) -> list[Figure]:
    return [_pictures(result), _quality(result)]


def _pictures(result: SavedResult) -> Figure:
    """Beside the figure of VanRullen & Thorpe: the picture as more and more cells fire."""
    figure, axes = new_figure(1, len(SHOWN) + 1, width=9, height=1.9)
    fractions = np.asarray(result.arrays["fraction"])
    original = np.asarray(result.arrays["original"])
    pictures = [result.arrays["pictures"][int(np.argmin(np.abs(fractions - one)))] for one in SHOWN]
    titles = [f"{100 * one:g} % fired" for one in SHOWN]
    for one, picture, title in zip(axes, [*pictures, original], [*titles, "original"], strict=True):
        low, high = np.percentile(picture, [0.5, 99.5])
        one.imshow(picture, cmap="gray", vmin=low, vmax=high)
        one.set_title(title, fontsize=9)
        one.axis("off")
    caption = (
        "A picture of dead leaves read back from the order of first spikes, when more and more of the ganglion cells "
        "have fired, and the original at the right. Grey values are scaled in each."
    )
    return Figure("pictures", figure, caption)


def _quality(result: SavedResult) -> Figure:
    figure, (left, right) = new_figure(1, 2, width=8.4, height=3.6)
    percent = 100 * np.asarray(result.arrays["fraction"])
    for name, colour, marker, label in (
        ("contrasts", BLACK, "s", "their contrasts"),
        ("order", BLUE, "o", "their order, and the table"),
        ("random order", RED, "^", "control: random order"),
    ):
        each = np.asarray(result.arrays[name])
        left.fill_between(percent, each.min(axis=0), each.max(axis=0), color=colour, alpha=0.15, lw=0)
        left.plot(percent, each.mean(axis=0), marker=marker, ms=4, lw=1.2, color=colour, label=label)
    left.set(
        xscale="log", xlabel="cells that have fired (%)", ylabel="correlation with the picture", ylim=(-0.05, 1.02)
    )
    left.set_xticks([0.1, 1, 10], ["0.1", "1", "10"])
    left.legend(loc="center left", bbox_to_anchor=(0.3, 0.42), fontsize=8)
    table = np.asarray(result.arrays["table"])
    right.loglog(100 * np.arange(1, len(table) + 1) / (2 * len(table)), table, color=BLUE)
    right.set(xlabel="place in the order (% of cells)", ylabel="contrast (of the strongest)", ylim=(1e-3, 1.2))
    right.set_xticks([0.1, 1, 10], ["0.1", "1", "10"])
    right.set_title("look-up table", fontsize=9)
    caption = (
        "Left: how the picture that is read correlates with the original, against the share of cells that have fired: "
        "from the order of spikes, from the contrasts of the same cells, and from a random order; bands: all pictures. "
        "Right: the contrast that the look-up table has for each place in the order."
    )
    return Figure("quality", figure, caption)
