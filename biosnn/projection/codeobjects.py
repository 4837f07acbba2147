"""Code objects that know the templates of projections beside those of Brian2, one for each target."""

from __future__ import annotations

from brian2.codegen.codeobject import CodeObject

from biosnn import codeobjects
from biosnn.codeobjects import complete_functions, language
from biosnn.projection.vectors import ProjectionNumpyGenerator

__all__ = ["complete_functions", "for_target", "language"]

_OWN = "biosnn.projection"


def for_target(package: str = _OWN) -> type[CodeObject]:
    """The code object class of the active target, with templates of ours and, on C++, those of another package."""
    own = codeobjects.for_target(_OWN)
    if language(own) == "numpy":
        return codeobjects.with_templates(own, _OWN, generator_class=ProjectionNumpyGenerator)  # type: ignore[arg-type]
    if package == _OWN or language(own) != "cpp":
        return own
    return codeobjects.with_templates(own, package)  # type: ignore[arg-type]
