"""The tutorials run from the beginning to the end in a kernel of Jupyter, and show what they should."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

DOCS = Path(__file__).parent.parent / "docs"


def _maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("notebooks", DOCS / "notebooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


notebooks = _maker()
FAST = {"first-network": 3, "stdp-rule": 2}
"""Tutorials, and how many figures each of them has; those without C++."""
LONG = {"gradients": 3, "convert-a-network": 4, "vanishing-spikes": 2}


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def check(name: str, figures: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("jupytext")
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("BIOSNN_PROGRESS", "")  # as a user has it
    found = outputs(notebooks.executed(name))
    shown = [output.data for output in found if output.output_type in ("display_data", "execute_result")]
    assert sum("image/png" in data for data in shown) == figures
    assert any("biosnn-title" in data.get("text/html", "") for data in shown)  # a card of ours
    said = [output.text for output in found if output.output_type == "stream" and output.name == "stderr"]
    assert said == []  # no warning, and no progress but in its own place
    assert sum(len(str(output)) for output in found) < 2_000_000


def test_all_tutorials_are_tested() -> None:
    files = {path.stem for path in (DOCS / "tutorials").glob("*.py")}
    assert files == set(notebooks.NAMES) == FAST.keys() | LONG.keys()


@pytest.mark.parametrize("name", sorted(FAST))
def test_a_tutorial_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check(name, FAST[name], monkeypatch)


@pytest.mark.slow
@pytest.mark.cpp
@pytest.mark.parametrize("name", sorted(LONG))
def test_a_long_tutorial_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check(name, LONG[name], monkeypatch)
