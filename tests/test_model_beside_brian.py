"""Models that use what Brian2 has for equations, each beside the same written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, StateMonitor, ms, mV, nS
from numpy.testing import assert_array_equal

import biosnn
from biosnn.model import from_toml

VALID = Path(__file__).parent / "valid"
TARGETS = ["numpy", pytest.param("cpp", marks=pytest.mark.cpp)]


def valid(name: str) -> Any:
    """The model of a file of the tests."""
    return from_toml((VALID / f"{name}.toml").read_text(encoding="utf-8"), name)


# ---- powers of units -------------------------------------------------------------------------------------------


def test_powers_of_units_that_are_not_whole_are_those_of_brian() -> None:
    def recorded(make: Any) -> Any:
        with biosnn.session("numpy", seed=2, dt=0.1 * ms) as sim:
            cells = make()
            trace = StateMonitor(cells, ["v", "g"], record=True)
            sim.run(Network(cells, trace), 30 * ms)
            return np.array(trace.v), np.array(trace.g)

    def by_hand() -> Any:
        cells = NeuronGroup(
            5,
            """dv/dt = (-70*mV - v)/tau + k*sqrt(g)*tau**-0.5*xi : volt
            dg/dt = (g_0**1.5*g**-0.5 - g)/tau : siemens""",
            method="heun",
            namespace={"tau": 10 * ms, "g_0": 10 * nS, "k": 2 * mV * nS**-0.5},
        )
        cells.g = [5, 10, 15, 20, 25] * nS
        return cells

    v, g = recorded(lambda: biosnn.neurons(5, valid("unit_powers"), values={"g": [5, 10, 15, 20, 25] * nS}))
    expected = recorded(by_hand)
    assert np.ptp(v) > 1e-3
    np.testing.assert_allclose(v, expected[0], rtol=1e-12)
    assert_array_equal(g, expected[1])
