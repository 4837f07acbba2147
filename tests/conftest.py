"""What all tests share: a cache of their own, and a watch over Brian2's global state."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brian2
import numpy as np
import pytest
from hypothesis_profile import load_profile
from sweep_functions import MARKS

from biosnn.engine.compiler import compile, toolchain

load_profile()
KEPT = Path(__file__).parent.parent / ".cache"
"""Where programs that tests have built are kept for the next test run, under the hash of all that is in them."""

OPTIMISED = list(brian2.prefs["codegen.cpp.extra_compile_args_gcc"])

# The package's attribute `device` is a proxy, so the module has to be asked for by name.
brian_device = importlib.import_module("brian2.devices.device")


@pytest.fixture(scope="session", autouse=True)
def _own_cache() -> Iterator[None]:
    """Build into a folder of the checkout, not into the user's cache; all workers and the next test run share it.

    Compilers do not optimise here, which saves a quarter of their time. Tests that compare bits build as users do.
    """
    changed = {
        "codegen.runtime.cython.cache_dir": str(KEPT / "cython"),
        "codegen.cpp.extra_compile_args_gcc": ["-O0" if flag == "-O3" else flag for flag in OPTIMISED],
    }
    before = {name: brian2.prefs[name] for name in changed}
    brian2.prefs.update(changed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIOSNN_CACHE", str(KEPT / "biosnn"))
        patch.setenv("BIOSNN_CACHE_SIZE", "6 GiB")
        patch.setenv("BIOSNN_PROGRESS", "off")
        yield
    brian2.prefs.update(before)


@pytest.fixture
def optimised() -> Iterator[None]:
    """Let compilers optimise as they do for users: for tests that compare bits, or look at how programs are built."""
    brian2.prefs["codegen.cpp.extra_compile_args_gcc"], before = (
        OPTIMISED,
        brian2.prefs["codegen.cpp.extra_compile_args_gcc"],
    )
    yield
    brian2.prefs["codegen.cpp.extra_compile_args_gcc"] = before


@pytest.fixture(autouse=True)
def _brian_left_alone() -> Iterator[None]:
    """Fail any test that leaves Brian2's device, preferences, time step or random state other than it found them."""
    before = _brian_state()
    yield
    after = _brian_state()
    changed = [name for name in before if before[name] != after[name]]
    assert not changed, f"the test has changed {', '.join(changed)} of Brian2 and not put it back"


def _brian_state() -> dict[str, object]:
    algorithm, keys, position, has_gauss, gauss = np.random.get_state()  # noqa: NPY002 - it is Brian2's generator
    runtime = brian_device.runtime_device
    return {
        "the device": id(brian_device.active_device),
        "the stack of devices": [id(entry[0]) for entry in brian_device.previous_devices],
        "preferences": {name: repr(value) for name, value in brian2.prefs.prefs.items()},
        "defaultclock.dt": float(brian2.defaultclock.dt),
        "the default clock": id(runtime.defaultclock),
        "the random state": (algorithm, keys.tobytes(), position, has_gauss, gauss),
        "what is kept from garbage collection": gc.get_freeze_count(),
        "the random numbers drawn ahead": (int(runtime.rand_buffer_index[0]), int(runtime.randn_buffer_index[0])),
    }


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("cpp") and toolchain.target_problems()["cpp"]:
        pytest.skip("no C++ compiler")


@pytest.hookimpl(tryfirst=True)  # before xdist puts the groups into the names by which it hands out tests
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one worker run all tests that share what a module makes for them, so that it is made once."""
    for item in items:
        made = item._fixtureinfo.name2fixturedefs.values() if isinstance(item, pytest.Function) else ()
        shared = sorted({fixture[-1].argname for fixture in made if fixture and fixture[-1].scope == "module"})
        if shared and item.config.pluginmanager.hasplugin("xdist"):
            item.add_marker(pytest.mark.xdist_group(f"{item.path.name}:{shared[0]}"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Make sure that the groups have come through: else each worker makes everything, which takes twice as long."""
    grouped = [item for item in session.items if item.get_closest_marker("xdist_group")]
    if session.config.getoption("loadgroup", False) and any("@" not in item.nodeid for item in grouped):
        raise pytest.UsageError("This pytest and pytest-xdist do not group tests: install those of constraints.txt.")


@pytest.fixture
def marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where functions leave a mark of each time that they are run."""
    folder = tmp_path / "marks"
    folder.mkdir()
    monkeypatch.setenv(MARKS, str(folder))
    return folder


@pytest.fixture
def programs_used(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Note where each program lies that a test runs on ``cpp``, whoever else fills the cache meanwhile."""
    found: list[Any] = []
    build = compile.build

    def watched(*arguments: Any, **options: Any) -> Any:
        program, made = build(*arguments, **options)
        found.append(program)
        return program, made

    monkeypatch.setattr(compile, "build", watched)
    return found
