"""Codings against their closed forms, a simulated neuron, and what they refuse."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from brian2 import Hz, Network, SpikeGeneratorGroup, SpikeMonitor, ms, mV, nA, second

import biosnn
from biosnn.coding import (
    CODINGS,
    TTFS,
    Bernoulli,
    Burst,
    Coding,
    Delta,
    MembraneTTFS,
    Phase,
    Poisson,
    Population,
    RankOrder,
    Regular,
    Spikes,
    coding,
    meanings,
)
from biosnn.theory import lif_rate

# ---- spikes --------------------------------------------------------------------------------------------------------

GRID = {"shape": (2, 3), "length": 10, "dt": 1 * ms}


def test_spikes_are_sorted_by_step_and_then_by_neuron_and_cannot_be_changed():
    spikes = Spikes([5, 0, 5, 0], [1, 4, 0, 4], **GRID)
    assert spikes.steps.tolist() == [0, 0, 5, 5]
    assert spikes.neurons.tolist() == [4, 4, 0, 1]
    with pytest.raises(ValueError, match="read-only"):
        spikes.steps[0] = 1


def test_what_spikes_tell():
    spikes = Spikes([2, 7, 2, 4, 4], [1, 1, 5, 1, 1], **GRID)
    assert (len(spikes), spikes.size, spikes.duration) == (5, 6, 10 * ms)
    assert spikes.times / ms == pytest.approx([2, 2, 4, 4, 7])
    assert spikes.counts().tolist() == [[0, 4, 0], [0, 0, 1]]
    assert spikes.first_steps().tolist() == [[10, 2, 10], [10, 10, 2]]
    assert spikes.first_times()[1, 2] == 2 * ms
    assert np.isposinf(spikes.first_times()[0, 0] / ms)
    assert spikes.ordinals().tolist() == [0, 0, 1, 2, 3]
    assert spikes.per_step()[4].tolist() == [[0, 2, 0], [0, 0, 0]]
    assert spikes.before(4).counts().tolist() == [[0, 1, 0], [0, 0, 1]]
    assert spikes.before(4).length == 10
    assert repr(spikes) == "Spikes(5 of neurons of shape (2, 3) in 10 steps of 1. ms)"


def test_a_raster_says_the_same():
    spikes = Spikes([2, 9, 0], [1, 1, 5], **GRID)
    raster = spikes.raster()
    assert raster.shape == (10, 2, 3)
    assert np.argwhere(raster).tolist() == [[0, 1, 2], [2, 0, 1], [9, 0, 1]]
    again = Spikes.from_raster(raster, 1 * ms)
    assert (again.steps.tolist(), again.neurons.tolist()) == (spikes.steps.tolist(), spikes.neurons.tolist())
    assert (again.shape, again.length) == ((2, 3), 10)


def test_no_spikes_are_spikes_too():
    spikes = Spikes([], [], **GRID)
    assert not len(spikes)
    assert not spikes.raster().any()


def test_times_fall_into_the_step_that_begins_with_them():
    times = np.array([0.3, 0.1 * 3, 0.29, 0.9999]) * ms
    spikes = Spikes.from_times(times, [0, 1, 2, 3], shape=(4,), duration=1 * ms, dt=0.1 * ms)
    assert spikes.steps.tolist() == [2, 3, 3, 9]


def test_spikes_drive_a_network_of_brian():
    spikes = Poisson(duration=50 * ms, rate=100 * Hz).encode(np.linspace(0, 1, 20), np.random.default_rng(1))
    spikes = Spikes.from_raster(spikes.per_step() > 0, spikes.dt)  # a generator of Brian2 gives one spike a step
    with biosnn.session("numpy", dt=1 * ms) as sim:
        group = SpikeGeneratorGroup(spikes.size, spikes.neurons, spikes.times, dt=spikes.dt)
        monitor = SpikeMonitor(group)
        sim.run(Network(group, monitor), spikes.duration)
        grid = {"shape": spikes.shape, "duration": spikes.duration, "dt": spikes.dt}
        seen = Spikes.from_times(monitor.t, np.array(monitor.i), **grid)
    assert len(spikes) > 20
    assert np.array_equal(seen.raster(), spikes.raster())


# ---- rates ---------------------------------------------------------------------------------------------------------


def test_the_regular_code_has_exactly_so_many_spikes_as_the_value_has_hundredths():
    spikes = Regular(duration=100 * ms, rate=1000 * Hz).encode(np.arange(101) / 100)
    assert spikes.counts().tolist() == list(range(101))


def test_the_regular_code_is_evenly_spread():
    values = np.random.default_rng(2).random(50)
    spikes = Regular(duration=300 * ms, rate=500 * Hz).encode(values)
    counts = np.cumsum(spikes.raster(), axis=0)
    assert np.array_equal(counts, np.floor(values * 0.5 * np.arange(1, 301)[:, np.newaxis]))
    for neuron in np.flatnonzero(counts[-1] > 1):
        intervals = np.diff(spikes.steps[spikes.neurons == neuron])
        assert intervals.max() - intervals.min() <= 1


def test_a_value_that_is_a_hundredth_but_for_rounding_has_its_spike():
    spikes = Regular(rate=1000 * Hz).encode(0.01 * (1 - 5e-10))
    assert spikes.steps.tolist() == [99]


def test_poisson_spikes_can_be_more_than_one_a_step():
    code = Poisson(rate=5000 * Hz, duration=1 * second)
    spikes = code.encode(0.5, np.random.default_rng(17))
    assert abs(len(spikes) - 2500) <= 5 * 50
    assert spikes.per_step().max() > 1


def test_bernoulli_spikes_at_every_step_or_never_at_probabilities_of_1_and_0():
    spikes = Bernoulli(rate=1000 * Hz).encode([[0, 1]], np.random.default_rng(3))
    assert spikes.counts().tolist() == [[0, 100]]


# ---- latencies -----------------------------------------------------------------------------------------------------


def test_ttfs_is_linear_and_silent_at_zero():
    code, values = TTFS(duration=100 * ms), np.array([1, 0.75, 0.5, 0.01, 0])
    spikes = code.encode(values)
    assert spikes.first_times() / ms == pytest.approx([0, 25, 50, 99, np.inf])
    assert code.latency(values) / ms == pytest.approx([0, 25, 50, 99, np.inf])
    assert code.decode(spikes) == pytest.approx(values, abs=1e-12)
    assert code.decode(spikes, 50 * ms) == pytest.approx([1, 0.75, 0.25, 0.25, 0.25])


def test_a_time_is_so_many_steps_as_its_decimals_say():
    code = TTFS(duration=1 * ms, dt=0.1 * ms)  # 0.3/0.1 is 2.9999999999999996 in doubles
    assert code.bound(0.3 * ms) == (10 - 3 + 1) / 20


@pytest.mark.parametrize(("drive", "taus"), [(2, 0.6931), (1.5, 1.0986)])
def test_a_membrane_is_charged_in_time(drive, taus):
    code = MembraneTTFS(tau=10 * ms, drive=drive, duration=20 * ms, dt=0.01 * ms)
    assert code.latency(1.0) / code.tau == pytest.approx(taus, abs=5e-5)
    assert code.encode(1.0).times / code.tau == pytest.approx([taus], abs=1e-3)


def test_the_latency_of_a_membrane_is_the_interval_of_a_lif_neuron():
    code, values = MembraneTTFS(tau=7 * ms, drive=4), np.linspace(0, 1, 41)
    rates = lif_rate(4 * values * mV, tau_m=7 * ms, v_th=1 * mV, v_reset=0 * mV, t_ref=0 * ms)
    assert 1 / (code.latency(values) / second) == pytest.approx(rates / Hz)
    assert np.array_equal(np.isposinf(code.latency(values) / second), values <= 0.25)


def test_a_simulated_lif_neuron_spikes_when_the_code_says():
    code = MembraneTTFS(tau=10 * ms, drive=5, duration=60 * ms, dt=0.1 * ms)
    values = np.linspace(0, 1, 101)
    with biosnn.session("numpy", dt=code.dt) as sim:
        # 50 Mohm and 10 mV from rest to threshold: 0.2 nA are one threshold.
        group = biosnn.neurons(len(values), "lif", values={"I": 0.2 * nA * code.drive * values})
        monitor = SpikeMonitor(group)
        sim.run(Network(group, monitor), code.duration)
        grid = {"shape": values.shape, "duration": code.duration, "dt": code.dt}
        simulated = Spikes.from_times(monitor.t, np.array(monitor.i), **grid).first_steps()
    expected = code.encode(values).first_steps()
    assert np.count_nonzero(expected < code.length) == 80
    assert np.array_equal(simulated < code.length, expected < code.length)
    assert np.abs(simulated - expected).max() <= 1


def test_rank_order_says_the_order_and_nothing_else():
    code, values = RankOrder(mod=0.5), np.array([[0.2, 0.9], [0.0, 0.2]])
    spikes = code.encode(values)
    assert spikes.neurons.tolist() == [1, 0, 3], "equal ones in the order of their indices"
    assert spikes.steps.tolist() == [0, 1, 2]
    assert code.decode(spikes).tolist() == [[0.5, 1], [0, 0.25]]
    assert code.decode(spikes, 2 * ms).tolist() == [[0.5, 1], [0, 0]]
    assert np.array_equal(code.decode(code.encode(values**3)), code.decode(spikes))


# ---- patterns ------------------------------------------------------------------------------------------------------


def test_phases_are_binary_digits():
    code = Phase(duration=16 * ms)
    spikes = code.encode(0.6875)  # 1/2 + 1/8 + 1/16
    assert (spikes.steps + 1).tolist() == [1, 3, 4, 9, 11, 12]
    assert sum(2.0 ** -(1 + t % 8) for t in spikes.steps[:3]) == 0.6875
    assert code.decode(spikes) == 0.6875 + 2**-9
    assert [code.decode(spikes, n * ms) for n in range(5)] == [0.5, 0.75, 0.625, 0.6875, 0.71875]
    assert code.encode([1, 0]).counts().tolist() == [16, 0]
    assert code.encode(255 / 256).counts() == 16


def test_a_mean_over_cycles_forgives_a_lost_spike():
    code = Phase(duration=80 * ms)
    spikes = code.encode(0.5)
    lost = replace(spikes, steps=spikes.steps[1:], neurons=spikes.neurons[1:])
    assert code.decode(lost) == pytest.approx(0.45 + 2**-9)


def test_bursts_have_more_spikes_and_shorter_intervals_for_larger_values():
    spikes = Burst(N_max=5, T_min=2 * ms, T_max=20 * ms).encode([0, 0.2, 0.5, 1])
    found = [spikes.steps[spikes.neurons == neuron].tolist() for neuron in range(4)]
    assert found == [[], [0], [0, 11, 22], [0, 2, 4, 6, 8]]


def test_a_burst_counts_from_its_first_spike():
    code = Burst()
    spikes = code.encode(0.5)
    late = replace(spikes, steps=spikes.steps + 7)
    assert code.decode(late) == code.decode(spikes)


# ---- populations and signals ---------------------------------------------------------------------------------------


def test_gaussian_receptive_fields():
    code = Population(M=10, duration=100 * ms)
    assert code.centres == pytest.approx([(2 * i - 3) / 2 / 8 for i in range(1, 11)])
    assert code.sigma == pytest.approx(1 / 12)
    spikes = code.encode([[code.centres[4], 1.0]])
    assert spikes.shape == (1, 2, 10)
    first = spikes.first_steps()[0]
    assert first[0, 4] == 0
    # A neighbour is 1.5 sigma away; the next one, at 3 sigma, responds by 0.011 and is silent.
    assert first[0, [3, 5]].tolist() == [round(100 * (1 - np.exp(-(1.5**2) / 2)))] * 2
    assert first[0, [2, 6]].tolist() == [100, 100]
    assert first[1, 8] == first[1, 9], "the value 1 lies between the last two centres"
    assert Population(M=10, silent=0.01).encode([code.centres[4]]).counts()[0, [2, 6]].tolist() == [1, 1]


def test_a_population_is_read_by_what_fits_best():
    code = Population(M=8)
    spikes = code.encode(0.43)
    moved = replace(spikes, steps=np.maximum(spikes.steps + [1, -1, 1][: len(spikes)], 0))
    assert code.decode(moved) == pytest.approx(0.43, abs=0.02)


def test_delta_follows_a_signal_up_and_down():
    code = Delta(threshold=0.1, duration=5 * ms)
    signal = np.array([0.35, 0.35, 0.62, 0.62, 0.05])
    spikes = code.encode(signal)
    assert spikes.shape == (2,)
    assert spikes.per_step().tolist() == [[3, 0], [0, 0], [3, 0], [0, 0], [0, 5]]
    assert code.decode(spikes) == pytest.approx([0.3, 0.3, 0.6, 0.6, 0.1])
    assert code.decode(spikes, 3 * ms) == pytest.approx([0.3, 0.3, 0.6, 0.6, 0.6])


def test_delta_with_lost_spikes_stays_within_the_values():
    code = Delta(duration=3 * ms)
    down, up = (Spikes([0, 1], [n, n], shape=(2,), length=3, dt=1 * ms) for n in (1, 0))
    assert code.decode(down).tolist() == [0, 0, 0]
    assert replace(code, threshold=0.9).decode(up) == pytest.approx([0.9, 1, 1])


def test_delta_is_silent_while_a_signal_stays_within_the_threshold():
    signal = np.stack([np.full(100, 0.5), 0.5 + 0.09 * np.sin(np.arange(100))], axis=1)
    spikes = Delta(threshold=0.25).encode(signal)
    assert spikes.counts().tolist() == [[1, 0], [2, 0]], "up to 0.25 and to 0.5, and then no more"
    assert spikes.steps.max() < 3


# ---- all of them ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Sign(Coding):
    """One spike at once if the value is above a half."""

    half: float = 0.5
    stochastic: ClassVar[bool] = False

    def fire(self, values, _rng):
        (neurons,) = np.nonzero(values.ravel() > self.half)
        return self.spikes(np.zeros_like(neurons), neurons, values.shape)

    def read(self, spikes, steps):
        return (0.25 + 0.5 * spikes.counts()) if steps else np.full(spikes.shape, 0.5)

    def error(self, steps):
        return 0.25 if steps else 0.5


def test_a_coding_of_ones_own_is_three_methods(monkeypatch):
    monkeypatch.setitem(CODINGS, "sign", Sign)
    mine = coding("sign", dt=5 * ms, half=0.4)
    assert mine.decode(mine.encode([[0.45, 0.1]])).tolist() == [[0.75, 0.25]]
    assert (mine.bound(), mine.bound(0 * ms)) == (0.25, 0.5)
    assert meanings()["sign"] == "One spike at once if the value is above a half."


def test_every_coding_says_what_it_does():
    assert len(meanings()) == 10
    assert all(text.endswith(".") and len(text) > 40 for text in meanings().values())


@pytest.mark.parametrize("name", CODINGS)
def test_the_same_generator_gives_the_same_spikes_and_shapes_are_kept(name):
    code = coding(name)
    for shape in [(), (3,), (2, 3, 2)]:
        values = np.random.default_rng(4).random((100, *shape) if code.of_signals else shape)
        one, two = (code.encode(values, np.random.default_rng(5)) for _ in range(2))
        assert np.array_equal(one.steps, two.steps)
        assert np.array_equal(one.neurons, two.neurons)
        assert code.decode(one).shape == np.shape(values)
        assert 0 <= code.decode(one).min() <= code.decode(one).max() <= 1
