"""What a remedy may change in a population of a converted network, beside its thresholds."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from biosnn.errors import ConversionError, field_error


@dataclass(frozen=True, eq=False)
class Adjustment:
    """How the neurons of a population differ from those that `convert` makes; each a number for a channel.

    Parameters
    ----------
    excitability : ndarray of float32, shape (channels,)
        Factor of all that comes in, bias included: 2 is a threshold half as high, while a spike still stands for what
        it stood for. It is what neurons regulate themselves (intrinsic plasticity).
    bias : ndarray of float32, shape (channels,)
        A constant current on top of the bias, in units of the activation a step.
    start : ndarray of float32, shape (channels,)
        The membrane potential at which an image begins, in thresholds.

    Raises
    ------
    ConversionError
        If a number is not finite, an excitability is not above 0, or shapes differ.
    """

    excitability: NDArray[np.float32]
    bias: NDArray[np.float32]
    start: NDArray[np.float32]

    def __post_init__(self) -> None:
        for field in fields(self):
            value = np.asarray(getattr(self, field.name), np.float32)
            where = f"Adjustment.{field.name}"
            if value.ndim != 1 or value.shape != np.shape(self.excitability):
                raise ConversionError(field_error(where, "a number for each channel", f"shape {value.shape}"))
            if not np.all(np.isfinite(value)) or (field.name == "excitability" and not np.all(value > 0)):
                expected = "numbers above 0" if field.name == "excitability" else "finite numbers"
                raise ConversionError(field_error(where, expected, value))
            object.__setattr__(self, field.name, value)

    @classmethod
    def none(cls, channels: int, start: float) -> Adjustment:
        """That of a network as it was converted."""
        ones = np.ones(channels, np.float32)
        return cls(ones, 0 * ones, start * ones)
