"""A study's prose as safe HTML: paragraphs, lists and `code`, everything else escaped."""

from __future__ import annotations

import re
import textwrap

from markupsafe import Markup, escape

from biosnn.printable import printable

_CODE = re.compile(r"``(.+?)``|`([^`]+)`")


def inline(text: str) -> Markup:
    """Escape a text and set what stands in backquotes as code."""
    text = printable(text)
    parts, end = [], 0
    for match in _CODE.finditer(text):
        parts.append(escape(text[end : match.start()]))
        parts.append(Markup("<code>{}</code>").format(match[1] or match[2]))
        end = match.end()
    return Markup("").join([*parts, escape(text[end:])])


def paragraphs(text: str) -> Markup:
    """Set a text as paragraphs, which blank lines separate; lines that all begin with a dash become a list."""
    blocks = re.split(r"\n\s*\n", textwrap.dedent(text).strip())
    return Markup("\n").join(_block(block) for block in blocks if block.strip())


def _block(block: str) -> Markup:
    items = re.split(r"^\s*[-*] ", block, flags=re.MULTILINE)
    if len(items) > 1 and not items[0].strip():
        entries = Markup("").join(Markup("<li>{}</li>").format(inline(_join(item))) for item in items[1:])
        return Markup("<ul>{}</ul>").format(entries)
    return Markup("<p>{}</p>").format(inline(_join(block)))


def _join(text: str) -> str:
    return " ".join(text.split())
