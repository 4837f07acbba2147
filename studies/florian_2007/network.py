"""The network of Florian (2007), section 4.2, and the critic that rewards its output."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import Hz, Network, NeuronGroup, SpikeMonitor, Synapses, ms, mV

from biosnn.groups.build import neurons, synapses
from biosnn.inputs import images, poisson
from biosnn.learning.reward import follow
from biosnn.projection import Dense

DT, TAU, TAU_Z = 1 * ms, 20 * ms, 25 * ms
SHOWN = 500 * ms
INPUTS, HIDDEN, W_MAX = 60, 60, 5.0  # mV
RATE = 40 * Hz
GAMMA = {"mstdpet": 0.625, "mstdp": 0.1}  # mV
PATTERNS = [(0, 0), (0, 1), (1, 0), (1, 1)]
SIGNS = (-1, 0, 1)
"""What a spike of the output is worth."""
CELL: dict[str, Any] = {"tau_m": TAU, "v_rest": -70 * mV, "v_th": -54 * mV, "v_reset": -70 * mV, "t_ref": 0 * ms}


def build(presentations: int) -> tuple[Network, SpikeMonitor, list[Any]]:
    """The network, the spikes of its output, and its synapses.

    An image has the two bits, and what spikes are worth while it is shown; they come in the order of PATTERNS, each
    with all of SIGNS.
    """
    shown = np.array([(*pattern, sign) for pattern in PATTERNS for sign in SIGNS])
    shows = images(shown, period=SHOWN, presentation_order=np.zeros(presentations, int), name="shows")
    inputs = poisson(INPUTS, 0 * Hz, name="inputs")
    bits = np.zeros((3, INPUTS))
    bits[0, : INPUTS // 2] = bits[1, INPUTS // 2 :] = 1
    shows.drive(inputs, "rates", bits * RATE, Dense())
    hidden = neurons(HIDDEN, "lif_psc_delta", values=CELL, name="hidden")
    output = neurons(1, "lif_psc_delta", values=CELL, name="output")
    critic, tell = _critic(output)
    shows.drive(critic, "value", np.array([[0.0], [0.0], [1.0]]), Dense())
    # Each quarter of the inputs: bit 1 excites, bit 1 inhibits, bit 2 excites, bit 2 inhibits.
    quarters = [inputs[begin : begin + INPUTS // 4] for begin in range(0, INPUTS, INPUTS // 4)]
    wires = [
        _wires(source, hidden, sign, f"input_{k}")
        for k, (source, sign) in enumerate(zip(quarters, (1, -1, 1, -1), strict=True))
    ]
    wires.append(_wires(hidden, output, 1, "hidden_to_output"))
    for one in wires:
        follow(one, critic, "told")
    spikes = SpikeMonitor(output)
    return Network(shows, inputs, hidden, output, critic, tell, *wires, spikes), spikes, wires


def _critic(output: Any) -> tuple[Any, Any]:
    """What tells all synapses, in the time step after a spike of the output, what it was worth."""
    text = "told : Hz\nvalue : 1\nworth : Hz (shared, constant)"
    critic = NeuronGroup(1, text, namespace={}, name="critic")
    # Synapses have read it by then; the spikes of this time step follow.
    critic.run_regularly("told = 0*Hz", when="thresholds", name="critic_forgets")
    tell = Synapses(output, critic, on_pre="told_post = worth_post*value_post", namespace={}, name="tell")
    tell.connect()
    return critic, tell


def _wires(source: Any, target: Any, sign: int, name: str) -> Any:
    """Synapses of one sign, all to all, in which a weight is the size of a jump in mV.

    What arrives in a time step decays before it is compared with the threshold, and two spikes at once count as pre
    before post only: both are made up for.
    """
    one_step = float(np.exp(DT / TAU))
    given = {"A_plus": float(sign), "A_minus": sign * one_step, "tau_plus": TAU, "tau_minus": TAU, "w_max": W_MAX}
    given["w"] = f"{W_MAX}*rand()"
    gain = sign * one_step * mV
    return synapses(source, target, "rstdp", onto="v", gain=gain, connect=Dense(), values=given, name=name)
