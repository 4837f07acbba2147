"""Cards: what a notebook shows of an object, as HTML that stands for itself.

Nothing is loaded from elsewhere, every text is escaped (names come from strangers' files), and colours are those of the
page around it, be it light or dark.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image

from biosnn.display.texts import bounded
from biosnn.printable import printable

MOST_ROWS = 40
"""Of a table in a card."""
THUMBNAIL = (480, 320)
"""Pixels that a thumbnail has at most, each way."""
MOST_THUMBNAILS = 4

_STYLE = """
.biosnn { font-size: .93em; line-height: 1.5; max-width: 62rem; }
.biosnn-kicker { opacity: .7; font-size: .85em; letter-spacing: .06em; text-transform: uppercase; }
.biosnn-title { font-size: 1.15em; font-weight: 600; margin: 0 0 .3em; overflow-wrap: anywhere; }
.biosnn-note { opacity: .7; font-size: .93em; margin: .3em 0; overflow-wrap: anywhere; }
.biosnn p { margin: .3em 0; }
.biosnn table.biosnn-table { border-collapse: collapse; margin: .4em 0; font-size: 1em; border: 0; }
.biosnn .biosnn-table th, .biosnn .biosnn-table td { text-align: left; vertical-align: top; padding: .2em 1em .2em 0;
  border: 0; border-bottom: 1px solid rgba(128, 128, 128, .35); background: none; }
.biosnn .biosnn-table th { opacity: .7; font-weight: 600; font-size: .88em; }
.biosnn .biosnn-table .biosnn-number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.biosnn-badge { display: inline-block; padding: 0 .6em; border-radius: 1em; font-weight: 600; font-size: .88em;
  color: #fff; background: #5b6570; white-space: nowrap; }
.biosnn-pass { background: #0b5cad; } .biosnn-fail, .biosnn-error { background: #a63c06; }
.biosnn-silent, .biosnn-unchecked { background: #6b5a00; }
.biosnn pre { background: rgba(128, 128, 128, .12); padding: .4em .7em; border-radius: .4em; white-space: pre-wrap;
  margin: .3em 0; }
.biosnn figure { display: inline-block; margin: .3em .6em .3em 0; max-width: 20rem; vertical-align: top; }
.biosnn figure img { max-width: 100%; background: #fff; border-radius: .4em; }
.biosnn figcaption { opacity: .7; font-size: .85em; }
.biosnn-formula { margin: .35em 0; } .biosnn math { font-size: 1.1em; }
"""


class Safe(str):
    """HTML that is not to be escaped any more."""


def escaped(text: object) -> Safe:
    """Any text as HTML."""
    return text if isinstance(text, Safe) else Safe(html.escape(printable(str(text))))


def card(kicker: str, title: object, *parts: str) -> str:
    """What a notebook shows of an object: a word on what it is, its name, and the parts that are made below."""
    head = f'<div class="biosnn-kicker">{escaped(kicker)}</div>'
    head += f'<div class="biosnn-title">{escaped(title)}</div>' if title else ""
    return f'<div class="biosnn"><style>{_STYLE}</style>{head}{"".join(parts)}</div>'


def paragraph(text: object) -> Safe:
    """A text."""
    return Safe(f"<p>{escaped(text)}</p>") if text else Safe("")


def note(text: object) -> Safe:
    """A text that matters less, such as a source."""
    return Safe(f'<div class="biosnn-note">{escaped(text)}</div>') if text else Safe("")


def badge(verdict: str) -> Safe:
    """A verdict: in a colour, and in words."""
    kind = verdict if verdict in ("pass", "fail", "error", "silent", "unchecked") else ""
    said = "inconclusive" if verdict == "silent" else verdict
    return Safe(f'<span class="biosnn-badge biosnn-{kind}">{escaped(said)}</span>') if verdict else Safe("")


def table(head: Sequence[str], rows: Iterable[Sequence[object]], numbers: Iterable[int] = ()) -> Safe:
    """A table, of which so many rows are shown; columns of ``numbers`` are aligned to the right."""
    kept, right = list(rows), set(numbers)
    if not kept:
        return Safe("")

    def line(tag: str, cells: Sequence[object]) -> str:
        made = (
            f"<{tag}{' class=biosnn-number' if column in right else ''}>{escaped(cell)}</{tag}>"
            for column, cell in enumerate(cells)
        )
        return f"<tr>{''.join(made)}</tr>"

    top = line("th", head) if head else ""
    more = note(f"and {len(kept) - MOST_ROWS:,} more") if len(kept) > MOST_ROWS else ""
    lines = "".join(line("td", row) for row in kept[:MOST_ROWS])
    return Safe(f'<table class="biosnn-table">{top}{lines}</table>{more}')


def block(text: object) -> Safe:
    """A text line by line as it stands, such as equations."""
    return Safe(f"<pre>{escaped(text)}</pre>")


def curve(values: Sequence[float], caption: str) -> Safe:
    """Numbers between 0 and 1, one after another, as a small line."""
    if len(values) < 2:
        return Safe("")
    step = max(1, len(values) // 100)
    shown = [*values[::step], values[-1]]
    points = " ".join(
        f"{200 * k / (len(shown) - 1):.1f},{42 - 40 * min(max(float(value), 0), 1):.1f}"
        for k, value in enumerate(shown)
    )
    drawn = f'<polyline points="{points}" fill="none" stroke="#0072b2" stroke-width="2"></polyline>'
    axis = '<path d="M0 2V42H200" fill="none" stroke="currentColor" stroke-opacity=".4"></path>'
    said = escaped(caption)
    return Safe(
        f'<figure><svg width="200" height="44" role="img" aria-label="{said}">{axis}{drawn}</svg>'
        f"<figcaption>{said}</figcaption></figure>"
    )


def thumbnail(path: Path, caption: str) -> Safe:
    """A picture made small, within the HTML; nothing if the file is no picture."""
    try:
        with Image.open(path) as picture:
            small = picture.convert("RGB")
            small.thumbnail(THUMBNAIL)
            packed = io.BytesIO()
            small.quantize(64).save(packed, "PNG", optimize=True)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return Safe("")
    data = base64.b64encode(packed.getvalue()).decode("ascii")
    said = escaped(bounded(caption, 160))
    return Safe(
        f'<figure><img src="data:image/png;base64,{data}" alt="{said}"><figcaption>{said}</figcaption></figure>'
    )
