"""Which of the two networks costs less, by every convention and every published break-even."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from brian2 import Quantity

from biosnn.energy.conventions import CONVENTIONS, Convention, break_even
from biosnn.energy.ledger import Ledger
from biosnn.energy.prices import HOROWITZ_45NM, PriceTable

SNN, ANN, EQUAL, SILENT, NOT_SPIKING = "SNN", "ANN", "equal", "silent", "not spiking"


@dataclass(frozen=True)
class PublishedRate:
    """A published break-even: the SNN costs less below ``rate`` spikes per synapse per inference."""

    name: str
    rate: float
    source: str


_DAMPFHOFFER = "Dampfhoffer et al. 2023, doi:10.1109/TETCI.2022.3214509"

PUBLISHED = (
    PublishedRate("published break-even 1.72", 1.72, "Davidson & Furber 2021, doi:10.3389/fnins.2021.651141"),
    PublishedRate("published break-even 1.38", 1.38, f"{_DAMPFHOFFER}, abstract: the least efficient ANN"),
    PublishedRate("published break-even 0.15", 0.15, f"{_DAMPFHOFFER}, abstract: the most efficient ANN"),
)
"""Break-evens of the literature, in spikes per synapse per inference."""


@dataclass(frozen=True)
class Verdict:
    """What one convention says.

    Parameters
    ----------
    convention, source : str
        Its name, and who counts like this.
    snn, ann : Quantity or None
        Energy per inference of both; None where only a break-even is published.
    ratio : float
        How many times less the SNN costs: ``ann / snn``, or the published break-even over the network's own rate. NaN
        where a network does not spike, so that it is neither larger nor smaller than anything.
    break_even : float or None
        Spikes per synapse per inference at which both cost the same; None if there is no such rate.
    cheaper : str
        "SNN", "ANN" or "equal"; "silent" if spikes do not reach every layer that they should; "not spiking" if there
        is no such layer and the verdict is about spikes.
    sentence : str
        All this in words.
    """

    convention: str
    source: str
    snn: Quantity | None
    ann: Quantity | None
    ratio: float
    break_even: float | None
    cheaper: str
    sentence: str


def verdicts(ledger: Ledger, prices: PriceTable = HOROWITZ_45NM) -> list[Verdict]:
    """Judge a network by all `CONVENTIONS` and all `PUBLISHED` break-evens, in that order; none is ever left out.

    Parameters
    ----------
    ledger : Ledger
        What the network did.
    prices : PriceTable
        What operations cost.

    Raises
    ------
    EnergyError
        If the ledger has no counterpart in an ANN.
    """
    return [
        *(_priced(ledger, prices, convention) for convention in CONVENTIONS),
        *(_published(ledger, published) for published in PUBLISHED),
    ]


def _priced(ledger: Ledger, prices: PriceTable, convention: Convention) -> Verdict:
    snn, ann = convention.snn(ledger, prices), convention.ann(ledger, prices)
    even = break_even(ledger, prices, convention)
    ratio, cheaper = _compare(ledger, ann=float(np.asarray(ann)), snn=float(np.asarray(snn)))
    costs = f"An inference costs the SNN {energy_text(snn)}, the ANN {energy_text(ann)}"
    return Verdict(
        convention.name,
        convention.source,
        snn,
        ann,
        ratio,
        even,
        cheaper,
        f"{costs}: {_outcome(ledger, cheaper, ratio)} {_rates(ledger, even)}{_caveat(ledger, convention)}",
    )


def _published(ledger: Ledger, published: PublishedRate) -> Verdict:
    rate = ledger.spikes_a_synapse
    ratio, cheaper = (math.nan, NOT_SPIKING) if math.isnan(rate) else _compare(ledger, ann=published.rate, snn=rate)
    if cheaper in (SILENT, NOT_SPIKING):
        outcome = _outcome(ledger, cheaper, ratio)
        sentence = f"{outcome[0].upper()}{outcome[1:]}"
    else:
        side = {SNN: "below", ANN: "above", EQUAL: "at"}[cheaper]
        even = f"the published break-even of {published.rate}"
        sentence = f"{rate:.3g} spikes per synapse per inference are {side} {even}."
    return Verdict(published.name, published.source, None, None, ratio, published.rate, cheaper, sentence)


def _compare(ledger: Ledger, *, ann: float, snn: float) -> tuple[float, str]:
    if ledger.silent:
        return math.nan, SILENT
    if math.isclose(ann, snn, rel_tol=1e-12):
        return 1.0, EQUAL
    return (ann / snn if snn else math.inf), (SNN if snn < ann else ANN)


def _outcome(ledger: Ledger, cheaper: str, ratio: float) -> str:
    if cheaper == SILENT:
        return f"no spike reached {', '.join(ledger.silent)}, and a silent network is not a cheap one."
    if cheaper == NOT_SPIKING:
        return "no layer of the network is meant to be reached by spikes."
    if cheaper == EQUAL:
        return "both cost the same."
    times = ratio if cheaper == SNN else (1 / ratio if ratio else math.inf)
    return f"the {cheaper} costs {times:.3g} times less."


def _rates(ledger: Ledger, even: float | None) -> str:
    rate = ledger.spikes_a_synapse
    if math.isnan(rate):
        return "No layer is meant to be reached by spikes."
    if even is None:
        return f"There is no break-even; the network has {rate:.3g} spikes per synapse per inference."
    return f"They break even at {even:.3g} spikes per synapse per inference; the network has {rate:.3g}."


def _caveat(ledger: Ledger, convention: Convention) -> str:
    dense = [layer.name for layer in ledger.layers if layer.macs and layer.active_macs is None]
    if not convention.zeros_skipped or not dense:
        return ""
    return f" The ANN's zeros were not counted in {', '.join(dense)}, which are taken to have none."


def energy_text(energy: Quantity) -> str:
    """Write an energy to four digits, with a prefix that suits it: ``"84.59 uJ"``."""
    value = float(np.asarray(energy))
    for prefix, scale in (("", 1.0), ("m", 1e-3), ("u", 1e-6), ("n", 1e-9), ("p", 1e-12)):
        if value >= scale:
            return f"{value / scale:.4g} {prefix}J"
    return f"{value / 1e-15:.4g} fJ"
