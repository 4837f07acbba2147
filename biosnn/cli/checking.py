"""Check what is not run as a study: a saved result, a model."""

from __future__ import annotations

from pathlib import Path

from biosnn import catalogue
from biosnn.cli.results import print_result, verdict_text
from biosnn.cli.terminal import Console, Text
from biosnn.errors import EngineError, ModelError, SettingsError
from biosnn.model import NeuronModel
from biosnn.report.trial import try_model
from biosnn.study.saved import load_result


def check_saved(console: Console, folder: str, *, alone: bool) -> bool:
    """Print a saved result and return whether everything in it holds; ``alone``: without settings and options.

    Raises
    ------
    SettingsError
        If it is not alone.
    ResultError
        If the result is damaged.
    """
    _take_nothing(folder, "a saved result", alone)
    result = load_result(Path(folder))
    print_result(console, result)
    return result.verdict == "pass" and not result.broken


def is_model(name: str) -> bool:
    """Whether a name means a model: a ``.toml`` file, or one in the catalogue whose name no study has."""
    known = name in {*catalogue.neuron_names(), *catalogue.synapse_names()} and not catalogue.is_study(name)
    return name.endswith(".toml") or known


def check_model(console: Console, name: str, *, alone: bool) -> bool:
    """Try a model, print what was checked and return whether it passed; ``alone``: without settings and options.

    Raises
    ------
    SettingsError
        If it is not alone.
    NotFoundError
        If there is no such file.
    """
    _take_nothing(name, "a model", alone)
    try:
        checked = [(model, try_model(model)) for model in catalogue.models_named(name)]
    except (ModelError, EngineError) as error:
        console.print(verdict_text("fail") + Text(f"  {error}"), soft_wrap=True)
        return False
    for model, sentences in checked:
        kind = "neuron" if isinstance(model, NeuronModel) else "synapse"
        console.print(verdict_text("pass") + Text(f"  {model.name} ({kind} model)"))
        for sentence in sentences:
            console.print(f"  {sentence}", soft_wrap=True)
    return True


def _take_nothing(name: str, what: str, alone: bool) -> None:
    if not alone:
        raise SettingsError(f"{name}: is {what}, which takes no settings, --out, --seed, --target or --threads.")
