"""Spike trains and images: their distributions, and what happens when rates change."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from brian2 import Hz, Network, NeuronGroup, PoissonGroup, Quantity, SpikeMonitor, Synapses, ms, mV, second
from scipy import stats

import biosnn
from biosnn import Dense, Projection
from biosnn.errors import ModelError, QuantityError
from biosnn.inputs import poisson

DT = 0.5 * ms
TARGETS = ["numpy", pytest.param("cython", marks=pytest.mark.slow), pytest.param("cpp", marks=pytest.mark.cpp)]


def steps_of(monitor: SpikeMonitor) -> Any:
    """Number of the time step of each spike."""
    return np.rint(np.asarray(monitor.t / DT)).astype(int)


def fires(n: int, steps: int, monitor: SpikeMonitor) -> Any:
    """Whether a neuron spiked in a step: (steps, neurons)."""
    found = np.zeros((steps, n), dtype=int)
    np.add.at(found, (steps_of(monitor), np.asarray(monitor.i)), 1)
    assert found.max(initial=0) <= 1
    return found


def plausible(count: int, trials: int, p: float) -> bool:
    """Whether a count of successes is within what a binomial distribution gives but once in a million."""
    low, high = stats.binom.ppf([5e-7, 1 - 5e-7], trials, p)
    return bool(low <= count <= high)


@pytest.mark.parametrize("target", TARGETS)
def test_poisson_neurons_spike_with_probability_rate_dt_in_each_step_independently(target: str) -> None:
    n, steps, p = 400, 1000, 0.1
    with biosnn.session(target, seed=3, dt=DT) as sim:
        inputs = poisson(n, p / DT)
        monitor = SpikeMonitor(inputs)
        sim.run(Network(inputs, monitor), steps * DT)
        found = fires(n, steps, monitor)
    assert plausible(found.sum(), n * steps, p)
    assert stats.kstest(found.sum(axis=0) + np.random.default_rng(0).random(n), smooth(steps, p)).pvalue > 1e-3
    assert stats.kstest(found.sum(axis=1) + np.random.default_rng(1).random(steps), smooth(n, p)).pvalue > 1e-3
    # In the first step as in any other, and in a step after a spike as in any other.
    assert plausible(found[0].sum(), n, p)
    assert plausible((found[1:] & found[:-1]).sum(), n * (steps - 1), p * p)
    intervals = np.concatenate([np.diff(np.flatnonzero(train)) for train in found.T])
    longest = 30
    expected = stats.geom.pmf(np.arange(1, longest), p)
    counts = np.bincount(np.minimum(intervals, longest), minlength=longest + 1)[1:]
    chance = [*expected, 1 - expected.sum()]
    # Intervals that the end cuts off are missing: long ones a little more often, by 1 % here.
    assert stats.chisquare(counts, np.array(chance) * counts.sum()).pvalue > 1e-3


def smooth(trials: int, p: float) -> Any:
    """The distribution function of a binomial number plus a uniform one, which has no steps."""

    def cdf(x: Any) -> Any:
        below = np.floor(x)
        return stats.binom.cdf(below - 1, trials, p) + (x - below) * stats.binom.pmf(below, trials, p)

    return cdf


def test_each_neuron_has_its_own_rate_and_none_at_zero() -> None:
    rates, steps = np.array([0, 2, 20, 200, 1000, 2000.0]), 20_000
    with biosnn.session("numpy", seed=4, dt=DT) as sim:
        inputs = poisson(len(rates), rates * Hz)
        monitor = SpikeMonitor(inputs)
        sim.run(Network(inputs, monitor), steps * DT)
        counts = np.asarray(monitor.count)
    for rate, count in zip(rates, counts, strict=True):
        assert plausible(count, steps, rate * float(DT)), rate
    assert counts[0] == 0
    assert counts[-1] == steps


@pytest.mark.parametrize("target", [TARGETS[0], pytest.param("cython", marks=pytest.mark.slow), TARGETS[2]])
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_a_new_rate_holds_from_the_step_in_which_it_is_set(target: str, precision: str) -> None:
    n, half = 300, 400
    with biosnn.session(target, seed=5, dt=DT, precision=precision) as sim:
        inputs = poisson(n, 0 * Hz)
        inputs.run_regularly(f"rates = int(t_in_timesteps >= {half})*(100*Hz + i*Hz)", when="start")
        monitor = SpikeMonitor(inputs)
        network = Network(inputs, monitor)
        sim.run(network, 2 * half * DT)
        inputs.run_regularly("rates = 0*Hz", when="start", order=1)
        sim.run(network, half * DT)
        steps = steps_of(monitor)
    assert steps.min() == half  # the chance of no spike there is e^-38
    assert steps.max() < 2 * half
    assert plausible(len(steps), n * half, float(np.mean(100 + np.arange(n)) * DT / second))
    # As many right after the change as later: no memory of the long wait before it.
    assert plausible(np.count_nonzero(steps < half + 20), n * 20, float(np.mean(100 + np.arange(n)) * DT / second))


def test_rates_are_set_between_runs_and_by_a_synapse() -> None:
    with biosnn.session("numpy", seed=6, dt=DT) as sim:
        inputs = poisson(200, 0 * Hz)
        switch = NeuronGroup(1, "on : 1", threshold="t_in_timesteps == 100", namespace={})
        turn_on = Synapses(switch, inputs, on_pre="rates_post = 1/dt", namespace={})
        turn_on.connect()
        monitor = SpikeMonitor(inputs)
        network = Network(inputs, switch, turn_on, monitor)
        sim.run(network, 110 * DT)
        inputs.rates = 0 * Hz
        sim.run(network, 50 * DT)
        inputs.rates[:3] = 2000 * Hz
        sim.run(network, 4 * DT)
        found = fires(200, 164, monitor)
    assert found[:101].sum() == 0  # synapses come after thresholds
    assert found[101:110].all()
    assert found[110:160].sum() == 0
    assert found[160:, :3].all()
    assert found[160:, 3:].sum() == 0


def test_a_group_that_was_paused_goes_on_as_if_nothing_had_been() -> None:
    with biosnn.session("numpy", seed=7, dt=DT) as sim:
        inputs = poisson(1000, 100 * Hz)
        monitor = SpikeMonitor(inputs)
        network = Network(inputs, monitor)
        for active in (True, False, True):
            inputs.active = active
            sim.run(network, 100 * DT)
        found = fires(1000, 300, monitor)
    assert found[100:200].sum() == 0
    assert plausible(found[200].sum(), 1000, 0.05)


def test_rates_set_by_statements_beyond_what_is_possible_saturate() -> None:
    with biosnn.session("numpy", seed=8, dt=DT) as sim:
        inputs = poisson(2, 0 * Hz)
        inputs.run_regularly("rates = (-1 + 2*i)*10*kHz", when="start")
        monitor = SpikeMonitor(inputs)
        sim.run(Network(inputs, monitor), 50 * DT)
        assert list(monitor.count) == [0, 50]


@pytest.mark.cpp
def test_a_rate_of_minus_zero_is_seen_once_and_draws_nothing_anew() -> None:
    """The C++ loop goes through all neurons in each step in which bits of a rate differ from those it has seen."""
    trains = []
    for factor in ("1", "1 - 2*int(t_in_timesteps == 3)*int(i % 2 == 0)"):
        with biosnn.session("cpp", seed=8, dt=DT) as sim:
            inputs = poisson(40, np.arange(40) % 2 * 200 * Hz, name="inputs")
            inputs.run_regularly(f"rates = rates*({factor})", when="start")
            monitor = SpikeMonitor(inputs)
            sim.run(Network(inputs, monitor), 60 * DT)
            trains.append(np.array([monitor.i, steps_of(monitor)]))
            seen = inputs.variables["_rates_seen"].get_value().view(np.int64)
            rates = inputs.variables["rates"].get_value()
            np.testing.assert_array_equal(seen, rates.view(np.int64))
    assert np.signbit(rates[::2]).all()
    np.testing.assert_array_equal(trains[0], trains[1])


def test_subgroups_synapses_and_projections_take_the_spikes() -> None:
    with biosnn.session("numpy", seed=9, dt=DT) as sim:
        inputs = poisson(6, np.arange(6) * 200 * Hz)
        part = inputs[2:5]
        by_synapses, by_projection = (NeuronGroup(3, "x : 1", namespace={}) for _ in range(2))
        synapses = Synapses(part, by_synapses, on_pre="x_post += 1 + i", namespace={})
        synapses.connect()
        projection = Projection(part, by_projection, Dense(), on_pre="x_post += 1 + i")
        monitor = SpikeMonitor(inputs)
        sim.run(Network(inputs, by_synapses, by_projection, synapses, projection, monitor), 200 * DT)
        expected = monitor.count[2:5] @ np.array([1, 2, 3])
        np.testing.assert_array_equal(by_synapses.x, np.full(3, expected))
        np.testing.assert_array_equal(by_projection.x, np.full(3, expected))


def test_it_drives_a_network_as_poisson_group_does() -> None:
    """The same mean and variance of a leaky integral of 100 trains."""
    values = []
    for make in (poisson, PoissonGroup):
        with biosnn.session("numpy", seed=10, dt=DT) as sim:
            inputs = make(2000, 40 * Hz)
            leaky = NeuronGroup(200, "dv/dt = -v/(10*ms) : volt", method="exact", namespace={})
            synapses = Synapses(inputs, leaky, on_pre="v_post += mV", namespace={})
            synapses.connect(i=np.arange(2000), j=np.arange(2000) % 200)
            sim.run(Network(inputs, leaky, synapses), 0.2 * second)
            values.append(np.asarray(leaky.v / mV))
    ours, stock = values
    assert stats.ttest_ind(ours, stock).pvalue > 1e-3
    assert 0.6 < np.var(ours) / np.var(stock) < 1.7


WRONG: list[tuple[Any, Any, type[Exception], str]] = [
    (3, -1 * Hz, ModelError, r"poisson.*, rates: expected rates from 0 Hz .* \(got -1\. \* hertz\)"),
    (3, 2001 * Hz, ModelError, r"one spike per time step"),
    (3, np.array([1, np.nan, 1]) * Hz, ModelError, r"got nan"),
    (3, np.ones(4) * Hz, ModelError, r"one rate or 3 \(got 'shape \(4,\)'\)"),
    (3, 3 * ms, QuantityError, r"rates"),
    (3, 3.0, QuantityError, r"rates"),
    (0, 3 * Hz, ModelError, r"n: expected a whole number of at least 1"),
    (2.5, 3 * Hz, ModelError, r"n: expected a whole number of at least 1"),
    ("a", 3 * Hz, ModelError, r"poisson, n: expected a whole number of at least 1 \(got 'a'\)"),
    (None, 3 * Hz, ModelError, r"n: expected a whole number of at least 1 \(got None\)"),
    (np.nan, 3 * Hz, ModelError, r"n: expected a whole number of at least 1 \(got nan\)"),
    (np.inf, 3 * Hz, ModelError, r"n: expected a whole number of at least 1 \(got inf\)"),
    ([1, 2], 3 * Hz, ModelError, r"n: expected a whole number of at least 1"),
    (3 * second, 3 * Hz, ModelError, r"n: expected a whole number of at least 1"),
    (3, "some", QuantityError, r"rates: Quantity 'some'"),
    (3, "5 ms", QuantityError, r"rates: expected a quantity in Hz"),
    (3, "1e9 Hz", ModelError, r"one spike per time step"),
    (3, None, ModelError, r"rates: expected rates, such as 10\*Hz \(got None\)"),
    (3, np.ones(3) * 1j * Hz, ModelError, r"rates: expected rates.*complex128"),
    (3, [[1], [1, 2]], ModelError, r"rates: expected rates"),
]


@pytest.mark.parametrize(("n", "rates", "error", "message"), WRONG)
def test_what_does_not_fit_is_refused(n: Any, rates: Quantity, error: type[Exception], message: str) -> None:
    with biosnn.session("numpy", seed=1, dt=DT), pytest.raises(error, match=message):
        poisson(n, rates)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"dt": 1}, QuantityError, "poisson, dt: expected a quantity in second"),
        ({"dt": -1 * ms}, ModelError, "poisson, dt: expected a time above 0"),
        ({"dt": 0 * ms}, ModelError, "poisson, dt: expected a time above 0"),
        ({"dt": [1, 2] * ms}, ModelError, "poisson, dt: expected one time"),
        ({"name": "a-b"}, ModelError, r"poisson, name: expected letters.* \(got 'a-b'\)"),
        ({"name": 3}, ModelError, r"poisson, name: expected letters.* \(got 3\)"),
    ],
)
def test_a_time_step_or_name_that_does_not_fit_is_refused(
    given: dict[str, Any], error: type[Exception], message: str
) -> None:
    with biosnn.session("numpy", seed=1, dt=DT), pytest.raises(error, match=message):
        poisson(3, 5 * Hz, **given)


def test_quantities_can_be_text() -> None:
    with biosnn.session("numpy", seed=1, dt=DT):
        inputs = poisson(3, "5 Hz", dt="2 ms")
        np.testing.assert_array_equal(inputs.rates / Hz, [5, 5, 5])
        assert inputs.clock.dt == 2 * ms


def test_rates_that_do_not_fit_are_refused_later_too() -> None:
    with biosnn.session("numpy", seed=1, dt=DT):
        inputs = poisson(3, 10 * Hz)
        with pytest.raises(ModelError, match="rates from 0 Hz"):
            inputs.rates = 1e5 * Hz
        with pytest.raises(ModelError, match=r"a slice such as"):
            inputs[2]
        with pytest.raises(ModelError, match=r"neurons in a row"):
            inputs[::2]
