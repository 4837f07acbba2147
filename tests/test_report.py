"""The report: one page, complete, self-contained, and safe against what its texts contain."""

from __future__ import annotations

import base64
import csv
import io
import re
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure as Drawing
from matplotlib.layout_engine import ConstrainedLayoutEngine
from page_reader import Page
from small_study import EXPECTED, PLOT, STUDY, write_study

from biosnn import catalogue
from biosnn.model.sheet import describe_model
from biosnn.printable import printable
from biosnn.report import new_figure
from biosnn.report.figure_data import figure_table, levels_of
from biosnn.report.figures import STYLE, Figure, draw_figures
from biosnn.report.interactive import write_interactive
from biosnn.report.markup import inline, paragraphs
from biosnn.report.preview import draw_preview
from biosnn.report.templates import linked, number_html
from biosnn.run import run_study
from biosnn.study import load_study


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Page]:
    folder = tmp_path_factory.mktemp("report")
    study = STUDY.replace("only rises", "<script>alert(1)</script> rises")
    expected = EXPECTED + '[values.peak]\nexpected = 1\ntolerance = 0.5\nunit = "mV"\nsource = "A & B <1900>"\n'
    expected += 'kind = "regression"\n'
    result = run_study(
        write_study(folder / "charging", study=study, expected=expected), {"points": "4"}, out=folder / "out"
    )
    text = result.report.read_text(encoding="utf-8")
    return text, Page(text)


def test_the_page_tells_everything(page: tuple[str, Page]) -> None:
    text = " ".join(page[1].text.split())
    for part in (
        "Does a neuron charge like an RC circuit?",
        "✗ fail: Not everything holds",
        "1 of 1 published value, 0 of 1 regression value and 1 of 1 claim hold.",
        "The membrane potential after one time constant, against 1 - exp(-1).",
        "One neuron under a <constant> current.",
        "dv/dt = (v_rest - v + R*I)/tau_m",
        "membrane capacitance",
        "Lapicque 1907",
        "closed form, 1 - exp(-1)",
        "A & B <1900>",
        "✓ pass",
        "✗ fail",
        "how long to simulate",
        "4 (changed)",
        "points=4 --seed 1 --target numpy",
        "brian2",
    ):
        assert part in text, part


def test_published_values_stand_apart_from_our_own(page: tuple[str, Page]) -> None:
    section = page[0].partition('<section id="values">')[2].partition("</section>")[0]
    parts = re.split(r"<h3>(.*?)</h3>", section)
    tables = dict(zip(parts[1::2], parts[2::2], strict=True))
    own = "Values against earlier ones of this study"
    assert list(tables) == ["Values against published ones", own, "Other values"]
    names = {heading: re.findall(r"<tr><td>(.*?)</td>", table) for heading, table in tables.items()}
    assert list(names.values()) == [["charge"], ["peak"], ["count"]]
    assert "Nobody has published these." in tables[own]


# Where a link of the page may lead: a section, a file of the figures, or a paper.
LINK = re.compile(r"#[\w-]+|figures/[\w.%-]+\.(svg|png|csv)|https://doi\.org/10\.[^<>\s]+")


def test_the_page_loads_nothing_from_outside_itself(page: tuple[str, Page]) -> None:
    for tag, attributes in page[1].elements:
        assert tag not in ("script", "link", "iframe", "object")
        assert (attributes.get("src") or "data:").startswith("data:")
        assert LINK.fullmatch(attributes.get("href") or "#none")
    assert "url(" not in page[0]
    assert "@import" not in page[0]


def test_links_lead_to_sections_of_the_page(page: tuple[str, Page]) -> None:
    anchors = {attributes.get("id") for _, attributes in page[1].elements}
    links = [str(attributes["href"]) for tag, attributes in page[1].elements if tag == "a"]
    sections = [link[1:] for link in links if link.startswith("#")]
    assert len(sections) == 8
    assert set(sections) <= anchors
    files = [link for link in links if link.startswith("figures/")]
    assert files == ["figures/charge.svg", "figures/charge.png", "figures/charge.csv"]


def test_the_answer_stands_before_the_figures_and_these_before_the_model(tmp_path: Path) -> None:
    study = STUDY.replace('METHOD = "', 'ANSWER = ["It reaches {charge|%} <of> {peak}.", "Or {nothing}."]\nMETHOD = "')
    result = run_study(write_study(tmp_path / "charging", study=study), out=tmp_path / "out")
    assert result.answer == "It reaches 62.8 % <of> 3.14 mV."
    text = result.report.read_text(encoding="utf-8")
    marks = ["It reaches 62.8 % &lt;of&gt; 3.14 mV.", 'id="figures"', 'id="claims"', 'id="values"', 'id="models"']
    places = [text.index(mark) for mark in marks]
    assert places == sorted(places)


def test_dois_are_links_whatever_is_around_them() -> None:
    assert linked("Song & Abbott, doi:10.1038/78829.") == (
        'Song &amp; Abbott, <a href="https://doi.org/10.1038/78829">doi:10.1038/78829</a>.'
    )
    assert "<a" not in linked('doi:javascript"><b>')
    assert linked('doi:10.1000/x"><b>') == '<a href="https://doi.org/10.1000/x">doi:10.1000/x</a>&#34;&gt;&lt;b&gt;'


def test_texts_are_escaped(page: tuple[str, Page]) -> None:
    assert "<script" not in page[0]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page[0]
    assert "A &amp; B &lt;1900&gt;" in page[0]


HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>[a](javascript:alert(1))\u202e\x1b[1m\"'`<b>`</td>{{ 7*7 }}"
)


def test_no_text_of_a_study_is_taken_for_html(tmp_path: Path) -> None:
    bad = ascii(HOSTILE)[1:-1].replace('"', '\\"').replace("'", "\\'").replace("\\\\", "\\")
    study = STUDY.replace("Does a neuron", f"{bad} Does a neuron").replace("how many random", f"{bad} how many random")
    study = study.replace('"The potential only', f'"{bad} The potential only').replace(
        "Claim, Result,", "Claim, Result, Table,"
    )
    study = study.replace('METHOD = "', f'METHOD = "{bad} ').replace('Claim("rises"', f'Claim("{bad}"')
    table = f'tables={{"{bad}": Table("{bad}", [["{bad}", "b"], ["{bad}", "1"]])}},\n    )\n\n\nCLAIMS'
    study = study.replace("    )\n\n\nCLAIMS", f"        {table}", 1)
    model = "from biosnn import catalogue\nfrom dataclasses import replace\n"
    markup = bad.replace("\\u202e\\x1b", "")  # a model's texts have no such characters
    mine = f'replace(catalogue.neuron_model("lif"), summary="{markup}", notes="{markup}", source="{markup}")'
    study = study.replace("from dataclasses", f"{model}from dataclasses").replace(
        'neurons(1, "lif"', f"neurons(1, {mine}"
    )
    expected = EXPECTED.replace("closed form", bad.replace("\\x", "\\u00").replace("\\'", "'"))
    folder = write_study(tmp_path / "<b>charging\u202e", study=study, expected=expected)
    result = run_study(folder, out=tmp_path / "out")
    text = result.report.read_text(encoding="utf-8")
    page = Page(text)
    assert {tag for tag, _ in page.elements} & {"script", "b"} == set()
    assert [attributes["src"] for tag, attributes in page.elements if tag == "img" and attributes["src"] == "x"] == []
    assert all(LINK.fullmatch(str(attributes["href"])) for tag, attributes in page.elements if tag == "a")
    assert not {"\u202e", "\x1b"} & set(text)
    assert page.text.count("<script>alert(1)</script><img src=x onerror=alert(1)>[a](javascript:alert(1))\\u202e") > 8
    assert "{{ 7*7 }}" in page.text


def test_figures_are_in_the_page_with_caption_and_alternative_text(page: tuple[str, Page]) -> None:
    (image,) = [attributes for tag, attributes in page[1].elements if tag == "img"]
    assert image["alt"] == "The potential rises <b>smoothly</b>."
    kind, _, data = str(image["src"]).partition(",")
    assert kind == "data:image/svg+xml;base64"
    assert b"<svg" in base64.b64decode(data)
    assert "The potential rises <b>smoothly</b>." in page[1].text


def test_the_numbers_of_a_drawing_are_a_table() -> None:
    figure, (left, right, scale) = new_figure(1, 3)
    left.set(xlabel="time (ms)", ylabel="V (mV)", title="membrane")
    left.plot([0, 1], [2.5, np.nan], label="V, cell 1")
    left.plot([0.5], [1], "o")
    left.axhline(7)
    left.axvline(3)
    left.stairs([7], [0, 2])
    left.scatter([3], [4], label="dots")
    left.eventplot([1.0, 2.0], lineoffsets=5)
    right.bar(["a", "b"], [1, 2])
    right.imshow([[1, 2], [3, 4]], extent=(0, 4, 0, 2), label="map")
    figure.colorbar(right.pcolormesh([0, 2], [0, 4], [[9]]), cax=scale)
    rows = list(csv.reader(io.StringIO(figure_table(figure))))
    assert rows[0] == ["panel", "series", "kind", "x", "y", "value"]
    membrane, second = "membrane: time (ms), V (mV)", "2: x, y"
    assert rows[1:] == [
        [membrane, "V, cell 1", "line", "0", "2.5", ""],
        [membrane, "V, cell 1", "line", "1", "nan", ""],
        [membrane, "points 2", "points", "0.5", "1", ""],
        [membrane, "stairs 1", "line", "0", "7", ""],
        [membrane, "stairs 1", "line", "2", "7", ""],
        [membrane, "dots", "points", "3", "4", ""],
        [membrane, "points 2", "points", "1", "5", ""],
        [membrane, "points 2", "points", "2", "5", ""],
        [second, "image 1", "image", "1", "2", "9"],
        [second, "bar 1", "bar", "0", "1", ""],
        [second, "bar 1", "bar", "1", "2", ""],
        [second, "map", "image", "1", "1.5", "1"],
        [second, "map", "image", "3", "1.5", "2"],
        [second, "map", "image", "1", "0.5", "3"],
        [second, "map", "image", "3", "0.5", "4"],
    ]
    assert figure_table(new_figure()[0]) == ""
    assert [(level.place, level.horizontal) for level in levels_of(left)] == [(7.0, True), (3.0, False)]


def test_figures_are_drawn_to_look_closer_at(tmp_path: Path) -> None:
    pytest.importorskip("plotly", reason="needs the extra `interactive`")
    plot = PLOT.replace("return [", "axes.set(xscale='log', title='<b>r_{0}</b>')\n    axes.axhline(1)\n    return [")
    study = write_study(tmp_path / "charging", plot=plot)
    result = run_study(study, out=tmp_path / "out")
    write_interactive(result, tmp_path / "page.html")
    page = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert not [tag for tag, attributes in page.elements if tag in ("link", "iframe", "img") or "src" in attributes]
    for part in ('"type":"log"', '"mode":"lines"', "r 0", '"y0":1.0', "smoothly"):
        assert part in page.text
    assert "b" not in {tag for tag, _ in page.elements}


def test_a_drawing_is_written_as_matplotlib_writes_it_and_laid_out_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn() -> Drawing:
        figure, axes = new_figure(1, 2)
        figure.set_facecolor("black")
        for each in axes:
            each.plot([1, 2], [3e9, 4e9], label="a line")
            each.set_xlabel("time (ms)")
            each.legend()
        return figure

    with mpl.rc_context(STYLE):
        drawn().savefig(tmp_path / "expected.png", metadata={"Software": None})
    layouts = []
    execute = ConstrainedLayoutEngine.execute
    monkeypatch.setattr(ConstrainedLayoutEngine, "execute", lambda *given: layouts.append(1) or execute(*given))
    draw_figures(tmp_path, lambda: [Figure("lines", drawn(), "Two lines.")], tmp_path)
    assert (tmp_path / "figures/lines.png").read_bytes() == (tmp_path / "expected.png").read_bytes()
    assert len(layouts) == 1
    svg = (tmp_path / "figures/lines.svg").read_text()
    assert 'width="504pt" height="259.2pt"' in svg
    assert "fill: #ffffff" in svg


def test_a_large_drawing_is_shown_as_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("biosnn.report.page._LARGEST_SVG", 100)
    result = run_study(write_study(tmp_path / "charging"), out=tmp_path / "out")
    (data,) = re.findall(r'src="data:image/png;base64,([^"]+)"', result.report.read_text())
    assert base64.b64decode(data) == (tmp_path / "out/figures/charge.png").read_bytes()


def test_a_study_with_nothing_to_check_says_so(tmp_path: Path) -> None:
    study = re.sub(r"CLAIMS = \[.*\]", "CLAIMS = []", STUDY, flags=re.DOTALL)
    plot = PLOT[: PLOT.index("    figure")] + "    return []\n"
    result = run_study(write_study(tmp_path / "charging", study=study, plot=plot, expected=""), out=tmp_path / "out")
    text = Page(result.report.read_text()).text
    assert result.verdict == "unchecked"
    for part in ("○ unchecked", "neither claims nor expected values", "draws no figures", "makes no claims"):
        assert part in text


def test_prose_becomes_paragraphs_lists_and_code() -> None:
    text = """
        One
        line with `a < b` & more.

        - first
          goes on
        - ``second``

        1. then

        ```
        v <- v + 1
        ```
    """
    assert paragraphs(text) == (
        "<p>One\nline with <code>a &lt; b</code> &amp; more.</p>\n"
        "<ul>\n<li>first\ngoes on</li>\n<li><code>second</code></li>\n</ul>\n"
        "<ol>\n<li>then</li>\n</ol>\n<pre><code>v &lt;- v + 1\n</code></pre>\n"
    )
    assert inline("no `end <b>") == "no `end &lt;b&gt;"
    assert paragraphs("") == ""


@pytest.mark.parametrize(
    "text",
    [
        "<div onclick=alert(1)>\n<b>bold</b>\n</div>",
        "<!-- a comment -->",
        "- <script>alert(1)</script>",
        "1. <img src=x onerror=alert(1)>",
        "[a](javascript:alert(1)) [b](https://example.org) <https://example.org> https://example.org",
        "![x](https://example.org/x.png)",
        "[a]: https://example.org\n\n[a]",
        "&lt;b&gt; &#60;b&#62; \\<b\\>",
        "w*x and y*z, __init__, _a_, ~~b~~",
        "# A head\n\nAnother\n===\n\n> said\n\n    v = 1\n\n---",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "`<b>` ``<b>`` ```<b>```",
        '```<b onclick=alert(1)>" onclick=alert(1)\n<b>\n```',
        "\u202e\x1b[1m \x00 \r <b>",
    ],
)
def test_prose_has_neither_html_nor_links_whatever_is_written(text: str) -> None:
    for found in (paragraphs(text), inline(text)):
        page = Page(str(found))
        assert {tag for tag, _ in page.elements} <= {"p", "ul", "ol", "li", "pre", "code"}
        names = {name for _, attributes in page.elements for name in attributes}
        assert names <= {"class"}, "of what fenced code is in"
        assert not {"\u202e", "\x1b", "\x00", "\r"} & set(found)
    words = re.sub(r"`+|\s+", "", printable(text))
    assert re.sub(r"`+|\s+", "", Page(str(inline(text))).text) == words, "what was written can be read"


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0.632121, "0.632121"),
        (3, "3"),
        (-1.5, "−1.5"),
        (1.2e-9, "1.2&thinsp;×&thinsp;10<sup>−9</sup>"),
        (3e12, "3&thinsp;×&thinsp;10<sup>12</sup>"),
        (float("nan"), "not a number"),
        (float("-inf"), "−∞"),
        (None, ""),
    ],
)
def test_numbers_are_set_for_reading(number: float | None, expected: str) -> None:
    assert number_html(number) == expected


@pytest.mark.parametrize("name", catalogue.neuron_names())
def test_a_neuron_is_laid_out_with_all_it_has(name: str) -> None:
    model = catalogue.neuron_model(name)
    sheet = describe_model(model)
    blocks = dict(sheet.blocks)
    assert blocks["equations"] == model.equations
    assert blocks.get("spikes when", "") == model.threshold
    assert [row[0] for row in sheet.parameters] == list(model.parameters)
    assert [row[0] for row in sheet.inputs] == list(model.inputs)
    assert sheet.kind == "neuron"


@pytest.mark.parametrize("name", catalogue.synapse_names())
def test_a_synapse_is_laid_out_with_all_it_has(name: str) -> None:
    model = catalogue.synapse_model(name)
    sheet = describe_model(model)
    everything = "\n".join(text for _, text in sheet.blocks)
    for part in (model.equations, model.on_pre, model.on_post, *(trace.equation for trace in model.traces.values())):
        assert part in everything
    assert sheet.kind == "synapse"


@pytest.mark.parametrize("name", ["lif", "lif_adaptive", "stdp_pair", "static"])
def test_a_response_is_drawn(name: str, tmp_path: Path) -> None:
    model = catalogue.neuron_model(name) if name in catalogue.neuron_names() else catalogue.synapse_model(name)
    path = tmp_path / "figure.png"
    draw_preview(model, path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_figure_needs_no_global_state() -> None:
    figure, axes = new_figure(2, 1, sharex=True)
    assert axes.shape == (2,)
    assert figure.get_size_inches().tolist() == [7.0, 3.6]


def test_the_readme_of_a_study_is_read(tmp_path: Path) -> None:
    assert load_study(write_study(tmp_path / "charging", readme="# Why")).readme == "# Why"


def test_one_sheet_a_model_with_the_values_it_was_simulated_with(tmp_path: Path) -> None:
    two = STUDY.replace(
        "    v = trace.v[0]\n",
        "    v = trace.v[0]\n    other = neurons(1, 'lif', values={'t_ref': 1 * ms})\n"
        "    sim.run(Network(other), settings.duration)\n",
    )
    page = run_study(write_study(tmp_path / "two", study=two), out=tmp_path / "out").report.read_text()
    assert page.count("membrane capacitance") == 1
    assert "5 ms, 1 ms" in page
