"""A small figure of a model's response: a neuron under a step of its drive; synapses are in `preview_synapse`."""

from __future__ import annotations

import re
import textwrap
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
from biosnn.errors import BiosnnError, ModelError, QuantityError, RunError, SettingsError, field_error, unknown
from biosnn.groups.build import neurons
from biosnn.groups.functions import stand_ins
from biosnn.groups.linked import linked_to_nothing
from biosnn.model import Model, NeuronModel
from biosnn.quantity import format_quantity, parse_quantity, unit_text
from biosnn.report.figures import STYLE, new_figure

_MARK = "biosnn show --figure"
_BEFORE, _STEP, _AFTER, _DT = 20 * ms, 200 * ms, 30 * ms, 0.1 * ms
_ENOUGH = 5
_LADDER = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
# What one spike brings is tried in these units; a variable of another dimension, in its SI unit.
_KICKS = tuple(parse_quantity(text) for text in ("1 nS", "1 nA", "1 mV"))
_BETWEEN_KICKS = 5 * ms

_LONGEST = 100 * second
_WIDTH = 130  # letters to a line of the small print


def draw_preview(model: Model, path: Path, drive: str = "", duration: str = "") -> list[str]:
    """Simulate a model on the NumPy target and draw its response.

    Parameters
    ----------
    model : NeuronModel or SynapseModel
        The model.
    path : Path
        The PNG to write, in place of an earlier figure of this kind: for a neuron the variable of its threshold under a
        step of its drive, for a plastic synapse the change of its weight against the time between the spikes, for any
        other synapse what a train of spikes transmits, or what the neurons get from it.
    drive : str, optional
        The drive of a neuron, ``"0.5 nA"`` or ``"I = 0.5 nA"``; by default the first input, as weak as gives some
        spikes.
    duration : str, optional
        How long the step, the pairs or the train last.

    Returns
    -------
    list of str
        What was assumed, and what is to be seen to, a sentence each.

    Raises
    ------
    SettingsError
        If the file cannot be written, or is there and no figure of this kind; if the drive or duration does not fit.
    ModelError
        If a neuron model has neither an input nor a state variable, so that there is nothing to be seen.
    EngineError
        If the model cannot be simulated.
    """
    from biosnn.report.preview_synapse import draw_synapse

    said: list[str] = []
    long = _duration(duration) if duration else None

    def drawn() -> Drawing:
        with said_of(model):
            if isinstance(model, NeuronModel):
                figure = _draw_neuron(model, drive, long or _STEP, said)
            elif drive:
                expected = "a neuron model, which alone has a drive"
                raise SettingsError(field_error("--drive", expected, f"the synapse model {model.name}"))
            else:
                figure = draw_synapse(model, long, said)
        lines = [line for sentence in said for line in textwrap.wrap(sentence, _WIDTH)]
        figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=7, color="0.4")
        return figure

    write_preview(path, drawn)
    return said


def _duration(text: str) -> Quantity:
    try:
        duration = parse_quantity(text, second)
    except QuantityError as error:
        raise SettingsError(f"--duration: {error}") from None
    if not 0 * second < duration <= _LONGEST:
        raise SettingsError(field_error("--duration", f"a time up to {_LONGEST}, and longer than 0", text))
    return duration


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


def _draw_neuron(model: NeuronModel, drive: str, duration: Quantity, said: list[str]) -> Drawing:
    variable = _watched(model)
    if not variable or not model.inputs:
        raise ModelError(f"NeuronModel {model.name!r}: has no input or no differential equation, so nothing to draw.")
    name, given = _given_drive(model, drive) if drive else (next(iter(model.inputs)), None)
    kind = model.inputs[name].kind
    written, t, trace, spikes = _responsive(model, variable, name, kind, given, duration)
    figure, axes = new_figure(height=3.2)
    unit = format_quantity(Quantity(abs(trace).max())).partition(" ")[2]
    scale = float(np.asarray(parse_quantity(f"1 {unit}")))
    axes.axvspan(_BEFORE / ms, (_BEFORE + duration) / ms, color="0.93", lw=0)
    axes.plot(t / ms, np.asarray(trace) / scale)
    top = axes.get_ylim()[1]
    axes.plot(spikes / ms, np.full(len(spikes), top), "|", color="#d55e00", clip_on=False)
    what = f"{name} = {written}" if kind == "value" else f"{name} + {written} every {_BETWEEN_KICKS / ms:g} ms"
    axes.set(xlabel="time (ms)", ylabel=f"{variable} ({unit})" if unit else variable)
    axes.set_title(f"{model.name}: {what} while shaded, {len(spikes)} spikes")
    said.append(
        f"{what} for {duration / ms:g} ms"
        + (
            ""
            if given is not None
            else f", the weakest drive tried that gives {_ENOUGH} spikes" * (len(spikes) >= _ENOUGH)
        )
        + f"; all else as the model has it, at a time step of {_DT / ms:g} ms."
    )
    if zero := [*model.functions, *model.linked]:
        said.append(f"{', '.join(zero)}: zero, as long as nothing is given.")
    if given is None and len(spikes) < _ENOUGH and model.threshold:
        said.append(f"No drive of those tried gives {_ENOUGH} spikes; this is the strongest. Give --drive.")
    return figure


def _watched(model: NeuronModel) -> str:
    """The variable to be drawn: that of the threshold, or else v, or the first that changes; empty if there is none."""
    changing = model.parsed.diff_eq_names
    if not changing:
        return ""
    named = re.findall(r"[A-Za-z]\w*", model.threshold)
    of_threshold = [name for name in named if name in changing]
    of_threshold += [name for name in named if name in model.parsed.subexpr_names]
    return next((str(name) for name in (*of_threshold, "v") if name in model.parsed.names), _first_changing(model))


def _first_changing(model: NeuronModel) -> str:
    """The first of the differential equations, in the order of the text."""
    return str(next(name for name in model.parsed if name in model.parsed.diff_eq_names))


def _given_drive(model: NeuronModel, text: str) -> tuple[str, Quantity]:
    """The input and the value of a drive such as "0.5 nA" or "I = 0.5 nA"."""
    before, equals, after = text.partition("=")
    name = before.strip() if equals else next(iter(model.inputs))
    if name not in model.inputs:
        raise SettingsError("--drive: " + unknown("input", name, model.inputs))
    entry = model.inputs[name]
    like = parse_quantity(entry.default) if entry.kind == "value" else model.parsed[name].dim
    try:
        return name, parse_quantity((after if equals else text).strip(), like)
    except QuantityError as error:
        raise SettingsError(f"--drive, {name}: {error}") from None


def _responsive(
    model: NeuronModel, variable: str, name: str, kind: str, given: Quantity | None, duration: Quantity
) -> tuple[str, Any, Any, Any]:
    """The response to a given drive, or to the weakest of a ladder with some spikes, or the strongest that works."""
    if given is not None:
        drives = Quantity([float(np.asarray(given))], dim=get_dimensions(given))
        t, traces, spikes = _respond(model, variable, name, kind, drives, duration)
        return format_quantity(given), t, traces[0], spikes[0]
    unit, written = _drive_unit(model, name, kind)
    rungs = np.array(_LADDER)
    while len(rungs):
        drives = Quantity(rungs * float(np.asarray(unit)), dim=get_dimensions(unit))
        try:
            t, traces, spikes = _respond(model, variable, name, kind, drives, duration)
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


def _respond(
    model: NeuronModel, variable: str, name: str, kind: str, drives: Quantity, duration: Quantity
) -> tuple[Any, Any, Any]:
    """Times, the variable of each neuron, and the spike times of each: one neuron a drive."""
    with session("numpy", seed=1, dt=_DT) as sim:
        cells = neurons(len(drives), model, name="preview", values={**stand_ins(model), **linked_to_nothing(model)})
        trace = StateMonitor(cells, variable, record=True)
        network = Network(cells, trace)
        if model.threshold:
            network.add(spikes := SpikeMonitor(cells))
        if kind == "spikes":
            network.add(*_kicks(cells, name, drives, duration))
        sim.run(network, _BEFORE)
        if kind == "value":
            # A copy: what Brian2 hands out is a view.
            rest = Quantity(getattr(cells, name)[:], copy=True)
            setattr(cells, name, drives)
            sim.run(network, duration)
            setattr(cells, name, rest)
            sim.run(network, _AFTER)
        else:
            sim.run(network, duration + _AFTER)
        values = getattr(trace, variable)
        trains = spikes.spike_trains() if model.threshold else {k: [] * second for k in range(len(drives))}
        return trace.t[:], Quantity(values, dim=model.parsed[variable].dim), trains


def _kicks(cells: NeuronGroup, name: str, drives: Quantity, duration: Quantity) -> tuple[NeuronGroup, Synapses]:
    """One neuron that spikes regularly during the step, and synapses by which it adds a drive to each cell."""
    source = NeuronGroup(
        1,
        "t_next : second\nt_end : second\nperiod : second",
        threshold="t >= t_next - dt/2 and t < t_end",
        reset="t_next += period",
        namespace={},
    )
    source.t_next, source.t_end, source.period = _BEFORE, _BEFORE + duration, _BETWEEN_KICKS
    kicks = Synapses(source, cells, f"kick : {unit_text(drives)}", on_pre=f"{name}_post += kick", namespace={})
    kicks.connect()
    kicks.kick = drives
    return source, kicks
