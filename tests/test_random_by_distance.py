"""Connections whose probability depends on distance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, mm, ms
from numpy.typing import NDArray

import biosnn
from biosnn.errors import EngineError, ModelError, RunError
from biosnn.projection import ByDistance, Projection


def placed(name: str = "group", n: int = 400) -> NeuronGroup:
    """Neurons on a square of 1 mm."""
    group = NeuronGroup(n, "x : metre\ny : metre\ng : 1", threshold="g > 1", reset="", namespace={}, name=name)
    group.x, group.y = np.random.default_rng(1).uniform(0, 1, (2, n)) * mm
    return group


def by_distance(kind: ByDistance, target: str = "numpy") -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Whether each pair is connected, and how far apart its neurons are in x and y (mm)."""
    with biosnn.session(target, seed=1) as sim:
        group = placed()
        joint = Projection(group, group, kind, 1.0, on_pre="g_post += w", namespace={"scale": 0.2 * mm}, name="joint")
        sim.run(Network(group, joint), 0.1 * ms)
        connected = np.zeros((len(group), len(group)), dtype=bool)
        connected[joint.pairs()] = True
        x, y = (np.abs(at[:, None] - at) for at in (np.asarray(group.x / mm), np.asarray(group.y / mm)))
        return connected, x, y


@pytest.mark.parametrize("period", [None, 1 * mm])
def test_the_probability_of_a_connection_is_the_profile_at_its_distance(period: Any) -> None:
    connected, x, y = by_distance(ByDistance("0.8*exp(-distance/scale)", period=period, autapses=False))
    if period is not None:
        x, y = np.minimum(x, 1 - x), np.minimum(y, 1 - y)
    p = 0.8 * np.exp(-np.hypot(x, y) / 0.2)
    np.fill_diagonal(p, 0)
    assert not connected.diagonal().any()
    for near, far in ((0, 0.1), (0.1, 0.2), (0.2, 0.4), (0.4, 1.5)):
        ring = (np.hypot(x, y) >= near) & (np.hypot(x, y) < far)
        z = (connected[ring].sum() - p[ring].sum()) / np.sqrt((p[ring] * (1 - p[ring])).sum())
        assert abs(z) < 4


@pytest.mark.cpp
def test_what_depends_on_distance_is_the_same_on_each_target() -> None:
    kind = ByDistance("exp(-(distance/scale)**2)", ("x",), 1 * mm, seed=3)
    np.testing.assert_array_equal(by_distance(kind, "cpp")[0], by_distance(kind)[0])


def on_places(kind: ByDistance) -> Projection:
    group = placed(n=4)
    return Projection(group, group, kind, 1.0, on_pre="g_post += w", name="joint")


WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "a number": (lambda: ByDistance(0.5), "ByDistance, profile: expected an expression of distance"),
    "no names": (lambda: ByDistance("0.5", ()), r"positions: expected the names of variables .* \(got \(\)\)"),
    "a period of nothing": (lambda: ByDistance("0.5", period=0 * mm), "period: expected a length greater than 0"),
    "unstored": (lambda: ByDistance("0.5", stored=False), "ByDistance, stored: expected True"),
    "no such variable": (lambda: on_places(ByDistance("0.5", ("x", "z"))), "z_post"),
    "units": (lambda: on_places(ByDistance("distance")), "ByDistance: units do not agree"),
    "an unknown name": (lambda: on_places(ByDistance("exp(-distance/width)")), "width"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_distance_that_cannot_be_is_refused(what: str) -> None:
    make, message = WRONG[what]
    with biosnn.session("numpy"), pytest.raises(ModelError, match=message):
        make()


def drawn(sim: Any, joint: Projection) -> Any:
    sim.run(Network(joint.source, joint), 0.1 * ms)
    return joint.pairs()


@pytest.mark.cpp
@pytest.mark.parametrize("target", ["numpy", pytest.param("cpp", marks=pytest.mark.slow)])
def test_a_profile_beyond_one_ends_the_run(target: str) -> None:
    with biosnn.session(target) as sim:
        joint = on_places(ByDistance("2 - distance/mm"))
        with pytest.raises((EngineError, RunError), match=r"ByDistance: expected probabilities from 0 to 1"):
            drawn(sim, joint)
