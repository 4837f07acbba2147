"""What an operation costs, by a named table."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from brian2 import Quantity, joule

from biosnn import codec, files
from biosnn.errors import EnergyError, QuantityError, field_error
from biosnn.quantity import check_dimension

_LARGEST = 64 * 1024  # bytes of a file


@dataclass(frozen=True, kw_only=True)
class PriceTable:
    """Energy of each operation.

    A multiply-accumulate costs a multiplication and an addition.

    Parameters
    ----------
    name, source : str
        What the table is called, and who published it where.
    fp32_add, fp32_multiply : Quantity
        Of floating-point numbers of 32 bits.
    int32_add, int32_multiply, int8_multiply : Quantity
        Of whole numbers. Products of 8 bits are added up in 32 bits, so that no addition of 8 bits is asked for.
    cache_64bit, dram_64bit : Quantity
        An access of 64 bits to a memory on the chip, and to one beside it. Narrower words share an access.

    Raises
    ------
    EnergyError
        If a price is not an energy, not finite, or negative, or a text is empty.
    """

    name: str
    source: str
    fp32_add: Quantity
    fp32_multiply: Quantity
    int32_add: Quantity
    int32_multiply: Quantity
    int8_multiply: Quantity
    cache_64bit: Quantity
    dram_64bit: Quantity

    def __post_init__(self) -> None:
        for text in ("name", "source"):
            value = getattr(self, text)
            if not isinstance(value, str) or not value.strip():
                raise EnergyError(field_error(f"PriceTable.{text}", "a text", value))
        for entry in ENTRIES:
            where, price = f"PriceTable.{entry}", getattr(self, entry)
            try:
                check_dimension(where, price, joule)
            except QuantityError as error:
                raise EnergyError(str(error)) from None
            if np.ndim(price) or not 0 <= float(np.asarray(price)) < np.inf:
                raise EnergyError(field_error(where, "one energy, finite and not negative", price))


ENTRIES = tuple(field.name for field in fields(PriceTable) if field.name not in ("name", "source"))
"""The prices of a table."""

_PJ = 1e-12 * joule

HOROWITZ_45NM = PriceTable(
    name="45 nm",
    source="Horowitz 2014, ISSCC, doi:10.1109/ISSCC.2014.6757323",
    fp32_add=0.9 * _PJ,
    fp32_multiply=3.7 * _PJ,
    int32_add=0.1 * _PJ,
    int32_multiply=3.1 * _PJ,
    int8_multiply=0.2 * _PJ,
    cache_64bit=10 * _PJ,
    dram_64bit=1300 * _PJ,
)
"""A 45 nm process at 0.9 V; a cache of 8 kB, and the lower end of what is given for DRAM (1.3 to 2.6 nJ)."""


def read_prices(path: Path | str) -> PriceTable:
    """Read a price table from a TOML file.

    Nothing is taken from another table: ``name``, ``source`` and every price of `PriceTable` stand in the file, each
    price as a text with its unit, such as ``fp32_add = "0.9 pJ"``.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    PriceTable
        The table, checked.

    Raises
    ------
    EnergyError
        If the file cannot be read, is too large or not TOML, or an entry is missing, unknown, of the wrong type or
        dimension, or negative.
    """
    do = "A price table is a few lines of TOML."
    data = files.parse_toml(path, files.read_text(Path(path), EnergyError, _LARGEST, do), EnergyError, do)
    table: PriceTable = codec.made(PriceTable, data, str(path), EnergyError)
    return table
