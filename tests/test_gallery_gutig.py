"""The study gutig_2003: the equilibrium of weights at a small size, and a control that must fail."""

from dataclasses import replace

import numpy as np
import pytest

from biosnn.run import run_study
from biosnn.study import Result, load_study

SMALL = {"mu": "1", "alpha": "2", "learning_rate": "0.005", "seeds": "2"}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return run_study("gutig_2003", SMALL, target="numpy", seed=1, out=tmp_path_factory.mktemp("gutig") / "out")


def test_weights_come_to_rest_where_the_closed_form_says(small):
    """w* = 1/(1 + alpha**(1/mu)): 1/3 for alpha = 2 and mu = 1."""
    assert small.verdict == "pass"
    assert small.values["weight, mu 1"] == pytest.approx(1 / 3, abs=0.02)
    assert [path.name for path in (small.folder / "figures").glob("*.png")] == ["equilibrium.png"]


def test_the_additive_rule_leaves_nothing_inside(small):
    assert small.values["weights inside, additive"] < 0.05
    np.testing.assert_array_equal(small.arrays["mu"], [1, 0])


def test_a_control_that_works_like_the_others_fails_the_claim(small):
    claims = {claim.name: claim for claim in load_study("gutig_2003").claims}
    unlike = Result({**small.values, "weights inside, additive": 0.9}, small.arrays)
    assert not claims["control: additive"].holds(unlike)
    silent = replace(unlike, values={**small.values, "spikes per neuron, fewest": 0.0})
    assert not any(claim.minimum_activity(silent) for claim in claims.values())
