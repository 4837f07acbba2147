"""What numbers an experiment may have, checked when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from biosnn.errors import SettingsError, field_error
from biosnn.quantity import check_dimension


def check_least(experiment: Any, least: Mapping[str, Any]) -> None:
    """Refuse an experiment with a number, or an element of a tuple, below the least that it may have.

    Raises
    ------
    SettingsError, QuantityError
        If there is one, or it has another dimension.
    """
    for name, minimum in least.items():
        where, value = f"{type(experiment).__name__}.{name}", getattr(experiment, name)
        for item in value if isinstance(value, tuple) else (value,):
            check_dimension(where, item, minimum)
            if item < minimum:
                raise SettingsError(field_error(where, f"at least {minimum}", item))
