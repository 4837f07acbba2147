"""Code objects that know templates of ours beside those of Brian2, one for each target."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from brian2 import Function
from brian2.codegen.codeobject import CodeObject
from brian2.codegen.templates import CodeObjectTemplate
from brian2.codegen.translation import analyse_identifiers
from brian2.core.variables import Variables
from brian2.devices.device import get_device
from brian2.groups.group import CodeRunner

from biosnn.errors import EngineError, ModelError, field_error
from biosnn.model.plain import COMPILED_WORDS

OWN = "_biosnn"
"""Under which word a template is given all that it needs and that is not of Brian2."""
_BRIANS = {"N", "t", "dt", "t_in_timesteps", "not_refractory", "lastspike"}
"""Names of variables that templates use, and that no user can give to others."""
_TEMPLATES = {"codeobj_name", "get_array_name", "owner", "pointers_lines", "scalar_code", "self"}
_TEMPLATES |= {"variable_indices", "variables", "vector_code"}
_CPP = COMPILED_WORDS | frozenset(
    """
    int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t size_t
    BUFSIZ CLOCKS_PER_SEC HUGE_VAL M_E M_PI RAND_MAX SIZE_MAX assert errno linux stderr stdin stdout unix
    constant_or_scalar openmp_pragma
    """.split()  # noqa: SIM905 - a list would take a page
)
_CPP |= {f"{sign}{size}_{end}" for sign in ("", "U") for size in ("INT", "LONG", "LLONG") for end in ("MIN", "MAX")}
_CPP |= {f"{sign}INT{bits}_{end}" for sign in ("", "U") for bits in (8, 16, 32, 64) for end in ("MIN", "MAX")}
"""Words of C++, and macros of its headers and of Brian2."""
_FOLDERS = {"cpp": "templates/cpp", "numpy": "templates/numpy", "cython": "templates/cython"}


def for_target(package: str) -> type[CodeObject]:
    """The code object class of the active target, with the templates of a package.

    Parameters
    ----------
    package : str
        Name of a package with a folder ``templates/`` that has one of templates for each target.
    """
    return with_templates(get_device().code_object_class(), package)


def check_words(where: str, names: Iterable[str]) -> None:
    """Refuse names of variables that generated code has for something else, of which a compiler would tell nothing.

    Raises
    ------
    ModelError
        For a word that Brian2 hands to its templates, and on the target ``cpp`` for one of C++.
    """
    cpp = language(get_device().code_object_class()) == "cpp"
    for name in sorted(names):
        if name in _TEMPLATES or (cpp and name in _CPP):
            expected = f"a name that is no word of {'C++' if name in _CPP else 'generated code'}"
            raise ModelError(field_error(where, expected, name, "Give the variable another name."))


def language(code_object: type[CodeObject]) -> str:
    """What a code object is written in: ``cpp``, ``cython`` or ``numpy``."""
    return str(code_object.generator_class.class_name)


class OwnTemplates:
    """Templates whose words no variable of a user can take the place of.

    Brian2 hands a template the array of each variable under the variable's own name, beside, and before, all that the
    template needs: a variable ``n`` would hide the numbers of a projection.

    Parameters
    ----------
    templates : Templater
        Brian2's templates.
    """

    def __init__(self, templates: Any) -> None:
        self._templates = templates

    def __getattr__(self, name: str) -> Any:
        template = getattr(self._templates, name)
        return _OwnTemplate(template) if isinstance(template, CodeObjectTemplate) else template


class _OwnTemplate:
    def __init__(self, template: CodeObjectTemplate) -> None:
        self._template = template

    def __getattr__(self, name: str) -> Any:
        return getattr(self._template, name)

    def __call__(self, scalar_code: Any, vector_code: Any, **kwds: Any) -> Any:
        kept = {*_BRIANS, *self._template.variables}
        users = {name for name in kwds["variables"] if not name.startswith("_")} - kept
        given = {name: value for name, value in kwds.items() if name not in users}
        return self._template(scalar_code, vector_code, **{**given, **given.pop(OWN, {})})


class Task(CodeRunner):  # type: ignore[misc]
    """What is done in time steps without statements of a user: a template on C++, a Python function elsewhere.

    Parameters
    ----------
    group : Group
        Whose it is.
    template, package : str
        The C++ template, and the package that has it.
    needed : mapping
        The variables whose arrays the template names.
    do : callable
        Does it on the targets that run in this process.
    kwds : mapping
        What else the template asks for.
    **when
        ``name``, ``clock`` or ``dt``, and ``when`` and ``order``.
    """

    def __init__(
        self,
        group: Any,
        template: str,
        package: str,
        needed: Mapping[str, Any],
        do: Callable[[], None],
        kwds: Mapping[str, Any],
        **when: Any,
    ) -> None:
        CodeRunner.__init__(self, group, template, template_kwds={OWN: dict(kwds)}, **when)
        self._cpp, self._package, self._needed = template, package, sorted(needed)
        self.variables = table(group, needed)
        self.variables.add_object("_do", do)

    def before_run(self, run_namespace: Any) -> None:
        """Choose what the active target needs, and let Brian2 generate the code."""
        python = language(get_device().code_object_class()) != "cpp"
        self.codeobj_class = for_target("biosnn.codegen" if python else self._package)
        self.template = "call" if python else self._cpp
        self.needed_variables = ["_do"] if python else self._needed
        super().before_run(run_namespace)


def table(group: Any, variables: Mapping[str, Any]) -> Variables:
    """Variables that a code object of a group needs beside those of its statements, under names of their own."""
    members = Variables(group)
    for name, var in variables.items():
        members._variables[name] = var
        members.indices[name] = "0"
    return members


def complete_functions(group: Any, code: str, run_namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Give functions that statements use their NumPy implementation, where they have none but the Python function.

    Brian2 does it for its own code objects only, not for classes made from them.

    Returns
    -------
    dict
        Variables and functions that the statements name, those of the group and those that were found elsewhere.
    """
    _, known, others = analyse_identifiers(code, dict(group.variables), recursive=True)
    found: dict[str, Any] = group.resolve_all(sorted(known | others), run_namespace, user_identifiers=set())
    for resolved in found.values():
        if isinstance(resolved, Function) and "numpy" not in _languages(resolved):
            resolved.implementations.add_numpy_implementation(resolved.pyfunc)
    return found


def _languages(function: Function) -> set[str]:
    keys = function.implementations._implementations
    return {getattr(key, "class_name", None) or str(key) for key in keys}


@cache
def with_templates(base: Any, package: str, **attributes: Any) -> type[CodeObject]:
    """A code object class with the templates of a package beside, and before, those that it has."""
    if language(base) not in _FOLDERS:
        raise EngineError(
            field_error("Target of Brian2", f"one of {', '.join(_FOLDERS)}", language(base), "Use biosnn.session.")
        )
    templater = OwnTemplates(base.templater.derive(package, templates_dir=_FOLDERS[language(base)]))
    name = package.rpartition(".")[2].capitalize() + base.__name__
    return type(name, (base,), {"templater": templater, "__module__": __name__, **attributes})
