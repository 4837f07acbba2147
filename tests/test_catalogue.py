"""The catalogue: every model loads, names its source, keeps its text, and does what its paper says."""

import re
import runpy

import numpy as np
import pytest
from brian2 import Hz, Network, SpikeGeneratorGroup, SpikeMonitor, StateMonitor, ms, mV, pA, second, uA
from brian2.units.allunits import cmetre

from biosnn import catalogue
from biosnn.engine.sessions import session
from biosnn.groups import build
from biosnn.model import from_toml, to_toml

NEURONS = [
    *(
        "lif",
        "lif_noisy",
        "lif_exp",
        "lif_cond",
        "if_soft",
        "if_hard",
        "if_hard_noisy",
        "lif_adaptive",
        "lif_inhibitory",
    ),
    *("adex", "izhikevich", "hodgkin_huxley", "integrator", "lif_soft", "lif_alpha", "relu_first_spike"),
    *("lif_psc_delta", "lif_psc_exp", "lif_psc_alpha", "qif", "lif_exp_trainable", "leaky_readout", "adex_clopath"),
    "lif_afterpotential",
]
SYNAPSES = [
    *("static", "stdp_pair", "stdp_pair_nearest", "stdp_pair_reduced", "stdp_pair_multiplicative", "stdp_pair_power"),
    *("stdp_triplet", "stdp_triplet_full", "stdp_triplet_full_nearest", "stdp_diehl_cook", "rstdp", "istdp", "stp"),
    *("tsodyks", "clopath", "stdp_power_law"),
]
MODELS = [catalogue.neuron_model(name) for name in NEURONS] + [catalogue.synapse_model(name) for name in SYNAPSES]


def test_the_catalogue_is_whole():
    assert set(NEURONS) <= set(catalogue.neuron_names())
    assert set(SYNAPSES) <= set(catalogue.synapse_names())


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_model_names_its_source_and_survives_the_round_trip(model):
    assert re.search(r"\b(19|20)\d\d\b", model.source), "a year"
    assert re.search(r"doi:10\.\d{4,}/\S+|ISBN", model.source), "a reference that can be looked up"
    assert model.summary.endswith(".")
    assert from_toml(to_toml(model)) == model
    for preset in model.presets:
        assert model.with_values(preset) != model or preset == "regular_spiking"


@pytest.fixture
def sim():
    with session("numpy", seed=1, dt=0.1 * ms) as simulation:
        yield simulation


@pytest.fixture
def compiled():
    """For runs of thousands of steps, which take NumPy longer than a compiler and a program."""
    with session("cpp", seed=1, dt=0.1 * ms) as simulation:
        yield simulation


def spike_times(sim, groups, duration):
    monitors = {key: SpikeMonitor(group, name=f"spikes_{key}") for key, group in groups.items()}
    sim.run(Network(*groups.values(), *monitors.values()), duration)
    return {key: np.asarray(monitor.t / ms) for key, monitor in monitors.items()}


# ---- neurons ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "z", "rate"),
    [
        *(("if_soft", 0.3, 0.3), ("if_soft", 0.45, 0.45), ("if_soft", 0.7, 0.7), ("if_soft", 0.9, 0.9)),
        *(("if_hard", 0.3, 0.25), ("if_hard", 0.45, 1 / 3), ("if_hard", 0.7, 0.5), ("if_hard", 0.9, 0.5)),
    ],
)
def test_rate_of_integrate_and_fire_without_leak(sim, name, z, rate):
    sim.reset(dt=1 * ms)
    times = spike_times(sim, {"if": build.neurons(1, name, values={"z": z / ms})}, 1000 * ms)["if"]
    assert len(times) == pytest.approx(1000 * rate, abs=1)


def test_soft_reset_keeps_what_is_over_and_hard_reset_does_not(sim):
    sim.reset(dt=1 * ms)
    groups = {name: build.neurons(1, name, values={"v": 1.25}) for name in ("if_soft", "if_hard")}
    sim.run(Network(*groups.values()), 1 * ms)
    assert groups["if_soft"].v[0] == 0.25
    assert groups["if_hard"].v[0] == 0.0


def test_an_alpha_shaped_input_moves_the_potential_as_its_closed_form(sim):
    tau_m, tau_s, w = 10.0, 0.325, 4.86  # ms, ms, mV
    sim.reset(dt=0.005 * ms)
    cell = build.neurons(1, "lif_alpha", values={"y": w * mV})
    trace = StateMonitor(cell, "v", record=0)
    sim.run(Network(cell, trace), 20 * ms)
    t = np.asarray(trace.t / ms)
    k = 1 / tau_s - 1 / tau_m
    psp = w / (tau_m * tau_s * k**2) * np.exp(-t / tau_m) * (1 - np.exp(-k * t) * (1 + k * t))
    assert np.abs(np.asarray(trace.v[0] / mV) + 70 - psp).max() < 0.001
    assert psp.max() == pytest.approx(0.14, abs=0.005), "the peak that Diesmann et al. 1999 state"


def test_the_background_of_the_alpha_cell_has_its_mean_and_variance(sim):
    sim.reset(dt=0.05 * ms)
    cells = build.neurons(4000, "lif_alpha", values={"mu": 8.21 * mV, "sigma": 22.37 * mV, "v_th": 0 * mV})
    sim.run(Network(cells), 80 * ms)
    v = np.asarray(cells.v / mV)
    # White noise through two filters of tau_s and one of tau_m.
    omega = np.linspace(0, 400, 400001)
    gain = 1 / ((1 + (0.325 * omega) ** 2) ** 2 * (1 + (10 * omega) ** 2))
    variance = 22.37**2 * 0.325 * np.sum(gain) * (omega[1] - omega[0]) / np.pi
    assert v.mean() == pytest.approx(-70 + 8.21, abs=4 * np.sqrt(variance / 4000))
    assert v.var() == pytest.approx(variance, rel=0.1)


def test_the_background_makes_the_alpha_cell_fire_at_about_two_hertz(sim):
    cells = build.neurons(2000, "lif_alpha", values={"mu": 8.21 * mV, "sigma": 22.37 * mV})
    times = spike_times(sim, {"cells": cells}, 250 * ms)["cells"]
    assert np.sum(times > 50) / 2000 / 0.2 == pytest.approx(2.2, abs=0.3), "2 Hz in Diesmann et al. 1999"


def test_a_quadratic_cell_with_a_constant_drive_fires_at_its_closed_period(sim):
    # tau/sqrt(I)*(arctan(v_peak/sqrt(I)) - arctan(v_reset/sqrt(I))) with tau 10 ms, I = 1, from -2 to 5.
    sim.reset(dt=0.05 * ms)
    cell = build.neurons(1, "qif", values={"I": 1, "v": -2})
    times = spike_times(sim, {"qif": cell}, 55 * ms)["qif"]
    assert len(times) == 2
    assert times / [1, 2] == pytest.approx(24.8054948474, abs=0.06)


def test_one_input_fires_the_trainable_cell_from_the_weight_of_its_closed_form(sim):
    # The peak of w*tau_s/(tau_m - tau_s)*(exp(-t/tau_m) - exp(-t/tau_s)) is the threshold at w = 6.3496.
    for model in ("lif_exp_trainable", "leaky_readout"):
        cells = build.neurons(2, model, values={"I": [6.34, 6.36]})
        trace, spikes = StateMonitor(cells, "v", record=True), SpikeMonitor(cells) if "lif" in model else None
        sim.run(Network(cells, trace, *([spikes] if spikes else [])), 20 * ms)
        if spikes:
            assert list(spikes.i) == [1]
        t, v = np.asarray(trace.t / ms), trace.v[0]
        assert np.allclose(v, 6.34 / 3 * (np.exp(-t / 20) - np.exp(-t / 5)), atol=1e-12)


def adex(preset, current):
    return build.neurons(1, "adex", preset=preset, values={"I": current * pA})


@pytest.mark.cpp
def test_adex_presets_fire_in_their_patterns(compiled):
    drives = runpy.run_path(str(catalogue.study_folder("naud_2008") / "currents.py"))["CURRENTS"]
    times = spike_times(compiled, {name: adex(name, current) for name, current in drives.items()}, 600 * ms)
    intervals = {name: np.diff(t) for name, t in times.items()}
    assert np.ptp(intervals["tonic"][2:]) <= 0.2 + 0.02 * np.mean(intervals["tonic"])
    assert np.all(np.diff(intervals["adapting"][:6]) > -0.15)
    assert intervals["adapting"][5] > 1.5 * intervals["adapting"][0]
    assert intervals["initial_burst"][0] < 0.5 * np.median(intervals["initial_burst"])
    for name in ("regular_bursting", "delayed_bursting"):
        assert max(intervals[name]) > 3 * min(intervals[name]), name
    assert times["delayed_accelerating"][0] > times["tonic"][0]
    assert intervals["delayed_accelerating"][-1] < intervals["delayed_accelerating"][0]
    assert 0 < len(times["transient"]) < 15
    assert times["transient"][-1] < 200
    assert np.std(intervals["irregular"]) > 0.2 * np.mean(intervals["irregular"])


def test_izhikevich_presets_fire_in_their_patterns(sim):
    drives = {
        "tonic_spiking": 14,
        "phasic_spiking": 0.5,
        "tonic_bursting": 15,
        "phasic_bursting": 0.6,
        "mixed_mode": 10,
        "spike_frequency_adaptation": 30,
        "regular_spiking": 10,
        "fast_spiking": 10,
    }
    values = {name: {"v": -65 * mV, "u": -65 * mV * 0.25 / ms, "I": drive * mV / ms} for name, drive in drives.items()}
    groups = {name: build.neurons(1, "izhikevich", preset=name, values=values[name]) for name in drives}
    times = spike_times(sim, groups, 300 * ms)
    intervals = {name: np.diff(t) for name, t in times.items()}
    assert len(times["phasic_spiking"]) == 1
    assert len(times["tonic_spiking"]) >= 8
    assert 2 <= len(times["phasic_bursting"]) <= 8
    assert times["phasic_bursting"][-1] < 100
    for name in ("tonic_bursting", "mixed_mode"):
        assert max(intervals[name]) > 3 * min(intervals[name]), name
    assert intervals["spike_frequency_adaptation"][-1] > 1.5 * intervals["spike_frequency_adaptation"][0]
    assert len(times["fast_spiking"]) > 1.5 * len(times["regular_spiking"])


@pytest.mark.cpp
def test_hodgkin_huxley_rests_and_fires(compiled):
    compiled.reset(dt=0.02 * ms)
    values = {"I": [0.0, 10.0] * uA / cmetre**2}
    cells = build.neurons(2, "hodgkin_huxley", values=values)
    spikes, trace = SpikeMonitor(cells), StateMonitor(cells, "v", record=True, dt=0.1 * ms)
    compiled.run(Network(cells, spikes, trace), 120 * ms)
    assert np.abs(trace.v[0] / mV + 65).max() < 0.1, "rest at -65 mV"
    assert spikes.count[0] == 0
    intervals = np.diff(spikes.spike_trains()[1] / ms)[2:]
    # About 68 Hz at 10 uA/cm**2 is the textbook value of this parameter set.
    assert 1000 / intervals.mean() == pytest.approx(68, abs=3)
    assert np.ptp(intervals) < 0.1
    assert 30 < trace.v[1].max() / mV < 50, "an overshoot below the sodium reversal potential"


def test_exprel_closes_the_gap_of_hodgkin_and_huxley(sim):
    """The published rates are 0/0 at -40 and -55 mV."""
    cells = build.neurons(2, "hodgkin_huxley", values={"v": [-40.0, -55.0] * mV})
    sim.run(Network(cells), 0.1 * ms)
    assert np.all(np.isfinite(cells.m[:]) & np.isfinite(cells.n[:]))


def test_the_threshold_of_the_adaptive_cell_rises_and_freezes(sim):
    drive = SpikeGeneratorGroup(1, np.zeros(300, dtype=int), np.arange(300) * ms)
    groups, wires = {}, []
    for preset in ("", "frozen", "published_code"):
        cell = build.neurons(1, "lif_adaptive", preset=preset)
        groups[preset] = cell
        wires.append(build.synapses(drive, cell, "static", onto="g_exc", gain=8.0))
    monitors = {preset: SpikeMonitor(cell) for preset, cell in groups.items()}
    sim.run(Network(drive, *groups.values(), *wires, *monitors.values()), 300 * ms)
    trains = {preset: np.asarray(monitor.t / ms) for preset, monitor in monitors.items()}
    assert len(trains[""]) > 10
    rise = float((groups[""].theta[0] - 20 * mV) / mV)
    assert rise == pytest.approx(0.05 * len(trains[""]), rel=1e-3)
    assert groups["frozen"].theta[0] / mV == pytest.approx(20, abs=1e-9)
    assert np.diff(trains[""]).min() >= 5.0 - 1e-9
    assert len(trains["published_code"]) > 2
    assert np.diff(trains["published_code"]).min() >= 50.0 - 1e-9


# ---- synapses ---------------------------------------------------------------------------------------------------


def test_short_term_plasticity_follows_its_recursion(sim):
    times = np.array([10.0, 30.0, 50.0, 90.0, 400.0])
    u_share, tau_f, tau_d = 0.45, 50.0, 750.0
    u, x, last, sent = 0.0, 1.0, 0.0, []
    for t in times:
        u *= np.exp(-(t - last) / tau_f)
        x = 1 - (1 - x) * np.exp(-(t - last) / tau_d)
        u += u_share * (1 - u)
        sent.append(u * x)
        x -= u * x
        last = t
    source = SpikeGeneratorGroup(1, np.zeros(len(times), dtype=int), times * ms)
    for home in ("neuron", "synapse"):
        sim.reset()
        source = SpikeGeneratorGroup(1, np.zeros(len(times), dtype=int), times * ms)
        target = build.neurons(1, "if_soft", values={"v_th": 1e9})
        wire = build.synapses(source, target, "stp", preset="depressing", gain=1.0, traces=home)
        trace = StateMonitor(target, "v", record=0, when="end")
        sim.run(Network(source, target, wire, trace), 410 * ms)
        steps = np.diff(trace.v[0], prepend=0.0)
        assert steps[np.round(times / 0.1).astype(int)] == pytest.approx(sent, rel=1e-9), home


@pytest.mark.cpp
def test_inhibitory_plasticity_holds_its_target_rate(compiled):
    """Independent spikes leave the weight where it is at the target rate, and move it against the deviation."""
    rng = np.random.default_rng(3)
    pre, post = [], []
    for post_spikes in (4, 12, 36):  # 1, 3 and 9 Hz in the four seconds; the presynaptic neurons fire at 10 Hz
        for trains, count in ((pre, 40), (post, post_spikes)):
            trains.append(np.sort(rng.choice(4000, size=count, replace=False)))
    source, target = (
        SpikeGeneratorGroup(3, np.repeat(np.arange(3), [len(train) for train in trains]), np.concatenate(trains) * ms)
        for trains in (pre, post)
    )
    wire = build.synapses(source, target, "istdp", values={"w": 50.0, "rho_0": 3 * Hz}, connect="i == j")
    compiled.run(Network(source, target, wire), 4000 * ms)
    drift = wire.w[:] - 50
    assert drift[0] < 0 < drift[2]
    assert drift[0] < drift[1] < drift[2]


@pytest.mark.cpp
def test_reward_turns_eligibility_into_weight_within_bounds(compiled):
    """dw = reward * integral of the eligibility; a punishment stops at zero, a large reward at the maximum."""
    rewards = np.array([0.5, 0.0, -100.0, 100.0]) * Hz
    source, target = (SpikeGeneratorGroup(1, [0], [at] * ms) for at in (10, 20))
    wires = [
        build.synapses(source, target, "rstdp", values={"reward": reward}, connect="i == j", name=f"wire_{n}")
        for n, reward in enumerate(rewards)
    ]
    compiled.run(Network(source, target, *wires), 520 * ms)
    weights = [wire.w[0] for wire in wires]
    eligibility = 0.1 * np.exp(-10 / 20)
    gained = 0.5 * Hz * eligibility * (1 - np.exp(-0.5)) * second
    assert weights[0] - 0.5 == pytest.approx(float(gained), rel=2e-3)
    assert weights[1] == 0.5
    assert -0.002 < weights[2] <= 0.0
    assert 1.0 <= weights[3] < 1.002
