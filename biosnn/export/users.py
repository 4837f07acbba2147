"""Somebody's own spikes for other programs."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import second
from brian2.units.fundamentalunits import Quantity

from biosnn.errors import DataError, field_error
from biosnn.measure.spikes import Spikes
from biosnn.optional_dependencies import imported


def to_neo(spikes: Spikes, stop: Quantity | None = None, name: str = "") -> list[Any]:
    """The spikes as trains of Neo.

    Parameters
    ----------
    spikes : Spikes
        From `biosnn.measure.spikes`.
    stop : Quantity, optional
        How long they were recorded; by default, up to the last of them.
    name : str
        What to call the neurons.

    Returns
    -------
    list of neo.SpikeTrain
        Of each neuron, in seconds; the annotation ``neuron`` is its number, ``population`` the name.

    Raises
    ------
    MissingExtraError
        If Neo is not installed.
    DataError
        If there are spikes after ``stop``.
    """
    neo = imported("neo", "export")
    last = float(np.max(np.asarray(spikes.times), initial=0.0))
    end = last if stop is None else float(stop / second)
    if end < last:
        raise DataError(field_error("stop", f"a time at or after the last spike, at {last * second}", stop))
    return [
        neo.SpikeTrain(
            np.asarray(train), units="s", t_stop=end, name=f"{name} {neuron}".strip(), neuron=neuron, population=name
        )
        for neuron, train in spikes.items()
    ]


def to_nwb(spikes: Spikes, file: Any, population: str = "") -> None:
    """Add the spikes to a file of NWB as units, one for each neuron.

    Parameters
    ----------
    spikes : Spikes
        From `biosnn.measure.spikes`.
    file : pynwb.NWBFile
        What they are added to; it gets the columns ``neuron`` and ``population`` of its units, if it has none yet.
    population : str
        What to call the neurons.

    Raises
    ------
    MissingExtraError
        If PyNWB is not installed.
    """
    imported("pynwb", "export")
    if file.units is None:
        file.add_unit_column("neuron", "the number of the neuron in its population")
        file.add_unit_column("population", "the population that the neuron is of")
    for neuron, train in spikes.items():
        file.add_unit(spike_times=np.asarray(train), neuron=neuron, population=population)


def to_pandas(spikes: Spikes) -> Any:
    """The spikes as a table of pandas.

    Returns
    -------
    pandas.DataFrame
        With a row for each spike, in the order of time, and the columns ``time (s)`` and ``neuron``.

    Raises
    ------
    MissingExtraError
        If pandas is not installed.
    """
    order = np.argsort(np.asarray(spikes.times), kind="stable")
    columns = {"time (s)": np.asarray(spikes.times)[order], "neuron": spikes.indices[order]}
    return imported("pandas", "export").DataFrame(columns)
