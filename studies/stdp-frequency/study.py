"""Why do pairs of spikes not suffice: how does plasticity depend on the frequency of pairing?

Sjostrom, Turrigiano & Nelson (2001) paired spikes of neurons in visual cortex 10 ms apart, at frequencies from 0.1 to
50 Hz. At low frequency post before pre depresses and pre before post does nothing; at high frequency everything
potentiates. Pfister & Gerstner (2006) explained this by triplets of spikes. Do their models, simulated, match data
and published values? And does the rule for pairs fail, as it must, even with the best amplitudes that there are?
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Hz, Network, Quantity, SpikeGeneratorGroup, ms, second
from scipy.optimize import nnls

from biosnn.engine import Simulation
from biosnn.errors import SettingsError, field_error
from biosnn.groups.build import synapses
from biosnn.study import Claim, Result, setting

TARGET = "cpp"
ANSWER = (
    "The minimal triplet rule misses the measured weight changes by a normalised error of {normalised error, "
    "minimal}, the best pair rule by {normalised error, pair, best fit}."
)
METHOD = """\
Each condition (a frequency, and pre 10 ms before or after post) has two neurons that fire at given times, and one
synapse for each rule between them; all conditions run side by side. The weight starts at 1 and its bounds are far
away.

The normalised error is the mean over the conditions of the squared deviation from the data, in standard errors of the
data. It was used by Pfister & Gerstner to fit the triplet models, whose parameters are taken from their paper without
change.

The rule for pairs is the negative control. It is linear in its two amplitudes, so that its best fit is found by non-
negative least squares from one simulation with potentiation only and one with depression only. It is also shown with
the amplitudes of Bi & Poo's window."""

FREQUENCIES = (0.1, 10.0, 20.0, 40.0, 50.0)
DELTA = 10 * ms
# Relative change of the synapse and its standard error: pre before post, then post before pre.
DATA = {+1: (-0.04, 0.14, 0.29, 0.53, 0.56), -1: (-0.29, -0.41, -0.34, 0.56, 0.75)}
DATA_ERROR = {+1: (0.05, 0.10, 0.14, 0.11, 0.26), -1: (0.08, 0.11, 0.10, 0.32, 0.19)}
TRIPLETS = {"minimal": "stdp_triplet", "full": "stdp_triplet_full", "full nearest": "stdp_triplet_full_nearest"}
AMPLITUDE = 0.001
PAIRS = {"potentiation": (AMPLITUDE, 0.0), "depression": (0.0, AMPLITUDE)}
WINDOW, FITTED = "pair, Bi and Poo", "pair, best fit"


@dataclass(frozen=True)
class Settings:
    frequencies: tuple[Quantity, ...] = setting(
        tuple(f * Hz for f in FREQUENCIES), "pairings per second", minimum=0.01 * Hz, maximum=99 * Hz
    )
    pairings: int = setting(60, "pairs of spikes in each condition", minimum=1)
    dt: Quantity = setting(5 * ms, "time step, of which all intervals must be multiples", minimum=0.01 * ms)


def run(settings: Settings, sim: Simulation) -> Result:
    sim.reset(dt=settings.dt)
    conditions = [(sign, f) for sign in (+1, -1) for f in settings.frequencies]
    pre = [1 * second + np.arange(settings.pairings) / f for _, f in conditions]
    post = [times + sign * DELTA for times, (sign, _) in zip(pre, conditions, strict=True)]
    _check_grid(settings)
    changes, spikes = _simulate(sim, pre, post)

    data, error = (_data(table, conditions) for table in (DATA, DATA_ERROR))
    up, down = changes.pop("potentiation"), changes.pop("depression")
    values = {"pairings simulated": spikes // 2}
    if _protocol(settings):
        basis = np.column_stack([up, down])
        factors, _ = nnls(basis / error[:, None], data / error)
        changes[FITTED] = basis @ factors
        values |= {
            f"{name} of the best pair rule": AMPLITUDE * f
            for name, f in zip(("A_plus", "A_minus"), factors, strict=True)
        }
        for model, change in changes.items():
            values[f"normalised error, {model}"] = float(np.mean(((change - data) / error) ** 2))
        for model in ("minimal", "full nearest"):
            for (sign, f), change in zip(conditions, changes[model], strict=True):
                values[f"{model}, {f / Hz:g} Hz, {sign * 10:+d} ms"] = float(change)
    arrays = {
        "sign": np.array([sign for sign, _ in conditions]),
        "frequency": np.array([f / Hz for _, f in conditions]) * Hz,
        "data": data,
        "data error": error,
        "models": np.array(list(changes)),
        "change": np.array(list(changes.values())),
    }
    about_data = [*(claim.name for claim in CLAIMS if claim.name != "depression"), *EXPECTED]
    return Result(values, arrays, not_applicable=() if _protocol(settings) else about_data)


def _protocol(settings: Settings) -> bool:
    """Whether this is the protocol of the data; for any other there are no published values."""
    return tuple(float(f / Hz) for f in settings.frequencies) == FREQUENCIES and settings.pairings == 60


def _check_grid(settings: Settings) -> None:
    for name, interval in (("10 ms", DELTA), *((f"{f}", 1 / f) for f in settings.frequencies)):
        steps = float(interval / settings.dt)
        if abs(steps - round(steps)) > 1e-6:
            expected = f"a time step that divides every interval between spikes, also that of {name}"
            raise SettingsError(field_error("dt", expected, settings.dt))


def _simulate(sim: Simulation, pre: Any, post: Any) -> Any:
    """Change of weight of every rule in every condition, and the number of spikes of both sides."""
    source, target = _generator(pre, "pre"), _generator(post, "post")
    each: Any = np.arange(len(pre))

    def wire(rule: str, **values: Any) -> Any:
        values = {"w": 1.0, "w_max": 100.0, **values}
        return synapses(source, target, rule, onto="", connect=(each, each), values=values)

    wires = {name: wire(rule) for name, rule in TRIPLETS.items()}
    wires |= {WINDOW: wire("stdp_pair")}
    wires |= {name: wire("stdp_pair", A_plus=up, A_minus=down) for name, (up, down) in PAIRS.items()}
    last = max(float(times.max()) for times in [*pre, *post])
    sim.run(Network(source, target, *wires.values()), (last + 0.1) * second, "pairing")
    spikes = sum(len(times) for times in [*pre, *post])
    return {name: np.asarray(wire.w[:]) - 1.0 for name, wire in wires.items()}, spikes


def _generator(trains: Any, name: str) -> SpikeGeneratorGroup:
    indices = np.concatenate([np.full(len(train), k) for k, train in enumerate(trains)])
    times = np.concatenate([np.asarray(train) for train in trains])
    return SpikeGeneratorGroup(len(trains), indices, times * second, name=name)


def _data(table: Any, conditions: Any) -> np.ndarray:
    """The data of each condition, NaN where nobody measured."""
    known = {(sign, f): value for sign, row in table.items() for f, value in zip(FREQUENCIES, row, strict=True)}
    return np.array([known.get((sign, float(f / Hz)), np.nan) for sign, f in conditions])


# ---- what is claimed ---------------------------------------------------------------------------------------------

EXPECTED = [
    *(f"normalised error, {model}" for model in TRIPLETS),
    *(f"{model}, {f:g} Hz, {s:+d} ms" for model in ("minimal", "full nearest") for f in FREQUENCIES for s in (10, -10)),
]


def _change(result: Result, model: str) -> np.ndarray:
    models = [str(name) for name in result.arrays["models"]]
    return np.asarray(result.arrays["change"][models.index(model)])


def _active(result: Result) -> bool:
    """Every rule moved its weight."""
    return bool(np.abs(result.arrays["change"]).max(axis=1).min() > 0.05)


def _pairs_do_not_rise(result: Result) -> bool:
    """At +10 ms, from the lowest to the highest frequency."""
    after = result.arrays["sign"] > 0
    data = result.arrays["data"][after]
    rises = [_change(result, model)[after][-1] - _change(result, model)[after][0] for model in (WINDOW, FITTED)]
    return bool(max(rises) < 0 < data[-1] - data[0])


def _depresses_alone(result: Result) -> bool:
    """Triplet models, post before pre, in the condition with the lowest frequency."""
    lowest = result.arrays["frequency"] == result.arrays["frequency"].min()
    here = lowest & (result.arrays["sign"] < 0)
    return all(_change(result, model)[here][0] < -0.001 for model in TRIPLETS)


CLAIMS = [
    Claim(
        "depression",
        "Post before pre depresses at the lowest frequency in every triplet model.",
        _depresses_alone,
        lambda result: result.values["pairings simulated"] >= len(result.arrays["sign"]),
    ),
    Claim(
        "triplets match",
        "Each triplet model deviates from the data by less than one standard error on average.",
        lambda result: all(result.values[f"normalised error, {model}"] < 1 for model in TRIPLETS),
        _active,
    ),
    Claim(
        "pairs miss",
        "With any amplitudes pairs miss the data: their normalised error is over 5, ten times that of the triplets.",
        lambda result: bool(
            result.values[f"normalised error, {FITTED}"]
            > max(5, 10 * max(result.values[f"normalised error, {model}"] for model in TRIPLETS))
        ),
        _active,
    ),
    Claim(
        "pairs do not rise",
        "At +10 ms the rule for pairs potentiates less at 50 Hz than at 0.1 Hz, where the data potentiate more.",
        _pairs_do_not_rise,
        _active,
    ),
]
