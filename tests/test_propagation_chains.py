"""Chains of cortical neurons: their measures on spikes that are known, and small chains."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from brian2 import Hz, ms, mV, second

import biosnn
from biosnn.errors import QuantityError, SettingsError
from biosnn.propagation import CorticalChains, rates, run_chains, volleys
from biosnn.propagation import chain as chains
from biosnn.propagation.chain import Spikes


def settings(**given: Any) -> CorticalChains:
    return CorticalChains(**{"groups": 2, "seeds": 2, "spikes": (30, 90), "volleys": 1, **given})


def told(wanted: CorticalChains, answer: Any) -> Any:
    """A chain whose spikes are known: ``answer`` of how it is set."""
    run = lambda settings, read: [read(answer(setting)) for setting in settings]  # noqa: E731
    return SimpleNamespace(groups=wanted.groups, width=wanted.width, dt=wanted.dt, run=run)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"groups": 1}, SettingsError, r"CorticalChains\.groups: expected at least 2 \(got 1\)"),
        ({"spikes": (30, 0)}, SettingsError, r"CorticalChains\.spikes: expected at least 1"),
        ({"sigmas": (1 * mV,)}, QuantityError, r"CorticalChains\.sigmas: expected a quantity in second"),
    ],
)
def test_chains_that_cannot_be_are_refused(given: dict[str, Any], error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        settings(**given)


# ---- volleys -------------------------------------------------------------------------------------------------------


def test_the_background_is_that_of_brian2s_example() -> None:
    """Its constants: 25.27 mV/ms and 39.24 mV/sqrt(ms) in the equation of y."""
    assert float(chains.drive() / mV) == pytest.approx(25.27 * 0.325, rel=1e-3)
    assert float(chains.noise(chains.TAU_S) / mV) == pytest.approx(39.24 * 0.325**0.5, rel=1e-3)
    # Slower synapses spread the same noise over more time.
    moved = [float(chains.noise(tau) * tau**0.5 / mV) for tau in (0.325 * ms, 3 * ms)]
    assert moved[0] == pytest.approx(moved[1])


def test_a_sigmoid_is_found_again() -> None:
    a = np.arange(30, 101, 5)
    chance = 1 / (1 + np.exp(-(a - 52.0) / 3.0))
    survived = chance[:, None] > np.random.default_rng(1).random((4000, len(a))).T
    midpoint, width = volleys.sigmoid(a, survived)
    assert midpoint == pytest.approx(52, abs=0.3)
    assert width == pytest.approx(3, abs=0.2)
    assert volleys.survival_of(52.0, (midpoint, width)) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(("first", "low", "high"), [(6, 55, 60), (15, 98, 100), (0, 30, 32)])
def test_a_step_has_its_midpoint_within_it(first: int, low: float, high: float) -> None:
    a = np.arange(30, 101, 5)
    midpoint, width = volleys.sigmoid(a, np.repeat(np.arange(15)[:, None] >= first, 4, axis=1))
    assert low <= midpoint <= high
    assert width >= 0.5


def test_volleys_are_counted_and_timed_group_by_group() -> None:
    wanted = settings(sigmas=(1 * ms,))
    trains = volleys.volley_trains(wanted, 1)
    assert np.bincount(trains.steps // 600, minlength=3).tolist() == [0, 30, 90]
    assert np.std(trains.steps[30:]) / 10 == pytest.approx(1, abs=0.25)

    def answer(setting: Any) -> Any:
        rng = np.random.default_rng(setting.seed)
        given = [(0, 0, 20, 2.0), (0, 1, 5, 3.0), (1, 0, 90, 1.0), (1, 1, 100, 0.5)]
        steps = [600 * (1 + volley) + 200 + 10 * rng.normal(0, sd, n) for volley, _, n, sd in given]
        cells = [100 * group + np.arange(n) for _, group, n, _ in given]
        before = np.arange(300, 600, 5)  # 60 spikes of 200 neurons in 30 ms
        return Spikes(np.rint(np.concatenate([before, *steps])).astype(int), np.concatenate([0 * before, *cells]))

    found = volleys.run_volleys(wanted, told(wanted, answer), [trains, trains], [1, 2])
    assert found.packets[:, 0, 1, 0].tolist() == [[90, 100]] * 2
    assert found.packets[:, 0, 0, 0].max() <= 20
    assert found.spreads[0, 0, 1, 0] == pytest.approx([1.0, 0.5], rel=0.25)
    assert found.survived[:, 0, :, 0].tolist() == [[False, True]] * 2
    assert found.background == pytest.approx([10.0, 10.0])
    assert np.all((found.midpoints > 30) & (found.midpoints < 90))


# ---- rates ---------------------------------------------------------------------------------------------------------


def layers(together: bool) -> Any:
    """Layers that answer the input's rate r with r*area/0.1 + (drive - 8), as Poisson trains, or all as one.

    Those of the synfire chain have an area of 0.158 mV s, and a drive of 8.21 mV.
    """

    def answer(setting: Any) -> Any:
        rng, steps, width = np.random.default_rng(setting.seed), setting.steps, 100
        rate = len(setting.given.steps) / width / (steps * 1e-4)
        area = np.asarray(setting.weights[0]) * 1000 * width * float(setting.tau_s / second)
        mu = np.asarray(setting.mu / mV)
        expected = np.maximum(rate * area / 0.1 + (mu - 8), 0) * steps * 1e-4
        if together and np.ptp(mu) == 0:
            times = rng.choice(steps, round(expected[0]), replace=False)
            return Spikes(np.repeat(times, len(mu)), np.tile(np.arange(len(mu)), len(times)))
        counts = rng.poisson(expected)
        return Spikes(rng.integers(0, steps, counts.sum()), np.repeat(np.arange(len(mu)), counts))

    return answer


def first(found: Any) -> Any:
    """The first condition only."""
    own = {name: getattr(found, name)[:1] for name in ("conditions", "weight", "drive", "response", "fano", "wander")}
    return rates.Rates(found.rates, **own)


@pytest.fixture(scope="module")
def known() -> dict[bool, Any]:
    """What is measured of layers that fire independently, and of those that fire together."""
    wanted = settings(noises=(1.0,), duration=2000 * ms)
    trains = [rates.rate_trains(wanted, seed) for seed in (1, 2)]
    return {
        together: rates.run_rates(wanted, told(wanted, layers(together)), trains, [1, 2]) for together in (False, True)
    }


def test_the_rule_finds_weight_and_drive_that_keep_rates(known: Any) -> None:
    assert known[False].conditions == ("noise 1", "synfire chain")
    assert known[False].weight == pytest.approx([0.1 / 100 / 0.003, 4.86], rel=0.05)  # area, neurons, s
    assert known[False].drive == pytest.approx([8, 8.21], abs=1.5)


def test_independent_layers_tell_a_rate_at_once_and_those_that_fire_together_do_not(known: Any) -> None:
    apart, together = (first(known[key]) for key in (False, True))
    assert known[False].slope[1] == pytest.approx(1.58, abs=0.1)
    for found in (apart, together):
        assert found.response.mean(axis=(0, 1)) == pytest.approx(np.tile(found.rates[:, None], 2), rel=0.15, abs=2)
        assert found.slope == pytest.approx(1, abs=0.1)
        assert found.told.min() > 0.98
    assert np.nanmean(apart.fano) == pytest.approx(1, abs=0.1)
    assert np.nanmean(together.fano) == pytest.approx(100, rel=0.15)
    # In 20 ms, n neurons of rate r have a variance of n r 0.02 spikes: that of the rate is r/(0.02 n), or r/0.02.
    assert apart.wander.mean() == pytest.approx(apart.rates.mean() / 0.02 / 100, rel=0.1)
    assert together.wander.mean() == pytest.approx(together.rates.mean() / 0.02, rel=0.15)
    variance = apart.rates.var()
    assert apart.told_fast.mean() == pytest.approx(variance / (variance + apart.rates.mean() / 2), abs=0.02)
    assert together.told_fast.mean() == pytest.approx(variance / (variance + apart.rates.mean() / 0.02), abs=0.05)


def test_inputs_are_poisson_trains_of_their_rates() -> None:
    found = rates.rate_trains(settings(), 3)
    assert set(found) == {5, 10, 20, 30, 40, 50, 60, 80}
    for rate, spikes in found.items():
        assert len(spikes.steps) == pytest.approx(rate * 0.75 * 100, abs=4 * np.sqrt(rate * 75))
        assert spikes.steps.max() < 7500
    assert len(rates.rate_trains(settings(kept=(7 * Hz,)), 3)) == 9


# ---- the whole ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found() -> Any:
    """A few short runs."""
    wanted = settings(
        groups=3,
        sigmas=(1 * ms, 3 * ms),
        rates=(10 * Hz, 80 * Hz),
        kept=(50 * Hz,),
        noises=(1.0, 0.0),
        duration=60 * ms,
        dt=0.2 * ms,
    )
    with pytest.MonkeyPatch.context() as patch, biosnn.session("numpy", seed=1) as sim:
        patch.setattr(rates, "AREAS", np.array([0.07, 0.14]))
        patch.setattr(rates, "SETTLE", 60 * ms)
        return run_chains(wanted, sim)


def test_small_volleys_die_and_large_ones_gather(found: Any) -> None:
    sent = found.volleys
    assert sent.survived[:, :, 0].sum() == 0
    assert sent.survived[:, :, 1].all()
    large = sent.packets[:, :, 1, 0]
    assert large[..., -1].min() >= 90
    assert np.all(sent.spreads[:, :, 1, 0, -1] < sent.spreads[:, :, 1, 0, 0])
    assert 1 < sent.background.mean() < 5


def test_without_noise_a_layer_fires_as_one(found: Any) -> None:
    noisy, quiet, _ = found.rates.fano[:, :, -1, -1].mean(axis=1)
    assert noisy < 10
    assert quiet > 50
    assert np.all(found.rates.response[:, :, 1] > found.rates.response[:, :, 0])
