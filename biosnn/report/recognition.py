"""The figure of which rules recognise which answers, for studies of firing patterns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.colors import ListedColormap
from numpy.typing import ArrayLike

from biosnn.report.figures import COLOURS, Figure, new_figure

_TWO_COLOURS = ListedColormap(["#f0f0f0", COLOURS[0]])


def recognition_figure(
    patterns: Sequence[str],
    table: ArrayLike,
    shown: ArrayLike | None = None,
    *,
    answer: str = "answer",
    drive: str = "current",
    size: tuple[float, float, float] = (4.6, 3.0, 4.0),
    fontsize: float = 8,
) -> Figure:
    """Draw which rules accept which answers, and beside it, as a control, which cells show a pattern given its drive.

    Parameters
    ----------
    patterns : sequence of str
        Names of patterns, cells and rules.
    table : array_like of bool, shape (answers, rules)
    shown : array_like of bool, shape (patterns, cells), optional
        The control.
    answer, drive : str
        What the field calls them.
    size : tuple of float
        Width of the left half, width that the right one adds, and height, in inches.
    fontsize : float
        Of the names.
    """
    names = [str(name).replace("_", " ") for name in patterns]
    width, more, height = size
    both = shown is not None
    figure, axes = new_figure(1, 1 + both, width=width + more * both, height=height, squeeze=False)
    _matrix(axes[0, 0], table, names, fontsize)
    axes[0, 0].set(xlabel="rule", ylabel=answer)
    axes[0, 0].set_title(f"which rules accept which {answer}", fontsize=9)
    axes[0, 0].set_yticks(range(len(names)), names, fontsize=fontsize)
    caption = f"Left: rules that accept (blue) or reject each {answer}; they accept their own only."
    if shown is not None:
        _matrix(axes[0, 1], shown, names, fontsize)
        axes[0, 1].set(xlabel="cell", ylabel=f"{drive}, and its rule")
        axes[0, 1].set_title("which cells show a pattern", fontsize=9)
        axes[0, 1].set_yticks([])
        caption += (
            f" Right: the control, in which all cells get every {drive}: "
            f"a row is a {drive} with its rule, a column a cell."
        )
    return Figure("recognition", figure, caption)


def _matrix(axes: Any, table: ArrayLike, names: Sequence[str], fontsize: float) -> None:
    axes.imshow(np.asarray(table, dtype=float), cmap=_TWO_COLOURS, vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=fontsize)
    axes.set_xticks(np.arange(-0.5, len(names)), minor=True)
    axes.set_yticks(np.arange(-0.5, len(names)), minor=True)
    axes.grid(which="minor", color="white", lw=0.8)
    axes.tick_params(length=0, which="both")
