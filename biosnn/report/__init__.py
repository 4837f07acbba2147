"""What a reader sees: figures drawn from a saved result, and one self-contained page about it."""

from biosnn.report.fields import draw_fields
from biosnn.report.figures import Figure, draw_figures, graded, new_figure
from biosnn.report.page import write_report

__all__ = ["Figure", "draw_fields", "draw_figures", "graded", "new_figure", "write_report"]
