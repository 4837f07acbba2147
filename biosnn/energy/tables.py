"""Rows of text for a report, so that every study prints the same two tables."""

from __future__ import annotations

import math
from collections.abc import Iterable

from biosnn.energy.judging import Verdict, energy_text
from biosnn.energy.ledger import Ledger

_COUNTED = {
    "additions": "additions",
    "multiplications": "multiplications",
    "MACs": "analog_macs",
    "neuron updates": "updates",
    "weights fetched": "weight_fetches",
    "state read and written": "state_traffic",
}


def layer_rows(ledger: Ledger) -> list[list[str]]:
    """What each layer does an inference, and what the ANN does.

    Returns
    -------
    list of list of str
        The head of the table, a row for each layer, and the sum.
    """
    head = ["layer", *_COUNTED, "MACs of the ANN", "spikes per synapse"]
    ledgers = [(layer.name, Ledger((layer,))) for layer in ledger.layers]
    return [head, *([name, *_numbers(part)] for name, part in [*ledgers, ("all", ledger)])]


def _numbers(ledger: Ledger) -> list[str]:
    counts = [ledger.an_inference(count) for count in _COUNTED.values()]
    return [*(f"{count:,.0f}" for count in [*counts, ledger.macs]), _rate(ledger.spikes_a_synapse)]


def verdict_rows(verdicts: Iterable[Verdict]) -> list[list[str]]:
    """What each convention says.

    Parameters
    ----------
    verdicts : iterable of Verdict
        What `biosnn.energy.verdicts` returns.

    Returns
    -------
    list of list of str
        The head of the table, and a row for each verdict.
    """
    head = ["convention", "SNN", "ANN", "ANN / SNN", "break-even", "cheaper", "source"]
    return [head, *([*_verdict(verdict), verdict.source] for verdict in verdicts)]


def _verdict(verdict: Verdict) -> list[str]:
    energies = ["" if energy is None else energy_text(energy) for energy in (verdict.snn, verdict.ann)]
    even = "none" if verdict.break_even is None else _rate(verdict.break_even)
    return [verdict.convention, *energies, _rate(verdict.ratio), even, verdict.cheaper]


def _rate(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3g}"
