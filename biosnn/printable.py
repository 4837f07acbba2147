"""Text that somebody else has written, made harmless to print.

A terminal obeys some characters instead of showing them: they move the cursor, set colours, change the window's title,
or turn the direction of writing round. Names, messages and texts of files and paths may have them in.
"""

from __future__ import annotations

import unicodedata

# Control characters, formats (among them those that turn the direction of writing round), halves of characters (from
# names of files that are no UTF-8), and separators of lines and paragraphs.
_OBEYED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def printable(text: str, *, keep: str = "\n\t") -> str:
    r"""Write each character that a terminal obeys as Python does, such as ``\x1b``, and leave all others.

    Parameters
    ----------
    text : str
        Any text.
    keep : str
        Those that may stay: by default ends of lines and tabulators. A name or a path has neither: ``keep=""``.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char.encode("unicode_escape").decode("ascii")
        if unicodedata.category(char) in _OBEYED and char not in keep
        else char
        for char in text
    )
