"""Spikes backwards: gradients of spike times, against closed forms and an event-driven oracle.

Between spikes one exact step is as long as it has to be, so that spike times are those of the equations, to all digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import adjoint_programs as programs
import numpy as np
import pytest
import sympy
from scipy.linalg import expm
from scipy.optimize import brentq

from biosnn.adjoint import ERROR, JUMP, SLOPE, WEIGHT, Adjoint, adjoint, lambda_of, symbol
from biosnn.model import Input, NeuronModel, Parameter
from biosnn.model.expressions import identifiers

MS = 1e-3


DEFAULTS = {"tau": "20 ms", "tau_m": "20 ms", "tau_s": "10 ms", "v_th": "1", "v_reset": "0", "t_ref": "4 ms"}


def cell(equations: str, **more: Any) -> NeuronModel:
    """A neuron in plain numbers, whose parameters are what its texts name."""
    given = {"threshold": "v > v_th", "reset": "v = v_reset", **more}
    named = identifiers("\n".join([equations, *(text for text in given.values() if isinstance(text, str))]))
    parameters = {name: Parameter(value, "m") for name, value in DEFAULTS.items() if name in named}
    return NeuronModel(name="cell", summary="s", source="s", equations=equations, parameters=parameters, **given)


DRIVEN = {"inputs": {"I": Input("value", "drive", "2")}, "method": "exact"}
FED = {"inputs": {"I": Input("spikes", "current")}, "method": "exact"}


@cache
def lif(kind: str) -> Adjoint:
    """A membrane with a constant drive or a current; ``resting``: one that is refractory after a spike."""
    if kind == "driven":
        return adjoint(cell("dv/dt = (I - v)/tau : 1", **DRIVEN))
    flag = " (unless refractory)" if kind == "resting" else ""
    rest = {"refractory": "t_ref"} if flag else {}
    return adjoint(cell(f"dv/dt = (I - v)/tau_m : 1{flag}\ndI/dt = -I/tau_s : 1", **FED, **rest))


class Backwards:
    """The adjoints of a neuron on their way back, and the gradient that they have left behind."""

    def __init__(self, a: Adjoint, values: Mapping[str, float]) -> None:
        self.a, self.values = a, dict(values)
        self.adjoints = dict.fromkeys(a.states, 0.0)
        self.gradient = dict.fromkeys((*a.parameters, *a.inputs), 0.0)

    def spike(self, x: Mapping[str, float], error: float) -> None:
        """Go back through a spike, whose state before the reset is x."""
        known = {**self._known(x), str(ERROR): error}
        jump = self.a.spike_jump
        assert jump is not None
        known[str(SLOPE)] = programs.numbers([jump.slope], known)[0]
        known[str(JUMP)] = programs.numbers([jump.jump], known)[0]
        self._add(dict(zip(jump.parameters, programs.numbers(list(jump.parameters.values()), known), strict=True)))
        self.adjoints = dict(zip(jump.before, programs.numbers(list(jump.before.values()), known), strict=True))

    def release(self, x: Mapping[str, float]) -> float:
        """What the end of a refractory period adds to the error of the spike before."""
        known = self._known(x)
        (error,) = programs.numbers([self.a.release], known)
        slopes = programs.numbers(list(self.a.refractory_parameters.values()), known)
        self._add({name: error * slope for name, slope in zip(self.a.refractory_parameters, slopes, strict=True)})
        return error

    def arrival(self, x: Mapping[str, float], onto: str, weight: float) -> float:
        """What an arriving spike sends back."""
        return programs.numbers([self.a.arrival_error(onto)], {**self._known(x), str(WEIGHT): weight})[0]

    def step(self, x: Mapping[str, float], dt: float, *, held: bool = False) -> None:
        """Go back over a step, however long, that began at x."""
        known = {**self._known(x), "dt": dt}
        by = self.a.step_held_parameters if held else self.a.step_parameters
        for (to, name), slope in zip(by, programs.numbers(list(by.values()), known), strict=True):
            self._add({name: self.adjoints[to] * slope})
        jacobian = self.a.step_held_jacobian if held else self.a.step_jacobian
        before = dict.fromkeys(self.a.states, 0.0)
        for (to, name), slope in zip(jacobian, programs.numbers(list(jacobian.values()), known), strict=True):
            before[name] += self.adjoints[to] * slope
        self.adjoints = before

    def _known(self, x: Mapping[str, float]) -> dict[str, float]:
        return {**self.values, **x, **{str(lambda_of(name)): one for name, one in self.adjoints.items()}}

    def _add(self, terms: Mapping[str, float]) -> None:
        for name, term in terms.items():
            self.gradient[name] += term


def test_a_constant_drive_moves_the_third_spike_by_its_closed_form() -> None:
    back = Backwards(lif("driven"), {"tau": 20 * MS, "v_th": 1, "v_reset": 0, "I": 2})
    for k in range(3):
        back.spike({"v": 1}, error=float(k == 0))
        back.step({"v": 0}, 13.8629436112 * MS)
    assert back.gradient["I"] == pytest.approx(-30 * MS, rel=1e-10)  # -10 ms per spike
    assert back.gradient["tau"] == pytest.approx(3 * np.log(2), rel=1e-10)
    assert back.gradient["v_th"] == pytest.approx(3 * 20 * MS, rel=1e-10)  # t = tau ln((I - v_reset)/(I - v_th))
    assert back.gradient["v_reset"] == pytest.approx(-2 * 10 * MS, rel=1e-10), (
        "the first begins at 0, which is no reset"
    )


def membrane(t: float, v: float, current: float, tau_m: float, tau_s: float) -> float:
    """The potential after a time, of a membrane that a decaying current drives."""
    part = current * tau_s / (tau_m - tau_s)
    return float(v * np.exp(-t / tau_m) + part * (np.exp(-t / tau_m) - np.exp(-t / tau_s)))


ONE_INPUT = [  # tau_m, tau_s in ms, weight, time of the spike in ms, its slope by the weight in ms
    (20, 10, 5, 6.4701426231, -2.4721359550),
    (20, 10, 6, 4.7480157230, -1.2200846793),
    (10, 10, 4, 3.5740295618, -1.3904629645),
]


def one_input(tau_m: float, tau_s: float, weight: float, t: float, error: float = 1.0) -> Backwards:
    """A cell that one spike at time 0 makes fire at a time in ms, backwards to time 0."""
    back = Backwards(lif("fed"), {"tau_m": tau_m * MS, "tau_s": tau_s * MS, "v_th": 1, "v_reset": 0})
    back.spike({"v": 1, "I": weight * np.exp(-t / tau_s)}, error)
    back.step({"v": 0, "I": weight}, t * MS)
    return back


@pytest.mark.parametrize(("tau_m", "tau_s", "weight", "t", "slope"), ONE_INPUT)
def test_a_weight_moves_a_spike_by_its_closed_form(
    tau_m: float, tau_s: float, weight: float, t: float, slope: float
) -> None:
    back = one_input(tau_m, tau_s, weight, t)
    assert back.adjoints["I"] == pytest.approx(slope * MS, rel=1e-9)
    # A time in other units: all of them scale together. And only the quotient of weight and threshold matters.
    assert tau_m * back.gradient["tau_m"] + tau_s * back.gradient["tau_s"] == pytest.approx(t, rel=1e-9)
    assert weight * back.adjoints["I"] + back.gradient["v_th"] == pytest.approx(0, abs=1e-12)
    assert back.gradient["v_reset"] == 0


def test_what_an_arriving_spike_sends_back_moves_the_spike_of_the_cell_before() -> None:
    # A chain of two, weights 5 and 6: the second fires at 11.2181583462 ms, and dT2/dw1 = -2.4721359550.
    second = one_input(20, 10, 6, 4.7480157230)
    error = second.arrival({"v": 0, "I": 0}, "I", 6)
    assert error == pytest.approx(1, rel=1e-9), "the second fires as much later as its input comes"
    assert one_input(20, 10, 5, 6.4701426231, error).adjoints["I"] == pytest.approx(-2.4721359550 * MS, rel=1e-9)


def slope_of_the_third_spike(steps: int) -> float:
    """How a constant drive moves the third spike of a quadratic cell, by so many steps a period."""
    a, period = programs.of("qif"), 24.8054948474 * MS
    values = {**programs.parameter_values(a), "I": 1.0, "dt": period / steps}
    names = [*a.states, *values]
    forward = programs.function([a.step[name] for name in a.states], names)
    jacobian = programs.function(list(a.step_jacobian.values()), names)
    by_drive = programs.function([a.step_parameters["v", "I"]], names)
    path = [[-2.0, 0.0]]
    for _ in range(steps):
        path.append(forward(*path[-1], *values.values()))
    back = Backwards(a, values)
    for k in range(3):
        back.spike(dict(zip(a.states, path[-1], strict=True)), error=float(k == 0))
        for x in reversed(path[:-1]):
            back.gradient["I"] += back.adjoints["v"] * by_drive(*x, *values.values())[0]
            before = dict.fromkeys(a.states, 0.0)
            for (to, of), slope in zip(a.step_jacobian, jacobian(*x, *values.values()), strict=True):
                before[of] += back.adjoints[to] * slope
            back.adjoints = before
    return back.gradient["I"]


def test_the_third_spike_of_a_quadratic_cell_moves_by_three_periods() -> None:
    coarse, fine = (slope_of_the_third_spike(steps) / (3 * MS) + 15.3642859 for steps in (500, 1000))
    assert abs(fine) < 4e-3
    assert coarse / fine == pytest.approx(4, abs=0.1), "a method of the second order"


# ---- an oracle with two spikes, a current that goes on, and refractoriness -----------------------------------------


def second_spike(p: Mapping[str, float]) -> tuple[float, float]:
    """The times of the first two spikes of a cell that gets a weight of w at time 0."""
    tau_m, tau_s = p["tau_m"], p["tau_s"]
    peak = tau_m * tau_s / (tau_m - tau_s) * np.log(tau_m / tau_s)
    first = brentq(lambda t: membrane(t, 0, p["w"], tau_m, tau_s) - p["v_th"], 0, peak, xtol=1e-17, rtol=1e-15)
    begin = first + p.get("t_ref", 0)
    current = p["w"] * np.exp(-begin / tau_s)
    more = brentq(
        lambda t: membrane(t, p["v_reset"], current, tau_m, tau_s) - p["v_th"], 0, 9 * MS, xtol=1e-17, rtol=1e-15
    )
    return first, begin + more


@pytest.mark.parametrize("kind", ["fed", "resting"])
def test_a_second_spike_moves_as_an_event_driven_oracle_has_it(kind: str) -> None:
    values = {"tau_m": 20 * MS, "tau_s": 10 * MS, "v_th": 1.0, "v_reset": 0.1} | (
        {"t_ref": 4 * MS} if kind == "resting" else {}
    )
    p = {**values, "w": 15.0}
    first, second = second_spike(p)
    begin, back = first + p.get("t_ref", 0), Backwards(lif(kind), values)

    def current(t: float) -> float:
        return float(15 * np.exp(-t / (10 * MS)))

    back.spike({"v": 1, "I": current(second)}, error=1)
    back.step({"v": 0.1, "I": current(begin)}, second - begin)
    error = 0.0
    if kind == "resting":
        error = back.release({"v": 0.1, "I": current(begin)})
        assert error != 0
        back.step({"v": 0.1, "I": current(first)}, 4 * MS, held=True)
    back.spike({"v": 1, "I": current(first)}, error)
    back.step({"v": 0, "I": 15}, first)
    for name, slope in {**back.gradient, "w": back.adjoints["I"]}.items():
        h = 1e-5 * p[name]
        up, down = (second_spike({**p, name: p[name] + sign * h})[1] for sign in (1, -1))
        assert slope == pytest.approx((up - down) / (2 * h), rel=1e-8), name


# ---- resets and arrivals -------------------------------------------------------------------------------------------


def test_statements_of_a_reset_are_carried_out_one_after_another() -> None:
    model = cell(
        "dv/dt = (x - v)/tau : 1\ndx/dt = -x/tau : 1\nlast : second\ntwice = 2*x : 1",
        reset="x += v_th; y = twice + v; v = y*x; x *= 3; last = t",
    )
    a = adjoint(model)
    v, x, v_th = (symbol(name) for name in ("v", "x", "v_th"))
    assert a.states == ("v", "x", "last")
    assert sympy.expand(a.reset["x"] - 3 * (x + v_th)) == 0
    assert sympy.expand(a.reset["v"] - (2 * (x + v_th) + v) * (x + v_th)) == 0
    assert sympy.expand(a.reset_jacobian["v", "x"] - (4 * (x + v_th) + v)) == 0
    assert sympy.expand(a.reset_jacobian["v", "v"] - (x + v_th)) == 0
    assert ("x", "v") not in a.reset_jacobian
    assert sympy.expand(a.reset_parameters["v", "v_th"] - (4 * (x + v_th) + v)) == 0
    assert a.spike_jump is not None
    # A spike that comes later writes down a later time: its adjoint is a part of the error.
    assert sympy.diff(a.spike_jump.jump, lambda_of("last")) == 1


def test_a_soft_reset_lets_the_potential_through() -> None:
    a = adjoint(cell("dv/dt = (I - v)/tau : 1", reset="v -= v_th", **DRIVEN))
    assert a.spike_jump is not None
    # Reset and leak commute but for the step of the derivative: f(v - v_th) - f(v) = v_th/tau.
    assert sympy.simplify(a.spike_jump.jump - (ERROR - lambda_of("v") * symbol("v_th") / symbol("tau"))) == 0
    assert a.reset_jacobian["v", "v"] == 1


def test_a_spike_that_arrives_at_a_conductance_sends_back_what_it_changes() -> None:
    a = programs.of("lif_cond")
    v, E, C, tau = (symbol(name) for name in ("v", "E_exc", "C", "tau_exc"))
    expected = -lambda_of("v") * WEIGHT * (E - v) / C + lambda_of("g_exc") * WEIGHT / tau
    assert sympy.expand(a.arrival_error("g_exc") - expected) == 0
    assert sympy.expand(a.arrival_error("g_exc", held=True) - lambda_of("g_exc") * WEIGHT / tau) == 0
    assert a.kept_at_arrivals("g_exc") == {"v"}


def test_two_that_drive_each_other_rest_one_by_one() -> None:
    equations = "dv/dt = (x - v)/tau_m : 1 (unless refractory)\ndx/dt = (v - x)/tau_s - x/tau : 1"
    a = adjoint(cell(equations, refractory="t_ref", method="exact"))
    values = {"v": 0.3, "x": 0.8, "tau_m": 20 * MS, "tau_s": 10 * MS, "tau": 20 * MS, "dt": 5 * MS}
    free = expm(np.array([[-0.25, 0.25], [0.5, -0.75]])) @ [0.3, 0.8]
    assert programs.numbers([a.step["v"], a.step["x"]], values) == pytest.approx(free)
    assert a.step_held["v"] == symbol("v")
    assert programs.numbers([a.step_held["x"]], values) == pytest.approx([0.2 + 0.6 * np.exp(-0.75)])


def test_a_square_root_has_a_derivative() -> None:
    a = adjoint(cell("dv/dt = (sqrt(1 + v**2) - v)/tau : 1"))
    assert (
        sympy.simplify(a.flow_jacobian["v", "v"] - (symbol("v") / sympy.sqrt(1 + symbol("v") ** 2) - 1) / symbol("tau"))
        == 0
    )


def test_a_spike_that_arrives_at_a_potential_at_rest_is_lost() -> None:
    equations = "dv/dt = -v/tau_m : 1 (unless refractory)\ndx/dt = (v - x)/tau_s : 1"
    a = adjoint(cell(equations, refractory="t_ref", inputs={"v": Input("spikes", "input")}))
    assert a.arrival_error("v").has(lambda_of("x"))
    assert a.arrival_error("v", held=True) == 0


def test_only_what_is_read_is_kept() -> None:
    linear, conductance = programs.of("lif_exp"), programs.of("lif_cond")
    assert linear.kept_every_step() == set()
    assert linear.kept_every_step(["tau_exc"]) == {"I_exc"}
    assert linear.kept_every_step(["C"]) == {"v", "I_exc", "I_inh"}
    assert linear.kept_at_arrivals("I_exc") == set()
    assert conductance.kept_every_step() == {"v", "g_exc", "g_inh"}
    assert linear.kept_at_spikes() == {"v", "I_exc", "I_inh"}
    assert programs.of("leaky_readout").kept_at_spikes() == set()
