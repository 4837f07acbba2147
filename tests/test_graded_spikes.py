"""Spikes that carry a value, their sign or a count of spikes: what arrives, and max pooling of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, TimedArray, ms
from hypothesis import given
from hypothesis import strategies as st
from hypothesis_profile import examples
from numpy.typing import NDArray
from projection_cases import DT, KINDS, TARGETS, listed, random_weights, sizes

import biosnn
from biosnn import Dense, Lateral, Pool2D, Projection
from biosnn.errors import ModelError

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
q = v + 0.3*y : 1
f = floor(0.3*v*(y + 7)) : 1
r = v + 1 + y : 1
h = exp(-v) : 1
m = v - i : 1
d = clip(floor(v/0.3), -3, 3) - int(v < y)*clip(ceil(0.7*(y - v)), 0, 1) : 1
"""
SYNAPSES = "one : 1 (shared)\nfar = y_pre - j : 1\ngap = y_pre - y_post : 1\nz : 1"
INSIDE = {
    "a product": "x_post += p_pre*w",
    "a sum with a product": "x_post += q_pre*w",
    "a product of three": "x_post += f_pre*w",
    "a sum of three": "x_post += r_pre*w",
    "a function that is rounded": "x_post += h_pre*w",
    "the other side": "x_post -= w*far",
    "both sides": "x_post -= w*gap",
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
            weights = np.random.default_rng(1).normal(size=(5, 7))
            texts = {**INSIDE, **OUTSIDE, "each late": OUTSIDE["pre"], "lateral": "x_post += d_pre*z"}
            for number, (name, code) in enumerate(texts.items()):
                groups[name] = NeuronGroup(
                    5 if name == "lateral" else 7, "x : 1\ny : 1", namespace={}, name=f"t_{number}"
                )
                given = {"delay": (1 + np.arange(35).reshape(5, 7) % 3) * ms} if name == "each late" else {}
                kind, weight = (Lateral(), 1.0) if name == "lateral" else (Dense(), weights)
                joints[name] = Projection(
                    source, groups[name], kind, weight, model=SYNAPSES, on_pre=code, name=f"p_{number}", **given
                )
                joints[name].one, joints[name].z = 0.3, 0.7
            sim.run(Network(source, *groups.values(), *joints.values()), 10 * ms)
            found = {name: np.array([group.x[:], group.y[:]]) for name, group in groups.items()}
            return found, {name: joint.pathways["pre"].abstract_code for name, joint in joints.items()}

    (found, code), (expected, _) = arrived("cpp"), arrived("numpy")
    assert {name for name, text in code.items() if isinstance(text, dict)} == set(OUTSIDE)
    for name, values in expected.items():
        assert np.ptp(values[0]) + np.abs(values[0]).max() > 0
        np.testing.assert_allclose(found[name], values, rtol=1e-12, atol=1e-13, err_msg=name)


# ---- max pooling ----------------------------------------------------------------------------------------------

POOLS = {
    "2x2": Pool2D((4, 4, 2), mode="max", spike_value="s"),
    "overlapping": Pool2D((5, 6, 1), 3, 2, 1, "max", "s"),
    "sliding": Pool2D((4, 5, 2), (2, 3), 1, mode="max", spike_value="s"),
    "padding below": Pool2D((5, 3, 2), 2, 2, ((0, 1), (1, 0)), "max", "s"),
    "gaps": Pool2D((5, 5, 1), 1, 2, mode="max", spike_value="s"),
}


def train(n: int, seed: int, most: int = 3) -> NDArray[np.float64]:
    """For each step and neuron what it sends: nothing, a sign, or a burst."""
    rng = np.random.default_rng(seed)
    return (rng.integers(-most, most + 1, (STEPS, n)) * (rng.random((STEPS, n)) < 0.3)).astype(float)


def largest(kind: Pool2D, sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest sum in each window. What is added at the border is silent: its sums are 0."""
    windows, image = kind.windows, sums.reshape(kind.input)
    pad = [(before, windows.kernel[axis]) for axis, before in enumerate(windows.before)]
    padded = np.pad(image, [*pad, (0, 0)])
    found = np.zeros(kind.output)
    for y, x, c in np.ndindex(*kind.output):
        down, right = y * windows.stride[0], x * windows.stride[1]
        found[y, x, c] = padded[down : down + windows.kernel[0], right : right + windows.kernel[1], c].max()
    return found.ravel()


def pooled(
    target: str, cases: dict[str, tuple[Pool2D, NDArray[np.float64]]], then: Callable[[Any], None] | None = None,
    on_pre: str = "x_post += change*w",
) -> dict[str, NDArray[np.float64]]:  # fmt: skip
    """What has passed by the end."""
    joints = {}
    with biosnn.session(target, seed=1, dt=DT) as sim:
        objects: list[Any] = []
        for number, (name, (kind, sent)) in enumerate(cases.items()):
            known = {f"sent_{number}": TimedArray(sent, dt=DT, name=f"sent_{number}")}
            source = NeuronGroup(sent.shape[1], f"s = sent_{number}(t, i) : 1", threshold="abs(s) > 0.5", reset="",
                                 namespace=known, name=f"s_{number}")  # fmt: skip
            group = NeuronGroup(sizes(kind)[1], "x : 1\ny : 1", namespace={}, name=f"t_{number}")
            joints[name] = Projection(source, group, kind, on_pre=on_pre, namespace=known, name=f"p_{number}")
            objects += [source, group]
            if then is not None:
                objects += then(joints[name]) or []
        sim.run(Network(*objects, *joints.values()), STEPS * DT)
        return {name: np.array([joint.target.x[:], joint.target.y[:]]) for name, joint in joints.items()}


@pytest.mark.cpp
@pytest.mark.parametrize("target", TARGETS)
def test_what_passes_is_the_largest_sum_of_the_window(target: str) -> None:
    cases = {f"{name}, {seed}": (kind, train(sizes(kind)[0], seed)) for name, kind in POOLS.items() for seed in (1, 2)}
    found = pooled(target, cases)
    for name, (kind, sent) in cases.items():
        np.testing.assert_array_equal(found[name][0], largest(kind, sent.sum(axis=0)), err_msg=name)


shapes = st.tuples(st.integers(3, 5), st.integers(3, 5), st.integers(1, 2))
tiny = st.tuples(st.integers(1, 3), st.integers(1, 3))
margins = st.tuples(st.tuples(st.integers(0, 2), st.integers(0, 2)), st.tuples(st.integers(0, 2), st.integers(0, 2)))


@examples(25)
@given(shapes, tiny, tiny, margins, st.integers(0, 2**20), st.integers(1, 4))
def test_any_windows_pass_their_largest_sum(
    shape: Any, kernel: Any, stride: Any, padding: Any, seed: int, most: int
) -> None:
    kind = Pool2D(shape, kernel, stride, padding, "max", "s")
    sent = train(sizes(kind)[0], seed, most)
    found = pooled("numpy", {"": (kind, sent)})[""][0]
    np.testing.assert_array_equal(found, largest(kind, sent.sum(axis=0)))


WINDOW = Pool2D((2, 1, 1), (2, 1), mode="max", spike_value="s")
SENT = np.zeros((STEPS, 2))
SENT[[2, 3, 4, 6, 8, 8, 30], [0, 1, 0, 1, 0, 1, 1]] = [3, 2, -2, -1, -2, 1, 2]
"""Sums (3, 0), (3, 2), (1, 2), (1, 1), (-1, 1), (-1, 2), (-1, 4)."""


@pytest.mark.parametrize("target", BOTH)
def test_statements_run_where_the_largest_sum_changes(target: str) -> None:
    """From 0 to 3, and to 2; not to 1 at -1 of the second, for which the first is; to 2, and to 4."""
    found = pooled(target, {"": (WINDOW, SENT)}, on_pre="x_post += change*w\ny_post += abs(change)*w")[""]
    np.testing.assert_array_equal(found[:, 0], [4, 3 + 1 + 1 + 1 + 2])


@pytest.mark.parametrize("target", BOTH)
def test_sums_are_forgotten(target: str) -> None:
    """At an event after 20 ms: the window's largest sum was 2 and is then 0, so that the last two are a 2."""

    def forget(joint: Projection) -> list[Any]:
        begins = SpikeGeneratorGroup(1, [0], [20] * ms, name="begins")
        joint.reset_regularly(events=begins, when="after_synapses")
        return [begins]

    found = pooled(target, {"": (WINDOW, SENT)}, forget)[""]
    assert found[0, 0] == 2 + 2


@pytest.mark.parametrize("target", BOTH)
def test_what_carries_is_a_part_of_a_group_and_who_rests_is_left_alone(target: str) -> None:
    """Statements, in which the neuron of the source is written too, that NumPy cannot work out at once."""
    kind = Pool2D((3, 2, 1), (2, 1), 1, mode="max", spike_value="s")
    with biosnn.session(target, seed=1, dt=DT) as sim:
        source = NeuronGroup(8, "s : 1\ny : 1", threshold="s != 0 and t_in_timesteps == 3", reset="", namespace={},
                             name="source")  # fmt: skip
        source.s = [9, 2, -1, 3, -2, -3, -4, 9]
        group = NeuronGroup(
            5, "dv/dt = 0/second : 1 (unless refractory)\nx : 1", threshold="t_in_timesteps == 2 and i == 3",
            reset="v = 0", refractory=5 * ms, method="euler", namespace={}, name="target",
        )  # fmt: skip
        code = "v_post += change*w\nx_post += change*(1 + j)\ny_pre = exp(-y_pre)"
        joint = Projection(source[1:7], group[1:5], kind, on_pre=code, name="joint")
        sim.run(Network(source, group, joint), 6 * ms)
        # The windows' sums (2, 3), (-1, -2), (3, -3), (-2, -4). The spike of 3 brings 1 to one window, 3 to another.
        np.testing.assert_array_equal(group.v[:], [0, 3, -1, 0, -2])
        np.testing.assert_array_equal(group.x[:], [0, 3, -2, 9, -8])
        np.testing.assert_allclose(source.y[:], [0, 1, 0, np.exp(-1), 1, 0, 1, 0])


@pytest.mark.parametrize("model", ["if_signed", "if_burst"])
def test_the_models_that_ship_pass_the_most_that_was_sent(model: str) -> None:
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        source = biosnn.neurons(36, model, name="source", preset="half_threshold")
        source.run_regularly("v += 1.5*sin(7.3*i + 0.9*t_in_timesteps)", dt=DT)
        group = NeuronGroup(9, "x : 1", namespace={}, name="target")
        kind = Pool2D((6, 6, 1), mode="max", spike_value="s")
        joint = Projection(source, group, kind, on_pre="x_post += change*w", name="joint")
        sim.run(Network(source, group, joint), 100 * ms)
        expected = largest(kind, np.array(source.sent[:]))
        assert np.ptp(expected) > 0
        np.testing.assert_array_equal(group.x[:], expected)


# ---- what is refused ------------------------------------------------------------------------------------------

GRADED = {"kind": Pool2D((4, 1, 1), (2, 1), mode="max", spike_value="s"), "on_pre": "x_post += change*w"}
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "counted as one": (
        {"kind": Pool2D((4, 1, 1), (2, 1), mode="max"), "on_pre": "x_post += w"},
        "spike_value of signed, whose spikes carry s and are not counted as one .*Give Pool2D spike_value='s'",
    ),
    "another variable": ({**GRADED, "kind": Pool2D((4, 1, 1), (2, 1), mode="max", spike_value="v")}, r"\(got 'v'\)"),
    "no change": ({**GRADED, "on_pre": "x_post += s_pre*w"}, r"statements with change"),
    "a change that is set": ({**GRADED, "on_pre": "x_post += w\nchange += 1"}, "change is constant"),
    "a variable of its name": ({**GRADED, "model": "change : 1"}, "names that a projection does not use"),
    "late": ({**GRADED, "delay": 1 * ms}, "leave out the delay"),
    "late by itself": ({"kind": Dense(), "weights": 1.0, "on_pre": "x_post += s_pre*w", "delay": 1 * ms}, "leave out"),
    "each late": (
        {"kind": Dense(), "weights": 1.0, "on_pre": "x_post += s_pre*w", "delay": np.ones((4, 2)) * ms},
        "leave out the delay",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_would_count_a_spike_as_one_is_refused(what: str) -> None:
    kwds, message = WRONG[what]
    with biosnn.session("numpy", dt=DT):
        source = biosnn.neurons(4, "if_signed", name="signed")
        group = NeuronGroup(2, "x : 1", namespace={}, name="target")
        with pytest.raises(ModelError, match=message):
            Projection(source, group, name="joint", **kwds)


def test_a_value_that_is_none_is_refused() -> None:
    with biosnn.session("numpy", dt=DT):
        source = NeuronGroup(4, "x : 1\nu : volt\ns = 2*x : 1\nr = far(x) : 1", threshold="x > 1", reset="",
                             namespace={}, name="source")  # fmt: skip
        for value, message in (("z", "variable of the source"), ("u", "without a unit"), ("r", "'far'")):
            kind = Pool2D((4, 1, 1), 1, mode="max", spike_value=value)
            with pytest.raises(ModelError, match=message):
                Projection(source, source, kind, on_pre="x_post += change*w", name=f"joint_{value}")
        kind = Pool2D((4, 1, 1), 1, mode="max", spike_value="s")
        with pytest.raises(ModelError, match=r"what s depends on .*x_post"):
            Projection(source, source, kind, on_pre="x_post += change*w", name="within")
        joint = Projection(source, source, kind, on_pre="u_post += change*w*volt", name="joint")
        with pytest.raises(ModelError, match="depends on spikes"):
            joint.run_regularly("w = change", dt=1 * ms)
    with pytest.raises(ModelError, match=r"none unless mode is 'max' \(got 's'\)"):
        Pool2D((4, 4, 1), spike_value="s")
    with pytest.raises(ModelError, match="the name of a variable of the source"):
        Pool2D((4, 4, 1), mode="max", spike_value="s + 1")
