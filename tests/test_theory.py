"""Closed forms against other closed forms, published numbers and limits."""

import numpy as np
import pytest
from brian2 import Hz, ms, mV, second
from hypothesis import given
from hypothesis import strategies as st

from biosnn.theory import OVERSHOOT, lif_rate, siegert_rate, siegert_rate_discrete, stdp_window

LIF = {"tau_m": 10 * ms, "v_th": 10 * mV, "v_reset": 0 * mV, "t_ref": 5 * ms}
NEST = {"tau_m": 10 * ms, "v_th": 15 * mV, "v_reset": 0 * mV, "t_ref": 2 * ms}
CORTEX = {"tau_m": 20 * ms, "v_th": 20 * mV, "v_reset": 10 * mV, "t_ref": 2 * ms}


@pytest.mark.parametrize(("mu", "rate"), [(10.5, 28.21), (12, 43.63), (15, 62.55), (20, 83.81)])
def test_lif_rate(mu, rate):
    assert lif_rate(mu * mV, **LIF) / Hz == pytest.approx(rate, abs=0.005)


def test_lif_rate_below_threshold_is_zero_and_shapes_are_kept():
    rates = lif_rate([[0, 5, 10], [11, 100, 1e6]] * mV, **LIF)
    assert rates.shape == (2, 3)
    assert np.all(rates[0] == 0 * Hz)
    assert rates[1, 2] / Hz == pytest.approx(200, rel=1e-4), "no faster than one spike a refractory period"


def test_siegert_rate_of_the_nest_test():
    assert siegert_rate(15 * mV, np.sqrt(1.5) * mV, **NEST) / Hz == pytest.approx(27.1095934379, abs=1e-9)


def test_siegert_rates_of_a_cortical_cell():
    mu, sigma = [15, 18, 10, 20] * mV, [3, 3, 5, 5] * mV
    assert siegert_rate(mu, sigma, **CORTEX) / Hz == pytest.approx([2.288, 12.51, 0.882, 27.34], rel=5e-4)


@given(st.floats(1.2, 5))
def test_without_noise_siegert_is_the_lif_formula(ratio):
    mu = ratio * 10 * mV
    assert siegert_rate(mu, 0.01 * mV, **LIF) / Hz == pytest.approx(float(lif_rate(mu, **LIF) / Hz), rel=1e-4)


@given(st.floats(5, 25), st.floats(0.5, 8))
def test_siegert_rises_with_the_drive_and_stays_below_one_over_the_refractory_period(mu, sigma):
    low, high = (float(siegert_rate(value * mV, sigma * mV, **CORTEX) / Hz) for value in (mu, mu + 0.1))
    assert 0 <= low <= high < 500


def test_far_below_threshold_the_rate_is_zero_and_not_an_error():
    assert siegert_rate(0 * mV, 0.1 * mV, **CORTEX) == 0 * Hz


STEPS = 4e-4 * ms, 1e-4 * ms


def test_a_time_step_lowers_the_rate_with_its_square_root():
    exact = siegert_rate(15 * mV, 1 * mV, **NEST)
    coarse, fine = (1 - siegert_rate_discrete(15 * mV, 1 * mV, dt=dt, **NEST) / exact for dt in STEPS)
    assert 0 < fine < coarse
    assert coarse / fine == pytest.approx(2, rel=0.02)
    assert pytest.approx(1.4603545088095868 / np.sqrt(2 * np.pi)) == OVERSHOOT  # -zeta(1/2)/sqrt(2 pi)


def test_stdp_window():
    window = {"A_plus": 0.777, "A_minus": 0.273, "tau_plus": 16.8 * ms, "tau_minus": 33.7 * ms}
    changes = stdp_window([-33.7, -1e-6, 0, 16.8, 1e4] * ms, **window)
    assert changes == pytest.approx([-0.273 / np.e, -0.273, 0.777, 0.777 / np.e, 0], rel=1e-6, abs=1e-12)
    assert stdp_window(0 * second, **window) == 0.777
