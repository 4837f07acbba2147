"""What the templates of a group's time step are told of its statements (templates/stateupdate.cpp, threshold.cpp)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from brian2 import NeuronGroup

from biosnn.codegen.divisible import divisible
from biosnn.engine.program.quiescence import watched


def template_options(
    *,
    owner: Any,
    name: str,
    abstract_code: str | Mapping[Any, str],
    variables: Mapping[str, Any],
    variable_indices: Mapping[str, str],
    **_: Any,
) -> dict[str, Any]:
    """Whether threads may divide a step between them, and what `watched` says of it.

    Parameters are those of Brian2's ``Device.code_object``.
    """
    code = abstract_code if isinstance(abstract_code, str) else "\n".join(abstract_code.values())
    options: dict[str, Any] = {"_divisible": divisible(code, variables, variable_indices)}
    # The step of neurons, and not what is done with them now and then.
    if isinstance(owner, NeuronGroup) and name.startswith(f"{owner.name}_stateupdater"):
        options |= watched(code, variables, variable_indices, len(owner))
    return options
