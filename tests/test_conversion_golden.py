"""Integrate-and-fire neurons of a converted network against closed forms and simulated values, in Brian2 itself.

Golden values: computed beforehand by a simulation of the same equations in NumPy ([sim], REFERENCE section 4).
"""

from __future__ import annotations

import numpy as np
import pytest
from brian2 import Network, Quantity, SpikeMonitor, ms
from conversion_networks import graphs
from hypothesis import given, settings
from numpy.typing import NDArray

import biosnn
from biosnn.ann import Convolution, Graph, Input, Linear, Relu, affine, reference
from biosnn.ann.connections import order, spread
from biosnn.conversion import convert
from biosnn.conversion.build import build, pixel_sequence
from biosnn.conversion.membrane import DT
from biosnn.conversion.populations import Population

T = 1000


def rates(model: str, drives: NDArray[np.float64], steps: int, start: float = 0.0) -> NDArray[np.float64]:
    """Spikes a step of neurons under constant drives, in thresholds a step."""
    with biosnn.session("numpy", dt=1 * ms) as sim:
        values = {"z": Quantity(drives / ms), "v": np.full(len(drives), start)}
        group = biosnn.neurons(len(drives), model, name="cells", values=values)
        spikes = SpikeMonitor(group, record=False, name="spikes")
        sim.run(Network(group, spikes), steps * ms)
        return np.asarray(spikes.count[:], float) / steps


@pytest.mark.parametrize(
    ("model", "expected"), [("if_soft", [0.3, 0.45, 0.7, 0.9]), ("if_hard", [0.25, 1 / 3, 0.5, 0.5])]
)
def test_rates_under_a_constant_drive(model: str, expected: list[float]) -> None:
    drives = np.array([0.3, 0.45, 0.7, 0.9])
    np.testing.assert_allclose(rates(model, drives, T), expected, atol=1.01 / T)
    closed = drives if model == "if_soft" else 1 / np.ceil(1 / drives)
    np.testing.assert_allclose(expected, closed, atol=1e-12)


def one_after_the_other(depth: int) -> Graph:
    """A chain of single neurons with weights of 0.9."""
    layers: list[Input | Linear | Relu] = [Input(name="x", shape=(1,))]
    for number in range(depth):
        weight = np.array([[0.9]]) if number else np.array([[1.0]])
        layers.append(Linear(name=f"s{number}", inputs=(layers[-1].name,), weight=weight, bias=np.zeros(1)))
        layers.append(Relu(name=f"r{number}", inputs=(f"s{number}",)))
    last = Linear(name="y", inputs=(layers[-1].name,), weight=np.eye(1), bias=np.zeros(1))
    return Graph((*layers, last), output="y")


@pytest.mark.parametrize(
    ("model", "eighth", "of"), [("if_soft", 0.430, lambda k: 0.9 * 0.9**k), ("if_hard", 0.004, lambda k: 0.5**k)]
)
def test_a_chain_of_neurons_keeps_or_halves_the_rate(model: str, eighth: float, of: object) -> None:
    graph, drive = one_after_the_other(8 if model == "if_soft" else 9), np.array([[0.9]])
    snn = convert(graph, np.array([[1.0]]), neuron=model, start=0.0, method="max")
    snn = snn.with_thresholds({name: 1 / value for name, value in snn.thresholds.items()})  # all thresholds are 1
    spikes = snn.run(drive, T, target="numpy", precision="float64").spikes
    found = np.array([spikes[f"r{k}"].sum() / T for k in range(len(spikes))])
    # The soft chain begins with the driven neuron as layer 0; the hard one halves from its first layer on.
    expected = [of(k) if model == "if_soft" else of(k + 1) for k in range(len(found))]  # type: ignore[operator]
    np.testing.assert_allclose(found, expected, atol=0.003)
    layer = 7
    assert found[layer] == pytest.approx(eighth, abs=0.003)


@pytest.mark.parametrize(("steps", "rms"), [(4, 0.144), (8, 0.072), (16, 0.036), (32, 0.018)])
def test_what_whole_spikes_cannot_tell(steps: int, rms: float) -> None:
    drives = np.random.default_rng(0).random(4000)
    cut, rounded = (rates("if_soft", drives, steps, start) - drives for start in (0.0, 0.5))
    assert np.mean(cut) == pytest.approx(-1 / (2 * steps), rel=0.05)
    assert np.sqrt(np.mean(cut**2)) == pytest.approx(rms, rel=0.03)
    assert abs(np.mean(rounded)) < 0.03 / steps
    assert np.sqrt(np.mean(rounded**2)) == pytest.approx(rms / 2, rel=0.03)


@given(graph=graphs())
@settings(max_examples=12, deadline=None)
def test_what_is_missing_is_on_the_membrane(graph: Graph) -> None:
    """In each layer theta*count = T*(mean input) - theta*(v(T) - v(0)), so that a neuron with 0 <= v(T) < 1 tells its
    clipped mean input within theta/T, in whatever order its inputs came (Rueckauer et al. 2017, section 2.2)."""
    steps, images = 16, np.random.default_rng(0).random((4, *graph.input.shape)).astype(np.float32)
    if not all(counts.any() for counts in reference(graph, threads=1).activations(images).values()):
        return  # a layer is dead, which is an error of its own
    snn = convert(graph, images)
    with biosnn.session("numpy", dt=DT) as sim:
        built = build(snn, steps, 1)
        pictures = next(obj for obj in built.network.objects if obj.name == "pictures")
        pictures.variables["pixels"].set_value(pixel_sequence(snn, images[:1])[0])
        sim.run(built.network, steps * DT)
        counts = {name: counter.read(1)[0][0] for name, counter in built.spike_counters.items()}
        v = {population.name: np.array(built.groups[population.name].v[:]) for population in snn.network.hidden}
    told = {"x": images[:1].astype(float)}
    for population in snn.network.hidden:
        neurons, theta = (
            order(population.shape),
            spread(snn.thresholds[population.name], population.shape).astype(float),
        )
        rate, left = counts[population.name] * theta / steps, v[population.name]
        mean = mean_input(population, told)[neurons]
        np.testing.assert_allclose(rate, mean - theta * (left - 0.5) / steps, atol=1e-5)
        within = (left >= 0) & (left < 1)
        assert (np.abs(rate - np.clip(mean, 0, theta))[within] <= theta[within] / steps + 1e-5).all()
        told[population.name] = rate[np.argsort(neurons)].reshape(1, *population.shape)


def mean_input(population: Population, told: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """What a population got on average, channels first, from what its sources told."""
    total = population.bias.astype(float)[None]
    for path in population.paths:
        values = told[path.source]
        for layer in path.layers:
            values = affine.forward(layer, [values], bias=False)
        total = total + values
    return np.asarray(total.ravel())


def test_a_converted_layer_under_constant_currents_is_the_same_neuron() -> None:
    """One convolution of one pixel: rates of a converted network are those of single neurons."""
    drives = np.linspace(0, 0.99, 100)
    layers = (
        Input(name="x", shape=(1, 1, 1)),
        Convolution(name="c", inputs=("x",), weight=np.ones((1, 1, 1, 1)), bias=np.zeros(1)),
        Relu(name="r", inputs=("c",)),
        Linear(name="y", inputs=("r",), weight=np.eye(1), bias=np.zeros(1)),
    )
    snn = convert(Graph(layers, output="y"), np.ones((1, 1, 1, 1)), method="max")
    found = snn.run(drives[:, None, None, None], 20, each=True, target="numpy", precision="float64").spikes["r"]
    np.testing.assert_array_equal(found[:, 0] / 20, rates("if_soft", drives, 20, 0.5))
