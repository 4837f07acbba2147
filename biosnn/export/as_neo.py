"""A result as a block of Neo: its spike trains and its signals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from brian2 import second
from brian2.units.fundamentalunits import get_dimensions

from biosnn.export.contents import Contents, Signal
from biosnn.export.users import to_neo
from biosnn.optional_dependencies import imported
from biosnn.quantity import parse_unit

# How the library `quantities` calls the base units of the SI, in the order of Brian2's dimensions, and some others.
_BASES = ("m", "kg", "s", "A", "K", "mol", "cd")
_NAMED = {"volt": "V", "siemens": "S", "Hz": "Hz", "ohm": "ohm", "farad": "F", "coulomb": "C", "joule": "J"}


def neo_block(found: Contents) -> Any:
    """Make a block of one segment; where it comes from stands in its annotations."""
    neo = imported("neo", "export")
    block = neo.Block(name=found.about["study"], description=found.about["title"], **found.about)
    segment = neo.Segment(name=found.about["study"])
    block.segments.append(segment)
    for name, spikes in found.spikes.items():
        segment.spiketrains.extend(to_neo(spikes, found.stop * second, name))
    for name, signal in found.signals.items():
        segment.analogsignals.append(_analog(neo, name, signal))
    return block


def _analog(neo: Any, name: str, signal: Signal) -> Any:
    units = imported("quantities", "export")
    return neo.AnalogSignal(
        signal.values.reshape(len(signal.values), -1),
        units=_units(units, signal.unit),
        t_start=signal.start * units.s,
        sampling_period=signal.step * units.s,
        name=name,
        shape=str(list(signal.values.shape[1:])),
    )


def _units(units: Any, unit: str) -> Any:
    if unit in _NAMED:
        return getattr(units, _NAMED[unit])
    made = units.dimensionless
    for base, power in zip(_BASES, get_dimensions(parse_unit(unit))._dims, strict=True):
        made = made * getattr(units, base) ** float(power) if power else made
    return made


def write_neo(path: Path, found: Contents) -> None:
    """Write the block to a file of NIX."""
    imported("nixio", "export")
    file = imported("neo.io", "export").NixIO(str(path), "ow")
    try:
        file.write_block(neo_block(found))
    finally:
        file.close()
