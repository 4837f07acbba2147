"""One cell with tuned excitation, whose inhibitory synapses learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from brian2 import Hz, Network, SpikeGeneratorGroup, SpikeMonitor, StateMonitor, ms, nS, second
from scipy.signal import lfilter

from biosnn.engine import Simulation
from biosnn.groups.build import neurons, synapses
from biosnn.study import Claim, Result

if TYPE_CHECKING:
    from .study import Settings

DT = 0.1 * ms
CHANNELS, EXC, INH = 8, 100, 25  # inputs of each channel
BACKGROUND, TAU_RATE = 5.0, 0.05  # Hz, seconds
SWING = {"steady": 0.0, "fluctuating": 20.0}  # Hz
MEAN_SWING = 20 / np.sqrt(2 * np.pi)  # so that both kinds have the same mean rate
TARGET = 5 * Hz
FIRST = 0.05
PREFERRED = 4
GAIN_EXC, GAIN_INH = 0.14 * nS, 0.35 * nS
ETA = 0.003
BIN, STEPS = 0.001, 10  # seconds, in which a channel's rate is constant, and its time steps


def tuning() -> np.ndarray:
    """Excitatory weights of the channels."""
    return 0.3 + 1.1 / (1 + (np.arange(CHANNELS) - PREFERRED) ** 4.0)


def run_cell(settings: Settings, sim: Simulation) -> Result:
    sim.reset(dt=DT)
    duration = float(settings.cell_duration / second)
    rng = np.random.default_rng(np.random.SeedSequence([0 if sim.seed is None else sim.seed, 2]))
    inputs = {name: _inputs(rng, duration, settings.seeds, swing, name) for name, swing in SWING.items()}
    eta = settings.learning * ETA
    conditions = [(f"target {rate / Hz:g} Hz", "steady", rate, eta) for rate in settings.targets]
    conditions += [("fluctuating inputs", "fluctuating", TARGET, eta), ("without learning", "fluctuating", TARGET, 0.0)]
    parts: list[Any] = list(inputs.values())
    learned, spikes = {}, {}
    for number, (name, kind, rate, factor) in enumerate(conditions):
        cells, fixed, learned[name] = _cells(inputs[kind], settings.seeds, rate, factor, number)
        spikes[name] = SpikeMonitor(cells)
        parts += [cells, fixed, learned[name], spikes[name]]
    course = StateMonitor(learned["fluctuating inputs"], "w", record=range(CHANNELS * INH), dt=1 * second)
    sim.run(Network(*parts, course), settings.cell_duration, "cell")
    return _result(settings, [name for name, *_ in conditions], learned, spikes, course)


def _cells(inputs: Any, cells: int, target: Any, eta: float, number: int) -> Any:
    """A cell for each set of inputs, with its fixed and its learning synapses."""
    each = CHANNELS * (EXC + INH)
    cell = np.arange(cells)[:, None]
    exc: Any = (cell * each + np.arange(CHANNELS * EXC)).ravel()
    inh: Any = (cell * each + CHANNELS * EXC + np.arange(CHANNELS * INH)).ravel()
    group = neurons(cells, "lif_cond", name=f"cells_{number}")
    fixed = synapses(inputs, group, "static", onto="g_exc", gain=GAIN_EXC, connect=(exc, exc // each))
    fixed.w = np.tile(np.repeat(tuning(), EXC), cells)
    given = {"eta": eta, "rho_0": target, "w": FIRST}
    learns = synapses(
        inputs,
        group,
        "istdp",
        onto="g_inh",
        gain=GAIN_INH,
        connect=(inh, inh // each),
        values=given,
        name=f"learns_{number}",
    )
    return group, fixed, learns


def _inputs(rng: np.random.Generator, duration: float, sets: int, swing: float, name: str) -> SpikeGeneratorGroup:
    """Spikes of all inputs, in which those of a channel share its rate; for several cells."""
    bins = round(duration / BIN)
    keep = np.exp(-BIN / TAU_RATE)
    steps, of = [], []
    first = 0
    for _ in range(sets):
        rates = [
            BACKGROUND
            + swing * np.maximum(lfilter([np.sqrt(1 - keep**2)], [1.0, -keep], rng.standard_normal(bins)), 0)
            + (MEAN_SWING if swing == 0 else 0)
            for _ in range(CHANNELS)
        ]
        for size in (EXC, INH):
            for rate in rates:
                counts = rng.poisson(rate * BIN * size)
                spikes = int(counts.sum())
                steps.append(np.repeat(np.arange(bins), counts) * STEPS + rng.integers(STEPS, size=spikes))
                of.append(first + rng.integers(size, size=spikes))
                first += size
    # An input has one spike in a time step: of two, one is lost.
    both = np.unique(np.stack([np.concatenate(steps), np.concatenate(of)]), axis=1)
    return SpikeGeneratorGroup(first, both[1], both[0] * DT, name=name)


def _result(settings: Settings, names: list[str], learned: Any, spikes: Any, course: Any) -> Result:
    duration = float(settings.cell_duration / second)
    begin, width = duration / 2, max(1.0, duration / 60)
    edges = np.arange(0, duration + 1e-9, width)
    values: dict[str, Any] = {}
    arrays: dict[str, Any] = {"cell time": (edges[:-1] + width / 2) * second}
    inhibition = {}
    for name in names:
        at = np.asarray(spikes[name].t / second)
        values[f"cell rate, {name}"] = np.count_nonzero(at >= begin) / settings.seeds / (duration - begin) * Hz
        arrays[f"cell course, {name}"] = np.histogram(at, edges)[0] / settings.seeds / width * Hz
        weights = np.array(learned[name].w[:]).reshape(settings.seeds, CHANNELS, INH)
        inhibition[name] = weights.mean(axis=(0, 2))
    for name in names[-2:]:
        tuned = np.ptp(inhibition[name]) > 1e-9
        matched = float(np.corrcoef(tuning(), inhibition[name])[0, 1]) if tuned else 0.0
        values[f"cell tuning correlation, {name}"] = matched
    arrays["cell targets"] = np.array([float(rate / Hz) for rate in settings.targets]) * Hz
    arrays["cell excitation"] = tuning() * float(GAIN_EXC / nS) * nS
    for name in names[-2:]:
        arrays[f"cell inhibition, {name}"] = inhibition[name] * float(GAIN_INH / nS) * nS
    arrays["cell weights time"] = course.t[:]
    arrays["cell weights course"] = (
        np.asarray(course.w).reshape(CHANNELS, INH, -1).mean(axis=1) * float(GAIN_INH / nS) * nS
    )
    given = arrays["cell targets"] / Hz
    left = [f"cell rate, target {target:g} Hz" for target in (3, 5, 10) if target not in given]
    return Result(values, arrays, not_applicable=left)


def _active(result: Result) -> bool:
    """Without learning, the cell fires above 10 Hz."""
    return bool(result.values["cell rate, without learning"] > 10 * Hz)


def _at_target(result: Result) -> bool:
    targets = result.arrays["cell targets"]
    rates = [result.values[f"cell rate, target {target / Hz:g} Hz"] for target in targets]
    return all(abs(rate / target - 1) < 0.1 for rate, target in zip(rates, targets, strict=True))


CLAIMS = [
    Claim(
        "cell at its target",
        "With steady inputs the cell fires within a tenth of its target rate, whatever that is.",
        _at_target,
        _active,
    ),
    Claim(
        "cell detailed balance",
        "Where inputs of a channel fluctuate together, learned inhibition follows excitation: correlation above 0.9.",
        lambda result: bool(result.values["cell tuning correlation, fluctuating inputs"] > 0.9),
        _active,
    ),
    Claim(
        "cell control: no learning",
        "Without learning the cell fires over five times as fast as its target, and inhibition is not tuned.",
        lambda result: bool(
            result.values["cell rate, without learning"] > 5 * TARGET
            and abs(result.values["cell tuning correlation, without learning"]) < 0.5
        ),
        _active,
    ),
]
