"""Is the trace of the adaptive exponential neuron that which other programs compute?

The adaptive exponential integrate-and-fire neuron of Brette and Gerstner (2005) rises ever faster before a spike,
which is hard on every method of integration: an error in the time of one spike stays in all that follow. The NEST
simulator tests its own implementation against a trace by the solver LSODAR, and allows mean relative errors of 5e-4
in the membrane potential and 1e-4 in the adaptation. Does the simulation meet that, and would it notice a wrong
parameter?
"""

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from brian2 import Network, Quantity, SpikeMonitor, StateMonitor, ms, mV, nS, pA, pF

from biosnn.adjoint import vector_field
from biosnn.catalogue import neuron_model
from biosnn.engine import Simulation
from biosnn.groups.build import neurons
from biosnn.model import NeuronModel
from biosnn.quantity import parse_quantity
from biosnn.study import Result, setting
from biosnn.theory import equilibria, hopf_points

from .golden import POINTS, SPIKES
from .independent import integrate
from .outcome import CLAIMS as CLAIMS

TARGET = "cpp"
ANSWER = (
    "From NEST's reference trace the membrane potential differs by {mean relative error of the potential "
    "against NEST} on average, and by {mean relative error of the potential against NEST, wrong a} if a is "
    "wrong by 10 %."
)
METHOD = """\
The model is `adex` of the catalogue with the parameters of NEST's test (C 200 pF, g_L 11 nS, E_L -70 mV, V_T -50 mV,
Delta_T 2 mV, a 3 nS, b 0, tau_w 300 ms, reset to -58 mV at 0 mV, I 420 pA, w 5 pA at first), integrated by the
fourth-order Runge-Kutta method. The flow is that of a potential of at most V_peak, as NEST has it: within the step of
a spike the exponential would overflow.

- Golden points: 154 of the 2012 points of NEST's reference file, and its spike times.
- Independent integration: SciPy's DOP853 at a relative tolerance of 1e-11, every 0.01 ms.
- As in NEST's test, errors are means of |difference|/|reference|, and the potential is compared below -25 mV only.
- Rheobase: the current at which rest loses its stability follows from the Jacobian of the model's own text, for the
paper's parameters (a regular spiking cell), and is held against its closed form.

The control is the same cell with a larger by 10 %."""

CELL = {"C": 200.0, "g_L": 11.0, "E_L": -70.0, "V_T": -50.0, "Delta_T": 2.0, "V_peak": 0.0, "V_r": -58.0}
CELL |= {"a": 3.0, "b": 0.0, "tau_w": 300.0, "I": 420.0}
"""The parameters of NEST's test, in pF, nS, mV, ms and pA."""
UNITS = {"C": pF, "g_L": nS, "a": nS, "b": pA, "tau_w": ms, "I": pA}
START = (-70.0, 5.0)
HIGHEST = -25.0
"""The potential (mV) up to which NEST compares."""
EVERY = 0.01
"""Between points that are compared with the independent integration, in ms."""
DURATION = 99.24
POTENTIAL = re.compile(r"(?<![\w.])v(?!\w)")


@dataclass(frozen=True)
class Settings:
    dt: Quantity = setting(
        0.0002 * ms, "time step, of which 0.01 ms is a multiple", minimum=1e-5 * ms, maximum=EVERY * ms
    )
    wrong: float = setting(1.1, "by what the control multiplies a", minimum=0.1)


def run(settings: Settings, sim: Simulation) -> Result:
    sim.reset(dt=settings.dt)
    model = bounded(neuron_model("adex"))
    cells = {name: neurons(1, model, name=name, values=_values(factor)) for name, factor in _factors(settings).items()}
    traces = {
        name: StateMonitor(cell, ("v", "w"), record=True, dt=EVERY * ms, name=f"{name}_trace")
        for name, cell in cells.items()
    }
    spikes = {name: SpikeMonitor(cell, name=f"{name}_spikes") for name, cell in cells.items()}
    sim.run(Network(*cells.values(), *traces.values(), *spikes.values()), DURATION * ms, "the trace and its control")

    golden = np.array(POINTS).T
    time = np.asarray(traces["right"].t / ms)
    other, other_spikes = integrate(time, CELL, START)
    values = _rheobase(neuron_model("adex"))
    arrays: dict[str, Any] = {}
    for name, trace in traces.items():
        v, w = np.asarray(trace.v[0] / mV), np.asarray(trace.w[0] / pA)
        at_points = np.array([_between(golden[0], time, one) for one in (v, w)])
        suffix = "" if name == "right" else ", wrong a"
        for against, here, reference in (("NEST", at_points, golden[1:]), ("DOP853", np.array([v, w]), other)):
            for variable, error in zip(("potential", "adaptation"), errors(here, reference), strict=True):
                values[f"mean relative error of the {variable} against {against}{suffix}"] = error
        arrays |= {f"potential{suffix}": v * mV, f"adaptation{suffix}": w * pA}
    own = np.asarray(spikes["right"].t / ms)
    values["spikes"] = len(own)
    if len(own) == len(SPIKES):
        values["first spike"], values["last spike"] = own[0] * ms, own[-1] * ms
        values["largest error of a spike time"] = np.max(np.abs(own - other_spikes)) * ms
    arrays |= {
        "time": time * ms,
        "golden time": golden[0] * ms,
        "golden potential": golden[1] * mV,
        "golden adaptation": golden[2] * pA,
        "independent potential": other[0] * mV,
    }
    return Result(values, arrays)


def bounded(model: NeuronModel) -> NeuronModel:
    """The model with the flow of a potential of at most V_peak, for methods that look ahead within a step."""
    lines = []
    for line in model.equations.splitlines():
        left, right = line.split("=", 1)
        lines.append(f"{left}={POTENTIAL.sub('reached', right)}")
    limit = "reached = clip(v, -1*volt, V_peak) : volt"
    return replace(model, equations="\n".join([*lines, limit]), method="rk4")


def _factors(settings: Settings) -> dict[str, float]:
    return {"right": 1.0, "control": settings.wrong}


def _values(factor: float) -> dict[str, Any]:
    values = {name: value * UNITS.get(name, mV) for name, value in CELL.items()}
    return {**values, "a": factor * values["a"], "v": START[0] * mV, "w": START[1] * pA}


def _between(when: Any, time: Any, trace: Any) -> Any:
    """A trace at points between those of its own, from the two before where a reset lies between."""
    before = np.clip(np.searchsorted(time, when, side="right") - 1, 1, len(time) - 2)
    share = (when - time[before]) / EVERY
    ahead = trace[before + 1] - trace[before]
    behind = trace[before] - trace[before - 1]
    return trace[before] + share * np.where(np.abs(ahead) < JUMP, ahead, behind)


JUMP = 10.0
"""A change from one point to the next, in mV, that is a reset."""


def errors(here: Any, reference: Any) -> tuple[float, float]:
    """Mean relative errors of the potential, below `HIGHEST`, and of the adaptation."""
    relative = np.abs(here - reference) / np.abs(reference)
    below = (here[0] <= HIGHEST) & ~np.isnan(reference[0])
    return float(relative[0][below].mean()), float(np.nanmean(relative[1]))


def _rheobase(model: NeuronModel) -> dict[str, Any]:
    """Where rest loses its stability: from the Jacobian, and in closed form (Touboul & Brette 2008)."""
    p = {name: float(np.asarray(parse_quantity(one.value))) for name, one in model.parameters.items()}
    ratio = p["C"] / p["g_L"] / p["tau_w"]
    v = p["V_T"] + p["Delta_T"] * np.log1p(ratio)
    closed = (p["g_L"] + p["a"]) * (v - p["E_L"]) - p["g_L"] * p["Delta_T"] * (1 + ratio)
    field = vector_field(model, "I")
    branch = equilibria(field, "v", np.linspace(p["E_L"], v + 1e-4, 400), np.array([p["E_L"], 0.0]))
    (point,) = hopf_points(field, "v", branch)
    return {
        "rheobase from the Jacobian": point.drive * 1e12 * pA,
        "rheobase in closed form": closed * 1e12 * pA,
    }
