"""Price tables, and the files that they are read from."""

import dataclasses
import math

import pytest
from brian2 import joule, mV
from energy_layers import PJ, pj, spiking

from biosnn.energy import (
    HOROWITZ_45NM,
    Ledger,
    PriceTable,
    read_prices,
    verdicts,
)
from biosnn.errors import EnergyError

# Prices


def test_horowitz():
    mac = HOROWITZ_45NM.fp32_multiply + HOROWITZ_45NM.fp32_add
    assert pj(mac) == pytest.approx(4.6)
    assert pj(HOROWITZ_45NM.cache_64bit) == pytest.approx(10)


PRICES = {
    "name": "7 nm",
    "source": "someone 2020",
    "fp32_add": "0.38 pJ",
    "fp32_multiply": "1.31 pJ",
    "int32_add": "0.03 pJ",
    "int32_multiply": "1.48 pJ",
    "int8_multiply": "70 fJ",
    "cache_64bit": "7.5 pJ",
    "dram_64bit": "1.3 nJ",
}


@pytest.fixture
def price_file(tmp_path):
    def write(changed=None, without=(), text=None):
        data = {key: value for key, value in {**PRICES, **(changed or {})}.items() if key not in without}
        lines = [f"{key} = {value!r}" if isinstance(value, str) else f"{key} = {value}" for key, value in data.items()]
        path = tmp_path / "prices.toml"
        path.write_bytes("\n".join(lines).encode() if text is None else text)
        return path

    return write


def test_reads_a_price_table(price_file):
    table = read_prices(price_file())
    assert (table.name, table.source) == ("7 nm", "someone 2020")
    assert [pj(getattr(table, name)) for name in list(PRICES)[2:]] == pytest.approx(
        [0.38, 1.31, 0.03, 1.48, 0.07, 7.5, 1300]
    )
    ratio = verdicts(Ledger((spiking(),)), table)[0].ratio
    assert ratio == pytest.approx(6 * 1.69 / (4 * 0.38))


@pytest.mark.parametrize(
    ("message", "wrong"),
    [
        (
            "prices.toml: the fields 'int32_add', 'dram_64bit' are missing",
            {"without": ("int32_add", "dram_64bit")},
        ),
        ("the field 'source' is missing", {"without": ("source",)}),
        ("No field named 'fp32_addd'. Did you mean 'fp32_add'", {"changed": {"fp32_addd": "1 pJ"}}),
        ("fp32_add: expected one energy, finite and not negative", {"changed": {"fp32_add": "-1 pJ"}}),
        ("cache_64bit: expected one energy, finite", {"changed": {"cache_64bit": "inf pJ"}}),
        ("cache_64bit: expected one energy, finite", {"changed": {"cache_64bit": "nan pJ"}}),
        ("fp32_add: expected a quantity in quotes, such as '20 ms' .got 0.9", {"changed": {"fp32_add": 0.9}}),
        ("name: expected str", {"changed": {"name": [1]}}),
        ("PriceTable.name: expected a text .got ' '", {"changed": {"name": " "}}),
        ("PriceTable.fp32_add: expected a quantity in joule, got a dimensionless", {"changed": {"fp32_add": "0.9"}}),
        (
            "PriceTable.fp32_add: expected a quantity in joule, got a quantity in volt",
            {"changed": {"fp32_add": "0.9 mV"}},
        ),
        ("prices.toml fp32_add: Unit 'pX'", {"changed": {"fp32_add": "0.9 pX"}}),
        ("cannot be read as (TOML|a text in UTF-8)", {"text": b"fp32_add = "}),
        ("cannot be read as (TOML|a text in UTF-8)", {"text": b"\xff\xfe"}),
        ("cannot be read as (TOML|a text in UTF-8)", {"text": b"a = " + b"[" * 5000}),
        ("at most 65536 bytes", {"text": b"#" * 70_000}),
    ],
)
def test_refuses_price_files(price_file, message, wrong):
    with pytest.raises(EnergyError, match=message):
        read_prices(price_file(**wrong))


def test_refuses_a_price_file_that_is_not_there(tmp_path):
    with pytest.raises(EnergyError, match=r"none.toml: no such file"):
        read_prices(tmp_path / "none.toml")
    with pytest.raises(EnergyError, match="is a folder, not a file"):
        read_prices(str(tmp_path))


@pytest.mark.parametrize("price", [0.9, 1 * mV, [1, 2] * PJ, math.inf * joule, -1 * PJ])
def test_refuses_prices_that_are_no_energies(price):
    with pytest.raises(EnergyError, match=r"PriceTable\.fp32_add"):
        dataclasses.replace(HOROWITZ_45NM, fp32_add=price)


def test_a_price_table_has_a_name():
    assert isinstance(dataclasses.replace(HOROWITZ_45NM, name="mine"), PriceTable)
    with pytest.raises(EnergyError, match=r"PriceTable\.source: expected a text"):
        dataclasses.replace(HOROWITZ_45NM, source="")
