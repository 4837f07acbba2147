"""What a study's ``run`` returns: named values and arrays, with units."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from brian2.units.fundamentalunits import Quantity, get_dimensions

from biosnn.display import bounded, brief, card, table
from biosnn.errors import ResultError, field_error

# Names become keys of JSON, members of a zip archive and anchors of a page.
_NAME = re.compile(r"\w(?:[\w .,:+()=-]*[\w)+])?")


@dataclass(frozen=True)
class Table:
    """A table of a report, for people to read; programs take values and arrays.

    Parameters
    ----------
    caption : str
        What stands in it.
    rows : sequence of sequences of str
        Its head, and below it the rows, all of the same length.

    Raises
    ------
    ResultError
        If there is no head, an entry is no text, or rows have different lengths.
    """

    caption: str
    rows: Sequence[Sequence[str]]

    def __post_init__(self) -> None:
        rows = tuple(tuple(row) for row in self.rows)
        if not rows or not rows[0] or any(len(row) != len(rows[0]) for row in rows):
            got = f"rows of {', '.join(str(len(row)) for row in rows) or 'nothing'}"
            raise ResultError(field_error(f"Table {self.caption!r}", "a head, and rows of its length", got))
        for text in (self.caption, *(text for row in rows for text in row)):
            if not isinstance(text, str):
                raise ResultError(field_error(f"Table {self.caption!r}", "texts", text))
        object.__setattr__(self, "rows", rows)


@dataclass(frozen=True)
class Result:
    """The answer of a study.

    Parameters
    ----------
    values : mapping of str to Quantity, float or int
        The numbers that answer the question: scalars, with units where they have one.
    arrays : mapping of str to ndarray or Quantity
        What the figures are drawn from, of any shape: numbers, booleans or texts.
    not_applicable : collection of str
        Names of expected values and claims that these settings do not ask about, so that the result is not held
        against them; the report names them. A value that is there is held against its expected one all the same.
    tables : mapping of str to Table
        Tables for the report, by a short name each.
    files : mapping of str to callable
        Further files of the result, such as a trained network: the name of each, and what writes it to a path. On a
        saved result, the path of each.
    warnings : sequence of str
        Sentences that a reader has to know before the numbers are trusted; they stand beside the answer.

    Raises
    ------
    ResultError
        If a value is not a scalar number, an array holds objects, a name cannot be a file's name, or a warning is no
        sentence.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, Any] = field(default_factory=dict)
    not_applicable: Collection[str] = ()
    files: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    warnings: Sequence[str] = ()

    def __post_init__(self) -> None:
        values = {_name("values", name): _scalar(name, value) for name, value in self.values.items()}
        arrays = {_name("arrays", name): _array(name, value) for name, value in self.arrays.items()}
        for name in self.files:
            _name("files", name)
        for name, one in self.tables.items():
            if not isinstance(one, Table):
                raise ResultError(field_error(f"Result.tables[{_name('tables', name)!r}]", "a Table", one))
        if isinstance(self.not_applicable, str):
            raise ResultError(field_error("Result.not_applicable", "a list of names", self.not_applicable))
        if isinstance(self.warnings, str) or not all(isinstance(one, str) and one.strip() for one in self.warnings):
            raise ResultError(field_error("Result.warnings", "a list of sentences", self.warnings))
        names = {_name("not_applicable", name) for name in self.not_applicable}
        object.__setattr__(self, "not_applicable", tuple(sorted(names)))
        object.__setattr__(self, "warnings", tuple(self.warnings))
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "arrays", arrays)

    def __repr__(self) -> str:
        values = "; ".join(f"{name}: {value}" for name, value in self.values.items())
        return bounded(f"<{type(self).__name__}: {values or 'no values'}; {len(self.arrays)} arrays>")

    def _repr_html_(self) -> str:
        values = table(("value", ""), [(name, str(value)) for name, value in self.values.items()], numbers=(1,))
        arrays = table(("array", ""), [(name, brief(value)) for name, value in self.arrays.items()])
        return card("Result", "", values, arrays)


def _name(where: str, name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        expected = "a name of letters, digits, blanks and any of _ . , : + ( ) = -"
        raise ResultError(field_error(f"Result.{where}", expected, name))
    return name


def _scalar(name: str, value: Any) -> Quantity | float | int:
    what = f"Result.values[{name!r}]"
    if isinstance(value, (bool, np.bool_)):
        raise ResultError(field_error(what, "a number", value, "Say something true or false in a Claim."))
    if not isinstance(value, (int, float, np.number, np.ndarray)) or np.ndim(value) != 0 or np.iscomplexobj(value):
        raise ResultError(field_error(what, "a scalar number or quantity", value, "Put arrays into Result.arrays."))
    if isinstance(value, Quantity) and not get_dimensions(value).is_dimensionless:
        return Quantity(np.float64(np.asarray(value)), dim=get_dimensions(value))
    plain = np.asarray(value).item()
    if not isinstance(plain, (int, float)):
        raise ResultError(field_error(what, "a scalar number or quantity", value))
    return plain


def _array(name: str, value: Any) -> np.ndarray | Quantity:
    array = np.asarray(value)
    if array.dtype.kind not in "biufcU":
        raise ResultError(field_error(f"Result.arrays[{name!r}]", "numbers, booleans or texts", array.dtype))
    if isinstance(value, Quantity) and not get_dimensions(value).is_dimensionless:
        return Quantity(array, dim=get_dimensions(value))
    return array
