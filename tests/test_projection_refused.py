"""What a projection refuses, and how it says so."""

from __future__ import annotations

import numpy as np
import pytest
from brian2 import NeuronGroup, ms, mV, nS, second
from test_projection import cells

import biosnn
from biosnn import Dense, Lateral, OneToOne, Projection
from biosnn.errors import BiosnnError, ModelError, QuantityError

WRONG = {
    "weights of another shape": (Dense(), {"weights": np.ones((3, 2))}, r"w.*\(2, 3\).*\(3, 2\)"),
    "weights that are no numbers": (Dense(), {"weights": np.full((2, 3), np.nan)}, "finite"),
    "groups of different sizes": (OneToOne(), {"weights": 1.0}, "same size.*2 source and 3 target"),
    "groups of different sizes, lateral": (Lateral(), {"weights": 1.0}, "same size"),
    "no kind": ("dense", {}, "kind.*Dense"),
    "wrong units": (Dense(), {"weights": 1 * nS, "on_pre": "v_post += w"}, "units"),
    "an unknown name": (Dense(), {"weights": 1.0, "on_pre": "x_post += weight"}, "weight.*w"),
    "a syntax error": (Dense(), {"weights": 1.0, "on_pre": "x_post += = w"}, "on_pre"),
    "a constant that is written": (Dense(), {"weights": 1.0, "on_pre": "once_post += 1"}, "once_post.*constant"),
    "a shared weight that is written": (Dense(), {"weights": 1.0, "on_pre": "w += 1"}, "shared variable w"),
    "a race": (Dense(), {"weights": np.ones((2, 3)), "on_pre": "x_post = w"}, "order of the synapses"),
    "a race on its own side": (Dense(), {"weights": np.ones((2, 3)), "on_post": "x_post = w"}, "order"),
    "reading what others add to": (
        Dense(),
        {"weights": np.ones((2, 3)), "on_pre": "x_pre += w\nw = x_pre"},
        "order of the synapses",
    ),
    "a negative delay": (Dense(), {"weights": 1.0, "on_pre": "x_post += w", "delay": -1 * ms}, "negative"),
    "an endless delay": (Dense(), {"weights": 1.0, "on_pre": "x_post += w", "delay": 1e4 * second}, "at most 32767"),
    "delays of another shape": (
        Dense(),
        {"weights": 1.0, "on_pre": "x_post += w", "delay": np.ones((3, 2)) * ms},
        r"\(2, 3\)",
    ),
    "delays for each synapse of on_post": (
        Dense(),
        {"weights": 1.0, "on_post": "x_post += w", "delay": {"post": np.ones((2, 3)) * ms}},
        "one delay for all",
    ),
    "a delay of nothing": (Dense(), {"weights": 1.0, "delay": 1 * ms}, r"pathway named 'pre'"),
    "two pathways of one name": (
        Dense(),
        {"weights": 1.0, "on_pre": {"a": "x_post += w"}, "on_post": {"a": "x_pre += w"}},
        "both on_pre and on_post",
    ),
    "a malformed model": (Dense(), {"model": "w : nothing"}, "model"),
    "summing what cannot be summed": (
        Lateral(),
        {"weights": 1.0, "on_pre": "x_post += w*v_post/mV", "n": 3},
        "spikes are summed",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_told_before_anything_is_compiled(what: str) -> None:
    kind, kwds, message = WRONG[what]
    kwds = dict(kwds)
    with biosnn.session("numpy"):
        source, target = cells(kwds.pop("n", 2), "source"), cells(3, "target")
        with pytest.raises(ModelError, match=message):
            Projection(source, target, kind, **kwds)


def test_other_errors_are_clear() -> None:
    with biosnn.session("numpy"):
        source, target = cells(2, "source"), cells(3, "target")
        with pytest.raises(ModelError, match=r"source.*spike"):
            Projection(NeuronGroup(2, "x : 1", name="silent", namespace={}), target, Dense())
        joint = Projection(source, target, Dense(), 1 * nS, model="z : 1", name="joint")
        with pytest.raises(QuantityError, match=r"w.*siemens"):
            joint["w"] = 1 * mV
        with pytest.raises(ModelError, match=r"'u'.*w, z"):
            joint["u"]
        with pytest.raises(ModelError, match="p=1"):
            biosnn.synapses(source, target, onto="x", connect=Dense(), p=0.5)
        with pytest.raises(BiosnnError, match="order of the synapses"):
            joint.run_regularly("z = 1; x_post = z", dt=1 * ms)
        with pytest.raises(QuantityError, match="delay"):
            Projection(source, target, Dense(), 1.0, on_pre="x_post += w", delay=3 * mV, name="other")
