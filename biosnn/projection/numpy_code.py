"""NumPy code for the synapses of one neuron at a time.

Brian2's generator takes for granted that all indices are arrays of the group, which `Synapses` has. Those of a
projection are worked out neuron by neuron, so two places of its code need them by name.
"""

from __future__ import annotations

from typing import Any

from brian2.codegen.generators.numpy_generator import NumpyCodeGenerator
from brian2.core.variables import AuxiliaryVariable

from biosnn.projection.kinds import CHANGE, INDEX

_INDICES = ("i", "j", "_presynaptic_idx", "_postsynaptic_idx")
_LOOP = "for _idx in _full_idx:"


class ProjectionNumpyGenerator(NumpyCodeGenerator):  # type: ignore[misc]
    """Brian2's, with indices that are no variables with memory."""

    def conditional_write(
        self, line: str, stmt: Any, variables: Any, conditional_write_vars: Any, created_vars: set[str]
    ) -> str:
        """Leave out the neurons whose variable rests ("unless refractory"), in the indices too."""
        code: str = super().conditional_write(
            line, stmt, variables, conditional_write_vars, {*created_vars, *_indices(variables)}
        )
        return code

    def vectorise_code(self, statements: Any, variables: Any, variable_indices: Any, index: str = "_idx") -> list[str]:
        """Where statements cannot be worked out for all synapses at once, go through them with all their indices."""
        lines: list[str] = super().vectorise_code(statements, variables, variable_indices, index)
        if _LOOP in lines:
            late = [INDEX] if any(f"[{INDEX}]" in line for line in lines) else []
            names = ", ".join(["_idx", *_indices(variables), *late])
            place = lines.index(_LOOP)
            lines[place - 1 : place + 1] = [f"_full_idx = {names}", f"for {names} in zip(*_full_idx):"]
        return lines


def _indices(variables: Any) -> tuple[str, ...]:
    """The names that have an entry for each synapse without being arrays of the group."""
    return (*_INDICES, CHANGE) if isinstance(variables.get(CHANGE), AuxiliaryVariable) else _INDICES
