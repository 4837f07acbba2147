"""Running a study: what is refused before, what is written, what is the same the second time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from brian2 import ms
from small_study import EXPECTED, PLOT, STUDY, write_study

from biosnn.errors import BiosnnError, EngineError, NotFoundError, ResultError, SettingsError, StudyError
from biosnn.run import run_study
from biosnn.study import Result, load_result, load_study, study_summary

FILES = {"result.json", "arrays.npz", "provenance.json", "figures", "report.html"}


def test_a_run_writes_a_complete_result(tmp_path: Path) -> None:
    result = run_study(write_study(tmp_path / "charging"), out=tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    assert {path.name for path in (tmp_path / "out/figures").iterdir()} == {
        *(f"charge.{kind}" for kind in ("png", "svg", "csv")),
        "captions.json",
    }
    assert result.verdict == "pass"
    assert result.values["charge"] == pytest.approx(1 - np.exp(-1), abs=0.005)
    assert [claim.verdict for claim in result.claims] == ["pass"]
    assert not result.broken
    assert (result.study, result.seed, result.target) == ("charging", 1, "numpy")
    assert result.settings == {"duration": "10 ms", "points": "3"}


def test_provenance_tells_where_a_result_comes_from(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "charging")
    source = run_study(folder, {"points": "5"}, seed=7, out=tmp_path / "out").provenance
    assert source["command"] == f"biosnn run {folder} points=5 --seed 7 --target numpy"
    assert source["target"] == {"asked": "numpy", "used": "numpy", "note": ""}
    assert (source["seed"], source["changed"]) == (7, {"points": "5"})
    assert [model["name"] for model in source["models"]] == ["lif"]
    assert "dv/dt" in source["models"][0]["text"]
    assert set(source["study"]["sha256"]) == {"study.py", "plot.py", "expected.toml", "README.md"}
    assert source["versions"]["numpy"] == np.__version__
    assert source["wall_time"]["value"] > 0


def test_models_before_a_reset_of_the_session_are_remembered(tmp_path: Path) -> None:
    more = (
        "    sim.run(Network(neurons(1, 'lif')), 1 * ms)\n"
        "    sim.reset()\n"
        "    sim.run(Network(neurons(1, 'lif_exp')), 1 * ms)\n"
        "    return Result("
    )
    study = STUDY.replace("    v = trace.v[0]", "    v = trace.v[0]\n    times = trace.t[:]")
    study = study.replace("trace.t[:], ", "times, ").replace("    return Result(", more)
    result = run_study(write_study(tmp_path / "two", study=study), out=tmp_path / "out")
    assert [model["name"] for model in result.provenance["models"]] == ["lif", "lif_exp"]


def test_the_same_seed_gives_the_same_arrays_and_another_seed_others(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path / "charging"))
    first, second, other = (run_study(study, seed=seed, out=tmp_path / f"{n}") for n, seed in enumerate((5, 5, 6)))
    assert first.arrays.keys() == second.arrays.keys()
    for name, array in first.arrays.items():
        np.testing.assert_array_equal(array, second.arrays[name])
    assert (first.arrays["noise"] != other.arrays["noise"]).any()
    images = [(tmp_path / run / "figures/charge.svg").read_bytes() for run in "01"]
    assert images[0] == images[1]


def test_the_default_place_is_found_from_study_settings_seed_and_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    study = load_study(write_study(tmp_path / "charging"))
    folders = [
        run_study(study).folder,
        run_study(study, {"duration": "0.01 second"}, seed=1).folder,
        run_study(study, {"points": 4}).folder,
        run_study(study, seed=2).folder,
    ]
    assert folders[0] == folders[1]
    assert len(set(folders)) == 3
    assert all(folder.parent == Path("results") and folder.name.startswith("charging-") for folder in folders)
    assert all(len(folder.name.removeprefix("charging-")) == 16 for folder in folders)
    assert sorted(path.name for path in Path("results").iterdir()) == sorted({folder.name for folder in folders})


def test_a_result_of_the_same_study_is_replaced(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path / "charging"))
    run_study(study, out=tmp_path / "out")
    result = run_study(study, seed=2, out=tmp_path / "out")
    assert result.seed == 2
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    assert sorted(path.name for path in tmp_path.iterdir()) == ["charging", "out"]


@pytest.mark.parametrize("occupied", ["file", "foreign", "other study", "link"])
def test_anything_else_is_refused_before_anything_runs(tmp_path: Path, occupied: str) -> None:
    out, never = tmp_path / "out", STUDY.replace("    cell =", "    raise AssertionError('it ran')\n    cell =")
    study = load_study(write_study(tmp_path / "charging", study=never))
    if occupied == "file":
        out.write_text("precious")
    elif occupied == "link":
        (tmp_path / "empty").mkdir()
        out.symlink_to(tmp_path / "empty")
    elif occupied == "foreign":
        out.mkdir()
        (out / "thesis.tex").write_text("precious")
    else:
        run_study(write_study(tmp_path / "other"), out=out)
    before = sorted(path.name for path in out.iterdir()) if out.is_dir() else out.read_text()
    with pytest.raises(ResultError, match="--out"):
        run_study(study, out=out)
    assert before == (sorted(path.name for path in out.iterdir()) if out.is_dir() else out.read_text())


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert run_study(write_study(tmp_path / "charging"), out=tmp_path / "out").verdict == "pass"


def test_a_failing_run_leaves_nothing_and_keeps_the_earlier_result(tmp_path: Path) -> None:
    failing = STUDY.replace("    v = trace.v[0]", "    if settings.points == 9:\n        1 / 0\n    v = trace.v[0]")
    study = load_study(write_study(tmp_path / "charging", study=failing))
    run_study(study, out=tmp_path / "out")
    with pytest.raises(StudyError, match=r"charging: run\(\) failed: ZeroDivisionError: .* \(study.py, line 28\)"):
        run_study(study, {"points": 9}, out=tmp_path / "out")
    assert load_result(tmp_path / "out").settings["points"] == "3"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["charging", "out"]


def test_a_killed_run_leaves_no_half_result_and_the_next_one_cleans_up(tmp_path: Path) -> None:
    plot = PLOT.replace(
        "def plot(result):", "def plot(result):\n    import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)"
    )
    folder, out = write_study(tmp_path / "charging"), tmp_path / "results/out"
    first = run_study(folder, out=out)
    (folder / "plot.py").write_text(plot)
    script = f"from biosnn.run import run_study; run_study({str(folder)!r}, seed=2, out={str(out)!r})"
    killed = subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parent.parent, check=False)
    assert killed.returncode == -9
    assert len(list(out.parent.iterdir())) == 2, "the hidden folder of the killed run is there"
    assert load_result(out).seed == first.seed
    (folder / "plot.py").write_text(PLOT)
    run_study(folder, seed=3, out=out)
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    assert load_result(out).seed == 3


def test_figures_that_fail_do_not_cost_the_numbers(tmp_path: Path) -> None:
    plot = PLOT.replace('result.arrays["v"]', 'result.arrays["w"]')
    result = run_study(write_study(tmp_path / "charging", plot=plot), out=tmp_path / "out")
    assert result.broken
    assert "KeyError: 'w' (plot.py, line 8)" in result.figure_error
    assert result.values["charge"] > 0
    assert "could not be drawn" in result.report.read_text()
    assert "KeyError" in result.report.read_text()


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("None", "a list of biosnn.report.Figure"),
        ("[Figure('a', figure, 'one'), Figure('a', figure, 'two')]", "figures with different names"),
        ("[Figure('../a', figure, 'one')]", "letters, digits"),
        ("[Figure('a', axes, 'one')]", "a matplotlib Figure"),
        ("[Figure('a', figure, ' ')]", "a text that says what it shows"),
    ],
)
def test_what_plot_returns_is_checked(tmp_path: Path, returned: str, message: str) -> None:
    plot = PLOT[: PLOT.index("    return")] + f"    return {returned}\n"
    result = run_study(write_study(tmp_path / "charging", plot=plot), out=tmp_path / "out")
    assert message in result.figure_error


def test_a_run_must_return_a_result(tmp_path: Path) -> None:
    study = STUDY.replace("    return Result(", "    return (")
    with pytest.raises(StudyError, match="expected a Result"):
        run_study(write_study(tmp_path / "charging", study=study), out=tmp_path / "out")


def test_an_error_of_ours_passes_through_as_it_is(tmp_path: Path) -> None:
    study = STUDY.replace('"lif"', '"liff"')
    with pytest.raises(BiosnnError, match="Did you mean 'lif'"):
        run_study(write_study(tmp_path / "charging", study=study), out=tmp_path / "out")


def test_wrong_requests_are_refused(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path / "charging"))
    with pytest.raises(SettingsError, match="No setting named 'durration'"):
        run_study(study, {"durration": 5 * ms}, out=tmp_path / "out")
    with pytest.raises(EngineError, match="No target named 'abacus'"):
        run_study(study, target="abacus", out=tmp_path / "out")
    with pytest.raises(EngineError, match="seed"):
        run_study(study, seed=-1, out=tmp_path / "out")
    with pytest.raises(NotFoundError, match="No study named 'nowhere'"):
        run_study("nowhere", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultError, match="cannot be written"):
        run_study(write_study(tmp_path / "charging"), out=tmp_path / "file/out")


@pytest.mark.cpp
@pytest.mark.parametrize("part", ["", "/locks", "/staging", "/programs"])
def test_a_cache_that_cannot_be_written_is_told_with_what_to_do(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / f"cache{part}"
    file.parent.mkdir(exist_ok=True)
    file.write_text("in the way")
    monkeypatch.setenv("BIOSNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("biosnn.engine.compiler.compile._common", lambda *_: pytest.fail("it compiled"))
    with pytest.raises(EngineError, match=rf"{tmp_path}/cache cannot be written: .*\. Set BIOSNN_CACHE to a folder"):
        run_study(write_study(tmp_path / "charging"), target="cpp", out=tmp_path / "out")


def test_a_study_may_have_more_files_beside_it(tmp_path: Path) -> None:
    study = STUDY.replace("from biosnn.groups", "from .helper import WORD\nfrom biosnn.groups").replace(
        '"peak"', "WORD"
    )
    folder = write_study(tmp_path / "charging", study=study)
    (folder / "helper.py").write_text("WORD = 'helped'\n")
    before = list(sys.path)
    assert "helped" in run_study(folder, out=tmp_path / "out").values
    assert sys.path == before
    assert "study" not in sys.modules


def test_a_summary_is_read_without_running_the_study(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "charging", study='"""What?\n\nWhy?"""\nraise SystemExit\n')
    assert study_summary(folder) == "What?"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"study": STUDY.partition('"""\n')[2]}, "expected a docstring"),
        ({"study": STUDY + "("}, "cannot be read as Python"),
        ({"study": STUDY + "import nowhere\n"}, "cannot be loaded: ModuleNotFoundError: .*nowhere"),
        (
            {"study": STUDY.replace('TARGET = "numpy"', "")},
            "expected a definition of TARGET: one of cpp, cython, numpy",
        ),
        ({"study": STUDY.replace('TARGET = "numpy"', 'TARGET = "gpu"')}, r"one of cpp, cython, numpy \(got 'gpu'\)"),
        ({"study": STUDY.replace("class Settings", "class Options")}, "expected a definition of Settings"),
        ({"study": STUDY.replace("(frozen=True)", "")}, "a frozen dataclass"),
        ({"study": STUDY.replace("def run", "def walk")}, "expected a definition of run"),
        ({"study": STUDY.replace("CLAIMS = [", "CLAIMS = [1,")}, "a list of Claim"),
        ({"study": STUDY.replace("CLAIMS", "DOUBTS")}, "expected a definition of CLAIMS"),
        ({"study": STUDY + "CLAIMS = CLAIMS * 2\n"}, "two claims have the name 'rises'"),
        ({"study": STUDY + "METHOD = 3\n"}, r"METHOD: expected a text \(got 3\)"),
        ({"expected": "[values.charge]\n"}, "expected.toml"),
        ({"plot": PLOT + "("}, "plot.py: cannot be read as Python"),
    ],
)
def test_a_study_that_is_not_well_formed_is_refused(tmp_path: Path, change: dict[str, str], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        load_study(write_study(tmp_path / "charging", **change))


@pytest.mark.parametrize("missing", ["plot.py", "README.md", "expected.toml"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    folder = write_study(tmp_path / "charging")
    (folder / missing).unlink()
    with pytest.raises(StudyError, match=missing):
        load_study(folder)


def test_what_is_told_while_it_runs(tmp_path: Path) -> None:
    told: list[str] = []
    run_study(write_study(tmp_path / "charging"), out=tmp_path / "out", say=told.append)
    assert told == ["running on numpy", "checking, drawing and writing"]


def test_a_claims_exception_is_named_and_the_numbers_are_kept(tmp_path: Path) -> None:
    study = STUDY.replace('r.arrays["v"]', 'r.arrays["nope"]')
    result = run_study(write_study(tmp_path / "charging", study=study), out=tmp_path / "out")
    assert result.broken
    assert result.verdict == "fail"
    assert (result.claims[0].verdict, result.claims[0].why) == ("error", "KeyError: 'nope' (study.py, line 35)")


def test_result_json_has_the_documented_layout(tmp_path: Path) -> None:
    run_study(write_study(tmp_path / "charging"), out=tmp_path / "out")
    data = json.loads((tmp_path / "out/result.json").read_text())
    assert (
        " ".join(data)
        == "format study settings seed target verdict values claims not_applicable arrays files tables warnings"
    )
    assert data["format"] == 1
    charge = data["values"]["charge"]
    assert set(charge) == {"value", "unit", "expected", "tolerance", "source", "kind", "verdict"}
    assert data["values"]["peak"]["unit"] == "mV"
    assert data["values"]["count"] == {"value": 3, "unit": "1"}
    assert data["claims"] == [{"name": "rises", "statement": "The potential only rises.", "verdict": "pass"}]
    assert data["arrays"]["v"] == {"unit": "volt", "shape": [100], "dtype": "<f8", "key": "v"}


def test_what_settings_do_not_ask_about_is_told_by_name(tmp_path: Path) -> None:
    study = STUDY.replace("(settings.points)},\n", "(settings.points)},\n        not_applicable=['charge', 'rises'],\n")
    measured, few = write_study(tmp_path / "measured", study=study), {"points": "2"}
    result = run_study(measured, few, out=tmp_path / "out")
    assert [row.verdict for row in result.rows if row.name == "charge"] == ["pass"], "what is there is held against"
    unmeasured = study.replace('"charge": v[-1] / (5 * mV), ', "")
    result = run_study(write_study(tmp_path / "unmeasured", study=unmeasured), few, out=tmp_path / "other")
    assert result.not_applicable == ("charge", "rises")
    assert (result.verdict, result.claims) == ("unchecked", ())
    assert (
        "Not applicable with these settings, so neither held nor failed: charge · rises<" in result.report.read_text()
    )
    typo = write_study(tmp_path / "typo", study=study.replace("['charge', 'rises']", "['chagre']"))
    with pytest.raises(StudyError, match=r"not_applicable: .*'chagre'. Did you mean 'charge'"):
        run_study(typo, few, out=tmp_path / "third")
    with pytest.raises(StudyError, match=r"not_applicable: expected none with the default settings, .*charge, rises"):
        run_study(measured, out=tmp_path / "fourth")
    with pytest.raises(ResultError, match="a list of names"):
        Result(not_applicable="charge")


def test_expected_values_that_fail_are_told(tmp_path: Path) -> None:
    expected = EXPECTED.replace("0.6321", "0.7")
    result = run_study(write_study(tmp_path / "charging", expected=expected), out=tmp_path / "out")
    assert result.verdict == "fail"
    assert not result.broken
