"""The energy of a network: operations counted from a run, times the energies of a table, by every convention."""

from biosnn.energy.conventions import CONVENTIONS, Convention, Memory, break_even, convention
from biosnn.energy.counts import IF_UPDATE, LIF_UPDATE, LayerCounts, Update
from biosnn.energy.judging import PUBLISHED, PublishedRate, Verdict, verdicts
from biosnn.energy.ledger import Ledger
from biosnn.energy.prices import HOROWITZ_45NM, PriceTable, read_prices
from biosnn.energy.tables import layer_rows, verdict_rows

__all__ = [
    "CONVENTIONS",
    "HOROWITZ_45NM",
    "IF_UPDATE",
    "LIF_UPDATE",
    "PUBLISHED",
    "Convention",
    "LayerCounts",
    "Ledger",
    "Memory",
    "PriceTable",
    "PublishedRate",
    "Update",
    "Verdict",
    "break_even",
    "convention",
    "layer_rows",
    "read_prices",
    "verdict_rows",
    "verdicts",
]
