"""The doctor: says what is missing, and what to do about it."""

from __future__ import annotations

import importlib.metadata
import os
import re
from pathlib import Path

import pytest

from biosnn import doctor
from biosnn.cli import main
from biosnn.doctor import Finding, examine
from biosnn.engine.compiler import toolchain
from biosnn.folders import size_text

FIT = (0.6321, [3.1, 4.1])  # what the neurons of a fit target do


def findings(*, run: bool = False) -> dict[str, Finding]:
    return {finding.what: finding for finding in examine(run=run)}


def test_a_fit_machine_has_everything_needed() -> None:
    found = findings()
    for what in ("python", "brian2", "numpy", "target numpy", "cache"):
        assert found[what].state == "ok", found[what]
    assert found["numpy"].detail == importlib.metadata.version("numpy")
    assert all(finding.remedy or finding.state == "ok" for finding in found.values())


@pytest.mark.slow
@pytest.mark.cpp
def test_every_target_that_works_runs_neurons_and_synapses_with_delays() -> None:
    found = findings(run=True)
    for target, problem in toolchain.target_problems().items():
        assert found[f"target {target}"].detail == ("does not work" if problem else "runs neurons and synapses")


def test_a_missing_compiler_is_no_reason_to_give_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIOSNN_CXX", "no-such-compiler")
    found = findings()
    assert found["C++ compiler"].state == "warning"
    assert "apt install g++" in found["C++ compiler"].remedy
    assert found["target cpp"].state == "warning"
    assert "BIOSNN_CXX" in found["target cpp"].remedy
    assert found["target numpy"].state == "ok"


def pretend(monkeypatch: pytest.MonkeyPatch, package: str, version: str | None) -> None:
    real = importlib.metadata.version

    def pretended(name: str) -> str:
        if name != package:
            return real(name)
        if version is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(importlib.metadata, "version", pretended)


def test_a_missing_package_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "scipy", None)
    assert findings()["scipy"] == Finding("scipy", "missing", "not installed", "pip install scipy")
    pretend(monkeypatch, "cython", None)
    assert findings()["cython"].state == "warning"


def test_numpy_that_brian2_cannot_take_is_found_on_python_3_11(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "numpy", "2.4.0")
    monkeypatch.setattr(doctor.sys, "version_info", (3, 11, 7))
    assert "numpy<2.4" in findings()["numpy"].remedy
    monkeypatch.setattr(doctor.sys, "version_info", (3, 12, 1))
    assert findings()["numpy"].state == "ok"
    monkeypatch.setattr(doctor.sys, "version_info", (3, 10, 1))
    assert findings()["python"].state == "missing"


def test_a_target_that_computes_wrong_numbers_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain, "target_problems", lambda: {"numpy": ""})
    for wrong, told in (
        ((0.7, FIT[1]), "charged to 0.7000, not to 0.6321"),
        ((FIT[0], [3.1, 3.1]), "arrived at 3.1, 3.1, not at 3.1, 4.1 ms"),
        ((FIT[0], []), "arrived at no time, not at 3.1, 4.1 ms"),
    ):
        monkeypatch.setattr(doctor, "_try_out", lambda _, wrong=wrong: wrong)
        finding = findings(run=True)["target numpy"]
        assert finding.state == "missing"
        assert told in finding.detail


def test_a_target_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(target: str) -> tuple[float, list[float]]:
        raise ImportError(f"{target} fell over")

    monkeypatch.setattr(toolchain, "target_problems", lambda: {"numpy": ""})
    monkeypatch.setattr(doctor, "_try_out", fail)
    assert findings(run=True)["target numpy"].remedy == "ImportError: numpy fell over"


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BIOSNN_CACHE", str(tmp_path / "file/cache"))
    assert findings()["cache"].state == "warning"
    assert "BIOSNN_CACHE" in findings()["cache"].remedy


def test_the_data_folder_is_named_with_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "images").write_bytes(bytes(1500))
    monkeypatch.setenv("BIOSNN_DATA", str(tmp_path))
    assert f"{tmp_path} (1.5 kB)" in findings()["data"].detail
    monkeypatch.setenv("BIOSNN_DATA", str(tmp_path / "nowhere"))
    assert findings()["data"].state == "warning"
    assert "BIOSNN_DATA" in findings()["data"].remedy
    monkeypatch.delenv("BIOSNN_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    assert findings()["data"].state == "ok"


def test_the_folders_of_models_and_studies_are_named_with_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    found = findings()
    for part in ("models", "studies"):
        assert re.fullmatch(rf".*{part} \([\d.]+ [kM]?B\)", found[part].detail)
    monkeypatch.setattr("biosnn.catalogue.places", lambda _: [])
    assert findings()["models"].state == "missing"


def doctor_says(capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = _exit_code(["doctor"])
    return code, capsys.readouterr().out


def test_what_is_wrong_with_the_catalogue_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "_try_out", lambda _: FIT)
    mine = tmp_path / "models/neurons"
    mine.mkdir(parents=True)
    (mine / "torn.toml").write_text("kind =")
    monkeypatch.setenv("BIOSNN_PATH", f"{tmp_path}{os.pathsep}{tmp_path / 'nowhere'}")
    point = importlib.metadata.EntryPoint("broken", "brokenp.studies", "biosnn.studies")
    monkeypatch.setattr("biosnn.catalogue.entry_points", lambda group: [point] if group == "biosnn.studies" else [])
    code, out = doctor_says(capsys)
    assert code == 0
    assert "torn cannot be used: " in out
    assert "nowhere is left out: there is no such folder." in out
    assert "Plugin 'broken' (brokenp.studies) is left out: " in out
    assert "Everything needed is there; see above what could be mended." in out

    (mine / "lif.toml").write_text("kind =")
    code, out = doctor_says(capsys)
    assert code == 1
    assert "Two neuron models are named 'lif'" in out
    assert "Something needed is missing or broken" in out


def test_the_command_fails_if_something_needed_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "_try_out", lambda _: FIT)
    assert _exit_code(["doctor"]) == 0
    assert "Everything needed is there." in capsys.readouterr().out
    pretend(monkeypatch, "scipy", None)
    assert _exit_code(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "pip install scipy" in out
    assert "Something needed is missing" in out


def _exit_code(arguments: list[str]) -> int:
    try:
        main(arguments)
    except SystemExit as exit_:
        return int(exit_.code or 0)
    return 0


@pytest.mark.parametrize(("size", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2e6, "2 MB"), (3e9, "3 GB")])
def test_sizes_are_told_in_words(size: float, text: str) -> None:
    assert size_text(size) == text
