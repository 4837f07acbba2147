"""What a run is a function of, as one key: equal keys mean equal results, and code that changed makes another key."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from biosnn import catalogue
from biosnn.errors import StudyError
from biosnn.files import opened
from biosnn.gallery import GALLERY
from biosnn.study.load import Study
from biosnn.study.provenance import versions

DIGITS = 16
"""Hexadecimal digits of a key: among a million runs, two have the same one with a probability of 3e-8."""

_CODE = (".py", ".cpp", ".h", ".toml", ".pyx", ".npz", ".onnx")
_BLOCK = 2**20
_UNREAD = (".md", ".pyc")
_MADE = ("results", "sweeps")  # folders that runs make
_INSTALLED = tuple(Path(folder) for folder in {*sysconfig.get_paths().values(), *site.getsitepackages()})


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
    own = {f"study {name}": _content(path) for name, path in _study_files(study).items()}
    others = {
        f"module {name}": _hash_of(paths) for name, paths in _imported(list(_study_files(study).values())).items()
    }
    return {**own, **others, "library": library_hash(), **{f"version {name}": one for name, one in versions().items()}}


def _study_files(study: Study[Any]) -> dict[str, Path]:
    """Its files, those of its folders and its data among them, by their names; what is only read by people is not."""
    if study.script is not None:
        return {study.script.name: study.script}
    found = {}
    for where, folders, names in os.walk(study.folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")) and name not in _MADE)
        for name in sorted(names):
            path = Path(where, name)
            if not name.startswith(".") and path.suffix not in _UNREAD and name != GALLERY:
                found[path.relative_to(study.folder).as_posix()] = path
    return found


def _imported(sources: list[Path]) -> dict[str, list[Path]]:
    """The modules of a user's own that files import, and those that these import, with their files.

    Nothing is imported to find them. What is installed has a version, and is told apart by its place.
    """
    found: dict[str, list[Path]] = {}
    left = [path for path in sources if path.suffix == ".py"]
    while left:
        path = left.pop()
        stat = path.stat()
        for name in _names(path, stat.st_mtime_ns, stat.st_size):
            if name not in found and (files := _module_files(name)):
                found[name] = files
                left += files
    return found


@cache
def _names(path: Path, modified: int, size: int) -> tuple[str, ...]:
    """The top-level names that a file imports."""
    del modified, size  # another one is read anew
    try:
        tree = ast.parse(path.read_text(encoding="utf-8", errors="replace"))
    except (SyntaxError, ValueError, RecursionError):
        return ()
    names: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= dict.fromkeys(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names[node.module.partition(".")[0]] = None
    return tuple(name for name in names if name not in sys.stdlib_module_names and name != "biosnn")


def _module_files(name: str) -> list[Path]:
    """The files of a module or package that is not installed; none of one that is, or that there is not."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return []
    if spec is None or spec.origin is None:
        return []
    origin = Path(spec.origin)
    if any(origin.is_relative_to(folder) for folder in _INSTALLED) or not origin.is_file():
        return []
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    return sorted({origin, *(path for folder in folders for path in folder.rglob("*.py"))})


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
    """The models of a user's own whose names occur in a study's files or its settings, whatever is meant by them."""
    paths = catalogue.users_models()
    if not paths:
        return {}
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in study.sources() if path.suffix == ".py"]
    told = "\n".join([*texts, *settings.values()])
    return {f"model {path.name}": _content(path) for path in paths if path.stem in told}
