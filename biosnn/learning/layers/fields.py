"""What the neurons of a layer look for in an image: their weights, projected through the layers before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from biosnn.errors import SettingsError, field_error
from biosnn.learning.layers.description import Cells, Convolution, Pool
from biosnn.learning.layers.trained import LayersTrained


def fields(trained: LayersTrained, layer: int) -> NDArray[np.float64]:
    """What the neurons of a layer that learns look for in an image.

    A spike of a map stands for its kernel at its position; a pooled one for the mean over its window. On-centres count
    positive, off-centres negative.

    Parameters
    ----------
    trained : LayersTrained
        The network.
    layer : int
        Which layer, counted from 0.

    Returns
    -------
    ndarray
        Of cells, shape (cells, rows, columns) of the image; of feature maps, shape (maps, rows, columns) of the window
        of the image that one of their neurons sees.

    Raises
    ------
    SettingsError
        If there is no such layer, or it does not learn.
    """
    layers, shapes = trained.layers, trained.layers.shapes(trained.image)
    if layer not in layers.plastic:
        expected = f"one that learns: {', '.join(map(str, layers.plastic))}"
        raise SettingsError(field_error("fields, layer", expected, layer))
    field = np.moveaxis(trained.weights(layer), -1, 0)
    border = 0  # how far the field reaches beyond the border of the image, at the top and at the left
    for number in range(layer - 1, -1, -1):
        part = layers.layers[number]
        if isinstance(part, Pool):
            field = field.repeat(part.size, axis=1).repeat(part.size, axis=2) / part.size**2
            border *= part.size
        else:
            assert isinstance(part, Convolution)
            field = _spread(field, trained.weights(number), part.stride)
            border = border * part.stride + part.padding
    signs = np.array([1.0, -1.0])[: field.shape[-1]]
    projected: NDArray[np.float64] = field @ signs
    if isinstance(layers.layers[layer], Cells):
        return _on_image(projected, border, shapes[0][:2])
    return projected


def _spread(field: NDArray[np.float64], kernel: NDArray[np.float64], stride: int) -> NDArray[np.float64]:
    """Put the kernel of each map at each of its positions, as strongly as the field says."""
    size, (_, rows, columns, _) = len(kernel), field.shape
    spread = np.zeros((len(field), (rows - 1) * stride + size, (columns - 1) * stride + size, kernel.shape[2]))
    for down in range(size):
        for right in range(size):
            places = (slice(down, down + rows * stride, stride), slice(right, right + columns * stride, stride))
            spread[:, *places][:, :rows, :columns] += field @ kernel[down, right].T
    return spread


def _on_image(field: NDArray[np.float64], border: int, image: tuple[int, int]) -> NDArray[np.float64]:
    """The part of a field that lies on the image; zero where pooling has left out a margin."""
    whole = np.zeros((len(field), *image))
    inside = field[:, border : border + image[0], border : border + image[1]]
    whole[:, : inside.shape[1], : inside.shape[2]] = inside
    return whole
