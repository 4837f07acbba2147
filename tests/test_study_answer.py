"""Answers of studies: sentences with numbers as a reader writes them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from biosnn import catalogue
from biosnn.errors import StudyError
from biosnn.study import load_study
from biosnn.study.answer import answer_text, check_answer
from biosnn.study.verdict import CheckedValue


def value(number: float, unit: str = "1") -> CheckedValue:
    return CheckedValue(name="x", value=number, unit=unit)


@pytest.mark.parametrize(
    ("number", "unit", "sentence", "expected"),
    [
        (0.895333, "1", "{x|%} of digits", "89.5 % of digits"),
        (2.4000000000000004, "ms", "after {x}", "after 2.4 ms"),
        (27.109593, "Hz", "{x}", "27.1 Hz"),
        (1234.5, "Hz", "{x}", "1,230 Hz"),
        (20, "1", "{x} of 20", "20 of 20"),
        (1.0, "1", "{x|%}", "100 %"),
        (-3.14159, "mV", "{x}", "-3.14 mV"),
        (2.98880970e8, "1", "{x} synapses", "2.99 x 10^8 synapses"),
        (0.00049, "1", "{x}", "0.00049"),
        (1e-9, "1", "{x}", "1 x 10^-9"),
        (0.0, "1", "{x}", "0"),
    ],
)
def test_numbers_are_written_as_in_a_sentence(number: float, unit: str, sentence: str, expected: str) -> None:
    assert answer_text([sentence], [value(number, unit)]) == expected


def test_a_sentence_whose_value_is_not_there_is_left_out() -> None:
    sentences = ["First {x}.", "Second {y}.", "Third."]
    assert answer_text(sentences, [value(1.0)]) == "First 1. Third."
    assert answer_text(["{x}"], [value(float("nan"))]) == ""


@pytest.mark.parametrize("wrong", ["{x", "x}", "{}", "{x|.3f}", "{{x}}", 3, ["", "a"], [3]])
def test_a_wrong_answer_is_refused(wrong: object) -> None:
    with pytest.raises(StudyError, match="ANSWER"):
        check_answer("study.py", wrong)


@pytest.mark.parametrize("name", catalogue.study_names())
def test_every_study_answers_with_values_that_it_has(name: str) -> None:
    study = load_study(name)
    assert study.answer, "it has no ANSWER"
    sources = "".join(file.read_text(encoding="utf-8") for file in study.folder.glob("*.py"))
    told = re.sub(r"ANSWER = .*?\n(?=\S)(?!\])", "", sources, flags=re.DOTALL)
    expected = {item.name for item in study.expected}
    for field in re.findall(r"\{([^{}|]+)", " ".join(study.answer)):
        known = field in expected or all(word in told for word in re.findall(r"[A-Za-z]{3,}", field))
        assert known, f"{field!r}: no such value"
    assert isinstance(study.folder, Path)
