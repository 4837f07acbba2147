"""What the key of a run follows, and for how many cores and which processor programs are made."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from small_study import write_study
from sweep_functions import noise
from sweep_here import FUNCTIONS

from biosnn.engine.compiler import compile, toolchain
from biosnn.errors import EngineError
from biosnn.sweep import Sweep


def test_the_key_follows_modules_of_a_user_s_own_and_not_installed_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path / "lab"))
    package = tmp_path / "lab" / "my_lab"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "gains.py").write_text("import my_constants\n")
    (tmp_path / "lab" / "my_constants.py").write_text("GAIN = 1\n")
    file = tmp_path / "own.py"
    file.write_text("from my_lab import gains\n" + FUNCTIONS.read_text())

    def plan() -> Any:
        return Sweep(f"{file}:noise").plan

    before = plan()
    assert {name for name in before.code if name.startswith("module")} == {"module my_lab", "module my_constants"}
    (tmp_path / "lab" / "my_constants.py").write_text("GAIN = 2.0\n")
    constants = plan()
    (package / "gains.py").write_text("import my_constants  # changed\n")
    assert len({before.points[0].key, constants.points[0].key, plan().points[0].key}) == 3


def test_the_key_follows_data_in_a_study_s_folder_and_not_what_is_read_by_people(tmp_path: Path) -> None:
    study = write_study(tmp_path / "charging")
    (study / "data").mkdir()
    (study / "data" / "rates.csv").write_text("1")

    def key() -> str:
        return Sweep(study).plan.points[0].key

    before = key()
    (study / "README.md").write_text("Other words.")
    (study / "results").mkdir()
    (study / "results" / "one.json").write_text("{}")
    assert key() == before
    (study / "data" / "rates.csv").write_text("22")
    assert key() != before


def test_the_key_follows_the_files_that_settings_name(tmp_path: Path) -> None:
    data = tmp_path / "data.npz"
    data.write_bytes(b"one")
    keys = {Sweep(noise, points=[{"folder": str(data)}]).plan.points[0].key for _ in range(2)}
    data.write_bytes(b"another")
    keys.add(Sweep(noise, points=[{"folder": str(data)}]).plan.points[0].key)
    assert len(keys) == 2


def test_the_key_follows_a_users_model_that_the_study_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = write_study(tmp_path / "studies" / "names_it")
    (study / "study.py").write_text((study / "study.py").read_text() + "\n# uses my_cell\n")
    models = tmp_path / "models" / "neurons"
    models.mkdir(parents=True)
    monkeypatch.setenv("BIOSNN_PATH", str(tmp_path))

    def key() -> str:
        return Sweep(study).plan.points[0].key

    before = key()
    (models / "another_cell.toml").write_text("one")
    assert key() == before
    (models / "my_cell.toml").write_text("one")
    with_it = key()
    (models / "my_cell.toml").write_text("two")
    assert len({before, with_it, key()}) == 3


def test_a_process_may_use_only_as_many_cores_as_it_is_given() -> None:
    code = "from biosnn.engine.compiler import compile; print(compile.cores())"
    for given, printed in (("1", "1\n"), ("1000", f"{len(os.sched_getaffinity(0))}\n")):
        environment = {**os.environ, "BIOSNN_CORES": given}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        assert done.stdout == printed


def test_programs_are_compiled_for_the_processor_that_all_machines_have(monkeypatch: pytest.MonkeyPatch) -> None:
    flags = ["-O3", "-march=native", "-ffast-math"]
    assert toolchain.for_processor(flags) == tuple(flags)
    monkeypatch.setenv("BIOSNN_MARCH", "x86-64-v3")
    assert toolchain.for_processor(flags) == ("-O3", "-march=x86-64-v3", "-ffast-math")
    monkeypatch.setenv("BIOSNN_MARCH", "native -fplugin=evil.so")
    with pytest.raises(EngineError, match="BIOSNN_MARCH"):
        toolchain.for_processor(flags)
    monkeypatch.setenv("BIOSNN_CORES", "0")
    with pytest.raises(EngineError, match="BIOSNN_CORES"):
        compile.cores()
