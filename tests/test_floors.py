"""A module of biosnn imports only from lower floors (docs/architecture.md)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "biosnn"

FLOORS = (
    ("errors",),
    ("quantity", "folders", "files", "writing", "preferences", "usercode", "printable"),
    ("model", "theory", "measure", "coding", "energy", "archive"),
    ("shelf", "datasets", "idx", "cifar", "examples", "download"),
    ("codeobjects", "exact", "moving", "traces", "precision", "build", "projection", "inputs", "schedule", "engine"),
    ("learning", "conversion"),
    ("settings", "study", "report"),
    ("doctor", "cli"),
)
FLOOR_OF = {name: floor for floor, names in enumerate(FLOORS) for name in names}
FILES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def part(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """The parts of biosnn that a file imports, at its top or inside a function."""
    modules = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            modules += [node.module] if node.module != "biosnn" else [f"biosnn.{name.name}" for name in node.names]
        elif isinstance(node, ast.Import):
            modules += [name.name for name in node.names]
    return {module.split(".")[1] for module in modules if module.startswith("biosnn.")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_from_its_own_part_and_lower_floors(path: Path) -> None:
    own = part(path)
    above = {name for name in imported(path) - {own} if FLOOR_OF.get(name, 99) >= FLOOR_OF[own]}
    same_floor = {name for name in above if FLOOR_OF.get(name) == FLOOR_OF[own]}
    assert above == same_floor, f"{own} is on floor {FLOOR_OF[own]}; these stand higher: {above - same_floor}"
