"""What matplotlib's ``show()`` does where there is no display: figures become files, or are counted, and nothing waits.

It is a backend of matplotlib's, which a script meets unless it, or the user (``MPLBACKEND``), has chosen another.
"""

from __future__ import annotations

import os
import sys
import weakref
from pathlib import Path
from typing import Any

from matplotlib._pylab_helpers import Gcf
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg

from biosnn.printable import printable

FOLDER, STEM = "BIOSNN_FIGURES", "BIOSNN_FIGURES_STEM"
"""Variables of the environment: where figures go, "" for nowhere, and how their names begin."""

_files: weakref.WeakKeyDictionary[Any, Path] = weakref.WeakKeyDictionary()
_counted = [0]


class FigureManager(FigureManagerBase):
    """Of one figure."""

    @classmethod
    def pyplot_show(cls, *, block: bool | None = None) -> None:  # noqa: ARG003
        """Write all open figures, or say that they are not shown."""
        write_open()


class FigureCanvas(FigureCanvasAgg):
    """A figure in memory."""

    manager_class = FigureManager


def write_open() -> None:
    """Write the open figures into the folder, each to a file of its own, and say which are new."""
    folder, new = os.environ.get(FOLDER, ""), []
    for manager in Gcf.get_all_fig_managers():
        if manager not in _files:
            _counted[0] += 1
            _files[manager] = Path(folder) / f"{os.environ.get(STEM, 'figure')}-{_counted[0]}.png"
            new.append(_files[manager])
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            manager.canvas.figure.savefig(_files[manager])
    if not new:
        return
    if folder:
        text = f"figures: {', '.join(str(path) for path in new)}"
    else:
        text = f"figures not shown, as there is no display: {len(new)}. biosnn exec --figures DIR writes them."
    print(f"biosnn: {printable(text)}", file=sys.stderr, flush=True)
