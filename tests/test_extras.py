"""What is said where a library of an extra is missing: a command that works where biosnn is on no index."""

from __future__ import annotations

import shlex
import sys
from importlib.metadata import PackageNotFoundError

import pytest

from biosnn import optional_dependencies
from biosnn.errors import MissingExtraError

ENTRIES = [
    "numpy>=2; python_version >= '3.12'",
    "onnx>=1.16; extra == 'convert'",
    "nir>=1.0.8; extra == 'convert'",
    "torch>=2.13; extra == 'train'",
    "dask[array]>=2024.8; python_version >= '3.11' and extra == \"cluster\"",
]


def told(extra: str, monkeypatch: pytest.MonkeyPatch, entries: list[str] | None) -> list[str]:
    """The words of the command that the error has."""

    def requires(name: str) -> list[str] | None:
        if entries == []:
            raise PackageNotFoundError(name)
        return entries

    monkeypatch.setattr(optional_dependencies, "requires", requires)
    with pytest.raises(MissingExtraError) as error:
        optional_dependencies.imported("no_such_library.part", extra)
    message = str(error.value)
    assert "needs no_such_library, which is not installed" in message
    return shlex.split(message.partition(f"the extra {extra!r}: ")[2])


@pytest.mark.parametrize(
    ("extra", "needed"),
    [
        ("convert", ["onnx>=1.16", "nir>=1.0.8"]),
        ("train", ["torch>=2.13"]),
        ("cluster", ["dask[array]>=2024.8"]),
        ("fit", ["no_such_library"]),
    ],
)
def test_a_missing_extra_names_what_pip_is_to_install_and_where(
    extra: str, needed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told(extra, monkeypatch, ENTRIES) == [sys.executable, "-m", "pip", "install", *needed]


@pytest.mark.parametrize("entries", [None, []], ids=["nothing is required", "not installed"])
def test_without_metadata_the_library_itself_is_named(
    entries: list[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told("convert", monkeypatch, entries)[-1] == "no_such_library"
