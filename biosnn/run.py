"""Run a study: settings in, a complete result folder out."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from biosnn.engine import Simulation, session
from biosnn.errors import BiosnnError, ResultError, StudyError, field_error, unknown
from biosnn.gallery import GALLERY
from biosnn.report import draw_figures, write_report
from biosnn.study.folder import address, atomic_folder, checkpoint_folder, refuse_foreign
from biosnn.study.load import README, Settings, Study, load_plot, load_study
from biosnn.study.parts import of_other_parts
from biosnn.study.provenance import code_state, collect, versions
from biosnn.study.result import Result
from biosnn.study.saved import SavedResult, load_result, write_result
from biosnn.study.settings import make_settings, setting_texts
from biosnn.study.verdict import Claim, Expected, check_claims, check_values
from biosnn.usercode import blame, contained

Asked = TypeVar("Asked", Expected, Claim)

RESULTS = Path("results")
DEFAULT_SEED = 1


def run_study(
    study: Study[Any] | str | Path,
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
    study : Study, str or Path
        The study, its name or its folder.
    settings : mapping of str to str or value, optional
        What differs from the defaults, as texts (``{"tau": "10 ms"}``) or values (``{"tau": 10*ms}``).
    seed : int
        The seed; the same one gives the same arrays on the same target.
    target : {"cpp", "cython", "numpy"}, optional
        Where to simulate; by default what the study usually runs on.
    threads : int, optional
        How many threads simulate a network on ``cpp``; the result is the same.
    out : Path or str, optional
        The result folder; by default ``results/<study>-<address>`` below the working directory.
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
    study = study if isinstance(study, Study) else load_study(study)
    chosen = study.make_settings(settings)
    asked = target or study.target
    with session(asked, seed=seed, threads=threads) as sim:
        seed = int(sim.seed)
        used = {"asked": asked, "used": str(sim.target), "note": str(sim.note)}
        texts = setting_texts(chosen)
        folder = Path(out) if out else RESULTS / address(study.name, texts, seed, used["used"])
        _refuse_here(folder)
        refuse_foreign(folder, study.name)
        sim.checkpoint_folder = checkpoint_folder(folder)
        with atomic_folder(folder) as new:
            say(f"running on {used['used']}")
            started = time.perf_counter()
            result = _run(study, chosen, sim)
            wall_time = time.perf_counter() - started
            say("checking, drawing and writing" if draw else "checking and writing")
            provenance = collect(study, chosen, seed, used, sim.models, wall_time)
            about = {"study": study.name, "settings": texts, "seed": seed, "target": used["used"]}
            # A value that is there is held against its expected one all the same, unless other settings change that.
            changed = study.changed_settings(chosen)
            elsewhere = [item.name for item in study.expected if not item.holds_with(changed)]
            if changed:
                elsewhere += of_other_parts(study.parts, result, [item.name for item in study.expected])
            expected = [item for item in _asked(result, study.expected) if item.name not in elsewhere]
            result = replace(result, not_applicable=[*result.not_applicable, *elsewhere])
            rows = check_values(result.values, expected)
            claims = check_claims(result, _asked(result, study.claims), study.folder)
            write_result(new, result, rows, claims, about, provenance)
            if draw:
                draw_figures(new, lambda: contained(lambda: load_plot(study)(load_result(new))), study.folder)
                write_report(new, study)
        shutil.rmtree(sim.checkpoint_folder, ignore_errors=True)
    return load_result(folder)


def result_folder(
    study: Study[Any], *, seed: int = DEFAULT_SEED, target: str | None = None, within: Path = RESULTS
) -> Path:
    """Where the result of a run with the defaults goes, below a folder of results."""
    texts = setting_texts(study.make_settings())
    return within / address(study.name, texts, seed, target or study.target)


def finished_result(study: Study[Any], folder: Path) -> SavedResult | None:
    """Read a result that a run would only repeat.

    Returns
    -------
    SavedResult or None
        None if there is none, its figures or claims broke, or a file of the study, the library or a version of what it
        depends on is another now. A checkout with changes that are not committed is never known to be the same.
    """
    try:
        result = load_result(folder)
    except ResultError:
        return None
    source, code = result.provenance, code_state()

    def run_from(hashes: Mapping[str, str]) -> dict[str, str]:
        return {name: value for name, value in hashes.items() if name not in (README, GALLERY)}

    with contextlib.suppress(KeyError, TypeError, AttributeError):  # of an earlier version, or damaged
        same = run_from(source["study"]["sha256"]) == run_from(study.hashes())
        same = same and source["versions"] == versions() and source["code"] == code
        if same and not code.get("changed") and not result.broken:
            return result
    return None


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
