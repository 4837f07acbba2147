"""The synapses of a random kind: their arrays, whose lengths are known when they are drawn, and what draws them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from brian2 import Quantity, Unit, second
from brian2.core.variables import DynamicArrayVariable
from brian2.devices.device import get_device

from biosnn.codegen.code_objects import language
from biosnn.errors import ModelError, field_error
from biosnn.files import available_memory
from biosnn.projection.check import check_expression
from biosnn.projection.kinds import Indices
from biosnn.projection.random.expression import DELAY, Expression
from biosnn.projection.random.kinds import CHANCE, CONNECTIVITY, VALUES, Draw, RandomKind

_IN_NUMPY = 80
"""Bytes that drawing takes per synapse, beside what is kept, on the targets that run in this process."""
KEPT = 10**6
"""Of how many synapses at most a program writes what it has drawn, and nothing has changed, into its results."""


@dataclass
class Drawn:
    """What is drawn for a projection.

    Parameters
    ----------
    projection : Projection
        Whose kind is a `RandomKind`.
    initial : dict
        How variables of the synapses begin, as expressions; the others begin with 0.
    delayed : str
        The pathway whose spikes are delayed, by which the synapses of a source are sorted; "" if there is none.
    delay : str
        Statements that give its delay.
    incoming : bool
        Whether spikes of the target run statements, so that its synapses have to be found.
    late : list of str
        Arrays of what traces of the source neurons were in the steps that a delay may last.
    regular : bool
        Whether statements at regular times look at these, so that the delay of any synapse has to be known.
    begun : bool
        Whether a run has begun, with which synapses are drawn.
    """

    projection: Any
    initial: dict[str, str] = field(default_factory=dict)
    delayed: str = ""
    delay: str = ""
    incoming: bool = False
    late: list[str] = field(default_factory=list)
    regular: bool = False
    begun: bool = False

    @property
    def kind(self) -> RandomKind:
        """What is drawn, and from which numbers."""
        kind: RandomKind = self.projection.kind
        return kind

    def __post_init__(self) -> None:
        self.numbers = dict(self.kind.numbers)  # as they were set here; points may bring others
        self.kind.check_numbers(self.draw(self.numbers, key=0))
        kind, variables = self.kind, self.projection.variables
        fixed = {"constant": True, "read_only": True}
        variables.add_array("N", size=1, dtype=np.int32, scalar=True, index="0", **fixed)
        variables.add_array("_key", size=1, dtype=np.int64, scalar=True, index="0")
        for name, value in kind.numbers.items():
            dtype, size = np.float64 if name == "p" else np.int64, int(np.size(value))
            variables.add_array(name, size=size, dtype=dtype, scalar=size == 1, index="0", constant=True)
            variables[name].set_value(np.ravel(value))
        for side, name in (("pre", "source_population"), ("post", "target_population")):
            if name in kind.provides:
                self._add_population(side, name, kind.ends_of(side))
        if kind.seed is not None:
            variables["_key"].set_value(_key_of(kind.seed))
        if self.computed:
            self.add_list("outdegrees", np.int32)
            return
        self.add_list("indptr", np.int64)
        self.add_list("indices", self._narrow(np.uint16, len(self.projection.endpoints.target)))

    def _add_population(self, side: str, name: str, ends: Sequence[int]) -> None:
        """Let expressions know of which population a neuron is, of those in the order of ``ends``."""
        endpoints = self.projection.endpoints
        population = np.zeros(len(endpoints.whole(side)), dtype=np.int32)
        start, stop = endpoints.span(side)
        population[start:stop] = np.repeat(np.arange(len(ends) - 1), np.diff(ends))
        fixed = {"constant": True, "read_only": True, "dtype": np.int32, "index": f"_{side}synaptic_idx"}
        self.projection.variables.add_array(name, size=len(population), values=population, **fixed)

    @property
    def computed(self) -> bool:
        """Whether the targets of a source are drawn at each of its spikes, and not kept."""
        return not self.kind.stored and language(get_device().code_object_class()) == "cpp"

    @property
    def connectivity(self) -> int:
        """The stream of random numbers for what connects to what."""
        return CONNECTIVITY

    @property
    def same(self) -> int | None:
        """See `Endpoints.same`."""
        same: int | None = self.projection.endpoints.same
        return same

    def stream(self, name: str) -> int:
        """The stream of random numbers of a variable of the synapses."""
        return VALUES + int(self.projection.synaptic.index(name))

    def check_chance(self) -> None:
        """Refuse an expression of the probability of connections that is not well formed."""
        if self.kind.chance:
            where = f"{self.projection.where}, {type(self.kind).__name__}"
            check_expression(self.projection, where, self.kind.chance, {CHANCE: Unit(1)})

    def check_memory(self) -> None:
        """Refuse synapses for which there is not the memory.

        Raises
        ------
        ModelError
            Saying how many would fit.
        """
        if self.computed:
            return
        variables, device = self.projection.variables, get_device()
        lists = [
            n for n in ("_list_indices", "_list_in_synapses", "_list_in_sources", "_list_in_delays") if n in variables
        ]
        each = sum(np.dtype(variables[name].dtype).itemsize for name in [*lists, *self.projection.synaptic])
        if language(device.code_object_class()) != "cpp":
            each += _IN_NUMPY
        synapses = self.kind.expected(self.draw(self.numbers, key=0))
        asked = getattr(device, "memory_asked", 0) + int(each * synapses)  # a program's projections are there at once
        free = available_memory()
        if asked > free:
            where = f"{self.projection.where}: {synapses:,.0f} synapses of {each} bytes"
            fit = max(0, free - asked + int(each * synapses)) // each
            do = f"{fit:,} synapses would fit. Those that learn nothing need no memory: stored=False."
            raise ModelError(field_error(where, f"at most the {free:,} bytes of memory that are free", asked, do))
        if hasattr(device, "memory_asked"):
            device.memory_asked = asked

    def add_list(self, name: str, dtype: Any) -> None:
        """Add an array that is filled when synapses are drawn, and that nobody sets."""
        fixed = {"read_only": True, "needs_reference_update": True}
        self.projection.variables.add_dynamic_array(f"_list_{name}", size=0, dtype=np.dtype(dtype), index="0", **fixed)

    def _narrow(self, dtype: Any, size: int = 0) -> Any:
        """In a program, two bytes per number up to ``size``. Growing arrays of Brian2 in this process have four."""
        cpp = language(get_device().code_object_class()) == "cpp"
        return dtype if cpp and size <= 2**16 else np.int32

    def begin_with_zero(self, name: str) -> None:
        """Let a variable of the synapses begin with the number of another variable, which is 0 unless it is set."""
        number = f"_initial_{name}"
        if number not in self.projection.variables:
            var = self.projection.variables[name]
            kwds = {"dimensions": var.dim, "dtype": var.dtype, "scalar": True, "index": "0", "constant": True}
            self.projection.variables.add_array(number, size=1, **kwds)
        self.initial[name] = f"{name} = {number}"

    def numbers_of(self, names: Iterable[str]) -> tuple[list[str], list[tuple[str, str, int, int, int]]]:
        """How variables of synapses that are not stored come about at a spike.

        Returns
        -------
        tuple
            Statements; and for each random number in them its name, its kind, its stream, how many the statement has,
            and which of them it is.
        """
        texts, random = [], []
        for name in names:
            expression = Expression.of(self.initial[name])
            texts.append(expression.code)
            each, stream = len(expression.names), self.stream(name)
            random += [(drawn, kind, stream, each, k) for k, (drawn, kind) in enumerate(expression.names)]
        return texts, random

    def list_of(self, name: str) -> Any:
        """The values of such an array, on the targets that run in this process."""
        return self.projection.variables[f"_list_{name}"].get_value()

    @property
    def own_variables(self) -> list[str]:
        """Names of the variables that drawing reads and fills, beside those of the synapses."""
        variables = self.projection.variables
        names = ["N", "_key", *self.projection.kind.numbers, *(f"_range_{self.delayed}", f"_history_{self.delayed}")]
        lists = [name for name in variables if name.startswith("_list_")]
        return [name for name in names if name in variables] + lists + self.late

    def delay_by(self, name: str, delay: Any, *, lookup: bool) -> None:
        """Let the spikes of a pathway be delayed by one time, or by an expression for each synapse."""
        where, variables = f"{self.projection.where}, delay of {name!r}", self.projection.variables
        if self.delayed:
            expected = f"a delay of one pathway, by which synapses are sorted: {self.delayed!r}"
            raise ModelError(field_error(where, expected, name))
        if isinstance(delay, str):
            self.delay = f"{DELAY} = {delay}"
        else:
            variables.add_array("delay", size=1, dimensions=second.dim, scalar=True, index="0", constant=True)
            variables["delay"].set_value(float(delay))
            self.delay = f"{DELAY} = delay"
        check_expression(self.projection, where, self.delay, {DELAY: second})
        self.delayed = name
        variables.add_array(f"_range_{name}", size=2, dtype=np.int64, index="0", constant=True, read_only=True)
        kwds = {"size": 0, "dtype": np.int32, "index": "0", "read_only": True, "needs_reference_update": True}
        variables.add_dynamic_array(f"_history_{name}", **kwds)
        # A source without multapses has at most as many synapses as there are targets.
        most = 2**32 if self.kind.may_repeat else len(self.projection.endpoints.target) + 1
        self.add_list(f"starts_{name}", self._narrow(np.uint16, most))
        if lookup:
            self.add_list(f"delays_{name}", self._narrow(np.int16))

    def need_incoming(self) -> None:
        """Let the synapses of a target be found."""
        if not self.incoming:
            self.incoming = True
            sources = self._narrow(np.uint16, len(self.projection.endpoints.source))
            for name, dtype in (("in_indptr", np.int64), ("in_synapses", np.int32), ("in_sources", sources)):
                self.add_list(name, dtype)
            if self.projection.delayed_traces is not None:
                self.add_list("in_delays", self._narrow(np.int16))

    def set_initial(self, name: str, value: Any) -> None:
        """Let a variable of the synapses begin with an expression, or with a number."""
        where = f"{self.projection.where}, {name}"
        self._check_not_begun(name, value)
        if isinstance(value, str):
            code = f"{name} = {value}"
        else:
            self.begin_with_zero(name)
            self.projection.variables[f"_initial_{name}"].set_value(float(value))
            code = self.initial[name]
        check_expression(self.projection, where, code)
        self.initial[name] = code

    def set_number(self, name: str, value: Any) -> None:
        """Set one of the kind's numbers."""
        projection = self.projection
        self._check_not_begun(name, value)
        self.kind.check_numbers(self.draw({name: value}, key=0))
        projection.variables[name].set_value(np.ravel(value))
        self.numbers[name] = value

    def _check_not_begun(self, name: str, value: Any) -> None:
        if self.begun:
            where = f"{self.projection.where}, {name}"
            raise ModelError(
                field_error(where, "its value before the first run, since synapses are drawn when that begins", value)
            )

    def check_begun(self, name: str) -> None:
        """Refuse to tell what is not drawn yet."""
        if not self.begun:
            where = f"{self.projection.where}, {name}"
            raise ModelError(f"{where}: not known before a run begins, when synapses are drawn.")

    def draw(self, numbers: Mapping[str, Any], key: int) -> Draw:
        """What the drawing needs to know of the two groups, with these numbers."""
        endpoints = self.projection.endpoints
        return Draw(key, len(endpoints.source), len(endpoints.target), endpoints.same, numbers)

    def draw_now(self) -> Draw:
        """What the drawing needs to know, with the values that variables have now."""

        def value(name: str) -> Any:
            values = np.asarray(self.projection.variables[name].get_value())
            return values.item() if values.size == 1 else values

        return self.draw({name: value(name) for name in self.kind.numbers}, value("_key"))

    def pairs(self) -> tuple[Indices, Indices]:
        """Source and target of each synapse."""
        if self.computed:
            self.check_begun("pairs")
            indptr, targets = self.kind.rows(self.draw_now())
            return np.repeat(np.arange(len(indptr) - 1), np.diff(indptr)), targets.astype(np.int64)
        indices = self.kept("pairs", self.list_of("indices")).astype(np.int64)
        indptr = self.list_of("indptr")
        return np.repeat(np.arange(len(indptr) - 1), np.diff(indptr)), indices

    def delays(self) -> Quantity:
        """The delay of each synapse."""
        dt = self.projection.endpoints.whole("pre").clock.dt
        indptr = self.list_of("indptr")
        self.kept("delays", self.list_of("indices"))
        if not self.delayed:
            return np.zeros(indptr[-1]) * dt
        shortest, longest = self.projection.variables[f"_range_{self.delayed}"].get_value()
        starts = self.list_of(f"starts_{self.delayed}").reshape(len(indptr) - 1, -1)
        starts = starts[:, :: (starts.shape[1] - 1) // (longest - shortest + 1)]  # a program has some for each thread
        ages = np.tile(np.arange(shortest, longest + 1), len(starts))
        return np.repeat(ages, np.diff(starts, axis=1).reshape(-1)) * dt

    def forget(self) -> list[str]:
        """Lines of C++ that empty, before results are written, the arrays that are not among them.

        What nothing has changed is written of small networks only; the rest can be drawn again.
        """
        variables, device = self.projection.variables, get_device()
        changed = self.projection.changed()
        constant = [name for name in self.projection.synaptic if name not in changed and not self.computed]
        kept = [name for name in ("_list_indptr", "_list_indices") if name in variables] + constant
        kept += [f"_list_starts_{self.delayed}"] if self.delayed else []
        always = [name for name in self.own_variables if isinstance(variables[name], DynamicArrayVariable)]
        always = [name for name in always if name not in kept]
        large = f"{device.get_array_name(variables['N'])}[0] > {KEPT}"
        lines = []
        for name in [*always, *([] if changed else kept)]:
            vector = f"brian::{device.get_array_name(variables[name], access_data=False)}"
            empty = f"{vector}.clear(); {vector}.shrink_to_fit();"
            lines.append(f"if (brian::{large}) {{ {empty} }}" if name in kept else empty)
        return lines

    def kept(self, name: str, values: Any) -> Any:
        """What was read of a variable of the synapses, if the program has written it."""
        self.check_begun(name)
        count = int(np.asarray(self.projection.variables["N"].get_value()).item())
        if len(values) != count:
            expected = f"at most {KEPT} synapses, or a variable that statements change"
            do = "What was drawn and nothing has changed is written for small networks only."
            raise ModelError(field_error(f"{self.projection.where}, {name}", expected, f"{count} synapses", do))
        return values

    def outgoing(self, neuron: int) -> tuple[Indices, Indices]:
        """The synapses of a source, and their targets."""
        indptr = self.list_of("indptr")
        synapses = np.arange(indptr[neuron], indptr[neuron + 1])
        return synapses, self.list_of("indices")[synapses].astype(np.int64)

    def arriving(self, neuron: int) -> tuple[Indices, Indices]:
        """The synapses of a target, and their sources."""
        begin, end = self.list_of("in_indptr")[neuron : neuron + 2]
        synapses, sources = self.list_of("in_synapses")[begin:end], self.list_of("in_sources")[begin:end]
        return synapses.astype(np.int64), sources.astype(np.int64)


def _key_of(seed: int) -> int:
    return int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0] >> np.uint64(1)) | 1
