"""How many examples hypothesis tries: few in every run, many with HYPOTHESIS_PROFILE=thorough (or search)."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import settings

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "few")
FEWER, FEWEST = 5, 3
"""By what factor there are fewer examples by default, and how many there are at least."""


def examples(most: int, **more: Any) -> settings:
    """The settings of a test that tries so many examples if it is to be thorough."""
    return settings(max_examples=most if PROFILE != "few" else max(FEWEST, most // FEWER), deadline=None, **more)


def load_profile() -> None:
    """Choose the profile that the environment names.

    The same examples everywhere, so that what passes here passes there; the profile ``search`` looks for others.
    Nothing timed is asserted: a machine may be busy.
    """
    settings.register_profile("few", deadline=None, derandomize=True, max_examples=100 // FEWER)
    settings.register_profile("thorough", deadline=None, derandomize=True)
    settings.register_profile("search", deadline=None, print_blob=True)
    settings.load_profile(PROFILE)
