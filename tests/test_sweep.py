"""Sweeps: which points they have, what is computed, what is taken from before, what goes stale, what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import ms
from sweep_functions import Settings, noise
from sweep_here import FUNCTIONS, Here, function

from biosnn import run_study
from biosnn.errors import BiosnnError, ResultError, SettingsError, StudyError, SweepError
from biosnn.study import find_study
from biosnn.sweep import Store, Sweep
from biosnn.sweep.grid import axes_of_texts, parse_seeds


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("n", "3", [3]),
        ("n", "3,1,2", [3, 1, 2]),
        ("n", "10:30:5", [10, 15, 20, 25, 30]),
        ("n", "10:29:5", [10, 15, 20, 25]),
        ("n", "5:1:-2", [5, 3, 1]),
        ("n", "1,10:12:1", [1, 10, 11, 12]),
        ("tau", "5 ms,0.01 s", [5 * ms, 10 * ms]),
        ("tau", "10 ms:30 ms:10 ms", [10 * ms, 20 * ms, 30 * ms]),
        ("gains", "1,2,3", [(1.0, 2.0, 3.0)]),
        ("gains", "1,2;3", [(1.0, 2.0), (3.0,)]),
        ("folder", "a:b:c", ["a:b:c"]),
    ],
)
def test_values_of_a_grid_are_read_by_the_type_of_the_setting(key: str, text: str, expected: list[Any]) -> None:
    assert axes_of_texts(Settings, {key: text}) == {key: expected}


def test_steps_of_a_tenth_come_to_what_their_reader_expects() -> None:
    from sweep_functions import Cells

    assert axes_of_texts(Cells, {"drive": "0.1:0.5:0.1"}) == {"drive": [0.1, 0.2, 0.3, 0.4, 0.5]}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"m": "3"}, "No setting named 'm'"),
        ({"n": "3,3"}, "given twice"),
        ({"n": "1:5"}, "FIRST:LAST:STEP"),
        ({"n": "1:5:0"}, "a step that leads"),
        ({"n": "1:5:-1"}, "a step that leads"),
        ({"n": "0,1"}, "at least 1"),
        ({"tau": "1 ms:inf ms:1 ms"}, "finite numbers"),
        ({"n": "1:100000000:1"}, "at most 1,000,000"),
        ({"tau": "5,10"}, "in second"),
        ({"tau": "5 mV"}, "in second"),
        ({"rule": "good,bad"}, "one of"),
    ],
)
def test_a_wrong_value_of_a_grid_says_what_is_right(texts: dict[str, str], message: str) -> None:
    with pytest.raises(BiosnnError, match=message):
        axes_of_texts(Settings, texts)


def test_seeds_are_read_from_ranges_and_lists() -> None:
    assert parse_seeds("1-3,7") == [1, 2, 3, 7]
    for wrong in ("", "x", "3-1", "1,1", "-1", "1.5", "4294967296", "١"):
        with pytest.raises(SettingsError, match="seeds"):
            parse_seeds(wrong)


def test_a_sweep_has_each_combination_with_each_seed() -> None:
    sweep = Sweep(noise, grid={"tau": ["5 ms", 10 * ms], "n": [3, 4]}, seeds=[1, 2])
    points = [(point.settings["tau"], point.settings["n"], point.seed) for point in sweep.plan.points]
    assert points == [(tau, n, seed) for tau in ("5 ms", "10 ms") for n in ("3", "4") for seed in (1, 2)]
    keys = [point.key for point in sweep.plan.points]
    assert len(set(keys)) == 8
    assert all(len(key) == 16 and int(key, 16) >= 0 for key in keys)


def test_a_point_of_a_list_has_the_defaults_of_what_it_does_not_name() -> None:
    sweep = Sweep(noise, points=[{"n": 3}, {"tau": "5 ms"}])
    assert [dict(point.settings) for point in sweep.plan.points] == [
        {"n": "3", "tau": "10 ms"},
        {"n": "2", "tau": "5 ms"},
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"grid": {"m": [1]}}, "No setting named 'm'"),
        ({"grid": {"tau": ["5 mV"]}}, "Point tau=5 mV"),
        ({"grid": {"n": 3}}, "a list of values"),
        ({"grid": {"rule": "error"}}, "a list of values"),
        ({"grid": {"n": []}}, "at least one value"),
        ({"points": []}, "at least one point"),
        ({"points": [{"n": 2}, {}]}, "twice"),
        ({"grid": {"n": [2]}, "points": [{}]}, "not both"),
        ({"seeds": []}, "at least one"),
        ({"seeds": [1, 1]}, "each seed once"),
        ({"seeds": [True]}, "whole numbers"),
        ({"target": "gpu"}, "No target"),
        ({"threads": 2}, "threads: expected 1 on the target numpy"),
        ({"seeds": 5}, "a list of whole numbers"),
        ({"grid": "n=1"}, "values by the names of settings"),
        ({"points": {"n": 1}}, "a list of settings"),
        ({"points": ["n=1"]}, "settings by their names"),
    ],
)
def test_a_wrong_sweep_is_refused_before_anything_runs(given: dict[str, Any], message: str) -> None:
    with pytest.raises(BiosnnError, match=message):
        Sweep(noise, **given)


def test_a_function_is_a_study_of_its_own() -> None:
    study = find_study(function("noise"))
    assert (study.name, study.title, study.question) == ("noise", "What does noise become?", "Nothing is simulated.")
    assert study.target == "numpy"
    assert {info.name for info in study.describe()} == {"tau", "n", "gains", "rule", "folder"}
    with pytest.raises(StudyError, match="whose settings have a type"):
        find_study(function("without_types"))
    with pytest.raises(StudyError, match="in this file: noise, waits, spikes, without_types"):
        find_study(function("nothing"))
    with pytest.raises(StudyError, match="there is no file"):
        find_study("nowhere.py:noise")
    with pytest.raises(StudyError, match="at the top of a Python file"):
        find_study(lambda *_: None)


def test_points_become_what_single_runs_are_to_the_last_bit_and_are_not_run_again(tmp_path: Path) -> None:
    sweep = Sweep(function("spikes"), grid={"drive": [1.1, 2.0]}, seeds=[1, 2])
    here = Here()
    store = sweep.run(here, tmp_path / "store")
    assert store.status() == {"done": 4, "running": 0, "missing": 0, "failed": 0}
    for point in sweep.plan.points:
        alone = run_study(
            function("spikes"), point.settings, seed=point.seed, out=tmp_path / "alone" / point.key, draw=False
        )
        result = store.result(point.key)
        assert np.array_equal(result.arrays["times"], alone.arrays["times"])
        assert result.values == alone.values
        assert result.provenance["key"] == alone.provenance["key"] == point.key
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "store" / "points").rglob("*")}
    again = Here()
    assert sweep.known(store.folder).done == 4
    sweep.run(again, store.folder)
    assert again.chunks == []
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "store" / "points").rglob("*")} == times
    more = Here()
    Sweep(function("spikes"), grid={"drive": [1.1, 2.0, 3.0]}, seeds=[1, 2]).run(more, store.folder)
    assert sum(map(len, more.chunks)) == 2
    assert not any((tmp_path / "store" / "claims").iterdir())
    assert not any((tmp_path / "store" / "unfinished").iterdir())


def test_the_first_point_goes_alone_and_short_ones_in_chunks(tmp_path: Path) -> None:
    here = Here()
    Sweep(function("noise"), seeds=range(20)).run(here, tmp_path / "store")
    assert len(here.chunks[0]) == 1
    assert [len(chunk) for chunk in here.chunks] == [1, 19]


def test_a_failing_point_spares_the_others_and_waits_for_another_try(tmp_path: Path) -> None:
    sweep = Sweep(function("noise"), grid={"rule": ["good", "error"], "n": [2, 3]})
    store = sweep.run(Here(), tmp_path / "store")
    assert store.status() == {"done": 2, "running": 0, "missing": 0, "failed": 2}
    why = "study noise: run() failed: ValueError: this one fails by its own fault (sweep_functions.py, line"
    assert [failure.error.startswith(why) for failure in store.failures()] == [True, True]
    table = store.frame()
    assert list(table["status"]) == ["done", "done", "failed", "failed"]
    assert "own fault" in table["error"].iloc[-1]
    again = Here()
    sweep.run(again, store.folder)
    assert again.chunks == []
    assert store.retry() == 2
    sweep.run(again, store.folder)
    assert sum(map(len, again.chunks)) == 2
    assert store.status()["failed"] == 2


def test_the_table_has_units_settings_verdicts_and_what_it_took(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    store = Sweep(noise, grid={"tau": ["5 ms", "0.01 s"]}, seeds=[3]).run(Here(), tmp_path / "store")
    table = store.frame()
    assert list(table["tau (ms)"]) == [5.0, 10.0]
    assert list(table["time (ms)"]) == pytest.approx([2.5, 5.0], rel=1e-12)
    assert list(table["seed"]) == [3, 3]
    assert (table["seconds"] > 0).all()
    assert (table["memory (MB)"] > 10).all()
    assert (table["processor"] != "").all()
    kept = pandas.read_csv(store.folder / "table.csv")
    assert list(kept.columns) == list(table.columns)
    assert kept["mean"].to_numpy() == pytest.approx(table["mean"].to_numpy(), rel=0, abs=0)
    pandas.testing.assert_frame_equal(pandas.read_parquet(store.folder / "table.parquet"), table)


def test_a_value_has_one_unit_in_all_rows_whatever_suits_it_best(tmp_path: Path) -> None:
    # 600 us and 1.2 ms are saved in different units; the larger number is the smaller time.
    store = Sweep(noise, grid={"tau": ["1.2 ms", "24 ms", "2 second"]}).run(Here(), tmp_path / "store")
    saved = {row["unit"] for row in _saved(store, "time")}
    assert len(saved) > 1
    [column] = [name for name in store.frame().columns if name.startswith("time")]
    scale = {"time (us)": 1e-6, "time (ms)": 1e-3}[column]
    assert [scale * value for value in store.frame()[column]] == pytest.approx([0.6e-3, 12e-3, 1.0])
    assert len({unit for row in store.rows() for name, (_, unit) in row.values.items() if name == "time"}) == 1


def _saved(store: Store, name: str) -> list[dict[str, Any]]:
    files = store.folder.glob("points/*/*/result.json")
    return [json.loads(file.read_text())["values"][name] for file in files]


def test_columns_that_all_tables_have_are_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(
        FUNCTIONS.read_text()
        .replace('"mean": numbers', '"error": numbers')
        .replace("n: int", "host: int")
        .replace("settings.n", "settings.host")
    )
    store = Sweep(f"{file}:noise", grid={"host": [2, 3]}).run(Here(), tmp_path / "store")
    table = store.frame()
    assert list(table["setting host"]) == [2, 3]
    assert table["value error"].notna().all()
    assert list(table["error"]) == ["", ""]


def test_a_point_does_not_depend_on_the_points_before_it_in_its_process(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    text = FUNCTIONS.read_text().replace(
        "np.random.default_rng(sim.seed).normal(size=settings.n)", "RNG.normal(size=settings.n)"
    )
    file.write_text(text.replace('TARGET = "numpy"', 'TARGET = "numpy"\nRNG = np.random.default_rng(1)'))
    here = Here()
    store = Sweep(f"{file}:noise", seeds=range(4)).run(here, tmp_path / "store")
    assert [len(chunk) for chunk in here.chunks] == [1, 3]
    assert store.frame()["mean"].nunique() == 1


def test_a_file_that_starts_its_own_sweep_is_told_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(FUNCTIONS.read_text() + "\nbiosnn.Sweep(noise)\n")
    with pytest.raises(StudyError, match="__name__"):
        Sweep(f"{file}:noise")


def test_edited_code_makes_points_stale_and_says_what_was_edited(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    shutil.copy(FUNCTIONS, file)
    sweep = Sweep(f"{file}:noise", seeds=[1, 2])
    store = sweep.run(Here(), tmp_path / "store")
    file.write_text(file.read_text() + "\n# another line\n")
    edited = Sweep(f"{file}:noise", seeds=[1, 2])
    assert edited.default_store == sweep.default_store
    known = edited.known(store.folder)
    assert (known.done, known.stale, known.changed) == (0, 2, ["study own.py"])
    # What was planned before is not computed by what is there now, as if it were the same.
    lost = Sweep(f"{file}:noise", seeds=[1, 2, 3])
    file.write_text(file.read_text() + "\n# and another\n")
    with pytest.raises(SweepError, match="others than when this run was planned"):
        lost.run(Here(), store.folder)
    assert Sweep(f"{file}:noise", seeds=[1, 2, 3]).run(Here(), store.folder).status()["done"] == 3


def test_a_result_whose_process_was_ended_before_it_got_its_name_is_taken(tmp_path: Path, marks: Path) -> None:
    sweep = Sweep(function("waits"), grid={"seconds": [0.0]})
    store = sweep.run(Here(), tmp_path / "store")
    key = sweep.plan.points[0].key
    store.point(key).rename(store.unfinished(key))
    sweep.run(Here(), store.folder)
    assert store.status()["done"] == 1
    assert len((marks / "0-1").read_text().splitlines()) == 1


def test_a_damaged_result_is_told_and_computed_again(tmp_path: Path) -> None:
    sweep = Sweep(noise, seeds=[1, 2])
    store = sweep.run(Here(), tmp_path / "store")
    (store.point(sweep.plan.points[0].key) / "result.json").write_text("")
    assert [row.status for row in store.rows()] == ["damaged", "done"]
    assert store.retry() == 1
    sweep.run(Here(), store.folder)
    assert [row.status for row in store.rows()] == ["done", "done"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder.write_text("a file"), "is no folder"),
        (lambda folder: (folder.mkdir(), (folder / "notes.txt").write_text("x")), "no sweep"),
        (lambda folder: Sweep(function("spikes")).run(Here(), folder), "a sweep of 'spikes', not of 'noise'"),
        (lambda folder: (folder.mkdir(), (folder / "sweep.json").write_text("{")), "sweep.json"),
        (lambda folder: (folder.mkdir(), (folder / "sweep.json").write_text('{"format": 9}')), "format"),
    ],
)
def test_a_store_that_is_something_else_is_left_alone(tmp_path: Path, make: Any, message: str) -> None:
    make(tmp_path / "store")
    with pytest.raises(ResultError, match=message):
        Sweep(noise).run(Here(), tmp_path / "store")


def test_a_plan_from_elsewhere_cannot_name_folders_outside_the_store(tmp_path: Path) -> None:
    store = Sweep(noise).run(Here(), tmp_path / "store")
    content = json.loads((store.folder / "sweep.json").read_text())
    content["points"][0]["key"] = "../../outside"
    (store.folder / "sweep.json").write_text(json.dumps(content))
    for look in (store.plan, store.rows, store.retry, lambda: store.planned(["../../outside"])):
        with pytest.raises(ResultError, match="hexadecimal"):
            look()


def test_where_it_runs_is_one_of_the_executors() -> None:
    with pytest.raises(SweepError, match="Local"):
        Sweep(noise).run("local")  # type: ignore[arg-type]
    with pytest.raises(ResultError, match="no store of a sweep"):
        Store("nowhere").status()
