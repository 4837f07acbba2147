"""Figures of a study: what ``plot.py`` returns, in one house style, as PNG and SVG."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import to_hex
from matplotlib.figure import Figure as Drawing

from biosnn.errors import StudyError, field_error
from biosnn.report.figure_data import figure_table
from biosnn.study.load import PLOT
from biosnn.study.saved import CAPTIONS, FIGURE_ERROR, FIGURES, captions_of
from biosnn.usercode import blame

# Okabe & Ito's colours, told apart by every kind of colour vision; the light ones come last.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#f0e442")
STYLE: dict[Any, Any] = {
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": "medium",
    "axes.titlelocation": "left",
    "figure.figsize": (7.0, 3.6),
    "figure.constrained_layout.use": True,
    "font.size": 10.0,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "savefig.dpi": 160,
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    # Same result, same file: element names would otherwise be random.
    "svg.hashsalt": "biosnn",
}
_NAME = re.compile(r"[\w][\w.-]*")


@dataclass(frozen=True)
class Figure:
    """A figure of a study.

    Parameters
    ----------
    name : str
        Its file's name, without extension.
    figure : matplotlib.figure.Figure
        The drawing, made with `new_figure` or Matplotlib's object interface.
    caption : str
        What it shows, for somebody who sees it and for somebody who cannot.
    """

    name: str
    figure: Drawing
    caption: str

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise StudyError(field_error("Figure.name", "letters, digits and any of _ . -", self.name))
        if not isinstance(self.figure, Drawing):
            raise StudyError(field_error(f"Figure {self.name}.figure", "a matplotlib Figure", self.figure))
        if not isinstance(self.caption, str) or not self.caption.strip():
            raise StudyError(field_error(f"Figure {self.name}.caption", "a text that says what it shows", self.caption))


def new_figure(
    rows: int = 1, columns: int = 1, *, width: float = 7.0, height: float = 3.6, **options: Any
) -> tuple[Drawing, Any]:
    """Make a figure and its axes without Matplotlib's global state.

    Parameters
    ----------
    rows, columns : int
        The grid of axes.
    width, height : float
        Size in inches.
    **options
        Handed on to ``Figure.subplots``, such as ``sharex=True`` or ``squeeze=False``.

    Returns
    -------
    figure, axes
        As from ``matplotlib.pyplot.subplots``.
    """
    figure = Drawing(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, **options)


def graded(count: int) -> list[str]:
    """Colours for the values of an ordered variable, from the lowest to the highest, told apart by every colour vision.

    Parameters
    ----------
    count : int
        How many.

    Returns
    -------
    list of str
        As Matplotlib and HTML write them: from dark blue to an orange that is dark enough for a line on white.
    """
    return [to_hex(mpl.colormaps["plasma"](0.8 * k / max(count - 1, 1))) for k in range(count)]


def draw_figures(folder: Path, plot: Callable[[], Any], code: Path) -> None:
    """Draw a result's figures into its folder.

    If that fails, the reason is written to ``figures/error.txt`` instead of raised: the numbers of a long run are not
    lost for a slip in a plot.

    Parameters
    ----------
    folder : Path
        The result folder.
    plot : callable
        Returns the list of `Figure`.
    code : Path
        The study's folder, to name the line at fault.
    """
    figures = folder / FIGURES
    figures.mkdir()
    try:
        with mpl.rc_context(STYLE):
            _save(figures, plot())
    except Exception as error:  # the study's own code: anything can happen
        shutil.rmtree(figures)
        figures.mkdir()
        (figures / FIGURE_ERROR).write_text(blame(error, code) + "\n", encoding="utf-8")


def _save(folder: Path, drawn: Any) -> None:
    if not isinstance(drawn, (list, tuple)) or not all(isinstance(item, Figure) for item in drawn):
        raise StudyError(field_error(f"{PLOT} plot()", "a list of biosnn.report.Figure", drawn))
    names = [item.name for item in drawn]
    if len(set(names)) != len(names):
        raise StudyError(field_error(f"{PLOT} plot()", "figures with different names", names))
    for item in drawn:
        _write(item.figure, folder / f"{item.name}.png", folder / f"{item.name}.svg")
        table = figure_table(item.figure)
        if table:
            (folder / f"{item.name}.csv").write_text(table, encoding="utf-8")
    captions = [{"name": item.name, "caption": item.caption} for item in drawn]
    (folder / CAPTIONS).write_text(json.dumps(captions, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _write(figure: Drawing, png: Path, svg: Path) -> None:
    """Write a drawing as ``savefig`` would, which lays each file out and goes through it twice, in 2/3 of the time."""
    figure.dpi = mpl.rcParams["savefig.dpi"]
    figure.set_facecolor(mpl.rcParams["savefig.facecolor"])
    pixels: Any = FigureCanvasAgg(figure)
    pixels.print_png(png, metadata={"Software": None})
    figure.set_layout_engine("none")  # all stays where it is in the first file
    lines: Any = FigureCanvasSVG(figure)
    lines.print_svg(svg, metadata={"Date": None, "Creator": None})


def read_captions(folder: Path) -> dict[str, str]:
    """Read the captions of a result's figures (name -> caption), in their order; empty if none were drawn."""
    path = folder / FIGURES / CAPTIONS
    if not path.is_file():
        return {}
    return captions_of(path)
