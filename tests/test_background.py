"""Background input: the distribution of what arrives, its independence, and what may be set when."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from brian2 import Hz, Network, NeuronGroup, Quantity, StateMonitor, ms, mV, nA
from scipy import stats

import biosnn
from biosnn.engine import Point
from biosnn.errors import BiosnnError

DT = 0.1 * ms
TARGETS = ["numpy", pytest.param("cpp", marks=pytest.mark.cpp)]
MEANS = (0.05, 1.6, 9.9, 10.1, 300.0, 3000.0)
"""On both sides of where one way to draw takes the place of another: 10 and 1000."""
CELLS, STEPS = 1500, 60


def counting(n: int, **kwds: Any) -> NeuronGroup:
    """Neurons of which x is what has arrived in the present step."""
    group = NeuronGroup(n, "x : 1", namespace={}, **kwds)
    group.run_regularly("x = 0", when="start")
    return group


def rate(mean: float) -> Quantity:
    """Of each of a hundred sources, for so many spikes in a time step."""
    return mean / 100 / DT


def p_value(counts: np.ndarray, mean: float) -> float:
    """Chi-square of Pearson for the Poisson distribution, in some twenty bins of about equal probability."""
    edges = np.unique(stats.poisson.ppf(np.linspace(0, 1, 21)[1:-1], mean))
    below = np.concatenate([[0.0], stats.poisson.cdf(edges, mean), [1.0]])
    expected = np.diff(below) * counts.size
    seen = np.bincount(np.searchsorted(edges, counts), minlength=len(expected))
    kept = expected > 5
    return float(stats.chisquare(seen[kept], expected[kept] * seen[kept].sum() / expected[kept].sum()).pvalue)


@pytest.mark.parametrize("target", ["numpy", pytest.param("cpp", marks=[pytest.mark.cpp, pytest.mark.slow])])
def test_what_arrives_in_a_step_has_the_poisson_distribution_and_is_independent(target: str) -> None:
    with biosnn.session(target, seed=2, dt=DT) as sim:
        seen, network = [], Network()
        for mean in MEANS:
            for rates in (rate(mean), np.full(CELLS, float(rate(mean))) * Hz):
                group = counting(CELLS)
                monitor = StateMonitor(group, "x", record=range(0, CELLS, 5), when="end")
                network.add(group, monitor, biosnn.background(group, "x", n=100, rate=rates, weight=1))
                seen.append((mean, monitor))
        sim.run(network, STEPS * DT)
        values = [(mean, np.array(monitor.x)) for mean, monitor in seen]
    # Twelve tests of each kind at one per mille together.
    for mean, x in values:
        assert p_value(x.ravel(), mean) > 1e-3 / len(values), mean
        deviations = (x - mean) / np.sqrt(mean)
        for pairs in (deviations[:, 1:] * deviations[:, :-1], deviations[1:] * deviations[:-1]):
            assert abs(pairs.mean()) * np.sqrt(pairs.size) < stats.norm.isf(1e-3 / len(values) / 4), mean
    assert not np.array_equal(values[2][1], values[3][1])


def test_it_has_the_mean_and_variance_of_poisson_input_of_brian_in_its_limit() -> None:
    """Many sources of a low rate, as in the microcircuit of Potjans & Diesmann (2014): 1600 sources of 8 Hz."""
    from brian2 import PoissonInput

    with biosnn.session("numpy", seed=3, dt=DT) as sim:
        ours, brians = counting(2000), counting(2000)
        both = [
            biosnn.background(ours, "x", n=1600, rate=8 * Hz, weight=0.5),
            PoissonInput(brians, "x", 1600, 8 * Hz, 0.5),
        ]
        monitors = [StateMonitor(group, "x", record=True, when="end") for group in (ours, brians)]
        sim.run(Network(ours, brians, both, monitors), 50 * DT)
        mine, brian = (np.array(monitor.x).ravel() for monitor in monitors)
    assert mine.mean() == pytest.approx(brian.mean(), rel=0.02)
    assert mine.var() == pytest.approx(brian.var(), rel=0.03)


@pytest.mark.parametrize("target", TARGETS)
def test_it_can_be_set_between_runs_in_a_run_and_by_the_points_of_a_sweep(target: str) -> None:
    with biosnn.session(target, seed=4, dt=DT) as sim:
        group = counting(200, name="cells")
        drive = biosnn.background(group, "x", n=np.full(200, 50.0), rate=400 * Hz, weight=np.arange(200), name="drive")
        drive.run_regularly("rate = rate*int(t < 2*ms) - 1*Hz*int(t >= 3*ms)", when="start")
        monitor = StateMonitor(group, "x", record=True, when="end")
        network = Network(group, drive, monitor)

        def read(_: int) -> np.ndarray:
            return np.array(monitor.x)

        points = [
            Point({"drive.rate": 400 * Hz}, seed=1),
            Point({"drive.rate": 400 * Hz}, seed=1),
            Point({"drive.rate": 400 * Hz}, seed=2),
            Point({"drive.rate": 4000 * Hz}, seed=1),
            Point({"drive.rate": 0 * Hz}, seed=1),
        ]
        same, again, other, more, none = sim.sweep(network, lambda: sim.run(network, 4 * ms), points, read)
    weight = np.arange(200)
    assert not same[0].any()  # a weight of 0
    assert np.all(same[1:] % weight[1:, None] == 0)
    assert not same[:, 20:].any()
    per_step = same[1:, :20] / weight[1:, None]
    assert per_step.mean() == pytest.approx(2, rel=0.05)  # 50 sources of 400 Hz in 0.1 ms
    np.testing.assert_array_equal(again, same)
    assert not np.array_equal(other, same)
    assert (more[1:, :20] / weight[1:, None]).mean() == pytest.approx(20, rel=0.05)
    assert not none.any()


@pytest.mark.cpp
def test_on_cpp_a_neurons_numbers_do_not_depend_on_how_many_there_are() -> None:
    """Part of a group gets what its first neurons would get, and nobody else anything."""
    seen = []
    for cells, part in ((40, slice(0, 40)), (60, slice(10, 30))):
        with biosnn.session("cpp", seed=5, dt=DT, precision="float32") as sim:
            group = counting(cells)
            drive = biosnn.background(group[part], "x", n=10, rate=3000 * Hz, weight=1)
            monitor = StateMonitor(group, "x", record=True, when="end")
            sim.run(Network(group, drive, monitor), 20 * DT)
            seen.append(np.array(monitor.x))
    whole, some = seen
    assert whole[:20].mean() == pytest.approx(3, rel=0.2)
    np.testing.assert_array_equal(some[10:30], whole[:20])
    assert not some[:10].any()
    assert not some[30:].any()


@pytest.mark.parametrize("target", TARGETS)
def test_a_refractory_neuron_gets_nothing(target: str) -> None:
    with biosnn.session(target, seed=1, dt=DT) as sim:
        group = NeuronGroup(
            30, "dv/dt = 0*volt/second : volt (unless refractory)", threshold="v > 1*mV", reset="v = 0*mV",
            refractory=1 * ms, method="euler", namespace={},
        )  # fmt: skip
        drive = biosnn.background(group, "v", n=100, rate=1000 * Hz, weight=0.2 * mV)
        monitor = StateMonitor(group, "v", record=True, when="end")
        sim.run(Network(group, drive, monitor), 2 * ms)
        v, spiked = np.array(monitor.v), np.array(group.lastspike)
    assert (spiked >= 0).all()  # 2 mV a step arrive: each neuron fires at once, and rests for ten steps
    assert (v == 0).mean() > 0.7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"onto": "w"}, "No variable of the neurons named 'w'"),
        ({"onto": "z"}, "No variable of the neurons named 'z'"),
        ({"rate": -1 * Hz}, "rate: expected finite values, none negative"),
        ({"rate": np.array([1, np.nan, 3]) * Hz}, "rate: expected finite values, none negative"),
        ({"rate": 3 * ms}, "rate"),
        ({"rate": np.ones(2) * Hz}, r"rate: expected one value or 3 \(got 'shape \(2,\)'\)"),
        ({"n": -4}, "n: expected finite values, none negative"),
        ({"n": "many"}, "n"),
        ({"weight": 3 * mV}, "weight"),
        ({"weight": np.inf * nA}, "weight: expected finite values"),
        ({"name": "1"}, "name: expected letters"),
        ({"target": 3}, "target: expected a group of neurons"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any], message: str) -> None:
    with biosnn.session("numpy", dt=DT):
        group = NeuronGroup(3, "I : amp\nz : amp (shared)", namespace={})
        given = {"target": group, "onto": "I", "n": 5, "rate": 8 * Hz, "weight": 1 * nA, **change}
        with pytest.raises(BiosnnError, match=message):
            biosnn.background(given.pop("target"), given.pop("onto"), **given)


def test_what_is_one_value_stays_one() -> None:
    with biosnn.session("numpy", dt=DT):
        group = NeuronGroup(3, "I : amp", namespace={})
        drive = biosnn.background(group, "I", rate="8 Hz", weight="1 nA")
        assert drive.n[:] == 1
        with pytest.raises(BiosnnError, match="To let it differ from neuron to neuron, give an array"):
            drive.rate = np.ones(3) * Hz
        with pytest.raises(BiosnnError, match="none negative"):
            drive.rate = -1 * Hz
