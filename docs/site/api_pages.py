"""The reference of everything public: a page for each package, on which Sphinx sets the docstrings."""

from __future__ import annotations

import ast
import importlib
import inspect
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGES = {
    "Models and simulation": (
        "biosnn",
        "model",
        "catalogue",
        "quantity",
        "projection",
        "inputs",
        "engine",
        "recording",
        "script",
    ),
    "Learning and coding": (
        "coding",
        "learning",
        "learning.layers",
        "learning.reward",
        "training",
        "adjoint",
        "propagation",
    ),
    "Networks from elsewhere": ("ann", "conversion", "conversion.analysis.remedies", "nir", "energy"),
    "Data, measures and theory": ("datasets", "measure", "theory"),
    "Studies and results": ("study", "sweep", "export", "report"),
    "Errors": ("errors",),
}
"""What is public, below ``biosnn``, in the order of the reference."""

_ABOUT = """API reference
=============

Everything public, as the docstrings have it. What is used most is in `biosnn` itself; the packages below it have the
rest.

"""


def write_api(folder: Path) -> None:
    """Write the pages of all public packages into a folder."""
    folder.mkdir()
    parts = [_ABOUT]
    for heading, names in PACKAGES.items():
        parts += [heading, "-" * len(heading), ""]
        modules = [importlib.import_module(full_name(name)) for name in names]
        for module in modules:
            (folder / f"{module.__name__}.rst").write_text(page(module), encoding="utf-8")
            parts.append(f":doc:`{module.__name__}`\n    {_first_line(module)}\n")
        parts += [".. toctree::", "    :hidden:", "", *(f"    {module.__name__}" for module in modules), ""]
    (folder / "index.rst").write_text("\n".join(parts), encoding="utf-8")


def full_name(name: str) -> str:
    """The name that a package of `PACKAGES` is imported by."""
    return name if name == "biosnn" else f"biosnn.{name}"


def public_names(module: ModuleType) -> list[str]:
    """What a module offers: its ``__all__``, or the functions and classes that it defines itself."""
    if hasattr(module, "__all__"):
        return sorted(module.__all__, key=str.lower)
    found = vars(module).items()
    own = [name for name, thing in found if getattr(thing, "__module__", "") == module.__name__ and name[0] != "_"]
    return own if module.__name__ == "biosnn.errors" else sorted(own, key=str.lower)


def page(module: ModuleType) -> str:
    """A page in reStructuredText: the module's docstring, a list of its names, and each of them."""
    name = module.__name__
    names = public_names(module)
    here = [one for one in names if name == "biosnn" or one not in importlib.import_module("biosnn").__all__]
    above = [one for one in names if one not in here]
    parts = [name, "=" * len(name), "", f".. automodule:: {name}", ""]
    parts += [".. list-table::", "    :widths: 30 70", "    :class: names", ""]
    for one in names:
        target = f"biosnn.{one}" if one in above else f"{name}.{one}"
        parts += [f"    * - :py:obj:`{one} <{target}>`", f"      - {_first_line(getattr(module, one), module, one)}"]
    return "\n".join([*parts, "", *(_entry(module, one) for one in here)])


def _entry(module: ModuleType, name: str) -> str:
    thing = getattr(module, name)
    if inspect.isclass(thing):
        return f".. autoclass:: {module.__name__}.{name}\n    :members:\n"
    if inspect.isfunction(thing):
        return f".. autofunction:: {module.__name__}.{name}\n"
    return f".. py:data:: {name}\n    :module: {module.__name__}\n\n    {_said_of(module, name)}\n"


def _first_line(thing: Any, module: ModuleType | None = None, name: str = "") -> str:
    constant = module is not None and not inspect.isclass(thing) and not inspect.isfunction(thing)
    text = _said_of(module, name) if module is not None and constant else inspect.getdoc(thing) or ""
    return " ".join(text.partition("\n\n")[0].split())


def _said_of(module: ModuleType, name: str) -> str:
    """The text below a constant, in whichever file of the package it is assigned."""
    for path in sorted(Path(str(module.__file__)).parent.rglob("*.py")):
        for statement, following in pairwise(ast.parse(path.read_text(encoding="utf-8")).body):
            said = following.value if isinstance(following, ast.Expr) else None
            if name in _assigned(statement) and isinstance(said, ast.Constant):
                return " ".join(str(said.value).split())
    return ""


def _assigned(statement: ast.stmt) -> set[str]:
    """The names that a statement assigns to."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return {node.id for target in targets if target for node in ast.walk(target) if isinstance(node, ast.Name)}
