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
    linked_var,
    ms,
    mV,
    second,
)
from brian2.core.variables import ArrayVariable, Constant
from numpy.testing import assert_allclose, assert_array_equal

import biosnn
from biosnn.catalogue import neuron_names
from biosnn.engine.program import quiescence
from biosnn.quantity import parse_quantity

LARGE = 1500
"""Neurons: more than a block, and no multiple of one."""

COUNTS = biosnn.NeuronModel(
    name="counts",
    summary="Grows where the time step is not that of the session, to the last bit.",
    source="this test",
    equations="dv/dt = int(timestep(t, dt) != timestep(t, 0.5*ms))/second : 1",
    method="euler",
)

WHOLE = 1536
"""A multiple of all vectors: else the last neurons get another exponential than the vectors, with other last bits."""


def spiking(precision: str) -> dict[str, dict[str, Any]]:
    """What a large group of each model does that gets few spikes."""
    made: dict[str, tuple[Any, ...]] = {}
    with biosnn.session("cpp", precision=precision, seed=3) as sim:
        source = PoissonGroup(50, 3 * Hz, namespace={}, name="source")
        for model in ("lif_inhibitory", "lif_adaptive"):
            group = biosnn.neurons(WHOLE, model, name=f"cells_{model}")
            onto = biosnn.synapses(
                source,
                group,
                onto="g_exc",
                gain=Quantity(30.0),
                connect="j % 50 == i and j % 3 == 0",
                name=f"on_{model}",
            )
            made[model] = group, onto, SpikeMonitor(group), StateMonitor(group, "v", record=range(0, WHOLE, 97))
        sim.run(Network(source, *made.values()), 400 * ms)
        names = ("v", "g_exc", "g_inh", "lastspike", "not_refractory")
        return {
            model: {name: np.array(getattr(group, name)) for name in names} | {"t": spikes.t[:], "seen": seen.v[:]}
            for model, (group, _, spikes, seen) in made.items()
        }


@pytest.mark.cpp
@pytest.mark.parametrize("precision", [pytest.param("float32", marks=pytest.mark.slow), "float64"])
def test_leaving_out_steps_changes_nothing_to_the_last_bit(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    left_out = spiking(precision)
    assert all(100 < len(values["t"]) < 10_000 for values in left_out.values())
    # Code that asks no neuron whether it is refractory may get the exponential of vectors, and the other code that of
    # single numbers, as on processors without masked vector instructions. Their last bits differ.
    monkeypatch.setattr(quiescence, "_openly", quiescence._never)
    asked = spiking(precision)
    monkeypatch.setattr(quiescence, "FEWEST", 10**9)
    every_step = spiking(precision)
    for model, name in ((model, name) for model, values in every_step.items() for name in values):
        values, told = every_step[model][name], f"{model}, {name}"
        assert_array_equal(asked[model][name], values, err_msg=told)
        if precision == "float64":
            assert_allclose(left_out[model][name], values, rtol=1e-13, err_msg=told)
        else:
            assert_array_equal(left_out[model][name], values, err_msg=told)


DECAYS = "dv/dt = (drive - v)/(3*ms) : 1"
EQUATIONS = {
    "of time": "dv/dt = (2*int(t > 30*ms) - v)/(3*ms) : 1",
    "of a number that changes": f"{DECAYS}\ndrive : 1 (shared)",
    "of values that change": f"{DECAYS}\ndrive : 1",
    "of another group": "dv/dt = (driven - v)/(3*ms) : 1\ndriven : 1 (linked)\nother : 1",
    "of a value of the same name": "dv/dt = (driven - v)/(3*ms) : 1\ndriven : 1 (linked)",
    "refractory": "dv/dt = (drive - v)/(3*ms) : 1 (unless refractory)\ndrive : 1",
    "refractory, which nothing reads": f"{DECAYS}\ndrive : 1",
    "refractory by a condition": f"{DECAYS}\ndrive : 1",
    "refractory for times that change": "dv/dt = (drive - v)/(3*ms) : 1 (unless refractory)\ndrive : 1\nref : second",
    "of being refractory": "dv/dt = (drive*int(not_refractory == True) - v)/(3*ms) : 1\ndrive : 1",
    "of a name like it": f"{DECAYS}\ndrive : 1\ndx_not_refractory/dt = (v - x_not_refractory)/(9*ms) : 1",
}
REFRACTORY = {
    "refractory": 4 * ms,
    "refractory, which nothing reads": 4 * ms,
    "refractory by a condition": "v > 1.4",
    "refractory for times that change": "ref",
    "of being refractory": 4 * ms,
    "of a name like it": 4 * ms,
}


def waking(target: str) -> dict[str, np.ndarray]:
    """Groups that have come to rest and are then reached, each in another way."""
    with biosnn.session(target, seed=1) as sim:
        source = NeuronGroup(LARGE, "drive : 1\nv : 1", namespace={}, name="source")
        groups = {
            what: NeuronGroup(
                LARGE,
                equations,
                threshold="v > 1.5",
                reset="v = 0",
                refractory=REFRACTORY.get(what, False),
                method="euler",
                namespace={},
                name=f"cells_{number}",
            )
            for number, (what, equations) in enumerate(EQUATIONS.items())
        }
        groups["of another group"].driven = linked_var(source, "drive")
        groups["of a value of the same name"].driven = linked_var(source, "v")
        driven = "2*int(i % 300 == 7)*int(t > 30*ms)"
        for what, group in groups.items():
            if what == "of a number that changes":
                group.run_regularly("drive = 2*int(t > 30*ms)", dt=10 * ms)
            elif "drive" in group.variables:
                group.run_regularly(f"drive = {driven}", dt=10 * ms)
        groups["refractory for times that change"].run_regularly("ref = 3*ms + 20*ms*int(t > 45*ms)", dt=10 * ms)
        # Once refractory neurons of this one have come to quiescence, they are reached when they no longer are.
        groups["refractory"].run_regularly("v = clip(v, 0.1*drive, inf)", dt=0.1 * ms)
        source.run_regularly(f"drive = {driven}\nv = {driven}", dt=10 * ms)
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
        assert expected[f"spikes {what}"].sum() > 0, what
        assert_array_equal(found[f"spikes {what}"], expected[f"spikes {what}"], err_msg=what)
        assert_allclose(found[what], expected[what], rtol=1e-9, atol=1e-12, err_msg=what)
        assert found[what][-1] != 0, what


def set_between_runs(target: str) -> dict[str, np.ndarray]:
    """What comes of values set between runs, when all neurons have come to rest."""
    with biosnn.session(target) as sim:
        cells = {what: biosnn.neurons(LARGE, "lif_inhibitory", name=what) for what in ("v_rest", "t_ref", "spiked")}
        for group in cells.values():
            group.v[::100] = -39 * mV
        cells["spiked"].lastspike = "1*ms*int(i % 7 == 0)"
        network = Network(*cells.values())
        sim.run(network, 20 * ms)
        cells["v_rest"].v_rest = -62 * mV
        cells["t_ref"].t_ref = 200 * ms
        cells["spiked"].lastspike = "19*ms*int(i % 5 == 0)"
        cells["spiked"].v = -55 * mV
        sim.run(network, 5 * ms)
        sim.run(network, 50 * ms)
        names = ("v", "not_refractory")
        return {f"{what}, {name}": np.array(getattr(cells[what], name)) for what in cells for name in names}


@pytest.mark.cpp
def test_what_is_set_between_runs_reaches_neurons_at_rest() -> None:
    found, expected = set_between_runs("cpp"), set_between_runs("numpy")
    assert not expected["t_ref, not_refractory"].all()
    for what, values in expected.items():
        assert_allclose(found[what], values, rtol=1e-9, err_msg=what)


@pytest.mark.slow
@pytest.mark.cpp
def test_a_large_group_of_every_model_of_the_catalogue_does_as_elsewhere() -> None:
    found = {}
    for target in ("cpp", "numpy"):
        with biosnn.session(target, seed=1, dt=0.05 * ms) as sim:
            names = [name for name in neuron_names() if "noisy" not in name and name != "encoder_bernoulli"]
            groups = {name: biosnn.neurons(LARGE, name, name=f"large_{name}") for name in names}
            sim.run(Network(*groups.values()), 3 * ms)
            for name, group in groups.items():
                for state in group.model.parsed.diff_eq_names:
                    found[target, name, state] = np.array(getattr(group, state))
    compared = [(name, state) for target, name, state in found if target == "numpy"]
    assert len(compared) > 30
    for name, state in compared:
        expected = found["numpy", name, state]
        assert_allclose(found["cpp", name, state], expected, rtol=1e-7, atol=1e-12, err_msg=f"{name}.{state}")


def watched(code: str, **variables: Any) -> list[str]:
    """The arrays that decide whether a step can be left out."""
    indices = {name: getattr(var, "index", "_idx") for name, var in variables.items()}
    found = quiescence.watched(code, variables, indices, 2000)
    return [var.name for _, var in found.get("_arrays", [])]


def array(name: str, size: int = 2000, **how: Any) -> ArrayVariable:
    return ArrayVariable(name, owner=None, size=size, device=None, **how)


def test_a_step_is_left_out_only_if_it_follows_from_the_values_of_its_neurons() -> None:
    v, tau, dt = array("v"), array("tau", 1, scalar=True, constant=True), Constant("dt", 0.1)
    t, drive = array("t", 1, scalar=True), array("drive", 1, scalar=True)
    refractory = "not_refractory = timestep(t - lastspike, dt) >= timestep({}, dt)\n"
    own = {"lastspike": array("lastspike"), "not_refractory": array("not_refractory", dtype=bool), "t": t}
    assert watched("v = v - dt*v/tau", v=v, tau=tau, dt=dt) == ["v"]
    for known in ("tau", "0.005"):
        code = refractory.format(known) + "v = v - dt*v/tau"
        assert watched(code, v=v, tau=tau, dt=dt, **own) == ["not_refractory", "v"]
    for changing in ("v", "drive"):
        code = refractory.format(changing) + "v = v - dt*v/tau"
        assert watched(code, v=v, tau=tau, dt=dt, drive=drive, **own) == []
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


@pytest.mark.cpp
def test_single_precision_follows_double_precision() -> None:
    found = {}
    for precision in ("float32", "float64"):
        with biosnn.session("cpp", precision=precision, dt=0.5 * ms) as sim:
            group = biosnn.neurons(1, "lif_adaptive", values={"g_exc": 20.0}, name="driven")
            idle = biosnn.neurons(1, "lif_adaptive", name="idle")
            # Time is double all the same: after 20,000 steps, a single time step would be told to be another one.
            counts = biosnn.neurons(1, COUNTS, name="counts")
            seen = StateMonitor(group, "v", record=0)
            sim.run(Network(group, idle, seen, counts), 12.5 * second)
            assert idle.variables["theta"].dtype == np.float64
            tau = float(parse_quantity(idle.model.parameters["tau_theta"].value))
            assert_allclose(float(idle.theta[0]) / 0.02 - 1, np.expm1(-12.5 / tau), rtol=1e-3)
            assert float(counts.v[0]) == 0
            found[precision] = np.array(seen.v[0])
    assert np.ptp(found["float64"]) > 1e-3
    assert not np.array_equal(found["float32"], found["float64"])
    # What is rounded, by 6e-8, decays within tau/dt = 200 steps.
    assert_allclose(found["float32"], found["float64"], rtol=200 * 6e-8)
