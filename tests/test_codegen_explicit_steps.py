"""Steps of explicit methods are derived once, and are those of Brian2."""

from __future__ import annotations

from typing import Any

import pytest
from brian2 import Equations, Network, NeuronGroup, euler, heun, milstein, ms, rk2, rk4
from brian2.stateupdaters.base import UnsupportedEquationsException

import biosnn
from biosnn import catalogue
from biosnn.codegen import explicit_steps

NOISY = "dv/dt = -v/(10*ms) + xi*(10*ms)**-0.5 : 1"


@pytest.fixture
def derived(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
    """The methods and equations of which Brian2 derives a step."""
    found: list[tuple[Any, Any]] = []
    brians = explicit_steps._brians

    def watched(method: Any, eqs: Any, variables: Any, options: Any) -> Any:
        found.append((method, eqs))
        return brians(method, eqs, variables, options)

    monkeypatch.setattr(explicit_steps, "_DERIVED", type(explicit_steps._DERIVED)())
    monkeypatch.setattr(explicit_steps, "_brians", watched)
    return found


@pytest.mark.parametrize("method", [euler, rk2, rk4], ids=["euler", "rk2", "rk4"])
@pytest.mark.parametrize("name", ["lif_exp", "adex", "izhikevich"])
def test_a_step_is_brians_the_first_time_and_the_second(method: Any, name: str, derived: list[Any]) -> None:
    text = catalogue.neuron_model(name).equations
    expected = explicit_steps._brians(method, Equations(text), None, None)
    derived.clear()
    assert method(Equations(text)) == method(Equations(text)) == expected
    assert len(derived) == 1


def test_what_differs_is_derived_by_itself(derived: list[Any]) -> None:
    one, other = Equations("dv/dt = -v/(10*ms) : 1"), Equations("dv/dt = -v/(20*ms) : 1")
    by_name = Equations("dv/dt = -rate*v : 1\nrate = 1/(10*ms) : Hz")
    noisy = Equations(NOISY)
    steps = [euler(one), euler(other), rk2(one), euler(by_name), euler(noisy), euler(one)]
    assert len(derived) == 5
    assert len({steps[k] for k in (0, 1, 2, 4)}) == 4
    assert "randn()" in steps[4]


def test_what_depends_on_more_than_the_text_is_asked_of_brian_each_time(derived: list[Any]) -> None:
    multiplicative = Equations("dv/dt = -v/(10*ms) + v*xi*(10*ms)**-0.5 : 1")
    for _ in range(2):
        with pytest.raises(UnsupportedEquationsException):
            euler(multiplicative, {})
        assert "randn()" in milstein(multiplicative, {})
        assert "randn()" in heun(multiplicative, {})
    assert len(derived) == 6
    for _ in range(2):
        with pytest.raises(UnsupportedEquationsException, match="stochastic"):
            rk4(Equations(NOISY))


def test_groups_of_a_session_share_a_step(derived: list[Any]) -> None:
    with biosnn.session("numpy", dt=0.1 * ms) as sim:
        cells = [NeuronGroup(2, "dv/dt = -v/(10*ms) : 1", method="rk4", name=f"cells_{k}") for k in range(3)]
        sim.run(Network(*cells), 1 * ms)
    assert len(derived) == 1
