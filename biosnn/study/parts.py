"""Parts of a study, each of which may be asked by itself: what is not asked of the others follows from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from biosnn.errors import SettingsError, field_error
from biosnn.study.claims import Claim
from biosnn.study.result import Result

Settings = TypeVar("Settings")
Work = TypeVar("Work")


@dataclass(frozen=True)
class Part(Generic[Settings, Work]):
    """A part of a study.

    Parameters
    ----------
    name : str
        Where it is not asked, neither are expected values whose names begin with it, if its own values do.
    run : callable
        ``run(settings, work) -> Result``, with the settings of the study, and what all its parts work with: the
        simulation, or what was done before them for all.
    claims : sequence of Claim
        What it claims. Where it is not asked, neither are these.
    """

    name: str
    run: Callable[[Settings, Work], Result]
    claims: Sequence[Claim] = ()

    def has(self, name: str) -> bool:
        """Whether a value, an array, an expected value or a claim is one of this part."""
        return name.split()[0] == self.name or name in {claim.name for claim in self.claims}


def run_parts(parts: Sequence[Part[Settings, Work]], asked: Iterable[str], settings: Settings, work: Work) -> Result:
    """Do the parts of a study that are asked for, in their own order, and join what they return.

    Parameters
    ----------
    parts : sequence of Part
        All parts.
    asked : iterable of str
        The names of some.
    settings
        Of the study.
    work
        What its parts work with.

    Returns
    -------
    Result
        Not applicable to it are the claims of the other parts, and what the parts that were done say.

    Raises
    ------
    SettingsError
        If there is no part of a name.
    """
    wanted, names = tuple(asked), [part.name for part in parts]
    for name in wanted:
        if name not in names:
            raise SettingsError(field_error("parts", f"some of {', '.join(names)}", name))
    found = [part.run(settings, work) for part in parts if part.name in wanted]
    others = [claim.name for part in parts if part.name not in wanted for claim in part.claims]
    return Result(
        {name: value for result in found for name, value in result.values.items()},
        {name: value for result in found for name, value in result.arrays.items()},
        not_applicable=[*others, *(name for result in found for name in result.not_applicable)],
        files={name: write for result in found for name, write in result.files.items()},
        tables={name: table for result in found for name, table in result.tables.items()},
        warnings=tuple(dict.fromkeys(one for result in found for one in result.warnings)),
    )


def of_other_parts(parts: Sequence[Part[Any, Any]], result: Result, names: Iterable[str]) -> list[str]:
    """Those of some expected values that belong to parts of which a result has nothing at all."""
    there = [*result.values, *result.arrays]
    missing = [part for part in parts if not any(part.has(name) for name in there)]
    return [name for name in names if any(part.has(name) for part in missing)]
