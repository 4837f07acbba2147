"""Where activity goes in a converted network, and why."""

from __future__ import annotations

import numpy as np
import pytest
from conversion_networks import chain

from biosnn.ann import reference
from biosnn.catalogue import neuron_model
from biosnn.conversion import convert, decisions, run
from biosnn.conversion.analysis.diagnosis import Diagnosis, diagnose, reasons
from biosnn.conversion.analysis.metrics import activity_kept
from biosnn.conversion.hybrid.going_on import Remainders
from biosnn.conversion.hybrid.network import to_hybrid


def diagnosed(kept: list[float], rest: list[float], own: list[list[float]]) -> Diagnosis:
    """Of one repetition, in which the ordinary network tells 99 % right."""
    return diagnose([kept], [rest], 0.99, [own], np.full((1, len(kept)), 0.1))


def test_the_diagnosis_names_the_layer_and_the_cause() -> None:
    """Each layer's own loss by clipping, quantisation, reset and leak, unevenness counts up to where half is gone."""
    own = [[0, -0.3, -0.1, 0], [0, -0.1, 0, 0.2], [-0.9, 0, 0, 0]]
    told = diagnosed([0.8, 0.4, 0.3], [0.99, 0.9, 0.5], own)
    assert (told.vanishes, told.overfires, told.loses) == (2, None, 2)
    assert told.shares == pytest.approx({"clipping": 0, "quantisation": 0.8, "reset and leak": 0.2, "unevenness": 0})
    well = diagnosed([1.0, 0.9, 0.8], [0.99, 0.985, 0.98], np.zeros((3, 4)).tolist())
    assert (well.vanishes, well.overfires, well.loses) == (None, None, None)
    assert diagnosed([1.0, 2.5, 0.4], [0.99, 0.9, 0.2], own).overfires == 2


@pytest.mark.parametrize(
    ("neuron", "words"),
    [
        ("if_hard", "the hard reset discards what is above the threshold at a spike"),
        ("lif_soft", "the leak lets earlier input decay"),
        (
            "lif",
            "the hard reset discards what is above the threshold at a spike and the leak lets earlier input decay",
        ),
        ("if_soft", "neither reset nor leak"),
    ],
)
def test_a_neuron_forgets_by_reset_or_leak(neuron: str, words: str) -> None:
    assert reasons(neuron_model(neuron))["reset and leak"] == words


def test_the_ordinary_network_goes_on_as_a_hybrid_does() -> None:
    graph = chain(6, 9, 8, 4)
    images = np.random.default_rng(1).random((12, 6)).astype(np.float32)
    whole, rests = convert(graph, images, method="max"), Remainders()
    outcome = run(whole, images, 5, each=True, target="numpy", precision="float64")
    for first in (1, 1):  # the second time from what is kept
        own = to_hybrid(whole, f"first {first}").run(images, 5, target="numpy", precision="float64")
        np.testing.assert_array_equal(rests.decided(whole, outcome, images, first), own.decided())
    assert (rests.decided(whole, outcome, images, 1) == decisions(reference(graph).outputs(images))).mean() > 0.5


def test_activity_kept_is_one_where_rates_tell_the_mean_activation() -> None:
    graph = chain(6, 9, 8, 4)
    images = np.random.default_rng(1).random((12, 6)).astype(np.float32)
    whole = convert(graph, images, method="max")
    (name, *_), T = [population.name for population in whole.network.hidden], 10
    spikes = np.arange(whole.network[name].neurons) % 3
    mean = float((spikes / T * whole.thresholds[name]).mean())
    assert activity_kept(whole, name, spikes, T, mean) == pytest.approx(1)
    assert activity_kept(whole, name, 0 * spikes, T, mean) == 0
    assert np.isnan(activity_kept(whole, name, spikes, T, 0.0))
