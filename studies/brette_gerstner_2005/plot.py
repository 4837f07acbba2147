"""Figures of the study brette_gerstner_2005, from a saved result only."""

import numpy as np
from brian2 import ms, mV, pA

from biosnn.report import Figure, new_figure
from biosnn.study import SavedResult

BLUE, RED, BLACK = "#0072b2", "#d55e00", "#000000"


def plot(result: SavedResult) -> list[Figure]:
    return [_trace(result), _errors(result)]


def _trace(result: SavedResult) -> Figure:
    time = np.asarray(result.arrays["time"] / ms)
    golden = np.asarray(result.arrays["golden time"] / ms)
    figure, axes = new_figure(2, 1, width=7, height=5, sharex=True)
    for one, name, unit, label, limits in (
        (axes[0], "potential", mV, "membrane potential (mV)", (-75, 5)),
        (axes[1], "adaptation", pA, "adaptation (pA)", (0, 22)),
    ):
        one.plot(time, result.arrays[f"{name}, wrong a"] / unit, color=RED, lw=0.9, label="a larger by 10 %")
        one.plot(time, result.arrays[name] / unit, color=BLUE, lw=1.1, label="simulation")
        one.plot(golden, result.arrays[f"golden {name}"] / unit, ".", color=BLACK, ms=3, label="NEST's reference")
        one.set(ylabel=label, xlim=(0, 100), ylim=limits)
    axes[1].set(xlabel="time (ms)")
    axes[1].legend(loc="lower right", ncols=3)
    caption = (
        "Membrane potential and adaptation of the adaptive exponential neuron at 420 pA: points of NEST's "
        "reference trace lie "
        "on the simulation (blue); with a larger by 10 % (red) they do not."
    )
    return Figure("trace", figure, caption)


def _errors(result: SavedResult) -> Figure:
    names = [f"{variable} against {other}" for variable in ("potential", "adaptation") for other in ("NEST", "DOP853")]
    at = np.arange(len(names))
    figure, axes = new_figure(width=7, height=3.4)
    for suffix, colour, label in (("", BLUE, "simulation"), (", wrong a", RED, "a larger by 10 %")):
        values = [float(result.values[f"mean relative error of the {name}{suffix}"]) for name in names]
        axes.plot(at, values, "o", color=colour, label=label)
    axes.hlines([5e-4, 5e-4, 1e-4, 1e-4], at - 0.3, at + 0.3, color=BLACK, label="allowed by NEST's test")
    axes.set_xticks(at, [name.replace(" against ", "\nagainst ") for name in names])
    axes.set(yscale="log", ylabel="mean relative error", ylim=(5e-6, 0.3), xlim=(-0.5, 4.6))
    axes.legend(loc="center right", fontsize=8)
    caption = (
        "Mean relative errors against NEST's reference points and against an integration by SciPy, with the "
        "tolerances of "
        "NEST's own test: the simulation is below them, the wrong neuron far above."
    )
    return Figure("errors", figure, caption)
