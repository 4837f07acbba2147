"""Part 2: a converted network. Where do activity and accuracy go, layer by layer, and what decides?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from biosnn.ann import Graph, reference
from biosnn.conversion import (
    PARTS,
    LayerReport,
    Options,
    Outcome,
    SpikingNetwork,
    ThresholdSettings,
    Trials,
    convert,
    decisions,
    explain,
)
from biosnn.conversion.analysis.metrics import activity_kept
from biosnn.conversion.analysis.remedies import Target, channel_rates, scaled, search_scales, spiking_layers
from biosnn.conversion.analysis.trials import one_program
from biosnn.conversion.hybrid.going_on import Remainders
from biosnn.engine import Simulation
from biosnn.errors import SettingsError, field_error
from biosnn.measure import LayerActivity, layer_activity
from biosnn.model import NeuronModel
from biosnn.study import nested, setting
from biosnn.study.ann_data import CONVERSION, AnnData, AnnDataSettings, load_ann_data

if TYPE_CHECKING:
    from .study import Settings

Floats = NDArray[np.float64]
LAYERED = ("rate", "kept", "silent", "latency", "decoded", "information", "rest")
"""What is measured in each layer."""
AS_IT_IS, SOFT, LEAK = "as it is", "soft reset", "leak"
DECODED = (AS_IT_IS, SOFT)
"""Conversions every layer of which is decoded; of the others the last one is."""


@dataclass(frozen=True)
class ConvertedSettings(AnnDataSettings):
    """What can be changed about the network, its images, and how it is converted before any remedy."""

    model: str = setting("digits_plain", "the network: a name of the catalogue, or a file that biosnn.convert reads")
    images: int = setting(300, "how many test images are shown, in all repetitions together; 0: all", minimum=0)
    calibration: int = setting(240, "how many training images remedies see, in all repetitions; 0: all", minimum=0)
    repetitions: int = setting(3, "how often all is done, with other images for calibration and test", minimum=1)
    steps: int = setting(32, "time steps per image", minimum=8)
    conversion: Options = nested(
        Options(ThresholdSettings(method="max", per="layer"), neuron="if_hard", start=0.0),
        CONVERSION,
        leave_out=("code", "output", "balance.steps", "balance.alpha"),
    )
    scales: tuple[float, ...] = setting(
        (0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 1.0, 1.1, 1.2, 1.4),
        "factors of all thresholds that are tried",
        minimum=0.05,
        maximum=20.0,
    )


@dataclass(frozen=True, eq=False)
class Repetition:
    """The images of one repetition.

    Parameters
    ----------
    calibration, test : ndarray of float32, shape (n, *shape of the input)
        Images.
    labels : ndarray of int, shape (n,)
        Of the test images.
    ann : ndarray of float32, shape (n, classes)
        What the ordinary network answers.
    """

    calibration: NDArray[np.float32]
    test: NDArray[np.float32]
    labels: NDArray[np.int64]
    ann: NDArray[np.float32]

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which images the ordinary network classifies correctly."""
        return np.asarray(decisions(self.ann) == self.labels)


@dataclass(frozen=True, eq=False)
class Baseline:
    """The network before any remedy, and its images.

    Parameters
    ----------
    data : AnnData
        The ordinary network and all images.
    repetitions : list of Repetition
        Images by repetition; none is in two.
    options : Options
        How it is converted.
    steps : int
        For how many steps images are shown.
    """

    data: AnnData
    repetitions: list[Repetition]
    options: Options
    steps: int

    @cached_property
    def first(self) -> SpikingNetwork:
        """The network of the first repetition, as it is."""
        return self.converted(self.repetitions[0])

    @property
    def model(self) -> NeuronModel:
        """That of its neurons."""
        return self.first.options.model

    @property
    def graph(self) -> Graph:
        """The ordinary network, with ReLUs before max pooling."""
        return self.first.graph

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """The populations that stand for ReLUs, in the order of computation."""
        return tuple(spiking_layers(self.first))

    def means(self, repetition: Repetition) -> dict[str, float]:
        """The mean activation of each of them in the ordinary network."""
        return {name: float(values.mean(dtype=np.float64)) for name, values in self.activations(repetition)}

    def activations(self, repetition: Repetition) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """Their activations, one after the other, as all of them may not fit into memory."""
        computed = reference(self.graph)
        for name in self.layers:
            yield name, computed.activations(repetition.test, [name])[name]

    def converted(self, repetition: Repetition, **changed: Any) -> SpikingNetwork:
        """The spiking network, with some options changed."""
        if self.data.converted and not changed:
            return self.data.converted
        return convert(self.data.graph, repetition.calibration, options=self.options, **{"steps": self.steps} | changed)


def load_baseline(settings: Settings) -> Baseline:
    """Load the network and divide its images."""
    data = load_ann_data(settings)
    count = settings.repetitions
    for name, images in (("images", data.test), ("calibration", data.calibration)):
        if len(images) < 6 * count:
            expected = f"at least {6 * count}, 6 for each of {count} repetitions"
            raise SettingsError(field_error(name, expected, len(images)))
    ann = reference(data.graph).outputs(data.test).reshape(len(data.test), -1)
    repetitions = [
        Repetition(data.calibration[k::count], data.test[k::count], data.labels[k::count], ann[k::count])
        for k in range(count)
    ]
    options = data.converted.options if data.converted else settings.conversion
    return Baseline(data, repetitions, options, settings.steps)


def changes() -> dict[str, dict[str, Any]]:
    """How conversions differ from the network as it is: in one thing, but inputs that spike have soft reset too."""
    soft = {"neuron": "if_soft", "preset": ""}
    percentile = {"method": "percentile", "percentile": None, "per": "channel"}
    return {
        AS_IT_IS: {},
        SOFT: soft,
        "percentile": percentile,
        "half a threshold": {"start": 0.5},
        LEAK: {"neuron": "lif_soft", "preset": ""},
        "poisson": {**soft, "input": "poisson"},
        "first spike": {**soft, "input": "first spike"},
        "all": {**soft, **percentile, "start": 0.5, "input": "analog"},
    }


@dataclass(frozen=True, eq=False)
class Converted:
    """What was measured.

    Parameters
    ----------
    layers : tuple of str
        Populations that stand for ReLUs, in the order of computation.
    conversions : tuple of str
        How the network is converted (`changes`).
    ann : ndarray, shape (repetitions,)
        Accuracy of the ordinary network.
    curves : ndarray, shape (conversions, repetitions, steps)
        Accuracy after each step.
    measured : mapping of str to ndarray, shape (conversions, repetitions, layers)
        Spikes per neuron and step ("rate"); decoded rates over the ordinary network's mean activation ("kept");
        fraction of neurons that never fire ("silent"); median step of first spikes ("latency"); accuracy of a linear
        decoder ("decoded") and bits about the class in its decisions ("information"), NaN where there is none; and
        accuracy if the ordinary network computes the rest from the layer's decoded rates ("rest").
    dead : ndarray, shape (repetitions, layers)
        Fraction of the neurons whose activation is zero for all images in the ordinary network.
    full : ndarray, shape (repetitions, layers)
        Fraction of the responses with a spike in every step, in the network as it is.
    own : ndarray, shape (repetitions, layers, parts)
        What each layer of the network as it is adds to its decoded rates by itself, in mean activations, by `PARTS`
        without the inherited one; below 0 it is lost.
    marks : ndarray of int, shape (marks,)
        Steps after which the threshold scale was judged.
    scales : ndarray, shape (scales,)
        Factors of all thresholds, with soft reset.
    scale_accuracy : ndarray, shape (scales, repetitions, marks)
    scale_rates : ndarray, shape (scales, repetitions, layers)
    found_scale, found_accuracy : ndarray, shape (repetitions,)
        What the automatic search chose on calibration images, and the accuracy with it.
    """

    layers: tuple[str, ...]
    conversions: tuple[str, ...]
    ann: Floats
    curves: Floats
    measured: Mapping[str, Floats]
    dead: Floats
    full: Floats
    own: Floats
    marks: NDArray[np.int64]
    scales: Floats
    scale_accuracy: Floats
    scale_rates: Floats
    found_scale: Floats
    found_accuracy: Floats


def run_converted(settings: Settings, sim: Simulation, baseline: Baseline) -> Converted:
    """Convert the network in several ways, and measure every layer."""
    changed = changes()
    means, rests = [baseline.means(repetition) for repetition in baseline.repetitions], Remainders()
    rows: dict[str, list[dict[str, Any]]] = {}
    reports: list[list[LayerReport]] = []
    for names in _programs(baseline, changed):
        trials = Trials(
            baseline.converted(baseline.repetitions[0], **changed[names[0]]), settings.steps, sim, each=True
        )
        for name in names:
            rows[name] = []
            for repetition, mean in zip(baseline.repetitions, means, strict=True):
                snn = trials.variant(baseline.converted(repetition, **changed[name]))
                (outcome,) = trials.run([snn], repetition.test, repetition.labels)
                rows[name].append(_measured(snn, outcome, repetition, mean, rests, name in DECODED))
                if name == AS_IT_IS:
                    reports.append(explain(snn, repetition.test, outcome, points=1))
    tables = {what: np.array([[row[what] for row in rows[name]] for name in changed]) for what in (*LAYERED, "curve")}
    curves = tables.pop("curve")
    scale = _scale_curve(settings, sim, baseline)
    ann = np.array([float(repetition.right.mean()) for repetition in baseline.repetitions])
    dead = np.array(
        [
            [np.mean(~values.any(axis=0)) for _, values in baseline.activations(repetition)]
            for repetition in baseline.repetitions
        ]
    )
    full = np.array([[layer.saturated for layer in report] for report in reports])
    own = np.array([[[layer.bias[part] for part in PARTS[1:]] for layer in report] for report in reports])
    return Converted(baseline.layers, tuple(changed), ann, curves, tables, dead, full, own, **scale)


def _programs(baseline: Baseline, changed: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """The conversions, those together that one program can simulate, as they differ in thresholds and start only."""
    groups: list[tuple[Options, list[str]]] = []
    for name, change in changed.items():
        options = baseline.converted(baseline.repetitions[0], **change).options
        names = next((names for others, names in groups if one_program(options, others)), None)
        if names is None:
            groups.append((options, [name]))
        else:
            names.append(name)
    return [names for _, names in groups]


def _measured(
    snn: SpikingNetwork,
    outcome: Outcome,
    repetition: Repetition,
    means: Mapping[str, float],
    rests: Remainders,
    every: bool,
) -> dict[str, Any]:
    names = spiking_layers(snn)
    # Decoders take long to learn: where they are not drawn, that of the last layer suffices.
    first = 0 if every else len(names) - 1
    found = [*_activity(outcome, names[:first]), *_activity(outcome, names[first:], repetition.labels)]
    rows: dict[str, Any] = {
        name: [getattr(layer, name) for layer in found] for name in LAYERED if hasattr(found[0], name)
    }
    spikes = {name: outcome.spikes[name].mean(axis=0) for name in names}
    rows["kept"] = [activity_kept(snn, name, spikes[name], outcome.steps, means[name]) for name in names]
    decided = [rests.decided(snn, outcome, repetition.test, number) for number in range(1, len(names))]
    rows["rest"] = [float(np.mean(told == repetition.labels)) for told in [*decided, outcome.decided()]]
    return {**rows, "curve": outcome.latency_curve}


def _activity(outcome: Outcome, names: list[str], labels: NDArray[np.int64] | None = None) -> list[LayerActivity]:
    if not names:
        return []
    counts, firsts = ({name: of[name] for name in names} for of in (outcome.spikes, outcome.firsts))
    return layer_activity(counts, steps=outcome.steps, firsts=firsts, labels=labels)


def _scale_curve(settings: Settings, sim: Simulation, baseline: Baseline) -> dict[str, Any]:
    """All thresholds scaled, with soft reset: too high and spikes vanish, too low and deep layers fire all the time."""
    marks = np.array(sorted({max(settings.steps // part, 1) for part in (8, 4, 2, 1)}))
    scales = np.unique(settings.scales)
    accuracy, rates, chosen, reached = [], [], [], []
    soft = changes()[SOFT]
    trials = Trials(baseline.converted(baseline.repetitions[0], **soft), settings.steps, sim)
    for repetition in baseline.repetitions:
        snn = trials.variant(baseline.converted(repetition, **soft))
        search = search_scales(Target(snn, trials, repetition.calibration), layers=False)
        networks = [*(scaled(snn, float(scale)) for scale in scales), search.snn]
        outcomes = trials.run(networks, repetition.test, repetition.labels)
        accuracies = [outcome.latency_curve[marks - 1] for outcome in outcomes]
        fired = [[channel_rates(snn, outcome, name).mean() for name in baseline.layers] for outcome in outcomes]
        accuracy.append(accuracies[:-1])
        rates.append(fired[:-1])
        chosen.append(next(iter(search.scales.values())))
        reached.append(accuracies[-1][-1])
    return {
        "marks": marks,
        "scales": scales,
        "scale_accuracy": np.swapaxes(np.array(accuracy), 0, 1),
        "scale_rates": np.swapaxes(np.array(rates), 0, 1),
        "found_scale": np.array(chosen),
        "found_accuracy": np.array(reached),
    }
