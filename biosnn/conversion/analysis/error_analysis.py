"""Where a converted network loses accuracy: what each layer does to what it gets.

A layer's rate differs from the activation that it stands for by parts that add up. It *inherits* the difference of what
it really gets on average from what it should. *Clipping* is what exceeds the threshold, as no neuron fires more than
once per step. *Quantisation* is the rest of a spike, which no number of spikes represents. *Reset and leak* is what the
same neuron loses at a constant input. What remains is *unevenness*: spikes of both signs arrive in an order of their
own, so that a neuron fires before an inhibition comes, or not yet when an excitation has come (Bu et al. 2022, section
3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Network, SpikeMonitor
from numpy.typing import ArrayLike, NDArray

from biosnn.ann.affine import forward
from biosnn.ann.connections import order, spread
from biosnn.ann.images import check_images
from biosnn.ann.reference import reference
from biosnn.conversion.analysis.remedies import rated_steps
from biosnn.conversion.build import OFF, ON
from biosnn.conversion.connections import pixel_order
from biosnn.conversion.membrane import DT, Membrane
from biosnn.conversion.network import SpikingNetwork, largest_pixel
from biosnn.conversion.outcome import Outcome
from biosnn.conversion.populations import MAXIMUM, RELU, Population
from biosnn.display import Brief
from biosnn.engine import session
from biosnn.errors import ConversionError, field_error
from biosnn.groups.build import neurons

PARTS = ("inherited", "clipping", "quantisation", "reset and leak", "unevenness")
"""What the error of a layer is separated into."""
LEVELS = 1000
"""At how many constant inputs the own loss of a neuron model is looked up."""
LOSSLESS = ("if_soft", "if_signed", "if_burst")
"""The neuron models of the catalogue whose reset loses nothing."""


@dataclass(frozen=True, eq=False)
class LayerReport(Brief):
    """How well a population stands for its layer.

    Parameters
    ----------
    name : str
        Of the layer.
    neurons : int
        How many.
    rate : float
        Spikes per neuron and step.
    correlation : float
        Of rates and activations, over neurons and images; NaN where either is constant.
    silent : float
        Fraction of the neurons that never fired.
    dead : float
        Fraction of the neurons whose activation was zero for all images: they have nothing to transmit.
    saturated : float
        Fraction of the responses (a neuron, an image) with a spike in every step.
    errors : mapping of str to float
        Root mean square of each of the `PARTS` and of their sum, the "error"; in root mean squares of the activation.
    bias : mapping of str to float
        Their means, in means of the activation: what is lost (below 0) or too much.
    activations, rates : ndarray of float32, shape (points,)
        Some of the pairs, for a scatter plot; rates as activations.
    """

    name: str
    neurons: int
    rate: float
    correlation: float
    silent: float
    dead: float
    saturated: float
    errors: Mapping[str, float]
    bias: Mapping[str, float]
    activations: NDArray[np.float32]
    rates: NDArray[np.float32]


def explain(
    snn: SpikingNetwork, images: ArrayLike, outcome: Outcome, *, points: int = 2000, seed: int = 0
) -> list[LayerReport]:
    """Compare every population that spikes with the layer that it stands for.

    Parameters
    ----------
    snn : SpikingNetwork
        The network.
    images : array_like, shape (n, *shape of the input)
        What it was shown.
    outcome : Outcome
        What it did, by ``run(..., each=True)``.
    points : int
        How many pairs of activation and rate are kept of each layer, drawn at random.
    seed : int
        Of that draw.

    Returns
    -------
    list of LayerReport
        In the order of computation; pooling of maxima is left out.

    Raises
    ------
    ConversionError
        If the network codes values by first spikes, or spikes were not counted for each image.
    """
    if snn.options.code != "rate":
        do = "First spikes have no rates: biosnn.measure.layer_activity and outcome.firsts say what its layers do."
        raise ConversionError(field_error("explain", "a network of the code 'rate'", snn.options.code, do))
    inputs = check_images(snn.graph, images)
    if any(len(counts) != len(inputs) for counts in outcome.spikes.values()) or len(outcome.potentials) != len(inputs):
        do = "Run it with each=True, on these images."
        raise ConversionError(field_error("explain, outcome", f"spikes for each of {len(inputs)} images", outcome, do))
    names = [population.name for population in snn.network.hidden if population.kind == RELU]
    meant = reference(snn.graph).activations(inputs, names)
    told = {**_input_rates(snn, inputs, outcome), **_rates(snn, outcome)}
    response_curves: dict[tuple[float, ...], NDArray[np.float64] | None] = {}
    rng = np.random.default_rng(seed)
    reports = []
    for population in snn.network.hidden:
        if population.kind != MAXIMUM:
            loses = snn.options.model.name not in LOSSLESS
            starts = tuple(np.unique(snn.adjustment(population.name).start).tolist()) if loses else ()
            if starts not in response_curves:
                response_curves[starts] = _own_rates(snn, rated_steps(snn, outcome), starts) if loses else None
            reports.append(
                _report(
                    snn,
                    population,
                    meant[population.name],
                    outcome,
                    told,
                    response_curves[starts],
                    points,
                    rng,
                )
            )
    return reports


def _rates(snn: SpikingNetwork, outcome: Outcome) -> dict[str, NDArray[np.float32]]:
    """What spikes stand for, as activations, channels first; for each population that spikes but the output."""
    rates_by_name = {}
    for population in snn.network.hidden:
        theta = spread(snn.thresholds[population.name], population.shape)
        rates = outcome.sent[population.name] * theta / rated_steps(snn, outcome)
        rates_by_name[population.name] = _laid(rates, order(population.shape), population.shape)
    return rates_by_name


def _laid(values: NDArray[Any], order: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The values of neurons as those of the layer."""
    flat = np.empty(values.shape, np.float32)
    flat[:, order] = values
    return flat.reshape(len(values), *shape)


def _input_rates(snn: SpikingNetwork, images: NDArray[np.float32], outcome: Outcome) -> dict[str, NDArray[np.float32]]:
    """What the input brought on average."""
    name, shape = snn.graph.input.name, snn.graph.input.shape
    if snn.options.input == "analog":
        return {name: images}
    counts = outcome.spikes[ON] - outcome.spikes.get(OFF, np.zeros_like(outcome.spikes[ON]))
    if snn.options.input == "first spike":  # each lasts: how long does not stand in its count, but in the pixel
        levels = np.round(np.clip(images / largest_pixel(snn), -1, 1) * outcome.steps) / outcome.steps
        return {name: (levels * largest_pixel(snn)).astype(np.float32)}
    return {name: _laid(counts * largest_pixel(snn) / outcome.steps, pixel_order(snn.network), shape)}


def _own_rates(snn: SpikingNetwork, steps: int, starts: Sequence[float]) -> NDArray[np.float64]:
    """What the neuron model sends per step, by its start and at constant inputs up to what a step can bring."""
    model = snn.options.model
    membrane = Membrane.of(model)
    with session("numpy", dt=DT) as sim:
        drives = np.tile(np.linspace(0, membrane.most, LEVELS + 1), len(starts)) * membrane.current
        begin = membrane.begin(np.repeat(starts, LEVELS + 1))
        values = {membrane.drive: drives, membrane.potential: begin}
        group = neurons(len(drives), model, name="alone", values=values)
        carried = [model.spike_value] if model.spike_value else []
        monitor = SpikeMonitor(group, variables=carried, name="alone_spikes")
        sim.run(Network(group, monitor), steps * DT)
        fired = np.asarray(monitor.i[:])
        weights = np.asarray(getattr(monitor, model.spike_value)[:], float) if carried else np.ones(len(fired))
        sent = np.bincount(fired, weights, minlength=len(drives))
        return np.asarray(sent, float).reshape(len(starts), -1) / steps


def _report(
    snn: SpikingNetwork,
    population: Population,
    meant: NDArray[np.float32],
    outcome: Outcome,
    told: Mapping[str, NDArray[np.float32]],
    response_curve: NDArray[np.float64] | None,
    points: int,
    rng: np.random.Generator,
) -> LayerReport:
    shape = (-1,) + (1,) * (len(population.shape) - 1)
    theta = snn.thresholds[population.name].reshape(shape).astype(np.float64)
    rate, steps, most = told[population.name], rated_steps(snn, outcome), snn.options.most
    counts, sent = outcome.spikes[population.name], outcome.sent[population.name]
    excitability, bias, start = (
        snn.adjustment(population.name).of_layer(name, population.shape) for name in ("excitability", "bias", "start")
    )
    # From the activation to the rate, one imperfection after another: the input that really came (got), at most so many
    # spikes per step (clipped), whole spikes (floor(T a/theta + start)/T, Bu et al. 2022), the neuron's own reset and
    # leak (alone). The differences of neighbours add up to rate - meant. 1e-6 keeps rounding from costing a spike.
    got = np.maximum((_mean_input(population, told) + bias) * excitability, 0)
    clipped = np.minimum(got, most * theta)
    whole = np.clip(np.floor(clipped / theta * steps + start + 1e-6), 0, most * steps) / steps * theta
    alone = whole
    if response_curve is not None:
        place = np.searchsorted(np.unique(start), start)  # of the channel's start among all
        alone = response_curve[place, np.round(clipped / (most * theta) * LEVELS).astype(np.int64)] * theta
    parts = dict(zip(PARTS, (got - meant, clipped - got, whole - clipped, alone - whole, rate - alone), strict=True))
    parts["error"] = rate - meant
    scale, mean = float(np.sqrt(np.mean(meant**2))) or 1.0, float(np.mean(meant)) or 1.0
    chosen = rng.choice(meant.size, min(points, meant.size), replace=False)
    a, r = meant.ravel(), rate.ravel()
    constant = not np.ptp(a) or not np.ptp(r)
    return LayerReport(
        population.name,
        population.neurons,
        float(counts.mean() / outcome.steps),
        float("nan") if constant else float(np.corrcoef(a, r)[0, 1]),
        float(np.mean(~counts.any(axis=0))),
        float(np.mean(~meant.any(axis=0))),
        float(np.mean(sent >= most * steps)),
        {name: float(np.sqrt(np.mean(np.square(part, dtype=np.float64)))) / scale for name, part in parts.items()},
        {name: float(np.mean(part, dtype=np.float64)) / mean for name, part in parts.items()},
        a[chosen],
        r[chosen],
    )


def _mean_input(population: Population, told: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """What a population got on average, a step, from what its sources really told."""
    mean_input = np.broadcast_to(population.bias, (len(next(iter(told.values()))), *population.shape)).astype(
        np.float32
    )
    for path in population.paths:
        values = told[path.source]
        for layer in path.layers:
            values = forward(layer, [values], bias=False)
        mean_input += values
    return mean_input
