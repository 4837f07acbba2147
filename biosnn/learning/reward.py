"""A reward, such as dopamine, that other neurons release and that all synapses of a kind see."""

from __future__ import annotations

from typing import Any

from biosnn.errors import ModelError, field_error, unknown


def follow(synapses: Any, group: Any, variable: str, *, reward: str = "reward") -> None:
    """Let the reward of plastic synapses be a variable of a neuron, at every moment of a run.

    Equations of the synapses, which are solved at every time step, then read the variable itself.

    Parameters
    ----------
    synapses : Synapses or Projection
        Made by `biosnn.synapses` from a model such as ``rstdp``.
    group : NeuronGroup
        A group of one neuron.
    variable : str
        Its variable that is the reward.
    reward : str
        The input of the model that it takes the place of.

    Raises
    ------
    ModelError
        If the model has no such input, or the group no such variable, of the same dimension, or more than one neuron.
    """
    where = f"follow({synapses.name!r})"
    inputs = [name for name, entry in synapses.model.inputs.items() if entry.kind == "value"]
    if reward not in inputs:
        raise ModelError(f"{where}: " + unknown(f"input of {synapses.model.name}", reward, inputs))
    if len(group) != 1:
        raise ModelError(field_error(f"{where}, group", "a group of one neuron", f"{len(group)} in {group.name}"))
    if variable not in group.variables:
        raise ModelError(f"{where}: " + unknown(f"variable of {group.name}", variable, list(group.variables)))
    wanted, given = synapses.variables[reward].dim, group.variables[variable].dim
    if wanted is not given:
        raise ModelError(field_error(f"{where}, {variable}", f"a variable with the dimension {wanted}", given))
    for variables in (synapses.variables, *(pathway.variables for pathway in getattr(synapses, "_pathways", ()))):
        if reward in variables:
            variables._variables.pop(reward)
            variables.indices.pop(reward, None)
            variables.add_reference(reward, group, variable, index="0")
