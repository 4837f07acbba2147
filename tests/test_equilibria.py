"""Vector fields from the text of a model, their Jacobians, equilibria and Hopf points, against closed forms."""

import numpy as np
import pytest

from biosnn.adjoint import vector_field
from biosnn.catalogue import neuron_model
from biosnn.errors import AdjointError, DataError
from biosnn.model import Input, NeuronModel, Parameter
from biosnn.quantity import parse_quantity
from biosnn.theory import equilibria, hopf_points

E, A, B = 0.08, 0.7, 0.8


@pytest.fixture(scope="module")
def fitzhugh_nagumo():
    model = NeuronModel(
        name="fitzhugh_nagumo",
        summary="FitzHugh & Nagumo.",
        source="FitzHugh 1961, doi:10.1016/S0006-3495(61)86902-6",
        equations="dv/dt = (v - v**3/3 - w + I)/unit_time : 1\ndw/dt = eps*(v + a - b*w)/unit_time : 1",
        parameters={
            "eps": Parameter(str(E), "rate of recovery"),
            "a": Parameter(str(A), "shift"),
            "b": Parameter(str(B), "slope"),
            "unit_time": Parameter("1 second", "unit of time"),
        },
        inputs={"I": Input("value", "drive", default="0")},
    )
    return vector_field(model, "I")


def test_hopf_points_of_fitzhugh_and_nagumo_have_their_closed_form(fitzhugh_nagumo):
    """The trace of the Jacobian is zero where v**2 = 1 - e b; its determinant is the square of the frequency."""
    branch = equilibria(fitzhugh_nagumo, "v", np.linspace(-1.5, 1.5, 61), np.array([-1.5, -1.0]))
    v = np.array([-1, 1]) * np.sqrt(1 - E * B)
    drives = v**3 / 3 - v + (v + A) / B
    found = hopf_points(fitzhugh_nagumo, "v", branch)
    assert [one.drive for one in found] == pytest.approx(drives, abs=1e-10)
    assert [one.frequency for one in found] == pytest.approx([np.sqrt(E - (E * B) ** 2) / (2 * np.pi)] * 2)
    assert [one.stable for one in branch] == [bool(one.state[0] ** 2 > 1 - E * B) for one in branch]


def test_without_a_pair_that_turns_there_is_no_hopf_point(fitzhugh_nagumo):
    resting = equilibria(fitzhugh_nagumo, "v", np.linspace(-1.5, -1.1, 9), np.array([-1.5, -1.0]))
    assert hopf_points(fitzhugh_nagumo, "v", resting) == []


@pytest.mark.parametrize("name", ["hodgkin_huxley", "adex", "izhikevich"])
def test_a_jacobian_is_that_of_differences_of_the_flow(name):
    starts = {
        "hodgkin_huxley": ([-0.052, 0.08, 0.5, 0.34], 0.05),
        "adex": ([-0.052, 3e-11], 7e-10),
        "izhikevich": ([-0.06, -13.0], 4.0),
    }
    state, drive = np.array(starts[name][0]), starts[name][1]
    field = vector_field(neuron_model(name), "I")
    steps = 1e-6 * np.abs(state)
    columns = [
        (field.flow(state + step, drive) - field.flow(state - step, drive)) / (2 * step.sum())
        for step in np.diag(steps)
    ]
    scale = np.abs(field.jacobian(state, drive)) + 1e-9
    assert np.max(np.abs(np.transpose(columns) - field.jacobian(state, drive)) / scale) < 1e-5
    slope = (field.flow(state, 1.001 * drive) - field.flow(state, 0.999 * drive)) / (0.002 * drive)
    assert field.by_drive(state, drive) == pytest.approx(slope, rel=1e-6)


def test_parameters_have_the_values_of_the_model_and_other_variables_those_given():
    model = neuron_model("lif_exp").with_values(R="2 Gohm")
    field = vector_field(model, "I")
    leak = 1 / float(parse_quantity(model.parameters["C"].value)) / 2e9
    assert field.jacobian(np.zeros(len(field.states)), 0.0)[0, 0] == pytest.approx(-leak)


@pytest.mark.parametrize(
    ("drive", "message"), [("J", "No input of kind value named 'J'"), ("v", "No input of kind value named 'v'")]
)
def test_a_drive_that_is_none_is_refused(drive, message):
    with pytest.raises(AdjointError, match=message):
        vector_field(neuron_model("izhikevich"), drive)


def test_what_is_no_variable_and_where_no_equilibrium_is_are_refused(fitzhugh_nagumo):
    with pytest.raises(DataError, match="along: expected one of v, w"):
        equilibria(fitzhugh_nagumo, "u", np.array([0.0]), np.zeros(2))
    model = neuron_model("izhikevich").with_values(k_2="0 /ms/mV", a="0 /ms")
    with pytest.raises(DataError, match=r"expected an equilibrium near -0\.065"):
        equilibria(vector_field(model, "I"), "v", np.array([-0.065]), np.array([-0.065, 5.0]))
