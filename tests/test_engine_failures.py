"""What goes wrong outside Python: the compiler refuses, the binary crashes, the disk is full, the user interrupts."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path
from typing import Any

import brian2
import pytest
from brian2 import Network, NetworkOperation, NeuronGroup, check_units, implementation, ms, second
from engine_networks import small

from biosnn.engine import session
from biosnn.engine.compiler import cache
from biosnn.errors import CompileError, EngineError, RunError

Usage = namedtuple("Usage", "total used free")

# One program for all failures of a run, which the environment chooses.
FAILURES = """
if (std::getenv("BIOSNN_TEST") && std::string(std::getenv("BIOSNN_TEST")) == "abort")
{
    std::cout << "about to give up" << std::endl;
    std::abort();
}
if (std::getenv("BIOSNN_TEST") && std::string(std::getenv("BIOSNN_TEST")) == "exit")
    return 3;
"""
LOSSES = """
if (std::getenv("BIOSNN_TEST") && std::string(std::getenv("BIOSNN_TEST")) == "cut")
    std::system("for f in results/_array_cell_v_* results/_dynamic_array_trace_t_*; do : > $f; done");
if (std::getenv("BIOSNN_TEST") && std::string(std::getenv("BIOSNN_TEST")) == "lose")
    std::system("rm results/_dynamic_array_spikes_i_*");
if (std::getenv("BIOSNN_TEST") && std::string(std::getenv("BIOSNN_TEST")) == "sizes")
    std::system("echo '_array_cell_v 3' > results/sizes.txt");
"""


def fail(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIOSNN_TEST", how)
    with session("cpp", seed=1) as sim:
        net = small()
        brian2.device.insert_code("main", FAILURES)
        brian2.device.insert_code("after_end", LOSSES)
        sim.run(net, 2 * ms)
        sim.execute()


@pytest.mark.cpp
@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("abort", r"crashed with SIGABRT.*\n.*about to give up"),
        ("exit", r"ended with exit code 3"),
        ("cut", r"results of (cell\.v|trace\.t) are incomplete: .* has 0 bytes instead of \d+\. \d+ MB are free in"),
        ("lose", r"results of spikes\.i are incomplete: .* has 0 bytes instead of"),
        ("sizes", r"did not finish writing its results"),
    ],
)
def test_a_run_that_fails_says_how(how: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fail("nothing", monkeypatch)
    with pytest.raises(RunError, match=message) as caught:
        fail(how, monkeypatch)
    log = re.search(r"Log: (.*)", str(caught.value))
    if how == "abort":
        assert log is not None
        assert Path(log[1]).read_text() == "about to give up\n"


@pytest.mark.cpp
def test_a_failing_point_of_a_sweep_is_named() -> None:
    with session("cpp", seed=1) as sim:
        net = small()
        net["cell"].tau = 10 * ms
        points: list[dict[str, Any]] = [{"cell.v": value * brian2.mV} for value in (1, 2, float("nan"), 4)]
        with pytest.raises(RunError, match=r"Point 2: v of cell is NaN"):
            sim.sweep(net, lambda: sim.run(net, 1 * ms), points, lambda _: None)


@pytest.mark.cpp
def test_what_the_compiler_refuses_names_object_model_and_log() -> None:
    @implementation("cpp", "double broken(double x) { return no_such_name; }")
    @check_units(x=1, result=1)
    def broken(x: Any) -> Any:
        return x

    class Model:
        name = "faulty"

    with session("cpp", seed=1) as sim:
        group = NeuronGroup(
            2, "dx/dt = broken(x)/(10*ms) : 1", method="euler", name="cell", namespace={"broken": broken, "ms": ms}
        )
        group.add_attribute("model")
        group.model = Model()
        sim.run(Network(group), 1 * ms)
        before = len(cache.entries())
        with pytest.raises(CompileError, match=r"cell, model faulty\):\n.*error: .*no_such_name") as caught:
            sim.execute()
        log = Path(str(caught.value).rsplit("Log and source: ", 1)[1]).read_text()
        assert "no_such_name" in log.split("---- code_objects")[1]
        assert len([entry for entry in cache.entries() if entry.kind == "programs"]) <= before


@pytest.mark.cpp
def test_no_room_is_said_before_compiling(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BIOSNN_CACHE", str(tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9, 12 * 10**6))
    with session("cpp", seed=1) as sim:
        sim.run(small(), 1 * ms)
        with pytest.raises(CompileError, match=r"12 MB free in .*BIOSNN_CACHE"):
            sim.execute()


FOREVER = """
import sys
from brian2 import second
from engine_networks import small
from biosnn.engine import session
with session("cpp", seed=1) as sim:
    net = small()
    sim.run(net, 1e5*second, what="forever")
    sim.execute()
"""


@pytest.mark.cpp
def test_an_interrupt_ends_the_program_and_clears_up(tmp_path: Path) -> None:
    here = Path(__file__).parent
    paths = os.pathsep.join([str(here), str(here.parent)])
    environment = {**os.environ, "PYTHONPATH": paths, "TMPDIR": str(tmp_path), "BIOSNN_PROGRESS": "plain:0.1"}
    process = subprocess.Popen([sys.executable, "-c", FOREVER], env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if "forever" in line:
            break
    running = {pid for pid in _children(process.pid) if pid != process.pid}
    assert running
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == -signal.SIGINT
    process.stderr.close()
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in running) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() for pid in running)
    assert not list(tmp_path.glob("biosnn-*"))


@pytest.mark.parametrize("target", ["numpy", pytest.param("cython", marks=pytest.mark.cpp)])
def test_an_interrupt_is_no_shorter_run(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # A process in the background may have begun with interrupts ignored, which Brian2's handler takes for a function.
    monkeypatch.setattr(brian2._int_handler, "previous_handler", signal.default_int_handler)

    def interrupt(t: object) -> None:
        if t == 1 * ms:
            os.kill(os.getpid(), signal.SIGINT)

    with session(target, seed=1) as sim:
        net = small()
        net.add(NetworkOperation(interrupt, dt=1 * ms))
        with pytest.raises(KeyboardInterrupt):
            sim.run(net, 20 * ms)


def _children(pid: int) -> set[int]:
    return {int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()}


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (1.0, "a time such as 1"),
        (-1 * ms, "a finite time, not negative"),
        (float("inf") * second, "a finite time, not negative"),
        (float("nan") * second, "a finite time, not negative"),
        (1e300 * second, "at most 9007199254740992 time steps of 100. us"),
    ],
)
def test_durations_that_cannot_be_simulated_are_refused(duration: Any, expected: str) -> None:
    with session("numpy") as sim, pytest.raises(EngineError, match=f"sim.run duration: expected {expected}"):
        sim.run(Network(), duration)
