"""Images that a network is calibrated, measured or compared with, held against what it takes. NumPy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biosnn.ann.graph import Graph
from biosnn.ann.layers import Shape
from biosnn.errors import ConversionError, field_error


def check_images(graph: Graph, images: ArrayLike) -> NDArray[np.float32]:
    """Hold images against a network's input.

    Parameters
    ----------
    graph : Graph
        The network.
    images : array_like, shape (n, *shape of the input)
        Floats, or whole numbers such as grey levels, which are taken as they are: whatever the network was trained on
        (division by 255, mean and standard deviation) is done before.

    Returns
    -------
    ndarray of float32
        The same numbers.

    Raises
    ------
    ConversionError
        If there are none, their shape is not the input's, or they have other than finite numbers.
    """
    array, shape = np.asarray(images), graph.input.shape
    if array.dtype.kind not in "fiu":
        raise ConversionError(field_error("Images", "floats or whole numbers", array.dtype.name))
    if array.shape[1:] != shape:
        raise ConversionError(
            field_error("Images", f"the shape (n, {_text(shape)})", array.shape, _hint(array.shape, shape))
        )
    if not len(array):
        do = "At least one is needed; some hundreds, drawn at random from the training set, are usual."
        raise ConversionError(field_error("Images", "one or more", 0, do))
    with np.errstate(over="ignore"):
        floats = np.ascontiguousarray(array, dtype=np.float32)
    finite = np.isfinite(floats).reshape(len(floats), -1).all(axis=1)
    if not finite.all():
        do = "Look at how they are loaded and normalised."
        wrong = f"NaN or infinite numbers in {int((~finite).sum())} of them, first in image {int(np.argmin(finite))}"
        raise ConversionError(field_error("Images", "finite numbers", wrong, do))
    return floats


def _text(shape: Shape) -> str:
    return ", ".join(map(str, shape))


def _hint(given: Shape, shape: Shape) -> str:
    """What to do about a shape that is not the input's."""
    if given == shape:
        return "That looks like a single image: use images[None]."
    if len(shape) == 3 and given[1:] == (*shape[1:], shape[0]):
        return "That looks like channels last: use images.transpose(0, 3, 1, 2)."
    if len(shape) == 3 and given[1:] == (shape[2], *shape[:2]):
        return "That looks like channels first, and this network takes them last: use images.transpose(0, 2, 3, 1)."
    if len(given) > 1 and np.prod(given[1:], dtype=object) == np.prod(shape, dtype=object):
        return f"The numbers of values agree: if they are in the right order, use images.reshape(-1, {_text(shape)})."
    return "They must be as the network was trained on."


def random_images(graph: Graph) -> NDArray[np.float32]:
    """Two or three images to compare computations on; few, since all values of all layers are kept of them."""
    count = 3 if sum(graph.neurons.values()) < 2**24 else 2
    return np.random.default_rng(0).integers(0, 4, (count, *graph.input.shape)).astype(np.float32)
