"""Why do spikes vanish in deep layers, and what helps?

Activity is followed along the depth of random networks, of trained networks that were made to spike, and of chains of
cortical neurons; it is held against theory, and what brings it back is compared at equal cost.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from biosnn.errors import SettingsError, field_error
from biosnn.study import Result, setting
from biosnn.study.ann_data import SCALES

from .biology import BiologySettings, run_biology
from .biology_outcome import BIOLOGY_CLAIMS, biology_arrays, biology_left_out, biology_tables, biology_values
from .converted import ConvertedSettings, Patient, load_patient, run_converted
from .converted_outcome import (
    CONVERTED_CLAIMS,
    converted_arrays,
    converted_left_out,
    converted_tables,
    converted_values,
)
from .random import RandomSettings, run_random
from .random_outcome import RANDOM_CLAIMS, random_arrays, random_left_out, random_tables, random_values
from .remedies import RemedySettings, run_remedies
from .remedies_outcome import (
    REMEDIES_CLAIMS,
    remedies_arrays,
    remedies_left_out,
    remedies_tables,
    remedies_values,
)

TARGET = "cpp"

METHOD = """
Five parts on one axis, depth:

- random networks: layers of neurons with normal weights down to layer 50, against recursions of theory;
- converted networks: every ReLU of a trained network becomes a population of integrate-and-fire neurons, and each layer
is measured: how much it fires, what a linear decoder reads there, and what the ordinary network makes of its rates;
- biology: volleys of spikes and firing rates along chains of cortical neurons (Diesmann et al. 1999; Litvak et al.
2003; van Rossum et al. 2002);
- remedies: each changes one thing in the converted network, for as many steps and on the same images. All learn from
calibration images, which have no labels;
- the verdict: what of the accuracy is kept, after how many steps, for how many spikes and how much energy.

Parts with chance in them are repeated: random networks and chains with other seeds, converted networks with other
images for calibration and test. A claim has to hold in every repetition, or its spread is told.
"""

PARTS = ("random", "converted", "biology", "remedies")
OWN = "converted, remedies"
"""What is asked about a network that somebody brings along."""


def _parts(model: str, _known: Mapping[str, Any]) -> dict[str, str]:
    return {} if model == ConvertedSettings().model else {"parts": OWN}


@dataclass(frozen=True)
class Settings(RemedySettings, ConvertedSettings, BiologySettings, RandomSettings):
    """What can be changed."""

    parts: tuple[str, ...] = setting(PARTS, "what is asked; of a network of your own, the second and the fourth part")

    CONDITIONAL_DEFAULTS: ClassVar[dict[str, Any]] = {"data": SCALES, "model": _parts}


def run(settings: Settings, sim: Any) -> Result:
    """Do all parts that are asked for."""
    for part in settings.parts:
        if part not in PARTS:
            raise SettingsError(field_error("parts", f"some of {', '.join(PARTS)}", part))
    patient = load_patient(settings) if {"converted", "remedies"} & set(settings.parts) else None
    found = [_part(part, settings, sim, patient) for part in PARTS if part in settings.parts]
    unasked = [claim.name for part, claims in ASKED.items() if part not in settings.parts for claim in claims]
    return Result(
        {name: value for result in found for name, value in result.values.items()},
        {name: value for result in found for name, value in result.arrays.items()},
        left_out=[
            *unasked,
            *_expected_of_others(settings.parts),
            *(name for result in found for name in result.left_out),
        ],
        tables={name: table for result in found for name, table in result.tables.items()},
    )


def _part(part: str, settings: Settings, sim: Any, patient: Patient | None) -> Result:
    if part == "random":
        random = run_random(settings, sim)
        left_out, tables = random_left_out(random), random_tables(random)
        return Result(random_values(random), random_arrays(random), left_out=left_out, tables=tables)
    if part == "biology":
        biology = run_biology(settings, sim)
        left_out, tables = biology_left_out(biology), biology_tables(biology)
        return Result(biology_values(biology), biology_arrays(biology), left_out=left_out, tables=tables)
    assert patient is not None
    if part == "converted":
        converted = run_converted(settings, sim, patient)
        left_out, images = converted_left_out(patient.first.options, converted), len(patient.data.test)
        tables = converted_tables(converted, patient.model, images)
        return Result(converted_values(converted), converted_arrays(converted), left_out=left_out, tables=tables)
    remedies = run_remedies(settings, sim, patient)
    left_out, tables = remedies_left_out(remedies), remedies_tables(settings, remedies)
    return Result(remedies_values(settings, remedies), remedies_arrays(remedies), left_out=left_out, tables=tables)


def _expected_of_others(parts: Collection[str]) -> list[str]:
    """Expected values of parts that are not asked: their names begin with that of the part."""
    expected = tomllib.loads((Path(__file__).parent / "expected.toml").read_text())["values"]
    return [name for name in expected if name.split()[0] not in parts]


ASKED = {
    "random": RANDOM_CLAIMS,
    "converted": CONVERTED_CLAIMS,
    "biology": BIOLOGY_CLAIMS,
    "remedies": REMEDIES_CLAIMS,
}
CLAIMS = [claim for claims in ASKED.values() for claim in claims]
