"""What a network of NIR is shown, and what of it is recorded, checked before anything is built. NumPy only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from biosnn.ann.layers import MOST_VALUES
from biosnn.display import Brief
from biosnn.errors import ConversionError, field_error, unknown
from biosnn.nir.fields import Numbers
from biosnn.nir.network import NirNetwork
from biosnn.nir.nodes import Input

A = TypeVar("A", bound=np.ndarray)


@dataclass(frozen=True, eq=False)
class Shown(Brief):
    """Inputs in one form.

    Parameters
    ----------
    values : mapping of str to ndarray, shape (samples, steps, *shape)
        Of each Input.
    samples, steps : int
        How many there are.
    several : bool
        Whether they were given with an axis of samples.
    """

    values: Mapping[str, Numbers]
    samples: int
    steps: int
    several: bool

    def as_given(self, arrays: Mapping[str, A]) -> dict[str, Any]:
        """Results with an axis of samples only if the inputs had one."""
        return {name: array if self.several else array[0] for name, array in arrays.items()}


def shown(network: NirNetwork, inputs: Any) -> Shown:
    """Check inputs, and put them into one form.

    Raises
    ------
    ConversionError
        If one is missing or unknown, has another shape, no finite numbers, or too many.
    """
    given = inputs if isinstance(inputs, Mapping) else dict.fromkeys(network.inputs[:1], inputs)
    if set(given) != set(network.inputs):
        do = "Give them by name: {name: values}."
        raise ConversionError(field_error("run_nir inputs", f"those of {list(network.inputs)}", list(given), do))
    arrays = {name: _checked(network, name, values) for name, values in given.items()}
    lead = {name: array.shape[: array.ndim - len(network.shapes[name])] for name, array in arrays.items()}
    if len(set(lead.values())) > 1:
        raise ConversionError(field_error("run_nir inputs", "as many samples and steps for each", lead))
    first = next(iter(lead.values()))
    several = len(first) == 2
    values = arrays if several else {name: array[None] for name, array in arrays.items()}
    samples, steps = first if several else (1, *first)
    most = max(int(np.prod(shape)) for shape in network.shapes.values())
    if samples * steps * most > MOST_VALUES:
        expected = f"at most {MOST_VALUES // most} steps of all samples, as the largest node has {most} values"
        do = "Run fewer samples at a time."
        raise ConversionError(field_error("run_nir inputs", expected, samples * steps, do))
    return Shown({name: np.asarray(array, np.float64) for name, array in values.items()}, samples, steps, several)


def recorded(network: NirNetwork, record: Iterable[str], given: Shown) -> list[str]:
    """The neurons to record: those that lead to an Output, and others that are wanted.

    Raises
    ------
    ConversionError
        If a name is unknown, or records would take too much memory.
    """
    valid = [name for name in network.order if not isinstance(network.nodes[name], Input)]
    wanted = [record] if isinstance(record, str) else list(record)
    for name in wanted:
        if name not in valid:
            raise ConversionError(f"run_nir record: {unknown('population of neurons', str(name), valid)}")
    leading = {path.source for path in network.paths if path.target in network.outputs}
    names = [name for name in valid if name in leading or name in wanted]
    values = given.samples * given.steps * sum(int(np.prod(network.shapes[name])) for name in names)
    if values > MOST_VALUES:
        do = "Record fewer, or run fewer samples at a time."
        raise ConversionError(field_error(f"run_nir record of {names}", f"at most {MOST_VALUES} values", values, do))
    return names


def _checked(network: NirNetwork, name: str, values: Any) -> Numbers:
    where, shape = f"run_nir inputs of {name!r}", network.shapes[name]
    try:
        array = np.asarray(values)
    except ValueError:  # rows of unequal length
        array = np.asarray(None)
    fits = array.ndim - len(shape) in (1, 2) and array.shape[array.ndim - len(shape) :] == shape
    if array.dtype.kind not in "fiub" or not fits or not array.size:
        axes = ", ".join(map(str, shape))
        expected = f"numbers of the shape (steps, {axes}) or (samples, steps, {axes})"
        raise ConversionError(field_error(where, expected, f"{array.dtype} {array.shape}"))
    wrong = int(array.size - np.isfinite(array).sum())
    if wrong:
        raise ConversionError(field_error(where, "finite numbers", f"{wrong} NaN or infinite"))
    return array
