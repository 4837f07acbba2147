"""Python files of a user's own, executed under a private name: nothing is put on the import path."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TypeVar

Returned = TypeVar("Returned")


def contained(call: Callable[[], Returned]) -> Returned:
    """Call code of a user's own. That it ends Python becomes an error, since it would pass for an end of all went well.

    Raises
    ------
    RuntimeError
        If it calls ``sys.exit``.
    Exception
        Whatever else it raises.
    """
    try:
        return call()
    except SystemExit as error:
        told = RuntimeError("it calls sys.exit, which would end biosnn. Return, or raise an exception")
        raise told.with_traceback(error.__traceback__) from error


def private_name(kind: str, path: Path) -> str:
    """A name for the module of a file or folder, the same for the same path."""
    return f"_biosnn_{kind}_{hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:12]}"


def execute(file: Path, name: str, *, package: bool = False) -> ModuleType:
    """Execute a Python file as the module of that name.

    Parameters
    ----------
    file : Path
        Ends in ``.py``.
    name : str
        Such as `private_name` makes. A module that had it is replaced.
    package : bool
        Whether ``from . import helper`` finds the files beside it.

    Raises
    ------
    ImportError
        If it is no file of Python's.
    Exception
        Whatever its code raises; nothing of it is kept then.
    """
    search = [str(file.parent)] if package else None
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=search)
    if spec is None or spec.loader is None:
        raise ImportError("it is no Python file, ending in .py")
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks its module up by name while it is made.
    sys.modules[name] = module
    load = spec.loader.exec_module
    try:
        contained(lambda: load(module))
    except Exception:
        sys.modules.pop(name, None)
        raise
    return module


def blame(error: BaseException, code: Path) -> str:
    """Describe an exception with the last line that led there of a file, or of the files of a folder."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if code in (p := Path(frame.filename), p.parent)
    ]
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"
