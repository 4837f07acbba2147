"""The command line with results that are saved: shown, judged, damaged, and how long they took."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_user import biosnn, elsewhere  # noqa: F401
from small_study import write_study

from biosnn.study.saved import SavedResult
from biosnn.study.verdict import CheckedValue


def test_a_saved_result_takes_no_settings(capsys: pytest.CaptureFixture[str]) -> None:
    write_study(Path("charging"))
    assert biosnn("run", "./charging", "--out", "out") == 0
    assert biosnn("check", "out", "points=4") == 2
    assert "takes no settings" in capsys.readouterr().err


def test_a_run_says_how_long_it_took_last_time(capsys: pytest.CaptureFixture[str]) -> None:
    write_study(Path("charging"))
    assert biosnn("run", "./charging") == 0
    assert "last time" not in capsys.readouterr().out
    assert biosnn("run", "./charging", "points=4") == 0
    assert "last time" not in capsys.readouterr().out
    (result,) = (path for path in Path("results").iterdir() if '"points": "3"' in (path / "result.json").read_text())
    source = json.loads((result / "provenance.json").read_text())
    (result / "provenance.json").write_text(json.dumps(source | {"wall_time": {"value": 200.0, "unit": "s"}}))
    assert biosnn("run", "./charging") == 0
    assert "With these settings it took 3 min here last time." in capsys.readouterr().out


def test_show_prints_a_result(capsys: pytest.CaptureFixture[str]) -> None:
    write_study(Path("charging"))
    assert biosnn("run", "./charging", "points=4", "--out", "out") == 0
    capsys.readouterr()
    assert biosnn("show", "out") == 0
    out = capsys.readouterr().out
    assert out.startswith("charging, finished 20")
    assert "  duration = 10 ms\n  points = 4 (changed)\n" in out
    assert "0.6321 ± 0.01" in out
    assert "Report: out/report.html" in out


@pytest.fixture(scope="module")
def result_of_a_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a result, once, which tests copy before they damage it."""
    folder = tmp_path_factory.mktemp("result")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert biosnn("run", str(write_study(Path("charging"))), "--out", "c1") == 0
    return folder / "c1"


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda folder: (folder / "result.json").unlink(), "result.json: no such file"),
        (lambda folder: (folder / "result.json").write_text('{"format": 1, "st'), "result.json: cannot be read"),
        (lambda folder: (folder / "result.json").write_text("{}"), "result.json: the fields 'format', 'study', "),
        (lambda folder: (folder / "arrays.npz").unlink(), "arrays.npz: no such file"),
        (lambda folder: (folder / "provenance.json").write_text("[]"), "provenance.json: expected dict"),
    ],
)
@pytest.mark.parametrize("command", ["check", "show"])
@pytest.mark.parametrize("folder", ["c1", "./c1"])
def test_a_damaged_result_is_told_as_such(
    result_of_a_study: Path,
    command: str,
    folder: str,
    damage: Callable[[Path], object],
    why: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    damage(Path(shutil.copytree(result_of_a_study, "c1")))
    assert biosnn(command, folder) == 2
    assert f"Error: c1: this result is damaged: c1/{why}" in capsys.readouterr().err


def test_fractions_are_in_percent_wherever_a_result_shows_itself(tmp_path: Path) -> None:
    result = SavedResult(study="s", folder=tmp_path, rows=(CheckedValue("accuracy", 0.895, "1"),))
    assert "accuracy 89.5 %" in repr(result)
    assert "89.5 %" in result._repr_html_()
