"""A small figure of a model's response: a neuron under a step of its drive, a synapse under pairs of spikes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from brian2 import Network, NeuronGroup, SpikeMonitor, StateMonitor, Synapses, ms, second
from brian2.units.fundamentalunits import Quantity, get_dimensions
from matplotlib.figure import Figure as Drawing

from biosnn.engine import session
from biosnn.errors import BiosnnError, ModelError, RunError, SettingsError
from biosnn.groups.build import neurons, synapses
from biosnn.model import Model, NeuronModel, SynapseModel
from biosnn.quantity import format_quantity, parse_quantity, parse_unit, unit_text
from biosnn.report.figures import STYLE, new_figure

_MARK = "biosnn show --figure"
_BEFORE, _STEP, _AFTER = 20 * ms, 200 * ms, 30 * ms
_ENOUGH = 5
_LADDER = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
# What one spike brings is tried in these units; a variable of another dimension, in its SI unit.
_KICKS = tuple(parse_quantity(text) for text in ("1 nS", "1 nA", "1 mV"))
_BETWEEN_KICKS = 5 * ms

# Five pairs, since a triplet rule does not answer to a single one.
_PAIRS, _PERIOD, _WIDEST = 5, 100 * ms, 45
_OF_EVERY_GROUP = ("i", "N", "t", "dt")
_TRAIN, _INTERVAL = 10, 50 * ms


def draw_preview(model: Model, path: Path) -> None:
    """Simulate a model on the NumPy target and draw its response.

    Parameters
    ----------
    model : NeuronModel or SynapseModel
        The model.
    path : Path
        The PNG to write, in place of an earlier figure of this kind: for a neuron its membrane potential under a step
        of its drive, for a plastic synapse the change of its weight against the time between the spikes, for any other
        synapse what a train of spikes transmits.

    Raises
    ------
    SettingsError
        If the file cannot be written, or is there and no figure of this kind.
    ModelError
        If a neuron model has neither an input nor a state variable, so that there is nothing to be seen.
    EngineError
        If the model cannot be simulated.
    """
    write_preview(path, lambda: _drawn(model))


def _drawn(model: Model) -> Drawing:
    with said_of(model):
        return _draw_neuron(model) if isinstance(model, NeuronModel) else _draw_synapse(model)


@contextmanager
def said_of(model: Model) -> Iterator[None]:
    """Say of a model, as `ModelError`, whatever Brian2 makes of its equations."""
    try:
        yield
    except BiosnnError:
        raise
    except Exception as error:
        # Brian2 wraps the reason in the place where it came up.
        reason = error.__cause__ or error
        raise ModelError(f"{model.name}: cannot be built or run: {type(reason).__name__}: {reason}") from error


def write_preview(path: Path, draw: Callable[[], Drawing]) -> None:
    """Draw a figure into a PNG, in place of an earlier one of this kind.

    Raises
    ------
    SettingsError
        If the file cannot be written, or is there and no figure of this kind.
    """
    if path.exists() and not (path.is_file() and _MARK.encode() in path.read_bytes()):
        raise SettingsError(f"{path}: exists, and is no such figure. Move it away, or name another file with --out.")
    with mpl.rc_context(STYLE):
        figure = draw()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(path, format="png", dpi=120, metadata={"Software": _MARK})
        except OSError as error:
            raise SettingsError(f"{path}: cannot be written: {error.strerror}. Name another file with --out.") from None


def _draw_neuron(model: NeuronModel) -> Drawing:
    variable = next((name for name in ("v", *model.parsed.diff_eq_names) if name in model.parsed.diff_eq_names), "")
    if not variable or not model.inputs:
        raise ModelError(f"NeuronModel {model.name!r}: has no input or no differential equation, so nothing to draw.")
    name, kind = next((name, entry.kind) for name, entry in model.inputs.items())
    drive, t, trace, spikes = _responsive(model, variable, name, kind)
    figure, axes = new_figure(height=3.2)
    unit = format_quantity(Quantity(abs(trace).max())).partition(" ")[2]
    scale = float(np.asarray(parse_quantity(f"1 {unit}")))
    axes.axvspan(_BEFORE / ms, (_BEFORE + _STEP) / ms, color="0.93", lw=0)
    axes.plot(t / ms, np.asarray(trace) / scale)
    top = axes.get_ylim()[1]
    axes.plot(spikes / ms, np.full(len(spikes), top), "|", color="#d55e00", clip_on=False)
    what = f"{name} = {drive}" if kind == "value" else f"{name} + {drive} every {_BETWEEN_KICKS / ms:g} ms"
    axes.set(xlabel="time (ms)", ylabel=f"{variable} ({unit})" if unit else variable)
    axes.set_title(f"{model.name}: {what} while shaded, {len(spikes)} spikes")
    return figure


def _responsive(model: NeuronModel, variable: str, name: str, kind: str) -> tuple[str, Any, Any, Any]:
    """The response to the weakest drive of a ladder that gives some spikes, or else to the strongest that works."""
    unit, written = _drive_unit(model, name, kind)
    rungs = np.array(_LADDER)
    while len(rungs):
        drives = Quantity(rungs * float(np.asarray(unit)), dim=get_dimensions(unit))
        try:
            t, traces, spikes = _respond(model, variable, name, kind, drives)
        except RunError:  # the upper rungs are too strong a drive for the equations
            rungs = rungs[: len(rungs) // 2]
            continue
        enough = [len(times) >= _ENOUGH for times in spikes.values()]
        best = enough.index(True) if True in enough else len(rungs) - 1
        return f"{rungs[best]:g} {written}".strip(), t, traces[best], spikes[best]
    raise ModelError(f"NeuronModel {model.name!r}: gives no finite response to any {name} that was tried.")


def _drive_unit(model: NeuronModel, name: str, kind: str) -> tuple[Quantity, str]:
    """The unit in which drives are tried, and its text: that of the input's default, so that it is the model's own."""
    if kind == "value":
        written = model.inputs[name].default.partition(" ")[2]
        return parse_quantity(f"1 {written}"), written
    dimension = model.parsed[name].dim
    kick = next((kick for kick in _KICKS if kick.dim is dimension), Quantity(1.0, dim=dimension))
    return kick, format_quantity(kick).partition(" ")[2]


def _respond(model: NeuronModel, variable: str, name: str, kind: str, drives: Quantity) -> tuple[Any, Any, Any]:
    """Times, the variable of each neuron, and the spike times of each: one neuron a drive."""
    with session("numpy", seed=1, dt=0.1 * ms) as sim:
        cells = neurons(len(drives), model, name="preview")
        trace, spikes = StateMonitor(cells, variable, record=True), SpikeMonitor(cells)
        network = Network(cells, trace, spikes)
        if kind == "spikes":
            network.add(*_kicks(cells, name, drives))
        sim.run(network, _BEFORE)
        if kind == "value":
            # A copy: what Brian2 hands out is a view.
            rest = Quantity(getattr(cells, name)[:], copy=True)
            setattr(cells, name, drives)
            sim.run(network, _STEP)
            setattr(cells, name, rest)
            sim.run(network, _AFTER)
        else:
            sim.run(network, _STEP + _AFTER)
        values = getattr(trace, variable)
        return trace.t[:], Quantity(values, dim=model.parsed[variable].dim), spikes.spike_trains()


def _kicks(cells: NeuronGroup, name: str, drives: Quantity) -> tuple[NeuronGroup, Synapses]:
    """One neuron that spikes regularly during the step, and synapses by which it adds a drive to each cell."""
    source = NeuronGroup(
        1,
        "t_next : second\nt_end : second\nperiod : second",
        threshold="t >= t_next - dt/2 and t < t_end",
        reset="t_next += period",
        namespace={},
    )
    source.t_next, source.t_end, source.period = _BEFORE, _BEFORE + _STEP, _BETWEEN_KICKS
    kicks = Synapses(source, cells, f"kick : {unit_text(drives)}", on_pre=f"{name}_post += kick", namespace={})
    kicks.connect()
    kicks.kick = drives
    return source, kicks


def _draw_synapse(model: SynapseModel) -> Drawing:
    if "w" in model.parsed.names:
        lags = np.arange(-_WIDEST, _WIDEST + 1) * ms
        change = _weight_change(model, lags)
        if np.ptp(change) > 0:
            return _draw_window(model, lags, change)
    return _draw_train(model)


def _draw_window(model: SynapseModel, lags: Any, change: Any) -> Drawing:
    figure, axes = new_figure(height=3.2)
    axes.axhline(0, color="0.7", lw=0.8)
    axes.axvline(0, color="0.7", lw=0.8)
    axes.plot(lags / ms, change, ".-", markersize=4)
    axes.set(xlabel="postsynaptic minus presynaptic spike time (ms)", ylabel="change of w")
    extra = "".join(f", {name} = {value}" for name, value in _switched_on(model).items())
    axes.set_title(f"{model.name}: {_PAIRS} pairs at {1 * second / _PERIOD:g} Hz{extra}")
    return figure


def _draw_train(model: SynapseModel) -> Drawing:
    figure, axes = new_figure(height=3.2)
    axes.bar(np.arange(1, _TRAIN + 1), _transmitted(model))
    axes.set(xlabel="presynaptic spike", ylabel=f"transmitted: {model.transmits}")
    axes.set_title(f"{model.name}: {_TRAIN} spikes at {1 * second / _INTERVAL:g} Hz")
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
    """Neurons that spike at given times, and have the variables that the synapse reads from that side."""
    units = {name.removesuffix(side): unit for name, unit in model.uses.items() if name.endswith(side)}
    reads = [f"{name} : {unit_text(parse_unit(unit))}" for name, unit in units.items() if name not in _OF_EVERY_GROUP]
    group = NeuronGroup(
        len(first),
        "\n".join(["t_next : second", "period : second (shared)", more, *reads]),
        threshold="t >= t_next - dt/2",
        reset="t_next += period",
        namespace={},
    )
    group.t_next, group.period = first, period
    return group


def connect_pairs(model: SynapseModel, pre: NeuronGroup, post: NeuronGroup, onto: str = "") -> Synapses:
    """Synapses from each neuron to the one of the same number, with inputs that are off by default switched on."""
    pairs = list(range(len(pre)))
    return synapses(pre, post, model, onto=onto, connect=(pairs, pairs), values=_switched_on(model))


def _weight_change(model: SynapseModel, lags: Any) -> Any:
    """The change of the weight by pairs of spikes; the weight starts in the middle where it has an upper bound."""
    with session("numpy", seed=1, dt=0.5 * ms) as sim:
        start = _WIDEST * ms
        pre = spike_source(np.full(len(lags), start / ms) * ms, _PERIOD, model, "_pre")
        post = spike_source(start + lags, _PERIOD, model, "_post")
        syn = connect_pairs(model, pre, post)
        syn.w = "w_max/2" if "w_max" in model.parameters else 0.5
        before = np.array(syn.w[:])
        # To the middle of the last interval, so that every pair has come and no spike of the next has.
        sim.run(Network(pre, post, syn), (_PAIRS - 0.5) * _PERIOD + start)
        return np.array(syn.w[:]) - before


def _transmitted(model: SynapseModel) -> Any:
    """What each spike of a train adds to a variable that keeps everything it gets."""
    with session("numpy", seed=1, dt=0.5 * ms) as sim:
        pre = spike_source([10.0] * ms, _INTERVAL, model, "_pre")
        post = spike_source([1e9] * ms, _INTERVAL, model, "_post", more="received : 1")
        syn = connect_pairs(model, pre, post, onto="received")
        trace = StateMonitor(post, "received", record=True)
        sim.run(Network(pre, post, syn, trace), _TRAIN * _INTERVAL)
        each = round(float(_INTERVAL / sim.dt))
        return np.diff(trace.received[0][each - 1 :: each], prepend=0.0)
