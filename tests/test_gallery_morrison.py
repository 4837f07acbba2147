"""The study morrison_2007: the fixed point of the power law, the path of NEST, and a control that must fail."""

import pytest

from biosnn.run import run_study
from biosnn.study import Result, load_study


@pytest.mark.cpp
def test_weights_rest_at_the_fixed_point_and_take_the_path_of_nest(tmp_path):
    """(1/0.11)**(1/(1 - 0.4)) = 39.6, and three weights that NEST 3.10 computed."""
    result = run_study("morrison_2007", {"seeds": "1"}, target="cpp", seed=1, out=tmp_path / "out")
    assert result.verdict == "pass"
    assert result.values["mean weight"] == pytest.approx(39.6, rel=0.03)
    for mu, weight in ((0.4, 37.44422544), (0.0, 21.28691999), (0.8, 286.61066212)):
        assert result.values[f"weight after 200 spikes, mu {mu:g}"] == pytest.approx(weight, rel=1e-8)
    assert [path.name for path in (result.folder / "figures").glob("*.png")] == ["weights.png"]

    # A control that holds its weights fails the study, and so do weights that rest elsewhere.
    claims = {claim.name: claim for claim in load_study("morrison_2007").claims}
    tame = {"control, median over equilibrium": 1.0, "mean weight over equilibrium": 1.1}
    wrong = Result({**result.values, **tame, "from below over from above": 0.9, "spikes per neuron": 0.0}, {})
    assert not any(claim.holds(wrong) or claim.minimum_activity(wrong) for claim in claims.values())
