"""Kinds of connectivity: against connections listed one by one, scipy, and what they must do by definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, SpikeMonitor, Synapses, ms, mV
from hypothesis import given
from hypothesis import strategies as st
from hypothesis_profile import examples
from numpy.typing import NDArray
from projection_cases import (
    DT,
    KINDS,
    STEPS,
    TARGETS,
    by_projection,
    by_synapses,
    driven,
    listed,
    random_weights,
    simulate,
    simulate_all,
    sizes,
    spikes,
)
from scipy import signal

import biosnn
from biosnn import Conv2D, Dense, Lateral, OneToOne, Pool2D, Projection, Shortcut, Sparse
from biosnn.errors import ModelError, QuantityError


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_synapses_of_a_neuron_are_those_of_the_list(kind: Any) -> None:
    n_source, n_target = sizes(kind)
    fit, expected = kind.fit(n_source, n_target), sorted(listed(kind, n_source, n_target))
    number = np.arange(np.prod(fit.shape, dtype=int)) if fit.order is None else fit.order
    outgoing = [(i, int(j), int(number[w])) for i in range(n_source) for w, j in zip(*fit.outgoing(i), strict=True)]
    incoming = [(int(i), j, int(number[w])) for j in range(n_target) for w, i in zip(*fit.incoming(j), strict=True)]
    assert sorted(outgoing) == expected
    if "post" in kind.sides:
        assert sorted(incoming) == expected


BOTH_SIDES = {"on_pre": "x_post += w", "delay": 2 * ms, "on_post": "x_pre += w\nx_post -= 0.5*w"}
ONE_SIDE = {"on_pre": "x_post += w", "delay": 2 * ms}


@pytest.fixture(scope="module")
def of_all_kinds() -> dict[str, Any]:
    """What each kind brings to its targets: by ``Synapses``, and by projections on two targets."""
    cases = {name: (kind, BOTH_SIDES if "post" in kind.sides else ONE_SIDE) for name, kind in KINDS.items()}
    found = {target: simulate_all(target, cases, by_projection) for target in ("numpy", "cpp")}
    return {"synapses": simulate_all("numpy", cases, by_synapses), **found}


@pytest.mark.cpp
@pytest.mark.parametrize("target", ["numpy", "cpp"])
@pytest.mark.parametrize("kind", KINDS)
def test_it_equals_synapses(of_all_kinds: dict[str, Any], kind: str, target: str) -> None:
    expected, _ = of_all_kinds["synapses"][kind]
    found, _ = of_all_kinds[target][kind]
    assert np.ptp(expected) > 0
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.cpp
def test_a_spike_may_change_its_own_neuron_at_every_synapse_of_a_kernel() -> None:
    kind = Conv2D((6, 6, 2), 16, padding=1)
    found = {target: both_sides(target, kind, "x_post += w\ny_pre += w") for target in ("numpy", "cpp")}
    for side in (0, 1):
        assert np.ptp(found["numpy"][side]) > 0
        np.testing.assert_allclose(found["cpp"][side], found["numpy"][side], rtol=1e-12, atol=1e-12)


def both_sides(target: str, kind: Any, on_pre: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What statements did to ``x`` of the targets and ``y`` of the sources."""
    n_source, n_target = sizes(kind)
    with biosnn.session(target, seed=1, dt=DT) as sim:
        source, objects = driven(n_source, 5, "source")
        group, others = driven(n_target, 6, "target")
        joint = by_projection(source, group, kind, random_weights(kind), on_pre=on_pre, name="joint")
        sim.run(Network(*objects, *others, joint), STEPS * DT)
        return np.array(group.x[:]), np.array(source.y[:])


tiny = st.integers(1, 2)
shapes = st.tuples(st.integers(3, 4), st.integers(3, 4), tiny)  # at least as large as a kernel of 2 with gaps
borders = st.integers(0, 1)
random_kinds = st.one_of(
    st.builds(Conv2D, shapes, st.integers(1, 3), tiny, tiny, borders, tiny),
    st.builds(Pool2D, shapes, tiny, st.none() | tiny, borders),
    st.builds(Shortcut, shapes, st.none(), st.tuples(tiny, tiny)),
    st.sampled_from([Dense(), OneToOne(), Lateral()]),
)


@examples(25)
@given(random_kinds, st.integers(0, 3), st.integers(0, 2**20))
def test_any_kind_equals_synapses(kind: Any, steps: int, seed: int) -> None:
    texts = {"on_pre": "x_post += w*(1 + y_pre)", "delay": steps * DT}
    if "post" in kind.sides:
        texts["on_post"] = "y_pre += w*x_post"
    one, other = (simulate("numpy", kind, join, seed=seed, **texts) for join in (by_synapses, by_projection))
    np.testing.assert_allclose(one[0], other[0], rtol=1e-12, atol=1e-12)


SOME = {name: (KINDS[name], {"on_pre": "x_post += w"}) for name in ("lateral", "convolution", "average")}


@pytest.mark.cpp
@pytest.mark.parametrize(
    ("target", "precision", "error"),
    [pytest.param("cython", "float64", 1e-12, marks=pytest.mark.slow), ("cpp", "float32", 2e-5)],
)
def test_other_targets_and_single_precision_give_the_same(target: str, precision: str, error: float) -> None:
    found = simulate_all(target, SOME, by_projection, precision)
    for name, (expected, _) in simulate_all("numpy", SOME, by_synapses).items():
        assert np.ptp(expected) > 0
        np.testing.assert_allclose(found[name][0], expected, rtol=error, atol=error, err_msg=name)


# ---- convolution ----------------------------------------------------------------------------------------------

small = st.integers(1, 3)
pairs = st.tuples(small, small)
margins = st.tuples(st.tuples(st.integers(0, 2), st.integers(0, 2)), st.tuples(st.integers(0, 2), st.integers(0, 2)))


@examples(60)
@given(pairs, pairs, pairs, margins, small, small, small, st.tuples(st.integers(7, 9), st.integers(7, 9)), st.data())
def test_a_convolution_is_that_of_scipy(
    kernel: Any, stride: Any, apart: Any, padding: Any, groups: int, inner: int, outer: int, shape: Any, data: Any
) -> None:
    kind = Conv2D((*shape, inner * groups), outer * groups, kernel, stride, padding, apart, groups)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**20)))
    image, weights = rng.integers(-4, 5, kind.input), rng.integers(-4, 5, kind.fit(*sizes(kind)).shape)
    expected = np.zeros(kind.output)
    spread = np.zeros(((kernel[0] - 1) * apart[0] + 1, (kernel[1] - 1) * apart[1] + 1))
    for c in range(outer * groups):
        for k in range(inner):
            spread[:: apart[0], :: apart[1]] = weights[:, :, k, c]
            padded = np.pad(image[..., c // outer * inner + k], padding)
            seen = signal.correlate2d(padded, spread, mode="valid")
            expected[..., c] += seen[:: stride[0], :: stride[1]]
    fit, found = kind.fit(*sizes(kind)), np.zeros(sizes(kind)[1])
    for i, value in enumerate(image.ravel()):
        which, where = fit.outgoing(i)
        found[where] += weights.ravel()[which] * value
    np.testing.assert_array_equal(found.reshape(kind.output), expected)


CONVOLUTIONAL = Conv2D((4, 4, 2), 3, padding=1)


def learned_by_hand(kind: Conv2D) -> NDArray[np.float64]:
    """Convolutional STDP, one spike after another: w falls by what the target holds, and grows with the source."""
    (n_source, n_target), weights = sizes(kind), random_weights(kind).ravel()
    found = list(listed(kind, n_source, n_target))
    x_pre, x_post = np.linspace(0, 1, n_source), np.linspace(0.2, 0.6, n_target)
    trains = [spikes(n, seed) for n, seed in ((n_source, 5), (n_target, 6))]
    for step in range(STEPS - 1):
        for (steps, neurons), side in zip(trains, (0, 1), strict=True):
            for neuron in neurons[steps == step]:
                for synapse in found:
                    if synapse[side] == neuron:
                        i, j, w = synapse
                        change = 0.1 * x_pre[i] * (1 - weights[w]) if side else -0.2 * x_post[j] * weights[w]
                        weights[w] = np.clip(weights[w] + change, -0.5, 0.8)
    return weights


@pytest.mark.cpp
@pytest.mark.parametrize("target", TARGETS)
def test_a_shared_kernel_learns(target: str) -> None:
    n_source, n_target = sizes(CONVOLUTIONAL)
    with biosnn.session(target, seed=1, dt=DT) as sim:
        source, objects = driven(n_source, 5, "source")
        group, others = driven(n_target, 6, "target")
        source.x, group.x = np.linspace(0, 1, n_source), np.linspace(0.2, 0.6, n_target)
        joint = Projection(
            source,
            group,
            CONVOLUTIONAL,
            random_weights(CONVOLUTIONAL),
            on_pre="w = clip(w - 0.2*x_post*w, -0.5, 0.8)",
            on_post="w = clip(w + 0.1*x_pre*(1 - w), -0.5, 0.8)",
            name="joint",
        )
        sim.run(Network(*objects, *others, joint), STEPS * DT)
        found = np.array(joint.w[:])
    expected = learned_by_hand(CONVOLUTIONAL)
    assert np.abs(expected - random_weights(CONVOLUTIONAL).ravel()).max() > 0.1
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.cpp
@pytest.mark.parametrize("target", ["numpy", "cpp"])
def test_a_rule_of_the_catalogue_on_a_kernel(target: str) -> None:
    """Pair STDP with traces on neurons: one pre- and one postsynaptic spike change the one weight between them."""
    kind = Conv2D((3, 3, 1), 1)
    with biosnn.session(target, seed=1, dt=DT) as sim:
        source = SpikeGeneratorGroup(9, [4], [2] * ms, name="source")
        fires = "t_in_timesteps == 12"
        group = NeuronGroup(1, "g : 1", threshold=fires, namespace={}, name="target")
        joint = biosnn.synapses(source, group, "stdp_pair", onto="g", connect=kind, name="joint", values={"w": 0.5})
        sim.run(Network(source, group, joint), 20 * ms)
        change = np.array(joint["w"])[:, :, 0, 0] - 0.5
        model = joint.model
    expected = np.zeros((3, 3))
    window = model.parameters["A_plus"].quantity * np.exp(-10 * ms / model.parameters["tau_plus"].quantity)
    expected[1, 1] = float(window)
    np.testing.assert_allclose(change, expected, rtol=1e-9)


@pytest.mark.cpp
@pytest.mark.parametrize("target", ["numpy", "cpp"])
def test_statements_about_weights_run_once_a_weight(target: str) -> None:
    kind = Conv2D((3, 3, 1), 2, 2)
    with biosnn.session(target, dt=DT) as sim:
        source, objects = driven(9, 5, "source")
        group, others = driven(8, 6, "target")
        joint = Projection(source, group, kind, np.ones((2, 2, 1, 2)), model="half = w/2 : 1", name="joint")
        joint.run_regularly("w = w - half", dt=5 * ms)
        joint.run_regularly("x_post += w", dt=5 * ms, order=1)
        sim.run(Network(*objects, *others, joint), 10 * ms)
        np.testing.assert_array_equal(joint.w[:], 0.25)
        np.testing.assert_array_equal(group.x[:], 4 * (0.5 + 0.25))


# ---- pooling --------------------------------------------------------------------------------------------------


@pytest.mark.cpp
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("kind", [Pool2D((4, 4, 2), mode="max"), Pool2D((5, 5, 1), 3, 2, 1, "max")], ids=["2x2", "3x3"])
def test_as_many_spikes_pass_as_the_most_active_neuron_has_fired(kind: Pool2D, target: str) -> None:
    n_source, n_target = sizes(kind)
    with biosnn.session(target, seed=1, dt=DT) as sim:
        source, objects = driven(n_source, 5, "source")
        group = NeuronGroup(n_target, "x : 1", namespace={}, name="target")
        joint = Projection(source, group, kind, on_pre="x_post += w", name="joint")
        fired = SpikeMonitor(source, name="fired")
        sim.run(Network(*objects, group, joint, fired), STEPS * DT)
        counts, passed = np.array(fired.count), np.array(group.x[:])
    expected = np.zeros(n_target)
    for i, j, _ in listed(kind, n_source, n_target):
        expected[j] = max(expected[j], counts[i])
    assert len(set(expected)) > 1
    np.testing.assert_array_equal(passed, expected)


@pytest.mark.cpp
@pytest.mark.parametrize("target", ["numpy", "cpp"])
def test_counts_and_late_spikes_are_forgotten(target: str) -> None:
    kind = Pool2D((2, 1, 1), (2, 1), mode="max")
    with biosnn.session(target, seed=1, dt=DT) as sim:
        # The first neuron is ahead of the second one by two spikes, until both are forgotten at 10 ms.
        source = SpikeGeneratorGroup(2, [0, 0, 1, 1, 0, 1], [1, 2, 4, 8, 9, 11] * ms, name="source")
        group = NeuronGroup(1, "x : 1", namespace={}, name="target")
        joint = Projection(source, group, kind, on_pre="x_post += w", delay=2 * ms, name="joint")
        joint.reset_regularly(dt=10 * ms)
        network = Network(source, group, joint)
        sim.run(network, 20 * ms)
        assert group.x[0] == 3


def test_the_default_weights_are_the_kinds_own() -> None:
    with biosnn.session("numpy"):
        source, target = (NeuronGroup(n, "x : 1", threshold="x > 1", namespace={}, name=f"n{n}") for n in (16, 4))
        assert Projection(source, target, Pool2D((4, 4, 1)), name="a")["w"] == 0.25
        assert Projection(source, target, Pool2D((4, 4, 1), mode="max"), name="b")["w"] == 1
        assert Projection(source, target, Shortcut((4, 4, 1), stride=2), name="c")["w"] == 1
        assert Projection(source, target, Pool2D((4, 4, 1)), 2 * mV, name="d")["w"] == 2 * mV
        assert "w" not in Projection(source, target, Dense(), name="e").variables


# ---- lateral --------------------------------------------------------------------------------------------------


@pytest.mark.cpp
@pytest.mark.parametrize("target", ["numpy", "cpp"])
@pytest.mark.parametrize("kind", [Lateral(), Dense()], ids=["lateral", "dense"])
def test_a_layer_inhibits_itself_and_leaves_alone_who_rests(target: str, kind: Any) -> None:
    def potentials(join: Callable[..., Any], target: str) -> Any:
        with biosnn.session(target, seed=1, dt=0.5 * ms) as sim:
            group = NeuronGroup(
                5, "dv/dt = (1.3 + 0.1*i - v)/(5*ms) : 1 (unless refractory)\ny : 1", threshold="v > 1", reset="v = 0",
                refractory=3 * ms, method="euler", namespace={}, name="group",
            )  # fmt: skip
            group.y = np.arange(5)
            weights = -0.01 if isinstance(kind, Lateral) else -0.01 * (1 - np.eye(5))
            joint = join(group, group, kind, weights, on_pre="v_post += w*(1 + y_pre)")
            fired = SpikeMonitor(group, name="fired")
            sim.run(Network(group, joint, fired), 60 * ms)
            return np.array(group.v[:]), np.array(fired.i), np.array(fired.t / ms)

    def stock(source: Any, target: Any, *_: Any, **kwds: Any) -> Any:
        joint = Synapses(source, target, "w : 1", namespace={}, name="joint", **kwds)
        joint.connect("i != j")
        joint.w = -0.01
        return joint

    expected = potentials(stock, "numpy")
    assert len(expected[1]) > 20
    for one, other in zip(potentials(by_projection, target), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


# ---- what is refused ------------------------------------------------------------------------------------------

WRONG_KINDS: dict[str, tuple[Callable[[], Any], str]] = {
    "a shape of two": (lambda: Conv2D((4, 4), 2), r"input: expected \(rows, columns, channels\) \(got \(4, 4\)\)"),
    "no channels": (lambda: Conv2D((4, 4, 1), 0), "channels: expected whole numbers of at least 1"),
    "a large kernel": (lambda: Conv2D((4, 4, 1), 1, 5), r"at most the size of the padded input .* \(got 5\)"),
    "a stride of nothing": (lambda: Conv2D((4, 4, 1), 1, stride=0), "stride: expected whole numbers of at least 1"),
    "a negative padding": (lambda: Conv2D((4, 4, 1), 1, padding=-1), "padding: expected whole numbers of at least 0"),
    "three strides": (lambda: Conv2D((4, 4, 1), 1, stride=(1, 1, 1)), "one for rows and one for columns"),
    "a half kernel": (lambda: Pool2D((4, 4, 1), 1.5), r"Pool2D, kernel: expected whole numbers .*1\.5"),
    "groups": (lambda: Conv2D((4, 4, 3), 4, groups=2), r"input channels: expected a multiple of 2 groups \(got 3\)"),
    "a mode": (lambda: Pool2D((4, 4, 1), mode="median"), r"mode: expected 'average' or 'max' \(got 'median'\)"),
    "a list that is too short": (lambda: Sparse((2, 2), [0, 1], [0]), "indptr: expected 3 numbers that ascend"),
    "a list of strangers": (lambda: Sparse((1, 2), [0, 2], [0, 2]), r"indices: expected neurons from 0 to 1 \(got 2\)"),
    "an order with one twice": (lambda: Sparse((1, 2), [0, 2], [0, 1], [1, 1]), "order: expected each number .* once"),
    "pairs without a partner": (lambda: Sparse.pairs([0, 1], [0]), r"as many sources as targets \(got '2 and 1'\)"),
    "pairs of strangers": (lambda: Sparse.pairs([0, 2], [0, 0], shape=(2, 1)), r"i: expected neurons from 0 to 1"),
    "negative pairs": (lambda: Sparse.pairs([0], [-1]), "indices: expected neurons from 0"),
    "a full matrix": (lambda: Sparse.of(np.eye(3)), r"Sparse.of: expected a sparse matrix of SciPy .* Dense\(\)"),
    "a list of fractions": (lambda: Sparse((1, 1), [0.0, 1.0], [0]), "indptr: expected a list of whole numbers"),
    "fewer channels": (lambda: Shortcut((4, 4, 3), 2), "channels: expected whole numbers of at least 3"),
}


@pytest.mark.parametrize("what", WRONG_KINDS)
def test_a_kind_that_cannot_be_is_refused(what: str) -> None:
    make, message = WRONG_KINDS[what]
    with pytest.raises(ModelError, match=message):
        make()


WRONG: dict[str, tuple[Any, dict[str, Any], str]] = {
    "source": (Conv2D((4, 4, 2), 1), {}, r"a source of 32 neurons, .* \(got '16 neurons'\)"),
    "target": (Conv2D((4, 4, 1), 3), {}, r"a target of 12 neurons, .* \(got '16 neurons'\)"),
    "channels first": (Conv2D((4, 4, 1), 4), {"weights": np.ones((4, 1, 3, 3))}, r"w.*\(3, 3, 1, 4\)"),
    "traces on synapses": (
        Conv2D((4, 4, 1), 4),
        {"weights": 1.0, "model": "da/dt = -a/ms : 1 (event-driven)"},
        "keep traces on neurons",
    ),
    "on_post of a gate": (Pool2D((4, 4, 1), 1, mode="max"), {"on_post": "x_pre += w"}, "on_pre only"),
    "on_post of lateral": (Lateral(), {"weights": 1.0, "on_post": "x_pre += w"}, "on_pre only"),
    "lateral by index": (Lateral(), {"weights": 1.0, "on_pre": "x_post += w*j"}, "spikes are summed"),
    "a weight that all share": (Pool2D((4, 4, 1), 1), {"on_pre": "w = 2*w"}, "shared variable w"),
    "a race on a kernel": (
        Conv2D((4, 4, 1), 4),
        {"weights": np.ones((3, 3, 1, 4)), "on_pre": "x_post = w"},
        "order of the synapses",
    ),
    "a race within a layer": (
        Dense(),
        {"weights": 1.0, "same": True, "on_pre": "x_post += 0.1*x_pre"},
        "reads x_pre, which is written as x_post",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_does_not_fit_is_told_before_anything_is_compiled(what: str) -> None:
    kind, kwds, message = WRONG[what]
    kwds = dict(kwds)
    with biosnn.session("numpy"):
        source, target = (NeuronGroup(16, "x : 1", threshold="x > 1", namespace={}, name=name) for name in "ab")
        with pytest.raises(ModelError, match=message):
            Projection(source, source if kwds.pop("same", False) else target, kind, **kwds)


def test_a_gate_has_no_sums_and_no_wrong_units() -> None:
    with biosnn.session("numpy"):
        source, target = (NeuronGroup(16, "x : 1", threshold="x > 1", namespace={}, name=name) for name in "ab")
        joint = Projection(source, target, Pool2D((4, 4, 1), 1, mode="max"), on_pre="x_post += w", name="joint")
        with pytest.raises(ModelError, match="depends on spikes"):
            joint.run_regularly("x_post += w", dt=1 * ms)
        with pytest.raises(QuantityError, match="reset_regularly, dt"):
            joint.reset_regularly(dt=3 * mV)
