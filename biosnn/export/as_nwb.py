"""A result as a file of NWB: spike trains are units, signals time series, and all else lies in its scratch space."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from brian2.units.fundamentalunits import get_dimensions

from biosnn.export.contents import VALUES, Contents
from biosnn.export.users import to_nwb
from biosnn.optional_dependencies import imported
from biosnn.quantity import unit_text


def nwb_file(found: Contents, values: list[tuple[str, ...]]) -> Any:
    """Make what is in a file."""
    pynwb = imported("pynwb", "export")
    about = found.about
    file = pynwb.NWBFile(
        session_description=about["title"] or about["study"],
        identifier=f"{about['study']}, seed {about['seed']}, {about['target']}, {about['finished']}",
        session_start_time=_moment(about["finished"]),
        experiment_description=about["title"],
        notes="\n".join(f"{what}: {text}" for what, text in about.items() if what != "models"),
        protocol=about["command"],
        data_collection=f"simulated with biosnn {about['version of biosnn']}, Brian2 {about['version of brian2']}",
        source_script=about["models"],
        source_script_file_name="models.json",
    )
    for name, spikes in found.spikes.items():
        to_nwb(spikes, file, name)
    for name, signal in found.signals.items():
        series = pynwb.TimeSeries(
            name=_plain(name),
            data=signal.values,
            unit=signal.unit,
            starting_time=signal.start,
            rate=1.0 / signal.step,
            description=name,
        )
        file.add_acquisition(series)
    _add_scratch(file, found.others)
    columns = [
        pynwb.core.VectorData(
            name="quantity" if name == "name" else name, description=name, data=[row[n] for row in values]
        )
        for n, name in enumerate(VALUES)
    ]
    about_values = "What the study found, and what was expected."
    table = pynwb.core.DynamicTable(
        name="values of the result", description=about_values, columns=columns, id=list(range(len(values)))
    )
    file.add_scratch(table)
    return file


def _add_scratch(file: Any, others: Mapping[str, Any]) -> None:
    for name, array in others.items():
        data, unit = np.asarray(array), unit_text(get_dimensions(array))
        data = data.reshape(1) if data.ndim == 0 else data
        given = data.tolist() if data.dtype.kind == "U" else data
        file.add_scratch(given, name=_plain(name), description=f"{name} ({unit})" if unit != "1" else name)


def _plain(name: str) -> str:
    """A name as NWB takes it."""
    return name.replace("/", "-").replace(":", "-")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return datetime(1970, 1, 1, tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def write_nwb(path: Path, found: Contents, values: list[tuple[str, ...]]) -> None:
    """Write the file."""
    file = nwb_file(found, values)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The file path provided")  # it has its own name only when it is complete
        with imported("pynwb", "export").NWBHDF5IO(str(path), "w") as writer:
            writer.write(file)
