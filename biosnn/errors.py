"""Every error that biosnn raises on purpose.

One base class, so that a caller (the command line, a notebook) can tell "the input is wrong, here is what to do"
from a defect of ours. A message names the thing, what was expected, what was given, and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LONGEST = 400  # characters of a value in a message
_MOST_NAMES = 20  # in a message


class BiosnnError(Exception):
    """Base of all errors of biosnn."""


class QuantityError(BiosnnError, ValueError):
    """A text is not a quantity, or has the wrong dimension."""


class ModelError(BiosnnError, ValueError):
    """A neuron or synapse model is not well formed."""


class AdjointError(BiosnnError, ValueError):
    """No gradient can be derived from the equations of a model."""


class TrainingError(BiosnnError, ValueError):
    """A network that cannot be trained by gradients as asked, or data or settings of a training that do not fit it."""


class NotFoundError(BiosnnError, LookupError):
    """A model, study or dataset of that name is not in the catalogue."""


class SettingsError(BiosnnError, ValueError):
    """A study was given a setting that it does not have, or a value that does not fit."""


class SweepError(BiosnnError, ValueError):
    """A sweep cannot be planned or run as asked."""


class StalePlanError(SweepError):
    """Code, or a plan, is another than when a run was planned."""


class StudyError(BiosnnError, ValueError):
    """A study's folder is not well formed, or its own code failed."""


class EngineError(BiosnnError, RuntimeError):
    """A simulation could not be built or run."""


class CompileError(EngineError):
    """The C++ compiler refused the generated code."""


class RunError(EngineError):
    """The simulation crashed, was silent on disk, or produced values that are not numbers."""


class ResultError(BiosnnError, ValueError):
    """A result folder is missing, incomplete, or not one of ours."""


class DataError(BiosnnError, ValueError):
    """A dataset is missing, truncated or not what its checksum says."""


class EnergyError(BiosnnError, ValueError):
    """Counts of operations, or their prices, are not well formed."""


class CodingError(BiosnnError, ValueError):
    """A coding has a parameter, or is given values or spikes, that do not fit it."""


class ConversionError(BiosnnError, ValueError):
    """A network of an ordinary kind (ANN) cannot be read, or has what cannot be made to spike."""


class MissingExtraError(BiosnnError, ImportError):
    """An optional dependency is needed for this."""


def field_error(where: str, expected: str, got: object, do: str = "") -> str:
    """Compose the message ``Class.field: expected … (got …). What to do.``"""
    text = f"{where}: expected {expected} (got {_shown(got)})."
    return f"{text} {do}" if do else text


def _shown(got: object) -> str:
    """A value as Python writes it, cut off where nobody would read on; some are nested too deeply to be written."""
    try:
        text = repr(got)
    except Exception:
        return f"what cannot be shown, of the type {type(got).__name__}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text):,} characters)"


def unknown(kind: str, name: str, valid: Iterable[str], listed_by: str = "") -> str:
    """Compose the message for a wrong name: the nearest right one, then all of them, or the command that lists many."""
    names = sorted(valid)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    if listed_by and len(names) > _MOST_NAMES:
        return f"No {kind} named {name!r}.{hint} {listed_by} shows all {len(names)} names."
    return f"No {kind} named {name!r}.{hint} Valid names: {', '.join(names) or '(none)'}."
