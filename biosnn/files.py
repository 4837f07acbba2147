"""Files from strangers: opened only if they are plain files, read within bounds, and what a parser throws told clearly.

All readers go through here. `reading` is the boundary: behind it any exception is an error of ours that names the file.
A packed file may claim to hold a thousand times its size, so that `check_size` holds what is claimed against the file
and the memory there is, before any is taken.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from biosnn.errors import BiosnnError, MissingExtraError, field_error

ALWAYS = 2**28
"""So many bytes may be unpacked from a file of any size,"""
RATIO = 100
"""and this many times its own size beyond. What is really measured or trained becomes ten to fifty times smaller."""
_DEEPEST = 64  # parts of a dotted key; the time that Python's parser takes grows with the square of their number
_SHOWN = 200  # characters of what a parser says

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@contextlib.contextmanager
def reading(where: object, error: type[BiosnnError], expected: str, do: str = "") -> Iterator[None]:
    """Turn whatever the block raises into one error.

    Parameters
    ----------
    where : object
        The file, and the member of it, for the message.
    error : type
        Of the exception to raise. Errors of ours keep their text, with ``where`` before it if it is not there.
    expected : str
        What the file should be.
    do : str
        What to do about it.
    """
    try:
        yield
    except MissingExtraError:
        raise
    except BiosnnError as problem:
        placed = str(where) in str(problem)
        if placed and isinstance(problem, error):
            raise
        raise error(str(problem) if placed else f"{where}: {problem}") from None
    except MemoryError as problem:
        told = field_error(str(where), f"{expected} that fits into memory", f"{available_memory():,} bytes free", do)
        raise error(told) from problem
    except Exception as problem:
        raise error(f"{where}: cannot be read as {expected}: {_said(problem)}. {do}".rstrip()) from problem


def _said(problem: Exception) -> str:
    text = " ".join(str(problem).split()).rstrip(".")
    text = text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..."
    plain = text and not isinstance(problem, LookupError | TypeError | AttributeError | RecursionError)
    return text if plain else f"{type(problem).__name__} {text}".rstrip()


@contextlib.contextmanager
def opened(path: Path, error: type[BiosnnError], do: str = "") -> Iterator[BinaryIO]:
    """Open a plain file to be read. Pipes and devices, which could be waited for for ever, are refused.

    Raises
    ------
    error
        If there is no such file, it is something else, or cannot be read.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        number = os.open(path, flags)
    except (OSError, ValueError) as problem:
        raise error(f"{_not_opened(path, problem)} {do}".rstrip()) from None
    mode = os.fstat(number).st_mode
    if not stat.S_ISREG(mode):
        os.close(number)
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise error(f"{path}: is {kind}, not a file. {do or 'Give the path of a plain file.'}")
    with os.fdopen(number, "rb") as file:
        yield file


def _not_opened(path: Path, problem: Exception) -> str:
    if isinstance(problem, ValueError):
        return f"{str(path)!r}: expected the path of a file (it cannot be one: {problem})."
    if isinstance(problem, FileNotFoundError | NotADirectoryError):
        looked = "" if os.path.isabs(path) else f" (looked at {os.path.abspath(path)})"
        return f"{path}: no such file{looked}."
    return f"{path}: cannot be read: {getattr(problem, 'strerror', None) or problem}."


def check_plain(path: Path, error: type[BiosnnError], do: str = "") -> int:
    """The size of a file which a library opens by itself, in bytes; errors as of `opened`."""
    with opened(path, error, do) as file:
        return size_of(file)


def size_of(file: BinaryIO) -> int:
    """The size of an open file, in bytes."""
    return os.fstat(file.fileno()).st_size


def read_bytes(path: Path, error: type[BiosnnError], most: int, do: str = "") -> bytes:
    """The content of a plain file of at most so many bytes; errors as of `opened`."""
    with opened(path, error, do) as file, reading(path, error, "a file that can be read", do):
        if size_of(file) > most:
            raise error(field_error(str(path), f"at most {most} bytes", size_of(file), do))
        return file.read(most + 1)


def read_text(path: Path, error: type[BiosnnError], most: int, do: str = "") -> str:
    """The content of a plain file in UTF-8, of at most so many bytes; errors as of `opened`."""
    content = read_bytes(path, error, most, do)
    with reading(path, error, "a text in UTF-8", do):
        return content.decode("utf-8-sig")  # editors on Windows begin a file with a mark


def parse_json(where: object, text: str, error: type[BiosnnError], do: str = "") -> Any:
    """What a JSON text says; ``error`` if it is none."""
    with reading(where, error, "JSON", do):
        return json.loads(text)


def parse_toml(where: object, text: str, error: type[BiosnnError], do: str = "") -> dict[str, Any]:
    """What a TOML text says; ``error`` if it is none, or is made to keep a parser busy."""
    with reading(where, error, "TOML", do):
        for line in text.splitlines() if "." in text else ():
            if line.partition("=")[0].count(".") > _DEEPEST:
                raise error(field_error(str(where), f"keys of at most {_DEEPEST} parts", f"{line[:40]} ...", do))
        return tomllib.loads(text)


def check_size(where: object, claimed: int, stored: int, error: type[BiosnnError], do: str = "") -> None:
    """Refuse what would be too large in memory, before any is taken for it.

    Parameters
    ----------
    where : object
        What to call it in a message.
    claimed : int
        How many bytes it would take, as the file says.
    stored : int
        How many the file has.
    error : type
        Of the exception to raise.
    do : str
        What to do about it.

    Raises
    ------
    error
        If that is more than `ALWAYS` and `RATIO` times the file, or more than half of the memory that is free: what is
        read is copied at least once.
    """
    most = ALWAYS + RATIO * stored
    if claimed > most:
        expected = f"at most {most:,} bytes when unpacked: {ALWAYS:,}, and {RATIO} times the {stored:,} of the file"
        raise error(field_error(str(where), expected, f"{claimed:,} bytes", do or "It was made to fill the memory."))
    if claimed > ALWAYS and claimed > (free := available_memory()) // 2:
        expected = f"at most {free // 2:,} bytes, half of the memory that is free"
        raise error(field_error(str(where), expected, f"{claimed:,} bytes", do or "Use a machine with more memory."))


def available_memory() -> int:
    """How many bytes a program can take now, as far as the system tells: what is free, and the limits set on it."""
    return max(0, min(_free(), _left_by_limit(), _left_to_group()))


def _free() -> int:
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):  # Windows does not tell this way
        return 2**33


def _left_by_limit() -> int:
    """What ``ulimit -v`` leaves."""
    try:
        import resource

        most = resource.getrlimit(resource.RLIMIT_AS)[0]
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (ImportError, OSError, ValueError):
        return sys.maxsize
    return sys.maxsize if most == resource.RLIM_INFINITY else most - taken


def _left_to_group() -> int:
    """What a container, or a job of a cluster, leaves (control groups of Linux, version 2)."""
    try:
        name = Path("/proc/self/cgroup").read_text().partition("0::/")[2].splitlines()
        group = Path("/sys/fs/cgroup") / (name[0] if name else "")
        most, taken = ((group / f"memory.{what}").read_text().strip() for what in ("max", "current"))
        return int(most) - int(taken)
    except (OSError, ValueError):  # none, or "max": no limit
        return sys.maxsize
