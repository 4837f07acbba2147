"""An input model as a coding: what its neurons answer to each value, simulated once and kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
from brian2 import Network, Quantity, SpikeMonitor
from numpy.typing import NDArray

from biosnn.catalogue import neuron_model
from biosnn.coding import Coding, Spikes, check
from biosnn.coding.check import Values
from biosnn.coding.spikes import whole_steps
from biosnn.engine.simulation import Simulation
from biosnn.errors import CodingError, ModelError, field_error
from biosnn.groups.build import neurons
from biosnn.model import NeuronModel
from biosnn.model.expressions import identifiers

_CHANCE = {"rand", "randn", "poisson", "binomial"}


@dataclass(frozen=True, kw_only=True)
class Tabulated(Coding):
    """The spikes of an input model, looked up: those of the nearest value that was simulated.

    Made by `tabulate`. A coding of which no more is known has no decoder and no bound.

    Parameters
    ----------
    model : str
        The name of the input model.
    trains : Spikes
        Its spikes, neurons of shape ``(levels, draws)``: for each of the values, evenly spaced from 0 to 1, one
        realisation or several, of which `encode` draws one for each value.
    duration, dt : Quantity
        As of `Coding`, and of the trains.
    """

    model: str
    trains: Spikes

    stochastic: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        trains = self.trains
        if not isinstance(trains, Spikes) or len(trains.shape) != 2 or trains.length != self.length:
            expected = f"spikes of neurons (levels, draws) in {self.length} steps"
            raise CodingError(field_error(self.where("trains"), expected, trains))
        # Each object knows by itself whether there is chance in it.
        object.__setattr__(self, "stochastic", trains.shape[1] > 1)

    def fire(self, values: Values, rng: np.random.Generator | None) -> Spikes:
        """Look up the nearest value, and draw one of its realisations."""
        levels, draws = self.trains.shape
        rows = np.rint(values.ravel() * (levels - 1)).astype(np.int64) * draws
        if self.stochastic:
            rows += check.generator(self.where("encode"), rng).integers(draws, size=rows.size)
        steps, begins, counts = self._by_train
        spike_counts = counts[rows]
        # The places of a train's spikes follow each other: from where it begins, as many as it has.
        places = np.arange(spike_counts.sum()) + np.repeat(
            begins[rows] - (np.cumsum(spike_counts) - spike_counts), spike_counts
        )
        return self.spikes(steps[places], np.repeat(np.arange(rows.size), spike_counts), values.shape)

    def read(self, _spikes: Spikes, _steps: int) -> Values:
        """There is no decoder."""
        raise self._no_decoder()

    def error(self, _steps: int) -> float:
        """There is no bound."""
        raise self._no_decoder()

    @cached_property
    def _by_train(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """The steps of all spikes train by train, where each train begins, and how many spikes it has."""
        counts = self.trains.counts().ravel()
        return self.trains.steps[np.argsort(self.trains.neurons, kind="stable")], np.cumsum(counts) - counts, counts

    def _no_decoder(self) -> CodingError:
        return CodingError(
            f"The input model {self.model!r} has no decoder: studies measure what a fitted decoder finds."
        )


def tabulate(
    sim: Simulation,
    model: str | Path | NeuronModel,
    *,
    levels: int = 256,
    duration: Quantity,
    dt: Quantity,
    draws: int = 100,
    seed: int,
) -> Tabulated:
    """Make a coding of an input model, whose neurons turn a value ``x`` that comes at ``onset`` into spikes.

    Since each neuron codes its value by itself, its response to each value is all that is needed. The model is
    simulated for some values from 0 to 1, all at once, each of them as often as asked if there is chance in it.

    Parameters
    ----------
    sim : Simulation
        An open session. What it has simulated so far is forgotten (`Simulation.reset`).
    model : str, Path or NeuronModel
        A name in the catalogue, a ``.toml`` file, or a model.
    levels : int
        How many values, evenly spaced from 0 to 1; at least 2. The default is that of grey levels of a byte.
    duration, dt : Quantity
        As of `Coding`.
    draws : int
        How many realisations of each value to keep if equations, threshold, reset or initial values have random
        numbers; otherwise one is enough.
    seed : int
        Of the random numbers.

    Returns
    -------
    Tabulated

    Raises
    ------
    ModelError
        If the model has not the value inputs ``x`` and ``onset``.
    NotFoundError
        If there is no such model.
    CodingError, QuantityError
        If a number or time does not fit.
    """
    input_model = neuron_model(model)
    for name in ("x", "onset"):
        if name not in input_model.inputs or input_model.inputs[name].kind != "value":
            where = f"coding {input_model.name!r}, inputs"
            raise ModelError(field_error(where, "the value inputs x and onset", sorted(input_model.inputs)))
    levels = check.whole("tabulate, levels", levels, 2, 1_000_000)
    draws = check.whole("tabulate, draws", draws, 1, 1_000_000) if _has_chance(input_model) else 1
    length = whole_steps("tabulate, duration", duration, dt)
    sim.reset(dt=dt, seed=seed)
    group = neurons(levels * draws, input_model, values={"x": np.repeat(np.linspace(0, 1, levels), draws)})
    monitor = SpikeMonitor(group)
    sim.run(Network(group, monitor), length * dt, f"input model {input_model.name}")
    steps, cells = np.rint(np.asarray(monitor.t / dt)).astype(np.int64), np.array(monitor.i)
    trains = Spikes(steps, cells, shape=(levels, draws), length=length, dt=dt)
    return Tabulated(model=input_model.name, trains=trains, duration=duration, dt=dt)


def _has_chance(model: NeuronModel) -> bool:
    texts = [model.equations, model.threshold, model.reset, model.refractory, *model.initial.values()]
    used = identifiers("\n".join(texts))
    return bool(used & _CHANCE or any(name == "xi" or name.startswith("xi_") for name in used))
