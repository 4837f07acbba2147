"""What helps a converted network whose spikes vanish, or that fires too much: found on images without labels.

All of them hold the spiking network against the ordinary one on calibration images. They change thresholds, currents
and where a membrane begins, and no weight by itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biosnn.ann.connections import order
from biosnn.ann.images import check_images
from biosnn.ann.reference import reference
from biosnn.conversion.analysis.metrics import output_errors
from biosnn.conversion.analysis.trials import Trials
from biosnn.conversion.network import SpikingNetwork
from biosnn.conversion.outcome import Outcome
from biosnn.conversion.populations import RELU
from biosnn.display import Brief
from biosnn.errors import ConversionError, field_error

Floats = NDArray[np.float64]
Report = Callable[[float, str], None]

COARSE = tuple(float(scale) for scale in np.geomspace(0.4, 1.6, 9))
"""The threshold scales that a search begins with."""
FINE = (0.8, 1.25)
"""Factors of the scale of a layer that a search tries."""
SILENT = 1e-6
"""The excitability, in parts of its own, at which a layer never fires."""
ETA = 0.5
"""How much a channel's excitability changes in a round, as its logarithm, if its rate is all wrong."""


def scaled(snn: SpikingNetwork, scale: float | Mapping[str, float]) -> SpikingNetwork:
    """Return the network with the neurons' thresholds scaled, while a spike still stands for what it stood for.

    So a layer's activity grows where its thresholds fall, and that of every later layer once more: with scales above 1
    spikes vanish on their way, with scales far below 1 the deep layers fire in every step. It is how others scale
    thresholds (Han, Srinivasan & Roy 2020), who give every spike the same size.

    Parameters
    ----------
    snn : SpikingNetwork
        The network.
    scale : float or mapping of str to float
        Of all thresholds, or of those of some populations.

    Raises
    ------
    ConversionError
        If a scale is not above 0, or a population unknown.
    """
    for name, value in _each(snn, scale).items():
        if not 0 < value < np.inf:
            raise ConversionError(field_error(f"scaled, {name}", "a number above 0", value))
        excitability = snn.adjustment(name).excitability / np.float32(value)
        snn = snn.with_adjustment(name, excitability=excitability)
    return snn


def _each(snn: SpikingNetwork, scale: float | Mapping[str, float]) -> Mapping[str, float]:
    return scale if isinstance(scale, Mapping) else dict.fromkeys(spiking_layers(snn), float(scale))


def spiking_layers(snn: SpikingNetwork) -> list[str]:
    """The names of the populations that stand for ReLUs, in the order of computation."""
    return [population.name for population in snn.network.hidden if population.kind == RELU]


@dataclass(frozen=True, eq=False)
class Target:
    """A network to be treated, calibration images, and what the ordinary network makes of them.

    Parameters
    ----------
    snn : SpikingNetwork
        The network.
    trials : Trials
        Of it, or of one that differs in thresholds only.
    images : array_like, shape (n, *shape of the input)
        Such as those that thresholds were found on.
    """

    snn: SpikingNetwork
    trials: Trials
    images: ArrayLike

    @cached_property
    def shown(self) -> NDArray[np.float32]:
        """The images, checked."""
        return check_images(self.snn.graph, self.images)

    @cached_property
    def outputs(self) -> NDArray[np.float32]:
        """What the ordinary network answers."""
        return reference(self.snn.graph).outputs(self.shown)

    @cached_property
    def _neuron_means(self) -> Mapping[str, Floats]:
        means = {}
        computed = reference(self.snn.graph)
        for name in spiking_layers(self.snn):  # one at a time, since all of them may not fit into memory
            means[name] = computed.activations(self.shown, [name])[name].mean(axis=0, dtype=np.float64)
        return means

    def mean(self, name: str, *, each: bool = False) -> Floats:
        """The mean activation of each channel of a layer that spikes; of each neuron, in the shape of the layer."""
        means = self._neuron_means[name]
        return means if each else np.asarray(means.mean(axis=tuple(range(1, means.ndim))))

    @property
    def means(self) -> Mapping[str, Floats]:
        """The mean activation of each channel of each layer that spikes."""
        return {name: self.mean(name) for name in spiking_layers(self.snn)}

    def run(self, networks: Sequence[SpikingNetwork]) -> list[Outcome]:
        """What spiking networks answer."""
        return self.trials.run(networks, self.shown)

    def errors(self, networks: Sequence[SpikingNetwork]) -> Floats:
        """How far each one's outputs are from the ordinary network's in the end."""
        return np.array([output_errors(outcome, self.outputs)[-1] for outcome in self.run(networks)])


def rated_steps(snn: SpikingNetwork, outcome: Outcome) -> int:
    """In how many steps what was sent is told: all that come after a pre-run."""
    return outcome.steps - snn.options.pre_run


def channel_rates(snn: SpikingNetwork, outcome: Outcome, name: str) -> Floats:
    """Spikes per neuron and step of each channel of a population, shape (channels,)."""
    shape = snn.network[name].shape
    counts = outcome.sent[name].sum(axis=0) / (len(outcome.potentials) * rated_steps(snn, outcome))
    # Neurons are in the order (row, column, channel); without rows and columns each is a channel.
    return np.asarray(counts.reshape(-1, shape[0]).mean(axis=0))


def neuron_rates(snn: SpikingNetwork, outcome: Outcome, name: str) -> Floats:
    """Spikes per step of each neuron of a population, in the shape of the layer."""
    shape = snn.network[name].shape
    counts = outcome.sent[name].sum(axis=0) / (len(outcome.potentials) * rated_steps(snn, outcome))
    return np.asarray(counts[np.argsort(order(shape))].reshape(shape))


@dataclass(frozen=True, eq=False)
class Search(Brief):
    """What a search for threshold scales found.

    Parameters
    ----------
    snn : SpikingNetwork
        The network with the best scales.
    scales : mapping of str to float
        Of each layer.
    tried, errors : ndarray, shape (n,)
        The scales of all layers at once that were tried, in rising order, and the output errors with them.
    """

    snn: SpikingNetwork
    scales: Mapping[str, float]
    tried: Floats
    errors: Floats


def search_scales(target: Target, *, layers: bool = True, report: Report | None = None) -> Search:
    """Find threshold scales with which outputs are nearest to the ordinary network's, on calibration images.

    First one scale for all layers: a coarse grid, then between the neighbours of the best. Then one layer after the
    other, from the first to the last.

    Parameters
    ----------
    target : Target
        The network and its calibration images.
    layers : bool
        Whether each layer gets a scale of its own.
    report : callable, optional
        Told which fraction is done, and of what.

    Returns
    -------
    Search
    """
    snn, error_of = target.snn, dict[float, float]()
    for turn in range(3):
        grid = _between(error_of) if turn else COARSE
        _told(report, turn / 3 * (0.3 if layers else 1), "threshold scales")
        error_of |= dict(zip(grid, target.errors([scaled(snn, scale) for scale in grid]), strict=True))
    best = min(error_of, key=lambda scale: error_of[scale])
    scales, error = dict.fromkeys(spiking_layers(snn), best), error_of[best]
    for number, name in enumerate(scales if layers else ()):
        _told(report, 0.3 + 0.7 * number / len(scales), f"threshold scale of {name}")
        grid = tuple(scales[name] * factor for factor in FINE)
        errors = target.errors([scaled(snn, scales | {name: scale}) for scale in grid])
        if errors.min() < error:
            error, scales[name] = float(errors.min()), grid[int(errors.argmin())]
    tried = np.sort(list(error_of))
    return Search(scaled(snn, scales), scales, tried, np.array([error_of[scale] for scale in tried]))


def _between(errors: Mapping[float, float]) -> tuple[float, ...]:
    """Scales between the best one and its neighbours."""
    tried = sorted(errors)
    best = tried.index(min(errors, key=lambda scale: errors[scale]))
    beside = [tried[place] for place in (best - 1, best + 1) if 0 <= place < len(tried)]
    # The geometric mean, as a scale is a factor: 0.8 is as far from 1 as 1.25 is.
    return tuple(math.sqrt(other * tried[best]) for other in beside)


def calibrate_bias(target: Target, *, report: Report | None = None) -> SpikingNetwork:
    """Give each channel a constant current, so that its mean rate stands for the mean activation: layer by layer.

    Li, Deng, Dong, Gong & Gu 2021 (ICML, arXiv:2106.06984), section 4.2: the light calibration.
    """
    return calibrate(target, ("bias",), report=report)


def calibrate_start(target: Target, *, report: Report | None = None) -> SpikingNetwork:
    """Give each channel a membrane potential to begin with, so that its mean rate stands for the mean activation.

    Layer by layer, within a threshold above and below rest. Li, Deng, Dong, Gong & Gu 2021 (ICML, arXiv:2106.06984),
    section 4.3, for channels: a difference of rates is a charge that is missing after T steps.
    """
    return calibrate(target, ("start",), report=report)


CALIBRATIONS = ("bias", "start", "start of each neuron")
"""What `calibrate` can change."""


def calibrate(target: Target, whats: Sequence[str], *, report: Report | None = None) -> SpikingNetwork:
    """Calibrate one layer after the other, those before it being calibrated already.

    Parameters
    ----------
    target : Target
        The network and its calibration images.
    whats : sequence of str
        What is changed in each layer, one after the other: ``"bias"`` (see `calibrate_bias`), ``"start"`` (see
        `calibrate_start`), ``"start of each neuron"``, which is the same for each neuron by itself, as Li et al. 2021
        have it.
    report : callable, optional
        Told which fraction is done, and of what.

    Raises
    ------
    ConversionError
        If something else is to be changed.
    """
    for what in whats:
        if what not in CALIBRATIONS:
            raise ConversionError(field_error("calibrate, whats", f"some of {', '.join(CALIBRATIONS)}", what))
    snn, names = target.snn, spiking_layers(target.snn)
    for number, (name, what) in enumerate((name, what) for name in names for what in whats):
        _told(report, number / (len(names) * len(whats)), f"{what} of {name}")
        each = what == CALIBRATIONS[2]
        (outcome,) = target.run([_until(snn, name)])
        rates = neuron_rates(snn, outcome, name) if each else channel_rates(snn, outcome, name)
        theta = snn.thresholds[name].reshape(-1, *[1] * (rates.ndim - 1))
        missing, old = target.mean(name, each=each) - rates * theta, snn.adjustment(name)
        if what == "bias":
            # The current is multiplied by the excitability as all input is, which is divided out here.
            each_channel = old.excitability.reshape(-1, *[1] * (old.bias.ndim - 1))
            added = missing.reshape(each_channel.shape) / each_channel
            snn = snn.with_adjustment(name, bias=old.bias + added)
            continue
        charge = missing * (target.trials.T - snn.options.pre_run) / theta  # over all steps, in thresholds
        start = old.start.reshape(-1, *[1] * (charge.ndim - 1)) if old.start.ndim < charge.ndim else old.start
        snn = snn.with_adjustment(name, start=np.clip(start + charge, -1, 1))
    return snn


def _until(snn: SpikingNetwork, name: str) -> SpikingNetwork:
    """The network as far as a layer: those after it are so hard to excite that they never fire, and cost little."""
    names = spiking_layers(snn)
    for later in names[names.index(name) + 1 :]:
        excitability = snn.adjustment(later).excitability * np.float32(SILENT)
        snn = snn.with_adjustment(later, excitability=excitability, start=0)
    return snn


@dataclass(frozen=True, eq=False)
class Homeostasis(Brief):
    """How neurons that regulate their excitability have brought layers back to their rates.

    Parameters
    ----------
    snn : SpikingNetwork
        The network in the end.
    layers : tuple of str
        Those that are regulated.
    rates : ndarray, shape (rounds + 1, layers)
        Spikes per neuron and step, before each round and in the end.
    targets : ndarray, shape (layers,)
        What they are held at.
    """

    snn: SpikingNetwork
    layers: tuple[str, ...]
    rates: Floats
    targets: Floats


def homeostasis(target: Target, *, rounds: int = 12, eta: float = ETA, report: Report | None = None) -> Homeostasis:
    """Let neurons change how excitable they are until their rates are what they ought to be.

    After each showing of images, the logarithm of a channel's excitability changes by ``eta`` times
    (r* - r)/max(r*, r), where r is its rate and r* that at which the ordinary network's mean activation would be told.
    All layers do so at once, each by what it sees of itself; there are no labels. It is intrinsic plasticity towards a
    target rate, as Turrigiano, Abbott & Marder 1994 (Science 264:974) found it and Diehl & Cook 2015 use it, with
    targets from the ordinary network. A channel that is silent there is left alone.

    Parameters
    ----------
    target : Target
        The network and its calibration images.
    rounds : int
        How often images are shown.
    eta : float
        The most by which the logarithm changes in a round.
    report : callable, optional
        Told which fraction is done, and of what.

    Raises
    ------
    ConversionError
        If ``rounds`` is less than 1, or ``eta`` is not above 0.
    """
    if isinstance(rounds, bool) or not isinstance(rounds, int) or rounds < 1:
        raise ConversionError(field_error("homeostasis, rounds", "a whole number of at least 1", rounds))
    if not 0 < eta < np.inf:
        raise ConversionError(field_error("homeostasis, eta", "a number above 0", eta))
    snn = target.snn
    names = spiking_layers(snn)
    held = {name: np.minimum(target.means[name] / snn.thresholds[name], 1) for name in names}
    course = []
    for number in range(rounds + 1):
        _told(report, number / (rounds + 1), "homeostasis")
        (outcome,) = target.run([snn])
        rates = {name: channel_rates(snn, outcome, name) for name in names}
        course.append([float(rates[name].mean()) for name in names])
        for name in names if number < rounds else ():
            r, most = rates[name], np.maximum(held[name], rates[name])
            change = np.where(held[name] > 0, (held[name] - r) / np.where(most > 0, most, 1), 0)
            snn = snn.with_adjustment(name, excitability=snn.adjustment(name).excitability * np.exp(eta * change))
    return Homeostasis(snn, tuple(names), np.array(course), np.array([float(held[name].mean()) for name in names]))


def _told(report: Report | None, fraction: float, what: str) -> None:
    if report is not None:
        report(fraction, what)
