"""What all tests share: a cache of their own, and a watch over Brian2's global state."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from pathlib import Path

import brian2
import numpy as np
import pytest
from hypothesis import settings

from biosnn.engine.compiler import toolchain

# Nothing timed is asserted: a machine may be busy. The same examples everywhere, so that what passes here passes there;
# HYPOTHESIS_PROFILE=search looks for others.
settings.register_profile("biosnn", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "biosnn"))

# The package's attribute `device` is a proxy, so the module has to be asked for by name.
brian_device = importlib.import_module("brian2.devices.device")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Build into a folder of the test run, not into the user's cache; workers of one run share it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIOSNN_CACHE", str(Path(shared) / "biosnn-cache"))
        patch.setenv("BIOSNN_PROGRESS", "off")
        yield


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
        "the random numbers drawn ahead": (int(runtime.rand_buffer_index[0]), int(runtime.randn_buffer_index[0])),
    }


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("cpp") and toolchain.target_problems()["cpp"]:
        pytest.skip("no C++ compiler")
