"""Input models spike in generated code as the codings say they do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from brian2 import Hz, Network, SpikeMonitor, ms
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from hypothesis_profile import examples

import biosnn
from biosnn.catalogue import neuron_model
from biosnn.coding import (
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
)
from biosnn.errors import CodingError
from biosnn.inputs import encoder

# Thirds and sixteenths lie between two steps as near, hundredths are not what they seem in doubles.
GRID = np.concatenate([np.arange(101) / 100, np.arange(17) / 16, np.arange(256) / 255, np.arange(4) / 3])
FEW = examples(8)
values_of = arrays(float, 100, elements=st.floats(0, 1) | st.sampled_from(GRID.tolist()))
steps_ms = st.sampled_from([0.1, 0.5, 1.0])
lengths = st.integers(20, 120)


def shown(code: Coding, *presentations: Any) -> list[Spikes]:
    """The spikes of each presentation of values, one after the other, to neurons of the coding's counterpart."""
    return shown_all([code], *presentations)[0]


def shown_all(codes: Sequence[Coding], *presentations: Any, target: str = "numpy") -> list[list[Spikes]]:
    """The same for several codings of the same duration and time step, in one program."""
    dt, duration, length = codes[0].dt, codes[0].duration, codes[0].length
    assert {(code.length, float(code.dt)) for code in codes} == {(length, float(dt))}
    with biosnn.session(target, seed=1, dt=dt) as sim:
        groups = [biosnn.neurons(len(presentations[0]), encoder(code), name=f"in_{k}") for k, code in enumerate(codes)]
        monitors = [SpikeMonitor(group) for group in groups]
        network = Network(groups, monitors)
        for number, values in enumerate(presentations):
            for group in groups:
                group.x = values
                group.onset = number * duration
            sim.run(network, duration)
        spikes = [(np.rint(np.asarray(monitor.t / dt)).astype(int), np.array(monitor.i)) for monitor in monitors]
    return [
        [apart(steps, neurons, number, np.shape(values), length, dt) for number, values in enumerate(presentations)]
        for steps, neurons in spikes
    ]


def apart(steps: Any, neurons: Any, number: int, shape: tuple[int, ...], length: int, dt: Any) -> Spikes:
    """The spikes of one presentation."""
    own = steps // length == number
    return Spikes(steps[own] - number * length, neurons[own], shape=shape, length=length, dt=dt)


def same(code: Coding, *presentations: Any) -> bool:
    """Whether neurons spike step by step as the coding says; the numbers of spikes must be some."""
    return equal(shown(code, *presentations), code, presentations)


def equal(found: Sequence[Spikes], code: Coding, presentations: Sequence[Any]) -> bool:
    pairs = zip(found, map(code.encode, presentations), strict=True)
    return all(np.array_equal(one.per_step(), other.per_step()) for one, other in pairs)


@st.composite
def codings(draw: Callable[..., Any]) -> Coding:
    dt = draw(steps_ms)
    grid = {"duration": draw(lengths) * dt * ms, "dt": dt * ms}
    kind = draw(st.sampled_from([Regular, TTFS, Phase, Burst]))
    if kind is Regular:
        return Regular(**grid, rate=draw(st.floats(0.01, 1)) / (dt * ms))
    if kind is Phase:
        return Phase(**grid, bits=draw(st.integers(1, 20)))
    if kind is Burst:
        shortest = dt * draw(st.floats(1, 3) | st.sampled_from([1.0, 1.5, 2.0]))
        longest = shortest + dt * draw(st.floats(0.1, 20) | st.sampled_from([1.0, 8.0]))
        try:
            return Burst(**grid, N_max=draw(st.integers(1, 8)), T_min=shortest * ms, T_max=longest * ms)
        except CodingError:  # the burst does not fit
            assume(False)
    return TTFS(**grid)


@FEW
@given(codings(), values_of, values_of)
def test_neurons_spike_step_by_step_as_the_coding_says(code: Coding, first: Any, second: Any) -> None:
    assert same(code, first, second)


@pytest.mark.parametrize("name", ["regular", "ttfs", "phase", "burst"])
def test_so_they_do_with_what_a_coding_has_by_itself(name: str) -> None:
    code = coding(name)
    assert len(code.encode(GRID)) > 300
    assert same(code, GRID, GRID[::-1], np.zeros_like(GRID), GRID)


@pytest.mark.parametrize(
    "code", [Regular(rate=1000 * Hz), Phase(bits=1), Burst(N_max=100, T_min=1 * ms, T_max=1.001 * ms)]
)
def test_a_neuron_can_spike_in_every_step(code: Coding) -> None:
    assert code.encode(1.0).counts() == 100
    assert same(code, np.array([1.0, 0.5]), np.array([0.5, 1.0]))


@FEW
@given(st.floats(0.5, 50), st.floats(1.1, 100), values_of, values_of)
def test_a_membrane_spikes_once_a_presentation_within_a_step_of_the_closed_form(
    tau: float, drive: float, first: Any, second: Any
) -> None:
    code = MembraneTTFS(tau=tau * ms, drive=drive, duration=80 * ms, dt=0.5 * ms)
    for found, values in zip(shown(code, first, second), (first, second), strict=True):
        expected = code.encode(values).first_steps()
        assert found.counts().max() <= 1
        assert np.abs(found.first_steps() - expected).max() <= 1


def test_the_latency_is_that_of_an_rc_circuit_and_nothing_is_left_of_the_value_before() -> None:
    code = MembraneTTFS(tau=10 * ms, drive=2, duration=60 * ms, dt=0.1 * ms)
    below, above = np.linspace(0, 0.5, 11), np.linspace(0.51, 1, 50)
    values, before = np.concatenate([below, above]), np.linspace(1, 0, 61)
    _, found = shown(code, before, values)
    assert not found.counts()[:11].any()
    current = 2 * above  # in thresholds
    times = 10 * np.log(current / (current - 1))  # ms
    late = np.asarray(found.first_times() / ms)[11:]
    assert np.all((times - late > -1e-6) & (times - late < 0.1 + 1e-6))
    assert late[-1] == pytest.approx(6.9)
    assert late[24] == pytest.approx(10 * np.log(1.5 / 0.5), abs=0.1)  # I of 1.5 thresholds: 1.0986 tau


@pytest.mark.cpp
def test_in_cpp_as_well() -> None:
    codes = [coding(name) for name in ("regular", "ttfs", "ttfs_membrane", "phase", "burst")]
    values = np.random.default_rng(3).random(400)
    for code, found in zip(codes, shown_all(codes, values, values[::-1], target="cpp"), strict=True):
        assert found[0].counts().sum() > 0
        assert equal(found, code, (values, values[::-1])), code


def test_bernoulli_spikes_have_the_rate_and_the_fano_factor_of_their_probability() -> None:
    code = Bernoulli(rate=400 * Hz, duration=500 * ms)
    neurons = 2000
    for value in (0.25, 1.0):
        (found,) = shown(code, np.full(neurons, value))
        counts, p = found.counts(), 0.4 * value
        n = code.length
        assert abs(counts.mean() - n * p) <= 5 * np.sqrt(n * p * (1 - p) / neurons)
        assert abs(counts.var(ddof=1) / counts.mean() - (1 - p)) <= 5 * (1 - p) * np.sqrt(2 / neurons)
        per_step = found.per_step().sum(axis=1)
        assert np.abs(per_step - neurons * p).max() <= 5 * np.sqrt(neurons * p * (1 - p))


def test_spikes_of_biosnn_poisson_have_a_cv_and_a_fano_factor_of_1() -> None:
    neurons, length = 1000, 20_000
    with biosnn.session("numpy", seed=2, dt=0.1 * ms) as sim:
        inputs = biosnn.poisson(neurons, 20 * Hz)  # P = 0.002: 1 - P is 1 within statistics
        monitor = SpikeMonitor(inputs)
        sim.run(Network(inputs, monitor), length * 0.1 * ms)
        trains, counts = monitor.spike_trains(), np.array(monitor.count)
    intervals = np.concatenate([np.diff(train / ms) for train in trains.values()])
    assert abs(counts.var(ddof=1) / counts.mean() - 1) <= 5 * np.sqrt(2 / neurons)
    # The end cuts long intervals off, which takes little from the CV: here, of 40 intervals a train, about a 40th.
    assert abs(intervals.std() / intervals.mean() - 1) <= 5 / np.sqrt(len(intervals)) + 1 / 40


@pytest.mark.parametrize("name", ["bernoulli", "regular", "ttfs", "ttfs_membrane", "phase", "burst"])
def test_a_neuron_is_silent_until_its_value_comes_and_begins_then(name: str) -> None:
    code = coding(name)
    with biosnn.session("numpy", seed=4, dt=code.dt) as sim:
        group = biosnn.neurons(20, encoder(code), values={"x": 0.9, "onset": 30 * ms})
        monitor = SpikeMonitor(group)
        sim.run(Network(group, monitor), 60 * ms)
        steps = np.rint(np.asarray(monitor.t / code.dt)).astype(int) - 30
    assert len(steps) >= 20
    assert steps.min() >= 0
    if not code.stochastic:
        expected = code.encode(np.full(20, 0.9))
        assert np.array_equal(steps, expected.before(30).steps)


def test_the_model_has_the_parameters_of_the_coding() -> None:
    model = encoder(Burst(N_max=3, T_min=1.5 * ms, T_max=7 * ms))
    assert {name: entry.value for name, entry in model.parameters.items()} == {
        "N_max": "3",
        "T_min": "1.5 ms",
        "T_max": "7 ms",
    }
    for code in (Bernoulli(), Regular(), TTFS(), MembraneTTFS(), Phase(), Burst()):
        assert encoder(code) == neuron_model(encoder(code).name), "the defaults are those of the coding"


@pytest.mark.parametrize("code", [Poisson(), RankOrder(), Population(), Delta()])
def test_a_coding_without_a_model_is_refused_with_those_that_have_one(code: Coding) -> None:
    message = r"encoder, coding: expected one of Bernoulli, Regular, TTFS, MembraneTTFS, Phase, Burst \(got .*playback"
    with pytest.raises(CodingError, match=message):
        encoder(code)


def test_what_only_resembles_a_coding_is_no_coding() -> None:
    class Mine(TTFS):
        """Spikes as it likes."""

    with pytest.raises(CodingError, match=r"expected one of .* \(got .*Mine"):
        encoder(Mine())
    with pytest.raises(CodingError, match=r"expected one of .* \(got 'ttfs'\)"):
        encoder("ttfs")  # type: ignore[arg-type]


def test_random_phases_have_no_model() -> None:
    with pytest.raises(CodingError, match="encoder, coding: expected a Regular without random_start"):
        encoder(Regular(random_start=True))
