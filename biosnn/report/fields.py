"""Receptive fields: the input weights of many cells, each laid out like the image, sorted by the class of the cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

from biosnn.report.figures import new_figure

_SHAPE = 1.25  # of the drawing: how much wider than high
MOST = 200
"""Of how many neurons of a layer fields are drawn."""


def mosaic(fields: NDArray[Any], labels: NDArray[np.integer]) -> tuple[NDArray[np.float64], dict[int, float]]:
    """Lay fields side by side, each class in rows of its own.

    Parameters
    ----------
    fields : ndarray, shape (cells, height, width)
        Their weights.
    labels : ndarray of int, shape (cells,)
        The class of each cell; -1 for none.

    Returns
    -------
    image : ndarray
        With NaN between fields and at the ends of rows.
    middles : dict
        For each class, with -1 as the last, the row of the image in the middle of its fields.
    """
    cells, height, width = fields.shape
    columns = max(int(np.sqrt(cells * _SHAPE * (height + 1) / (width + 1))), 1)
    classes = sorted(np.unique(labels).tolist(), key=lambda label: (label < 0, label))
    rows, middles, row = [], {}, 0
    for label in classes:
        members = np.flatnonzero(labels == label)
        # Cells with the strongest single weights first: those that have not specialised come last.
        members = members[np.argsort(-fields[members].max(axis=(1, 2)), kind="stable")]
        chunks = [members[begin : begin + columns] for begin in range(0, len(members), columns)]
        middles[label] = (row + len(chunks) / 2) * (height + 1) - 0.5
        row += len(chunks)
        rows += chunks
    image = np.full((row * (height + 1), columns * (width + 1)), np.nan)
    for number, chunk in enumerate(rows):
        for column, cell in enumerate(chunk):
            top, left = number * (height + 1), column * (width + 1)
            image[top : top + height, left : left + width] = fields[cell]
    return image, middles


def draw_fields(fields: NDArray[Any], labels: NDArray[np.integer]) -> Drawing:
    """Draw the receptive fields of a network; see `mosaic`."""
    image, middles = mosaic(fields, labels)
    width = 7.4
    figure, axis = new_figure(width=width, height=0.4 + 0.85 * width * image.shape[0] / image.shape[1])
    # The largest weights, such as those of narrow strokes, would leave all others dark.
    mappable = axis.imshow(image, cmap="cividis", vmin=0, vmax=float(np.nanpercentile(image, 99)), aspect="equal")
    axis.set_yticks(list(middles.values()), ["none" if label < 0 else str(label) for label in middles])
    axis.set_xticks([])
    axis.tick_params(axis="y", length=0)
    axis.spines[:].set_visible(False)
    axis.set_ylabel("class that the cell answers most")
    figure.colorbar(mappable, ax=axis, shrink=0.6, label="input weight (dimensionless)", extend="max")
    return figure


def draw_layers(layers: Sequence[tuple[str, NDArray[Any]]]) -> Drawing:
    """Draw what the neurons of each layer look for, one row of panels for each layer; at most `MOST` neurons of each.

    Parameters
    ----------
    layers : sequence of tuple
        Of each layer its name and its fields, shape (neurons, rows, columns), positive where a neuron looks for light.
    """
    width = 7.4
    chosen = [fields[np.linspace(0, len(fields) - 1, min(len(fields), MOST)).astype(int)] for _, fields in layers]
    pictures = [_grid(fields) for fields in chosen]
    heights = [width * picture.shape[0] / picture.shape[1] + 0.3 for picture in pictures]
    figure, axes = new_figure(width=width, height=sum(heights), rows=len(layers))
    np.ravel(axes)[0].get_gridspec().set_height_ratios(heights)
    for axis, picture, (name, fields) in zip(np.ravel(axes), pictures, layers, strict=True):
        most = float(np.nanmax(np.abs(picture)))
        axis.imshow(picture, cmap="PuOr_r", vmin=-most, vmax=most, aspect="equal")
        axis.axis("off")
        some = f", {MOST} of {len(fields)}" if len(fields) > MOST else ""
        axis.set_title(f"{name}{some}: {fields.shape[1]}x{fields.shape[2]} pixels", fontsize=9, loc="left")
    return figure


def _grid(fields: NDArray[Any]) -> NDArray[np.float64]:
    """Fields side by side, each scaled to its own largest weight, with a gap between."""
    count, height, width = fields.shape
    columns = min(20, count)
    picture = np.full((-(-count // columns) * (height + 1), columns * (width + 1)), np.nan)
    for number, field in enumerate(fields):
        row, column = divmod(number, columns)
        top, left = row * (height + 1), column * (width + 1)
        picture[top : top + height, left : left + width] = field / max(float(np.abs(field).max()), 1e-12)
    return picture
