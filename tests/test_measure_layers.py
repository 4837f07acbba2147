"""Measures of layers: closed forms, limits, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis_profile import examples
from scipy import sparse
from scipy.stats import binomtest
from sklearn.metrics import mutual_info_score

from biosnn.errors import DataError
from biosnn.measure import (
    LayerActivity,
    decode,
    extinction_depth,
    interval,
    layer_activity,
    linear,
    mutual_information,
    survival,
)
from biosnn.measure.decisions import SURE

LABELS = np.array([0, 1, 2] * 20)


def told(rng: Any, neurons: int = 6) -> Any:
    """Counts that tell the class: two neurons of each, with a background that says nothing."""
    member = LABELS[:, None] == np.arange(neurons)[None, :] % 3
    return rng.poisson(0.5 + 8 * member)


def test_what_a_layer_does() -> None:
    counts = {"one": [[4, 0], [0, 0], [2, 0]], "two": [[1, 1], [0, 0], [0, 1]]}
    firsts = {"one": [[3, 99], [99, 99], [6, 99]], "two": [[5, 7], [99, 99], [99, 30]]}
    one, two = layer_activity(counts, steps=10, firsts=firsts)
    assert isinstance(one, LayerActivity)
    assert (one.name, one.neurons, two.name) == ("one", 2, "two")
    assert (one.rate, two.rate) == pytest.approx((0.1, 0.05))
    assert (one.silent, two.silent) == (0.5, 0.0)
    assert one.reached == two.reached == pytest.approx(2 / 3)
    assert (one.survival, two.survival) == pytest.approx((1.0, 0.5))
    assert (one.latency, two.latency) == (4.5, 7)
    assert np.isnan([one.decoded, one.information]).all()
    later = layer_activity(counts, steps=10, first="two")
    assert [layer.survival for layer in later] == pytest.approx([2.0, 1.0])
    assert np.isnan(later[0].latency)


def test_a_silent_layer_has_neither_times_nor_information() -> None:
    silence = np.zeros((60, 4), dtype=int)
    nothing, after = layer_activity(
        {"a": silence, "b": silence}, steps=5, firsts={"a": silence, "b": silence}, labels=LABELS
    )
    assert (nothing.rate, nothing.silent, nothing.reached, nothing.information) == (0, 1, 0, 0)
    assert np.isnan([nothing.survival, after.survival, nothing.latency]).all()
    assert nothing.decoded == 0.3  # by naming always class 0, that of 6 of the last 20 inputs


def test_a_decoder_finds_the_class_where_it_is_and_only_there() -> None:
    rng = np.random.default_rng(1)
    clear, noise = layer_activity({"clear": told(rng), "noise": rng.poisson(2, (60, 6))}, steps=20, labels=LABELS)
    assert clear.decoded > 0.9
    assert clear.information > 1.2
    assert noise.decoded < 0.7
    assert noise.information < 0.4
    (few,) = layer_activity({"clear": told(rng)}, steps=20, labels=LABELS, learned=59)
    assert few.decoded in (0, 1)


@pytest.mark.parametrize("made", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
def test_more_neurons_than_inputs_change_no_decision(made: Any) -> None:
    from sklearn.linear_model import LogisticRegression

    # Responses that hardly tell the class, so that decisions hang on every weight and on the bias.
    rng = np.random.default_rng(2)
    seen, new = told(rng, 200) // 8 + rng.poisson(2, (60, 200)), rng.poisson(2, (60, 200)) * rng.integers(1, 4, (60, 1))
    # The second time, inputs repeat, so that they span fewer dimensions than there are inputs.
    for responses in (seen, np.vstack([seen[:30], seen[:30]])):
        scale = responses.max()
        plain = LogisticRegression(max_iter=1000).fit(responses / scale, LABELS).predict(new / scale)
        assert np.bincount(plain).min() > 5
        np.testing.assert_array_equal(linear(made(responses), LABELS, made(new)), plain)


def test_the_penalty_of_a_linear_readout_is_that_of_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(3)
    seen, new = told(rng, 8) // 8 + rng.poisson(2, (60, 8)), rng.poisson(2, (60, 8))
    decided = [linear(seen, LABELS, new, C=C).tolist() for C in (0.01, 1.0)]
    plain = LogisticRegression(C=0.01, max_iter=1000).fit(seen / seen.max(), LABELS)
    assert decided[0] == plain.predict(new / seen.max()).tolist()
    assert decided[0] != decided[1] == linear(seen, LABELS, new).tolist()
    with pytest.raises(DataError, match="linear, C: expected a number above 0"):
        linear(seen, LABELS, new, C=0.0)


def test_decisions_without_spikes_name_the_most_frequent_class() -> None:
    labels = np.array([2, 1, 2, 0, 1])
    assert decode(np.zeros((5, 3)), labels, 3).tolist() == [2, 2]


def test_information_of_known_tables() -> None:
    assert mutual_information(np.diag([50, 50, 50, 50])) == pytest.approx(2)
    assert mutual_information([[400, 400, 0], [400, 400, 0]]) == 0
    # A bit that is turned round once in ten times: 1 - H(0.1) bits (Shannon 1948), with many decisions.
    assert mutual_information([[90_000, 10_000], [10_000, 90_000]]) == pytest.approx(0.531, abs=1e-3)
    # A decision that is not made (the last column of `confusion`) is one more decision.
    assert mutual_information([[0, 0, 50], [0, 50, 0]]) == pytest.approx(1)


def test_the_correction_takes_away_what_chance_seems_to_tell() -> None:
    rng = np.random.default_rng(3)
    found = []
    for _ in range(200):
        table = np.zeros((4, 4))
        np.add.at(table, (np.arange(80) % 4, rng.integers(0, 4, 80)), 1)
        share = table / 80
        plain = (share * np.log2(np.maximum(share, 1e-12) / np.outer(share.sum(1), share.sum(0)))).sum()
        found.append((plain, mutual_information(table)))
    plain, corrected = np.mean(found, axis=0)
    assert plain > 0.07  # (4 - 1)*(4 - 1)/(2*80 ln 2) = 0.081 bits of nothing
    assert corrected < plain / 2


@given(st.lists(st.lists(st.integers(0, 30), min_size=3, max_size=3), min_size=2, max_size=4))
@examples(60)
def test_information_lies_between_nothing_and_the_entropy_of_the_classes(table: list[list[int]]) -> None:
    counts = np.array(table) + np.eye(len(table), 3, dtype=int)
    truth = counts.sum(axis=1) / counts.sum()
    assert 0 <= mutual_information(counts) <= -(truth[truth > 0] * np.log2(truth[truth > 0])).sum() + 1e-9


def test_where_activity_dies_out() -> None:
    assert extinction_depth([0.1, 0.001]) == pytest.approx(1.5)  # half-way in the logarithm
    assert extinction_depth([0.2, 0.02, 0.002, 0.5]) == pytest.approx(2 + np.log(2) / np.log(10))
    assert extinction_depth([0.2, 0.01, 0.01]) == np.inf  # not under the level
    assert extinction_depth([0.005, 0.5]) == 1
    assert extinction_depth([0.2, 0.0]) == extinction_depth([0.2, 1e-9]) < 2  # not all of a layer for a zero
    np.testing.assert_allclose(extinction_depth([[0.1, 0.001], [0.1, 0.1]], level=0.01), [1.5, np.inf])
    assert extinction_depth([0.5, 0.2], level=0.3) == pytest.approx(1 + np.log(0.5 / 0.3) / np.log(0.5 / 0.2))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@examples(60)
def test_the_depth_is_within_a_layer_of_the_first_one_under_the_level(rates: list[float]) -> None:
    depth = extinction_depth(rates)
    under = [number for number, rate in enumerate(rates, 1) if rate < 0.01]
    if under:
        assert under[0] - 1 <= depth <= max(under[0], 1)
    else:
        assert depth == np.inf


def test_survival() -> None:
    np.testing.assert_allclose(survival([0.2, 0.1, 0.0]), [1, 0.5, 0])
    found = survival([[0.0, 0.1], [0.4, 0.1]])
    assert np.isnan(found[0]).all()
    np.testing.assert_allclose(found[1], [1, 0.25])


GOOD = {"a": np.ones((60, 2)), "b": np.ones((60, 3))}


@pytest.mark.parametrize(
    ("counts", "given", "message"),
    [
        ({}, {}, "counts: expected an array for each layer"),
        ({"a": np.ones(3)}, {}, r"counts\['a'\]: expected spike counts, shape \(inputs, neurons\)"),
        ({"a": -np.ones((2, 2))}, {}, r"counts\['a'\]"),
        ({"a": np.full((2, 2), np.nan)}, {}, r"counts\['a'\]"),
        ({"a": np.ones((0, 2))}, {}, r"counts\['a'\]"),
        ({"a": np.ones((60, 2)), "b": np.ones((61, 2))}, {}, "counts: expected the same inputs"),
        (GOOD, {"steps": 0}, "steps: expected a positive number"),
        (GOOD, {"first": "c"}, "first: expected a layer among a, b"),
        (GOOD, {"firsts": {"a": GOOD["a"]}}, r"firsts\['b'\]: expected times of shape \(60, 3\) \(got 'none'"),
        (GOOD, {"firsts": {"a": GOOD["b"], "b": GOOD["b"]}}, r"firsts\['a'\]: expected times of shape \(60, 2\)"),
        (GOOD, {"labels": LABELS[1:]}, "labels: expected a whole number from 0 for each of 60 inputs"),
        (GOOD, {"labels": LABELS - 1}, "labels: expected a whole number from 0"),
        (GOOD, {"labels": LABELS / 2}, "labels: expected a whole number from 0"),
        (GOOD, {"labels": LABELS, "learned": 60}, "learned: expected from 1 to 59"),
        (GOOD, {"labels": LABELS, "learned": 0}, "learned: expected from 1 to 59"),
    ],
)
def test_what_does_not_fit_is_refused(counts: Any, given: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        layer_activity(counts, **{"steps": 10, **given})


@pytest.mark.parametrize(
    "refused",
    [
        lambda: survival([0.1, -0.1]),
        lambda: extinction_depth([0.1, np.nan]),
        lambda: extinction_depth(0.1),
        lambda: extinction_depth([]),
        lambda: extinction_depth([0.1], level=0),
        lambda: mutual_information([[0, 0]]),
        lambda: mutual_information([1, 2]),
        lambda: mutual_information([[-1, 3]]),
    ],
)
def test_rates_and_tables_that_are_none(refused: Any) -> None:
    with pytest.raises(DataError):
        refused()


def test_an_interval_of_wilson() -> None:
    """Newcombe 1998, Stat Med 17:857, table I: 15 of 148 are 0.0624 to 0.1605."""
    right = np.array([15, 0, 148])
    low, high = interval(right / 148, 148)
    assert (low[0], high[0]) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert (low[1], high[2]) == (0, 1)
    theirs = [binomtest(int(count), 148).proportion_ci(SURE, method="wilson") for count in right]
    np.testing.assert_allclose(np.transpose([low, high]), theirs, rtol=1e-13)
    assert interval(15 / 148, 148) == (low[0], high[0])


@given(st.lists(st.integers(0, 50), min_size=2, max_size=6), st.integers(2, 6))
def test_information_is_that_of_scikit_learn_but_for_the_correction(counts: list[int], columns: int) -> None:
    table = np.outer(np.add(counts, 1), np.arange(1, columns + 1)) + np.eye(len(counts), columns) * 1000
    bins = len(counts) + columns - table.size - 1
    plain = mutual_info_score(None, None, contingency=table) / np.log(2)
    assert mutual_information(table) == pytest.approx(plain + bins / (2 * table.sum() * np.log(2)), abs=1e-12)
