"""The neurons of NIR as models: equations that Brian2 runs. NIR has no volts: potentials and currents are numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from brian2 import hertz, second
from numpy.typing import NDArray

from biosnn.ann.connections import order
from biosnn.ann.layers import Shape
from biosnn.errors import ConversionError, field_error
from biosnn.model import NeuronModel
from biosnn.nir.neurons import CubaLI, I, Neuron, Spiking
from biosnn.nir.nodes import Threshold

METHODS = ("euler", "exact")
_SOURCE = "Pedersen et al. 2024, Nat Commun 15:8122, table 1, doi:10.1038/s41467-024-52259-9"
_CUBA = """
dv/dt = (v_leak - v + r*{current})/tau_mem : 1
dI/dt = (w_in*S - I)/tau_syn : 1
S : 1
tau_mem : second (constant)
tau_syn : second (constant)
w_in : 1 (constant)
v_leak : 1 (constant)
r : 1 (constant)
"""
_LEAKY = """
dv/dt = (v_leak - v + r*I)/tau : 1
I : 1
tau : second (constant)
v_leak : 1 (constant)
r : 1 (constant)
"""
_PLAIN = """
dv/dt = r*I : 1
I : 1
r : hertz (constant)
"""
_THRESHOLD = """
v : 1
I : 1
v_threshold : 1 (constant)
"""


def entrance(node: Neuron | Threshold) -> str:
    """The variable that what arrives in a time step is added to."""
    return "S" if isinstance(node, CubaLI) else "I"


def model_of(node: Neuron | Threshold, method: str, sends: bool = True, more: Iterable[str] = ()) -> NeuronModel:
    """A node as a model.

    Parameters
    ----------
    node : Neuron or Threshold
        The node. Those that do not spike send their potential in every step: their model then spikes in every step.
    method : {"euler", "exact"}
        How it is integrated; see docs/nir.md for the scheme.
    sends : bool
        Whether others take something from it.
    more : iterable of str
        Names of numbers that each neuron is to have beside those of the node.
    """
    nothing = "v = v"  # Brian2 warns of a threshold without a reset
    if isinstance(node, Threshold):
        text, threshold, reset, integrator = _THRESHOLD, "v > v_threshold", nothing, "euler"
    else:
        text, integrator = _dynamics(node, method), method
        threshold, reset = ("i >= 0", nothing) if sends else ("", "")
        if isinstance(node, I):
            integrator = "euler"  # exact, since the current is constant within a step
    if isinstance(node, Spiking):
        text += "v_threshold : 1 (constant)\n"
        threshold = f"v {node.fires} v_threshold"
        reset = "v -= v_threshold"
        if node.reset == "set":
            text, reset = text + "v_reset : 1 (constant)\n", "v = v_reset"
    text += "".join(f"{name} : 1 (constant)\n" for name in more)
    return NeuronModel(
        name=f"nir_{node.kind.lower()}",
        summary=f"{node.kind} of NIR.",
        source=_SOURCE,
        equations=text,
        threshold=threshold,
        reset=reset,
        method=integrator,
    )


def values_of(node: Neuron | Threshold, shape: Shape) -> dict[str, Any]:
    """The values of the variables that `model_of` names, for a population of a shape."""

    def spread(array: Any) -> NDArray[np.float64]:
        return np.broadcast_to(np.asarray(array, np.float64), shape).ravel()[order(shape)]

    if isinstance(node, Threshold):
        return {"v_threshold": spread(node.threshold)}
    named = [*node.parameters, *(["w_in"] if isinstance(node, CubaLI) else [])]
    if isinstance(node, Spiking) and node.reset == "set":
        named.append("v_reset")
    units = {"tau": second, "tau_mem": second, "tau_syn": second, **({"r": hertz} if isinstance(node, I) else {})}
    values = {name: spread(getattr(node, name)) * units.get(name, 1) for name in named}
    return values | {"v": spread(start(node))}


def reset_statements(node: Neuron | Threshold) -> str:
    """Statements that reset a population, so that it begins at ``v_0``."""
    currents = ["I", "S"] if isinstance(node, CubaLI) else ["I"]
    return "\n".join([*([] if isinstance(node, Threshold) else ["v = v_0"]), *(f"{name} = 0" for name in currents)])


def start(node: Neuron) -> Any:
    """The potential at the start, where it is not 0."""
    return node.v_initial if node.v_initial is not None else getattr(node, "v_leak", 0.0)


def check_step(name: str, node: Neuron | Threshold, method: str, dt: float) -> None:
    """Refuse a time step in which a neuron cannot be integrated.

    Raises
    ------
    ConversionError
        If Euler's method would overshoot, or the exact solution has another form.
    """
    taus = {tau: getattr(node, tau) for tau in ("tau", "tau_syn", "tau_mem") if hasattr(node, tau)}
    for tau, values in taus.items():
        if method == "euler" and values.min() < dt * (1 - 1e-9):
            do = "Take a smaller step, that of the network's training, or method='exact'."
            where = f"Node {name!r} ({node.kind}) {tau}"
            raise ConversionError(field_error(where, f"at least the time step of {dt} s", float(values.min()), do))
    if method == "exact" and isinstance(node, CubaLI) and np.isclose(node.tau_syn, node.tau_mem, rtol=1e-6).any():
        do = "The solution has another form where they are equal: take method='euler', or change one by a thousandth."
        raise ConversionError(field_error(f"Node {name!r} ({node.kind})", "tau_syn other than tau_mem", "equal", do))


def _dynamics(node: Neuron, method: str) -> str:
    if isinstance(node, CubaLI):
        if method == "exact":
            return _CUBA.format(current="I")
        # The current takes its step first, and the potential sees its new value.
        return _CUBA.format(current="I_next") + "I_next = I + dt*(w_in*S - I)/tau_syn : 1\n"
    return _PLAIN if isinstance(node, I) else _LEAKY
