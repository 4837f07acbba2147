"""The class of an input, by a linear decoder of the responses of neurons."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from biosnn.errors import DataError, field_error

Responses = Any
"""Spike counts, shape (inputs, neurons): an array, or a sparse one of SciPy's."""
Labels = NDArray[np.int64]
NONE = -1


def linear(responses: Responses, labels: Labels, new: Responses, *, C: float = 1.0) -> Labels:
    """Decide by a linear classifier (logistic regression) of whole responses, which learns from labels.

    It is supervised: it shows the information in the responses, not what the network alone can do.

    Parameters
    ----------
    responses : array, shape (inputs, neurons)
        Of inputs to learn from.
    labels : ndarray of int, shape (inputs,)
    new : array, shape (other inputs, neurons)
        Responses to decide on.
    C : float
        How much errors count beside the L2 penalty of the weights, as in scikit-learn, for responses that are divided
        by the largest count of a neuron. Many neurons that spike once at most want less than the default.

    Returns
    -------
    ndarray of int64, shape (other inputs,)
        -1 where there was nothing to learn: responses to one class only, or none at all.

    Raises
    ------
    DataError
        If C is not above 0.

    Notes
    -----
    With an L2 penalty, the weights of a class are a sum of the responses learned from (the representer theorem:
    Kimeldorf & Wahba 1971, J Math Anal Appl 33:82). Where there are more neurons than inputs, responses are therefore
    turned into as many dimensions as there are inputs, in which the decisions are the same and sooner found.
    """
    from sklearn.linear_model import LogisticRegression  # slow to import, and only needed here

    if not 0 < C < float("inf"):
        raise DataError(field_error("linear, C", "a number above 0", C))
    if len(np.unique(labels)) < 2 or not responses.sum():
        return np.full(new.shape[0], NONE)
    largest = responses.max()
    seen, asked = responses / largest, new / largest
    if seen.shape[1] > seen.shape[0]:
        seen, asked = _turned(seen, asked)
    fitted = LogisticRegression(C=C, max_iter=1000).fit(seen, labels)
    return np.asarray(fitted.predict(asked), dtype=np.int64)


def _turned(responses: Responses, new: Responses) -> tuple[Any, Any]:
    """Both in the coordinates of the principal axes of the first, which keep its inner products with both."""
    inner, across = responses @ responses.T, new @ responses.T
    if sparse.issparse(inner):
        inner = inner.toarray()
    lengths, axes = np.linalg.eigh(inner)
    kept = lengths > lengths[-1] * len(lengths) * np.finfo(float).eps
    size = np.sqrt(lengths[kept])
    return axes[:, kept] * size, across @ (axes[:, kept] / size)


def decode(responses: Responses, labels: ArrayLike, learned: int) -> Labels:
    """Let a linear decoder learn from the first inputs, and decide on the others.

    Parameters
    ----------
    responses : array, shape (inputs, neurons)
    labels : array_like of int, shape (inputs,)
        The class of each input, from 0.
    learned : int
        From how many inputs it learns.

    Returns
    -------
    ndarray of int64, shape (inputs - learned,)
        Where there is nothing to learn, the class that is most frequent among the first inputs.

    Raises
    ------
    DataError
        If there is not one label for each response, or no input to learn from or to decide on.
    """
    known = np.asarray(labels)
    inputs = responses.shape[0]
    if known.shape != (inputs,) or known.dtype.kind not in "iu" or (inputs and known.min() < 0):
        raise DataError(field_error("labels", f"a whole number from 0 for each of {inputs} inputs", known))
    if not 1 <= learned < inputs:
        expected = f"from 1 to {inputs - 1}, as there are {inputs} inputs"
        raise DataError(field_error("learned", expected, learned, "Others are needed for the test."))
    decided = linear(responses[:learned], known[:learned], responses[learned:])
    return np.where(decided < 0, np.bincount(known[:learned]).argmax(), decided)
