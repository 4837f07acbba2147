"""Code objects that know the templates of projections beside those of Brian2, one for each target."""

from __future__ import annotations

from brian2.codegen.codeobject import CodeObject

from biosnn.codegen import code_objects
from biosnn.codegen.code_objects import complete_functions, language
from biosnn.projection.cpp_code import ScatteredCppGenerator
from biosnn.projection.numpy_code import ProjectionNumpyGenerator

__all__ = ["complete_functions", "for_target", "language"]

_OWN = "biosnn.projection"


def for_target(package: str = _OWN, *, scattered: bool = False) -> type[CodeObject]:
    """The code object class of the active target, with templates of ours and, on C++, those of another package.

    Parameters
    ----------
    package : str
        Name of the package with the template of a kind.
    scattered : bool
        See `Kind.scattered`.
    """
    code_object_class = code_objects.for_target(_OWN)
    if language(code_object_class) == "numpy":
        return code_objects.with_templates(code_object_class, _OWN, generator_class=ProjectionNumpyGenerator)  # type: ignore[arg-type]
    if language(code_object_class) == "cpp" and scattered:
        code_object_class = code_objects.with_templates(
            code_object_class,  # type: ignore[arg-type]
            _OWN,
            generator_class=ScatteredCppGenerator,
        )
    if package == _OWN or language(code_object_class) != "cpp":
        return code_object_class
    return code_objects.with_templates(code_object_class, package)  # type: ignore[arg-type]
