"""A neuron and a synapse that have every field, as they are given to a model; `MORE` also has events and functions."""

from __future__ import annotations

from typing import Any

from biosnn.model import Event, Given, Input, Parameter, Trace

NEURON: dict[str, Any] = {
    "name": "cell",
    "summary": "A leaky membrane.",
    "source": "Somebody 1907",
    "equations": "dv/dt = (leak + drive)/tau : volt (unless refractory)\nleak = -v : volt\ndg/dt = -g/tau : 1",
    "threshold": "v > v_th",
    "reset": "v = 0*mV; g += 1",
    "refractory": "2*ms",
    "method": "euler",
    "parameters": {"tau": Parameter("10 ms", "time constant"), "v_th": Parameter("1 mV", "threshold")},
    "inputs": {"drive": Input("value", "drive", "2 mV"), "g": Input("spikes", "arrivals")},
    "initial": {"v": "v_th*rand()"},
    "presets": {"quick-2": {"tau": "1 ms"}},
    "notes": "Nothing else.",
}
MORE: dict[str, Any] = {
    **NEURON,
    "equations": NEURON["equations"].replace("leak + drive", "leak + drive + wave(t)"),
    "events": {"high": Event("v > 2*v_th", "a high membrane", "g += 1")},
    "functions": {"wave": Given("second", "volt", "stimulus")},
}
SYNAPSE: dict[str, Any] = {
    "name": "rule",
    "summary": "A pair rule.",
    "source": "Somebody 1998",
    "equations": "w : 1\ndc/dt = -c/tau_s : 1 (event-driven)",
    "on_pre": "w = clip(w - y, 0, 1); c += 1",
    "on_post": "w = clip(w + x*reward + 0*v_post/mV, 0, 1)",
    "transmits": "w*c",
    "method": "euler",
    "parameters": {"tau_s": Parameter("10 ms", "time constant")},
    "traces": {
        "x": Trace("pre", "dx/dt = -x/tau_s : 1", "x += 1", "trace", "0"),
        "y": Trace("post", "dy/dt = -y/tau_s : 1", "y += 1", "trace", "1/2"),
    },
    "inputs": {"reward": Input("value", "reward", "1")},
    "uses": {"v_post": "volt"},
    "initial": {"w": "0.5"},
    "presets": {"quick": {"tau_s": "1 ms"}},
    "notes": "Nothing else.",
}
