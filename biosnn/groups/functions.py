"""Functions that a model calls and that are given when it is built: a ``TimedArray``, or a function with units."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from brian2 import TimedArray
from brian2.core.functions import Function
from brian2.devices.device import get_device
from brian2.units.fundamentalunits import Dimension, get_dimensions

from biosnn.codegen.code_objects import language
from biosnn.errors import ModelError, field_error
from biosnn.model import Given, NeuronModel
from biosnn.quantity import dimension_name


def given_functions(model: NeuronModel, values: Mapping[str, Any], n: int) -> dict[str, Function]:
    """The functions of a model among the values of ``n`` neurons.

    Raises
    ------
    ModelError
        If one is missing, is no function with units, has other units than the model says, has fewer columns than there
        are neurons that it is asked for, or has no code for the target.
    """
    found = {}
    for name, entry in model.functions.items():
        where, stub = f"neurons({model.name!r}), values.{name}", model.stubs[name]
        expected = f"a TimedArray or a function of ({entry.arguments}) in {entry.unit}"
        if name not in values:
            do = f"It is {entry.meaning}. Give values={{{name!r}: TimedArray(…)}}."
            raise ModelError(field_error(where, expected, "nothing", do))
        function = _as_function(where, expected, values[name])
        _check_units(where, entry, stub, function)
        _check_columns(where, model, name, function, n)
        _check_target(where, function)
        found[name] = function
    return found


def stand_ins(model: NeuronModel) -> dict[str, Function]:
    """Functions that are zero everywhere, to try a model in NumPy without those that it needs."""
    found = {}
    for name, stub in model.stubs.items():
        names = {"arg_units": stub._arg_units, "arg_names": stub._arg_names, "return_unit": stub._return_unit}
        found[name] = Function(_zero, stateless=True, **names)
        found[name].implementations.add_numpy_implementation(_zero)
    return found


def _zero(*arguments: Any) -> Any:
    return np.zeros(np.broadcast(*arguments).shape)


def _as_function(where: str, expected: str, value: Any) -> Function:
    if isinstance(value, Function):
        return value
    if callable(value) and hasattr(value, "_arg_units") and hasattr(value, "_return_unit"):
        return Function(value)
    do = "Write Brian2's @check_units(t=second, result=amp) before a Python function." if callable(value) else ""
    raise ModelError(field_error(where, expected, value, do))


def _check_units(where: str, entry: Given, stub: Function, function: Function) -> None:
    wanted = [get_dimensions(unit) for unit in stub._arg_units]
    # A TimedArray of two dimensions leaves the unit of its second argument, a number of a neuron, open.
    given = [None if unit is None or isinstance(unit, str) else get_dimensions(unit) for unit in function._arg_units]
    if len(wanted) != len(given):
        expected = f"a function of {len(wanted)} arguments ({entry.arguments})"
        raise ModelError(field_error(where, expected, f"{len(given)} arguments"))
    for number, (one, other) in enumerate(zip(wanted, given, strict=True)):
        if other is not None and one != other:
            what = f"{dimension_name(one)} as argument {number + 1}"
            raise ModelError(field_error(where, what, dimension_name(other)))
    result = function._return_unit
    value = result(*wanted) if callable(result) and not hasattr(result, "dim") else result
    dimension = value if isinstance(value, Dimension) else get_dimensions(value)
    if dimension != get_dimensions(stub._return_unit):
        expected = f"values of {dimension_name(get_dimensions(stub._return_unit))}"
        raise ModelError(field_error(where, expected, dimension_name(dimension)))


def _check_columns(where: str, model: NeuronModel, name: str, function: Function, n: int) -> None:
    if not isinstance(function, TimedArray) or function.values.ndim != 2:
        return
    columns = function.values.shape[1]
    if re.search(rf"\b{name}\(\s*t\s*,\s*i\s*\)", model.equations) and columns < n:
        raise ModelError(field_error(where, f"a column for each of the {n} neurons", f"{columns} columns"))


def _check_target(where: str, function: Function) -> None:
    code_object = get_device().code_object_class()
    if language(code_object) == "numpy":
        return
    try:
        function.implementations[code_object]
    except KeyError:
        do = "Give a TimedArray, add the code with Brian2's @implementation, or use the target numpy."
        expected = f"a function with code in {language(code_object)}"
        raise ModelError(field_error(where, expected, "a function in Python", do)) from None
