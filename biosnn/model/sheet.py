"""A model as a reader needs it: its equations by heading, its parameters and inputs as rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from biosnn.display import card, note, paragraph, table
from biosnn.model.fields import Input, Parameter
from biosnn.model.typeset import formulas


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


class Described(Protocol):
    """What a sheet needs of a model."""

    @property
    def name(self) -> str: ...
    @property
    def summary(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def notes(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def blocks(self) -> list[tuple[str, str]]: ...
    @property
    def initial(self) -> Mapping[str, str]: ...
    @property
    def parameters(self) -> Mapping[str, Parameter]: ...
    @property
    def inputs(self) -> Mapping[str, Input]: ...
    @property
    def presets(self) -> Mapping[str, Mapping[str, str]]: ...


def describe_model(model: Described) -> ModelSheet:
    """Lay a model out for reading."""
    initial = "\n".join(f"{name} = {text}" for name, text in model.initial.items())
    blocks = [*model.blocks, ("initial values", initial), ("integration", model.method)]
    inputs = (
        (name, entry.default if entry.kind == "value" else "spikes", entry.meaning)
        for name, entry in model.inputs.items()
    )
    presets = (
        (name, ", ".join(f"{key} = {text}" for key, text in values.items())) for name, values in model.presets.items()
    )
    return ModelSheet(
        name=model.name,
        kind=model.kind,
        summary=model.summary,
        source=model.source,
        notes=model.notes,
        blocks=tuple((heading, text) for heading, text in blocks if text),
        parameters=tuple((name, entry.value, entry.meaning) for name, entry in model.parameters.items()),
        inputs=tuple(inputs),
        presets=tuple(presets),
    )


def model_card(model: Described) -> str:
    """A model as a notebook shows it, its equations as formulas."""
    sheet = describe_model(model)
    rows = [(heading, text if heading == "integration" else formulas(text)) for heading, text in sheet.blocks]
    return card(
        f"{sheet.kind} model",
        sheet.name,
        paragraph(sheet.summary),
        table((), rows),
        table(("parameter", "value", "meaning"), sheet.parameters),
        table(("input", "by default", "meaning"), sheet.inputs),
        table(("preset", "values"), sheet.presets),
        note(f"Source: {sheet.source}" if sheet.source else ""),
    )
