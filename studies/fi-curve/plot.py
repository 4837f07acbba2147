"""Figures of the study fi-curve, from a saved result only."""

import numpy as np
from brian2 import Hz, ms, mV

from biosnn.quantity import parse_unit
from biosnn.report import Figure, new_figure
from biosnn.study import SavedResult

DATA, THEORY, SECOND = "#0072b2", "#000000", "#d55e00"


def plot(result: SavedResult) -> list[Figure]:
    if "names" in result.arrays:
        return [_any_model(result)]
    return [_charging(result), _f_i(result), _noise(result), _convergence(result)]


def _any_model(result: SavedResult) -> Figure:
    model, drive, meaning, unit = (str(text) for text in result.arrays["names"])
    drives = np.asarray(result.arrays["drive"] / parse_unit(unit))
    label = f"{drive}: {meaning}" + ("" if unit == "1" else f" ({unit.replace('**2', '²')})")
    figure, axes = new_figure()
    axes.plot(drives, np.asarray(result.arrays["rate"] / Hz), ".-", color=DATA)
    axes.set(xlabel=label, ylabel="firing rate (Hz)", title=f"f-I curve of {model}")
    axes.set_ylim(bottom=0)
    return Figure(
        "f-i", figure, f"Firing rate of {model} at a constant drive {drive}, from the intervals between spikes."
    )


def _charging(result: SavedResult) -> Figure:
    t, v = result.arrays["charging time"] / (10 * ms), result.arrays["charge"]
    figure, axes = new_figure(width=6)
    axes.plot(t, 1 - np.exp(-t), color=THEORY, lw=1, label="1 - exp(-t/τ)")
    axes.plot(t[::20], v[::20], "o", ms=4, color=DATA, label="simulation, every 20th step")
    for n in (1, 3):
        axes.plot([n, n, 0], [0, 1 - np.exp(-n), 1 - np.exp(-n)], ":", color="0.5", lw=1)
        axes.annotate(f"{1 - np.exp(-n):.4f}", (n, 1 - np.exp(-n)), (6, -12), textcoords="offset points")
    axes.set(xlabel="time t/τ", ylabel="membrane potential V/(R I)", xlim=(0, 6), ylim=(0, 1.05))
    axes.legend(loc="lower right")
    caption = "Charging of the membrane by a constant current, without threshold: simulation against the RC circuit."
    return Figure("charging", figure, caption)


def _f_i(result: SavedResult) -> Figure:
    mu, fine = result.arrays["mu"] / mV, result.arrays["mu of the formula"] / mV
    figure, axes = new_figure(width=6)
    for t_ref, colour in ((0, SECOND), (5, DATA)):
        axes.plot(
            fine, result.arrays[f"curve, t_ref {t_ref} ms"] / Hz, color=THEORY, lw=1, label=None if t_ref else "formula"
        )
        rate = result.arrays[f"rate, t_ref {t_ref} ms"] / Hz
        axes.plot(mu, rate, "o", ms=3.5, color=colour, label=f"simulation, $t_{{ref}}$ = {t_ref} ms")
    axes.set(xlabel="drive μ = R I (mV)", ylabel="firing rate (Hz)", xlim=(0, 30), ylim=(0, None))
    axes.legend(loc="upper left")
    return Figure(
        "f-i", figure, "Firing rate at a constant drive, with and without refractory period, against the formula."
    )


def _noise(result: SavedResult) -> Figure:
    simulated, error = result.arrays["noise simulated"] / Hz, result.arrays["noise standard error"] / Hz
    n = len(result.arrays["noise step"])
    names = [f"μ 15, σ 1.22 mV\nΔt {step / ms:g} ms" for step in result.arrays["noise step"]]
    names += [f"μ {m}, σ {s} mV" for m, s in ((15, 3), (18, 3), (10, 5), (20, 5))]
    at = np.arange(len(names))
    siegert = result.arrays["noise Siegert"] / Hz
    figure, axes = new_figure(width=7, height=4.2)
    axes.axvspan(-0.5, n - 0.5, color="0.95", lw=0)
    axes.axhline(0, color=THEORY, lw=1)
    axes.text(len(at) - 0.5, 0.15, "Siegert", ha="right", va="bottom", fontsize=9)
    predicted = 100 * (result.arrays["noise predicted"] / Hz / siegert - 1)
    axes.plot(at, predicted, "_", ms=22, mew=2, color=SECOND, label="Siegert, threshold raised by the step")
    axes.errorbar(
        *(at, 100 * (simulated / siegert - 1), 200 * error / siegert),
        fmt="o",
        color=DATA,
        label="simulation ± 2 standard errors",
    )
    axes.set_xticks(at, names, rotation=40, ha="right", fontsize=8)
    axes.set(ylabel="deviation from Siegert (%)", xlim=(-0.5, len(at) - 0.5))
    axes.set_ylim(top=4)
    axes.legend(loc="upper left", bbox_to_anchor=(0, 1.17), ncols=2)
    caption = (
        "Rate of noisy neurons relative to Siegert's formula. Left, grey: one condition at several time steps Δt. "
        "Right: four conditions of another cell. The simulation misses spikes between steps, as many as predicted."
    )
    return Figure("noise", figure, caption)


def _convergence(result: SavedResult) -> Figure:
    steps = np.asarray(result.arrays["step"] / ms)
    noise_steps = np.asarray(result.arrays["noise step"] / ms)
    n = len(noise_steps)

    def share(name: str) -> np.ndarray:
        return np.asarray(1 - np.asarray(result.arrays[name][:n] / result.arrays["noise Siegert"][:n]))

    figure, (left, right) = new_figure(1, 2, width=7.5, height=3.4)
    error = np.asarray(result.arrays["interval error by step"] / ms)
    left.loglog(steps, error, "o", color=DATA, label="simulation")
    left.loglog(steps, steps * error[-1] / steps[-1], color=THEORY, lw=1, label="in proportion to Δt")
    left.set(xlabel="time step Δt (ms)", ylabel="mean error of an interval (ms)", title="constant drive")
    left.set_yticks([0.02, 0.05, 0.1, 0.2, 0.5], ["0.02", "0.05", "0.1", "0.2", "0.5"])
    left.legend(loc="upper left")
    right.loglog(noise_steps, 100 * share("noise simulated"), "o", color=DATA, label="simulation")
    right.loglog(noise_steps, 100 * share("noise predicted"), color=SECOND, lw=1.4, label="predicted")
    right.set(xlabel="time step Δt (ms)", ylabel="spikes missed (%)", title="in noise", ylim=(1, 10))
    right.set_yticks([1, 2, 5, 10], ["1", "2", "5", "10"])
    right.legend(loc="upper left")
    for axes, ticks in ((left, steps), (right, noise_steps)):
        axes.set_xticks(ticks, [f"{step:g}" for step in ticks])
        axes.minorticks_off()
    caption = "Error of the rate against the time step, at a constant drive and in noise (μ 15 mV, σ 1.22 mV)."
    return Figure("convergence", figure, caption)
