"""How much of a picture do the first spikes of the retina tell, by nothing but their order?

Thorpe & Gautrais (1998) proposed that cells tell by the order in which they fire, one spike each, what they see: the
order of n cells can say log2(n!) bits. VanRullen & Thorpe (2001) read pictures back from the order in which on- and
off-centre ganglion cells of several sizes fire: a look-up table says how strong a contrast is that comes in a certain
place. How much of the picture is there when a few percent of the cells have fired?
"""

from dataclasses import dataclass
from math import factorial
from typing import Any

import numpy as np
from brian2 import Network, Quantity, SpikeMonitor, ms

from biosnn.engine import Simulation
from biosnn.groups.build import neurons
from biosnn.seeds import derived_seed
from biosnn.study import Claim, Result, setting

from .retina import Retina, dead_leaves

TARGET = "cpp"
ANSWER = (
    "When 5 % of the cells have fired, the picture read from their order has a correlation of {correlation "
    "after 5 percent} with the original, one read from a random order {correlation after 5 percent, random "
    "order}."
)
METHOD = """\
Pictures are dead leaves (`retina.py`): discs of random grey that cover each other, with radii distributed as 1/r**3,
which have edges, occlusion and scale invariance as natural images do. Ganglion cells are differences of two Gaussians
at five scales, on-centre and off-centre; each scale has a quarter of the cells of the one before.

- Each cell is the model `encoder_ttfs_membrane` of the catalogue, a leaky integrate-and-fire neuron that fires once,
driven by its contrast in units of the strongest of the picture. The order of all first spikes is what is read; cells
that fire in the same time step come in a random order.
- The look-up table is the mean contrast at each place of the order, over other pictures. The picture is the sum of
the fields of all cells that have fired, each weighed by the table, and is compared with the original by correlation.
- Control: the same table, and as many cells in a random order. Beside it, the true contrasts in the true order: the
most that the order could tell.
- Five cells with independent random drives, many times: how many bits does their order say?"""

FRACTIONS = np.array([0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5])
FIVE = 5


@dataclass(frozen=True)
class Settings:
    pictures: int = setting(6, "pictures that are read back", minimum=1)
    learned: int = setting(12, "other pictures, of which the look-up table is made", minimum=1)
    size: int = setting(64, "pixels in a row of a picture, a power of two", choices=(16, 32, 64, 128))
    scales: int = setting(5, "sizes of cells", minimum=1, maximum=5)
    tau: Quantity = setting(20 * ms, "membrane time constant", minimum=1 * ms)
    drive: float = setting(30.0, "where the strongest contrast would bring the potential, in thresholds", minimum=2.0)
    duration: Quantity = setting(60 * ms, "how long spikes are waited for", minimum=1 * ms)
    dt: Quantity = setting(0.01 * ms, "time step", minimum=0.001 * ms)
    trials: int = setting(20000, "times that five cells are asked for their order", minimum=100)


def run(settings: Settings, sim: Simulation) -> Result:
    sim.reset(dt=settings.dt)
    random = np.random.default_rng(derived_seed(sim.seed or 0, 0))
    retina = Retina(settings.size, settings.scales)
    originals = [dead_leaves(settings.size, random) for _ in range(settings.learned + settings.pictures)]
    contrasts = np.array([retina.contrasts(one) for one in originals])
    relative = contrasts / np.abs(contrasts).max(axis=1, keepdims=True)
    table = np.sort(np.abs(relative[: settings.learned]), axis=1)[:, ::-1].mean(axis=0)
    shown = relative[settings.learned :]
    five = random.uniform(0.1, 1, (settings.trials, FIVE))
    drives = np.concatenate([np.maximum(shown, 0).ravel(), np.maximum(-shown, 0).ravel(), five.ravel()])
    first = _first_spikes(settings, sim, drives)
    on, off = first[: 2 * shown.size].reshape(2, *shown.shape)
    found = [
        _read(retina, picture, contrast, up, down, table, random)
        for picture, contrast, up, down in zip(originals[settings.learned :], shown, on, off, strict=True)
    ]
    return _result(found, table, _bits(first[2 * shown.size :].reshape(five.shape), random), originals)


def _first_spikes(settings: Settings, sim: Simulation, drives: Any) -> Any:
    """When each cell fires, in ms; infinity if it does not."""
    given = {"x": drives, "tau": settings.tau, "drive": settings.drive}
    cells = neurons(len(drives), "encoder_ttfs_membrane", values=given, name="cells")
    spikes = SpikeMonitor(cells)
    sim.run(Network(cells, spikes), settings.duration, "ganglion cells")
    first = np.full(len(drives), np.inf)
    first[np.asarray(spikes.i)] = np.asarray(spikes.t / ms)
    return first


def _read(retina: Retina, picture: Any, contrast: Any, on: Any, off: Any, table: Any, random: Any) -> dict[str, Any]:
    """What is known of a picture when some cells have fired: from the order, a random one, and contrasts."""
    time, sign = np.minimum(on, off), np.where(on < off, 1.0, -1.0)
    order = np.lexsort((random.random(len(time)), time))[: np.isfinite(time).sum()]
    ways = {"order": (order, sign[order] * table[: len(order)])}
    mixed = random.permutation(len(time))[: len(order)]
    ways["random order"] = (mixed, np.sign(contrast[mixed]) * table[: len(order)])
    ways["contrasts"] = (order, contrast[order])
    found: dict[str, Any] = {name: [] for name in ways}
    pictures = []
    for fraction in FRACTIONS:
        # Of all cells, of which one of the two at each site can fire.
        count = min(round(fraction * 2 * len(time)), len(order))
        for name, (cells, weights) in ways.items():
            sent = np.zeros(len(time))
            sent[cells[:count]] = weights[:count]
            read = retina.picture(sent)
            found[name].append(float(np.corrcoef(read.ravel(), picture.ravel())[0, 1]) if count else 0.0)
            if name == "order":
                pictures.append(read)
    fired = np.sort(time[np.isfinite(time)])
    needed = fired[min(round(0.05 * 2 * len(time)), len(fired)) - 1]
    return {**found, "pictures": np.array(pictures), "fired": len(order) / (2 * len(time)), "time": needed}


def _bits(first: Any, random: Any) -> float:
    """The information in the order of five spikes: the entropy of orders, with the correction of Miller and Madow."""
    order = np.lexsort((random.random(first.shape), first))
    _, counts = np.unique(order @ FIVE ** np.arange(FIVE), return_counts=True)
    share = counts / counts.sum()
    return float(-(share * np.log2(share)).sum() + (len(counts) - 1) / (2 * counts.sum() * np.log(2)))


def _result(found: list[dict[str, Any]], table: Any, bits: float, originals: list[Any]) -> Result:
    ways = ("order", "random order", "contrasts")
    arrays: dict[str, Any] = {name: np.array([one[name] for one in found]) for name in ways}
    at = {fraction: int(np.flatnonzero(fraction == FRACTIONS)[0]) for fraction in (0.01, 0.05, 0.1)}
    values: dict[str, Any] = {
        f"correlation after {100 * fraction:g} percent": float(arrays["order"][:, k].mean())
        for fraction, k in at.items()
    }
    values |= {
        "correlation after 5 percent, random order": float(arrays["random order"][:, at[0.05]].mean()),
        "correlation after 5 percent, contrasts": float(arrays["contrasts"][:, at[0.05]].mean()),
        "bits in the order of five spikes": bits,
        "most bits in the order of five spikes": float(np.log2(factorial(FIVE))),
        "cells that fire": float(np.mean([one["fired"] for one in found])),
        "time until 5 percent have fired": float(np.mean([one["time"] for one in found])) * ms,
    }
    arrays |= {
        "fraction": FRACTIONS,
        "table": table,
        "pictures": found[0]["pictures"],
        "original": originals[len(originals) - len(found)],
    }
    return Result(values, arrays)


def _fires(result: Result) -> bool:
    """More than 5 % of the cells fire."""
    return bool(result.values["cells that fire"] > 0.05)


CLAIMS = [
    Claim(
        "few spikes tell much",
        "When 5 % of the cells have fired, the picture read from their order correlates with the original by over 0.7.",
        lambda result: bool(result.values["correlation after 5 percent"] > 0.7),
        _fires,
    ),
    Claim(
        "ranks suffice",
        "The order with the look-up table tells at least nine tenths of what the contrasts of the same cells would.",
        lambda result: bool(
            result.values["correlation after 5 percent"] > 0.9 * result.values["correlation after 5 percent, contrasts"]
        ),
        _fires,
    ),
    Claim(
        "control: random order",
        "As many cells in a random order tell less than half as much.",
        lambda result: bool(
            result.values["correlation after 5 percent, random order"]
            < 0.5 * result.values["correlation after 5 percent"]
        ),
        _fires,
    ),
    Claim(
        "bits",
        "The order of five spikes says nearly as much as it can.",
        lambda result: bool(
            abs(
                result.values["bits in the order of five spikes"]
                - result.values["most bits in the order of five spikes"]
            )
            < 0.05
        ),
        _fires,
    ),
]
