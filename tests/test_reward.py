"""A reward that a neuron releases reaches synapses at every moment, and what does not fit is refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from brian2 import Hz, Network, NeuronGroup, SpikeGeneratorGroup, ms, second

import biosnn
from biosnn.errors import ModelError
from biosnn.learning.reward import follow
from biosnn.projection import Dense


def wired(connect: Any, **values: Any) -> Any:
    pre = SpikeGeneratorGroup(2, [0], [5] * ms, name="pre")
    post = NeuronGroup(1, "v : 1", threshold="v > 1", reset="v = 0", name="post")
    return pre, post, biosnn.synapses(pre, post, "rstdp", onto="", connect=connect, values=values, name="wires")


@pytest.mark.parametrize("target", ["numpy", pytest.param("cpp", marks=pytest.mark.cpp)])
@pytest.mark.parametrize("connect", [True, Dense()])
def test_weight_grows_by_the_integral_of_a_reward_that_changes_times_eligibility(target: str, connect: Any) -> None:
    """dw/dt = d*c with d = 2 Hz*exp(-t/20 ms) and c = 0.1, which hardly fades: 0.1*2 Hz*20 ms."""
    with biosnn.session(target, dt=0.1 * ms) as sim:
        pre, post, wires = wired(connect, tau_c=1e6 * second, w=0.2)
        wires.c = 0.1
        dopamine = NeuronGroup(1, "dd/dt = -d/(20*ms) : Hz", method="exact", name="dopamine")
        dopamine.d = 2 * Hz
        follow(wires, dopamine, "d")
        sim.run(Network(pre, post, wires, dopamine), 200 * ms)
        grown = np.ravel(wires["w"] if isinstance(connect, Dense) else wires.w[:]) - 0.2
    assert np.allclose(grown, 0.1 * 2 * 0.020, rtol=0.01)


def test_what_does_not_fit_is_refused() -> None:
    with biosnn.session("numpy"):
        pre, post, wires = wired(True)
        one = NeuronGroup(1, "d : Hz\nn : 1", name="one")
        two = NeuronGroup(2, "d : Hz", name="two")
        with pytest.raises(ModelError, match=r"No variable of one named 'e'"):
            follow(wires, one, "e")
        with pytest.raises(ModelError, match="a group of one neuron"):
            follow(wires, two, "d")
        with pytest.raises(ModelError, match="a variable with the dimension"):
            follow(wires, one, "n")
        plain = biosnn.synapses(pre, post, "stdp_pair", onto="")
        with pytest.raises(ModelError, match=r"No input of stdp_pair named 'reward'"):
            follow(plain, one, "d")
