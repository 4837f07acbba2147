"""Layers that learn without labels: competition, thresholds that follow answers, Oja's rule, layer after layer."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import ms
from cli_user import biosnn as command
from numpy.typing import NDArray

import biosnn
from biosnn import archive
from biosnn.datasets import Dataset
from biosnn.errors import BiosnnError, DataError
from biosnn.learning import Checkpoints, TrainingRun, TrainingSchedule, load_network, train
from biosnn.learning.layers import (
    Cells,
    Contrast,
    Convolution,
    LayerSettings,
    Pool,
    Recordings,
    ShownImages,
    build_layers,
    difference_of_gaussians,
    load_layers,
    record,
    respond,
    save_layers,
    train_layers,
)
from biosnn.learning.layers.build import LEAST

SIZE, KERNEL, MAPS, POOL, CELLS = 6, 3, 4, 2, 5
COUNT = 12
LAYERS = LayerSettings(
    (
        Convolution(MAPS, KERNEL, threshold=0.8, adaptation=0.05, presentations=8),
        Pool(POOL),
        Cells(CELLS, winners=2, adaptation=0.3, presentations=8),
    ),
    first=6 * ms,
    later=5 * ms,
)
TARGETS = ("numpy", pytest.param("cpp", marks=pytest.mark.cpp))


def data_of(seed: int = 0, count: int = COUNT) -> Dataset:
    rng = np.random.default_rng(seed)
    bars = np.zeros((count, SIZE, SIZE), np.uint8)
    for image in bars:
        place, grey = rng.integers(SIZE), rng.integers(120, 255)
        if rng.integers(2):
            image[place] = grey
        else:
            image[:, place] = grey
        image += rng.integers(0, 40, (SIZE, SIZE)).astype(np.uint8)
    return Dataset("bars", np.minimum(bars, 255), np.arange(count) % 3, 255, "a test")


# ---- the whole network beside its equations in NumPy --------------------------------------------------------------


class Reference:
    """The network in NumPy, step by step; layers learn one after the other."""

    def __init__(self, kernel: NDArray[np.float64], weights: NDArray[np.float64], learners: int) -> None:
        self.learners = learners
        self.w = [kernel.reshape(KERNEL, KERNEL, 2, MAPS).copy(), weights.reshape(-1, CELLS).copy()]
        self.theta = [np.zeros(MAPS), np.zeros(CELLS)]
        self.won = [np.zeros(MAPS), np.zeros(CELLS)]
        self.steps = [round(float(LAYERS.first / ms)), round(float((LAYERS.first + LAYERS.later) / ms))]
        rows = SIZE - KERNEL + 1
        self.shapes = [(rows, rows, MAPS), (1, 1, CELLS)]

    def urgency(self, layer: int) -> tuple[float, float, float]:
        """At first, its factor in each step, and the threshold."""
        if layer == 0:
            return -100.0, (0.1 / 100) ** (1 / self.steps[0]), 0.8
        return 1e-3, (1e4 / 1e-3) ** (1 / self.steps[1]), 1e4

    def contrast(self, image: NDArray[np.uint8]) -> NDArray[np.float64]:
        kernel = difference_of_gaussians(1.0, 2.0)
        reach = len(kernel) // 2
        padded = np.pad(image / 255.0, reach)
        windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape)
        seen = np.einsum("ijkl,kl->ij", windows, kernel)
        return 2.0 * np.stack([seen, -seen], axis=-1)

    def show(self, image: NDArray[np.uint8], etas: tuple[float, float], adapt: tuple[float, float], depth: int) -> Any:
        """Show an image, and return the spikes of the last layer: (step, neuron)."""
        period = round(float(LAYERS.period / ms))
        drive, seen = self.contrast(image), np.zeros((SIZE, SIZE, 2))
        x = [np.zeros((SIZE, SIZE, 2)), np.zeros((2, 2, MAPS))]
        v = [np.zeros(shape) for shape in self.shapes]
        pooled = np.zeros((2, 2, MAPS))
        taken = [np.zeros(shape[:2]) for shape in self.shapes]
        for layer in (0, 1):  # thresholds follow from the answers to the image before
            self.theta[layer] += adapt[layer] * (self.won[layer] - self.won[layer].mean())
        self.won = won = [np.zeros(MAPS), np.zeros(CELLS)]
        u = [self.urgency(layer)[0] for layer in (0, 1)]
        found = []
        for step in range(period):
            seen += drive
            u = [each * self.urgency(layer)[1] for layer, each in enumerate(u)]
            sent = seen > 1
            relayed = pooled > 0.5
            spikes = []
            for layer in (0, 1):
                height = v[layer] - self.theta[layer]
                above = v[layer] + u[layer] > self.urgency(layer)[2] + self.theta[layer]
                left = np.zeros_like(above)
                for flat in sorted(np.flatnonzero(above), key=lambda k, h=height: (-h.ravel()[k], k)):
                    row, column, of_map = np.unravel_index(flat, above.shape)
                    if taken[layer][row, column] < (self.learners if depth == 2 * layer + 1 else 1):
                        taken[layer][row, column] += 1
                        left[row, column, of_map] = True
                        won[layer][of_map] += 1
                spikes.append(left)
            # What arrives: first the spikes that others sent in this step, then what winners learn, then resets.
            x[0][sent], x[1][relayed] = 1, 1
            for row, column, channel in np.argwhere(sent):
                for down in range(KERNEL):
                    for right in range(KERNEL):
                        i, j = row - down, column - right
                        if 0 <= i < v[0].shape[0] and 0 <= j < v[0].shape[1]:
                            v[0][i, j] += self.w[0][down, right, channel]
            for row, column, of_map in np.argwhere(spikes[0]):
                pooled[row // POOL, column // POOL, of_map] += 1
            v[1][0, 0] += self.w[1][np.flatnonzero(relayed)].sum(axis=0)
            for row, column, of_map in np.argwhere(spikes[0]):
                window = x[0][row : row + KERNEL, column : column + KERNEL]
                old = self.w[0][..., of_map]
                self.w[0][..., of_map] = old + etas[0] * (window / v[0][row, column, of_map] - old)
            for cell in np.flatnonzero(spikes[1]):
                old = self.w[1][:, cell]
                self.w[1][:, cell] = old + etas[1] * (x[1].ravel() / v[1][0, 0, cell] - old)
            seen[sent], pooled[relayed] = -1e6, -1e6
            for layer in (0, 1):
                v[layer][spikes[layer]] = -1e6
            last = spikes[1] if depth == 3 else spikes[0]
            found += [(step, int(k)) for k in np.flatnonzero(last)]
        return found


@pytest.mark.parametrize("learners", [1, 2])
@pytest.mark.parametrize("target", TARGETS)
def test_layers_learn_what_their_equations_say(target: str, learners: int) -> None:
    layers = [each if isinstance(each, Pool) else replace(each, learners=learners) for each in LAYERS.layers]
    data, rng = data_of(), np.random.default_rng(1)
    kernel, weights = rng.uniform(0, 0.4, KERNEL**2 * 2 * MAPS), rng.uniform(0, 0.4, 4 * MAPS * CELLS)
    learned = np.arange(COUNT)
    with biosnn.session(target, seed=1, dt=1 * ms) as sim:
        begin = [{"maps_1_synapses.w": kernel, "cells_synapses.w": weights}]
        (trained,) = train_layers(sim, replace(LAYERS, layers=tuple(layers)), data, [learned], begin=begin, places=4)
        (answers,) = respond(sim, [trained], data, learned)
    reference, by_hand = Reference(kernel, weights, learners), []
    schedule = TrainingSchedule(learned, learned[:0], 8, 0, 1, tested=False)
    for stage in (0, 1):
        reference.won = [np.zeros(MAPS), np.zeros(CELLS)]
        for number, image in enumerate(schedule.training):
            left = LEAST + (1 - LEAST) * (1 - number // 4 * 4 / 8)  # as it was when the piece began
            etas = (0.1 * left, 0.0) if stage == 0 else (0.0, 0.2 * left)
            adapt = (0.05 * left, 0.0) if stage == 0 else (0.0, 0.3 * left)
            by_hand += reference.show(data.images[image], etas, adapt, 1 if stage == 0 else 3)
    assert len(by_hand) > 40
    np.testing.assert_allclose(trained.weights(0), reference.w[0], atol=1e-6)
    np.testing.assert_allclose(trained.weights(2).reshape(-1, CELLS), reference.w[1], atol=1e-6)
    for layer, name in enumerate(("maps_1", "cells")):
        theta = np.asarray(trained.state[f"{name}_thresholds.theta"])
        np.testing.assert_allclose(theta, reference.theta[layer], atol=1e-9)
        np.testing.assert_allclose(theta.sum(), 0, atol=1e-9)
    assert (answers.sum(axis=1) == 2).all()


def test_the_rule_turns_weights_into_the_direction_of_what_is_shown() -> None:
    """Oja 1982: shown one pattern again and again, w becomes x/|x|."""
    one = Dataset("one", np.tile(np.eye(4, dtype=np.uint8) * 255, (2, 1, 1)), np.zeros(2, np.int64), 255, "a test")
    cells = Cells(2, adaptation=0.0, presentations=60, rule_values={"eta": 0.5})
    layers = LayerSettings((cells,), Contrast("intensity"), first=5 * ms, later=2 * ms)
    with biosnn.session("numpy", seed=1, dt=1 * ms) as sim:
        (trained,) = train_layers(sim, layers, one, [np.arange(2)], places=60)
    apart = np.abs(trained.weights(0).reshape(16, 2) - (np.eye(4) / 2).reshape(16, 1)).max(axis=0)
    assert min(apart) < 1e-6 < max(apart)  # one cell has won every time, and the other one has not changed


# ---- thresholds ---------------------------------------------------------------------------------------------------


def test_thresholds_let_all_cells_answer_equally_often() -> None:
    data = data_of(3, 40)
    counts = {}
    for adaptation in (0.0, 1.0):
        cells = Cells(8, winners=1, adaptation=adaptation, presentations=400)
        layers = LayerSettings((cells,), first=8 * ms, later=4 * ms)
        with biosnn.session("numpy", seed=1, dt=1 * ms) as sim:
            (trained,) = train_layers(sim, layers, data, [np.arange(40)], places=100)
        (history,) = trained.histories
        counts[adaptation] = np.asarray(history.responses[200:].sum(axis=0)).ravel()
    assert counts[1.0].sum() == counts[0.0].sum() == 200
    assert counts[1.0].min() >= 10
    assert counts[0.0].min() < counts[1.0].min()


# ---- files --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    path = tmp_path_factory.mktemp("saved") / "layers.npz"
    with biosnn.session("numpy", seed=1, dt=1 * ms) as sim:
        (trained,) = train_layers(sim, LAYERS, data_of(), [np.arange(COUNT)], places=8)
    save_layers(trained, path)
    return trained, path


def test_saved_layers_answer_as_before(saved: tuple[Any, Path]) -> None:
    trained, path = saved
    loaded = load_layers(path)
    assert loaded.layers.shapes(loaded.image) == LAYERS.shapes((SIZE, SIZE))
    assert (loaded.seed, loaded.layers.period) == (1, LAYERS.period)
    with biosnn.session("numpy", seed=1, dt=1 * ms) as sim:
        before, after = (respond(sim, [one], data_of(), np.arange(4))[0].toarray() for one in (trained, loaded))
    np.testing.assert_array_equal(before, after)
    assert before.sum() == 8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda about, _: about.update(format=2), "kind and format: expected 'layers' and 1"),
        (lambda about, _: about["layers"][0].update(layer="Attention"), "expected one of Convolution, Pool, Cells"),
        (lambda about, _: about["layers"][2].update(size=7), "cells_synapses.w: expected 112 finite numbers"),
        (lambda about, _: about["contrast"].update(kind="off"), "Contrast.kind"),
        (lambda _, arrays: arrays["state/maps_1_synapses.w"].fill(np.nan), "maps_1_synapses.w: expected 72 finite"),
    ],
)
def test_damaged_layers_are_refused(saved: tuple[Any, Path], tmp_path: Path, change: Any, message: str) -> None:
    texts = archive.read_texts(saved[1], DataError, 10**6)
    about = json.loads(texts["about.json"])
    arrays = archive.read_arrays(saved[1], "", about["arrays"], DataError)
    change(about, arrays)
    archive.write(tmp_path / "bad.npz", arrays, {**texts, "about.json": json.dumps(about)})
    with pytest.raises(DataError) as caught:
        load_layers(tmp_path / "bad.npz")
    assert message in str(caught.value)
    with pytest.raises(DataError, match="load_layers"):
        load_network(saved[1])


def test_saved_layers_are_shown(saved: tuple[Any, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figure = tmp_path / "fields.png"
    assert command("show", str(saved[1]), "--figure", "--out", str(figure)) == 0
    shown = capsys.readouterr().out
    for part in ("Images of 6x6 pixels, 13 ms each", "maps_1", "4 x 4 x 4", "max of 2x2", "stdp_oja", "80"):
        assert part in shown
    assert figure.stat().st_size > 1000


# ---- recordings ---------------------------------------------------------------------------------------------------


def test_recorded_layers_answer_as_those_that_see_the_image(saved: tuple[Any, Path]) -> None:
    trained, data, shown = saved[0], data_of(), np.array([3, 1, 7, 3])
    with biosnn.session("numpy", seed=1, dt=1 * ms) as sim:
        whole = record(sim, trained, data, np.arange(8), 3)
        contrast = record(sim, trained, data, np.arange(8), 0)
        pooled = record(sim, trained, data, np.arange(8), 2, given=contrast)
        recordings = Recordings()
        (apart,) = respond(sim, [trained], data, shown, recordings=recordings)
        kept, seconds = recordings.of(sim, trained, data, shown, 2)
        with pytest.raises(BiosnnError, match=r"expected 8 recorded ones \(got 9\)"):
            record(sim, trained, data, np.array([9]), 2, given=contrast)
    np.testing.assert_array_equal(whole.counts(shown).toarray(), apart.toarray())
    np.testing.assert_array_equal(pooled.counts(shown).toarray(), kept.counts(shown).toarray())
    assert (seconds, list(kept.images)) == (0.0, [1, 3, 7])
    assert kept.spikes.step.max() < round(float(LAYERS.period / ms))


# ---- training -----------------------------------------------------------------------------------------------------


def test_a_training_that_was_stopped_comes_to_the_same(tmp_path: Path) -> None:
    data, learned = data_of(), np.arange(COUNT)
    layers = replace(LAYERS, layers=LAYERS.layers[:1])
    none = learned[:0]
    with biosnn.session("numpy", seed=1, dt=1 * ms) as sim:
        built = build_layers(data, layers, places=4)
        kept = Checkpoints(tmp_path, ["print"])
        whole = TrainingRun(TrainingSchedule(learned, none, 8, 0, 1, tested=False), ShownImages())
        (unbroken,) = train(sim, built, [whole], checkpoint=4)
        sim.reset()
        built = build_layers(data, layers, places=4)
        shown: list[int] = []

        class Stopped(Checkpoints):
            def keep(self, number: int, history: Any) -> None:
                super().keep(number, history)
                shown.append(history.done)
                if len(shown) == 1:
                    raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            train(sim, built, [whole], checkpoint=4, checkpoints=Stopped(tmp_path, ["print"]))
        sim.reset()
        (resumed,) = train(sim, build_layers(data, layers, places=4), [whole], checkpoint=4, checkpoints=kept)
    assert shown == [4]
    np.testing.assert_array_equal(resumed.state["maps_1_synapses.w"], unbroken.state["maps_1_synapses.w"])
    np.testing.assert_array_equal(resumed.responses.toarray(), unbroken.responses.toarray())


def test_layers_can_learn_together_and_controls_do_not_learn() -> None:
    data, learned = data_of(), np.arange(COUNT)
    with biosnn.session("numpy", seed=1, dt=1 * ms) as sim:
        begin = [{"maps_1_synapses.w": np.full(KERNEL**2 * 2 * MAPS, 0.2)}] * 2
        (one,) = train_layers(sim, LAYERS, data, [learned], together=True, begin=begin[:1], places=4)
        both = train_layers(
            sim,
            LAYERS,
            data,
            [learned] * 2,
            seeds=[1, 2],
            learning=[(False, True), (True, True)],
            begin=begin,
            places=4,
        )
    assert np.ptp(np.asarray(one.state["maps_1_synapses.w"])) > 0
    np.testing.assert_array_equal(both[0].state["maps_1_synapses.w"], 0.2)
    assert np.ptp(np.asarray(both[1].state["maps_1_synapses.w"])) > 0
    assert len(one.histories) == 1
    assert len(both[0].histories) == 2


def test_a_difference_of_gaussians_adds_up_to_nothing() -> None:
    kernel = difference_of_gaussians(1, 2)
    assert kernel.shape == (7, 7)
    np.testing.assert_allclose(kernel.sum(), 0, atol=1e-15)
    assert kernel[3, 3] > 0 > kernel[0, 3]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Convolution(0), "Convolution.maps: expected a whole number of at least 1 (got 0)"),
        (lambda: Pool(2, "sum"), "Pool.mode: expected one of 'max', 'average' (got 'sum')"),
        (lambda: Contrast("off"), "Contrast.kind: expected one of 'on and off', 'intensity'"),
        (lambda: Contrast(centre=2.0, surround=1.0), "smaller than the surround"),
        (lambda: Cells(1), "Cells.size: expected a whole number of at least 2"),
        (lambda: Cells(4, classes=5), "Cells.classes: expected at most 4"),
        (lambda: Cells(4, presentations=0), "Cells.presentations: expected a whole number of at least 1 (got 0)"),
        (lambda: Convolution(learners=0), "Convolution.learners: expected a whole number of at least 1 (got 0)"),
        (lambda: LayerSettings((Pool(2),)), "expected a layer that learns"),
        (lambda: LayerSettings((Cells(4), Pool(2))), "expected cells as the last layer"),
        (lambda: LayerSettings((Cells(4),), first=0 * ms), "LayerSettings.first: expected a time above 0"),
        (lambda: LayerSettings((Convolution(4, 9),)).shapes((8, 8)), "Convolution.kernel: expected at most 8"),
    ],
)
def test_layers_that_make_no_sense_are_refused(make: Any, message: str) -> None:
    with pytest.raises(BiosnnError) as caught:
        make()
    assert message in str(caught.value)


def test_what_does_not_fit_a_network_of_layers_is_refused(tmp_path: Path) -> None:
    data, rule = data_of(), tmp_path / "mine.toml"
    rule.write_text('kind = "synapse"\nname = "mine"\nsummary = "None."\nsource = "a test"\nequations = "w : 1"\n')
    with biosnn.session("numpy", seed=1, dt=1 * ms) as sim:
        for layer, message in (
            (Cells(3, rule=rule, rule_values={}), "presets: expected one named 'frozen'"),
            (Cells(3, neuron="if_soft"), "an adaptive threshold theta"),
        ):
            with pytest.raises(BiosnnError) as caught:
                train_layers(sim, LayerSettings((layer,)), data, [np.arange(3)])
            assert message in str(caught.value)
        with pytest.raises(BiosnnError, match="for each of 1 networks a seed"):
            train_layers(sim, LAYERS, data, [np.arange(3)], seeds=[1, 2])
