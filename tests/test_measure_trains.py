"""Measures of spike trains and populations against closed forms, and against values of Elephant."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from brian2 import ms, second
from scipy.special import iv

from biosnn.errors import DataError
from biosnn.measure import (
    cv,
    cv2,
    fano_factor,
    mean_correlation,
    pairwise_correlations,
    phase_consistency,
    population_rate,
    power_spectrum,
    spike_intervals,
    synchrony,
    window_counts,
)

RATE, SECONDS, NEURONS = 20.0, 100.0, 200


def gamma_trains(shape: float, seed: int = 1, neurons: int = NEURONS, seconds: float = SECONDS) -> tuple:
    """Gamma processes, all in their stationary state: each begins long before time 0."""
    rng = np.random.default_rng(seed)
    spikes = int(RATE * (seconds + 30) * 1.2)
    times = np.cumsum(rng.gamma(shape, 1 / (RATE * shape), (neurons, spikes)), axis=1) - 20
    inside = (times >= 0) & (times < seconds)
    indices = np.broadcast_to(np.arange(neurons)[:, None], times.shape)
    shuffled = rng.permutation(inside.sum())
    return times[inside][shuffled], indices[inside][shuffled]


def elephants() -> tuple:
    """Three trains by a formula, in ms, for which Elephant 1.2.1 was asked."""
    k = np.arange(60)
    trains = [np.cumsum(20 + 15 * np.sin((n + 1.0) * k * k)) for n in range(3)]
    return np.concatenate(trains), np.repeat(np.arange(3), 60)


# ---- intervals ---------------------------------------------------------------------------------------------------


def test_intervals_are_those_of_each_neuron_in_any_order_of_spikes() -> None:
    intervals, of = spike_intervals([5.0, 1.0, 4.0, 2.0, 9.0], [0, 0, 1, 0, 1])
    assert intervals.tolist() == [1.0, 3.0, 5.0]
    assert of.tolist() == [0, 0, 1]


def test_regular_trains_do_not_vary() -> None:
    times = np.tile(1000 + 0.1 * np.arange(40), 2)
    indices = np.repeat([0, 2], 40)
    for measure in (cv, cv2):
        found = measure(times, indices, neurons=4)
        np.testing.assert_allclose(found[[0, 2]], 0, atol=1e-10)
        assert np.isnan(found[[1, 3]]).all()
    counts = window_counts(times, indices, window=1.0, begin=1000, end=1004, neurons=4)
    np.testing.assert_array_equal(fano_factor(counts)[[0, 2]], 0)
    assert np.isnan(fano_factor(counts)[[1, 3]]).all()


@pytest.mark.parametrize(("shape", "local"), [(1.0, 1.0), (2.0, 0.75)])
def test_gamma_processes_vary_as_their_shape_says(shape: float, local: float) -> None:
    """CV = 1/sqrt(k); the share that one interval has of two is a beta variable, so CV2 = 2 E abs(2 B - 1)."""
    times, indices = gamma_trains(shape)
    assert np.mean(cv(times, indices, neurons=NEURONS)) == pytest.approx(shape**-0.5, rel=0.01)
    assert np.mean(cv2(times, indices, neurons=NEURONS)) == pytest.approx(local, rel=0.01)


def test_local_variation_does_not_see_a_slow_change_of_rate() -> None:
    times = np.cumsum(np.geomspace(0.01, 1, 400))
    assert cv(times, np.zeros(400, int), neurons=1)[0] > 0.9
    assert cv2(times, np.zeros(400, int), neurons=1)[0] == pytest.approx(np.log(100) / 399, rel=1e-3)


def test_neurons_with_few_intervals_are_not_judged() -> None:
    times, indices = [1.0, 2.0, 4.0, 1.0, 2.0, 4.0, 5.0], [0, 0, 0, 1, 1, 1, 1]
    assert np.isnan(cv(times, indices, neurons=2)).tolist() == [True, False]
    assert np.isnan(cv2(times, indices, neurons=2)).tolist() == [True, False]
    assert cv(times, indices, neurons=2, fewest=2)[0] == pytest.approx(1 / 3)
    assert cv2(times, indices, neurons=2, fewest=2)[0] == pytest.approx(2 / 3)


# ---- counts, rates, spectra --------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [1.0, 4.0])
def test_counts_of_gamma_processes_in_long_windows_vary_as_the_square_of_cv(shape: float) -> None:
    """To first order F = 1/k + (1 - 1/k**2)/(6 n), with n spikes expected in a window (Cox 1962, eq. 4.5.18)."""
    times, indices = gamma_trains(shape, neurons=500)
    found = fano_factor(window_counts(times, indices, window=1.0, begin=0, end=SECONDS, neurons=500)).mean()
    assert found == pytest.approx((1 / shape + (1 - shape**-2) / (6 * RATE)) * (1 - 1 / SECONDS), rel=0.03)


def test_windows_begin_at_their_boundaries_and_the_last_shorter_one_is_left_out() -> None:
    times = np.array([0, 1, 2, 3, 4, 5, 6]) * 0.1  # 0.3 is 0.30000000000000004 here
    counts = window_counts(times, np.zeros(7, int), window=0.1, begin=0.1, end=0.58, neurons=1)
    assert counts[:, 0].tolist() == [1, 1, 1, 1]
    near = [0.3, 0.1 * 3, 0.6, 0.2 * 3]
    for begin, end in ((0.1 * 3, 0.6), (0.3, 0.2 * 3)):
        counts = window_counts(near, np.zeros(4, int), window=0.3, begin=begin, end=end, neurons=1)
        assert counts[:, 0].tolist() == [2]
    counts = window_counts(times * second, np.zeros(7, int), window=100 * ms, begin=0, end=0.6 * second, neurons=1)
    assert counts[:, 0].tolist() == [1, 1, 1, 1, 1, 1]


def test_the_rate_of_a_population_is_spikes_by_neurons_and_time() -> None:
    times = [0.05, 0.1, 0.19, 0.25, 0.41]
    middles, rates = population_rate(times, neurons=10, begin=0.1, end=0.4, window=0.1)
    np.testing.assert_allclose(middles, [0.15, 0.25, 0.35])
    np.testing.assert_allclose(rates, [2, 1, 0])


def test_smoothing_keeps_the_mean_and_spreads_a_spike_as_a_gaussian() -> None:
    _, plain = population_rate([0.5005], neurons=1, begin=0, end=1, window=0.001)
    middles, smooth = population_rate([0.5005], neurons=1, begin=0, end=1, window=0.001, smoothing=0.02)
    assert smooth.mean() == pytest.approx(plain.mean())
    gauss = np.exp(-((middles - 0.5005) ** 2) / (2 * 0.02**2)) / (0.02 * np.sqrt(2 * np.pi))
    np.testing.assert_allclose(smooth, gauss, atol=0.01)


@pytest.mark.parametrize("shape", [1, 3])
def test_the_power_spectrum_is_that_of_renewal_processes(shape: int) -> None:
    """r/N (1 - abs(F)**2)/abs(1 - F)**2, F the characteristic function of an interval: Cox & Lewis 1966."""
    times, _ = gamma_trains(shape)
    _, rates = population_rate(times, neurons=NEURONS, begin=0, end=SECONDS, window=0.001)
    frequencies, power = power_spectrum(rates, 0.001, segment=0.5)
    assert frequencies[[0, 1, -1]].tolist() == [0, 2, 500]
    seen = (frequencies > 2) & (frequencies < 200)  # beyond, a bin of 1 ms takes power away
    interval = (1 + 2j * np.pi * frequencies[seen] / (RATE * shape)) ** -shape
    theory = RATE / NEURONS * (1 - np.abs(interval) ** 2) / np.abs(1 - interval) ** 2
    assert np.mean(power[seen] / theory) == pytest.approx(1, abs=0.03)
    assert np.all(np.abs(power[seen] / theory - 1) < 0.5)


def test_the_power_spectrum_has_the_variance_and_the_frequency_of_an_oscillation() -> None:
    t = np.arange(4000) * 0.001
    rates = 5 + 3 * np.cos(2 * np.pi * 60 * t)
    frequencies, power = power_spectrum(rates, 0.001, segment=0.5)
    assert frequencies[np.argmax(power)] == 60
    assert 2 * power.sum() * 2 == pytest.approx(3**2 / 2, rel=1e-3)


# ---- correlation, synchrony, phases ------------------------------------------------------------------------------


def test_counts_with_a_common_part_are_correlated_by_its_share() -> None:
    rng = np.random.default_rng(1)
    counts = rng.poisson(3, (4000, 50)) + rng.poisson(1, (4000, 1))
    counts = np.hstack([counts, np.zeros((4000, 1), int)])  # a silent neuron is left out
    every = pairwise_correlations(counts)
    assert every.size == 50 * 49 // 2
    assert every.mean() == pytest.approx(0.25, abs=0.01)
    assert mean_correlation(counts) == pytest.approx(every.mean(), abs=1e-12)
    drawn = pairwise_correlations(counts, pairs=3000, seed=2)
    assert drawn.size == 3000
    assert drawn.max() < 0.5  # none of a neuron with itself
    assert drawn.mean() == pytest.approx(0.25, abs=0.01)


def test_correlations_of_silence_are_not_known() -> None:
    assert np.isnan(mean_correlation(np.zeros((10, 5))))
    assert pairwise_correlations(np.zeros((10, 5))).size == 0


def test_synchrony_goes_from_one_to_the_inverse_root_of_the_number() -> None:
    """chi**2 = c + (1 - c)/N for N equal neurons with the correlation c."""
    rng = np.random.default_rng(1)
    own, common = rng.normal(size=(20_000, 100)), rng.normal(size=(20_000, 1))
    for share in (0.0, 0.3, 1.0):
        found = synchrony(np.sqrt(1 - share) * own + np.sqrt(share) * common)
        assert found == pytest.approx(np.sqrt(share + (1 - share) / 100), rel=0.03)
    assert np.isnan(synchrony(np.ones((10, 3))))


def test_phase_consistency_is_the_mean_over_pairs_of_spikes() -> None:
    phases = np.random.default_rng(1).uniform(0, 7, 30)
    of = np.arange(30) % 2
    by_hand = [np.mean([np.cos(a - b) for a, b in combinations(phases[of == n], 2)]) for n in (0, 1)]
    found = phase_consistency(phases, of, neurons=3)
    np.testing.assert_allclose(found[:2], by_hand)
    assert np.isnan(found[2])
    assert phase_consistency([0.3, 0.3 + np.pi / 3])[0] == pytest.approx(0.5)


@pytest.mark.parametrize("spikes", [5, 50])
@pytest.mark.parametrize("kappa", [0.0, 1.0, 4.0])
def test_phase_consistency_does_not_depend_on_the_number_of_spikes(kappa: float, spikes: int) -> None:
    """Of phases of the von Mises distribution it is (I1(kappa)/I0(kappa))**2."""
    phases = np.random.default_rng(1).vonmises(1, kappa, 4000 * spikes)
    found = phase_consistency(phases, np.arange(phases.size) // spikes, neurons=4000)
    assert found.mean() == pytest.approx((iv(1, kappa) / iv(0, kappa)) ** 2, abs=0.02)


# ---- Elephant, and size ------------------------------------------------------------------------------------------


def test_values_are_those_of_elephant() -> None:
    """Elephant 1.2.1: variation of isi, cv2, fanofactor, correlation_coefficient, welch_psd (one-sided)."""
    times, indices = elephants()
    given = [0.5360337492792797, 0.5090079129110975, 0.5624716181356194]
    np.testing.assert_allclose(cv(times, indices, neurons=3), given, rtol=1e-12)
    given = [0.7047515743979899, 0.648950621430005, 0.6132903339720405]
    np.testing.assert_allclose(cv2(times, indices, neurons=3), given, rtol=1e-12)
    counts = window_counts(times, indices, window=100, begin=0, end=1000, neurons=3)
    np.testing.assert_allclose(fano_factor(counts), [0.19056603773584907, 0.38571428571428573, 0.22962962962962957])
    counts = window_counts(times, indices, window=50, begin=0, end=1000, neurons=3)
    given = [0.2691049129870708, 0.18213795254706563, 0.3424479027629497]
    np.testing.assert_allclose(pairwise_correlations(counts), given, rtol=1e-12)
    _, rates = population_rate(times / 1000, neurons=3, begin=0, end=1, window=0.005)
    frequencies, power = power_spectrum(rates, 0.005, segment=0.25)
    np.testing.assert_allclose(frequencies[:4], [0, 4, 8, 12])
    given = [11.025718210039003, 12.71004675883952, 12.829106950462029, 8.011027086114833, 17.225565980138004]
    np.testing.assert_allclose(2 * power[1:6], given, rtol=1e-12)


def test_a_square_millimetre_of_cortex_is_measured_at_once() -> None:
    """80,000 neurons at 5 Hz: everything in one go, without a loop over neurons."""
    rng = np.random.default_rng(1)
    times, indices = rng.uniform(0, 1, 400_000), rng.integers(80_000, size=400_000)
    assert np.nanmean(cv2(times, indices, neurons=80_000)) == pytest.approx(1, abs=0.02)
    counts = window_counts(times, indices, window=0.05, begin=0, end=1, neurons=80_000)
    assert counts.sum() == 400_000
    # Divisor n, and the total number is given: 1 - 1/20.
    assert np.nanmean(fano_factor(counts)) == pytest.approx(0.95, abs=0.01)
    assert mean_correlation(counts) == pytest.approx(0, abs=1e-4)
    assert synchrony(counts) == pytest.approx(80_000**-0.5, rel=0.5)


# ---- what is refused ---------------------------------------------------------------------------------------------


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(DataError, match="a neuron for each of 2 spikes"):
        spike_intervals([1.0, 2.0], [0])
    for measure in (cv, cv2):
        with pytest.raises(DataError, match=r"from 0 to 1.*5 to 5"):
            measure([1.0, 2.0], [5, 5], neurons=2)
    for window in (0, 3.0):
        with pytest.raises(DataError, match="above 0 and at most 2"):
            window_counts([1.0], [0], window=window, begin=0, end=2, neurons=1)
    for measure in (fano_factor, mean_correlation, pairwise_correlations, synchrony):
        with pytest.raises(DataError, match="at least two"):
            measure(np.ones((1, 4)))
    for segment in (0.05, 20):
        with pytest.raises(DataError, match="from 2 to 100 bins"):
            power_spectrum(np.ones(100), 0.1, segment=segment)
    with pytest.raises(DataError, match="a neuron for each of 2 phases"):
        phase_consistency([1.0, 2.0], [0])
    with pytest.raises(DataError, match="from 0 to 0"):
        phase_consistency([1.0, 2.0], [0, 1])
