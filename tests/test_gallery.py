"""The gallery: what ``gallery.toml`` says of a study, its alias, and all of it listed, run in one go and shown."""

from __future__ import annotations

import base64
import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cli_user import biosnn, elsewhere  # noqa: F401
from page_reader import Page
from small_study import EXPECTED, STUDY, write_study

from biosnn import catalogue
from biosnn.errors import StudyError
from biosnn.gallery import GalleryEntry, read_gallery_entry
from biosnn.study import Study, load_result, load_study

EXHIBIT = """topic = "neurons"
alias = "rc"
paper = "Lapicque 1907, J Physiol Pathol Gen 9:620, doi:10.1000/182."
seconds = 2
memory = "0.1 GB"
thumbnail = "charge"
"""


def hang(name: str, entry: str = EXHIBIT, **files: str) -> Path:
    """Write a study of the gallery into the catalogue of the test."""
    folder = write_study(Path("mine/studies") / name, **files)
    (folder / "gallery.toml").write_text(entry, encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.setenv("BIOSNN_PATH", str(tmp_path / "mine"))


def test_what_the_file_says_is_read_without_running_the_study() -> None:
    folder = hang("lapicque_1907", study='"""A title."""\nraise RuntimeError("this must not run")\n')
    assert catalogue.gallery()["lapicque_1907"] == GalleryEntry(
        "neurons", "Lapicque 1907, J Physiol Pathol Gen 9:620, doi:10.1000/182.", 2, "0.1 GB", "charge", alias="rc"
    )
    assert catalogue.study_folder("rc") == catalogue.study_folder("lapicque_1907") == folder.absolute()
    assert read_gallery_entry(write_study(Path("plain"))) is None


def test_a_file_is_read_once_and_anew_when_it_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = hang("lapicque_1907")
    first = read_gallery_entry(folder)
    assert first is not None
    with monkeypatch.context() as patch:
        patch.setattr("biosnn.gallery.read_text", lambda *_: pytest.fail("it is read again"))
        assert read_gallery_entry(folder) is first
    (folder / "gallery.toml").write_text((folder / "gallery.toml").read_text().replace('"rc"', '"rcs"'))
    assert read_gallery_entry(folder) == replace(first, alias="rcs")
    (folder / "gallery.toml").unlink()
    assert read_gallery_entry(folder) is None
    (folder / "gallery.toml").symlink_to("nowhere")
    with pytest.raises(StudyError, match=r"gallery\.toml"):
        read_gallery_entry(folder)


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
    assert GalleryEntry("neurons", paper, 2, "0.1 GB", "charge").doi == doi


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '"neurons"',
            '"brains"',
            r"topic: expected one of neurons, plasticity, networks, coding, training \(got 'brains'\)",
        ),
        ('topic = "neurons"\n', "", "field 'topic' is missing"),
        ("seconds = 2", "seconds = 0", "seconds: expected how many seconds a run takes"),
        ("seconds = 2", "seconds = true", "seconds: expected how many seconds a run takes"),
        ("seconds = 2", "seconds = nan", "seconds: expected how many seconds a run takes"),
        ('"0.1 GB"', '"much"', "memory: expected how much memory a run takes, such as '0.4 GB'"),
        ('"charge"', '" "', "thumbnail: expected the name of a figure"),
        ('"rc"', '"R C"', "alias: expected a letter, then lower-case letters"),
        ("seconds = 2", "seconds = 2\nanswer = 3", "answer: expected the name of a claim"),
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


def test_an_alias_that_a_model_has_means_the_study_where_one_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    hang("lapicque_1907", EXHIBIT.replace("rc", "qif"))
    assert biosnn("check", "qif", "--out", "out") == 0
    assert "✓ pass  lapicque_1907, seed 1, numpy" in capsys.readouterr().out
    assert biosnn("show", "qif") == 0
    out = capsys.readouterr().out
    assert "qif (neuron model)" in out
    assert "lapicque_1907 (study, also called qif)" in out


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


def test_entries_name_papers_that_can_be_looked_up() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        entries = catalogue.gallery()
    assert all(entry.doi for entry in entries.values())


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take our own studies out of the catalogue: what is left are those of the test."""
    models = catalogue.places("models")[0]
    monkeypatch.setattr(
        "biosnn.catalogue._own", lambda part: models if part == "models" else catalogue.Place(tmp_path / part, "biosnn")
    )


def short(name: str, old: str = "", new: str = "", **files: str) -> Path:
    """A study of the gallery that is called by its name, with something in its ``gallery.toml`` replaced."""
    return hang(name, EXHIBIT.replace("rc", name).replace(old or "=", new or "="), **files)


def test_the_gallery_is_listed_by_topic(capsys: pytest.CaptureFixture[str]) -> None:
    hang("lapicque_1907")
    hang(
        "long_1999", EXHIBIT.replace("rc", "long").replace('"neurons"', '"coding"').replace("= 2", "= 900"), expected=""
    )
    assert biosnn("list", "--gallery") == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    rows = {words[0]: words[1:4] for words in lines if words and words[0] in ("lapicque_1907", "long_1999")}
    assert rows == {"lapicque_1907": ["rc", "1", "2"], "long_1999": ["long", "0", "900"]}
    order = [words[0] for words in lines if words and words[0] in ("Neurons", "Plasticity", "Coding", *rows)]
    assert [word for word in order if word != "Plasticity"] == ["Neurons", "lapicque_1907", "Coding", "long_1999"]


@pytest.mark.usefixtures("alone")
def test_all_short_ones_are_run_and_one_that_fails_spares_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    own = EXPECTED.replace("published", "regression").replace("charge]", "count]").replace("0.6321", "3")
    short("aa", expected=EXPECTED + own)
    short("bb", expected=EXPECTED.replace("0.6321", "0.7"))
    hang(
        "cc",
        EXHIBIT.replace("rc", "cc"),
        study=STUDY.replace("def run(settings, sim):", "def run(settings, sim):\n    1 / 0"),
    )
    hang("dd", EXHIBIT.replace("rc", "dd"), study="def (")
    short("ee", "= 2", "= 181")
    short("ff", "neurons", "coding")
    assert biosnn("check", "--gallery", "--out", "made") == 1
    out = capsys.readouterr().out
    assert "5 of 5: ff (about 2 s)" in out
    table = {words[0]: words[1:] for line in out[out.index("\nstudy ") :].splitlines() if (words := line.split())}
    assert table["study"] == ["published", "regression", "claims", "seconds", "verdict"]
    assert (table["aa"][:3], table["aa"][4:]) == (["1/1", "1/1", "1/1"], ["✓", "pass"])
    assert (table["bb"][:2], table["bb"][3:]) == (["0/1", "1/1"], ["✗", "fail"])
    assert table["cc"] == table["dd"] == ["!", "error"]
    assert table["ff"][-1] == "pass"
    assert "bb: charge is 0.6284, not 0.7 ± 0.01. Report: made/bb-" in out
    assert "cc: study cc: run() failed: ZeroDivisionError: division by zero (study.py, line 24)\n" in out
    assert "dd: " in out
    assert "2 of 5 published values pass, in 5 studies." in out
    assert "Not run, since it takes more than 180 s: ee." in out
    assert sorted(path.name[:3] for path in Path("made").iterdir()) == ["aa-", "bb-", "ff-"]


@pytest.mark.usefixtures("alone")
def test_a_fault_of_our_own_spares_the_rest(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(study: Study[Any], **_: object) -> None:
        raise RuntimeError(f"no {study.name}")

    monkeypatch.setattr("biosnn.cli.gallery.run_study", broken)
    short("aa")
    short("bb")
    assert biosnn("check", "--gallery") == 1
    assert "bb: RuntimeError: no bb\n0 of 2 published values pass, in 2 studies." in capsys.readouterr().out


@pytest.mark.usefixtures("alone")
def test_what_has_been_run_by_the_same_code_is_not_run_again(capsys: pytest.CaptureFixture[str]) -> None:
    short("aa")

    def runs(*options: str) -> bool:
        assert biosnn("check", "--gallery", *options) == 0
        out = capsys.readouterr().out
        assert ("running on numpy" in out) != ("has been run already" in out)
        assert "1 of 1 published values pass, in 1 study." in out
        return "running on numpy" in out

    assert runs()
    assert not runs()
    assert runs("--again")
    assert runs("--seed", "2")
    study = Path("mine/studies/aa")
    (study / "README.md").write_text("Other words.")
    assert not runs()
    (study / "expected.toml").write_text(EXPECTED.replace("0.01", "0.02"))
    assert runs()
    assert not runs()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("biosnn.study.identity.versions", lambda: {"biosnn": "0.0.1"})
        assert runs()
        assert not runs()
    assert not runs()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("biosnn.study.identity.library_hash", lambda: "another line of code")
        assert runs()
        assert not runs()
    (study / "plot.py").write_text("def plot(result):\n    return 1 / 0\n")
    for _ in range(2):
        assert biosnn("check", "--gallery") == 1
        assert "running on numpy" in capsys.readouterr().out, "what is broken is run again"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("check", "--gallery", "--topic", "neuron"), "No topic named 'neuron'. Did you mean 'neurons'?"),
        (("check", "--gallery", "--topic", "coding"), "There is no study in the topic 'coding'"),
        (("check", "--gallery", "lif"), "--gallery runs its studies with their defaults, and takes no 'lif'"),
        (("check", "--topic", "coding", "lif"), "--topic and --again go with --gallery"),
        (("check",), "expected STUDY, DIR or MODEL, or --gallery"),
        (("check", "--gallery", "--topic", "neurons"), "Each study takes longer than 180 s: slow"),
        (("gallery", "nowhere"), "nowhere: no such folder"),
        (("gallery", ".", "--out", "no/where.html"), "no/where.html: cannot be written"),
    ],
)
@pytest.mark.usefixtures("alone")
def test_what_cannot_be_done_is_told(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    hang("slow", EXHIBIT.replace("= 2", "= 181"))
    assert biosnn(*arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.usefixtures("alone")
def test_an_empty_gallery_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    assert biosnn("check", "--gallery") == 2
    assert biosnn("list", "--gallery") == 2
    assert "There is no study in the gallery" in capsys.readouterr().err


@pytest.mark.usefixtures("alone")
def test_the_page_shows_the_latest_results_and_refers_to_no_other_file_but_reports(
    capsys: pytest.CaptureFixture[str],
) -> None:
    short("aa")
    short("bb", '"charge"', '"none"\nanswer = "falls"', expected=EXPECTED.replace("0.6321", "0.7"))
    short("cc", "neurons", "coding")
    assert biosnn("run", "aa", "--seed", "2") == 0
    assert biosnn("run", "aa", "points=5", "--out", "results/other") == 0
    source = Path("results/other/provenance.json")
    finished = re.sub(r'"finished": "\d{4}', '"finished": "2999', source.read_text())
    source.write_text(finished)  # the latest, but with other settings
    assert biosnn("run", "bb") == 0
    capsys.readouterr()
    assert biosnn("gallery") == 0
    assert "1 of 2 published values pass; 2 of 3 studies have been run." in capsys.readouterr().out
    text = Path("results/gallery.html").read_text(encoding="utf-8")
    page = Page(text)
    shown = " ".join(page.text.split())
    assert "1 of 2 published values pass 1 of 2 studies that were run hold; 1 was not run." in shown
    assert "The potential only rises. (✓ pass)✓ pass 1 of 1 published value, 1 of 1 claim" in shown
    assert "✗ fail 0 of 1 published value, 1 of 1 claim" in shown
    assert "There is no claim 'falls' in this result; it has rises. (✗ fail)" in shown
    assert "There is no figure 'none' in this result; it has charge." in shown
    assert "○ not run Lapicque 1907, J Physiol Pathol Gen 9:620 biosnn run cc takes about 2 s" in shown
    (image,) = [attributes for tag, attributes in page.elements if tag == "img"]
    assert image["alt"] == "The potential rises <b>smoothly</b>."
    drawn = base64.b64decode(str(image["src"]).removeprefix("data:image/png;base64,"))
    assert drawn.startswith(b"\x89PNG")
    assert len(drawn) < 100_000
    links = {str(attributes["href"]) for tag, attributes in page.elements if tag == "a"}
    reports = {link for link in links if not link.startswith(("#", "https://doi.org/10.1000/182"))}
    assert len(reports) == 2
    shown_results = [load_result((Path("results") / link).parent) for link in reports]
    assert {result.study: result.settings["points"] for result in shown_results} == {"aa": "3", "bb": "3"}
    assert links - reports == {"#neurons", "#coding", "https://doi.org/10.1000/182"}
    assert biosnn("gallery", "results", "--out", "elsewhere.html") == 0
    assert Path("elsewhere.html").read_text().count('href="results/') == 2
    Path("sub").mkdir()
    assert biosnn("gallery", "results", "--out", "sub/page.html") == 0
    assert "report.html" not in Path("sub/page.html").read_text(), "which would lead out of its folder"


@pytest.mark.usefixtures("alone")
def test_no_text_of_a_study_is_taken_for_html_in_the_gallery() -> None:
    bad = "<script>alert(1)</script>"
    entry = EXHIBIT.replace("rc", "aa").replace("Lapicque", bad)
    study = STUDY.replace("Does a", f"{bad} Does a").replace("The potential", bad)
    hang("aa", entry, study=study)
    assert biosnn("run", "aa") == 0
    assert biosnn("gallery") == 0
    page = Page(Path("results/gallery.html").read_text(encoding="utf-8"))
    assert "script" not in {tag for tag, _ in page.elements}
    assert page.text.count(bad) == 3
