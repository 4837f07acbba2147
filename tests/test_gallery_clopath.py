"""The study clopath_2010: weights of NEST at one frequency, and a control that must fail."""

import numpy as np
import pytest

from biosnn.errors import SettingsError
from biosnn.run import run_study
from biosnn.study import Result, load_study


@pytest.fixture(scope="module")
def at_50_hz(tmp_path_factory):
    settings = {"frequencies": "50 Hz"}
    return run_study(
        "clopath_2010", settings, target="numpy", out=tmp_path_factory.mktemp("clopath") / "out", draw=False
    )


def test_pairing_at_50_hz_gives_the_weights_of_nest(at_50_hz):
    """149.43 and 157.03 % (test_clopath_synapse.py)."""
    assert at_50_hz.values["weight, post-pre, 50 Hz"] == pytest.approx(149.43, rel=0.01)
    assert at_50_hz.values["weight, pre-post, 50 Hz"] == pytest.approx(157.03, rel=0.01)
    assert at_50_hz.verdict == "pass"


def test_without_filters_weights_hardly_move(at_50_hz):
    np.testing.assert_allclose(at_50_hz.arrays["weight without filters"], 100, atol=1)


def test_the_claims_can_fail(at_50_hz):
    claims = {claim.name: claim for claim in load_study("clopath_2010").claims}
    weight = np.array([[57.8, 72.2, 149.4], [103.3, 124.0, 157.0]])
    good = Result({**at_50_hz.values}, {**at_50_hz.arrays, "weight": weight})
    assert all(claim.holds(good) and claim.minimum_activity(good) for claim in claims.values())
    falling = Result(
        {**good.values, "largest change without filters": 40.0}, {**good.arrays, "weight": weight[:, ::-1]}
    )
    assert not any(claim.holds(falling) for claim in claims.values())
    still = Result(good.values, {**good.arrays, "weight": 100 + 0 * weight})
    assert not any(claim.minimum_activity(still) for claim in claims.values())


def test_other_frequencies_are_refused(tmp_path):
    with pytest.raises(SettingsError, match="some of 10, 30 and 50 Hz"):
        run_study("clopath_2010", {"frequencies": "20 Hz"}, target="numpy", out=tmp_path / "out")


@pytest.mark.slow
@pytest.mark.cpp
def test_the_whole_protocol(tmp_path):
    result = run_study("clopath_2010", target="cpp", out=tmp_path / "out")
    assert result.verdict == "pass"
    assert sum(row.verdict == "pass" for row in result.rows) == 6
    assert {path.name for path in (result.folder / "figures").glob("*.png")} == {
        "frequency.png",
        "membrane-potential.png",
    }
