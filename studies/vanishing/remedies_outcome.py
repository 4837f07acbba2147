"""What parts 4 and 5 came to: remedies at equal cost, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from biosnn.conversion.hybrid.outcome import first_at
from biosnn.measure import interval
from biosnn.study import Claim, Table

from .remedies import AS_IT_IS, BIAS, HOMEOSTASIS, HYBRID, NOISE, RECOMMENDED, SCALES, Remedies, Tried

if TYPE_CHECKING:
    from .study import Settings

Floats = NDArray[np.float64]
PRICES = ("analog input as MACs", "memory, ANN reuses")
"""Of the ledger's conventions, two that stand for the others: arithmetic only, and memory too."""


def steps_needed(curve: Floats, ann: float, within: float) -> int | None:
    """The first step from which on the accuracy stays so near to the ANN's (points), if there is one."""
    return first_at(np.arange(1, len(curve) + 1), curve, ann - within / 100)


def _budget(found: Remedies) -> float:
    """Spikes an image that all of them fire in the end: those of the one that fires least, hybrids apart."""
    fired = {name: float(np.mean([one.spikes[-1] for one in tried])) for name, tried in found.tried.items()}
    return min(spikes for name, spikes in fired.items() if name != HYBRID)


def _at_budget(tried: Sequence[Tried], budget: float) -> float:
    """Accuracy before more than so many spikes have been fired, a mean over repetitions; 0 before the first step."""
    last = [(one, int(np.searchsorted(one.spikes, budget, side="right"))) for one in tried]
    return float(np.mean([one.curve[place - 1] if place else 0.0 for one, place in last]))


def _mean(tried: Sequence[Tried]) -> Floats:
    return np.asarray(np.mean([one.curve for one in tried], axis=0))


def _ann(found: Remedies) -> float:
    return float(np.mean([right.mean() for right in found.ann]))


def _lost(found: Remedies, name: str) -> tuple[float, float]:
    """Points below the ANN on the same images, and the standard deviation over repetitions."""
    lost = [100 * (right.mean() - one.right.mean()) for right, one in zip(found.ann, found.tried[name], strict=True)]
    return float(np.mean(lost)), float(np.std(lost))


def remedies_values(settings: Settings, found: Remedies) -> dict[str, Any]:
    """The numbers that answer the question; all are means over repetitions."""
    values: dict[str, Any] = {"points lost as it is": _lost(found, AS_IT_IS)[0]}
    for name, tried in found.tried.items():
        if name != AS_IT_IS:
            values[f"points lost, {name}"] = _lost(found, name)[0]
        needed = steps_needed(_mean(tried), _ann(found), settings.within)
        if needed:
            values[f"steps needed, {name}"] = needed
    values["spikes an image as it is"] = float(np.mean([one.spikes[-1] for one in found.tried[AS_IT_IS]]))
    values["spikes an image, recommended"] = float(np.mean([one.spikes[-1] for one in found.tried[RECOMMENDED]]))
    return {f"remedies {name}": value for name, value in values.items()}


def remedies_arrays(found: Remedies) -> dict[str, Any]:
    """What figures are drawn from, by names that begin with "remedies"."""
    tried = found.tried.values()
    arrays = {
        "names": np.array(list(found.tried)),
        "layers": np.array(found.layers),
        "ann": np.array([right.mean() for right in found.ann]),
        "conventions": np.array(found.conventions),
        "ann energies": found.ann_energies,
        **found.notes,
        **{
            name: np.array([[getattr(one, name) for one in row] for row in tried])
            for name in ("curve", "spikes", "energies", "kept", "rate")
        },
    }
    return {f"remedies {name}": value for name, value in arrays.items()}


def remedies_tables(settings: Settings, found: Remedies) -> dict[str, Table]:
    """Remedies at equal cost, and the verdict."""
    return {"Remedies at equal cost": _equal(found), "Verdict": _verdict(settings, found)}


def _how(found: Remedies, name: str) -> str:
    """What a remedy came to, in a few words."""
    if name == SCALES:
        scales = found.notes["scales"]
        return f"{scales.min():.2f} to {scales.max():.2f}"
    if name == HOMEOSTASIS:
        off = np.abs(found.notes["course"][:, -1] / found.notes["held"] - 1).max()
        return f"rates within {100 * off:.0f} %"
    known = {NOISE: f"sigma {found.sigma:g}", HYBRID: f"first {found.spiking} of {len(found.layers)} spike"}
    return known.get(name, "")


def _equal(found: Remedies) -> Table:
    budget, steps = _budget(found), len(found.tried[AS_IT_IS][0].curve)
    shown = [steps >> k for k in (2, 1, 0)]
    spikes = f"at {budget:,.0f} spikes"
    head = ["remedy", *(f"T = {step}" for step in shown), "spread", "gained (points)", spikes, "kept, last", "found"]
    before = [one.right.mean() for one in found.tried[AS_IT_IS]]
    rows = []
    for name, tried in found.tried.items():
        gained = [100 * (one.right.mean() - first) for one, first in zip(tried, before, strict=True)]
        curve, kept = 100 * _mean(tried), np.mean([one.kept[-1] for one in tried])
        cells = [
            *(f"{curve[step - 1]:.1f}" for step in shown),
            f"{100 * np.std([one.right.mean() for one in tried]):.1f}",
            f"{np.mean(gained):+.1f} ± {np.std(gained):.1f}" if name != AS_IT_IS else "",
            f"{100 * _at_budget(tried, budget):.1f}",
            "analog" if np.isnan(kept) else f"{kept:.2f}",
            _how(found, name),
        ]
        rows.append([name, *cells])
    caption = (
        f"Accuracy (%) after as many steps, and before more spikes per image than the least take, the ANN's being "
        f"{100 * _ann(found):.1f}. Mean and standard deviation over {len(found.ann)} repetitions with other images. "
        "Kept: what the last layer's rates tell, over the ANN's mean activation."
    )
    return Table(caption, [head, *rows])


def _verdict(settings: Settings, found: Remedies) -> Table:
    prices = [found.conventions.index(name) for name in PRICES]
    head = ["remedy", "accuracy kept (%)", "points lost", "steps needed", "spikes until then", *PRICES]
    images = sum(len(right) for right in found.ann)
    rows = []
    for name, tried in found.tried.items():
        lost, spread = _lost(found, name)
        needed = steps_needed(_mean(tried), _ann(found), settings.within)
        spikes = np.mean([one.spikes[needed - 1] for one in tried]) if needed else np.nan
        energies = np.mean([one.energies for one in tried], axis=0) / found.ann_energies
        cells = [
            f"{100 * (1 - lost / (100 * _ann(found))):.1f}",
            f"{lost:+.1f} ± {spread:.1f}",
            str(needed) if needed else "not reached",
            f"{spikes:,.0f}" if needed else "",
            *(f"{energies[price]:.2f}" for price in prices),
        ]
        rows.append((needed or len(tried[0].curve) + 1, lost, [name, *cells]))
    rows.sort(key=lambda row: row[:2])
    low, high = interval(_ann(found), images)
    caption = (
        f"The best first: by the steps from which on the accuracy stays within {settings.within:g} points of the ANN's "
        f"{100 * _ann(found):.1f} %, then by what is lost after all steps. The ANN's would be {100 * low:.1f} to "
        f"{100 * high:.1f} on all such images, as far as {images} can tell. Accuracy kept: of the ANN's. Energy of all "
        "steps in inferences of the ANN, by two conventions of the ledger."
    )
    return Table(caption, [head, *(row[2] for row in rows)])


def remedies_not_applicable(found: Remedies) -> list[str]:
    """Claims that these settings do not ask: of remedies that were not tried, or where little was lost."""
    names = [] if {SCALES, BIAS, HOMEOSTASIS} <= set(found.tried) and _lost(found, AS_IT_IS)[0] >= 10 else [RESTORES]
    return names if HOMEOSTASIS in found.tried else [*names, SETTLES]


def _fires(result: Any) -> bool:
    """The minimum activity: with each judged remedy every layer that spikes fires, and the ANN knows something."""
    names = [str(name) for name in result.arrays["remedies names"]]
    rate = result.arrays["remedies rate"]
    judged = [rate[names.index(name)] for name in (RECOMMENDED, HOMEOSTASIS, BIAS, SCALES) if name in names]
    return bool(np.min(judged) > 1e-4 and result.arrays["remedies ann"].min() > 0.3)


def _gains(result: Any, name: str) -> Floats:
    """Points gained by a remedy in each repetition."""
    names = [str(known) for known in result.arrays["remedies names"]]
    last = 100 * result.arrays["remedies curve"][:, :, -1]
    return np.asarray(last[names.index(name)] - last[names.index(AS_IT_IS)])


def _half(result: Any, name: str) -> bool:
    """Whether a remedy brings back more than half of what was lost, in every repetition."""
    names = [str(known) for known in result.arrays["remedies names"]]
    lost = 100 * (result.arrays["remedies ann"] - result.arrays["remedies curve"][names.index(AS_IT_IS), :, -1])
    return bool(np.all(_gains(result, name) > lost / 2))


def _near(result: Any) -> bool:
    return bool(result.values[f"remedies points lost, {RECOMMENDED}"] <= (0.3 if _steps(result) >= 256 else 1.0))


def _steps(result: Any) -> int:
    return int(result.arrays["remedies curve"].shape[2])


def _settled(result: Any) -> bool:
    """Whether rates are within a fifth of what they are held at, in every layer and repetition."""
    course, held = result.arrays["remedies course"], result.arrays["remedies held"]
    return bool(np.all(np.abs(course[:, -1] / held - 1) < 0.2))


KEEPS = "the recommended conversion keeps the accuracy"
RESTORES = "thresholds and currents alone bring it back"
SETTLES = "homeostasis restores the rates"

REMEDIES_CLAIMS = [
    Claim(
        KEEPS,
        "soft reset, percentile and half a threshold together lose at most a point, or 0.3 points after 256 steps",
        _near,
        _fires,
    ),
    Claim(
        RESTORES,
        "threshold scales, bias currents and homeostasis, each by itself and without another reset, bring back more "
        "than half of the accuracy that was lost, in every repetition",
        lambda result: all(_half(result, name) for name in (SCALES, BIAS, HOMEOSTASIS)),
        _fires,
    ),
    Claim(
        SETTLES,
        "homeostasis brings every layer's rate on calibration images to within a fifth of what the ANN's activation "
        "stands for, in every repetition",
        _settled,
        _fires,
    ),
]
