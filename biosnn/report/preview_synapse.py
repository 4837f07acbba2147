"""A small figure of a synapse: the window of its weight, or what it transmits, under spikes at given times."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from brian2 import Network, NeuronGroup, StateMonitor, Synapses, ms, mV, second, volt
from brian2.units.fundamentalunits import Quantity, get_dimensions
from matplotlib.figure import Figure as Drawing

from biosnn.codegen.divisible import written
from biosnn.engine import session
from biosnn.errors import ModelError
from biosnn.groups.build import synapses
from biosnn.model import SynapseModel
from biosnn.quantity import format_quantity, parse_quantity, parse_unit, unit_text
from biosnn.report.figures import new_figure

# Five pairs, since a triplet rule does not answer to a single one.
_PAIRS, _PERIOD, _WIDEST, _DT = 5, 100 * ms, 45, 0.5 * ms
_OF_EVERY_GROUP = ("i", "N", "t", "dt")
_TRAIN, _INTERVAL = 10, 50 * ms
_TOO_FAR = "#d55e00"

_REST, _PEAK, _LASTS, _AFTER, _RETURN = -70 * mV, 30 * mV, 2 * ms, -55 * mV, 10 * ms
"""A spike as those see it that read a membrane potential: up to the peak for a time, then back to rest."""
_SHAPE = (
    f"{float(_REST)}*volt + int(t - t_last < {float(_LASTS)}*second)*{float(_PEAK - _REST)}*volt"
    f" + int(t - t_last >= {float(_LASTS)}*second)*{float(_AFTER - _REST)}*volt"
    f"*exp(-(t - t_last - {float(_LASTS)}*second)/({float(_RETURN)}*second))"
)


def draw_synapse(model: SynapseModel, duration: Quantity | None, said: list[str]) -> Drawing:
    """Draw a synapse's response, and say what was assumed; see `biosnn.report.preview.draw_preview`."""
    if "w" in model.parsed.names and model.plastic:
        lags = np.arange(-_WIDEST, _WIDEST + 1) * ms
        pairs = _PAIRS if duration is None else max(1, round(float(duration / _PERIOD)))
        change, start = _weight_change(model, lags, pairs)
        if np.ptp(change) > 0:
            said.append(f"{_count(pairs, 'pair')} of spikes, one each {_PERIOD / ms:g} ms, at a weight of {start:g}.")
            said += _assumed(model)
            if any(_is_potential(model, name) for name in model.uses):
                said.append(f"With the potentials of a neuron: biosnn run stdp-window rules={model.name} neuron=MODEL")
            return _draw_window(model, lags, change, start, pairs, said)
    spikes = _TRAIN if duration is None else max(1, round(float(duration / _INTERVAL)))
    received = _received(model)
    if not model.transmits and not received:
        raise ModelError(f"{model.name}: no weight w changes and nothing is transmitted, so that nothing can be drawn.")
    said.append(f"{_count(spikes, 'presynaptic spike')}, one each {_INTERVAL / ms:g} ms, and none postsynaptic.")
    said += _assumed(model)
    return _draw_train(model, spikes) if model.transmits else _draw_received(model, received, spikes)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _assumed(model: SynapseModel) -> list[str]:
    """What the neurons, and inputs that are off by default, are taken to be."""
    switched = [f"{name} = {value}" for name, value in _switched_on(model).items()]
    said = [f"Inputs that are off by default are on: {', '.join(switched)}."] if switched else []
    seen = [name for name in model.uses if _is_potential(model, name)]
    if seen:
        said.append(
            f"{', '.join(seen)}: at each spike {_PEAK / mV:g} mV for {_LASTS / ms:g} ms, then from {_AFTER / mV:g} mV "
            f"back to {_REST / mV:g} mV with {_RETURN / ms:g} ms, unfiltered."
        )
    held = [name for name in model.uses if name not in seen and name.rpartition("_")[0] not in _OF_EVERY_GROUP]
    for value, unit in ((1, "1"), (0, "")):
        names = [name for name in held if name not in _changed(model) and (_unit(model, name) == "1") == (unit == "1")]
        said += [f"{', '.join(names)}: {value}."] if names else []
    return said


def _unit(model: SynapseModel, name: str) -> str:
    return unit_text(parse_unit(model.uses[name]))


def _is_potential(model: SynapseModel, name: str) -> bool:
    """Whether a variable of the neurons is read as a membrane potential, and given the shape of a spike here."""
    return get_dimensions(parse_unit(model.uses[name])) is volt.dim and name not in _changed(model)


def _changed(model: SynapseModel) -> list[str]:
    """The variables of the neurons that a synapse changes or sums onto."""
    return [name for name in model.uses if name in {*model.summed, *written(f"{model.on_pre}\n{model.on_post}")}]


def _received(model: SynapseModel) -> list[str]:
    """The variables of the postsynaptic neuron that presynaptic spikes, or sums, act on."""
    of_spikes = {*model.summed, *written(model.on_pre)}
    return [name for name in model.uses if name in of_spikes and name.endswith("_post")]


def _draw_window(model: SynapseModel, lags: Any, change: Any, start: float, pairs: int, said: list[str]) -> Drawing:
    figure, axes = new_figure(height=3.2)
    axes.axhline(0, color="0.7", lw=0.8)
    axes.axvline(0, color="0.7", lw=0.8)
    axes.plot(lags / ms, change, ".-", markersize=4)
    beyond = _beyond(model, start + change)
    if beyond.any():
        axes.plot(lags[beyond] / ms, change[beyond], "o", markersize=4, color=_TOO_FAR, label="w beyond w_max")
        axes.legend()
        most, bound = float(np.max(start + change)), format_quantity(model.parameters["w_max"].quantity)
        do = "Nothing keeps it below: see its statements, such as w = clip(w + …, 0, w_max)."
        said.append(f"CAUTION: the weight goes beyond w_max = {bound}, to {most:.4g}. {do}")
    axes.set(xlabel="postsynaptic minus presynaptic spike time (ms)", ylabel="change of w")
    extra = "".join(f", {name} = {value}" for name, value in _switched_on(model).items())
    axes.set_title(f"{model.name}: {_count(pairs, 'pair')} at {1 * second / _PERIOD:g} Hz, from w = {start:g}{extra}")
    return figure


def _beyond(model: SynapseModel, weights: Any) -> Any:
    """Which weights are larger than the model's bound, if it has one."""
    if "w_max" not in model.parameters:
        return np.zeros(len(weights), bool)
    bound = float(np.asarray(model.parameters["w_max"].quantity))
    return weights > bound + 1e-9 * abs(bound)


def _draw_train(model: SynapseModel, spikes: int) -> Drawing:
    figure, axes = new_figure(height=3.2)
    axes.bar(np.arange(1, spikes + 1), _transmitted(model, spikes))
    axes.set(xlabel="presynaptic spike", ylabel=f"transmitted: {model.transmits}")
    axes.set_title(f"{model.name}: {_count(spikes, 'spike')} at {1 * second / _INTERVAL:g} Hz")
    return figure


def _draw_received(model: SynapseModel, names: list[str], spikes: int) -> Drawing:
    figure, grid = new_figure(len(names), 1, height=0.6 + 2.4 * len(names), sharex=True, squeeze=False)
    t, values = _values(model, names, spikes)
    for axes, name in zip(grid[:, 0], names, strict=True):
        most = Quantity(np.abs(values[name]).max(), dim=get_dimensions(parse_unit(model.uses[name])))
        unit = format_quantity(most).partition(" ")[2]
        axes.plot(t / ms, values[name] / float(np.asarray(parse_quantity(f"1 {unit}"))))
        axes.set(ylabel=f"{name} ({unit})" if unit else name)
    grid[-1, 0].set(xlabel="time (ms)")
    grid[0, 0].set_title(f"{model.name}: {_count(spikes, 'presynaptic spike')} at {1 * second / _INTERVAL:g} Hz")
    return figure


def _switched_on(model: SynapseModel) -> dict[str, str]:
    """Inputs such as a reward, which are off by default and without which nothing would be seen."""
    texts = {name: entry.default for name, entry in model.inputs.items()}
    return {
        name: f"1 {text.partition(' ')[2]}".strip()
        for name, text in texts.items()
        if float(np.asarray(parse_quantity(text))) == 0
    }


def spike_source(first: Any, period: Any, model: SynapseModel, side: str, more: str = "") -> NeuronGroup:
    """Neurons that spike at given times, and have the variables that the synapse reads or changes on that side."""
    lines = ["t_next : second", "t_last : second", "period : second (shared)", more]
    ones: list[str] = []
    for name, unit in model.uses.items():
        variable = name.removesuffix(side)
        if not name.endswith(side) or variable in _OF_EVERY_GROUP:
            continue
        if _is_potential(model, name):
            lines.append(f"{variable} = {_SHAPE} : volt")
        else:
            lines.append(f"{variable} : {unit_text(parse_unit(unit))}")
            ones += [variable] if _unit(model, name) == "1" and name not in _changed(model) else []
    group = NeuronGroup(
        len(first),
        "\n".join(lines),
        threshold="t >= t_next - dt/2",
        reset="t_next += period; t_last = t",
        namespace={},
    )
    group.t_next, group.period, group.t_last = first, period, -1e9 * second
    for variable in ones:
        setattr(group, variable, 1.0)
    return group


def connect_pairs(model: SynapseModel, pre: NeuronGroup, post: NeuronGroup, onto: str = "") -> Synapses:
    """Synapses from each neuron to the one of the same number, with inputs that are off by default switched on."""
    pairs = list(range(len(pre)))
    return synapses(pre, post, model, onto=onto, connect=(pairs, pairs), values=_switched_on(model))


def _weight_change(model: SynapseModel, lags: Any, pairs: int) -> tuple[Any, float]:
    """The change of the weight by pairs of spikes; it starts in the middle where it has an upper bound."""
    with session("numpy", seed=1, dt=_DT) as sim:
        start = _WIDEST * ms
        pre = spike_source(np.full(len(lags), start / ms) * ms, _PERIOD, model, "_pre")
        post = spike_source(start + lags, _PERIOD, model, "_post")
        syn = connect_pairs(model, pre, post)
        syn.w = "w_max/2" if "w_max" in model.parameters else 0.5
        before = np.array(syn.w[:])
        # To the middle of the last interval, so that every pair has come and no spike of the next has.
        sim.run(Network(pre, post, syn), (pairs - 0.5) * _PERIOD + start)
        return np.array(syn.w[:]) - before, float(before[0])


def _transmitted(model: SynapseModel, spikes: int) -> Any:
    """What each spike of a train adds to a variable that keeps everything it gets."""
    with session("numpy", seed=1, dt=_DT) as sim:
        pre = spike_source([10.0] * ms, _INTERVAL, model, "_pre")
        post = spike_source([1e9] * ms, _INTERVAL, model, "_post", more="received : 1")
        syn = connect_pairs(model, pre, post, onto="received")
        trace = StateMonitor(post, "received", record=True)
        sim.run(Network(pre, post, syn, trace), spikes * _INTERVAL)
        each = round(float(_INTERVAL / sim.dt))
        return np.diff(trace.received[0][each - 1 :: each], prepend=0.0)


def _values(model: SynapseModel, names: list[str], spikes: int) -> tuple[Any, dict[str, Any]]:
    """What variables of a postsynaptic neuron, which nothing else changes, become by a train of spikes."""
    variables = {name: re.sub("_post$", "", name) for name in names}
    with session("numpy", seed=1, dt=_DT) as sim:
        pre = spike_source([10.0] * ms, _INTERVAL, model, "_pre")
        post = spike_source([1e9] * ms, _INTERVAL, model, "_post")
        trace = StateMonitor(post, list(variables.values()), record=True)
        sim.run(Network(pre, post, connect_pairs(model, pre, post), trace), spikes * _INTERVAL)
        units = {name: float(np.asarray(parse_unit(model.uses[name]))) for name in names}
        return trace.t[:], {name: np.asarray(getattr(trace, each)[0]) / units[name] for name, each in variables.items()}
