"""The adjoint of a neuron model: gradients of its steps, spikes and arrivals against differences and closed forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import adjoint_programs as programs
import numpy as np
import pytest
from brian2 import Network, StateMonitor, ms
from numpy.testing import assert_allclose

import biosnn
from biosnn import catalogue
from biosnn.adjoint import adjoint

STARTS: dict[str, dict[str, float]] = {
    "lif_exp": {"v": -0.0553, "I_exc": 3e-11, "I_inh": 1e-11, "I": 4e-11},
    "lif_cond": {"v": -0.0582, "g_exc": 6e-9, "g_inh": 2e-8, "I": 2e-11},
    "lif_adaptive": {"v": -0.061, "g_exc": 0.4, "g_inh": 0.2, "theta": 0.021},
    "lif_exp_trainable": {"v": 0.2, "I": 0.7},
    "lif_psc_alpha": {"v": -0.068, "I_syn": 2e-10, "I_rise": 5e-10, "I": 1e-10},
    "qif": {"v": 0.3, "I_syn": 0.4, "I": 0.2},
    "izhikevich": {"v": -0.062, "u": -0.0128 * 1e3, "I": 4.0},
    "adex": {"v": -0.052, "w": 3e-11, "I": 7e-10},
    "hodgkin_huxley": {"v": -0.052, "m": 0.08, "h": 0.5, "n": 0.34, "I": 0.05},
}
"""A state of each model, and its input, in basic units, from which a few steps lead to no spike."""


def start_of(name: str, a: Any, **more: float) -> tuple[dict[str, float], dict[str, float]]:
    """State variables, and all else: parameters, inputs and the time step."""
    given = STARTS[name]
    values = {**programs.parameter_values(a), **{key: x for key, x in given.items() if key in a.inputs}, "dt": 1e-4}
    return {key: given[key] for key in a.states}, {**values, **more}


@pytest.mark.parametrize("name", STARTS)
def test_a_gradient_through_steps_is_that_of_the_same_program_by_differences(name: str) -> None:
    a = programs.of(name)
    start, values = start_of(name, a)
    weights = {key: 1 / x**2 for key, x in start.items()}
    found = programs.backwards(a, start, values, 12, weights)
    expected = programs.differences(a, start, values, 12, weights)
    worst = programs.relative(found, expected)
    assert max(worst.values()) < 1e-9, worst
    assert sum(slope != 0 for slope in expected.values()) > len(start)


@pytest.mark.parametrize("apart", [0.0, 1e-9, 1e-3])
def test_time_constants_that_meet_have_a_gradient(apart: float) -> None:
    a = programs.of("lif_exp_trainable")
    start, values = start_of("lif_exp_trainable", a, tau_s=0.02 * (1 + apart))
    found = programs.backwards(a, start, values, 12, {"v": 1, "I": 1})
    expected = programs.differences(a, start, values, 12, {"v": 1, "I": 1})
    worst = programs.relative(found, expected)
    worst.pop("v_th"), worst.pop("v_reset")
    assert max(worst.values()) < 1e-9, worst


# ---- the step is that of the simulation --------------------------------------------------------------------------


def simulated(model: biosnn.NeuronModel, start: Mapping[str, float], steps: int) -> dict[str, Any]:
    """State variables after each of some steps of Brian2's NumPy target, the start before them, in basic units."""
    with biosnn.session("numpy", dt=0.1 * ms) as sim:
        cell = biosnn.neurons(1, model)
        for name, x in start.items():
            setattr(cell, f"{name}_", x)
        recorded = [name for name in start if name in model.parsed]
        trace = StateMonitor(cell, recorded, record=True)
        sim.run(Network(cell, trace), (steps + 1) * 0.1 * ms)
        return {name: np.array(getattr(trace, f"{name}_")[0]) for name in recorded}


METHODS = [
    *(("lif_exp", "exact"), ("lif_psc_alpha", "exact"), ("lif_exp", "rk4"), ("lif_exp", "euler")),
    *(
        ("lif_cond", "exponential_euler"),
        ("lif_cond", "rk2"),
        ("lif_adaptive", "exponential_euler"),
    ),
    *(("izhikevich", "euler"), ("izhikevich", "rk2"), ("qif", "rk2"), ("qif", "rk4"), ("qif", "euler")),
    *(("adex", "euler"), ("adex", "rk2"), ("hodgkin_huxley", "exponential_euler")),
]


@pytest.mark.parametrize(("name", "method"), METHODS)
def test_a_step_is_what_brian_computes(name: str, method: str) -> None:
    model = replace(catalogue.neuron_model(name), method=method)
    a = programs.of(name) if model == catalogue.neuron_model(name) else adjoint(model)
    start, values = start_of(name, a)
    seen = simulated(model, STARTS[name], 1)
    after = programs.numbers([a.step[state] for state in a.states], {**start, **values})
    assert_allclose(after, [seen[state][1] for state in a.states], rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "method"),
    [("lif_exp", "exact"), ("lif_exp", "rk4"), ("lif_cond", "exponential_euler"), ("lif_psc_alpha", "exact")],
)
def test_a_step_while_refractory_is_what_brian_computes(name: str, method: str) -> None:
    model = replace(catalogue.neuron_model(name), method=method)
    a = adjoint(model)
    above = {**STARTS[name], "v": -0.02}
    seen = simulated(model, above, 3)
    assert len(set(seen["v"][1:])) == 1, "it has spiked in the first step, and rests"
    values = start_of(name, a)[1]
    before = {state: x[1] for state, x in seen.items()}
    after = programs.numbers([a.step_held[state] for state in a.states], {**before, **values})
    assert_allclose(after, [seen[state][2] for state in a.states], rtol=1e-12)
    assert a.step_held["v"] == biosnn.adjoint.symbol("v")
    assert ("v", "v") in a.step_held_jacobian
    assert not any(to == "v" for to, _ in a.step_held_parameters)
