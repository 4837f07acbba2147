"""What part 3, biology, reports: values, arrays, tables and claims."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import Hz, ms, mV
from numpy.typing import NDArray

from biosnn.propagation import ChainResult
from biosnn.propagation.rates import SYNFIRE
from biosnn.propagation.volleys import survival_of
from biosnn.study import Claim, Table

Floats = NDArray[np.float64]


def biology_values(found: ChainResult) -> dict[str, Any]:
    """The numbers that claims and expected values are about; means over seeds."""
    volleys, rates = found.volleys, found.rates
    values: dict[str, Any] = {
        "biology background rate": volleys.background.mean() * Hz,
        "biology attractor": _attractor(found)[0],
        "biology attractor sigma": _attractor(found)[1] * ms,
    }
    for number, sigma in enumerate(volleys.sigmas):
        values[f"biology spikes to survive, sigma {sigma:g} ms"] = float(volleys.fits[number, 0])
    for number, condition in enumerate(rates.conditions):
        last = {
            "R2": rates.told[number, :, -1].mean(),
            "R2 in 20 ms": rates.told_fast[number, :, -1].mean(),
            "slope": rates.slope[number, :, -1].mean(),
            "Fano factor": _mean_fano(rates.fano[number, ..., -1]),
        }
        values |= {f"biology {name} of the last layer, {condition}": float(value) for name, value in last.items()}
    return values


def biology_arrays(found: ChainResult) -> dict[str, Any]:
    """What figures are drawn from; axes as in `Volleys` and `Rates`."""
    volleys, rates = found.volleys, found.rates
    return {
        "biology spikes": volleys.spikes,
        "biology sigmas": volleys.sigmas * ms,
        "biology survived": volleys.survived,
        "biology midpoints": volleys.midpoints,
        "biology fits": volleys.fits,
        "biology packets": volleys.packets,
        "biology spreads": volleys.spreads * ms,
        "biology width": np.array(volleys.width),
        "biology rates": rates.rates * Hz,
        "biology conditions": np.array(rates.conditions),
        "biology weights": rates.weight * mV,
        "biology drives": rates.drive * mV,
        "biology response": rates.response * Hz,
        "biology fano": rates.fano,
        "biology told": rates.told,
        "biology told fast": rates.told_fast,
        "biology slope": rates.slope,
    }


def biology_tables(found: ChainResult) -> dict[str, Table]:
    """Survival of volleys, and what the last layer tells of a rate."""
    volleys, rates = found.volleys, found.rates
    share = volleys.survived.mean(axis=(0, 3))
    survival = [
        ("sigma (ms)", *(f"{a:g}" for a in volleys.spikes), "half survive at"),
        *(
            (f"{sigma:g}", *(f"{100 * p:.0f}" for p in share[n]), _with_sd(volleys.midpoints[:, n], ".1f"))
            for n, sigma in enumerate(volleys.sigmas)
        ),
    ]
    last = [
        ("condition", "weight (mV)", "drive (mV)", "R2", "R2 in 20 ms", "slope", "Fano factor in 2 ms"),
        *(
            (
                condition,
                f"{rates.weight[n]:.3f}",
                f"{rates.drive[n]:.2f}",
                *(_with_sd(measure[n, :, -1], ".2f") for measure in (rates.told, rates.told_fast, rates.slope)),
                f"{_mean_fano(rates.fano[n, ..., -1]):.1f}",
            )
            for n, condition in enumerate(rates.conditions)
        ),
    ]
    return {
        "Volleys that survive": Table(
            "Volleys of so many spikes that make half of the last group's neurons spike together, in per cent of all "
            "chains and volleys, and the midpoint of a sigmoid: mean and standard deviation over chains.",
            survival,
        ),
        "Rates in the last layer": Table(
            "What the last layer tells of the input's rate: mean and standard deviation over chains. R2 is that of a "
            "line from the input's rates to the layer's, of the whole time and in windows of 20 ms. The Fano factor is "
            "that of all neurons together: 1 if they fire independently, as many as they are if all fire as one.",
            last,
        ),
    }


def _with_sd(values: Floats, form: str) -> str:
    return f"{values.mean():{form}} ± {values.std(ddof=1):{form}}"


def _mean_fano(fano: Floats) -> float:
    """Over seeds and those input rates at which the layer fires; 0 if it never does."""
    return float(np.nanmean(fano)) if np.isfinite(fano).any() else 0.0


def _attractor(found: ChainResult) -> tuple[float, float]:
    """Spikes and spread (ms) of the volleys in the last group that survived, medians; NaN if none did."""
    alive = found.volleys.survived
    last = (found.volleys.packets[..., -1][alive], found.volleys.spreads[..., -1][alive])
    return (float(np.median(last[0])), float(np.median(last[1]))) if alive.any() else (np.nan, np.nan)


# ---- claims --------------------------------------------------------------------------------------------------------


def _volleys_fire(result: Any) -> bool:
    """The minimum activity: the first group answers the largest volleys with at least half of its neurons."""
    arrays = result.arrays
    return bool(arrays["biology packets"][:, :, -1, :, 0].mean() >= arrays["biology width"] / 2)


def _is_a_sigmoid(result: Any) -> bool:
    """From dying to surviving within the volleys that were sent, and never far from the fit."""
    arrays = result.arrays
    share = arrays["biology survived"].mean(axis=(0, 3))
    fitted = np.array([survival_of(arrays["biology spikes"], fit) for fit in arrays["biology fits"]])
    return bool(share[:, 0].max() <= 0.1 and share[:, -1].min() >= 0.9 and np.abs(share - fitted).max() <= 0.2)


def _wide_needs_more(result: Any) -> bool:
    """In every chain."""
    midpoints = result.arrays["biology midpoints"]
    return bool(np.all(midpoints[:, 0] < midpoints[:, -1]))


def _last(result: Any, name: str) -> tuple[Floats, Floats, Floats]:
    """A measure of the last layer of each chain: with the noise of the background, without noise, and the synfire's."""
    conditions = [str(condition) for condition in result.arrays["biology conditions"]]
    found = np.asarray(result.arrays[f"biology {name}"])[..., -1]
    noisy, quiet, synfire = (found[conditions.index(condition)] for condition in ("noise 1", "noise 0", SYNFIRE))
    return noisy, quiet, synfire


def _layers_fire(result: Any) -> bool:
    """The minimum activity: in all three, the last layer fires at 5 Hz for some input rate, on average over chains."""
    return bool(min(response.mean(axis=0).max() for response in _last(result, "response")) >= 5)


def _rises(result: Any) -> bool:
    """Within the Hz by which rates of background activity differ by chance."""
    mean = _last(result, "response")[0].mean(axis=0)
    return bool(np.all(np.diff(mean) > -1) and _last(result, "told")[0].mean() > 0.9)


def _tells_less(result: Any, which: int) -> bool:
    """Within 20 ms, in every chain, than with the rule and the noise."""
    told = _last(result, "told fast")
    return bool(np.all(told[which] < told[0]))


BIOLOGY_CLAIMS = [
    Claim(
        "biology all or nothing",
        "whether a volley survives ten groups is a sigmoid of how many spikes it has",
        _is_a_sigmoid,
        _volleys_fire,
    ),
    Claim(
        "biology synchrony counts",
        "in every chain, a volley that is spread in time needs more spikes to survive",
        _wide_needs_more,
        _volleys_fire,
    ),
    Claim(
        "biology noise carries rates",
        "with the background's noise, the last layer's rate rises with the input's, nearly on a line (R2 above 0.9)",
        _rises,
        _layers_fire,
    ),
    Claim(
        "biology no noise, no fast rate",
        "without noise, the last layer tells less of the input's rate within 20 ms, in every chain",
        lambda result: _tells_less(result, 1),
        _layers_fire,
    ),
    Claim(
        "biology synfire chains forget rates",
        "the last group of a chain whose weights carry volleys tells less of a rate within 20 ms than that of the "
        "layers that keep rates, in every chain, though it has the same noise",
        lambda result: _tells_less(result, 2),
        _layers_fire,
    ),
    Claim(
        "biology no noise, one neuron",
        "without noise, a layer's neurons fire as one: the Fano factor of all together is above half their number, and "
        "below a tenth of it with noise",
        lambda result: bool(
            np.nanmean(_last(result, "fano")[1]) > result.arrays["biology width"] / 2
            and np.nanmean(_last(result, "fano")[0]) < result.arrays["biology width"] / 10
        ),
        _layers_fire,
    ),
]


def biology_not_applicable(found: ChainResult) -> list[str]:
    """Claims that these settings do not ask about: on rates, where they are not sent both with noise and without."""
    asked = {"noise 1", "noise 0"} <= set(found.rates.conditions)
    return [] if asked else [claim.name for claim in BIOLOGY_CLAIMS if claim.minimum_activity is _layers_fire]
