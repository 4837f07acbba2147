"""Projections against Brian2's ``Synapses`` with the same connectivity: equal to rounding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from brian2 import (
    Hz,
    Network,
    NeuronGroup,
    PoissonGroup,
    Quantity,
    SpikeGeneratorGroup,
    StateMonitor,
    Synapses,
    ms,
    mV,
    nS,
)
from hypothesis import given
from hypothesis import strategies as st
from hypothesis_profile import examples

import biosnn
from biosnn import Dense, OneToOne, Projection, catalogue
from biosnn.errors import EngineError

DT = 0.5 * ms
STEPS = 60

STATEMENTS: dict[str, tuple[str, str]] = {
    "static": ("x_post += w", ""),
    "plastic": ("x_post += w\nw = clip(w - 0.05*y_post, 0, 1)", "w = clip(w + 0.1*x_post, 0, 1)"),
    "both sides": ("x_post += w*y_pre\nw += 0.01*y_post", "w -= 0.02*y_pre\nx_post += 0.5"),
    "onto its own side": ("y_pre += 0.1*w\nx_post += w", "x_post -= 0.2"),
    "by index": ("x_post += w*(1 + 0.1*i + 0.01*j)", "w = w + 0.001*(i - j)"),
    "one a step": ("x_post += w\nz += 1", "z = z/2"),
}


@dataclass(frozen=True)
class Case:
    """Two groups of integrators, driven by given spikes, and what joins them."""

    n_source: int = 4
    n_target: int = 3
    statements: str = "plastic"
    delay: Any = None
    seed: int = 0

    @property
    def weights(self) -> Any:
        return np.random.default_rng(self.seed).uniform(0, 1, (self.n_source, self.n_target))


def drive(rng: np.random.Generator, n: int, name: str) -> tuple[SpikeGeneratorGroup, NeuronGroup, Synapses]:
    """Neurons with two variables that spike when a generator says so."""
    fires = rng.random((STEPS, n)) < 0.15
    steps, which = np.nonzero(fires)
    generator = SpikeGeneratorGroup(n, which, steps * DT, name=f"{name}_drive")
    group = NeuronGroup(n, "x : 1\ny : 1\nfire : 1", threshold="fire > 0", reset="fire -= 1", namespace={}, name=name)
    trigger = Synapses(generator, group, on_pre="fire_post += 1", namespace={}, name=f"{name}_trigger")
    trigger.connect("i == j")
    return generator, group, trigger


def run(target: str, case: Case, joined: str, precision: str = "float64") -> dict[str, Any]:
    """All that a run leaves behind, with ``Synapses`` or a ``Projection``."""
    return run_all(target, [case], joined, precision)[0]


def run_all(target: str, cases: Sequence[Case], joined: str, precision: str = "float64") -> list[dict[str, Any]]:
    """The same of several networks in one program, which is built once."""
    with biosnn.session(target, seed=1, dt=DT, precision=precision) as sim:
        networks = [network(case, joined, f"_{number}") for number, case in enumerate(cases)]
        sim.run(Network(*(obj for objects, *_ in networks for obj in objects)), STEPS * DT)
        return [left_behind(*recorded) for _, *recorded in networks]


def left_behind(source: Any, target: Any, joint: Any, monitor: Any) -> dict[str, Any]:
    found = {"x over time": monitor.x[:], "x": target.x[:], "y": source.y[:], "w": joint.w[:], "z": joint.z[:]}
    return {name: np.array(values, dtype=float) for name, values in found.items()}


def network(case: Case, joined: str, ending: str) -> tuple[Any, ...]:
    """The objects of a network, and those of them whose values are looked at."""
    rng = np.random.default_rng(case.seed)
    objects = [*drive(rng, case.n_source, f"source{ending}"), *drive(rng, case.n_target, f"target{ending}")]
    source, target = objects[1], objects[4]
    source.y = np.linspace(0.5, 1.5, case.n_source)
    target.y = np.linspace(-0.3, 0.3, case.n_target)
    on_pre, on_post = (text or None for text in STATEMENTS[case.statements])
    joint: Any
    if joined == "projection":
        joint = Projection(
            source, target, Dense(), case.weights, model="z : 1", on_pre=on_pre, on_post=on_post, delay=case.delay,
            name=f"joint{ending}",
        )  # fmt: skip
    else:
        joint = Synapses(
            source, target, "w : 1\nz : 1", on_pre=on_pre, on_post=on_post, namespace={}, name=f"joint{ending}"
        )
        joint.connect()
        joint.w = case.weights.ravel()
        if case.delay is not None:
            joint.delay = np.broadcast_to(case.delay / ms, case.weights.shape).ravel() * ms
    monitor = StateMonitor(target, "x", record=True, name=f"monitor{ending}")
    return [*objects, joint, monitor], source, target, joint, monitor


def assert_equal(one: Mapping[str, Any], other: Mapping[str, Any], tolerance: float = 1e-12) -> None:
    for name, values in one.items():
        np.testing.assert_allclose(values, other[name], rtol=tolerance, atol=tolerance, err_msg=name)


sizes = st.integers(1, 6)
delays = st.sampled_from(["none", "uniform", "array"])


@examples(25)
@given(sizes, sizes, st.sampled_from(sorted(STATEMENTS)), delays, st.integers(0, 2**20))
def test_a_dense_projection_equals_synapses(
    n_source: int, n_target: int, statements: str, delay: str, seed: int
) -> None:
    steps = np.random.default_rng(seed).integers(0, 12, (n_source, n_target))
    late = {"none": None, "uniform": int(steps[0, 0]) * DT, "array": steps * DT}[delay]
    case = Case(n_source, n_target, statements, late, seed)
    assert_equal(run("numpy", case, "synapses"), run("numpy", case, "projection"))


ON_ALL_TARGETS = [
    Case(statements="both sides", seed=3),
    Case(statements="onto its own side", delay=2 * ms, seed=4),
    Case(statements="by index", delay=np.arange(12).reshape(4, 3) * ms, seed=5),
]


@pytest.mark.cpp
@pytest.mark.parametrize(
    ("target", "cases"),
    [
        ("cpp", ON_ALL_TARGETS),
        pytest.param("cython", ON_ALL_TARGETS, marks=pytest.mark.slow),
    ],
    ids=["cpp", "cython"],
)
def test_all_targets_give_the_same(target: str, cases: list[Case]) -> None:
    references = run_all("numpy", cases, "synapses")
    if target == "cython":  # it builds a module for each name of a group: networks of the same names share them
        found_there = [run(target, case, "projection") for case in cases]
    else:
        found_there = run_all(target, cases, "projection")
    for reference, found in zip(references, found_there, strict=True):
        assert np.ptp(reference["x over time"]) > 0
        assert_equal(reference, found)


@pytest.mark.cpp
@pytest.mark.parametrize("target", ["numpy", "cpp"])
def test_float32_is_equal_to_its_own_rounding(target: str) -> None:
    reference = run("numpy", Case(), "synapses")
    assert_equal(reference, run(target, Case(), "projection", "float32"), 2e-5)


@pytest.mark.cpp
def test_float32_takes_half_the_memory() -> None:
    with biosnn.session("cpp", seed=1, precision="float32"):
        group = NeuronGroup(3, "x : 1", threshold="x > 1", name="group", namespace={})
        assert Projection(group, group, Dense(), 0.5 * np.ones((3, 3))).variables["w"].dtype == np.float32


def test_another_precision_is_refused() -> None:
    with pytest.raises(EngineError, match=r"float16.*float32, float64"), biosnn.session("numpy", precision="float16"):
        pass


# ---- rules of the catalogue -----------------------------------------------------------------------------------


def weights_and_input(rule: str, connect: Any, delay: Any) -> tuple[Any, Any]:
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        rng = np.random.default_rng(7)
        steps = np.sort(rng.choice(200, 60, replace=False))
        source = SpikeGeneratorGroup(6, rng.integers(0, 6, 60), steps * DT, name="source")
        target = NeuronGroup(
            5, "dv/dt = (1.5 + 0.3*i - v)/(7*ms) : 1\ng : 1", threshold="v > 1", reset="v = 0", method="exact",
            namespace={}, name="target",
        )  # fmt: skip
        model = catalogue.synapse_model(rule)
        if "kheradpisheh" in model.presets:  # its own values would bring all weights to their bound
            model = model.with_values("kheradpisheh")
        start = np.linspace(0.1, 0.9, 30).reshape(6, 5)
        given = {"w": start if isinstance(connect, Dense) else start.ravel()} if "w" in model.parsed.names else None
        each = np.ndim(delay) > 0 and connect is True
        joint = biosnn.synapses(
            source, target, model, onto="g", connect=connect, delay="0*ms*rand()" if each else delay, name="joint",
            values=given,
        )  # fmt: skip
        if each:
            joint.delay = np.ravel(delay / ms) * ms
        sim.run(Network(source, target, joint), 200 * DT)
        return np.array(joint.w[:]).ravel(), np.array(target.g[:])


# A generator of spikes has no variables that a rule could read; test_coded.py has the rule that does.
RULES = [name for name in catalogue.synapse_names() if not catalogue.synapse_model(name).uses]
DELAYS = {"none": None, "uniform": 2 * ms, "array": np.random.default_rng(2).integers(0, 9, (6, 5)) * ms}


@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("rule", RULES)
def test_every_rule_of_the_catalogue_gives_the_same_weights_on_a_projection(rule: str, delay: str) -> None:
    reference = weights_and_input(rule, True, DELAYS[delay])
    assert np.ptp(reference[0]) > 0
    for expected, found in zip(reference, weights_and_input(rule, Dense(), DELAYS[delay]), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


# ---- its parts ------------------------------------------------------------------------------------------------


def cells(n: int = 3, name: str = "cells", **kwds: Any) -> NeuronGroup:
    equations = "x : 1\nv : volt\ntotal : 1\nonce : integer (constant)"
    return NeuronGroup(n, equations, threshold="x > 1", reset="x = 0", namespace={}, name=name, **kwds)


def test_variables_are_read_and_set_in_their_natural_shape() -> None:
    with biosnn.session("numpy"):
        joint = Projection(cells(2, "a"), cells(3, "b"), Dense(), np.arange(6).reshape(2, 3) * nS, model="z : 1")
        np.testing.assert_array_equal(joint["w"] / nS, [[0, 1, 2], [3, 4, 5]])
        joint["z"] = [[1, 2, 3], [4, 5, 6]]
        np.testing.assert_array_equal(joint.z[:], [1, 2, 3, 4, 5, 6])
        joint["z"] = 7
        np.testing.assert_array_equal(joint["z"], np.full((2, 3), 7))
        joint.z = "0.5*w/nS"
        np.testing.assert_allclose(joint["z"], [[0, 0.5, 1], [1.5, 2, 2.5]])


def test_one_weight_for_all_takes_no_memory() -> None:
    with biosnn.session("numpy") as sim:
        source = SpikeGeneratorGroup(300, [0, 7, 7], [0, 0, 1] * ms, name="source")
        target = cells(200)
        joint = Projection(source, target, Dense(), 0.25 * mV, on_pre="v_post += w", name="joint")
        assert joint.variables["w"].size == 1
        sim.run(Network(source, target, joint), 2 * ms)
        np.testing.assert_allclose(target.v / mV, 0.75)
        assert joint["w"] == 0.25 * mV


def test_several_pathways_each_with_its_delay() -> None:
    with biosnn.session("numpy", dt=1 * ms) as sim:
        source, target = SpikeGeneratorGroup(1, [0], [1] * ms, name="source"), cells(1)
        joint = Projection(
            source,
            target,
            Dense(),
            0.25,
            on_pre={"soon": "total_post += w", "late": "v_post += w*mV"},
            delay={"late": 3 * ms},
            name="joint",
        )
        monitor = StateMonitor(target, ["total", "v"], record=0, when="end", name="monitor")
        sim.run(Network(source, target, joint, monitor), 6 * ms)
        np.testing.assert_allclose(monitor.total[0], [0, 0.25, 0.25, 0.25, 0.25, 0.25])
        np.testing.assert_allclose(monitor.v[0] / mV, [0, 0, 0, 0, 0.25, 0.25])


def test_a_delay_goes_on_from_one_run_to_the_next() -> None:
    with biosnn.session("numpy", dt=1 * ms) as sim:
        source, target = SpikeGeneratorGroup(1, [0], [1] * ms, name="source"), cells(1)
        joint = Projection(source, target, Dense(), 0.25, on_pre="total_post += w", delay=3 * ms, name="joint")
        network = Network(source, target, joint)
        sim.run(network, 3 * ms)
        assert target.total[0] == 0
        sim.run(network, 2 * ms)
        assert target.total[0] == 0.25


@pytest.mark.cpp
@pytest.mark.parametrize("target", ["numpy", "cpp"])
def test_parts_of_groups_are_joined(target: str) -> None:
    with biosnn.session(target, dt=1 * ms) as sim:
        fires = "t_in_timesteps == 1 and i != 1"
        source = NeuronGroup(5, "", threshold=fires, namespace={}, name="source")
        whole = cells(6)
        weights = np.arange(4.0).reshape(2, 2) + 1
        joint = Projection(source[2:4], whole[3:5], Dense(), weights, on_pre="total_post += w*(1 + j)", name="joint")
        sim.run(Network(source, whole, joint), 3 * ms)
        np.testing.assert_allclose(whole.total[:], [0, 0, 0, 1 + 3, 2 * (2 + 4), 0])


@pytest.mark.cpp
@pytest.mark.parametrize("target", ["numpy", "cpp"])
def test_sums_of_weights_and_their_scaling_run_without_python(target: str) -> None:
    weights = np.arange(1.0, 13.0).reshape(4, 3)
    with biosnn.session(target, dt=1 * ms) as sim:
        source, target_group = cells(4, "source"), cells(3, "target")
        joint = Projection(source, target_group, Dense(), weights, name="joint")
        at = {"dt": 5 * ms}
        target_group.run_regularly("total = 0", **at, order=0)
        joint.run_regularly("total_post += w", **at, order=1)
        joint.run_regularly("w = w*10/total_post", **at, order=2)
        sim.run(Network(source, target_group, joint), 1 * ms)
        np.testing.assert_allclose(target_group.total[:], weights.sum(axis=0))
        np.testing.assert_allclose(joint["w"], weights * 10 / weights.sum(axis=0))


def test_differential_equations_of_a_synapse() -> None:
    with biosnn.session("numpy", dt=0.1 * ms) as sim:
        source, target = SpikeGeneratorGroup(2, [0], [0] * ms, name="source"), cells(1)
        model = "dc/dt = -c/(10*ms) : 1 (clock-driven)"
        joint = Projection(source, target, Dense(), model=model, on_pre="c += 1", method="exact", name="joint")
        sim.run(Network(source, target, joint), 20.1 * ms)
        np.testing.assert_allclose(joint["c"].ravel(), [np.exp(-2), 0], rtol=1e-9)


def test_membrane_potentials_that_rest_are_not_written() -> None:
    """``unless refractory`` holds for statements of projections, too."""

    def potential(connect: Any) -> Any:
        with biosnn.session("numpy", dt=DT) as sim:
            source = SpikeGeneratorGroup(2, [0, 0, 1], [1, 2, 5] * ms, name="source")
            group = NeuronGroup(
                2, "dv/dt = 0/second : 1 (unless refractory)", threshold="v > 1", reset="v = 0", refractory=2 * ms,
                method="euler", namespace={}, name="group",
            )  # fmt: skip
            joint = biosnn.synapses(source, group, onto="v", gain=Quantity(1.5), connect=connect, name="joint")
            monitor = StateMonitor(group, "v", record=True, name="monitor")
            sim.run(Network(source, group, joint, monitor), 8 * ms)
            return monitor.v[:]

    expected = potential(True)
    assert expected.max() == 1.5
    np.testing.assert_array_equal(potential(Dense()), expected)


def test_poisson_input_and_one_to_one() -> None:
    with biosnn.session("numpy", seed=3, dt=1 * ms) as sim:
        source, target = PoissonGroup(4, 300 * Hz, name="source"), cells(4)
        joint = Projection(source, target, OneToOne(), np.arange(4.0), on_pre="total_post += w", name="joint")
        from brian2 import SpikeMonitor

        spikes = SpikeMonitor(source, name="spikes")
        sim.run(Network(source, target, joint, spikes), 50 * ms)
        np.testing.assert_allclose(target.total[:], np.arange(4) * spikes.count[:])
