"""The adjoint as a text, at the command line."""

from __future__ import annotations

from pathlib import Path

import adjoint_programs as programs
import pytest
from cli_user import biosnn, elsewhere  # noqa: F401

from biosnn.adjoint import adjoint, text
from biosnn.model import NeuronModel, Parameter

LIF_EXP = """\
Backwards in time through lif_exp: lambda_x is what the loss L changes by with x.

between spikes, in continuous time
    dlambda_v/dt = lambda_v/(C*R)
    dlambda_I_exc/dt = lambda_I_exc/tau_exc - lambda_v/C
    dlambda_I_inh/dt = lambda_I_inh/tau_inh + lambda_v/C

between spikes, back over a step dt of 'exact'
    c1 = dt/C
    c2 = -c1/R
    c3 = -dt/tau_exc
    c4 = c1*lambda_v
    c5 = -dt/tau_inh
    lambda_v <- lambda_v*exp(c2)
    lambda_I_exc <- c4*expdiff(c2, c3) + lambda_I_exc*exp(c3)
    lambda_I_inh <- -c4*expdiff(c2, c5) + lambda_I_inh*exp(c5)

back over a step while refractory (v held)
    lambda_I_exc <- lambda_I_exc*exp(-dt/tau_exc)
    lambda_I_inh <- lambda_I_inh*exp(-dt/tau_inh)

at a spike, back through the reset (state before it, lambda after it)
    gdot = (R*(I + I_exc - I_inh) - v + v_rest)/(C*R)
    B = err
    lambda_v <- -B/gdot
    err: sent back by targets + dL/dt of the spike + that of the end of refractoriness

at the end of refractoriness
    t_ref after a spike: err of that spike += -lambda_v*(R*(I + I_exc - I_inh) - v + v_rest)/(C*R)

at an arriving spike
    of a weight onto I_exc: dL/dweight += lambda_I_exc
        sent back to whoever spiked: err += lambda_I_exc*weight/tau_exc - lambda_v*weight/C
        while refractory: err += lambda_I_exc*weight/tau_exc
    of a weight onto I_inh: dL/dweight += lambda_I_inh
        sent back to whoever spiked: err += lambda_I_inh*weight/tau_inh + lambda_v*weight/C
        while refractory: err += lambda_I_inh*weight/tau_inh
"""


def test_show_prints_the_adjoint_of_a_neuron(capsys: pytest.CaptureFixture[str]) -> None:
    assert biosnn("show", "lif_exp", "--adjoint") == 0
    out = capsys.readouterr().out
    assert out.startswith(LIF_EXP)
    for line in (
        "dL/dv_th = at each spike B/gdot",
        "dL/dv_reset = at each spike lambda_v; at the start lambda_v",
        "dL/dtau_exc = integral of I_exc*lambda_I_exc/tau_exc**2 dt",
        "at every step: nothing",
        "    to train tau_exc: I_exc too",
        "before each reset: v, I_exc, I_inh",
        "expdiff(x, y) = (exp(x) - exp(y))/(x - y)",
    ):
        assert f"    {line}" in out


def test_what_only_a_surrogate_gradient_can_do_is_said() -> None:
    written = text(programs.of("adex"))
    assert "only with a surrogate gradient\n    NeuronModel 'adex'.inputs.v: an arriving spike moves v" in written
    assert "dL/dt_silent: none (only says how soon" in text(programs.of("lif_adaptive"))


def test_numbers_of_a_text_are_short_and_its_words_are_not_those_of_the_model() -> None:
    written = text(programs.of("hodgkin_huxley"))
    assert "0000000" not in written.replace("100000000", "").replace("7000000", "").replace("1000000", "")
    # AdEx has a variable w: a weight has another name.
    assert "dL/dweight" in text(programs.of("adex"))


def test_words_of_the_model_come_first() -> None:
    model = NeuronModel(
        name="cell", summary="s", source="s", equations="dB/dt = (err - B)/tau : 1\nlambda_B : 1\nc1 : 1",
        threshold="B > 1 + lambda_B", reset="B = c1*B**3",
        parameters={"err": Parameter("2", "m"), "tau": Parameter("1 ms", "m")},
    )  # fmt: skip
    written = text(adjoint(model))
    assert "\n    B_ = err_ + lambda_B_*" in written
    assert "\n    lambda_B_ <- 3*B**2*c1*lambda_B_ - B_/gdot" in written


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("static",), "static: is a synapse model, and only a neuron model has an adjoint."),
        (("vanishing",), "vanishing: is a study, and only a neuron model"),
        (("digits_mlp",), "digits_mlp: is a network, and only a neuron model"),
        (("lif_noisy",), "NeuronModel 'lif_noisy'.equations, v: has noise (xi)"),
        (("lif_exp", "--figure"), "--adjoint: prints a text, and draws no figure."),
        (("lif_exp", "--out", "a.png"), "Leave out --figure and --out."),
        (("lif_exq",), "Did you mean 'lif_exp'?"),
        (("./nowhere.toml",), "does not exist"),
    ],
)
def test_what_has_no_adjoint_is_told_why(words: tuple[str, ...], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert biosnn("show", *words, "--adjoint") == 2
    assert why in capsys.readouterr().err
    assert list(Path().iterdir()) == []
