"""The neurons of converted networks against closed forms."""

from __future__ import annotations

import numpy as np
from brian2 import Network, Quantity, SpikeMonitor, StateMonitor, ms

import biosnn


def test_an_integrator_adds_up_and_never_fires() -> None:
    with biosnn.session("numpy", dt=1 * ms) as sim:
        group = biosnn.neurons(2, "integrator", name="cells", values={"z": Quantity(np.array([0.3, -2.0]) / ms)})
        sim.run(Network(group), 50 * ms)
        np.testing.assert_allclose(group.v[:], [15, -100])


def test_a_leak_keeps_weak_drives_from_firing() -> None:
    """tau dv/dt = z tau - v from 0 reaches 1 at -tau ln(1 - 1/(z tau)), and never where z tau is at most 1."""
    tau, drives = 20.0, np.array([0.045, 0.049, 0.06, 0.1])
    with biosnn.session("numpy", dt=0.01 * ms) as sim:
        group = biosnn.neurons(4, "lif_soft", name="cells", values={"z": Quantity(drives / ms)})
        spikes = SpikeMonitor(group, name="spikes")
        sim.run(Network(group, spikes), 60 * ms)
        first = [np.asarray(spikes.t[spikes.i == k] / ms)[:1] for k in range(4)]
        left = [float(np.asarray(group.v)[k]) for k in (0, 1)]
    assert [len(times) for times in first] == [0, 0, 1, 1]
    expected = -tau * np.log(1 - 1 / (drives[2:] * tau))
    np.testing.assert_allclose(np.concatenate(first[2:]), expected, atol=0.02)
    np.testing.assert_allclose(left, drives[:2] * tau * (1 - np.exp(-60 / tau)), rtol=1e-6)


def test_a_value_is_told_by_the_time_of_the_only_spike() -> None:
    """The potential at the begin of the window is the value x: a spike comes (1 - x)*T steps later, if x is above 0."""
    values, T = np.array([-0.4, 0.0, 0.1, 0.5, 0.75, 1.0, 1.7]), 20
    with biosnn.session("numpy", dt=1 * ms) as sim:
        start = {"v": -0.5 / T, "z": Quantity(values / (T * ms)), "steps": str(T), "begins": str(T)}
        group = biosnn.neurons(len(values), "relu_first_spike", name="cells", values=start)
        spikes, v = SpikeMonitor(group, name="spikes"), StateMonitor(group, "v", record=True, name="v")
        sim.run(Network(group, spikes, v), 60 * ms)
        told = dict(zip(np.asarray(spikes.i).tolist(), np.round(np.asarray(spikes.t / ms)).tolist(), strict=True))
        at_the_window = np.asarray(v.v)[:, T]
    np.testing.assert_allclose(at_the_window, values - 0.5 / T, atol=1e-12)
    assert told == {2: T + 18, 3: T + 10, 4: T + 5, 5: T, 6: T}


def test_noise_moves_a_membrane_by_its_strength_in_its_time_and_fires_without_a_drive() -> None:
    """Without a threshold, v is normal with the mean z t and the variance sigma**2 t/tau_sigma."""
    sigma, z, steps = 0.1, 0.02, 50
    with biosnn.session("numpy", seed=2, dt=1 * ms) as sim:
        free = biosnn.neurons(4000, "if_hard_noisy", name="free", values={"v_th": "1000", "z": z / ms, "sigma": sigma})
        cells = biosnn.neurons(500, "if_hard_noisy", name="cells", values={"sigma": sigma})
        spikes = SpikeMonitor(cells, name="spikes")
        sim.run(Network(free, cells, spikes), steps * ms)
        v, fired = np.asarray(free.v), int(spikes.num_spikes)
    assert abs(v.mean() - z * steps) < 4 * sigma * np.sqrt(steps / 4000)
    assert abs(v.var() / (sigma**2 * steps) - 1) < 4 * np.sqrt(2 / 4000)
    assert fired > 0
