"""Where biosnn keeps what it has made or fetched: folders of the user's, which an environment variable can move."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path

from biosnn.errors import BiosnnError

GONE = "The working folder is gone: it was removed. Change to one that is there."


def cache_folder() -> Path:
    """Compiled programs: ``BIOSNN_CACHE``, else ``biosnn`` in the platform's folder for caches."""
    return _asked("BIOSNN_CACHE") or _platform_cache()


def data_folder() -> Path:
    """Datasets: ``BIOSNN_DATA``, else ``biosnn/data`` in the platform's folder for caches."""
    return _asked("BIOSNN_DATA") or _platform_cache() / "data"


def working_folder_is_gone() -> bool:
    """Whether somebody has removed the folder in which this process works."""
    try:
        os.getcwd()
    except OSError:
        return True
    return False


def folder_size(folder: Path) -> int:
    """Bytes of all files below a folder; a cache has tens of thousands, of which no path needs an object."""
    files = (os.path.join(where, name) for where, _, names in os.walk(folder) for name in names)
    return sum(os.path.getsize(file) for file in files if os.path.isfile(file))


def _asked(variable: str) -> Path | None:
    text = os.environ.get(variable, "")
    try:
        return Path(text).expanduser().absolute() if text else None
    except FileNotFoundError:
        raise BiosnnError(f"{variable} is {text!r}, seen from the working folder. {GONE}") from None


def _platform_cache() -> Path:
    return user_cache_path("biosnn", appauthor=False, opinion=False)


def size_text(size: float) -> str:
    """A number of bytes as text: ``"1.5 MB"``."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"
