"""Arrays put back to zero inside the generated code: at regular times, or when something happens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from brian2.core.variables import DynamicArrayVariable

from biosnn.codegen.code_objects import Task


class Clear(Task):
    """Puts arrays back to zero.

    Parameters
    ----------
    projection : Projection
        Whose it is.
    arrays : sequence of (Variable, int, int)
        The variables, and the first and last (exclusive) of their elements; of an array that grows, always all.
    events : Variable, optional
        A list of spikes: nothing is done in steps in which there are none.
    **when
        ``name``, ``clock`` or ``dt``, and ``when`` and ``order``.
    """

    def __init__(
        self, projection: Any, arrays: Sequence[tuple[Any, int, int]], events: Any = None, **when: Any
    ) -> None:
        self.arrays, self.events = list(arrays), events
        needed = {f"_array_{number}": var for number, (var, _, _) in enumerate(self.arrays)}
        if events is not None:
            needed["_events"] = events
        grows = [isinstance(var, DynamicArrayVariable) for var, _, _ in self.arrays]
        kwds = {"arrays": self.arrays, "grows": grows, "events": events}
        Task.__init__(self, projection, "clear", "biosnn.projection", needed, self.clear, kwds, **when)

    def clear(self) -> None:
        """Do it, on the targets that run in this process."""
        if self.events is None or self.events.get_value()[-1] > 0:
            for var, start, stop in self.arrays:
                elements = slice(None) if isinstance(var, DynamicArrayVariable) else slice(start, stop)
                var.get_value()[elements] = np.zeros((), dtype=var.dtype)
