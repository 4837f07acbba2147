"""The answer of a study: sentences with numbers in them, for whoever reads one line of a report."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from biosnn.errors import StudyError, field_error
from biosnn.study.verdict import CheckedValue

_FIELD = re.compile(r"\{([^{}|]*)(\|[^{}]*)?\}")
PERCENT = "|%"


def check_answer(where: str, sentences: object) -> tuple[str, ...]:
    """The sentences of a study's ``ANSWER``: a text, or a list of texts.

    A value stands in them by its name, ``{rate}``, a fraction also as ``{accuracy|%}``.

    Raises
    ------
    StudyError
        If they are something else, or a brace is neither opened nor closed.
    """
    found = (sentences,) if isinstance(sentences, str) else sentences
    if not isinstance(found, (list, tuple)) or not all(isinstance(one, str) and one.strip() for one in found):
        raise StudyError(field_error(f"{where} ANSWER", "a sentence, or a list of sentences", sentences))
    for one in found:
        fields = _FIELD.findall(one)
        if set("{}") & set(_FIELD.sub("", one)) or any(
            not name.strip() or more not in ("", PERCENT) for name, more in fields
        ):
            do = "Name a value in braces: {rate}, or {accuracy|%} for a fraction in percent."
            raise StudyError(field_error(f"{where} ANSWER", "values as {name} or {name|%}", one, do))
    return tuple(found)


def answer_text(sentences: Sequence[str], rows: Iterable[CheckedValue]) -> str:
    """Fill in the values; a sentence is left out if one of its values is not there, or not a number.

    Parameters
    ----------
    sentences : sequence of str
        Of `check_answer`.
    rows : iterable of CheckedValue
        The values of a result.
    """
    values = {row.name: row for row in rows if math.isfinite(row.value)}
    told = [one for one in sentences if all(name in values for name, _ in _FIELD.findall(one))]
    return " ".join(_FIELD.sub(lambda match: _shown(values[match[1]], match[2]), one) for one in told)


def _shown(row: CheckedValue, form: str | None) -> str:
    if form == PERCENT:
        return f"{_number(100 * row.value)} %"
    return _number(row.value) + ("" if row.unit == "1" else f" {row.unit}")


def _number(value: float) -> str:
    """Three digits, and all of a whole number, as one writes them in a sentence."""
    if value == round(value) and abs(value) < 1e6:
        return f"{value:,.0f}"
    rounded = float(f"{value:.3g}")
    if 1e-4 <= abs(rounded) < 1e5:
        digits = max(0, 2 - math.floor(math.log10(abs(rounded))))
        text = f"{rounded:,.{digits}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa, _, exponent = f"{value:.3g}".partition("e")
    return f"{mantissa} x 10^{int(exponent)}"
