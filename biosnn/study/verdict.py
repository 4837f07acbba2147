"""Verdicts: values against published ones and earlier ones of our own; and over all values and claims of a result."""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from brian2.units.fundamentalunits import Quantity, get_dimensions

from biosnn import files
from biosnn.errors import BiosnnError, ResultError, StudyError, field_error
from biosnn.quantity import dimension_name, format_quantity, parse_unit
from biosnn.study.claims import FAIL, PASS, UNCHECKED, CheckedClaim

_MOST_TEXT = 2**20  # bytes
ALL = ("all",)  # of the settings
PUBLISHED, REGRESSION = "published", "regression"
KINDS = (PUBLISHED, REGRESSION)
_WHICH = (
    f'kind = "{PUBLISHED}", if a paper, a formula or an independent program gives the value, '
    f'or kind = "{REGRESSION}", if you have measured it yourself'
)

MISSING = "the study did not report this value"


@dataclass(frozen=True)
class Expected:
    """A value that a study's value is held against: a published one, or one that was measured before.

    Parameters
    ----------
    name : str
        The name of the value in the study's `Result`.
    expected : float
        The value, in ``unit``.
    unit : str
        Its unit, ``"1"`` if it has none.
    source : str
        Who published it, where; or how it was measured.
    kind : {"published", "regression"}
        Whether a paper, a formula or an independent program gives it, or the study itself has, earlier.
    tolerance : float, optional
        The largest deviation that passes, in ``unit``.
    relative : float, optional
        The same as a fraction of the expected value, which is not 0 then. One of the two is given.
    depends_on : tuple of str
        The settings at whose defaults the value holds, or `ALL` of them. With another one it is not asked. A dataclass
        stands for all settings in it.

    Raises
    ------
    StudyError
        If a number is not finite, a tolerance is missing, given twice or negative, the source is missing, the unit is
        none, or the kind is another.
    """

    name: str
    expected: float
    unit: str
    source: str
    kind: str
    tolerance: float | None = None
    relative: float | None = None
    depends_on: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        where = f"[values.{self.name}]"
        limits = {key: value for key in ("tolerance", "relative") if (value := getattr(self, key)) is not None}
        for key, value in {"expected": self.expected, **limits}.items():
            if not _is_finite(value):
                raise StudyError(field_error(f"{where} {key}", "a finite number", value, "Its unit goes into 'unit'."))
        if len(limits) != 1 or min(limits.values()) < 0:
            raise StudyError(field_error(where, "one of 'tolerance' (absolute) and 'relative', not negative", limits))
        if self.expected == 0 and self.relative is not None:
            do = "A fraction of 0 is 0. Give 'tolerance' instead."
            raise StudyError(field_error(f"{where} relative", "none, as the expected value is 0", self.relative, do))
        if not _is_finite(self.allowed):
            raise StudyError(field_error(f"{where} relative", "a fraction of which something is left", self.relative))
        if not isinstance(self.source, str) or not self.source.strip():
            raise StudyError(field_error(f"{where} source", "who published the value, where", self.source))
        if self.kind not in KINDS:
            raise StudyError(field_error(f"{where} kind", _WHICH, self.kind))
        if not isinstance(self.unit, str):
            raise StudyError(field_error(f"{where} unit", "a unit as text", self.unit))
        try:
            parse_unit(self.unit)
        except BiosnnError as error:
            raise StudyError(f"{where} unit: {error}") from None

    @property
    def allowed(self) -> float:
        """The largest deviation that passes, in ``unit``."""
        return self.tolerance if self.tolerance is not None else abs(self.expected) * float(self.relative or 0.0)

    def holds_with(self, changed: Collection[str]) -> bool:
        """Whether the value is to be asked when these settings differ from their defaults."""
        if self.depends_on == ALL:
            return not changed
        return not any(f"{name}.".startswith(f"{of}.") for name in changed for of in self.depends_on)


@dataclass(frozen=True)
class CheckedValue:
    """A value of a result, with what it was held against.

    ``value`` is a number in ``unit`` (``"1"``: no unit), NaN where the study did not report it. ``expected`` and what
    follows are None or empty where there is none; ``why`` says why a verdict is "fail" where the numbers alone do not.
    ``kind`` is that of `Expected`, and empty in results of earlier versions, which did not tell.
    """

    name: str
    value: float
    unit: str
    expected: float | None = None
    tolerance: float | None = None
    relative: float | None = None
    source: str = ""
    kind: str = ""
    verdict: str = ""
    why: str = ""


def read_expected(path: Path) -> list[Expected]:
    """Read a study's ``expected.toml``.

    Raises
    ------
    StudyError
        If the file is missing or no TOML, or a field is missing, unknown or out of range.
    """
    do = "Write an empty one if there is no value to expect."
    data = files.parse_toml(path, files.read_text(path, StudyError, _MOST_TEXT, do), StudyError)
    tables = data.get("values", {})
    if set(data) - {"values"} or not isinstance(tables, dict):
        raise StudyError(field_error(str(path), "tables [values.NAME] only", sorted(data)))
    return [_expected(path.name, name, table) for name, table in tables.items()]


def _expected(file: str, name: str, table: Any) -> Expected:
    where = f"{file} [values.{name}]"
    known = {"expected", "tolerance", "relative", "unit", "source", "kind", "depends_on"}
    if not isinstance(table, dict) or set(table) - known:
        raise StudyError(field_error(where, f"the fields {', '.join(sorted(known))}", table))
    if "expected" not in table:
        expected = "'expected' and one of 'tolerance' (absolute) and 'relative', not negative"
        raise StudyError(field_error(where, expected, table))
    if "kind" not in table:
        raise StudyError(f"{where}: the field 'kind' is missing. Write {_WHICH}.")
    depends_on = _depends_on(f"{where} depends_on", table.get("depends_on", []))
    given = {key: table.get(key) for key in ("expected", "tolerance", "relative")}
    fields: dict[str, Any] = {key: float(got) if got and _is_finite(got) else got for key, got in given.items()}
    fields |= {"unit": table.get("unit", "1") or "1", "source": table.get("source")}
    fields |= {"kind": table["kind"], "depends_on": depends_on}
    try:
        return Expected(name, **fields)
    except StudyError as error:
        raise StudyError(f"{file} {error}") from None


def _is_finite(value: Any) -> bool:
    """Whether something is a number, other than True and False, and one that is not too large to compute with."""
    try:
        return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def _depends_on(where: str, given: Any) -> tuple[str, ...]:
    names = [given] if given == "all" else given
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise StudyError(field_error(where, 'a list of settings, or "all"', given))
    return tuple(names)


def check_values(values: Mapping[str, Quantity | float | int], expected: Iterable[Expected]) -> list[CheckedValue]:
    """Hold a study's values against the expected ones.

    Parameters
    ----------
    values : mapping
        Those of a `Result`.
    expected : iterable of Expected
        What they are held against. A name that ``values`` lacks fails, and so does a NaN or another dimension.

    Returns
    -------
    list of CheckedValue
        One for each value, then one for each expected value that is missing.
    """
    asked = {item.name: item for item in expected}
    rows = [_check_value(name, value, asked.get(name)) for name, value in values.items()]
    missing = [_row(item, math.nan, MISSING) for item in _absent(asked, values)]
    return [*rows, *missing]


def _absent(asked: Mapping[str, Expected], values: Mapping[str, Any]) -> list[Expected]:
    return [item for name, item in asked.items() if name not in values]


def _check_value(name: str, value: Quantity | float | int, expected: Expected | None) -> CheckedValue:
    text = format_quantity(value)
    number, _, unit = text.partition(" ")
    own = CheckedValue(name, value if isinstance(value, int) else float(number), unit or "1")
    if expected is None:
        return own
    scale = parse_unit(expected.unit)
    if get_dimensions(value) != get_dimensions(scale):
        got, wanted = (dimension_name(get_dimensions(item)) for item in (value, scale))
        row = _row(expected, math.nan, f"expected {wanted}, got {got}: {text}")
        return replace(row, value=own.value, unit=own.unit, expected=None, tolerance=None, relative=None)
    converted = own.value if unit == expected.unit or not unit else float(np.asarray(value)) / float(np.asarray(scale))
    return judge_value(_row(expected, converted))


def _row(item: Expected, value: float, why: str = "") -> CheckedValue:
    verdict = FAIL if why else ""
    row = CheckedValue(item.name, value, item.unit, item.expected, item.allowed, item.relative, item.source)
    return replace(row, kind=item.kind, verdict=verdict, why=why)


def judge_value(row: CheckedValue) -> CheckedValue:
    """Give a value its verdict from its number, the expected one and the tolerance, whatever verdict it had.

    A row without an expected value is returned as it is; one that says ``why`` it fails goes on to fail.

    Raises
    ------
    ResultError
        If a verdict would rest on nothing: a number is too large, or the expected one or the tolerance is missing, not
        finite or negative, or says something else than ``relative``.
    """
    where = f"values[{row.name!r}]"
    if isinstance(row.value, int) and not _is_finite(row.value):
        raise ResultError(f"{where}: expected a number below 1.8e308 (got a larger one).")
    if row.kind not in ("", *KINDS):
        raise ResultError(field_error(f"{where} kind", " or ".join(KINDS), row.kind))
    if row.expected is None:
        told = not row.verdict or (row.verdict == FAIL and row.why)
        if not told or row.tolerance is not None or row.relative is not None:
            raise ResultError(f"{where}: has a tolerance or a verdict without an expected value.")
        return row
    allowed = _allowed(where, row)
    # Written so that a NaN, which compares false with everything, fails.
    return replace(row, verdict=PASS if not row.why and abs(row.value - row.expected) <= allowed else FAIL)


def _allowed(where: str, row: CheckedValue) -> float:
    """The deviation that passes, if what a row says of it can be used."""
    if not _is_finite(row.expected):
        raise ResultError(field_error(f"{where} expected", "a finite number", row.expected))
    given = {"tolerance": row.tolerance} | ({} if row.relative is None else {"relative": row.relative})
    for key, value in given.items():
        if value is None or not _is_finite(value) or value < 0:
            raise ResultError(field_error(f"{where} {key}", "a finite number, at least 0", value))
    return float(row.tolerance or 0.0)


def for_readers(row: CheckedValue) -> CheckedValue:
    """The value as a reader writes it: an accuracy, or a fraction of something, in percent."""
    numbers = [number for number in (row.value, row.expected) if number is not None and math.isfinite(number)]
    if row.unit != "1" or not _FRACTION.search(row.name) or not all(0 <= number <= 1 for number in numbers):
        return row
    expected, tolerance = (None if number is None else 100 * number for number in (row.expected, row.tolerance))
    return replace(row, value=100 * row.value, expected=expected, tolerance=tolerance, relative=None, unit="%")


_FRACTION = re.compile(r"(?i)\b(accuracy|(?<!coding )fraction|share|chance)\b")


def digits_of(row: CheckedValue) -> int:
    """As many digits as show a tenth of the tolerance, four at least."""
    if not row.tolerance or not row.expected:
        return 4
    return min(9, max(4, 2 + math.ceil(math.log10(abs(row.expected) / row.tolerance))))


def passed(values: Iterable[CheckedValue], kind: str) -> tuple[int, int]:
    """Count the values of a kind that pass, and those that were held against something."""
    verdicts = [row.verdict for row in values if row.verdict and row.kind == kind]
    return verdicts.count(PASS), len(verdicts)


def overall(values: Sequence[CheckedValue], claims: Sequence[CheckedClaim]) -> str:
    """The verdict on a result: "pass", "fail", or "unchecked" where there was nothing to hold it against."""
    verdicts = [row.verdict for row in values if row.verdict] + [claim.verdict for claim in claims]
    if not verdicts:
        return UNCHECKED
    return PASS if all(verdict == PASS for verdict in verdicts) else FAIL
