"""The operations ledger: hand-made ledgers in closed form, sums, break-evens, and what is refused."""

import dataclasses
import math

import pytest
from brian2 import joule
from energy_layers import IMAGES, PJ, STEPS, analog, layers, pj, spiking
from hypothesis import given, settings
from hypothesis import strategies as st

from biosnn.energy import (
    CONVENTIONS,
    HOROWITZ_45NM,
    IF_UPDATE,
    PUBLISHED,
    Convention,
    LayerCounts,
    Ledger,
    Memory,
    break_even,
    convention,
    layer_rows,
    verdict_rows,
    verdicts,
)
from biosnn.errors import EnergyError


def both(name, *layers):
    """Energies of both networks in pJ, an inference."""
    ledger, counted = Ledger(layers), convention(name)
    return pj(counted.snn(ledger, HOROWITZ_45NM)), pj(counted.ann(ledger, HOROWITZ_45NM))


# Energies, by hand: 3 inputs, 2 neurons, all connected (6 MACs); 8 spikes make 16 events in 4 images, 4 an image; 20
# updates an image.


@pytest.mark.parametrize(
    ("name", "snn", "ann"),
    [
        ("additions only", 4 * 0.9, 6 * 4.6),
        ("analog input as MACs", 4 * 0.9, 6 * 4.6),
        ("neuron updates too", 4 * 0.9 + 20 * (0.9 + 3.7), 6 * 4.6 + 2 * 0.9),
        ("ANN skips zeros", 4 * 0.9 + 20 * (0.9 + 3.7), 2.5 * 4.6 + 2 * 0.9),
        ("8-bit weights in both", 4 * 0.1 + 20 * (0.1 + 3.1), 6 * 0.3 + 2 * 0.1),
        # 32 bits are half an access: 5 pJ.
        ("memory, nothing reused", 4 * (0.1 + 15) + 20 * (3.2 + 10), 6 * (3.2 + 10) + 2 * (0.1 + 5)),
        # 8 bits are an eighth of one: 1.25 pJ.
        ("memory, ANN reuses", 4 * (0.1 + 11.25) + 20 * (3.2 + 10), 6 * 1.55 + 3 * 1.25 + 2 * 1.35),
        (
            *("memory, ANN reuses and skips zeros", 4 * (0.1 + 11.25) + 20 * (3.2 + 10)),
            2.5 * (0.3 + 1.25) + 3 * 1.25 + 2 * 1.35,
        ),
        (
            *("the same, weights in DRAM", 4 * (0.1 + 162.5 + 10) + 20 * (3.2 + 10)),
            2.5 * (0.3 + 162.5) + 3 * 1.25 + 2 * 1.35,
        ),
    ],
)
def test_a_layer_of_spikes(name, snn, ann):
    assert both(name, spiking(ann_active=[4, 1, 0])) == pytest.approx((snn, ann), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "snn"),
    [
        ("additions only", 12 * 0.9),
        ("analog input as MACs", 12 * 4.6),
        ("neuron updates too", 12 * 4.6 + 20 * 4.6),
        ("ANN skips zeros", 2 * 2.5 * 4.6 + 20 * 4.6),
        ("8-bit weights in both", 12 * 0.3 + 20 * 3.2),
        ("memory, nothing reused", 12 * (3.2 + 10) + 20 * (3.2 + 10)),
        ("memory, ANN reuses", 2 * (6 * 1.55 + 3 * 1.25) + 20 * (3.2 + 10)),
        ("memory, ANN reuses and skips zeros", 2 * (2.5 * 1.55 + 3 * 1.25) + 20 * (3.2 + 10)),
        ("the same, weights in DRAM", 2 * (2.5 * 162.8 + 3 * 1.25) + 20 * (3.2 + 10)),
    ],
)
def test_a_layer_of_analog_input_passed_twice(name, snn):
    assert both(name, analog(passes=2, ann_active=[4, 1, 0]))[0] == pytest.approx(snn, rel=1e-12)


def test_every_convention_is_in_the_tables_above():
    tested = [
        mark.args[1]
        for mark in test_a_layer_of_spikes.pytestmark + test_a_layer_of_analog_input_passed_twice.pytestmark
    ]
    for cases in tested:
        assert [case[0] for case in cases] == [counted.name for counted in CONVENTIONS]


def test_a_kernel_is_read_once_however_often_it_is_used():
    shared = spiking(fan_out=200, weights=9, ann_active=[4, 4, 0])
    ann = both("memory, ANN reuses and skips zeros", shared)[1]
    assert ann == pytest.approx(400 * 0.3 + 9 * 1.25 + 3 * 1.25 + 2 * 1.35)


def test_connections_that_the_ann_lacks_cost_the_snn_only():
    lateral = spiking("lateral", spikes=[4, 4], fan_out=1, neurons=0, macs=0)
    plain, with_lateral = both("memory, ANN reuses", spiking()), both("memory, ANN reuses", spiking(), lateral)
    assert with_lateral == (pytest.approx(plain[0] + 2 * 11.35), plain[1])
    assert Ledger((spiking(), lateral)).spikes_a_synapse == pytest.approx((4 + 2) / 6)


@settings(deadline=None)
@given(layers("one"), layers("two"))
def test_a_network_that_stays_analog_costs_what_the_ann_costs(one, two):
    left = [
        analog(layer.name, layer.macs, sources=1, neurons=layer.neurons, update=None, ann_active=[2])
        for layer in (one, two)
    ]
    for verdict in verdicts(Ledger(tuple(left))):
        if verdict.snn is not None:
            assert (verdict.ratio, verdict.cheaper, verdict.break_even) == (1, "equal", None)
        else:
            assert (math.isnan(verdict.ratio), verdict.cheaper) == (True, "not spiking")


def test_spikes_are_counted_once():
    """Front. Neurosci. 17:1091097 (2023), table 3: 18.39 M MACs, a spike rate of 0.1366, 2.51 M additions.

    It multiplies the additions by the rate again, and reports 273.77 times less.
    """
    rate = 0.1366
    layer = spiking(spikes=[1] * 1366 + [0] * 8634, fan_out=1839, neurons=0, steps=1, inferences=1)
    assert (layer.macs, layer.events) == (18_390_000, round(rate * 18_390_000))
    first = verdicts(Ledger((layer,)))[0]
    assert first.convention == "additions only"
    assert pj(first.ann) / 1e5 == pytest.approx(845.94, abs=0.005)
    assert first.ratio == pytest.approx(37.4, abs=0.05)
    assert first.ratio == pytest.approx(273.77 * rate, rel=1e-3)


# Break-even


@settings(deadline=None)
@given(st.lists(layers("one"), min_size=1, max_size=1), layers("two"), st.sampled_from(CONVENTIONS))
def test_at_the_break_even_both_cost_the_same(first, second, counted):
    ledger = Ledger((*first, second))
    even = break_even(ledger, HOROWITZ_45NM, counted)
    silent = Ledger(tuple(dataclasses.replace(layer, events=0) for layer in ledger.layers))
    ann = pj(counted.ann(ledger, HOROWITZ_45NM))
    if even is None:
        assert not ledger.synapses or pj(counted.snn(silent, HOROWITZ_45NM)) > ann
        return
    # Events are whole: the one below costs at most what the ANN costs, the one above at least that.
    exact = even * ledger.synapses * IMAGES
    spiking_one = next(i for i, layer in enumerate(silent.layers) if not layer.analog_macs)
    for events, sign in ((math.floor(exact), 1), (math.ceil(exact), -1)):
        changed = list(silent.layers)
        changed[spiking_one] = dataclasses.replace(changed[spiking_one], events=events)
        at = Ledger(tuple(changed))
        assert sign * (ann - pj(counted.snn(at, HOROWITZ_45NM))) >= -1e-9 * ann
        assert at.spikes_a_synapse == pytest.approx(even, abs=1.001 / (ledger.synapses * IMAGES))


def test_break_evens_of_arithmetic_are_the_ratio_of_a_mac_to_an_addition():
    ledger = Ledger((spiking(neurons=0),))
    evens = [break_even(ledger, HOROWITZ_45NM, counted) for counted in CONVENTIONS[:5]]
    assert evens == pytest.approx([4.6 / 0.9] * 4 + [3.0])
    # An event moves 32 + 64 bits, a MAC that reuses nothing 64: 15.1 pJ and 13.2 pJ.
    assert break_even(ledger, HOROWITZ_45NM, convention("memory, nothing reused")) == pytest.approx(13.2 / 15.1)


def test_at_an_exact_break_even_the_verdict_is_equal():
    prices = dataclasses.replace(HOROWITZ_45NM, fp32_add=1 * PJ, fp32_multiply=3 * PJ)
    ledger = Ledger((spiking(spikes=[16, 16, 16], neurons=0),))
    assert ledger.spikes_a_synapse == break_even(ledger, prices, CONVENTIONS[0]) == 4
    assert (verdicts(ledger, prices)[0].cheaper, verdicts(ledger, prices)[0].ratio) == ("equal", 1)


def test_there_is_no_break_even_where_updates_alone_cost_more_and_none_is_needed_where_events_are_free():
    busy = Ledger((spiking(neurons=1000),))
    assert break_even(busy, HOROWITZ_45NM, convention("neuron updates too")) is None
    free = dataclasses.replace(HOROWITZ_45NM, fp32_add=0 * PJ)
    assert break_even(busy, free, CONVENTIONS[0]) == math.inf


# Verdicts


def test_every_verdict_is_listed_also_the_unfavourable_ones():
    kind, harsh = (Ledger((spiking(spikes=[n] * 3, update=IF_UPDATE, ann_active=[1, 1, 1]),)) for n in (1, 40))
    expected = [item.name for item in (*CONVENTIONS, *PUBLISHED)]
    for ledger in (kind, harsh):
        assert [verdict.convention for verdict in verdicts(ledger)] == expected
    assert {verdict.cheaper for verdict in verdicts(harsh)} == {"ANN"}
    assert {"SNN", "ANN"} == {verdict.cheaper for verdict in verdicts(kind)}


def test_a_verdict_in_words():
    first, *_, skips, _, _ = verdicts(Ledger((spiking(),)))[:6]
    assert first.sentence == (
        "An inference costs the SNN 3.6 pJ, the ANN 27.6 pJ: the SNN costs 7.67 times less. "
        "They break even at 5.11 spikes per synapse per inference; the network has 0.667."
    )
    assert skips.convention == "ANN skips zeros"
    assert skips.sentence.endswith("The ANN's zeros were not counted in hidden, which are taken to have none.")
    counted = verdicts(Ledger((spiking(ann_active=[4, 4, 4]),)))
    assert not any("taken to have none" in verdict.sentence for verdict in counted)
    assert "the ANN costs 3.25 times less" in verdicts(Ledger((spiking(),)))[2].sentence


@pytest.mark.parametrize(("spikes", "cheaper"), [([4, 4, 0], ["SNN", "SNN", "ANN"]), ([40, 40, 2], ["ANN"] * 3)])
def test_published_break_evens(spikes, cheaper):
    ledger = Ledger((spiking(spikes=spikes),))
    published = verdicts(ledger)[-3:]
    assert [verdict.break_even for verdict in published] == [1.72, 1.38, 0.15]
    assert [verdict.cheaper for verdict in published] == cheaper
    assert published[0].ratio == pytest.approx(1.72 / ledger.spikes_a_synapse)
    assert "above the published break-even of 0.15" in published[2].sentence


@pytest.mark.parametrize("spikes", [[0, 0, 0], [0, 5, 0]])
def test_a_network_whose_spikes_vanish_is_not_called_cheap(spikes):
    ledger = Ledger((spiking(), spiking("last", spikes=spikes, fan_out=[2, 0, 2])))
    assert ledger.silent == ("last",)
    for verdict in verdicts(ledger):
        assert verdict.cheaper == "silent"
        assert not verdict.ratio > 1
        assert not verdict.ratio < 1
        assert "o spike reached last" in verdict.sentence


def test_what_has_no_counterpart_in_the_ann_may_be_silent():
    encoder = LayerCounts.encoder("input", neurons=3, update=IF_UPDATE, steps=STEPS, inferences=IMAGES)
    ledger = Ledger((encoder, spiking(), spiking("lateral", spikes=[0, 0], macs=0)))
    assert ledger.silent == ()
    assert verdicts(ledger)[0].cheaper == "SNN"


def test_refuses_a_network_without_counterpart():
    lateral = Ledger((spiking(macs=0),))
    assert lateral.silent == ()
    assert lateral.spikes_a_synapse == math.inf
    for judged in (verdicts, lambda ledger: break_even(ledger, HOROWITZ_45NM, CONVENTIONS[0])):
        with pytest.raises(EnergyError, match="a layer with macs"):
            judged(lateral)


def test_a_wrong_convention_or_precision_is_told_the_right_ones():
    with pytest.raises(EnergyError, match="Did you mean 'additions only'"):
        convention("addition only")
    with pytest.raises(EnergyError, match="Valid names: fp32, int32, int8"):
        Convention(name="mine", source="me", precision="fp64")


def test_a_convention_of_ones_own():
    mine = Convention(name="mine", source="me", precision="fp32", memory=Memory(reuse=False, weights_in_dram=True))
    assert pj(mine.ann(Ledger((spiking(neurons=0),)), HOROWITZ_45NM)) == pytest.approx(6 * (4.6 + 650 + 5))


# Tables


def test_the_table_of_layers_has_a_row_for_each_and_the_sum():
    head, first, second, total = layer_rows(Ledger((analog(), spiking(spikes=[40, 40, 40], fan_out=2000))))
    assert head[0] == "layer"
    assert {len(head)} == {len(row) for row in (first, second, total)}
    assert first == ["first", "20", "20", "6", "20", "6", "40", "6", ""]
    assert second == ["hidden", "60,020", "20", "0", "20", "60,000", "120,040", "6,000", "10"]
    assert total == ["all", "60,040", "40", "6", "40", "60,006", "120,080", "6,006", "10"]


def test_the_table_of_verdicts_has_a_row_for_each():
    head, *rows = verdict_rows(verdicts(Ledger((spiking(neurons=1000),))))
    assert len(rows) == len(CONVENTIONS) + len(PUBLISHED)
    assert {len(head)} == {len(row) for row in rows}
    assert rows[0][:6] == ["additions only", "3.6 pJ", "27.6 pJ", "7.67", "5.11", "SNN"]
    assert rows[2][4] == "none"
    assert rows[-1][:6] == ["published break-even 0.15", "", "", "0.225", "0.15", "ANN"]
    assert all(row[-1] for row in rows), "every verdict names its source"


@pytest.mark.parametrize(
    ("energy", "text"),
    [(84.594e-6, "84.59 uJ"), (1.0, "1 J"), (2e-3, "2 mJ"), (3.5e-9, "3.5 nJ"), (3e-16, "0.3 fJ"), (0.0, "0 fJ")],
)
def test_energies_as_text(energy, text):
    prices = dataclasses.replace(HOROWITZ_45NM, fp32_multiply=energy * joule, fp32_add=0 * joule)
    one = verdicts(Ledger((spiking(spikes=[1], fan_out=1),)), prices)
    assert verdict_rows(one)[1][2] == text
