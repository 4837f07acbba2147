"""Neurons at rest take no step: they wake for whatever reaches them, and nothing comes out otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from brian2 import (
    DEFAULT_FUNCTIONS,
    Hz,
    Network,
    NeuronGroup,
    PoissonGroup,
    Quantity,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    linked_var,
    ms,
    mV,
)
from brian2.core.variables import ArrayVariable, Constant
from numpy.testing import assert_allclose, assert_array_equal

import biosnn
from biosnn.engine import rest
from biosnn.quantity import parse_quantity

LARGE = 1500
"""Neurons: more than a block, and no multiple of one."""

WHOLE = 1536
"""A multiple of all vectors: else the last neurons get another exponential than the vectors, with other last bits."""


def spiking(model: str, precision: str) -> dict[str, Any]:
    """What a large group does that gets few spikes."""
    with biosnn.session("cpp", precision=precision, seed=3) as sim:
        group = biosnn.neurons(WHOLE, model, name="cells")
        source = PoissonGroup(50, 3 * Hz, namespace={}, name="source")
        onto = biosnn.synapses(
            source, group, onto="g_exc", gain=Quantity(30.0), connect="j % 50 == i and j % 3 == 0", name="onto"
        )
        spikes, seen = SpikeMonitor(group), StateMonitor(group, "v", record=range(0, WHOLE, 97))
        sim.run(Network(group, source, onto, spikes, seen), 400 * ms)
        names = ("v", "g_exc", "g_inh", "lastspike", "not_refractory")
        return {**{name: np.array(getattr(group, name)) for name in names}, "t": spikes.t[:], "seen": seen.v[:]}


@pytest.mark.cpp
@pytest.mark.parametrize("model", ["lif_inhibitory", "lif_adaptive"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_leaving_out_steps_changes_nothing_to_the_last_bit(
    model: str, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = spiking(model, precision)
    monkeypatch.setattr(rest, "FEWEST", 10**9)
    every_step = spiking(model, precision)
    assert 100 < len(found["t"]) < 10_000
    for name, values in found.items():
        assert_array_equal(values, every_step[name], err_msg=name)


EQUATIONS = {
    "of time": "dv/dt = (2*int(t > 30*ms) - v)/(3*ms) : 1",
    "of a number that changes": "dv/dt = (drive - v)/(3*ms) : 1\ndrive : 1 (shared)",
    "of values that change": "dv/dt = (drive - v)/(3*ms) : 1\ndrive : 1",
    "of another group": "dv/dt = (drive - v)/(3*ms) : 1\ndrive : 1 (linked)",
    "refractory": "dv/dt = (drive - v)/(3*ms) : 1 (unless refractory)\ndrive : 1",
    "of being refractory": "dv/dt = (drive*int(not_refractory == True) - v)/(3*ms) : 1\ndrive : 1",
}


def waking(target: str) -> dict[str, np.ndarray]:
    """Groups that have come to rest and are then reached, each in another way."""
    with biosnn.session(target, seed=1) as sim:
        groups = {}
        source = NeuronGroup(LARGE, "drive : 1", namespace={}, name="source")
        for number, (what, equations) in enumerate(EQUATIONS.items()):
            refractory = {"refractory": 4 * ms} if "refractory" in what else {}
            group = NeuronGroup(
                LARGE,
                equations,
                threshold="v > 1.5",
                reset="v = 0",
                method="euler",
                namespace={},
                name=f"cells_{number}",
                **refractory,
            )
            groups[what] = group
        groups["of another group"].drive = linked_var(source, "drive")
        for what in ("of a number that changes", "of values that change", "refractory", "of being refractory"):
            amount = "2" if what == "of a number that changes" else "2*int(i % 300 == 7)"
            groups[what].run_regularly(f"drive = {amount}*int(t > 30*ms)", dt=10 * ms)
        source.run_regularly("drive = 2*int(i % 400 == 3)*int(t > 30*ms)", dt=10 * ms)
        monitors = {what: SpikeMonitor(group, record=False) for what, group in groups.items()}
        network = Network(source, *groups.values(), *monitors.values())
        sim.run(network, 60 * ms)
        for group in groups.values():
            group.v[-1] = 1.2
        sim.run(network, 10 * ms)
        found = {what: np.array(group.v) for what, group in groups.items()}
        return {**found, **{f"spikes {what}": np.array(monitor.count) for what, monitor in monitors.items()}}


@pytest.mark.cpp
def test_whatever_reaches_neurons_at_rest_wakes_them() -> None:
    found, expected = waking("cpp"), waking("numpy")
    for what in EQUATIONS:
        assert expected[f"spikes {what}"].sum() > 0
        assert_array_equal(found[f"spikes {what}"], expected[f"spikes {what}"], err_msg=what)
        assert_allclose(found[what], expected[what], rtol=1e-9, err_msg=what)
        assert found[what][-1] != 0, what


@pytest.mark.cpp
def test_a_new_parameter_value_wakes_neurons_at_rest() -> None:
    with biosnn.session("cpp") as sim:
        group = biosnn.neurons(LARGE, "lif_inhibitory", name="cells")
        network = Network(group)
        sim.run(network, 20 * ms)
        group.v_rest = -62 * mV
        sim.run(network, 1000 * ms)
        assert_allclose(np.array(group.v), -0.062, rtol=1e-9)


def watched(code: str, **variables: Any) -> list[str]:
    """The arrays that decide whether a step can be left out."""
    indices = {name: getattr(var, "index", "_idx") for name, var in variables.items()}
    found = rest.watched(code, variables, indices, 2000)
    return [var.name for var in found.get("arrays", [])]


def array(name: str, size: int = 2000, **how: Any) -> ArrayVariable:
    return ArrayVariable(name, owner=None, size=size, device=None, **how)


def test_a_step_is_left_out_only_if_it_follows_from_the_values_of_its_neurons() -> None:
    v, tau, dt = array("v"), array("tau", 1, scalar=True, constant=True), Constant("dt", 0.1)
    t, drive = array("t", 1, scalar=True), array("drive", 1, scalar=True)
    refractory = "not_refractory = timestep(t - lastspike, dt) >= timestep(tau, dt)\n"
    own = {"lastspike": array("lastspike"), "not_refractory": array("not_refractory", dtype=bool), "t": t}
    assert watched("v = v - dt*v/tau", v=v, tau=tau, dt=dt) == ["v"]
    assert watched(f"{refractory}v = v - dt*v/tau", v=v, tau=tau, dt=dt, **own) == ["not_refractory", "v"]
    assert watched("v = v + t", v=v, t=t) == []
    assert watched("v = v + drive", v=v, drive=drive) == []
    assert watched("v = v + randn()", v=v, randn=DEFAULT_FUNCTIONS["randn"]) == []
    assert watched("v = v + exp(-v)", v=v, exp=DEFAULT_FUNCTIONS["exp"]) == ["v"]
    assert watched("v = v + other", v=v, other=array("other", 3)) == []


@pytest.mark.cpp
def test_the_exponential_of_single_precision() -> None:
    extremes = [np.inf, -np.inf, 0, -0.0, 1e-30, 88.7, -86.5, -110, 89]
    x = np.concatenate([np.linspace(-100, 100, 20_000), np.linspace(-1, 1, 5001), extremes]).astype(np.float32)
    with biosnn.session("cpp", precision="float32") as sim:
        group = NeuronGroup(len(x), "x : 1\ny : 1", namespace={}, name="cells")
        group.x = x
        group.run_regularly("y = exp(x)")
        sim.run(Network(group), 0.1 * ms)
        y = np.array(group.y, dtype=float)
    true = np.exp(x.astype(float))
    normal = (true > 3e-38) & (true < np.finfo(np.float32).max)
    # Rounding x to a number of single precision alone changes the result by 6e-8 for each unit of x.
    assert np.all(np.abs(y[normal] / true[normal] - 1) < 1.2e-7 * (1 + np.abs(x[normal])))
    assert np.all(y[true < 1e-38] < 3e-38)
    assert np.all(np.isinf(y[true > 3.5e38]))


def test_in_single_precision_a_slow_threshold_decays_all_the_same() -> None:
    with biosnn.session("numpy", precision="float32", dt=0.5 * ms) as sim:
        group = biosnn.neurons(1, "lif_adaptive")
        assert group.variables["theta"].dtype == np.float64
        assert group.variables["v"].dtype == np.float32
        sim.run(Network(group), 2000 * ms)
        tau = float(parse_quantity(group.model.parameters["tau_theta"].value))
        assert_allclose(float(group.theta[0]) / 0.02 - 1, np.expm1(-2 / tau), rtol=1e-3)


def test_single_precision_follows_double_precision() -> None:
    found = {}
    for precision in ("float32", "float64"):
        with biosnn.session("numpy", precision=precision, dt=0.5 * ms) as sim:
            group = biosnn.neurons(1, "lif_adaptive", values={"g_exc": 20.0})
            seen = StateMonitor(group, "v", record=0)
            synapses = Synapses(group, group, on_pre="g_inh_post += 1", namespace={})
            synapses.connect()
            sim.run(Network(group, seen, synapses), 100 * ms)
            found[precision] = np.array(seen.v[0])
    assert np.ptp(found["float64"]) > 1e-3
    assert_allclose(found["float32"], found["float64"], rtol=2e-6)
