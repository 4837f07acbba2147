"""Try a model: build it and run it for a moment, which shows more than its text alone, and before a long run."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import Network, ms

from biosnn.engine import session
from biosnn.groups.build import neurons
from biosnn.groups.functions import stand_ins
from biosnn.groups.linked import linked_to_nothing
from biosnn.model import Model, NeuronModel, SynapseModel
from biosnn.report.preview import said_of
from biosnn.report.preview_synapse import connect_pairs, spike_source

_MOMENT, _DT = 10 * ms, 0.1 * ms


def try_model(model: Model) -> list[str]:
    """Build a model and run it for 10 ms on the NumPy target.

    Parameters
    ----------
    model : NeuronModel or SynapseModel
        The model, whose text was checked when it was made.

    Returns
    -------
    list of str
        What was checked, a sentence each.

    Raises
    ------
    ModelError
        If it cannot be built or run, saying why.
    RunError
        If a state variable is not finite after the run.
    """
    with said_of(model), session("numpy", seed=1, dt=_DT) as sim:
        objects = _neurons(model) if isinstance(model, NeuronModel) else _synapse(model)
        sim.run(Network(*objects), _MOMENT, f"trying {model.name}")
    return [
        "the text: names, physical dimensions, parameters and inputs, presets, a source",
        "built: the integration method takes the equations, and code is generated from all statements",
        f"run for {_MOMENT / ms:g} ms on the target numpy, {_said(model)}: every state variable is finite",
    ]


def _said(model: Model) -> str:
    if not isinstance(model, NeuronModel):
        return "with spikes on both sides"
    zero = f", and {', '.join(model.functions)} at zero" if model.functions else ""
    return f"with inputs at their defaults{zero}"


def _neurons(model: NeuronModel) -> list[Any]:
    return [neurons(2, model, values={**stand_ins(model), **linked_to_nothing(model)})]


def _synapse(model: SynapseModel) -> list[Any]:
    """Two synapses whose neurons fire several times, one pair before and one after."""
    pre = spike_source(np.array([1.0, 2.0]) * ms, 3 * ms, model, "_pre")
    post = spike_source(np.array([2.0, 1.0]) * ms, 3 * ms, model, "_post", more="received : 1")
    return [pre, post, connect_pairs(model, pre, post, onto="received" if model.transmits else "")]
