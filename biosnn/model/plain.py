"""What a text of a model may be made of, whatever it says: its characters, its length, and names.

The text may come from a stranger's file, and a part of it becomes generated code. What is kept of such a part is what
is checked, and nothing else: comments are taken out here, before anything reads them. Generated code would copy them,
and a carriage return, or whatever else ends a line in one language and not in another, would end them there.
"""

from __future__ import annotations

import keyword
import re
import reprlib
import textwrap
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from biosnn.errors import ModelError, field_error

MOST_CHARACTERS = 1_000_000
"""Of a whole model."""

_MOST_OF_PROSE, _MOST_OF_CODE = 100_000, 20_000
_MOST_ENTRIES = 500

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_TITLE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.+ -]*[A-Za-z0-9_.+-])?")
_LONGEST_NAME = 100
# Controls, separators of lines and paragraphs, and surrogates, which no file can hold.
_CATEGORIES = {"Cc", "Zl", "Zp", "Cs"}
_DIRECTIONS = {"\u061c", "\u200e", "\u200f", *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}

# What C++ and Cython, the languages of generated code, have for themselves.
_COMPILED = """
alignas alignof and_eq asm auto bitand bitor bool case catch char char8_t char16_t char32_t co_await co_return co_yield
compl concept const const_cast consteval constexpr constinit decltype default delete do double dynamic_cast enum
explicit export extern false float friend goto inline int long mutable namespace new noexcept not_eq nullptr operator
or_eq private protected public register reinterpret_cast requires short signed sizeof static static_assert static_cast
struct switch template this thread_local throw true typedef typeid typename union unsigned using virtual void volatile
wchar_t xor xor_eq NULL NAN INFINITY EOF cdef cpdef ctypedef cimport gil nogil
"""
COMPILED_WORDS = frozenset(_COMPILED.split())
"""Words of C++ and Cython."""
_WORDS = {*keyword.kwlist, *COMPILED_WORDS}


def check_prose(where: str, value: object, *, empty: bool = False, longest: int = _MOST_OF_PROSE) -> None:
    """Raise `ModelError` unless a value is a text of characters that can be seen, and lines."""
    if not isinstance(value, str) or not (empty or value.strip()):
        raise ModelError(field_error(where, "a text", short(value)))
    if len(value) > longest:
        raise ModelError(field_error(where, f"a text of at most {longest} characters", f"{len(value)} characters"))
    for place, character in enumerate(value):
        if character in "\n\t":
            continue
        if unicodedata.category(character) in _CATEGORIES or character in _DIRECTIONS:
            expected = "a text without control characters, and with no other end of a line than \\n"
            raise ModelError(field_error(where, expected, character, f"It is character {place + 1} of the text."))


def check_code(where: str, value: object, *, empty: bool = True) -> None:
    """Raise `ModelError` unless a value is a text that may become code, once `expression` or `lines` have tidied it."""
    check_prose(where, value, empty=empty, longest=_MOST_OF_CODE)


def expression(where: str, text: str) -> str:
    """An expression as it is checked and handed on: on one line, without comments."""
    return _ascii(where, " ".join(_without_comments(text).split()))


def lines(where: str, text: str) -> str:
    """Equations or statements as they are checked and handed on: without comments and empty lines."""
    kept = [line.rstrip() for line in _without_comments(textwrap.dedent(text)).split("\n")]
    return _ascii(where, "\n".join(line for line in kept if line).strip())


def _without_comments(text: str) -> str:
    # No text of a model has a string in it, so that every # begins a comment.
    return re.sub(r"#[^\n]*", "", text)


def _ascii(where: str, text: str) -> str:
    strange = next((character for character in text if not character.isascii()), None)
    if strange is not None:
        do = "Write names as mu or tau_m; a comment may have any letters."
        raise ModelError(field_error(where, "letters from A to Z, digits and signs", strange, do))
    return text


def check_name(where: str, name: object) -> None:
    """Raise `ModelError` unless something is a name that Brian2, C++ and a file's name can have."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        expected = "a name: a letter from A to Z, then such letters, digits and _"
        raise ModelError(field_error(where, expected, short(name), _better(name)))


def check_title(where: str, name: object) -> None:
    """Raise `ModelError` unless something can be the name of a preset, which may have - . + and spaces within it."""
    if not isinstance(name, str) or not _TITLE.fullmatch(name) or len(name) > _LONGEST_NAME:
        expected = "a name of letters from A to Z, digits and any of _ - . + and spaces"
        raise ModelError(field_error(where, expected, short(name), _better(name)))


def check_word(where: str, name: str) -> None:
    """Raise `ModelError` if a variable has a name that means something else in generated code."""
    if name in _WORDS:
        raise ModelError(field_error(where, "a name that is no word of Python or C++", name, f"Such as '{name}_0'."))


def _better(name: object) -> str:
    """What to write instead, where anything of a name is left."""
    if not isinstance(name, str):
        return "Such as 'my_neuron'."
    words = re.findall(r"[A-Za-z0-9]+", name[:_LONGEST_NAME])
    better = re.sub(r"^[0-9]+_?", "", "_".join(words)) or "my_neuron"
    return f"Such as {better!r}."


def check_table(where: str, table: object) -> Mapping[Any, Any]:
    """Raise `ModelError` unless something is a table of not too many entries; return it."""
    if not isinstance(table, Mapping):
        raise ModelError(field_error(where, "a table", short(table)))
    if len(table) > _MOST_ENTRIES:
        raise ModelError(field_error(where, f"at most {_MOST_ENTRIES} entries", f"{len(table)} entries"))
    return table


def check_names(where: str, names: Iterable[object]) -> None:
    """Raise `ModelError` unless all keys of a table are names."""
    for name in names:
        check_name(where, name)


def short(value: object) -> object:
    """A value for an error message: a person reads it, and its author is unknown."""
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_NAME else f"{value[:_LONGEST_NAME]}..."
    return _Shown(value)


class _Shown:
    """Something whose representation is short, and does not go deep."""

    def __init__(self, value: object) -> None:
        self._text = reprlib.repr(value)

    def __repr__(self) -> str:
        return self._text
