"""Training in pieces: checkpoints, what a stopped training comes to, trained networks as files."""

from __future__ import annotations

import dataclasses
import functools
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import Hz, ms
from test_learning import DATA, NETWORK
from test_learning import PROTOCOL as SEVERAL_TIMES

import biosnn
from biosnn import learning
from biosnn.catalogue import network_file
from biosnn.engine.simulation import Simulation
from biosnn.errors import DataError, SettingsError
from biosnn.learning import (
    Checkpoints,
    DiehlCookNetwork,
    NetworkSettings,
    Trained,
    TrainingHistory,
    TrainingRun,
    TrainingSchedule,
)
from biosnn.learning.schedule import RECORDED, TEST, TRAINING

PROTOCOL = dataclasses.replace(SEVERAL_TIMES, times=1)  # every showing is a run of its own
SCHEDULE = TrainingSchedule(np.array([0, 1]), np.array([2]), n_training=7, n_recorded=1, seed=4)
RUNS = [
    TrainingRun(SCHEDULE),
    TrainingRun(dataclasses.replace(SCHEDULE, seed=5)),
    TrainingRun(SCHEDULE, learning=False),
]


class Stopped(Exception):
    """What stops a training here, as a kill would."""


def make(network: NetworkSettings = NETWORK) -> DiehlCookNetwork:
    return learning.build(DATA, PROTOCOL, network, SCHEDULE.length)


def train(
    target: str, folder: Path | None = None, *, stop_after: int = 99, mark: str = "same", networks: int = len(RUNS)
) -> list[TrainingHistory]:
    """Train three networks (on NumPy one) in pieces of three presentations; stop after so many checkpoints."""
    runs = RUNS[:1] if target == "numpy" else RUNS[:networks]

    @dataclasses.dataclass(frozen=True)
    class Failing(Checkpoints):
        def keep(self, number: int, history: TrainingHistory) -> None:
            super().keep(number, history)
            if len(kept) == stop_after:
                raise Stopped
            kept.append(number)

    kept: list[int] = []
    with biosnn.session(target, seed=3, dt=0.5 * ms) as sim:
        built = make()
        checkpoints = None
        if folder is not None:
            checkpoints = Failing(folder, [learning.fingerprint(built, run, mark) for run in runs])
        return learning.train(sim, built, runs, checkpoint=3, checkpoints=checkpoints)


@functools.cache
def unbroken(target: str) -> list[TrainingHistory]:
    """Train the networks without a stop, once for all tests."""
    return train(target)


def assert_same(found: TrainingHistory, expected: TrainingHistory) -> None:
    arrays = expected.arrays()
    assert found.arrays().keys() == arrays.keys()
    for name, array in found.arrays().items():
        if name not in ("seconds", "memory"):
            np.testing.assert_array_equal(array, arrays[name], err_msg=name)


def test_a_schedule_is_divided_at_the_ends_of_its_parts() -> None:
    done, pieces = 0, []
    while done < SCHEDULE.length:
        pieces.append(SCHEDULE.piece(done, 3))
        done += pieces[-1].count
    assert [(piece.part, piece.count) for piece in pieces] == [
        (TRAINING, 3),
        (TRAINING, 3),
        (TRAINING, 1),
        (TEST, 3),
        (RECORDED, 1),
    ]
    with pytest.raises(SettingsError, match=r"TrainingSchedule.piece: expected less than 11 presentations"):
        SCHEDULE.piece(11, 3)


@pytest.mark.parametrize(
    ("target", "stop_after"),
    [
        pytest.param("numpy", 4, marks=pytest.mark.slow),
        *(pytest.param("cpp", n, marks=[pytest.mark.cpp, *([pytest.mark.slow] * (n != 11))]) for n in (0, 4, 11, 13)),
    ],
)
def test_a_stopped_training_goes_on_to_the_same_result(
    target: str, stop_after: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Stopped):
        train(target, tmp_path / "kept", stop_after=stop_after)
    resumed = train(target, tmp_path / "kept")
    assert "network 1 goes on after" in capsys.readouterr().err
    assert sum(history.responses.sum() for history in unbroken(target)) > 6 * len(unbroken(target))
    # Nine pieces of training and three of the test; then images are shown again, which the last stop interrupts.
    assert all(history.boost[SCHEDULE.n_training :].any() for history in unbroken(target))
    for found, expected in zip(resumed, unbroken(target), strict=True):
        assert_same(found, expected)
    if target == "cpp":
        assert not np.array_equal(unbroken(target)[0].weights, unbroken(target)[1].weights)
    assert_same(train(target, tmp_path / "kept")[0], unbroken(target)[0])  # nothing is left to do


@pytest.mark.slow
@pytest.mark.cpp
def test_from_a_damaged_checkpoint_a_training_goes_back_to_the_one_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Stopped):
        train("cpp", tmp_path, stop_after=8)
    for number, damage in ((1, slice(-400)), (2, slice(0))):
        path = tmp_path / f"network-{number}.npz"
        path.write_bytes(path.read_bytes()[damage])
    resumed = train("cpp", tmp_path)
    told = capsys.readouterr().err
    assert "network-1.npz: cannot be read" in told
    assert "network 1 goes on after 6 presentations, which" in told
    assert "network-1.previous.npz" in told
    for found, expected in zip(resumed, unbroken("cpp"), strict=True):
        assert_same(found, expected)


@pytest.mark.cpp
def test_a_checkpoint_of_another_training_or_a_damaged_one_is_not_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = train("cpp", tmp_path, networks=1)
    assert_same(train("cpp", tmp_path, mark="another", networks=1)[0], expected[0])
    assert "is of another training or version" in capsys.readouterr().err
    path = tmp_path / "network-1.npz"
    path.write_bytes(path.read_bytes()[:-400])
    assert_same(train("cpp", tmp_path, mark="another", networks=1)[0], expected[0])
    assert "network-1.npz: cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    "change",
    [
        {"protocol": dataclasses.replace(PROTOCOL, rate=400 * Hz)},
        {"network": dataclasses.replace(NETWORK, inhibition=16.0)},
        {"data": dataclasses.replace(DATA, images=DATA.images[::-1])},
        {"run": RUNS[1]},
        {"run": RUNS[2]},
        {"extra": "float32"},
    ],
)
def test_a_fingerprint_tells_all_apart_that_changes_a_result(change: dict[str, Any]) -> None:
    def fingerprint(
        protocol: Any = PROTOCOL,
        network: Any = NETWORK,
        data: Any = DATA,
        run: Any = RUNS[0],
        extra: str = "float64",
    ) -> str:
        with biosnn.session("numpy", seed=3):
            return learning.fingerprint(learning.build(data, protocol, network, SCHEDULE.length), run, extra)

    assert fingerprint() == fingerprint()
    assert fingerprint(**change) != fingerprint()


# ---- trained networks ---------------------------------------------------------------------------------------------


def trained(sim: Simulation, path: Path) -> tuple[Trained, TrainingHistory]:
    built = make()
    (history,) = learning.train(sim, built, RUNS[:1], checkpoint=99)
    network = learning.trained(
        built, SCHEDULE, history, learning.score(history, SCHEDULE, DATA), settings={"n_training": "7"}
    )
    learning.save_network(network, path)
    return network, history


@pytest.mark.cpp
def test_a_network_is_saved_loaded_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "network.npz"
    with biosnn.session("cpp", seed=3, dt=0.5 * ms) as sim:
        network, history = trained(sim, path)
        found = learning.load_network(path)
        assert found.fields.shape == (6, 2, 2)
        np.testing.assert_array_equal(found.fields.reshape(6, 4), history.weights)
        assert found.network_settings == network.network_settings
        assert (found.dataset, found.n_training, found.settings) == ("three", 7, {"n_training": "7"})
        assert (found.learned_from.tolist(), found.held_out.tolist()) == ([0, 1], [2])
        assert found.accuracy == network.accuracy
        begin = np.ceil(found.time / float(PROTOCOL.period)) * float(PROTOCOL.period)

        def go_on(n_training: int) -> TrainingHistory:
            sim.reset()
            schedule = dataclasses.replace(SCHEDULE, n_training=n_training)
            built = learning.build(DATA, found.protocol, found.network_settings, schedule.length)
            return learning.train(sim, built, [TrainingRun(schedule)], checkpoint=3, begin=begin, state=found.state)[0]

        tested, learned_on = go_on(0), go_on(7)
    assert tested.responses.sum() > 0
    np.testing.assert_array_equal(tested.weights, history.weights)
    np.testing.assert_allclose(tested.theta, history.theta, rtol=1e-9)
    assert not np.array_equal(learned_on.weights, history.weights)
    assert learned_on.theta.max() > history.theta.max()
    with zipfile.ZipFile(path) as archive:
        assert 'name = "stdp_diehl_cook"' in archive.read("rule.toml").decode()
        assert np.load(path)["state/plastic.w"].shape == (24,)


def changed(path: Path, **change: Any) -> None:
    """Write other texts, or fields of about.json, into a network's file."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    about = json.loads(members["about.json"])
    texts = {name: text for name, text in change.items() if name.endswith("_toml")}
    about |= {name: value for name, value in change.items() if name not in texts}
    members |= {name.replace("_toml", ".toml"): text.encode() for name, text in texts.items()}
    members["about.json"] = json.dumps(about).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


@pytest.fixture(scope="module")
def saved_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a trained network."""
    path: Path = tmp_path_factory.mktemp("trained") / "network.npz"
    with biosnn.session("numpy", seed=3, dt=0.5 * ms) as sim:
        trained(sim, path)
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 7}, r"format: expected 1 \(got 7\)"),
        ({"format": [{}]}, "format: expected 1"),
        ({"network_settings": {}}, "network_settings: the fields 'size', .* are missing. This network is damaged"),
        ({"n_training": "7"}, "n_training: expected int .*This network is damaged"),
        ({"accuracy": -0.5}, "accuracy: expected a number, not negative"),
        ({"shape": [3, 2]}, "plastic.w: expected 6 times 3x2 weights"),
        ({"rule_toml": 'kind = "synapse"'}, "is missing"),
        ({"rule_toml": "kind = "}, "not valid TOML"),
        ({"arrays": {"mean": {"key": "mean", "unit": "1", "shape": [10**10, 10], "dtype": "<f8"}}}, "shape and dtype"),
        ({"arrays": {"mean": {"key": "mean", "unit": "1", "shape": [-1], "dtype": "<f8"}}}, "shape and dtype"),
        ({"arrays": {"mean": {"key": "mean", "unit": "1", "shape": [1], "dtype": "O"}}}, "shape and dtype"),
        ({"arrays": {"mean": {"key": "no", "unit": "1", "shape": [1], "dtype": "<f8"}}}, "has no array 'no'"),
        ({"arrays": {}}, "[Tt]his network is damaged"),
    ],
)
def test_a_network_file_that_is_wrong_is_refused(
    saved_network: Path, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    path = Path(shutil.copy(saved_network, tmp_path))
    changed(path, **change)
    with pytest.raises(DataError, match=message):
        learning.load_network(path)


def test_a_network_that_an_earlier_version_has_saved_is_read() -> None:
    found = learning.load_network(network_file("digits_100"))
    with zipfile.ZipFile(network_file("digits_100")) as archive:
        about = json.loads(archive.read("about.json"))
    assert (found.n_training, found.dataset) == (about["lessons"], "digits") == (5000, "digits")
    assert found.protocol.minimum_spikes == about["protocol"]["fewest_spikes"] == 5
    assert found.protocol.intensity_step == 512 * Hz
    assert found.network_settings.reset_state == tuple(about["circuit"]["settle"]) == ("v", "g_exc", "g_inh")


def test_what_is_no_network_at_all_is_refused(tmp_path: Path) -> None:
    other, text = tmp_path / "other.npz", tmp_path / "text.npz"
    np.savez(other, w=np.arange(3))
    text.write_text("no archive")
    with pytest.raises(DataError, match="expected a trained network"):
        learning.load_network(other)
    with pytest.raises(DataError, match="cannot be read as an npz archive"):
        learning.load_network(text)
    with pytest.raises(DataError, match="no such file"):
        learning.load_network(tmp_path / "nothing.npz")


def test_a_network_takes_images_of_its_shape_only(saved_network: Path) -> None:
    network = learning.load_network(saved_network)
    learning.check_fits(network, DATA, "here")
    large = dataclasses.replace(DATA, images=np.zeros((3, 4, 4), dtype=np.uint8))
    with pytest.raises(DataError, match=r"here: dataset three: expected images of 2x2 pixels"):
        learning.check_fits(network, large, "here")
    with pytest.raises(DataError, match=r"images of three: expected more than 2"):
        learning.check_fits(network, DATA.take(np.array([0, 1])), "here")
