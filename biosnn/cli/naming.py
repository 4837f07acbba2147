"""What a command takes; and what a path, or a name of the catalogue, is where that is something else."""

from __future__ import annotations

from pathlib import Path

from biosnn import catalogue
from biosnn.cli.results import quoted
from biosnn.errors import NotFoundError, unknown
from biosnn.files import parse_toml, read_text
from biosnn.study.functions import is_function
from biosnn.study.saved import holds_result

_STUDY = "a study (its name, or a folder with study.py)"
_MODEL = "a model (its name, or a .toml file)"
_RESULT = "the folder of a saved result"
TAKES = {
    "run": _STUDY,
    "check": f"{_STUDY}, {_RESULT} or {_MODEL}",
    "show": f"{_STUDY}, {_RESULT}, {_MODEL} or a network (its name, or its file)",
}
_NETWORKS = (".onnx", ".nir", ".safetensors", ".npz")
_MOST_TEXT = 2**20  # bytes


def check_study(command: str, name: str) -> None:
    """Refuse a name that means no study, where a command has nothing else left that it could mean.

    Raises
    ------
    NotFoundError
        The message says what the command takes, what the name means instead, and which command takes that.
    """
    if is_function(name) or catalogue.is_study(name) or (Path(name).expanduser() / "study.py").is_file():
        return
    if command == "run" and name in catalogue.RENAMED_STUDIES:
        return
    meaning, do = _meant(name)
    if meaning:
        raise NotFoundError(f"{name}: is {meaning}, but biosnn {command} takes {TAKES[command]}. {do}".rstrip())
    if catalogue.is_path(name) or name.endswith(_NETWORKS):
        raise NotFoundError(f"{name}: no such file or folder. biosnn {command} takes {TAKES[command]}.")
    if command == "check":
        models = {*catalogue.neuron_names(), *catalogue.synapse_names()}
        studies = {*catalogue.study_names(), *catalogue.study_aliases()}
        raise NotFoundError(unknown("study or model", name, studies | models, "biosnn list"))


def check_network(name: str) -> None:
    """Refuse a name that means no ordinary network, where `biosnn convert` wants one.

    Raises
    ------
    NotFoundError
        The message says what the name means instead.
    """
    folder = Path(name).expanduser()
    if name in catalogue.ann_names() or (folder.is_dir() and not holds_result(folder)):
        return  # of a folder its reader says which files there are
    meaning, do = _meant(name)
    if name in catalogue.study_names() or name in catalogue.study_aliases():
        meaning, do = "a study", f"biosnn run {quoted(name)} runs it."
    elif name in catalogue.network_names():
        meaning, do = "a network that spikes already", f"biosnn show {quoted(name)} shows it."
    if meaning and Path(name).suffix not in _NETWORKS and not _describes_network(name):
        takes = f"an ordinary network that has been trained ({', '.join(catalogue.ann_names())}, or its file)"
        raise NotFoundError(f"{name}: is {meaning}, but biosnn convert takes {takes}. {do}".rstrip())


def _describes_network(name: str) -> bool:
    """Whether a TOML file is none of a model, so that it may be the description of arrays."""
    path = Path(name).expanduser()
    if path.suffix != ".toml" or not path.is_file():
        return False
    try:
        return "kind" not in parse_toml(path, read_text(path, NotFoundError, _MOST_TEXT), NotFoundError)
    except NotFoundError:
        return True  # whoever reads it says what is wrong


def _meant(name: str) -> tuple[str, str]:
    """What a name that is no study's means, and what to do with that; "" twice for nothing."""
    path, name_text = Path(name).expanduser(), quoted(name)
    tried = f"biosnn check {name_text} tries it, biosnn show {name_text} shows it."
    if path.is_dir():
        if holds_result(path):
            return _RESULT, tried.replace("tries", "takes")
        return "a folder with neither a study nor a result in it", ""
    if path.is_file():
        if path.name == "study.py":
            return "the script of a study", f"Give its folder, {quoted(str(path.parent))}."
        if path.suffix == ".toml":
            return "the file of a model", tried
        return ("the file of a network", _of_network(name_text)) if path.suffix in _NETWORKS else ("a file", "")
    if name in {*catalogue.neuron_names(), *catalogue.synapse_names()}:
        return "a model", tried
    if name in {*catalogue.ann_names(), *catalogue.network_names()}:
        return "a network", _of_network(name_text)
    return "", ""


def _of_network(name_text: str) -> str:
    return f"biosnn show {name_text} shows it, biosnn convert {name_text} makes an ordinary one spike."
