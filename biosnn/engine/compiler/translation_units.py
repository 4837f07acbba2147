"""Join the generated files of code objects into a few translation units.

Brian2 writes a file for each code object, and for each of them anew for every run that a program queues: a hundred
small files are common. Most of what the compiler does with one is to start and to read headers. A unit holds several
of them, each with its helper functions in a namespace of its own; what a later run repeats calls the first one. Code
of ours, which divides its work between threads or remembers something, goes into a namespace as a whole.
"""

from __future__ import annotations

import heapq
import math
import re
from collections.abc import Sequence
from pathlib import Path

FILES_A_UNIT = 32

_ANONYMOUS = re.compile(r"\bnamespace\s*\{")
_FUNCTION = re.compile(r"^void (_\w+)\(\)\s*\{\s*using namespace brian;", re.MULTILINE)
_ANY_FUNCTION = re.compile(r"^\w[\w:<>&* ]* \**(\w+)\([^)\n]*\)\s*\{", re.MULTILINE)

_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include\b.*$", re.MULTILINE)
_CONDITION = re.compile(r"^[ \t]*#[ \t]*if(?!def _MSC_VER\b)", re.MULTILINE)
_NO_CODE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*""",
    re.MULTILINE | re.DOTALL,
)
_OUTER_FUNCTION = re.compile(r"void (_\w+)\(\)\s*\{\}")
_OUTER = re.compile(rf"(\s|namespace\s*\{{\}}|{_OUTER_FUNCTION.pattern})*")


def join(folder: Path, files: Sequence[str], label: str, at_least: int) -> list[str]:
    """Join files of a project into translation units.

    Parameters
    ----------
    folder : Path
        The project; units are written into it.
    files : sequence of str
        C++ files relative to the folder, all to be compiled with the same flags.
    label : str
        Begins the name of each unit.
    at_least : int
        How many units to make if there are that many files, so that every core has work.

    Returns
    -------
    list of str
        The files to compile instead: units, and the files whose form is not that of a code object.
    """
    texts = {name: (folder / name).read_text() for name in sorted(files)}
    alone = []
    firsts: dict[str, str] = {}
    joined = {}
    for number, (name, text) in enumerate(texts.items()):
        if _has_the_form(text):
            first = firsts.setdefault(text.replace(Path(name).stem, ""), name)
            joined[name] = _in_a_namespace(name, text, number) if first == name else _call(first, name, text)
        elif functions := _outer_functions(text):
            firsts[name] = name
            joined[name] = _wholly_in_a_namespace(name, text, number, functions)
        else:
            alone.append(name)
    if len(joined) < 2:
        return list(files)
    count = min(len(firsts), max(at_least, math.ceil(len(firsts) / FILES_A_UNIT)))
    # The longest file goes to the shortest unit, so that units take about equally long.
    units: list[tuple[int, int, list[str]]] = [(0, number, []) for number in range(count)]
    for name in sorted(joined, key=lambda name: (-len(joined[name]), name)):
        size, number, members = heapq.heappop(units)
        heapq.heappush(units, (size + len(joined[name]), number, [*members, name]))
    made = []
    for _, number, members in units:
        unit = f"{label}_{number}.cpp"
        (folder / unit).write_text("\n".join(joined[name] for name in members))
        made.append(unit)
    return [*made, *alone]


def _has_the_form(text: str) -> bool:
    """Whether this is a code object as Brian2 writes it: helpers in an anonymous namespace, functions, no memory.

    Memory among the helpers is another matter: our templates know that the code of later runs shares it.
    """
    functions = _FUNCTION.findall(text)
    begin = text.find(f"void {functions[0]}(") if functions else 0
    # A variable that lasts would be shared, or lost, by what happens below.
    return bool(functions) and _ANY_FUNCTION.findall(text) == functions and "static " not in text[begin:]


def _in_a_namespace(name: str, text: str, number: int) -> str:
    """The text of a code object with its helpers in a namespace of its own."""
    helpers = f"helpers_{number}"
    text = _ANONYMOUS.sub(f"namespace {helpers} {{", text)
    text = _FUNCTION.sub(lambda match: f"{match[0]} using namespace {helpers};", text)
    # An error is then told with the file it stems from. The namespace must be there even if nothing is in it.
    return f'namespace {helpers} {{}}\n#line 1 "{name}"\n{text}'


def _outer_functions(text: str) -> list[str]:
    """The functions of a text that has nothing else outside of anonymous namespaces, else an empty list.

    A text that looks whether a name is defined may share what it then defines with the others, and must stay as it is.
    """
    if _CONDITION.search(text):
        return []
    outline, depth, end = [], 0, 0
    code = _NO_CODE.sub("", text)
    for brace in re.finditer(r"[{}]", code):
        if depth == 0:
            outline.append(code[end : brace.start()])
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            outline.append("{}")
            end = brace.end()
    outer = "".join([*outline, code[end:]])
    return _OUTER_FUNCTION.findall(outer) if _OUTER.fullmatch(outer) else []


def _wholly_in_a_namespace(name: str, text: str, number: int, functions: Sequence[str]) -> str:
    """The text of a code object in a namespace of its own, after its headers, and functions outside that call it."""
    inside = f"inside_{number}"
    calls = [f"void {function}() {{ {inside}::{function}(); }}" for function in functions]
    return "\n".join(
        # Lines keep their numbers.
        [*_INCLUDE.findall(text), f'namespace {inside} {{\n#line 1 "{name}"', _INCLUDE.sub("", text), "}", *calls]
    )


def _call(first: str, name: str, text: str) -> str:
    """A code object that differs from an earlier one, of an earlier run, by its name only: let it call that one."""
    calls = [
        f"void {function}() {{ {function.replace(Path(name).stem, Path(first).stem)}(); }}"
        for function in _FUNCTION.findall(text)
    ]
    return "\n".join(
        [f'#include "{Path(first).with_suffix(".h")}"', f'#include "{Path(name).with_suffix(".h")}"', *calls]
    )
