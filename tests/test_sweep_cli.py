"""Sweeps, fits and comparisons as somebody types them; points are computed in this process."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cli_user import biosnn, elsewhere  # noqa: F401 - a fixture
from small_study import write_study
from sweep_here import Here, function

from biosnn.sweep import Dask, JobArray, Local

NOISE = function("noise")


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Local, "workers", lambda _: Here().workers())


@pytest.fixture
def swept(capsys: pytest.CaptureFixture[str]) -> str:
    assert biosnn("sweep", NOISE, "n=2,30", "tau=5 ms:15 ms:5 ms", "--seeds", "1-3", "--store", "out") == 0
    return capsys.readouterr().out


def test_a_sweep_says_what_it_computes_and_what_came_out(swept: str) -> None:
    assert "18 points (6 settings x 3 seeds), 0 done before, 0 failed before, 18 to compute. Store: out" in swept
    assert "18 done of 18 points" in swept
    assert Path("out/report.html").is_file()
    page = Path("out/report.html").read_text()
    assert "18 of 18 points are done" in page
    assert page.count("<tr>") == 19
    assert "http" not in re.sub(r"https?://(www\.w3\.org|doi\.org)", "", page)
    assert {path.name for path in Path("out/figures").iterdir()} == {
        f"value-{n}.{k}" for n in (1, 2) for k in ("png", "svg")
    }


def test_a_second_time_nothing_is_computed(swept: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert biosnn("sweep", NOISE, "n=2,30", "tau=5 ms:15 ms:5 ms", "--seeds", "1-3", "--store", "out") == 0
    assert "18 done before, 0 failed before, 0 to compute" in capsys.readouterr().out
    assert swept


def test_the_table_is_printed_by_point_or_as_means(swept: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert swept
    assert biosnn("sweep", "table", "out") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["n", "tau", "seed", "status", "mean", "time", "(ms)"]
    assert len(lines) == 20
    assert biosnn("sweep", "table", "out", "--mean") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8
    assert "3 done" in lines[1]
    assert "±" in lines[1]
    assert biosnn("sweep", "status", "out") == 0
    assert capsys.readouterr().out == "18 done of 18 points\n"


def test_a_dry_run_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert biosnn("sweep", NOISE, "n=1:20:1", "--on", "slurm", "--dry-run") == 0
    out = capsys.readouterr().out
    assert "n=12 --seed 1" in out
    assert "and 8 more" in out
    assert "#SBATCH --array=0-9" in out
    assert not any(Path().iterdir())


def test_failed_points_set_the_exit_status_and_are_tried_again_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert biosnn("sweep", NOISE, "rule=good,error", "--store", "out") == 1
    out = capsys.readouterr().out
    assert "1 done, 1 failed of 2 points" in out
    assert "rule=error, seed 1: study noise: run() failed: ValueError: this one fails by its own fault" in out
    assert biosnn("sweep", NOISE, "rule=good,error", "--store", "out") == 1
    assert "1 failed before, 0 to compute" in capsys.readouterr().out
    assert biosnn("sweep", "retry", "out") == 1
    assert "1 points that failed are computed again" in capsys.readouterr().out
    page = Path("out/report.html").read_text()
    assert "Failures" in page
    assert biosnn("sweep", "report", "out", "--value", "mean") == 0


def test_other_code_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    study = write_study(Path("charging"))
    assert biosnn("sweep", "./charging", "points=1,2", "--store", "out", "--no-figures") == 0
    (study / "study.py").write_text((study / "study.py").read_text() + "\n")
    capsys.readouterr()
    assert biosnn("sweep", "./charging", "points=1,2", "--store", "out", "--dry-run") == 0
    out = capsys.readouterr().out
    assert "2 earlier results are of other code and are computed again." in out
    assert "changed: study study.py" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((NOISE, "m=1"), "No setting named 'm'"),
        ((NOISE, "n"), "expected key=value"),
        ((NOISE, "tau=5 mV"), "expected a quantity in second"),
        ((NOISE, "--seeds", "x"), "--seeds: expected whole numbers such as 1-5"),
        ((NOISE, "--on", "cloud"), "--on: expected local, local=4, dask=ADDRESS, slurm or FILE.toml"),
        ((NOISE, "--on", "nowhere.toml"), "nowhere.toml: "),
        ((NOISE, "--store", "file"), "file: exists and is no folder"),
        ((NOISE, "--mean"), "--mean with table"),
        (("stauts", "out"), "Did you mean 'status'?"),
        (("gain.py",), "as in gain.py:NAME"),
        (("retry", "out", "--dry-run"), "--dry-run: goes with a study, not with retry"),
        (("lifff",), "No study named 'lifff'. biosnn list shows all"),
        (("status",), "expected biosnn sweep status DIR"),
        (("table", "nowhere"), "nowhere: is no store of a sweep"),
        (("nowhere.py:noise",), "there is no file nowhere.py"),
    ],
)
def test_a_mistake_gets_a_message(arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").write_text("x")
    assert biosnn("sweep", *arguments) == 2
    assert message in capsys.readouterr().err
    assert [path.name for path in Path().iterdir()] == ["file"]


def test_where_points_are_computed_is_read() -> None:
    from biosnn.cli.sweeping import parse_where

    assert parse_where("local=3") == Local(3)
    assert parse_where("dask=tcp://node:8786") == Dask("tcp://node:8786")
    assert parse_where("slurm") == JobArray()


def test_a_fit_finds_the_smallest_value_and_goes_on_where_it_ended(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("optuna")
    words = ("fit", NOISE, "tau=2 ms:20 ms", "rule=good,error", "--minimise", "time", "--store", "out", "--trials")
    assert biosnn(*words, "8") == 0
    out = capsys.readouterr().out
    found = re.search(r"time = ([\d.]+) ms, the smallest of 8 tried \((\d) failed\)", out)
    assert found
    assert "rule=good" in out
    assert int(found[2]) >= 1
    many = len(list(Path("out/points").glob("*/*")))
    assert biosnn(*words, "8") == 0
    assert len(list(Path("out/points").glob("*/*"))) == many
    assert biosnn(*words, "16") == 0
    better = re.search(r"time = ([\d.]+) ms", capsys.readouterr().out.rpartition("Report")[0].rpartition("Report")[2])
    assert better
    assert float(better[1]) <= float(found[1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tau=2 ms:20 ms",), "one of --minimise VALUE and --maximise VALUE"),
        (("tau=2 ms:20 ms", "--minimise", "tim"), "No value named 'tim'. Did you mean 'time'?"),
        (("tau=20 ms:2 ms", "--minimise", "time"), "a lower bound below the upper one"),
        (("tau=2 ms", "--minimise", "time"), "LOW:HIGH, LOW:HIGH:log or A,B,C"),
        (("n=0:5", "--minimise", "time"), "at least 1"),
        (("rule=error,killed", "--minimise", "time", "--trials", "0"), "1 trial or more"),
        (("n=2:5", "--minimise", "time", "--on", "slurm"), "a fit waits for its points"),
    ],
)
def test_a_wrong_fit_is_refused(arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("optuna")
    assert biosnn("fit", NOISE, *arguments, "--store", "out") == 2
    assert message in capsys.readouterr().err


def test_two_results_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    write_study(Path("charging"))
    for number, words in enumerate((("duration=10 ms",), ("duration=20 ms", "--seed", "2"))):
        assert biosnn("run", "./charging", *words, "--out", f"result-{number}") == 0
    capsys.readouterr()
    assert biosnn("compare", "result-0", "result-1") == 0
    out = capsys.readouterr().out
    assert re.search(r"duration +10 ms +20 ms", out)
    assert re.search(r"seed +1 +2", out)
    assert re.search(r"charge +[\d.]+ +[\d.]+ +\+[\d.]+ \(\+[\d.]+ %\)", out)
    assert "numpy" not in out  # the versions are equal
    page = Path("compare-result-0-result-1.html").read_text()
    assert page.count("<img") == 2
    assert biosnn("compare", "result-0", "result-0", "--out", "same.html") == 0
    assert "Nothing differs." in capsys.readouterr().out
    Path("store").mkdir()
    Path("store/sweep.json").write_text("{}")
    assert biosnn("compare", "result-0", "store") == 2
    assert "is the store of a sweep. Give two of its points" in capsys.readouterr().err
    assert biosnn("compare", "result-0", "nowhere") == 2
    assert "nowhere" in capsys.readouterr().err
