"""Two results side by side: what of their settings, models, versions and values differs, and their figures."""

from __future__ import annotations

import base64
import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from biosnn.errors import ResultError
from biosnn.report.figures import read_captions
from biosnn.report.templates import MARKS, template
from biosnn.study.saved import FIGURES, SavedResult
from biosnn.writing import replaced

ABSENT = "—"
_UNTOLD = ("host", "flags")  # of the platform: told by "processor", or of no consequence


@dataclass(frozen=True)
class Difference:
    """What two results say about one thing.

    Parameters
    ----------
    name : str
        What it is.
    first, second : str
        What each says, or "—".
    change : str
        How the second differs from the first, where that is a number.
    """

    name: str
    first: str
    second: str
    change: str = ""


@dataclass(frozen=True)
class Comparison:
    """Where two results differ.

    Parameters
    ----------
    first, second : SavedResult
        The results.
    sections : mapping of str to list of Difference
        What differs, by the kind of thing; kinds in which nothing does are there with an empty list.
    equal : mapping of str to int
        How many things of each kind are equal.
    models : mapping of str to str
        Of each model that differs, the differences of its text, line by line.
    """

    first: SavedResult
    second: SavedResult
    sections: Mapping[str, list[Difference]]
    equal: Mapping[str, int]
    models: Mapping[str, str]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not any(self.sections.values())


def compare(first: SavedResult, second: SavedResult) -> Comparison:
    """Find where two results differ.

    Parameters
    ----------
    first, second : SavedResult
        Of the same study or of different ones.
    """
    told: dict[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
        "run": (_run(first), _run(second)),
        "settings": (first.settings, second.settings),
        "models": (_models(first, "sha256"), _models(second, "sha256")),
        "code": (_code(first), _code(second)),
        "versions": (_part(first, "versions"), _part(second, "versions")),
        "claims": (_claims(first), _claims(second)),
    }
    sections = {kind: _differences(*both) for kind, both in told.items()}
    equal = {kind: len({*one, *other}) - len(sections[kind]) for kind, (one, other) in told.items()}
    values, many = _values(first, second)
    return Comparison(
        first,
        second,
        {**sections, "values": values},
        {**equal, "values": many},
        {item.name: _model_changes(first, second, item.name) for item in sections["models"]},
    )


def _run(result: SavedResult) -> dict[str, str]:
    told = {"study": result.study, "seed": str(result.seed), "target": result.target, "verdict": result.verdict}
    platform = {name: text for name, text in _part(result, "platform").items() if name not in _UNTOLD}
    seconds = result.provenance.get("wall_time", {}).get("value", math.nan)
    return told | platform | {"compiler": str(result.provenance.get("compiler", ""))} | {"seconds": f"{seconds:.3g}"}


def _part(result: SavedResult, name: str) -> dict[str, str]:
    found = result.provenance.get(name, {})
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, Mapping) else {}


def _code(result: SavedResult) -> dict[str, str]:
    study = result.provenance.get("study", {})
    files = {f"study {name}": str(text)[:12] for name, text in study.get("sha256", {}).items()}
    return files | {f"biosnn {name}": str(text)[:12] for name, text in _part(result, "code").items()}


def _models(result: SavedResult, part: str) -> dict[str, str]:
    """The text or the hash of each model; a network may have several of one name, with other values."""
    found: dict[str, str] = {}
    for entry in result.provenance.get("models", []):
        name, number = entry["name"], 1
        while name in found:
            number += 1
            name = f"{entry['name']} {number}"
        found[name] = entry[part] if part == "text" else entry[part][:12]
    return found


def _model_changes(first: SavedResult, second: SavedResult, name: str) -> str:
    before, after = (_models(result, "text").get(name, "").splitlines() for result in (first, second))
    lines = difflib.unified_diff(before, after, lineterm="", n=1)
    return "\n".join(line for line in lines if not line.startswith(("---", "+++")))


def _claims(result: SavedResult) -> dict[str, str]:
    return {claim.name: MARKS.get(claim.verdict, claim.verdict) for claim in result.claims}


def _differences(first: Mapping[str, str], second: Mapping[str, str]) -> list[Difference]:
    names = dict.fromkeys((*first, *second))
    both = [(name, first.get(name, ABSENT), second.get(name, ABSENT)) for name in names]
    return [Difference(*each) for each in both if each[1] != each[2]]


def _values(first: SavedResult, second: SavedResult) -> tuple[list[Difference], int]:
    ones = {row.name: row for row in first.rows}
    others = {row.name: row for row in second.rows}
    found, equal = [], 0
    for name in dict.fromkeys((*ones, *others)):
        one, other = ones.get(name), others.get(name)
        same = one and other and one.unit == other.unit
        if one and other and same and (one.value == other.value or (math.isnan(one.value) and math.isnan(other.value))):
            equal += 1
            continue
        change = ""
        if one and other and same and math.isfinite(one.value) and math.isfinite(other.value):
            percent = f" ({100 * (other.value / one.value - 1):+.3g} %)" if one.value else ""
            change = f"{other.value - one.value:+.4g}{percent}"
        found.append(Difference(name, _value(one), _value(other), change))
    return found, equal


def _value(row: Any) -> str:
    if row is None:
        return ABSENT
    return f"{row.value:.6g}" + ("" if row.unit == "1" else f" {row.unit}")


def write_comparison(comparison: Comparison, page: Path) -> None:
    """Write a page with all differences, and the figures of both next to each other.

    Raises
    ------
    ResultError
        If it cannot be written.
    """
    first, second = comparison.first, comparison.second
    captions = {**read_captions(second.folder), **read_captions(first.folder)}
    figures = [
        {"caption": caption, "first": _image(first.folder, name), "second": _image(second.folder, name)}
        for name, caption in captions.items()
    ]
    text = template("compare.html").render(
        comparison=comparison, first=first, second=second, figures=figures, names=_names(first.folder, second.folder)
    )
    try:
        with replaced(page) as new:
            new.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ResultError(f"{page}: cannot be written: {error.strerror or error}. Choose another with --out.") from None


def _names(first: Path, second: Path) -> tuple[str, str]:
    one, other = first.resolve(), second.resolve()
    return (one.name, other.name) if one.name != other.name else (str(first), str(second))


def _image(folder: Path, name: str) -> str:
    path = folder / FIGURES / f"{name}.png"
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}" if path.is_file() else ""
