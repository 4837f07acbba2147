"""Settings that minimise a value of a study: an optimiser proposes points, a sweep computes them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from biosnn import optional_dependencies
from biosnn.display import Brief
from biosnn.errors import QuantityError, SettingsError, SweepError, field_error, unknown
from biosnn.quantity import format_quantity, parse_quantity, parse_unit
from biosnn.study.functions import find_study
from biosnn.study.setting_values import SettingInfo, parsed, write
from biosnn.study.settings import make_settings
from biosnn.sweep.executors import Executor, Local
from biosnn.sweep.plan import DEFAULT_SEEDS
from biosnn.sweep.results import DONE, Row
from biosnn.sweep.store import Store
from biosnn.sweep.sweep import Sweep

TRIALS, AT_ONCE = 40, 4
_LOG = "log"


@dataclass(frozen=True)
class Range:
    """What values of a setting are tried.

    Parameters
    ----------
    name : str
        The setting.
    choices : tuple of str
        The only values, as texts; empty where there are bounds.
    low, high : float
        The bounds, in ``unit``.
    unit : str
        "1" for plain numbers.
    whole : bool
        Whether only whole numbers are tried.
    log : bool
        Whether proportions count, and not differences.
    """

    name: str
    choices: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    unit: str = "1"
    whole: bool = False
    log: bool = False

    def suggested(self, trial: Any) -> str:
        """What the optimiser proposes, as a text."""
        if self.choices:
            return str(trial.suggest_categorical(self.name, self.choices))
        if self.whole:
            return str(trial.suggest_int(self.name, int(self.low), int(self.high), log=self.log))
        number = float(f"{trial.suggest_float(self.name, self.low, self.high, log=self.log):.6g}")
        return str(format_quantity(number * parse_unit(self.unit))) if self.unit != "1" else repr(number)


def read_range(text: str, info: SettingInfo) -> Range:
    """Read ``low:high``, ``low:high:log`` or values separated by commas.

    Raises
    ------
    SettingsError
        If it is something else, or beyond what the setting may be.
    """
    words = [word.strip() for word in text.split(":")]
    example = info.example
    numeric = not isinstance(example, (bool, str, tuple))
    if len(words) == 1 or not numeric:
        values = [write(parsed(info.name, word.strip(), info)) for word in text.split(",")]
        if len(values) < 2:
            raise SettingsError(field_error(f"Setting {info.name}", "LOW:HIGH, LOW:HIGH:log or A,B,C", text))
        return Range(info.name, tuple(values))
    if len(words) not in (2, 3) or (len(words) == 3 and words[2] != _LOG):
        raise SettingsError(field_error(f"Setting {info.name}", "LOW:HIGH, LOW:HIGH:log or A,B,C", text))
    low, high = (parsed(info.name, word, info) for word in words[:2])
    log = len(words) == 3
    if not low < high or (log and not float(low) > 0):
        expected = "a lower bound below the upper one" + (", and above 0" if log else "")
        raise SettingsError(field_error(f"Setting {info.name}", expected, text))
    try:
        unit = write(high).partition(" ")[2] or "1"
        lowest, highest = (float(one / parse_unit(unit)) if unit != "1" else float(one) for one in (low, high))
    except QuantityError as error:
        raise SettingsError(str(error)) from None
    return Range(info.name, (), lowest, highest, unit, type(example) is int, log)


def read_ranges(settings: type, infos: Mapping[str, SettingInfo], texts: Mapping[str, str]) -> list[Range]:
    """Read all settings that are varied.

    Raises
    ------
    SettingsError
        If there is none, one is unknown, or a range is wrong.
    """
    if not texts:
        raise SettingsError(field_error("fit", "at least one setting with LOW:HIGH", "none"))
    for key, text in texts.items():
        if key not in infos:
            make_settings(settings, {key: text})  # which says what is right
    return [read_range(text, infos[key]) for key, text in texts.items()]


@dataclass(frozen=True)
class Best(Brief):
    """What came out of a fit.

    Parameters
    ----------
    settings : mapping of str to str
        The best settings.
    value : float
        The value there, in ``unit``, the mean over the seeds.
    unit : str
        Its unit.
    tried, failed : int
        How many settings were tried, and how many of them gave no value.
    store : Store
        Where all points are.
    """

    settings: Mapping[str, str]
    value: float
    unit: str
    tried: int
    failed: int
    store: Store


def fit(
    study: Any,
    value: str,
    ranges: Mapping[str, str],
    *,
    maximise: bool = False,
    trials: int = TRIALS,
    at_once: int = AT_ONCE,
    seeds: Any = DEFAULT_SEEDS,
    target: str | None = None,
    on: Executor | None = None,
    store: Path | str | None = None,
    watch: Callable[[int, float], None] = lambda *_: None,
) -> Best:
    """Find settings at which a value is smallest, by Optuna's tree-structured Parzen estimator.

    The proposals follow from the results so far and from nothing else, so that the same command a second time finds all
    points in the store, and more ``trials`` go on where fewer have ended.

    Parameters
    ----------
    study : str, Path, Study or callable
        As that of `biosnn.Sweep`.
    value : str
        Which value of the result.
    ranges : mapping of str to str
        What is tried: ``"0.1:10"``, ``"1 ms:100 ms:log"`` or ``"pair,triplet"``.
    maximise : bool
        Whether it is to be largest.
    trials : int
        How many settings are tried.
    at_once : int
        How many are proposed at once, before their results are known.
    seeds : iterable of int
        With each of which settings are run; the mean counts.
    target, on, store
        As those of `biosnn.Sweep` and its ``run``.
    watch : callable
        Told after each round how many were tried, and the best value so far.

    Returns
    -------
    Best
        The best settings.

    Raises
    ------
    MissingExtraError
        If Optuna is not installed.
    SettingsError, SweepError
        If a range, the value or a count is wrong, or no point gives the value.
    """
    if type(trials) is not int or type(at_once) is not int or trials < 1 or at_once < 1:
        raise SweepError(field_error("fit", "1 trial or more, 1 or more at once", (trials, at_once)))
    optuna = optional_dependencies.imported("optuna", "fit")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    loaded = find_study(study)
    tried = read_ranges(loaded.settings, {info.name: info for info in loaded.describe()}, ranges)
    sampler = optuna.samplers.TPESampler(seed=1, constant_liar=True, n_startup_trials=max(10, 2 * len(tried)))
    search = optuna.create_study(direction="maximize" if maximise else "minimize", sampler=sampler)
    place = store or Path("sweeps") / f"{loaded.name}-fit"
    points: list[dict[str, str]] = []
    best, failed, unit, found = None, 0, "1", Store(place)
    while len(points) < trials:
        asked = [search.ask() for _ in range(min(at_once, trials - len(points)))]
        proposed = [{one.name: one.suggested(trial) for one in tried} for trial in asked]
        points += proposed
        unique = list({tuple(point.items()): point for point in points}.values())
        found = Sweep(loaded, points=unique, seeds=seeds, target=target).run(
            on or Local(), place, figures=False, watch=lambda _: None
        )
        rows = found.rows()
        for trial, point in zip(asked, proposed, strict=True):
            mean, unit = _mean(rows, point, value, unit)
            if math.isnan(mean):
                failed += 1
                search.tell(trial, state=optuna.trial.TrialState.FAIL)
                continue
            search.tell(trial, mean)
            if best is None or (mean > best[1] if maximise else mean < best[1]):
                best = (point, mean)
        if best is None and len(points) >= at_once:
            _refuse_unknown(rows, value)
        watch(len(points), math.nan if best is None else best[1])
    if best is None:
        raise SweepError(f"None of {trials} points gave the value {value!r}. biosnn sweep status {place} says why.")
    return Best(best[0], best[1], unit, len(points), failed, found)


def _mean(rows: list[Row], point: Mapping[str, str], value: str, unit: str) -> tuple[float, str]:
    numbers = []
    for row in rows:
        if row.status == DONE and value in row.values and _same(row, point):
            number, unit = row.values[value]
            numbers.append(number)
    return (float(np.mean(numbers)) if numbers else math.nan), unit


def _same(row: Row, point: Mapping[str, str]) -> bool:
    """Texts of equal values may differ: "0.0100" and "0.01"."""
    return all(
        row.point.settings[name] == text or _equal(row.point.settings[name], text) for name, text in point.items()
    )


def _equal(first: str, second: str) -> bool:
    try:
        return bool(parse_quantity(first) == parse_quantity(second))
    except QuantityError:
        return False


def _refuse_unknown(rows: list[Row], value: str) -> None:
    known = {name for row in rows for name in row.values}
    if known and value not in known:
        raise SweepError(unknown("value", value, known))
