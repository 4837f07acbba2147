"""Linked variables of a model, beside Brian2 written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, StateMonitor, linked_var, ms, mV
from numpy.testing import assert_allclose

import biosnn
from biosnn.adjoint import adjoint
from biosnn.errors import AdjointError, ModelError
from biosnn.model import from_toml
from biosnn.report.trial import try_model

MODEL = from_toml((Path(__file__).parent / "valid" / "neuron_linked.toml").read_text(encoding="utf-8"))
MANY = 1030
"""Of so many neurons, C++ passes over those at rest: what they are linked to has to wake them."""


def others(n: int) -> NeuronGroup:
    group = NeuronGroup(n, "dx/dt = -x/(5*ms) + slope : volt\nslope : volt/second", namespace={}, name="others")
    group.x, group.slope = np.arange(n) * mV, 1 * mV / ms
    return group


@pytest.mark.parametrize("index", [None, "mirrored"])
@pytest.mark.parametrize("target", ["numpy", pytest.param("cpp", marks=pytest.mark.cpp)])
def test_a_linked_variable_is_that_of_brian(target: str, index: Any) -> None:
    index = None if index is None else np.arange(MANY)[::-1]

    def recorded(hand: bool) -> Any:
        with biosnn.session("numpy" if hand else target, dt=0.1 * ms) as sim:
            outside = others(MANY)
            to = linked_var(outside, "x", index=index)
            if hand:
                equations = "dv/dt = (outside - v)/(10*ms) : volt\noutside : volt (linked)"
                cells = NeuronGroup(MANY, equations, method="euler", namespace={}, name="n")
                cells.outside = to
            else:
                cells = biosnn.neurons(MANY, MODEL, values={"outside": to}, name="n")
            trace = StateMonitor(cells, ["v", "outside"], record=[0, 1, MANY - 1])
            sim.run(Network(outside, cells, trace), 20 * ms)
            return np.array(trace.v / mV), np.array(trace.outside / mV)

    found, expected = recorded(hand=False), recorded(hand=True)
    assert np.ptp(expected[0], axis=1).min() > 1
    for one, other in zip(found, expected, strict=True):
        assert_allclose(one, other, rtol=1e-9)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (dict, r"values\.outside: expected a variable of another group \(got None\)\. Give values="),
        (lambda: {"outside": 3 * mV}, r"values\.outside: expected a variable of another group"),
        (lambda: {"outside": linked_var(others(3), "slope")}, r"values\.outside: expected a quantity in volt"),
        (lambda: {"outside": linked_var(others(2), "x")}, r"outside: cannot be linked to others\.x\."),
        (
            lambda: {"outside": linked_var(others(3), "x"), "v": linked_var(others(3), "x")},
            r"values\.v: expected no link .*'v : volt \(linked\)'",
        ),
        (lambda: {"outside": linked_var(others(3), "x"), "tau": linked_var(others(3), "x")}, "values.tau: expected no"),
    ],
)
def test_links_that_do_not_fit_are_refused(values: Any, message: str) -> None:
    with biosnn.session("numpy"):
        given = values()
        with pytest.raises(ModelError, match=message):
            biosnn.neurons(3, MODEL, values=given)


def test_a_model_is_tried_with_its_links_at_zero_and_has_no_gradient() -> None:
    assert len(try_model(MODEL)) == 3
    with pytest.raises(AdjointError, match=r"NeuronModel 'n'\.equations: outside is another group's"):
        adjoint(MODEL)
