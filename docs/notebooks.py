"""Turn the tutorials into notebooks with their output, for reading and for the documentation's site.

    python docs/notebooks.py [--out build/notebooks] [NAME ...]

A tutorial is a Python file of cells (jupytext's percent format), which runs as it is, too. Nothing with output is kept
in the repository.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

TUTORIALS = Path(__file__).parent / "tutorials"
NAMES = ("first-network", "stdp-rule", "convert-a-network", "vanishing-spikes", "gradients")
"""In the order in which they are read."""
TIMEOUT = 600
"""Seconds that a cell may take."""


def executed(name: str) -> Any:
    """A tutorial as a notebook, executed from the beginning in a kernel of its own.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails; the message has its traceback.
    """
    import jupytext
    from nbclient import NotebookClient

    notebook = jupytext.read(TUTORIALS / f"{name}.py")
    # Where its relative paths begin.
    client = NotebookClient(
        notebook, timeout=TIMEOUT, kernel_name="python3", resources={"metadata": {"path": TUTORIALS}}
    )
    return client.execute()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; by default all")
    parser.add_argument("--out", type=Path, default=Path("build/notebooks"), help="the folder (%(default)s)")
    given = parser.parse_args()
    if unknown := sorted(set(given.names) - set(NAMES)):
        parser.error(f"no tutorial named {', '.join(unknown)}; there are {', '.join(NAMES)}")
    try:
        import jupytext
        import nbclient  # noqa: F401
    except ImportError as error:
        sys.exit(f"{error.name} is missing: pip install 'biosnn[dev]'")
    given.out.mkdir(parents=True, exist_ok=True)
    for name in given.names or NAMES:
        begin = time.monotonic()
        jupytext.write(executed(name), given.out / f"{name}.ipynb")
        print(f"{given.out / name}.ipynb: {time.monotonic() - begin:.0f} s", flush=True)


if __name__ == "__main__":
    main()
