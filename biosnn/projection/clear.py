"""Arrays put back to zero inside the generated code: at regular times, or when something happens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from brian2.groups.group import CodeRunner

from biosnn.projection import codeobjects


class Clear(CodeRunner):  # type: ignore[misc]
    """Puts arrays back to zero.

    Parameters
    ----------
    projection : Projection
        Whose it is.
    arrays : sequence of (Variable, int, int)
        The variables, and the first and last (exclusive) of their elements.
    events : Variable, optional
        A list of spikes: nothing is done in steps in which there are none.
    **when
        ``name``, ``clock`` or ``dt``, and ``when`` and ``order``.
    """

    def __init__(
        self, projection: Any, arrays: Sequence[tuple[Any, int, int]], events: Any = None, **when: Any
    ) -> None:
        self.arrays, self.events = list(arrays), events
        kwds = {"arrays": self.arrays, "events": events}
        CodeRunner.__init__(self, projection, "clear", template_kwds=kwds, **when)
        needed = {f"_array_{number}": var for number, (var, _, _) in enumerate(self.arrays)}
        self.variables = projection.table(needed | ({} if events is None else {"_events": events}))
        self._needed = sorted(self.variables)
        self.variables.add_object("_clear", self.clear)

    def clear(self) -> None:
        """Do it, on the targets that run in this process."""
        if self.events is None or self.events.get_value()[-1] > 0:
            for var, start, stop in self.arrays:
                var.get_value()[start:stop] = np.zeros((), dtype=var.dtype)

    def before_run(self, run_namespace: Any) -> None:
        """Name what the active target needs, and let Brian2 generate the code."""
        self.codeobj_class = codeobjects.for_target()
        python = codeobjects.language(self.codeobj_class) != "cpp"
        self.needed_variables = ["_clear"] if python else self._needed
        super().before_run(run_namespace)
