"""The report: one self-contained page about a saved result."""

from __future__ import annotations

import base64
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from markupsafe import Markup
from PIL import Image

from biosnn import files
from biosnn.errors import ResultError
from biosnn.model import from_toml
from biosnn.model.sheet import ModelSheet, describe_model
from biosnn.report.figures import STYLE, read_captions
from biosnn.report.markup import paragraphs
from biosnn.report.templates import MARKS, duration_text, number_html, template
from biosnn.study.load import Study
from biosnn.study.saved import FIGURES, REPORT, SavedResult, load_result
from biosnn.study.setting_values import SettingInfo
from biosnn.study.verdict import MISSING, PUBLISHED, REGRESSION, CheckedValue, digits_of, for_readers, passed

# A raster of many spikes is smaller as pixels; what is small stays sharp at every size.
_LARGEST_SVG = 1_500_000
_REM_AN_INCH = 6.25
"""The widest drawings of studies, of 9.5 inches, are as wide as the page then."""


def write_report(folder: Path, study: Study[Any]) -> None:
    """Write ``report.html`` into a result folder, from what is saved there and the study's own texts."""
    result = load_result(folder)
    (folder / REPORT).write_text(render(result, study), encoding="utf-8")


def render(result: SavedResult, study: Study[Any]) -> str:
    """Render the page of a saved result as HTML that refers to nothing outside itself."""
    return template("report.html").render(
        result=result,
        study=study,
        question=paragraphs(study.question),
        method=paragraphs(study.method),
        models=_sheets(result.provenance["models"]),
        figures=[_image(result.folder, name, caption) for name, caption in read_captions(result.folder).items()],
        settings=[_setting(info, result) for info in study.describe()],
        checked=_checked(result),
        key_figures=_KEY_FIGURES,
        digits=digits_of,
        other=[for_readers(row) for row in result.rows if not row.verdict],
        verdict=_VERDICTS[result.verdict],
        marks=MARKS,
        tally=_tally(result),
        difference=difference_html,
        missing=MISSING,
        finished=result.provenance["finished"].replace("T", " ").replace("+00:00", " UTC"),
        wall_time=duration_text(result.provenance["wall_time"]["value"]),
    )


_KEY_FIGURES = 2
"""So many stand at the top of the page; a study draws those first that answer its question."""


_VERDICTS = {
    "pass": ("pass", "Everything holds"),
    "fail": ("fail", "Not everything holds"),
    "unchecked": ("silent", "Nothing was checked"),
}

_KINDS = {
    PUBLISHED: ("published value", "Values against published ones", ""),
    REGRESSION: (
        "regression value",
        "Values against earlier ones of this study",
        "Nobody has published these. They were measured with this study before, so that a change is seen.",
    ),
    "": ("expected value", "Values against expected ones", "An earlier version did not record which are published."),
}


def _checked(result: SavedResult) -> list[dict[str, Any]]:
    """The values that were held against something, the published ones apart from those of our own."""
    rows = {kind: [for_readers(row) for row in result.rows if row.verdict and row.kind == kind] for kind in _KINDS}
    told = {kind: {"heading": heading, "note": note} for kind, (_, heading, note) in _KINDS.items()}
    return [{**told[kind], "rows": found} for kind, found in rows.items() if found]


def _tally(result: SavedResult) -> str:
    counted = [(_KINDS[kind][0], *passed(result.rows, kind)) for kind in _KINDS]
    held = sum(claim.verdict == "pass" for claim in result.claims)
    parts = [
        f"{some} of {many} {what}{'s' if many != 1 else ''}"
        for what, some, many in [*counted, ("claim", held, len(result.claims))]
        if many
    ]
    listed = f"{', '.join(parts[:-1])} and {parts[-1]}" if parts[1:] else "".join(parts)
    return f"{listed} hold." if parts else "This study has neither claims nor expected values."


def _sheets(entries: list[Any]) -> list[tuple[ModelSheet, str]]:
    """One sheet per model, with the hashes of its texts; values that it was simulated with side by side."""
    groups: dict[ModelSheet, list[tuple[ModelSheet, str]]] = {}
    for entry in entries:
        sheet = describe_model(from_toml(entry["text"]))
        alike = replace(sheet, parameters=tuple((name, "", meaning) for name, _, meaning in sheet.parameters))
        groups.setdefault(alike, []).append((sheet, entry["sha256"]))
    merged = []
    for group in groups.values():
        rows = zip(*(sheet.parameters for sheet, _ in group), strict=True)
        values = [", ".join(dict.fromkeys(value for _, value, _ in row)) for row in rows]
        parameters = [
            (name, text, meaning) for (name, _, meaning), text in zip(group[0][0].parameters, values, strict=True)
        ]
        merged.append((replace(group[0][0], parameters=tuple(parameters)), " ".join(sha256 for _, sha256 in group)))
    return merged


def _image(folder: Path, name: str, caption: str) -> dict[str, Any]:
    svg, png = (folder / FIGURES / f"{name}.{kind}" for kind in ("svg", "png"))
    path, kind = (svg, "svg+xml") if svg.stat().st_size <= _LARGEST_SVG else (png, "png")
    data = base64.b64encode(path.read_bytes()).decode()
    table = (folder / FIGURES / f"{name}.csv").is_file()
    url = f"data:image/{kind};base64,{data}"
    return {"name": name, "caption": caption, "data": url, "table": table, "width": _width(png)}


def _width(png: Path) -> float:
    """How wide a drawing is on the page, in rem, so that letters are as large in all of them; a wide one fills it."""
    with files.reading(png, ResultError, "a figure in PNG"), files.opened(png, ResultError) as file:
        pixels = Image.open(file, formats=["PNG"]).width
    return round(_REM_AN_INCH * pixels / float(STYLE["savefig.dpi"]), 2)


def _setting(info: SettingInfo, result: SavedResult) -> dict[str, Any]:
    text = result.settings.get(info.name, info.text)
    return {"name": info.name, "text": text, "default": info.text, "help": info.help, "changed": text != info.text}


def difference_html(row: CheckedValue) -> Markup:
    """How far a value is from the expected one; empty where that cannot be said."""
    if row.expected is None or not math.isfinite(row.value):
        return Markup("")
    return number_html(row.value - row.expected, digits=3, signed=True)
