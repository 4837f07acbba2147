"""Activity along layers: closed forms, golden values of networks made here, and theory against simulation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from brian2 import Hz, Network, SpikeMonitor, ms, prefs
from hypothesis import given
from hypothesis import strategies as st
from hypothesis_profile import examples
from scipy.stats import norm

import biosnn
from biosnn.errors import ModelError
from biosnn.inputs import playback
from biosnn.measure import extinction_depth
from biosnn.theory import binary_depth, chain_rates, critical_gain, drive_rate, fixed_points, least_gain, mean_field

DT = 1 * ms
HE, CRITICAL = 2.0, critical_gain(1)

# ---- closed forms --------------------------------------------------------------------------------------------------


def test_the_recursion_of_binary_neurons() -> None:
    # Golden: Q(1), Q(1/sqrt(2 Q(1))) and so on, worked out with tables of Q.
    assert binary_depth(0.5, HE, 1, 4) == pytest.approx([0.1587, 0.0379, 1.41e-4, 0], abs=5e-5)
    assert extinction_depth(binary_depth(0.5, HE, 1, 4)) == pytest.approx(2.24, abs=0.01)
    assert binary_depth(0, HE, 1, 3).tolist() == [0, 0, 0]


def test_the_critical_gain_keeps_its_rate() -> None:
    assert pytest.approx(1 / norm.sf(1)) == CRITICAL
    assert binary_depth(norm.sf(1), CRITICAL, 1, 50) == pytest.approx(norm.sf(1))
    assert binary_depth(0.5, CRITICAL, 1, 50)[-1] == pytest.approx(0.1587, abs=5e-5)
    assert binary_depth(0.2, critical_gain(2, 0.2), 2, 9) == pytest.approx(0.2)


def test_fixed_points_and_where_they_meet() -> None:
    low, high = fixed_points(CRITICAL, 1) or (0, 0)
    assert (low, high) == pytest.approx((0.0816, 0.1587), abs=1e-4)
    assert fixed_points(0.999 * least_gain(1), 1) is None
    assert least_gain(1) == pytest.approx(6.034, abs=1e-3)
    assert least_gain(1) == pytest.approx(min(critical_gain(1, p) for p in np.linspace(0.01, 0.45, 2000)), abs=1e-4)
    # Over the unstable one activity goes to the stable one, under it it dies out.
    assert binary_depth(low * 1.05, CRITICAL, 1, 200)[-1] == pytest.approx(high, abs=1e-3)
    assert binary_depth(low * 0.95, CRITICAL, 1, 200)[-1] == 0


@given(st.floats(0.05, 1), st.floats(0.5, 50), st.sampled_from([0.25, 0.5, 2.0]))
@examples(40)
def test_a_smaller_threshold_is_a_larger_weight(p0: float, gain: float, theta: float) -> None:
    np.testing.assert_allclose(binary_depth(p0, gain * theta**2, theta, 5), binary_depth(p0, gain, 1, 5), rtol=1e-9)


def test_constant_drive_and_chains() -> None:
    z = [0.3, 0.45, 0.7, 0.9, 1 / 3, 0, -1, 2]
    assert drive_rate(z) == pytest.approx([0.3, 0.45, 0.7, 0.9, 1 / 3, 0, 0, 1])
    assert drive_rate(z, "hard") == pytest.approx([0.25, 1 / 3, 0.5, 0.5, 1 / 3, 0, 0, 1])
    assert chain_rates(0.9, 0.9, 8) == pytest.approx(0.9 ** np.arange(1, 9))
    assert chain_rates(0.9, 0.9, 8, "hard") == pytest.approx(0.5 ** np.arange(1, 9))


def test_one_neuron_in_noise_without_a_threshold_to_speak_of() -> None:
    # With a leak that leaves nothing, an integrate-and-fire neuron is a binary one: Q(theta/sqrt(gain p)).
    for reset in ("soft", "hard"):
        found = mean_field(0.5, HE, 1, 4, steps=50, reset=reset, decay=1e-9)
        assert found == pytest.approx(binary_depth(0.5, HE, 1, 4), abs=0.004)


def test_limits_of_the_mean_field() -> None:
    # Inputs that spike in every step have no noise: with soft reset rates are drives, whose positive half has the mean
    # 1/sqrt(2 pi) for a unit variance. Half of the neurons are driven to fire in every step, if weights are large.
    assert mean_field(1, 0.09, 1, 1, steps=400)[0] == pytest.approx(0.3 / np.sqrt(2 * np.pi), rel=0.05)
    assert mean_field(1, 1e4, 1, 1, steps=100)[0] == pytest.approx(0.5, abs=0.01)
    assert not mean_field(0, 2, 1, 3, steps=10).any()


@given(st.floats(0.1, 0.9), st.floats(1, 8), st.sampled_from([1.0, 0.9]))
@examples(8)
def test_hard_reset_never_fires_more_and_the_threshold_is_a_scale(p0: float, gain: float, decay: float) -> None:
    soft, hard = (mean_field(p0, gain, 1, 3, steps=40, reset=reset, decay=decay) for reset in ("soft", "hard"))
    assert (hard <= soft + 1e-3).all()
    assert ((hard >= 0) & (soft <= 1)).all()
    np.testing.assert_allclose(mean_field(p0, 4 * gain, 2, 3, steps=40, decay=decay), soft, rtol=1e-6)


@pytest.mark.parametrize(
    "refused",
    [
        lambda: binary_depth(0.5, -1, 1, 3),
        lambda: binary_depth(0.5, 1, 0, 3),
        lambda: critical_gain(1, 0.5),
        lambda: critical_gain(0),
        lambda: fixed_points(0, 1),
        lambda: drive_rate(0.5, "none"),
        lambda: mean_field(0.5, 2, 1, 1, steps=5, decay=0),
        lambda: mean_field(0.5, 2, 1, 1, steps=5, reset="firm"),
    ],
)
def test_what_makes_no_sense_is_refused(refused: Any) -> None:
    with pytest.raises(ModelError):
        refused()


# ---- networks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reset", ["soft", "hard"])
def test_neurons_at_a_constant_drive(reset: str) -> None:
    """Golden: 0.3, 0.45, 0.7, 0.9 with soft reset and 0.25, 0.333, 0.5, 0.5 with hard reset, over 1000 steps."""
    z = np.array([0.3, 0.45, 0.7, 0.9])
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        cells = biosnn.neurons(4, f"if_{reset}", name="cells")
        cells.z = z * 1000 * Hz
        counts = SpikeMonitor(cells, record=False)
        sim.run(Network(cells, counts), 1000 * DT)
        np.testing.assert_allclose(counts.count[:] / 1000, drive_rate(z, reset), atol=0.0015)


@pytest.mark.parametrize("reset", ["soft", "hard"])
def test_a_chain_of_eight(reset: str) -> None:
    """Golden: 0.430 in the eighth neuron with soft reset, 0.004 with hard reset, at a weight and drive of 0.9."""
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        chain = biosnn.neurons(8, f"if_{reset}", name="chain")
        chain.z[0] = 0.9 * 1000 * Hz
        onwards = biosnn.Projection(chain[:7], chain[1:], biosnn.OneToOne(), 0.9, on_pre="v_post += w")
        counts = SpikeMonitor(chain, record=False)
        sim.run(Network(chain, onwards, counts), 2000 * DT)
        np.testing.assert_allclose(counts.count[:] / 2000, chain_rates(0.9, 0.9, 8, reset), atol=0.006)


LAYERS, STEPS, WIDTH, SEEDS = 10, 200, 500, 5
# A spike takes a step a layer. Resets come first, so that they take nothing away from what arrives in the same step.
ORDER = ["start", "groups", "thresholds", "resets", "synapses", "end"]


@pytest.fixture(scope="module")
def simulated() -> dict[tuple[str, str], Any]:
    """Rates of ten layers for Bernoulli(0.5) inputs over 200 steps, by reset and gain: shape (seeds, layers)."""
    found: dict[tuple[str, str], Any] = {}
    with biosnn.session("cpp", seed=1, dt=DT) as sim:
        # It runs for longer than a compiler takes to optimise it.
        flags = prefs["codegen.cpp.extra_compile_args_gcc"]
        prefs["codegen.cpp.extra_compile_args_gcc"] = ["-O3" if flag == "-O0" else flag for flag in flags]
        for reset in ("hard", "soft"):
            sim.reset()
            inputs = playback(WIDTH, capacity=WIDTH * STEPS, name="inputs")
            cells = biosnn.neurons(LAYERS * WIDTH, f"if_{reset}", name="cells")
            parts = [cells[n * WIDTH : (n + 1) * WIDTH] for n in range(LAYERS)]
            ways = [
                biosnn.synapses(before, after, "static", connect=biosnn.Dense(), onto="v", name=f"way_{number}")
                for number, (before, after) in enumerate(zip([inputs, *parts], parts, strict=False))
            ]
            monitor = SpikeMonitor(cells)
            network = Network(inputs, cells, ways, monitor)
            network.schedule = ORDER

            def point(seed: int, gain: float, ways: Any = ways, inputs: Any = inputs) -> dict[str, Any]:
                rng = np.random.default_rng(seed)
                spikes = np.nonzero(rng.random((STEPS, WIDTH)) < 0.5)
                drawn = {f"{way.name}.w": rng.normal(0, np.sqrt(gain / WIDTH), WIDTH**2) for way in ways}
                return {**inputs.spikes(*spikes), **drawn}

            def read(_: int, monitor: Any = monitor) -> Any:
                # Layer l is looked at for as many steps, l steps later.
                layer = np.asarray(monitor.i[:]) // WIDTH
                step = np.rint(np.asarray(monitor.t / DT)).astype(int) - 1 - layer
                kept = (step >= 0) & (step < STEPS)
                return np.bincount(layer[kept], minlength=LAYERS) / (WIDTH * STEPS)

            points = [(gain, seed) for gain in (HE, CRITICAL) for seed in range(SEEDS)]
            made = [point(seed, gain) for gain, seed in points]
            run = sim.prepare(network, lambda n=network: sim.run(n, (STEPS + LAYERS + 1) * DT), made[0])
            rates = np.reshape(run.run(made, read), (2, SEEDS, LAYERS))
            found[reset, "he"], found[reset, "critical"] = rates
    return found


@pytest.mark.cpp
@pytest.mark.parametrize(
    ("reset", "gain", "first", "last"),
    [
        ("hard", "he", 0.164, 0.021),
        ("soft", "he", 0.241, 0.139),
        ("hard", "critical", 0.205, 0.179),
        ("soft", "critical", 0.355, 0.368),
    ],
)
def test_rates_of_ten_layers(simulated: Any, reset: str, gain: str, first: float, last: float) -> None:
    """Golden: one network each, of a simulation by the project's authors; how wide it was is not said."""
    rates = simulated[reset, gain][:, [0, -1]]
    spread = rates.std(axis=0, ddof=1) * np.sqrt(1 + 1 / SEEDS)
    assert (spread < 0.05).all()
    np.testing.assert_array_less(np.abs(rates.mean(axis=0) - [first, last]), np.maximum(3 * spread, 0.004))


@pytest.mark.cpp
@pytest.mark.parametrize(("reset", "allowed"), [("hard", 0.02), ("soft", 0.03)])
@pytest.mark.parametrize("gain", ["he", "critical"])
def test_the_mean_field_predicts_every_layer(simulated: Any, reset: str, allowed: float, gain: str) -> None:
    rates = simulated[reset, gain]
    predicted = mean_field(0.5, {"he": HE, "critical": CRITICAL}[gain], 1, LAYERS, steps=STEPS, reset=reset)
    off = np.abs(rates.mean(axis=0) - predicted)
    print(reset, gain, predicted.round(3), rates.mean(axis=0).round(3), rates.std(axis=0).round(3))
    assert off.max() < allowed
