"""A trained network as one of NIR: every spike of the forward pass is repeated, a step earlier for each layer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import ms, second
from test_training_brian import ADAPTIVE, LIF, READOUT, RESTS, Made, network, spikes

import biosnn
from biosnn import catalogue
from biosnn.errors import TrainingError
from biosnn.projection import Dense, FixedProbability
from biosnn.training import Connection, Layer, Surrogate, TrainableNetwork, feedforward, to_nir
from biosnn.training.engines.numpy_engine import NumpyEngine

IN_NIR: dict[str, tuple[Made, tuple[str, str]]] = {
    "layers": (network, ("CubaLIF", "CubaLIF")),
    "readout": (lambda: network(readout=READOUT, recurrent=0), ("CubaLIF", "CubaLI")),
    "late and recurrent": (lambda: network(recurrent=3, delay=2), ("CubaLIF", "CubaLIF")),
    "soft reset": (lambda: network("if_soft", (0.3, 0.1), dt=1 * ms), ("IF", "IF")),
    "leaky, soft reset": (lambda: network("lif_soft", (0.3, 0.1), dt=1 * ms), ("LIF", "LIF")),
}


@pytest.mark.parametrize("name", IN_NIR)
def test_a_network_of_nir_repeats_every_spike_a_step_earlier_for_each_layer(name: str, tmp_path: Path) -> None:
    pytest.importorskip("nir")
    from biosnn.nir import read_nir, run_nir

    make, kinds = IN_NIR[name]
    net = make()
    given = spikes(net)
    expected = NumpyEngine(net, Surrogate(), "max_potential").forward(given)
    to_nir(net, tmp_path / "network.nir")
    read = read_nir(tmp_path / "network.nir")
    assert (read.nodes["hidden"].kind, read.nodes["output"].kind) == kinds
    assert read.metadata["dt"] == net.dt
    inputs = np.zeros((3, net.steps, net.inputs))
    np.add.at(inputs, (np.repeat(np.arange(3), 60), given.step, given.neuron), 1)
    with biosnn.session("numpy", dt=net.dt * second) as sim:
        run = run_nir(sim, read, inputs, record=["hidden"])
    for earlier, (layer, found) in enumerate(run.spikes.items(), 1):
        one = expected.spikes[layer]
        trains = np.zeros_like(found)
        trains[np.repeat(np.arange(3), np.diff(one.indptr)), one.step, one.neuron] = True
        assert trains.sum() > 100
        np.testing.assert_array_equal(trains[:, earlier:], found[:, :-earlier])
        assert not trains[:, :earlier].any()
    if name == "readout":
        largest = run.potentials["output"][:, :-2].max(axis=1)  # the last two steps are none of training
        np.testing.assert_allclose(largest, expected.features, rtol=1e-9)


def test_time_constants_in_nir_are_those_whose_euler_step_is_the_exact_one() -> None:
    pytest.importorskip("nir")
    from biosnn.training.export.to_nir import nir_network

    node: Any = nir_network(feedforward([2, 3, 2], dt=0.5 * ms)).nodes["hidden"]
    kept, decay = np.exp(-0.5 / 5), np.exp(-0.5 / 20)
    np.testing.assert_allclose(node.tau_syn, 5e-4 / (1 - kept), rtol=1e-12)
    np.testing.assert_allclose(node.tau_mem, 5e-4 / (1 - decay), rtol=1e-12)
    np.testing.assert_allclose(node.w_in, 1 / (1 - kept), rtol=1e-12)
    # v after a step is decay*v + tau_s/(tau_m - tau_s)*(decay - kept)*I.
    np.testing.assert_allclose(node.r, 5 / 15 * (decay - kept) / (1 - decay), rtol=1e-12)


STUCK = replace(LIF, name="stuck", initial={"I": "1"})
OTHER_RESET = replace(LIF, name="other_reset", reset="v = v_reset; I = 0")
HARD = catalogue.neuron_model("if_hard")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: network(RESTS), r"layer 'hidden': expected no refractory period \(got 't_ref'\). NIR cannot say"),
        (lambda: network(ADAPTIVE), "expected a membrane potential and one current at most .got 'v, I, a'"),
        (lambda: network("qif"), "expected a linear model, whose step depends on its parameters only .got 'qif'"),
        (lambda: network(HARD), "expected spikes that add to a current"),
        (lambda: network(STUCK), "expected that I begins at 0"),
        (lambda: network(OTHER_RESET), "expected a reset that sets v to a value, or takes the threshold off it"),
        (lambda: network(kinds=(FixedProbability(0.5, seed=1), Dense())), "expected a kind whose synapses are known"),
        (
            lambda: TrainableNetwork(
                2, [Layer("a", 2, LIF), Layer("b", 2, LIF)], [Connection("input", "a", np.ones((2, 2)))]
            ),
            "layer 'b': expected a layer that connections lead to",
        ),
    ],
)
def test_what_nir_cannot_say_is_refused(make: Made, message: str) -> None:
    from biosnn.training.export.to_nir import nir_network

    with pytest.raises(TrainingError, match=message):
        nir_network(make())
