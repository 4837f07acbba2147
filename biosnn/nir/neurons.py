"""The neurons of NIR, checked when they are made. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

from biosnn.ann.layers import Shape
from biosnn.errors import ConversionError, field_error
from biosnn.nir.fields import Numbers, set_numbers
from biosnn.nir.nodes import Node


@dataclass(frozen=True, kw_only=True, eq=False)
class Neuron(Node):
    """A population of neurons; each parameter is an array of its shape, or a single number.

    Where all are single numbers, as some frameworks write them, the population has the shape of what comes in.

    Parameters
    ----------
    v_initial : ndarray, optional
        The potential at the start. NIR says nothing about it: by default it is ``v_leak``, or 0 where there is none.
    """

    parameters: ClassVar[tuple[str, ...]]
    """The fields that a file must have."""
    positive: ClassVar[tuple[str, ...]] = ("tau", "tau_syn", "tau_mem")
    spikes: ClassVar[bool] = False
    v_initial: Numbers | None = None

    @property
    def shape(self) -> Shape:
        """Of the population; ``()`` if that of its input."""
        shapes = [np.shape(getattr(self, name)) for name in (*self.parameters, *self._optional)]
        return max(shapes, key=len)

    def fit(self, shape: Shape) -> Shape:
        if self.shape:
            self._only(self.shape, shape)
        return shape

    def _check(self) -> None:
        for name in (*self.parameters, *self._optional):
            if getattr(self, name) is not None:
                set_numbers(self, name)
        for name in (*self.parameters, *self._optional):
            array = getattr(self, name)
            if array is not None and array.shape not in ((), self.shape):
                expected = f"the shape {self.shape}, as another parameter has it, or a single number"
                raise ConversionError(field_error(f"{self.kind} {name}", expected, array.shape))
        for name in self.positive:
            if hasattr(self, name) and not getattr(self, name).min() > 0:
                got = float(getattr(self, name).min())
                raise ConversionError(field_error(f"{self.kind} {name}", "time constants above 0 s", got))

    @property
    def _optional(self) -> tuple[str, ...]:
        return tuple(name for name in ("v_reset", "w_in", "v_initial") if name in {f.name for f in fields(self)})


@dataclass(frozen=True, kw_only=True, eq=False)
class I(Neuron):  # noqa: E742 - its name in NIR
    """An integrator: dv/dt = R I."""

    parameters: ClassVar[tuple[str, ...]] = ("r",)
    r: Numbers


@dataclass(frozen=True, kw_only=True, eq=False)
class LI(Neuron):
    """A leaky integrator: tau dv/dt = (v_leak - v) + R I."""

    parameters: ClassVar[tuple[str, ...]] = ("tau", "r", "v_leak")
    tau: Numbers
    r: Numbers
    v_leak: Numbers


@dataclass(frozen=True, kw_only=True, eq=False)
class CubaLI(Neuron):
    """A leaky integrator of currents that decay: tau_syn dI/dt = -I + w_in S, tau_mem dv/dt = (v_leak - v) + R I."""

    parameters: ClassVar[tuple[str, ...]] = ("tau_syn", "tau_mem", "r", "v_leak")
    tau_syn: Numbers
    tau_mem: Numbers
    r: Numbers
    v_leak: Numbers
    w_in: Numbers | float = 1.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Spiking(Neuron):
    """A population that spikes where v exceeds v_threshold; a spike sets v to v_reset (by default 0).

    Parameters
    ----------
    reset : {"set", "subtract"}
        ``"subtract"``: a spike takes v_threshold off v instead (soft reset). NIR has no word for it; biosnn writes it
        into the metadata of the node.
    fires : {">", ">="}
        Whether a neuron also spikes when v is equal to its threshold. NIR's own is ">"; the other is written into the
        metadata.
    """

    spikes: ClassVar[bool] = True
    v_threshold: Numbers
    v_reset: Numbers | None = None
    reset: str = "set"
    fires: str = ">"

    def _check(self) -> None:
        super()._check()
        for name, valid in (("reset", ("set", "subtract")), ("fires", (">", ">="))):
            if getattr(self, name) not in valid:
                given = getattr(self, name)
                raise ConversionError(field_error(f"{self.kind} {name}", " or ".join(map(repr, valid)), given))
        if self.v_reset is None:
            object.__setattr__(self, "v_reset", np.zeros_like(self.v_threshold))


@dataclass(frozen=True, kw_only=True, eq=False)
class IF(Spiking, I):
    """Integrate and fire: dv/dt = R I."""

    parameters: ClassVar[tuple[str, ...]] = ("r", "v_threshold")


@dataclass(frozen=True, kw_only=True, eq=False)
class LIF(Spiking, LI):
    """Leaky integrate and fire: tau dv/dt = (v_leak - v) + R I."""

    parameters: ClassVar[tuple[str, ...]] = ("tau", "r", "v_leak", "v_threshold")


@dataclass(frozen=True, kw_only=True, eq=False)
class CubaLIF(Spiking, CubaLI):
    """Leaky integrate and fire of currents that decay, as of `CubaLI`."""

    parameters: ClassVar[tuple[str, ...]] = ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold")
