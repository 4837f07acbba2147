"""How fast does a neuron fire at a constant drive, and as closed forms say?

A membrane under a constant current is an RC circuit: it has reached 1 - 1/e of its final value after one time constant.
With a threshold it fires at a rate known in closed form (the f-I curve), and in white noise at the rate that Siegert
derived in 1951. How close does the simulation come, and what does its time step cost? For any other neuron model
(`model=adex`, `model=./mine.toml`) there is no closed form, and the study measures the f-I curve only, from zero to
three times the weakest drive that makes it fire.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from brian2 import Hz, Mohm, Network, Quantity, SpikeMonitor, StateMonitor, mV, nA, second
from brian2 import ms as msecond

from biosnn.engine import Simulation
from biosnn.groups.build import neurons
from biosnn.study import Claim, Result, setting
from biosnn.theory import lif_rate, siegert_rate, siegert_rate_discrete

from .any_model import f_i_curve, interval_rates

Found = tuple[dict[str, Any], dict[str, Any]]
"""Values and arrays."""

TARGET = "numpy"
ANSWER = [
    "After one time constant the membrane has charged to {charge after tau} of its final value (1 - 1/e is "
    "0.632); in noise a neuron fires at {rate in noise, NEST case}, where Siegert's formula gives {Siegert, "
    "NEST case}.",
    "The neuron fires at a drive of {weakest drive that fires} and more, at up to {highest rate}.",
]
METHOD = """\
The LIF neuron is integrated exactly, so that its charging curve must agree with 1 - exp(-t/tau) to rounding. Its f-I
curve is measured from the intervals between spikes, with and without refractory period. A spike can only be seen at
the end of a time step, which makes an interval up to one step longer; and Brian2 holds the membrane for one step less
than the refractory period. Together they shift an interval by less than a step, up or down.

The noisy neuron is integrated by the Euler-Maruyama method. Crossings of the threshold between two steps are missed,
which acts like a threshold raised by 0.5826 sigma sqrt(dt/tau) (Broadie, Glasserman & Kou 1997): the rate is too low
by an amount that falls only with the square root of the step. Each simulated rate is held against Siegert's formula
with the threshold so raised; the rates named "without step" have the predicted error of the step taken off and are
held against Siegert's formula itself."""

REFERENCE_MU = np.array([10.5, 12.0, 15.0, 20.0]) * mV
LIF = {"tau_m": 10 * msecond, "v_th": 10 * mV, "v_reset": 0 * mV}
RESISTANCE = 50 * Mohm
NEST = {"tau_m": 10 * msecond, "v_th": 15 * mV, "v_reset": 0 * mV, "t_ref": 2 * msecond}
NEST_DRIVE = {"mu": 15 * mV, "sigma": np.sqrt(1.5) * mV}
CORTEX = {"tau_m": 20 * msecond, "v_th": 20 * mV, "v_reset": 10 * mV, "t_ref": 2 * msecond}
CORTEX_MU, CORTEX_SIGMA = np.array([15.0, 18.0, 10.0, 20.0]) * mV, np.array([3.0, 3.0, 5.0, 5.0]) * mV
# Neurons that fire rarely are many, so that each mean rests on a similar number of spikes.
CORTEX_SHARE = np.array([0.9, 0.5, 1.6, 0.5])
SETTLING = 0.2 * second
CLOSED_FORMS = ("charging", "f-I", "noise", "convergence")


@dataclass(frozen=True)
class Settings:
    model: str = setting("lif", "a neuron model by name or .toml file; any but lif gets its f-I curve only")
    preset: str = setting("", "one of the model's presets")
    drive: str = setting("", "the model's input to drive; by default its first input of kind value")
    drive_to: str = setting(
        "", "the strongest drive, such as '1 nA'; by default three times the weakest that makes it fire"
    )
    points: int = setting(61, "how many drives, from zero up", minimum=5)
    duration: Quantity = setting(1.2 * second, "simulated time", minimum=0.4 * second)
    dt: Quantity = setting(0.1 * msecond, "time step of the f-I curves", minimum=1e-3 * msecond)
    steps: tuple[Quantity, ...] = setting(
        tuple(step * msecond for step in (1.0, 0.5, 0.2, 0.1, 0.05)), "time steps whose error is measured"
    )
    noise_steps: tuple[Quantity, ...] = setting(
        tuple(step * msecond for step in (0.8, 0.4, 0.2, 0.1, 0.05)), "the same in noise"
    )
    neurons: int = setting(1500, "noisy neurons for each condition", minimum=20)


def run(settings: Settings, sim: Simulation) -> Result:
    sim.reset(dt=settings.dt)
    return (
        _closed_forms(settings, sim) if settings.model == "lif" and not settings.preset else _any_model(settings, sim)
    )


def _any_model(settings: Settings, sim: Simulation) -> Result:
    return f_i_curve(settings, sim, not_applicable=[*CLOSED_FORMS, *EXPECTED])


# ---- the closed forms --------------------------------------------------------------------------------------------


def _closed_forms(settings: Settings, sim: Simulation) -> Result:
    """Everything in one program, so that the C++ target builds once."""
    charging, trace = _charging_cell()
    grid = np.linspace(0, 30, settings.points) * mV
    mu = np.concatenate([REFERENCE_MU / mV, grid / mV]) * mV
    curves = {t_ref: _lif_curve(mu, t_ref * msecond, None) for t_ref in (0, 5)}
    above = np.linspace(10.2, 30, 40) * mV
    stepped = [_lif_curve(above, 5 * msecond, step) for step in settings.steps]
    noisy = [_noisy(settings.neurons, NEST, NEST_DRIVE, step) for step in settings.noise_steps]
    counts = np.maximum(20, settings.neurons * CORTEX_SHARE).astype(int)
    which = np.repeat(np.arange(len(counts)), counts)
    cortex = _noisy(len(which), CORTEX, {"mu": CORTEX_MU[which], "sigma": CORTEX_SIGMA[which]}, settings.dt)

    cells = [*curves.values(), *stepped, *noisy, cortex]
    network = Network(charging, trace, *(part for cell in cells for part in cell))
    sim.run(network, settings.duration, "charging, f-I curves, noise")

    parts = [
        _charging(trace),
        _f_i(mu, {t_ref: interval_rates(spikes, len(mu)) for t_ref, (_, spikes) in curves.items()}, settings.dt),
        _noise(settings, [spikes for _, spikes in noisy], cortex[1], which),
        _convergence(settings, above, [interval_rates(spikes, len(above)) for _, spikes in stepped]),
    ]
    values = {name: value for part in parts for name, value in part[0].items()}
    arrays = {name: value for part in parts for name, value in part[1].items()}
    return Result(values, {**arrays, "drive": mu[4:] / RESISTANCE, "rate": arrays["rate, t_ref 5 ms"][4:]})


def _charging_cell() -> tuple[Any, Any]:
    cell = neurons(1, "lif", name="charging", values={"v_th": "1 volt", "I": 0.1 * nA})
    return cell, StateMonitor(cell, "v", record=True, name="charging_trace")


def _lif_curve(mu: Quantity, t_ref: Quantity, dt: Quantity | None) -> tuple[Any, Any]:
    group = neurons(len(mu), "lif", dt=dt, values={"t_ref": t_ref, "I": mu / RESISTANCE})
    return group, SpikeMonitor(group)


def _noisy(n: int, cell: dict[str, Any], drive: dict[str, Any], dt: Quantity) -> tuple[Any, Any]:
    held = cell["t_ref"] + dt  # Brian2 holds the membrane for one step less
    group = neurons(n, "lif_noisy", dt=dt, values={**cell, "t_ref": held, **drive})
    return group, SpikeMonitor(group)


def _charging(trace: Any) -> Found:
    t, v = trace.t[:], trace.v[0] / (0.1 * nA * RESISTANCE)
    after = {n: round(float(n * LIF["tau_m"] / (t[1] - t[0]))) for n in (1, 3)}
    shown = t <= 6 * LIF["tau_m"]
    exact = 1 - np.exp(-np.asarray(t / LIF["tau_m"]))
    values = {"charge after tau": float(v[after[1]]), "charge after 3 tau": float(v[after[3]])}
    values["charging curve, largest error"] = float(np.abs(v - exact).max())
    return values, {"charging time": t[shown], "charge": v[shown]}


def _f_i(mu: Quantity, rates: dict[int, Quantity], dt: Quantity) -> Found:
    values: dict[str, Any] = {}
    fine = np.append(10 + np.geomspace(1e-6, 20, 400), 0.0) * mV  # as it rises steeply above the threshold
    arrays, worst = {"mu": mu, "mu of the formula": np.sort(fine)}, 0.0
    for t_ref, rate in rates.items():
        exact = lif_rate(mu, t_ref=t_ref * msecond, **LIF)
        fires = (rate > 0 * Hz) & (exact > 0 * Hz)
        late = np.asarray(1 / rate[fires] - 1 / exact[fires]) / float(dt)
        worst = max(worst, float(np.abs(late).max(initial=0)))
        key = f"t_ref {t_ref} ms"
        # A drive barely above threshold may not reach two spikes in the time simulated; a wrong one fires below it.
        values[f"drives that fire below threshold, {key}"] = int(np.sum((rate > 0 * Hz) & (exact == 0 * Hz)))
        values[f"drives compared, {key}"] = int(fires.sum())
        arrays[f"rate, {key}"], arrays[f"formula, {key}"] = rate, exact
        arrays[f"curve, {key}"] = lif_rate(arrays["mu of the formula"], t_ref=t_ref * msecond, **LIF)
    values["f-I, largest error of an interval in steps"] = worst
    for m, rate in zip(REFERENCE_MU / mV, arrays["rate, t_ref 5 ms"][:4], strict=True):
        values[f"rate at mu {m:g} mV"] = rate
    return values, arrays


def _mean_rate(spikes: Any, member: np.ndarray, duration: Quantity) -> tuple[Quantity, Quantity, int]:
    """Mean rate after settling of the neurons ``member``, its standard error, and the number of spikes."""
    i, t = np.asarray(spikes.i[:]), np.asarray(spikes.t[:])
    count = np.bincount(i[t >= float(SETTLING)], minlength=len(member))[member]
    watched = duration - SETTLING
    return count.mean() / watched, count.std(ddof=1) / np.sqrt(len(count)) / watched, int(count.sum())


def _noise(settings: Settings, by_step: list[Any], cortex: Any, which: np.ndarray) -> Found:
    values = {"Siegert, NEST case": siegert_rate(**NEST_DRIVE, **NEST)}
    rows: list[tuple[Any, ...]] = []
    everyone = np.ones(settings.neurons, dtype=bool)
    for step, spikes in zip(settings.noise_steps, by_step, strict=True):
        rows.append(
            (NEST_DRIVE["mu"], NEST_DRIVE["sigma"], NEST, step, *_mean_rate(spikes, everyone, settings.duration))
        )
    for k, (mu, sigma) in enumerate(zip(CORTEX_MU, CORTEX_SIGMA, strict=True)):
        rows.append((mu, sigma, CORTEX, settings.dt, *_mean_rate(cortex, which == k, settings.duration)))
    simulated, error = (np.array([float(row[k]) for row in rows]) * Hz for k in (4, 5))
    exact = np.array([float(siegert_rate(mu, sigma, **cell)) for mu, sigma, cell, *_ in rows]) * Hz
    predicted = np.array([float(siegert_rate_discrete(m, s, dt=dt, **cell)) for m, s, cell, dt, *_ in rows]) * Hz
    n = len(settings.noise_steps)
    nearest = int(np.argmin([abs(float(step - settings.dt)) for step in settings.noise_steps]))
    values["rate in noise, NEST case"] = simulated[nearest]
    for k in range(n, len(rows)):
        mu, sigma = rows[k][0] / mV, rows[k][1] / mV
        values[f"Siegert, mu {mu:g} sigma {sigma:g} mV"] = exact[k]
        values[f"rate in noise without step, mu {mu:g} sigma {sigma:g} mV"] = simulated[k] * (exact[k] / predicted[k])
    values["noise, largest deviation in standard errors"] = float(np.abs((simulated - predicted) / error).max())
    values["noise, fewest spikes"] = min(row[6] for row in rows)
    arrays = {"noise simulated": simulated, "noise standard error": error, "noise Siegert": exact}
    arrays |= {"noise predicted": predicted, "noise step": np.array([float(row[3]) for row in rows[:n]]) * second}
    missing = np.asarray(1 - simulated[:n] / exact[:n])
    steps = np.asarray(arrays["noise step"])
    for name, k in (("largest", int(np.argmax(steps))), ("smallest", int(np.argmin(steps)))):
        values[f"share of spikes missed at the {name} step, noise"] = float(missing[k])
    return values, arrays


def _convergence(settings: Settings, mu: Quantity, rates: list[Any]) -> Found:
    exact = lif_rate(mu, t_ref=5 * msecond, **LIF)
    error = np.array([np.abs(np.asarray(1 / rate - 1 / exact)).mean() for rate in rates])
    steps = np.array([float(step) for step in settings.steps])
    order = np.polyfit(np.log(steps), np.log(error), 1)[0]
    return {"order of the error, f-I": float(order)}, {"step": steps * second, "interval error by step": error * second}


def _plain(values: Any) -> np.ndarray:
    return np.asarray(values, dtype=float)


# ---- what is claimed ---------------------------------------------------------------------------------------------


def _within(name: str, low: float, high: float, result: Result) -> bool:
    return bool(low <= result.values[name] <= high)


def _f_i_holds(result: Result) -> bool:
    wrong = [v for name, v in result.values.items() if name.startswith("drives that fire below threshold")]
    return bool(sum(wrong) == 0 and result.values["f-I, largest error of an interval in steps"] <= 1.0 + 1e-6)


def _f_i_active(result: Result) -> bool:
    """Rates with and without refractoriness are compared at half of the drives at least."""
    compared = [v for name, v in result.values.items() if name.startswith("drives compared")]
    return len(compared) == 2 and min(compared) >= len(result.arrays["mu"]) // 2


def _noise_active(result: Result) -> bool:
    """The neurons with noise spike 300 times at least at every drive."""
    return bool(result.values["noise, fewest spikes"] >= 300)


def _convergence_holds(result: Result) -> bool:
    coarse, fine = (
        result.values[f"share of spikes missed at the {name} step, noise"] for name in ("largest", "smallest")
    )
    return _within("order of the error, f-I", 0.85, 1.15, result) and bool(0 < fine < 0.8 * coarse)


EXPECTED = [
    *("charge after tau", "charge after 3 tau", "Siegert, NEST case", "rate in noise, NEST case"),
    *(f"rate at mu {m:g} mV" for m in REFERENCE_MU / mV),
    *(
        f"{what}, mu {m / mV:g} sigma {s / mV:g} mV"
        for what in ("Siegert", "rate in noise without step")
        for m, s in zip(CORTEX_MU, CORTEX_SIGMA, strict=True)
    ),
]

CLAIMS = [
    Claim(
        "fires",
        "The neuron fires at some of the drives.",
        lambda result: bool(np.max(_plain(result.arrays["rate"])) > 0),
        lambda result: bool(np.max(_plain(result.arrays["drive"])) > 0),
    ),
    Claim(
        "charging",
        "The membrane follows 1 - exp(-t/tau) to 1e-9 at every step.",
        partial(_within, "charging curve, largest error", 0, 1e-9),
        lambda result: bool(result.arrays["charge"][-1] > 0.99),
    ),
    Claim(
        "f-I",
        "No neuron fires below threshold; no interval is off by more than a step, with or without refractory period.",
        _f_i_holds,
        _f_i_active,
    ),
    Claim(
        "noise",
        "Every rate in noise is within 5 standard errors of Siegert's formula, the error of the time step included.",
        partial(_within, "noise, largest deviation in standard errors", 0, 5),
        _noise_active,
    ),
    Claim(
        "convergence",
        "The error falls in proportion to the time step for the f-I curve; in noise it falls too, but slowly.",
        _convergence_holds,
        lambda result: _noise_active(result) and len(result.arrays["step"]) >= 3,
    ),
]
