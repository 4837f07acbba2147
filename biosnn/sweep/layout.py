"""The store of a sweep: a folder that holds its plan, its results, its failures and who computes what right now.

    sweep.json        the plan: study, points with their keys, versions and hashes
    points/ab/KEY/    a result folder, as `biosnn run` writes it, renamed whole
    unfinished/       what points write while they are computed, their checkpoints, and results without a name yet
    claims/KEY        who computes it (`biosnn.sweep.claims`)
    failures/KEY.json why it failed
    table.csv         a row per point; table.parquet the same, where pandas and pyarrow are installed

Whatever ends a process, a result is there whole or not at all, as it gets its name by one renaming.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from biosnn import codec, files
from biosnn.errors import ResultError, StalePlanError, SweepError, field_error
from biosnn.study.saved import holds_result
from biosnn.sweep.claims import alive
from biosnn.writing import replaced

FORMAT = 1
PLAN, POINTS, UNFINISHED, CLAIMS, FAILURES = "sweep.json", "points", "unfinished", "claims", "failures"
_MOST_TEXT = 2**30
_MOST_LOG = 20_000  # characters of a failed point's output that are kept


@dataclass(frozen=True)
class PlannedPoint:
    """One run of a sweep.

    Parameters
    ----------
    key : str
        That of the run (`biosnn.study.identity.run_key`).
    settings : mapping of str to str
        What it was given, as texts; the other settings have their defaults.
    seed : int
        Its seed.
    """

    key: str
    settings: dict[str, str]
    seed: int


@dataclass(frozen=True)
class Plan:
    """What a sweep is to compute.

    Parameters
    ----------
    study : str
        How the study is loaded: its name, its folder, or FILE.py:FUNCTION.
    name : str
        What it is called.
    title : str
        Its question.
    target : str
        On which all points run.
    threads : int
        How many threads simulate a network of a point.
    units : mapping of str to str
        The units of the settings that change, ``1`` for plain numbers and "" for what is no number.
    code : mapping of str to str
        Hashes and versions of what the results follow from beside settings and seed.
    folder : str
        The working folder, at which relative paths in settings begin.
    points : tuple of PlannedPoint
        The points.
    """

    format: int
    study: str
    name: str
    title: str
    target: str
    threads: int
    units: dict[str, str]
    code: dict[str, str]
    folder: str
    points: tuple[PlannedPoint, ...]


@dataclass(frozen=True)
class Failure:
    """Why a point has no result."""

    key: str
    error: str
    log: str = ""
    at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))


class Layout:
    """The folder of a sweep."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    def begin(self, plan: Plan) -> None:
        """Write the plan, into a new folder or that of an earlier plan of the same study.

        Raises
        ------
        ResultError
            If the folder holds something else, or cannot be written.
        SweepError
            If points of another plan are being computed there.
        """
        if self.folder.exists() and not self.folder.is_dir():
            raise ResultError(f"{self.folder}: exists and is no folder. Choose another with --store.")
        if self.folder.is_dir() and not (self.folder / PLAN).exists() and any(self.folder.iterdir()):
            raise ResultError(f"{self.folder}: has files in it that are no sweep. Choose another folder with --store.")
        if (self.folder / PLAN).exists() and (before := self.plan()).name != plan.name:
            raise ResultError(
                f"{self.folder}: holds a sweep of {before.name!r}, not of {plan.name!r}. Choose another with --store."
            )
        others = [key for key in self.claimed() - {point.key for point in plan.points} if alive(self.claim(key))]
        if others:
            raise SweepError(
                f"{self.folder}: another sweep is being computed in this store: {len(others)} points are under way "
                "that are not in this one. Wait for its end, or choose another folder with --store."
            )
        try:
            for name in (POINTS, UNFINISHED, CLAIMS, FAILURES):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
            self._write(self.folder / PLAN, codec.plain(plan))
        except OSError as error:
            raise ResultError(f"{self.folder}: cannot be written: {error.strerror or error}. {_ELSEWHERE}") from None

    def plan(self) -> Plan:
        """Read the plan.

        Raises
        ------
        ResultError
            If there is none, or it is damaged.
        """
        content = self._content()
        plan: Plan = codec.made(Plan, content, str(self.folder / PLAN), ResultError, ignore_unknown=True)
        self._check_keys(point.key for point in plan.points)
        return plan

    def planned(self, keys: Sequence[str]) -> tuple[dict[str, Any], list[PlannedPoint]]:
        """Read how all points run, and the points of these keys, quicker than the whole plan.

        Raises
        ------
        ResultError
            If it is damaged.
        StalePlanError
            If it has no such point any more.
        """
        content, wanted = self._content(), set(keys)
        where = str(self.folder / PLAN)
        raw = [entry for entry in content["points"] if entry.get("key") in wanted]
        points: list[PlannedPoint] = codec.made(list[PlannedPoint], raw, where, ResultError, ignore_unknown=True)
        self._check_keys(point.key for point in points)
        if missing := wanted - {point.key for point in points}:
            do = "Give each sweep a store of its own, and start this one again: what is finished is kept."
            raise StalePlanError(
                f"{where}: has no point {min(missing)} any more: another sweep has been planned here. {do}"
            )
        return content, points

    def _content(self) -> dict[str, Any]:
        path = self.folder / PLAN
        if not os.path.lexists(path):
            raise ResultError(f"{self.folder}: is no store of a sweep: there is no {PLAN} in it.")
        content = files.parse_json(path, files.read_text(path, ResultError, _MOST_TEXT), ResultError)
        if isinstance(content, dict) and content.get("format", FORMAT) != FORMAT:
            raise ResultError(field_error(f"{path} format", str(FORMAT), content["format"]))
        wanted = {"study": str, "target": str, "folder": str, "threads": int, "points": list}
        for name, kind in wanted.items():
            if not isinstance(content, dict) or not isinstance(content.get(name), kind):
                raise ResultError(f"{path}: is damaged: {name} is missing. Start the sweep again.")
        if not all(isinstance(entry, dict) for entry in content["points"]):
            raise ResultError(f"{path}: is damaged: points are no objects. Start the sweep again.")
        return dict(content)

    def _check_keys(self, keys: Iterable[str]) -> None:
        for key in keys:
            if not (key.isascii() and key.isalnum()):  # it becomes the name of a folder
                raise ResultError(field_error(f"{self.folder / PLAN} key", "hexadecimal digits", key))

    def point(self, key: str) -> Path:
        """Where the result of a point goes."""
        return self.folder / POINTS / key[:2] / key

    def unfinished(self, key: str) -> Path:
        """Where a point's result is before it gets its name; beside it is what the point writes until then."""
        return self.folder / UNFINISHED / key

    def claim(self, key: str) -> Path:
        """The file that says who computes a point."""
        return self.folder / CLAIMS / key

    def finished(self) -> set[str]:
        """The keys of all results that are there, of this plan or an earlier one."""
        return {name for part in _names(self.folder / POINTS) for name in _names(self.folder / POINTS / part)}

    def claimed(self) -> set[str]:
        """The keys that somebody computes, or did when it was ended."""
        return {name for name in _names(self.folder / CLAIMS) if not name.startswith(".")}

    def failed(self) -> set[str]:
        """The keys of the points that failed."""
        names = _names(self.folder / FAILURES)
        return {name.removesuffix(".json") for name in names if name.endswith(".json") and not name.startswith(".")}

    def publish(self, key: str) -> None:
        """Give a finished result its name, unless somebody else's is there already, which is the same."""
        new, place = self.unfinished(key), self.point(key)
        place.parent.mkdir(exist_ok=True)
        if not place.exists():
            with contextlib.suppress(OSError):
                new.rename(place)
        if not holds_result(place):
            raise ResultError(f"{place}: cannot be written. {_ELSEWHERE}")
        shutil.rmtree(new, ignore_errors=True)
        if self.has_failed(key):
            self.forget_failure(key)

    def remove(self, key: str) -> None:
        """Remove a result, which is damaged, so that it is computed again."""
        shutil.rmtree(self.point(key))

    def fail(self, failure: Failure) -> None:
        """Write down why a point failed."""
        kept = Failure(failure.key, failure.error, failure.log[-_MOST_LOG:], failure.at)
        self._write(self.folder / FAILURES / f"{failure.key}.json", codec.plain(kept))

    def failure(self, key: str) -> Failure:
        """Read why a point failed; a file that is damaged is a failure of an unknown reason."""
        path = self.folder / FAILURES / f"{key}.json"
        try:
            content = files.parse_json(path, files.read_text(path, ResultError, _MOST_TEXT), ResultError)
            made: Failure = codec.made(Failure, content, str(path), ResultError, ignore_unknown=True)
        except ResultError as error:
            return Failure(key, str(error))
        return made

    def has_failed(self, key: str) -> bool:
        """Whether a point failed."""
        return (self.folder / FAILURES / f"{key}.json").is_file()

    def forget_failure(self, key: str) -> None:
        """Let a point that failed be computed again."""
        (self.folder / FAILURES / f"{key}.json").unlink(missing_ok=True)

    def _write(self, path: Path, content: Any) -> None:
        with replaced(path) as new:
            new.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


_ELSEWHERE = "Choose another folder with --store, or make room in this one."


def _names(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            yield from (entry.name for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return


def changed_code(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What of the code that a plan goes back to is another now: names of files and versions."""
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
