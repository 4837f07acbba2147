"""Keep a network in its working range while it learns, at the start of every image, inside the generated code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from brian2 import NeuronGroup, Quantity

from biosnn.errors import ModelError, unknown

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
