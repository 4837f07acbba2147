"""A result on disk: what is written is read back, and anything else is refused."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import Hz, Quantity, have_same_dimensions, mV, nS, pA
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from hypothesis_profile import examples

from biosnn.errors import ResultError
from biosnn.study import Claim, Result, Table, load_result
from biosnn.study.claims import check_claims
from biosnn.study.folder import atomic_folder, refuse_foreign
from biosnn.study.saved import write_result
from biosnn.study.verdict import Expected, check_values

ABOUT = {"study": "small", "settings": {"tau": "20 ms"}, "seed": 1, "target": "numpy"}
EXPECTED = [
    Expected("rate", 27.0, "Hz", "Nobody 1900", "published", relative=0.1),
    Expected("lost", 1.0, "mV", "Nobody 1901", "regression", tolerance=0.5),
]
RESULT = Result(
    {"rate": 27.5 * Hz, "count": 3, "share": 0.1 + 0.2, "nan": math.nan, "low": -math.inf, "peak": math.inf * mV},
    {"v": np.linspace(0, 1, 5) * mV, "flags": np.array([True, False]), "names": np.array(["a", "bc"]), "file": [1, 2]},
    tables={"by rate": Table("What fires.", [["cell", "rate (Hz)"], ["a", "27.5"]])},
)
CLAIMS = [
    Claim("fast", "It is fast.", lambda r: r.values["rate"] > 20 * Hz, lambda _: True),
    Claim("odd", "It raises.", lambda r: r.values["what"], lambda _: True),
]


def write(folder: Path, result: Result = RESULT) -> Path:
    folder.mkdir(exist_ok=True)
    rows = check_values(result.values, EXPECTED)
    write_result(folder, result, rows, check_claims(result, CLAIMS), ABOUT, {"models": []})
    return folder


def assert_same(given: Any, expected: Any) -> None:
    """Same dimension, and same value but for the last digit, which the unit may cost."""
    assert have_same_dimensions(given, expected)
    np.testing.assert_allclose(np.asarray(given), np.asarray(expected), rtol=1e-15)


def test_a_result_is_read_back_as_it_was(tmp_path: Path) -> None:
    saved = load_result(write(tmp_path / "r"))
    assert saved.values.keys() == RESULT.values.keys(), "a value that was not reported is not there"
    for name, value in RESULT.values.items():
        assert_same(saved.values[name], value)
        assert type(saved.values[name]) is type(value)
    for name, array in RESULT.arrays.items():
        np.testing.assert_array_equal(saved.arrays[name], array)
        assert type(saved.arrays[name]) is type(array)
        assert saved.arrays[name].dtype == array.dtype
    assert saved.tables == RESULT.tables
    assert (saved.study, saved.settings, saved.seed, saved.target) == ("small", {"tau": "20 ms"}, 1, "numpy")
    assert [(claim.name, claim.verdict) for claim in saved.claims] == [("fast", "pass"), ("odd", "error")]
    assert {row.name: row.verdict for row in saved.rows if row.verdict} == {"rate": "pass", "lost": "fail"}
    assert saved.verdict == "fail"


def test_what_earlier_versions_called_left_out_is_not_applicable(tmp_path: Path) -> None:
    folder = write(tmp_path / "r", replace(RESULT, not_applicable=["slow", "fast"]))
    edit(folder, lambda data: data.update(left_out=data.pop("not_applicable")))
    assert load_result(folder).not_applicable == ("fast", "slow")


def test_earlier_versions_did_not_tell_which_values_are_published(tmp_path: Path) -> None:
    folder = write(tmp_path / "r")
    assert {row.name: row.kind for row in load_result(folder).rows if row.verdict} == {
        "rate": "published",
        "lost": "regression",
    }
    edit(folder, lambda data: [row.pop("kind", None) for row in data["values"].values()])
    rows = load_result(folder).rows
    assert {row.name: (row.kind, row.verdict) for row in rows if row.verdict} == {
        "rate": ("", "pass"),
        "lost": ("", "fail"),
    }


def test_the_file_is_json_for_everybody(tmp_path: Path) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    text = (write(tmp_path / "r") / "result.json").read_text()
    values = json.loads(text, parse_constant=refuse)["values"]
    assert values["nan"] == {"value": None, "unit": "1", "why": "nan"}
    assert values["low"] == {"value": None, "unit": "1", "why": "-inf"}
    assert values["peak"] == {"value": None, "unit": "mV", "why": "inf"}
    assert values["lost"]["value"] is None
    assert values["lost"]["why"] == "the study did not report this value"
    assert values["rate"] == {
        "value": 27.5,
        "unit": "Hz",
        "expected": 27.0,
        "tolerance": 2.7,
        "relative": 0.1,
        "source": "Nobody 1900",
        "kind": "published",
        "verdict": "pass",
    }


@examples(50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.floats(), unit=st.sampled_from([1.0, mV, nS, pA, Hz, mV / Hz]))
def test_any_value_survives(tmp_path: Path, number: float, unit: Any) -> None:
    value = number * unit
    saved = load_result(write(tmp_path / "r", Result({"x": value}, {"x": np.full(3, number) * unit})))
    assert_same(saved.values["x"], value)
    np.testing.assert_array_equal(np.asarray(saved.arrays["x"]), np.asarray(np.full(3, number) * unit))


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "result.json"
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def test_verdicts_on_values_are_found_anew(tmp_path: Path) -> None:
    folder = write(tmp_path / "r")
    edit(folder, lambda data: data["values"]["rate"].update(value=99.0))
    assert {row.name: row.verdict for row in load_result(folder).rows}["rate"] == "fail"
    edit(folder, lambda data: data["values"]["rate"].update(expected=98.0, tolerance=2, verdict="fail"))
    assert {row.name: row.verdict for row in load_result(folder).rows}["rate"] == "pass"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.update(format=2), r"format: expected 1 \(got 2\)"),
        (lambda data: data.pop("format"), "this result is damaged: .*'format' is missing"),
        (lambda data: data.pop("values"), "'values' is missing"),
        (lambda data: data.update(values=[]), r"values: expected dict"),
        (lambda data: data.update(seed="1"), "seed: expected int"),
        (lambda data: data.update(seed=True), "seed: expected int"),
        (lambda data: data["settings"].update(tau=20), r"settings\['tau'\]: expected str"),
        (lambda data: data["values"]["rate"].update(value="27"), r"values\['rate'\] value: expected int or float"),
        (lambda data: data["values"]["rate"].pop("value"), r"values\['rate'\]: the field 'value' is missing"),
        (lambda data: data["values"]["rate"].pop("unit"), "'unit' is missing"),
        (lambda data: data["values"]["rate"].update(unit="no"), r"values\['rate'\] unit: .*no"),
        (lambda data: data["values"]["rate"].update(verdict="fine"), "verdict: expected pass or fail"),
        (lambda data: data["values"].update(rate=3), r"values\['rate'\]: expected dict"),
        (
            lambda data: data["claims"][0].update(verdict="fine"),
            r"\[fast\] verdict: expected pass, fail, silent, error",
        ),
        (lambda data: data["claims"][0].pop("statement"), "'statement' is missing"),
        (lambda data: data["arrays"]["v"].update(key="w"), "no array 'w'"),
        (lambda data: data["arrays"]["v"].update(shape=[4]), "shape and dtype"),
        (lambda data: data["arrays"]["v"].update(dtype="<f4"), "shape and dtype"),
        (lambda data: data["arrays"]["v"].update(unit="no"), r"arrays\['v'\] unit"),
    ],
)
def test_another_layout_is_refused(tmp_path: Path, change: Callable[[dict[str, Any]], object], message: str) -> None:
    folder = write(tmp_path / "r")
    edit(folder, change)
    with pytest.raises(ResultError, match=message):
        load_result(folder)


@pytest.mark.parametrize("name", ["result.json", "arrays.npz", "provenance.json"])
def test_missing_and_damaged_files_are_named(tmp_path: Path, name: str) -> None:
    folder = write(tmp_path / "r")
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ResultError, match=f"{name}: cannot be read"):
        load_result(folder)
    (folder / name).unlink()
    with pytest.raises(ResultError, match=f"{name}: no such file"):
        load_result(folder)


def test_pickled_arrays_are_not_loaded(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (os.mkdir, (str(tmp_path / "exploded"),))

    folder = write(tmp_path / "r")
    np.savez(folder / "arrays.npz", v=np.array([Bomb()], dtype=object))
    with pytest.raises(ResultError, match=r"expected numbers \(got 'objects, .*Objects are pickled"):
        load_result(folder)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(
    ("values", "arrays", "message"),
    [
        ({"x": "text"}, {}, "a scalar number"),
        ({"x": True}, {}, "Say something true or false in a Claim"),
        ({"x": [1, 2] * mV}, {}, "Put arrays into Result.arrays"),
        ({"x": 1j}, {}, "a scalar number"),
        ({"a/b": 1}, {}, "a name of letters"),
        ({"": 1}, {}, "a name of letters"),
        ({3: 1}, {}, "a name of letters"),
        ({}, {"x": [object()]}, "numbers, booleans or texts"),
        ({}, {"../x": [1]}, "a name of letters"),
    ],
)
def test_what_is_no_result_is_refused(values: dict[Any, Any], arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(ResultError, match=message):
        Result(values, arrays)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], r"a head, and rows of its length \(got 'rows of nothing'\)"),
        ([["a", "b"], ["1"]], r"got 'rows of 2, 1'"),
        ([["a"], [1]], r"expected texts \(got 1\)"),
    ],
)
def test_what_is_no_table_is_refused(rows: list[list[Any]], message: str) -> None:
    with pytest.raises(ResultError, match=message):
        Table("What fires.", rows)


def test_tables_are_tables() -> None:
    with pytest.raises(ResultError, match=r"Result.tables\['t'\]: expected a Table"):
        Result(tables={"t": [["a"]]})


def test_a_result_keeps_copies_of_scalars_in_plain_types() -> None:
    result = Result({"a": np.float32(0.5), "b": np.int64(3), "c": np.array(2.0), "d": Quantity(1.5)})
    assert [type(result.values[name]) for name in "abcd"] == [float, int, float, float]


def test_a_folder_appears_when_its_block_ends_well(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / "deep/er") as new:
        (new / "file").write_text("half")
        assert not (tmp_path / "deep/er").exists()
    assert (tmp_path / "deep/er/file").read_text() == "half"
    with pytest.raises(ZeroDivisionError), atomic_folder(tmp_path / "deep/er") as new:
        (new / "file").write_text(str(1 / 0))
    assert (tmp_path / "deep/er/file").read_text() == "half"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["er"]


def test_what_is_put_into_a_folder_during_the_run_is_kept(tmp_path: Path) -> None:
    folder = write(tmp_path / "r")
    with atomic_folder(folder) as new:
        write(new)
        (folder / "figures").mkdir()
        for name in ("notes.txt", "figures/mine.png"):
            (folder / name).write_text("mine")
    assert (folder / "notes.txt").read_text() == (folder / "figures/mine.png").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


def test_what_the_dead_left_is_cleaned_and_what_they_moved_aside_is_put_back(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / "r") as new:
        mark = new.name.removeprefix(".r.new-")
    machine, living, _ = mark.split("-")
    assert living == str(os.getpid())
    dead = f"{machine}-{2**22 + 1}-00000000"
    foreign = f"00000000-{2**22 + 1}-00000000"
    (tmp_path / "r").rename(tmp_path / f".r.old-{dead}")
    for name in (f".r.new-{dead}", f".r.new-{foreign}", f".r.new-{mark}", f".other.new-{dead}"):
        (tmp_path / name).mkdir()
    (tmp_path / f".r.old-{dead}" / "file").write_text("the earlier result")
    with pytest.raises(KeyError), atomic_folder(tmp_path / "r"):
        raise KeyError
    assert (tmp_path / "r/file").read_text() == "the earlier result"
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == sorted(["r", f".r.new-{foreign}", f".r.new-{mark}", f".other.new-{dead}"])


def test_a_damaged_result_of_the_same_study_may_be_replaced(tmp_path: Path) -> None:
    folder = write(tmp_path / "r")
    (folder / "arrays.npz").unlink()
    edit(folder, lambda data: data.update(format=99))
    refuse_foreign(folder, "small")
    with pytest.raises(ResultError, match="holds a result of the study 'small', not of 'large'"):
        refuse_foreign(folder, "large")
