"""The figures of a result on a page to look closer at: zoom, values under the pointer, series on and off."""

from __future__ import annotations

import html
import math
import shlex
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes

from biosnn.errors import ResultError, StudyError
from biosnn.optional_dependencies import imported
from biosnn.printable import printable
from biosnn.report.figure_data import Series, levels_of, panels, series_of
from biosnn.report.figures import STYLE, Figure
from biosnn.study.functions import find_study
from biosnn.study.load import load_plot
from biosnn.study.saved import SavedResult
from biosnn.usercode import blame, contained
from biosnn.writing import replaced

_INCH = 96
"""Pixels of the page."""


def write_interactive(result: SavedResult, page: Path) -> None:
    """Draw the figures of a saved result with Plotly, which lies in the page; nothing is loaded from elsewhere.

    Parameters
    ----------
    result : SavedResult
        Of a study that is in the catalogue, or in a folder: its ``plot.py`` is run.
    page : Path
        Where to.

    Raises
    ------
    MissingExtraError
        Without the extra ``interactive``.
    StudyError
        If the study is not there, has changed so that it cannot draw this result, or draws nothing.
    ResultError
        If the page cannot be written.
    """
    imported("plotly", "interactive")
    drawn = _drawn(result)
    if not drawn:
        raise StudyError(f"{result.study}: draws no figures.")
    title = html.escape(printable(f"{result.study}, seed {result.seed}"))
    parts = [_html(figure, number) for number, figure in enumerate(drawn)]
    text = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>\n'
        '<body style="font-family: system-ui, sans-serif; margin: 2rem auto; max-width: 64rem; background: #fff">\n'
        f"<h1>{title}</h1>\n<p>Drag to zoom, double-click to see all again; a click in the legend hides a series.</p>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )
    try:
        with replaced(page) as new:
            new.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ResultError(f"{page}: cannot be written: {error.strerror or error}. Choose another with --out.") from None


def _drawn(result: SavedResult) -> list[Figure]:
    # A study that is none of the catalogue is found where the command says.
    words = shlex.split(str(result.provenance.get("command", "")))
    study = find_study(words[2] if len(words) > 2 else result.study)
    try:
        with mpl.rc_context(STYLE):
            return list(contained(lambda: load_plot(study)(result)))
    except Exception as error:  # the study's own code: anything can happen
        raise StudyError(f"{result.study}: its figures could not be drawn: {blame(error, study.folder)}") from error


def _html(figure: Figure, number: int) -> str:
    graph = _graph(figure)
    body = graph.to_html(full_html=False, include_plotlyjs=number == 0, config={"displaylogo": False})
    return f"{body}\n<p>{html.escape(printable(figure.caption))}</p>"


def _graph(figure: Figure) -> Any:
    """One figure: each panel where it lies in the drawing."""
    objects = imported("plotly.graph_objects", "interactive")
    width, height = (float(side) * _INCH for side in figure.figure.get_size_inches())
    figure.figure.draw_without_rendering()  # places are known when the layout has been made
    # The drawing has its own room for labels around each panel.
    margin = {"l": 15, "r": 15, "t": 35, "b": 15}
    graph = objects.Figure(
        layout={"width": width + 180, "height": height + 50, "margin": margin, "template": "simple_white"}
    )
    for number, axes in enumerate(panels(figure.figure), 1):
        suffix = "" if number == 1 else str(number)
        box = axes.get_position()
        graph.update_layout(
            {
                f"xaxis{suffix}": _axis(axes, "x") | {"domain": [box.x0, box.x1], "anchor": f"y{suffix}"},
                f"yaxis{suffix}": _axis(axes, "y") | {"domain": [box.y0, box.y1], "anchor": f"x{suffix}"},
            }
        )
        title = axes.get_title(loc="left") or axes.get_title()
        if title:
            at = {"x": box.x0, "y": min(box.y1 + 0.02, 1.0), "xref": "paper", "yref": "paper", "xanchor": "left"}
            graph.add_annotation(text=_label(title), showarrow=False, yanchor="bottom", **at)
        for one in series_of(axes):
            graph.add_trace(_trace(objects, one, suffix))
        for line in levels_of(axes):
            along, across = ("x", "y") if line.horizontal else ("y", "x")
            ends: dict[str, Any] = {f"{along}0": 0, f"{along}1": 1, f"{across}0": line.place, f"{across}1": line.place}
            refs = {f"{along}ref": f"{along}{suffix} domain", f"{across}ref": f"{across}{suffix}"}
            graph.add_shape(type="line", line={"color": line.colour, "width": 1, "dash": "dash"}, **ends, **refs)
    return graph


def _axis(axes: Axes, name: str) -> dict[str, Any]:
    axis = getattr(axes, f"{name}axis")
    low, high = axis.get_view_interval() if not axis.get_inverted() else axis.get_view_interval()[::-1]
    found: dict[str, Any] = {"title": {"text": _label(axis.get_label_text())}, "zeroline": False}
    found |= {"exponentformat": "power", "showticklabels": any(one.get_visible() for one in axis.get_ticklabels())}
    if axis.get_scale() == "log" and min(low, high) > 0:
        return found | {"type": "log", "range": [math.log10(low), math.log10(high)]}
    found["range"] = [float(low), float(high)]
    texts = [text.get_text() for text in axis.get_ticklabels()]
    places = [float(place) for place in axis.get_ticklocs()]
    if any(not _number(text) for text in texts if text) and len(texts) == len(places):
        found |= {"tickvals": places, "ticktext": [_label(text) for text in texts]}
    return found


def _number(text: str) -> bool:
    try:
        float(text.replace("−", "-"))
    except ValueError:
        return False
    return True


def _trace(objects: Any, one: Series, suffix: str) -> Any:
    name = _label(one.label)
    place = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}", "name": name}
    if one.value is not None:
        return objects.Heatmap(x=one.x, y=one.y, z=one.value, colorscale="Viridis", showscale=False, **place)
    shown = place | {"showlegend": one.named, "legendgroup": name}
    if one.kind == "bar":
        return objects.Bar(x=one.x, y=one.y, marker={"color": one.colour}, **shown)
    mode = "lines" if one.kind == "line" else "markers"
    style = {"line": {"color": one.colour}} if one.kind == "line" else {"marker": {"color": one.colour, "size": 4}}
    return objects.Scattergl(x=one.x, y=one.y, mode=mode, **style, **shown)


_GREEK = {"alpha": "α", "beta": "β", "Delta": "Δ", "mu": "μ", "nu": "ν", "sigma": "σ", "tau": "τ", "theta": "θ"}


def _label(text: str) -> str:
    """A text as Plotly shows it: escaped, since it takes some HTML, and with a line break where the drawing has one."""
    plain = text.replace("$", "").replace("_{", " ").replace("}", "")
    for name, letter in _GREEK.items():
        plain = plain.replace(f"\\{name}", letter)
    return html.escape(printable(plain, keep="\n")).replace("\n", "<br>")
