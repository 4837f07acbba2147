"""Claims of a study, and their verdicts: true or false, or too little activity to tell."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from brian2.units.fundamentalunits import Quantity, get_dimensions

from biosnn.errors import field_error
from biosnn.quantity import format_quantity
from biosnn.study.result import Result
from biosnn.usercode import blame, contained

PASS, FAIL, SILENT, ERROR, UNCHECKED = "pass", "fail", "silent", "error", "unchecked"

_MOST_NAMED = 6
"""So many numbers at most tell why a claim cannot be judged."""


@dataclass(frozen=True)
class Claim:
    """A statement about a result that can be true or false.

    Parameters
    ----------
    name : str
        A short name, unique in its study.
    statement : str
        The claim as a sentence, for the reader.
    holds : callable
        Takes the `Result`, returns whether the claim is true.
    minimum_activity : callable
        Takes the `Result`, returns whether the network did enough for the claim to mean anything.
        Where it returns False the verdict is "silent", which fails: a silent network must never pass an inequality.
        The first sentence of its docstring, if it has one, tells the reader what was needed.
    """

    name: str
    statement: str
    holds: Callable[[Any], bool]
    minimum_activity: Callable[[Any], bool]


@dataclass(frozen=True)
class CheckedClaim:
    """A claim's verdict: "pass", "fail", "silent" or "error", the last two with the reason in ``why``."""

    name: str
    statement: str
    verdict: str
    why: str = ""


def check_claims(result: Result, claims: Iterable[Claim], code: Path = Path()) -> list[CheckedClaim]:
    """Give each claim its verdict.

    Parameters
    ----------
    result : Result
        What the study returned.
    claims : iterable of Claim
        What it claims.
    code : Path
        The study's folder, to name the line at fault.

    Returns
    -------
    list of CheckedClaim
        "silent" where the minimum activity is not reached, with what was needed and what there was; "error", naming the
        exception, where the claim's own code fails, so that one broken claim does not cost the numbers of a long run.
    """
    return [_check_claim(result, claim, code) for claim in claims]


def _check_claim(result: Result, claim: Claim, code: Path) -> CheckedClaim:
    try:
        verdict, why = contained(lambda: _verdict(result, claim))
    except Exception as error:  # the study's own code: anything can happen, and the reader must see what
        return CheckedClaim(claim.name, claim.statement, ERROR, blame(error, code))
    return CheckedClaim(claim.name, claim.statement, verdict, why)


def _verdict(result: Result, claim: Claim) -> tuple[str, str]:
    watched, read = _watched(result)
    if not _truth(claim.minimum_activity(watched)):
        return SILENT, _too_little(claim, read)
    return (PASS if _truth(claim.holds(result)) else FAIL), ""


def _truth(value: Any) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(field_error("a claim", "True or False", value))
    return bool(value)


class _Watched(dict[str, Any]):
    """Values or arrays of a result that note what is read of them."""

    def __init__(self, content: Mapping[str, Any], read: dict[str, Any]) -> None:
        super().__init__(content)
        self._read = read

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        self._read[name] = value
        return value

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default

    def items(self) -> list[tuple[str, Any]]:  # type: ignore[override]
        return [(name, self[name]) for name in self]

    def values(self) -> list[Any]:  # type: ignore[override]
        return [self[name] for name in self]


def _watched(result: Result) -> tuple[Result, dict[str, Any]]:
    """A result that notes which of its values and arrays are read, and the notes."""
    read: dict[str, Any] = {}
    watched = copy.copy(result)
    for name in ("values", "arrays"):
        object.__setattr__(watched, name, _Watched(getattr(result, name), read))
    return watched, read


def _too_little(claim: Claim, read: Mapping[str, Any]) -> str:
    """What a claim needed, by the docstring of its minimum activity, and the numbers that this looked at."""
    needed = " ".join((claim.minimum_activity.__doc__ or "").partition("\n\n")[0].split())
    needed = needed.removeprefix("The minimum activity: ").rstrip(".")
    told = [f"needed: {needed[:1].lower()}{needed[1:]}"] if needed else []
    numbers = [f"{name} {text}" for name, value in read.items() if (text := _range(value))]
    if numbers:
        more = f" and {len(numbers) - _MOST_NAMED} more" if len(numbers) > _MOST_NAMED else ""
        told.append(f"here: {', '.join(numbers[:_MOST_NAMED])}{more}")
    return "; ".join(told)


def _range(value: Any) -> str:
    """A number, or from where to where numbers go; nothing of what has none."""
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        return ""
    if not array.size:
        return "is empty"
    unit = get_dimensions(value)
    low, high = (
        format_quantity(Quantity(float(f"{float(end):.3g}"), dim=unit)) for end in (np.nanmin(array), np.nanmax(array))
    )
    return low if low == high else f"from {low} to {high}"
