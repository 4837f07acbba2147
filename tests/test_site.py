"""The pages that the documentation site generates have everything in them, and a dead link is found."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import biosnn
from biosnn import catalogue

ROOT = Path(__file__).parent.parent
SITE = ROOT / "docs" / "site"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A part of the site's code by name; it is run as scripts, and so imported from its folder."""
    monkeypatch.syspath_prepend(SITE)
    before = set(sys.modules)

    yield importlib.import_module

    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(SITE) in str(sys.modules[name].__file__):
            del sys.modules[name]


def test_every_model_has_a_page_with_all_that_its_file_says(site: Any, tmp_path: Path) -> None:
    site("model_pages").write_models(tmp_path)
    listed = (tmp_path / "index.md").read_text()
    assert set(re.findall(r"\]\(neurons/(\w+)\.md\)", listed)) == set(catalogue.neuron_names())
    assert set(re.findall(r"\]\(synapses/(\w+)\.md\)", listed)) == set(catalogue.synapse_names())
    for names, find, kind in (
        (catalogue.neuron_names(), catalogue.neuron_model, "neurons"),
        (catalogue.synapse_names(), catalogue.synapse_model, "synapses"),
    ):
        for name in names:
            model, page = find(name), (tmp_path / kind / f"{name}.md").read_text()
            assert f"```text\n{model.equations.strip()}\n```" in page
            for parameter, entry in model.parameters.items():
                assert f"| `{parameter}` | `{entry.value}` | " in page
            assert re.findall(r"^\| `(\w+)`", page.partition("## Presets")[2], re.M) == list(model.presets)


def test_words_of_ours_are_no_markup(site: Any) -> None:
    escaped = site("prose").escaped
    assert escaped("a*b_c <d> | `x_y|z`") == r"a\*b\_c \<d\> \| `x_y|z`"
    assert escaped("eq. 2, doi:10.1/a_(b)c.") == r"eq. 2, [doi:10.1/a_(b)c](<https://doi.org/10.1/a_(b)c>)."


def test_every_command_and_option_is_on_the_page(site: Any, tmp_path: Path) -> None:
    site("command_pages").write_commands(tmp_path / "commands.md")
    page = (tmp_path / "commands.md").read_text()
    from biosnn.cli.app import app

    for command in app.registered_commands:
        name = command.name or command.callback.__name__
        part = page.partition(f"\n## biosnn {name}\n")[2].partition("\n## ")[0]
        for parameter in inspect.signature(command.callback).parameters.values():
            option = next((o for o in parameter.annotation.split('"') if o.startswith("--")), "")
            assert option.partition("/")[0] in part
    assert "| `--minimise" in page
    assert "**status** DIR says how far it is" in page


def test_everything_public_is_described(site: Any, tmp_path: Path) -> None:
    api = site("api_pages")
    api.write_api(tmp_path / "api")
    described = "".join(page.read_text() for page in (tmp_path / "api").glob("*.rst"))
    homes = [importlib.import_module(api.full_name(name)) for names in api.PACKAGES.values() for name in names]
    for module in homes:
        for name in api.public_names(module):
            home = "biosnn" if name in biosnn.__all__ else module.__name__
            auto = rf"\.\. auto(class|function):: {re.escape(home)}\.{name}$"
            constant = rf"\.\. py:data:: {name}\n    :module: {re.escape(home)}$"
            assert re.search(rf"^({auto}|{constant})", described, re.M)
    assert not re.search(r"^      - $", described, re.M), "a public name has no docstring"
    packages = {p.parent.name for p in (ROOT / "biosnn").glob("*/__init__.py") if "__all__" in p.read_text()}
    assert packages - {module.__name__.partition(".")[2] for module in homes} == {"cli", "display"}


def test_the_gallery_becomes_a_page_of_the_site(site: Any, tmp_path: Path) -> None:
    written = ROOT / "docs" / "gallery.html"
    names = site("gallery_page").write_gallery(written, tmp_path / "published.md", tmp_path / "gallery")
    assert names
    assert set(names) <= set(catalogue.gallery()), "studies were renamed: write docs/gallery.html anew"
    page = (tmp_path / "published.md").read_text()
    assert "published values pass" in page
    assert "data:image" not in page
    for name in names:
        assert f'<h3><a href="../studies/{name}/index.html">' in page
        assert (tmp_path / "gallery" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_a_page_that_is_no_gallery_is_refused(site: Any, tmp_path: Path) -> None:
    (tmp_path / "gallery.html").write_text("<main><header></header></main>")
    with pytest.raises(ValueError, match=r"gallery\.html: is not a page of `biosnn gallery`"):
        site("gallery_page").write_gallery(tmp_path / "gallery.html", tmp_path / "new.md", tmp_path / "pictures")


SCRIPT = """# ---
# jupyter: {}
# ---

# %% [markdown]
# # A lesson
#
# First words.

# %%
a = 1

# a comment
print(a)

# %% [markdown]
# ## More
"""


def test_a_tutorial_shows_its_text_and_its_code(site: Any, tmp_path: Path) -> None:
    (tmp_path / "lessons").mkdir()
    (tmp_path / "lessons" / "lesson.py").write_text(SCRIPT)
    (tmp_path / "lessons" / "README.md").write_text("# Lessons\n\n- [A lesson](lesson.py): first words\n")
    site("tutorial_pages").write_tutorials(tmp_path / "lessons", tmp_path / "pages")
    page = (tmp_path / "pages" / "lesson.md").read_text()
    assert page == (
        "# A lesson\n\n[lesson.py](lesson.py) is this page as a script.\n\nFirst words.\n\n"
        "```python\na = 1\n\n# a comment\nprint(a)\n```\n\n## More\n\n"
    )
    assert (tmp_path / "pages" / "lesson.py").read_text() == SCRIPT
    index = (tmp_path / "pages" / "index.md").read_text()
    assert "- [A lesson](lesson.md): first words" in index
    assert "\nlesson\n```" in index


def test_a_tutorial_without_cells_is_refused_and_none_are_no_page(site: Any, tmp_path: Path) -> None:
    site("tutorial_pages").write_tutorials(tmp_path / "none", tmp_path / "pages")
    assert not (tmp_path / "pages").exists()
    (tmp_path / "lesson.py").write_text("# %%\nprint(1)\n")
    with pytest.raises(ValueError, match=r"lesson\.py: expected cells"):
        site("tutorial_pages").write_tutorials(tmp_path, tmp_path / "pages")


@pytest.mark.parametrize(
    ("html", "problem"),
    [
        ('<a href="other.html#there">', ""),
        ('<a href="https://example.org/x">', ""),
        ('<a href="#top">', ""),
        ('<img src="data:image/png;base64,AA">', ""),
        ('<a href="gone.html">', "page.html: leads nowhere: gone.html"),
        ('<a href="other.html#gone">', "page.html: has no such anchor: other.html#gone"),
        ('<a href="#gone">', "page.html: has no such anchor: #gone"),
        ('<img src="gone.png">', "page.html: leads nowhere: gone.png"),
        ('<script src="https://example.org/x.js"></script>', "is loaded from elsewhere: https://example.org/x.js"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "is loaded from elsewhere: //example.org/x.css"),
    ],
)
def test_dead_links_and_what_comes_from_elsewhere_are_found(site: Any, html: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(html)
    (tmp_path / "other.html").write_text('<h1 id="there"></h1>')
    found = site("link_check").problems(tmp_path)
    assert len(found) == bool(problem)
    assert problem in "".join(found)


def test_a_font_from_elsewhere_is_found(site: Any, tmp_path: Path) -> None:
    (tmp_path / "style.css").write_text('@import "https://example.org/a.css"; a { b: url(x.png); c: url("//e.org/f") }')
    assert site("link_check").problems(tmp_path) == [
        "style.css: is loaded from elsewhere: https://example.org/a.css",
        "style.css: is loaded from elsewhere: //e.org/f",
    ]


def test_every_page_is_in_the_navigation(site: Any, tmp_path: Path) -> None:
    staging: ModuleType = site("staging")
    staging.stage(tmp_path / "site")
    home = (tmp_path / "site" / "index.md").read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert re.search(rf"^(.* <)?docs/{re.escape(page.stem)}>?$", home, re.M)
    studies = (tmp_path / "site" / "studies" / "index.md").read_text()
    assert all(f"({name}/index.md)" in studies for name in catalogue.study_names())
    assert "](index.zh-CN.md)" in home
    assert "](studies/unsupervised/index.md)" in home
    assert "](published.md)" in (tmp_path / "site" / "docs" / "gallery.md").read_text()
