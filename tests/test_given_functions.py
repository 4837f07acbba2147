"""Functions of a model that are given when it is built, beside Brian2 written by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import (
    Function,
    Network,
    NeuronGroup,
    SpikeMonitor,
    StateMonitor,
    TimedArray,
    check_units,
    implementation,
    ms,
    mV,
    nA,
    volt,
)
from numpy.testing import assert_allclose, assert_array_equal

import biosnn
from biosnn.adjoint import adjoint
from biosnn.errors import AdjointError, ModelError
from biosnn.model import from_toml, to_toml
from biosnn.report.preview import draw_preview
from biosnn.report.trial import try_model

MODEL = from_toml((Path(__file__).parent / "valid" / "neuron_functions.toml").read_text(encoding="utf-8"))
STIMULUS, OWN = np.array([0.0, 0.3, 0.1]), np.random.default_rng(1).uniform(0, 0.4, (4, 3))


@implementation("cpp", "double gate(double v) { return 1/(1 + exp(-(v + 0.055)/0.004)); }")
@implementation("cython", "cdef double gate(double v):\n    return 1/(1 + exp(-(v + 0.055)/0.004))")
@check_units(v=volt, result=1)
def gate(v: Any) -> Any:
    return 1 / (1 + np.exp(-(v / volt + 0.055) / 0.004))


def functions(scale: float = 1.0) -> dict[str, Any]:
    return {
        "stimulus": TimedArray(scale * STIMULUS * nA, dt=10 * ms, name="stimulus_array"),
        "own": TimedArray(scale * OWN * nA, dt=8 * ms, name="own_array"),
        "gate": gate,
    }


def recorded(target: str, make: Any) -> Any:
    with biosnn.session(target, seed=1, dt=0.1 * ms) as sim:
        cells = make()
        trace, spikes = StateMonitor(cells, "v", record=True), SpikeMonitor(cells)
        sim.run(Network(cells, trace, spikes), 35 * ms)
        return np.array(trace.v / mV), np.array(spikes.i), np.array(spikes.t / ms)


def by_hand() -> NeuronGroup:
    cells = NeuronGroup(
        3,
        """dv/dt = (-70*mV - v + 50*Mohm*(stimulus(t) + own(t, i))
        - 50*Mohm*gate(v)*5*nS*(v + 70*mV))/(10*ms) : volt""",
        threshold="v > -60*mV",
        reset="v = -70*mV",
        method="euler",
        namespace=functions(),
    )
    cells.v = -70 * mV
    return cells


@pytest.mark.parametrize("target", ["numpy", pytest.param("cpp", marks=pytest.mark.cpp)])
def test_arrays_of_time_and_functions_of_a_users_own_are_those_of_brian(target: str) -> None:
    found = recorded(target, lambda: biosnn.neurons(3, MODEL, values=functions()))
    expected = recorded("numpy", by_hand)
    assert len(expected[1]) > 3
    assert_allclose(found[0], expected[0], rtol=1e-9)
    assert_array_equal(found[1], expected[1])
    assert_array_equal(found[2], expected[2])


@pytest.mark.cpp
def test_other_values_of_an_array_of_time_need_no_new_build(programs_used: list[Any]) -> None:
    first = recorded("cpp", lambda: biosnn.neurons(3, MODEL, values=functions()))
    other = recorded("cpp", lambda: biosnn.neurons(3, MODEL, values=functions(0.5)))
    assert programs_used[0] == programs_used[1]
    assert np.abs(first[0] - other[0]).max() > 1


def test_a_model_of_a_stimulus_is_solved_exactly() -> None:
    """The stimulus is constant within a step: v(t) = R I (1 - exp(-t/tau))."""
    model = biosnn.NeuronModel(
        name="driven",
        summary="A leaky membrane.",
        source="A test",
        equations="dv/dt = (stimulus(t) - v)/tau : volt",
        method="exact",
        parameters={"tau": biosnn.Parameter("10 ms", "time constant")},
        functions={"stimulus": biosnn.Given("second", "volt", "stimulus")},
    )
    assert from_toml(to_toml(model)) == model
    with biosnn.session("numpy", dt=0.1 * ms) as sim:
        cells = biosnn.neurons(1, model, values={"stimulus": TimedArray([1.0, 0.0] * mV, dt=20 * ms)})
        sim.run(Network(cells), 30 * ms)
        assert_allclose(cells.v / mV, (1 - np.exp(-2)) * np.exp(-1), rtol=1e-9)


def timed(*shape: int, unit: Any = nA) -> TimedArray:
    return TimedArray(np.ones(shape) * unit, dt=1 * ms)


@check_units(v=volt, result=volt)
def in_volts(v: Any) -> Any:
    return v


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"stimulus": None},
            r"values\.stimulus: expected a TimedArray or a function of \(second\) in amp",
        ),
        ({"stimulus": 3 * nA}, r"values\.stimulus: expected a TimedArray or a function of \(second\) in amp"),
        ({"stimulus": timed(5, unit=mV)}, "values.stimulus: expected values of a quantity in amp .*a quantity in volt"),
        ({"stimulus": timed(5, 3)}, r"values\.stimulus: expected a function of 1 arguments \(second\) .*2 arguments"),
        ({"own": timed(5, 2)}, "values.own: expected a column for each of the 3 neurons .*2 columns"),
        ({"gate": timed(5, unit=1)}, "values.gate: expected a quantity in volt as argument 1 .*a quantity in second"),
        ({"gate": in_volts}, "values.gate: expected values of a dimensionless number .*a quantity in volt"),
        ({"gate": lambda v: v}, r"Write Brian2's @check_units\(t=second, result=amp\) before a Python function"),
        ({"gait": gate}, "No parameter, input or state variable named 'gait'"),
    ],
)
def test_functions_that_do_not_fit_are_refused(changed: dict[str, Any], message: str) -> None:
    with biosnn.session("numpy"), pytest.raises(ModelError, match=message):
        biosnn.neurons(3, MODEL, values={**functions(), **changed})


def test_an_array_of_time_is_no_value_of_an_input() -> None:
    with biosnn.session("numpy"), pytest.raises(ModelError, match=r"lif \(lif\)\.I: .* such as I\(t\), and functions"):
        biosnn.neurons(1, "lif", values={"I": timed(5)})


def test_a_function_that_is_missing_is_asked_for() -> None:
    given = functions()
    del given["own"]
    with biosnn.session("numpy"), pytest.raises(ModelError, match=r"values\.own: .*nothing.*what each neuron gets"):
        biosnn.neurons(3, MODEL, values=given)


def test_a_python_function_is_refused_on_the_target_cpp() -> None:
    python = Function(lambda v: v / volt, arg_units=[volt], return_unit=1)
    with biosnn.session("cpp"), pytest.raises(ModelError, match=r"values\.gate: expected a function with code in cpp"):
        biosnn.neurons(3, MODEL, values={**functions(), "gate": python})
    with biosnn.session("numpy") as sim:
        cells = biosnn.neurons(3, MODEL, values={**functions(), "gate": python})
        sim.run(Network(cells), 1 * ms)


def test_no_gradient_goes_through_a_function_that_is_not_known() -> None:
    model = replace(MODEL, threshold="v > v_th", equations=MODEL.equations.replace("own(t, i)", "own(t, 0)"))
    with pytest.raises(AdjointError, match=r"dv/dt: .* has no derivative"):
        adjoint(model)


def test_a_model_is_tried_and_drawn_with_its_functions_at_zero(tmp_path: Path) -> None:
    assert any("and stimulus, own, gate at zero" in sentence for sentence in try_model(MODEL))
    text = to_toml(MODEL).replace("stimulus(t)", "I + stimulus(t)")
    text += '[inputs]\nI = { kind = "value", default = "0 nA", meaning = "current" }\n'
    said = draw_preview(from_toml(text), tmp_path / "x.png", duration="20 ms")
    assert "stimulus, own, gate: zero, as long as nothing is given." in said


def test_the_text_of_a_model_names_functions_and_has_none() -> None:
    """Nothing of a file is executed: what it may call is Brian2's, or is given."""
    wrong = to_toml(MODEL).replace("gate(v)", "open(v)")
    with pytest.raises(ModelError, match="No function named 'open'"):
        from_toml(wrong)
