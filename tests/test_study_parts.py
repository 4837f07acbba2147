"""Parts of a study: done in their order, joined, and what is not asked of the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_study import EXPECTED, STUDY, write_study

from biosnn.errors import SettingsError, StudyError
from biosnn.run import run_study
from biosnn.study import Claim, Part, Result, Table, run_parts
from biosnn.study.verdict import Expected


def part(name: str) -> Part:
    claims = [Claim(f"{name} is one", "It is.", lambda result: result.values[f"{name} value"] == 1, lambda _: True)]

    def run(settings: Any, _: Any) -> Result:
        table = Table("What it did.", [["done"], [name]])
        return Result({f"{name} value": settings}, {f"{name} array": [settings]}, tables={name: table})

    return Part(name, run, claims)


PARTS = [part("one"), part("two"), part("three")]


def test_parts_are_done_in_their_order_and_the_claims_of_others_are_not_asked() -> None:
    found = run_parts(PARTS, ("three", "one"), 1, None)
    assert list(found.values) == ["one value", "three value"]
    assert list(found.arrays) == ["one array", "three array"]
    assert list(found.tables) == ["one", "three"]
    assert list(found.not_applicable) == ["two is one"]
    assert not run_parts(PARTS, ("one", "two", "three"), 1, None).not_applicable


def test_a_part_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"parts: expected some of one, two, three \(got 'four'\)"):
        run_parts(PARTS, ("one", "four"), 1, None)


TWO = STUDY.replace(
    "def run(settings, sim):",
    """def run(settings, sim):
    return run_parts(PARTS, settings.parts, settings, sim)


def other(settings, sim):
    return Result({"other value": 1})


def charging(settings, sim):""",
).replace("import Claim,", "import Claim, Part, run_parts,")
TWO = TWO.replace(
    "    duration: Quantity",
    '    parts: tuple[str, ...] = setting(("charge", "other"), "which")\n    duration: Quantity',
)
TWO += 'PARTS = [Part("charge", charging, CLAIMS), Part("other", other)]\n'
OTHER = '\n[values."other value"]\nexpected = 1\ntolerance = 0\nkind = "regression"\nsource = "made up"\n'


def test_expected_values_of_parts_that_are_not_asked_are_not_missed(tmp_path: Path) -> None:
    study = write_study(tmp_path / "two", study=TWO, expected=EXPECTED + OTHER)
    both = run_study(study, out=tmp_path / "both")
    assert (both.verdict, both.not_applicable) == ("pass", ())
    alone = run_study(study, {"parts": "charge"}, out=tmp_path / "alone")
    assert (alone.verdict, alone.not_applicable) == ("pass", ("other value",))
    other = run_study(study, {"parts": "other"}, out=tmp_path / "other")
    assert (other.verdict, other.not_applicable) == ("pass", ("charge", "rises"))


def test_with_the_default_settings_a_part_that_reports_nothing_fails(tmp_path: Path) -> None:
    silent = TWO.replace('    return Result({"other value": 1})', "    return Result()")
    study = write_study(tmp_path / "two", study=silent, expected=EXPECTED + OTHER)
    assert run_study(study, out=tmp_path / "out").verdict == "fail"


def test_parts_of_a_study_are_parts(tmp_path: Path) -> None:
    study = write_study(tmp_path / "wrong", study=TWO.replace("PARTS = [Part(", "PARTS = [1, Part("))
    with pytest.raises(StudyError, match="PARTS: expected a list of Part"):
        run_study(study, out=tmp_path / "out")


@pytest.mark.parametrize(
    ("changed", "asked"),
    [("conversion.neuron", False), ("conversion.balance.per", False), ("conversions", True), ("steps", True)],
)
def test_a_value_that_depends_on_a_dataclass_depends_on_all_settings_in_it(changed: str, asked: bool) -> None:
    expected = Expected("accuracy", 1.0, "1", "made up", "published", tolerance=0.1, depends_on=("conversion",))
    assert expected.holds_with([changed]) is asked
