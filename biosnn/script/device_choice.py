"""What a script says of devices, targets and threads, where biosnn was told something else."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import brian2

from biosnn.engine.state import brian_device
from biosnn.errors import EngineError, unknown
from biosnn.script.notes import Notes

_TARGET, _THREADS = "codegen.target", "devices.cpp_standalone.openmp_threads"
_KNOWN = ("runtime", "cpp_standalone")


@contextlib.contextmanager
def passed_over(target: str, notes: Notes) -> Iterator[None]:
    """Pass over ``set_device`` and preferences for a target, and say so where they ask for another.

    Scripts may have Brian2's functions by their names already, so it is what these call that is replaced.
    """
    device_before, preferences = brian_device._do_set_device, type(brian2.prefs)
    set_before = preferences.__setitem__

    def set_device(device: Any, build_on_run: bool = True, **_: Any) -> None:  # noqa: ARG001
        name = device if isinstance(device, str) else _name(device)
        if name not in brian_device.all_devices:
            raise EngineError(unknown("device", name, _KNOWN))
        if name not in _KNOWN:
            raise EngineError(f"set_device({name!r}): a script runs on one of the targets cpp, cython and numpy here.")
        if (name == "cpp_standalone") != (target == "cpp"):
            notes.say(f"set_device({name!r}) is passed over: the script runs on the target {target}.")

    def set_preference(prefs: Any, name: str, value: Any) -> None:
        if name == _TARGET:
            if value != target and target != "cpp" and value != "auto":
                notes.say(f"prefs.{name} = {value!r} is passed over: the script runs on the target {target}.")
            return
        if name == _THREADS and target == "cpp":
            if value:
                do = f"Say threads={value} to biosnn.activate, or --threads {value} to biosnn exec."
                notes.say(f"prefs.{name} = {value} is passed over. {do}")
            return
        set_before(prefs, name, value)

    brian_device._do_set_device = set_device
    preferences.__setitem__ = set_preference
    try:
        yield
    finally:
        brian_device._do_set_device = device_before
        preferences.__setitem__ = set_before


def _name(device: Any) -> str:
    """The name under which Brian2 knows a device."""
    names = [name for name, known in brian_device.all_devices.items() if known is device]
    return names[0] if names else "cpp_standalone"  # a script's own, to which it goes back
