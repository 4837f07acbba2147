"""Where biosnn keeps what it has made or fetched."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from biosnn.folders import cache_folder, data_folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of a user who has set nothing."""
    for variable in ("BIOSNN_CACHE", "BIOSNN_DATA", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have other folders")
def test_caches_lie_where_linux_keeps_them(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (cache_folder(), data_folder()) == (home / ".cache/biosnn", home / ".cache/biosnn/data")
    for value in ("", "not/absolute"):  # to be ignored, says the XDG Base Directory Specification, version 0.8
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        assert cache_folder() == home / ".cache/biosnn"
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "elsewhere"))
    assert (cache_folder(), data_folder()) == (home / "elsewhere/biosnn", home / "elsewhere/biosnn/data")
    assert not list(home.iterdir()), "asking makes no folder"


def test_variables_of_our_own_come_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "elsewhere"))
    monkeypatch.setenv("BIOSNN_CACHE", "~/built")
    monkeypatch.setenv("BIOSNN_DATA", str(home / "images"))
    assert (cache_folder(), data_folder()) == (home / "built", home / "images")
