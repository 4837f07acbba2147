"""Arrays that a program reads from files: once, without a copy; what nothing changes is not written back as a result.

Lists of synapses are such arrays, and may be larger than all else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from brian2.core.variables import DynamicArrayVariable

from biosnn.errors import EngineError


def set_once(arrays: Mapping[Any, str], queue: Sequence[tuple[str, Any]], files: Mapping[str, Any]) -> dict[Any, str]:
    """The variables that are set whole, once, from a file of their own type, and the names of their arrays.

    Parameters
    ----------
    arrays : mapping
        All variables that a program has arrays for, and the names of these.
    queue : sequence
        Brian2's main queue, whose entries set arrays.
    files : mapping
        The arrays that the program reads from files, by the names that the queue gives them.
    """
    sets = [arguments[:2] for function, arguments in queue if function == "set_by_array"]
    times = Counter(name for entry in sets for name in entry)
    types = {array: files[static].dtype for array, static in sets if times[static] == 1}
    return {
        var: name
        for var, name in arrays.items()
        if not isinstance(var, DynamicArrayVariable) and times[name] == 1 and types.get(name) == var.dtype
    }


def as_given(once: Mapping[Any, str], known: Mapping[Any, Any]) -> dict[Any, str]:
    """Of these, the variables whose values are, and stay, those that they were made with.

    Parameters
    ----------
    once : mapping
        What `set_once` returns.
    known : mapping
        Values that are known without running the program; None where they are not.
    """
    return {var: name for var, name in once.items() if var.constant and var.read_only and known.get(var) is not None}


def set_first(once: Mapping[Any, str], queue: Sequence[tuple[str, Any]]) -> set[Any]:
    """Of these, the variables that are set before anything sees, or sets, what they were before."""
    unseen, first = {name: var for var, name in once.items()}, set()
    for function, arguments in queue:
        if function == "run_network":
            break
        if function == "set_by_array" and arguments[0] in unseen:
            first.add(unseen.pop(arguments[0]))
        elif function == "run_code_object":
            used = {id(var) for var in arguments[0].variables.values()}
            unseen = {name: var for name, var in unseen.items() if id(var) not in used}
        else:
            text = str(arguments)
            unseen = {name: var for name, var in unseen.items() if name not in text}
    return first


def read_once(queue: Sequence[tuple[str, Any]], names: Collection[str]) -> list[tuple[str, Any]]:
    """The main queue, in which such an array takes over the memory that its file was read into, without a copy."""
    entries = []
    for function, arguments in queue:
        if function == "set_by_array" and arguments[0] in names:
            array, static = arguments[:2]
            line = f"delete [] {array}; {array} = {static}; {static} = 0;"
            function, arguments = "insert_code", line
        entries.append((function, arguments))
    return entries


def leave_out(source: Path, names: Iterable[str]) -> None:
    """Take the writing of such arrays out of the C++ file that writes all results."""
    text = source.read_text()
    for name in names:
        block = rf"^ *ofstream outfile_{name};\n(?:.*\n)*?.*Error writing output file for {name}\..*\n *}}\n"
        text, found = re.subn(block, "", text, count=1, flags=re.MULTILINE)
        if found != 1:
            raise EngineError(f"This version of Brian2 writes the array {name} in a form that biosnn does not know.")
    source.write_text(text)
