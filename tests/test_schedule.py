"""Order within a time step: a spike takes a step a layer, or passes all layers at once."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from brian2 import Hz, Network, NeuronGroup, SpikeGeneratorGroup, SpikeMonitor, StateMonitor, Synapses, ms

import biosnn
from biosnn import Dense, Lateral, OneToOne, Projection
from biosnn.errors import ModelError
from biosnn.groups.schedule import within_step
from biosnn.inputs import poisson

DT = 0.5 * ms
DEPTH = 3
Joiner = Callable[..., Any]


def by_synapses(source: Any, target: Any, delay: Any = None, **texts: str) -> Any:
    joint = Synapses(source, target, namespace={}, delay=delay, **texts)
    joint.connect("i == j")
    return joint


def by_projection(source: Any, target: Any, delay: Any = None, **texts: str) -> Any:
    return Projection(source, target, OneToOne(), delay=delay, **texts)


JOINERS = {"Synapses": by_synapses, "Projection": by_projection}


def neuron(name: str, n: int = 1) -> NeuronGroup:
    """Fires once for each unit of what it gets."""
    return NeuronGroup(n, "v : 1", threshold="v >= 1", reset="v -= 1", namespace={}, name=name)


def chain(
    joins: Joiner, depth: int, steps: list[int], delay: Any = None, prefix: str = ""
) -> tuple[list[Any], list[Any]]:
    """Layers that pass each spike on, the first at given steps; and what joins them."""
    times = np.array(steps) * DT
    layers: list[Any] = [SpikeGeneratorGroup(1, np.zeros(len(steps)), times, name=f"{prefix}layer_0")]
    # Names whose order in the alphabet is not that of the layers.
    layers += [neuron(f"{prefix}layer_{depth - k}") for k in range(depth)]
    pairs = pairwise(layers)
    return layers, [joins(source, target, delay, on_pre="v_post += 1") for source, target in pairs]


def spike_steps(monitors: list[SpikeMonitor]) -> list[list[int]]:
    return [list(np.rint(np.asarray(monitor.t / DT)).astype(int)) for monitor in monitors]


VARIANTS = [(name, at_once) for name in JOINERS for at_once in (False, True)]


@pytest.mark.parametrize(
    ("target", "variants"),
    # One program of C++ for all. Cython builds a module for each name of a group, so that the same names share them.
    [pytest.param("cpp", VARIANTS, marks=pytest.mark.cpp, id="cpp")]
    + [pytest.param("numpy", [v], id=f"numpy-{v[0]}-{v[1]}") for v in VARIANTS]
    + [pytest.param("cython", [v], id=f"cython-{v[0]}-{v[1]}", marks=pytest.mark.slow) for v in VARIANTS],
)
def test_a_spike_takes_a_step_a_layer_or_none(target: str, variants: list[tuple[str, bool]]) -> None:
    steps, seen = [3, 4, 20], {}
    with biosnn.session(target, seed=1, dt=DT) as sim:
        network = Network()
        for number, (name, at_once) in enumerate(variants):
            layers, joints = chain(JOINERS[name], DEPTH, steps, prefix=f"n{number}_")
            early = [SpikeMonitor(layer) for layer in layers]
            if at_once:
                within_step(*layers, *joints)
            late = [SpikeMonitor(layer) for layer in layers]
            network.add(layers, joints, early, late)
            seen[name, at_once] = early, late
        sim.run(network, 40 * DT)
        for (name, at_once), monitors in seen.items():
            expected = [[step + (0 if at_once else k) for step in steps] for k in range(DEPTH + 1)]
            assert [spike_steps(each) for each in monitors] == [expected, expected], (name, at_once)


@pytest.mark.parametrize("joins", JOINERS.values(), ids=JOINERS)
@pytest.mark.parametrize(("delay", "each"), [(2 * DT, 2), (0 * ms, 0)])
def test_a_delay_is_all_that_it_takes(joins: Joiner, delay: Any, each: int) -> None:
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        layers, joints = chain(joins, 3, [3, 7], delay)
        within_step(*layers, *joints)
        monitors = [SpikeMonitor(layer) for layer in layers]
        sim.run(Network(layers, joints, monitors), 30 * DT)
        assert spike_steps(monitors) == [[3 + k * each, 7 + k * each] for k in range(4)]


@pytest.mark.parametrize("joins", JOINERS.values(), ids=JOINERS)
def test_results_are_those_of_the_default_moved_by_a_step_a_layer(joins: Joiner) -> None:
    """A leaky layer driven through another one that fires and rests."""
    tau = 8 * ms

    def run(at_once: bool) -> tuple[Any, Any]:
        with biosnn.session("numpy", seed=2, dt=DT) as sim:
            inputs = SpikeGeneratorGroup(3, [0, 1, 2, 0, 1, 0], np.array([2, 3, 5, 6, 9, 12]) * DT)
            first = NeuronGroup(
                3,
                "dv/dt = -v/tau : 1",
                threshold="v > 0.9",
                reset="v = 0.1*i",
                refractory=1 * ms,
                method="exact",
                namespace={"tau": tau},
                name="z_first",
            )
            second = NeuronGroup(3, "dv/dt = -v/tau : 1", method="exact", namespace={"tau": tau}, name="a_second")
            joints = [joins(inputs, first, on_pre="v_post += 1"), joins(first, second, on_pre="v_post += 0.7")]
            if at_once:
                within_step(inputs, first, second, *joints)
            spikes, states = SpikeMonitor(first), StateMonitor(second, "v", record=True)
            sim.run(Network(inputs, first, second, joints, spikes, states), 60 * DT)
            return np.array([spikes.i, spike_steps([spikes])[0]]), np.array(states.v)

    (default_spikes, default), (spikes, states) = run(False), run(True)
    assert spikes.shape[1] >= 6
    np.testing.assert_array_equal(spikes[0], default_spikes[0])
    np.testing.assert_array_equal(spikes[1], default_spikes[1] - 1)
    # States are recorded at the start of a step: what has just arrived has decayed by then within a step only.
    np.testing.assert_allclose(states[:, :-1], default[:, 1:] * np.exp(-float(DT / tau)), atol=1e-15)


@pytest.mark.parametrize("joins", JOINERS.values(), ids=JOINERS)
@pytest.mark.parametrize("at_once", [False, True])
def test_lateral_and_feedback_synapses_act_in_the_next_step(joins: Joiner, at_once: bool) -> None:
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        source = SpikeGeneratorGroup(1, [0], [4 * DT], name="source")
        first, second = neuron("first"), neuron("second")
        joints = [
            joins(source, first, on_pre="v_post += 1"),
            joins(first, second, on_pre="v_post += 1"),
            joins(second, second, on_pre="v_post += 1"),  # it goes on firing
            joins(second, first, on_pre="v_post += 1"),
        ]
        if at_once:
            within_step(source, first, second, *joints)
        monitors = [SpikeMonitor(group) for group in (source, first, second)]
        sim.run(Network(source, first, second, joints, monitors), 8 * DT)
        found = spike_steps(monitors)
    if at_once:
        assert found == [[4], [4, 5, 6, 7], [4, 5, 6, 7]]
    else:
        assert found == [[4], [5, 7], [6, 7]]


def test_a_lateral_kind_has_its_place_after_its_own_thresholds() -> None:
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        source = SpikeGeneratorGroup(3, [0], [4 * DT])
        layer = neuron("layer", 3)
        feed = Projection(source, layer, OneToOne(), on_pre="v_post += 1")
        lateral = Projection(layer, layer, Lateral(), on_pre="v_post -= 0.25")
        within_step(source, layer, feed, lateral)
        monitor = SpikeMonitor(layer)
        sim.run(Network(source, layer, feed, lateral, monitor), 8 * DT)
        assert spike_steps([monitor]) == [[4]]
        np.testing.assert_array_equal(layer.v, [0, -0.25, -0.25])


ORDER = {
    "model": "clock : 1 (shared)",
    "on_pre": "v_post += 1\nseen_post = 10*seen_post + 1",
    "on_post": "seen_post = 10*seen_post + 2",
}


@pytest.mark.parametrize("kind", ["Synapses", "Projection"])
@pytest.mark.parametrize("at_once", [False, True])
def test_the_weights_of_a_rule_with_traces_are_the_same(kind: str, at_once: bool) -> None:
    """Pre and post are both driven, so that nothing depends on when spikes arrive: only the rule's order counts."""
    rng = np.random.default_rng(3)
    trains = [np.nonzero(rng.random((300, 4)) < 0.15) for _ in range(2)]

    def run(ordered: bool) -> Any:
        with biosnn.session("numpy", seed=1, dt=DT) as sim:
            pre, post = (SpikeGeneratorGroup(4, which, steps * DT) for steps, which in trains)
            connect: Any = Dense() if kind == "Projection" else True
            syn = biosnn.synapses(pre, post, "stdp_pair", onto="", connect=connect, name="plastic", values={"w": 0.5})
            if ordered:
                within_step(pre, post, syn)
            sim.run(Network(pre, post, syn), 300 * DT)
            return np.asarray(syn.w).ravel()

    weights = run(at_once)
    assert np.ptp(weights) > 0
    np.testing.assert_allclose(weights, run(False), rtol=1e-12)


@pytest.mark.parametrize("joins", JOINERS.values(), ids=JOINERS)
@pytest.mark.parametrize("feedback", [False, True])
def test_on_pre_comes_before_on_post_in_a_step_also_where_synapses_lead_back(joins: Joiner, feedback: bool) -> None:
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        pre, post = (SpikeGeneratorGroup(1, [0], [4 * DT], name=name) for name in ("pre", "post"))
        joint = joins(pre, post, model="seen : 1", on_pre="seen = 10*seen + 1", on_post="seen = 10*seen + 2")
        within_step(*((post, pre) if feedback else (pre, post)), joint)
        sim.run(Network(pre, post, joint), 8 * DT)
        assert joint.seen[0] == 12


def test_a_summed_variable_is_up_to_date_when_its_neuron_is_integrated() -> None:
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        source = SpikeGeneratorGroup(1, [0], [4 * DT])
        layer = NeuronGroup(1, "dv/dt = total/ms : 1\ntotal : 1", threshold="v > 0", method="euler", namespace={})
        joint = Synapses(source, layer, "s : 1\ntotal_post = s : 1 (summed)", on_pre="s = 1", namespace={})
        joint.connect()
        within_step(source, layer, joint)
        monitor = SpikeMonitor(layer)
        sim.run(Network(source, layer, joint, monitor), 6 * DT)
        assert spike_steps([monitor]) == [[4, 5]]


def test_subgroups_and_poisson_inputs_take_part() -> None:
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        inputs, layer = poisson(4, 100 * Hz), neuron("layer", 2)
        joint = Projection(inputs[1:3], layer, OneToOne(), on_pre="v_post += 1")
        within_step(inputs, layer, joint)
        sent, passed = SpikeMonitor(inputs), SpikeMonitor(layer)
        sim.run(Network(inputs, layer, joint, sent, passed), 200 * DT)
        own = (sent.i >= 1) & (sent.i < 3)
        assert own.sum() > 5
        np.testing.assert_array_equal(passed.t / ms, sent.t[own] / ms)


@pytest.mark.parametrize("when", ["start", "synapses", "end"])
def test_what_a_projection_runs_at_regular_times_keeps_its_place(when: str) -> None:
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        source, layer = SpikeGeneratorGroup(1, [0, 0], [0, 2] * DT), NeuronGroup(1, "v : 1", namespace={}, name="layer")
        joint = Projection(source, layer, OneToOne(), np.ones(1), on_pre="v_post += w")
        halve = joint.run_regularly("w *= 0.5", when=when)
        push = joint.run_regularly("v_post += 100", when="end")
        within_step(source, layer, joint)
        assert (halve.when, push.when) == (when, "end")
        sim.run(Network(source, layer, joint), 3 * DT)
        assert joint["w"][0] == 1 / 8
        assert layer.v[0] == 300 + (1 / 2 + 1 / 8 if when == "start" else 1 + 1 / 4)


def test_synapses_whose_statements_run_at_the_end_of_a_step_keep_their_place() -> None:
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        source, layer = SpikeGeneratorGroup(1, [0], [2 * DT]), neuron("layer")
        joint = by_synapses(source, layer, on_pre="v_post += 1")
        joint.pre.when = "end"
        within_step(source, layer, joint)
        monitor = SpikeMonitor(layer)
        sim.run(Network(source, layer, joint, monitor), 6 * DT)
        assert spike_steps([monitor]) == [[3]]


@pytest.mark.parametrize("given", ["all", "no drive", "the rest"])
def test_images_and_what_they_drive_take_part(given: str) -> None:
    """They change at the start of a step, so that all layers pass on in that step what an image has them do."""
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        pictures = biosnn.images([[1.0, 0.0], [0.0, 0.5]], period=3 * DT, name="pictures")
        first = NeuronGroup(2, "x : 1", threshold="x > 0.2", namespace={}, name="first")
        second = neuron("second", 2)
        drive = pictures.drive(first, "x")
        joint = by_projection(first, second, on_pre="v_post += 1")
        parts = {"all": [pictures, drive], "no drive": [pictures], "the rest": []}
        within_step(*parts[given], first, second, joint)
        monitors = [SpikeMonitor(group) for group in (pictures, first, second)]
        sim.run(Network(pictures, first, second, joint, monitors), 6 * DT)
        assert spike_steps(monitors) == [[0, 0, 3, 3], list(range(6)), list(range(6))]
        np.testing.assert_array_equal(monitors[2].i, [0, 0, 0, 1, 1, 1])


def wrong_parts() -> dict[str, tuple[Callable[[], list[Any]], str]]:
    def named(*names: str) -> list[NeuronGroup]:
        return [neuron(name) for name in names]

    def joined(leave_out: int) -> list[Any]:
        groups = named("one", "two")
        joint = by_projection(*groups, on_pre="v_post += 1")
        return [*groups[:leave_out], *groups[leave_out + 1 :], joint]

    def twice() -> list[Any]:
        return [*(groups := named("one", "two")), groups[0]]

    def steps() -> list[Any]:
        return [neuron("one"), NeuronGroup(1, "v : 1", threshold="v > 1", namespace={}, dt=2 * DT, name="two")]

    return {
        "twice": (twice, r"expected each part once \(got 'one'\)"),
        "no group": (lambda: [*named("one"), SpikeMonitor(neuron("two"), name="seen")], r"got 'seen'"),
        "a subgroup": (lambda: [neuron("one", 3)[:2]], r"Give a subgroup's group"),
        "nothing": (list, r"groups, in the order of the layers \(got 'none'\)"),
        "no source": (lambda: joined(0), r"expected a group among \['two'\] \(got 'one'\)\. Give 'one' too"),
        "no target": (lambda: joined(1), r"expected a group among \['one'\] \(got 'two'\)"),
        "time steps": (steps, r"groups with the same time step"),
    }


@pytest.mark.parametrize("case", wrong_parts())
def test_what_does_not_fit_is_refused(case: str) -> None:
    make, message = wrong_parts()[case]
    with biosnn.session("numpy", seed=1, dt=DT):
        parts = make()
        with pytest.raises(ModelError, match=message):
            within_step(*parts)


def test_a_second_order_is_refused() -> None:
    with biosnn.session("numpy", seed=1, dt=DT):
        one, two = neuron("one"), neuron("two")
        within_step(one)
        with pytest.raises(ModelError, match=r"no order of this kind yet \(got 'one'\)"):
            within_step(one, two)
