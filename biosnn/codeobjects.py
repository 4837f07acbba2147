"""Code objects that know templates of ours beside those of Brian2, one for each target."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from brian2 import Function
from brian2.codegen.codeobject import CodeObject
from brian2.codegen.translation import analyse_identifiers
from brian2.devices.device import get_device

from biosnn.errors import EngineError, field_error

_FOLDERS = {"cpp": "templates/cpp", "numpy": "templates/numpy", "cython": "templates/cython"}


def for_target(package: str) -> type[CodeObject]:
    """The code object class of the active target, with the templates of a package.

    Parameters
    ----------
    package : str
        Name of a package with a folder ``templates/`` that has one of templates for each target.
    """
    return with_templates(get_device().code_object_class(), package)


def language(code_object: type[CodeObject]) -> str:
    """What a code object is written in: ``cpp``, ``cython`` or ``numpy``."""
    return str(code_object.generator_class.class_name)


def complete_functions(group: Any, code: str, run_namespace: Mapping[str, Any]) -> None:
    """Give functions that statements use their NumPy implementation, where they have none but the Python function.

    Brian2 does it for its own code objects only, not for classes made from them.
    """
    _, known, others = analyse_identifiers(code, dict(group.variables), recursive=True)
    for found in group.resolve_all(sorted(known | others), run_namespace, user_identifiers=set()).values():
        if isinstance(found, Function) and "numpy" not in _languages(found):
            found.implementations.add_numpy_implementation(found.pyfunc)


def _languages(function: Function) -> set[str]:
    keys = function.implementations._implementations
    return {getattr(key, "class_name", None) or str(key) for key in keys}


@cache
def with_templates(base: Any, package: str) -> type[CodeObject]:
    """A code object class with the templates of a package beside, and before, those that it has."""
    if language(base) not in _FOLDERS:
        raise EngineError(
            field_error("Target of Brian2", f"one of {', '.join(_FOLDERS)}", language(base), "Use biosnn.session.")
        )
    templater = base.templater.derive(package, templates_dir=_FOLDERS[language(base)])
    name = package.rpartition(".")[2].capitalize() + base.__name__
    return type(name, (base,), {"templater": templater, "__module__": __name__})
