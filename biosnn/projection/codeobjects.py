"""Code objects that know the templates of projections beside those of Brian2, one for each target."""

from __future__ import annotations

from brian2.codegen.codeobject import CodeObject

from biosnn import codeobjects
from biosnn.codeobjects import language

__all__ = ["for_target", "language"]


def for_target() -> type[CodeObject]:
    """The code object class of the active target, with templates of ours."""
    return codeobjects.for_target("biosnn.projection")
