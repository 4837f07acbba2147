"""C++ code for synapses whose targets are scattered, in which a neuron that rests costs no more than another.

Whether a neuron is refractory cannot be foreseen, so that a condition per synapse costs the processor several times
what the addition does. Where a statement adds to what rests, the condition becomes a mask of the term. (Where targets
lie side by side, vector instructions have masks of their own.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2.codegen.generators.cpp_generator import CPPCodeGenerator


class ScatteredCppGenerator(CPPCodeGenerator):  # type: ignore[misc]
    """Brian2's, with masks instead of conditions."""

    def translate_to_statements(self, statements: Any, conditional_write_vars: Any) -> list[str]:
        """The statements in C++, those that add to what may rest by way of ``_unless_at_rest``."""
        lines: list[str] = []
        for statement in statements:
            adds = statement.op in ("+=", "-=") and statement.var in conditional_write_vars
            if (
                not adds
                or statement.used_boolean_variables
                or np.dtype(self.variables[statement.var].dtype).kind != "f"
            ):
                lines += super().translate_to_statements([statement], conditional_write_vars)
                continue
            term = self.translate_expression(statement.expr)
            condition = conditional_write_vars[statement.var]
            lines.append(f"{statement.var} {statement.op} _unless_at_rest({term}, {condition});")
        return lines
