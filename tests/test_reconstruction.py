"""Stimuli read back from spikes: spectra, coherence, information rate and coding fraction against closed forms."""

import numpy as np
import pytest
from brian2 import ms, mV

from biosnn.errors import DataError
from biosnn.measure.reconstruction import coding_fraction, reconstruct, spectra
from biosnn.theory.renewal import siegert_cv

DT, TAU, RATE, DEPTH, WINDOW = 2e-3, 0.05, 100.0, 0.3, 1024
A = 2 * TAU * RATE * DEPTH**2


@pytest.fixture(scope="module")
def poisson():
    """Signals and spikes of 200 Poisson neurons."""
    random, shape = np.random.default_rng(3), (200, 8 * WINDOW)
    signals = np.empty(shape)
    signals[:, 0] = random.standard_normal(shape[0])
    decay = np.exp(-DT / TAU)
    for step in range(1, shape[1]):
        signals[:, step] = decay * signals[:, step - 1] + np.sqrt(1 - decay**2) * random.standard_normal(shape[0])
    return signals, random.poisson(np.maximum(RATE * DT * (1 + DEPTH * signals), 0.0))


def test_a_poisson_neuron_tells_what_its_closed_form_says(poisson):
    found = spectra(*poisson, DT, WINDOW)
    assert found.windows == 1600
    power = 2 * TAU / (1 + (2 * np.pi * found.frequency * TAU) ** 2)
    used = (found.frequency > 1) & (found.frequency < 12)
    assert found.coherence[used].mean() == pytest.approx(
        (1 / (1 + 1 / (RATE * DEPTH**2 * power)))[used].mean(), rel=0.05
    )
    assert found.stimulus[used].mean() == pytest.approx(power[used].mean(), rel=0.05)
    assert found.information_rate(250.0) == pytest.approx((np.sqrt(1 + A) - 1) / (2 * TAU * np.log(2)), rel=0.06)


def test_the_filter_of_some_neurons_reads_the_signals_of_others(poisson):
    signals, counts = poisson
    estimates = reconstruct(spectra(signals[:100], counts[:100], DT, WINDOW), counts[100:], DT)
    assert coding_fraction(signals[100:], estimates) == pytest.approx(1 - (1 + A) ** -0.25, abs=0.01)
    assert coding_fraction(signals[:100], estimates) < 0


def test_from_the_spikes_of_another_nothing_is_read(poisson):
    signals, counts = poisson
    shuffled = spectra(signals, np.roll(counts, 1, axis=0), DT, WINDOW)
    assert abs(shuffled.information_rate(250.0)) < 0.15
    raw = np.abs(shuffled.cross) ** 2 / (shuffled.stimulus * shuffled.response)
    assert raw.mean() == pytest.approx(1 / shuffled.windows, rel=0.2), "the bias that chance alone gives"


def test_shapes_and_windows_that_do_not_fit_are_refused(poisson):
    signals, counts = poisson
    with pytest.raises(DataError, match="counts of the shape"):
        spectra(signals, counts[:-1], DT, WINDOW)
    with pytest.raises(DataError, match="a length of which there are two"):
        spectra(signals[:1], counts[:1], DT, counts.shape[1])


def test_the_cv_of_noise_has_its_limits():
    cell = {"tau_m": 10 * ms, "v_th": 15 * mV, "v_reset": 0 * mV}
    rarely = siegert_cv(3 * mV, 4 * mV, t_ref=0 * ms, **cell)
    assert rarely == pytest.approx(1, abs=0.03), "rare escapes over a threshold are a Poisson process"
    driven = siegert_cv(60 * mV, 0.5 * mV, t_ref=0 * ms, **cell)
    # Above threshold: var(T) of a diffusion whose drift and noise are those on the way, to first order in sigma**2.
    v = np.linspace(0, 15, 20001)
    time = np.trapezoid(10 / (60 - v), v)
    variance = np.trapezoid(10**2 * 0.5**2 / (60 - v) ** 3, v)
    assert driven == pytest.approx(np.sqrt(variance) / time, rel=0.01)
