"""Dataclasses as JSON has them: what is written is read back, anything else is refused by file, member and field."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from brian2 import Quantity, have_same_dimensions, ms, mV
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from biosnn import codec
from biosnn.errors import DataError, field_error
from biosnn.learning import Protocol


@dataclass(frozen=True)
class Inner:
    tau: Quantity
    count: int = 1

    def __post_init__(self) -> None:
        if self.count < 0:
            raise DataError(field_error("Inner.count", "no negative number", self.count))


@dataclass(frozen=True)
class Outer:
    name: str
    share: float
    flag: bool
    pair: tuple[int, int]
    parts: tuple[Inner, ...]
    table: Sequence[Sequence[str]] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    limit: float | None = None
    most: float = float("inf")
    note: str = ""
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Weights:
    name: str
    weight: NDArray[Any]


numbers = st.floats(allow_nan=False, allow_infinity=False)
inners = st.builds(Inner, tau=st.floats(-1e9, 1e9).map(lambda number: number * ms), count=st.integers(0))
outers = st.builds(
    Outer,
    name=st.text(),
    share=numbers,
    flag=st.booleans(),
    pair=st.tuples(st.integers(), st.integers()),
    parts=st.lists(inners, max_size=3).map(tuple),
    table=st.lists(st.lists(st.text(), max_size=2).map(tuple), max_size=2).map(tuple),
    texts=st.dictionaries(st.text(), st.text(), max_size=3),
    limit=st.none() | numbers,
    most=st.just(float("inf")) | numbers,
    note=st.text(),
)


@given(outers)
def test_what_is_written_is_read_back(outer: Outer) -> None:
    text = json.dumps(codec.plain(outer), allow_nan=False)
    assert codec.made(Outer, json.loads(text), "file", DataError) == outer


def test_what_says_nothing_is_left_out_and_quantities_are_texts() -> None:
    outer = Outer("a", 0.5, True, (1, 2), (Inner(20 * ms),))
    assert codec.plain(outer, without=("share",)) == {
        "name": "a",
        "flag": True,
        "pair": [1, 2],
        "parts": [{"tau": "20 ms", "count": 1}],
        "table": [],
        "texts": {},
        "more": {},
    }


def test_arrays_are_told_apart() -> None:
    apart: dict[str, Any] = {}
    weight = np.arange(3)
    assert codec.plain(Weights("a", weight), apart=apart, place="layers/a") == {"name": "a"}
    assert list(apart) == ["layers/a/weight"]
    assert apart["layers/a/weight"] is weight
    assert codec.made(Weights, {"name": "a"}, "file", DataError, given={"weight": weight}).weight is weight
    with pytest.raises(DataError, match="file: No field named 'weight'"):
        codec.made(Weights, {"name": "a", "weight": []}, "file", DataError, given={"weight": weight})
    with pytest.raises(DataError, match=r"file weight: expected what no JSON text has"):
        codec.made(Weights, {"name": "a", "weight": [1]}, "file", DataError)


def test_quantities_keep_their_unit() -> None:
    found = codec.made(tuple[Quantity, ...], ["20 ms", "-70 mV", "3"], "file", DataError)
    assert found == (20 * ms, -70 * mV, 3)
    assert [have_same_dimensions(a, b) for a, b in zip(found, (ms, mV, 1), strict=True)] == [True] * 3
    assert all(isinstance(one, Quantity) for one in found)


PROTOCOL = {
    "shown": "350 ms",
    "rest": "150 ms",
    "rate": "63.75 Hz",
    "minimum_spikes": 5,
    "intensity_step": "32 Hz",
    "times": 3,
}


def test_how_images_are_shown_is_read_as_it_is_written() -> None:
    protocol = codec.made(Protocol, PROTOCOL, "about.json protocol", DataError)
    assert protocol.period == 500 * ms
    assert codec.plain(protocol) == PROTOCOL
    with pytest.raises(DataError, match=r"about.json protocol: Protocol.shown: .*volt"):
        codec.made(Protocol, PROTOCOL | {"shown": "350 mV"}, "about.json protocol", DataError)


GOOD = {"name": "a", "share": 1, "flag": False, "pair": [1, 2], "parts": [{"tau": "1 ms"}]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 3}, r"file name: expected str \(got 3\)"),
        ({"share": "1"}, "file share: expected int or float"),
        ({"share": True}, "file share: expected int or float"),
        ({"share": float("nan")}, "file share: expected a finite number"),
        ({"share": float("inf")}, "file share: expected a finite number"),
        ({"share": 10**400}, "file share: cannot be read as a number"),
        ({"flag": 1}, "file flag: expected bool"),
        ({"pair": [1, 2.0]}, r"file pair\[1\]: expected int \(got 2.0\)"),
        ({"pair": [1, False]}, r"file pair\[1\]: expected int"),
        ({"pair": [1, 2, 3]}, "file pair: expected 2 of them"),
        ({"pair": "12"}, "file pair: expected list"),
        ({"parts": [{"tau": "1 ms"}, {}]}, r"file parts\[1\]: the field 'tau' is missing"),
        ({"parts": [{"tau": 1}]}, r"file parts\[0\] tau: expected a quantity in quotes"),
        ({"parts": [{"tau": "1 nonsense"}]}, r"file parts\[0\] tau: .*nonsense"),
        ({"parts": [{"tau": "__import__('os')"}]}, r"file parts\[0\] tau: .*expected a number"),
        ({"parts": [{"tau": "1 ms", "count": -1}]}, r"file parts\[0\]: Inner.count: expected no negative"),
        ({"parts": [{"tau": "1 ms", "counts": 1}]}, r"file parts\[0\]: No field named 'counts'. Did you mean 'count'"),
        ({"parts": [[]]}, r"file parts\[0\]: expected dict"),
        ({"table": [["a", 1]]}, r"file table\[0\]\[1\]: expected str"),
        ({"texts": {"a": None}}, r"file texts\['a'\]: expected str"),
        ({"limit": "none"}, "file limit: expected int or float"),
        ({"most": None}, "file most: expected int or float"),
        ({"other": 1}, "file: No field named 'other'"),
        ({"__class__": 1}, "file: No field named '__class__'"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=f"^{message}"):
        codec.made(Outer, GOOD | change, "file", DataError)


def test_missing_fields_are_told_together_and_unknown_ones_can_be_ignored() -> None:
    with pytest.raises(DataError, match="file: the fields 'share', 'flag', 'pair', 'parts' are missing"):
        codec.made(Outer, {"name": "a"}, "file", DataError)
    later = GOOD | {"later": 1, "parts": [{"tau": "1 ms", "later": 1}]}
    assert codec.made(Outer, later, "file", DataError, ignore_unknown=True).parts == (Inner(1 * ms),)


def test_fields_are_read_by_names_of_earlier_versions_and_those_of_now_win() -> None:
    parts = [{"tau_m": "1 ms"}, {"tau_m": "1 ms", "tau": "2 ms"}, {"tau": "2 ms", "tau_m": "1 ms"}]
    found = codec.made(Outer, GOOD | {"parts": parts}, "file", DataError, renamed={"tau_m": "tau", "title": "name"})
    assert found.parts == (Inner(1 * ms), Inner(2 * ms), Inner(2 * ms))
    assert found.name == "a"
    with pytest.raises(DataError, match="No field named 'tau_m'"):
        codec.made(Outer, GOOD | {"parts": parts}, "file", DataError)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*GOOD, "tau", "count", "limit"]) | st.text(max_size=5), inner, max_size=5)
    ),
)


@given(st.sampled_from([*GOOD, "table", "texts", "limit", "most", "note"]), anything)
def test_anything_is_read_or_refused(name: str, value: Any) -> None:
    try:
        found = codec.made(Outer, GOOD | {name: value}, "file", DataError)
    except DataError:
        return
    json.dumps(codec.plain(found), allow_nan=False)
