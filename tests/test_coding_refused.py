"""What codings refuse, and by which name."""

from dataclasses import replace

import numpy as np
import pytest
from brian2 import Hz, Quantity, ms, mV, second
from brian2.units.fundamentalunits import get_dimensions

from biosnn.coding import (
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
from biosnn.errors import CodingError, NotFoundError, QuantityError

GRID = {"shape": (2, 3), "length": 10, "dt": 1 * ms}
RNG = np.random.default_rng(6)
ONE = Spikes([1], [1], **GRID)
REFUSED = [
    (lambda: TTFS(duration=0 * ms), CodingError, "TTFS.duration: expected one finite quantity above 0"),
    (lambda: TTFS(duration=[1, 2] * ms), CodingError, "TTFS.duration: expected one finite"),
    (lambda: TTFS(duration=np.inf * ms), CodingError, "TTFS.duration: expected one finite"),
    (lambda: TTFS(duration=10.5 * ms), CodingError, "TTFS.duration: expected a multiple of the time step of 1. ms"),
    (lambda: TTFS(duration=0.1 * ms), CodingError, "TTFS.duration: expected a multiple of the time step"),
    (lambda: TTFS(duration=1e-7 * ms), CodingError, "TTFS.duration: expected a multiple of the time step"),
    (lambda: TTFS(duration="1 ms"), CodingError, "TTFS.duration: expected one finite"),
    (lambda: TTFS(duration=100), QuantityError, "TTFS.duration: expected a quantity in second"),
    (lambda: TTFS(dt=1 * mV), QuantityError, "TTFS.dt: expected a quantity in second"),
    (lambda: Regular(rate=1 * ms), QuantityError, "Regular.rate: expected a quantity in Hz"),
    (lambda: Regular(rate=1001 * Hz), CodingError, "Regular.rate: expected at most one spike per time step of 1. ms"),
    (lambda: Bernoulli(rate=2000 * Hz), CodingError, "Bernoulli.rate: expected at most one spike"),
    (lambda: MembraneTTFS(tau=0 * ms), CodingError, "MembraneTTFS.tau: expected one finite quantity above 0"),
    (lambda: MembraneTTFS(drive=1), CodingError, "MembraneTTFS.drive: expected a finite number above 1"),
    (lambda: MembraneTTFS(drive=np.inf), CodingError, "MembraneTTFS.drive: expected a finite number above 1"),
    (lambda: MembraneTTFS(drive=np.nan), CodingError, "MembraneTTFS.drive: expected a finite number above 1"),
    (lambda: RankOrder(mod=1), CodingError, "RankOrder.mod: expected a number between 0 and 1"),
    (lambda: RankOrder(mod=0), CodingError, "RankOrder.mod: expected a number between 0 and 1"),
    (lambda: RankOrder(mod=[0.5]), CodingError, "RankOrder.mod: expected a number between 0 and 1"),
    (lambda: RankOrder().encode(np.ones(101)), CodingError, "at most 100 values, one for each step .got 101"),
    (lambda: Phase(bits=33), CodingError, "Phase.bits: expected a whole number from 1 to 32"),
    (lambda: Phase(bits=8.0), CodingError, "Phase.bits: expected a whole number from 1 to 32"),
    (lambda: Phase(bits=True), CodingError, "Phase.bits: expected a whole number from 1 to 32"),
    (lambda: Burst(N_max=0), CodingError, "Burst.N_max: expected a whole number from 1"),
    (lambda: Burst(T_min=0.9 * ms), CodingError, "Burst.T_min: expected at least the time step of 1. ms"),
    (lambda: Burst(T_min=20 * ms), CodingError, "Burst.T_max: expected more than T_min of 20. ms"),
    (lambda: Burst(duration=28 * ms), CodingError, "at least the longest burst of 29. ms .got 28. "),
    (lambda: Population(M=2), CodingError, "Population.M: expected a whole number from 3"),
    (lambda: Population(silent=-0.1), CodingError, "Population.silent: expected a number from 0 to below 1"),
    (lambda: Population(silent=1), CodingError, "Population.silent: expected a number from 0 to below 1"),
    (lambda: Population().decode(Spikes([], [], shape=(2, 9), length=100, dt=1 * ms)), CodingError, "last axis of 10"),
    (lambda: Delta(threshold=1.1), CodingError, "Delta.threshold: expected a number above 0 and at most 1"),
    (lambda: Delta(threshold=True), CodingError, "Delta.threshold: expected a number above 0"),
    (lambda: Delta(threshold=0), CodingError, "Delta.threshold: expected a number above 0"),
    (lambda: Delta().encode(np.ones(99)), CodingError, "a signal of 100 samples, the first axis .got 'shape .99,.'"),
    (lambda: Delta().encode(0.5), CodingError, "a signal of 100 samples"),
    (lambda: Delta().decode(Spikes([], [], shape=(3,), length=100, dt=1 * ms)), CodingError, "last axis of 2"),
    (lambda: Poisson().encode(0.5), CodingError, "Poisson.encode, rng: expected a generator of random numbers"),
    (lambda: Bernoulli().encode(0.5, 3), CodingError, "Bernoulli.encode, rng: expected a generator"),
    (lambda: TTFS().encode([0.5, 1.1]), CodingError, "TTFS.encode, values: expected values from 0 to 1 .got 1.1"),
    (lambda: TTFS().encode(-0.1), CodingError, "values from 0 to 1 .got -0.1.. Divide"),
    (lambda: TTFS().encode([0, np.nan]), CodingError, "values from 0 to 1 .got nan"),
    (lambda: TTFS().encode([]), CodingError, "at least one value"),
    (lambda: TTFS().encode(0.5j), CodingError, "got 'an array of complex128'"),
    (lambda: TTFS().encode([[1], [1, 0]]), CodingError, "values from 0 to 1, without a unit"),
    (lambda: TTFS().encode(0.5 * mV), QuantityError, "TTFS.encode, values: expected a dimensionless number"),
    (lambda: TTFS().decode(ONE), CodingError, "TTFS.decode, spikes: expected 100 steps of 1. ms .got '10 steps"),
    (lambda: TTFS(duration=1 * second, dt=100 * ms).decode(ONE), CodingError, "expected 10 steps of 100. ms"),
    (lambda: TTFS().bound(101 * ms), CodingError, "TTFS.bound, until: expected at most the duration of 100. ms"),
    (lambda: TTFS().bound(-1 * ms), CodingError, "TTFS.bound, until: expected one finite quantity not below 0"),
    (lambda: TTFS().bound(5), QuantityError, "TTFS.bound, until: expected a quantity in second"),
    (lambda: Spikes([1], [1, 2], **GRID), CodingError, "Spikes.neurons: expected one for each of 1 steps"),
    (lambda: Spikes([10], [1], **GRID), CodingError, "Spikes.steps: expected from 0 to 9"),
    (lambda: Spikes([1], [-1], **GRID), CodingError, "Spikes.neurons: expected from 0 to 5"),
    (lambda: Spikes([1], [6], **GRID), CodingError, "Spikes.neurons: expected from 0 to 5"),
    (lambda: Spikes([1.5], [1], **GRID), CodingError, "Spikes.steps: expected an array of whole numbers"),
    (lambda: Spikes([[1]], [1], **GRID), CodingError, "Spikes.steps: expected an array of whole numbers"),
    (lambda: replace(ONE, length=0), CodingError, "Spikes.length: expected a whole number from 1"),
    (lambda: replace(ONE, dt=0 * ms), CodingError, "Spikes.dt: expected one finite quantity above 0"),
    (lambda: replace(ONE, steps=[1, 1], neurons=[1, 1]).raster(), CodingError, "at most one spike per neuron and step"),
    (lambda: Spikes.from_raster(np.ones((2, 2)), 1 * ms), CodingError, "an array of bool, steps first"),
    (lambda: Spikes.from_raster(True, 1 * ms), CodingError, "an array of bool, steps first"),
    (lambda: jitter(ONE, -1 * ms, RNG), CodingError, "jitter, sd: expected one finite quantity not below 0"),
    (lambda: jitter(ONE, 1, RNG), QuantityError, "jitter, sd: expected a quantity in second"),
    (lambda: jitter(ONE, 1 * ms, None), CodingError, "jitter, rng: expected a generator"),
    (lambda: delete(ONE, 1.1, RNG), CodingError, "delete, probability: expected a number from 0 to 1"),
    (lambda: delete(ONE, -0.1, RNG), CodingError, "delete, probability: expected a number from 0 to 1"),
    (lambda: delete(ONE, 0.1, None), CodingError, "delete, rng: expected a generator"),
    (lambda: noisy([1], np.inf, RNG), CodingError, "noisy, sd: expected a finite number from 0 on"),
    (lambda: noisy([1], 1, 3), CodingError, "noisy, rng: expected a generator"),
    (lambda: noisy([2], 1, RNG), CodingError, "noisy, values: expected values from 0 to 1"),
    (lambda: noisy([1], -1, RNG), CodingError, "noisy, sd: expected a finite number from 0 on"),
    (lambda: coding("tttfs"), NotFoundError, "No coding named 'tttfs'. Did you mean 'ttfs'. Valid names: bernoulli, "),
    (lambda: coding("phase", bit=3), CodingError, "No parameter of the coding phase named 'bit'. Did you mean 'bits'"),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED, ids=[message for *_, message in REFUSED])
def test_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("times", [[np.nan] * ms, [np.inf] * ms])
def test_times_of_spikes_are_finite(times):
    with pytest.raises(CodingError, match=r"Spikes\.from_times, times: expected finite times"):
        Spikes.from_times(times, [0], shape=(1,), duration=1 * ms, dt=1 * ms)


def test_times_of_spikes_are_times():
    assert get_dimensions(ONE.times) == get_dimensions(second)
    assert isinstance(ONE.first_times(), Quantity)
    with pytest.raises(QuantityError, match=r"Spikes\.from_times, times: expected a quantity in second"):
        Spikes.from_times([1], [0], shape=(1,), duration=1 * ms, dt=1 * ms)
