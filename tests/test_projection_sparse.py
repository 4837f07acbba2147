"""Lists of synapses: matrices of SciPy and pairs in any order, with weights and delays in the same order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, ms
from hypothesis import given
from hypothesis import strategies as st
from hypothesis_profile import examples
from numpy.typing import NDArray
from scipy import sparse

import biosnn
from biosnn.engine import Point, network_state
from biosnn.errors import ModelError
from biosnn.projection import Projection, Sparse

DT = 0.5 * ms
CELLS = 12
Result = tuple[NDArray[Any], NDArray[Any]]


def cells(name: str, fires: str = "(3*i + 5*t_in_timesteps) % 11 == 0") -> NeuronGroup:
    return NeuronGroup(CELLS, "g : 1", threshold=fires, reset="", namespace={}, name=name)


def plastic(connect: Any, delays: Any, weights: Any, target: str = "numpy") -> Result:
    """Weights, and what the targets got, after pair STDP."""
    with biosnn.session(target, seed=1, dt=DT) as sim:
        a, b = cells("a"), cells("b", "(5*i + 3*t_in_timesteps) % 13 == 0")
        traces = "synapse" if isinstance(connect, tuple) else "neuron"
        texts = {"onto": "g", "delay": delays, "traces": traces, "name": "joint", "values": {"w": weights}}
        joint = biosnn.synapses(a, b, "stdp_pair", connect=connect, **texts)
        sim.run(Network(a, b, joint), 60 * DT)
        return np.array(joint["w"] if isinstance(joint, Projection) else joint.w[:]), np.array(b.g[:])


@examples(8)
@given(st.integers(1, 60), st.integers(0, 2**20), st.booleans())
def test_pairs_in_any_order_equal_synapses(count: int, seed: int, delayed: bool) -> None:
    rng = np.random.default_rng(seed)
    i, j = rng.integers(0, CELLS, (2, count))
    weights, delays = rng.uniform(0, 1, count), rng.integers(0, 9, count) * DT if delayed else None
    found, expected = plastic(Sparse.pairs(i, j), delays, weights), plastic((i, j), delays, weights)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.cpp
def test_pairs_in_any_order_equal_synapses_in_a_program() -> None:
    rng = np.random.default_rng(1)
    i, j = rng.integers(0, CELLS, (2, 80))
    weights, delays = rng.uniform(0, 1, 80), rng.integers(0, 9, 80) * DT
    found, expected = plastic(Sparse.pairs(i, j), delays, weights, "cpp"), plastic((i, j), delays, weights)
    assert np.ptp(expected[0] - weights) > 0.01
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
def test_a_matrix_of_scipy_brings_its_data_as_weights(form: str) -> None:
    matrix = sparse.random_array((CELLS, CELLS), density=0.3, format=form, rng=np.random.default_rng(2))
    with biosnn.session("numpy", dt=DT) as sim:
        a, b = cells("a", "t_in_timesteps == 0"), cells("b")
        joint = Projection(a, b, Sparse.of(matrix), matrix.data, on_pre="g_post += w", name="joint")
        np.testing.assert_array_equal(joint["w"], matrix.data)
        i, j = joint.pairs()
        np.testing.assert_array_equal(matrix.toarray()[i, j], matrix.data)
        sim.run(Network(a, b, joint), DT)
        np.testing.assert_allclose(b.g[:], matrix.toarray().sum(axis=0))


def test_values_of_reordered_synapses_are_read_and_set_in_the_order_of_the_pairs() -> None:
    i, j, weights = [2, 0, 1, 0], [1, 3, 2, 0], [0.1, 0.2, 0.3, 0.4]
    with biosnn.session("numpy", dt=DT) as sim:
        a, b = cells("a", "t_in_timesteps == 0"), cells("b")
        joint = Projection(a, b, Sparse.pairs(i, j), weights, on_pre="g_post += w", name="joint")
        np.testing.assert_array_equal(joint["w"], weights)
        np.testing.assert_array_equal(joint.pairs(), [i, j])
        for wrong in (lambda: joint.w, lambda: setattr(joint, "w", np.array(weights))):
            with pytest.raises(
                (AttributeError, ModelError), match=r"joint.*w is in another order .* projection\['w'\]"
            ):
                wrong()
        joint.w = "2*w"
        np.testing.assert_array_equal(joint["w"], 2 * np.array(weights))
        joint["w"] = [1, 2, 3, 4]
        network = Network(a, b, joint)
        assert list(network_state(network)["joint.w"]) == [1, 2, 3, 4]
        points = [Point({"joint.w": np.array(values)}) for values in ([1.0, 2, 3, 4], [5.0, 6, 7, 8])]
        got = sim.sweep(network, lambda: sim.run(network, DT), points, lambda _: np.array(b.g[:4]))
        np.testing.assert_array_equal(got, [[4, 1, 3, 2], [8, 5, 7, 6]])


def test_delays_of_reordered_synapses_are_in_the_order_of_the_pairs() -> None:
    with biosnn.session("numpy", dt=DT) as sim:
        a, b = cells("a", "t_in_timesteps == 0"), cells("b")
        pairs, delays = Sparse.pairs([0, 0, 0, 1], [0, 1, 2, 3]), np.array([3, 1, 2, 1]) * DT
        joint = Projection(a, b, pairs, [1, 2, 3, 4], on_pre="g_post += w", delay=delays, name="joint")
        np.testing.assert_array_equal(joint["w"], [1, 2, 3, 4])
        network, got = Network(a, b, joint), []
        for _ in range(4):
            sim.run(network, DT)
            got.append(np.array(b.g[:4]))
        np.testing.assert_array_equal(got, [[0, 0, 0, 0], [0, 2, 0, 4], [0, 2, 3, 4], [1, 2, 3, 4]])


def test_pairs_fit_groups_that_are_larger_and_a_matrix_does_not() -> None:
    with biosnn.session("numpy", dt=DT):
        a, b = cells("a"), cells("b")
        one = Sparse.pairs([0], [3])
        assert Projection(a, b, one, [1.0], on_pre="g_post += w", name="few")["w"].shape == (1,)
        with pytest.raises(ModelError, match=r"Sparse: expected groups of 3 source and 3 target neurons"):
            Projection(a, b, Sparse.of(sparse.eye_array(3)), 1.0, on_pre="g_post += w", name="joint")
        with pytest.raises(ModelError, match=r"delay: expected one delay or an array of shape \(1,\)"):
            Projection(a, b, one, 1.0, on_pre="g_post += w", delay=[1, 2] * ms, name="joint")


def test_several_synapses_of_a_pair_add_up() -> None:
    with biosnn.session("numpy", dt=DT) as sim:
        a, b = cells("a", "t_in_timesteps == 0"), cells("b")
        pairs = Sparse.pairs([0, 0, 0], [1, 1, 2])
        joints = [
            Projection(a, b, pairs, [1.0, 2.0, 4.0], on_pre="g_post += w", name="joint"),
            Projection(a, b, Sparse.pairs([], []), 1.0, on_pre="g_post += w", delay=1 * ms, name="none"),
        ]
        sim.run(Network(a, b, *joints), DT)
        np.testing.assert_array_equal(b.g[:3], [0, 3, 4])


@pytest.mark.cpp
@pytest.mark.parametrize("precision", [pytest.param("float64", marks=pytest.mark.slow), "float32"])
def test_a_neuron_at_rest_gets_nothing(precision: str) -> None:
    """Whatever statements add to it, infinity included, which a mask has to leave out and a factor of 0 would not."""
    found = []
    for target in ("numpy", "cpp"):
        with biosnn.session(target, dt=DT, precision=precision) as sim:
            source = cells("source", "t_in_timesteps == 2")
            resting = NeuronGroup(
                CELLS,
                "dv/dt = 0/second : 1 (unless refractory)\ndu/dt = 0/second : 1 (unless refractory)\nn : integer",
                threshold="t_in_timesteps == 1 and i % 2 == 0",
                reset="",
                refractory=5 * ms,
                method="euler",
                namespace={},
                name="resting",
            )
            weights = np.where(np.arange(CELLS) == 4, np.inf, np.arange(CELLS) + 0.5)
            joint = Projection(
                source,
                resting,
                Sparse.pairs(np.arange(CELLS), np.arange(CELLS)),
                model="w : 1",
                on_pre="v_post += 1/(1/w)\nu_post -= w\nn_post += 2",
                name="joint",
            )
            joint.variables["w"].set_value(weights)
            sim.run(Network(source, resting, joint), 4 * DT)
            found.append((np.array(resting.v[:]), np.array(resting.u[:]), np.array(resting.n[:])))
    awake = np.arange(CELLS) % 2 == 1
    for v, u, n in found:
        np.testing.assert_allclose(v, np.where(awake, np.arange(CELLS) + 0.5, 0), rtol=1e-6)
        np.testing.assert_array_equal(u, np.where(awake, -(np.arange(CELLS) + 0.5), 0))
        np.testing.assert_array_equal(n, 2)
