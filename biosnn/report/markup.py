"""A study's prose as safe HTML: paragraphs, lists, blocks and spans of code, everything else escaped.

Of Markdown only what prose has by intent: in that of a formula, ``*`` and ``_`` are no emphasis, and a page that refers
to nothing outside itself has neither links nor images. HTML is a text like any other.
"""

from __future__ import annotations

import textwrap

from markdown_it import MarkdownIt
from markupsafe import Markup

from biosnn.printable import printable

_PROSE = MarkdownIt("zero", {"html": False}).enable(["list", "fence", "backticks"])


def inline(text: str) -> Markup:
    """Escape a text and set what stands in backquotes as code."""
    return Markup(_PROSE.renderInline(printable(text)))


def paragraphs(text: str) -> Markup:
    """Set a text as paragraphs, which blank lines separate, lists of lines with a dash or a number, and fenced code."""
    return Markup(_PROSE.render(printable(textwrap.dedent(text).strip())))
