"""Which firing patterns does one adaptive exponential neuron show at a constant current?

Naud, Marcille, Clopath and Gerstner (2008) map the patterns of the adaptive exponential integrate-and-fire neuron
(AdEx) and give eight sets of parameters, each with a current, for eight patterns: tonic, adapting, initial burst,
regular bursting, delayed accelerating, delayed bursting, transient and irregular. Is each there? A rule decides that,
from the times of spikes only. It has to accept its pattern and to reject the other seven.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Network, Quantity, SpikeMonitor, StateMonitor, ms, pA, second

from biosnn.catalogue import neuron_model
from biosnn.engine import Simulation
from biosnn.groups.build import neurons
from biosnn.measure.step_patterns import STEP_RULES, Answer, recognised_step
from biosnn.model import NeuronModel
from biosnn.quantity import parse_quantity
from biosnn.study import Result, setting

from .currents import CURRENTS
from .outcome import CLAIMS as CLAIMS

TARGET = "numpy"
ANSWER = (
    "{patterns recognised} of 8 firing patterns of the AdEx neuron are recognised, with {wrong recognitions} "
    "wrong recognitions."
)
METHOD = """\
The model is `adex` of the catalogue with its eight presets, which are those of the paper's table 1, each at the
constant current of the table from time 0 on, at rest before. All cells are one group, integrated by Euler's method.

- Every answer is given to all eight rules (`biosnn.measure.step_patterns`): a rule gets the times of spikes and the
duration, and compares intervals with intervals.
- The control gives each of the eight currents to all eight cells: how many others show the pattern at its current?"""

OWN = ("C", "g_L", "E_L", "V_T", "Delta_T", "a", "tau_w", "b", "V_r")
SHOWN = 600 * ms


@dataclass(frozen=True)
class Settings:
    model: str = setting("adex", "the neuron model, with the equations, parameters and presets of adex")
    dt: Quantity = setting(0.05 * ms, "time step", minimum=1e-3 * ms, maximum=0.1 * ms)
    duration: Quantity = setting(2 * second, "how long the current is on", minimum=1 * second)
    crossed: bool = setting(True, "whether all cells get all currents: the control")


def run(settings: Settings, sim: Simulation) -> Result:
    sim.reset(dt=settings.dt)
    model = neuron_model(settings.model)
    names = list(STEP_RULES)
    pairs = [(cell, cell) for cell in range(len(names))]
    if settings.crossed:
        pairs += [(cell, current) for cell, _ in pairs for current, _ in pairs if cell != current]
    cells = _cells(model, [names[cell] for cell, _ in pairs], [CURRENTS[names[current]] for _, current in pairs])
    spikes = SpikeMonitor(cells)
    trace = StateMonitor(cells, "v", record=range(len(names)), dt=4 * settings.dt)
    network = Network(cells, spikes, trace)
    sim.run(network, SHOWN, "eight patterns, with traces")
    trace.active = False
    sim.run(network, settings.duration - SHOWN, "eight patterns")
    return _result(settings, names, pairs, spikes, trace)


def _cells(model: NeuronModel, presets: list[str], currents: list[float]) -> Any:
    """One cell for each preset and current."""
    sets = {preset: model.with_values(preset).parameters for preset in set(presets)}
    group = neurons(len(presets), model.with_own(*OWN), values={"I": np.array(currents) * pA})
    for name in OWN:
        values = [parse_quantity(sets[preset][name].value) for preset in presets]
        setattr(group, name, Quantity([float(np.asarray(value)) for value in values], dim=values[0].dim))
    group.v = "E_L"
    return group


def _result(settings: Settings, names: list[str], pairs: Any, spikes: Any, trace: Any) -> Result:
    duration = float(settings.duration / ms)
    trains = [np.asarray(train / ms) for train in spikes.spike_trains().values()]
    answers = [Answer(train, duration) for train in trains]
    table = np.array([[name in recognised_step(one) for name in names] for one in answers[: len(names)]])
    counts = [len(one) for one in trains[: len(names)]]
    values = {
        "patterns recognised": int(np.trace(table)),
        "wrong recognitions": int(table.sum() - np.trace(table)),
        "spikes": sum(counts),
    }
    longest = max(counts)
    arrays = {
        "patterns": np.array(names),
        "current": np.array([CURRENTS[name] for name in names]) * pA,
        "table": table,
        "time": trace.t[:],
        "potential": trace.v[:],
        "spikes": np.array(
            [np.pad(one, (0, longest - len(one)), constant_values=np.nan) for one in trains[: len(names)]]
        )
        * ms,
    }
    if settings.crossed:
        shown = np.zeros((len(names), len(names)), dtype=bool)
        for (cell, current), answer in zip(pairs, answers, strict=True):
            shown[current, cell] = STEP_RULES[names[current]](answer)
        arrays["shown by cell"] = shown
        values["other cells that show a pattern"] = int(shown.sum() - np.trace(shown))
    return Result(values, arrays, not_applicable=[] if settings.crossed else ["cells matter", OTHERS])


OTHERS = "other cells that show a pattern"
