"""The codings that are compared, and how each is made for the time that it is allowed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from brian2 import Quantity, second

from biosnn.coding import CODINGS, Coding, find_codings
from biosnn.engine import Simulation
from biosnn.errors import CodingError, SettingsError, field_error
from biosnn.inputs import tabulate
from biosnn.report.figures import COLOURS

if TYPE_CHECKING:
    from .study import Settings

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "h")
_LABELS = {
    "poisson": "rate: Poisson",
    "regular": "rate: regular",
    "bernoulli": "rate: Bernoulli",
    "ttfs": "time to first spike",
    "ttfs_membrane": "first spike, membrane",
    "rank_order": "rank order",
    "phase": "phase",
    "burst": "burst",
}
_NOT_OF_IMAGES = {"delta": "signals in time", "population": "several neurons per value"}


@dataclass(frozen=True)
class Look:
    """How a coding is drawn: the same in every figure."""

    label: str
    colour: str
    marker: str


def looks(names: list[str]) -> dict[str, Look]:
    """Give each coding a name to be read, a colour and a marker."""
    return {
        name: Look(_LABELS.get(name, name), COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)])
        for number, name in enumerate(names)
    }


def makers(settings: Settings, sim: Simulation, pixels: int) -> dict[str, Callable[[Quantity], Coding]]:
    """By the name of each coding, what makes it for images of so many pixels and the time they are shown."""
    found: dict[str, Callable[[Quantity], Coding]] = {}
    for name in settings.codings:
        if name in _NOT_OF_IMAGES:
            got = f"{name}, which tells {_NOT_OF_IMAGES[name]}"
            raise SettingsError(field_error("codings", "codings with one neuron for each value", got))
        for own, make in _find(name, settings, sim, pixels).items():
            if own in found:
                raise SettingsError(f"codings: two codings are named {own!r}; one of them is from {name}. Rename one.")
            found[own] = make
    for name in settings.rate_codings:
        if name not in {**found, **CODINGS}:
            expected = f"names of codings that are compared ({', '.join(found)})"
            raise SettingsError(field_error("rate_codings", expected, name))
    return found


def _find(name: str, settings: Settings, sim: Simulation, pixels: int) -> Mapping[str, Callable[[Quantity], Coding]]:
    if name.endswith(".toml"):
        model = cache(partial(_tabulated, sim, name, settings.dt))
        return {name.rpartition("/")[2].removesuffix(".toml"): lambda duration: model(float(duration))}
    return {own: partial(_made, own, make, settings, pixels) for own, make in find_codings([name]).items()}


def _tabulated(sim: Simulation, path: str, dt: Quantity, duration: float) -> Coding:
    return tabulate(sim, path, duration=duration * second, dt=dt, seed=sim.seed)


def _made(name: str, make: Callable[..., Coding], settings: Settings, pixels: int, duration: Quantity) -> Coding:
    """Make a coding that says as much as it can in the time."""
    steps = max(round(float(duration / settings.dt)), 1)
    own: dict[str, Any] = {}
    if name in CODINGS:
        own = {
            "poisson": {"rate": settings.rate},
            "bernoulli": {"rate": settings.rate},
            # From random phases on: inputs with the same grey level do not all spike at once.
            "regular": {"rate": settings.rate, "random_start": True},
            # With a time constant of half of the time, all but the darkest pixels spike in it.
            "ttfs_membrane": {"tau": duration / 2},
            "rank_order": {"together": math.ceil(pixels / steps)},
            # The intervals of the brightest pixels are two steps, those of the darkest a fifth of the time.
            "burst": {"T_min": 2 * settings.dt, "T_max": duration / 5},
        }.get(name, {})
    return make(duration=duration, dt=settings.dt, **own)


def made(makers: Mapping[str, Callable[[Quantity], Coding]], settings: Settings) -> dict[str, Coding]:
    """Make each coding for the time that an image is shown in it."""
    found = {}
    for name, make in makers.items():
        time = settings.rate_shown if name in settings.rate_codings else settings.shown
        try:
            found[name] = make(time)
        except CodingError as error:
            raise CodingError(f"Coding {name!r}, for the {time} that an image is shown: {error}") from error
    return found
