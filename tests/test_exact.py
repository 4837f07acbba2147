"""Exact steps where two time constants are equal, nearly equal, or far apart, against the closed form."""

from __future__ import annotations

from math import factorial
from typing import Any

import numpy as np
import pytest
from brian2 import Equations, Network, NeuronGroup, SpikeGeneratorGroup, ms, mV, nA, pA, second, volt
from brian2.stateupdaters.base import UnsupportedEquationsException
from numpy.testing import assert_allclose
from scipy.linalg import expm
from scipy.special import exprel

import biosnn
from biosnn.codegen.differences import exp_difference
from biosnn.codegen.exact import exact

APART = [0.0, 1e-15, 1e-12, 1e-9, 1e-7, 1e-5, 1e-3, -1e-3, -1e-9, 0.5, 5.0, -0.75]
TAU = 0.02
PRECISIONS = ["float64", pytest.param("float32", marks=pytest.mark.slow)]
TARGETS = ["numpy", pytest.param("cython", marks=pytest.mark.slow), pytest.param("cpp", marks=pytest.mark.cpp)]


def potential(tau: float, t: float) -> float:
    """Above rest, of the default cell: a current of 0.1 nA that decays with ``tau``, and one of 50 pA, from rest."""
    shared = t * np.exp(-t / TAU) * exprel((1 / TAU - 1 / tau) * t)
    return float(1e8 / TAU * 1e-10 * shared + 1e8 * 50e-12 * -np.expm1(-t / TAU))


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("target", ["numpy", pytest.param("cpp", marks=pytest.mark.cpp)])
def test_a_current_that_decays_as_fast_as_the_membrane_has_its_closed_form(target: str, precision: str) -> None:
    values = {"v_rest": 0 * mV, "v_th": 1 * volt, "v": 0 * mV, "I_exc": 0.1 * nA, "I": 50 * pA}
    taus = [TAU * (1 + apart) for apart in APART]
    with biosnn.session(target, dt=0.1 * ms, precision=precision) as sim:
        cells = [biosnn.neurons(1, "lif_exp", values={**values, "tau_exc": tau * second}) for tau in taus]
        # On C++, one program: only the values differ.
        sim.run(Network(cells), 2 * ms)
        for tau, cell in zip(taus, cells, strict=True):
            tolerance = 1e-12 if precision == "float64" else 3e-6
            assert_allclose(cell.v[0] / volt, potential(tau, 2e-3), rtol=tolerance, err_msg=str(tau))


@pytest.mark.parametrize("fast", [pytest.param(1e-3, marks=pytest.mark.slow), 1e-6])
def test_far_apart_time_constants_give_what_brian_gives(fast: float) -> None:
    values = {"tau_exc": fast * second, "I_exc": 0.1 * nA, "I_inh": 0.2 * nA, "v_rest": -70 * mV, "v": -65 * mV}
    with biosnn.session("numpy", dt=0.1 * ms) as sim:
        ours = biosnn.neurons(2, "lif_exp", values=values)
        model = ours.model
        plain = NeuronGroup(
            2, "\n".join([model.equations, "I : amp"]), threshold=model.threshold, reset=model.reset,
            refractory=model.parameters["t_ref"].quantity, method="exact",
            namespace={name: one.quantity for name, one in model.parameters.items()},
        )  # fmt: skip
        for name in ("v", "I", "I_exc", "I_inh"):
            setattr(plain, name, getattr(ours, name))
        sim.run(Network(ours, plain), 5 * ms)
        assert_allclose(ours.v / mV, plain.v / mV, rtol=1e-13)


def chain(tau: float) -> biosnn.SynapseModel:
    """A rule with a trace that follows another one, as fast as that one decays."""
    return biosnn.SynapseModel(
        name="chain", summary="s", source="s", equations="w : 1", on_pre="w = w", on_post="w = z",
        traces={
            "x": biosnn.Trace("pre", "dx/dt = -x/(20*ms) : 1", "x += 1", "fast"),
            "z": biosnn.Trace("pre", f"dz/dt = (x - z)/({tau!r}*second) : 1", "", "slow"),
        },
    )  # fmt: skip


@pytest.mark.parametrize("apart", [0.0, 1e-12, 0.5])
def test_a_trace_may_follow_another_as_fast_as_that_decays(apart: float) -> None:
    tau = TAU * (1 + apart)
    with biosnn.session("numpy", dt=0.1 * ms) as sim:
        pre, post = (SpikeGeneratorGroup(1, [0], [t] * ms, name=name) for name, t in (("a", 1), ("b", 16)))
        ways: list[tuple[str, Any]] = [("neuron", True), ("synapse", biosnn.Dense()), ("synapse", True)]
        made = [biosnn.synapses(pre, post, chain(tau), onto="", traces=home, connect=way) for home, way in ways]
        sim.run(Network(pre, post, *made), 20 * ms)
        expected = 15e-3 / tau * np.exp(-15e-3 / TAU) * exprel((1 / TAU - 1 / tau) * 15e-3)
        for syn in made:
            assert_allclose(np.ravel(syn.w[:]), [expected], rtol=1e-12)


def test_the_differences_of_exponentials_have_their_limit_where_points_meet() -> None:
    for n in range(1, 7):
        assert_allclose(exp_difference(*[np.array([-3.0, 0.0, 2.0])] * n), np.exp([-3.0, 0.0, 2.0]) / factorial(n - 1))
    # An entry of the exponential of a matrix with points on its diagonal and ones beside it.
    for points in (
        [0, -1e-9, 1e-9, 0],
        [0, -1, -2, -3],
        [0.1, -40, -39.99, 0],
        [-1e-3, -5, -5.5, -0.9],
        [2, -700, 2, 0],
    ):
        expected = expm(np.diag(np.array(points, float)) + np.diag(np.ones(3), 1))[0, -1]
        assert_allclose(exp_difference(*points), expected, rtol=1e-13)


TAUS = [(20, 20, 20), (20, 20 * (1 + 1e-9), 20 * (1 - 1e-7)), (20, 20.002, 20), (20, 5, 20), (7, 20, 1), (3, 300, 20)]
"""Time constants of a chain (ms)."""
CHAIN = ["dx/dt = (u - x)/ta : 1", "dy/dt = (x - y)/tb : 1", "dz/dt = (y - z)/tc : 1"]
OWN = [*(f"{name} : second (constant)" for name in ("ta", "tb", "tc")), "u : 1 (constant)"]
BEGIN = {"x": "1", "y": "0.3", "u": "0.5"}


def of_a_chain(taus: tuple[float, float, float], t: float) -> Any:
    """What x, y and z are after a time (ms), which begin at 1, 0.3 and 0 and are driven by 0.5."""
    a, b, c = taus
    rates = np.array([[-1 / a, 0, 0, 1 / a], [1 / b, -1 / b, 0, 0], [0, 1 / c, -1 / c, 0], [0, 0, 0, 0]])
    return (expm(rates * t) @ [1, 0.3, 0, 0.5])[:3]


def cells(flags: str = "", **more: Any) -> Any:
    """A neuron for each set of time constants."""
    model = biosnn.NeuronModel(
        name="cell", summary="s", source="s", equations="\n".join([*(f"{line}{flags}" for line in CHAIN), *OWN]),
        method="exact", initial=BEGIN, **more,
    )  # fmt: skip
    group = biosnn.neurons(len(TAUS), model)
    group.ta, group.tb, group.tc = np.array(TAUS).T * ms
    return group


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("target", TARGETS)
def test_a_chain_of_three_has_its_closed_form(target: str, precision: str) -> None:
    assert_allclose(1 - of_a_chain((20, 20, 20), 30)[2] / 0.5, np.exp(-1.5) * (1 + 1.5 * 0.4 - 1.5**2 / 2), rtol=1e-13)
    with biosnn.session(target, dt=0.1 * ms, precision=precision) as sim:
        group = cells()
        sim.run(Network(group), 30 * ms)
        expected = np.array([of_a_chain(taus, 30) for taus in TAUS]).T
        # 300 steps are rounded to seven digits each.
        tolerance = 1e-12 if precision == "float64" else 2e-5
        assert_allclose([group.x[:], group.y[:], group.z[:]], expected, rtol=tolerance)


def test_a_chain_rests_where_it_is_refractory() -> None:
    with biosnn.session("numpy", dt=0.1 * ms) as sim:
        spiking = {"threshold": "x > 0.99 and t < 0.05*ms", "refractory": "1*ms"}
        group = cells(" (unless refractory)", **spiking)
        sim.run(Network(group), 0.6 * ms)
        expected = [of_a_chain(taus, 0.1 if of_a_chain(taus, 0.1)[0] > 0.99 else 0.6) for taus in TAUS]
        assert_allclose(np.transpose([group.x[:], group.y[:], group.z[:]]), expected, rtol=1e-12)
        assert 0 < sum(group.lastspike[:] > -1 * ms) < len(TAUS)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("driven", ["event-driven", "clock-driven"])
def test_a_chain_of_three_in_synapses_has_its_closed_form(driven: str, target: str, precision: str) -> None:
    seen = ["seen_x", "seen_y", "seen_z"]
    rule = biosnn.SynapseModel(
        name="rule", summary="s", source="s", method="exact", initial=BEGIN, transmits="seen_x",
        equations="\n".join([*(f"{line} ({driven})" for line in CHAIN), *OWN, *(f"{name} : 1" for name in seen)]),
        on_pre="seen_x = x; seen_y = y; seen_z = z",
    )  # fmt: skip
    with biosnn.session(target, dt=0.1 * ms, precision=precision) as sim:
        source = SpikeGeneratorGroup(1, [0], [30] * ms, name="source")
        end = biosnn.neurons(len(TAUS), "lif")
        made = [biosnn.synapses(source, end, rule, onto="", connect=way) for way in (True, biosnn.Dense())]
        for syn in made:
            syn.ta, syn.tb, syn.tc = np.array(TAUS).T * ms
        sim.run(Network(source, end, *made), 31 * ms)
        # A spike sees what clocks have made of the equations in its own time step; events know when that begins.
        t = 30.1 if driven == "clock-driven" else 30
        expected = np.array([of_a_chain(taus, t) for taus in TAUS]).T
        tolerance = 1e-12 if precision == "float64" else 2e-5
        for syn in made:
            found = [np.ravel(getattr(syn, name)[:]) for name in seen]
            assert_allclose(found, expected, rtol=tolerance, err_msg=type(syn).__name__)


def test_traces_that_leave_the_neuron_go_on_as_chains() -> None:
    traces = {
        name: biosnn.Trace("pre", line, jump, name)
        for name, line, jump in (
            ("x", "dx/dt = -x/(20*ms) : 1", "x += 1"),
            ("y", "dy/dt = (x - y)/tau : 1", ""),
            ("z", "dz/dt = (y - z)/tau : 1", ""),
        )
    }
    with biosnn.session("numpy", dt=0.1 * ms) as sim:
        pre, post = (SpikeGeneratorGroup(1, [0], [t] * ms, name=name) for name, t in (("a", 1), ("b", 31)))
        follows = biosnn.SynapseModel(
            name="follows", summary="s", source="s", equations="w : 1", on_pre="w = w", on_post="w = z", traces=traces,
            parameters={"tau": biosnn.Parameter("20 ms", "of what follows")},
        )  # fmt: skip
        syn = biosnn.synapses(pre, post, follows, onto="")
        net = Network(pre, post, syn)
        sim.run(net, 10 * ms)
        syn.pre.delay = 1 * ms
        sim.run(net, 25 * ms)
        assert_allclose(syn.w[:], np.exp(-1.5) * 1.5**2 / 2, rtol=1e-11)


def test_variables_that_too_many_ways_lead_to_are_refused_by_name() -> None:
    names = [f"a{k}" for k in range(12)]
    lines = [f"d{name}/dt = ({'+'.join(names[:k]) or '0*a0'} - {name})/ms : 1" for k, name in enumerate(names)]
    with pytest.raises(UnsupportedEquationsException, match=r"reach 'a10' on more than 1000 ways\. Use 'exponential"):
        exact(Equations("\n".join(lines)))


@pytest.mark.parametrize("name", ["E", "S", "beta", "gamma", "I", "Q"])
def test_names_that_computer_algebra_has_for_itself_are_variables_like_others(name: str) -> None:
    """Brian2 solves a variable E as if it were the number 2.718."""
    with biosnn.session("numpy", seed=1, dt=0.1 * ms) as sim:
        alone = NeuronGroup(1, f"d{name}/dt = -{name}/(10*ms) : 1", method=exact, name="alone", namespace={"ms": ms})
        chain = f"d{name}/dt = -{name}/(10*ms) : 1\ndv/dt = (2*{name} - v)/(10*ms) : 1"
        driven = NeuronGroup(1, chain, method=exact, name="driven", namespace={"ms": ms})
        for group in (alone, driven):
            setattr(group, name, 1.0)
        sim.run(Network(alone, driven), 10 * ms)
        for group in (alone, driven):
            assert getattr(group, name)[0] == pytest.approx(np.exp(-1), rel=1e-12)
        assert driven.v[0] == pytest.approx(2 * np.exp(-1), rel=1e-10)
