"""Exact steps where two time constants are equal, nearly equal, or far apart, against the closed form."""

from __future__ import annotations

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, ms, mV, nA, pA, second, volt
from numpy.testing import assert_allclose
from scipy.special import exprel

import biosnn

APART = [0.0, 1e-15, 1e-12, 1e-9, 1e-7, 1e-5, 1e-3, -1e-3, -1e-9, 0.5, 5.0, -0.75]
TAU = 0.02


def potential(tau: float, t: float) -> float:
    """Above rest, of the default cell: a current of 0.1 nA that decays with ``tau``, and one of 50 pA, from rest."""
    shared = t * np.exp(-t / TAU) * exprel((1 / TAU - 1 / tau) * t)
    return float(1e8 / TAU * 1e-10 * shared + 1e8 * 50e-12 * -np.expm1(-t / TAU))


@pytest.mark.parametrize("precision", ["float64", "float32"])
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


@pytest.mark.parametrize("fast", [1e-3, 1e-6])
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
        ways = {"neuron": True, "synapse": biosnn.Dense()}
        made = [biosnn.synapses(pre, post, chain(tau), onto="", traces=home, connect=ways[home]) for home in ways]
        sim.run(Network(pre, post, *made), 20 * ms)
        expected = 15e-3 / tau * np.exp(-15e-3 / TAU) * exprel((1 / TAU - 1 / tau) * 15e-3)
        for syn in made:
            assert_allclose(np.ravel(syn.w[:]), [expected], rtol=1e-12)
