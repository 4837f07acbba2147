"""The networks as a user of NEST writes them: python -m sides.networks.with_nest NETWORK SCALE SECONDS.

It runs in an interpreter that has NEST, tells what the other programs tell, and leaves its spikes in its folder.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import nest
import numpy as np

from sides.networks import published as p

MARK = "benchmark"


@dataclass
class Made:
    """What was created: populations, and how to connect them, which is measured apart."""

    parts: dict[str, Any]
    connect: Callable[[], None]
    learnt: Callable[[], float] | None = None
    recorders: dict[str, Any] = field(default_factory=dict)


def cuba(scale: float) -> Made:
    values = {
        "C_m": 200.0,
        "tau_m": 20.0,
        "E_L": -49.0,
        "V_th": -50.0,
        "V_reset": -60.0,
        "t_ref": 5.0,
        "tau_syn_ex": 5.0,
        "tau_syn_in": 10.0,
    }
    parts = _create("iaf_psc_exp", p.CUBA.scaled(scale), values)
    for part in parts.values():
        part.V_m = nest.random.uniform(-60.0, -50.0)
    return Made(parts, lambda: _vogels(parts, p.CUBA_WEIGHTS, scale))


def coba(scale: float) -> Made:
    values = {
        "C_m": 200.0,
        "g_L": 10.0,
        "E_L": -60.0,
        "V_th": -50.0,
        "V_reset": -60.0,
        "t_ref": 5.0,
        "E_ex": 0.0,
        "E_in": -80.0,
        "tau_syn_ex": 5.0,
        "tau_syn_in": 10.0,
    }
    parts = _create("iaf_cond_exp", p.COBA.scaled(scale), values)
    rng = np.random.default_rng(1)
    for part in parts.values():
        for name, state in (("v", "V_m"), ("g_exc", "g_ex"), ("g_inh", "g_in")):
            drawn = p.normal(rng, *p.COBA_START[name], len(part))
            # NEST takes no conductance below zero, which a hundredth of these are.
            part.set({state: drawn if name == "v" else np.clip(drawn, 0, None)})
    return Made(parts, lambda: _vogels(parts, p.COBA_WEIGHTS, scale))


def _vogels(parts: dict[str, Any], weights: dict[str, float], scale: float) -> None:
    for name, part in parts.items():
        weight = weights[name] * (1 if name == "E" else -1)
        # The shortest delay that NEST has is one step.
        synapse = {"weight": weight, "delay": p.DT}
        nest.Connect(part, parts["E"] + parts["I"], {"rule": "pairwise_bernoulli", "p": p.CHANCE / scale}, synapse)


def brunel(scale: float) -> Made:
    parts = _create("iaf_psc_delta", p.BRUNEL.scaled(scale), _delta())
    rate = p.INDEGREES["E"] * p.EXTERNAL_RATE

    def connect() -> None:
        cells = parts["E"] + parts["I"]
        for name, weight in p.BRUNEL_WEIGHTS.items():
            rule = {"rule": "fixed_indegree", "indegree": p.INDEGREES[name]}
            nest.Connect(parts[name], cells, rule, {"weight": weight, "delay": p.BRUNEL_DELAY})
        _drive(rate, cells, p.J)

    return Made(parts, connect)


def plastic(scale: float) -> Made:
    parts = _create("iaf_psc_delta", p.PLASTIC.scaled(scale), {**_delta(), "tau_minus": p.STDP["tau_minus"]})
    rule = {
        "Wmax": p.STDP["w_max"] * p.J,
        "lambda": p.STDP["A_plus"] / p.STDP["w_max"],
        "alpha": p.STDP["A_minus"] / p.STDP["A_plus"],
        "tau_plus": p.STDP["tau_plus"],
        "mu_plus": 0.0,
        "mu_minus": 0.0,
    }
    nest.CopyModel("stdp_synapse", "learns", rule)

    def connect() -> None:
        # NEST counts a delay as the dendrite's, so that its synapse sees the presynaptic spike at once and the
        # postsynaptic one late: weights differ a little from those of the others.
        for source in parts:
            for target in parts:
                synapse = {
                    "synapse_model": "learns" if source == target == "E" else "static_synapse",
                    "weight": p.PLASTIC_WEIGHTS[source],
                    "delay": nest.random.uniform(*p.PLASTIC_DELAYS),
                }
                indegree = {"rule": "fixed_indegree", "indegree": p.PLASTIC_INDEGREES[source]}
                nest.Connect(parts[source], parts[target], indegree, synapse)
        _drive(p.PLASTIC_INDEGREES["E"] * p.PLASTIC_EXTERNAL_RATE, parts["E"] + parts["I"], p.J)

    def learnt() -> float:
        some = nest.GetConnections(parts["E"][:100], synapse_model="learns")
        return float(np.mean(some.weight)) / p.J

    return Made(parts, connect, learnt)


def microcircuit(scale: float) -> Made:
    values = {
        "C_m": 250.0,
        "tau_m": 10.0,
        "E_L": -65.0,
        "V_th": -50.0,
        "V_reset": -65.0,
        "t_ref": 2.0,
        "tau_syn_ex": 0.5,
        "tau_syn_in": 0.5,
    }
    parts = _create("iaf_psc_exp", p.MICROCIRCUIT.scaled(scale), values)
    for name, part in parts.items():
        part.V_m = nest.random.normal(*p.STARTS[name])

    def connect() -> None:
        for bundle in p.bundles(scale):
            deviation = abs(bundle.weight) * p.WEIGHT_SD
            delay = nest.math.redraw(nest.random.normal(*bundle.delay), min=0.5 * p.DT, max=1000.0)
            synapse = {"weight": nest.random.normal(bundle.weight, deviation), "delay": delay}
            rule = {"rule": "fixed_total_number", "N": bundle.synapses}
            nest.Connect(parts[bundle.source], parts[bundle.target], rule, synapse)
        for name, part in parts.items():
            _drive(p.BACKGROUND[name] * p.BACKGROUND_RATE, part, p.WEIGHT)

    return Made(parts, connect)


def _create(model: str, sizes: dict[str, int], values: dict[str, float]) -> dict[str, Any]:
    return {name: nest.Create(model, size, params=values) for name, size in sizes.items()}


def _delta() -> dict[str, float]:
    rest = {"C_m": 1.0, "E_L": 0.0, "V_m": 0.0}
    return {**rest, "tau_m": p.TAU_M, "V_th": p.THETA, "V_reset": p.V_RESET, "t_ref": p.T_REF}


def _drive(rate: float, cells: Any, weight: float) -> None:
    source = nest.Create("poisson_generator", params={"rate": rate})
    nest.Connect(source, cells, syn_spec={"weight": weight, "delay": p.BRUNEL_DELAY})


def _memory(field_name: str) -> float:
    with open("/proc/self/status") as status:
        return next(1024.0 * int(line.split()[1]) for line in status if line.startswith(field_name))


def _tell(name: str, value: float) -> None:
    print(MARK, name, value)


def main(network: str, scale: float, seconds: float) -> None:
    nest.ResetKernel()
    nest.resolution = p.DT
    nest.rng_seed = 1
    began = time.process_time()
    made = NETWORKS[network](scale)
    _tell("begin", _memory("VmRSS"))
    made.connect()
    for name, part in made.parts.items():
        made.recorders[name] = nest.Create("spike_recorder")
        nest.Connect(part, made.recorders[name])
    nest.Prepare()
    _tell("construction", time.process_time() - began)
    began = time.process_time()
    nest.Run(1000 * seconds)
    _tell("simulation", time.process_time() - began)
    nest.Cleanup()
    _tell("peak", _memory("VmHWM"))
    if made.learnt is not None:
        _tell("weight", made.learnt())
    for name, recorder in made.recorders.items():
        seen = recorder.events
        seen["senders"].astype(np.int32).tofile(f"spikes_{name}_i")
        (seen["times"] / 1000).tofile(f"spikes_{name}_t")


NETWORKS: dict[str, Callable[[float], Made]] = {
    "cuba": cuba,
    "coba": coba,
    "brunel": brunel,
    "plastic": plastic,
    "microcircuit": microcircuit,
}

if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))
