"""The network as an ANN, as it is converted, as others convert it, and with what might help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.ann import reference
from biosnn.conversion import LayerReport, Outcome, SpikingNetwork, convert, decisions, explain, ledger, run
from biosnn.conversion.analysis.metrics import output_errors
from biosnn.conversion.thresholds import percentile_for
from biosnn.energy import HOROWITZ_45NM, Ledger, PriceTable, read_prices
from biosnn.study.ann_data import OPTIONS, Pictures

HARD, LARGEST = "hard reset", "largest activation of a layer"


@dataclass(frozen=True, eq=False)
class Tried:
    """Another conversion, and how it did on some images.

    Parameters
    ----------
    steps : int
        Time steps an image.
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
class Compared:
    """What was measured.

    Parameters
    ----------
    pictures : Pictures
        The network and its images.
    snn : SpikingNetwork
        As it was converted.
    ann : ndarray, shape (images, classes)
        What the ANN answers.
    outcome : Outcome
        What the spiking network answers.
    errors : ndarray, shape (steps,)
        Root mean square difference of their outputs after each step, relative to the spread of the ANN's.
    layers : list of LayerReport
        Of the images that are explained.
    bill : Ledger
        Operations.
    explained : int
        How many these are.
    controls, remedies : mapping of str to Tried
        By what was changed. Controls are shown all images, remedies those that are explained.
    early : Outcome or None
        With images that end as soon as the network is sure.
    prices : PriceTable
        What operations cost.
    """

    pictures: Pictures
    snn: SpikingNetwork
    ann: NDArray[np.float32]
    outcome: Outcome
    errors: NDArray[np.float64]
    layers: list[LayerReport]
    bill: Ledger
    explained: int
    controls: Mapping[str, Tried]
    remedies: Mapping[str, Tried]
    early: Outcome | None
    prices: PriceTable

    @property
    def ann_accuracy(self) -> float:
        """Accuracy of the ANN on the images shown."""
        return float(np.mean(decisions(self.ann) == self.pictures.labels))

    @property
    def rates(self) -> bool:
        """Whether rates tell values, so that there is an answer at any time."""
        return self.snn.options.code == "rate"


def compare(settings: Any, sim: Any, pictures: Pictures) -> Compared:
    """Run all of it."""
    prices = read_prices(settings.prices) if settings.prices else HOROWITZ_45NM
    chosen = {name: getattr(settings, name) for name in OPTIONS} | {"steps": settings.steps}
    chosen["percentile"] = settings.percentile or None
    snn = pictures.converted or convert(pictures.graph, pictures.calibration, **chosen)
    ann = reference(snn.graph).outputs(pictures.test)
    ann = ann.reshape(len(ann), -1)
    outcome = run(snn, pictures.test, settings.steps, labels=pictures.labels, sim=sim)
    errors = output_errors(outcome, ann)
    some, labels = pictures.test[: settings.explained], pictures.labels[: settings.explained]
    layers, rates = [], snn.options.code == "rate"
    if rates:
        layers = explain(snn, some, run(snn, some, settings.steps, each=True, sim=sim))

    def tried(images: NDArray[np.float32], right: NDArray[np.int64], steps: int, **changed: Any) -> Tried:
        other = convert(pictures.graph, pictures.calibration, **chosen | {"steps": steps} | changed)
        did = run(other, images, steps, labels=right, sim=sim)
        return Tried(did.steps, did.latency_curve, output_errors(did, ann[: len(images)])[-1], did.spikes_an_image)

    controls, remedies = {}, {}
    if settings.controls and rates:
        others = {HARD: {"neuron": "if_hard"}, LARGEST: {"method": "max", "per": "layer", "start": 0.0}}
        for name, changed in others.items():
            controls[name] = tried(pictures.test, pictures.labels, settings.steps, **changed)
    if settings.remedies and rates and pictures.converted is None:
        remedies["as it is"] = tried(some, labels, settings.steps)
        for name, changed in what_might_help(settings).items():
            steps = changed.pop("steps", settings.steps)
            remedies[name] = tried(some, labels, steps, **changed)
    early = ended_early(settings, sim, snn, pictures) if settings.early and rates else None
    bill = ledger(snn, outcome)
    return Compared(pictures, snn, ann, outcome, errors, layers, bill, len(some), controls, remedies, early, prices)


def ended_early(settings: Any, sim: Any, snn: SpikingNetwork, pictures: Pictures) -> Outcome | None:
    """End images as soon as the network is as sure as it had to be, to decide calibration images as after all steps."""
    if (snn.options.input, snn.options.output) != ("analog", "potential") or snn.wiring.populations[-1].neurons < 2:
        return None
    lead = run(snn, pictures.calibration[: settings.explained], settings.steps, sim=sim).lead()
    return run(snn, pictures.test, settings.steps, labels=pictures.labels, lead=lead, sim=sim)


def what_might_help(settings: Any) -> dict[str, dict[str, Any]]:
    """Changes of the settings that are worth a try, by a name each."""
    found: dict[str, dict[str, Any]] = {"twice the steps": {"steps": 2 * settings.steps}}
    if settings.steps > 1:
        found["half the steps"] = {"steps": settings.steps // 2}
    if settings.method == "percentile":
        percentile = settings.percentile or percentile_for(settings.steps)
        higher, lower = 100 - (100 - percentile) / 10, max(100 - (100 - percentile) * 10, 50)
        found |= {f"percentile {p:.6g}": {"percentile": p} for p in (higher, lower) if p != percentile}
    else:
        found["percentile 99.9"] = {"method": "percentile", "percentile": 99.9}
    found |= {f"thresholds times {factor}": {"alpha": settings.alpha * factor} for factor in (0.8, 1.25)}
    if settings.per == "layer":
        found["a threshold a channel"] = {"per": "channel"}
    else:
        found["a threshold a layer"] = {"per": "layer"}
    if settings.neuron != "if_soft":
        found["soft reset"] = {"neuron": "if_soft", "preset": ""}
    if settings.start != 0.5:
        found["start at half a threshold"] = {"start": 0.5}
    if settings.input != "analog":
        found["pixels as currents"] = {"input": "analog"}
    return found
