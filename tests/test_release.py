"""What a release says of itself is the same everywhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RECIPE = (ROOT / "recipe" / "recipe.yaml").read_text()
CITATION = (ROOT / "CITATION.cff").read_text()
OTHER_NAMES = {"matplotlib": "matplotlib-base"}
"""What conda-forge calls a package otherwise than PyPI."""


def test_the_version_is_the_same_everywhere() -> None:
    assert re.findall(r"^  version: (.*)$", RECIPE, re.MULTILINE)[0] == PROJECT["version"]
    assert re.findall(r"^version: (.*)$", CITATION, re.MULTILINE) == [PROJECT["version"]]
    assert f"## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text()
    for page in ("first-steps.md", "first-steps.zh-CN.md"):
        named = set(re.findall(r"biosnn-([\d.]+)-py3", (ROOT / "docs" / page).read_text()))
        assert named == {PROJECT["version"]}


def test_the_recipe_asks_for_what_the_project_asks_for() -> None:
    """The recipe is for Python 3.12 and later; it asks for a compiler besides, and for what pooch needs to download."""
    texts = [text.partition(";") for text in PROJECT["dependencies"]]
    wanted = {name.strip() for name, _, condition in texts if "<" not in condition}
    run = RECIPE.partition("  run:\n")[2].partition("\n\n")[0]
    asked = {line.strip(" -").partition("  #")[0].replace(" ", "") for line in run.splitlines()}
    expected = {re.sub(r"^[a-z-]+", lambda name: OTHER_NAMES.get(name[0], name[0]), one) for one in wanted}
    assert asked == expected | {"python>=3.12", "cxx-compiler", "requests"}


def test_the_wheels_licence_is_the_recipes_and_the_citations() -> None:
    assert f"  license: {PROJECT['license']}\n" in RECIPE
    assert f"\nlicense: {PROJECT['license']}\n" in CITATION
