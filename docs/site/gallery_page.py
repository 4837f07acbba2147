"""The gallery in the style of the site: made of the page that `biosnn gallery` has written from finished results."""

from __future__ import annotations

import base64
import re
from pathlib import Path

_MAIN = re.compile(r"<main>\s*<header>(?P<head>.*?)</header>(?P<topics>.*)</main>", re.DOTALL)
_VERDICT = re.compile(r'<div class="verdict.*?</div>', re.DOTALL)
_TOPIC = re.compile(r'<section id="[\w-]+">\s*<h2>(?P<heading>.*?)</h2>(?P<cards>.*?)</section>', re.DOTALL)
_CARD = re.compile(r'<article class="card" id="study-(?P<name>[\w-]+)">(?P<inside>.*?)</article>', re.DOTALL)
_PICTURE = re.compile(r'src="data:image/png;base64,(?P<data>[^"]+)"')
_TITLE = re.compile(r"<h3>(?:<a [^>]*>)?(?P<title>.*?)(?:</a>)?</h3>", re.DOTALL)

_ABOUT = """# Published experiments, reproduced

Each study asks one question, answers it by simulation, and holds its numbers against what was published.
[How the gallery is made and run](gallery.md).
"""


def write_gallery(written: Path, page: Path, pictures: Path) -> list[str]:
    """Write the gallery's page, its pictures as files of their own, and return the names of its studies.

    Raises
    ------
    ValueError
        If ``written`` is not a page as `biosnn gallery` writes it, with at least one study.
    """
    main = _MAIN.search(written.read_text(encoding="utf-8"))
    topics = list(_TOPIC.finditer(main["topics"])) if main else []
    verdict = _VERDICT.search(main["head"]) if main else None
    if verdict is None or not topics:
        raise ValueError(f"{written}: is not a page of `biosnn gallery`, or its template has changed.")
    pictures.mkdir(parents=True)
    names: list[str] = []

    def card(match: re.Match[str]) -> str:
        name, inside = match["name"], match["inside"]
        names.append(name)
        picture = _PICTURE.search(inside)
        if picture:
            (pictures / f"{name}.png").write_bytes(base64.b64decode(picture["data"]))
            inside = _PICTURE.sub(f'src="../_static/{pictures.name}/{name}.png" loading="lazy"', inside)
        inside = _TITLE.sub(rf'<h3><a href="../studies/{name}/index.html">\g<title></a></h3>', inside)
        return f'<article class="card" id="study-{name}">{inside}</article>'

    parts = [_ABOUT, _raw(f'<div class="gallery">{verdict[0]}</div>')]
    for topic in topics:
        parts += [f"## {topic['heading']}\n", _raw(f'<div class="gallery">{_CARD.sub(card, topic["cards"])}</div>')]
    page.write_text("\n".join(parts), encoding="utf-8")
    return names


def _raw(html: str) -> str:
    return f"```{{raw}} html\n{html.strip()}\n```\n"
