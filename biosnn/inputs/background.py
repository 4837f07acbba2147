"""Background input: many independent Poisson sources for each neuron, of which only their number in a step is drawn.

``n`` sources of a rate send ``n*rate*dt`` spikes in a time step on average, and their number has the Poisson
distribution, whatever the rate. So a neuron takes one random number per step, not one for each source.

On C++ the number is a function of a key that the seed gives, of the time step and of the neuron: no state is kept, and
no neuron's numbers depend on how many there are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import Hz, Quantity, get_dimensions
from brian2.core.variables import Variables
from brian2.devices.device import get_device
from brian2.groups.group import CodeRunner, Group
from brian2.units.fundamentalunits import Dimension

from biosnn.codegen import code_objects
from biosnn.codegen.divisible import divisible
from biosnn.codegen.half_made import without_leftovers
from biosnn.errors import ModelError, field_error, unknown
from biosnn.inputs import check
from biosnn.quantity import check_dimension

_ONTO, _INDEX = "_onto", "_target_idx"
_ADD = f"{_ONTO} += weight*"
_CPP = {"key": "_first = rand()\n_second = rand()", "draw": f"{_ADD}_count"}
_ELSEWHERE = f"{_ADD}poisson(clip(n*rate*dt, 0, 1e15))"  # statements may set what is negative: none, as on C++


class Background(Group):  # type: ignore[misc]
    """Poisson input to each neuron of a group; made by `background`.

    Put it into a ``Network`` with its neurons.

    Attributes
    ----------
    n
        How many sources each neuron has. It need not be whole: only ``n*rate`` matters.
    rate : Hz
        Of each source.
    weight
        What a spike adds, in the unit of the variable.
    """

    add_to_magic_network = True

    def __init__(
        self, target: Any, onto: str, n: Any, rate: Any, weight: Any, *, when: str, order: int, name: str
    ) -> None:
        where = f"background {check.plain_name('background', name)!r}"
        variable = _variable(where, target, onto)
        values = _values(where, variable.dim, len(target), {"n": n, "rate": rate, "weight": weight})
        whole = getattr(target, "source", target)
        Group.__init__(self, clock=whole.clock, when=when, order=order, namespace={}, name=name)
        self.codeobj_class = None
        self._N, self.target, self.onto = len(target), target, onto
        self.variables = variables = Variables(self)
        variables.add_constant("N", value=self._N)
        variables.create_clock_variables(self._clock)
        for each, value in values.items():
            size = self._N if value.shape else 1
            # Means are worked out in double precision, even where state variables are single.
            dtype = variable.dtype if each == "weight" else np.float64
            variables.add_array(
                each,
                size,
                dimensions=value.dim,
                dtype=dtype,
                scalar=not value.shape,
                index=None if value.shape else "0",
            )
        variables.add_array("_key", size=1, dtype=np.int64, scalar=True, index="0")
        start = int(getattr(target, "start", 0))
        variables.add_arange(_INDEX, self._N, start=start, constant=True, read_only=True)
        variables[_INDEX].unique = True  # each neuron is written to once
        variables.add_reference(_ONTO, whole, onto, index=_INDEX)
        rests = getattr(variable, "conditional_write", None)
        if rests is not None:
            variables.add_reference(rests.name, whole, rests.name, index=_INDEX)
        for each in ("_first", "_second", "_count"):
            variables.add_auxiliary_variable(each, dtype=np.float64)
        self.contained_objects.append(_Draw(self))
        self._enable_group_attributes()
        for each, value in values.items():
            setattr(self, each, value)

    def before_building(self) -> None:
        """Refuse statements of other objects that change n or rate, of which the generated code would not know."""
        kept = any(not self.variables[name].scalar for name in ("n", "rate"))  # means of single neurons
        for name in ("n", "rate") if kept else ():
            others = sorted(get_device().written_by.get(self.variables[name], set()) - {self.name})
            if others:
                expected = f"statements of {self.name}.run_regularly"
                raise ModelError(
                    field_error(f"{self.name}, {name}, changed in a run", expected, f"those of {others[0]}")
                )

    def __setattr__(self, name: str, value: Any, level: int = 0) -> None:
        """Set a variable; numbers of sources and rates are checked."""
        if name in ("n", "rate", "weight") and not isinstance(value, str):
            var = self.variables[name]
            value = _values(f"{self.name}", var.dim, self._N, {name: value})[name]
            if value.shape and var.scalar:
                do = "To let it differ from neuron to neuron, give an array when the background is made."
                raise ModelError(field_error(f"{self.name}, {name}", "one value", f"shape {value.shape}", do))
        super().__setattr__(name, value, level=level + 1)


class _Draw(CodeRunner):  # type: ignore[misc]
    """Adds what arrives in a time step."""

    def __init__(self, group: Background) -> None:
        each = {name: not group.variables[name].scalar for name in ("n", "rate")}
        CodeRunner.__init__(
            self,
            group,
            "background",
            code=dict(_CPP),
            clock=group.clock,
            when=group.when,
            order=group.order,
            name=f"{group.name}_draw",
            template_kwds={"each": each, "divisible": False, "changing": True},
        )

    def before_run(self, run_namespace: Any) -> None:
        """Choose the code and the template of the active target, and let Brian2 generate the code."""
        package = code_objects.for_target("biosnn.inputs")
        cpp = code_objects.language(package) == "cpp"
        self.codeobj_class = package if cpp else None
        self.template = "background" if cpp else "stateupdate"
        self.abstract_code = dict(_CPP) if cpp else _ELSEWHERE
        self.needed_variables = ["n", "rate", "_key"] if cpp else []
        variables, indices = self.group.variables, self.group.variables.indices
        # That takes as long as a third of the drawing.
        self.template_kwds["changing"] = any(obj is not self for obj in self.group.contained_objects)
        self.template_kwds["divisible"] = divisible(_CPP["draw"], variables, indices, (_INDEX,))
        super().before_run(run_namespace)


@without_leftovers()
def background(
    target: Any,
    onto: str,
    *,
    n: Any = 1,
    rate: Any,
    weight: Any,
    when: str = "synapses",
    order: int = 0,
    name: str = "background*",
) -> Background:
    """Let each neuron of a group get spikes of Poisson sources of its own, as of the rest of the brain.

    In each time step, ``weight`` times a number that has the Poisson distribution with mean ``n*rate*dt`` is added to
    the variable ``onto`` of each neuron. There is no highest rate. Brian2's ``PoissonInput`` draws from a binomial
    distribution, which comes to the same for many sources. A neuron whose variable rests while it is refractory gets
    nothing.

    Parameters
    ----------
    target : NeuronGroup or Subgroup
        The neurons.
    onto : str
        The variable that spikes add to.
    n : float or array
        How many sources each neuron has: one number, or one for each neuron.
    rate : Quantity, str or array
        Of each source.
    weight : Quantity, str or array
        What a spike adds, in the unit of the variable.
    when, order
        When in a time step; by default, as spikes of synapses do.
    name : str
        Its name.

    Returns
    -------
    Background
        Its variables ``n``, ``rate`` and ``weight`` may be set between runs, by the statements of ``run_regularly``
        during one, and by the points of a sweep. None of this needs a new build.

    Raises
    ------
    ModelError
        If the group has no such variable; if a number of sources or a rate is negative or no finite number, or an array
        has not one value for each neuron.
    QuantityError
        If a quantity has the wrong dimension, or a text is none.
    """
    return Background(target, onto, n, rate, weight, when=when, order=order, name=name)


def _variable(where: str, target: Any, onto: str) -> Any:
    variables = getattr(target, "variables", {})
    valid = [name for name, var in variables.items() if not name.startswith("_") and _can_be_added_to(var)]
    if "N" not in variables or not valid:
        raise ModelError(field_error(f"{where}, target", "a group of neurons with state variables", target))
    if onto not in valid:
        raise ModelError(f"{where}, onto: " + unknown("variable of the neurons", onto, valid))
    return variables[onto]


def _can_be_added_to(var: Any) -> bool:
    return not (var.read_only or getattr(var, "scalar", True) or np.dtype(var.dtype).kind != "f")


def _values(where: str, dim: Dimension, size: int, given: dict[str, Any]) -> dict[str, Quantity]:
    """Quantities of the right dimension and shape, finite and, but for weights, not negative."""
    dims = {"n": get_dimensions(1), "rate": get_dimensions(Hz), "weight": dim}
    found = {}
    for name, value in given.items():
        place = f"{where}, {name}"
        found[name] = check.quantity(place, value)
        check_dimension(place, found[name], dims[name])
        if found[name].shape not in ((), (size,)):
            raise ModelError(field_error(place, f"one value or {size}", f"shape {found[name].shape}"))
        wrong = ~np.isfinite(np.asarray(found[name])) | ((np.asarray(found[name]) < 0) & (name != "weight"))
        if np.any(wrong):
            expected = "finite values" if name == "weight" else "finite values, none negative"
            got = found[name][wrong][0] if found[name].shape else found[name]
            raise ModelError(field_error(place, expected, got))
    return found
