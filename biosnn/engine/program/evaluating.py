"""Expressions of what a program has left behind, computed in this process."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from brian2.devices.device import RuntimeDevice

from biosnn.engine.state import brian_device


class _Evaluator(RuntimeDevice):  # type: ignore[misc]
    """Brian2's runtime device, for which the arrays of another device can be read too."""

    def get_value(self, var: Any, access_data: bool = True) -> Any:
        return super().get_value(var, access_data) if var in self.arrays else var.get_value()


@contextlib.contextmanager
def evaluating() -> Iterator[None]:
    """Compute here for a moment, with the values of the device that is active."""
    active = brian_device.active_device
    brian_device.active_device = _Evaluator()
    try:
        yield
    finally:
        brian_device.active_device = active


def is_evaluating() -> bool:
    """Whether expressions are being computed here."""
    return isinstance(brian_device.active_device, _Evaluator)
