"""What `biosnn show MODEL --figure` draws, what it says that it assumed, and what it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cli_user import biosnn as command
from cli_user import elsewhere  # noqa: F401

import biosnn
from biosnn.errors import ModelError
from biosnn.report import preview, preview_synapse
from biosnn.report.preview import draw_preview


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Draw a model, and give the axes and what was said."""

    def draw(model: Any, *how: str) -> Any:
        kept: list[Any] = []

        def made(*given: Any, **options: Any) -> Any:
            figure, axes = figures(*given, **options)
            kept.append(axes if not hasattr(axes, "flat") else axes.flat[0])
            return figure, axes

        figures = preview.new_figure
        for module in (preview, preview_synapse):
            monkeypatch.setattr(module, "new_figure", made)
        said = draw_preview(model, tmp_path / "x.png", *how)
        monkeypatch.undo()
        return kept[0], " ".join(said)

    return draw


def test_the_variable_of_the_threshold_is_drawn(drawn: Any) -> None:
    model = biosnn.NeuronModel(
        name="two",
        summary="A membrane that is seen by another.",
        source="A test",
        equations="dv/dt = (I - v)/tau : 1\ndy/dt = (2*v - y)/tau : 1",
        threshold="y > 1",
        reset="v = 0; y = 0",
        parameters={"tau": biosnn.Parameter("10 ms", "time constant")},
        inputs={"I": biosnn.Input("value", "drive", "0")},
    )
    axes, said = drawn(model, "3", "30 ms")
    assert axes.get_ylabel() == "y"
    assert max(axes.lines[0].get_ydata()) == pytest.approx(1.0, abs=0.1)
    assert said == "I = 3 for 30 ms; all else as the model has it, at a time step of 0.1 ms."


def test_a_drive_and_a_duration_are_taken(drawn: Any) -> None:
    axes, said = drawn(biosnn.neuron_model("lif"), "I = 0.5 nA", "30 ms")
    assert "I = 500 pA while shaded, 3 spikes" in axes.get_title(loc="left")
    assert said.startswith("I = 500 pA for 30 ms; all else")
    assert axes.lines[0].get_xdata()[-1] == pytest.approx(20 + 30 + 30, abs=0.2)
    axes, said = drawn(biosnn.neuron_model("lif"), "v = 20 mV", "12 ms")
    assert "v + 20 mV every 5 ms" in said


def test_without_a_drive_it_is_said_how_one_was_found(drawn: Any) -> None:
    _, said = drawn(biosnn.neuron_model("lif"), "", "120 ms")
    assert said.startswith("I = 0.3 nA for 120 ms, the weakest drive tried that gives 5 spikes;")
    _, said = drawn(biosnn.neuron_model("lif"), "", "1 ms")
    assert "No drive of those tried gives 5 spikes; this is the strongest. Give --drive." in said


def test_a_neuron_without_a_threshold_is_drawn(drawn: Any) -> None:
    axes, said = drawn(biosnn.neuron_model("leaky_readout"), "", "12 ms")
    assert len(axes.lines[0].get_xdata()) > 100
    assert "spikes" not in said


def rule(**changes: Any) -> biosnn.SynapseModel:
    fields: dict[str, Any] = {
        "name": "over",
        "summary": "A rule.",
        "source": "A test",
        "equations": "w : 1",
        "on_post": "w += 0.1*w_max*x",
        "parameters": {
            "tau": biosnn.Parameter("20 ms", "time constant"),
            "w_max": biosnn.Parameter("0.7", "upper bound"),
        },
        "traces": {"x": biosnn.Trace("pre", "dx/dt = -x/tau : 1", "x += 1", "trace")},
    }
    return biosnn.SynapseModel(**{**fields, **changes})


def test_a_weight_beyond_its_bound_is_flagged(drawn: Any) -> None:
    """Six pairs at no lag add 10 % of w_max each, and a little more of those before."""
    axes, said = drawn(rule(), "", "600 ms")
    assert "CAUTION: the weight goes beyond w_max = 0.7, to 0.77" in said
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["w beyond w_max"]
    axes, said = drawn(rule(on_post="w = clip(w + 0.1*w_max*x, 0, w_max)"), "", "600 ms")
    assert "CAUTION" not in said
    assert axes.get_legend() is None
    assert "6 pairs of spikes, one each 100 ms, at a weight of 0.35." in said


def test_a_rule_that_reads_the_membrane_sees_the_shape_of_a_spike(drawn: Any) -> None:
    """Depression by a presynaptic spike from -55 mV on the way to -70 mV, and by one on the spike itself."""
    model = rule(on_post="", on_pre="w -= 1e-3*(v_post + 70*mV)/mV", uses={"v_post": "volt"}, traces={}, parameters={})
    axes, said = drawn(model, "", "100 ms")
    assert "v_post: at each spike 30 mV for 2 ms, then from -55 mV back to -70 mV with 10 ms, unfiltered." in said
    assert "biosnn run stdp-window rules=over neuron=MODEL" in said
    lags, change = axes.lines[2].get_data()
    at = dict(zip(lags, change, strict=True))
    assert at[20.0] == pytest.approx(0, abs=1e-9), "the presynaptic spike comes first"
    assert at[-1.0] == pytest.approx(-0.1, rel=1e-6)
    assert at[-12.0] == pytest.approx(-0.015 * 2.718281828**-1, rel=1e-6)


def test_what_neurons_get_otherwise_than_by_a_gain_is_drawn(drawn: Any) -> None:
    axes, said = drawn(biosnn.synapse_model("gap_junction"), "", "100 ms")
    assert axes.get_ylabel() == "I_gap_post (pA)"
    assert max(axes.lines[0].get_ydata()) == pytest.approx(100), "1 nS and the 100 mV of a spike"
    assert "v_pre, v_post: at each spike" in said
    axes, said = drawn(biosnn.synapse_model("nmda_gating"), "", "100 ms")
    assert axes.get_ylabel() == "s_nmda_post"
    assert said == "2 presynaptic spikes, one each 50 ms, and none postsynaptic."


def test_a_synapse_that_does_nothing_has_no_figure(tmp_path: Path) -> None:
    model = biosnn.SynapseModel("still", "Nothing.", "A test", "c : 1", transmits="")
    with pytest.raises(ModelError, match="still: no weight w changes and nothing is transmitted"):
        draw_preview(model, tmp_path / "x.png")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("lif", "--figure", "--drive", "J = 1 nA"), "--drive: No input named 'J'. Valid names: I, v"),
        (("lif", "--figure", "--drive", "1 mV"), "--drive, I: 1 mV: expected a quantity in amp"),
        (("lif", "--figure", "--drive", "much"), "--drive, I: Quantity 'much': expected a number and a unit"),
        (("stdp_pair", "--figure", "--drive", "1 nA"), "--drive: expected a neuron model, which alone has a drive"),
        (("lif", "--figure", "--duration", "0 ms"), "--duration: expected a time up to 100. s, and longer than 0"),
        (("lif", "--figure", "--duration", "1 hour"), "--duration: Unit 'hour'"),
        (("lif", "--duration", "1 ms"), "--duration: is for the figure of a model. Give --figure as well."),
        (("stdp-window", "--figure", "--drive", "1 nA"), "--drive: is for the figure of a model, and stdp-window is"),
        (("lif", "--adjoint", "--drive", "1 nA"), "--adjoint: prints a text, and draws no figure."),
    ],
)
def test_wrong_drives_and_durations_are_refused(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert command("show", *arguments) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.iterdir())


def test_the_command_says_what_was_assumed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert command("show", "lif", "--figure", "--drive", "0.5 nA", "--duration", "10 ms") == 0
    assert "I = 500 pA for 10 ms; all else as the model has it" in capsys.readouterr().out
    assert (tmp_path / "lif.png").exists()
