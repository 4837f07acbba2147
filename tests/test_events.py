"""Events of a model, beside Brian2 written by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import EventMonitor, Network, NeuronGroup, SpikeMonitor, Synapses, ms
from numpy.testing import assert_allclose, assert_array_equal

import biosnn
from biosnn.adjoint import adjoint
from biosnn.errors import AdjointError, ModelError
from biosnn.model import from_toml
from biosnn.projection import Dense

MODEL = from_toml((Path(__file__).parent / "valid" / "neuron_events.toml").read_text(encoding="utf-8"))
MANY = 1030
"""Of so many neurons, C++ passes over those at rest."""
DRIVE = np.where(np.arange(MANY) % 2, 3.0, 0.0) * (1 + 0.001 * np.arange(MANY))


def by_hand() -> NeuronGroup:
    cells = NeuronGroup(
        MANY,
        """dv/dt = (I - v)/(10*ms) : 1
        dca/dt = -ca/(50*ms) : 1
        n_plateau : 1
        I : 1""",
        threshold="v > 1",
        reset="v = 0; ca += 1",
        events={"plateau": "ca > 2.5", "rising": "v > 0.5 and v <= 0.55"},
        method="euler",
        namespace={},
    )
    cells.run_on_event("plateau", "ca = 0; n_plateau += 1")
    cells.I = DRIVE
    return cells


@pytest.mark.parametrize("target", ["numpy", pytest.param("cpp", marks=pytest.mark.cpp)])
def test_events_and_synapses_that_follow_them_are_those_of_brian(target: str) -> None:
    model = biosnn.synapse_model("stdp_pair")

    def recorded(hand: bool) -> list[Any]:
        with biosnn.session("numpy" if hand else target, dt=0.1 * ms) as sim:
            cells = by_hand() if hand else biosnn.neurons(MANY, MODEL, values={"I": DRIVE})
            heard = NeuronGroup(MANY, "x : 1", namespace={})
            pairs = (np.arange(MANY), (np.arange(MANY) + 2) % MANY)
            if hand:
                values = {name: float(np.asarray(entry.quantity)) for name, entry in model.parameters.items()}
                after = Synapses(
                    cells,
                    cells,
                    """w : 1
                    dx/dt = -x/(tau_plus*second) : 1 (event-driven)
                    dy/dt = -y/(tau_minus*second) : 1 (event-driven)""",
                    on_pre="w = clip(w - A_minus*y, 0, w_max); x += 1",
                    on_post="w = clip(w + A_plus*x, 0, w_max); y += 1",
                    on_event={"pre": "plateau", "post": "spike"},
                    namespace=values,
                )
                told = Synapses(cells, heard, on_pre="x_post += 2", on_event={"pre": "rising"}, namespace={})
                after.connect(i=pairs[0], j=pairs[1])
                told.connect(i=pairs[0], j=pairs[1])
                after.w = 0.5
            else:
                how: dict[str, Any] = {"connect": pairs, "on_event": {"pre": "plateau"}}
                after = biosnn.synapses(cells, cells, model, onto="", values={"w": 0.5}, **how)
                how["on_event"] = {"pre": "rising"}
                told = biosnn.synapses(cells, heard, "static", onto="x", gain=2, **how)
            events, spikes = EventMonitor(cells, "plateau"), SpikeMonitor(cells)
            sim.run(Network(cells, heard, after, told, events, spikes), 60 * ms)
            found = [events.i, events.t / ms, spikes.i, cells.n_plateau, cells.ca, heard.x, after.w[:]]
            return [np.array(one) for one in found]

    found, expected = recorded(hand=False), recorded(hand=True)
    assert len(expected[0]) > MANY / 3
    assert len(np.unique(expected[6])) > 10
    assert expected[5].max() > 2
    for one, other in zip(found, expected, strict=True):
        assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_an_event_happens_in_every_step_in_which_its_condition_holds() -> None:
    model = replace(MODEL, events={"high": biosnn.Event("v > 0.5*theta_ca/2.5", "a high membrane")}, threshold="ca > 9")
    model = replace(model, reset="", equations=MODEL.equations.replace("(I - v)/tau", "0*(I - v)/tau"))
    with biosnn.session("numpy", dt=1 * ms) as sim:
        cells = biosnn.neurons(2, model, values={"v": [0, 1]})
        monitor = EventMonitor(cells, "high")
        sim.run(Network(cells, monitor), 5 * ms)
        assert_array_equal(monitor.i, [1] * 5)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (
            {"on_event": {"pre": "platoe"}},
            r"No event of n\w* named 'platoe'. .*Valid names: plateau, rising, s",
        ),
        ({"on_event": {"both": "plateau"}}, "on_event: No side named 'both'. Valid names: post, pre"),
        ({"on_event": "plateau"}, "on_event: expected a side, and the event that it follows"),
        ({"on_event": {"pre": "plateau"}, "connect": Dense()}, "on_event: expected Synapses, as projections follow"),
    ],
)
def test_events_that_are_not_there_are_refused(how: dict[str, Any], message: str) -> None:
    with biosnn.session("numpy"):
        cells = biosnn.neurons(2, MODEL)
        with pytest.raises(ModelError, match=message):
            biosnn.synapses(cells, cells, "static", onto="v", **how)


def test_no_gradient_goes_through_events() -> None:
    with pytest.raises(AdjointError, match=r"NeuronModel 'n'\.events: plateau, rising has no gradient"):
        adjoint(MODEL)


def test_a_model_is_read_with_its_events() -> None:
    blocks = dict(MODEL.blocks)
    assert blocks["plateau (begin of a plateau) when"] == "ca > theta_ca"
    assert blocks["at plateau"] == "ca = 0; n_plateau += 1"
