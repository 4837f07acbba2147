"""A function of a user's own as a study: ``FILE.py:NAME``, without a folder, expected values and figures."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

from biosnn.engine.compiler.toolchain import TARGETS
from biosnn.errors import BiosnnError, StudyError, field_error
from biosnn.study.load import Study, load_study
from biosnn.study.settings import describe_settings
from biosnn.usercode import blame, execute, private_name

_EXAMPLE = (
    "Write for example: def run(settings: Settings, sim: biosnn.Simulation) -> Result, with a frozen dataclass "
    "Settings whose fields are made by biosnn.study.setting()."
)


_LOADING: set[Path] = set()
"""Files that are being executed right now."""


def find_study(name_or_path: str | Path | Callable[..., Any]) -> Study[Any]:
    """Load a study by its name or its folder, or a function: itself, or as ``FILE.py:NAME``.

    Raises
    ------
    NotFoundError
        If there is no such study.
    StudyError
        If it is not well formed, or its code fails when loaded.
    """
    if callable(name_or_path):
        return _study_of(*_place(name_or_path))
    file, colon, name = str(name_or_path).rpartition(":")
    if colon and file.endswith(".py"):
        return _study_of(Path(file), name)
    return load_study(name_or_path)


def is_function(name: str) -> bool:
    """Whether a name is meant as that of a function in a file."""
    file, colon, _ = name.rpartition(":")
    return bool(colon) and file.endswith(".py")


def _place(function: Callable[..., Any]) -> tuple[Path, str]:
    """The file of a function, and its name there."""
    name = getattr(function, "__qualname__", repr(function))
    try:
        file = inspect.getsourcefile(function)
    except TypeError:
        file = None
    if file is None or not Path(file).is_file() or not name.isidentifier():
        do = "Put it into a file of its own, as other processes have to import it."
        raise StudyError(field_error(f"Function {name}", "one at the top of a Python file", name, do))
    return Path(file), name


def _study_of(file: Path, name: str) -> Study[Any]:
    path = file.expanduser()
    if not path.is_file():
        raise StudyError(f"{file}:{name}: there is no file {path}.")
    path = path.resolve()
    where = f"{path}:{name}"
    if path in _LOADING:
        do = f"Put what starts it under if __name__ == '__main__': the file is loaded to find {name}."
        raise StudyError(f"{where}: the file itself starts a sweep or run while it is loaded. {do}")
    _LOADING.add(path)
    try:
        module = execute(path, private_name("function", path))
    except Exception as error:  # the user's own code: anything can happen
        raise StudyError(f"{path}: cannot be loaded: {blame(error, path)}") from error
    finally:
        _LOADING.discard(path)
    function = getattr(module, name, None)
    if not inspect.isfunction(function):
        own = [value for value in vars(module).values() if getattr(value, "__module__", "") == module.__name__]
        there = [value.__name__ for value in own if inspect.isfunction(value) and not value.__name__.startswith("_")]
        raise StudyError(field_error(where, f"a function; in this file: {', '.join(there) or 'none'}", function))
    target = getattr(module, "TARGET", "cpp")
    if target not in TARGETS:
        raise StudyError(field_error(f"{path} TARGET", f"one of {', '.join(TARGETS)}", target))
    title, _, question = (inspect.getdoc(function) or name).partition("\n")
    return Study(
        name=name,
        given=where,
        folder=path.parent,
        title=title.strip(),
        question=question.strip(),
        method="",
        answer=(),
        target=target,
        settings=_settings(where, function),
        run=function,
        bring_along=lambda _: {},
        claims=(),
        parts=(),
        expected=(),
        readme="",
        entry=None,
        module=module.__name__,
        script=path,
    )


def _settings(where: str, function: Callable[..., Any]) -> type:
    """The class of a function's settings: that of its first parameter."""
    parameters = list(inspect.signature(function).parameters)
    try:
        hints = typing.get_type_hints(function)
    except Exception as error:  # names that are nowhere
        raise StudyError(f"{where}: its annotations cannot be read: {error}. {_EXAMPLE}") from None
    found = hints.get(parameters[0]) if len(parameters) == 2 else None
    if not inspect.isclass(found):
        raise StudyError(field_error(where, "a function (settings, sim) whose settings have a type", found, _EXAMPLE))
    try:
        describe_settings(found)
    except BiosnnError as error:
        raise StudyError(f"{where}: {error} {_EXAMPLE}") from None
    return found
