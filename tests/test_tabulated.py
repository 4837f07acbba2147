"""Input models as codings: simulated once, and looked up from then on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import Hz, ms

import biosnn
from biosnn.coding import TTFS, Bernoulli, Regular
from biosnn.errors import CodingError, ModelError, NotFoundError, QuantityError
from biosnn.inputs import Tabulated, encoder, tabulate
from biosnn.model import to_toml


def tabulated(model: Any, **given: Any) -> Tabulated:
    times = {"duration": 50 * ms, "dt": 1 * ms, **given}
    with biosnn.session(times.pop("target", "numpy"), seed=1) as sim:
        return tabulate(sim, model, seed=2, **times)


@pytest.mark.parametrize("target", ["numpy", pytest.param("cpp", marks=pytest.mark.cpp)])
def test_an_input_model_is_a_coding_that_is_looked_up(target: str) -> None:
    code = TTFS(duration=50 * ms)
    found = tabulated(encoder(code), levels=51, target=target)
    assert (found.trains.shape, found.stochastic) == ((51, 1), False)
    values = np.random.default_rng(6).random((7, 3))
    spikes, nearest = found.encode(values), code.encode(np.rint(values * 50) / 50)
    assert spikes.shape == (7, 3)
    assert np.array_equal(spikes.per_step(), nearest.per_step())
    with pytest.raises(CodingError, match=r"The input model 'encoder_ttfs' has no decoder"):
        found.decode(spikes)
    with pytest.raises(CodingError, match="has no decoder"):
        found.bound()


def test_a_neuron_with_several_spikes_has_all_of_them() -> None:
    found = tabulated(encoder(Regular(rate=400 * Hz)), levels=11)
    values = np.array([0.3, 0, 1, 0.3])
    expected = Regular(rate=400 * Hz, duration=50 * ms).encode(values)
    assert np.array_equal(found.encode(values).raster(), expected.raster())


def test_where_there_is_chance_realisations_are_drawn() -> None:
    code = Bernoulli(rate=500 * Hz, duration=50 * ms)
    found = tabulated(encoder(code), levels=3, draws=200)
    assert (found.trains.shape, found.stochastic) == ((3, 200), True)
    values = np.full(3000, 0.5)
    one, two = (found.encode(values, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(one.raster(), two.raster())
    counts = found.trains.counts()[1]
    assert abs(counts.mean() - 12.5) <= 5 * np.sqrt(50 * 0.25 * 0.75 / 200)
    assert abs(one.counts().mean() - counts.mean()) <= 5 * counts.std() / np.sqrt(3000)
    assert len({tuple(train) for train in one.raster().T}) > 150
    with pytest.raises(CodingError, match=r"Tabulated.encode, rng: expected a generator"):
        found.encode(values)


def test_a_file_is_an_input_model_too(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(to_toml(encoder(TTFS(duration=50 * ms))).replace("encoder_ttfs", "mine"))
    assert tabulated(str(tmp_path / "mine.toml"), levels=5).model == "mine"


def test_what_cannot_be_tabulated() -> None:
    for given, error, message in (
        (
            {"model": "lif"},
            ModelError,
            r"coding 'lif', inputs: expected the value inputs x and onset \(got \['I', 'v'\]\)",
        ),
        ({"model": "encoder_tfts"}, NotFoundError, "Did you mean 'encoder_ttfs'"),
        ({"levels": 1}, CodingError, "tabulate, levels: expected a whole number from 2"),
        ({"model": "encoder_bernoulli", "draws": 0}, CodingError, "tabulate, draws: expected a whole number from 1"),
        ({"duration": 50.5 * ms}, CodingError, "tabulate, duration: expected a multiple of the time step"),
        ({"dt": 1 * Hz}, QuantityError, "tabulate, duration, dt: expected a quantity in second"),
    ):
        with pytest.raises(error, match=message):
            tabulated(**{"model": "encoder_ttfs", **given})
    found = tabulated("encoder_ttfs", levels=2)
    with pytest.raises(
        CodingError, match=r"Tabulated.trains: expected spikes of neurons \(levels, draws\) in 60 steps"
    ):
        Tabulated(model="mine", trains=found.trains, duration=60 * ms)
