"""How many patterns of spikes does one neuron learn to tell apart by their timing?

Gutig & Sompolinsky (2006) let a leaky integrate-and-fire neuron, the tempotron, learn to fire at one half of random
patterns of spikes and to stay silent at the other. Each afferent fires once in every pattern, so that nothing but
times tells them apart. After an error the weights move along the slope of the largest potential. How many patterns can
be learned for each afferent? A neuron that adds up its inputs at once, the perceptron, learns 2; the tempotron about 3.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Quantity, ms

from biosnn.engine import Simulation
from biosnn.engine.progress import Progress
from biosnn.seeds import derived_seed
from biosnn.study import Result, setting

from .brian import answered_alike, gradient_apart
from .learning import Kernel, Tasks, draw, learn
from .outcome import CLAIMS as CLAIMS

TARGET = "cpp"
ANSWER = (
    "The tempotron learns {capacity} patterns for each afferent; the same neuron in Brian2 answers {answers "
    "alike in Brian2|%} of them alike."
)
METHOD = """\
The potential is the weighted sum of K(t - t_i) = V_0 (exp(-(t - t_i)/tau) - exp(-(t - t_i)/tau_s)) over all spikes,
V_0 such that the highest value of K is 1; the neuron fires if the potential reaches the threshold 1. After an error
on a pattern each weight changes by lambda K(t_max - t_i), upwards if the neuron was to fire and downwards if not,
where t_max is the time of the largest potential; mu times the last change is added to it. Patterns come in a new
random order in each cycle. The largest potential is computed in closed form, not on a grid (`learning.py`).

- Capacity. The number of cycles up to the first without an error grows with the load, the number of patterns per
afferent, and diverges at the capacity. As of a perceptron, 1/sqrt(cycles) falls about linearly: the capacity is where
the straight line through the medians over all draws reaches zero.
- Brian2. The neuron is the model `lif_exp_trainable` of the catalogue with the time constants of the tempotron, whose
potential after one spike is K. It gets the learned weights, and all patterns of a draw one after the other: does it
fire at those that it was taught?
- Gradient. `biosnn.training` derives the gradient of the cost, how far the largest potential is on the wrong side of
the threshold, from the equations of the model `leaky_readout`. It should be the change of the rule.
- Controls. The same rule with a random time for t_max; fewer cycles at a load of 4; and the learned weights with new
times of all spikes, so that each afferent still fires once."""


@dataclass(frozen=True)
class Settings:
    afferents: int = setting(200, "input neurons, each of which fires once in every pattern", minimum=5)
    loads: tuple[float, ...] = setting(
        (1.0, 1.25, 1.5, 1.75, 2.0, 2.25), "patterns per afferent", minimum=0.1, maximum=10.0
    )
    draws: int = setting(7, "tasks with patterns of their own, at each load", minimum=1)
    cycles: int = setting(1500, "after how many cycles learning is given up", minimum=1)
    rate: float = setting(4e-4, "lambda: the learning rate, in thresholds", minimum=1e-9)
    momentum: float = setting(0.99, "mu: the share of the last change that is added", minimum=0.0, maximum=0.9999)
    tau: Quantity = setting(15 * ms, "membrane time constant", minimum=0.1 * ms)
    tau_s: Quantity = setting(3.75 * ms, "synaptic time constant, shorter than the membrane's", minimum=0.1 * ms)
    duration: Quantity = setting(500 * ms, "of a pattern", minimum=10 * ms)
    dt: Quantity = setting(0.1 * ms, "time step of the simulation, on which spikes lie", minimum=0.01 * ms)
    beyond: float = setting(4.0, "load of the control, beyond the capacity", minimum=3.5)
    control_draws: int = setting(3, "draws of each control", minimum=1)
    control_cycles: int = setting(200, "cycles of each control", minimum=1)
    shown: int = setting(1000, "most patterns of the learned draw that are shown in Brian2", minimum=1)


def run(settings: Settings, sim: Simulation) -> Result:
    sim.reset(dt=settings.dt)
    random = np.random.default_rng(derived_seed(sim.seed or 0, 0))
    tasks = _tasks(settings, np.repeat(settings.loads, settings.draws), random)
    needed, weights, errors = _learned(settings, tasks, settings.cycles, random, "tempotrons")
    values, arrays = _capacity(settings, needed, errors)
    values |= _controls(settings, random)
    solved = np.flatnonzero(np.isfinite(needed))
    if solved.size:
        best = int(solved[-1])  # of the highest load that was learned
        values |= _simulated(settings, sim, tasks.part(best), weights[best], random)
        arrays |= _example(settings, tasks.part(best), weights[best])
    return Result(values, arrays)


def _tasks(settings: Settings, loads: Any, random: Any) -> Tasks:
    kernel = Kernel(float(settings.tau / ms), float(settings.tau_s / ms))
    patterns = np.maximum(np.round(np.asarray(loads) * settings.afferents), 2).astype(int)
    duration, step = float(settings.duration / ms), float(settings.dt / ms)
    return draw(kernel, patterns, settings.afferents, duration, step, random)


def _learned(settings: Settings, tasks: Tasks, cycles: int, random: Any, what: str, **options: Any) -> Any:
    with Progress(what) as bar:

        def told(cycle: int, left: int) -> None:
            bar.update(cycle / cycles, f"{left} of {len(tasks.counts)} tasks after {cycle} cycles")

        return learn(tasks, settings.rate, settings.momentum, cycles, random, told=told, **options)


def _capacity(settings: Settings, needed: Any, errors: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Where the straight line through 1/sqrt(cycles) reaches zero, and what else was learned at each load."""
    loads, each = np.array(settings.loads), needed.reshape(len(settings.loads), settings.draws)
    median = np.median(each, axis=1)
    speed = 1 / np.sqrt(median)
    known = np.isfinite(median)
    slope, offset = np.polyfit(loads[known], speed[known], 1) if known.sum() > 1 else (np.nan, np.nan)
    highest = int(np.argmax(loads))
    values = {
        "capacity": float(-offset / slope),
        "highest load": float(loads[highest]),
        "learned at the highest load": float(np.isfinite(each[highest]).mean()),
        "median cycles at the highest load": float(median[highest]),
        "learned, of all draws": float(np.isfinite(each).mean()),
    }
    course = errors.reshape(len(errors), *each.shape).mean(axis=2).T
    arrays = {"load": loads, "cycles": each, "speed": speed, "line": np.array([slope, offset]), "errors": course}
    return values, arrays


def _controls(settings: Settings, random: Any) -> dict[str, Any]:
    """The rule with a random time, and the rule with too many patterns."""
    values = {}
    end, last = float(settings.duration / ms), slice(-20, None)

    def anywhere(time: Any) -> Any:
        return random.uniform(0, end, len(time))

    for name, load, options in (
        ("at a random time", 1.0, {"when": anywhere}),
        ("beyond the capacity", settings.beyond, {}),
    ):
        tasks = _tasks(settings, [load] * settings.control_draws, random)
        needed, _, errors = _learned(settings, tasks, settings.control_cycles, random, "controls", **options)
        values[f"learned {name}"] = float(np.isfinite(needed).mean())
        values[f"errors {name}"] = float(errors[last].mean())
    return values


def _simulated(settings: Settings, sim: Simulation, task: Tasks, weights: Any, random: Any) -> dict[str, Any]:
    """What Brian2, the gradient of `biosnn.training`, and patterns with other times say of a learned tempotron."""
    rows = np.arange(min(settings.shown, len(task.fires)))
    duration, step = float(settings.duration / ms), float(settings.dt / ms)
    alike, answered = answered_alike(sim, task, weights, rows, duration * ms, settings.dt)
    other = draw(task.kernel, task.counts, task.size, duration, step, random)
    potential, _ = other.highest(np.arange(len(other.fires)), weights[None])
    return {
        "patterns shown in Brian2": len(rows),
        "patterns answered in Brian2": answered,
        "answers alike in Brian2": alike,
        "update and gradient apart": gradient_apart(sim, task, weights, rows[:50], duration * ms, settings.dt),
        "right with other times": float(np.mean((potential >= 1) == task.fires)),
    }


def _example(settings: Settings, task: Tasks, weights: Any) -> dict[str, Any]:
    """The potential at a pattern of each kind, before any reset."""
    rows = np.array([np.flatnonzero(task.fires)[0], np.flatnonzero(~task.fires)[0]])
    time = np.linspace(0, float(settings.duration / ms), 1001)
    potentials = [task.kernel(time[:, None] - task.times[row]) @ weights[task.afferents[row]] for row in rows]
    everywhere = np.arange(len(task.fires))
    highest, _ = task.highest(everywhere, weights[None])
    return {
        "time": time * ms,
        "potential": np.array(potentials),
        "spike times": task.times[rows, :-1] * ms,
        "afferents": task.afferents[rows, :-1],
        "weights": weights[:-1],
        "highest potential": highest,
        "fires": task.fires,
    }
