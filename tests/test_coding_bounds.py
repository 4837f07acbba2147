"""What decoders may err by: never more than they say, which is no more than there is to lose, and less with time."""

from dataclasses import replace

import numpy as np
import pytest
from brian2 import Hz, ms, second
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from hypothesis_profile import examples

from biosnn.coding import (
    CODINGS,
    TTFS,
    Bernoulli,
    Burst,
    Delta,
    MembraneTTFS,
    Phase,
    Poisson,
    Population,
    RankOrder,
    Regular,
    Spikes,
    coding,
    delete,
    jitter,
    noisy,
)
from biosnn.errors import CodingError

ROUNDING = 1e-8
EVERY = examples(60)

steps_ms = st.sampled_from([0.1, 0.5, 1.0, 2.0])
lengths = st.integers(1, 120)
values_of = arrays(float, st.integers(1, 20), elements=st.floats(0, 1) | st.integers(0, 100).map(lambda n: n / 100))


def grid(length, dt):
    return {"duration": length * dt * ms, "dt": dt * ms}


@st.composite
def regular(draw):
    dt = draw(steps_ms)
    return Regular(**grid(draw(lengths), dt), rate=draw(st.floats(0.01, 1)) / (dt * ms))


@st.composite
def ttfs(draw):
    return TTFS(**grid(draw(lengths), draw(steps_ms)))


@st.composite
def membrane(draw):
    tau, drive = draw(st.floats(0.5, 100)), draw(st.floats(1.1, 100))
    return MembraneTTFS(**grid(draw(lengths), draw(steps_ms)), tau=tau * ms, drive=drive)


@st.composite
def phase(draw):
    return Phase(**grid(draw(lengths), draw(steps_ms)), bits=draw(st.integers(1, 20)))


@st.composite
def burst(draw):
    dt = draw(steps_ms)
    T_min = dt * draw(st.floats(1, 5))
    T_max = T_min + dt * draw(st.floats(0.1, 20))
    N_max = draw(st.integers(1, 12))
    try:
        return Burst(**grid(draw(st.integers(1, 200)), dt), N_max=N_max, T_min=T_min * ms, T_max=T_max * ms)
    except CodingError:  # the burst does not fit
        assume(False)


@st.composite
def population(draw):
    silent = draw(st.sampled_from([0, 0.01, 0.1, 0.4]))
    return Population(**grid(draw(lengths), draw(steps_ms)), M=draw(st.integers(3, 15)), silent=silent)


deterministic = st.one_of(regular(), ttfs(), membrane(), phase(), burst(), population())


@EVERY
@given(deterministic, values_of, st.floats(0, 1))
def test_a_round_trip_errs_by_no_more_than_the_bound(code, values, share):
    until = share * code.duration
    decoded = code.decode(code.encode(values), until)
    assert np.abs(decoded - values).max() <= code.bound(until) + ROUNDING
    assert 0 <= decoded.min() <= decoded.max() <= 1


@EVERY
@given(deterministic)
def test_more_time_never_makes_the_bound_larger(code):
    bounds = [code.bound(step * code.dt) for step in range(code.length + 1)]
    assert bounds[0] == 0.5, "nothing is known, and the middle is said"
    assert np.all(np.diff(bounds) <= ROUNDING)
    assert bounds[-1] == code.bound()


@pytest.mark.parametrize("name", CODINGS)
def test_more_time_never_makes_the_bound_of_any_coding_larger(name):
    code = coding(name)
    bounds = [code.bound(step * code.dt) for step in range(code.length + 1)]
    assert np.all(np.diff(bounds) <= ROUNDING)
    assert 0 < bounds[-1] <= bounds[0] <= 1


@pytest.mark.parametrize("name", ["regular", "ttfs", "ttfs_membrane", "phase", "burst", "population"])
@pytest.mark.parametrize("share", [0.01, 0.05, 0.2, 0.5, 1])
def test_the_bound_is_reached(name, share):
    code = coding(name)
    values, until = np.linspace(0, 1, 40001), share * code.duration
    worst = np.abs(code.decode(code.encode(values), until) - values).max()
    assert worst == pytest.approx(code.bound(until), rel=0.03)


@EVERY
@given(st.floats(0.01, 1), arrays(float, (30, 3), elements=st.floats(0, 1)), st.integers(0, 30))
def test_delta_follows_within_its_threshold(threshold, signals, step):
    code = Delta(threshold=threshold, duration=30 * ms)
    decoded = code.decode(code.encode(signals), step * ms)
    assert np.abs(decoded - signals)[:step].max(initial=0) <= code.bound() + ROUNDING


@EVERY
@given(values_of, st.integers(0, 20))
def test_rank_order_keeps_the_order(values, step):
    code = RankOrder(duration=20 * ms)
    decoded = code.decode(code.encode(values), step * ms)
    order = np.argsort(-values, kind="stable")
    seen = order[: min(step, np.count_nonzero(values))]
    assert np.all(np.diff(decoded[seen]) < 0)
    assert np.count_nonzero(decoded) == len(seen)
    assert np.abs(decoded - values).max() <= code.bound()


# ---- chance: within five standard errors, with fixed seeds ---------------------------------------------------------


@pytest.mark.parametrize("kind", [Bernoulli, Poisson])
@pytest.mark.parametrize("value", [0.0, 0.05, 0.3, 0.5, 0.8])
def test_the_mean_estimate_is_the_value(kind, value):
    code, trials = kind(duration=1 * second, rate=200 * Hz), 2000
    decoded = code.decode(code.encode(np.full(trials, value), np.random.default_rng(7)))
    assert abs(decoded.mean() - value) <= 5 * code.bound() / np.sqrt(trials)


@pytest.mark.parametrize(
    ("code", "worst"),
    [
        (Bernoulli(duration=1 * second, rate=1000 * Hz), 0.5),
        (Bernoulli(duration=1 * second, rate=50 * Hz), 1.0),
        (Poisson(duration=1 * second, rate=200 * Hz), 1.0),
    ],
    ids=["bernoulli at 1/2", "bernoulli at 1", "poisson"],
)
def test_the_standard_error_is_that_of_the_worst_value(code, worst):
    trials = 4000
    for value in (0.1, 0.5, 1.0):
        # At the value 1 the limit cuts off the upper half of the errors; the lower half has the same mean square.
        errors = code.decode(code.encode(np.full(trials, value), np.random.default_rng(8))) - value
        errors = errors[errors < 0] if value == 1.0 else errors
        sd = np.sqrt(np.mean(errors**2)) if len(errors) else 0.0
        slack = 5 / np.sqrt(2 * max(len(errors), 1)) + 0.03  # skewed where spikes are few
        assert sd <= code.bound() * (1 + slack)
        if value == worst:
            assert sd >= code.bound() * (1 - slack)


@pytest.mark.parametrize("value", [0.0, 0.013, 0.5, 0.777, 1.0])
def test_a_random_phase_makes_the_mean_count_exact(value):
    code = Regular(duration=100 * ms, dt=1 * ms, rate=100 * Hz, random_start=True)
    counts = code.encode(np.full(4000, value), np.random.default_rng(10)).counts()
    # The count is the mean of 10 x rounded down or up, and never anything else.
    assert set(counts) <= {int(np.floor(10 * value)), int(np.ceil(10 * value))}
    share = 10 * value % 1
    assert abs(counts.mean() - 10 * value) <= 5 * np.sqrt(share * (1 - share) / 4000) + 1e-12
    errors = code.decode(code.encode(np.full(4000, value), np.random.default_rng(11))) - value
    assert np.sqrt(np.mean(errors**2)) <= code.bound() == 0.05


def test_a_random_phase_spreads_spikes_over_the_interval():
    code = Regular(duration=100 * ms, dt=1 * ms, rate=100 * Hz, random_start=True)
    first = code.encode(np.full(4000, 0.5), np.random.default_rng(12)).first_steps()
    counts = np.bincount(first, minlength=20)
    assert counts.sum() == 4000
    assert np.abs(counts[:20] - 200).max() <= 5 * np.sqrt(200)
    with pytest.raises(CodingError, match=r"Regular.encode, rng: expected a generator"):
        code.encode([0.5])
    with pytest.raises(CodingError, match=r"Regular.random_start: expected True or False"):
        Regular(random_start=1)
    assert not Regular().stochastic


@pytest.mark.parametrize("value", [0.25, 1.0])
@pytest.mark.parametrize("name", ["regular", "phase", "burst", "ttfs", "ttfs_membrane", "rank_order"])
def test_weights_of_spikes_add_up_to_the_value_or_to_one(name, value):
    code = coding(name, duration=96 * ms, dt=1 * ms)
    total = code.spike_weights()[code.encode([value]).steps].sum()
    # Where a neuron spikes once, its time says the value, and its weight is 1.
    once = name in ("ttfs", "ttfs_membrane", "rank_order")
    step = {"regular": 1 / 9.6, "phase": 2.0**-8, "burst": 1 / 5}.get(name, 0.0)
    assert abs(total - (1 if once else value)) <= step


@pytest.mark.parametrize(("kind", "fano"), [(Poisson, 1.0), (Bernoulli, 0.9)])
def test_the_fano_factor(kind, fano):
    neurons = 4000
    code = kind(duration=1 * second, rate=100 * Hz)
    counts = code.encode(np.ones(neurons), np.random.default_rng(9)).counts()
    assert abs(counts.var(ddof=1) / counts.mean() - fano) <= 5 * np.sqrt(2 / neurons)
    assert abs(counts.mean() - 100) <= 5 * np.sqrt(100 / neurons)


def test_intervals_of_poisson_spikes_have_a_cv_of_1():
    code = Poisson(duration=200 * second, dt=0.1 * ms, rate=100 * Hz)
    intervals = np.diff(code.encode(1.0, np.random.default_rng(10)).steps)
    assert len(intervals) > 19000
    # The standard error of the CV of n exponential intervals is 1/sqrt(n).
    assert abs(intervals.std() / intervals.mean() - 1) <= 5 / np.sqrt(len(intervals))


def test_poisson_spikes_fill_all_steps_alike():
    steps = Poisson(duration=20 * ms, rate=100 * Hz).encode(np.ones(20000), np.random.default_rng(11)).per_step()
    counts = steps.sum(axis=1)
    assert np.abs(counts - 2000).max() <= 5 * np.sqrt(2000)


# ---- what happens on the way ---------------------------------------------------------------------------------------

trains = st.lists(st.tuples(st.integers(0, 29), st.integers(0, 5)), max_size=40).map(
    lambda pairs: Spikes([s for s, _ in pairs], [n for _, n in pairs], shape=(2, 3), length=30, dt=1 * ms)
)


@EVERY
@given(trains, st.floats(0, 100), st.integers(0, 2**32))
def test_jitter_keeps_every_spike_and_the_grid(spikes, sd, seed):
    moved = jitter(spikes, sd * ms, np.random.default_rng(seed))
    assert np.array_equal(moved.counts(), spikes.counts())
    assert (moved.length, moved.shape) == (30, (2, 3))
    assert np.all(np.diff(moved.steps) >= 0)


@EVERY
@given(trains, st.floats(0, 1), st.integers(0, 2**32))
def test_deletion_leaves_some_of_the_spikes(spikes, probability, seed):
    left = delete(spikes, probability, np.random.default_rng(seed))
    assert np.all(left.per_step() <= spikes.per_step())


@EVERY
@given(trains)
def test_a_raster_and_back(spikes):
    once = Spikes.from_raster(spikes.per_step() > 0, spikes.dt)
    again = Spikes.from_raster(once.raster(), spikes.dt)
    assert np.array_equal(again.per_step(), np.minimum(spikes.per_step(), 1))
    assert np.array_equal(once.first_steps(), spikes.first_steps())


@EVERY
@given(values_of, st.floats(0, 10), st.integers(0, 2**32))
def test_noise_keeps_shape_and_range(values, sd, seed):
    found = noisy(values, sd, np.random.default_rng(seed))
    assert found.shape == values.shape
    assert 0 <= found.min() <= found.max() <= 1


def test_no_noise_changes_nothing():
    spikes, rng = TTFS().encode(np.linspace(0, 1, 30)), np.random.default_rng(12)
    for same in (jitter(spikes, 0 * ms, rng), delete(spikes, 0, rng)):
        assert np.array_equal(same.steps, spikes.steps)
        assert np.array_equal(same.neurons, spikes.neurons)
    assert np.array_equal(noisy([0.1, 0.9], 0, rng), [0.1, 0.9])
    assert not len(delete(spikes, 1, rng))


def test_noise_is_as_wide_as_asked():
    n, rng = 40000, np.random.default_rng(13)
    spikes = Spikes(np.full(n, 500), np.arange(n), shape=(n,), length=1000, dt=0.1 * ms)
    moved = jitter(spikes, 3 * ms, rng).steps - 500
    assert abs(moved.mean()) <= 5 * 30 / np.sqrt(n)
    assert abs(moved.std() / 30 - 1) <= 5 / np.sqrt(2 * n)
    assert abs(len(delete(spikes, 0.3, rng)) / n - 0.7) <= 5 * np.sqrt(0.21 / n)
    wavering = noisy(np.full(n, 0.5), 0.05, rng)
    assert abs(wavering.std() / 0.05 - 1) <= 5 / np.sqrt(2 * n)


def test_jitter_at_the_edge_stays_inside():
    moved = jitter(Spikes([0, 29] * 50, [0] * 100, shape=(1,), length=30, dt=1 * ms), 5 * ms, np.random.default_rng(14))
    assert moved.steps.min() == 0
    assert moved.steps.max() == 29


@EVERY
@given(trains, st.integers(0, 30))
def test_a_decoder_says_values_from_0_to_1_whatever_it_reads(spikes, step):
    for code in (Bernoulli, Poisson, Regular, TTFS, MembraneTTFS, RankOrder, Phase):
        decoded = code(duration=30 * ms).decode(spikes, step * ms)
        assert np.all((decoded >= 0) & (decoded <= 1)), code
    decoded = Burst(duration=30 * ms).decode(spikes, step * ms)
    assert np.all((decoded >= 0) & (decoded <= 1))


@pytest.mark.parametrize("name", ["regular", "phase", "burst"])
def test_a_spike_in_every_place_is_still_a_value(name):
    code, steps = coding(name), np.repeat(np.arange(100), 3)
    assert 0.9 < code.decode(Spikes(steps, np.zeros_like(steps), shape=(1,), length=100, dt=1 * ms))[0] <= 1


def test_lost_spikes_and_jitter_are_decoded_without_complaint():
    rng, values = np.random.default_rng(15), np.random.default_rng(16).random(50)
    for name in CODINGS:
        code = coding(name)
        spikes = code.encode(np.tile(values, (100, 1)) if code.of_signals else values, rng)
        decoded = code.decode(delete(jitter(spikes, 5 * ms, rng), 0.3, rng))
        assert np.all((decoded >= 0) & (decoded <= 1)), name
        assert np.all(np.isfinite(code.decode(replace(spikes, steps=[], neurons=[])))), name
