"""Commands that end otherwise than planned: by the machine, by a study, by a signal, without a working folder."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from cli_user import ROOT, biosnn, elsewhere  # noqa: F401
from small_study import STUDY, write_study

from biosnn import folders


def test_an_error_of_the_machine_names_path_and_reason(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(error: Exception) -> str:
        monkeypatch.setattr("biosnn.catalogue.study_names", lambda: (_ for _ in ()).throw(error))
        code = biosnn("list")
        return f"{code} {capsys.readouterr().err}"

    full = OSError(errno.ENOSPC, "No space left on device", "/tmp/x")
    assert fail(full) == "2 Error: /tmp/x: No space left on device.\n"
    assert fail(OSError(errno.ENOSPC, "No space left on device")) == "2 Error: No space left on device.\n"
    assert fail(MemoryError()) == "2 Error: Not enough memory.\n"
    said = fail(KeyError("x"))
    assert said.startswith("70 Error: This is a fault of biosnn, not of yours: KeyError: 'x'\n")
    assert "BIOSNN_DEBUG=1" in said
    monkeypatch.setenv("BIOSNN_DEBUG", "1")
    with pytest.raises(KeyError):
        fail(KeyError("x"))


def test_a_working_folder_that_is_gone_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    write_study(Path("charging"))
    study = Path("charging").absolute()
    Path("gone").mkdir()
    os.chdir("gone")
    Path("../gone").rmdir()
    assert biosnn("run", str(study)) == 2
    assert capsys.readouterr().err == f"Error: {folders.GONE}\n"


@pytest.mark.parametrize(
    ("place", "call", "told"),
    [
        ("    cell =", "    import sys; sys.exit(0)", "run() failed: RuntimeError: it calls sys.exit"),
        ("CLAIMS = [", "import sys; sys.exit(0)", "cannot be loaded: RuntimeError: it calls sys.exit"),
    ],
)
def test_a_study_that_ends_python_does_not_pass(
    place: str, call: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_study(Path("charging"), study=STUDY.replace(place, f"{call}\n{place}"))
    assert biosnn("check", "./charging") == 2
    err = capsys.readouterr().err
    assert told in err
    assert "(study.py, line " in err


def test_figures_that_end_python_cost_no_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    write_study(Path("charging"), plot="import sys\ndef plot(result):\n    sys.exit(0)\n")
    assert biosnn("check", "./charging", "--out", "out") == 1
    assert "could not be drawn: RuntimeError: it calls sys.exit" in capsys.readouterr().out
    assert Path("out/result.json").is_file()


def test_a_name_of_a_file_that_is_no_utf_8_costs_no_result(capsys: pytest.CaptureFixture[str]) -> None:
    text = 'note: str = setting("", "a text")\n    duration'
    folder = os.fsdecode(b"charging\xff")
    write_study(Path(folder), study=STUDY.replace("duration", text, 1))
    assert biosnn("run", f"./{folder}", "note=a\udcff", "--out", "out") == 0
    assert biosnn("check", "out") == 0
    assert json.loads(Path("out/result.json").read_text(encoding="utf-8"))["settings"]["note"] == "a\udcff"
    assert "charging\\udcff, seed 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGTERM, 143),
        *(pytest.param(*of, marks=pytest.mark.slow) for of in ((signal.SIGINT, 130), (signal.SIGHUP, 129))),
    ],
    ids=lambda item: str(item),
)
def test_a_command_that_is_stopped_clears_up(number: signal.Signals, code: int, tmp_path: Path) -> None:
    waits = "    open('begun', 'w').close()\n    import time; time.sleep(60)\n"
    write_study(Path("charging"), study=STUDY.replace("    cell =", f"{waits}    cell =", 1))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    folders = {**os.environ, "TMPDIR": str(temporary)}
    command = [sys.executable, "-c", "from biosnn.cli import main; main()", "run", "./charging", "--out", "out"]
    command += ["--target", "cpp"]
    with subprocess.Popen(command, env=folders, stderr=subprocess.PIPE, text=True) as process:
        while not Path("begun").exists() and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Interrupted; no result was written." in said
    assert not Path("out").exists()
    assert not list(temporary.glob("biosnn-*"))


@pytest.mark.skipif(sys.platform == "win32", reason="a folder in use cannot be removed")
@pytest.mark.parametrize("variable", ["", "BIOSNN_CACHE"])
def test_a_working_folder_that_was_removed_is_told(
    variable: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    if variable:
        monkeypatch.setenv(variable, "here")
    assert biosnn(*(["cache"] if variable else ["run", "lif", "--target", "numpy"])) == 2
    said = capsys.readouterr().err
    assert "The working folder is gone" in said
    assert variable in said
    monkeypatch.chdir(tmp_path)


def test_signals_are_what_they_were_after_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    assert biosnn("list") == 0
    assert [signal.getsignal(number) for number in numbers] == before
    thread = threading.Thread(target=biosnn, args=("list",))
    thread.start()
    thread.join()
    assert capsys.readouterr().out.count("lif_adaptive") >= 2
