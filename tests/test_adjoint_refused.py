"""What cannot be differentiated is refused by name, with the reason; what only a surrogate gradient can do is told."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import adjoint_programs as programs
import numpy as np
import pytest
from numpy.testing import assert_allclose

from biosnn import catalogue
from biosnn.adjoint import adjoint, differentiable, symbol
from biosnn.errors import AdjointError
from biosnn.model import Input, NeuronModel, Parameter
from biosnn.model.expressions import identifiers

TEXTS: dict[str, Any] = {"equations": "dv/dt = (p - v)/tau : 1", "threshold": "v > v_th", "reset": "v = 0*p"}


def cell(**texts: Any) -> NeuronModel:
    """A leaky membrane, but for some of its texts."""
    given = {**TEXTS, **texts}
    words = identifiers("\n".join(map(str, given.values())))
    values = {"tau": "20 ms", "v_th": "1", "p": "0.5", "period": "2 ms"}
    parameters = {name: Parameter(value, "m") for name, value in values.items() if name in words}
    return NeuronModel(name="cell", summary="s", source="s", parameters=parameters, **given)


def flow(right: str, **texts: Any) -> dict[str, Any]:
    """A membrane with another right side."""
    return {"equations": f"dv/dt = ({right} - v)/tau : 1", "reset": "v = 0", **texts}


HELD = "dv/dt = (p - v)/tau : 1 (unless refractory)"

REFUSED: list[tuple[dict[str, Any], str]] = [
    (flow("sqrt(tau)*xi"), "equations, v: has noise (xi), which is another one in each run. Leave the noise out"),
    (flow("rand()"), "dv/dt: rand() is drawn at random"),
    ({"reset": "v = p*randn()"}, "reset, v: randn() is drawn at random"),
    ({"initial": {"v": "rand()*v_th"}}, "initial.v: 'rand()*v_th' draws at random what v_th matters to"),
    ({"threshold": "v > v_th or v > 2"}, "threshold: 'v > v_th or v > 2' is no crossing from below"),
    ({"threshold": "v == v_th"}, "threshold: 'v == v_th' is no crossing from below"),
    ({"threshold": "not v < v_th"}, "is no crossing from below, of which a spike's time follows. Write one comparison"),
    ({"threshold": "v > v_th and v > p"}, "threshold: 'v > v_th and v > p' compares more than one thing"),
    ({"threshold": "v > v_th and t > 1*ms"}, "compares more than one thing"),
    ({"threshold": "v > v_th*t/tau"}, "threshold: 'v > v_th*t/tau' depends on the time itself"),
    ({"threshold": "p > v_th"}, "threshold: 'p > v_th' depends on no state variable"),
    ({"equations": TEXTS["equations"] + "\nn : integer", "reset": "n += 1"}, "equations, n: is integer, which has no"),
    (
        {"equations": TEXTS["equations"] + "\nb : boolean", "reset": "b = True"},
        "equations, b: is boolean, which has no",
    ),
    (
        {"equations": HELD, "refractory": "v > v_th"},
        "refractory: 'v > v_th' is a condition, whose end has no derivative",
    ),
    (
        {"equations": TEXTS["equations"] + "\ns = floor(v) : 1", "spike_value": "s"},
        "spike_value: what a spike carries, s, changes in whole numbers",
    ),
    ({"refractory": "v > 2*v_th"}, "refractory: 'v > 2*v_th' is a condition"),
    ({"refractory": "v*period"}, "refractory: 'v*period' depends on v, which changes"),
    (flow("floor(v)"), "floor of the state variable v has no derivative. Write it with functions that are smooth"),
    (flow("ceil(v)"), "ceil of the state variable v has no derivative"),
    (flow("clip(v, 0, p)"), "clip of the state variable v has no derivative"),
    (flow("sign(v)"), "sign of the state variable v has no derivative"),
    (flow("v % p"), "% of the state variable v has no derivative"),
    (flow("int(v > p)"), "dv/dt: int of the state variable v has no derivative"),
    ({"reset": "v = p*int(v > 2)"}, "reset, v: int of the state variable v has no derivative"),
    ({"threshold": "v + floor(v) > v_th"}, "threshold: floor of the state variable v has no derivative"),
    (flow("dt/tau"), "equations, dv/dt: dt is the time step: a derivative would hold for one step only"),
    (flow("(t - lastspike)/tau", refractory="period"), "dv/dt: lastspike is the time of the spike before"),
    (flow("i"), "dv/dt: i is a neuron's number"),
    (flow("N"), "dv/dt: N is the size of a group"),
    (flow("s", equations="dv/dt = (s - v)/tau : 1\ns = v*p : 1 (constant over dt)"), "s: is 'constant over dt'"),
    ({"method": "gsl_rkf45"}, "method: 'gsl_rkf45' chooses its steps while it runs"),
    (flow("v**2", method="exact"), "method: 'exact' does not take these equations"),
    ({"equations": "since = t/tau : 1", "threshold": "since > v_th", "reset": ""}, "has no differential equation"),
]


@pytest.mark.parametrize(("texts", "why"), REFUSED, ids=[why[:50] for _, why in REFUSED])
def test_what_has_no_derivative_is_refused_by_name(texts: dict[str, Any], why: str) -> None:
    with pytest.raises(AdjointError) as raised:
        differentiable(cell(**texts))
    assert str(raised.value).startswith("NeuronModel 'cell'")
    assert why in str(raised.value)


def test_a_method_of_many_stages_may_make_expressions_that_are_too_large() -> None:
    with pytest.raises(AdjointError, match="'rk4' makes expressions too large to differentiate"):
        adjoint(replace(catalogue.neuron_model("adex"), method="rk4"))


def test_the_catalogue_is_derived_but_for_models_that_are_refused_with_a_reason() -> None:
    why = {}
    for name in catalogue.neuron_names():
        try:
            programs.of(name)
        except AdjointError as error:
            why[name] = str(error)
    encoders = {name for name in catalogue.neuron_names() if name.startswith("encoder_")}
    noisy = {"binary", "if_hard_noisy", "izhikevich_varied", "lif_alpha", "lif_noisy", "lif_psc_stp", "lif_signal"}
    noisy |= {"poisson_signal"}
    graded = {"if_signed", "if_burst", "graded_relay"}
    assert why.keys() == encoders | noisy | graded | {"adex_clopath", "relu_first_spike"}


def test_a_surrogate_gradient_is_left_where_an_arriving_spike_crosses_the_threshold() -> None:
    a = programs.of("lif")
    assert a.exact_refused is None
    assert "inputs.v: an arriving spike moves v across the threshold at once" in a.arrivals_refused["v"]
    assert a.threshold_gradient["v"] == 1
    assert programs.of("lif_exp").arrivals_refused == {}
    assert programs.of("integrator").arrivals_refused == {}, "it never spikes"


def test_a_silent_time_longer_than_the_refractory_period_leaves_a_surrogate_gradient() -> None:
    model = catalogue.neuron_model("lif_adaptive")
    assert programs.of("lif_adaptive").exact_refused is None
    a = adjoint(model.with_values("published_code"))
    assert a.exact_refused is not None
    assert "spikes t_silent after its last spike, and not when it crosses the threshold" in a.exact_refused
    assert a.silent == symbol("t_silent")


def test_each_crossing_is_a_spike_where_the_neuron_is_refractory_as_long_as_it_is_above() -> None:
    a = programs.of("hodgkin_huxley")
    assert a.rearmed_below
    assert a.refractory is None
    assert not programs.of("lif_exp").rearmed_below


def test_parameters_without_a_gradient_are_named_with_the_reason() -> None:
    a = adjoint(cell(**flow("floor(p)*v_th")))
    assert a.parameters == ("tau", "v_th")
    assert "dv/dt: is inside floor, which has no derivative" in a.untrainable["p"]
    with pytest.raises(AdjointError, match="p has no gradient"):
        a.kept_every_step(["p"])
    with pytest.raises(AdjointError, match="Did you mean 'tau'"):
        a.kept_every_step(["taw"])
    with pytest.raises(AdjointError, match="No variable that spikes add to named 'v'"):
        a.arrival_error("v")


def test_a_threshold_may_be_written_either_way() -> None:
    v, v_th = symbol("v"), symbol("v_th")
    for text in ("v > v_th", "v >= v_th", "v_th < v", "v_th <= v"):
        assert adjoint(cell(threshold=text)).threshold == v - v_th


# ---- names that mean something else to computer algebra ------------------------------------------------------------

NAMES = ["I", "E", "S", "lam", "beta", "gamma", "re", "m_E", "E"]


@pytest.mark.parametrize("method", ["exact", "euler", "exponential_euler", "rk4"])
def test_variables_may_have_names_that_computer_algebra_has(method: str) -> None:
    for first, second in pairwise(NAMES):
        model = NeuronModel(
            name="cell", summary="s", source="s", method=method, threshold=f"{first} > 1", reset=f"{first} = {second}",
            equations=f"d{first}/dt = ({second} - {first})/pi_ : 1\nd{second}/dt = -{second}/pi_ : 1",
            parameters={"pi_": Parameter("10 ms", "m")}, inputs={second: Input("spikes", "m")},
        )  # fmt: skip
        a = adjoint(model)
        assert a.states == (first, second)
        values = {first: 0.3, second: 0.8, "pi_": 0.01, "dt": 1e-4}
        x = 0.01
        exact = np.exp(-x) * np.array([0.3 + 0.8 * x, 0.8])
        found = programs.numbers([a.step[first], a.step[second]], values)
        assert_allclose(found, exact, rtol=5e-4 if method in ("euler", "exponential_euler") else 1e-10)
        slope = programs.numbers([a.step_jacobian[first, second]], values)
        assert_allclose(slope, x * np.exp(-x), rtol=0.02 if method in ("euler", "exponential_euler") else 1e-8)
        assert a.reset[first] == symbol(second)
