"""The gallery as one page: its studies by topic, with what came out of each study's latest run."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from PIL import Image

from biosnn import catalogue, files
from biosnn.errors import ResultError
from biosnn.gallery import TOPICS, GalleryEntry
from biosnn.report.figures import read_captions
from biosnn.report.templates import MARKS, template
from biosnn.study.claims import FAIL, PASS, CheckedClaim
from biosnn.study.load import study_summary
from biosnn.study.saved import FIGURES, SavedResult, load_result, provenance_of, study_of
from biosnn.study.verdict import KINDS, PUBLISHED, passed
from biosnn.writing import replaced

_WIDTH = 640  # of a thumbnail, in pixels: twice what a card is wide, for screens with fine ones
_COLOURS = 128


@dataclass(frozen=True)
class Card:
    """What the page shows of a study.

    Parameters
    ----------
    name, title : str
        The study's name, and its question.
    entry : GalleryEntry
        What its ``gallery.toml`` says.
    image, caption : str
        Its figure as a data URL, and what stands below it; empty if there is none.
    answer : CheckedClaim or None
        The claim that is its answer, with the verdict.
    counts : tuple of (str, int, int)
        Of each kind of value, and of the claims, how many pass, and how many there are.
    verdict, finished, report : str
        Of the run, and the day of it; ``report`` is the address of its page, relative to the gallery's, or empty.
    """

    name: str
    title: str
    entry: GalleryEntry
    image: str = ""
    caption: str = ""
    answer: CheckedClaim | None = None
    counts: tuple[tuple[str, int, int], ...] = ()
    verdict: str = ""
    finished: str = ""
    report: str = ""


def write_gallery(results: Path, page: Path) -> list[Card]:
    """Write the page of the gallery from finished results.

    Parameters
    ----------
    results : Path
        The folder in which the folders of results lie. Of each study the latest with the default settings counts.
    page : Path
        The page to write.

    Returns
    -------
    list of Card
        What is on it, whether it has been run or not.

    Raises
    ------
    ResultError
        If ``results`` is no folder, or the page cannot be written.
    """
    if not results.is_dir():
        raise ResultError(f"{results}: no such folder. Run the studies first: biosnn check --gallery")
    entries = catalogue.gallery()
    latest = _latest(results, entries)
    cards = [_card(name, entry, latest.get(name), page) for name, entry in entries.items()]
    by_topic = {topic: [card for card in cards if card.entry.topic == topic] for topic in TOPICS}
    text = template("gallery.html").render(
        topics=[(TOPICS[topic], inside) for topic, inside in by_topic.items()],
        published=published(cards),
        run=sum(bool(card.verdict) for card in cards),
        holding=sum(card.verdict == PASS for card in cards),
        many=len(cards),
        marks=MARKS,
        kinds=KINDS,
    )
    try:
        with replaced(page) as new:
            new.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ResultError(f"{page}: cannot be written: {error.strerror or error}. Choose another with --out.") from None
    return cards


def published(cards: list[Card]) -> tuple[int, int]:
    """How many published values pass, and how many there are."""
    counts = [(some, many) for card in cards for kind, some, many in card.counts if kind == PUBLISHED]
    return sum(some for some, _ in counts), sum(many for _, many in counts)


def _latest(results: Path, entries: Mapping[str, GalleryEntry]) -> dict[str, SavedResult]:
    """The latest result of each study with its default settings; what cannot be read is passed over."""
    found: dict[str, tuple[str, Path]] = {}
    for folder in sorted(path for path in results.iterdir() if path.is_dir()):
        name = study_of(folder)
        if name is None or name not in entries:
            continue
        try:
            source = provenance_of(folder)
        except ResultError:
            continue
        finished = str(source.get("finished", ""))
        if not source.get("changed") and finished >= found.get(name, ("", folder))[0]:
            found[name] = finished, folder
    return {name: load_result(folder) for name, (_, folder) in found.items()}


def _card(name: str, entry: GalleryEntry, result: SavedResult | None, page: Path) -> Card:
    title = study_summary(catalogue.study_folder(name))
    if result is None:
        return Card(name, title, entry)
    claims = [claim.verdict for claim in result.claims]
    captions = read_captions(result.folder)
    shown = entry.thumbnail in captions
    return Card(
        name,
        title,
        entry,
        image=_thumbnail(result.folder / FIGURES / f"{entry.thumbnail}.png") if shown else "",
        caption=captions[entry.thumbnail] if shown else _missing(entry.thumbnail, captions, result),
        answer=_answer(entry.answer, result),
        counts=(*((kind, *passed(result.rows, kind)) for kind in KINDS), ("claim", claims.count(PASS), len(claims))),
        verdict="error" if result.broken else result.verdict,
        finished=str(result.provenance["finished"]).partition("T")[0],
        report=_address(result.report, page),
    )


def _answer(name: str, result: SavedResult) -> CheckedClaim | None:
    named = [claim for claim in result.claims if name in ("", claim.name)]
    if named or not name:
        return named[0] if named else None
    there = ", ".join(claim.name for claim in result.claims)
    return CheckedClaim(name, f"There is no claim {name!r} in this result; it has {there or 'none'}.", FAIL)


def _missing(name: str, captions: Mapping[str, str], result: SavedResult) -> str:
    if result.figure_error:
        return "The figures could not be drawn."
    return f"There is no figure {name!r} in this result; it has {', '.join(captions) or 'none'}."


def _thumbnail(path: Path) -> str:
    """A figure as a small PNG with few colours, as a data URL."""
    with files.reading(path, ResultError, "a figure in PNG"), files.opened(path, ResultError) as file:
        drawn = Image.open(file, formats=["PNG"]).convert("RGB")
        drawn.thumbnail((_WIDTH, _WIDTH), Image.Resampling.LANCZOS)
        stored = io.BytesIO()
        drawn.quantize(_COLOURS).save(stored, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(stored.getvalue()).decode()}"


def _address(report: Path, page: Path) -> str:
    """Where a report lies, seen from the page; empty if it lies outside the page's folder, or is not there."""
    if not report.is_file():
        return ""
    relative = os.path.relpath(report.resolve(), page.absolute().parent.resolve())
    return "" if relative.startswith("..") else quote(relative.replace(os.sep, "/"))
