"""Synapses that are drawn: against Synapses with the same ones, distributions, seeds, points, and what is refused."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, Synapses, ms, nS
from numpy.typing import NDArray
from random_cases import CELLS, DT, cells, counted
from scipy import stats

import biosnn
from biosnn.engine import Point
from biosnn.errors import ModelError
from biosnn.projection import FixedIndegree, FixedOutdegree, FixedProbability, FixedTotal, Projection, RandomKind

KINDS: dict[str, RandomKind] = {
    "probability": FixedProbability(0.15, seed=1),
    "probability of one": FixedProbability(1.0, autapses=False, seed=2),
    "probability of zero": FixedProbability(0.0, seed=3),
    "in-degree": FixedIndegree(4, seed=4),
    "in-degree, distinct": FixedIndegree(6, multapses=False, autapses=False, seed=5),
    "out-degree": FixedOutdegree(5, autapses=False, seed=6),
    "out-degree, distinct": FixedOutdegree(5, multapses=False, seed=7),
    "total": FixedTotal(150, seed=8),
    "total by populations": FixedTotal([[40, 10], [0, 100]], [12, 18], [20, 10], seed=9),
}
ALL = FixedProbability(1.0)
ON_PRE = "x_post += w*(1 + y_pre)\nw = clip(w - 0.05*y_post, 0, 2)"
DELAY = "3*ms + 1.5*ms*randn() + 0.1*ms*y_post"
BEGIN = "clip(0.5 + 0.2*randn() + 0.01*i + 0.02*rand()*j, 0, 2)"
ON_POST = "w = clip(w + 0.05*y_pre, 0, 2)"


def joined(source: Any, target: Any, kind: RandomKind, name: str) -> Projection:
    """A plastic projection whose weights and delays are drawn."""
    joint = Projection(source, target, kind, model="w : 1", on_pre=ON_PRE, on_post=ON_POST, delay=DELAY, name=name)
    joint.w = BEGIN
    return joint


Result = tuple[NDArray[Any], ...]


@pytest.fixture(scope="module")
def simulated() -> dict[str, dict[str, Result]]:
    """For each target and kind: pairs, delays, weights and what the targets got."""
    return {target: simulate(target) for target in ("numpy", "cpp")}


def simulate(target: str) -> dict[str, Result]:
    with biosnn.session(target, seed=1, dt=DT) as sim:
        groups = {name: cells(f"cells_{number}") for number, name in enumerate(KINDS)}
        joints = {
            name: joined(groups[name], groups[name], kind, f"joint_{number}")
            for number, (name, kind) in enumerate(KINDS.items())
        }
        sim.run(Network(*groups.values(), *joints.values()), 40 * DT)
        return {
            name: (*joint.pairs(), np.array(joint.delays() / DT), np.array(joint["w"]), np.array(groups[name].x[:]))
            for name, joint in joints.items()
        }


@pytest.mark.cpp
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_same_network_on_each_target(simulated: dict[str, dict[str, Result]], kind: str) -> None:
    found, expected = simulated["cpp"][kind], simulated["numpy"][kind]
    for one, other in zip(found[:3], expected[:3], strict=True):
        np.testing.assert_array_equal(one, np.round(other, 9))
    for one, other in zip(found[3:], expected[3:], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_it_equals_synapses_with_the_same_synapses(kind: str) -> None:
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        group = cells("cells")
        joint = joined(group, group, KINDS[kind], "joint")
        still = Projection(
            group,
            group,
            KINDS[kind],
            model="w : 1",
            delay="3*ms + 1.5*ms*randn() + 0.1*ms*y_post",
            on_pre="",
            name="still",
        )
        still.w = "clip(0.5 + 0.2*randn() + 0.01*i + 0.02*rand()*j, 0, 2)"
        sim.run(Network(group, joint, still), 40 * DT)
        pairs, delays, begin = still.pairs(), still.delays(), np.array(still["w"])
        found, received = np.array(joint["w"]), np.array(group.x[:])
    if not len(begin):
        assert not received.any()
        return
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        group = cells("cells")
        synapses = Synapses(group, group, "w : 1", on_pre=ON_PRE, on_post=ON_POST, namespace={}, name="synapses")
        synapses.connect(i=pairs[0], j=pairs[1])
        synapses.w, synapses.pre.delay = begin, delays
        sim.run(Network(group, synapses), 40 * DT)
        assert np.ptp(synapses.w[:] - begin) > 0.2
        np.testing.assert_allclose(found, synapses.w[:], rtol=1e-12)
        np.testing.assert_allclose(received, group.x[:], rtol=1e-12)


# ---- distributions --------------------------------------------------------------------------------------------


def drawn(kind: RandomKind, n_source: int, n_target: int, seed: int = 1) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pairs of a network between two groups."""
    with biosnn.session("numpy", seed=seed) as sim:
        source, target = (
            NeuronGroup(n, "x : 1", threshold="x > 1", reset="", namespace={}, name=name)
            for n, name in ((n_source, "source"), (n_target, "target"))
        )
        joint = Projection(source, target, kind, 1.0, on_pre="x_post += w", name="joint")
        sim.run(Network(source, target, joint), 0.1 * ms)
        i, j = joint.pairs()
        return i, j


def fits(counts: NDArray[np.int64], distribution: Any) -> float:
    """The p-value of counts under a distribution, by chi-square over values that are expected at least eight times."""
    values = np.arange(counts.max() + 2)
    expected = len(counts) * distribution.pmf(values)
    kept = expected >= 8
    found = np.bincount(counts, minlength=len(values))[: len(values)][kept]
    found, expected = (
        np.append(found, len(counts) - found.sum()),
        np.append(expected[kept], len(counts) - expected[kept].sum()),
    )
    return float(stats.chisquare(found[expected > 1e-9], expected[expected > 1e-9]).pvalue)


def test_each_pair_is_connected_with_the_same_probability_whatever_the_others() -> None:
    i, j = drawn(FixedProbability(0.07), 600, 500)
    assert fits(np.bincount(i, minlength=600), stats.binom(500, 0.07)) > 1e-4
    assert fits(np.bincount(j, minlength=500), stats.binom(600, 0.07)) > 1e-4
    assert len(set(zip(i.tolist(), j.tolist(), strict=True))) == len(i)
    gaps = np.diff(j)[np.diff(i) == 0] - 1  # from one target of a source to the next
    assert (
        fits(gaps, stats.geom(0.07, loc=-1)) > 1e-4 or stats.kstest(gaps, stats.geom(0.07, loc=-1).cdf).statistic < 0.02
    )


def test_degrees_are_fixed_on_one_side_and_binomial_on_the_other() -> None:
    i, j = drawn(FixedIndegree(40), 300, 700)
    assert np.all(np.bincount(j, minlength=700) == 40)
    assert fits(np.bincount(i, minlength=300), stats.binom(40 * 700, 1 / 300)) > 1e-4
    i, j = drawn(FixedOutdegree(40), 700, 300)
    assert np.all(np.bincount(i, minlength=700) == 40)
    assert fits(np.bincount(j, minlength=300), stats.binom(40 * 700, 1 / 300)) > 1e-4


def test_without_multapses_each_set_of_partners_is_equally_likely() -> None:
    i, j = drawn(FixedOutdegree(2, multapses=False), 6000, 4)
    sets = np.sort(j.reshape(-1, 2), axis=1)
    assert np.all(sets[:, 0] < sets[:, 1])
    counts = np.bincount(sets[:, 0] * 4 + sets[:, 1], minlength=16)
    assert stats.chisquare(counts[counts > 0]).pvalue > 1e-4
    assert np.count_nonzero(counts) == 6
    i, j = drawn(FixedIndegree(30, multapses=False), 30, 20)
    assert len(set(zip(i.tolist(), j.tolist(), strict=True))) == 600


def test_a_total_is_shared_out_by_chance() -> None:
    i, j = drawn(FixedTotal(50_000), 400, 30)
    assert len(i) == 50_000
    assert stats.chisquare(np.bincount(i * 30 + j, minlength=12_000)).pvalue > 1e-4
    assert fits(np.bincount(i, minlength=400), stats.binom(50_000, 1 / 400)) > 1e-4


def test_each_pair_of_populations_has_a_total_of_its_own() -> None:
    n = np.array([[4000, 0, 900], [70, 3000, 1]])
    i, j = drawn(FixedTotal(n, sources=[25, 75], targets=[10, 20, 30]), 100, 60)
    blocks = np.digitize(i, [25]) * 3 + np.digitize(j, [10, 30])
    np.testing.assert_array_equal(np.bincount(blocks, minlength=6), n.ravel())
    dense = (i < 25) & (j < 10)
    assert stats.chisquare(np.bincount(i[dense] * 10 + j[dense], minlength=250)).pvalue > 1e-4


@pytest.mark.cpp
@pytest.mark.parametrize("target", ["numpy", pytest.param("cpp", marks=pytest.mark.slow)])
def test_expressions_know_the_populations(target: str) -> None:
    with biosnn.session(target, seed=1, dt=DT) as sim:
        group = NeuronGroup(CELLS, "x : 1", threshold="t_in_timesteps == 0", reset="", namespace={}, name="group")
        kind = FixedTotal([[30, 40], [50, 60]], sources=[10, 10], targets=[15, 5])
        text = {"model": "w : 1", "on_pre": "x_post += w", "delay": "(1 + source_population)*DT"}
        joint = Projection(group[5:25], group[8:28], kind, **text, namespace={"DT": DT}, name="joint")
        joint.w = "1 + 10*source_population + 100*target_population"
        sim.run(Network(group, joint), 3 * DT)
        i, j = joint.pairs()
        np.testing.assert_array_equal(joint["w"], 1 + 10 * (i >= 10) + 100 * (j >= 15))
        np.testing.assert_allclose(joint.delays() / DT, 1 + (i >= 10))
        assert float(np.sum(group.x[:])) == pytest.approx(float(np.sum(joint["w"])))


def test_no_neuron_connects_to_itself_where_it_may_not() -> None:
    for kind in (
        FixedProbability(0.5, autapses=False),
        FixedIndegree(10, autapses=False),
        FixedOutdegree(10, multapses=False, autapses=False),
    ):
        with biosnn.session("numpy", seed=1) as sim:
            group = NeuronGroup(20, "x : 1", threshold="x > 1", reset="", namespace={}, name="group")
            part = group[5:17]  # neuron 0 of the part is neuron 5 of the group
            joint = Projection(part, group, kind, 1.0, on_pre="x_post += w", name="joint")
            sim.run(Network(group, joint), 0.1 * ms)
            i, j = joint.pairs()
            assert len(i) > 100
            assert not np.any(i + 5 == j)
            others = np.bincount(j - i - 5 + 16, minlength=36)
            assert np.count_nonzero(others) > 25  # every other distance comes up


def test_weights_and_delays_have_the_distributions_of_their_expressions() -> None:
    with biosnn.session("numpy", seed=1, dt=0.01 * ms) as sim:
        group = NeuronGroup(200, "x : siemens", threshold="x > 1*nS", reset="", namespace={}, name="group")
        text = {"model": "w : siemens\nJ : siemens (shared, constant)", "on_pre": "x_post += w"}
        joint = Projection(group, group, FixedProbability(0.5), delay="1*ms + 1*ms*randn()", **text, name="joint")
        joint.J = 2 * nS
        joint.w = "J*(1 + 0.1*randn()) + 1*nS*rand()"
        sim.run(Network(group, joint), 0.01 * ms)
        delays, weights = np.array(joint.delays() / ms), np.array(joint["w"] / nS)
    assert delays.min() >= 0
    # Normal, with mean and standard deviation of 1 ms, cut off at 0: those below are drawn again.
    assert stats.kstest(delays, stats.truncnorm(-1, np.inf, loc=1, scale=1).cdf).pvalue > 1e-3
    assert weights.mean() == pytest.approx(2.5, abs=0.02)
    assert weights.var() == pytest.approx(0.2**2 + 1 / 12, rel=0.05)
    assert abs(np.corrcoef(delays, weights)[0, 1]) < 0.03


# ---- seeds and points -----------------------------------------------------------------------------------------


@pytest.mark.cpp
@pytest.mark.parametrize("target", ["numpy", "cpp"])
def test_each_point_draws_a_network_of_its_own(target: str) -> None:
    for sim, network, joint in counted(target, FixedProbability(0.2)):
        points = [
            Point({"joint.p": 0.2, "joint.delay": 2 * ms}, seed=1),
            Point({"joint.p": 0.2, "joint.delay": 2 * ms}, seed=2),
            Point({"joint.p": 0.6, "joint.delay": 5 * ms}, seed=2),
            Point({"joint.p": 0.2, "joint.delay": 2 * ms}, seed=1),
        ]

        def pairs(_: int, joint: Any = joint) -> tuple[bytes, int, float]:
            i, j = joint.pairs()
            return np.stack([i, j]).tobytes(), len(i), float(joint.delays().max() / ms)

        found = sim.sweep(network, lambda sim=sim, network=network: sim.run(network, 2 * DT), points, pairs)
        assert found[0] == found[3]
        assert found[0][0] != found[1][0]
        assert [round(delay, 9) for _, _, delay in found] == [2, 2, 5, 2]
        assert found[2][1] > 2 * found[1][1] > 0


@pytest.mark.parametrize("texts", [{"p": 0.5}, {"connect": "rand() < 0.5"}, {}])
def test_a_sweep_over_seeds_tells_of_synapses_that_were_drawn_before(texts: dict[str, Any]) -> None:
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        source, target = cells("source"), cells("target")
        joint = biosnn.synapses(source, target, "static", onto="x", name="joint", **texts)
        network = Network(source, target, joint)
        points = [Point({"joint.gain": 1.0}, seed=seed) for seed in (1, 2)]
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            sim.sweep(network, lambda: sim.run(network, DT), points, lambda _: None)
            sim.sweep(network, lambda: sim.run(network, DT), points[:1], lambda _: None)
        said = [str(warning.message) for warning in caught if "same at all seeds" in str(warning.message)]
        assert len(said) == bool(texts)
        assert all("synapses of joint are" in text and "biosnn.FixedProbability" in text for text in said)


def test_a_seed_of_its_own_keeps_the_network() -> None:
    kind = FixedIndegree(3, seed=9)
    (first, again), (other, _) = (
        [drawn(kind, 50, 40, seed=seed) for seed in (1, 2)],
        [drawn(FixedIndegree(3), 50, 40, seed=seed) for seed in (1, 2)],
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first[0], other[0])
    assert not np.array_equal(other[0], drawn(FixedIndegree(3), 50, 40, seed=2)[0])


def test_numbers_are_set_before_the_first_run_and_not_after() -> None:
    for sim, network, joint in counted("numpy", FixedTotal(10)):
        joint.n = 25
        sim.run(network, DT)
        assert len(joint.pairs()[0]) == 25
        with pytest.raises(ModelError, match=r"joint.*, n: expected its value before the first run"):
            joint.n = 30


def test_values_may_be_set_between_runs() -> None:
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        group = cells("cells")
        joint = Projection(group, group, FixedTotal(40), model="w : 1", on_pre="x_post += w", name="joint")
        joint["w"] = 0.5
        network = Network(group, joint)
        sim.run(network, DT)
        np.testing.assert_array_equal(joint["w"], np.full(40, 0.5))
        joint.w = "2*w"
        np.testing.assert_array_equal(joint["w"], np.full(40, 1.0))
        joint["w"] = 3
        np.testing.assert_array_equal(joint.w[:], np.full(40, 3.0))


def test_spikes_in_transit_are_reset() -> None:
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        source = NeuronGroup(1, "x : 1", threshold="t_in_timesteps == 1", reset="", namespace={}, name="source")
        targets = [NeuronGroup(1, "x : 1", namespace={}, name=name) for name in ("kept", "cleared")]
        joints = [
            Projection(
                source, target, FixedProbability(1.0), 1.0, on_pre="x_post += w", delay=4 * DT, name=f"to_{target.name}"
            )
            for target in targets
        ]
        joints[1].reset_regularly(3 * DT)
        sim.run(Network(source, *targets, *joints), 8 * DT)
        assert [float(target.x[0]) for target in targets] == [1.0, 0.0]


# ---- rules of the catalogue -----------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["static", "stdp_pair", "stdp_triplet", "istdp", "stp", "rstdp"])
def test_a_rule_of_the_catalogue_equals_itself_on_synapses(rule: str) -> None:
    def join(source: Any, target: Any, connect: Any, delay: Any, **kwds: Any) -> Any:
        return biosnn.synapses(source, target, rule, onto="g", connect=connect, delay=delay, name="joint", **kwds)

    def simulate(connect: Any, delay: Any, **kwds: Any) -> tuple[Any, Any, Any]:
        with biosnn.session("numpy", seed=1, dt=DT) as sim:
            fires = "(3*i + 5*t_in_timesteps) % 11 == 0"
            source, target = (
                NeuronGroup(CELLS, "g : 1", threshold=fires, reset="", namespace={}, name=name) for name in ("a", "b")
            )
            joint = join(source, target, connect, delay, **kwds)
            sim.run(Network(source, target, joint), 60 * DT)
            w = np.array(joint["w"] if isinstance(joint, Projection) else joint.w[:])
            return joint, w, np.array(target.g[:])

    joint, w, received = simulate(FixedProbability(0.2, seed=3), "3*ms + 1.5*ms*randn()")
    (i, j), delays = joint.pairs(), joint.delays()
    _, expected_w, expected = simulate((i, j), delays, traces="synapse")
    np.testing.assert_allclose(received, expected, rtol=1e-9)
    np.testing.assert_allclose(np.broadcast_to(w, expected_w.shape), expected_w, rtol=1e-9)


# ---- synapses that are not stored -----------------------------------------------------------------------------

UNSTORED: dict[str, RandomKind] = {
    "probability": FixedProbability(0.3, autapses=False, seed=1, stored=False),
    "out-degree": FixedOutdegree(7, autapses=False, seed=2, stored=False),
    "out-degree, distinct": FixedOutdegree(20, multapses=False, seed=3, stored=False),
    "total by populations": FixedTotal([[40, 10], [0, 100]], [12, 18], [20, 10], seed=4, stored=False),
}


@pytest.mark.cpp
def test_synapses_that_are_drawn_at_each_spike_are_those_that_are_stored() -> None:
    found: dict[str, NDArray[Any]] = {}
    for target in ("numpy", "cpp"):
        with biosnn.session(target, seed=1, dt=DT) as sim:
            groups, joints = {}, []
            for number, (name, kind) in enumerate(UNSTORED.items()):
                for stored in (False, True):
                    group = cells(f"cells_{number}_{stored}")
                    text = {
                        "model": "w : 1\nu : 1\ntwice = 2*u : 1",
                        "on_pre": "x_post += w*(1 + y_pre)\nz_post += twice",
                    }
                    text["name"] = f"joint_{number}_{stored}"
                    joint = Projection(group, group, replace(kind, stored=stored), delay=2 * ms, **text)
                    joint.w, joint.u = BEGIN, 0.25
                    groups[name, stored] = group
                    joints.append(joint)
            sim.run(Network(*groups.values(), *joints), 40 * DT)
            arrays = {case: np.array([group.x[:], group.z[:]]) for case, group in groups.items()}
            pairs = {case: joint.pairs() for case, joint in zip(groups, joints, strict=True)}
        for name in UNSTORED:
            assert np.ptp(arrays[name, True]) > 0
            np.testing.assert_array_equal(arrays[name, False], arrays[name, True])
            np.testing.assert_array_equal(pairs[name, False], pairs[name, True])
            expected = found.setdefault(name, arrays[name, True])
            np.testing.assert_allclose(arrays[name, True], expected, rtol=1e-12)
