"""Built programs are found again, and only whole ones; what the user meets when reading at the wrong moment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import brian2
import numpy as np
import pytest
from brian2 import Network, NeuronGroup, Synapses, ms, mV
from engine_networks import small

from biosnn.engine import session
from biosnn.engine.compiler import cache, toolchain
from biosnn.errors import EngineError

WRAPPER = """#!/bin/sh
case " $* " in *" -c "*) echo "$@" >> "$(dirname "$0")/calls" ;; esac
exec g++ "$@"
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of this test's own."""
    monkeypatch.setenv("BIOSNN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a line for each time that the compiler compiles."""
    compiler = tmp_path / "counted-g++"
    compiler.write_text(WRAPPER)
    compiler.chmod(0o755)
    monkeypatch.setenv("BIOSNN_CXX", str(compiler))
    file = tmp_path / "calls"
    file.touch()
    return file


def make(size: int) -> Any:
    """A maker of cache entries of this many bytes."""

    def fill(folder: Path) -> dict[str, object]:
        (folder / "main").write_bytes(b"x" * size)
        return {"what": "a test"}

    return fill


def simulate(
    seed: int = 1, drive: Any = 10 * mV, tau: Any = 10 * ms, duration: Any = 30 * ms, dt: Any = 0.1 * ms
) -> Any:
    with session("cpp", seed=seed, dt=dt) as sim:
        net = small(drive, tau)
        sim.run(net, duration)
        return net["trace"].v[0] / mV


# ---- the folder ------------------------------------------------------------------------------------------------


def test_an_entry_is_made_once_and_found_again(own: Path) -> None:
    path, made = cache.obtain("programs", "k1", make(100))
    assert made
    assert path.is_relative_to(own)
    again, made = cache.obtain("programs", "k1", make(100))
    assert (again, made) == (path, False)
    (entry,) = cache.entries()
    assert (entry.kind, entry.key, entry.path) == ("programs", "k1", path)
    assert entry.size == cache.total_size() == sum(p.stat().st_size for p in path.iterdir())
    assert json.loads((path / "build.json").read_text())["what"] == "a test"


def test_a_maker_that_fails_leaves_nothing(own: Path) -> None:
    def fail(folder: Path) -> dict[str, object]:
        (folder / "main").write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.obtain("programs", "k1", fail)
    assert cache.entries() == []
    assert list((own / "staging").iterdir()) == []


@pytest.mark.parametrize("damage", ["truncated", "missing", "no record", "broken record"])
@pytest.mark.usefixtures("own")
def test_a_damaged_entry_is_made_again(damage: str) -> None:
    path, _ = cache.obtain("programs", "k1", make(100))
    if damage == "truncated":
        (path / "main").write_bytes(b"x" * 50)
    elif damage == "missing":
        (path / "main").unlink()
    elif damage == "no record":
        (path / "build.json").unlink()
    else:
        (path / "build.json").write_text('{"files": ')
    path, made = cache.obtain("programs", "k1", make(100))
    assert made
    assert (path / "main").stat().st_size == 100


@pytest.mark.usefixtures("own")
def test_the_least_recently_used_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    for number, key in enumerate("abc"):
        path, _ = cache.obtain("programs", key, make(10_000))
        os.utime(path / "build.json", (1000 + number, 1000 + number))
    cache.obtain("programs", "a", make(10_000))
    monkeypatch.setenv("BIOSNN_CACHE_SIZE", "35 kB")
    cache.obtain("headers", "d", make(10_000))
    assert {entry.key for entry in cache.entries()} == {"a", "c", "d"}
    assert cache.total_size() <= 35_000


@pytest.mark.usefixtures("own")
def test_what_was_just_made_is_kept_even_if_it_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIOSNN_CACHE_SIZE", "1 kB")
    path, _ = cache.obtain("programs", "large", make(5000))
    assert path.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="nobody has tried it there")
def test_what_a_dead_process_left_is_swept_away_by_the_next_build(own: Path) -> None:
    killed, running = begin_build("a" * 64), begin_build("b" * 64)
    killed.kill()
    killed.wait()
    assert [entry.key[:12] for entry in cache.abandoned()] == ["a" * 12]
    old, young = own / "staging" / "gone-old", own / "staging" / "gone-young"
    for path in (old, young):
        path.mkdir()
    os.utime(old, (1000, 1000))
    cache.obtain("programs", "c" * 64, make(10))
    assert [entry.key[:12] for entry in cache.unfinished()] == ["b" * 12, "gone-young"]
    assert running.communicate("\n")[0] == "built\n"


def test_clear_removes_whole_and_damaged_entries(own: Path) -> None:
    cache.obtain("programs", "k1", make(1000))
    (own / "headers" / "half").mkdir(parents=True)
    assert cache.clear() >= 1000
    assert cache.entries() == []
    assert list((own / "headers").iterdir()) == []


BUILD = """
import sys
from pathlib import Path
from biosnn.engine.compiler import cache

def make(folder):
    (folder / "main").write_bytes(b"x" * 5000)
    print("building", flush=True)
    sys.stdin.readline()
    return {}

cache.obtain("programs", sys.argv[1], make)
print("built", flush=True)
"""


def begin_build(key: str) -> subprocess.Popen[str]:
    """Another process that builds until it is given a line."""
    command = [sys.executable, "-c", BUILD, key]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "building\n"
    return process


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.skipif(sys.platform == "win32", reason="nobody has tried it there")
def test_clear_removes_what_killed_builds_left_and_nothing_of_one_under_way(own: Path) -> None:
    cache.obtain("headers", "h" * 64, make(1000))
    cache.obtain("programs", "c" * 64, make(1000))
    cache.keep_log("run", "what it said")
    killed, running = begin_build("a" * 64), begin_build("b" * 64)
    killed.kill()
    killed.wait()
    assert [entry.key[:12] for entry in cache.unfinished()] == ["a" * 12, "b" * 12]
    assert cache.total_size() > 12_000
    assert 6000 < cache.clear() < 7000
    (left,) = cache.unfinished()
    assert left.key.startswith("b" * 12)
    assert [entry.kind for entry in cache.entries()] == ["headers"], "the build that is under way may read it"
    assert running.communicate("\n")[0] == "built\n"
    assert [entry.key for entry in cache.entries() if entry.kind == "programs"] == ["b" * 64]
    cache.clear()
    assert files(own) == []


@pytest.mark.skipif(sys.platform == "win32", reason="nobody has tried it there")
def test_who_waits_for_a_lock_that_is_cleared_away_takes_the_new_one(own: Path) -> None:
    first = begin_build("a" * 64)
    second = subprocess.Popen([sys.executable, "-c", BUILD, "a" * 64], stdin=subprocess.PIPE, text=True)
    time.sleep(1.0)
    first.kill()
    first.wait()
    cache.clear()
    second.communicate("\n")
    assert second.returncode == 0
    assert len(files(own / "locks")) == 1
    assert [entry.key for entry in cache.entries()] == ["a" * 64]


@pytest.mark.parametrize(
    ("text", "size"), [("500 MB", 500_000_000), ("1.5GiB", 1_610_612_736), ("100", 100), ("", 2**31)]
)
def test_sizes(text: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIOSNN_CACHE_SIZE", text)
    assert cache.size_limit() == size


def test_a_wrong_size_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIOSNN_CACHE_SIZE", "lots")
    with pytest.raises(EngineError, match="BIOSNN_CACHE_SIZE: expected a size"):
        cache.size_limit()


def test_the_fingerprint_knows_compiler_and_flags(tmp_path: Path) -> None:
    file = tmp_path / "cxx"
    file.write_text("1")
    compiler = toolchain.Compiler(("cxx",), str(file), "1.0")
    flags = toolchain.Flags(("-O2",), ())
    prints = [
        toolchain.fingerprint(compiler, flags),
        toolchain.fingerprint(compiler, toolchain.Flags(("-O3",), ())),
        toolchain.fingerprint(compiler, toolchain.Flags(("-O2",), ("-lm",))),
        toolchain.fingerprint(compiler, toolchain.Flags(("-O2", "-march=native"), ())),
        toolchain.fingerprint(toolchain.Compiler(("cxx",), str(file), "1.1"), flags),
    ]
    file.write_text("another compiler")
    prints.append(toolchain.fingerprint(compiler, flags))
    assert len(set(prints)) == len(prints)


# ---- programs --------------------------------------------------------------------------------------------------


@pytest.mark.cpp
@pytest.mark.usefixtures("own")
def test_other_values_seeds_durations_and_steps_call_no_compiler(calls: Path) -> None:
    np.testing.assert_allclose(simulate()[-1], 10 * (1 - np.exp(-2.99)))
    built = len(calls.read_text().splitlines())
    assert calls.read_text().count("-o loop.o") == calls.read_text().count("-o frame.o") == 1
    v = simulate(seed=2, drive=20 * mV, tau=5 * ms, duration=40 * ms, dt=0.2 * ms)
    np.testing.assert_allclose(v[-1], 20 * (1 - np.exp(-39.8 / 5)))
    with session("cpp", seed=3) as sim:
        net = small([1, 2, 3] * mV)
        sim.run(net, 5 * ms)
        sim.execute()
        first = sorted(entry.key for entry in cache.entries() if entry.kind == "programs")
    assert len(first) == 2  # arrays instead of single numbers are another program ...
    known = len(calls.read_text().splitlines())
    assert calls.read_text().count("-o loop.o") == 1, "what all programs have is compiled once"
    with session("cpp", seed=3) as sim:
        net = small([4, 5, 6] * mV)
        sim.run(net, 5 * ms)
        assert net["trace"].v[2][0] == 0 * mV
    assert len(calls.read_text().splitlines()) == known  # ... but other numbers in them are not
    assert built < known

    entry = next(entry for entry in cache.entries() if entry.kind == "programs")
    (entry.path / "main").write_bytes(b"")
    with session("cpp", seed=3) as sim:
        net = small([4, 5, 6] * mV)
        sim.run(net, 5 * ms)
        np.testing.assert_allclose(net["cell"].v[:] / mV, np.array([4, 5, 6]) * (1 - np.exp(-0.5)))


SCRIPT = """
import sys
from brian2 import mV, ms
from engine_networks import small
from biosnn.engine import session
with session("cpp", seed=int(sys.argv[1])) as sim:
    net = small(float(sys.argv[1])*mV)
    sim.run(net, 10*ms)
    print(net["cell"].v[0]/mV)
"""


@pytest.mark.slow
@pytest.mark.cpp
@pytest.mark.usefixtures("own")
def test_two_processes_at_once_build_once(calls: Path) -> None:
    here = Path(__file__).parent

    def start(number: int) -> subprocess.Popen[str]:
        # Python orders sets of strings by a seed of its own, which must not reach the sources.
        paths = os.pathsep.join([str(here), str(here.parent)])
        environment = {**os.environ, "PYTHONHASHSEED": str(number), "PYTHONPATH": paths}
        return subprocess.Popen([sys.executable, "-c", SCRIPT, str(number)], env=environment, stdout=-1, text=True)

    both = [start(number) for number in (1, 2)]
    for number, process in enumerate(both, start=1):
        output, _ = process.communicate(timeout=300)
        assert float(output) == pytest.approx(number * (1 - np.exp(-1)))
    compiled = [line.split()[-1] for line in calls.read_text().splitlines()]
    assert len(compiled) == len(set(compiled)) >= 3
    assert len([entry for entry in cache.entries() if entry.kind == "programs"]) == 1


@pytest.mark.cpp
@pytest.mark.usefixtures("own")  # what other tests use meanwhile is not to count
def test_a_second_simulation_in_the_process_is_the_same_program_while_the_first_is_alive() -> None:
    alive = []
    for number in range(2):
        with session("cpp", seed=number) as sim:
            net = small(number * mV)
            alive.append(net)
            sim.run(net, 10 * ms)
            sim.execute()
    assert len([entry for entry in cache.entries() if entry.kind == "programs"]) == 1


@pytest.mark.cpp
def test_the_order_of_clocks_in_memory_does_not_reach_the_sources(tmp_path: Path) -> None:
    texts = set()
    for number in range(8):
        with session("cpp", seed=1) as sim:
            groups = [
                NeuronGroup(1, equations, method="euler", dt=step * ms, name=f"g{step}", namespace={})
                for step, equations in enumerate(["dx/dt = 1*Hz : 1"] * 4 + ["y = 2 : 1"] * 4, start=1)
            ]
            sim.run(Network(groups), 8 * ms)
            device = brian2.get_device()
            device.write_sources(tmp_path / str(number), tmp_path / f"inputs{number}")
            texts.add((tmp_path / str(number) / "main.cpp").read_text())
            device.durations.clear()
    assert len(texts) == 1


# ---- reading at the wrong moment -------------------------------------------------------------------------------


def test_reading_before_anything_has_run_says_what_to_do() -> None:
    with session("cpp", seed=1) as sim:
        if sim.target != "cpp":
            pytest.skip("no C++ compiler")
        group = NeuronGroup(2, "x : 1", name="g", namespace={})
        group.x = 3
        assert group.x[:].tolist() == [3, 3]
        group.x = "rand()"
        with pytest.raises(EngineError, match=r"Cannot read g\.x on the cpp target before something has run"):
            group.x[:]
        synapses = Synapses(group, group, name="s")
        synapses.connect()
        with pytest.raises(EngineError, match=r"Cannot read s\.N .*connect with arrays"):
            len(synapses)
        with pytest.raises(EngineError, match="Nothing to execute"):
            sim.execute()


@pytest.mark.cpp
def test_running_after_reading_is_refused() -> None:
    with session("cpp", seed=1) as sim:
        net = small()
        sim.run(net, 10 * ms)
        assert net["trace"].v[0][-1] > 0 * mV
        with pytest.raises(EngineError, match=r"executed already \(to read trace\.\w+\).*sim\.reset"):
            sim.run(net, 10 * ms)
        sim.execute()


@pytest.mark.cpp
def test_results_of_a_sweep_are_readable_inside_read_only() -> None:
    with session("cpp", seed=1) as sim:
        net = small()
        sim.sweep(net, lambda: sim.run(net, 10 * ms), [{"cell.drive": 1 * mV}], lambda _: None)
        with pytest.raises(EngineError, match=r"inside read\(\) only"):
            net["trace"].v[:]

        sim.reset()
        net = small()

        def program() -> None:
            sim.run(net, 10 * ms)
            net["cell"].v[:]

        with pytest.raises(EngineError, match=r"Cannot read cell\.v while a sweep's program is put together"):
            sim.sweep(net, program, [{"cell.drive": 1 * mV}], lambda _: None)


@pytest.mark.cpp
def test_strings_and_subexpressions_are_evaluated_on_results() -> None:
    with session("cpp", seed=1) as sim:
        net = small([1, 2, 3] * mV)
        sim.run(net, 10 * ms)
        cell = net["cell"]
        assert len(cell.v["drive > 1.5*mV"]) == 2
