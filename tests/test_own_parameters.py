"""Parameters of which each neuron has its own value, against Brian2 written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from brian2 import Mohm, Network, NeuronGroup, SpikeMonitor, StateMonitor, mA, ms, mV, nA, pF, second
from numpy.testing import assert_allclose, assert_array_equal

import biosnn
from biosnn.errors import ModelError

N = 20
RNG = np.random.default_rng(3)
OWN = {
    "C": RNG.uniform(100, 400, N) * pF,
    "v_th": RNG.uniform(6, 14, N) * mV,
    "t_ref": RNG.uniform(1, 9, N) * ms,
    "v_reset": RNG.uniform(-5, 5, N) * mV,
}
DRIVE = 0.4 * nA


def in_biosnn(target: str, own: dict[str, Any], **how: Any) -> Any:
    with biosnn.session(target, seed=1, dt=0.1 * ms, **how) as sim:
        cells = biosnn.neurons(N, "lif", values={**own, "I": DRIVE})
        spikes, trace = SpikeMonitor(cells), StateMonitor(cells, "v", record=True)
        sim.run(Network(cells, spikes, trace), 200 * ms)
        return np.array(spikes.i), np.array(spikes.t / ms), np.array(trace.v / mV)


def in_brian() -> Any:
    with biosnn.session("numpy", seed=1, dt=0.1 * ms) as sim:
        cells = NeuronGroup(
            N,
            """
            dv/dt = (v_rest - v + R*I)/(R*C) : volt (unless refractory)
            C : farad (constant)
            v_th : volt (constant)
            t_ref : second (constant)
            v_reset : volt (constant)
            """,
            threshold="v > v_th",
            reset="v = v_reset",
            refractory="t_ref",
            method="exact",
            namespace={"R": 50 * Mohm, "v_rest": 0 * mV, "I": DRIVE},
        )
        for name, values in OWN.items():
            setattr(cells, name, values)
        spikes, trace = SpikeMonitor(cells), StateMonitor(cells, "v", record=True)
        sim.run(Network(cells, spikes, trace), 200 * ms)
        return np.array(spikes.i), np.array(spikes.t / ms), np.array(trace.v / mV)


@pytest.mark.parametrize("target", ["numpy", pytest.param("cpp", marks=pytest.mark.cpp)])
def test_time_constants_thresholds_and_refractory_periods_per_neuron_are_those_of_brian(target: str) -> None:
    i, t, v = in_biosnn(target, OWN)
    by_hand = in_brian()
    assert len(i) > 100
    assert_array_equal(i, by_hand[0])
    assert_array_equal(t, by_hand[1])
    assert_allclose(v, by_hand[2], rtol=1e-9, atol=1e-12)


def test_each_neuron_spikes_at_the_rate_of_its_own_parameters() -> None:
    """Gerstner et al. 2014, eq. 5.32: the interval is t_ref + tau ln((RI - v_reset)/(RI - v_th)), to a step or two."""
    i, t, _ = in_biosnn("numpy", OWN)
    top, tau = 50 * Mohm * DRIVE, 50 * Mohm * OWN["C"]
    intervals = (OWN["t_ref"] + tau * np.log((top - OWN["v_reset"]) / (top - OWN["v_th"]))) / ms
    for neuron in range(N):
        assert_allclose(np.diff(t[i == neuron]), intervals[neuron], atol=0.21)


@pytest.mark.cpp
def test_other_values_need_no_new_build(programs_used: list[Any]) -> None:
    in_biosnn("cpp", OWN)
    _, few, _ = in_biosnn("cpp", {**OWN, "t_ref": OWN["t_ref"] + 20 * ms})
    assert programs_used[0] == programs_used[1]
    assert len(few) < len(in_biosnn("numpy", OWN)[1])


def test_the_groups_model_says_which_parameters_are_each_neurons_own() -> None:
    with biosnn.session("numpy"):
        cells = biosnn.neurons(2, "adex", preset="tonic", values={"C": [100, 200] * pF, "b": "1 pA"})
        assert cells.model.inputs["C"].kind == "value"
        assert "C" not in cells.model.parameters
        assert cells.model.parameters["b"].value == "1 pA"
        assert_allclose(cells.C / pF, [100, 200])
        assert cells.variables["C"].constant


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1, 2] * mV, r"lif\.v_th: expected one quantity for the whole group, or one for each of its 3 neurons \(got"),
        ([[1, 2, 3]] * mV, r"an array of shape \(1, 3\)"),
        ([1, 2, 3] * ms, "lif.v_th: expected a quantity in volt, got a quantity in second"),
        ([1, 2, 3], "lif.v_th: expected a quantity in volt, got a dimensionless number"),
        ([1 * mV, 2 * ms, 3 * mV], "lif.v_th: expected an array of quantities in one unit"),
        (["1 mV", "2 mV", "3 mV"], "lif.v_th: expected an array of quantities in one unit"),
        ([1, np.nan, 3] * mV, "lif.v_th: expected numbers"),
    ],
)
def test_wrong_arrays_are_refused_by_name(value: Any, message: str) -> None:
    with biosnn.session("numpy"), pytest.raises(ModelError, match=message):
        biosnn.neurons(3, "lif", values={"v_th": value})


def test_arrays_of_other_lengths_are_refused_for_inputs_too() -> None:
    with biosnn.session("numpy"), pytest.raises(ModelError, match="one value, or one for each of the 3 neurons"):
        biosnn.neurons(3, "lif", values={"I": [1, 2] * mA})


def test_a_text_that_is_neither_a_quantity_nor_an_expression_is_told() -> None:
    message = r"if_soft \(if_soft\)\.z: expected a quantity, .* or an expression, .*got '0\.9 kHz\*i/N'"
    with biosnn.session("numpy", seed=1), pytest.raises(ModelError, match=message):
        biosnn.neurons(4, "if_soft", values={"z": "0.9 kHz*i/N"})


def test_what_is_computed_from_others_is_not_set() -> None:
    message = r"tau_m: expected nothing, as it follows from tau_m = R\*C .* Set what it is computed from"
    with biosnn.session("numpy"), pytest.raises(ModelError, match=message):
        biosnn.neurons(3, "lif", values={"tau_m": [10, 20, 30] * ms})


def test_parameters_of_synapses_are_shared() -> None:
    with biosnn.session("numpy"):
        cells = biosnn.neurons(2, "lif")
        with pytest.raises(ModelError, match=r"stdp_pair\.A_plus: .*eta : 1 \(constant\)"):
            biosnn.synapses(cells, cells, "stdp_pair", gain="1 mV", values={"A_plus": [1.0] * 4})


@pytest.mark.cpp
def test_a_variable_that_is_slow_for_one_neuron_is_double_for_all_in_single_precision() -> None:
    """With 10 000 s, single precision would not see it decay at all (steps of 1e-8 of the value)."""
    model = biosnn.NeuronModel(
        name="fading",
        summary="A decay.",
        source="A test",
        equations="dx/dt = -x/tau : 1",
        parameters={"tau": biosnn.Parameter("10 ms", "time constant")},
        initial={"x": "1"},
    )
    with biosnn.session("cpp", precision="float32", dt=0.1 * ms) as sim:
        cells = biosnn.neurons(2, model, values={"tau": [0.01, 1e4] * second})
        assert cells.variables["x"].dtype == np.float64
        sim.run(Network(cells), 1 * second)
        assert_allclose(1 - cells.x[1], 1e-4, rtol=1e-3)
