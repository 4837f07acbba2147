"""Find models, networks and studies: the catalogue.

Places, in this order: the package itself (a wheel carries ``biosnn/models`` and ``biosnn/studies``), the checkout
beside it, the folders in ``BIOSNN_PATH``, and what other packages add with the entry points ``biosnn.models`` and
``biosnn.studies`` (a package or folder each). A folder may hold ``models/neurons``, ``models/synapses``,
``models/networks`` and ``studies``. A name that is in the catalogue twice is an error; a broken plugin is a warning.
A study of the gallery may have a second name, its alias.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from biosnn.errors import ModelError, NotFoundError, StudyError, unknown
from biosnn.files import read_text, reading
from biosnn.gallery import GALLERY, GalleryEntry, read_gallery_entry
from biosnn.model import Model, NeuronModel, SynapseModel, from_toml

_MAX_MODEL_BYTES = 1_000_000
RENAMED_STUDIES = {"lif": "fi-curve"}
"""By the names that they had in earlier versions."""


@dataclass(frozen=True)
class Place:
    """A folder that holds models or studies, and who put it into the catalogue."""

    folder: Path
    owner: str


def _own(part: str) -> Place:
    """The folder of the package, or of the checkout it stands in."""
    inside = Path(__file__).parent / part
    return Place(inside if inside.is_dir() else Path(__file__).parent.parent / part, "biosnn")


def _user_places(part: str) -> list[Place]:
    folders = [Path(text).expanduser() for text in os.environ.get("BIOSNN_PATH", "").split(os.pathsep) if text]
    for folder in folders:
        if not folder.is_dir():
            warnings.warn(f"BIOSNN_PATH: {folder} is left out: there is no such folder.", stacklevel=2)
    return [Place(folder / part, "BIOSNN_PATH") for folder in folders]


def _plugin_places(part: str) -> list[Place]:
    places = []
    for point in _entry_points(entry_points, f"biosnn.{part}", _installed()):
        try:
            places.append(Place(_folder_of(point), point.name))
        except Exception as error:
            # Whatever a plugin does wrong, the rest of the catalogue stays in use.
            warnings.warn(f"Plugin {point.name!r} ({point.value}) is left out: {error}", stacklevel=2)
    return places


@cache
def _entry_points(find: Callable[..., Iterable[EntryPoint]], group: str, installed: object) -> list[EntryPoint]:
    """Python looks through all packages for them each time, which takes longer than to read a model."""
    del installed  # what a package adds or takes away is another key
    return list(find(group=group))


def _installed() -> tuple[tuple[str, int], ...]:
    """The folders that Python imports from, and when each was last changed."""
    return tuple((folder, os.stat(folder or ".").st_mtime_ns) for folder in sys.path if os.path.isdir(folder or "."))


def _folder_of(point: EntryPoint) -> Path:
    """The folder of the package that an entry point names, found without importing the package."""
    spec = find_spec(point.module)
    if spec is None or not spec.submodule_search_locations:
        raise NotFoundError(f"expected an importable package (got {point.module!r}).")
    return Path(next(iter(spec.submodule_search_locations)))


def places(part: str) -> list[Place]:
    """Where models (``part="models"``) or studies (``part="studies"``) are looked for, the package's own first."""
    return [place for place in (_own(part), *_user_places(part), *_plugin_places(part)) if place.folder.is_dir()]


def _files(kind: str, ending: str = "toml") -> dict[str, Path]:
    """Every file of one kind (``"neurons"``, ``"synapses"``, ``"networks"``) in the catalogue by name."""
    paths: dict[str, Path] = {}
    for place in places("models"):
        for path in sorted((place.folder / kind).glob(f"*.{ending}")):
            _add(paths, path.stem, path, kind[:-1] + (" models" if ending == "toml" else "s"))
    return paths


def _add(paths: dict[str, Path], name: str, path: Path, kind: str) -> None:
    if name in paths:
        raise NotFoundError(f"Two {kind} are named {name!r}: {paths[name]} and {path}. Rename or remove one.")
    paths[name] = path


def own_models() -> Path:
    """The folder of the models that come with biosnn."""
    return _own("models").folder


def users_models() -> list[Path]:
    """The files of the models and networks that others have put into the catalogue."""
    others = [place.folder for place in places("models") if place.folder != own_models()]
    return [path for folder in others for path in sorted(folder.rglob("*")) if path.is_file()]


def network_names() -> list[str]:
    """Return the names of the trained networks in the catalogue."""
    return sorted(_files("networks", "npz"))


def network_file(name: str | Path) -> Path:
    """Find a trained network by its name in the catalogue, or by the path of its ``.npz`` file.

    Raises
    ------
    NotFoundError
        If there is none; the message lists those there are.
    """
    return _network_file(name, "npz", "network")


def ann_names() -> list[str]:
    """Return the names of the ordinary networks (ANN) in the catalogue, which can be converted to spikes."""
    return sorted(_files("networks", "onnx"))


def ann_file(name: str | Path) -> Path:
    """Find an ordinary network (ANN) by its name in the catalogue, or by the path of its ``.onnx`` file.

    Raises
    ------
    NotFoundError
        If there is none; the message lists those there are.
    """
    return _network_file(name, "onnx", "ordinary network")


def _network_file(name: str | Path, ending: str, kind: str) -> Path:
    files = _files("networks", ending)
    if str(name) in files:
        return files[str(name)]
    if str(name).endswith(f".{ending}") or is_path(name):
        path = Path(name).expanduser()
        if path.is_file():
            return path
        raise NotFoundError(f"Network file {str(name)!r} does not exist (looked at {os.path.abspath(path)}).")
    raise NotFoundError(unknown(kind, str(name), files))


def neuron_names() -> list[str]:
    """Return the names of the neuron models in the catalogue."""
    return sorted(_files("neurons"))


def synapse_names() -> list[str]:
    """Return the names of the synapse models in the catalogue."""
    return sorted(_files("synapses"))


def neuron_model(name: str | Path | NeuronModel) -> NeuronModel:
    """Find a neuron model.

    Parameters
    ----------
    name : str, Path or NeuronModel
        A name in the catalogue, the path of a ``.toml`` file, or a model, which is returned as it is.

    Raises
    ------
    NotFoundError
        If there is no such model; the message lists those there are.
    ModelError
        If the file is not a well-formed neuron model.
    """
    if isinstance(name, NeuronModel):
        return name
    model = _load("neurons", name)
    if not isinstance(model, NeuronModel):
        raise ModelError(f"{name}: expected a neuron model, but the file is a synapse model.")
    return model


def synapse_model(name: str | Path | SynapseModel) -> SynapseModel:
    """Find a synapse model; see `neuron_model`."""
    if isinstance(name, SynapseModel):
        return name
    model = _load("synapses", name)
    if not isinstance(model, SynapseModel):
        raise ModelError(f"{name}: expected a synapse model, but the file is a neuron model.")
    return model


def models_named(name: str) -> list[Model]:
    """Find the models of a name in the catalogue, of which a neuron and a synapse may have the same, or that in a file.

    Returns
    -------
    list of NeuronModel and SynapseModel
        Empty where the name is neither in the catalogue nor that of a ``.toml`` file.
    """
    if name.endswith(".toml"):
        try:
            return [neuron_model(name)]
        except ModelError:
            # A synapse model; or a broken file, about which this says the same.
            return [synapse_model(name)]
    models: list[Model] = [neuron_model(name)] if name in neuron_names() else []
    return [*models, synapse_model(name)] if name in synapse_names() else models


def is_path(name: str | Path) -> bool:
    """Whether a name is meant as a path: it has a folder in it or ends in ``.toml``."""
    text = str(name)
    return isinstance(name, Path) or text.endswith(".toml") or "/" in text or os.sep in text


def _load(kind: str, name: str | Path) -> Model:
    if is_path(name):
        path = Path(name).expanduser()
        if not path.is_file():
            raise NotFoundError(f"Model file {str(name)!r} does not exist (looked at {os.path.abspath(path)}).")
    else:
        files = _files(kind)
        if str(name) not in files:
            missing = unknown(f"{kind[:-1]} model", str(name), files, "biosnn list")
            raise NotFoundError(_other_kind(kind, str(name)) + missing)
        path = files[str(name)]
    return _read(path, path.stat().st_mtime_ns, path.stat().st_size)


def _other_kind(kind: str, name: str) -> str:
    other = "synapses" if kind == "neurons" else "neurons"
    return f"{name!r} is a {other[:-1]} model, but a {kind[:-1]} model is needed. " if name in _files(other) else ""


@cache
def _read(path: Path, modified: int, size: int) -> Model:  # noqa: ARG001 (a changed file is read anew)
    if size > _MAX_MODEL_BYTES:
        raise ModelError(f"{path}: a model file has less than {_MAX_MODEL_BYTES} bytes (this one has {size}).")
    text = read_text(path, ModelError, _MAX_MODEL_BYTES)
    with reading(path, ModelError, "a model in TOML"):
        return from_toml(text, str(path))


def study_names() -> list[str]:
    """Return the names of the studies in the catalogue."""
    return sorted(_study_folders())


def _study_folders() -> dict[str, Path]:
    studies: dict[str, Path] = {}
    for place in places("studies"):
        # A plugin may name a folder of studies or one study.
        folders = [place.folder] if (place.folder / "study.py").is_file() else sorted(place.folder.iterdir())
        for folder in folders:
            if (folder / "study.py").is_file():
                _add(studies, folder.name, folder, "studies")
    return studies


def gallery() -> dict[str, GalleryEntry]:
    """The entries of the gallery, by the names of the studies; a ``gallery.toml`` that is wrong is a warning.

    Raises
    ------
    NotFoundError
        If an alias is the name or the alias of another study.
    """
    folders = _study_folders()
    found: dict[str, GalleryEntry] = {}
    for name, folder in folders.items():
        try:
            entry = read_gallery_entry(folder)
        except StudyError as error:
            warnings.warn(f"{name} is left out of the gallery: {error}", stacklevel=2)
            continue
        if entry is not None:
            found[name] = entry
    called = dict(folders)
    for name, entry in found.items():
        if entry.alias and called.setdefault(entry.alias, folders[name]) != folders[name]:
            both = f"{called[entry.alias]} and {folders[name] / GALLERY}"
            raise NotFoundError(f"Two studies are named {entry.alias!r}: {both}. Change the alias.")
    return found


def study_aliases() -> dict[str, str]:
    """The names of studies by their aliases."""
    return {entry.alias: name for name, entry in gallery().items() if entry.alias}


def is_study(name: str) -> bool:
    """Whether a study of the catalogue has that name, or that alias."""
    return name in study_names() or name in study_aliases()


def study_folder(name: str | Path) -> Path:
    """Find the folder of a study by its name or alias in the catalogue, or by its path; an old name is a warning.

    Raises
    ------
    NotFoundError
        If there is no such study; the message lists those there are.
    """
    folders, aliases = _study_folders(), {} if is_path(name) else study_aliases()
    if str(name) in folders or str(name) in aliases:
        return folders[aliases.get(str(name), str(name))]
    if str(name) in RENAMED_STUDIES:
        now = RENAMED_STUDIES[str(name)]
        warnings.warn(f"The study {name} is called {now} now.", FutureWarning, stacklevel=2)
        return folders[now]
    path = Path(name).expanduser()
    if (path / "study.py").is_file():
        return path.resolve()
    if is_path(name):
        raise NotFoundError(f"Study {str(name)!r}: there is no file {path / 'study.py'}.")
    raise NotFoundError(unknown("study", str(name), {*folders, *aliases}, "biosnn list"))
