"""Other conversions of the same network, tried on the same images: as others convert, with what might help, and early.

All of them are held against what the ordinary network answers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biosnn.ann.graph import Graph
from biosnn.conversion.analysis.metrics import output_errors
from biosnn.conversion.converting import convert
from biosnn.conversion.network import Options, SpikingNetwork
from biosnn.conversion.outcome import Outcome
from biosnn.conversion.running import run
from biosnn.conversion.thresholds import percentile_for
from biosnn.display import Brief
from biosnn.engine import Simulation


@dataclass(frozen=True, eq=False)
class Tried(Brief):
    """Another conversion, and how it did on some images.

    Parameters
    ----------
    steps : int
        Time steps per image.
    curve : ndarray, shape (steps,)
        Accuracy after each.
    error : float
        Of its outputs, relative to their spread.
    spikes : float
        An image.
    """

    steps: int
    curve: NDArray[np.float64]
    error: float
    spikes: float


@dataclass(frozen=True, eq=False)
class Bench:
    """An ordinary network and its images, to try conversions on.

    Parameters
    ----------
    graph : Graph
        The ordinary network.
    calibration : array_like, shape (n, *shape of the input)
        Images that thresholds are found on.
    images : array_like, shape (n, *shape of the input)
        Images that are shown.
    labels : array_like of int, shape (n,)
        The true classes.
    ann : array_like, shape (n, classes)
        What the ordinary network answers.
    sim : Simulation
        An open session, whose program is given up each time.
    """

    graph: Graph
    calibration: ArrayLike
    images: ArrayLike
    labels: ArrayLike
    ann: ArrayLike
    sim: Simulation

    def first(self, images: int) -> Bench:
        """The same with the first of the images only."""
        some, labels, ann = (np.asarray(part)[:images] for part in (self.images, self.labels, self.ann))
        return replace(self, images=some, labels=labels, ann=ann)

    def tried(self, options: Options, steps: int, **changed: Any) -> Tried:
        """Convert the network, and show it the images.

        Parameters
        ----------
        options : Options
            How it is converted.
        steps : int
            For how many steps images are shown, and thresholds are meant.
        **changed
            What differs from the options, as `convert` takes it.
        """
        snn = convert(self.graph, self.calibration, options=options, **{"steps": steps} | changed)
        did = run(snn, self.images, steps, labels=self.labels, sim=self.sim)
        return Tried(did.steps, did.latency_curve, output_errors(did, self.ann)[-1], did.spikes_an_image)


def what_might_help(options: Options, steps: int) -> dict[str, dict[str, Any]]:
    """Changes that are worth a try where a converted network has lost too much, one thing at a time.

    Parameters
    ----------
    options : Options
        How it was converted.
    steps : int
        For how many steps images were shown.

    Returns
    -------
    dict of str to dict
        By a name for people, what `convert` takes; ``steps`` are also those for which images are to be shown.
    """
    changes: dict[str, dict[str, Any]] = {"twice the steps": {"steps": 2 * steps}}
    balance = options.balance
    if options.reads_after < steps // 2 and not options.delay_per_layer:
        changes["half the steps"] = {"steps": steps // 2}
    if balance.method == "percentile":
        percentile = balance.percentile or percentile_for(steps)
        higher, lower = 100 - (100 - percentile) / 10, max(100 - (100 - percentile) * 10, 50)
        changes |= {f"percentile {p:.6g}": {"percentile": p} for p in (higher, lower) if p != percentile}
    else:
        changes["percentile 99.9"] = {"method": "percentile", "percentile": 99.9}
    changes |= {f"thresholds times {factor}": {"alpha": balance.alpha * factor} for factor in (0.8, 1.25)}
    if balance.per == "layer":
        changes["one threshold per channel"] = {"per": "channel"}
    else:
        changes["one threshold per layer"] = {"per": "layer"}
    if options.neuron != "if_soft":
        changes["soft reset"] = {"neuron": "if_soft", "preset": ""}
    if options.start != 0.5:
        changes["start at half a threshold"] = {"start": 0.5}
    if options.input != "analog":
        changes["pixels as currents"] = {"input": "analog"}
    return changes


def ended_early(
    snn: SpikingNetwork, images: ArrayLike, steps: int, calibration: ArrayLike, labels: ArrayLike, sim: Simulation
) -> Outcome | None:
    """End images as soon as a network is as sure as it had to be, to decide calibration images as after all steps.

    Parameters
    ----------
    snn : SpikingNetwork
        The network.
    images : array_like, shape (n, *shape of the input)
        What is shown, each for at most so many ``steps``.
    steps : int
        The same number for calibration images.
    calibration : array_like, shape (n, *shape of the input)
        Images on which the margin is found that ends an image.
    labels : array_like of int, shape (n,)
        The true classes of ``images``.
    sim : Simulation
        An open session, whose program so far is given up.

    Returns
    -------
    Outcome or None
        None if images cannot end early in such a network: it has one output, no potentials driven by currents, or a
        delay before it is read.
    """
    options = snn.options
    if (options.input, options.output, options.reads_after, options.delay_per_layer) != ("analog", "potential", 0, 0):
        return None
    if snn.network.populations[-1].neurons < 2:
        return None
    margin = run(snn, calibration, steps, sim=sim).margin()
    return run(snn, images, steps, labels=labels, margin=margin, sim=sim)
