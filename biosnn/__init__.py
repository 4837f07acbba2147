"""biosnn: a laboratory bench for biologically plausible spiking neural networks on Brian2.

The names below are the public interface. They are loaded when first used, so that ``biosnn --help`` need not wait for
Brian2.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from biosnn import preferences

if TYPE_CHECKING:
    from biosnn.catalogue import neuron_model, synapse_model
    from biosnn.conversion.converting import convert
    from biosnn.engine import Simulation, session
    from biosnn.errors import BiosnnError
    from biosnn.groups.build import neurons, synapses
    from biosnn.groups.schedule import within_step
    from biosnn.inputs import background, images, poisson
    from biosnn.model import Event, Given, Input, NeuronModel, Parameter, SynapseModel, Trace
    from biosnn.projection import (
        ByDistance,
        Conv2D,
        Dense,
        FixedIndegree,
        FixedOutdegree,
        FixedProbability,
        FixedTotal,
        Lateral,
        OneToOne,
        Pool2D,
        Projection,
        Shortcut,
        Sparse,
    )
    from biosnn.quantity import format_quantity, parse_quantity
    from biosnn.recording import record_spikes
    from biosnn.run import run_study
    from biosnn.script import activate
    from biosnn.sweep import Sweep

_HOMES = {
    "biosnn.groups.build": ("neurons", "synapses"),
    "biosnn.conversion.converting": ("convert",),
    "biosnn.engine": ("Simulation", "session"),
    "biosnn.errors": ("BiosnnError",),
    "biosnn.inputs": ("background", "images", "poisson"),
    "biosnn.model": ("Event", "Given", "Input", "NeuronModel", "Parameter", "SynapseModel", "Trace"),
    "biosnn.projection": (
        "ByDistance",
        "Conv2D",
        "Dense",
        "FixedIndegree",
        "FixedOutdegree",
        "FixedProbability",
        "FixedTotal",
        "Lateral",
        "OneToOne",
        "Pool2D",
        "Projection",
        "Shortcut",
        "Sparse",
    ),
    "biosnn.recording": ("record_spikes",),
    "biosnn.quantity": ("format_quantity", "parse_quantity"),
    "biosnn.groups.schedule": ("within_step",),
    "biosnn.catalogue": ("neuron_model", "synapse_model"),
    "biosnn.run": ("run_study",),
    "biosnn.script": ("activate",),
    "biosnn.sweep": ("Sweep",),
}
preferences.guard()
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "BiosnnError",
    "ByDistance",
    "Conv2D",
    "Dense",
    "Event",
    "FixedIndegree",
    "FixedOutdegree",
    "FixedProbability",
    "FixedTotal",
    "Given",
    "Input",
    "Lateral",
    "NeuronModel",
    "OneToOne",
    "Parameter",
    "Pool2D",
    "Projection",
    "Shortcut",
    "Simulation",
    "Sparse",
    "Sweep",
    "SynapseModel",
    "Trace",
    "activate",
    "background",
    "convert",
    "format_quantity",
    "images",
    "neuron_model",
    "neurons",
    "parse_quantity",
    "poisson",
    "record_spikes",
    "run_study",
    "session",
    "synapse_model",
    "synapses",
    "within_step",
]


def __getattr__(name: str) -> Any:
    if name == "Listed":
        raise AttributeError("biosnn.Listed(shape, starts, targets) is now biosnn.Sparse(shape, indptr, indices)")
    if name not in _HOME_OF:
        raise AttributeError(f"module 'biosnn' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
