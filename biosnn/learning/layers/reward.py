"""Cells that stand for classes are told by a reward whether their answer to the present image is right."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import NeuronGroup, Quantity
from numpy.typing import NDArray

RIGHT = "right"
"""The variable of the cells that is 1 where their answer would be rewarded, and 0 where it would be punished."""
_ORDER = -7  # in the slot "start", when images have turned


def tell_classes(cells: Any, pictures: Any, labels: NDArray[np.integer], classes: int, period: Quantity) -> list[Any]:
    """Give cells a variable that says whether they stand for the class of the present image.

    Cell i stands for the class i modulo the number of classes.

    Parameters
    ----------
    cells : NeuronGroup
        They get the variable ``right``.
    pictures : Images
        What shows the images.
    labels : ndarray of int, shape (images,)
        Their classes.
    classes : int
        How many there are.
    period : Quantity
        From one image to the next.

    Returns
    -------
    list
        What a Network takes along.
    """
    teacher = NeuronGroup(
        1, "now : integer\nlabel : integer", namespace={}, name=f"{cells.name}_teacher", clock=cells.clock
    )
    given = labels.astype(np.int32)
    fixed = {"dtype": np.int32, "constant": True, "read_only": True}
    teacher.variables.add_array("labels", size=len(given), values=given, index="now", **fixed)
    teacher.variables.add_reference("frame", pictures, "frame", index="0")
    at = {"dt": period, "when": "start"}
    teacher.run_regularly("now = frame", **at, order=_ORDER, name=f"{teacher.name}_looks")
    teacher.run_regularly("label = labels", **at, order=_ORDER + 1, name=f"{teacher.name}_reads")
    own = (np.arange(len(cells)) % classes).astype(np.int32)
    cells.variables.add_array("own_class", size=len(cells), values=own, **fixed)
    cells.variables.add_array(RIGHT, size=len(cells))
    cells.variables.add_reference("label", teacher, "label", index="0")
    cells.run_regularly(f"{RIGHT} = int(own_class == label)", **at, order=_ORDER + 2, name=f"{cells.name}_are_told")
    return [teacher]
