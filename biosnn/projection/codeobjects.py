"""Code objects that know the templates of projections beside those of Brian2, one for each target."""

from __future__ import annotations

from functools import cache
from typing import Any

from brian2.codegen.codeobject import CodeObject
from brian2.devices.device import get_device

_FOLDERS = {"cpp": "templates/cpp", "numpy": "templates/numpy", "cython": "templates/cython"}


def for_target() -> type[CodeObject]:
    """The code object class of the active target, with templates of ours."""
    return _with_templates(get_device().code_object_class())


def language(code_object: type[CodeObject]) -> str:
    """What a code object is written in: ``cpp``, ``cython`` or ``numpy``."""
    return str(code_object.generator_class.class_name)


@cache
def _with_templates(base: Any) -> type[CodeObject]:
    folder = _FOLDERS[language(base)]
    templater = base.templater.derive("biosnn.projection", templates_dir=folder)
    return type(f"Projection{base.__name__}", (base,), {"templater": templater, "__module__": __name__})
