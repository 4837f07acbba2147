"""Print what is in the catalogue."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping

from rich.table import Table

from biosnn import catalogue
from biosnn.cli.terminal import Console, Text
from biosnn.errors import BiosnnError
from biosnn.study.load import study_summary


def print_catalogue(console: Console) -> None:
    """Print every study and model with a line each; one that cannot be read becomes a warning."""
    aliases = {name: f"{name} ({alias})" for alias, name in catalogue.study_aliases().items()}
    _section(
        console,
        "Studies",
        catalogue.study_names(),
        lambda name: study_summary(catalogue.study_folder(name)),
        shown=aliases,
    )
    _section(console, "Neuron models", catalogue.neuron_names(), lambda name: catalogue.neuron_model(name).summary)
    _section(console, "Synapse models", catalogue.synapse_names(), lambda name: catalogue.synapse_model(name).summary)
    _section(console, "Trained networks", catalogue.network_names(), _network_summary)
    _section(console, "Ordinary networks, to be converted", catalogue.ann_names(), _ann_summary)
    console.print("biosnn show NAME tells more about each, biosnn run STUDY runs one.", style="dim")


def _network_summary(name: str) -> str:
    from biosnn.learning import load_network

    network = load_network(catalogue.network_file(name))
    size = network.network_settings.size
    return f"{size} cells that have learned {network.dataset}; accuracy {100 * network.accuracy:.1f} %."


def _ann_summary(name: str) -> str:
    from biosnn.ann.onnx.file import notes

    about = notes(catalogue.ann_file(name))
    accuracy = f"{about['accuracy']} correctly classified" if "accuracy" in about else "accuracy unknown"
    return f"{about.get('trained_by', 'source unknown')}: {accuracy}."


def _section(
    console: Console,
    title: str,
    names: Iterable[str],
    summary: Callable[[str], str],
    *,
    shown: Mapping[str, str] | None = None,
) -> None:
    """Print a line for each name, as it is to be ``shown`` if that is something else."""
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name in names:
        try:
            table.add_row(Text((shown or {}).get(name, name)), Text(summary(name)))
        except BiosnnError as error:
            warnings.warn(f"{name} is left out: {error}", stacklevel=2)
    console.print(title, style="underline")
    console.print(table)
    console.print()
