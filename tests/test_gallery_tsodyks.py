"""The model tsodyks against its closed form, and the study tsodyks_1998 with its control."""

import math
from itertools import pairwise

import pytest
from brian2 import Network, SpikeGeneratorGroup, ms, mV

import biosnn
from biosnn.run import run_study
from biosnn.study import Result, load_study


def propagated(times, U, tau_f, tau_rec, tau_in):
    """What each spike moves, with the solution of the three equations between spikes."""
    u, x, y, z, before, moved = 0.0, 1.0, 0.0, 0.0, times[0], []
    for t in times:
        active, inactive = math.exp(-(t - before) / tau_in), math.exp(-(t - before) / tau_rec)
        z, y = z * inactive + y * tau_rec / (tau_rec - tau_in) * (inactive - active), y * active
        x = 1 - y - z
        u = u * math.exp(-(t - before) / tau_f)
        u += U * (1 - u)
        moved.append(u * x)
        x, y, before = x - moved[-1], y + moved[-1], t
    return moved


@pytest.mark.parametrize(("preset", "parameters"), [("", (0.5, 1, 800, 3)), ("facilitating", (0.03, 530, 130, 1.5))])
def test_three_states_follow_their_closed_form(preset, parameters):
    times = [1, 4, 6, 30, 33, 60]
    with biosnn.session("numpy", seed=1, dt=1 * ms) as sim:
        train = SpikeGeneratorGroup(1, [0] * len(times), times * ms)
        got = biosnn.neurons(1, "integrator")
        wire = biosnn.synapses(train, got, "tsodyks", preset=preset, onto="v", gain=1.0)
        network, sent = Network(train, got, wire), [0.0]
        for t in [*times[1:], 70]:
            sim.run(network, t * ms - network.t)
            sent.append(float(got.v[0]))
    assert [b - a for a, b in pairwise(sent)] == pytest.approx(propagated(times, *parameters))


@pytest.mark.cpp
def test_membrane_potentials_are_those_of_nest(tmp_path):
    result = run_study("tsodyks_1998", target="cpp", out=tmp_path / "out")
    assert result.verdict == "pass"
    assert sum(row.verdict == "pass" for row in result.rows) == 6
    assert result.values["depressing, farthest from NEST"] < 1e-5 * mV
    assert [path.name for path in (result.folder / "figures").glob("*.png")] == ["membrane-potential.png"]

    # A terminal that never recovers and yet answers fails the study.
    claims = {claim.name: claim for claim in load_study("tsodyks_1998").claims}
    same = {
        f"{case}, no recovery, last peak": result.values[f"{case}, last peak"]
        for case in ("depressing", "facilitating")
    }
    assert not claims["control: no recovery"].holds(Result({**result.values, **same}, result.arrays))
