"""Models at the command line: listed, shown, made and checked."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_user import biosnn, elsewhere  # noqa: F401


def test_list_names_every_model(capsys: pytest.CaptureFixture[str]) -> None:
    from biosnn import catalogue

    assert biosnn("list") == 0
    out = capsys.readouterr().out
    for name in [*catalogue.study_names(), *catalogue.neuron_names(), *catalogue.synapse_names()]:
        assert f"\n{name} " in out


def test_show_prints_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert biosnn("show", "lif_adaptive") == 0
    out = capsys.readouterr().out
    for part in ("lif_adaptive (neuron model)", "dv/dt", "threshold", "parameter", "Diehl & Cook", "Source: "):
        assert part in out


@pytest.mark.parametrize(("where", "path"), [((), "stdp_pair.png"), (("--out", "deep/er.png"), "deep/er.png")])
def test_show_draws_the_response_of_a_model(
    where: tuple[str, ...], path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert biosnn("show", "stdp_pair", "--figure", *where) == 0
        assert capsys.readouterr().out.endswith(f"Figure: ./{path}\n")
        assert Path(path).read_bytes().startswith(b"\x89PNG")
    Path(path).write_bytes(b"mine")
    assert biosnn("show", "stdp_pair", "--figure", *where) == 2
    assert f"{path}: exists, and is no such figure." in capsys.readouterr().err
    assert Path(path).read_bytes() == b"mine"


@pytest.mark.parametrize("kind", ["neuron", "synapse"])
def test_a_new_model_can_be_shown(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert biosnn("new", "model", "mine", "--kind", kind, "--dir", "deep/er") == 0
    assert biosnn("show", "deep/er/mine.toml", "--figure") == 0
    assert f"mine ({kind} model)" in capsys.readouterr().out
    assert biosnn("new", "model", "mine", "--dir", "deep/er") == 2
    assert biosnn("new", "model", "my-own") == 2


MODEL = """kind = "neuron"
name = "mine"
summary = "A cell."
source = "A test"
equations = "dv/dt = -v/tau : 1"
method = "euler"
[parameters]
tau = { value = "10 ms", meaning = "time constant" }
[initial]
v = "1"
"""


@pytest.mark.parametrize("kind", ["neuron", "synapse"])
def test_a_model_can_be_checked_by_its_file(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert biosnn("new", "model", "mine", "--kind", kind) == 0
    assert biosnn("check", "./mine.toml") == 0
    out = capsys.readouterr().out
    assert f"✓ pass  mine ({kind} model)" in out
    assert "run for 10 ms on the target numpy" in out
    assert [path.name for path in Path().iterdir()] == ["mine.toml"]
    assert biosnn("check", "./mine.toml", "tau=3 ms") == 2
    assert "./mine.toml: is a model, which takes no settings" in capsys.readouterr().err


def test_a_model_can_be_checked_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert biosnn("check", "stdp_pair") == 0
    assert "✓ pass  stdp_pair (synapse model)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("10 ms", "10 mss", "Did you mean 'ms'?"),
        ("-v/tau", "v**2/tau", "v of mine, model mine is infinite after the run"),
        ("-v/tau : 1", "-v/tau*sin(v) : 1", "turned into code. UnsupportedEquationsException"),
    ],
)
def test_a_model_that_fails_its_check_is_told_why(
    old: str, new: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = MODEL.replace(old, new).replace('v = "1"', 'v = "1e9"')
    Path("mine.toml").write_text(text.replace("euler", "exact") if "sin" in new else text)
    assert biosnn("check", "mine.toml") == 1
    captured = capsys.readouterr()
    assert captured.out.startswith("✗ fail  ")
    assert why in captured.out
    assert "Traceback" not in captured.out + captured.err


def test_a_model_file_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert biosnn("check", "./nowhere.toml") == 2
    assert "Model file './nowhere.toml' does not exist" in capsys.readouterr().err
