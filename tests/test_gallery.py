"""The gallery: what ``gallery.toml`` says of a study, its alias, and all of it listed, run in one go and shown."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from cli_user import biosnn, elsewhere  # noqa: F401
from small_study import write_study

from biosnn import catalogue
from biosnn.errors import StudyError
from biosnn.gallery import Exhibit, read_exhibit
from biosnn.study import load_study

EXHIBIT = """topic = "neurons"
alias = "rc"
paper = "Lapicque 1907, J Physiol Pathol Gen 9:620, doi:10.1000/182."
seconds = 2
memory = "0.1 GB"
thumbnail = "charge"
"""


def hang(name: str, exhibit: str = EXHIBIT, **files: str) -> Path:
    """Write a study of the gallery into the catalogue of the test."""
    folder = write_study(Path("mine/studies") / name, **files)
    (folder / "gallery.toml").write_text(exhibit, encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.setenv("BIOSNN_PATH", str(tmp_path / "mine"))


def test_what_the_file_says_is_read_without_running_the_study() -> None:
    folder = hang("lapicque_1907", study='"""A title."""\nraise RuntimeError("this must not run")\n')
    assert catalogue.gallery()["lapicque_1907"] == Exhibit(
        "neurons", "Lapicque 1907, J Physiol Pathol Gen 9:620, doi:10.1000/182.", 2, "0.1 GB", "charge", "rc"
    )
    assert catalogue.study_folder("rc") == catalogue.study_folder("lapicque_1907") == folder.absolute()
    assert read_exhibit(write_study(Path("plain"))) is None


@pytest.mark.parametrize(
    ("paper", "doi"),
    [
        ("A 1907, doi:10.1000/182.", "10.1000/182"),
        ("A 1907 (doi:10.1523/JNEUROSCI.23-09-03697.2003), fig. 2", "10.1523/JNEUROSCI.23-09-03697.2003"),
        ("A 1907, doi:10.1016/S0896-6273(01)00542-6; B", "10.1016/S0896-6273(01)00542-6"),
        ("A 1907, a book", ""),
        ('A 1907, doi:10.1000/1"onclick=x', "10.1000/1"),
    ],
)
def test_a_paper_is_found_by_its_identifier(paper: str, doi: str) -> None:
    assert Exhibit("neurons", paper, 2, "0.1 GB", "charge").doi == doi


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"neurons"', '"brains"', r"topic: expected one of neurons, plasticity, networks, coding \(got 'brains'\)"),
        ('topic = "neurons"\n', "", "field 'topic' is missing"),
        ("seconds = 2", "seconds = 0", "seconds: expected how many seconds a run takes"),
        ("seconds = 2", "seconds = true", "seconds: expected how many seconds a run takes"),
        ("seconds = 2", "seconds = nan", "seconds: expected how many seconds a run takes"),
        ('"0.1 GB"', '"much"', "memory: expected how much memory a run takes, such as '0.4 GB'"),
        ('"charge"', '" "', "thumbnail: expected the name of a figure"),
        ('"rc"', '"R C"', "alias: expected a letter, then lower-case letters"),
        ("alias", "alais", "No field named 'alais'. Did you mean 'alias'"),
        ("topic =", "topic", "cannot be read as TOML"),
    ],
)
def test_a_wrong_file_is_told_to_its_author_and_leaves_the_rest(old: str, new: str, message: str) -> None:
    folder = hang("broken", EXHIBIT.replace(old, new))
    with pytest.raises(StudyError, match=message) as caught:
        load_study(folder)
    assert "gallery.toml" in str(caught.value)
    hang("fine", EXHIBIT.replace("rc", "fine"))
    with pytest.warns(UserWarning, match="broken is left out of the gallery: .*gallery.toml"):
        assert "fine" in catalogue.gallery()
    assert "broken" in catalogue.study_names()


def test_an_alias_is_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    hang("lapicque_1907")
    assert biosnn("run", "rc", "--out", "out") == 0
    assert "✓ pass  lapicque_1907, seed 1, numpy" in capsys.readouterr().out
    assert biosnn("check", "rc", "--out", "out") == 0
    assert biosnn("show", "rc") == 0
    out = capsys.readouterr().out
    assert "lapicque_1907 (study, also called rc)" in out
    assert "After: Lapicque 1907" in out
    assert biosnn("list") == 0
    assert "\nlapicque_1907 (rc) " in capsys.readouterr().out
    assert biosnn("run", "rcc") == 2
    assert "Did you mean 'rc'?" in capsys.readouterr().err


@pytest.mark.parametrize("other", ["rc", "second"])
def test_an_alias_that_another_study_has_is_refused(other: str, capsys: pytest.CaptureFixture[str]) -> None:
    hang("lapicque_1907")
    hang(other)
    assert biosnn("run", "rc") == 2
    assert "Two studies are named 'rc': " in capsys.readouterr().err
    hang("own", EXHIBIT.replace("rc", "own"))  # as its own name, which is no harm
    (Path("mine/studies") / "lapicque_1907" / "gallery.toml").unlink()
    if other == "rc":
        (Path("mine/studies") / "rc" / "gallery.toml").unlink()
    assert biosnn("list") == 0


def test_what_hangs_there_names_papers_that_can_be_looked_up() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exhibits = catalogue.gallery()
    assert all(exhibit.doi for exhibit in exhibits.values())
