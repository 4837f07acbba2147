"""Networks of NIR that run in Brian2, step by step against equations written out in NumPy (tests/nir_reference.py)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import ms
from scipy.linalg import expm

pytest.importorskip("nir")

import nir
from nir_graphs import (
    chain,
    convolutional,
    entrance,
    exit_,
    feed_forward,
    integrate_and_fire,
    lif,
    mixed,
    normal,
    recurrent,
    saved,
)
from nir_reference import simulate

import biosnn
from biosnn.ann import affine
from biosnn.errors import ConversionError
from biosnn.nir import NirNetwork, NirRun, read_nir, run_nir

DT = 1e-3
RNG = np.random.default_rng(5)
GRAPHS: dict[str, tuple[Any, np.ndarray, str]] = {
    "feed-forward LIF": (feed_forward(), RNG.random((80, 5)) < 0.3, "input fc lif output"),
    "convolutional IF": (
        convolutional(),
        RNG.random((40, 2, 10, 11)) < 0.2,
        "input c1 i1 p1 c2 i2 p2 i3 c3 i4 flat fc i5 output",
    ),
    "recurrent CubaLIF": (recurrent(), RNG.random((80, 5)) < 0.3, "input fc back cuba read readout output"),
    "values": (recurrent(), RNG.normal(size=(80, 5)), "input fc back cuba read readout output"),
    "mixed": (mixed(), RNG.random((50, 12)) < 0.3, "input late li threshold w one two lif later i output"),
}


def run(network: NirNetwork, inputs: Any, target: str = "numpy", **kwds: Any) -> NirRun:
    with biosnn.session(target, dt=1 * ms) as sim:
        return run_nir(sim, network, inputs, **kwds)


def populations(network: NirNetwork) -> list[str]:
    return [name for name in network.order if name not in network.inputs]


def compare(graph: Any, found: NirRun, inputs: np.ndarray, order: list[str]) -> None:
    sent, potentials = simulate(graph, inputs, DT, order)
    for name, spikes in found.spikes.items():
        np.testing.assert_array_equal(spikes, sent[name] > 0, err_msg=name)
        assert 0.01 < spikes.mean() < 0.99, f"{name} says nothing if it is silent, or never is"
    for name, v in found.potentials.items():
        np.testing.assert_allclose(v, potentials[name], rtol=0, atol=1e-9, err_msg=name)
    for name, values in found.outputs.items():
        np.testing.assert_allclose(values, sent[name], rtol=0, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("case", GRAPHS)
def test_spikes_and_potentials_step_by_step(tmp_path: Path, case: str) -> None:
    graph, inputs, order = GRAPHS[case]
    network = read_nir(saved(tmp_path, graph))
    compare(graph, run(network, inputs, record=populations(network)), inputs, order.split())


@pytest.mark.cpp
@pytest.mark.parametrize("case", ["convolutional IF", "recurrent CubaLIF", "mixed"])
def test_the_same_in_compiled_code(case: str) -> None:
    graph, inputs, order = GRAPHS[case]
    network = read_nir(graph)
    compare(graph, run(network, inputs, "cpp", record=populations(network)), inputs, order.split())


@pytest.mark.parametrize("case", ["recurrent CubaLIF", "mixed"])
def test_samples_know_nothing_of_each_other(case: str) -> None:
    graph, inputs, _ = GRAPHS[case]
    network = read_nir(graph)
    samples = inputs[:40].reshape(2, 20, -1)
    together = run(network, samples, record=populations(network))
    for k, sample in enumerate(samples):
        alone = run(network, sample, record=populations(network))
        np.testing.assert_array_equal(together.output[k], alone.output)
        for name, spikes in alone.spikes.items():
            np.testing.assert_array_equal(together.spikes[name][k], spikes)
        for name, v in alone.potentials.items():
            np.testing.assert_allclose(together.potentials[name][k], v, rtol=0, atol=1e-12)


def test_neurons_that_lead_to_each_other() -> None:
    """Of two populations as far from the input, each sees the other's spikes a step later."""
    nodes = {"input": entrance(4), "a": lif(4), "b": lif(4), "ab": nir.Linear(normal(4, 4)), "output": exit_(4)}
    nodes["ba"] = nir.Linear(normal(4, 4))
    edges = ["input-a", "input-b", "a-ab", "ab-b", "b-ba", "ba-a", "b-output"]
    graph = nir.NIRGraph(nodes, [tuple(edge.split("-")) for edge in edges])
    inputs = RNG.random((60, 4)) < 0.4
    network = read_nir(graph)
    assert network.order == ("input", "a", "b")
    assert network.back == {("a", "b"), ("b", "a")}
    found = run(network, inputs, record=["a", "b"])
    sent, _ = simulate(graph, inputs, DT, ["input", "ab", "ba", "a", "b", "output"])
    for name in ("a", "b"):
        np.testing.assert_array_equal(found.spikes[name], sent[name] > 0)
        assert found.spikes[name].any()


@pytest.mark.parametrize(("delay", "second"), [(0.0, 1), (1e-3, 1), (3e-3, 3)])
def test_a_way_back_takes_a_step_or_its_delay(delay: float, second: int) -> None:
    """A neuron excites itself: each spike arrives after the delay, and after one step if there is none."""
    neuron = nir.LIF(np.full(1, DT), np.ones(1), np.zeros(1), np.full(1, 0.5))
    nodes = {"input": entrance(1), "lif": neuron, "late": nir.Delay(np.full(1, delay)), "output": exit_(1)}
    edges = [("input", "lif"), ("lif", "late"), ("late", "lif"), ("lif", "output")]
    inputs = np.zeros((10, 1))
    inputs[0] = 1
    spikes = run(read_nir(nir.NIRGraph(nodes, edges)), inputs).output[:, 0]
    assert np.flatnonzero(spikes).tolist() == list(range(0, 10, second))


def test_a_spike_needs_more_than_the_threshold_unless_the_file_says_otherwise() -> None:
    for metadata, spikes in [({}, [0, 1, 0]), ({"fires": ">="}, [1, 1, 1])]:
        node = nir.IF(r=np.full(1, 1 / DT), v_threshold=np.ones(1), v_reset=np.zeros(1), metadata=metadata)
        found = run(read_nir(chain(input=entrance(1), neuron=node, output=exit_(1))), np.ones((3, 1)))
        assert found.output[:, 0].tolist() == spikes


def test_the_two_resets() -> None:
    for metadata, left in [({}, 0.0), ({"reset": "subtract"}, 0.5)]:
        node = nir.IF(r=np.full(1, 1 / DT), v_threshold=np.ones(1), v_reset=np.zeros(1), metadata=metadata)
        found = run(read_nir(chain(input=entrance(1), neuron=node, output=exit_(1))), np.full((1, 1), 1.5))
        assert found.potentials["neuron"] == left


def test_the_exact_solution() -> None:
    """Against the matrix exponential, with what arrives held for a step."""
    inputs = RNG.normal(size=(40, 1))
    tau_syn, tau_mem, r, leak, w = 4e-3, 9e-3, 2.0, 0.3, 1.5
    numbers = [np.full(1, value) for value in (tau_syn, tau_mem, r, leak, w)]
    found = run(read_nir(chain(input=entrance(1), n=nir.CubaLI(*numbers), output=exit_(1))), inputs, method="exact")
    state, expected = np.array([0.0, leak]), []
    for (arriving,) in inputs:
        rates = np.array(
            [[-1 / tau_syn, 0, w * arriving / tau_syn], [r / tau_mem, -1 / tau_mem, leak / tau_mem], [0, 0, 0]]
        )
        state = (expm(rates * DT) @ [*state, 1])[:2]
        expected.append(state[1])
    np.testing.assert_allclose(found.output[:, 0], expected, atol=1e-12)
    neuron = nir.LI(*(np.full(1, value) for value in (tau_mem, r, leak)))
    step = run(read_nir(chain(input=entrance(1), n=neuron, output=exit_(1))), np.ones((40, 1)), method="exact")
    times = DT * np.arange(1, 41)
    np.testing.assert_allclose(step.output[:, 0], leak + r * (1 - np.exp(-times / tau_mem)), atol=1e-12)


def test_a_network_without_neurons() -> None:
    weight, late = normal(3, 4), np.full(3, 2e-3)
    graph = chain(input=entrance(4), fc=nir.Linear(weight), late=nir.Delay(late), output=exit_(3))
    inputs = RNG.normal(size=(6, 4))
    found = run(read_nir(graph), inputs).output
    np.testing.assert_allclose(found[2:], inputs[:-2] @ weight.T)
    assert not found[:2].any()


def test_several_inputs_and_outputs() -> None:
    nodes = {"a": entrance(3), "b": entrance(3), "lif": lif(3), "x": exit_(3), "y": exit_(3)}
    network = read_nir(nir.NIRGraph(nodes, [("a", "lif"), ("b", "lif"), ("lif", "x"), ("a", "y")]))
    one, two = RNG.random((20, 3)), RNG.random((20, 3))
    found = run(network, {"a": one, "b": two})
    expected = run(read_nir(chain(input=entrance(3), lif=nodes["lif"], output=exit_(3))), one + two)
    np.testing.assert_array_equal(found.outputs["x"], expected.output)
    np.testing.assert_array_equal(found.outputs["y"], one)
    with pytest.raises(ConversionError, match=r"one Output \(got \['x', 'y'\]"):
        _ = found.output
    with pytest.raises(ConversionError, match=r"those of \['a', 'b'\] \(got \['a'\]\). Give them by name"):
        run(network, one)
    with pytest.raises(ConversionError, match="as many samples and steps for each"):
        run(network, {"a": one, "b": two[:5]})


def test_single_precision() -> None:
    graph, inputs, order = GRAPHS["feed-forward LIF"]
    with biosnn.session("numpy", dt=1 * ms, precision="float32") as sim:
        found = run_nir(sim, read_nir(graph), inputs)
    sent, _ = simulate(graph, inputs, DT, order.split())
    assert np.mean(found.spikes["lif"] != sent["lif"]) < 0.02


PLAIN = chain(input=entrance(3), lif=lif(3), output=exit_(3))
ONES = np.ones((5, 3))
REFUSED = {
    "shape": (PLAIN, ONES[:, :2], {}, r"inputs of 'input': expected numbers of the shape \(steps, 3\) or .*\(5, 2\)"),
    "text": (PLAIN, [["a"] * 3], {}, "expected numbers of the shape"),
    "ragged": (PLAIN, [[1, 2, 3], [1]], {}, "expected numbers of the shape"),
    "empty": (PLAIN, np.ones((0, 3)), {}, "expected numbers of the shape"),
    "NaN": (PLAIN, ONES * np.nan, {}, r"inputs of 'input': expected finite numbers \(got '15 NaN or infinite'"),
    "other name": (PLAIN, {"image": ONES}, {}, r"those of \['input'\] \(got \['image'\]"),
    "method": (PLAIN, ONES, {"method": "heun"}, "No method named 'heun'.*euler, exact"),
    "record": (PLAIN, ONES, {"record": ["lif1"]}, "No population of neurons named 'lif1'. Did you mean 'lif'"),
    "too long": (
        PLAIN,
        np.broadcast_to(np.zeros(3, np.int8), (2**26, 3)),
        {},
        r"at most 44739242 steps of all samples",
    ),
    "fast neurons": (
        chain(input=entrance(1), n=nir.LI(np.full(1, 5e-4), np.ones(1), np.ones(1)), output=exit_(1)),
        np.ones((5, 1)),
        {},
        r"Node 'n' \(LI\) tau: expected at least the time step of 0.001 s \(got 0.0005\). Take a smaller step",
    ),
    "equal constants": (
        chain(input=entrance(1), n=nir.CubaLI(*[np.full(1, 5e-3)] * 4), output=exit_(1)),
        np.ones((5, 1)),
        {"method": "exact"},
        "tau_syn other than tau_mem",
    ),
    "odd delay": (
        chain(input=entrance(1), late=nir.Delay(np.full(1, 1.5e-3)), output=exit_(1)),
        np.ones((5, 1)),
        {},
        r"Node 'late' \(Delay\): expected multiples of the step of 0.001 s \(got '0.0015 s'\)",
    ),
    "delayed potentials": (
        chain(
            input=entrance(1),
            li=nir.LI(*[np.ones(1)] * 3),
            late=nir.Delay(np.full(1, 2e-3)),
            neuron=integrate_and_fire(1),
            output=exit_(1),
        ),
        np.ones((5, 1)),
        {},
        r"Node 'li' \(LI\): expected a path without Delay",
    ),
    "many delays": (
        chain(
            input=entrance(300),
            a=integrate_and_fire(300),
            late=nir.Delay(np.arange(300) * 1e-3),
            b=integrate_and_fire(300),
            output=exit_(300),
        ),
        np.ones((5, 300)),
        {},
        r"Node 'late' \(Delay\): expected at most 256 different delays \(got 300\)",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_run(case: str) -> None:
    graph, inputs, kwds, message = REFUSED[case]
    with pytest.raises(ConversionError, match=message):
        run(read_nir(graph), inputs, **kwds)


def test_too_many_synapses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes in a row are multiplied into a list, which must not be too long."""
    one, other, weight = integrate_and_fire(2, 4, 4), integrate_and_fire(3, 4, 4), normal(3, 2, 3, 3)
    scale, conv = nir.Scale(normal(2, 4, 4)), nir.Conv2d((4, 4), weight, 1, 1, 1, 1, np.zeros(3))
    graph = chain(input=entrance(2, 4, 4), one=one, scale=scale, conv=conv, other=other, output=exit_(3, 4, 4))
    inputs = RNG.random((20, 2, 4, 4))
    compare(graph, run(read_nir(graph), inputs, record="one"), inputs, list(graph.nodes))
    monkeypatch.setattr(affine, "MOST_SYNAPSES", 500)
    with pytest.raises(ConversionError, match=r"Layer 'conv' .*at most 500 synapses .*\(got 864\).*or neurons"):
        run(read_nir(graph), inputs)


def test_a_delay_beside_other_nodes() -> None:
    one, other = integrate_and_fire(2, 4, 4), integrate_and_fire(32)
    flat = nir.Flatten({"input": np.array([2, 4, 4])}, 0, -1)
    late = nir.Delay(np.full(32, 2e-3))
    graph = chain(input=entrance(2, 4, 4), one=one, flat=flat, late=late, other=other, output=exit_(32))
    inputs = RNG.random((20, 2, 4, 4))
    compare(graph, run(read_nir(graph), inputs, record="one"), inputs, list(graph.nodes))
