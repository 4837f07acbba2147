"""Build the site: ``python docs/site/build.py FOLDER`` writes FOLDER/html, and fails on a warning or a dead link."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from link_check import problems
from sphinx.cmd.build import main as sphinx
from staging import stage


def build(folder: Path) -> int:
    """Build all pages below a folder; return the exit code."""
    source, pages, parsed = (folder / name for name in ("source", "html", "doctrees"))
    for made in (source, pages, parsed):
        shutil.rmtree(made, ignore_errors=True)
    stage(source)
    options = ["-b", "html", "-q", "-W", "--keep-going", "-d", str(parsed)]
    failed = sphinx([*options, str(source), str(pages)])
    found = problems(pages)
    print(*found, sep="\n", end="\n" if found else "")
    if failed or found:
        print(f"The pages have faults: {len(found)} dead links, or the warnings above.", file=sys.stderr)
        return 1
    print(f"{len(list(pages.rglob('*.html')))} pages: {pages / 'index.html'}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("python docs/site/build.py FOLDER: says where the pages go.")
    sys.exit(build(Path(sys.argv[1])))
