"""What a run is a function of, as one key: equal keys mean equal results, and code that changed makes another key."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from biosnn import catalogue
from biosnn.errors import StudyError
from biosnn.files import opened
from biosnn.gallery import GALLERY
from biosnn.study.load import README, Study
from biosnn.study.provenance import versions

DIGITS = 16
"""Hexadecimal digits of a key: among a million runs, two have the same one with a probability of 3e-8."""

_CODE = (".py", ".cpp", ".h", ".toml", ".pyx", ".npz", ".onnx")
_BLOCK = 2**20
_WORD = re.compile(r"\w+")


def run_key(
    study: Study[Any], settings: Mapping[str, str], seed: int, target: str, code: Mapping[str, str] | None = None
) -> str:
    """The key of a run, of `DIGITS` hexadecimal digits.

    Parameters
    ----------
    study : Study
        Which study; its files count, but for its README and its place in the gallery.
    settings : mapping of str to str
        All its settings, as texts. Of files and folders that they name, the content counts.
    seed : int
        The seed.
    target : str
        ``cpp``, ``cython`` or ``numpy``.
    code : mapping of str to str, optional
        `code_parts` of the study, if they are known.

    Raises
    ------
    StudyError
        If a file cannot be read.
    """
    parts = {**(code_parts(study) if code is None else code), **named_files(settings), **_users_models(study, settings)}
    text = json.dumps([study.name, sorted(parts.items()), sorted(settings.items()), seed, target])
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def code_parts(study: Study[Any]) -> dict[str, str]:
    """What a result of a study follows from beside its settings: a hash or a version by what it is of."""
    own = {f"study {name}": text for name, text in study.hashes().items() if name not in (README, GALLERY)}
    return {**own, "library": library_hash(), **{f"version {name}": text for name, text in versions().items()}}


@cache
def library_hash() -> str:
    """A hash of the code of biosnn, and of the models that come with it.

    Of a process it is that of its beginning, as later changes of the files are not in its memory.
    """
    package, models = Path(__file__).parents[1], catalogue.own_models()
    return _hash_of([path for path in (*package.rglob("*"), *models.rglob("*")) if path.suffix in _CODE])


def _hash_of(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(set(paths)):
        # The names of folders above differ between an installation and a checkout, and do not matter.
        digest.update(f"{path.parent.name}/{path.name}\0{_file_hash(path)}\0".encode())
    return digest.hexdigest()


def _file_hash(path: Path) -> str:
    digest = hashlib.sha256()
    with opened(path, StudyError) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def named_files(settings: Mapping[str, str]) -> dict[str, str]:
    """The content of files and folders that settings name, as a hash by the setting.

    Of a folder, which may hold a whole dataset, it is the names, sizes and times of its files.
    """
    found = {}
    for name, text in settings.items():
        for word in text.split(","):  # a tuple may name several
            path = _path(word.strip())
            if path is not None:
                found[f"file {word.strip()} of {name}"] = _content(path)
    return found


def _path(text: str) -> Path | None:
    """The file or folder that a text names, if it is meant as a path, and there."""
    try:
        path = Path(text).expanduser()
        return path if (catalogue.is_path(text) or path.suffix) and path.exists() else None
    except (OSError, ValueError, RuntimeError):  # too long, with a NUL in it, or of a user who is not there
        return None


def _content(path: Path) -> str:
    stat = path.stat()
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        listed = [(str(file.relative_to(path)), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
        return hashlib.sha256(json.dumps(listed).encode()).hexdigest()
    return _unchanged_file(path.resolve(), stat.st_mtime_ns, stat.st_size)


@cache
def _unchanged_file(path: Path, modified: int, size: int) -> str:
    del modified, size  # another one is read anew
    return _file_hash(path)


def _users_models(study: Study[Any], settings: Mapping[str, str]) -> dict[str, str]:
    """The models of a user's own that a study's files or its settings name, whatever they mean by that word."""
    paths = catalogue.users_models()
    if not paths:
        return {}
    words = set(_WORD.findall(" ".join(settings.values())))
    for source in study.sources():
        if source.suffix == ".py":
            words |= set(_WORD.findall(source.read_text(encoding="utf-8", errors="replace")))
    return {f"model {path.stem}": _content(path) for path in paths if path.stem in words}
