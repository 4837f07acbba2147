"""The study song_2000 at a small size, and what its claims let pass."""

import numpy as np
import pytest
from brian2 import Hz

from biosnn.run import run_study
from biosnn.study import Result, load_study

SMALL = {"inputs": "300", "potentiation": "0.02", "duration": "100 second", "rates": "20 Hz, 40 Hz", "seeds": "1"}


@pytest.mark.cpp
def test_depression_above_potentiation_keeps_synapses_apart(tmp_path):
    result = run_study("song_2000", SMALL, target="cpp", seed=1, out=tmp_path / "out")
    weights = result.arrays["weights"]
    assert weights.shape == (4, 300)
    assert weights[:2].mean() < 0.4 < 0.7 < weights[2:].mean(), "depression above potentiation, and below it"
    rates = result.arrays["rate out"][:, 0]
    assert np.all(rates > 1 * Hz)
    assert rates[3] / rates[2] > 1.5, "of the control, when the input rate is doubled"
    assert rates[3] > 5 * rates[1]
    assert [path.name for path in (result.folder / "figures").glob("*.png")] == ["weights.png"]


def test_the_claims_can_fail():
    claims = {claim.name: claim for claim in load_study("song_2000").claims}
    good = {
        "weights at the bounds, least": 0.7,
        "strong weights, least": 0.08,
        "strong weights, most": 0.4,
        "highest output rate over lowest": 1.6,
        "control, mean weight": 0.95,
        "control, highest output rate over lowest": 5.0,
    }
    fires = {"rate out": np.array([[9.0], [15.0], [190.0], [1000.0]]) * Hz}
    assert all(
        claim.holds(Result(good, fires)) and claim.minimum_activity(Result(good, fires)) for claim in claims.values()
    )
    wrong = {
        **good,
        "weights at the bounds, least": 0.2,
        "highest output rate over lowest": 5.0,
        "control, highest output rate over lowest": 1.0,
    }
    silent = Result(wrong, {"rate out": 0 * fires["rate out"]})
    assert not any(claim.holds(silent) or claim.minimum_activity(silent) for claim in claims.values())
    assert not claims["bimodal"].holds(Result({**good, "strong weights, least": 0.0}, fires)), "all are weak"
