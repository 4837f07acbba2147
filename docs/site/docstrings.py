"""An extension of Sphinx: docstrings as this project writes them.

They are plain text but for code in backquotes and numpydoc's sections, so that a star is a star. The types of
parameters are words; those that are public classes become links, and no word is taken for a method that happens to have
its name.
"""

from __future__ import annotations

import builtins
import importlib
import re
from typing import Any

from api_pages import PACKAGES, full_name, public_names
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

_CODE = re.compile(r"(`+[^`]+`+)")
_MARKUP = re.compile(r"(?<!^)\*|\|")


def setup(app: Sphinx) -> dict[str, bool]:
    """Add what this extension does to Sphinx."""
    app.connect("autodoc-process-docstring", _plain, priority=1)  # before napoleon reads the sections
    app.connect("doctree-read", _link_types)
    return {"parallel_read_safe": True}


def _plain(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:  # noqa: ARG001
    """Escape stars and bars outside of code; those that numpydoc has before a parameter's name, it escapes itself."""
    for number, line in enumerate(lines):
        parts = _CODE.split(line)
        lines[number] = "".join(part if _CODE.fullmatch(part) else _MARKUP.sub(r"\\\g<0>", part) for part in parts)


def _homes() -> dict[str, list[str]]:
    """The full names of public things, by their last part; what `biosnn` itself offers is described there only."""
    found: dict[str, list[str]] = {}
    for name in [full_name(package) for packages in PACKAGES.values() for package in packages]:
        for public in public_names(importlib.import_module(name)):
            if found.get(public, [""])[0] != f"biosnn.{public}":
                found.setdefault(public, []).append(f"{name}.{public}")
    return found


def _link_types(app: Sphinx, doctree: nodes.document) -> None:  # noqa: ARG001
    homes = _homes()
    for node in list(doctree.findall(addnodes.pending_xref)):
        if node.get("reftype") != "class" or not node.get("refspecific"):
            continue
        word = node["reftarget"]
        there = homes.get(word, [])
        near = [name for name in there if name == f"{node.get('py:module')}.{word}"]
        if word[:1].isupper() and not hasattr(builtins, word) and (near or len(there) == 1):
            node["reftarget"], node["refspecific"] = (near or there)[0], False
        else:
            node.replace_self(node.children)
