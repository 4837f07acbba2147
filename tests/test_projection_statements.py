"""What statements of a projection do, and which are refused, where targets or Brian2 might differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from brian2 import (
    Network,
    NeuronGroup,
    Quantity,
    SpikeGeneratorGroup,
    Synapses,
    check_units,
    implementation,
    ms,
    nS,
)

import biosnn
from biosnn import Dense, Lateral, OneToOne, Pool2D, Projection, Sparse
from biosnn.errors import BiosnnError, ModelError, QuantityError

DT = 1 * ms
BOTH = ["numpy", pytest.param("cpp", marks=pytest.mark.cpp)]


def sender(n: int, neurons: list[int], times: list[float], **kwds: Any) -> SpikeGeneratorGroup:
    return SpikeGeneratorGroup(n, neurons, np.array(times) * ms, name="s", **kwds)


def receiver(n: int, equations: str = "x : 1\ny : 1", **kwds: Any) -> NeuronGroup:
    return NeuronGroup(n, equations, namespace={}, name="t", **kwds)


def firing(n: int, when: str, equations: str = "y : 1", **kwds: Any) -> NeuronGroup:
    return NeuronGroup(n, equations, threshold=when, namespace={}, name="s", **kwds)


# ---- the same on all targets ----------------------------------------------------------------------------------


@pytest.mark.parametrize("target", BOTH)
@pytest.mark.parametrize("statement", ["v_post += 1", "v_post += w", "v_post += w*(1 + i)"])
def test_what_rests_is_left_alone_when_the_source_is_written_too(target: str, statement: str) -> None:
    with biosnn.session(target, seed=1, dt=DT) as sim:
        source = firing(2, "t_in_timesteps == 3")
        group = receiver(
            3, "dv/dt = 0/second : 1 (unless refractory)", threshold="t_in_timesteps == 2 and i > 0", reset="v = 0",
            refractory=5 * ms, method="euler",
        )  # fmt: skip
        weights = np.arange(1.0, 7).reshape(2, 3)
        joint = Projection(source, group, Dense(), weights, on_pre=f"y_pre += 0.1*w\n{statement}", name="joint")
        sim.run(Network(source, group, joint), 6 * ms)
        factor = {"v_post += 1": 2, "v_post += w": 5, "v_post += w*(1 + i)": 9}[statement]
        np.testing.assert_allclose(group.v[:], [factor, 0, 0])
        np.testing.assert_allclose(source.y[:], 0.1 * weights.sum(axis=1))


@pytest.mark.parametrize("target", BOTH)
def test_statements_that_numpy_cannot_work_out_at_once(target: str) -> None:
    """A neuron's own variable is set, not added to: NumPy code goes through the synapses one by one."""
    with biosnn.session(target, seed=1, dt=DT) as sim:
        source, group = firing(2, "t_in_timesteps == 1"), receiver(3)
        joint = Projection(
            source, group, Dense(), np.arange(1.0, 7).reshape(2, 3), on_pre="x_post += w*(1 + j)\ny_pre = exp(-y_pre)",
            name="joint",
        )  # fmt: skip
        sim.run(Network(source, group, joint), 3 * ms)
        np.testing.assert_allclose(group.x[:], np.array([5, 7, 9]) * [1, 2, 3])


@pytest.mark.parametrize("target", BOTH)
def test_random_numbers_are_drawn_for_each_synapse(target: str) -> None:
    with biosnn.session(target, seed=1, dt=DT) as sim:
        source, group = sender(3, [0, 1, 2], [1, 1, 1]), receiver(2000)
        joint = Projection(source, group, Dense(), on_pre="x_post += int(rand() < 0.25)", name="joint")
        joint.run_regularly("y_post += randn()", dt=100 * ms)
        sim.run(Network(source, group, joint), 3 * ms)
        x, y = np.array(group.x[:]), np.array(group.y[:])
    assert abs(x.mean() - 0.75) < 5 * np.sqrt(3 * 0.25 * 0.75 / 2000)
    assert abs(y.std() - np.sqrt(3)) < 0.2
    assert len(set(x)) == 4


@implementation("cpp", "double twice(double x) { return 2*x; }")
@check_units(x=1, result=1)
def twice(x: Any) -> Any:
    return 2 * x


@pytest.mark.parametrize("target", BOTH)
def test_functions_of_ones_own(target: str) -> None:
    with biosnn.session(target, dt=DT) as sim:
        source, group = sender(1, [0], [1]), receiver(2)
        names = {"twice": twice, "step": 3}
        joint = Projection(source, group, Dense(), on_pre="x_post += twice(step + j)", namespace=names, name="joint")
        sim.run(Network(source, group, joint), 3 * ms)
        np.testing.assert_allclose(group.x[:], [6, 8])


@pytest.mark.parametrize("target", BOTH)
@pytest.mark.parametrize("delay", [5 * ms, np.array([[5.0]]) * ms], ids=["one", "each"])
def test_spikes_are_not_delivered_twice_after_a_pause(target: str, delay: Any) -> None:
    with biosnn.session(target, dt=DT) as sim:
        source, group = sender(1, [0, 0, 0], [3, 12, 23]), receiver(1)
        joint = Projection(source, group, Dense(), on_pre="x_post += 1", delay=delay, name="joint")
        network = Network(source, group, joint)
        sim.run(network, 9 * ms)
        joint.active = False
        sim.run(network, 13 * ms)
        joint.active = True
        sim.run(network, 20 * ms)
        assert group.x[0] == 2  # those of 3 and 23 ms; that of 12 ms came in the pause


def test_statements_see_the_time_of_the_side_that_spikes() -> None:
    def trace(joins: Callable[..., Any]) -> float:
        with biosnn.session("numpy", dt=0.25 * ms) as sim:
            source = sender(1, [], [], dt=1 * ms)
            group = SpikeGeneratorGroup(1, [0, 0], [3.25, 3.75] * ms, name="t")
            joint = joins(source, group, model="db/dt = -b/(7*ms) : 1 (event-driven)", on_post="b += 1", name="joint")
            sim.run(Network(source, group, joint), 6 * ms)
            return float(joint.b[0])

    def stock(source: Any, target: Any, **kwds: Any) -> Any:
        joint = Synapses(source, target, namespace={}, **kwds)
        joint.connect()
        return joint

    assert trace(lambda s, t, **kwds: Projection(s, t, Dense(), **kwds)) == pytest.approx(trace(stock), rel=1e-12)
    assert trace(stock) == pytest.approx(1 + np.exp(-0.5 / 7))


def test_traces_keep_their_times_in_single_precision() -> None:
    with biosnn.session("numpy", dt=0.1 * ms, precision="float32"):
        source, group = sender(1, [0], [1]), receiver(1)
        model = "da/dt = -a/(20*ms) : 1 (event-driven)"
        joint = Projection(source, group, Dense(), model=model, on_pre="a += 1", name="joint")
        assert joint.variables["lastupdate"].dtype == np.float64


def test_a_readout_that_does_not_spike_takes_a_rule() -> None:
    with biosnn.session("numpy", dt=DT) as sim:
        source, group = sender(2, [0], [1]), receiver(3)
        joint = biosnn.synapses(source, group, "static", onto="x", connect=Dense(), values={"w": 0.5}, name="joint")
        sim.run(Network(source, group, joint), 3 * ms)
        np.testing.assert_array_equal(group.x[:], 0.5)


def test_parts_of_one_group_that_have_no_neuron_in_common_may_read_each_other() -> None:
    with biosnn.session("numpy", dt=DT) as sim:
        group = NeuronGroup(4, "x : 1", threshold="t_in_timesteps == 1 and i < 2", namespace={}, name="g")
        group.x = [1, 2, 10, 20]
        joint = Projection(group[:2], group[2:], Dense(), on_pre="x_post += x_pre", name="joint")
        sim.run(Network(group, joint), 3 * ms)
        np.testing.assert_array_equal(group.x[:], [1, 2, 13, 23])


def test_a_sweep_takes_weights_in_their_natural_shape() -> None:
    with biosnn.session("numpy", dt=DT) as sim:
        source, group = sender(2, [0, 1], [1, 1]), receiver(3)
        joint = Projection(source, group, Dense(), np.zeros((2, 3)), on_pre="x_post += w", name="joint")
        network = Network(source, group, joint)
        points = [{"joint.w": k * np.arange(6.0).reshape(2, 3)} for k in (1, 2)]
        found = sim.sweep(network, lambda: sim.run(network, 3 * ms), points, lambda _: np.array(group.x[:]))
        np.testing.assert_array_equal(found, [[3, 5, 7], [6, 10, 14]])


def test_clock_driven_equations_need_no_method() -> None:
    with biosnn.session("numpy", dt=DT) as sim:
        source, group = sender(1, [0], [0]), receiver(1)
        joint = Projection(
            source, group, Dense(), model="dc/dt = -c/(10*ms) : 1 (clock-driven)", on_pre="c += 1", name="joint"
        )
        sim.run(Network(source, group, joint), 11 * ms)
        assert joint.c[0] == pytest.approx(np.exp(-1))


# ---- what is refused ------------------------------------------------------------------------------------------

TWO = "one kind of change to"
STATEMENTS: dict[str, tuple[Any, dict[str, Any], str]] = {
    "adding and scaling the source": (Dense(), {"on_pre": "y_pre += w\ny_pre *= 0.5"}, TWO),
    "adding and scaling the target": (Dense(), {"on_pre": "x_post += w\nx_post *= 0.5"}, TWO),
    "setting and adding": (Dense(), {"on_pre": "y_pre = 2\ny_pre += w"}, TWO),
    "two names of one variable": (Dense(), {"on_pre": "x += w\nx_post += w"}, "one name for one variable"),
    "a typo on the left": (Dense(), {"on_pre": "x_pst += w"}, r"'x_pst'.*Did you mean 'x_post'"),
    "a constant on the left": (Dense(), {"on_pre": "k += 1", "namespace": {"k": 1}}, "k"),
    "no text": (Dense(), {"on_pre": 3}, "statements as text"),
    "a list": (Dense(), {"on_pre": ["x_post += w"]}, "statements as text"),
    "a pathway without a name": (Dense(), {"on_pre": {"a b": "x_post += w"}}, "identifiers"),
    "a function with a memory": (Dense(), {"on_pre": "x_post += f(w)"}, "rand"),
}


@pytest.mark.parametrize("what", STATEMENTS)
def test_statements_that_are_refused(what: str) -> None:
    @check_units(x=1, result=1)
    def f(x: Any) -> Any:
        return x

    f.stateless = False
    kind, kwds, message = STATEMENTS[what]
    with biosnn.session("numpy", dt=DT):
        source, group = firing(2, "y > 1"), receiver(3)
        with pytest.raises(ModelError, match=message):
            Projection(source, group, kind, np.ones((2, 3)), name="joint", **{"namespace": {"f": f}, **kwds})


MODELS = {
    "units of an expression": ("s2 = y_pre*mV : 1", "units"),
    "units of an equation": ("dz/dt = -z*mV/ms : 1 (clock-driven)", "units"),
    "a shared expression of what is not": (
        "a : 1\nb = 2*a : 1 (shared)",
        "shared variables in .* b",
    ),
    "an unknown name": ("b = 2*nothing : 1", "nothing"),
    "a flag that is not known": ("r = y_pre + 1 : 1 (constant over dt)", "constant over dt"),
    "a name of its own": ("kind : 1", "kind"),
    "no text": (None, "equations as text"),
}


@pytest.mark.parametrize("what", MODELS)
def test_models_that_are_refused(what: str) -> None:
    model, message = MODELS[what]
    with biosnn.session("numpy", dt=DT):
        source, group = firing(2, "y > 1"), receiver(3)
        with pytest.raises(ModelError, match=message):
            Projection(source, group, Dense(), model=model, name="joint")


def test_one_value_for_all_is_not_written_by_many() -> None:
    with biosnn.session("numpy", dt=DT):
        source, group = firing(9, "y > 1"), receiver(4)
        for code in ("z += 1", "z = x_post"):
            with pytest.raises(ModelError, match="writes to the shared variable z"):
                Projection(source, group, Pool2D((3, 3, 1), 2, 1), model="z : 1", on_pre=code, name="joint")


def test_a_sum_depends_on_nothing_that_rests() -> None:
    with biosnn.session("numpy", dt=DT):
        group = NeuronGroup(
            4, "dv/dt = 0/second : 1 (unless refractory)", threshold="v > 1", refractory=3 * ms, method="euler",
            namespace={}, name="g",
        )  # fmt: skip
        for code in ("v_post += w*(1 + int(not_refractory_pre))", "v_post += w*rand()"):
            with pytest.raises(ModelError, match="spikes are summed"):
                Projection(group, group, Lateral(), 1.0, on_pre=code, name="joint")


WRONG: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "weights as text": ({"weights": "rand()"}, ModelError, r"weights: expected real numbers \(got 'rand\(\)'\)"),
    "complex weights": ({"weights": np.full((2, 3), 1j)}, ModelError, "real numbers"),
    "ragged weights": ({"weights": [[1, 2], [3]]}, ModelError, "real numbers"),
    "no weights": ({"weights": [None]}, ModelError, "real numbers"),
    "a delay that is no number": ({"on_pre": "x_post += 1", "delay": "soon"}, QuantityError, "soon"),
    "a complex delay": ({"on_pre": "x_post += 1", "delay": [None]}, ModelError, "a time"),
    "a delay of NaN": ({"on_pre": "x_post += 1", "delay": np.nan * ms}, ModelError, "NaN"),
    "an unknown method": (
        {"model": "da/dt = -a/ms : 1 (clock-driven)", "method": "magic"},
        ModelError,
        "method.*magic",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_other_things_that_are_refused(what: str) -> None:
    kwds, error, message = WRONG[what]
    with biosnn.session("numpy", dt=DT):
        source, group = firing(2, "y > 1"), receiver(3)
        with pytest.raises(error, match=message):
            Projection(source, group, Dense(), name="joint", **kwds)


def test_later_mistakes_are_told_too() -> None:
    with biosnn.session("numpy", dt=DT) as sim:
        source, group = firing(2, "y > 1"), receiver(3)
        joint = Projection(source, group, Dense(), 1 * nS, model="z : 1", name="joint")
        with pytest.raises(ModelError, match=r"without i, j.*projection\['z'\]"):
            joint.z = "0.1*i"
        with pytest.raises(ModelError, match="real numbers"):
            joint["z"] = "0.5*w"
        with pytest.raises(ModelError, match="neurons that spike"):
            Projection(source, group, Dense(), on_post="y_pre += 1", name="other")
        with pytest.raises(ModelError, match="a group of neurons"):
            Projection(source, joint, Dense(), name="third")
        with pytest.raises(ModelError, match="No variable named 'k'"):
            joint.run_regularly("k += 1", dt=1 * ms)
        late = Projection(source, group, Dense(), on_pre="x_post += 1", delay=2 * ms, name="late")
        with pytest.raises(ModelError, match="a whole group"):
            late.reset_regularly(events=source[:1])
        with pytest.raises(ModelError, match="a whole group"):
            late.reset_regularly(events="s")
        source.clock.dt = 0.5 * ms
        with pytest.raises(BiosnnError, match="Set the time step before"):
            sim.run(Network(source, group, late), 2 * ms)
        source.clock.dt = 1 * ms
        assert Quantity(joint["w"]) == 1 * nS


# ---- event-driven variables -----------------------------------------------------------------------------------

DECAYING = "dc/dt = -c/(10*ms) : 1 (event-driven)"
ONE_A_PAIR = [Dense(), OneToOne(), Sparse((2, 2), np.array([0, 2, 2]), np.array([0, 1]))]


@pytest.mark.parametrize("target", BOTH)
def test_what_runs_regularly_sees_event_driven_variables_of_the_present(target: str) -> None:
    with biosnn.session(target, dt=DT) as sim:
        source, group = sender(2, [0], [0]), receiver(2)
        joints = []
        for number, kind in enumerate(ONE_A_PAIR):
            model = f"{DECAYING}\nleft : 1\nright : 1\ntwice = 2*c : 1"
            joint = Projection(source, group, kind, model=model, on_pre="c += 1", name=f"joint{number}")
            joint.run_regularly("left = twice", dt=50 * ms)
            joint.run_regularly("right = c + 0*x_post\nc = 3", dt=50 * ms, order=1)
            joint.run_regularly("c *= 1", dt=70 * ms, order=2)
            joints.append(joint)
        sim.run(Network(source, group, *joints), 71 * ms)
        for joint in joints:
            reached = np.zeros(joint.left[:].shape)
            reached[: 2 if joint is not joints[1] else 1] = 1
            np.testing.assert_allclose(joint.left[:], 2 * (3 * np.exp(-5) + reached * np.exp(-5)), rtol=1e-12)
            np.testing.assert_allclose(joint.right[:], joint.left[:] / 2, rtol=1e-12)
            np.testing.assert_allclose(joint.c[:], 3 * np.exp(-2), rtol=1e-12)


@pytest.mark.parametrize("name", ["c", "by_way"])
def test_equations_do_not_mix_variables_known_at_spikes_with_those_known_at_every_step(name: str) -> None:
    by_way = "by_way = 2*c : 1"
    with biosnn.session("numpy", dt=DT):
        source, group = sender(2, [0], [0]), receiver(2)
        wrong = f"dw/dt = {name}/(10*ms) : 1 (clock-driven)\n{DECAYING}\n{by_way}"
        with pytest.raises(ModelError, match="the clock-driven variable w to depend on clock-driven variables only"):
            Projection(source, group, Dense(), model=wrong, on_pre="c += 1")
        model = f"dc/dt = -c/ms : 1\ndd/dt = ({name} - d)/ms : 1 (event-driven)\n{by_way}"
        with pytest.raises(ModelError, match="the event-driven variable d to depend on event-driven variables only"):
            Projection(source, group, Dense(), model=model, on_pre="c += 1")


def test_an_event_driven_equation_may_have_subexpressions_and_parameters() -> None:
    model = "dc/dt = -leak : 1 (event-driven)\nleak = c/tau : Hz\ntau : second (shared, constant)"
    with biosnn.session("numpy", dt=DT) as sim:
        source, group = sender(2, [0, 0], [0, 30]), receiver(2)
        joint = Projection(source, group, Dense(), model=model, on_pre="c += 1", name="joint")
        plain = Synapses(source, group, model, on_pre="c += 1", name="plain")
        plain.connect()
        joint.tau = plain.tau = 10 * ms
        sim.run(Network(source, group, joint, plain), 40 * ms)
        np.testing.assert_allclose(joint.c[:], plain.c[:], rtol=1e-14)
        np.testing.assert_allclose(joint.c[:2], 1 + np.exp(-3))


def test_a_delay_that_cannot_be_had_is_told_with_what_to_do() -> None:
    later = r"'joint', delay: cannot be read, nor set later\. Give delays when the projection is made"
    with biosnn.session("numpy", dt=DT):
        source, group = firing(2, "y > 1"), biosnn.neurons(3, "lif")
        joint = Projection(source, group, Dense(), np.ones((2, 3)), on_post="w += 1", name="joint")
        assert not hasattr(joint, "delay")
        with pytest.raises(AttributeError, match=later):
            _ = joint.delay
        with pytest.raises(ModelError, match=later):
            joint.delay = 2 * ms
        with pytest.raises(ModelError, match=r"No variable named 'delay'.* Give delays when the projection is made"):
            joint["delay"] = 2 * ms
        of_its_own = Projection(source, group, Dense(), model="delay : second", on_post="delay += ms", name="own")
        of_its_own.delay = 2 * ms
        np.testing.assert_array_equal(of_its_own["delay"] / ms, np.full((2, 3), 2))


@pytest.mark.parametrize("connect", [True, Dense()])
def test_a_delay_of_what_no_presynaptic_spike_does_is_refused(connect: Any) -> None:
    model: dict[str, Any] = {"name": "only_post", "summary": "grows", "source": "made up", "equations": "w : 1"}
    with biosnn.session("numpy", dt=DT):
        source, group = firing(2, "y > 1"), biosnn.neurons(3, "lif")
        after = biosnn.Trace("post", "db/dt = -b/(2*ms) : 1", "b += 1", "of outputs")
        for more in ({"on_post": "w += 1"}, {"on_post": "w += b", "traces": {"b": after}}):
            rule = biosnn.SynapseModel(**model, **more)
            with pytest.raises(ModelError, match=r"'only_post'\), delay: .*leave out the delay, or give onto"):
                biosnn.synapses(source, group, rule, onto="", connect=connect, delay=2 * ms)
        before = biosnn.Trace("pre", "da/dt = -a/(2*ms) : 1", "a += 1", "of inputs")
        follows = {"on_post": "w += a", "traces": {"a": before}}
        biosnn.synapses(source, group, biosnn.SynapseModel(**model, **follows), onto="", connect=connect, delay=2 * ms)
