"""Working skeletons of a model and a study, for somebody to change."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from biosnn.errors import SettingsError, field_error
from biosnn.study.folder import atomic_folder
from biosnn.study.load import EXPECTED, PLOT, README, SCRIPT

_STUDY_NAME = re.compile(r"[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*")
_MODEL_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
KINDS = ("neuron", "synapse")
_ELSEWHERE = "Choose another folder with --dir."


def new_study(name: str, folder: Path = Path()) -> Path:
    """Write a study that passes its own check, and return its folder.

    Parameters
    ----------
    name : str
        Its name: a letter, then lower-case letters, digits, ``-`` or ``_``.
    folder : Path
        Where its folder goes.

    Raises
    ------
    SettingsError
        If the name cannot be one, something of that name is there already, or ``folder`` lies below what is no folder.
    ResultError
        If it cannot be written for another reason.
    """
    path = _free(name, folder / name, _STUDY_NAME)
    with atomic_folder(path, _ELSEWHERE) as new:
        for file in (SCRIPT, PLOT, README, EXPECTED):
            (new / file).write_text(_text(name, "study", f"{file}.txt"), encoding="utf-8")
    return path


def new_model(name: str, kind: str = "neuron", folder: Path = Path()) -> Path:
    """Write a model that ``biosnn show`` can show, and return its file.

    Parameters
    ----------
    name : str
        Its name, of which the file gets the ending ``.toml``.
    kind : {"neuron", "synapse"}
        The kind of model; its name has no ``-``.
    folder : Path
        Where its file goes.

    Raises
    ------
    SettingsError
        If the kind is unknown, the name cannot be one, or something of that name is there already.
    """
    if kind not in KINDS:
        raise SettingsError(field_error("kind", f"one of {', '.join(KINDS)}", kind))
    # A model's name is also that of its groups in Brian2, which takes no hyphen.
    path = _free(name, folder / f"{name}.toml", _MODEL_NAME)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(_text(name, f"{kind}.toml.txt"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be written: {error.strerror or error}. {_ELSEWHERE}") from None
    return path


def _free(name: str, path: Path, form: re.Pattern[str]) -> Path:
    if not form.fullmatch(name):
        hyphen = ", -" if form is _STUDY_NAME else ""
        raise SettingsError(field_error("name", f"a letter, then lower-case letters, digits{hyphen} or _", name))
    if path.exists() or path.is_symlink():
        raise SettingsError(f"{path}: exists already. Choose another name, or --dir.")
    nearest = next(parent for parent in path.absolute().parents if parent.exists())
    if not nearest.is_dir():
        raise SettingsError(f"{path}: cannot be written: {nearest} is no folder. {_ELSEWHERE}")
    return path


def _text(name: str, *parts: str) -> str:
    template = files("biosnn.study").joinpath("skeletons", *parts).read_text(encoding="utf-8")
    return template.replace("@NAME@", name)
