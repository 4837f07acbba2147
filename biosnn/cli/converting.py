"""Put the network that the study of conversion made where the user wants it, and say how to use it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from biosnn.cli.results import typed
from biosnn.errors import SettingsError, field_error

if TYPE_CHECKING:
    from biosnn.study.saved import SavedResult

FILE = "network.npz"


def check_place(save: Path | None) -> None:
    """Refuse a place for the converted network before anything long begins.

    Raises
    ------
    SettingsError
        If the file has another ending, or its folder does not exist.
    """
    if save is None:
        return
    if save.suffix not in (".npz", ".nir"):
        raise SettingsError(field_error("--save", "a file that ends in .npz or .nir", save))
    if not save.expanduser().absolute().parent.is_dir():
        raise SettingsError(field_error("--save", "a file in a folder that exists", save))


def place_network(console: Console, result: SavedResult, save: Path | None) -> None:
    """Copy the converted network to its place, and print how to go on with it."""
    made = Path(result.files[FILE])
    place = made
    if save is not None:
        place = save.expanduser()
        if place.suffix == ".nir":
            from biosnn.conversion import load
            from biosnn.conversion.to_nir import export

            export(load(made), place)
        else:
            new = place.with_name(f".{place.name}.new")
            shutil.copyfile(made, new)
            new.replace(place)
    console.print(f"Converted network: {typed(place)}", markup=False, highlight=False, soft_wrap=True)
    if place.suffix == ".npz":
        said = f"biosnn show {typed(place)} shows it; in Python: biosnn.conversion.load({str(typed(place))!r})."
        console.print(said, style="dim", markup=False, highlight=False, soft_wrap=True)
