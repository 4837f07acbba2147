"""Mangled files of all kinds are read, or refused with an error of ours; `make fuzz` tries many more."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("nir")

from fuzz.kinds import MODEL, kinds
from fuzz.run import RAISED, READ, REFUSED, case


@pytest.mark.parametrize("name", sorted(set(kinds()) - {MODEL}))
def test_mangled_files_are_read_or_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIOSNN_DATA", str(tmp_path))
    kind, valid = kinds()[name], tmp_path / "valid"
    valid.mkdir()
    kind.make(valid)
    kind.read(valid)
    found = [case(kind, name, number, 7, valid, tmp_path / "case") for number in range(5)]
    assert not [told for outcome, told in found if outcome == RAISED]
    assert {outcome for outcome, _ in found} <= {READ, REFUSED}
