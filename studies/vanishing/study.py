"""Why do spikes vanish in deep layers, and what helps?

Activity is followed along the depth of random networks, of converted networks, and of chains of
cortical neurons; it is held against theory, and what brings it back is compared at equal cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from biosnn.engine import Simulation
from biosnn.propagation import CorticalChains, RandomNetworks, chain, random_networks, run_chains, run_random
from biosnn.study import About, Part, Result, nested, run_parts, setting
from biosnn.study.ann_data import CONVERSION_RENAMED, SCALES

from .biology_outcome import BIOLOGY_CLAIMS, biology_arrays, biology_not_applicable, biology_tables, biology_values
from .converted import ConvertedSettings, load_baseline, run_converted
from .converted_outcome import (
    CONVERTED_CLAIMS,
    converted_arrays,
    converted_not_applicable,
    converted_tables,
    converted_values,
)
from .random_outcome import RANDOM_CLAIMS, random_arrays, random_not_applicable, random_tables, random_values
from .remedies import RemedySettings, run_remedies
from .remedies_outcome import (
    REMEDIES_CLAIMS,
    remedies_arrays,
    remedies_not_applicable,
    remedies_tables,
    remedies_values,
)

TARGET = "cpp"
ANSWER = (
    "Converted as it is, a deep network classifies {converted accuracy as it is|%} of the images correctly, "
    "with soft reset {converted accuracy with soft reset|%}, the ordinary network {converted accuracy of the "
    "ANN|%}; half of the activity has gone by layer {converted layer where half of the activity has gone}."
)

METHOD = """
Five parts on one axis, depth:

- random networks: layers of neurons with normal weights down to layer 50, against recursions of theory;
- converted networks: every ReLU of a trained network becomes a population of integrate-and-fire neurons, and each layer
is measured: its rate, the accuracy of a linear decoder there, and that of the ordinary network given its rates;
- biology: volleys of spikes and firing rates along chains of cortical neurons (Diesmann et al. 1999; Litvak et al.
2003; van Rossum et al. 2002);
- remedies: each changes one thing in the converted network, for as many steps and on the same images. All learn from
calibration images, which have no labels;
- the verdict: what of the accuracy is kept, after how many steps, for how many spikes and how much energy.

Parts with chance in them are repeated: random networks and chains with other seeds, converted networks with other
images for calibration and test. A claim has to hold in every repetition, or its spread is told.
"""

ALL = ("random", "converted", "biology", "remedies")
OWN = "converted, remedies"
"""What is asked about a network that somebody brings along."""


def _parts(model: str, _known: Mapping[str, Any]) -> dict[str, str]:
    return {} if model == ConvertedSettings().model else {"parts": OWN}


def _least(limits: Mapping[str, Any]) -> dict[str, About]:
    return {name: About(minimum=least) for name, least in limits.items()}


@dataclass(frozen=True)
class Settings(RemedySettings, ConvertedSettings):
    """What can be changed."""

    biology: CorticalChains = nested(CorticalChains(), _least(chain.LEAST))
    random: RandomNetworks = nested(RandomNetworks(), _least(random_networks.LEAST))
    parts: tuple[str, ...] = setting(ALL, "what is asked; of a network of your own, the second and the fourth part")

    CONDITIONAL_DEFAULTS: ClassVar[dict[str, Any]] = {"data": SCALES, "model": _parts}
    RENAMED: ClassVar[dict[str, str]] = {
        **CONVERSION_RENAMED,
        **{f"biology_{name}": f"biology.{name}" for name in chain.LEAST},
        **{f"random_{name}": f"random.{name}" for name in random_networks.LEAST},
    }


def run(settings: Settings, sim: Simulation) -> Result:
    """Do all parts that are asked for."""
    return run_parts(PARTS, settings.parts, settings, sim)


def _random(settings: Settings, sim: Simulation) -> Result:
    found = run_random(settings.random, sim)
    return Result(
        random_values(found),
        random_arrays(found),
        not_applicable=random_not_applicable(found),
        tables=random_tables(found),
    )


def _converted(settings: Settings, sim: Simulation) -> Result:
    baseline = load_baseline(settings)
    found = run_converted(settings, sim, baseline)
    return Result(
        converted_values(found),
        converted_arrays(found),
        not_applicable=converted_not_applicable(baseline.first.options, found),
        tables=converted_tables(found, baseline.model, len(baseline.data.test)),
        warnings=baseline.data.warnings,
    )


def _biology(settings: Settings, sim: Simulation) -> Result:
    found = run_chains(settings.biology, sim)
    return Result(
        biology_values(found),
        biology_arrays(found),
        not_applicable=biology_not_applicable(found),
        tables=biology_tables(found),
    )


def _remedies(settings: Settings, sim: Simulation) -> Result:
    baseline = load_baseline(settings)
    found = run_remedies(settings, sim, baseline)
    return Result(
        remedies_values(settings, found),
        remedies_arrays(found),
        not_applicable=remedies_not_applicable(found),
        tables=remedies_tables(settings, found),
        warnings=baseline.data.warnings,
    )


PARTS = (
    Part("random", _random, RANDOM_CLAIMS),
    Part("converted", _converted, CONVERTED_CLAIMS),
    Part("biology", _biology, BIOLOGY_CLAIMS),
    Part("remedies", _remedies, REMEDIES_CLAIMS),
)
CLAIMS = [claim for part in PARTS for claim in part.claims]
