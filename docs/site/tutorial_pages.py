"""Tutorials as pages: notebooks kept as scripts (Jupytext's percent format), whose text and code are shown in turn.

They are shown without what they print and draw, since running them takes minutes; each can be downloaded and run.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from prose import contents

_CELL = re.compile(r"^# %%(?P<head>.*)\n(?P<body>(?:(?!# %%).*\n?)*)", re.MULTILINE)
_SCRIPT = re.compile(r"\]\(([\w-]+)\.py\)")


def write_tutorials(sources: Path, folder: Path) -> None:
    """Write a page for each tutorial of a folder, if there are any, and let the one that lists them lead to these.

    Raises
    ------
    ValueError
        If a script is not in the percent format, or does not begin with a title.
    """
    scripts = sorted(sources.glob("*.py")) if sources.is_dir() else []
    if not scripts:
        return
    folder.mkdir(parents=True, exist_ok=True)
    for script in scripts:
        shutil.copy(script, folder)
        (folder / f"{script.stem}.md").write_text(page(script), encoding="utf-8")
    names = [path.stem for path in folder.glob("*.md") if path.stem != "index"]
    pages = sorted(names, key=lambda name: (not name.startswith("first"), name))
    about = _SCRIPT.sub(r"](\1.md)", (sources / "README.md").read_text(encoding="utf-8"))
    (folder / "index.md").write_text(f"{about}\n{contents(pages)}", encoding="utf-8")


def page(script: Path) -> str:
    """A script in the percent format as Markdown, with the script itself to download below its title."""
    parts = []
    for cell in _CELL.finditer(script.read_text(encoding="utf-8")):
        if "[markdown]" in cell["head"]:
            parts.append(re.sub(r"^# ?", "", cell["body"], flags=re.MULTILINE).strip())
        elif cell["body"].strip():
            parts.append(f"```python\n{cell['body'].strip()}\n```")
    if not parts or not parts[0].startswith("# "):
        raise ValueError(f"{script}: expected cells (# %%), of which the first is [markdown] and begins with a title.")
    title, _, rest = parts[0].partition("\n")
    return "\n\n".join(
        [title, f"[{script.name}]({script.name}) is this page as a script.", rest.strip(), *parts[1:], ""]
    )
