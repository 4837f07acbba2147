"""Is this machine fit to simulate? Each thing that is looked at, and what to do where it is not as it should be."""

from __future__ import annotations

import importlib.metadata
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from biosnn import catalogue
from biosnn.engine import scratch
from biosnn.engine.compiler import cache, toolchain
from biosnn.errors import BiosnnError, NotFoundError
from biosnn.folders import data_folder, folder_size, size_text
from biosnn.study.load import study_summary

OK, WARNING, MISSING, BROKEN = "ok", "warning", "missing", "broken"
_NEEDED = ("brian2", "numpy", "scipy", "matplotlib", "jinja2", "scikit-learn", "tomlkit", "rich", "typer")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Parameters
    ----------
    what : str
        The thing.
    state : {"ok", "warning", "missing", "broken"}
        "warning": studies run without it, if slower; "missing" and "broken": they do not.
    detail : str
        What was found.
    remedy : str
        What to do about it, empty if all is well.
    """

    what: str
    state: str
    detail: str
    remedy: str = ""


def examine(*, run: bool = True) -> Iterator[Finding]:
    """Look at Python, packages, compiler, targets and folders.

    Parameters
    ----------
    run : bool
        Whether to simulate neurons and synapses on every target. Without it, only what a target needs is looked for.

    Yields
    ------
    Finding
        Each as soon as it is known.
    """
    version = ".".join(map(str, sys.version_info[:3]))
    fit = sys.version_info >= (3, 11)
    yield Finding("python", OK if fit else MISSING, version, "" if fit else "Install Python 3.11 or later.")
    yield from (_package(name) for name in _NEEDED)
    yield _package("cython", needed=False)
    yield _compiler()
    yield from _left_behind()  # before a target runs, which clears it away
    problems = toolchain.target_problems()
    yield from (_target(name, problem, run=run) for name, problem in problems.items())
    yield _cache()
    yield _data()
    for part in ("models", "studies"):
        yield from _catalogue(part)


def _package(name: str, *, needed: bool = True) -> Finding:
    state = MISSING if needed else WARNING
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, state, "not installed", f"pip install {name}")
    if name == "numpy" and sys.version_info < (3, 12) and _major_minor(version) >= (2, 4):
        remedy = "pip install 'numpy<2.4' (Brian2 2.9, the newest on Python 3.11, cannot be imported with later ones)"
        return Finding(name, MISSING, version, remedy)
    return Finding(name, OK, version)


def _major_minor(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


def _compiler() -> Finding:
    compiler = toolchain.find_compiler()
    if compiler is None:
        detail = "none found: studies run on another target, and slower"
        return Finding("C++ compiler", WARNING, detail, toolchain.INSTALL)
    return Finding("C++ compiler", OK, f"{' '.join(compiler.command)}: {compiler.version}")


def _target(name: str, problem: str, *, run: bool) -> Finding:
    """A target is fine if on it a neuron charges, and a spike arrives, as they should."""
    state = MISSING if name == toolchain.FALLBACK else WARNING
    if problem:
        return Finding(f"target {name}", state, "does not work", problem)
    if not run:
        return Finding(f"target {name}", OK, "has what it needs")
    try:
        potential, arrivals = _try_out(name)
    except Exception as error:  # whatever goes wrong is what the doctor is asked for
        return Finding(f"target {name}", state, "fails to run two neurons", _reason(error))
    remedy = "Compiler or libraries compute wrong numbers: reinstall them."
    if abs(potential - 0.6321) > 1e-3:
        return Finding(f"target {name}", state, f"a neuron charged to {potential:.4f}, not to 0.6321", remedy)
    if arrivals != [3.1, 4.1]:
        told = ", ".join(f"{time:g}" for time in arrivals) or "no time"
        return Finding(f"target {name}", state, f"spikes arrived at {told}, not at 3.1, 4.1 ms", remedy)
    return Finding(f"target {name}", OK, "runs neurons and synapses")


def _try_out(target: str) -> tuple[float, list[float]]:
    """Run a neuron, synapses that share a delay, and synapses that have one each.

    Returns
    -------
    tuple
        The membrane potential after one time constant, as a fraction of its final value: 1 - exp(-1); and when the
        spikes of 1 ms with delays of 2 and 3 ms made a neuron fire (ms), a time step after they arrived.
    """
    from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, SpikeMonitor, Synapses, ms

    from biosnn.engine import session

    with session(target, seed=1, dt=0.1 * ms) as sim:
        membrane = NeuronGroup(1, "dv/dt = (1 - v)/(10*ms) : 1", method="exact", name="doctor", namespace={})
        source = SpikeGeneratorGroup(1, [0], [1] * ms, name="doctor_source")
        target_cells = NeuronGroup(1, "v : 1", threshold="v > 0.5", reset="v = 0", name="doctor_cells", namespace={})
        shared = Synapses(source, target_cells, on_pre="v_post += 1", delay=2 * ms, name="doctor_shared", namespace={})
        separate = Synapses(source, target_cells, on_pre="v_post += 1", name="doctor_own", namespace={})
        for synapses in (shared, separate):
            synapses.connect(i=[0], j=[0])
        separate.delay = [3] * ms
        spikes = SpikeMonitor(target_cells, name="doctor_spikes")
        sim.run(Network(membrane, source, target_cells, shared, separate, spikes), 10 * ms, "doctor")
        return float(membrane.v[0]), [round(float(time / ms), 3) for time in spikes.t[:]]


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, BiosnnError) else f"{type(error).__name__}: {error}"


def _cache() -> Finding:
    folder = cache.folder()
    nearest = next(parent for parent in (folder, *folder.parents) if parent.exists())
    detail = f"{folder} ({size_text(cache.total_size())} of at most {size_text(cache.size_limit())})"
    if not (nearest.is_dir() and os.access(nearest, os.W_OK)):
        return Finding("cache", WARNING, f"{detail}: cannot be written", "Set BIOSNN_CACHE to a folder of yours.")
    return Finding("cache", OK, detail)


def _left_behind() -> Iterator[Finding]:
    """What processes that were killed have left."""
    places = {"TMPDIR": scratch.abandoned(), "the cache": [entry.path for entry in cache.abandoned()]}
    for where, folders in places.items():
        if folders:
            size = size_text(sum(map(folder_size, folders)))
            detail = f"{len(folders)} in {where} ({size}), of processes that were killed"
            yield Finding(
                "left folders",
                WARNING,
                detail,
                "The next program that is built removes them; `biosnn cache --clear` does for the cache.",
            )


def _data() -> Finding:
    folder = data_folder()
    embedded = "the digits need none: they come with scikit-learn"
    if folder.is_dir():
        return Finding("data", OK, f"{folder} ({size_text(folder_size(folder))}); {embedded}")
    if "BIOSNN_DATA" in os.environ:
        remedy = "Set BIOSNN_DATA to a folder that exists, or unset it."
        return Finding("data", WARNING, f"{folder}: BIOSNN_DATA names no folder; {embedded}", remedy)
    return Finding("data", OK, f"{folder} (empty); {embedded}")


def _catalogue(part: str) -> Iterator[Finding]:
    """The folders of the catalogue, and then whatever in them is left out or not to be used."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        folders = [place.folder for place in catalogue.places(part)]
        problems = list(_unusable(part))
    if not folders:
        yield Finding(part, MISSING, "no folder found", "The installation is incomplete: install biosnn again.")
    else:
        yield Finding(part, OK, ", ".join(f"{folder} ({size_text(folder_size(folder))})" for folder in folders))
    for text in dict.fromkeys(str(warning.message) for warning in caught if warning.category is UserWarning):
        yield Finding(part, WARNING, text, "Mend the plugin or the path, or remove it.")
    yield from problems


def _unusable(part: str) -> Iterator[Finding]:
    """Names that are in the catalogue twice, and what cannot be read."""
    for names, read in _READERS[part]:
        try:
            entry_points = names()
        except NotFoundError as error:
            yield Finding(part, BROKEN, str(error), "Until then, commands that look for a name there fail.")
            continue
        for name in entry_points:
            try:
                read(name)
            except BiosnnError as error:
                yield Finding(part, WARNING, f"{name} cannot be used: {error}", "Mend or remove it.")


_READERS: dict[str, list[tuple[Callable[[], list[str]], Callable[[str], object]]]] = {
    "models": [(catalogue.neuron_names, catalogue.neuron_model), (catalogue.synapse_names, catalogue.synapse_model)],
    "studies": [(catalogue.study_names, lambda name: study_summary(catalogue.study_folder(name)))],
}
