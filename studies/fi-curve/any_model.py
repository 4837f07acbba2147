"""The f-I curve of any neuron model, over a range of drives that is found by trying."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from brian2 import Hz, Network, Quantity, SpikeMonitor, second
from brian2.units.fundamentalunits import get_dimensions, have_same_dimensions

from biosnn.catalogue import neuron_model
from biosnn.engine import Simulation
from biosnn.errors import SettingsError, field_error, unknown
from biosnn.groups.build import neurons
from biosnn.model import NeuronModel
from biosnn.quantity import format_quantity, parse_quantity, parse_unit
from biosnn.study import Result

if TYPE_CHECKING:
    from .study import Settings

# In which unit a drive is written, by its dimension: about as strong as usual.
USUAL = ("1 nA", "30 mV", "20 mV/ms", "1 kHz", "20 uA/cm**2", "2")
TRIED = np.geomspace(1e-5, 1e3, 161)
"""Parts of the usual drive that are tried, in steps of an eighth, to find the weakest that makes a neuron fire."""
TRIAL, FACTOR = 0.25 * second, 3.0
"""How long each is tried; and the strongest drive of a curve, in weakest ones."""


def f_i_curve(settings: Settings, sim: Simulation, not_applicable: list[str]) -> Result:
    """Drive neurons of the model that the settings name, each with a constant drive, from zero up."""
    model = neuron_model(settings.model)
    if settings.preset:
        model = model.with_values(settings.preset)
    drive = _drive(settings, model)
    strongest = settings.drive_to or _strongest(sim, model, drive)
    drives = np.linspace(0, 1, settings.points) * parse_quantity(strongest)
    group = neurons(settings.points, model, values={drive: drives})
    spikes = SpikeMonitor(group)
    sim.run(Network(group, spikes), settings.duration, f"f-I curve of {model.name}")
    rates = interval_rates(spikes, settings.points)
    firing = drives[rates > 0 * Hz]
    values = {"highest rate": rates.max(), "spikes": int(spikes.num_spikes)}
    if len(firing):
        values["weakest drive that fires"] = firing[0]
    names = np.array([model.name, drive, model.inputs[drive].meaning, _unit(strongest)])
    arrays = {"drive": drives, "rate": rates, "names": names}
    return Result(values, arrays, not_applicable=not_applicable)


def _drive(settings: Settings, model: NeuronModel) -> str:
    """Which input of the model to drive; a strength of another dimension is refused."""
    inputs = {name: entry for name, entry in model.inputs.items() if entry.kind == "value"}
    if not inputs:
        expected = "a neuron model with an input of kind value, which a constant drive can be given to"
        raise SettingsError(field_error("model", expected, settings.model))
    name = settings.drive or next(iter(inputs))
    if name not in inputs:
        raise SettingsError("drive: " + unknown("input of kind value", name, inputs))
    if settings.drive_to:
        parse_quantity(settings.drive_to, get_dimensions(parse_quantity(inputs[name].default)))
    return name


def _strongest(sim: Simulation, model: NeuronModel, drive: str) -> str:
    """Three times the weakest drive that makes the neuron fire again and again, with the unit to show it in."""
    default = parse_quantity(model.inputs[drive].default)
    usual = next((text for text in USUAL if have_same_dimensions(parse_quantity(text), default)), None)
    if usual is None:
        do = f"Say how strong {drive} of {model.name} is at most, with its unit: no usual strength of it is known."
        raise SettingsError(f"drive_to: {do}")
    tried = TRIED * parse_quantity(usual)
    group = neurons(len(tried), model, values={drive: tried})
    spikes = SpikeMonitor(group)
    # Far too strong a drive may take a membrane beyond all numbers, which then does not fire.
    with np.errstate(all="ignore"):
        sim.run(Network(group, spikes), TRIAL, f"which drive makes {model.name} fire")
    i, t = np.asarray(spikes.i[:]), np.asarray(spikes.t[:])
    late = np.bincount(i[t > float(TRIAL) / 2], minlength=len(tried))
    fires = np.flatnonzero((late >= 1) & (np.bincount(i, minlength=len(tried)) >= 2))
    if not len(fires):
        most = format_quantity(tried[-1])
        raise SettingsError(
            f"drive_to: no {drive} up to {most} makes {model.name} fire again and again within "
            f"{format_quantity(TRIAL)}. Say how strong it is at most."
        )
    unit = _unit(usual)
    return f"{float(FACTOR * tried[fires[0]] / parse_unit(unit)):.2g} {unit}".removesuffix(" 1")


def _unit(text: str) -> str:
    """The unit of a quantity that is written as text."""
    unit = re.sub(r"^[-+.\de]*[ *]*", "", text.strip()) or "1"
    return f"1{unit}" if unit.startswith("/") else unit


def interval_rates(spikes: Any, n: int) -> Quantity:
    """One over the mean interval between the spikes of each neuron; zero with fewer than two spikes."""
    i, t = np.asarray(spikes.i[:]), np.asarray(spikes.t[:])
    count = np.bincount(i, minlength=n)
    first, last = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(first, i, t)
    np.maximum.at(last, i, t)
    span = np.where(count >= 2, last - first, np.inf)
    return np.where(count >= 2, (count - 1) / span, 0.0) * Hz
