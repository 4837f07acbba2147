"""Models as TOML text, both ways. A file is parsed, never executed."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit.items import String, StringType, Trivia

from biosnn.errors import ModelError, field_error, unknown
from biosnn.model.fields import Event, Given, Input, Parameter
from biosnn.model.neuron import NeuronModel
from biosnn.model.plain import MOST_CHARACTERS, short
from biosnn.model.synapse import SynapseModel, Trace

Model = NeuronModel | SynapseModel
"""Either kind of model."""

_KINDS: dict[str, type[NeuronModel] | type[SynapseModel]] = {"neuron": NeuronModel, "synapse": SynapseModel}
_ENTRIES = {"parameters": Parameter, "inputs": Input, "traces": Trace, "functions": Given, "events": Event}
_TABLES = {*_ENTRIES, "initial", "presets", "uses"}
_KEPT = {"notes", "source"}  # texts whose last line end counts; the others are stripped when they are read
_MOST_DOTS = 500  # on a line: Python takes memory with the square of how many parts a key a.b.c… has
_LONG = {"equations", "reset", "on_pre", "on_post", "notes", "source"}


def from_toml(text: str, where: str = "model") -> Model:
    """Read a model from TOML text.

    Parameters
    ----------
    text : str
        The text: ``kind = "neuron"`` or ``"synapse"``, and the fields of that class.
    where : str
        What to call the text in an error message, such as its path.

    Returns
    -------
    NeuronModel or SynapseModel
        The model, checked.

    Raises
    ------
    ModelError
        If the text is not TOML, a field is missing, unknown or of the wrong type, or the model is not well formed.
    """
    if not isinstance(text, str) or len(text) > MOST_CHARACTERS:
        got = f"{len(text)} characters" if isinstance(text, str) else short(text)
        raise ModelError(field_error(where, f"a text of at most {MOST_CHARACTERS} characters", got))
    if max(line.count(".") for line in text.split("\n")) > _MOST_DOTS:
        raise ModelError(f"{where}: not valid TOML: a line has more than {_MOST_DOTS} dots.")
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of too many digits is a plain ValueError
        raise ModelError(f"{where}: not valid TOML: {short(str(error))}.") from None
    kind = data.pop("kind", None)
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ModelError(field_error(f"{where}.kind", "'neuron' or 'synapse'", short(kind)))
    fields = {field.name: field for field in dataclasses.fields(_KINDS[kind])}
    for name in data:
        if name not in fields:
            raise ModelError(f"{where}: " + unknown("field", str(short(name)), fields))
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in data:
            raise ModelError(f"{where}.{name}: is missing. Every {kind} model needs it.")
    values = {name: _read(f"{where}.{name}", name, value) for name, value in data.items()}
    try:
        return _KINDS[kind](**values)
    except ModelError as error:
        raise ModelError(f"{where}: {error}") from None


def _read(where: str, name: str, value: Any) -> Any:
    if name not in _TABLES:
        return _text(where, value)
    table = _table(where, value)
    if name in _ENTRIES:
        return {key: _entry(f"{where}.{short(key)}", _ENTRIES[name], entry) for key, entry in table.items()}
    if name == "presets":
        return {key: _texts(f"{where}.{short(key)}", entry) for key, entry in table.items()}
    return _texts(where, table)


def _entry(where: str, entry_type: Any, value: Any) -> Any:
    fields = {field.name: field for field in dataclasses.fields(entry_type)}
    given = _texts(where, value)
    for name in given:
        if name not in fields:
            raise ModelError(f"{where}: " + unknown("field", str(short(name)), fields))
    for name, field in fields.items():
        if name not in given and field.default is dataclasses.MISSING:
            raise ModelError(f"{where}.{name}: is missing.")
    return entry_type(**given)


def _table(where: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ModelError(field_error(where, "a table", short(value)))
    return value


def _texts(where: str, value: Any) -> dict[str, str]:
    return {key: _text(f"{where}.{short(key)}", text) for key, text in _table(where, value).items()}


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ModelError(field_error(where, "a text in quotes", short(value)))
    return value


def to_toml(model: Model) -> str:
    """Write a model as TOML text that `from_toml` reads back to an equal model."""
    document = tomlkit.document()
    kind = next(kind for kind, model_type in _KINDS.items() if isinstance(model, model_type))
    document.add("kind", tomlkit.string(kind))
    for field in dataclasses.fields(model):
        value = getattr(model, field.name)
        if not value and field.default != value and not isinstance(value, str):
            continue  # an empty table, which is the default
        if isinstance(value, str) and value != field.default:
            document.add(field.name, _string(field.name, value))
        elif isinstance(value, Mapping):
            document.add(field.name, _write_table(value))
    return tomlkit.dumps(document)


def _string(name: str, value: str) -> Any:
    plain = all(character.isprintable() or character == "\n" for character in value) and not set(value) & set('\\"')
    if name in _LONG and "\n" in value and plain:
        # A text that starts on a line of its own: TOML drops the first line end.
        end = "" if name in _KEPT else "\n"
        return String(StringType.MLB, value, f"\n{value}{end}", Trivia())
    return tomlkit.string(value)


def _write_table(table: Mapping[str, Any]) -> Any:
    written = tomlkit.table()
    for key, value in table.items():
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            entry = tomlkit.inline_table()
            for field in dataclasses.fields(value):
                text = getattr(value, field.name)
                if text != field.default:
                    entry.add(field.name, text)
            written.add(key, entry)
        elif isinstance(value, Mapping):
            preset = tomlkit.inline_table()
            for name, text in value.items():
                preset.add(name, text)
            written.add(key, preset)
        else:
            written.add(key, value)
    return written
