"""Templates of pages: texts are escaped, and the style is one for all."""

from __future__ import annotations

import functools
import math
import re
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup, escape

from biosnn.display import number_text
from biosnn.printable import printable
from biosnn.report.markup import inline

# A sign and a word for each verdict, so that nobody has to tell colours apart.
MARKS = {"pass": "✓ pass", "fail": "✗ fail", "silent": "○ inconclusive", "error": "! error", "unchecked": "○ unchecked"}


# It ends before what closes the sentence around it.
_DOI = re.compile(r"doi:(10\.\d{4,9}/[A-Za-z0-9.()/_:-]*[A-Za-z0-9])")


@functools.cache
def template(name: str) -> jinja2.Template:
    """A page without its contents; it takes longer to compile than to fill in."""
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_text),
        autoescape=True,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"number": number_html, "unit": unit_label, "inline": inline, "linked": linked}
    return environment.get_template(name)


def _text(name: str) -> str:
    return files("biosnn.report").joinpath(name).read_text(encoding="utf-8")


def _harmless(value: Any) -> Any:
    """A text in which nothing turns the direction of writing round; what is markup has been seen to before."""
    return printable(value) if type(value) is str else value


def number_html(value: float | None, digits: int = 6, signed: bool = False) -> Markup:
    """Write a number with as many digits as a reader wants, a real minus sign and a raised exponent."""
    if value is None:
        return Markup("")
    if not math.isfinite(value):
        return Markup({"inf": "∞", "-inf": "−∞"}.get(str(float(value)), "not a number"))
    text = number_text(value, digits)
    sign = "+" if signed and value > 0 else ""
    mantissa, has_exponent, exponent = text.replace("-", "−").partition("e")
    if not has_exponent:
        return Markup("{}{}").format(sign, mantissa)
    power = exponent.replace("+", "").replace("−0", "−").lstrip("0")
    return Markup("{}{}&thinsp;×&thinsp;10<sup>{}</sup>").format(sign, mantissa, power)


def linked(text: str) -> Markup:
    """A text whose DOIs are links."""
    parts, last = [], 0
    for found in _DOI.finditer(text):
        parts.append(escape(printable(text[last : found.start()])))
        link = Markup('<a href="https://doi.org/{}">{}</a>')
        parts.append(link.format(found[1], found[0]))
        last = found.end()
    return Markup("").join([*parts, escape(printable(text[last:]))])


def unit_label(unit: str) -> str:
    """A unit as a table shows it: nothing for a plain number."""
    return "" if unit == "1" else unit


def duration_text(seconds: float) -> str:
    """A duration in words: seconds below two minutes, then minutes and hours."""
    if seconds < 120:
        return f"{seconds:.3g} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
