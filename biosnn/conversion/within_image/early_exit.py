"""An image ended inside the generated code as soon as the network is sure of its answer."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import stop

from biosnn.codegen.code_objects import Task

_TURNED = ("_turns", "_steps", "_early", "t_in_timesteps")


class EarlyExit(Task):
    """Ends an image when the largest potential of the output is far enough ahead of the second largest.

    Parameters
    ----------
    output : NeuronGroup
        With the potentials ``v``. It gets the variables ``_margin`` (how far), ``_length`` (of an image, in steps) and
        ``_images`` (how many are shown), which a run must set, and ``_steps_used``: how long each was shown.
    image_sequence : Images
        The images.
    """

    def __init__(self, output: Any, image_sequence: Any) -> None:
        self.output, self.image_sequence = output, image_sequence
        single = {"size": 1, "scalar": True, "index": "0"}
        output.variables.add_array("_margin", dtype=np.float64, **single)
        for name in ("_length", "_images"):
            output.variables.add_array(name, dtype=np.int64, **single)
        output.variables.add_array("_steps_used", size=image_sequence.n_images, dtype=np.int32)
        output_variables = ("v", "_margin", "_length", "_images", "_steps_used")
        needed = {name: output.variables[name] for name in output_variables} | {
            name: image_sequence.variables[name] for name in _TURNED
        }
        self.needed = needed
        at = {"clock": output.clock, "when": "end", "order": 10, "name": f"{output.name}_decides"}
        kwds = {"potential": needed["v"]}
        Task.__init__(self, output, "early_exit", "biosnn.conversion", needed, self.check, kwds, **at)
        output.contained_objects.append(self)

    def check(self) -> None:
        """Do it, on the targets that run in this process."""
        get = {name: var.get_value() for name, var in self.needed.items()}
        turn, length = int(get["_turns"].item()) - 1, int(get["_length"].item())
        if turn < 0:
            return
        steps_shown = int(get["t_in_timesteps"].item()) + int(get["_early"].item()) - int(get["_steps"][turn]) + 1
        get["_steps_used"][turn] = steps_shown
        second, first = np.sort(get["v"])[-2:] if len(get["v"]) > 1 else (-np.inf, get["v"][0])
        sure = first - second >= get["_margin"].item()
        if sure and steps_shown < length:
            get["_early"] += length - steps_shown
        if (sure or steps_shown == length) and turn == int(get["_images"].item()) - 1:
            stop()
