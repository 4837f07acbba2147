"""What has been learned or recorded is used again, and never for something else: files, recordings, checkpoints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import ms

import biosnn
from biosnn.datasets import Dataset
from biosnn.errors import BiosnnError
from biosnn.learning import TrainingRun, TrainingSchedule
from biosnn.learning.checkpoint import fingerprint
from biosnn.learning.layers import (
    Cells,
    Convolution,
    LayerSettings,
    LayersTrained,
    Pool,
    RecordedSpikes,
    Recordings,
    ShownImages,
    build_layers,
    load_layers,
    record,
    respond,
    save_layers,
    train_layers,
)

IMAGES = np.random.default_rng(0).integers(0, 255, (8, 6, 6)).astype(np.uint8)
DATA = Dataset("noise", IMAGES, np.arange(8) % 2, 255, "a test")
SHOWN = np.arange(8)
MAPS = Convolution(3, 3, threshold=0.5, adaptation=0.1, presentations=8)
LAYERS = LayerSettings((MAPS, Pool(2), Cells(4, winners=2, presentations=8)), first=6 * ms, later=4 * ms)


def trained_on_noise(sim: Any, layers: LayerSettings = LAYERS, **given: Any) -> LayersTrained:
    (trained,) = train_layers(sim, layers, DATA, [SHOWN], **given)
    return trained


def test_a_saved_network_keeps_when_its_neurons_answer(tmp_path: Path) -> None:
    # Below the urgency at the end, so that cells answer sooner than those that follow LayerSettings.
    cells = replace(LAYERS.layers[2], neuron_values={"v_th": 5.0, "tau_u": -0.8 * ms})
    with biosnn.session("numpy", seed=1, dt=1 * ms) as sim:
        trained = trained_on_noise(sim, replace(LAYERS, layers=(*LAYERS.layers[:2], cells)))
        save_layers(trained, tmp_path / "layers.npz")
        loaded = load_layers(tmp_path / "layers.npz")
        plain = replace(trained, layers=LAYERS)
        steps = [record(sim, one, DATA, SHOWN, 3).spikes.step.tolist() for one in (trained, loaded, plain)]
    assert steps[0] == steps[1] != steps[2]


def test_a_recording_is_used_for_its_own_network_and_session_only() -> None:
    recordings = Recordings()
    with biosnn.session("numpy", seed=1, dt=1 * ms) as sim:
        trained = trained_on_noise(sim)
        # The same period, but the maps answer earlier.
        sooner = replace(trained, layers=replace(LAYERS, first=5 * ms, later=5 * ms))
        first, _ = recordings.of(sim, trained, DATA, SHOWN, 2)
        other, _ = recordings.of(sim, sooner, DATA, SHOWN, 2)
        again, seconds = recordings.of(sim, trained, DATA, SHOWN, 2)
        assert (again.key, seconds) == (first.key, 0.0)
        assert other.key != first.key
        assert other.spikes.step.sum() < first.spikes.step.sum()
        sim.reset(dt=0.5 * ms)
        finer, _ = recordings.of(sim, trained, DATA, SHOWN, 2)
        assert finer.spikes.steps == 2 * first.spikes.steps
        with pytest.raises(BiosnnError, match=r"expected 24 time steps a presentation and 12 neurons \(got \(12, 12\)"):
            record(sim, trained, DATA, SHOWN, 3, given=first)
        sim.reset(dt=1 * ms, precision="float32")
        single, _ = recordings.of(sim, trained, DATA, SHOWN, 2)
        assert len({one.key for one in (first, other, finer, single)}) == 4
        with pytest.raises(BiosnnError, match="record, images: expected at least one"):
            respond(sim, [trained], DATA, SHOWN[:0])


def test_a_checkpoint_is_of_all_weights_and_of_the_session() -> None:
    schedule = TrainingSchedule(SHOWN, SHOWN[:0], 8, 0, 1, tested=False)
    kernel = np.full(3**2 * 2 * 300, 0.1)
    other = kernel.copy()
    other[len(kernel) // 2] = 0.2  # a text of the array leaves this out
    prints = []
    with biosnn.session("numpy", seed=1, dt=1 * ms) as sim:
        for dt, precision in ((1 * ms, "float64"), (0.5 * ms, "float64"), (1 * ms, "float32")):
            sim.reset(dt=dt, precision=precision)
            built = build_layers(DATA, LayerSettings((replace(MAPS, maps=300),)), places=8)
            for weights in (kernel, other):
                run = TrainingRun(schedule, ShownImages(), values={"maps_1_synapses.w": weights})
                prints.append(fingerprint(built, run))
    assert len(set(prints)) == len(prints)


def test_layers_that_are_not_trained_stay_as_they_begin() -> None:
    recordings = Recordings()
    with biosnn.session("numpy", seed=1, dt=1 * ms) as sim:
        first = trained_on_noise(sim, recordings=recordings)
        begin = first.state_below(2)
        kept, _ = recordings.of(sim, first, DATA, SHOWN, 2)
        more = trained_on_noise(sim, begin=[begin], stages=[1], recordings=recordings)
        again, seconds = recordings.of(sim, more, DATA, SHOWN, 2)
    assert np.ptp(np.asarray(begin["maps_1_thresholds.theta"])) > 0
    for key, value in begin.items():
        np.testing.assert_array_equal(more.state[key], value)
    assert len(more.histories) == 1
    assert (again.key, seconds) == (kept.key, 0.0)  # what the maps answer was not worked out anew
    np.testing.assert_array_equal(more.state["cells_synapses.w"], first.state["cells_synapses.w"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"stages": [2]}, "train_layers, stages: expected from 0 to 1 (got [2])"),
        ({"together": True, "learning": [(False, True)]}, "train_layers, together: expected all layers that learn"),
        ({"together": True, "stages": [1]}, "train_layers, together: expected all layers that learn"),
    ],
)
def test_what_cannot_be_trained_in_part_is_refused(given: dict[str, Any], message: str) -> None:
    with biosnn.session("numpy", seed=1, dt=1 * ms) as sim, pytest.raises(BiosnnError) as caught:
        trained_on_noise(sim, **given)
    assert message in str(caught.value)


def test_spikes_of_another_layer_are_not_played() -> None:
    with biosnn.session("numpy", seed=1, dt=1 * ms) as sim:
        trained = trained_on_noise(sim)
        contrast = record(sim, trained, DATA, SHOWN, 0)
        sim.reset()
        built = build_layers(DATA, LAYERS, places=8, start=2, capacity=1000)
        schedule = TrainingSchedule(SHOWN[:0], SHOWN, 0, 0, 1)
        with pytest.raises(BiosnnError, match=r"RecordedSpikes, recording: expected .* and 12 neurons"):
            RecordedSpikes(contrast).check(built, schedule)
