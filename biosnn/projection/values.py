"""The variables of synapses as a user reads and sets them: by name, flat or in their natural shape."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import Equations, Quantity
from brian2.groups.group import Group
from numpy.typing import NDArray

from biosnn.display import bounded, brief, card, table
from biosnn.errors import ModelError, field_error, unknown
from biosnn.projection.equations import numbers
from biosnn.projection.kinds import Fit, Kind
from biosnn.projection.random.drawn import Drawn
from biosnn.projection.random.kinds import RandomKind
from biosnn.quantity import check_dimension

_DELAYS = "cannot be read, nor set later. Give delays when the projection is made: delay=2*ms, or an array of them."
_STORED = "in another order in memory than it was given. Read and set it as projection[{!r}]."


class SynapticValues(Group):  # type: ignore[misc]
    """What a `Projection` is for those who read and set its variables."""

    where: str
    kind: Kind
    fit: Fit
    source: Any
    target: Any
    equations: Equations
    event_driven: Equations
    drawn: Drawn | None
    synaptic: list[str]

    def __len__(self) -> int:
        """How many weights there are, which of drawn synapses is known when a run has begun."""
        if vars(self).get("drawn") is not None:
            vars(self)["drawn"].check_begun("their number")
        return int(np.asarray(self.variables["N"].get_value()).item())

    def __bool__(self) -> bool:
        return True

    def _own(self, name: str) -> Any:
        names = sorted(self.equations.names | self.event_driven.names)
        if name not in names:
            do = f" Its delay {_DELAYS}" if name == "delay" else ""
            raise ModelError(f"{self.where}: {unknown('variable', name, names)}{do}")
        return self.variables[name]

    def __getattr__(self, name: str) -> Any:
        """A variable, flat."""
        if name == "delay" and name not in vars(self).get("variables", ()):
            raise AttributeError(f"{vars(self).get('where', 'Projection')}, delay: {_DELAYS}")
        if name in vars(self).get("synaptic", ()) and self.fit.order is not None:
            raise AttributeError(f"{self.where}: {name} is {_STORED.format(name)}")
        return super().__getattr__(name)

    def __setattr__(self, name: str, value: Any, level: Any = 0) -> None:
        """Set a variable, flat. An expression is worked out for each weight, which does not know its neurons."""
        if name == "delay" and name not in self.variables:
            raise ModelError(f"{self.where}, delay: {_DELAYS}")
        drawn = vars(self).get("drawn")
        if drawn is not None and name in drawn.kind.numbers:
            drawn.set_number(name, value)
            return
        if name in vars(self).get("synaptic", ()):
            if self.drawn is not None and not self.drawn.begun:
                self.drawn.set_initial(name, value if isinstance(value, str) else self._checked(name, value))
                return
            if not isinstance(value, str) and self.fit.order is not None:
                raise ModelError(f"{self.where}: {name} is {_STORED.format(name)}")
        if isinstance(value, str) and "equations" in vars(self) and name in self.equations.names:
            where = f"{self.where}, {name}"
            if drawn is not None and self.variables[name].scalar:
                do = f"For a value per synapse, give the expression when it is made: values={{{name!r}: {value!r}}}."
                raise ModelError(field_error(where, "one value, since nothing changes it", value, do))
            if self._names_neurons(value):
                do = f"Several neurons may share a weight. Set it with an array: projection[{name!r}] = ..."
                raise ModelError(field_error(where, "an expression without i, j and variables of neurons", value, do))
        super().__setattr__(name, value, level=level + 1)

    def __repr__(self) -> str:
        ends = f"{self.source.name} ({len(self.source)}) to {self.target.name} ({len(self.target)})"
        return bounded(f"<Projection {self.name}: {type(self.kind).__name__}, {ends}>")

    def _repr_html_(self) -> str:
        rows = [
            ("from", f"{self.source.name}, {len(self.source):,} neurons"),
            ("to", f"{self.target.name}, {len(self.target):,} neurons"),
            ("kind", brief(self.kind)),
            ("variables", ", ".join(self.synaptic)),
        ]
        return card("Projection", self.name, table((), rows))

    def __getitem__(self, name: str) -> Quantity:
        """A variable in its natural shape, or a single value if all synapses share it."""
        var = self._own(name)
        values = var.get_value_with_unit() if name in self.synaptic else self.state(name)[:]
        if var.scalar:
            return values
        if self.drawn is not None:
            return self.drawn.kept(name, values)
        return Quantity(self.fit.natural(np.asarray(values)), dim=var.dim)

    def __setitem__(self, name: str, values: Any) -> None:
        """Set a variable: an array of its natural shape, or one value for all synapses."""
        var = self._own(name)
        if self.drawn is not None and isinstance(values, str):
            setattr(self, name, values)
            return
        values = self._checked(name, values)
        if self.drawn is not None and not var.scalar and not self.drawn.begun:
            self.drawn.set_initial(name, values)
        elif var.scalar:
            self.state(name)[:] = values
        else:
            var.set_value(values if values.shape == () else self.fit.stored(np.asarray(values)))

    def _given(self, weights: Any) -> Quantity:
        """The weights that a projection is made with."""
        where = f"{self.where}, weights"
        if isinstance(self.kind, RandomKind):
            _check_single(where, "w", weights)
        return numbers(where, weights, self.fit.shape)

    def _checked(self, name: str, values: Any) -> Quantity:
        """Numbers for a variable, of its dimension and shape."""
        var, where = self._own(name), f"{self.where}, {name}"
        if self.drawn is not None:
            _check_single(where, name, values)
        values = numbers(where, values, () if var.scalar else self.fit.shape)
        check_dimension(where, values, var.dim)
        return values

    def pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Source and target of each synapse.

        Returns
        -------
        tuple of array of int
            In the order of the weights where each synapse has its own, else by source.

        Raises
        ------
        ModelError
            If synapses are drawn and the program has not written them, since there are too many.
        """
        if self.drawn is not None:
            return self.drawn.pairs()
        synapses = [self.fit.outgoing(i)[1] for i in range(len(self.source))]
        sources = np.repeat(np.arange(len(self.source)), [len(targets) for targets in synapses])
        targets = np.concatenate(synapses)
        if self.fit.order is None:
            return sources, targets
        return self.fit.natural(sources), self.fit.natural(targets)

    def delays(self) -> Quantity:
        """The delay of each synapse that is drawn, in whole time steps, in the order of `pairs`.

        Raises
        ------
        ModelError
            If synapses are not drawn, so that delays are those that were given; or as `pairs` does.
        """
        if self.drawn is None:
            raise ModelError(f"{self.where}: its delays are not drawn, but those that it was made with.")
        return self.drawn.delays()

    @property
    def drawn_variables(self) -> tuple[str, ...]:
        """The variables whose values are there when synapses are drawn, and not before a run begins."""
        if self.drawn is None:
            return ()
        return (*self.synaptic, *(name for name in self.variables if name.startswith(("_history_", "_late_"))))

    def natural_values(self, name: str, values: NDArray[Any]) -> NDArray[Any]:
        """The values of a variable as they lie in memory, flat, in the order in which they are given and read."""
        return self.fit.natural(values).reshape(-1) if name in self.synaptic and self.fit.order is not None else values

    def stored_values(self, name: str, values: NDArray[Any]) -> NDArray[Any]:
        """The values of a variable in the order in which they are given and read, as they lie in memory."""
        return self.fit.stored(values) if name in self.synaptic and self.fit.order is not None else values


def _check_single(where: str, name: str, values: Any) -> None:
    if np.ndim(values) > 0:
        do = f'Give an expression, such as projection[{name!r}] = "rand()": synapses are drawn when a run begins.'
        raise ModelError(field_error(where, "one value or an expression", f"shape {np.shape(values)}", do))
