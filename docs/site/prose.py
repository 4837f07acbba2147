"""Texts of ours as Markdown: nothing in them is markup but code in backquotes, and addresses of papers are links."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"([\\*_<>|\[\]$#~{}])")
_CODE = re.compile(r"(`[^`]+`)")
_DOI = re.compile(r"doi:(10\.[^\s;,]*[^\s;,.)])")


def escaped(text: str) -> str:
    """Escape what Markdown would read as markup; spans of code stay, and a DOI becomes a link."""
    return "".join(_linked(part) if not _CODE.fullmatch(part) else part for part in _CODE.split(text))


def _linked(text: str) -> str:
    pieces, end = [], 0
    for match in _DOI.finditer(text):
        pieces += [_SPECIAL.sub(r"\\\1", text[end : match.start()]), f"[doi:{match[1]}](<https://doi.org/{match[1]}>)"]
        end = match.end()
    return "".join([*pieces, _SPECIAL.sub(r"\\\1", text[end:])])


def code(text: str) -> str:
    """A span of code that may stand in a table."""
    return f"`{text}`".replace("|", "\\|") if text else ""


def block(text: str) -> str:
    """A block of code in no language."""
    return f"```text\n{text.strip()}\n```\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, or nothing where it has no rows; cells are Markdown."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([f"| {' | '.join(head)} |", "|---" * len(head) + "|", *lines, ""]) if lines else ""


def contents(entries: Iterable[str], *, caption: str = "", depth: int = 1, hidden: bool = True) -> str:
    """The directive that puts pages into the navigation."""
    options = [f":caption: {caption}"] * bool(caption) + [":hidden:"] * hidden + [f":maxdepth: {depth}"]
    return "\n".join(["```{toctree}", *options, "", *entries, "```", ""])
