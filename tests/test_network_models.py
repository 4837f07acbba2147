"""The neurons of published networks: what one arriving spike does to the membrane potential, against its closed form.

A spike that a source sends in the time step at t adds its weight at the end of that step: time runs from t + dt.
"""

import numpy as np
import pytest
from brian2 import Network, SpikeGeneratorGroup, SpikeMonitor, StateMonitor, ms, mV, nS, pA
from scipy.integrate import quad
from scipy.special import lambertw

from biosnn import catalogue
from biosnn.engine import session
from biosnn.groups import build

DT = 0.02  # ms
SENT = 1.0  # ms, of the spike
ARRIVED = SENT + DT


@pytest.fixture
def sim():
    with session("numpy", seed=1, dt=DT * ms) as simulation:
        yield simulation


def response(sim, model, onto, gain, *, delay=None, duration=25.0, values=None):
    """Times in ms from the arrival of one spike on, and the membrane potential in mV less where it was before."""
    source = SpikeGeneratorGroup(1, [0], [SENT] * ms)
    cell = build.neurons(1, model, values=values)
    wire = build.synapses(source, cell, "static", onto=onto, gain=gain, delay=delay)
    trace = StateMonitor(cell, "v", record=0)
    sim.run(Network(source, cell, wire, trace), duration * ms)
    t, v = np.asarray(trace.t / ms), np.asarray(trace.v[0] / mV)
    after = t > ARRIVED - DT / 2
    assert v[~after] == pytest.approx(v[0], abs=1e-9), "at rest before the spike"
    return t[after] - ARRIVED, v[after] - v[0]


def peak(t, v):
    """Time and height of the largest value, from a parabola through the three samples about it."""
    k = int(np.argmax(np.abs(v)))
    if k == 0:
        return t[0], v[0]
    a, b, _ = np.polyfit(t[k - 1 : k + 2] - t[k], v[k - 1 : k + 2], 2)
    off = -b / (2 * a)
    return t[k] + off, v[k] + b * off / 2


def parameters(model, *names):
    """Values in ms, mV and pF."""
    units = {"tau_m": ms, "tau_syn": ms, "tau_exc": ms, "tau_inh": ms, "C": 1e-12}
    found = catalogue.neuron_model(model).parameters
    return [float(found[name].quantity) / float(units[name]) for name in names]


def test_a_spike_moves_the_potential_of_a_delta_synapse_at_once(sim):
    t, v = response(sim, "lif_psc_delta", "v", 0.1 * mV)
    (tau_m,) = parameters("lif_psc_delta", "tau_m")
    assert v == pytest.approx(0.1 * np.exp(-t / tau_m), abs=1e-12)
    assert peak(t, v) == (pytest.approx(0, abs=1e-9), pytest.approx(0.1))


@pytest.mark.parametrize(("weight", "delay"), [(87.8, None), (-351.2, None), (87.8, 1.5 * ms)])
def test_a_current_that_decays_moves_the_potential_by_two_exponentials(sim, weight, delay):
    t, v = response(sim, "lif_psc_exp", "I_syn", weight * pA, delay=delay)
    tau_m, tau_syn, c = parameters("lif_psc_exp", "tau_m", "tau_syn", "C")
    late = float(delay / ms) if delay is not None else 0.0
    since = np.clip(t - late, 0, None)
    k = 1 / tau_syn - 1 / tau_m
    assert v == pytest.approx(weight / (c * k) * (np.exp(-since / tau_m) - np.exp(-since / tau_syn)), abs=1e-10)
    when, height = peak(t, v)
    ratio = tau_m / tau_syn
    assert when - late == pytest.approx(tau_m * np.log(ratio) / (ratio - 1), abs=1e-3)
    assert when - late == pytest.approx(1.577, abs=1e-3)
    assert height == pytest.approx(weight * tau_syn / c * ratio ** (-1 / (ratio - 1)), rel=1e-6)
    assert height == pytest.approx(0.15 * weight / 87.8, rel=1e-3), "Potjans & Diesmann 2014, table 5: 0.15 mV"


@pytest.mark.parametrize("weight", [100.0, -400.0])
def test_an_alpha_current_peaks_at_its_weight_and_moves_the_potential_as_known(sim, weight):
    t, v = response(sim, "lif_psc_alpha", "I_rise", weight * pA)
    tau_m, tau_syn, c = parameters("lif_psc_alpha", "tau_m", "tau_syn", "C")
    k = 1 / tau_syn - 1 / tau_m
    known = weight * np.e / (tau_syn * c * k**2) * (np.exp(-t / tau_m) - np.exp(-t / tau_syn) * (1 + k * t))
    assert v == pytest.approx(known, abs=1e-10)
    ratio = tau_m / tau_syn
    latest = (-lambertw(-np.exp(-1 / ratio) / ratio, -1).real - 1 / ratio) / k  # where the derivative vanishes
    when, height = peak(t, v)
    assert when == pytest.approx(latest, abs=1e-3)
    assert when == pytest.approx(6.651, abs=1e-3)
    assert height == pytest.approx(np.interp(latest, t, known), rel=1e-5)


def test_the_alpha_current_is_its_weight_at_its_peak(sim):
    cell = build.neurons(1, "lif_psc_alpha", values={"I_rise": 100 * pA})
    trace = StateMonitor(cell, "I_syn", record=0)
    sim.run(Network(cell, trace), 10 * ms)
    assert peak(np.asarray(trace.t / ms), np.asarray(trace.I_syn[0] / pA)) == (
        pytest.approx(2, abs=1e-3),
        pytest.approx(100, rel=1e-6),
    )


def test_both_currents_of_the_exponential_cell_move_it_by_their_own_time_constant(sim):
    for onto, tau, sign in (("I_exc", "tau_exc", 1), ("I_inh", "tau_inh", -1)):
        sim.reset(dt=DT * ms)
        at_rest = {"v": "v_rest", "v_th": "0 mV"}
        t, v = response(sim, "lif_exp", onto, 16.2 * pA, values=at_rest)
        (tau_syn, c), tau_m = parameters("lif_exp", tau, "C"), 20.0
        k = 1 / tau_syn - 1 / tau_m
        assert v == pytest.approx(sign * 16.2 / (c * k) * (np.exp(-t / tau_m) - np.exp(-t / tau_syn)), abs=1e-10)
        ratio = tau_m / tau_syn
        assert peak(t, v)[0] == pytest.approx(tau_m * np.log(ratio) / (ratio - 1), abs=2e-3)


@pytest.mark.parametrize(
    ("onto", "weight", "tau", "reversal"), [("g_exc", 6.0, 5.0, 60.0), ("g_inh", 67.0, 10.0, -20.0)]
)
def test_a_conductance_pulls_the_potential_towards_its_reversal(sim, onto, weight, tau, reversal):
    """The integral solves the equation, which is linear in v, with a conductance that decays."""
    t, v = response(sim, "lif_cond", onto, weight * nS, values={"v_th": "0 mV"})
    tau_m, area = 20.0, weight * tau / 200  # of the conductance, in units of the capacitance

    def decay(start, end):
        return np.exp(-(end - start) / tau_m - area * (np.exp(-start / tau) - np.exp(-end / tau)))

    def exact(end):
        inflow = quad(lambda s: weight / 200 * reversal * np.exp(-s / tau) * decay(s, end), 0, end, epsabs=1e-10)
        return inflow[0]

    at = np.arange(0, len(t), 100)
    assert v[at] == pytest.approx([exact(end) for end in t[at]], rel=6e-3, abs=1e-9), "of first order in the time step"
    when, height = peak(t, v)
    pull = weight / 200 * tau_m * np.exp(-when / tau)  # against that of the leak
    assert height == pytest.approx(exact(when), rel=6e-3)
    assert height == pytest.approx(reversal * pull / (1 + pull), rel=6e-3), "leak and conductance are in balance"


def test_a_refractory_neuron_loses_a_delta_spike_and_keeps_a_current(sim):
    delta = build.neurons(1, "lif_psc_delta", values={"v": 25 * mV})
    current = build.neurons(1, "lif_psc_exp", values={"v": -40 * mV})
    source = SpikeGeneratorGroup(1, [0], [1.0] * ms)
    wires = [
        build.synapses(source, delta, "static", onto="v", gain=5 * mV),
        build.synapses(source, current, "static", onto="I_syn", gain=1000 * pA),
    ]
    traces = [StateMonitor(delta, "v", record=0), StateMonitor(current, "v", record=0)]
    spikes = SpikeMonitor(delta), SpikeMonitor(current)
    sim.run(Network(source, delta, current, *wires, *traces, *spikes), 6 * ms)
    assert [monitor.num_spikes for monitor in spikes] == [1, 1]
    t = np.asarray(traces[0].t / ms)
    rests = (t > DT) & (t < 1.99)
    assert np.all(np.asarray(traces[0].v[0] / mV)[rests] == 10), "the reset of Brunel 2000"
    end = -1
    assert traces[0].v[0][end] / mV == pytest.approx(10 * np.exp(-(t[end] - 2.0) / 20), rel=1e-3)
    # What is left of the current after 2 ms goes on to move the potential.
    left = 1000 * np.exp(-(2.0 - ARRIVED) / 0.5)
    k, since = 1 / 0.5 - 1 / 10.0, t[end] - 2.0
    moved = left / (250 * k) * (np.exp(-since / 10) - np.exp(-since / 0.5))
    assert traces[1].v[0][end] / mV + 65 == pytest.approx(moved, rel=0.05)


def test_presets_are_those_of_the_examples():
    nest = catalogue.neuron_model("lif_psc_delta").with_values("nest")
    assert nest.parameters["v_reset"].quantity == 0 * mV
