"""What is said of an error of a script: its own lines, and what to do."""

from __future__ import annotations

import re
import sysconfig
import traceback
from pathlib import Path

from brian2.core.base import BrianObjectException

from biosnn.errors import BiosnnError

_LIBRARIES = [
    Path(__file__).resolve().parents[1],
    *(Path(sysconfig.get_paths()[kind]).resolve() for kind in ("stdlib", "purelib", "platlib")),
]
_UNRESOLVED = re.compile(r"The identifier \"(\w+)\" could not be resolved")


def blamed(error: BaseException) -> str:
    """An error as Python tells it, with the lines of libraries left out.

    Parameters
    ----------
    error : BaseException
        That a script has raised.
    """
    if isinstance(error, SyntaxError):
        return "".join(traceback.format_exception_only(error)).strip()
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_users(frame.filename)]
    lines = ["Traceback of the script (most recent call last):\n", *traceback.format_list(frames)] if frames else []
    return "".join(lines) + _said(error)


def _is_users(file: str) -> bool:
    path = Path(file)
    return path.exists() and not any(folder in path.resolve().parents for folder in _LIBRARIES)


def _said(error: BaseException) -> str:
    where = ""
    if isinstance(error, BrianObjectException):
        made = [line.strip() for line in error._brian_objcreate.splitlines()[1:] if line.strip()]
        where = f"\n{error._brian_objname} was made here: {' '.join(made)}" if made else ""
        while error.__cause__ is not None:
            error = error.__cause__
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    said = text if isinstance(error, BiosnnError) else f"{type(error).__name__}: {text}"
    unresolved = _UNRESOLVED.search(said)
    if unresolved:
        name = unresolved[1]
        said += (
            f"\n{name} is neither a variable of the group nor a name where the network is run. Define it there, or "
            f"pass it: namespace={{{name!r}: ...}}, to the group or to run()."
        )
    return said + where
