"""How objects show themselves: as a line or a few in a terminal, and as a small card in a notebook.

A `Brief` says of each field what fits into a line: of an array its type and shape, of a mapping its names.
"""

from biosnn.display.cards import badge, block, card, curve, escaped, note, paragraph, table, thumbnail
from biosnn.display.objects import Brief
from biosnn.display.texts import bounded, brief, number, number_text

__all__ = [
    "Brief",
    "badge",
    "block",
    "bounded",
    "brief",
    "card",
    "curve",
    "escaped",
    "note",
    "number",
    "number_text",
    "paragraph",
    "table",
    "thumbnail",
]
