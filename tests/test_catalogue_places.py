"""The catalogue: names, paths, third-party folders and plugins."""

from __future__ import annotations

import importlib
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from biosnn import catalogue
from biosnn.errors import ModelError, NotFoundError
from biosnn.model import to_toml

MINE = to_toml(catalogue.neuron_model("lif")).replace('name = "lif"', 'name = "mine"')


@pytest.fixture
def third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on BIOSNN_PATH with a model ``mine`` and a study ``question``."""
    (tmp_path / "models" / "neurons").mkdir(parents=True)
    (tmp_path / "models" / "neurons" / "mine.toml").write_text(MINE)
    (tmp_path / "studies" / "question").mkdir(parents=True)
    (tmp_path / "studies" / "question" / "study.py").write_text('"""A question?"""\n')
    monkeypatch.setenv("BIOSNN_PATH", str(tmp_path))
    return tmp_path


def plugin(monkeypatch: pytest.MonkeyPatch, *points: tuple[str, str]) -> None:
    """Pretend that other packages are installed that add (name, module) to the models."""

    def entry_points(group: str) -> list[EntryPoint]:
        return [EntryPoint(name, module, group) for name, module in points if group == "biosnn.models"]

    monkeypatch.setattr(catalogue, "entry_points", entry_points)


def test_a_package_that_is_installed_later_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "mine" not in catalogue.neuron_names()
    (tmp_path / "latecomer" / "neurons").mkdir(parents=True)
    (tmp_path / "latecomer" / "__init__.py").touch()
    (tmp_path / "latecomer" / "neurons" / "mine.toml").write_text(MINE)
    info = tmp_path / "latecomer-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: latecomer\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[biosnn.models]\nlate = latecomer\n")
    importlib.invalidate_caches()
    assert "mine" in catalogue.neuron_names()


def test_the_catalogue_is_found() -> None:
    assert {"lif", "adex", "izhikevich", "hodgkin_huxley"} <= set(catalogue.neuron_names())
    assert {"static", "stdp_pair", "stdp_triplet", "stp"} <= set(catalogue.synapse_names())


def test_a_wrong_name_lists_the_right_ones() -> None:
    with pytest.raises(NotFoundError, match=r"Did you mean 'adex'\? biosnn list shows all \d\d names"):
        catalogue.neuron_model("adx")
    with pytest.raises(NotFoundError, match="No study named 'lfi'"):
        catalogue.study_folder("lfi")


def test_a_model_of_the_other_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    with pytest.raises(ModelError, match="expected a synapse model"):
        catalogue.synapse_model(path)


def test_a_path_may_hold_models_and_studies(third_party: Path) -> None:
    assert catalogue.neuron_model("mine").name == "mine"
    assert catalogue.study_folder("question") == third_party / "studies" / "question"


def test_two_things_of_one_name_are_an_error(third_party: Path) -> None:
    (third_party / "models" / "neurons" / "lif.toml").write_text(MINE)
    with pytest.raises(NotFoundError, match="Two neuron models are named 'lif'"):
        catalogue.neuron_names()


def test_a_plugin_adds_models_without_being_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "their_models"
    (package / "neurons").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('a model file must not run code')\n")
    (package / "neurons" / "theirs.toml").write_text(MINE)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    plugin(monkeypatch, ("theirs", "their_models"))
    assert catalogue.neuron_model("theirs").name == "mine"


def test_a_broken_plugin_warns_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    plugin(monkeypatch, ("broken", "no_such_package_anywhere"))
    with pytest.warns(UserWarning, match="Plugin 'broken'"):
        assert "lif" in catalogue.neuron_names()


def test_a_folder_that_is_not_there_warns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIOSNN_PATH", str(tmp_path / "nowhere"))
    with pytest.warns(UserWarning, match=r"BIOSNN_PATH: .*nowhere is left out: there is no such folder\."):
        assert "lif" in catalogue.neuron_names()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe\x00", "cannot be read as a text in UTF-8"),
        (b"kind = ", "not valid TOML"),
        (b"#" * 1_000_001, "less than 1000000 bytes"),
        (b'kind = "network"', "expected 'neuron' or 'synapse'"),
    ],
)
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=message):
        catalogue.neuron_model(path)


def test_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    assert catalogue.neuron_model(path).name == "mine"
    path.write_text(MINE.replace('"mine"', '"other"'))
    assert catalogue.neuron_model(path).name == "other"
