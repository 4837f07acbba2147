"""What a killed process leaves: its children end with it, and the next one clears its folders away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_engine_trust import resealed

from biosnn import doctor
from biosnn.engine import children, scratch, session
from biosnn.engine.compiler import cache, compile, toolchain
from biosnn.errors import CompileError, EngineError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no process groups")
ROOT = str(Path(__file__).parent.parent)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for temporary files of this test's own."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(scratch, "_cleared", set())
    monkeypatch.setenv("BIOSNN_CACHE", str(tmp_path / "cache"))
    return folder


def begin(code: str) -> subprocess.Popen[str]:
    """Another process, when it has said that it is ready."""
    environment = {**os.environ, "PYTHONPATH": ROOT}
    process = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("ready")
    return process


def soon(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return true()


def alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# A compiler starts another program, which must end too; a pool's thread starts it, and ends before it does.
PARENT = """
import signal, threading, time
from pathlib import Path
from biosnn.engine import children
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # below nohup it is passed over
def work():
    shell = "sleep 1000 & echo $! $$ > pids.new; mv pids.new pids; wait"
    with children.child(["sh", "-c", shell], cwd=Path({folder!r})) as process:
        begun.set()
        process.communicate()
begun = threading.Event()
threading.Thread(target=work, daemon=True).start()
begun.wait()
while not Path({folder!r}, "pids").exists():
    time.sleep(0.02)
print("ready", flush=True)
time.sleep(1000)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
def test_children_and_what_they_have_started_end_with_a_killed_process(number: signal.Signals, tmp_path: Path) -> None:
    process = begin(PARENT.format(folder=str(tmp_path)))
    pids = [int(word) for word in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 2
    assert all(map(alive, pids))
    process.send_signal(number)
    process.wait()
    assert soon(lambda: not any(map(alive, pids)))


def test_a_child_that_is_left_is_ended_and_its_output_is_read(tmp_path: Path) -> None:
    with children.child(["sh", "-c", "echo said; echo too >&2; exit 3"], cwd=tmp_path) as process:
        assert process.communicate()[0] == "said\ntoo\n"
    assert process.returncode == 3
    with pytest.raises(KeyboardInterrupt), children.child(["sleep", "1000"], cwd=tmp_path) as process:
        raise KeyboardInterrupt
    assert process.returncode == -signal.SIGKILL


HOLDER = """
import time
from biosnn.engine import scratch
made = scratch.make()
(made.path / "file").write_text("x" * 1000)
print("ready", made.path, flush=True)
time.sleep(1000)
"""


def test_folders_of_killed_processes_are_told_and_removed_and_those_of_living_ones_are_not(temporary: Path) -> None:
    killed, living = begin(HOLDER), begin(HOLDER)
    mine = scratch.make()
    (temporary / "biosnn-anything").mkdir()
    assert scratch.abandoned() == []
    held = set(temporary.glob("biosnn-*"))
    killed.kill()
    killed.wait()
    (left,) = scratch.abandoned()
    finding = next(found for found in doctor.examine(run=False) if found.what == "left folders")
    assert finding.state == "warning"
    assert "1 in TMPDIR (1" in finding.detail
    scratch.clear()
    assert set(temporary.glob("biosnn-*")) == held - {left}
    living.kill()
    living.wait()
    with session("cpp", seed=1) as sim:
        assert sim.target == "numpy" or len(scratch.abandoned()) == 1, "this process has looked already"
    mine.remove()
    scratch._cleared.clear()
    scratch.make().remove()
    assert [path.name for path in temporary.glob("biosnn-*")] == ["biosnn-anything"]


def test_a_folder_of_another_user_or_a_link_is_not_touched(temporary: Path) -> None:
    made = scratch.make()
    link = temporary / "biosnn-link"
    link.symlink_to(made.path)
    made.lock.release()
    assert scratch.abandoned() == [made.path]
    if os.geteuid() == 0:
        os.chown(made.path, 65534, -1)
        assert scratch.abandoned() == []


def test_a_folder_that_is_cleared_away_before_it_is_locked_is_made_anew(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock_of, early = scratch._lock_of, []

    def late(folder: Path) -> Any:
        lock = lock_of(folder)
        if not early:
            early.append(folder)
            (folder / scratch.LOCK).touch()
            # Whoever finds its file without a lock clears the folder away.
            monkeypatch.setattr(lock, "acquire", lambda: scratch.clear())
        return lock

    monkeypatch.setattr(scratch, "_lock_of", lambda folder, **_: lock_of(folder) if early else late(folder))
    made = scratch.make()
    assert made.path != early[0]
    assert list(temporary.iterdir()) == [made.path]
    assert scratch.abandoned() == []
    made.remove()
    assert list(temporary.iterdir()) == []


# ---- where nothing can be written ------------------------------------------------------------------------------


def test_a_folder_for_temporary_files_without_room_is_named(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if toolchain.target_problems()["cpp"]:
        pytest.skip("no C++ compiler")

    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device", str(temporary))

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with pytest.raises(EngineError, match=r"written to .*temporary: .*No space left.*TMPDIR"), session("cpp", seed=1):
        pass


def test_no_folder_for_temporary_files_at_all_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found in ['/nowhere']")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    with pytest.raises(EngineError, match=r"No usable temporary directory.*TMPDIR names the folder"):
        scratch.make()
    assert scratch.abandoned() == []


# ---- a compiler that does not come to an end, or fails in part ---------------------------------------------------

SLOW = """#!/bin/sh
case " $* " in
*" --version "*) echo slow 1.0 ;;
*" -fsyntax-only "*) exit 0 ;;
*" c++-header "*) {header} ;;
*" -c "*) {compile} ;;
*) {link} ;;
esac
"""
OBJECT = 'for last; do :; done; : > "$last"'


def fake(folder: Path, header: str = "exit 1", compile: str = OBJECT, link: str = ": > main") -> toolchain.Compiler:
    path = folder / "slow"
    path.write_text(SLOW.format(header=header, compile=compile, link=link))
    path.chmod(0o755)
    return toolchain.Compiler((str(path),), str(path), "slow 1.0")


def build(compiler: toolchain.Compiler, folder: Path, code: str = "") -> tuple[Path, bool]:
    sources = folder / "sources"
    (sources / "brianlib").mkdir(parents=True, exist_ok=True)
    (sources / "brianlib" / "a.h").write_text("\n")
    (sources / "main.cpp").write_text(f"int main() {{{code}}}\n")
    flags = toolchain.Flags(("-O3",), ())
    origins = {"main.cpp": "cell, model leaky"}
    return compile.build(sources, ["main.cpp"], compiler, flags, origins, lambda *_: None)


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("compile", r"Compiling main\.cpp \(cell, model leaky\) took longer than 0\.3 s.*BIOSNN_COMPILE_TIMEOUT"),
        ("link", r"Linking the program took longer than 0\.3 s"),
    ],
)
def test_a_compiler_that_hangs_is_stopped(
    part: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIOSNN_COMPILE_TIMEOUT", "0.3 s")
    begin = time.monotonic()
    with pytest.raises(CompileError, match=message):
        build(fake(tmp_path, **{part: "sleep 1000"}), tmp_path)
    assert time.monotonic() - begin < 60
    assert cache.entries() == cache.unfinished() == []


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize("header", ["exit 1", "exit 0", "echo > common.h.gch; exit 1", "sleep 1000"])
def test_a_header_that_was_not_precompiled_is_not_kept(
    header: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIOSNN_COMPILE_TIMEOUT", "1 s")
    path, _ = build(fake(tmp_path, header), tmp_path)
    assert [entry.kind for entry in cache.entries()] == ["programs"]
    assert "#include" in (path / compile.HEADER).read_text()


@pytest.mark.usefixtures("temporary")
def test_flags_that_stand_in_a_header_s_record_are_used_only_if_they_are_asked_for(tmp_path: Path) -> None:
    said = f'echo "$@" >> {tmp_path}/said; {OBJECT}'
    compiler = fake(tmp_path, "echo > common.h.gch", compile=said)
    build(compiler, tmp_path)
    (header,) = [entry for entry in cache.entries() if entry.kind == "headers"]
    resealed(header.path, compile_flags=["-O3", "-fplugin=evil.so"])
    cache.obtain("headers", header.key, lambda _: pytest.fail("it is made again"))
    build(compiler, tmp_path, "return 0;")
    lines = (tmp_path / "said").read_text().splitlines()
    assert len(lines) == 2
    assert all("-O3" in line and "evil" not in line for line in lines)


@pytest.mark.usefixtures("temporary")
def test_a_compiler_s_own_temporary_files_lie_in_the_folder_of_the_build(tmp_path: Path) -> None:
    compiler = fake(tmp_path, f'echo "$TMPDIR $PWD" >> {tmp_path}/where; exit 1', compile=f"pwd; {OBJECT}")
    build(compiler, tmp_path)
    temporary, working = (tmp_path / "where").read_text().split()
    assert temporary == working
    assert Path(working).parent == tmp_path / "cache" / "staging"


@pytest.mark.parametrize(("text", "seconds"), [("90 s", 90), ("1.5 min", 90), ("2h", 7200), ("", 1800)])
def test_time_limits(text: str, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIOSNN_COMPILE_TIMEOUT", text)
    assert toolchain.time_limit() == seconds


@pytest.mark.parametrize("text", ["90", "-1 s", "0 s", "soon", "1 mV"])
def test_a_wrong_time_limit_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIOSNN_COMPILE_TIMEOUT", text)
    with pytest.raises(EngineError, match="BIOSNN_COMPILE_TIMEOUT: expected a time such as"):
        toolchain.time_limit()


@pytest.mark.parametrize("text", ['g++ "', "g++ \\", "'g++"])
def test_an_unbalanced_quotation_mark_is_told(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIOSNN_CXX", text)
    assert toolchain.find_compiler() is None
    assert "which is not a compiler that runs (No " in toolchain.target_problems()["cpp"]
    assert toolchain.choose_target("cpp")[0] == "numpy"
