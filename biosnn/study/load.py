"""Load a study: a folder with one question, found by name or path, without a place on the import path."""

from __future__ import annotations

import ast
import hashlib
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

from biosnn import catalogue, files
from biosnn.engine import Simulation
from biosnn.engine.compiler.toolchain import TARGETS
from biosnn.errors import BiosnnError, StudyError, field_error, unknown
from biosnn.gallery import GalleryEntry, read_gallery_entry
from biosnn.study.answer import check_answer
from biosnn.study.claims import Claim
from biosnn.study.parts import Part
from biosnn.study.result import Result
from biosnn.study.saved import SavedResult
from biosnn.study.setting_values import SettingInfo
from biosnn.study.settings import changed_settings, describe_settings, make_settings, setting_texts
from biosnn.study.verdict import ALL, Expected, read_expected
from biosnn.usercode import blame, execute, private_name

_MOST_TEXT = 2**24  # bytes
SCRIPT, PLOT, README, EXPECTED = "study.py", "plot.py", "README.md", "expected.toml"

Settings = TypeVar("Settings")


@dataclass(frozen=True)
class Study(Generic[Settings]):
    """A study, loaded and checked, whose settings are of its class ``Settings``.

    Parameters
    ----------
    name : str
        The name of its folder.
    given : str
        How it was asked for, a name or a path: what a command to run it again must say.
    folder : Path
        Where it lies.
    title, question : str
        The first line and the rest of the docstring of its ``study.py``.
    method : str
        How the question is answered, for the report.
    answer : tuple of str
        Sentences that answer it, with values of the result in them.
    target : str
        Its usual target.
    settings : type
        Its frozen ``Settings`` dataclass.
    run : callable
        ``run(settings, sim) -> Result``.
    bring_along : callable
        ``settings_of_files(given) -> texts``: the settings that files bring along which are named in settings.
    claims : tuple of Claim
        What it claims about its result.
    parts : tuple of Part
        Its parts, if it has any.
    expected : tuple of Expected
        What its values are held against.
    readme : str
        The text of its ``README.md``.
    entry : GalleryEntry or None
        Its place in the gallery, if it has one.
    module : str
        The private name under which its code is loaded.
    script : Path or None
        The file of a study that is a function; None of one that is a folder.
    """

    name: str
    given: str
    folder: Path
    title: str
    question: str
    method: str
    answer: tuple[str, ...]
    target: str
    settings: type[Settings]
    run: Callable[[Settings, Simulation], Result]
    bring_along: Callable[[Mapping[str, Any]], Mapping[str, str]]
    claims: tuple[Claim, ...]
    parts: tuple[Part[Settings, Any], ...]
    expected: tuple[Expected, ...]
    readme: str
    entry: GalleryEntry | None
    module: str = field(repr=False)
    script: Path | None = None

    def describe(self) -> list[SettingInfo]:
        """List its settings."""
        return describe_settings(self.settings)

    def make_settings(self, given: Mapping[str, Any] | None = None) -> Settings:
        """Build its settings (`biosnn.study.make_settings`), those included that a file brings along.

        Raises
        ------
        SettingsError
            If a setting is wrong.
        BiosnnError
            If such a file cannot be read.
        """
        known = given or {}
        make_settings(self.settings, known)  # what is wrong without any file is told without opening one
        return make_settings(self.settings, {**self.bring_along(known), **known})

    def changed_settings(self, settings: Settings) -> dict[str, str]:
        """Write those settings as texts that have to be given for `make_settings` to build equal ones."""
        return changed_settings(settings, self.bring_along(setting_texts(settings)))

    def hashes(self) -> dict[str, str]:
        """SHA-256 of each of its files."""
        contents = {file.name: files.read_bytes(file, StudyError, _MOST_TEXT) for file in self.sources()}
        return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}

    def sources(self) -> list[Path]:
        """Its files."""
        if self.script is not None:
            return [self.script]
        return [file for file in sorted(self.folder.iterdir()) if file.suffix in (".py", ".toml", ".md")]


def study_summary(folder: Path) -> str:
    """Read the first line of a study's docstring without running any of its code.

    Raises
    ------
    StudyError
        If there is no readable ``study.py`` with a docstring.
    """
    title, _ = _docstring(folder)
    return title


def load_study(name_or_path: str | Path) -> Study[Any]:
    """Load a study by its name on the catalogue, or by the path of its folder.

    Its ``study.py`` is run under a private module name. The folder counts as a package, so ``from . import helper``
    finds a file beside it; nothing is put on the import path.

    Raises
    ------
    NotFoundError
        If there is no such study.
    StudyError
        If a file or definition is missing or of the wrong type, or the code fails when loaded.
    """
    folder = catalogue.study_folder(name_or_path)
    title, question = _docstring(folder)
    private = private_name("study", folder)
    for stale in [name for name in sys.modules if name == private or name.startswith(f"{private}.")]:
        del sys.modules[stale]
    # A slip in the drawing is better found before a long run than after it.
    _parse(folder / PLOT)
    module = _load(folder, private, SCRIPT, package=True)
    where = str(folder / SCRIPT)
    settings = _definition(where, module, "Settings", "a frozen dataclass", inspect.isclass)
    run = _definition(where, module, "run", "a function run(settings, sim)", callable)
    targets = f"one of {', '.join(TARGETS)}"
    try:
        infos = describe_settings(settings)
    except BiosnnError as error:
        raise StudyError(f"{where}: {error}") from None
    return Study(
        name=folder.resolve().name,
        given=str(name_or_path),
        folder=folder,
        title=title,
        question=question,
        method=_definition(where, module, "METHOD", "a text", lambda value: isinstance(value, str), default=""),
        answer=check_answer(where, getattr(module, "ANSWER", ())),
        target=_definition(where, module, "TARGET", targets, lambda value: value in TARGETS),
        settings=settings,
        run=run,
        bring_along=_definition(
            where, module, "settings_of_files", "a function settings_of_files(given)", callable, default=_nothing
        ),
        claims=_claims(where, module),
        parts=tuple(_definition(where, module, "PARTS", "a list of Part", _are(Part), default=())),
        expected=_expected(folder / EXPECTED, [info.name for info in infos]),
        readme=_text(folder / README),
        entry=read_gallery_entry(folder),
        module=private,
    )


def _nothing(_: Mapping[str, Any]) -> Mapping[str, str]:
    return {}


def load_plot(study: Study[Any]) -> Callable[[SavedResult], Any]:
    """Load the function ``plot`` of a study's ``plot.py``; a study that is a function draws nothing.

    Raises
    ------
    StudyError
        If there is none, or the file cannot be loaded.
    """
    if study.script is not None:
        return lambda _: []
    module = _load(study.folder, f"{study.module}.plot", PLOT, package=False)
    where = str(study.folder / PLOT)
    plot: Callable[[SavedResult], Any] = _definition(where, module, "plot", "a function plot(result)", callable)
    return plot


def _text(path: Path) -> str:
    do = f"A study is a folder with {', '.join((SCRIPT, PLOT, README, EXPECTED))}."
    return files.read_text(path, StudyError, _MOST_TEXT, do)


def _parse(path: Path) -> ast.Module:
    try:
        return ast.parse(_text(path), filename=str(path))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise StudyError(f"{path}: cannot be read as Python: {error}") from None


def _docstring(folder: Path) -> tuple[str, str]:
    path = folder / SCRIPT
    text = ast.get_docstring(_parse(path)) or ""
    title, _, question = text.partition("\n")
    if not title.strip():
        raise StudyError(f"{path}: expected a docstring that asks the study's question; its first line is the title.")
    return title.strip(), question.strip()


def _load(folder: Path, name: str, file: str, *, package: bool) -> ModuleType:
    path = folder / file
    _text(path)
    try:
        return execute(path, name, package=package)
    except Exception as error:  # the study's own code: anything can happen
        raise StudyError(f"{path}: cannot be loaded: {blame(error, folder)}") from error


def _definition(
    where: str, module: ModuleType, name: str, expected: str, right: Callable[[Any], bool], default: Any = ...
) -> Any:
    value = getattr(module, name, default)
    if value is ...:
        raise StudyError(f"{where}: expected a definition of {name}: {expected}.")
    if not right(value):
        raise StudyError(field_error(f"{where} {name}", expected, value))
    return value


def _expected(path: Path, settings: list[str]) -> tuple[Expected, ...]:
    parts = [name.split(".") for name in settings]
    known = {".".join(words[:many]) for words in parts for many in range(1, len(words) + 1)}
    with files.reading(path, StudyError, "expected values"):
        expected = tuple(read_expected(path))
    for item in expected:
        for name in () if item.depends_on == ALL else item.depends_on:
            if name not in known:
                where = f"{path.name} [values.{item.name}] depends_on"
                raise StudyError(f"{path.parent.name} {where}: {unknown('setting', name, known)}")
    return expected


def _are(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, (list, tuple)) and all(isinstance(item, kind) for item in value)


def _claims(where: str, module: ModuleType) -> tuple[Claim, ...]:
    claims = tuple(_definition(where, module, "CLAIMS", "a list of Claim", _are(Claim)))
    names = [claim.name for claim in claims]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise StudyError(f"{where} CLAIMS: two claims have the name {twice[0]!r}. Give each its own.")
    return claims
