"""Equations and statements of drawn synapses at regular times, on each target."""

from __future__ import annotations

import numpy as np
import pytest
from brian2 import Network, StateMonitor, ms
from random_cases import CELLS, DT, cells

import biosnn
from biosnn.errors import ModelError
from biosnn.projection import FixedIndegree, Projection

MODEL = "dw/dt = -w/(10*ms) : 1 (clock-driven)\ndc/dt = -c/(5*ms) : 1 (event-driven)\nbegan : 1\ntwice = 2*w : 1"


@pytest.mark.cpp
def test_equations_and_regular_statements_are_those_of_other_kinds() -> None:
    found = []
    for target in ("numpy", "cpp"):
        with biosnn.session(target, seed=1, dt=DT) as sim:
            group = cells("cells")
            kind, on_pre = FixedIndegree(4, seed=1), "x_post += w + c\nc += 1"
            joint = Projection(group, group, kind, model=MODEL, on_pre=on_pre, delay="1*ms + 1*ms*rand()", name="joint")
            joint.w = "1 + rand()"
            joint.run_regularly("began = w", dt=100 * ms)
            joint.run_regularly("c *= 0.5", dt=3 * ms)
            joint.run_regularly("z_post += twice", dt=5 * ms, order=1)
            sim.run(Network(group, joint), 20 * ms)
            began, w, z = np.array(joint["began"]), np.array(joint["w"]), np.array(group.z[:])
            assert len(joint) == len(w) == 4 * CELLS
            np.testing.assert_allclose(w, began * np.exp(-2), rtol=1e-12)
            factor = 2 * np.exp(-np.array([0, 0.5, 1, 1.5])).sum()
            by_target = np.bincount(joint.pairs()[1], began, minlength=CELLS)
            np.testing.assert_allclose(z, factor * by_target, rtol=1e-12)
            found.append((w, np.array(joint["c"]), np.array(group.x[:])))
    for one, other in zip(*found, strict=True):
        assert np.ptp(one) > 0
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_their_number_is_not_known_before() -> None:
    with biosnn.session("numpy", dt=DT):
        group = cells("cells")
        joint = Projection(group, group, FixedIndegree(4), model="w : 1", on_pre="x_post += w", name="joint")
        with pytest.raises(ModelError, match=r"joint.*, their number: not known before a run begins"):
            len(joint)
        with pytest.raises(ModelError, match="not known before a run begins"):
            StateMonitor(joint, "w", record=True)
        Network(group, joint)
