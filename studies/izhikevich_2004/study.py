"""Does one model with four parameters fire in twenty patterns?

Izhikevich (2004) compared models of spiking neurons by twenty patterns that cells of cortex show, and his simple
model showed all of them, each with other parameters and another stimulus. Are they there? A rule decides, not the
eye: it gets spikes, membrane potential and stimulus, and says whether they are its pattern. It has to accept one of
the twenty responses and to reject the nineteen others. Does the stimulus alone make a pattern, or does it need its
cell?
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from brian2 import Network, SpikeMonitor, StateMonitor, TimedArray, ms, mV

from biosnn.catalogue import neuron_model
from biosnn.engine import Simulation
from biosnn.groups.build import neurons
from biosnn.measure.patterns import RULES, Response, recognised
from biosnn.model import Input, NeuronModel
from biosnn.quantity import parse_quantity
from biosnn.study import Result, setting

from .outcome import CLAIMS
from .stimuli import EXPERIMENTS, STEPS, Experiment

TARGET = "numpy"
ANSWER = "{patterns recognised} of 20 firing patterns are recognised, with {wrong recognitions} wrong recognitions."
METHOD = """\
The model is `izhikevich` of the catalogue, with its presets; parameters, stimuli, initial values and time steps are
those of figure1.m, the code of the paper's figure. That code computes the membrane potential first, and the recovery
variable from what that has become: du/dt = a (b (v + dt slope) - u), where slope is dv/dt. Euler's method takes the
potential of before; both agree as steps become small. The twentieth pattern, accommodation, has the equation du/dt =
a b (v + 65 mV) in that code.

- Every response is given to all twenty rules (`biosnn.measure.patterns`), which compare intervals with intervals and
pulses with pulses. One row of the table for each response, one column for each rule.
- The first control gives each of the twenty stimuli to all twenty cells: how many show the pattern?
- The second control steps the recovery variable by Euler's method."""

UNIT = mV / ms
EACH = ("a", "b", "c", "d", "k_1", "k_0")
"""Parameters that differ from cell to cell."""
LONGEST = max(one.end for one in EXPERIMENTS)


@dataclass(frozen=True)
class Settings:
    model: str = setting("izhikevich", "the neuron model, with the equations, parameters and presets of izhikevich")
    refine: int = setting(1, "by how much time steps are smaller than those of the paper's code", minimum=1, maximum=50)
    crossed: bool = setting(True, "whether all cells get all stimuli: the first control")


def run(settings: Settings, sim: Simulation) -> Result:
    model = neuron_model(settings.model)
    pairs = [(cell, cell) for cell in range(len(EXPERIMENTS))]
    if settings.crossed:
        pairs += [(cell, stimulus) for cell, _ in pairs for stimulus, _ in pairs if cell != stimulus]
    groups = [_Cells(model, pairs, step, settings.refine, euler=False) for step in STEPS]
    groups += [_Cells(model, pairs[: len(EXPERIMENTS)], step, settings.refine, euler=True) for step in STEPS]
    sim.run(Network(*(part for group in groups for part in group.parts)), LONGEST * ms, "twenty patterns")
    found = {(euler, *pair): one for group in groups for (euler, *pair), one in group.responses().items()}
    return _result(settings, found)


class _Cells:
    """The cells that a time step of the paper's code belongs to, each with a stimulus."""

    def __init__(self, model: NeuronModel, pairs: Any, step: float, refine: int, *, euler: bool) -> None:
        self.pairs = [(cell, stimulus) for cell, stimulus in pairs if EXPERIMENTS[cell].step == step]
        self.euler, self.step = euler, step / refine
        cells = [EXPERIMENTS[cell] for cell, _ in self.pairs]
        values = [_values(model, cell) for cell in cells]
        arrays = {name: np.array([one[name] for one in values]) for name in values[0]}
        name = f"cells_{round(1000 * step)}{'_euler' if euler else ''}"
        one_step = self.step * ms
        self.time: Any = np.arange(round(LONGEST / self.step)) * self.step
        group = neurons(len(cells), stepped(model, euler=euler), name=name, dt=one_step)
        for variable, array in arrays.items():
            getattr(group, variable)[:] = array * _unit(group, variable)
        self.drives = np.array([EXPERIMENTS[stimulus].drive(self.time) for _, stimulus in self.pairs])
        group.namespace["stimulus"] = TimedArray(self.drives.T * UNIT, dt=one_step)
        given = group.run_regularly("I = stimulus(t, i)", when="start", dt=one_step)
        self.spikes = SpikeMonitor(group, name=f"{name}_spikes")
        # After the step and before the reset, as the paper's code draws it.
        self.trace = StateMonitor(group, "v", record=True, dt=one_step, when="thresholds", order=1, name=f"{name}_v")
        self.parts = (group, given, self.spikes, self.trace)

    def responses(self) -> dict[tuple[bool, int, int], Response]:
        """By cell and stimulus: times in ms, potentials in mV."""
        trains = self.spikes.spike_trains()
        potentials: Any = np.minimum(np.asarray(self.trace.v / mV), PEAK)
        found = {}
        for number, pair in enumerate(self.pairs):
            steps = self.time <= EXPERIMENTS[pair[1]].end + self.step / 2
            spikes = np.asarray(trains[number] / ms)
            found[(self.euler, *pair)] = Response(
                self.time[steps],
                potentials[number][steps],
                self.drives[number][steps],
                spikes[spikes <= self.time[steps][-1]],
            )
        return found


PEAK = 30.0
"""The potential (mV) at which a spike is drawn."""


def stepped(model: NeuronModel, *, euler: bool) -> NeuronModel:
    """The model with parameters for each cell, whose recovery variable is stepped as the paper's code does it."""
    slope = next(line for line in model.equations.splitlines() if line.startswith("dv/dt"))
    slope = slope.removeprefix("dv/dt = ").removesuffix(": volt").strip()
    equations = [
        "dv/dt = slope : volt",
        f"slope = {slope} : volt/second",
        f"reached = v{'' if euler else ' + dt*slope'} : volt",
        "du/dt = a*(b*(reached - v_u) - leak*u) : volt/second",
    ]
    own = {
        "v_u": Input("value", "potential at which the recovery variable rests", default="0 mV"),
        "leak": Input("value", "whether the recovery variable decays", default="1"),
    }
    each = model.with_own(*EACH)
    return replace(each, equations="\n".join(equations), inputs={**each.inputs, **own}, initial={})


def _values(model: NeuronModel, cell: Experiment) -> dict[str, float]:
    """What stands for each variable of a cell, in ms and mV."""
    accommodates = cell.preset not in model.presets
    given = ACCOMMODATION if accommodates else model.presets[cell.preset]
    texts = {name: given.get(name, model.parameters[name].value) for name in EACH}
    values = {name: float(np.asarray(parse_quantity(text) / _unit_of(name))) for name, text in texts.items()}
    recovery = values["b"] * cell.start if cell.recovery is None else cell.recovery
    more = {"v_u": -65.0, "leak": 0.0} if accommodates else {"v_u": 0.0, "leak": 1.0}
    return {**values, **more, "v": cell.start, "u": recovery}


ACCOMMODATION = {"a": "0.02 /ms", "b": "1 /ms", "c": "-55 mV", "d": "4 mV/ms"}


def _unit_of(name: str) -> Any:
    return {"a": 1 / ms, "b": 1 / ms, "k_1": 1 / ms, "c": mV, "v": mV, "v_u": mV, "leak": 1}.get(name, UNIT)


def _unit(group: Any, name: str) -> Any:
    assert name in group.variables
    return _unit_of(name)


def _result(settings: Settings, found: Any) -> Result:
    names, count = list(RULES), len(EXPERIMENTS)
    own = [found[False, cell, cell] for cell in range(count)]
    table = np.array([[name in recognised(one) for name in names] for one in own])
    euler = [names[cell] in recognised(found[True, cell, cell]) for cell in range(count)]
    values = {
        "patterns recognised": int(np.trace(table)),
        "wrong recognitions": int(table.sum() - np.trace(table)),
        "patterns recognised by the method of Euler": sum(euler),
        "spikes": sum(len(one.spikes) for one in own),
    }
    length = max(len(one.time) for one in own)

    def padded(name: str) -> Any:
        rows = [getattr(one, name) for one in own]
        return np.array([np.pad(row, (0, length - len(row)), constant_values=np.nan) for row in rows])

    arrays = {
        "patterns": np.array(names),
        "panels": np.array([one.letter for one in EXPERIMENTS]),
        "table": table,
        "Euler": np.array(euler),
        "time": padded("time") * ms,
        "potential": padded("potential") * mV,
        "drive": padded("drive") * UNIT,
    }
    if settings.crossed:
        shown = [[RULES[names[s]](found[False, cell, s]) for cell in range(count)] for s in range(count)]
        arrays["shown by cell"] = np.array(shown)
        values["other cells that show a pattern"] = int(np.sum(shown) - np.trace(np.array(shown)))
    not_applicable = [] if settings.crossed else ["cells matter", "other cells that show a pattern"]
    if settings.refine > 1:
        not_applicable += [claim.name for claim in CLAIMS]
    return Result(values, arrays, not_applicable=not_applicable)
