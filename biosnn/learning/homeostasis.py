"""Keep a network in its working range while it learns, at the start of every image, inside the generated code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from brian2 import NeuronGroup, Quantity

from biosnn.errors import ModelError, unknown
from biosnn.projection import Dense, Projection, Sparse

# After the presenter has turned to the image and before anything else of the time step.
_ORDER = -5


def normalise_weights(synapses: Any, total: float, period: Quantity) -> list[Any]:
    """Scale the weights that arrive at each neuron so that they add up to a fixed total, once per period.

    Parameters
    ----------
    synapses : Synapses or Projection
        With a dimensionless weight ``w``.
    total : float
        What the weights of a neuron add up to.
    period : Quantity
        How often they are scaled.

    Returns
    -------
    list
        The objects that do it; with ``active = False`` they pause from the next run on.
    """
    # The sums live on a companion group, which a Network takes along with the synapses: any neuron model will do.
    target = getattr(synapses.target, "source", synapses.target)
    name = f"{synapses.name}_sums"
    sums = NeuronGroup(
        len(target),
        "weight_sum : 1\nweight_scale : 1\nweight_total : 1 (shared, constant)",
        clock=target.clock,
        namespace={},
        name=name,
    )
    sums.weight_total = total
    synapses.contained_objects.append(sums)
    synapses.variables.add_reference("weight_sum", sums, index="_postsynaptic_idx")
    synapses.variables.add_reference("weight_scale", sums, index="_postsynaptic_idx")
    at = {"dt": period, "when": "start"}
    return [
        sums.run_regularly("weight_sum = 0", **at, order=_ORDER, name=f"{name}_clear"),
        synapses.run_regularly("weight_sum += w", **at, order=_ORDER + 1, name=f"{name}_add"),
        # A neuron whose weights have all gone keeps none, instead of dividing by nothing.
        sums.run_regularly(
            "weight_scale = weight_total/clip(weight_sum, 1e-12, inf)", **at, order=_ORDER + 2, name=f"{name}_divide"
        ),
        synapses.run_regularly("w *= weight_scale", **at, order=_ORDER + 3, name=f"{name}_scale"),
    ]


def scaled(w: Any, neurons: int, total: float) -> Any:
    """Weights as `normalise_weights` leaves them.

    Parameters
    ----------
    w : array, shape (inputs * neurons,)
        Those of all neurons, input by input.
    neurons : int
        How many neurons they lead to.
    total : float
        What the weights of a neuron are to add up to.

    Returns
    -------
    ndarray, of the same shape and type
    """
    rows = np.asarray(w).reshape(-1, neurons)
    sums = np.maximum(rows.sum(axis=0, dtype=float), 1e-12)
    return (rows * (total / sums)).astype(rows.dtype).reshape(-1)


def reset_state(group: Any, names: Sequence[str], period: Quantity) -> None:
    """Put state variables of a group back to where they start, once per period: a long rest in no time.

    Parameters
    ----------
    group : NeuronGroup
        Made by `biosnn.neurons`.
    names : sequence of str
        State variables of its model.
    period : Quantity
        How often.

    Raises
    ------
    ModelError
        If the model has no such state variable.
    """
    valid = sorted(group.model.parsed.diff_eq_names)
    for name in names:
        if name not in valid:
            raise ModelError(f"{group.name}: " + unknown("state variable", name, valid))
    statements = [f"{name} = {group.model.initial.get(name, f'0*{name}')}" for name in names]
    if statements:
        at = {"dt": period, "when": "start", "order": _ORDER}
        group.run_regularly("\n".join(statements), **at, name=f"{group.name}_reset_state")


def forget_traces(synapses: Any, period: Quantity) -> None:
    """Put the traces of a rule back to where they start, once per period.

    Parameters
    ----------
    synapses : Projection
        Made by `biosnn.synapses`, its traces on the neurons.
    period : Quantity
        How often.
    """
    model = synapses.model
    for side in ("pre", "post"):
        traces = model.traces_of(side)
        group = next((obj for obj in synapses.contained_objects if obj.name == f"{synapses.name}_{side}_traces"), None)
        if group is not None:
            statements = [f"{name} = {trace.initial}" for name, trace in traces.items()]
            at = {"dt": period, "when": "start", "order": _ORDER}
            group.run_regularly("\n".join(statements), **at, name=f"{group.name}_begin_anew")


_ADAPT = -7  # in the slot "start", before anything is put back for the next image

_THRESHOLDS = """
theta : 1
won : 1
eta : 1 (shared, constant)
"""


def adapt_thresholds(group: Any, maps: int, period: Quantity, *, eta: float) -> list[Any]:
    """Let the thresholds of maps rise with their answers, and fall by as much as all of them rise on average.

    After each image, the threshold of a map changes by eta (n - m), where n is how many answers it gave and m the mean
    over all maps. So what the thresholds tend to is a rate, the same for all, whatever the number of maps and of
    answers is; the sum of the thresholds stays. (A target rate: Querlioz, Bichler, Dollfus & Gamrat 2013, IEEE Trans
    Nanotechnol 12:288, section III. Here it is the mean of the layer.)

    Parameters
    ----------
    group : NeuronGroup
        With an adaptive threshold ``theta``, which becomes that of the neuron's map. Neurons are in the order
        (row, column, map).
    maps : int
        How many maps there are.
    period : Quantity
        From one image to the next.
    eta : float
        By how much a threshold rises with an answer.

    Returns
    -------
    list
        What a Network takes along: first the group of thresholds, called ``<group>_thresholds``, with ``theta`` and
        ``eta``.
    """
    thresholds = NeuronGroup(maps, _THRESHOLDS, namespace={}, name=f"{group.name}_thresholds", clock=group.clock)
    answers = NeuronGroup(1, "answers : 1", namespace={}, name=f"{group.name}_answers", clock=group.clock)
    thresholds.eta = eta
    thresholds.variables.add_reference("answers", answers, "answers", index="0")
    at = {"dt": period, "when": "start"}
    thresholds.run_regularly("theta += eta*(won - answers/N)\nwon = 0", **at, order=_ADAPT)
    answers.run_regularly("answers = 0", **at, order=_ADAPT + 1)
    of_map = np.arange(len(group)) % maps
    each = Sparse.pairs(np.arange(len(group)), of_map, shape=(len(group), maps))
    counts = [
        Projection(group, thresholds, each, 1.0, on_pre="won_post += 1", name=f"{group.name}_wins"),
        Projection(group, answers, Dense(), 1.0, on_pre="answers_post += 1", name=f"{group.name}_all_wins"),
    ]
    _share(group, thresholds, of_map)
    return [thresholds, answers, *counts]


def _share(group: Any, thresholds: Any, of_map: Any) -> None:
    """Let the neurons' ``theta`` be that of their map."""
    variables = group.variables
    variables._variables.pop("theta")
    variables.indices.pop("theta", None)
    kwds = {"dtype": np.int32, "constant": True, "read_only": True}
    variables.add_array("_map", size=len(group), values=of_map.astype(np.int32), **kwds)
    variables.add_reference("theta", thresholds, "theta", index="_map")
