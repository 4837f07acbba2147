"""How the parts of biosnn build on each other: what imports what, and how large files and folders are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "biosnn"

FLOORS = (
    ("errors", "printable"),
    (
        "quantity",
        "folders",
        "files",
        "writing",
        "preferences",
        "usercode",
        "display",
        "optional_dependencies",
        "seeds",
    ),
    ("model", "codec", "gallery"),
    ("theory", "measure", "coding", "energy", "archive"),
    ("catalogue", "datasets"),
    ("codegen",),
    ("projection", "adjoint"),
    ("groups", "engine"),
    ("inputs", "ann", "script"),
    ("nir", "recording"),
    ("learning", "conversion"),
    ("training", "propagation"),
    ("study",),
    ("report", "export"),
    ("run",),
    ("sweep",),
    ("doctor",),
    ("cli",),
)
"""From the lowest: a part, which is a package or a file, imports only from itself and from lower floors."""
FLOOR_OF = {name: floor for floor, names in enumerate(FLOORS) for name in names}
FILES = sorted(ROOT.rglob("*.py"))
MOST_LINES = 400
MOST_FILES = 17


def module(path: Path) -> str:
    """The name that a file is imported by."""
    name = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
    return name.removesuffix(".__init__")


MODULES = {module(path): path for path in FILES}


def imported(path: Path) -> set[str]:
    """The files of biosnn that a file imports: at its top, inside a function, or for the types only."""
    return {name for node in ast.walk(ast.parse(path.read_text())) for name in _named(node)} & MODULES.keys()


def _named(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (name.name for name in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        inner = [f"{node.module}.{name.name}" for name in node.names]
        yield from (name if name in MODULES else node.module for name in inner)


def part(name: str) -> str:
    return name.split(".")[1]


def test_a_file_imports_only_from_its_own_part_and_lower_floors() -> None:
    above = {
        name: higher
        for name in MODULES.keys() - {"biosnn"}
        if (higher := {other for other in imported(MODULES[name]) - {"biosnn"} if not _below(other, name)})
    }
    assert not above, f"each of these imports what is not below it: {above}"


def _below(other: str, name: str) -> bool:
    return part(other) == part(name) or FLOOR_OF[part(other)] < FLOOR_OF[part(name)]


def test_no_files_import_each_other_in_a_circle() -> None:
    # The __init__ of a package only names what is in its files; whoever imports from it would seem to import them all.
    graph = {name: imported(path) for name, path in MODULES.items() if path.name != "__init__.py"}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' <- '.join(error.args[1])}")


def test_no_file_is_longer_than_one_can_read() -> None:
    lines = {name: len(path.read_text().splitlines()) for name, path in MODULES.items()}
    assert {name: n for name, n in lines.items() if n > MOST_LINES} == {}


def test_no_folder_has_more_files_than_one_can_take_in() -> None:
    files = {str(folder): len(list(folder.glob("*.py"))) for folder in {path.parent for path in FILES}}
    assert {folder: n for folder, n in files.items() if n > MOST_FILES} == {}
