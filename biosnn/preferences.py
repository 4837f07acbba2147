"""Which files of Brian2's preferences are read when it is imported: the user's own, and one that the user names.

Brian2 evaluates a file ``brian_preferences`` in the working folder as Python. That folder may hold somebody else's
data and models, which we do not execute to read; so that file is not read. ``BIOSNN_PREFERENCES`` names a file that is
to be read in its place. Whoever imports Brian2 before biosnn has had it read already.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from biosnn.errors import BiosnnError, field_error

VARIABLE = "BIOSNN_PREFERENCES"
_MODULE = "brian2.core.preferences"
_IN_WORKING_FOLDER = "brian_preferences"  # as Brian2 writes it when it asks for the file


def guard() -> None:
    """See to it before Brian2 is imported."""
    if _MODULE not in sys.modules and not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """Finds the one module in which Brian2 reads preferences, as Python does, with a loader that changes it."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != _MODULE:
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(Loader):
    def __init__(self, loader: Any) -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self.loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        self.loader.exec_module(module)
        _change(module.BrianGlobalPreferences)


def _change(preferences: Any) -> None:
    load, read = preferences.load_preferences, preferences.read_preference_file

    def read_asked(self: Any, file: Any) -> None:
        if file != _IN_WORKING_FOLDER:
            read(self, file)
            return
        asked = os.environ.get(VARIABLE, "")
        if asked:
            if not os.path.isfile(asked):
                raise BiosnnError(field_error(VARIABLE, "a file of Brian2's preferences", asked))
            read(self, asked)
        elif os.path.exists(file):
            print(
                f"biosnn: the file {file} in this folder is not read, as Brian2 would execute it. Set "
                f"{VARIABLE}={file} if it is yours.",
                file=sys.stderr,
                flush=True,
            )

    def load_preferences(self: Any) -> None:
        """Load the preferences of the user, and those of the file that BIOSNN_PREFERENCES names."""
        preferences.read_preference_file = read_asked
        try:
            load(self)
        finally:
            preferences.read_preference_file = read

    preferences.load_preferences = load_preferences
