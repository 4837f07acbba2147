"""Run a study: settings in, a complete result folder out."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from biosnn.engine import Simulation, session
from biosnn.errors import BiosnnError, ResultError, StalePlanError, StudyError, field_error, unknown
from biosnn.report import draw_figures, write_report
from biosnn.study.answer import answer_text
from biosnn.study.claims import Claim, check_claims
from biosnn.study.folder import atomic_folder, checkpoint_folder, refuse_foreign, remove_checkpoints
from biosnn.study.functions import find_study
from biosnn.study.identity import run_key
from biosnn.study.load import Settings, Study, load_plot
from biosnn.study.parts import of_other_parts
from biosnn.study.provenance import collect
from biosnn.study.result import Result
from biosnn.study.saved import SavedResult, load_result, write_result
from biosnn.study.settings import make_settings, setting_texts
from biosnn.study.verdict import Expected, check_values
from biosnn.usercode import blame, contained

Asked = TypeVar("Asked", Expected, Claim)

RESULTS = Path("results")
DEFAULT_SEED = 1


def run_study(
    study: Study[Any] | str | Path | Callable[..., Any],
    settings: Mapping[str, Any] | None = None,
    *,
    seed: int = DEFAULT_SEED,
    target: str | None = None,
    threads: int = 1,
    out: Path | str | None = None,
    draw: bool = True,
    say: Callable[[str], None] = lambda _: None,
) -> SavedResult:
    """Run a study and write its result folder.

    Parameters
    ----------
    study : Study, str, Path or callable
        The study, its name, its folder, or a function of a file of its own (`biosnn.study.find_study`).
    settings : mapping of str to str or value, optional
        What differs from the defaults, as texts (``{"tau": "10 ms"}``) or values (``{"tau": 10*ms}``).
    seed : int
        The seed; the same one gives the same arrays on the same target.
    target : {"cpp", "cython", "numpy"}, optional
        Where to simulate; by default what the study usually runs on.
    threads : int, optional
        How many threads simulate a network on ``cpp``; the result is the same.
    out : Path or str, optional
        The result folder; by default ``results/<study>-<key>`` below the working directory, whose key is that of
        `biosnn.study.identity.run_key`: other settings, and other code, write another folder.
    draw : bool, optional
        Whether to draw the figures and write the page; without, the folder holds the numbers only.
    say : callable, optional
        Told what is being done, in a few words.

    Returns
    -------
    SavedResult
        Read back from the folder. Where the study's claims or figures raised an exception, ``broken`` is true and the
        numbers are there nevertheless.

    Raises
    ------
    NotFoundError, StudyError, SettingsError, EngineError
        Before anything runs, if the study, a setting, the target, the seed or the threads are wrong.
    ResultError
        Before anything runs, if the folder may not be replaced or written.
    EngineError
        If the simulation cannot be built or run.
    StudyError
        If the study's ``run`` raises an exception or returns no `Result`.
    """
    loaded = study if isinstance(study, Study) else find_study(study)
    place = Path(out) if out else None
    return load_result(
        compute_study(
            loaded,
            settings,
            place,
            seed=seed,
            target=target,
            threads=threads,
            draw_from=0.0 if draw else math.inf,
            say=say,
        )
    )


def compute_study(
    study: Study[Any],
    settings: Mapping[str, Any] | None,
    out: Path | None,
    *,
    seed: int,
    target: str | None,
    threads: int,
    draw_from: float,
    say: Callable[[str], None] = lambda _: None,
    key: str | None = None,
    sync: bool = True,
) -> Path:
    """Write the result folder of a run, as `run_study` does, and return where it is.

    Parameters
    ----------
    study, settings, out, seed, target, threads, say
        As those of `run_study`.
    draw_from : float
        The figures are drawn, and the page is written, if the run takes at least so many seconds.
    key : str, optional
        The key that the run has to have.
    sync : bool
        Whether the folder is on the disk when it gets its name, not in the system's memory only.

    Raises
    ------
    StalePlanError
        Before anything runs, if the run has another key.
    BiosnnError
        What `run_study` raises.
    """
    chosen = study.make_settings(settings)
    asked = target or study.target
    with session(asked, seed=seed, threads=threads) as sim:
        used = {"asked": asked, "used": str(sim.target), "note": str(sim.note)}
        texts = setting_texts(chosen)
        own_key = run_key(study, texts, int(sim.seed), used["used"])
        if key is not None and used["used"] != asked:
            raise StalePlanError(f"This was planned for the target {asked}, which this machine lacks: {used['note']}.")
        if key not in (None, own_key):
            raise StalePlanError(_OTHER_CODE)
        folder = out or RESULTS / f"{study.name}-{own_key}"
        _refuse_here(folder)
        refuse_foreign(folder, study.name)
        sim.checkpoint_folder = checkpoint_folder(folder, own_key)
        with atomic_folder(folder, sync=sync) as new:
            say(f"running on {used['used']}")
            started = time.perf_counter()
            with _kept_if_stopped(sim.checkpoint_folder):
                result = _run(study, chosen, sim)
            wall_time = time.perf_counter() - started
            draw = wall_time >= draw_from
            say("checking, drawing and writing" if draw else "checking and writing")
            provenance = collect(study, chosen, int(sim.seed), used, sim.models, wall_time) | {"key": own_key}
            about = {"study": study.name, "settings": texts, "seed": int(sim.seed), "target": used["used"]}
            _write(new, study, chosen, result, about, provenance)
            if draw:
                draw_figures(new, lambda: contained(lambda: load_plot(study)(load_result(new))), study.folder)
                write_report(new, study)
        remove_checkpoints(folder)
    return folder


@contextlib.contextmanager
def _kept_if_stopped(checkpoints: Path) -> Iterator[None]:
    """Let whoever ends a run be told what is kept of it."""
    try:
        yield
    except Exception:
        raise
    except BaseException as stop:
        if checkpoints.is_dir() and any(checkpoints.iterdir()):
            stop.add_note("No result was written, but checkpoints are kept: the same command goes on from the last.")
        raise


_OTHER_CODE = (
    "Files of the study or of biosnn, versions of its libraries, or files that settings name are others than when this "
    "run was planned. Start the sweep again with the same command: it plans anew."
)


def _write(
    folder: Path,
    study: Study[Settings],
    settings: Settings,
    result: Result,
    about: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> None:
    """Hold a result against what is expected, and write it."""
    # A value that is there is held against its expected one all the same, unless other settings change that.
    changed = study.changed_settings(settings)
    elsewhere = [item.name for item in study.expected if not item.holds_with(changed)]
    if changed:
        elsewhere += of_other_parts(study.parts, result, [item.name for item in study.expected])
    expected = [item for item in _asked(result, study.expected) if item.name not in elsewhere]
    result = replace(result, not_applicable=[*result.not_applicable, *elsewhere])
    rows = check_values(result.values, expected)
    claims = check_claims(result, _asked(result, study.claims), study.folder)
    write_result(folder, result, rows, claims, {**about, "answer": answer_text(study.answer, rows)}, provenance)


def default_key(study: Study[Any], *, seed: int = DEFAULT_SEED, target: str | None = None) -> str:
    """The key of a run with the defaults."""
    return run_key(study, setting_texts(study.make_settings()), seed, target or study.target)


def finished_result(folder: Path, key: str) -> SavedResult | None:
    """Read a result that the run of a key would only repeat.

    Returns
    -------
    SavedResult or None
        None if there is none, its figures or claims broke, or it has another key, as that of other code.
    """
    try:
        result = load_result(folder)
    except ResultError:
        return None
    return result if result.provenance.get("key") == key and not result.broken else None


def _refuse_here(folder: Path) -> None:
    """A result takes the place of its folder whole, and whoever works in that would be left in none."""
    here = Path.cwd().resolve()
    if folder.resolve() in (here, *here.parents):
        raise ResultError(field_error("out", "a folder beside or below the working folder", str(folder)))


def _run(study: Study[Settings], settings: Settings, sim: Simulation) -> Result:
    try:
        result = contained(lambda: study.run(settings, sim))
    except BiosnnError:
        raise
    except Exception as error:  # the study's own code: anything can happen
        raise StudyError(f"study {study.name}: run() failed: {blame(error, study.folder)}") from error
    if not isinstance(result, Result):
        raise StudyError(field_error(f"study {study.name}: run()", "a Result", result))
    if result.not_applicable and setting_texts(settings) == setting_texts(make_settings(study.settings)):
        expected = "none with the default settings, with which all of it is asked"
        raise StudyError(field_error(f"study {study.name}: not_applicable", expected, ", ".join(result.not_applicable)))
    names = {item.name for item in study.expected} | {claim.name for claim in study.claims}
    for name in result.not_applicable:
        if name not in names:
            raise StudyError(f"study {study.name}: not_applicable: {unknown('expected value or claim', name, names)}")
    return result


def _asked(result: Result, items: Iterable[Asked]) -> list[Asked]:
    """The expected values or claims that apply to a result."""
    return [item for item in items if item.name not in result.not_applicable or item.name in result.values]
