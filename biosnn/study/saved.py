"""A result on disk: ``result.json``, ``arrays.npz`` and ``provenance.json``, written once and read back with care.

The layout is described in docs/result-format.md. Nothing in a result folder is executed or unpickled to read it.
"""

from __future__ import annotations

import glob
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brian2.units.fundamentalunits import Quantity

from biosnn import archive, codec, files
from biosnn.display import bounded
from biosnn.display.results import result_card, shown_value
from biosnn.errors import ResultError, field_error
from biosnn.quantity import parse_unit
from biosnn.study.claims import ERROR, FAIL, PASS, SILENT, UNCHECKED, CheckedClaim
from biosnn.study.result import Result, Table
from biosnn.study.verdict import MISSING, CheckedValue, for_readers, judge_value, overall

FORMAT = 1
RESULT, ARRAYS, PROVENANCE = "result.json", "arrays.npz", "provenance.json"
FILES = "files"
FIGURES, FIGURE_ERROR, CAPTIONS, REPORT = "figures", "error.txt", "captions.json", "report.html"
_MOST_TEXT = 2**24  # bytes
# What a computer's file browser leaves in every folder that it shows: nobody misses it.
_BROWSED = (".DS_Store", "Thumbs.db")

# How fields were called when earlier versions wrote them.
_RENAMED = {"left_out": "not_applicable"}

# JSON has no NaN and no infinity: such a value is null, and "why" says which.
_NON_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


@dataclass(frozen=True, kw_only=True)
class _Content:
    """What ``result.json`` says: see docs/result-format.md."""

    format: int
    study: str
    settings: dict[str, str]
    seed: int
    target: str
    verdict: str = ""
    answer: str = ""
    values: dict[str, dict[str, Any]]
    claims: tuple[CheckedClaim, ...]
    not_applicable: list[str] = field(default_factory=list)
    arrays: dict[str, Any]
    files: list[str] = field(default_factory=list)
    tables: dict[str, Table] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, repr=False)
class SavedResult(Result):
    """A result read from its folder: what ``plot.py`` and other programs get.

    ``values``, ``arrays``, ``not_applicable``, ``files``, ``tables`` and ``warnings`` are those of `Result`.

    Parameters
    ----------
    folder : Path
        Where it lies.
    study : str
        The name of the study.
    settings : mapping of str to str
        Every setting as text.
    seed : int
        The seed of the run.
    target : str
        The target that ran: "cpp", "cython" or "numpy".
    rows : tuple of CheckedValue
        Each value as saved, with what it was held against.
    claims : tuple of CheckedClaim
        Each claim with its verdict.
    verdict : str
        "pass", "fail" or "unchecked", over all values and claims.
    answer : str
        What the study answers, in a sentence or two with numbers; empty if it says nothing.
    provenance : mapping
        The content of ``provenance.json``.
    figure_error : str
        Why figures could not be drawn, empty if they were.
    """

    folder: Path = Path()
    study: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    target: str = ""
    rows: tuple[CheckedValue, ...] = ()
    claims: tuple[CheckedClaim, ...] = ()
    verdict: str = UNCHECKED
    answer: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    figure_error: str = ""

    def __repr__(self) -> str:
        values = "; ".join(f"{row.name} {shown_value(for_readers(row))}" for row in self.rows)
        answer = f" {self.answer}" if self.answer else ""
        return bounded(f"<{type(self).__name__} of {self.study}: {self.verdict}.{answer} {values}>")

    def _repr_html_(self) -> str:
        return result_card(self, [for_readers(row) for row in self.rows])

    @property
    def figures(self) -> dict[str, str]:
        """The caption of each figure, by its name; none where there are none."""
        try:
            return captions_of(self.folder / FIGURES / CAPTIONS)
        except ResultError:
            return {}

    @property
    def report(self) -> Path:
        """The report's page."""
        return self.folder / REPORT

    @property
    def broken(self) -> bool:
        """Whether code of the study failed after its run: a figure was not drawn, or a claim raised an exception."""
        return bool(self.figure_error) or any(claim.verdict == ERROR for claim in self.claims)


def write_result(
    folder: Path,
    result: Result,
    rows: list[CheckedValue],
    claims: list[CheckedClaim],
    about: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> None:
    """Write the three data files of a result into an existing, empty folder.

    Parameters
    ----------
    folder : Path
        Where to.
    result : Result
        What the study returned; its values are not used, since they stand in ``rows``.
    rows, claims : list
        The checked values and claims.
    about : mapping
        ``study``, ``settings`` (texts), ``seed``, ``target`` and, if there is one, ``answer``.
    provenance : mapping
        What goes into ``provenance.json``.
    """
    content = _Content(
        format=FORMAT,
        **{key: about[key] for key in ("study", "settings", "seed", "target")},
        verdict=overall(rows, claims),
        answer=about.get("answer", ""),
        values={row.name: _value_entry(row) for row in rows},
        claims=tuple(claims),
        not_applicable=list(result.not_applicable),
        arrays=archive.entries(result.arrays),
        files=list(result.files),
        tables=dict(result.tables),
        warnings=list(result.warnings),
    )
    _write_json(folder / RESULT, codec.plain(content))
    _write_json(folder / PROVENANCE, provenance)
    archive.write(folder / ARRAYS, result.arrays, atomic=False)
    for name, write in result.files.items():
        (folder / FILES).mkdir(exist_ok=True)
        write(folder / FILES / name)


def _value_entry(row: CheckedValue) -> dict[str, Any]:
    entry: dict[str, Any] = codec.plain(row, without=("name",))
    if not math.isfinite(row.value):
        entry |= {"value": None, "why": row.why or str(float(row.value))}
    return entry


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    # Half a character, as in the name of a file that is no UTF-8, is written as JSON escapes it.
    path.write_text(text, encoding="utf-8", errors="backslashreplace")


def holds_result(folder: Path) -> bool:
    """Whether a folder looks like that of a result, be it damaged; a folder with a script is a study."""
    return not (folder / "study.py").is_file() and any(
        (folder / name).is_file() for name in (RESULT, ARRAYS, PROVENANCE, REPORT)
    )


def study_of(folder: Path) -> str | None:
    """Name the study whose result a folder holds, be it of another version or damaged; None if it holds none."""
    try:
        study = _read_json(folder / RESULT).get("study")
    except ResultError:
        return None
    return study if isinstance(study, str) else None


def foreign_files(folder: Path) -> list[str]:
    """List what lies in a folder and was not written with a result, relative to the folder.

    Of the figures only those count as written with it that ``captions.json`` names.
    """
    own = {RESULT, ARRAYS, PROVENANCE, REPORT, FIGURES, FILES, *_BROWSED}
    drawn = {FIGURE_ERROR, CAPTIONS, *_BROWSED} | {
        f"{name}.{kind}" for name in _figure_names(folder / FIGURES / CAPTIONS) for kind in ("png", "svg", "csv")
    }
    within = {FIGURES: drawn, FILES: {*_file_names(folder / RESULT), *_BROWSED}}
    return [path.name for path in sorted(folder.iterdir()) if path.name not in own] + [
        f"{part}/{path.name}"
        for part, known in within.items()
        if (folder / part).is_dir()
        for path in sorted((folder / part).iterdir())
        if path.name not in known
    ]


def _file_names(result: Path) -> list[str]:
    try:
        return [str(name) for name in _read_json(result).get("files", [])]
    except (ResultError, TypeError):
        return []


def _figure_names(captions: Path) -> list[str]:
    try:
        return list(captions_of(captions))
    except ResultError:
        return []


def captions_of(path: Path) -> dict[str, str]:
    """What stands below each figure, by its name; `ResultError` if the file is missing or damaged."""
    text = files.read_text(path, ResultError, _MOST_TEXT)
    with files.reading(path, ResultError, "names and captions of figures", "Run the study again."):
        listed = files.parse_json(path, text, ResultError)
        return {_figure(path, entry["name"]): str(entry["caption"]) for entry in listed}


def _figure(path: Path, name: Any) -> str:
    """The name of a figure, which is a part of the name of its file."""
    if not isinstance(name, str) or Path(name).name != name or "\0" in name:
        raise ResultError(field_error(f"{path} name", "the name of a figure", name))
    return name


def load_result(folder: Path | str) -> SavedResult:
    """Read a result folder.

    Parameters
    ----------
    folder : Path or str
        A folder that `biosnn.run_study` wrote.

    Returns
    -------
    SavedResult
        Verdicts on values are found anew from the saved numbers and tolerances; verdicts on claims, which need the
        study's code, are the saved ones.

    Raises
    ------
    ResultError
        If a file is missing or damaged, or the layout is of another version.
    """
    folder = Path(folder)
    try:
        data = _read_json(folder / RESULT)
        if data.get("format", FORMAT) == FORMAT:
            with files.reading(folder, ResultError, "the result of a study"):
                return _load(folder, data)
    except ResultError as error:
        raise ResultError(f"{folder}: this result is damaged: {error} Run the study again.") from None
    do = "It was written by another version of biosnn: run the study again."
    raise ResultError(field_error(f"{folder / RESULT} format", str(FORMAT), data["format"], do))


def _load(folder: Path, data: Mapping[str, Any]) -> SavedResult:
    where = str(folder / RESULT)
    saved: _Content = codec.made(_Content, data, where, ResultError, ignore_unknown=True, renamed=_RENAMED)
    rows = tuple(_row(f"{where} values[{name!r}]", name, entry) for name, entry in saved.values.items())
    for claim in saved.claims:
        if claim.verdict not in (PASS, FAIL, SILENT, ERROR):
            expected = ", ".join((PASS, FAIL, SILENT, ERROR))
            raise ResultError(field_error(f"{where} claims [{claim.name}] verdict", expected, claim.verdict))
    error = folder / FIGURES / FIGURE_ERROR
    return SavedResult(
        values={row.name: _value(row, where) for row in rows if row.why != MISSING},
        arrays=archive.read_arrays(folder / ARRAYS, where, saved.arrays, ResultError),
        not_applicable=saved.not_applicable,
        files={name: folder / FILES / name for name in saved.files},
        tables=saved.tables,
        warnings=saved.warnings,
        folder=folder,
        study=saved.study,
        settings=saved.settings,
        seed=saved.seed,
        target=saved.target,
        rows=rows,
        claims=saved.claims,
        verdict=overall(rows, saved.claims),
        answer=saved.answer,
        provenance=provenance_of(folder),
        figure_error=files.read_text(error, ResultError, _MOST_TEXT) if os.path.lexists(error) else "",
    )


def provenance_of(folder: Path) -> dict[str, Any]:
    """Read where a result comes from, without the rest of it; `ResultError` if that is missing or damaged."""
    return _read_json(folder / PROVENANCE)


def seconds_last_time(results: Path, study: str, settings: Mapping[str, str]) -> float | None:
    """How long the latest run of a study with these settings took, among the results in a folder; None if unknown."""
    found: tuple[str, float] = ("", -1.0)
    for folder in results.glob(f"{glob.escape(study)}-*"):
        try:
            source = provenance_of(folder)
        except ResultError:
            continue
        seconds = source.get("wall_time", {}).get("value")
        if source.get("settings") == settings and isinstance(seconds, int | float):
            found = max(found, (str(source.get("finished", "")), float(seconds)))
    return None if found[1] < 0 else found[1]


def _read_json(path: Path) -> dict[str, Any]:
    if not os.path.lexists(path):
        raise ResultError(f"{path}: no such file, so this is no complete result of a study.")
    content = files.parse_json(path, files.read_text(path, ResultError, _MOST_TEXT), ResultError)
    return dict(codec.made(dict[str, Any], content, str(path), ResultError))


def _row(where: str, name: str, entry: Mapping[str, Any]) -> CheckedValue:
    given: dict[str, Any] = {"name": name}
    if entry.get("value", ...) is None:
        given["value"] = _NON_FINITE.get(str(entry.get("why")), math.nan)
        if entry.get("why") in _NON_FINITE:
            given["why"] = ""
    row: CheckedValue = codec.made(CheckedValue, entry, where, ResultError, given=given, ignore_unknown=True)
    if row.verdict not in ("", PASS, FAIL):
        raise ResultError(field_error(f"{where} verdict", f"{PASS} or {FAIL}", row.verdict))
    return judge_value(row)


def _value(row: CheckedValue, where: str) -> Quantity | float | int:
    if row.unit == "1":
        return row.value
    with files.reading(f"{where} values[{row.name!r}] unit", ResultError, "a unit"):
        return row.value * parse_unit(row.unit)
