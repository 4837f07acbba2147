"""The event-driven reference: golden numbers, closed forms, and central differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from event_driven import Array, Cell, OfPotential, OfSpikes, Trains, both_gradients, gradient
from numpy.testing import assert_allclose

ONCE = [np.array([0.0])]


def nth(k: int) -> OfSpikes:
    """The time of a spike of the first neuron."""

    def function(spikes: Trains) -> tuple[float, list[Array]]:
        slopes = [np.zeros(len(train)) for train in spikes]
        slopes[0][k] = 1.0
        return float(spikes[0][k]), slopes

    return OfSpikes(function)


def summed(coefficients: Callable[[int, int], float]) -> OfSpikes:
    """A smooth function of all times."""

    def function(spikes: Trains) -> tuple[float, list[Array]]:
        value, slopes = 0.0, []
        for j, train in enumerate(spikes):
            c = np.array([coefficients(j, k) for k in range(len(train))])
            value += float(np.sum(c * np.sin(train / 10)))
            slopes.append(c * np.cos(train / 10) / 10)
        return value, slopes

    return OfSpikes(function)


def cross_entropy(label: int) -> Callable[[Array], tuple[float, Array]]:
    def function(numbers: Array) -> tuple[float, Array]:
        shares = np.exp(numbers - numbers.max())
        shares /= shares.sum()
        return -float(np.log(shares[label])), shares - (np.arange(len(numbers)) == label)

    return function


# Of T = tau_m ln(2w/(w + sqrt(w^2 - 4w))) for tau_m = 2 tau_s and of T = -tau W0(-1/w) for equal ones, with 30 digits.
@pytest.mark.parametrize(
    ("tau_m", "tau_s", "w", "time", "slope"),
    [
        (20, 10, 5.0, 6.470142623148935, -2.4721359549995794),
        (20, 10, 6.0, 4.748015723032383, -1.2200846792814621),
        (10, 10, 4.0, 3.574029561813889, -1.3904629643856358),
    ],
)
def test_one_input(tau_m: float, tau_s: float, w: float, time: float, slope: float) -> None:
    found, (dw,), _ = gradient([np.array([[w]])], ONCE, tau_m, tau_s, 1.0, 0.0, nth(0))
    assert_allclose([found, dw[0, 0]], [time, slope], rtol=1e-12)


def test_the_second_of_two_cells_in_a_chain() -> None:
    weights = [np.array([[5.0]]), np.array([[6.0]])]
    time, (first, second), _ = gradient(weights, ONCE, 20, 10, 1.0, 0.0, nth(0))
    assert_allclose(time, 6.470142623148935 + 4.748015723032383, rtol=1e-12)
    assert_allclose([first[0, 0], second[0, 0]], [-2.4721359549995794, -1.2200846792814621], rtol=1e-12)


def test_constant_drive() -> None:
    # A current that does not decay: spike k comes at k tau ln(I/(I - 1)).
    for k in range(3):
        time, (dw,), _ = gradient([np.array([[2.0]])], ONCE, 20, 1e13, 1.0, 0.0, nth(k), until=100.0)
        assert_allclose([time, dw[0, 0]], [(k + 1) * 20 * np.log(2), -10 * (k + 1)], rtol=1e-10)


def test_a_refractory_period_delays_constant_drive_and_changes_no_slope() -> None:
    for k in range(3):
        time, (dw,), _ = gradient([np.array([[2.0]])], ONCE, 20, 1e13, 1.0, 3.0, nth(k), until=100.0)
        assert_allclose([time, dw[0, 0]], [(k + 1) * 20 * np.log(2) + 3 * k, -10 * (k + 1)], rtol=1e-10)


def test_a_cell_without_leak() -> None:
    # Mostafa 2017, doi:10.1109/TNNLS.2017.2726060, equations 8 to 10: exp(t/tau_s) = sum w z/(sum w - theta).
    tau_s, tau_m, w, z = 10.0, 1e13, np.array([1.5, 1.0]), np.array([1.0, 1.2])
    trains = list(tau_s * np.log(z)[:, None])
    time, (dw,), dt, _ = both_gradients([w[:, None] * tau_m / tau_s], trains, Cell(tau_m, tau_s), nth(0), until=10.0)
    out = np.exp(time / tau_s)
    assert_allclose(out, 1.8, rtol=1e-11)
    assert_allclose(dw[:, 0] * out / tau_s * tau_m / tau_s, (z - out) / (w.sum() - 1), rtol=1e-11)
    assert_allclose(dw[:, 0] * out / tau_s * tau_m / tau_s, [-0.8 / 1.5, -0.6 / 1.5], rtol=1e-11)
    assert_allclose(np.concatenate(dt) * out / z, [1, 1 / 1.5], rtol=1e-11)


def test_several_inputs() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        times, w = np.sort(rng.uniform(0, 5, 4)), rng.uniform(1.5, 3, 4)
        a1, a2 = np.sum(w * np.exp(times / 10)), np.sum(w * np.exp(times / 20))
        expected = 20 * np.log(2 * a1 / (a2 + np.sqrt(a2**2 - 4 * a1)))
        assert expected > times[-1], "the closed form is of spikes after all inputs"
        found, _, _ = gradient([w[:, None]], list(times[:, None]), 20, 10, 1.0, 0.0, nth(0))
        assert_allclose(found, expected, rtol=1e-12)


# ---- random networks, against central differences ---------------------------------------------------------------

STENCIL = ((1, 2 / 3), (-1, -2 / 3), (2, -1 / 12), (-2, 1 / 12))
STEP = 5e-6  # in a larger one, spikes that only just come are too far from a polynomial
SCALES = {(20.0, 5.0): (2.0, 1.6), (10.0, 10.0): (0.4, 0.5), (8.0, 12.0): (0.3, 0.4)}
LOSSES = {
    "times": summed(lambda j, k: (1 + j) / (1 + k)),
    "mean": OfPotential(cross_entropy(1), "mean", 60.0),
    "largest": OfPotential(cross_entropy(2), "largest", 60.0),
    "last": OfPotential(cross_entropy(0), "last", 40.0),
}


def network(seed: int, tau_m: float, tau_s: float) -> tuple[list[Array], Trains]:
    """A 5-6-3 network in which cells fire a few times, whatever the time constants, and its input."""
    rng, (first, second) = np.random.default_rng(seed), SCALES[tau_m, tau_s]
    weights = [rng.normal(first, first / 2, (5, 6)), rng.normal(second, 0.75 * second, (6, 3))]
    return weights, [np.sort(rng.uniform(0, 30, 3)) for _ in range(5)]


@pytest.mark.parametrize("t_ref", [0.0, 3.0])
@pytest.mark.parametrize("taus", SCALES)
@pytest.mark.parametrize("loss", LOSSES)
def test_the_gradient_is_that_of_central_differences(loss: str, taus: tuple[float, float], t_ref: float) -> None:
    # Along directions in which all weights change, by differences of the fourth order.
    for seed in range(2):
        weights, trains = network(seed, *taus)

        def run(weights: list[Array], trains: Trains = trains) -> tuple[float, list[Array], list[int]]:
            value, found, spikes = gradient(weights, trains, *taus, 1.0, t_ref, LOSSES[loss], until=60.0)
            return value, found, [len(train) for layer in spikes for train in layer]

        _, found, counts = run(weights)
        assert max(counts[:6]) >= 2, "cells fire several times"
        assert sum(counts[6:]) >= 2 or isinstance(LOSSES[loss], OfPotential)
        rng = np.random.default_rng(7)
        for _ in range(3):
            along = [rng.normal(size=matrix.shape) for matrix in weights]
            moved = 0.0
            for step, share in STENCIL:
                there, _, same = run([w + step * STEP * d for w, d in zip(weights, along, strict=True)])
                assert same == counts, "no spike comes or goes"
                moved += share * there / STEP
            expected = sum(float(np.sum(g * d)) for g, d in zip(found, along, strict=True))
            assert abs(moved - expected) <= 1e-8 * max(np.linalg.norm(g) for g in found)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_derivative_by_the_times_of_the_inputs(loss: str) -> None:
    weights, trains = network(0, 20.0, 5.0)
    cell = Cell(20.0, 5.0, 1.0, 3.0)
    _, _, found, _ = both_gradients(weights, trains, cell, LOSSES[loss], until=60.0)
    for i, k in ((0, 0), (2, 1), (4, 2)):
        moved = 0.0
        for step, share in STENCIL:
            there = [train.copy() for train in trains]
            there[i][k] += step * 1e-4
            moved += share * both_gradients(weights, there, cell, LOSSES[loss], until=60.0)[0] / 1e-4
        assert abs(moved - found[i][k]) <= 1e-8 * max(np.abs(dt).max() for dt in found)


def test_a_maximum_that_an_inhibitory_spike_ends_comes_with_it() -> None:
    weights, cell = [np.array([[2.0], [-9.0]])], Cell(20.0, 5.0)
    loss = OfPotential(lambda numbers: (float(numbers[0]), np.ones(1)), "largest", 60.0)
    largest, (dw,), dt, _ = both_gradients(weights, [np.array([1.0]), np.array([4.0])], cell, loss)
    kernel = (np.exp(-3 / 20) - np.exp(-3 / 5)) / 3
    assert_allclose(largest, 2 * kernel, rtol=1e-14)
    assert_allclose(dw[:, 0], [kernel, 0], rtol=1e-14)
    slope = 2 * (np.exp(-3 / 5) / 5 - np.exp(-3 / 20) / 20) / 3
    assert_allclose(np.concatenate(dt), [-slope, slope], rtol=1e-13)
