"""When does the squid axon of Hodgkin & Huxley fire, and how does firing begin?

Hodgkin and Huxley (1952) found their equations to have a threshold, and to fire at once with a frequency that is far
from zero. Why was shown later: at a critical current the resting state loses its stability to an oscillation (a Hopf
point), and firing, which is another stable state, is there before that point is reached. Does the simulation show the
threshold of the paper, the f-I curve, and both states side by side, and do the currents agree with the Jacobian of
the equations?
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from brian2 import Hz, Network, Quantity, SpikeMonitor, StateMonitor, ms, mV, second, uA
from brian2.units.allunits import cmetre2

from biosnn.adjoint import VectorField, vector_field
from biosnn.catalogue import neuron_model
from biosnn.engine import Simulation
from biosnn.groups.build import neurons
from biosnn.model import NeuronModel
from biosnn.study import Result, setting
from biosnn.theory import Equilibrium, equilibria, hopf_points

from .outcome import CLAIMS as CLAIMS
from .outcome import crossing_frequency, lasting_rates

TARGET = "cpp"
ANSWER = (
    "Oscillations begin at {first Hopf point} and end at {second Hopf point}; a single spike takes {rheobase "
    "of a single spike}, lasting firing {least current of lasting firing}."
)
METHOD = """\
The model is the patch of membrane of the catalogue, `hodgkin_huxley`, at 6.3 degrees with the parameters of the paper
(table 3): 1 uF/cm**2, conductances 120, 36 and 0.3 mS/cm**2, reversal potentials 115, -12 and 10.613 mV from rest,
which is -65 mV here. It is integrated by the fourth-order Runge-Kutta method.

- Threshold: at no current the membrane potential is displaced at once, as in figure 12 of the paper.
- Hopf points: the flow and its Jacobian are derived from the text of the model by computer algebra. The equilibrium is
followed along the membrane potential; where the real part of a pair of complex eigenvalues is zero, an oscillation
begins to grow. Later papers have 10.599 mV in the place of 10.613, so that rest is exactly at 0; their currents are
compared with those of that value.
- f-I curve: a current is switched on at rest. Spikes are counted at -35 mV, as strong currents make them small. The
rate is that of the intervals in the second half of a run, and 0 for a cell that has ceased to fire.
- Two states: cells that start at their equilibrium, 0.1 mV off it, beside others that fire at 12 uA/cm**2 before their
current falls to its value.

The control is the same membrane without potassium activation: n stays at its resting value."""

UNIT = uA / cmetre2
SETTLING = 100 * ms
FIRING = 12.0
"""At this current (uA/cm**2) every cell fires, however it starts."""
DISPLACEMENTS = (90.0, 15.0, 7.0, 6.0)
"""Of figure 12 of the paper, in mV."""
LATER = "-54.401 mV"
"""The reversal potential of the leak in later papers: 10.599 mV from rest."""
LOW = "-35 mV"
"""Where spikes of the f-I curve are counted: strong currents leave small ones, about an equilibrium of -43 mV."""
SHOWN = (3.0, 5.0, 8.0, 12.0)


@dataclass(frozen=True)
class Settings:
    model: str = setting("hodgkin_huxley", "the neuron model, which has the inputs and variables of hodgkin_huxley")
    dt: Quantity = setting(0.02 * ms, "time step", minimum=1e-3 * ms, maximum=0.05 * ms)
    duration: Quantity = setting(1 * second, "how long each current lasts", minimum=0.2 * second)
    points: int = setting(81, "currents of the f-I curve", minimum=9)
    finest: Quantity = setting(0.005 * UNIT, "step between currents where a value is sought", minimum=1e-3 * UNIT)


def run(settings: Settings, sim: Simulation) -> Result:
    sim.reset(dt=settings.dt)
    model = replace(neuron_model(settings.model), method="rk4")
    field, branch, hopf = _analysis(model)
    _, _, later = _analysis(model.with_values(E_L=LATER))
    _, _, none = _analysis(without_activation(model))
    cells = _Cells(settings, model, field, branch, hopf)
    cells.simulate(sim)
    values, arrays = cells.found()
    for name, points in (("", hopf), (", later papers", later)):
        for place, point in zip(("first", "second"), points, strict=True):
            values[f"{place} Hopf point{name}"] = point.drive * _SI
            values[f"frequency at the {place} Hopf point{name}"] = point.frequency * Hz
    values["Hopf points without potassium activation"] = len(none)
    arrays |= {
        "equilibrium current": np.array([one.drive for one in branch]) * _SI,
        "equilibrium potential": np.array([one.state[0] for one in branch]) * 1e3 * mV,
        "equilibrium is stable": np.array([one.stable for one in branch]),
        "growth": np.array([one.eigenvalues.real.max() for one in branch]) / second,
    }
    return Result(values, arrays)


_SI = Quantity(1.0, dim=UNIT.dim)


def without_activation(model: NeuronModel) -> NeuronModel:
    """The same membrane, whose potassium conductance stays as it is at rest."""
    resting = model.initial["n"]
    equations = [line for line in model.equations.splitlines() if not line.startswith(("dn/dt", "alpha_n", "beta_n"))]
    initial = {name: value for name, value in model.initial.items() if name != "n"}
    return replace(model, equations="\n".join([*equations, f"n = {resting} : 1"]), initial=initial)


def _analysis(model: NeuronModel) -> tuple[VectorField, list[Equilibrium], list[Equilibrium]]:
    """The vector field, its equilibria from rest to strong depolarisation, and the Hopf points among them."""
    field = vector_field(model, "I")
    rest = np.array([-0.065, *(float(model.initial[name]) for name in field.states if name != "v")])
    branch = equilibria(field, "v", np.linspace(-65e-3, -35e-3, 121), rest)
    return field, branch, hopf_points(field, "v", branch)


@dataclass
class _Cells:
    """All cells of the experiment, which are one program."""

    settings: Settings
    model: NeuronModel
    field: VectorField
    branch: list[Equilibrium]
    hopf: list[Equilibrium]

    def __post_init__(self) -> None:
        fine = float(self.settings.finest / UNIT)
        wide = np.linspace(0, 160, self.settings.points)
        narrow = np.linspace(0, 20, self.settings.points)
        self.currents = {
            "step": np.unique(np.concatenate([wide, narrow])),
            "control": narrow,
            "weak": np.arange(2.0, 2.6, fine),
            "falling": np.concatenate([np.arange(6.2, 6.4, fine), np.arange(6.5, 12, 0.25)]),
            "shown": np.array(SHOWN),
        }
        self.shocks = np.concatenate([DISPLACEMENTS, np.arange(6, 7, 0.02)])
        self.groups = {name: self._at_rest(name, current) for name, current in self.currents.items()}
        self.groups["quiet"] = self._at_equilibrium("quiet", self.currents["falling"])
        self.groups["shock"] = neurons(len(self.shocks), self.model, name="shock")
        self.groups["shock"].v = -65 * mV + self.shocks * mV
        self.groups["small"] = self._at_equilibrium("small", np.array([self.hopf[0].drive / float(UNIT)]))
        self.spikes = {name: SpikeMonitor(group) for name, group in self.groups.items() if name != "small"}
        some = range(len(DISPLACEMENTS))
        self.traces = {
            name: StateMonitor(self.groups[name], "v", record=list(which), dt=dt)
            for name, which, dt in (
                ("shock", some, 0.1 * ms),
                ("shown", range(len(SHOWN)), 0.1 * ms),
                ("small", [0], None),
            )
        }

    def _at_rest(self, name: str, currents: Any) -> Any:
        model = without_activation(self.model) if name == "control" else self.model
        values = {"v_spike": LOW} if name == "step" else {}
        group = neurons(len(currents), model, name=name, values={"I": currents * UNIT, **values})
        if name == "falling":
            group.I = FIRING * UNIT
        return group

    def _at_equilibrium(self, name: str, currents: Any) -> Any:
        """Cells 0.1 mV off the equilibrium of their current."""
        drives, states = np.array([one.drive for one in self.branch]), np.array([one.state for one in self.branch])
        group = neurons(len(currents), self.model, name=name, values={"I": currents * UNIT})
        for number, variable in enumerate(self.field.states):
            near = np.interp(currents * float(UNIT), drives, states[:, number])
            setattr(group, variable, near if variable != "v" else near * 1e3 * mV + 0.1 * mV)
        return group

    def simulate(self, sim: Simulation) -> None:
        network = Network(*self.groups.values(), *self.spikes.values(), *self.traces.values())
        sim.run(network, SETTLING, "firing, before some currents fall")
        self.groups["falling"].I = self.currents["falling"] * UNIT
        sim.run(network, self.settings.duration, "constant currents")

    def found(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Values and arrays."""
        end = float((SETTLING + self.settings.duration) / second)
        rates = {name: lasting_rates(self.spikes[name], end) for name in ("step", "control", "falling", "quiet")}
        weak, shock = (self.spikes[name].count[:] > 0 for name in ("weak", "shock"))
        fires = rates["falling"] > 0
        small = self.traces["small"]
        values = {
            "rheobase of a single spike": self.currents["weak"][weak].min() * UNIT,
            "least displacement that fires": self.shocks[shock].min() * mV,
            "least current of lasting firing": self.currents["falling"][fires].min() * UNIT,
            "lowest lasting rate": rates["falling"][fires].min() * Hz,
            "rate at 10 uA per cm2": np.interp(10, self.currents["step"], rates["step"]) * Hz,
            "frequency of a small oscillation": crossing_frequency(small.t / second, small.v[0] / mV) * Hz,
            "spikes without potassium activation": int(self.spikes["control"].count[:].max()),
            "most currents fired": int((rates["step"] > 0).sum()),
        }
        arrays = {f"{name} rate": rate * Hz for name, rate in rates.items()}
        arrays |= {f"{name} current": self.currents[name] * UNIT for name in ("step", "control", "falling")}
        arrays |= {f"{name} trace": self.traces[name].v[:] for name in ("shock", "shown")}
        arrays["trace time"] = self.traces["shock"].t[:]
        arrays["shown current"] = np.array(SHOWN) * UNIT
        arrays["displacement"] = self.shocks * mV
        arrays["displacement fires"] = shock
        return values, arrays
