"""What came out of the points of a sweep: read from the store, a row per point, as a table or a data frame."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from brian2.units.fundamentalunits import Quantity

from biosnn import optional_dependencies
from biosnn.errors import MissingExtraError, QuantityError
from biosnn.quantity import parse_quantity, parse_unit
from biosnn.study.saved import PROVENANCE, RESULT
from biosnn.sweep.claims import alive
from biosnn.sweep.layout import Layout, Plan, PlannedPoint
from biosnn.writing import replaced

DONE, FAILED, RUNNING, MISSING, DAMAGED = "done", "failed", "running", "missing", "damaged"
STATUSES = (DONE, RUNNING, MISSING, FAILED, DAMAGED)
CSV, PARQUET = "table.csv", "table.parquet"


@dataclass(frozen=True)
class Row:
    """A point, and what came out of it.

    Parameters
    ----------
    point : PlannedPoint
        The point.
    status : str
        "done", "running", "missing", "failed" or "damaged".
    values : mapping of str to (float, str)
        Each value with its unit; NaN for what is not finite.
    verdicts : mapping of str to str
        Of values that something was expected of, and of claims.
    verdict : str
        Of the whole.
    seconds, memory : float
        What it took: seconds of the run, and bytes at most.
    processor, host : str
        What computed it.
    error : str
        Why it failed.
    """

    point: PlannedPoint
    status: str
    values: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    verdicts: Mapping[str, str] = field(default_factory=dict)
    verdict: str = ""
    seconds: float = math.nan
    memory: float = math.nan
    processor: str = ""
    host: str = ""
    error: str = ""


def read_rows(layout: Layout, plan: Plan) -> list[Row]:
    """Read a row per point of the plan, in its order."""
    finished, failed, claimed = layout.finished(), layout.failed(), layout.claimed()
    return _in_one_unit([_row(layout, point, finished, failed, claimed) for point in plan.points])


def _in_one_unit(rows: list[Row]) -> list[Row]:
    """Give each value the same unit in all rows: results are saved in the one that suits them, 800 Hz but 1.2 kHz."""
    units: dict[str, str] = {}
    factors: dict[tuple[str, str], float] = {}
    converted = []
    for row in rows:
        values = {}
        for name, (number, unit) in row.values.items():
            wanted = units.setdefault(name, unit)
            if unit != wanted and (unit, wanted) not in factors:
                factors[unit, wanted] = float(Quantity(parse_unit(unit) / parse_unit(wanted)))
            values[name] = (number if unit == wanted else number * factors[unit, wanted], wanted)
        converted.append(replace(row, values=values))
    return converted


def _row(layout: Layout, point: PlannedPoint, finished: set[str], failed: set[str], claimed: set[str]) -> Row:
    if point.key in finished:
        try:
            return _done(layout.point(point.key), point)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            return Row(point, DAMAGED, error=f"{layout.point(point.key)}: cannot be read: {error}")
    if point.key in failed:
        return Row(point, FAILED, error=layout.failure(point.key).error)
    return Row(point, RUNNING if point.key in claimed and alive(layout.claim(point.key)) else MISSING)


def _done(folder: Path, point: PlannedPoint) -> Row:
    # `load_result` checks all of a result, arrays included, which takes too long for ten thousand of them.
    content = json.loads((folder / RESULT).read_bytes())
    source = json.loads((folder / PROVENANCE).read_bytes())
    values = content["values"]
    judged = {name: entry["verdict"] for name, entry in values.items() if entry.get("verdict")}
    return Row(
        point,
        DONE,
        values={name: (_number(entry.get("value")), str(entry["unit"])) for name, entry in values.items()},
        verdicts=judged | {claim["name"]: claim["verdict"] for claim in content["claims"]},
        verdict=content["verdict"],
        seconds=_number(source["wall_time"]["value"]),
        memory=_number(source["memory"]["value"]),
        processor=str(source["platform"]["processor"]),
        host=str(source["platform"]["host"]),
    )


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else math.nan


def cost_of(folder: Path) -> tuple[float, int]:
    """Seconds and bytes that the point of a result folder took."""
    source = json.loads((folder / PROVENANCE).read_bytes())
    return max(_number(source["wall_time"]["value"]), 1e-3), int(_number(source["memory"]["value"]))


def setting_number(text: str, unit: str) -> float | int | str:
    """A setting as a number in its unit, NaN where it is left open; as its text where it is none."""
    if unit == "":
        return text
    try:
        if text.removeprefix("-").isdecimal():
            return int(text)
        return float(text) if unit == "1" else float(parse_quantity(text) / parse_unit(unit))
    except (ValueError, QuantityError):  # such as "none"
        return math.nan


def columns(plan: Plan, rows: Sequence[Row]) -> dict[str, list[Any]]:
    """The table as columns: settings and values as numbers, with the unit in the column's name.

    Parameters
    ----------
    plan : Plan
        The plan, which has the units of settings.
    rows : sequence of Row
        What `read_rows` gives.

    Returns
    -------
    dict
        Of equally long lists, by their names.
    """
    table: dict[str, list[Any]] = {
        _free({}, _with_unit(name, unit), "setting"): [
            setting_number(row.point.settings.get(name, ""), unit) for row in rows
        ]
        for name, unit in plan.units.items()
    }
    table["seed"] = [row.point.seed for row in rows]
    table["status"] = [row.status for row in rows]
    units = {name: unit for row in rows for name, (_, unit) in row.values.items()}
    for name, unit in units.items():
        column = [row.values[name][0] if name in row.values else math.nan for row in rows]
        table[_free(table, _with_unit(name, unit), "value")] = column
    for name in dict.fromkeys(name for row in rows for name in row.verdicts):
        table[f"verdict of {name}"] = [row.verdicts.get(name, "") for row in rows]
    table["verdict"] = [row.verdict for row in rows]
    table["seconds"] = [row.seconds for row in rows]
    table["memory (MB)"] = [row.memory / 1e6 for row in rows]
    table |= {name: [getattr(row, name) for row in rows] for name in ("processor", "host", "error")}
    table["key"] = [row.point.key for row in rows]
    return table


def _with_unit(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit not in ("", "1") else name


_FIXED = ("seed", "status", "verdict", "seconds", "memory (MB)", "processor", "host", "error", "key")


def _free(table: Mapping[str, Any], name: str, kind: str) -> str:
    """A value may be called as a setting is, and both as a column that all tables have."""
    return f"{kind} {name}" if name in table or name in _FIXED else name


def frame(plan: Plan, rows: Sequence[Row]) -> Any:
    """The table as a pandas data frame.

    Raises
    ------
    MissingExtraError
        If pandas is not installed.
    """
    return optional_dependencies.imported("pandas", "cluster").DataFrame(columns(plan, rows))


def write_tables(layout: Layout, plan: Plan, rows: Sequence[Row]) -> list[Path]:
    """Write ``table.csv``, and ``table.parquet`` where pandas and pyarrow are installed.

    Raises
    ------
    OSError
        If they cannot be written.
    """
    table = columns(plan, rows)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table)
    writer.writerows([_cell(item) for item in line] for line in zip(*table.values(), strict=True))
    with replaced(layout.folder / CSV) as new:
        new.write_text(text.getvalue(), encoding="utf-8")
    written = [layout.folder / CSV]
    with contextlib.suppress(MissingExtraError):
        optional_dependencies.imported("pyarrow", "cluster")  # pandas needs it for this
        data = optional_dependencies.imported("pandas", "cluster").DataFrame(table)
        with replaced(layout.folder / PARQUET) as new:
            data.to_parquet(new, index=False)
        written.append(layout.folder / PARQUET)
    return written


def _cell(item: Any) -> Any:
    """NaN is an empty cell; a text that a spreadsheet would take for a formula begins with an apostrophe."""
    if isinstance(item, float):
        return "" if math.isnan(item) else repr(item)
    return f"'{item}" if isinstance(item, str) and item[:1] in ("=", "+", "-", "@") else item
