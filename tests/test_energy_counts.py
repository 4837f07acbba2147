"""What is counted from a run, and ledgers of it."""

import dataclasses

import numpy as np
import pytest
from energy_layers import IMAGES, STEPS, analog, layers, pj, spiking
from hypothesis import given, settings
from hypothesis import strategies as st

from biosnn.energy import (
    CONVENTIONS,
    HOROWITZ_45NM,
    IF_UPDATE,
    LayerCounts,
    Ledger,
    Update,
)
from biosnn.errors import EnergyError

# What is counted


def test_events_are_counted_from_the_spikes_of_each_neuron_and_its_own_fan_out():
    layer = spiking(spikes=[3, 0, 5], fan_out=[1, 7, 2], neurons=9, update=Update(2, 1, 3, 1))
    assert (layer.events, layer.macs, layer.weights, layer.sources) == (13, 10, 10, 3)
    assert layer.updates == 9 * STEPS * IMAGES == 360
    assert (layer.additions, layer.multiplications) == (13 + 720, 360)
    assert (layer.weight_fetches, layer.state_traffic) == (13, 26 + 1440)


def test_with_a_uniform_fan_out_events_are_steps_times_rate_times_connections():
    spikes = np.array([3, 0, 5, 12])
    layer = spiking(spikes=spikes, fan_out=6)
    rate = spikes.mean() / (STEPS * IMAGES)
    assert layer.events / IMAGES == pytest.approx(STEPS * rate * layer.macs)


def test_an_analog_layer_repeats_its_macs_as_often_as_it_is_passed():
    held, each_step = analog(), analog(passes=STEPS)
    assert (held.macs, held.analog_macs, held.events, held.weight_fetches) == (6, 24, 0, 24)
    assert each_step.analog_macs == 240
    assert held.updates == 2 * STEPS * IMAGES
    assert analog(update=None).updates == 0


def test_an_encoder_is_updated_and_has_no_counterpart():
    layer = LayerCounts.encoder("input", neurons=5, update=IF_UPDATE, steps=STEPS, inferences=IMAGES)
    assert (layer.updates, layer.additions, layer.macs, layer.events) == (200, 200, 0, 0)


def test_active_inputs_of_the_ann_are_weighed_with_their_fan_out():
    assert spiking(fan_out=[1, 7, 2], ann_active=[4, 1, 0]).active_macs == 4 * 1 + 1 * 7
    assert analog(ann_active=[4, 1, 0]).active_macs == 10


def test_numbers_of_numpy_are_taken_and_stored_as_plain_ones():
    layer = spiking(neurons=np.int64(2), spikes=np.array([1, 2], dtype=np.uint8), inferences=np.int32(4))
    assert {type(layer.neurons), type(layer.events), type(layer.inferences)} == {int}


BAD_COUNTS = {
    "one number for each neuron .*Add them up": {"spikes": np.ones((4, 3), dtype=int)},
    "at most one per step, 10 steps in each of 4 inferences": {"spikes": [41, 0, 0]},
    "spikes: expected counts": {"spikes": [1.5, 0, 0]},
    "none negative .*int64 from -1": {"spikes": [-1, 0, 0]},
    "fan_out: expected one number, or one for each of 3": {"fan_out": [1, 2]},
    "fan_out: expected counts": {"fan_out": 2.5},
    "neurons: expected a whole number": {"neurons": -1},
    "steps: expected a whole number, at least 1": {"steps": 0},
    "inferences: expected a whole number, at least 1": {"inferences": 0},
    "macs of 'hidden': expected a whole number": {"macs": -1},
    "weights of 'hidden': expected a whole number": {"weights": True},
    "ann_active: expected for each of 3 sources": {"ann_active": [1, 2]},
    "in how many of 4 inferences": {"ann_active": [5, 0, 0]},
    "macs: expected the 6 connections": {"macs": 0, "ann_active": [1, 0, 0]},
    "update of 'hidden': expected what an update": {"update": None},
    "name: expected a name": {"name": " "},
}


@pytest.mark.parametrize(("message", "wrong"), BAD_COUNTS.items())
def test_refuses_counts(message, wrong):
    with pytest.raises(EnergyError, match=message):
        spiking(**wrong)


BAD_LAYERS = {
    "events of 'hidden': expected 0, as its input is analog": {"analog_macs": 6},
    "macs of 'hidden': expected those that analog_macs repeats": {"analog_macs": 6, "events": 0, "macs": 0},
    "active_macs of 'hidden': expected at most 6 macs in each of 4": {"active_macs": 25},
    "active_macs of 'hidden': expected a whole number": {"active_macs": 1.0},
    "events of 'hidden': expected a whole number": {"events": 3.0},
    "inferences of 'hidden': expected a whole number, at least 1": {"inferences": 0},
}


@pytest.mark.parametrize(("message", "wrong"), BAD_LAYERS.items())
def test_refuses_layers_that_contradict_themselves(message, wrong):
    with pytest.raises(EnergyError, match=message):
        dataclasses.replace(spiking(), **wrong)


@pytest.mark.parametrize("wrong", [{"passes": 0}, {"sources": -1}, {"fan_out": [1]}, {"ann_active": [9, 0, 0]}])
def test_refuses_analog_layers(wrong):
    with pytest.raises(EnergyError, match=r"LayerCounts\.analog 'first'"):
        analog(**wrong)


def test_refuses_an_update_of_half_an_addition():
    with pytest.raises(EnergyError, match=r"Update\.additions: expected a whole number"):
        Update(0.5, 0, 1, 1)


# Ledgers


def test_refuses_ledgers():
    with pytest.raises(EnergyError, match="layers, each with a name"):
        Ledger(())
    with pytest.raises(EnergyError, match=r"each with a name of its own \(got \['hidden', 'hidden'\]\)"):
        Ledger((spiking(), spiking()))
    with pytest.raises(EnergyError, match=r"same number of inferences for each layer \(got \[4, 5\]\)"):
        Ledger((spiking(), spiking("other", inferences=5)))


def test_two_runs_add_up_only_if_they_are_of_the_same_network():
    one = Ledger((spiking(),))
    with pytest.raises(EnergyError, match=r"same network \(got '1 and 2 layers'\)"):
        one + Ledger((spiking(), spiking("other")))
    with pytest.raises(EnergyError, match="macs of 'hidden': expected 6"):
        one + Ledger((spiking(macs=5),))
    with pytest.raises(EnergyError, match="active_macs of 'hidden': expected counted in both or none"):
        one + Ledger((spiking(ann_active=[1, 0, 0]),))
    with pytest.raises(TypeError):
        one + 1


@settings(deadline=None)
@given(layers("one"), layers("two"))
def test_a_network_costs_the_sum_of_its_layers(one, two):
    together, parts = Ledger((one, two)), (Ledger((one,)), Ledger((two,)))
    for counted in CONVENTIONS:
        for energy in (counted.snn, counted.ann):
            total = sum(pj(energy(part, HOROWITZ_45NM)) for part in parts)
            assert pj(energy(together, HOROWITZ_45NM)) == pytest.approx(total, rel=1e-12)
    assert together.an_inference("additions") == pytest.approx(sum(part.an_inference("additions") for part in parts))


@settings(deadline=None)
@given(layers(), st.integers(2, 5))
def test_more_inferences_of_the_same_kind_leave_everything_an_inference_as_it_was(layer, times):
    once = Ledger((layer,))
    often = sum([once] * (times - 1), start=once)
    assert often.inferences == times * IMAGES
    assert often.layers[0].events == times * layer.events
    assert often.spikes_a_synapse == pytest.approx(once.spikes_a_synapse, nan_ok=True)
    for counted in CONVENTIONS:
        for energy in (counted.snn, counted.ann):
            same = pytest.approx(pj(energy(once, HOROWITZ_45NM)), rel=1e-12)
            assert pj(energy(often, HOROWITZ_45NM)) == same


@settings(deadline=None)
@given(st.lists(st.integers(0, STEPS * IMAGES), min_size=3, max_size=3), st.integers(0, STEPS * IMAGES))
def test_two_runs_together_have_the_counts_of_both(spikes, more):
    both_runs = Ledger((spiking(spikes=spikes),)) + Ledger((spiking(spikes=[more, 0, 1]),))
    summed = np.add(spikes, [more, 0, 1])
    assert both_runs == Ledger((spiking(spikes=summed, inferences=2 * IMAGES),))
