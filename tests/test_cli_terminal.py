"""What the command line prints: nothing in it acts on the terminal, and no terminal stops a command."""

from __future__ import annotations

import ast
import io
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from cli_user import biosnn, elsewhere  # noqa: F401
from hypothesis import given
from hypothesis import strategies as st
from small_study import EXPECTED, STUDY, write_study

from biosnn.printable import printable

ROOT = Path(__file__).parent.parent
# Colours, the title of a window, a C1 control, a return of the carriage, a backspace, the other direction, markup.
HOSTILE = "\x1b[31mA\x1b]0;B\x07\x9b5m\rC\x08D\u202eE\u2066[bold]F[/bold][link=http://x]G"
SHOWN = r"\x1b[31mA\x1b]0;B\x07\x9b5m\rC\x08D\u202eE\u2066[bold]F[/bold][link=http://x]G"


def obeyed(text: str) -> set[str]:
    return {char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - {"\n"}


@given(st.text())
def test_no_character_is_left_that_a_terminal_obeys(text: str) -> None:
    assert obeyed(printable(text)) <= {"\t"}
    assert not obeyed(printable(text, keep="")) | ({"\n"} & set(printable(text, keep="")))


@given(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"])))
def test_all_other_characters_stay(text: str) -> None:
    assert printable(text) == text


def test_only_one_module_knows_how_a_text_gets_to_the_terminal() -> None:
    for file in sorted((ROOT / "biosnn/cli").glob("*.py")):
        if file.name == "terminal.py":
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert node.module not in ("rich", "rich.console", "rich.text"), file
            assert not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"), file


def hostile_study(folder: Path) -> Path:
    """A study all of whose texts have control characters and markup in."""
    bad = ascii(HOSTILE)[1:-1]
    study = STUDY.replace("Does a neuron", f"{bad} Does a neuron").replace("how many random", f"{bad} how many random")
    study = study.replace('"The potential only', f'"{bad} The potential only')
    study = study.replace("Claim, Result,", "Claim, Result, Table,")
    table = f"tables={{'table': Table('{bad}', [['{bad}', 'b'], ['{bad}', '1']])}},\n    )\n\n\nCLAIMS"
    study = study.replace("    )\n\n\nCLAIMS", f"        {table}", 1)
    expected = EXPECTED.replace("closed form", ascii(HOSTILE)[1:-1].replace("\\x", "\\u00"))
    return write_study(folder, study=study, expected=expected, readme=f"{HOSTILE} [a](http://b) &#x202e;&#13;&#x9b;")


def test_no_text_of_a_study_acts_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    hostile_study(Path(f"charging{HOSTILE.replace('/', '')}"))
    (folder,) = Path().iterdir()
    assert biosnn("show", f"./{folder}") == 0
    assert biosnn("run", f"./{folder}", "--out", f"out{folder}") == 0
    assert biosnn("check", f"out{folder}") == 0
    assert biosnn("run", f"./{folder}", f"{HOSTILE}=3") == 2
    assert biosnn("run", f"./{HOSTILE}") == 2
    assert biosnn("run", f"./{folder}", "--seed", HOSTILE) == 2
    assert biosnn(HOSTILE) == 2
    captured = capsys.readouterr()
    assert captured.out.count(SHOWN) >= 6
    assert captured.err.count(SHOWN) >= 4
    assert captured.err.count(SHOWN.replace("\\", "\\\\")) == 0
    assert not obeyed(captured.out + captured.err)


def test_no_model_in_the_catalogue_acts_on_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("models/neurons").mkdir(parents=True)
    text = (ROOT / "models/neurons/lif.toml").read_text(encoding="utf-8")
    start = text.index("summary = ")
    line = text[start : text.index("\n", start)]
    bad = ascii(HOSTILE)[1:-1].replace("\\x", "\\u00")
    name = text[text.index("name = ") :].partition("\n")[0]
    mine = text.replace(line, f'summary = "{bad}"').replace(name, 'name = "hostile"')
    Path("models/neurons/hostile.toml").write_text(mine, encoding="utf-8")
    Path("models/neurons/torn\x1b[1m.toml").write_text("kind =", encoding="utf-8")
    monkeypatch.setenv("BIOSNN_PATH", str(Path().absolute()))
    assert biosnn("list") == 0
    assert biosnn("show", "hostile") == 2
    captured = capsys.readouterr()
    assert captured.err.count("a text without control characters") == 2
    assert "torn\\x1b[1m is left out" in captured.err
    assert not obeyed(captured.out + captured.err)


class Bytes(io.BytesIO):
    """What a terminal has got; closing its stream keeps it."""

    def close(self) -> None:
        pass


def at_a_terminal(encoding: str, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    got = Bytes()
    with monkeypatch.context() as patch:
        for name in ("stdout", "stderr"):
            patch.setattr(sys, name, io.TextIOWrapper(got, encoding=encoding))
        assert biosnn(*arguments) == 0
        assert sys.stdout.errors == "strict"
        sys.stdout.flush()
    return got.getvalue().decode(encoding)


@pytest.mark.parametrize(
    ("encoding", "parts"),
    [
        ("ascii", ("0.6321 +/- 0.01", "+ pass", "\\u4e2d")),
        ("latin-1", ("0.6321 ± 0.01", "+ pass", "\\u4e2d")),
        ("utf-8", ("0.6321 ± 0.01", "✓ pass", "中")),
    ],
)
def test_what_an_encoding_lacks_is_spelled(
    encoding: str, parts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_study(Path("charging"), expected=EXPECTED.replace("closed form", "中"))
    out = at_a_terminal(encoding, monkeypatch, "run", "./charging", "--out", "out")
    for part in parts:
        assert part in out
    for arguments in (("list",), ("show", "lif"), ("show", "./charging"), ("check", "out"), ("cache",)):
        at_a_terminal(encoding, monkeypatch, *arguments)


@pytest.mark.slow
def test_a_machine_without_utf_8_can_be_examined() -> None:
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    environment |= {"PYTHONCOERCECLOCALE": "0", "PYTHONPATH": str(ROOT), "BIOSNN_CXX": 'g++ "'}
    command = [sys.executable, "-c", "from biosnn.cli import main; main(['doctor'])"]
    done = subprocess.run(command, capture_output=True, encoding="ascii", check=True, env=environment)
    assert "+ ok       python" in done.stdout
    assert "BIOSNN_CXX is 'g++ \"', which is not a compiler that runs (" in done.stdout
    assert done.stderr == ""


def broken_pipe() -> io.TextIOWrapper:
    read, write = os.pipe()
    os.close(read)
    return open(write, "w", encoding="utf-8")


@pytest.mark.parametrize("full", [False, True])
def test_output_that_nobody_takes_costs_no_result(
    full: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if full and not Path("/dev/full").exists():
        pytest.skip("needs a device that is always full")
    write_study(Path("charging"))
    stream = Path("/dev/full").open("w", encoding="utf-8") if full else broken_pipe()  # noqa: SIM115
    with monkeypatch.context() as patch, stream:
        patch.setattr(sys, "stdout", stream)
        assert biosnn("check", "./charging", "--out", "out") == 0
    assert Path("out/report.html").is_file()
    err = capsys.readouterr().err
    assert err == ("Warning: output cannot be written, and is lost: No space left on device.\n" if full else "")


def test_a_terminal_that_is_closed_is_none() -> None:
    command = [sys.executable, "-c", "import sys; sys.stdout = sys.stderr = None\nfrom biosnn.cli import main; main()"]
    done = subprocess.run([*command, "show", "nowhere"], check=False, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 2
