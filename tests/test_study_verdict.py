"""Verdicts: values against published ones, claims with a minimum activity."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from brian2 import Hz, mV, second
from hypothesis import given
from hypothesis import strategies as st

from biosnn.display import number_text
from biosnn.errors import ResultError, StudyError
from biosnn.study import Claim, Result
from biosnn.study.claims import check_claims
from biosnn.study.verdict import (
    MISSING,
    CheckedValue,
    Expected,
    check_values,
    for_readers,
    judge_value,
    overall,
    passed,
    read_expected,
)
from biosnn.usercode import execute

SOURCE = "Nobody 1900, eq. 1"


def verdict(value: object, **fields: object) -> str:
    arguments: dict[str, object] = {"unit": "1", "source": SOURCE, "kind": "published", **fields}
    (row,) = check_values({"x": value}, [Expected("x", **arguments)])  # type: ignore[arg-type, dict-item]
    return row.verdict


@pytest.mark.parametrize(
    ("value", "fields", "expected"),
    [
        (1.0, {"expected": 1.25, "tolerance": 0.25}, "pass"),
        (1.5, {"expected": 1.25, "tolerance": 0.25}, "pass"),
        (1.51, {"expected": 1.25, "tolerance": 0.25}, "fail"),
        (0.99, {"expected": 1.25, "tolerance": 0.25}, "fail"),
        (3, {"expected": 3.0, "tolerance": 0.0}, "pass"),
        (-110.0, {"expected": -100.0, "relative": 0.1}, "pass"),
        (-111.0, {"expected": -100.0, "relative": 0.1}, "fail"),
        (27 * Hz, {"expected": 27.1, "tolerance": 0.2, "unit": "Hz"}, "pass"),
        (0.010 * second, {"expected": 10.0, "tolerance": 0.1, "unit": "ms"}, "pass"),
        (math.nan, {"expected": 1.0, "tolerance": 1e300}, "fail"),
        (math.nan * Hz, {"expected": 1.0, "tolerance": 1e300, "unit": "Hz"}, "fail"),
        (math.inf, {"expected": 1.0, "tolerance": 1e300}, "fail"),
    ],
)
def test_a_value_passes_within_the_tolerance(value: object, fields: dict[str, object], expected: str) -> None:
    assert verdict(value, **fields) == expected


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9), st.floats(0, 1e9))
def test_a_value_passes_exactly_within_the_tolerance(value: float, expected: float, tolerance: float) -> None:
    passes = verdict(value, expected=expected, tolerance=tolerance) == "pass"
    assert passes == (abs(value - expected) <= tolerance)


def test_a_value_of_another_dimension_fails_and_says_so() -> None:
    (row,) = check_values({"x": 3 * mV}, [Expected("x", 3.0, "Hz", SOURCE, "published", tolerance=1.0)])
    assert row.verdict == "fail"
    assert "expected a quantity in Hz, got a quantity in volt: 3 mV" in row.why


def test_a_value_that_is_missing_fails() -> None:
    rows = check_values({"y": 1.0}, [Expected("x", 3.0, "Hz", SOURCE, "published", tolerance=1.0)])
    assert [(row.name, row.verdict) for row in rows] == [("y", ""), ("x", "fail")]
    assert "did not report" in rows[1].why
    assert math.isnan(rows[1].value)


def test_values_are_told_in_the_unit_of_the_published_one() -> None:
    (row,) = check_values({"x": 0.02 * second}, [Expected("x", 21.0, "ms", SOURCE, "published", relative=0.1)])
    assert (row.value, row.unit) == (20.0, "ms")
    assert row.tolerance == pytest.approx(2.1)


def claims(holds: object, active: object = True) -> str:
    def answer(value: object) -> object:
        return value() if callable(value) else value

    claim = Claim("c", "A claim.", lambda _: answer(holds), lambda _: answer(active))  # type: ignore[arg-type, return-value]
    (checked,) = check_claims(Result(), [claim])
    return f"{checked.verdict} {checked.why}".strip()


def test_a_claim_holds_fails_or_is_silent() -> None:
    assert claims(True) == "pass"
    assert claims(False) == "fail"
    assert claims(True, active=False) == "silent"
    assert claims(False, active=False) == "silent"


def test_a_claim_that_cannot_be_judged_tells_what_was_needed_and_what_there_was() -> None:
    def fires(result: Result) -> bool:
        """The minimum activity: every layer fires, and the ANN
        itself knows something.

        More of it, for developers.
        """
        found = result.values["accuracy"] > 0.3 and result.arrays["rate"].min() > 1 * Hz
        return bool(found and result.arrays["names"][0] == "a")

    def why(minimum_activity: Callable[[Result], bool], accuracy: float = 0.5) -> str:
        arrays = {"rate": np.array([0.5, 2.0004]) * Hz, "names": np.array(["b"])}
        result = Result({"accuracy": accuracy, "rate of E": 0 * Hz, "other": 1.0}, arrays)
        (checked,) = check_claims(result, [Claim("c", "A claim.", lambda _: True, minimum_activity)])
        assert checked.verdict == "silent"
        return checked.why

    needed = "needed: every layer fires, and the ANN itself knows something; here: accuracy"
    assert why(fires) == f"{needed} 0.5, rate from 0.5 Hz to 2 Hz"
    assert why(fires, 0.1) == f"{needed} 0.1"
    assert why(lambda result: result.values["rate of E"] > 1 * Hz) == "here: rate of E 0 Hz"
    assert why(lambda result: all(result.values.get(name, 0) for name in ("other", "what"))) == "here: other 1"
    assert why(lambda result: any(len(array) > 5 for name, array in result.arrays.items())).startswith(
        "here: rate from"
    )
    assert why(lambda _: False) == ""


def test_a_claim_that_fails_itself_is_an_error_that_names_the_exception() -> None:
    assert claims(lambda: 1 / 0) == "error ZeroDivisionError: division by zero"
    assert claims(True, active=lambda: 1 / 0).startswith("error ZeroDivisionError")
    assert claims(1).startswith("error TypeError: a claim: expected True or False (got 1)")
    assert claims(lambda: 1 / 0, active=False) == "silent"


def test_the_overall_verdict_needs_everything_and_something() -> None:
    def of(value_verdicts: str, claim_verdicts: list[str]) -> str:
        rows = check_values(
            dict.fromkeys(value_verdicts, 0.0),
            [Expected(name, float(name != "p"), "1", SOURCE, "published", tolerance=0.0) for name in value_verdicts],
        )
        results = {"pass": (True, True), "fail": (False, True), "silent": (True, False)}
        made = [
            Claim(str(n), "s", lambda _, v=verdict: results[v][0], lambda _, v=verdict: results[v][1])
            for n, verdict in enumerate(claim_verdicts)
        ]
        return overall(rows, check_claims(Result(), made))

    assert of("p", ["pass"]) == "pass"
    assert of("p", []) == "pass"
    assert of("", ["pass"]) == "pass"
    assert of("pf", ["pass"]) == "fail"
    assert of("p", ["pass", "fail"]) == "fail"
    assert of("p", ["silent"]) == "fail"
    assert of("", []) == "unchecked"
    assert overall(check_values({"x": 1.0}, []), []) == "unchecked"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"expected": math.inf, "tolerance": 1.0}, "expected: expected a finite number"),
        ({"expected": 1.0, "tolerance": math.inf}, "tolerance: expected a finite number"),
        ({"expected": 1.0, "relative": math.nan}, "relative: expected a finite number"),
        ({"expected": 1.0, "tolerance": True}, "tolerance: expected a finite number"),
        ({"expected": 1.0, "tolerance": -0.1}, "not negative"),
        ({"expected": 1.0}, "one of 'tolerance'"),
        ({"expected": 0.0, "relative": 0.5}, "Give 'tolerance' instead"),
        ({"expected": 1.0, "tolerance": 1.0, "source": " "}, "who published"),
        ({"expected": 1.0, "tolerance": 1.0, "unit": "mVs"}, "unit: "),
        ({"expected": 1.0, "tolerance": 1.0, "kind": "recall"}, 'kind: expected kind = "published", if a paper'),
        ({"expected": 1.0, "tolerance": 1.0, "kind": ["published"]}, 'kind: expected kind = "published"'),
    ],
)
def test_an_expected_value_is_checked_when_it_is_made(fields: dict[str, object], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        verdict(1.0, **fields)


ROW = {"value": 1.0, "unit": "1", "source": SOURCE, "verdict": "pass", "expected": 1.0, "tolerance": 0.1}


@pytest.mark.parametrize(
    "fields",
    [
        {"tolerance": math.inf},
        {"tolerance": math.nan},
        {"tolerance": -0.1},
        {"tolerance": None},
        {"expected": None},
        {"expected": None, "tolerance": None},
        {"expected": None, "tolerance": None, "verdict": "fail"},
        {"expected": None, "tolerance": None, "relative": 0.1, "verdict": ""},
        {"expected": math.inf},
        {"expected": math.nan},
        {"expected": True},
        {"relative": math.inf},
        {"tolerance": 10**400},
        {"value": 10**400},
        {"kind": "recall"},
    ],
)
def test_a_verdict_that_would_rest_on_nothing_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ResultError, match=r"values\['x'\]"):
        judge_value(CheckedValue("x", **{**ROW, **fields}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "pass"),
        ({"verdict": "fail"}, "pass"),
        ({"relative": 0.1}, "pass"),
        ({"value": 2.0}, "fail"),
        ({"value": math.nan}, "fail"),
        ({"value": math.inf}, "fail"),
        ({"why": MISSING}, "fail"),
        ({"expected": None, "tolerance": None, "verdict": ""}, ""),
        ({"expected": None, "tolerance": None, "verdict": "fail", "why": "another dimension"}, "fail"),
    ],
)
def test_a_verdict_follows_from_the_numbers(fields: dict[str, object], expected: str) -> None:
    assert judge_value(CheckedValue("x", **{**ROW, **fields})).verdict == expected  # type: ignore[arg-type]


def test_a_claim_that_ends_python_is_an_error_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "study.py").write_text("import sys\ndef holds(result):\n    sys.exit(0)\n")
    holds = execute(tmp_path / "study.py", "_claims_that_end_python").holds
    (claim,) = check_claims(Result(), [Claim("c", "A claim.", holds, lambda _: True)], tmp_path)
    assert claim.verdict == "error"
    assert claim.why.startswith("RuntimeError: it calls sys.exit")
    assert claim.why.endswith("(study.py, line 3)")


def read(tmp_path: Path, text: str) -> list[Expected]:
    (tmp_path / "expected.toml").write_text(text)
    return read_expected(tmp_path / "expected.toml")


def test_expected_values_are_read(tmp_path: Path) -> None:
    text = f'[values.rate]\nexpected = 27\nrelative = 0.1\nunit = "Hz"\nkind = "published"\nsource = "{SOURCE}"\n'
    text += f'[values."at 3 mV"]\nexpected = 0.5\ntolerance = 0.1\nkind = "regression"\nsource = "{SOURCE}"\n'
    assert read(tmp_path, text) == [
        Expected("rate", 27.0, "Hz", SOURCE, "published", relative=0.1),
        Expected("at 3 mV", 0.5, "1", SOURCE, "regression", tolerance=0.1),
    ]
    assert read(tmp_path, "# nothing published") == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ('expected = 1\nsource = "s"', "one of 'tolerance'"),
        ('expected = 1\ntolerance = 1\nrelative = 1\nsource = "s"', "one of 'tolerance'"),
        ('expected = 1\ntolerance = -1\nsource = "s"', "not negative"),
        ('tolerance = 1\nsource = "s"', "'expected' and one of"),
        ("expected = 1\ntolerance = 1", "who published the value"),
        ('expected = 1\ntolerance = 1\nsource = " "', "who published the value"),
        ('expected = "1 mV"\ntolerance = 1\nsource = "s"', "a finite number .* goes into 'unit'"),
        ('expected = true\ntolerance = 1\nsource = "s"', "a finite number"),
        ('expected = nan\ntolerance = 1\nsource = "s"', "a finite number"),
        ('expected = 1\ntolerance = inf\nsource = "s"', "a finite number"),
        ('expected = 1\ntolerance = nan\nsource = "s"', "a finite number"),
        ('expected = 1\ntolerance = true\nsource = "s"', "a finite number"),
        ('expected = 1\nrelative = -inf\nsource = "s"', "a finite number"),
        ('expected = 1\nrelative = "10 %"\nsource = "s"', "a finite number"),
        (f'expected = 1{400 * "0"}\ntolerance = 1\nsource = "s"', "a finite number"),
        ('expected = 0.0\nrelative = 0.1\nsource = "s"', "Give 'tolerance' instead"),
        ('expected = 1e300\nrelative = 1e300\nsource = "s"', "a fraction of which something is left"),
        ("", "'expected' and one of"),
        ('expected = 1\ntolerance = 1\nunit = "mVs"\nsource = "s"', "unit: .*mVs"),
        ('expected = 1\ntolerance = 1\nunit = 3\nsource = "s"', "a unit as text"),
        ('expected = 1\ntolerance = 1\nsource = "s"\ndepends_on = "neurons"', 'a list of settings, or "all"'),
        ('expected = 1\ntolerance = 1\nsource = "s"\ndepends_on = [3]', 'a list of settings, or "all"'),
        ('expected = 1\ntolerance = 1\nsource = "s"\nnote = "n"', "the fields depends_on, expected, kind, relative"),
    ],
)
def test_a_wrong_expected_value_is_refused(tmp_path: Path, fields: str, message: str) -> None:
    with pytest.raises(StudyError, match=message) as caught:
        read(tmp_path, f'[values.rate]\nkind = "published"\n{fields}\n')
    assert "expected.toml [values.rate]" in str(caught.value)


def test_a_value_without_kind_is_told_both(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"expected\.toml \[values\.rate\]: the field 'kind' is missing") as caught:
        read(tmp_path, '[values.rate]\nexpected = 1\ntolerance = 1\nsource = "s"\n')
    assert 'kind = "published", if a paper, a formula or an independent program' in str(caught.value)
    assert 'kind = "regression", if you have measured it yourself' in str(caught.value)


def test_values_that_pass_are_counted_by_kind() -> None:
    expected = [
        Expected(name, limit, "1", SOURCE, kind, tolerance=0.0)
        for name, limit, kind in [("a", 1.0, "published"), ("b", 2.0, "published"), ("c", 1.0, "regression")]
    ]
    rows = check_values({"a": 1.0, "b": 1.0, "c": 1.0, "d": 1.0}, expected)
    assert passed(rows, "published") == (1, 2)
    assert passed(rows, "regression") == (1, 1)
    assert passed(rows, "") == (0, 0)


@pytest.mark.parametrize("text", ["[value.rate]", "values = 3", "[values", "rate = 1\n[values]"])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(StudyError, match=r"expected\.toml"):
        read(tmp_path, text)


def test_accuracies_and_fractions_are_shown_in_percent_and_nothing_else_is() -> None:
    (row,) = check_values({"accuracy of the ANN": 0.895}, [])
    assert (for_readers(row).value, for_readers(row).unit) == (89.5, "%")
    expected = Expected("fraction silent", 0.2, "1", SOURCE, "published", tolerance=0.01)
    (row,) = check_values({"fraction silent": 0.25}, [expected])
    shown = for_readers(row)
    assert (shown.value, shown.expected, shown.tolerance, shown.verdict) == (25.0, 20.0, 1.0, "fail")
    for name, value in {
        "CV": 0.5,
        "accuracy in points": 3.0,
        "inaccuracy": 0.5,
        "Poisson, coding fraction": 0.1,
    }.items():
        (row,) = check_values({name: value}, [])
        assert for_readers(row) == row


@pytest.mark.parametrize(
    ("value", "text"),
    [(58670.2, "58670"), (0.98333, "0.9833"), (12, "12"), (3e9, "3e+09"), (1.5e-7, "1.5e-07"), (math.nan, "nan")],
)
def test_numbers_have_as_many_digits_as_are_asked_for(value: float, text: str) -> None:
    assert number_text(value, 4) == text
