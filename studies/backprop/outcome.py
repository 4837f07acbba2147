"""Part 3: three ways of training, and controls that must fail: values, arrays, tables and claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from brian2 import joule, ms, second
from numpy.typing import NDArray

from biosnn import training
from biosnn.conversion import decisions
from biosnn.energy import Ledger, Verdict, verdict_rows, verdicts
from biosnn.engine import Simulation
from biosnn.measure import steps_needed
from biosnn.study import Claim, Result, Table

from .converted import Converted, convert_and_test
from .local import STEP, Local, learn_locally
from .points import CLASSES, Task, task_of
from .trained import (
    POTENTIAL,
    Trained,
    first_spike_accuracy,
    ledger_of,
    potential_accuracy,
    potential_network,
    spikes_of,
    spiking_network,
    train,
)

if TYPE_CHECKING:
    from .study import Settings

EXACT, SURROGATE, CONVERSION, LOCAL = "exact", "surrogate", "conversion", "local"
FIXED, SHUFFLED, TURNED, UNLEARNED = "frozen hidden layer", "shuffled labels", "sign turned", "local, no plasticity"
NEAR = 0.01
"""A decision has been reached when the accuracy is as near to the final one as this."""
SHOWN_CONVENTION = "neuron updates too"
"""Whose energy stands in the values; those of all stand in the report's tables."""


@dataclass(frozen=True, eq=False)
class Way:
    """What a way of training came to.

    Parameters
    ----------
    decided : array of int, shape (points,)
        The class of each test point.
    moments, accuracy_by_time : array
        Times, in ms, or in time steps of the converted network, and the accuracy so far.
    spikes : float
        Of all neurons but the inputs, in an example.
    ledger : Ledger
    """

    decided: NDArray[np.int64]
    moments: NDArray[np.float64]
    accuracy_by_time: NDArray[np.float64]
    spikes: float
    ledger: Ledger

    @property
    def decision(self) -> float:
        """From when on the accuracy is nearly the final one."""
        last = float(self.accuracy_by_time[-1])
        return float(steps_needed(self.accuracy_by_time, self.moments, last - NEAR))


def ways_result(settings: Settings, sim: Simulation) -> Result:
    """Train in all ways, and the controls."""
    task = task_of(settings)
    labels = task.test.labels
    exact, surrogate = _by_gradients(settings, sim, task)
    controls = _controls(settings, sim, task)
    converted = convert_and_test(settings, sim, task)
    local, unlearned = learn_locally(settings, sim, task)
    ways = {
        EXACT: _way(exact, task, *first_spike_accuracy(exact, labels)),
        SURROGATE: _way(surrogate, task, *potential_accuracy(sim, surrogate, task.test)),
        CONVERSION: _converted_way(converted),
        LOCAL: _local_way(local),
    }
    judged = {name: verdicts(way.ledger) for name, way in ways.items()}
    values = {**_values(ways, judged, labels), "ways accuracy of the ordinary network": converted.ann_accuracy}
    values |= {f"ways accuracy, {name}": one.answer.accuracy for name, one in controls.items()}
    values[f"ways accuracy, {UNLEARNED}"] = float(np.mean(unlearned.decisions == labels))
    arrays = {**_arrays(ways, task), **_curves({EXACT: exact, SURROGATE: surrogate, **controls})}
    arrays |= _inside(sim, exact, task)
    tables = {"Three ways of training": _table(ways, values)}
    tables |= {f"Energy of {name}": Table(_ENERGY, verdict_rows(one)) for name, one in judged.items()}
    return Result(values, arrays, tables=tables)


_ENERGY = "Energy per point by each convention, and that of the ordinary network that the layers stand for."


def _by_gradients(settings: Settings, sim: Simulation, task: Task) -> tuple[Trained, Trained]:
    exact = train(settings, sim, spiking_network(settings, sim.seed), task, loss=training.FirstSpike())
    potentials = potential_network(settings, sim.seed)
    return exact, train(settings, sim, potentials, task, loss=POTENTIAL, method=training.Surrogate())


def _controls(settings: Settings, sim: Simulation, task: Task) -> dict[str, Trained]:
    loss, seed, few = training.FirstSpike(), sim.seed, settings.control_epochs
    shuffled = task.training.shuffled(seed)
    return {
        FIXED: train(settings, sim, spiking_network(settings, seed, frozen=True), task, loss=loss),
        SHUFFLED: train(settings, sim, spiking_network(settings, seed), task, loss=loss, labels=shuffled, epochs=few),
        TURNED: train(settings, sim, spiking_network(settings, seed), task, loss=loss, epochs=few, turned=True),
    }


def _way(trained: Trained, task: Task, moments: Any, by_time: NDArray[np.float64]) -> Way:
    spikes = sum(float(each.sum()) for each in trained.answer.spikes.values())
    return Way(trained.answer.decisions, np.asarray(moments / ms), by_time, spikes, ledger_of(trained, task.test))


def _converted_way(converted: Converted) -> Way:
    outcome = converted.outcome
    steps = np.arange(1, outcome.steps + 1)
    spikes = sum(int(count.sum()) for count in outcome.spikes.values()) / len(outcome.potentials)
    decided = decisions(outcome.potentials[:, -1])
    return Way(decided, steps.astype(float), outcome.latency_curve, spikes, converted.ledger)


def _local_way(local: Local) -> Way:
    moments = (np.arange(len(local.accuracy_by_step)) + 1).astype(np.float64) * float(STEP / ms)
    return Way(local.decisions, moments, local.accuracy_by_step, local.spikes, local.ledger)


def _values(ways: Mapping[str, Way], judged: Mapping[str, list[Verdict]], labels: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, way in ways.items():
        unit = 1 if name == CONVERSION else ms
        what = "steps to decision" if name == CONVERSION else "time to decision"
        energy = next(one.snn for one in judged[name] if one.convention == SHOWN_CONVENTION)
        assert energy is not None
        values |= {
            f"ways accuracy of {name}": float(np.mean(way.decided == labels)),
            f"ways spikes per point of {name}": way.spikes,
            f"ways {what} of {name}": way.decision * unit,
            f"ways operations per point of {name}": way.ledger.an_inference("events"),
            f"ways energy per point of {name}": energy,
        }
    return values


def _arrays(ways: Mapping[str, Way], task: Task) -> dict[str, Any]:
    arrays: dict[str, Any] = {
        "ways names": np.array(list(ways)),
        "ways points": task.test.values[:, :2],
        "ways labels": task.test.labels,
        "ways decided": np.array([way.decided for way in ways.values()]),
    }
    for name, way in ways.items():
        unit = 1 if name == CONVERSION else ms
        arrays[f"ways moments of {name}"] = way.moments * unit
        arrays[f"ways accuracy by time of {name}"] = way.accuracy_by_time
    return arrays


def _curves(trained: Mapping[str, Trained]) -> dict[str, Any]:
    return {
        f"ways {what.replace('_', ' ')} by epoch, {name}": one.curve(what)
        for name, one in trained.items()
        for what in ("loss", "accuracy", "validation_loss", "validation_accuracy")
    }


def _inside(sim: Simulation, exact: Trained, task: Task) -> dict[str, Any]:
    """The network trained by exact gradients, before and after: weights, spikes of some points, times of all spikes."""
    arrays: dict[str, Any] = {}
    one_each = np.array([np.flatnonzero(task.test.labels == label)[0] for label in range(CLASSES)])
    for when, network in (("before", exact.before), ("after", exact.network)):
        arrays[f"ways hidden weights {when}"] = network.weights["input_to_hidden"]
        for layer, spikes in spikes_of(sim, network, task.test).items():
            example = np.repeat(np.arange(len(spikes)), np.diff(spikes.indptr))
            times = spikes.step * network.dt * second
            arrays[f"ways {layer} times {when}"] = np.asarray(times, np.float32) * second
            chosen = np.isin(example, one_each)
            arrays[f"ways {layer} raster {when}"] = np.stack(
                [task.test.labels[example[chosen]], spikes.neuron[chosen]], axis=1
            )
            arrays[f"ways {layer} raster times {when}"] = times[chosen]
    arrays["ways duration"] = np.array([exact.network.duration]) * second
    return arrays


def _table(ways: Mapping[str, Way], values: Mapping[str, Any]) -> Table:
    rows = [["way", "accuracy", "spikes per point", "decision", "operations per point", "energy (nJ)"]]
    for name, way in ways.items():
        unit = "steps" if name == CONVERSION else "ms"
        energy = float(values[f"ways energy per point of {name}"] / (1e-9 * joule))
        accuracy, operations = values[f"ways accuracy of {name}"], way.ledger.an_inference("events")
        entries = (f"{100 * accuracy:.1f} %", f"{way.spikes:.1f}", f"{way.decision:g} {unit}", f"{operations:,.0f}")
        rows.append([name, *entries, f"{energy:.1f}"])
    for name in (FIXED, SHUFFLED, TURNED, UNLEARNED):
        rows.append([name, f"{100 * values[f'ways accuracy, {name}']:.1f} %", "", "", "", ""])
    caption = (
        "On the test points. Decision: from when on the accuracy is within a point of the final one. Operations: "
        f"spikes that arrive at synapses. Energy: by the convention {SHOWN_CONVENTION!r}. Below: what must fail, and "
        "local learning without plasticity."
    )
    return Table(caption, rows)


# ---- claims --------------------------------------------------------------------------------------------------------


def _spikes(result: Any) -> bool:
    """The minimum activity: in every way, a point has at least two spikes."""
    return all(result.values[f"ways spikes per point of {name}"] >= 2 for name in (EXACT, SURROGATE, CONVERSION, LOCAL))


def _accuracy(result: Any, name: str) -> float:
    return float(result.values[name])


def _gradients_learn(result: Any) -> bool:
    return all(_accuracy(result, f"ways accuracy of {name}") > LINEAR + 0.15 for name in (EXACT, SURROGATE))


LINEAR = 0.638
"""What a network without a hidden layer reaches (Kriener et al. 2022, table 1)."""

WAYS_CLAIMS = [
    Claim(
        "gradients learn what no linear network can",
        "exact and surrogate gradients bring the accuracy at least 15 points above that of a network without a hidden "
        "layer, 63.8 %",
        _gradients_learn,
        _spikes,
    ),
    Claim(
        "the hidden layer has to be trained",
        "with a hidden layer of 30 neurons that stays as it began, the accuracy is below 88 %, and below that of the "
        "network whose hidden layer is trained",
        lambda result: (
            _accuracy(result, f"ways accuracy, {FIXED}") < min(0.88, _accuracy(result, f"ways accuracy of {EXACT}"))
        ),
        _spikes,
    ),
    Claim(
        "nothing is learned of shuffled labels",
        "with labels in random order, the accuracy is below 45 %, where chance is 33 %",
        lambda result: _accuracy(result, f"ways accuracy, {SHUFFLED}") < 0.45,
        _spikes,
    ),
    Claim(
        "the sign of the gradient matters",
        "with the sign of the gradient turned, the accuracy is below 45 %",
        lambda result: _accuracy(result, f"ways accuracy, {TURNED}") < 0.45,
        _spikes,
    ),
    Claim(
        "conversion keeps what was learned",
        "the converted network is at most two points worse than the ordinary one",
        lambda result: (
            _accuracy(result, f"ways accuracy of {CONVERSION}")
            >= _accuracy(result, "ways accuracy of the ordinary network") - 0.02
        ),
        _spikes,
    ),
]
