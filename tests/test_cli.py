"""The command line, as somebody at a terminal uses it."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from cli_user import ROOT, biosnn, elsewhere  # noqa: F401
from small_study import EXPECTED, STUDY, write_study

from biosnn.cli import main
from biosnn.engine.compiler import cache


def test_run_prints_what_came_out_and_where_the_report_lies(capsys: pytest.CaptureFixture[str]) -> None:
    write_study(Path("charging"))
    assert biosnn("run", "./charging", "points=5", "--out", "out", "--seed", "3", "--target", "numpy") == 0
    out = capsys.readouterr().out
    for part in (
        "charging: Does a neuron charge like an RC circuit?",
        "points = 5 (default: 3)",
        "running on numpy",
        "0.6321 ± 0.01",
        "closed form",
        "The potential only rises.",
        "✓ pass  charging, seed 3, numpy",
        "Report: out/report.html",
    ):
        assert part in out, part
    assert "duration =" not in out
    assert json.loads(Path("out/result.json").read_text())["settings"]["points"] == "5"


def test_published_values_are_printed_apart_from_our_own(capsys: pytest.CaptureFixture[str]) -> None:
    own = EXPECTED.replace("published", "regression").replace("charge]", "count]").replace("0.6321", "3")
    write_study(Path("charging"), expected=EXPECTED + own)
    heading = re.compile(r"^(\w+) value +(?:here|expected)\b.*\n(\w+)", re.MULTILINE)
    apart = [("published", "charge"), ("regression", "count")]
    assert biosnn("run", "./charging", "--out", "out") == 0
    assert heading.findall(capsys.readouterr().out) == [*apart, ("other", "peak")]
    assert biosnn("show", "./charging") == 0
    assert heading.findall(capsys.readouterr().out) == apart
    path = Path("out/result.json")
    data = json.loads(path.read_text())
    for value in data["values"].values():
        value.pop("kind", None)
    path.write_text(json.dumps(data))
    assert biosnn("check", "out") == 0
    assert heading.findall(capsys.readouterr().out) == [("expected", "charge"), ("other", "peak")]


def test_run_succeeds_whatever_the_verdict_and_check_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    write_study(Path("charging"), expected=EXPECTED.replace("0.6321", "0.7"))
    assert biosnn("run", "./charging", "--out", "out") == 0
    assert biosnn("check", "./charging", "--out", "out") == 1
    assert biosnn("check", "out") == 1
    assert "✗ fail" in capsys.readouterr().out


def test_check_passes_what_holds() -> None:
    write_study(Path("charging"))
    assert biosnn("check", "./charging", "--out", "out") == 0
    assert biosnn("check", "out") == 0


def test_check_does_not_pass_where_nothing_is_checked() -> None:
    write_study(Path("charging"), study=STUDY[: STUDY.index("CLAIMS")] + "CLAIMS = []\n", expected="")
    assert biosnn("check", "./charging", "--out", "out") == 1


@pytest.mark.parametrize("depends_on", ['["duration"]', '"all"'])
def test_a_value_that_holds_for_the_default_only_is_not_asked_elsewhere(
    depends_on: str, capsys: pytest.CaptureFixture[str]
) -> None:
    more = EXPECTED.replace("charge]", '"count, NEST"]').replace("0.6321", "3")
    expected = f"{EXPECTED}depends_on = {depends_on}\n{more}depends_on = {depends_on}\n"
    write_study(Path("charging"), STUDY.replace('"count"', '"count, NEST"'), expected=expected)
    assert biosnn("check", "./charging", "duration=20 ms") == 0
    out = capsys.readouterr().out
    assert "Not applicable with these settings: charge · count, NEST\n" in out
    assert "0.6321 ±" not in out
    assert biosnn("check", "./charging") == 0
    assert "0.6321 ± 0.01" in capsys.readouterr().out
    biosnn("run", "./charging", "points=4")
    assert ("0.6321 ± 0.01" in capsys.readouterr().out) == (depends_on != '"all"')
    assert biosnn("show", "./charging") == 0
    assert "only with the default of: " in capsys.readouterr().out


@pytest.mark.parametrize("foreign", ["notes.txt", "figures/mine.png", "sub/deep"])
@pytest.mark.parametrize("place", ["out", ""])
def test_a_result_with_other_files_beside_it_is_not_replaced(
    foreign: str, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_study(Path("charging"))
    where = ("--out", place) if place else ()
    assert biosnn("run", "./charging", *where) == 0
    assert biosnn("run", "./charging", *where) == 0, "a result and nothing else may be replaced"
    folder = Path(place) if place else next(Path("results").iterdir())
    (folder / foreign).parent.mkdir(exist_ok=True)
    (folder / foreign).write_text("mine")
    before = (folder / "provenance.json").read_text()
    capsys.readouterr()
    assert biosnn("run", "./charging", *where) == 2
    captured = capsys.readouterr()
    assert f"got also {foreign.removesuffix('/deep')}). Move that away, or choose another folder" in captured.err
    assert "running" not in captured.out
    assert (folder / foreign).read_text() == "mine"
    assert (folder / "provenance.json").read_text() == before


def test_a_broken_figure_is_told_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    write_study(Path("charging"), plot="def plot(result):\n    return 1 / 0\n")
    assert biosnn("run", "./charging", "--out", "out") == 1
    assert "could not be drawn: ZeroDivisionError: division by zero (plot.py, line 2)" in capsys.readouterr().out
    assert biosnn("check", "out") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "nowhere"), "No study named 'nowhere'"),
        (("run", "./charging", "pionts=3"), "Did you mean 'points'?"),
        (("run", "./charging", "duration=3 mV"), "expected a quantity in second"),
        (("run", "./charging", "points"), "expected key=value"),
        (("run", "./charging", "--target", "abacus"), "Valid names: cpp, cython, numpy"),
        (("show", "nowhere"), "No model, network or study named 'nowhere'"),
        (("run", "./charging", "--seed", "abc"), "'--seed': expected a whole number (got 'abc')"),
        (("run", "./charging", "--out", "charging/study.py/x"), "charging/study.py is no folder. Choose another"),
        (
            ("run", "fi-curve", "model=stdp_pair"),
            "'stdp_pair' is a synapse model, but a neuron model is needed. No neuron",
        ),
        (("run", "stdp-window", "rules=lif"), "'lif' is a neuron model, but a synapse model is needed."),
        (
            ("convert", "stdp_pair"),
            "stdp_pair: is a model, but biosnn convert takes an ordinary network that has been tr",
        ),
        (("convert", "charging/model.toml"), "charging/model.toml: is the file of a model, but biosnn convert takes"),
        (("convert", "conversion"), "conversion: is a study, but biosnn convert takes"),
        (("convert", "digits_100"), "is a network that spikes already, but biosnn convert takes"),
        (("show", "results-of-monday"), "biosnn list shows all"),
        (("show", "lif", "--out", "x.png"), "Give --figure as well"),
        (("show", "lif", "--interactive"), "--interactive: expected the folder of a saved result (got 'lif')"),
        (("show", "lif", "--figure", "--out", "charging/study.py/x.png"), "cannot be written: "),
        (("show", "./charging", "--figure"), "only a model or a trained network has a figure"),
        (("show", "./nowhere.toml"), "nowhere.toml"),
        (("show", "~nobody-here/x.toml"), "there is no user of that name"),
        (("show", "pipe.npz"), "pipe.npz: is neither a file nor a folder."),
        (("check", "pipe.npz"), "pipe.npz: is neither a file nor a folder."),
        (("convert", "pipe.npz"), "pipe.npz: is neither a file nor a folder."),
        (("convert", "digits_mlp", "--save", "charging.npz/x.npz"), "a file in a folder that exists"),
        (("convert", "digits_mlp", "--save", "pipe.npz"), "pipe.npz: exists and is no file"),
        (("convert", "digits_mlp", "--save", f"{250 * 'x'}/y.npz"), "--save"),
        (("convert", "digits_mlp", "--save", "/proc/x.npz"), "/proc/x.npz: cannot be written: No such file"),
        (("run", "./charging", "--out", "/proc/x"), "/proc/x: cannot be written"),
        (("run", "./charging", "--out", 300 * "x"), "File name too long"),
        (("run", "./charging", "--out", "."), "expected a folder beside or below the working folder (got '.')"),
        (("run", "./charging", "--out", ""), "expected a folder beside or below the working folder (got '.')"),
        (("run", "./charging", "seed=3"), "Write --seed instead: it is no setting."),
        (("run", "./charging", f"points={400 * '9'}"), "expected a whole number of 64 bits"),
        (("run", "./charging", f"points={5000 * '9'}"), "(5,002 characters)"),
        (("run", "./charging", "points="), "expected a whole number (got '')"),
        (("run", "./charging", "points=1e300"), "expected a whole number (got '1e300')"),
        (("run", "./charging", "points=٣"), "in the digits 0 to 9"),
        (("run", "./charging", "--seed", "٣"), "expected a whole number"),
        (
            ("run", "out.npz"),
            "out.npz: no such file or folder. biosnn run takes a study (its name, or a folder with st",
        ),
        (("check", "./nowhere"), "./nowhere: no such file or folder. biosnn check takes a study (its name, or a fold"),
        (("check", "nowhere"), "No study or model named 'nowhere'. "),
        (
            ("check", "charging/net.onnx"),
            "is the file of a network, but biosnn check takes a study (its name, or a fol",
        ),
        (
            ("check", "charging/net.onnx"),
            "or a .toml file). biosnn show charging/net.onnx shows it, biosnn convert charg",
        ),
        (("check", "charging/plot.py"), "charging/plot.py: is a file, but biosnn check takes a study"),
        (("run", "charging/study.py"), "(its name, or a folder with study.py). Give its folder, charging."),
        (("check", "digits_cnn"), "digits_cnn: is a network, but biosnn check takes"),
        (
            ("run", "adex"),
            "adex: is a model, but biosnn run takes a study (its name, or a folder with study.py). biosnn check",
        ),
        (("run", "cell.toml"), "cell.toml: is the file of a model, but biosnn run takes"),
        (("run", "result"), "result: is the folder of a saved result, but biosnn run takes"),
        *(
            ((command, "empty"), "empty: is a folder with neither a study nor a")
            for command in ("run", "check", "show")
        ),
        (("show", "charging/plot.py"), "or a network (its name, or its file)."),
        (("convert", "empty"), "empty: is a folder, not a file. Give the path of a file that ends in one of .nir, "),
        (("convert", "charging"), "charging: is a folder, not a file. Give one of its files: charging/net.onnx."),
        (("new", "study", "deep", "--dir", "cell.toml"), "cell.toml is no folder. Choose another folder with --dir."),
        (("new", "model", "deep", "--dir", "cell.toml/x"), "cell.toml is no folder. Choose another folder with -"),
        (("new", "study", "deep", "--dir", "/proc/x"), "No such file or directory. Choose another folder with --dir."),
        (("new", "model", "deep", "--dir", "/proc/x"), "No such file or directory. Choose another folder with --dir."),
        (("new", "study", "Big Name"), "expected a letter, then lower-case letters"),
        (("new", "study", "charging"), "exists already"),
        (("new", "model", "cell", "--kind", "glia"), "one of neuron, synapse"),
    ],
)
def test_a_mistake_gets_a_message_and_no_traceback(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_study(Path("charging"))
    os.mkfifo("pipe.npz")
    for file in ("charging/net.onnx", "cell.toml", "result/result.json"):
        Path(file).parent.mkdir(exist_ok=True)
        Path(file).touch()
    Path("charging/model.toml").write_text('kind = "synapse"\n', encoding="utf-8")
    Path("empty").mkdir()
    before = sorted(Path().rglob("*"))
    assert biosnn(*arguments) == 2
    captured = capsys.readouterr()
    err = captured.err
    assert err.startswith("Error: ")
    assert message in err
    # Some studies look for their models, or networks, when they run.
    if arguments[1] not in ("fi-curve", "stdp-window") and arguments not in (
        ("convert", "empty"),
        ("convert", "charging"),
    ):
        assert "running" not in captured.out
        assert sorted(path for path in Path().rglob("*") if "__pycache__" not in path.parts) == before
    assert "Traceback" not in err


def test_an_expected_value_depends_on_settings_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    write_study(Path("charging"), expected=f'{EXPECTED}depends_on = ["pionts"]\n')
    assert biosnn("run", "./charging") == 2
    assert "[values.charge] depends_on: No setting named 'pionts'. Did you mean 'points'?" in capsys.readouterr().err


def test_debug_shows_where_an_error_comes_from() -> None:
    from biosnn.errors import NotFoundError

    with pytest.raises(NotFoundError):
        main(["show", "nowhere", "--debug"])


@pytest.mark.parametrize("arguments", [(), ("frobnicate",), ("new", "planet", "mars")])
def test_wrong_usage_is_told(arguments: tuple[str, ...]) -> None:
    assert biosnn(*arguments) == 2


def test_a_broken_plugin_warns_and_leaves_the_rest_in_the_catalogue(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_study(Path("mine/studies/fine"))
    write_study(Path("mine/studies/broken"), study="def (")
    Path("mine/models/neurons").mkdir(parents=True)
    Path("mine/models/neurons/torn.toml").write_text("kind =")
    monkeypatch.setenv("BIOSNN_PATH", str(Path("mine").absolute()))
    assert biosnn("list") == 0
    captured = capsys.readouterr()
    assert "\nfine " in captured.out
    assert "\nlif " in captured.out
    assert "Warning: broken is left out: " in captured.err
    assert "Warning: torn is left out: " in captured.err
    assert biosnn("run", "fine", "--out", "out") == 0


def install(folder: Path, name: str, group: str) -> None:
    """Pretend that a package without the module that it names for a part of the catalogue is installed in a folder."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[biosnn.{group}]\n{name} = {name}p.{group}\n")


def test_a_warning_at_a_terminal_is_one_line(tmp_path: Path) -> None:
    install(tmp_path / "site", "broken", "studies")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path / 'site'}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-c", "from biosnn.cli import main; main(['list'])"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stderr.startswith("Warning: Plugin 'broken' (brokenp.studies) is left out: ")
    assert done.stderr.count("\n") == 1
    assert "unsupervised" in done.stdout


def test_a_duplicate_name_is_an_error(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("one", "two"):
        write_study(Path(place) / "studies/same")
    monkeypatch.setenv("BIOSNN_PATH", f"{Path('one').absolute()}:{Path('two').absolute()}")
    assert biosnn("list") == 2
    assert "Two studies are named 'same'" in capsys.readouterr().err


def test_an_object_of_a_failed_run_is_not_told_to_be_unused() -> None:
    study = STUDY.replace("    trace =", "    raise MemoryError('too many')\n    trace =")
    write_study(Path("charging"), study=study)
    command = [sys.executable, "-c", "from biosnn.cli import main; main(['run', './charging'])"]
    environment = {**os.environ, "PYTHONPATH": ROOT}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 2
    assert "MemoryError: too many (study.py, line" in done.stderr
    assert done.stderr.count("\n") == 1


def test_show_prints_a_study(capsys: pytest.CaptureFixture[str]) -> None:
    write_study(Path("charging"))
    assert biosnn("show", "./charging") == 0
    out = capsys.readouterr().out
    for part in (
        "Does a neuron charge like an RC circuit?",
        "how long to simulate (at least 1 ms)",
        "10 ms",
        "The potential only rises.",
        "0.6321 ± 0.01",
        "What it is.",
    ):
        assert part in out


def test_a_new_study_passes_its_own_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert biosnn("new", "study", "my-question") == 0
    assert "biosnn check ./my-question" in capsys.readouterr().out
    assert biosnn("check", "./my-question") == 0
    assert "the membrane has charged to 63.2 % of its final value" in capsys.readouterr().out
    assert sorted(path.name for path in Path().iterdir()) == ["my-question", "results"]


def test_cache_is_shown_and_cleared(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIOSNN_CACHE", str(Path("cache").absolute()))
    cache.obtain("programs", "0123456789abcdef", lambda folder: {"n": (folder / "file").write_text("x" * 1234)})
    (cache.staging_folder("killed") / "main").write_text("x" * 100_000)
    assert biosnn("cache") == 0
    out = capsys.readouterr().out
    assert re.search(r"programs +0123456789ab +1\.\d+ kB", out)
    assert re.search(r"unfinished +killed-\w+ +100 kB", out)
    assert re.search(r": 10\d kB of at most", out)
    assert biosnn("cache", "--clear") == 0
    assert re.search(r"Freed 10\d kB", capsys.readouterr().out)
    assert [path for path in Path("cache").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(("command", "said"), [("--help", "A laboratory bench"), ("cache", "of at most")])
def test_some_commands_need_none_of_the_heavy_modules(command: str, said: str) -> None:
    script = (
        "import sys; from biosnn.cli import main\n"
        f"try: main([{command!r}])\n"
        "except SystemExit: print([m for m in ('brian2', 'matplotlib', 'sklearn', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert said in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.slow
@pytest.mark.cpp
def test_every_command_of_the_guide_works_as_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    guide = Path(ROOT, "docs/write-a-study.md").read_text(encoding="utf-8")
    indented = [line.strip() for line in guide.splitlines() if line.startswith("    ")]
    commands = [line for line in indented if re.match(r"(BIOSNN_PATH=\S+ )?(biosnn|mkdir|cp) ", line)]
    settings, script = re.findall(r"```python\n(.*?)```", guide, flags=re.DOTALL)
    subprocess.run([sys.executable, "-c", settings], check=True, env={**os.environ, "PYTHONPATH": ROOT})
    assert len(commands) > 10
    for command in commands:
        words = shlex.split(command)
        if words[0].startswith("BIOSNN_PATH="):
            monkeypatch.setenv("BIOSNN_PATH", words.pop(0).partition("=")[2])
        if command == "biosnn check my-result":
            subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ, "PYTHONPATH": ROOT})
        if words[0] == "biosnn":
            assert biosnn(*words[1:]) == (2 if "80 mV" in command else 0), command
        else:
            subprocess.run(words, check=True)
