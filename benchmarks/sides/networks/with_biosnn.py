"""The networks as a user of biosnn writes them: neurons of the catalogue, and connectivity that the program draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from brian2 import Hz, Network, NeuronGroup, SpikeMonitor, ms, mV, nS, pA

import biosnn
from sides.networks import published as p
from sides.networks.programs import Model


def cuba(scale: float) -> Model:
    sizes = p.CUBA.scaled(scale)
    start = {"v": "v_reset + rand()*(v_th - v_reset)"}
    cells = biosnn.neurons(sum(sizes.values()), "lif_exp", values=start, name="cells")
    return _vogels(cells, sizes, scale, "I", p.CUBA_WEIGHTS, pA)


def coba(scale: float) -> Model:
    sizes = p.COBA.scaled(scale)
    units = {"v": "mV", "g_exc": "nS", "g_inh": "nS"}
    start = {name: f"({mean} + {sd}*randn())*{units[name]}" for name, (mean, sd) in p.COBA_START.items()}
    cells = biosnn.neurons(sum(sizes.values()), "lif_cond", values=start, name="cells")
    return _vogels(cells, sizes, scale, "g", p.COBA_WEIGHTS, nS)


def _vogels(
    cells: NeuronGroup, sizes: dict[str, int], scale: float, onto: str, weights: dict[str, float], unit: Any
) -> Model:
    parts = _parts(cells, sizes)
    kind = biosnn.FixedProbability(p.CHANCE / scale)
    wires = [
        biosnn.synapses(
            parts[name],
            cells,
            "static",
            onto=f"{onto}_{suffix}",
            gain=weights[name] * unit,
            connect=kind,
            name=f"from_{name}",
        )
        for name, suffix in (("E", "exc"), ("I", "inh"))
    ]
    return _model(cells, parts, *wires)


def brunel(scale: float) -> Model:
    sizes = p.BRUNEL.scaled(scale)
    cells = biosnn.neurons(sum(sizes.values()), "lif_psc_delta", name="cells")
    parts = _parts(cells, sizes)
    wires = [
        biosnn.synapses(
            parts[name],
            cells,
            "static",
            onto="v",
            gain=weight * mV,
            connect=biosnn.FixedIndegree(p.INDEGREES[name]),
            delay=p.BRUNEL_DELAY * ms,
            name=f"from_{name}",
        )
        for name, weight in p.BRUNEL_WEIGHTS.items()
    ]
    drive = biosnn.background(cells, "v", n=p.INDEGREES["E"], rate=p.EXTERNAL_RATE * Hz, weight=p.J * mV)
    return _model(cells, parts, *wires, drive)


def plastic(scale: float) -> Model:
    sizes = p.PLASTIC.scaled(scale)
    cells = biosnn.neurons(sum(sizes.values()), "lif_psc_delta", name="cells")
    parts = _parts(cells, sizes)
    shortest, longest = p.PLASTIC_DELAYS
    rule = {**p.STDP, "tau_plus": p.STDP["tau_plus"] * ms, "tau_minus": p.STDP["tau_minus"] * ms, "w": 1.0}
    wires = {
        (source, target): biosnn.synapses(
            parts[source],
            parts[target],
            "stdp_pair" if source == target == "E" else "static",
            connect=biosnn.FixedIndegree(p.PLASTIC_INDEGREES[source]),
            onto="v",
            gain=p.PLASTIC_WEIGHTS[source] * mV,
            delay=f"{shortest}*ms + {longest - shortest}*ms*rand()",
            values=rule if source == target == "E" else None,
            name=f"from_{source}_to_{target}",
        )
        for source in parts
        for target in parts
    }
    rate = p.PLASTIC_EXTERNAL_RATE * Hz
    drive = biosnn.background(cells, "v", n=p.PLASTIC_INDEGREES["E"], rate=rate, weight=p.J * mV)
    return _model(cells, parts, *wires.values(), drive, learnt=wires["E", "E"].variables["w"])


def microcircuit(scale: float) -> Model:
    """Excitatory populations first, so that the synapses of all of them are one projection, and the others another."""
    plan = p.MICROCIRCUIT.scaled(scale)
    sizes = {name: plan[name] for sign in "EI" for name in plan if name.endswith(sign)}
    number = list(sizes.values())
    starts = np.repeat([p.STARTS[name] for name in sizes], number, axis=0)
    start = np.random.default_rng(1).normal(starts[:, 0], starts[:, 1]) * mV
    cells = biosnn.neurons(sum(number), "lif_psc_exp", values={"v": start}, name="cells")
    totals = {(bundle.source, bundle.target): bundle.synapses for bundle in p.bundles(scale)}
    # Those from layer 4 to layer 2/3 are twice as strong.
    strength = {"E": "1 + int(source_population == 1 and target_population == 0)", "I": str(p.INHIBITION)}
    wires = []
    for sign, sources in (("E", cells[: sum(number[:4])]), ("I", cells[sum(number[:4]) :])):
        names = [name for name in sizes if name.endswith(sign)]
        n = [[totals.get((source, target), 0) for target in sizes] for source in names]
        mean, deviation = p.DELAYS[sign]
        wires.append(
            biosnn.synapses(
                sources,
                cells,
                "static",
                connect=biosnn.FixedTotal(n, sources=[sizes[name] for name in names], targets=number),
                onto="I_syn",
                gain=p.WEIGHT * pA,
                delay=f"{mean}*ms + {deviation}*ms*randn()",
                values={"w": f"({strength[sign]})*(1 + {p.WEIGHT_SD}*randn())"},
                name=f"from_{sign}",
            )
        )
    outside = np.repeat([p.BACKGROUND[name] for name in sizes], number)
    drive = biosnn.background(cells, "I_syn", n=outside, rate=p.BACKGROUND_RATE * Hz, weight=p.WEIGHT * pA)
    return _model(cells, _parts(cells, sizes), *wires, drive)


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
