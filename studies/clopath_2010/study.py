"""Does a rule that looks at the membrane potential change synapses with the frequency of pairing as cells do?

Clopath, Busing, Vasilaki & Gerstner (2010) let a synapse weaken when its spike meets a depolarised membrane, and grow
while the membrane is high above threshold, if it was depolarised before. Spikes of two cells are paired 10 ms apart, in
both orders, as Sjostrom et al. did in 2001. NEST's own test of its synapse has the weights. Without the filters that
remember the membrane potential, nothing must be left of it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Hz, Network, Quantity, SpikeGeneratorGroup, StateMonitor, ms, mV

from biosnn.engine import Simulation
from biosnn.errors import SettingsError, field_error
from biosnn.groups.build import neurons, synapses
from biosnn.study import Claim, Result, setting

TARGET = "cpp"
ANSWER = (
    "Pairing at 10 Hz takes the weight to {weight, post-pre, 10 Hz} % (post before pre) and {weight, pre-"
    "post, 10 Hz} % (pre before post), pairing at 50 Hz to {weight, post-pre, 50 Hz} % and {weight, pre-post,"
    " 50 Hz} %."
)
DT = 0.1 * ms
WEIGHT = 0.5
NEVER = "1000000 second"
FREQUENCIES = (10.0, 30.0, 50.0)
ORDERS = {"post-pre": -1, "pre-post": +1}
# Presynaptic and postsynaptic spikes (ms), as in NEST's test, whose times at 30 Hz are rounded one by one.
PROTOCOL = {
    ("post-pre", 10.0): ((29.0, 129.0, 229.0, 329.0, 429.0), (19.0, 119.0, 219.0, 319.0, 419.0)),
    ("post-pre", 30.0): ((29.0, 62.3, 95.7, 129.0, 162.3), (19.0, 52.3, 85.7, 119.0, 152.3)),
    ("post-pre", 50.0): ((29.0, 49.0, 69.0, 89.0, 109.0), (19.0, 39.0, 59.0, 79.0, 99.0)),
    ("pre-post", 10.0): ((129.0, 229.0, 329.0, 429.0, 529.0, 629.0), (139.0, 239.0, 339.0, 439.0, 539.0)),
    ("pre-post", 30.0): ((62.3, 95.6, 129.0, 162.3, 195.6, 229.0), (72.3, 105.6, 139.0, 172.3, 205.6)),
    ("pre-post", 50.0): ((49.0, 69.0, 89.0, 109.0, 129.0, 149.0), (59.0, 79.0, 99.0, 119.0, 139.0)),
}
METHOD = """\
A neuron of the model `adex_clopath` is made to spike by jumps of its membrane potential of 80 mV; a synapse of the
model `clopath`, with a weight of 0.5, joins a train of spikes to it and moves it by 0.5 mV. Five pairs of spikes change
the weight. As in the paper's figure 2 and in NEST's test, fifteen such blocks are taken to change it by fifteen times
as much; the weight is given in per cent of the first one.

Before post, a sixth presynaptic spike reads the weight, as in NEST; its postsynaptic partner is left out. NEST's pre-
synaptic spikes reach the synapse with a dendritic delay of 0.1 ms; here they come 0.1 ms earlier.

The control is the same cell with its filters off: their time constants are a million seconds, so that the rule sees the
membrane potential of the moment and none of the past."""


@dataclass(frozen=True)
class Settings:
    frequencies: tuple[Quantity, ...] = setting(
        tuple(f * Hz for f in FREQUENCIES), "pairings per second: 10, 30, 50 Hz"
    )
    amplitude: Quantity = setting(80 * mV, "jump that makes the cell spike", minimum=30 * mV)


def run(settings: Settings, sim: Simulation) -> Result:
    sim.reset(dt=DT)
    chosen = [round(float(f / Hz), 6) for f in settings.frequencies]
    if not chosen or not set(chosen) <= set(FREQUENCIES):
        raise SettingsError(field_error("frequencies", "some of 10, 30 and 50 Hz", settings.frequencies))
    conditions = [(order, f) for order in ORDERS for f in chosen]
    pre = _train([np.array(PROTOCOL[c][0]) - 0.1 for c in conditions], "pre")
    post = _train([np.array(PROTOCOL[c][1]) for c in conditions], "post")
    each: Any = np.arange(len(conditions))
    parts: list[Any] = [pre, post]
    wires, traces = {}, {}
    for name, changed in (("filters", {}), ("no filters", {"tau_plus": NEVER, "tau_minus": NEVER})):
        # In Brian2's order of names, cells take their step before weights that look at them do.
        label = name.replace(" ", "_")
        cells = neurons(len(conditions), "adex_clopath", values=changed, name=f"cells_{label}")
        force = synapses(post, cells, "static", onto="v", gain=settings.amplitude, connect=(each, each))
        given = {"onto": "v", "gain": 1 * mV, "connect": (each, each), "values": {"w": WEIGHT}}
        wires[name] = synapses(pre, cells, "clopath", name=f"weights_{label}", **given)
        traces[name] = StateMonitor(cells, ["u", "u_plus"], record=True)
        parts += [cells, force, wires[name], traces[name]]
    last = max(max(PROTOCOL[c][0]) for c in conditions)
    sim.run(Network(*parts), (last + 5) * ms, "pairing")
    return _result(conditions, chosen, wires, traces)


def _train(trains: Any, name: str) -> SpikeGeneratorGroup:
    indices = np.concatenate([np.full(len(train), k) for k, train in enumerate(trains)])
    return SpikeGeneratorGroup(len(trains), indices, np.concatenate(trains) * ms, name=name)


def _result(conditions: Any, chosen: list[float], wires: Any, traces: Any) -> Result:
    percent = {name: 100 + 1500 * (np.array(wire.w[:]) - WEIGHT) / WEIGHT for name, wire in wires.items()}
    values: dict[str, Any] = {
        f"weight, {order}, {f:g} Hz": float(w) for (order, f), w in zip(conditions, percent["filters"], strict=True)
    }
    values["largest change without filters"] = float(np.abs(percent["no filters"] - 100).max())
    values["highest membrane potential"] = traces["filters"].u[:].max()
    shape = (len(ORDERS), len(chosen))
    arrays = {
        "frequency": np.array(chosen) * Hz,
        "orders": np.array(list(ORDERS)),
        "weight": percent["filters"].reshape(shape),
        "weight without filters": percent["no filters"].reshape(shape),
        "time": traces["filters"].t[:],
        "membrane potential": traces["filters"].u[len(chosen) - 1],
        "filtered": traces["filters"].u_plus[len(chosen) - 1],
    }
    whole = tuple(chosen) == FREQUENCIES
    left_out = [f"weight, {order}, {f:g} Hz" for order in ORDERS for f in FREQUENCIES if f not in chosen]
    return Result(values, arrays, not_applicable=left_out if whole else [*left_out, "frequency", "crossing"])


def _active(result: Result) -> bool:
    """The cells have spiked, and weights have moved."""
    moved = np.abs(result.arrays["weight"] - 100).max()
    return bool(result.values["highest membrane potential"] > 0 * mV and moved > 20)


CLAIMS = [
    Claim(
        "frequency",
        "In both orders the weight grows with the frequency of pairing.",
        lambda result: bool((np.diff(result.arrays["weight"], axis=1) > 0).all()),
        _active,
    ),
    Claim(
        "crossing",
        "Post before pre depresses at 10 and 30 Hz and potentiates at 50 Hz.",
        lambda result: bool((result.arrays["weight"][0, :2] < 90).all() and result.arrays["weight"][0, 2] > 110),
        _active,
    ),
    Claim(
        "control: no filters",
        "Without filtered membrane potentials no weight changes by more than 1 %.",
        lambda result: bool(result.values["largest change without filters"] < 1),
        _active,
    ),
]
