"""Models become Brian2 objects: values, inputs, transmission, and traces in both of their homes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import Hz, Network, NeuronGroup, PoissonGroup, SpikeGeneratorGroup, StateMonitor, ms, mV, nS, pA
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from hypothesis_profile import examples
from numpy.testing import assert_allclose

import biosnn
from biosnn import catalogue
from biosnn.errors import EngineError, ModelError, NotFoundError
from biosnn.model import to_toml
from biosnn.projection import Dense

MODELS = {name: biosnn.synapse_model(name) for name in catalogue.synapse_names()}
PLASTIC = [name for name, model in MODELS.items() if model.traces and not model.uses]


def spikes(times: list[float], name: str, n: int = 1) -> SpikeGeneratorGroup:
    """A group whose only spiking neuron, the last one, fires at ``times`` (ms)."""
    return SpikeGeneratorGroup(n, np.full(len(times), n - 1), np.array(times) * ms, name=name)


def test_a_group_has_the_models_parameters_and_starts_at_its_initial_values() -> None:
    with biosnn.session("numpy"):
        group = biosnn.neurons(3, "lif", values={"v_rest": "-65 mV", "v_th": -50 * mV, "I": [1, 2, 3] * pA})
        assert group.model.name == "lif"
        assert_allclose(group.v / mV, [-65] * 3)
        assert_allclose(group.I / pA, [1, 2, 3])
        assert group.v_th == -50 * mV
        assert group.namespace == {}


def test_a_text_value_that_is_no_quantity_is_an_expression() -> None:
    with biosnn.session("numpy"):
        group = biosnn.neurons(3, "lif", values={"v": "v_th*i/2"})
        assert_allclose(group.v / mV, [0, 5, 10])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"v_thh": "1 mV"}, "Did you mean 'v_th'"),
        ({"v_th": "1 ms"}, "expected a quantity in volt, got a quantity in second"),
        ({"v_th": 3.0}, "expected a quantity in volt, got a dimensionless number"),
        ({"I": 3 * mV}, "expected a quantity in amp"),
        ({"v_th": "rand()*mV"}, "expected a number and a unit"),
    ],
)
def test_a_wrong_value_is_refused_by_name(values: dict[str, object], message: str) -> None:
    with biosnn.session("numpy"), pytest.raises(ModelError, match=message):
        biosnn.neurons(1, "lif", values=values)


@pytest.mark.parametrize("n", [0, -1, 2.5, True])
def test_the_number_of_neurons_is_checked(n: object) -> None:
    with biosnn.session("numpy"), pytest.raises(ModelError, match="whole number"):
        biosnn.neurons(n, "lif")  # type: ignore[arg-type]


def test_a_spike_adds_gain_times_weight() -> None:
    with biosnn.session("numpy", dt=0.1 * ms) as sim:
        source = spikes([1.0], "source")
        target = NeuronGroup(2, "g : siemens", name="target")
        syn = biosnn.synapses(source, target, "static", onto="g", gain="2 nS", values={"w": [0.5, 2.0]})
        sim.run(Network(source, target, syn), 2 * ms)
        assert_allclose(target.g / nS, [1.0, 4.0])


def test_the_only_spike_input_of_the_target_is_the_default() -> None:
    with biosnn.session("numpy", dt=0.1 * ms) as sim:
        source, target = spikes([1.0], "source"), biosnn.neurons(1, "if_soft", values={"v_th": "10"})
        assert target.model.spike_inputs == ["v"]
        syn = biosnn.synapses(source, target, "static", gain=2.0, values={"w": 1.5})
        sim.run(Network(source, target, syn), 2 * ms)
        assert_allclose(np.asarray(target.v), [3.0])


def test_wrong_transmissions_are_refused() -> None:
    with biosnn.session("numpy"):
        source, target = spikes([1.0], "source"), biosnn.neurons(1, "lif_cond")
        with pytest.raises(ModelError, match="onto: expected one of"):
            biosnn.synapses(source, target, "static", gain="1 nS")
        with pytest.raises(ModelError, match=r"Valid names: .*v"):
            biosnn.synapses(source, target, "static", onto="vv", gain="1 nS")
        with pytest.raises(ModelError, match="gain: expected what a weight of one adds"):
            biosnn.synapses(source, target, "static", onto="v")
        with pytest.raises(ModelError, match="expected a quantity in volt"):
            biosnn.synapses(source, target, "static", onto="v", gain="1 nS")
        with pytest.raises(ModelError, match="needs a variable to act on"):
            biosnn.synapses(source, target, "static", onto="", gain="1 nS")
        with pytest.raises(ModelError, match="connect"):
            biosnn.synapses(source, target, "static", onto="", connect=[0, 1])  # type: ignore[arg-type]


def test_a_delay_is_the_same_for_all_or_an_expression_for_each() -> None:
    with biosnn.session("numpy", dt=0.1 * ms):
        source, target = spikes([1.0], "source"), biosnn.neurons(3, "lif")
        assert_allclose(biosnn.synapses(source, target, onto="v", gain=1 * mV, delay="1.5 ms").delay / ms, [1.5] * 3)
        each = biosnn.synapses(source, target, onto="v", gain=1 * mV, delay="(0.5 + j)*ms")
        assert_allclose(each.delay / ms, [0.5, 1.5, 2.5])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"p": 2.0}, "p: expected a probability from 0 to 1"),
        ({"p": float("nan")}, "p: expected a probability from 0 to 1"),
        ({"delay": "-1 ms"}, "delay: expected finite times, not negative"),
        ({"delay": float("nan") * ms}, "delay: expected finite times, not negative"),
        ({"delay": "foo bar"}, "delay: expected a time such as '0.3 ms', or an expression"),
        ({"delay": "3 mV"}, "delay: expected a quantity in second, got a quantity in volt"),
        ({"delay": [1, 2] * ms}, "delay: expected one value, or one for each of the 3 synapses"),
        ({"connect": ([], [])}, "connect: expected the indices of at least one synapse"),
        ({"values": {"w": [1.0, 2.0]}}, "w: expected one value, or one for each of the 3 synapses"),
        ({"values": {"w": [1.0, 2.0]}, "connect": ([0], [0])}, "w: expected one value, or one for each of the 1 syn"),
        ({"values": {"w": [1.0, 2.0, 3.0]}, "p": 0.5}, "w: expected one value, as chance makes the synapses"),
    ],
)
@pytest.mark.parametrize("target", ["numpy", "cpp"])
def test_wrong_arguments_of_synapses_are_refused_before_anything_runs(
    target: str, given: dict[str, Any], message: str
) -> None:
    with biosnn.session(target, dt=0.1 * ms):
        ends = spikes([1.0], "source"), biosnn.neurons(3, "lif")
        with pytest.raises(ModelError, match=message):
            biosnn.synapses(*ends, onto="v", gain=1 * mV, **given)


def test_a_delay_in_text_may_begin_with_a_point_or_a_sign() -> None:
    with biosnn.session("numpy", dt=0.1 * ms):
        ends = spikes([1.0], "source"), biosnn.neurons(3, "lif")
        for text, expected in (
            (".3 ms", [0.3] * 3),
            ("+1 ms", [1] * 3),
            ("2*ms + j*ms", [2, 3, 4]),
            ("2*ms*j", [0, 2, 4]),
        ):
            assert_allclose(biosnn.synapses(*ends, onto="v", gain=1 * mV, delay=text).delay / ms, expected)


def weights_after(
    name: str, traces: str, rate: float, seed: int, delay: object = None, cut: bool = False
) -> np.ndarray:
    """The weights after 200 ms of Poisson spikes on both sides, from a fixed start."""
    start = {"w": "0.3 + 0.01*j", **({"reward": 5 * Hz} if name == "rstdp" else {})}
    with biosnn.session("numpy", seed=seed, dt=0.5 * ms) as sim:
        pre = PoissonGroup(8, rate * Hz, name="pre_neurons")
        post = NeuronGroup(6, "v : volt", threshold="rand() < p_spike", reset="v = 0*mV", name="post_neurons")
        post.namespace["p_spike"] = rate * 5e-4
        ends = (pre[2:7], post[1:5]) if cut else (pre, post)
        syn = biosnn.synapses(*ends, name, onto="", traces=traces, delay=delay, values=start)
        sim.run(Network(pre, post, syn), 200 * ms)
        return np.array(syn.w[:])


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if "full" in n else n for n in PLASTIC])
@pytest.mark.parametrize("delay", [None, "(i % 3)*ms"])
def test_traces_on_the_neuron_and_on_the_synapse_give_equal_weights(name: str, delay: object) -> None:
    on_neuron = weights_after(name, "neuron", 80, seed=5, delay=delay)
    on_synapse = weights_after(name, "synapse", 80, seed=5, delay=delay)
    assert_allclose(on_neuron, on_synapse, rtol=1e-10)
    if biosnn.synapse_model(name).plastic:
        assert np.ptp(on_neuron - (0.3 + 0.01 * (np.arange(48) % 6))) > 1e-6, "the weights should have moved"


@examples(8, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 1000), rate=st.floats(5, 300), cut=st.booleans())
def test_the_two_homes_of_a_trace_agree_for_any_spikes_and_for_subgroups(seed: int, rate: float, cut: bool) -> None:
    on_neuron = weights_after("stdp_triplet_full", "neuron", rate, seed, cut=cut)
    on_synapse = weights_after("stdp_triplet_full", "synapse", rate, seed, cut=cut)
    assert_allclose(on_neuron, on_synapse, rtol=1e-9)


def test_a_delay_moves_presynaptic_traces_to_the_synapse_by_itself() -> None:
    with biosnn.session("numpy"):
        source, target = spikes([1.0], "source"), biosnn.neurons(1, "lif")
        prompt = biosnn.synapses(source, target, "stdp_pair", onto="")
        delayed = biosnn.synapses(source, target, "stdp_pair", onto="", delay="1 ms")
        homes = [[o.name for o in syn.contained_objects if "traces" in o.name] for syn in (prompt, delayed)]
        assert [len(home) for home in homes] == [2, 1]
        assert homes[1][0].endswith("post_traces")


@pytest.mark.parametrize(("kind", "delay"), [(True, None), (Dense(), None), (Dense(), [[0.5], [1.0], [2.0]] * ms)])
def test_a_trace_is_meant_even_where_the_target_has_a_variable_of_its_name(kind: Any, delay: Any) -> None:
    """`x` of `stdp_pair` is its trace, and not the synaptic input x of the target."""
    weights = []
    for names in ("x : 1\ny : 1", "s : 1"):
        with biosnn.session("numpy", dt=0.5 * ms) as sim:
            pre = SpikeGeneratorGroup(3, [0, 1, 2, 0], [1, 4, 5.5, 9] * ms, name="pre_neurons")
            post = NeuronGroup(
                1, f"due = int(t == 6*ms) : 1\n{names}", threshold="due > 0", reset="", name="post_neurons"
            )
            for variable in names.split(" : 1")[0].split():
                setattr(post, variable, 7)
            syn = biosnn.synapses(pre, post, "stdp_pair", onto="", connect=kind, delay=delay)
            sim.run(Network(pre, post, syn), 12 * ms)
            weights.append(np.ravel(syn["w"] if isinstance(kind, Dense) else syn.w[:]))
    assert_allclose(weights[0], weights[1], rtol=1e-12)
    assert np.ptp(weights[0]) > 1e-6, "the weights should have moved"


def reading(equations: str) -> biosnn.SynapseModel:
    """A rule whose equations read a presynaptic trace."""
    trace = biosnn.Trace("pre", "dx/dt = -x/(10*ms) : 1", "x += 1", "trace")
    return biosnn.SynapseModel(
        name="reading",
        summary="s",
        source="s",
        equations=equations,
        on_pre="u += 1",
        on_post="u = w",
        traces={"x": trace},
    )


def test_event_driven_equations_that_read_a_trace_are_solved_with_it() -> None:
    model = reading("w : 1\nu : 1\ndc/dt = (x - c)/(20*ms) : 1 (event-driven)")
    with biosnn.session("numpy", dt=0.1 * ms) as sim:
        ends = spikes([0.0, 40.0], "pre_neuron"), spikes([50.0], "post_neuron")
        made = [biosnn.synapses(*ends, model, onto="", connect=how) for how in (True, biosnn.Dense())]
        sim.run(Network(*ends, *made), 60 * ms)
        # For time constants of 20 and 10 ms, each spike adds the difference of two exponentials.
        expected = sum(np.exp(-s / 20) - np.exp(-s / 10) for s in (50.0, 10.0))
        for syn in made:
            assert_allclose(np.ravel(syn.c[:]), [expected], rtol=1e-10)


def test_traces_read_at_every_time_step_stay_on_the_neuron_or_are_refused() -> None:
    model = reading("dw/dt = x/(10*ms) : 1 (clock-driven)\nu : 1")
    with biosnn.session("numpy", dt=0.1 * ms) as sim:
        ends = spikes([0.0], "pre_neuron"), spikes([50.0], "post_neuron")
        with pytest.raises(ModelError, match="an equation reads the trace x at every time step"):
            biosnn.synapses(*ends, model, onto="", delay=1 * ms)
        syn = biosnn.synapses(*ends, model, onto="")
        net = Network(*ends, syn)
        sim.run(net, 100 * ms)
        assert_allclose(syn.w, [1.0], rtol=0.01)
        syn.delay = 1 * ms
        with pytest.raises(EngineError, match="an equation reads the trace x at every time step"):
            sim.run(net, 1 * ms)


@pytest.mark.parametrize("traces", ["neuron", "synapse"])
def test_spikes_in_the_same_step_count_as_pre_before_post(traces: str) -> None:
    with biosnn.session("numpy", dt=0.1 * ms) as sim:
        pre, post = spikes([5.0], "pre_neuron"), spikes([5.0], "post_neuron")
        model = biosnn.synapse_model("stdp_pair")
        syn = biosnn.synapses(pre, post, model, onto="", traces=traces, values={"w": 0.5})
        sim.run(Network(pre, post, syn), 10 * ms)
        assert float(syn.w[0]) > 0.5


def test_traces_and_neurons_can_be_recorded() -> None:
    with biosnn.session("numpy", dt=0.1 * ms) as sim:
        pre, post = spikes([1.0], "pre_neuron"), spikes([50.0], "post_neuron")
        syn = biosnn.synapses(pre, post, "stdp_pair", onto="")
        (companion,) = [o for o in syn.contained_objects if o.name.endswith("pre_traces")]
        (trace,) = biosnn.synapse_model("stdp_pair").traces_of("pre")
        monitor = StateMonitor(companion, trace, record=True)
        sim.run(Network(pre, post, syn, monitor), 3 * ms)
        assert float(getattr(monitor, trace)[0, 15]) > 0.5


def test_a_users_file_has_the_same_rights(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(to_toml(catalogue.neuron_model("lif")).replace('name = "lif"', 'name = "mine"'))
    with biosnn.session("numpy"):
        assert biosnn.neurons(1, path).name.startswith("mine")
        assert biosnn.neurons(1, str(path)).model == biosnn.neuron_model(path)
    with pytest.raises(NotFoundError, match="does not exist"):
        biosnn.neuron_model(tmp_path / "nowhere.toml")


def test_a_model_that_reads_a_missing_variable_is_refused() -> None:
    model = biosnn.SynapseModel(
        name="voltage", summary="s", source="s", equations="w : 1", on_pre="w += v_post/mV", uses={"v_post": "volt"}
    )
    with (
        biosnn.session("numpy"),
        pytest.raises(ModelError, match=r"reads v_post, but the postsynaptic group has no 'v'"),
    ):
        biosnn.synapses(spikes([1.0], "a"), spikes([1.0], "b"), model, onto="")


def test_the_groups_model_tells_the_values_it_was_built_with() -> None:
    with biosnn.session("numpy"):
        group = biosnn.neurons(1, "lif", values={"v_th": -50 * mV, "t_ref": "1 ms"})
        assert group.model.parameters["v_th"].value == "-50 mV"
        assert group.model.parameters["t_ref"].value == "1 ms"
        assert group.model.parameters["C"] == biosnn.neuron_model("lif").parameters["C"]
        with pytest.raises(ModelError, match="one quantity for the whole group"):
            biosnn.neurons(2, "lif", values={"v_th": None})
