"""Settings: declared once, parsed by the type of their default, written back exactly."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from brian2 import Hz, Quantity, ms, mV, nS
from hypothesis import given
from hypothesis import strategies as st

from biosnn.errors import SettingsError
from biosnn.study.settings import (
    changed_settings,
    describe_settings,
    make_settings,
    setting,
    setting_texts,
    split_assignments,
)


@dataclass(frozen=True)
class Settings:
    tau: Quantity = setting(20 * ms, "membrane time constant", minimum=0 * ms, maximum=1000 * ms)
    rule: str = setting("pair", "plasticity rule", choices=("pair", "triplet"))
    images: int = setting(100, "how many images", minimum=1)
    rate: float = setting(0.5, "learning rate")
    plastic: bool = setting(True, "whether weights change")
    delays: tuple[Quantity, ...] = setting((1 * ms, 2 * ms), "delays to try")
    seeds: tuple[int, ...] = setting((1, 2), "seeds", minimum=0)
    label: str = setting("", "any text")


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("tau", "30 ms", 30 * ms),
        ("tau", "0.03*second", 30 * ms),
        ("rule", "triplet", "triplet"),
        ("images", "7", 7),
        ("rate", "1e-3", 1e-3),
        ("rate", "2", 2.0),
        ("rate", "inf", math.inf),
        ("plastic", "off", False),
        ("plastic", "Yes", True),
        ("plastic", "0", False),
        ("delays", "1 ms, 5 ms", (1 * ms, 5 * ms)),
        ("delays", "", ()),
        ("seeds", "3", (3,)),
        ("label", " as it is, with = ", " as it is, with = "),
    ],
)
def test_a_text_is_parsed_by_the_type_of_the_default(key: str, text: str, value: object) -> None:
    made = getattr(make_settings(Settings, {key: text}), key)
    assert made == value
    assert type(made) is type(getattr(Settings(), key))


@pytest.mark.parametrize(
    ("key", "given_value", "message"),
    [
        ("tau", "30 mV", "expected a quantity in second, got a quantity in volt"),
        ("tau", "30", "expected a quantity in second"),
        ("tau", "nan ms", "expected a number"),
        ("tau", "-1 ms", "expected from 0 ms to 1 second (got -1 ms)"),
        ("tau", "1500 ms", "expected from 0 ms to 1 second (got 1.5 second)"),
        ("tau", 20.0, "expected a quantity in second"),
        ("tau", [1, 2] * ms, "expected a quantity in second"),
        ("rule", "quartet", "expected one of pair, triplet (got quartet)"),
        ("images", "1.5", "expected a whole number (got '1.5')"),
        ("images", "0", "expected at least 1 (got 0)"),
        ("images", True, "expected a whole number (got True)"),
        ("rate", "fast", "expected a number (got 'fast')"),
        ("rate", "nan", "expected a number"),
        ("rate", 3 * mV, "expected a number"),
        ("plastic", "maybe", "expected on or off (got 'maybe')"),
        ("delays", "1 ms,2 mV", "expected a quantity in second, got a quantity in volt"),
        ("delays", 1 * ms, "expected a tuple"),
        ("seeds", "1,-1", "expected at least 0 (got -1)"),
        ("images", 2**63, "expected a whole number of 64 bits"),
        ("images", f"{2**63}", "expected a whole number of 64 bits"),
        ("images", "９", "expected a whole number, in the digits 0 to 9"),
        ("images", "", "expected a whole number (got '')"),
        ("rate", "1e999", "Write 'inf' if you mean that."),
        ("rate", "٣", "expected a number, in the digits 0 to 9"),
    ],
)
def test_a_wrong_value_is_refused_and_the_right_ones_are_listed(key: str, given_value: object, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        make_settings(Settings, {key: given_value})
    text = str(caught.value)
    assert message in text
    lines = text.splitlines()[1:]
    names = [line.partition("=")[0].strip() for line in lines]
    assert names == [info.name for info in describe_settings(Settings)], "in the study's own order"
    assert any("rule=pair  plasticity rule (one of pair, triplet)" in line for line in lines)


def test_a_wrong_key_gets_the_nearest_right_one_and_all_of_them() -> None:
    with pytest.raises(SettingsError, match=r"No setting named 'imags'\. Did you mean 'images'\?") as caught:
        make_settings(Settings, {"imags": "3"})
    assert "  images=100  how many images (at least 1)" in str(caught.value)


def test_values_may_be_given_as_they_are() -> None:
    settings = make_settings(Settings, {"tau": 5 * ms, "images": 3, "rate": 2, "delays": [3 * ms]})
    assert (settings.tau, settings.images, settings.rate, settings.delays) == (5 * ms, 3, 2.0, (3 * ms,))
    assert type(settings.rate) is float


def test_what_differs_from_the_defaults_is_told() -> None:
    assert changed_settings(make_settings(Settings, {"tau": "0.02 second"})) == {}
    assert changed_settings(make_settings(Settings, {"tau": "5 ms", "plastic": "off"})) == {
        "tau": "5 ms",
        "plastic": "off",
    }


finite = st.floats(allow_nan=False)
quantities = st.builds(lambda number, unit: number * unit, st.floats(0, 1), st.sampled_from([ms, 1000 * ms]))
words = st.text(st.characters(blacklist_characters=",", blacklist_categories=("Cs",)), min_size=1).filter(
    lambda text: text == text.strip()
)


@dataclass(frozen=True)
class Anything:
    number: float = setting(1.0, "a number")
    whole: int = setting(1, "a whole number")
    flag: bool = setting(False, "a flag")
    text: str = setting("", "a text")
    time: Quantity = setting(1 * ms, "a time")
    rates: tuple[Quantity, ...] = setting((1 * Hz,), "rates")
    conductance: Quantity = setting(1 * nS, "a conductance")
    numbers: tuple[float, ...] = setting((1.0,), "numbers")
    words: tuple[str, ...] = setting(("a",), "words")


@given(
    st.fixed_dictionaries(
        {
            "number": finite,
            "whole": st.integers(-(2**63), 2**63 - 1),
            "flag": st.booleans(),
            "text": st.text(),
            "time": quantities,
            "rates": st.lists(st.floats(allow_nan=False).map(lambda x: x * Hz)).map(tuple),
            "conductance": finite.map(lambda x: x * nS),
            "numbers": st.lists(finite).map(tuple),
            "words": st.lists(words).map(tuple),
        }
    )
)
def test_settings_as_text_give_back_exactly_the_same(values: dict[str, object]) -> None:
    value_of_text = values.pop("text")
    settings = dataclasses.replace(make_settings(Anything, values), text=value_of_text)
    texts = setting_texts(settings)
    assert all(isinstance(text, str) for text in texts.values())
    assert make_settings(Anything, texts) == settings


@pytest.mark.parametrize("words", [("a,b",), (" a",), ("",)])
def test_a_tuple_of_texts_that_could_not_be_read_back_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError, match="texts without commas"):
        make_settings(Anything, {"words": words})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((),), "a default whose type can be seen"),
        ((None,), "a setting's type"),
        (([1, 2] * ms,), "a setting's type"),
        (((1, 2.5),), "expected a whole number"),
        (((1 * ms, 1 * mV),), "expected a quantity in second"),
        (({},), "a setting's type"),
    ],
)
def test_a_default_of_another_type_is_refused(arguments: tuple[object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        setting(*arguments, "help")


def test_a_default_keeps_its_own_limits() -> None:
    with pytest.raises(SettingsError, match=r"expected at least 2 \(got 1\)"):
        setting(1, "help", minimum=2)
    with pytest.raises(SettingsError, match=r"expected one of a, b \(got c\)"):
        setting("c", "help", choices=("a", "b"))


def test_a_limit_has_the_dimension_of_the_default() -> None:
    with pytest.raises(SettingsError, match="limit: expected a quantity in second, got a quantity in volt"):
        setting(1 * ms, "help", minimum=0 * mV)
    with pytest.raises(SettingsError, match="limit: expected a whole number"):
        setting(1, "help", choices=(1, "two"))


def test_settings_are_a_frozen_dataclass_of_declared_fields() -> None:
    @dataclass
    class Thawed:
        tau: int = setting(1, "help")

    @dataclass(frozen=True)
    class Undeclared:
        tau: int = 1

    with pytest.raises(SettingsError, match="a frozen dataclass"):
        make_settings(Thawed)
    with pytest.raises(SettingsError, match=r"Undeclared.tau: expected a field made by setting\(\)"):
        make_settings(Undeclared)


def test_a_study_without_settings_says_so() -> None:
    @dataclass(frozen=True)
    class Nothing:
        pass

    assert setting_texts(make_settings(Nothing)) == {}
    with pytest.raises(SettingsError, match="this study has no settings"):
        make_settings(Nothing, {"tau": "1"})


def test_assignments_are_split_at_the_first_equals_sign() -> None:
    assert split_assignments(["tau=20 ms", "label=a=b"]) == {"tau": "20 ms", "label": "a=b"}
    with pytest.raises(SettingsError, match=r"expected key=value \(got 'tau'\)"):
        split_assignments(["tau"])
    with pytest.raises(SettingsError, match="given twice"):
        split_assignments(["tau=1", "tau=2"])


# ---- defaults that another setting brings along ---------------------------------------------------------------


@dataclass(frozen=True)
class Based(Settings):
    CONDITIONAL_DEFAULTS: ClassVar[dict[str, Any]] = {"rule": {"triplet": {"tau": "50 ms", "images": "7"}}}


def test_a_setting_brings_defaults_of_others_along() -> None:
    assert (make_settings(Based).tau, make_settings(Based).images) == (20 * ms, 100)
    made = make_settings(Based, {"rule": "triplet", "images": "9"})
    assert (made.tau, made.images, made.rate) == (50 * ms, 9, 0.5)
    assert changed_settings(made) == {"rule": "triplet", "images": "9"}


@pytest.mark.parametrize("given", [{}, {"tau": "20 ms"}, {"tau": "30 ms", "images": "100"}])
@pytest.mark.parametrize("rule", ["pair", "triplet"])
def test_what_is_changed_builds_the_same_settings_again(rule: str, given: dict[str, str]) -> None:
    made = make_settings(Based, {"rule": rule, **given})
    assert setting_texts(make_settings(Based, changed_settings(made))) == setting_texts(made)


@pytest.mark.parametrize(
    ("case", "message"),
    [({"tua": "1 ms"}, "Did you mean 'tau'"), ({"tau": "2 second"}, "tau"), ({"tau": "1 mV"}, "tau")],
)
def test_what_it_brings_along_keeps_the_rules(case: dict[str, str], message: str) -> None:
    @dataclass(frozen=True)
    class Wrong(Settings):
        CONDITIONAL_DEFAULTS: ClassVar[dict[str, Any]] = {"rule": {"triplet": case}}

    make_settings(Wrong)
    with pytest.raises(SettingsError, match=message):
        make_settings(Wrong, {"rule": "triplet"})


def test_the_earlier_name_of_conditional_defaults_is_answered_with_that_of_now() -> None:
    @dataclass(frozen=True)
    class Earlier(Settings):
        BASES: ClassVar[dict[str, Any]] = {"rule": {"triplet": {"tau": "50 ms"}}}

    with pytest.raises(SettingsError, match="Earlier: BASES is called CONDITIONAL_DEFAULTS now"):
        make_settings(Earlier)
