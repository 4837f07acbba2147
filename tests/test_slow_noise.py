"""Noise in a variable that is too slow for single precision: its variance, against the closed form."""

from __future__ import annotations

import numpy as np
import pytest
from brian2 import Network, ms
from numpy.testing import assert_allclose

import biosnn

SLOW = "dx/dt = -x/tau + s*sqrt(2/tau)*xi : 1"
MODELS = {
    "alone": ("euler", SLOW),
    "beside a fast one": ("euler", f"dy/dt = -y/fast + s*sqrt(2/fast)*xi_fast : 1\n{SLOW}"),
    "by way of a factor": ("euler", "dx/dt = -x/tau + size*xi/sqrt(tau) : 1\nsize = s*sqrt(2) : 1"),
    "heun": ("heun", f"{SLOW}\ndy/dt = -y/fast : 1"),
}


def model(name: str) -> biosnn.NeuronModel:
    method, equations = MODELS[name]
    values = {"tau": "20 second", "s": "1", **({"fast": "1 ms"} if "fast" in equations else {})}
    parameters = {key: biosnn.Parameter(value, "m") for key, value in values.items()}
    return biosnn.NeuronModel(
        name="noisy", summary="s", source="s", equations=equations, method=method, parameters=parameters
    )


@pytest.mark.parametrize("target", ["numpy", pytest.param("cpp", marks=pytest.mark.cpp)])
def test_noise_in_a_slow_variable_has_the_variance_of_the_closed_form(target: str) -> None:
    with biosnn.session(target, seed=3, dt=0.1 * ms, precision="float32") as sim:
        groups = {name: biosnn.neurons(20000, model(name), name=f"group{k}") for k, name in enumerate(MODELS)}
        sim.run(Network(*groups.values()), 2 * ms)
        for name, group in groups.items():
            x = np.array(group.x[:])
            assert x.dtype == np.float64, "the variable should be slow, or the test tells nothing"
            # Four standard deviations of an estimate from so many cells.
            assert_allclose(np.var(x), -np.expm1(-2 * 2e-3 / 20), rtol=4 * np.sqrt(2 / len(x)), err_msg=name)
            assert abs(np.mean(x)) < 4 * np.std(x) / np.sqrt(len(x))
        y = np.array(groups["beside a fast one"].y[:])
        # Euler's method, which the model asks for, has its own closed form.
        step = 0.1
        expected = 2 * step * (1 - (1 - step) ** 40) / (1 - (1 - step) ** 2)
        assert_allclose(np.var(y), expected, rtol=4 * np.sqrt(2 / len(y)))
