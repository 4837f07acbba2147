"""Every cut of a network, each way, and what the ordinary network answers to the same images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from biosnn.ann import reference
from biosnn.conversion import SpikingNetwork, convert, decisions
from biosnn.conversion.hybrid.every_cut import Cut, try_cuts
from biosnn.conversion.hybrid.network import marks_to
from biosnn.energy import HOROWITZ_45NM, PriceTable, read_prices
from biosnn.engine import Simulation
from biosnn.errors import ConversionError, SettingsError
from biosnn.study.ann_data import AnnData

if TYPE_CHECKING:
    from .study import Settings


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured.

    Parameters
    ----------
    settings : Settings
        Of the study.
    data : AnnData
        The network and its images.
    whole : SpikingNetwork
        The network whose layers all spike.
    ann : ndarray, shape (images, classes)
        What the ANN answers.
    cuts : list of Cut
        First layers, last layers, and all.
    errors : ndarray, shape (layers, marks)
        Root mean square difference of decoded rates and activations, relative to that of the activations, where all
        layers spike.
    rates : ndarray, shape (layers,)
        Spikes per neuron and step, where all layers spike.
    prices : PriceTable
        What operations cost.
    seed : int
        Of what is drawn at random: images, again.
    """

    settings: Settings
    data: AnnData
    whole: SpikingNetwork
    ann: NDArray[np.float32]
    cuts: list[Cut]
    errors: NDArray[np.float64]
    rates: NDArray[np.float64]
    prices: PriceTable
    seed: int

    @property
    def marks(self) -> NDArray[np.int64]:
        """The steps at which there are answers."""
        return self.cuts[0].outcome.marks

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which images are correctly classified, shape (cuts, marks, images)."""
        labels = self.data.labels[:, None]
        return np.array([(decisions(cut.outcome.outputs) == labels).T for cut in self.cuts])

    @property
    def ann_right(self) -> NDArray[np.bool_]:
        """Which images the ANN classifies correctly, shape (images,)."""
        return np.asarray(decisions(self.ann) == self.data.labels)


def measure(settings: Settings, sim: Simulation, data: AnnData) -> Measured:
    """Run all of it."""
    prices = read_prices(settings.prices) if settings.prices else HOROWITZ_45NM
    whole = data.converted or convert(data.graph, data.calibration, options=settings.conversion, steps=settings.steps)
    ann = reference(whole.graph).outputs(data.test)
    marks = marks_to(settings.steps, settings.marks)
    try:
        found = try_cuts(whole, data.test, data.labels, settings.steps, sim=sim, marks=marks, cuts=settings.cuts)
    except ConversionError as problem:
        raise SettingsError(f"model={settings.model}: {problem}") from None
    ann = ann.reshape(len(ann), -1)
    return Measured(settings, data, whole, ann, found.cuts, found.errors, found.rates, prices, sim.seed)
