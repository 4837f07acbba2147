"""What README and docs show is true: files, Python and its output are taken from the pages and run."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import numpy as np
import pytest
from brian2 import Network, ms

import biosnn

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
RUN = ("biosnn.session", "biosnn.coding import", "biosnn.conversion import", "biosnn.datasets import")
SAVED_AS = re.compile(r"Save this\s+as `([\w-]+\.py)`:\s*\Z|[`(]([\w-]+\.toml)[`)][^`\n]*[:：]\s*\Z")


def blocks(page: Path) -> list[tuple[str, str, str]]:
    """The code blocks of a page: language, text, and the prose before it."""
    text = page.read_text(encoding="utf-8")
    return [(match[1], match[2], text[: match.start()]) for match in BLOCK.finditer(text)]


def programs(page: Path) -> list[tuple[str, str]]:
    """Each Python block with the output that the next block shows, or ``""``."""
    found, all_blocks = [], blocks(page)
    for number, (language, text, _) in enumerate(all_blocks):
        if language == "python" and any(used in text for used in RUN):
            following = all_blocks[number + 1] if number + 1 < len(all_blocks) else ("", "", "")
            found.append((text, following[1] if following[0] == "text" else ""))
    return found


def save_files(page: Path, folder: Path) -> None:
    for language, text, before in blocks(page):
        name = SAVED_AS.search(before)
        if language in ("python", "toml") and name:
            (folder / (name[1] or name[2])).write_text(text)


LONG = {
    ("convert-a-network.md", 0),
    ("convert-a-network.md", 1),
    ("convert-a-network.md", 3),
    ("train-a-network.md", 0),
    ("train-a-network.md", 1),
    ("write-a-model.md", 1),
}
LONG |= {("train-with-gradients.md", 1)}
LONG |= {("networks.md", number) for number in (1, 2, 3)}
"""Programs that take longer than a few seconds; others of these pages do not."""
COMPILED = ('session("cpp"', "biosnn.convert(")
CASES = [
    pytest.param(
        page,
        number,
        marks=[
            *([pytest.mark.cpp] if any(used in text for used in COMPILED) else []),
            *([pytest.mark.slow] if (page.name, number) in LONG else []),
        ],
        id=f"{page.name}-{number}",
    )
    for page in PAGES
    for number, (text, _) in enumerate(programs(page))
]


@pytest.mark.usefixtures("optimised")
@pytest.mark.parametrize(("page", "number"), CASES)
def test_a_program_prints_what_the_page_says(
    page: Path, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_files(page, tmp_path)
    monkeypatch.chdir(tmp_path)
    text, expected = programs(page)[number]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(text, f"{page.name}, program {number}", "exec"), {})
    assert expected, "a program in the documentation is followed by what it prints"
    assert printed.getvalue() == expected


def test_both_readmes_show_the_same_code_and_figures() -> None:
    english, chinese = (ROOT / "README.md"), (ROOT / "README.zh-CN.md")

    def content(page: Path) -> list[tuple[str, str]]:
        return [(language, text) for language, text, _ in blocks(page)]

    def images(page: Path) -> list[str]:
        return re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page.read_text(encoding="utf-8"))

    assert content(english) == content(chinese)
    assert images(english) == images(chinese)


def test_the_kind_that_is_shown_is_the_one_that_is_tested() -> None:
    shown = [text for _, text, _ in blocks(ROOT / "docs" / "projections.md")]
    folder = Path(__file__).parent / "ring"
    assert (folder / "templates" / "cpp" / "ring.cpp").read_text() in shown
    code = (folder / "__init__.py").read_text()
    assert code[code.index("@dataclass") :] in [text[text.find("@dataclass") :] for text in shown]


@pytest.mark.cpp
def test_the_loop_that_is_shown_is_generated(tmp_path: Path) -> None:
    shown = next(text for language, text, _ in blocks(ROOT / "docs" / "projections.md") if language == "cpp")
    with biosnn.session("cpp", dt=1 * ms) as sim:
        pooled, corners = (biosnn.neurons(n, "if_soft", name=name) for n, name in ((32, "pooled"), (64, "corners")))
        kind = biosnn.Conv2D((4, 4, 2), channels=4, kernel=3, padding=1)
        weights = np.zeros((3, 3, 2, 4))
        mixing = biosnn.Projection(pooled, corners, kind, weights, on_pre="v_post += w", name="mixing")
        sim.run(Network(pooled, corners, mixing), 1 * ms)
        sim.device.write_sources(tmp_path, tmp_path)
    generated = (tmp_path / "code_objects" / "mixing_pre_codeobject.cpp").read_text().splitlines()
    missing = {line.strip() for line in shown.splitlines()} - {line.strip() for line in generated}
    assert not missing
