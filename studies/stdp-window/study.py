"""Which window does each STDP rule have?

How much does a synapse change when its two neurons fire once, some milliseconds apart? Every plastic rule of the
catalogue is measured by simulation and held against the closed form of its paper: by single pairs, which give the
window that Bi & Poo (1998) made famous, and by short trains of presynaptic doublets, in which the rules differ in how
they pair spikes. It also shows that a trace gives the same weights whether it lives on the neuron or on the synapse.
More rules: `rules=all,./mine.toml`; one that reads the membrane potential needs a neuron: `rules=clopath
neuron=adex_clopath`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Hz, Network, Quantity, SpikeGeneratorGroup, ms, mV, second

from biosnn.catalogue import synapse_model, synapse_names
from biosnn.engine import Simulation
from biosnn.errors import ModelError, SettingsError, field_error
from biosnn.groups.build import synapses
from biosnn.groups.traces import read_by
from biosnn.model import SynapseModel
from biosnn.study import Claim, Result, setting

from .cells import NONE, check_spikes, spiking_cells
from .closed_forms import RULES, change

TARGET = "numpy"
ANSWER = (
    "{rules with a closed form} rules are held against their closed form; the largest relative error is "
    "{largest relative error}."
)
METHOD = """\
Each condition has a presynaptic and a postsynaptic neuron of its own, which fire at given times, and one synapse
for each rule between them; all conditions run side by side. In a train each presynaptic spike is followed by a second
one after 4 ms. The weight starts in the middle of its range. What is measured is the change of the weight at the end;
for rstdp, the change of its eligibility, which a reward would turn into weight.

The closed forms are sums over the pairs and triplets of the two trains, written from the papers and independent of
the model files but for the parameters. The traces decay exactly, so that a time step of 1 ms costs no accuracy: all
spikes fall on it. Errors are given relative to the largest change of the rule.

Where a neuron is given, the postsynaptic ones are of its model, and spike at the given times since their membrane
potential jumps a time step before. A neuron that spikes at other times is refused. The weight does not act on it."""

PAIR_RULES = ("stdp_pair", "stdp_pair_nearest", "stdp_pair_reduced")
PAIRINGS_OF_BI_AND_POO = 60
QUIET = 110 * ms
DOUBLET = 4 * ms


@dataclass(frozen=True)
class Settings:
    rules: tuple[str, ...] = setting(("all",), "rules by name or .toml file; all is every rule of the catalogue")
    farthest: Quantity = setting(100 * ms, "largest interval between the spikes of a pair", minimum=10 * ms)
    step: Quantity = setting(2 * ms, "from one interval to the next, a multiple of dt", minimum=0.1 * ms)
    pairings: int = setting(6, "pairs of spikes in a train", minimum=2, maximum=1000)
    frequency: Quantity = setting(40 * Hz, "pairs per second in a train", minimum=0.1 * Hz, maximum=100 * Hz)
    dt: Quantity = setting(1 * ms, "time step", minimum=0.01 * ms)
    neuron: str = setting(NONE, "postsynaptic neuron model whose variables rules may read: a name or a file; or none")
    jump: Quantity = setting(80 * mV, "jump of its membrane potential that makes it spike")


def run(settings: Settings, sim: Simulation) -> Result:
    sim.reset(dt=settings.dt)
    models = [synapse_model(name) for name in _rules(settings)]
    _check_read(models, settings.neuron)
    single = _grid(settings.farthest, settings.step, settings.dt)
    period = _on_grid(1 / settings.frequency, settings.dt)
    trains = _grid(period / 2, settings.step, settings.dt)
    pre, post = _spikes(single, trains, settings.pairings, period, _on_grid(DOUBLET, settings.dt))
    on_neuron, on_synapse = _simulate(sim, models, pre, post, settings)

    values, arrays = {}, {"single": single, "trains": trains, "rules": np.array([model.name for model in models])}
    homes, errors = 0.0, {}
    for model in models:
        measured = on_neuron[model.name]
        if model.name in on_synapse:
            apart = np.abs(measured - on_synapse[model.name]).max() / max(1.0, np.abs(measured).max())
            homes = max(homes, float(apart))
        one, many = measured[: len(single)], measured[len(single) :]
        arrays |= {f"{model.name}, single": one, f"{model.name}, trains": many}
        values[f"{model.name}, largest change by a pair"] = float(np.abs(one).max())
        values[f"{model.name}, largest change by a train"] = float(np.abs(many).max())
        if model.name in RULES:
            exact = _exact(model, pre, post)
            arrays |= {f"{model.name}, single exact": exact[: len(single)]}
            arrays |= {f"{model.name}, trains exact": exact[len(single) :]}
            errors[model.name] = float(np.abs(measured - exact).max() / np.abs(exact).max())
            values[f"{model.name}, relative error"] = errors[model.name]
    values["largest relative error"] = max(errors.values(), default=0.0)
    values["rules with a closed form"] = len(errors)
    values["trace on the neuron or on the synapse, largest difference"] = homes
    if "stdp_pair" in errors:
        values |= _fit(single, arrays["stdp_pair, single"])
    left_out = [] if on_synapse else ["homes of traces"]
    return Result(values, arrays, not_applicable=[*left_out, *_not_applicable(set(errors))])


def _not_applicable(checked: set[str]) -> list[str]:
    """Without the pair rules, some questions are not asked."""
    left = [] if checked else ["closed form"]
    if not set(PAIR_RULES) <= checked:
        left += ["same step", "pairing schemes"]
    return left if "stdp_pair" in checked else [*left, *FITTED]


def _rules(settings: Settings) -> list[str]:
    # A rule that reads variables of its neurons has no window by itself.
    models = {name: synapse_model(name) for name in synapse_names()}
    plastic = [name for name, model in models.items() if model.plastic and not model.uses]
    chosen = [rule for name in settings.rules for rule in (plastic if name == "all" else [name])]
    for name in chosen:
        model = synapse_model(name)
        if not model.plastic:
            raise SettingsError(field_error("rules", "rules that change their weight", name))
        if _measured(model) not in model.parsed.names:
            raise ModelError(f"{name}: expected a weight named w, whose change is the window.")
    names = [synapse_model(name).name for name in chosen]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise SettingsError(field_error("rules", "each rule once", ", ".join(sorted(twice))))
    return chosen


def _measured(model: SynapseModel) -> str:
    return "c" if model.name == "rstdp" else "w"


def _on_grid(time: Quantity, dt: Quantity) -> Quantity:
    return np.round(float(time / dt)) * dt


def _grid(farthest: Quantity, step: Quantity, dt: Quantity) -> Quantity:
    """Intervals t_post - t_pre on multiples of the time step, from -farthest to farthest, zero among them."""
    each = max(1, round(float(step / dt)))
    n = int(float(farthest / dt) / each + 1e-6)
    return np.arange(-n, n + 1) * each * dt


def _spikes(single: Quantity, trains: Quantity, pairings: int, period: Quantity, doublet: Quantity) -> Any:
    """Presynaptic and postsynaptic spike times of each condition, in seconds."""
    first = float(max(np.max(np.abs(single)), np.max(np.abs(trains)))) + float(QUIET)
    times = first + np.arange(pairings) * float(period)
    doublets = np.sort(np.concatenate([times, times + float(doublet)]))
    pre = [np.array([first])] * len(single) + [doublets] * len(trains)
    post = [np.array([first + float(delta)]) for delta in single] + [times + float(delta) for delta in trains]
    return pre, post


def _check_read(models: Any, neuron: str) -> None:
    for model in models:
        if model.uses and neuron == NONE:
            reads = ", ".join(model.uses)
            do = "Give a model that has them: neuron=adex_clopath, or a .toml file."
            raise SettingsError(field_error("neuron", f"a neuron, as {model.name} reads {reads}", neuron, do))


def _simulate(sim: Simulation, models: Any, pre: Any, post: Any, settings: Settings) -> Any:
    """Final change of every rule in every condition, with the traces on the neuron and on the synapse."""
    source, others = _generator(pre, "pre"), list[Any]()
    if settings.neuron == NONE:
        target: Any = _generator(post, "post")
    else:
        target, others = spiking_cells(settings.neuron, settings.jump, post, settings.dt)
    each = np.arange(len(pre))
    # A trace that an equation reads at every time step can only live on the neuron.
    homes = {"neuron": models, "synapse": [model for model in models if not read_by(model, "clock-driven")]}
    wires = {
        home: {model.name: _wire(source, target, model, each, home) for model in chosen}
        for home, chosen in homes.items()
    }
    everything = [wire for home in wires.values() for wire in home.values()]
    last = max(float(train.max()) for train in [*pre, *post])
    sim.run(Network(source, target, *others, *everything), last * second + QUIET, "pairs and trains")
    if others:
        check_spikes(settings.neuron, others[-1], post, settings.dt)
    by_name = {model.name: model for model in models}
    return [
        {
            name: np.asarray(getattr(wire, _measured(by_name[name]))[:]) - _start(by_name[name])
            for name, wire in home.items()
        }
        for home in wires.values()
    ]


def _generator(trains: Any, name: str) -> SpikeGeneratorGroup:
    indices = np.concatenate([np.full(len(train), k) for k, train in enumerate(trains)])
    return SpikeGeneratorGroup(len(trains), indices, np.concatenate(trains) * second, name=name)


def _wire(source: Any, target: Any, model: SynapseModel, each: Any, home: str) -> Any:
    values = {"w": float(model.parameters["w_max"].quantity) / 2} if "w_max" in model.parameters else {}
    if model.name == "rstdp":
        values["tau_c"] = 1e12 * second  # what a pair leaves, before it fades
    wire = synapses(source, target, model, onto="", connect=(each, each), traces=home, values=values)
    if model.uses and wire.state_updater is not None:
        wire.state_updater.order = 1  # after the neurons, whose potential it reads
    return wire


def _start(model: SynapseModel) -> float:
    if model.name == "rstdp":
        return 0.0
    if "w_max" in model.parameters:
        return float(model.parameters["w_max"].quantity) / 2
    return float(model.initial.get("w", "0"))


def _exact(model: SynapseModel, pre: Any, post: Any) -> np.ndarray:
    parameters = {name: float(np.asarray(entry.quantity)) for name, entry in model.parameters.items()}
    start = _start(model)
    return np.array([change(model.name, parameters, *trains, start) for trains in zip(pre, post, strict=True)])


def _fit(single: Quantity, window: np.ndarray) -> dict[str, Any]:
    """Amplitudes and time constants of the measured window, by a straight line through its logarithm."""
    found = {}
    for sign, name in ((1, "plus"), (-1, "minus")):
        side = (sign * np.asarray(single) > 0) & (sign * window > 0)
        slope, level = np.polyfit(np.abs(np.asarray(single))[side], np.log(np.abs(window[side])), 1)
        found[f"A_{name} of 60 pairs"] = float(PAIRINGS_OF_BI_AND_POO * np.exp(level))
        found[f"tau_{name}"] = -1 / slope * second
    return found


# ---- what is claimed ---------------------------------------------------------------------------------------------

FITTED = ["A_plus of 60 pairs", "tau_plus", "A_minus of 60 pairs", "tau_minus"]


def _changes(result: Result) -> bool:
    """Every rule changes its weight in response to spike trains."""
    rules = [str(name) for name in result.arrays["rules"]]
    return all(result.values[f"{rule}, largest change by a train"] > 0 for rule in rules)


def _same_step(result: Result) -> bool:
    middle = len(result.arrays["single"]) // 2
    at_zero = [result.arrays[f"{rule}, single"][middle] for rule in PAIR_RULES]
    expected = [float(synapse_model(rule).parameters["A_plus"].quantity) for rule in PAIR_RULES]
    return bool(np.allclose(at_zero, expected, rtol=1e-9, atol=0))


def _schemes(result: Result) -> bool:
    """Equal for single pairs, different in trains."""
    one = [result.arrays[f"{rule}, single"] for rule in PAIR_RULES]
    many = [result.arrays[f"{rule}, trains"] for rule in PAIR_RULES]
    scale = np.abs(one[0]).max()
    same = all(np.abs(window - one[0]).max() < 1e-9 * scale for window in one[1:])
    apart = min(np.abs(many[a] - many[b]).max() for a, b in ((0, 1), (0, 2), (1, 2)))
    return bool(same and apart > 0.1 * scale)


CLAIMS = [
    Claim(
        "changes",
        "Every rule changes its weight in some condition.",
        _changes,
        lambda result: len(result.arrays["rules"]) > 0,
    ),
    Claim(
        "closed form",
        "Every rule with a closed form agrees with it to 1e-9, by single pairs and by trains.",
        lambda result: bool(result.values["largest relative error"] <= 1e-9),
        lambda result: result.values["rules with a closed form"] > 0 and _changes(result),
    ),
    Claim(
        "homes of traces",
        "A trace on the neuron and a trace on the synapse give the same weights, to 1e-12 of the largest.",
        lambda result: bool(result.values["trace on the neuron or on the synapse, largest difference"] <= 1e-12),
        _changes,
    ),
    Claim(
        "same step",
        "A pair in the same time step counts as pre before post and potentiates by A_plus.",
        _same_step,
        _changes,
    ),
    Claim(
        "pairing schemes",
        "All-to-all, nearest and reduced pairing have the same window, and differ from each other in trains.",
        _schemes,
        _changes,
    ),
]
