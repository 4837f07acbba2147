"""A model as a reader needs it: its equations by heading, its parameters and inputs as rows."""

from __future__ import annotations

from dataclasses import dataclass

from biosnn.model import Model, NeuronModel, SynapseModel


@dataclass(frozen=True)
class ModelSheet:
    """A model laid out for reading; the command line and the report print the same one.

    Parameters
    ----------
    name, kind, summary, source, notes : str
        As in the model; the kind is "neuron" or "synapse".
    blocks : tuple of (heading, text)
        Equations, threshold, reset and what else it has, in the order in which they are read.
    parameters : tuple of (name, value with unit, meaning)
    inputs : tuple of (name, what enters, meaning)
    presets : tuple of (name, values)
    """

    name: str
    kind: str
    summary: str
    source: str
    notes: str
    blocks: tuple[tuple[str, str], ...]
    parameters: tuple[tuple[str, str, str], ...]
    inputs: tuple[tuple[str, str, str], ...]
    presets: tuple[tuple[str, str], ...]


def describe_model(model: Model) -> ModelSheet:
    """Lay a model out for reading."""
    neuron = isinstance(model, NeuronModel)
    blocks = _neuron_blocks(model) if isinstance(model, NeuronModel) else _synapse_blocks(model)
    initial = "\n".join(f"{name} = {text}" for name, text in model.initial.items())
    blocks = [*blocks, ("initial values", initial), ("integration", model.method)]
    inputs = (
        (name, entry.default if entry.kind == "value" else "spikes", entry.meaning)
        for name, entry in model.inputs.items()
    )
    presets = (
        (name, ", ".join(f"{key} = {text}" for key, text in values.items())) for name, values in model.presets.items()
    )
    return ModelSheet(
        name=model.name,
        kind="neuron" if neuron else "synapse",
        summary=model.summary,
        source=model.source,
        notes=model.notes,
        blocks=tuple((heading, text) for heading, text in blocks if text),
        parameters=tuple((name, entry.value, entry.meaning) for name, entry in model.parameters.items()),
        inputs=tuple(inputs),
        presets=tuple(presets),
    )


def _neuron_blocks(model: NeuronModel) -> list[tuple[str, str]]:
    return [
        ("equations", model.equations),
        ("spikes when", model.threshold),
        ("at a spike", model.reset),
        ("refractory", model.refractory),
    ]


def _at_spike(statements: str) -> str:
    return f"at a spike: {statements or 'nothing'}"


def _synapse_blocks(model: SynapseModel) -> list[tuple[str, str]]:
    traces = [
        (f"trace of {trace.side}synaptic spikes: {trace.meaning}", f"{trace.equation}\n{_at_spike(trace.on_spike)}")
        for trace in model.traces.values()
    ]
    reads = "\n".join(f"{name} : {unit}" for name, unit in model.uses.items())
    return [
        ("equations", model.equations),
        ("hands on at a presynaptic spike", f"gain * ({model.transmits})" if model.transmits else ""),
        ("at a presynaptic spike", model.on_pre),
        ("at a postsynaptic spike", model.on_post),
        *traces,
        ("reads from the neurons", reads),
    ]
