"""How much of an image is left after each of several layers of LIF neurons, under each coding.

The network has learned nothing: its weights are random, so that what a layer loses is lost to integration, threshold
and leak, not to learning that suits one coding more than another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from brian2 import Quantity

from biosnn.coding import Coding
from biosnn.datasets import Dataset
from biosnn.display import Brief
from biosnn.engine import Simulation
from biosnn.propagation.coded_bench import LEAST, Bench, CodedLayers, Floats, least

__all__ = ["LEAST", "CodedLayers", "Depth", "run_depth"]

GAINS = (1.5, 1.75, 2.0, 2.5, 3.0, 4.0)


@dataclass(frozen=True, eq=False)
class Depth(Brief):
    """What is left in each layer; layer 0 are the inputs.

    Parameters
    ----------
    codings : tuple of str
    chance : float
        Accuracy of always naming the class that is most frequent in training.
    gains : ndarray, shape (gains,)
        Gains of the later layers that were tried.
    gain : ndarray, shape (codings,)
        That which each coding is given.
    scale : ndarray, shape (codings,)
        Gain of the first layer: standard deviation of what one spike of every pixel adds up to, in thresholds.
    tried : ndarray, shape (codings, gains)
        Accuracy of counts with each gain, the mean over the layers after the first, on images that are not those of the
        test.
    ratio : ndarray, shape (codings, gains)
        With each gain, spikes of the last layer for each of the first.
    spikes : ndarray, shape (codings, seeds, layers + 1)
        Spikes per neuron per image.
    survival : ndarray, the same shape
        Spikes for each spike of the first layer, r_l/r_1.
    silent : ndarray, the same shape
        Fraction of neurons that no image makes spike.
    reached : ndarray, the same shape
        Fraction of images that make any neuron spike.
    latency : ndarray, the same shape
        Median time (s) of a neuron's first spike after the onset of an image; NaN in a silent layer.
    counts : ndarray, the same shape
        Accuracy of a linear decoder of spike counts.
    firsts : ndarray, the same shape
        Accuracy of a linear decoder of how early first spikes are.
    """

    codings: tuple[str, ...]
    chance: float
    gains: Floats
    gain: Floats
    scale: Floats
    tried: Floats
    ratio: Floats
    spikes: Floats
    survival: Floats
    silent: Floats
    reached: Floats
    latency: Floats
    counts: Floats
    firsts: Floats


def run_depth(
    codings: Mapping[str, Coding],
    data: Dataset,
    wanted: CodedLayers,
    sim: Simulation,
    *,
    dt: Quantity,
    seeds: int = 3,
    gains: Sequence[float] = GAINS,
) -> Depth:
    """Send images through layers of LIF neurons, and see what is left of them.

    Weights between layers are normal with mean 0 and standard deviation g/sqrt(sources), in units of the weight that
    brings a resting neuron just to its threshold. One rule sets g for all codings, and gives each what suits it:

    - The first layer's g is such that its neurons spike once per image on average. So no coding is at a disadvantage
      because it has few spikes, or at an advantage because it has many.
    - That of all later layers is the least among ``gains`` with which a linear decoder of spike counts names as many
      classes as with the best, but for one standard error, on average over these layers, on images that are not those
      of the test (the one-standard-error rule: Hastie, Tibshirani & Friedman 2009, The Elements of Statistical
      Learning, section 7.10). A larger gain costs spikes, and so has to show that it is better.

    An image lasts twice ``wanted.duration``: its spikes come in the first half, and the second half is for what is
    still on its way. Then every neuron is put to rest, and the next image begins. A spike takes one time step to the
    next layer. Two thirds of the images are for decoders to learn from, one third for the test.

    Parameters
    ----------
    codings : mapping of str to Coding
        With a neuron for each pixel, and no longer than ``wanted.duration``.
    data : Dataset
    wanted : CodedLayers
        The layers.
    sim : Simulation
        An open session; it begins a new program.
    dt : Quantity
        Time step.
    seeds : int
        How many networks each coding gets. A seed decides on weights, images and the chance in codings.
    gains : sequence of float
        What is tried for the later layers.

    Raises
    ------
    CodingError
        If a coding lasts too long or has other neurons than one for each pixel.
    """
    sim.reset(dt=dt)
    bench = Bench(codings, data, wanted, sim, seeds, dt)
    scale = bench.calibrate()
    tried, ratio = bench.tune(scale, np.sort(gains))
    gain = np.sort(gains)[least(tried, bench.learned - bench.tuned)]
    table = bench.measure(scale, gain)
    return Depth(tuple(codings), bench.chance, np.sort(gains), gain, scale, tried, ratio, **table)
