"""Write a result for another program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from biosnn.errors import ResultError, SettingsError, unknown
from biosnn.export.as_csv import ABOUT, write_csv
from biosnn.export.as_neo import write_neo
from biosnn.export.as_nwb import write_nwb
from biosnn.export.contents import contents, values_table
from biosnn.study.folder import atomic_folder
from biosnn.study.saved import load_result
from biosnn.writing import replaced

FORMATS = {"neo": ".nix", "nwb": ".nwb", "csv": "-csv"}
"""What a result can become, and how the name of the file or folder ends."""


@dataclass(frozen=True)
class Exported:
    """Where a result was written, and which of its arrays such a file does not take."""

    path: Path
    left_out: tuple[str, ...] = ()


def export_result(folder: Path | str, to: str, out: Path | str | None = None) -> Exported:
    """Write the arrays of a result, with units and where they come from, for another program.

    Parameters
    ----------
    folder : Path or str
        The result's folder.
    to : {"neo", "nwb", "csv"}
        A file of NIX that Neo reads, a file of NWB, or a folder of tables.
    out : Path or str, optional
        The file or folder, which is replaced; by default beside the result's folder, of the same name.

    Returns
    -------
    Exported
        Neo takes spike trains and signals only.

    Raises
    ------
    SettingsError
        If there is no such format.
    ResultError
        If it is no result, or the place cannot be written, or holds something else.
    MissingExtraError
        If a library of the extra ``export`` is needed and not installed.
    """
    if to not in FORMATS:
        raise SettingsError(unknown("format", to, FORMATS))
    result = load_result(folder)
    here = Path(folder).absolute()
    path = Path(out) if out is not None else here.with_name(f"{here.name}{FORMATS[to]}")
    found, values = contents(result), values_table(result)
    if to == "csv":
        _refuse_other(path)
        with atomic_folder(path) as new:
            write_csv(new, found, values)
        return Exported(path)
    if to == "neo" and not found.spikes and not found.signals:
        do = "Neo takes nothing else: write it with --to nwb or --to csv."
        raise ResultError(f"{folder}: has neither spike trains nor signals. {do}")
    if path.is_dir():
        raise ResultError(f"{path}: is a folder, and a file is to be written. Choose another place with --out.")
    try:
        with replaced(path) as new:
            write_neo(new, found) if to == "neo" else write_nwb(new, found, values)
    except OSError as error:
        raise ResultError(f"{path}: cannot be written: {error.strerror or error}. Choose another with --out.") from None
    return Exported(path, tuple(found.others) if to == "neo" else ())


def _refuse_other(folder: Path) -> None:
    """A folder of tables takes the place of an earlier one, and of nothing else."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise ResultError(f"{folder}: exists and is no folder. Choose another with --out.")
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    if names and (ABOUT not in names or not all(name.endswith(".csv") for name in names)):
        raise ResultError(f"{folder}: has files in it that are no export of biosnn. Choose another with --out.")
