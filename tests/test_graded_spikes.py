"""Spikes that carry a value, their sign or a count of spikes: what arrives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, ms
from projection_cases import DT, KINDS, listed, random_weights, sizes

import biosnn
from biosnn import Dense, Projection

STEPS = 40
BOTH = ["numpy", pytest.param("cpp", marks=pytest.mark.cpp)]
RESET = "carried = s\nv -= carried\nsent += carried"


def bursting(n: int, seed: int, name: str) -> NeuronGroup:
    """Neurons whose spikes carry up to three, or take up to three back, driven by a wave."""
    equations = "v : 1\nsent : 1\nx : 1\ns = clip(floor(v), -3, 3)*int(abs(v) >= 1) : 1"
    group = NeuronGroup(n, equations, threshold="abs(s) > 0", reset=RESET, namespace={}, name=name)
    group.run_regularly(f"v += 1.5*sin({seed} + 7.3*i + 0.9*t_in_timesteps)", dt=DT)
    return group


# ---- what arrives ---------------------------------------------------------------------------------------------

SOME = [
    "dense",
    "one to one",
    "convolution",
    "a convolution with everything",
    "overlapping average",
    "pairs",
    "lateral",
]


@pytest.mark.parametrize("target", BOTH)
def test_a_spike_brings_as_much_as_it_carries(target: str) -> None:
    """What spikes carried adds up to what their neuron has sent, and so does what arrived, in weights."""
    joints = {}
    with biosnn.session(target, seed=1, dt=DT) as sim:
        for number, name in enumerate(SOME):
            kind = KINDS[name]
            pre, post = (bursting(n, k, f"{'st'[k]}_{number}") for k, n in enumerate(sizes(kind)))
            weights = np.round(random_weights(kind) * 64) / 64  # of few bits, so that sums are exact in any order
            back = {"on_post": "x_pre += s_post*w"} if "post" in kind.sides else {}
            joints[name] = Projection(pre, post, kind, weights, on_pre="x_post += w*s_pre", name=f"p_{number}", **back)
        groups = [group for joint in joints.values() for group in (joint.source, joint.target)]
        sim.run(Network(*joints.values(), *groups), STEPS * DT)
        for name, joint in joints.items():
            expected, taken = (np.zeros(len(group)) for group in (joint.target, joint.source))
            sent, back_sent = np.array(joint.source.sent[:]), np.array(joint.target.sent[:])
            assert min(sent.min(), back_sent.min()) < 0 < max(sent.max(), back_sent.max())
            for i, j, k in listed(joint.kind, *sizes(joint.kind)):
                weight = np.ravel(joint["w"])[k]
                expected[j] += weight * sent[i]
                taken[i] += weight * back_sent[j]
            np.testing.assert_array_equal(joint.target.x[:], expected, err_msg=name)
            if "post" in joint.kind.sides:
                np.testing.assert_array_equal(joint.source.x[:], taken, err_msg=name)


ALONE = """
p = 0.3*v : 1
q = v + 0.3*v*v : 1
r = v + 1 + y : 1
h = exp(-v) : 1
m = v - i : 1
d = clip(floor(v/0.3), -3, 3) - int(v < y)*clip(ceil(0.7*(y - v)), 0, 1) : 1
"""
INSIDE = {
    "a product": "x_post += p_pre*w",
    "a sum with a product": "x_post += q_pre*w",
    "a sum of three": "x_post += r_pre*w",
    "a function that is rounded": "x_post += h_pre*w",
    "the other side": "x_post -= w*far",
    "one weight for all": "x_post += d_pre*one",
    "three factors": "x_post += 0.7*w*d_pre",
    "two terms": "x_post += d_pre*w\nx_post += w",
    "used twice": "x_post += d_pre*w\ny_post -= d_pre",
    "a weight that changes": "w = 0.7*w\nx_post += d_pre*w",
    "a condition": "x_post += int(d_pre > 1)*w",
}
OUTSIDE = {
    "an index": "x_post -= m_pre*w",
    "pre": "x_post += d_pre*w",
    "behind": "x_post -= w*d_pre",
    "with others": "y_post += w\nx_post += d_pre*w",
}


@pytest.mark.cpp
def test_only_what_keeps_its_last_bits_is_worked_out_before_the_loop() -> None:
    def arrived(target: str) -> tuple[dict[str, Any], dict[str, Any]]:
        with biosnn.session(target, seed=1, dt=DT) as sim:
            source = NeuronGroup(5, f"v : 1\ny : 1\n{ALONE}", threshold="sin(i + t_in_timesteps) > 0", reset="",
                                 namespace={}, name="s")  # fmt: skip
            source.v, source.y = np.linspace(-2, 2, 5), 0.5
            groups, joints = {}, {}
            for number, (name, code) in enumerate({**INSIDE, **OUTSIDE}.items()):
                groups[name] = NeuronGroup(7, "x : 1\ny : 1", namespace={}, name=f"t_{number}")
                weights = np.random.default_rng(1).normal(size=(5, 7))
                joints[name] = Projection(
                    source, groups[name], Dense(), weights, model="one : 1 (shared)\nfar = y_pre - j : 1",
                    on_pre=code, name=f"p_{number}",
                )  # fmt: skip
                joints[name].one = 0.3
            sim.run(Network(source, *groups.values(), *joints.values()), 10 * ms)
            found = {name: np.array([group.x[:], group.y[:]]) for name, group in groups.items()}
            return found, {name: joint.pathways["pre"].abstract_code for name, joint in joints.items()}

    (found, code), (expected, _) = arrived("cpp"), arrived("numpy")
    assert {name for name, text in code.items() if isinstance(text, dict)} == set(OUTSIDE)
    for name, values in expected.items():
        assert np.ptp(values[0]) + np.abs(values[0]).max() > 0
        np.testing.assert_allclose(found[name], values, rtol=1e-12, atol=1e-13, err_msg=name)
