"""The study wang_2002 at a small size, its neuron and its sums, and what its claims let pass."""

from typing import Any

import numpy as np
import pytest
from brian2 import Hz, Network, StateMonitor, ms, mV

import biosnn
from biosnn.run import run_study
from biosnn.study import Result, load_study

NAME = "wang_2002"


def verdicts(result: Any) -> dict[str, str]:
    return {claim.name: claim.verdict for claim in result.claims}


def test_nmda_channels_saturate_and_are_blocked_at_rest():
    """ds/dt = alpha*x*(1 - s) - s/100 ms; after a spike x = exp(-t/2 ms). The block is 1 + exp(-0.062 v/mV)/3.57."""
    with biosnn.session("numpy", seed=1, dt=0.01 * ms) as sim:
        cells = biosnn.neurons(2, "lif_nmda", values={"x": [1.0, 0.0], "v": [-70, -50] * mV, "v_rest": "-70 mV"})
        seen = StateMonitor(cells, ("s", "block"), record=True)
        sim.run(Network(cells, seen), 20 * ms)
        t = np.arange(2001) * 0.01
        s = np.zeros(2001)
        for step in range(2000):  # the midpoint rule

            def slope(s: float, t: float) -> float:
                return float(0.5 * np.exp(-t / 2) * (1 - s) - s / 100)

            s[step + 1] = s[step] + 0.01 * slope(s[step] + 0.005 * slope(s[step], t[step]), t[step] + 0.005)
        np.testing.assert_allclose(seen.s[0], s[:2000], atol=5e-3)
        assert 0.5 < seen.s[0].max() < 0.65
        assert not seen.s[1].any()
        assert seen.block[0, 0] == pytest.approx(1 + np.exp(0.062 * 70) / 3.57, rel=1e-6)


def test_each_neuron_gets_the_weighted_sum_of_open_channels():
    study = load_study(NAME).run.__globals__
    population = study["n"].populations(40)
    np.testing.assert_array_equal(np.bincount(population), [6, 6, 28])
    with biosnn.session("numpy", seed=1, dt=0.1 * ms) as sim:
        open_channels = np.linspace(0, 1, 40)
        cells = {"E": biosnn.neurons(40, "lif_nmda", values={"s": open_channels, "tau_nmda": "1e9 second"}, name="E")}
        cells["I"] = biosnn.neurons(10, "lif_nmda", preset="interneuron", name="I")
        sums, objects = study["_nmda"](cells, population)
        sim.run(Network(*cells.values(), sums, *objects), 0.2 * ms)
        weak = 1 - 0.15 * 0.7 / 0.85
        first, second, rest = (open_channels[population == number].sum() for number in range(3))
        got = cells["E"].s_nmda[:]
        np.testing.assert_allclose(got[population == 0], 1.7 * first + weak * (second + rest))
        np.testing.assert_allclose(got[population == 1], 1.7 * second + weak * (first + rest))
        np.testing.assert_allclose(got[population == 2], open_channels.sum())
        np.testing.assert_allclose(cells["I"].s_nmda[:], open_channels.sum())


def test_the_fit_finds_the_function_that_it_is_given():
    study = load_study(NAME).run.__globals__
    coherences = np.array([0, 3.2, 6.4, 12.8, 25.6, 51.2])
    # 1 - 0.5*exp(-(c/9.2)**1.5) by hand at 12.8 and at the threshold.
    assert study["n"].correct(np.array([12.8, 9.2]), 9.2, 1.5) == pytest.approx([0.90306, 0.81606], rel=1e-4)
    right = 1e4 * study["n"].correct(coherences, 9.2, 1.5)
    assert study["fit"](coherences, right, 10_000) == pytest.approx((9.2, 1.5), rel=1e-2)


@pytest.mark.slow
@pytest.mark.cpp
def test_without_nmda_receptors_nothing_is_decided(tmp_path):
    small = {"size": "0.5", "trials": "1", "coherences": "51.2"}
    result = run_study(NAME, small, target="cpp", seed=1, out=tmp_path / "decides", draw=False)
    assert verdicts(result) == {"decisions": "pass", "one wins": "pass", "control": "pass"}
    control = run_study(NAME, {**small, "nmda": "0"}, target="cpp", seed=1, out=tmp_path / "control", draw=False)
    assert verdicts(control)["decisions"] == verdicts(control)["one wins"] == "fail"
    assert {"threshold", "slope"} <= set(control.not_applicable)


def test_the_claims_can_fail():
    claims = {claim.name: claim for claim in load_study(NAME).claims}
    good: dict[str, Any] = {
        "decided": 0.98,
        "correct at the highest coherence": 1.0,
        "winner": 30 * Hz,
        "loser": 1 * Hz,
    }
    good |= {"control, difference": 0.5 * Hz, "control, decided": 0.0, "control, rate in the stimulus": 4 * Hz}
    good |= {"rate of interneurons before": 9 * Hz, "winner at the end of the stimulus": 35 * Hz}
    wrong: dict[str, dict[str, Any]] = {
        "decisions": {"correct at the highest coherence": 0.6},
        "one wins": {"loser": 10 * Hz},
        "control": {"control, decided": 0.5},
    }
    for name, change in wrong.items():
        assert claims[name].holds(Result(good, {}))
        assert claims[name].minimum_activity(Result(good, {}))
        assert not claims[name].holds(Result({**good, **change}, {}))
        assert not claims[name].minimum_activity(Result({**good, "control, rate in the stimulus": 0 * Hz}, {}))


@pytest.mark.cpp
@pytest.mark.slow
def test_the_network_decides_as_well_as_published(tmp_path):
    result = run_study(NAME, target="cpp", out=tmp_path / "result")
    assert set(verdicts(result).values()) == {"pass"}
    assert {row.name: row.verdict for row in result.rows}["threshold"] == "pass"
    assert {path.stem for path in (result.folder / "figures").glob("*.png")} == {"decisions", "neurometric"}
