"""What a sweep is to compute: a study at the points of a grid, or at listed ones, each with some seeds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from brian2.units.fundamentalunits import Quantity

from biosnn.engine.compiler import toolchain
from biosnn.engine.sessions import check_threads
from biosnn.errors import SweepError, field_error
from biosnn.study.functions import find_study
from biosnn.study.identity import code_parts, run_key
from biosnn.study.load import Study
from biosnn.study.setting_values import write
from biosnn.study.settings import setting_texts
from biosnn.sweep.grid import checked_point, checked_seeds, product
from biosnn.sweep.layout import FORMAT, Plan, PlannedPoint

DEFAULT_SEEDS = (1,)


def make_plan(
    study: str | Path | Study[Any] | Callable[..., Any],
    *,
    grid: Mapping[str, Sequence[Any]] | None = None,
    points: Iterable[Mapping[str, Any]] | None = None,
    seeds: Iterable[int] = DEFAULT_SEEDS,
    target: str | None = None,
    threads: int = 1,
) -> Plan:
    """Plan the runs of a sweep; parameters and errors are those of `biosnn.Sweep`."""
    if grid is not None and points is not None:
        raise SweepError("A sweep has a grid or points, not both. Join them into points.")
    loaded = study if isinstance(study, Study) else find_study(study)
    if points is not None and (isinstance(points, Mapping) or not isinstance(points, Iterable)):
        raise SweepError(field_error("points", "a list of settings", points, 'Write [{"n": 1}, {"n": 2}].'))
    chosen = _listed(points) if points is not None else product(grid if grid is not None else {})
    if not chosen:
        raise SweepError(field_error("points", "at least one point", chosen))
    check_threads(target or loaded.target, threads)
    used, _ = toolchain.choose_target(target or loaded.target)
    each = checked_seeds(seeds)
    code, names = code_parts(loaded), list(dict.fromkeys(name for point in chosen for name in point))
    made = [(point, setting_texts(checked_point(loaded, point))) for point in chosen]
    planned = [
        PlannedPoint(run_key(loaded, texts, seed, used, code), {name: texts[name] for name in names}, seed)
        for _, texts in made
        for seed in each
    ]
    _refuse_twice(planned)
    return Plan(
        format=FORMAT,
        study=str(loaded.folder) if _is_path(loaded) else loaded.given,
        name=loaded.name,
        title=loaded.title,
        target=used,
        threads=threads,
        units=_units(loaded, names),
        code=code,
        folder=os.getcwd(),
        points=tuple(planned),
    )


def _listed(points: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found = list(points)
    for point in found:
        if not isinstance(point, Mapping):
            raise SweepError(field_error("points", "settings by their names", point, 'Write [{"n": 1}, {"n": 2}].'))
    return [dict(point) for point in found]


def _is_path(study: Study[Any]) -> bool:
    """Whether a study lies in a folder that only this process's working folder may lead to."""
    return study.script is None and study.given != study.name and Path(study.given).expanduser().exists()


def _refuse_twice(points: Sequence[PlannedPoint]) -> None:
    seen: set[str] = set()
    for point in points:
        if point.key in seen:
            shown = ", ".join(f"{key}={text}" for key, text in point.settings.items())
            raise SweepError(f"Point {shown or '(defaults)'}, seed {point.seed}: is in the sweep twice. Name it once.")
        seen.add(point.key)


def _units(study: Study[Any], names: Iterable[str]) -> dict[str, str]:
    """The unit in which a setting is shown: the one that suits its default."""
    infos = {info.name: info for info in study.describe()}
    return {name: _unit(infos[name].example) for name in names}


def _unit(example: Any) -> str:
    if isinstance(example, Quantity):
        return write(example).partition(" ")[2] or "1"
    return "1" if isinstance(example, (int, float)) and not isinstance(example, bool) else ""
