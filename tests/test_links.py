"""Links between the pages of the repository lead to a file that is there, and to a heading that it has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("docs", "studies", "models", "tests", "benchmarks")
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))])
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`[^`\n]+`")
LINK = re.compile(r"\]\(<?([^)\s>]+)")
HEADING = re.compile(r"^#{1,6} +(.*?) *#*$", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, by GitHub's rule, which the site follows."""
    found: set[str] = set()
    for heading in HEADING.findall(FENCED.sub("", text)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        number = 0
        while (anchor := f"{name}-{number}" if number else name) in found:
            number += 1
        found.add(anchor)
    return found


def dead_links(page: Path) -> Iterator[str]:
    """The links of a page, to files or headings, that lead nowhere."""
    text = page.read_text(encoding="utf-8")
    for link in LINK.findall(CODE.sub("", FENCED.sub("", text))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = unquote(link).partition("#")
        target = page.parent / name if name else page
        if not target.exists():
            yield f"{link}: no such file"
        elif anchor and (target.suffix != ".md" or anchor not in anchors(target.read_text(encoding="utf-8"))):
            yield f"{link}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    assert list(dead_links(page)) == []


def test_a_link_that_is_dead_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A `b.toml`: what, and why\n\n[one](#a-btoml-what-and-why) [two](#a-b) [three](other.md) [four](other.md#x)\n"
        "[five](gone.md) `[six](gone.md)` [seven](https://example.org/gone) [eight](#same-1) [nine](#same-2)\n"
        "# Same\n# Same\n```text\n# x\n[ten](gone.md)\n```\n"
    )
    (tmp_path / "other.md").write_text("# y\n")
    dead = ["#a-b: no such heading", "other.md#x: no such heading", "gone.md: no such file", "#same-2: no such heading"]
    assert list(dead_links(page)) == dead
