"""Check a folder of pages: every link inside it leads somewhere, and nothing is loaded from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LOADED = {"img": "src", "script": "src", "iframe": "src", "source": "src", "video": "src", "link": "href"}
_IN_STYLES = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")


class _Page(HTMLParser):
    """The anchors of a page, where its links lead, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = {"", "top"}
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag in _LOADED and _LOADED[tag] in given:
            self.loaded.append(given[_LOADED[tag]])


def problems(folder: Path) -> list[str]:
    """What is wrong with the pages in a folder, a line each: dead links and anchors, and what comes from elsewhere."""
    pages = {path.resolve(): _Page(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        here = path.relative_to(folder.resolve())
        found += [f"{here}: {word} {address}" for address in page.links for word in _dead(path, address, pages)]
        for address in page.loaded:
            words = ["is loaded from elsewhere:"] if _outside(address) else _dead(path, address, pages)
            found += [f"{here}: {word} {address}" for word in words]
    for path in sorted(folder.rglob("*.css")):
        addresses = [first or second for first, second in _IN_STYLES.findall(path.read_text(encoding="utf-8"))]
        found += [f"{path.name}: is loaded from elsewhere: {one}" for one in addresses if _outside(one)]
    return found


def _outside(address: str) -> bool:
    """Whether an address is of another place: with a scheme, but for data that it holds itself, or with a host."""
    parts = urlsplit(address)
    return bool(parts.scheme not in ("", "data") or parts.netloc)


def _dead(page: Path, address: str, pages: dict[Path, _Page]) -> list[str]:
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return []
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.is_file():
        return ["leads nowhere:"]
    anchor = unquote(parts.fragment)
    return ["has no such anchor:"] if target in pages and anchor not in pages[target].anchors else []
