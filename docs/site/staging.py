"""Lay out the sources of the site as the repository has them, so that links between pages lead where they led there.

Pages that are written stay as they are; those that are generated (models, commands, API, gallery, the list of studies)
are added. A ``README`` is the ``index`` of its folder. What a link points to and is no page is copied, and can be
downloaded.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from api_pages import write_api
from command_pages import write_commands
from gallery_page import write_gallery
from model_pages import write_models
from prose import contents, escaped
from tutorial_pages import write_tutorials

from biosnn import catalogue
from biosnn.gallery import TOPICS, GalleryEntry

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README*.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/*.md", "docs/tutorials/*.md", "studies/*/README.md")

# In the order of the navigation; guides that are not named are at the end of the guides.
LEARN = ("docs/first-steps", "docs/tutorials/index", "docs/write-a-model", "docs/write-a-study")
GUIDES = ("docs/projections", "docs/networks", "docs/record", "docs/train-a-network", "docs/train-with-gradients")
GUIDES += ("docs/codings", "docs/import-a-network", "docs/convert-a-network", "docs/nir", "docs/sweeps", "docs/export")
EXPERIMENTS = ("docs/published", "studies/index", "docs/gallery")
REFERENCE = ("docs/commands", "models/index", "api/index", "docs/result-format")
DEVELOPERS = ("docs/architecture", "CONTRIBUTING", "CHANGELOG")
CHINESE = ("index.zh-CN", "docs/first-steps.zh-CN")
SHORT = {
    "docs/published": "The gallery",
    "docs/gallery": "How the gallery is made",
    "CONTRIBUTING": "Contributing",
    "CHANGELOG": "Changes",
    "index.zh-CN": "首页",
}
"""What the navigation calls pages whose title is long, or that of another page."""

_ABOUT_STUDIES = """# Studies

One question each, with settings, numbers against published ones, figures and a verdict. `biosnn run NAME` runs one;
[the gallery](../docs/published.md) shows what came out of the published experiments.
"""
_LINK = re.compile(r"(?<=\]\()([^)\s#]+)")
_README = re.compile(r"README((?:\.[\w-]+)?\.md)$")


def stage(folder: Path) -> None:
    """Write all sources of the site into a folder, which must not exist."""
    written = [path for pattern in PAGES for path in sorted(ROOT.glob(pattern))]
    for path in written:
        target = folder / _staged(path.relative_to(ROOT).as_posix())
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_LINK.sub(lambda link: _staged(link[0]), path.read_text(encoding="utf-8")), encoding="utf-8")
        _copy_linked(path, folder)
    here = Path(__file__).parent
    shutil.copy(here / "conf.py", folder)
    shutil.copytree(here / "static", folder / "static")
    write_models(folder / "models")
    write_commands(folder / "docs" / "commands.md")
    write_api(folder / "api")
    studies = write_gallery(
        ROOT / "docs" / "gallery.html", folder / "docs" / "published.md", folder / "static" / "gallery"
    )
    _write_studies(folder / "studies", set(studies))
    write_tutorials(ROOT / "docs" / "tutorials", folder / "docs" / "tutorials")
    _write_navigation(folder)


def _staged(address: str) -> str:
    """Where a page or a link to it is on the site."""
    return _README.sub(r"index\1", address.replace("gallery.html", "published.md"))


def _copy_linked(page: Path, folder: Path) -> None:
    """Copy what a page links to or shows and what is no page itself."""
    for link in _LINK.findall(page.read_text(encoding="utf-8")):
        path = (page.parent / link).resolve()
        if path.suffix != ".md" and path.is_file() and path.is_relative_to(ROOT) and path.name != "gallery.html":
            target = folder / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)


def _write_studies(folder: Path, in_gallery: set[str]) -> None:
    """A page that lists the studies: those of the gallery by topic, then the others."""
    entries = catalogue.gallery()
    names = sorted(path.name for path in folder.iterdir() if (path / "index.md").is_file())
    topics = {heading: [one for one in names if _topic(entries, one) == topic] for topic, heading in TOPICS.items()}
    parts = [_ABOUT_STUDIES]
    for heading, inside in {**topics, "Larger studies": [one for one in names if one not in entries]}.items():
        lines = [f"- [{name}]({name}/index.md): {_question(folder / name)}" for name in inside]
        parts += [f"## {heading}", "", *lines, ""]
    parts.append(contents(f"{name} <{name}/index>" for name in names))
    (folder / "index.md").write_text("\n".join(parts), encoding="utf-8")
    missing = in_gallery - set(names)
    if missing:
        raise ValueError(f"docs/gallery.html shows studies that have no README: {', '.join(sorted(missing))}.")


def _topic(entries: Mapping[str, GalleryEntry], name: str) -> str:
    return entries[name].topic if name in entries else ""


def _question(study: Path) -> str:
    """The title of a study's page without its name."""
    title = (study / "index.md").read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
    return escaped(title.partition(": ")[2] or title)


def _write_navigation(folder: Path) -> None:
    """Put every page of `docs` into the navigation, below the home page."""
    named = {*LEARN, *GUIDES, *EXPERIMENTS, *REFERENCE, *DEVELOPERS, *CHINESE}
    others = [
        f"docs/{path.stem}" for path in sorted((folder / "docs").glob("*.md")) if f"docs/{path.stem}" not in named
    ]
    sections = {
        "Learn": LEARN,
        "Guides": (*GUIDES, *others),
        "Published experiments": EXPERIMENTS,
        "Reference": REFERENCE,
        "Developers": DEVELOPERS,
        "中文": CHINESE,
    }
    with (folder / "index.md").open("a", encoding="utf-8") as home:
        for caption, pages in sections.items():
            there = [page for page in pages if any((folder / f"{page}{end}").is_file() for end in (".md", ".rst"))]
            named_there = [f"{SHORT[page]} <{page}>" if page in SHORT else page for page in there]
            home.write("\n" + contents(named_there, caption=caption, depth=2))
