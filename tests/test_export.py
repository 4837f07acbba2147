"""Results and spikes for other programs: what is written is read back by Neo, NWB, pandas, and as tables."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import neo
import numpy as np
import pandas
import pynwb
import pytest
from brian2 import Hz, ms, mV, nA, nS, second
from cli_user import biosnn, elsewhere  # noqa: F401

from biosnn.errors import DataError, MissingExtraError, ResultError, SettingsError
from biosnn.export import export_result, to_neo, to_nwb, to_pandas
from biosnn.measure import Spikes
from biosnn.study import Result
from biosnn.study.saved import write_result
from biosnn.study.verdict import Expected, check_values

EXCITED = Spikes([3, 1, 2, 40] * ms, np.array([1, 1, 0, 1]), 4)
T = np.arange(5) * 0.5 * ms
ARRAYS: dict[str, Any] = {
    **EXCITED.arrays("excitatory"),
    **Spikes([] * second, np.array([], int), 2).arrays("silent"),
    "t": T,
    "v": np.arange(10.0).reshape(2, 5) * mV,
    "g:E": np.arange(5) * nS / ms,
    "charging time": np.arange(1, 4) * second,
    "charging current": np.arange(3.0) * nA,
    "counts": np.arange(6).reshape(2, 3),
    "cube": np.arange(8.0).reshape(2, 2, 2) * Hz,
    "names": np.array(["a", "中"]),
    "flags": np.array([True, False]),
    "one": np.array(3.5) * mV,
    "none": np.zeros((0, 2)),
    "Counts": np.arange(2),
}
LEFT_OUT = ("counts", "cube", "names", "flags", "one", "none", "Counts")


def write(folder: Path, arrays: dict[str, Any] = ARRAYS) -> Path:
    folder.mkdir()
    rows = check_values(
        {"rate": 27.5 * Hz, "count": 3}, [Expected("rate", 27.0, "Hz", "Nobody 1900", "published", relative=0.1)]
    )
    about = {"study": "small", "settings": {"tau": "20 ms"}, "seed": 3, "target": "numpy"}
    source = {
        "finished": "2026-11-30T06:00:00+00:00",
        "command": "biosnn run small --seed 3",
        "study": {"title": "Does it?"},
        "versions": {"biosnn": "0.1.0", "brian2": "2.9.0", "numpy": "2.3.5"},
        "models": [{"name": "lif", "sha256": "0", "text": "kind = 'neuron'"}],
    }
    write_result(folder, Result(arrays=arrays), rows, [], about, source)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "small-0123")


def test_neo_reads_spike_trains_and_signals_with_their_units(folder: Path) -> None:
    made = export_result(folder, "neo")
    assert made.path == folder.with_name("small-0123.nix")
    assert made.left_out == LEFT_OUT
    reader = neo.io.NixIO(str(made.path), "ro")
    block = reader.read_block()
    reader.close()
    (segment,) = block.segments
    about = [(str(train.annotations["population"]), int(train.annotations["neuron"])) for train in segment.spiketrains]
    trains = dict(zip(about, segment.spiketrains, strict=True))
    assert trains.keys() == {*(("excitatory", n) for n in range(4)), ("silent", 0), ("silent", 1)}
    np.testing.assert_allclose(trains["excitatory", 1].rescale("ms").magnitude, [1, 3, 40])
    assert [len(trains["excitatory", n]) for n in range(4)] == [1, 3, 0, 0]
    assert trains["silent", 0].t_stop.rescale("s").magnitude == pytest.approx(4.0)  # the end of the last signal
    signals = {signal.name: signal for signal in segment.analogsignals}
    assert signals.keys() == {"v", "g:E", "charging current"}
    np.testing.assert_allclose(signals["v"].rescale("mV").magnitude, np.arange(10.0).reshape(2, 5).T)
    assert signals["v"].sampling_period.rescale("ms").magnitude == pytest.approx(0.5)
    np.testing.assert_allclose(signals["g:E"].rescale("S/s").magnitude.ravel(), np.arange(5) * 1e-6)
    np.testing.assert_allclose(signals["charging current"].rescale("nA").magnitude.ravel(), np.arange(3.0))
    assert signals["charging current"].t_start.rescale("s").magnitude == pytest.approx(1.0)
    assert (block.annotations["study"], block.annotations["seed"]) == ("small", "3")
    assert json.loads(block.annotations["settings"]) == {"tau": "20 ms"}
    assert block.annotations["version of brian2"] == "2.9.0"


def test_nwb_has_everything(folder: Path) -> None:
    made = export_result(folder, "nwb")
    assert (made.path.name, made.left_out) == ("small-0123.nwb", ())
    assert not pynwb.validate(path=str(made.path))
    with pynwb.NWBHDF5IO(str(made.path), "r") as reader:
        file = reader.read()
        units = file.units.to_dataframe()
        assert list(zip(units["population"], units["neuron"], strict=True)) == [
            *(("excitatory", n) for n in range(4)),
            *(("silent", n) for n in range(2)),
        ]
        np.testing.assert_allclose(units["spike_times"][1], [0.001, 0.003, 0.04])
        assert len(units["spike_times"][5]) == 0
        v = file.acquisition["v"]
        np.testing.assert_allclose(v.data[:], np.arange(10.0).reshape(2, 5).T * 1e-3)
        assert (v.unit, v.rate, v.starting_time) == ("volt", pytest.approx(2000), 0.0)
        assert file.acquisition["g-E"].description == "g:E"
        assert (file.acquisition["charging current"].unit, file.acquisition["charging current"].starting_time) == (
            "amp",
            1.0,
        )
        np.testing.assert_array_equal(file.get_scratch("counts"), np.arange(6).reshape(2, 3))
        np.testing.assert_array_equal(file.get_scratch("cube"), np.arange(8.0).reshape(2, 2, 2))
        assert file.scratch["cube"].description == "cube (Hz)"
        assert list(file.scratch["names"].data[:]) == ["a", "中"]
        assert list(file.get_scratch("flags")) == [True, False]
        np.testing.assert_allclose(file.get_scratch("one"), [0.0035])
        table = file.scratch["values of the result"].to_dataframe()
        assert table.loc[0].to_dict() == {
            "quantity": "rate",
            "value": "27.5",
            "unit": "Hz",
            "expected": "27.0",
            "tolerance": "2.7",
            "kind": "published",
            "verdict": "pass",
            "source": "Nobody 1900",
        }
        assert file.protocol == "biosnn run small --seed 3"
        assert 'settings: {"tau": "20 ms"}' in file.notes
        assert file.session_start_time.isoformat() == "2026-11-30T06:00:00+00:00"
        assert file.data_collection == "simulated with biosnn 0.1.0, Brian2 2.9.0"
        assert json.loads(file.source_script) == ["kind = 'neuron'"]


def read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_tables_have_everything(folder: Path) -> None:
    made = export_result(folder, "csv")
    assert made.path.name == "small-0123-csv"
    assert sorted(path.name for path in made.path.iterdir()) == sorted(
        f"{name}.csv"
        for name in (
            *("about", "values", "excitatory", "silent", "v", "g_E", "charging_current", "counts", "cube", "names"),
            *("flags", "one", "none", "Counts_1"),
        )
    )
    spikes = pandas.read_csv(made.path / "excitatory.csv")
    assert list(spikes.columns) == ["time (second)", "neuron"]
    np.testing.assert_array_equal(spikes["neuron"], [1, 0, 1, 1])
    np.testing.assert_allclose(spikes["time (second)"], [0.001, 0.002, 0.003, 0.04], rtol=1e-15)
    v = pandas.read_csv(made.path / "v.csv")
    assert list(v.columns) == ["time (second)", "v 0 (volt)", "v 1 (volt)"]
    np.testing.assert_array_equal(v["v 1 (volt)"], np.asarray(ARRAYS["v"])[1])
    np.testing.assert_allclose(v["time (second)"], np.asarray(T))
    cube = pandas.read_csv(made.path / "cube.csv")
    assert list(cube.columns) == ["axis 0", "axis 1", "axis 2", "cube (Hz)"]
    assert cube["cube (Hz)"][(cube["axis 0"] == 1) & (cube["axis 1"] == 0) & (cube["axis 2"] == 1)].item() == 5.0
    assert read(made.path / "names.csv") == [["names"], ["a"], ["中"]]
    assert read(made.path / "counts.csv") == [["counts 0", "counts 1", "counts 2"], ["0", "1", "2"], ["3", "4", "5"]]
    assert read(made.path / "one.csv") == [["one (volt)"], ["0.0035"]]
    assert read(made.path / "none.csv") == [["none 0", "none 1"]]
    assert read(made.path / "values.csv")[1] == [
        "rate",
        "27.5",
        "Hz",
        "27.0",
        "2.7",
        "published",
        "pass",
        "Nobody 1900",
    ]
    about = dict(read(made.path / "about.csv"))
    assert (about["study"], about["seed"], about["version of biosnn"]) == ("small", "3", "0.1.0")
    export_result(folder, "csv")  # an earlier export is replaced


@pytest.mark.parametrize(
    "arrays",
    [
        {"spike times": [1, 2] * ms},
        {"spike times": [1.0, 2.0], "spike neurons": np.array([0, 1])},
        {"spike times": [1, 2] * ms, "spike neurons": np.array([0])},
        {"spike times": [1, 2] * ms, "spike neurons": np.array([0, -1])},
        {"spike times": [1, 2] * ms, "spike neurons": np.array([0.0, 1.0])},
        {"t": [0, 1, 3] * ms, "v": [1, 2, 3] * mV},
        {"t": [0, 1, 2], "v": [1, 2, 3] * mV},
        {"rate t": [0, 1, 2] * ms, "v": [1, 2, 3] * mV},
        {"t": [0, 1, 2] * ms, "v": [1, 2] * mV},
        {"t": [2, 1, 0] * ms, "v": [1, 2, 3] * mV},
    ],
)
def test_arrays_that_are_no_spikes_and_no_signals_stay_arrays(tmp_path: Path, arrays: dict[str, Any]) -> None:
    with pytest.raises(ResultError, match="has neither spike trains nor signals"):
        export_result(write(tmp_path / "r", arrays), "neo")
    more = write(tmp_path / "more", arrays | EXCITED.arrays("E"))
    assert export_result(more, "neo").left_out == tuple(arrays)


def test_a_users_own_spikes() -> None:
    trains = to_neo(EXCITED, 50 * ms, "E")
    assert [(train.name, train.annotations["neuron"]) for train in trains] == [(f"E {n}", n) for n in range(4)]
    np.testing.assert_allclose(trains[1].rescale("ms").magnitude, [1, 3, 40])
    assert [float(train.t_stop.rescale("ms")) for train in trains] == pytest.approx([50] * 4)
    assert float(to_neo(EXCITED)[0].t_stop.rescale("ms")) == pytest.approx(40)
    with pytest.raises(DataError, match=r"stop: expected a time at or after the last spike, at 40\. ms"):
        to_neo(EXCITED, 39 * ms)
    table = to_pandas(EXCITED)
    assert list(table["neuron"]) == [1, 0, 1, 1]
    np.testing.assert_allclose(table["time (s)"], [0.001, 0.002, 0.003, 0.04])
    file = pynwb.NWBFile("mine", "1", datetime(2026, 1, 1, tzinfo=UTC))
    to_nwb(EXCITED, file, "E")
    to_nwb(EXCITED, file, "I")
    assert list(file.units["population"].data) == ["E"] * 4 + ["I"] * 4


def test_a_place_that_is_something_else_is_left_alone(folder: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "notes.csv").write_text("mine")
    with pytest.raises(ResultError, match="mine: has files in it that are no export of biosnn"):
        export_result(folder, "csv", mine)
    (mine / "about.csv").write_text("mine")
    (mine / "notes.txt").write_text("mine")
    with pytest.raises(ResultError, match="mine: has files in it that are no export of biosnn"):
        export_result(folder, "csv", mine)
    with pytest.raises(ResultError, match=r"notes.txt: exists and is no folder"):
        export_result(folder, "csv", mine / "notes.txt")
    for to in ("neo", "nwb"):
        with pytest.raises(ResultError, match="mine: is a folder, and a file is to be written"):
            export_result(folder, to, mine)
        with pytest.raises(ResultError, match="cannot be written"):
            export_result(folder, to, tmp_path / "nowhere" / "x")
    with pytest.raises(SettingsError, match=r"No format named 'nvb'\. Did you mean 'nwb'"):
        export_result(folder, "nvb")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "small-0123"]


def test_at_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert biosnn("export", str(folder), "--to", "neo", "--out", "out.nix") == 0
    out = capsys.readouterr().out
    assert "Left out, as Neo takes spike trains and signals only (--to nwb and csv take all): counts · cube" in out
    assert out.endswith("Wrote out.nix\n")
    assert biosnn("export", str(folder), "--to", "csv", "--out", "tables") == 0
    assert "Wrote tables" in capsys.readouterr().out
    assert biosnn("export", ".", "--to", "csv") == 2
    assert biosnn("export", str(folder)) == 2


@pytest.mark.parametrize(("to", "library"), [("neo", "nixio"), ("nwb", "pynwb")])
def test_a_library_that_is_missing_is_named(
    folder: Path, to: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(MissingExtraError, match=rf"{library}, which .* extra 'export': .* -m pip install "):
        export_result(folder, to)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
