"""Put the network that the study of conversion made where the user wants it, and say how to use it."""

from __future__ import annotations

import contextlib
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from biosnn.cli.results import quoted, typed
from biosnn.cli.terminal import Console
from biosnn.errors import SettingsError, field_error

if TYPE_CHECKING:
    from biosnn.study.saved import SavedResult

FILE = "network.npz"


def check_place(save: Path | None) -> None:
    """Refuse a place for the converted network before anything long begins.

    Raises
    ------
    SettingsError
        If the file has another ending, is there and no file, or cannot be written.
    """
    if save is None:
        return
    if save.suffix not in (".npz", ".nir"):
        raise SettingsError(field_error("--save", "a file that ends in .npz or .nir", str(save)))
    place = save.expanduser()
    if not place.parent.is_dir():
        raise SettingsError(field_error("--save", "a file in a folder that exists", str(save)))
    if place.exists() and not place.is_file():
        raise SettingsError(f"--save {save}: exists and is no file. Choose another place.")
    with _written(place) as new:
        new.touch()


def place_network(console: Console, result: SavedResult, save: Path | None) -> None:
    """Copy the converted network to its place, and print what to do with it next.

    Raises
    ------
    SettingsError
        If it cannot be written there; the message says where it is nevertheless.
    """
    made = Path(result.files[FILE])
    place = made
    if save is not None:
        place = save.expanduser()
        with _written(place, f" The network is in {quoted(str(made))}.") as new:
            _copy(made, new)
            new.replace(place)
    console.print(f"Converted network: {typed(place)}", soft_wrap=True)
    if place.suffix == ".npz":
        said = f"biosnn show {typed(place)} shows it; in Python: biosnn.conversion.load({str(place)!r})."
        console.print(said, style="dim", soft_wrap=True)


@contextlib.contextmanager
def _written(place: Path, more: str = "") -> Iterator[Path]:
    """Give a hidden file beside the place to write to, of the same ending; nothing is left of one that fails."""
    new = place.with_name(f".new-{uuid.uuid4().hex[:8]}{place.suffix}")
    try:
        yield new
    except OSError as error:
        raise SettingsError(f"--save {place}: cannot be written: {error.strerror or error}.{more}") from None
    finally:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)


def _copy(made: Path, new: Path) -> None:
    if new.suffix == ".nir":
        from biosnn.conversion import load
        from biosnn.conversion.to_nir import export

        export(load(made), new)
    else:
        shutil.copyfile(made, new)
