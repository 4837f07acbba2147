"""How far a converted network's answers, and the rates of its layers, are from the ordinary network's."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biosnn.conversion.network import SpikingNetwork
from biosnn.conversion.outcome import Outcome


def output_errors(outcome: Outcome, ann: ArrayLike) -> NDArray[np.float64]:
    """How far outputs are from the ANN's after each step: root mean square, relative to the spread of the ANN's.

    Outputs are compared as far as they decide: without what they have in common in an image, and with the scale that
    fits best, since spikes are counted in a unit of their own.

    Parameters
    ----------
    outcome : Outcome
        What the spiking network answered.
    ann : array_like, shape (images, classes)
        What the ANN answers.

    Returns
    -------
    ndarray, shape (steps,)
    """
    meant = np.asarray(ann).reshape(len(outcome.potentials), -1)
    told = outcome.potentials
    if meant.shape[1] > 1:
        meant = meant - meant.mean(axis=1, keepdims=True)
        told = told - told.mean(axis=2, keepdims=True)
    # Least squares: the factor, one for each step, that brings the outputs nearest to the ANN's.
    scale = np.einsum("nsc,nc->s", told, meant) / np.maximum(np.einsum("nsc,nsc->s", told, told), 1e-30)
    scale = np.maximum(scale, 0)  # the opposite is no answer
    off = np.einsum("nsc,s->nsc", told, scale) - meant[:, None]
    return np.asarray(np.sqrt((off**2).mean(axis=(0, 2)) / max(float((meant**2).mean()), 1e-30)))


def activity_kept(snn: SpikingNetwork, name: str, spikes: ArrayLike, T: int, mean: float) -> float:
    """The decoded rates of a layer, over the mean activation of the ordinary network.

    Parameters
    ----------
    snn : SpikingNetwork
        The network.
    name : str
        Of the population.
    spikes : array_like, shape (neurons,)
        Of each neuron in T steps, on average over images.
    T : int
        Steps.
    mean : float
        The mean activation of the layer.

    Returns
    -------
    float
        1 if nothing is lost, 0 if nothing is left; NaN where the ordinary layer is silent.
    """
    channels = np.asarray(spikes).reshape(-1, snn.network[name].shape[0]) / T
    return float((channels * snn.thresholds[name]).mean()) / mean if mean else float("nan")
