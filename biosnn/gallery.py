"""Gallery of published experiments: what ``gallery.toml`` in a study's folder says. No code of the study is run."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from biosnn.errors import StudyError, field_error, unknown
from biosnn.files import parse_toml, read_text, reading

GALLERY = "gallery.toml"
TOPICS = {
    "neurons": "Neurons",
    "plasticity": "Plasticity",
    "networks": "Networks",
    "coding": "Coding",
    "training": "Training",
}
"""In the order in which they are shown."""
LONGEST = 180
"""Seconds of the longest run that is made with all others in one go."""

_MOST_TEXT = 2**16  # bytes
_ALIAS = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
_MEMORY = re.compile(r"[0-9]+(?:\.[0-9]+)? [MG]B")
_DOI = re.compile(r"doi:(10\.\d{4,9}/[^\s,;\"<>]*[^\s,;\"<>.)])")


@dataclass(frozen=True)
class GalleryEntry:
    """A study's place in the gallery.

    Parameters
    ----------
    topic : {"neurons", "plasticity", "networks", "coding", "training"}
        Under what it is listed; training is by gradients.
    paper : str
        Who did the experiment first: authors, year, journal, ``doi:...``.
    seconds : float
        Processor seconds of a run with the defaults, its programs being built.
    memory : str
        How much memory that takes, such as ``"0.4 GB"``.
    thumbnail : str
        The name of the study's figure that the gallery shows.
    answer : str
        The name of the study's claim that the gallery shows as its answer; empty for the first.
    alias : str
        A second, short name for the command line; empty if it has none.

    Raises
    ------
    StudyError
        If a field is not as it should be.
    """

    topic: str
    paper: str
    seconds: float
    memory: str
    thumbnail: str
    answer: str = ""
    alias: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.topic, str) or self.topic not in TOPICS:
            raise StudyError(field_error("topic", f"one of {', '.join(TOPICS)}", self.topic))
        for name, said in (("paper", "who did the experiment, where"), ("thumbnail", "the name of a figure")):
            text = getattr(self, name)
            if not isinstance(text, str) or not text.strip():
                raise StudyError(field_error(name, said, text))
        number = isinstance(self.seconds, int | float) and not isinstance(self.seconds, bool)
        if not number or not 0 < self.seconds < math.inf:
            raise StudyError(field_error("seconds", "how many seconds a run takes, above 0", self.seconds))
        if not isinstance(self.memory, str) or not _MEMORY.fullmatch(self.memory):
            raise StudyError(field_error("memory", "how much memory a run takes, such as '0.4 GB'", self.memory))
        if not isinstance(self.answer, str):
            raise StudyError(field_error("answer", "the name of a claim", self.answer))
        if not isinstance(self.alias, str) or (self.alias and not _ALIAS.fullmatch(self.alias)):
            expected = "a letter, then lower-case letters, digits, - or _"
            raise StudyError(field_error("alias", expected, self.alias))

    @property
    def doi(self) -> str:
        """The identifier of the paper, empty if it names none."""
        found = _DOI.search(self.paper)
        return found[1] if found else ""

    @property
    def short(self) -> bool:
        """Whether it is run when all are run in one go."""
        return self.seconds <= LONGEST


def read_gallery_entry(folder: Path) -> GalleryEntry | None:
    """Read what ``gallery.toml`` in a study's folder says; None if there is none.

    Raises
    ------
    StudyError
        If it is no TOML, or a field is missing, unknown or not as it should be.
    """
    path = folder / GALLERY
    if not path.exists() and not path.is_symlink():
        return None
    try:
        state = path.stat()
    except OSError:  # which reading it tells
        return _read(path, 0, 0)
    return _read(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=1024)
def _read(path: Path, modified: int, size: int) -> GalleryEntry:  # noqa: ARG001 (a changed file is read anew)
    data = parse_toml(path, read_text(path, StudyError, _MOST_TEXT), StudyError)
    with reading(path, StudyError, "a study's place in the gallery"):
        return _entry(data)


def _entry(data: Mapping[str, Any]) -> GalleryEntry:
    known = [field.name for field in fields(GalleryEntry)]
    for name in data:
        if name not in known:
            raise StudyError(unknown("field", name, known))
    needed = [field.name for field in fields(GalleryEntry) if field.default is MISSING]
    missing = [name for name in needed if name not in data]
    if missing:
        raise StudyError(f"field {missing[0]!r} is missing. Needed are {', '.join(needed)}.")
    return GalleryEntry(**data)
