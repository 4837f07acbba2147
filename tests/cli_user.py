"""Somebody at a terminal, in an empty folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from biosnn.cli import main

ROOT = str(Path(__file__).parent.parent)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("BIOSNN_PATH", raising=False)


def biosnn(*arguments: str) -> int:
    """Run a command, and return its exit code."""
    try:
        main(list(arguments))
    except SystemExit as exit_:
        return int(exit_.code or 0)
    return 0
