"""What cannot be drawn, or not without memory, is refused, by name and where possible before the run."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest
from brian2 import Network, ms
from brian2.utils.logger import catch_logs
from random_cases import DT, cells, counted

import biosnn
from biosnn.engine import Point
from biosnn.errors import EngineError, ModelError, RunError
from biosnn.projection import FixedIndegree, FixedOutdegree, FixedProbability, FixedTotal, Projection


def joint_of(kind: Any, *, itself: bool = False, **kwds: Any) -> Projection:
    kwds = {"weights": 1.0, "on_pre": "x_post += w", "name": "joint", **kwds}
    source = cells("source")
    return Projection(source, source if itself else cells("target"), kind, **kwds)


WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "a probability of two": (
        lambda: joint_of(FixedProbability(2)),
        r"FixedProbability, p: expected a probability from 0 to 1 \(got 2\)",
    ),
    "a negative one": (lambda: joint_of(FixedProbability(-0.1)), "probability from 0 to 1"),
    "one that is NaN": (lambda: joint_of(FixedProbability(float("nan"))), "probability from 0 to 1"),
    "a half degree": (
        lambda: joint_of(FixedIndegree(2.5)),
        r"FixedIndegree, k: expected a whole number .* \(got 2.5\)",
    ),
    "too many sources": (lambda: joint_of(FixedIndegree(31, multapses=False)), r"at most the 30 sources \(got 31\)"),
    "too many targets": (
        lambda: joint_of(FixedOutdegree(30, multapses=False, autapses=False), itself=True),
        r"at most the 29 targets \(got 30\)",
    ),
    "a negative total": (lambda: joint_of(FixedTotal(-1)), "FixedTotal, n: expected a whole number of at least 0"),
    "populations that are too small": (
        lambda: joint_of(FixedTotal([[1, 2]], targets=[10, 19])),
        r"FixedTotal, targets: expected sizes of populations, .* the 30 neurons \(got \[10, 19\]\)",
    ),
    "a number too few": (
        lambda: joint_of(FixedTotal([[1, 2]], sources=[10, 20], targets=[10, 20])),
        r"n: expected a number for each pair of populations, \(2, 2\) \(got \(1, 2\)\)",
    ),
    "a seed that is none": (lambda: FixedTotal(1, seed="a"), "FixedTotal, seed: expected a whole number"),
    "weights in an array": (lambda: joint_of(FixedTotal(3), weights=[1.0, 2.0, 3.0]), "one value or an expression"),
    "delays in an array": (
        lambda: joint_of(FixedTotal(3), delay=[1, 2, 3] * ms),
        r"one delay or an expression \(got 'shape \(3,\)'\)",
    ),
    "a negative delay": (lambda: joint_of(FixedTotal(3), delay=-1 * ms), "no negative delay"),
    "a delay in volts": (lambda: joint_of(FixedTotal(3), delay="1*mV*rand()"), "delay.*units do not agree"),
    "an unknown name": (lambda: joint_of(FixedTotal(3), delay="1*ms*ranf()"), "ranf"),
    "a function with a memory": (
        lambda: joint_of(FixedTotal(3), delay="1*ms*poisson(2)"),
        "functions of their arguments alone",
    ),
    "two delays": (
        lambda: joint_of(
            FixedTotal(3), on_pre={"a": "x_post += w", "b": "y_pre += w"}, delay={"a": 1 * ms, "b": 2 * ms}
        ),
        "a delay of one pathway",
    ),
    "a name of the kind": (
        lambda: joint_of(FixedTotal(3), model="n : 1"),
        "names that a projection does not use itself",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_is_refused_before_the_run(what: str) -> None:
    make, message = WRONG[what]
    with biosnn.session("numpy", dt=DT), pytest.raises(ModelError, match=message):
        make()


def test_one_weight_for_all_is_not_set_to_an_expression() -> None:
    with biosnn.session("numpy", dt=DT):
        source, target = cells("source"), cells("target")
        joint = biosnn.synapses(source, target, "static", onto="x", connect=FixedTotal(3))
        joint.w = 0.5
        with pytest.raises(ModelError, match=r"w: expected one value, .* values=\{'w': 'rand\(\)'\}"):
            joint.w = "rand()"
        each = biosnn.synapses(source, target, "static", onto="x", connect=FixedTotal(3), values={"w": "rand()"})
        each.w = "2*rand()"
        Network(source, target, joint, each)


def test_an_error_is_not_followed_by_warnings_of_what_was_half_made() -> None:
    with biosnn.session("numpy", dt=DT):
        source, target = cells("source"), cells("target")
        with catch_logs() as logs:
            for connect in (FixedTotal(-1), ([0], []), "rand() <"):
                with pytest.raises((ModelError, SyntaxError)):
                    biosnn.synapses(source, target, "static", onto="x", connect=connect, name="half_made")
            for _ in range(3):
                with pytest.raises(ModelError) as told:
                    Projection(source, target, FixedTotal(3), on_pre="nothing += 1", name="half_made")
                del told  # it would keep what was half made
                gc.collect()
        Network(source, target)
    assert not [log for log in logs if "half_made" in log[2]]


def test_delays_that_are_always_negative_end_the_run() -> None:
    for delay in ("-1*ms - rand()*ms", "1*ms*sqrt(-1 - rand())"):
        with biosnn.session("numpy", dt=DT) as sim:
            joint = joint_of(FixedTotal(3), delay=delay)
            with pytest.raises((ModelError, EngineError), match="times that are not negative"):
                sim.run(Network(joint.source, joint.target, joint), DT)


@pytest.mark.parametrize("target", ["numpy", "cpp"])
def test_more_synapses_than_fit_into_memory_are_refused_before_a_program_is_built(
    target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("biosnn.projection.random.drawn.available_memory", lambda: 10**6)
    with biosnn.session(target, dt=DT) as sim:
        source, other = cells("source"), cells("target")
        joints = [
            Projection(source, other, FixedTotal(60_000), model="w : 1", on_pre="x_post += w", name=f"j{k}")
            for k in range(2)
        ]
        said = (
            r"60,000 synapses of \d+ bytes: expected at most the 1,000,000 bytes .*\d synapses would fit.*stored=False"
        )
        with pytest.raises(EngineError, match=said):
            sim.run(Network(source, other, *joints), DT)


def test_what_is_not_drawn_yet_cannot_be_read() -> None:
    for _, _, joint in counted("numpy", FixedTotal(10)):
        with pytest.raises(ModelError, match=r"joint.*known before a run begins"):
            joint.pairs()


def test_a_point_cannot_set_what_is_not_drawn_yet() -> None:
    with biosnn.session("numpy", dt=DT) as sim:
        joint = joint_of(FixedTotal(3), weights=None, model="w : 1")
        network = Network(joint.source, joint.target, joint)
        with pytest.raises(EngineError, match=r"joint\.w: expected a variable that is there before synapses are drawn"):
            sim.sweep(network, lambda: sim.run(network, DT), [{"joint.w": 1.0}], lambda _: None)


@pytest.mark.parametrize("target", ["numpy", "cpp"])
def test_half_a_synapse_at_a_point_is_refused_before_a_program_is_built(target: str) -> None:
    for sim, network, _ in counted(target, FixedIndegree(3)):
        with pytest.raises(EngineError, match=r"joint\.k: expected whole numbers \(got 2\.5\)"):
            sim.sweep(
                network, lambda sim=sim, network=network: sim.run(network, DT), [{"joint.k": 2.5}], lambda _: None
            )


def test_between_different_groups_there_are_no_autapses_to_leave_out() -> None:
    with biosnn.session("numpy", dt=DT) as sim:
        source, target = cells("source"), cells("target")
        kinds = [FixedOutdegree(30, multapses=False, autapses=False), FixedProbability(1.0, autapses=False)]
        joints = [
            Projection(source, target, kind, 1.0, on_pre="x_post += w", name=f"j{k}") for k, kind in enumerate(kinds)
        ]
        sim.run(Network(source, target, *joints), DT)
        assert [len(joint) for joint in joints] == [900, 900]
        one, other = source[:1], target[:1]
        Projection(source, other, FixedOutdegree(2, autapses=False), 1.0, on_pre="x_post += w", name="j2")
        with pytest.raises(ModelError, match="0, as there is only the neuron itself"):
            Projection(one, one, FixedOutdegree(2, autapses=False), 1.0, on_pre="x_post += w", name="j3")


def test_the_state_of_drawn_synapses_is_refused() -> None:
    with biosnn.session("numpy", dt=DT) as sim:
        joint = joint_of(FixedTotal(3), weights=None, model="w : 1")
        network = Network(joint.source, joint.target, joint)
        sim.run(network, DT)
        with pytest.raises(EngineError, match="joint: the state of drawn synapses with w"):
            biosnn.engine.network_state(network)


@pytest.mark.cpp
@pytest.mark.parametrize("target", ["numpy", "cpp"])
def test_a_point_with_a_number_that_does_not_fit_ends_with_its_name(target: str) -> None:
    for sim, network, _ in counted(target, FixedProbability(0.2)):
        with pytest.raises((RunError, ModelError, EngineError), match="p"):
            sim.sweep(
                network,
                lambda sim=sim, network=network: sim.run(network, 2 * DT),
                [Point({"joint.p": 2.0, "joint.delay": 2 * ms}, seed=1)],
                lambda _: None,
            )


NOT_STORED = FixedProbability(0.5, stored=False)
UNSTORABLE: dict[str, tuple[Callable[[], Any], str]] = {
    "in-degrees": (lambda: FixedIndegree(3, stored=False), r"FixedIndegree, stored: expected True \(got False\)"),
    "neither": (lambda: FixedTotal(3, stored=None), "FixedTotal, stored: expected True or False"),
    "delays": (lambda: joint_of(NOT_STORED, delay="1*ms*rand()"), "one delay for all synapses that are not stored"),
    "plasticity": (
        lambda: joint_of(NOT_STORED, weights=None, model="w : 1", on_pre="w += 1"),
        r"w is constant and cannot be written. Store the synapses \(stored=True\)",
    ),
    "spikes of the target": (lambda: joint_of(NOT_STORED, on_post="x_pre += 1"), "on_pre only"),
    "regular statements": (
        lambda: joint_of(NOT_STORED).run_regularly("x_post += 1", dt=1 * ms),
        "expected statements about weights only",
    ),
    "equations": (
        lambda: joint_of(NOT_STORED, weights=None, model="dw/dt = -w/ms : 1 (clock-driven)"),
        "no equations of synapses that are not stored",
    ),
}


@pytest.mark.parametrize("what", UNSTORABLE)
def test_what_only_stored_synapses_can_do_is_refused(what: str) -> None:
    make, message = UNSTORABLE[what]
    with biosnn.session("numpy", dt=DT), pytest.raises(ModelError, match=message):
        make()
