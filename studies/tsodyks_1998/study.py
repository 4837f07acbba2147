"""Does a train of spikes depress or facilitate a synapse as the resources of its terminal say?

Tsodyks, Pawelzik & Markram (1998) describe a terminal by resources that are recovered, active or inactive. A spike uses
a share of those that are recovered, and those that it used recover slowly. A depressing and a facilitating synapse,
driven at 20 Hz, are the two halves of their figure 1. NEST's own test of its synapse has the membrane potentials to six
digits. Without recovery the responses must die out in both.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from brian2 import Network, Quantity, SpikeGeneratorGroup, StateMonitor, ms, mV, pA, pF

from biosnn.engine import Simulation
from biosnn.groups.build import neurons, synapses
from biosnn.study import Claim, Result, setting

from .reference import NEST

TARGET = "cpp"
ANSWER = (
    "The depressing synapse takes the membrane to {depressing, V at 1050 ms} at 1050 ms, the facilitating one"
    " to {facilitating, V at 1050 ms}; in NEST it is 0.727 and 4.79 mV."
)
CASES: dict[str, dict[str, Any]] = {
    "depressing": {"tau_m": 40 * ms, "C": 40 * pF, "tau_syn": 3 * ms, "gain": 250 * pA, "first": 98.0, "every": 50.0},
    "facilitating": {
        "tau_m": 60 * ms,
        "C": 60 * pF,
        "tau_syn": 1.5 * ms,
        "gain": 1540 * pA,
        "first": 98.1,
        "every": 50.1,
    },
}
SPIKES = 20
DELAY = 1.1 * ms
NEVER = "1000000 second"
METHOD = """\
Twenty spikes at 20 Hz go through a synapse of the model `tsodyks`, depressing by default or of its preset
`facilitating`, to a neuron `lif_psc_exp` with a membrane resistance of 1 Gohm, whose synaptic current decays as fast as
active resources become inactive. The neuron does not reach its threshold.

The membrane potential is read every 25 ms, and held against the table in NEST's test of its `tsodyks_synapse`. A spike
arrives there 1.1 ms after its time; in Brian2's order it acts from the end of the step in which it arrives, so that the
delay given here is one step shorter.

The control is the same terminal without recovery: its time constant is a million seconds."""


@dataclass(frozen=True)
class Settings:
    duration: Quantity = setting(1200 * ms, "simulated time", minimum=1100 * ms, maximum=10_000 * ms)
    dt: Quantity = setting(0.1 * ms, "time step; it must divide 0.1 ms", minimum=0.01 * ms, maximum=0.1 * ms)


def run(settings: Settings, sim: Simulation) -> Result:
    sim.reset(dt=settings.dt)
    parts: list[Any] = []
    traces: dict[str, Any] = {}
    for case, about in CASES.items():
        times = (about["first"] + about["every"] * np.arange(SPIKES)) * ms
        train = SpikeGeneratorGroup(1, np.zeros(SPIKES, dtype=int), times, name=f"train_{case}")
        parts.append(train)
        for control, changed in (("", {}), (", no recovery", {"tau_rec": NEVER})):
            cell = neurons(1, "lif_psc_exp", values=_membrane(about))
            given = {"onto": "I_syn", "gain": about["gain"], "delay": DELAY - settings.dt, "values": changed}
            preset = "" if case == "depressing" else case
            synapse = synapses(train, cell, "tsodyks", preset=preset, **given)
            traces[case + control] = StateMonitor(cell, "v", record=True)
            parts += [cell, synapse, traces[case + control]]
    sim.run(Network(*parts), settings.duration, "two synapses, with and without recovery")
    return _result(settings, traces)


def _membrane(about: dict[str, Any]) -> dict[str, Any]:
    rest = {"v_rest": 0 * mV, "v_reset": 0 * mV, "v": 0 * mV, "v_th": 15 * mV, "t_ref": 2 * ms}
    return {**rest, "tau_m": about["tau_m"], "C": about["C"], "tau_syn": about["tau_syn"]}


def _result(settings: Settings, traces: dict[str, Any]) -> Result:
    values: dict[str, Any] = {}
    arrays: dict[str, Any] = {}
    every = round(float(25 * ms / settings.dt))
    for name, monitor in traces.items():
        v = monitor.v[0]
        arrays["time"], arrays[name] = monitor.t[:], v
        case = name.split(",")[0]
        peaks = _peaks(monitor.t[:], v, case)
        if name == case:
            sampled = np.asarray(v[::every] / mV)[1 : len(NEST[case]) + 1]
            arrays[f"NEST, {case}"] = np.array(NEST[case][: len(sampled)]) * mV
            values[f"{case}, V at 1050 ms"] = v[42 * every]
            values[f"{case}, V at 1075 ms"] = v[43 * every]
            values[f"{case}, farthest from NEST"] = np.abs(sampled - NEST[case][: len(sampled)]).max() * mV
        values[f"{name}, first peak"], values[f"{name}, last peak"] = peaks[0] * mV, peaks[-1] * mV
    arrays["time of NEST"] = 25 * np.arange(1, len(arrays["NEST, depressing"]) + 1) * ms
    return Result(values, arrays)


def _peaks(t: Any, v: Any, case: str) -> np.ndarray:
    """The highest membrane potential (mV) between each spike and the next."""
    about = CASES[case]
    time, v = np.asarray(t / ms), np.asarray(v / mV)
    begins = about["first"] + about["every"] * np.arange(SPIKES + 1)
    between = pairwise(begins)
    return np.array([v[(time >= low) & (time < high)].max() for low, high in between])


def _active(result: Result) -> bool:
    """The first response is larger than 0.1 mV in every case."""
    return all(result.values[f"{case}, first peak"] > 0.1 * mV for case in CASES)


CLAIMS = [
    Claim(
        "depression",
        "The depressing synapse's last response peaks below a fifth of its first.",
        lambda result: bool(result.values["depressing, last peak"] < result.values["depressing, first peak"] / 5),
        _active,
    ),
    Claim(
        "facilitation",
        "The facilitating synapse's last response peaks above five times its first.",
        lambda result: bool(result.values["facilitating, last peak"] > 5 * result.values["facilitating, first peak"]),
        _active,
    ),
    Claim(
        "control: no recovery",
        "Without recovery the last responses of both synapses are less than half of those with it.",
        lambda result: all(
            result.values[f"{case}, no recovery, last peak"] < result.values[f"{case}, last peak"] / 2 for case in CASES
        ),
        _active,
    ),
]
