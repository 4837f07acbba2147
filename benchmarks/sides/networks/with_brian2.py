"""The networks as a user of Brian2 writes them: ``NeuronGroup``, ``Synapses``, ``PoissonInput``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from brian2 import Hz, Mohm, Network, NeuronGroup, PoissonInput, SpikeMonitor, Synapses, ms, mV, nS, pA, pF, second

from sides.networks import published as p
from sides.networks.programs import Model

# One current for both signs, as the papers of Brunel's and of the microcircuit have it.
DELTA = "dv/dt = -v/tau_m : volt (unless refractory)"
CUBA = """
dv/dt = (-49*mV - v + R*(I_exc - I_inh))/(20*ms) : volt (unless refractory)
dI_exc/dt = -I_exc/(5*ms) : amp
dI_inh/dt = -I_inh/(10*ms) : amp
"""
COBA = """
dv/dt = (10*nS*(-60*mV - v) + g_exc*(0*mV - v) + g_inh*(-80*mV - v))/(200*pF) : volt (unless refractory)
dg_exc/dt = -g_exc/(5*ms) : siemens
dg_inh/dt = -g_inh/(10*ms) : siemens
"""
CURRENT = """
dv/dt = (-65*mV - v)/(10*ms) + I_syn/(250*pF) : volt (unless refractory)
dI_syn/dt = -I_syn/(0.5*ms) : amp
J_out : amp (constant)
delay_mean : second (constant)
delay_sd : second (constant)
"""
UNITS = {"mV": mV, "ms": ms, "nS": nS, "pA": pA, "pF": pF, "second": second}


def cuba(scale: float) -> Model:
    sizes = p.CUBA.scaled(scale)
    cells = _vogels(CUBA, sizes, "exact", {**UNITS, "R": 100 * Mohm})
    cells.v = "-60*mV + rand()*10*mV"
    return _vogels_model(cells, sizes, scale, "I", p.CUBA_WEIGHTS, "pA")


def coba(scale: float) -> Model:
    sizes = p.COBA.scaled(scale)
    cells = _vogels(COBA, sizes, "exponential_euler", UNITS)
    for name, unit in (("v", "mV"), ("g_exc", "nS"), ("g_inh", "nS")):
        mean, deviation = p.COBA_START[name]
        setattr(cells, name, f"({mean} + {deviation}*randn())*{unit}")
    return _vogels_model(cells, sizes, scale, "g", p.COBA_WEIGHTS, "nS")


def _vogels(equations: str, sizes: dict[str, int], method: str, namespace: dict[str, Any]) -> NeuronGroup:
    return NeuronGroup(
        sum(sizes.values()),
        equations,
        threshold="v > -50*mV",
        reset="v = -60*mV",
        refractory=5 * ms,
        method=method,
        namespace=namespace,
        name="cells",
    )


def _vogels_model(
    cells: NeuronGroup, sizes: dict[str, int], scale: float, onto: str, weights: dict[str, float], unit: str
) -> Model:
    parts = _parts(cells, sizes)
    wires = []
    for name, suffix in (("E", "exc"), ("I", "inh")):
        on_pre = f"{onto}_{suffix}_post += {weights[name]}*{unit}"
        wires.append(Synapses(parts[name], cells, on_pre=on_pre, namespace=UNITS, name=f"from_{name}"))
        wires[-1].connect(p=p.CHANCE / scale)
    return _model(cells, parts, *wires)


def brunel(scale: float) -> Model:
    sizes = p.BRUNEL.scaled(scale)
    cells = _delta(sizes)
    parts = _parts(cells, sizes)
    wires = []
    for name, weight in p.BRUNEL_WEIGHTS.items():
        wires.append(
            Synapses(parts[name], cells, on_pre=f"v_post += {weight}*mV", namespace=UNITS, name=f"from_{name}")
        )
        _fixed_indegree(wires[-1], p.INDEGREES[name])
        wires[-1].delay = p.BRUNEL_DELAY * ms
    drive = PoissonInput(cells, "v", p.INDEGREES["E"], p.EXTERNAL_RATE * Hz, p.J * mV)
    return _model(cells, parts, *wires, drive)


def plastic(scale: float) -> Model:
    sizes = p.PLASTIC.scaled(scale)
    cells = _delta(sizes)
    parts = _parts(cells, sizes)
    rule = {**p.STDP, "tau_plus": p.STDP["tau_plus"] * ms, "tau_minus": p.STDP["tau_minus"] * ms, **UNITS}
    learns = Synapses(
        parts["E"],
        parts["E"],
        """w : 1
        dx/dt = -x/tau_plus : 1 (event-driven)
        dy/dt = -y/tau_minus : 1 (event-driven)""",
        on_pre=f"v_post += w*{p.J}*mV; w = clip(w - A_minus*y, 0, w_max); x += 1",
        on_post="w = clip(w + A_plus*x, 0, w_max); y += 1",
        namespace=rule,
        name="learns",
    )
    wires = [learns]
    for source, target in (("E", "I"), ("I", "E"), ("I", "I")):
        on_pre = f"v_post += {p.PLASTIC_WEIGHTS[source]}*mV"
        wires.append(
            Synapses(parts[source], parts[target], on_pre=on_pre, namespace=UNITS, name=f"from_{source}_to_{target}")
        )
    shortest, longest = p.PLASTIC_DELAYS
    for wire, source in zip(wires, "EEII", strict=True):
        _fixed_indegree(wire, p.PLASTIC_INDEGREES[source])
        wire.pre.delay = f"{shortest}*ms + {longest - shortest}*ms*rand()"
    learns.w = 1
    drive = PoissonInput(cells, "v", p.PLASTIC_INDEGREES["E"], p.PLASTIC_EXTERNAL_RATE * Hz, p.J * mV)
    return _model(cells, parts, *wires, drive, learnt=learns.variables["w"])


def _delta(sizes: dict[str, int]) -> NeuronGroup:
    return NeuronGroup(
        sum(sizes.values()),
        DELTA,
        threshold=f"v >= {p.THETA}*mV",
        reset=f"v = {p.V_RESET}*mV",
        refractory=p.T_REF * ms,
        method="exact",
        namespace={**UNITS, "tau_m": p.TAU_M * ms},
        name="cells",
    )


def _fixed_indegree(wires: Synapses, number: int) -> None:
    wires.connect(i=f"int(rand()*N_pre) for _ in range({number})")


def microcircuit(scale: float) -> Model:
    """One group of all neurons and one of their synapses, since each ``Synapses`` is compiled."""
    sizes = p.MICROCIRCUIT.scaled(scale)
    rng = np.random.default_rng(1)
    indegrees = {f"from_{name}": np.zeros(sum(sizes.values()), dtype=int) for name in sizes}
    begins = dict(zip(sizes, np.cumsum([0, *sizes.values()]).tolist(), strict=False))
    for bundle in p.bundles(scale):
        size = sizes[bundle.target]
        drawn = rng.multinomial(bundle.synapses, np.full(size, 1 / size))
        indegrees[f"from_{bundle.source}"][begins[bundle.target] :][:size] = drawn
    declared = "".join(f"{name} : integer (constant)\n" for name in indegrees)
    cells = NeuronGroup(
        sum(sizes.values()),
        CURRENT + declared,
        threshold="v >= -50*mV",
        reset="v = -65*mV",
        refractory=2 * ms,
        method="exact",
        namespace=UNITS,
        name="cells",
    )
    parts = _parts(cells, sizes)
    drives = []
    for name, part in parts.items():
        mean, deviation = p.STARTS[name]
        part.v = p.normal(rng, mean, deviation, sizes[name]) * mV
        part.J_out = p.WEIGHT * (1 if name.endswith("E") else p.INHIBITION) * pA
        part.delay_mean, part.delay_sd = (value * ms for value in p.DELAYS[name[-1]])
        drives.append(PoissonInput(part, "I_syn", p.BACKGROUND[name], p.BACKGROUND_RATE * Hz, p.WEIGHT * pA))
    wires = Synapses(cells, cells, "w : amp (constant)", on_pre="I_syn_post += w", namespace=UNITS, name="wires")
    for name, numbers in indegrees.items():
        setattr(cells, name, numbers)
        begin, size = begins[name.removeprefix("from_")], sizes[name.removeprefix("from_")]
        wires.connect(i=f"{begin} + int(rand()*{size}) for _ in range({name}_post)")
    ends = begins["L23E"] + sizes["L23E"], begins["L4E"], begins["L4I"]
    doubled = f"(1 + int(j < {ends[0]} and i >= {ends[1]} and i < {ends[2]}))"
    wires.w = f"J_out_pre*{doubled}*(1 + {p.WEIGHT_SD}*randn())"
    wires.delay = f"clip(delay_mean_pre + delay_sd_pre*randn(), {p.DT}*ms, 1*second)"
    return _model(cells, parts, wires, *drives)


def _parts(cells: NeuronGroup, sizes: dict[str, int]) -> dict[str, Any]:
    ends = np.cumsum(list(sizes.values())).tolist()
    return {name: cells[end - size : end] for end, (name, size) in zip(ends, sizes.items(), strict=True)}


def _model(cells: NeuronGroup, parts: dict[str, Any], *others: Any, learnt: Any = None) -> Model:
    seen = {name: SpikeMonitor(part, name=f"spikes_{name}") for name, part in parts.items()}
    return Model(Network(cells, *others, *seen.values()), seen, learnt)


NETWORKS: dict[str, Callable[[float], Model]] = {
    "cuba": cuba,
    "coba": coba,
    "brunel": brunel,
    "plastic": plastic,
    "microcircuit": microcircuit,
}
