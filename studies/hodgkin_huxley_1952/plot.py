"""Figures of the study hodgkin_huxley_1952, from a saved result only."""

import numpy as np
from brian2 import Hz, ms, mV, uA
from brian2.units.allunits import cmetre2

from biosnn.report import Figure, graded, new_figure
from biosnn.study import SavedResult

BLUE, RED, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "0.55"
UNIT = uA / cmetre2
CURRENT = "current (µA/cm²)"


def plot(result: SavedResult) -> list[Figure]:
    return [_threshold(result), _steps(result), _f_i(result), _stability(result)]


def _threshold(result: SavedResult) -> Figure:
    """Beside figure 12 of the paper: displacements from rest in mV, 0 to 7 ms."""
    time = np.asarray(result.arrays["trace time"] / ms)
    figure, axes = new_figure(width=6)
    traces = result.arrays["shock trace"]
    displacements = np.asarray(result.arrays["displacement"] / mV)[: len(traces)]
    colours = dict(zip(sorted(displacements), graded(len(displacements)), strict=True))
    for trace, start in zip(traces, displacements, strict=True):
        axes.plot(time, trace / mV + 65, color=colours[start], label=f"{start:g} mV")
    axes.set(xlabel="time (ms)", ylabel="displacement from rest (mV)", xlim=(0, 7), ylim=(-20, 110))
    axes.axhline(0, color=GREY, lw=0.7)
    axes.legend(title="at time 0", loc="upper right")
    caption = (
        "Membrane potential after it was displaced at once by 90, 15, 7 and 6 mV, as in figure 12 of the paper: three "
        "action potentials, the later the smaller the displacement, and none after 6 mV."
    )
    return Figure("threshold", figure, caption)


def _steps(result: SavedResult) -> Figure:
    time = np.asarray(result.arrays["trace time"] / ms)
    figure, axes = new_figure(4, 1, width=6, height=4.6, sharex=True, sharey=True)
    for one, trace, current in zip(
        axes, result.arrays["shown trace"], result.arrays["shown current"] / UNIT, strict=True
    ):
        one.plot(time, trace / mV, color=BLUE, lw=1.1)
        one.set(xlim=(0, 100), ylim=(-85, 50), yticks=[-65, 0])
        one.set_title(f"{current:g} µA/cm²", fontsize=9)
    axes[-1].set(xlabel="time since the current was switched on (ms)")
    figure.supylabel("membrane potential (mV)", fontsize=10)
    caption = (
        "A constant current from time 0 at rest: one spike below the least current of lasting firing (3 and 5 µA/cm²), "
        "firing above it (8 and 12), at once with a frequency far from zero."
    )
    return Figure("steps", figure, caption)


def _f_i(result: SavedResult) -> Figure:
    least = result.values["least current of lasting firing"] / UNIT
    hopf = [result.values[f"{place} Hopf point"] / UNIT for place in ("first", "second")]
    figure, (left, right) = new_figure(1, 2, width=7.5, height=3.5)
    current, rate = result.arrays["step current"] / UNIT, result.arrays["step rate"] / Hz
    left.plot(current, rate, ".", color=BLUE, label="current switched on at rest")
    left.axvline(hopf[1], color=GREY, lw=1, ls="--")
    left.annotate("second\nHopf point", (hopf[1], 20), (-4, 0), textcoords="offset points", ha="right", fontsize=8)
    control = result.arrays["control current"] / UNIT, result.arrays["control rate"] / Hz
    left.plot(*control, "x", ms=3, color=RED, label="no potassium activation")
    left.set(xlabel=CURRENT, ylabel="firing rate (Hz)", xlim=(0, 165), ylim=(-5, 175))
    left.legend(loc="upper left", fontsize=8)
    current = result.arrays["falling current"] / UNIT
    right.axvspan(least, hopf[0], color="0.92", lw=0)
    right.text((least + hopf[0]) / 2, 36, "both are stable", ha="center", fontsize=9)
    right.plot(current, result.arrays["falling rate"] / Hz, "o", ms=3, color=BLUE, label="after firing")
    right.plot(current, result.arrays["quiet rate"] / Hz, "s", ms=3, color=RED, label="from rest")
    right.set(xlabel=CURRENT, ylabel="firing rate (Hz)", xlim=(6, 12), ylim=(-3, 100))
    right.legend(loc="upper left", fontsize=8)
    caption = (
        "Left: f-I curve; spikes are counted at -35 mV, below which the oscillation stays close to the second "
        "Hopf point. "
        "Right: at its onset, cells that had been firing and cells at their equilibrium; grey: from the least "
        "current of "
        "lasting firing to the first Hopf point."
    )
    return Figure("f-i", figure, caption)


def _stability(result: SavedResult) -> Figure:
    current = np.asarray(result.arrays["equilibrium current"] / UNIT)
    stable = np.asarray(result.arrays["equilibrium is stable"])
    figure, (left, right) = new_figure(1, 2, width=7.5, height=3.4)
    potential = np.asarray(result.arrays["equilibrium potential"] / mV)
    for where, style, label in ((stable, "-", "stable"), (~stable, "--", "unstable")):
        left.plot(current, np.where(where, potential, np.nan), style, color=BLUE, label=label)
    left.set(xlabel=CURRENT, ylabel="equilibrium (mV)", xlim=(0, 180))
    left.legend(loc="lower right")
    right.plot(current, np.asarray(result.arrays["growth"] * ms), color=BLUE)
    right.axhline(0, color=GREY, lw=0.8)
    for place, shift in (("first", (8, 8)), ("second", (-4, 8))):
        point = result.values[f"{place} Hopf point"] / UNIT
        right.plot(point, 0, "o", color=RED)
        right.annotate(
            f"{point:.2f}", (point, 0), shift, textcoords="offset points", ha="left" if place == "first" else "right"
        )
    right.set(xlabel=CURRENT, ylabel="largest real part (1/ms)", xlim=(0, 180), ylim=(-0.2, 0.35))
    caption = (
        "Left: the resting state that belongs to each constant current. Right: the largest real part of the "
        "eigenvalues of "
        "its Jacobian, which is zero at the two Hopf points; between them rest is unstable."
    )
    return Figure("stability", figure, caption)
