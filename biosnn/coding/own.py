"""Codings of a user's own: a function or a class, in a file of theirs or in a package that is installed."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from biosnn.coding import check
from biosnn.coding.base import Coding
from biosnn.coding.check import Values
from biosnn.coding.registry import CODINGS
from biosnn.coding.spikes import Spikes
from biosnn.display import Brief
from biosnn.errors import CodingError, NotFoundError, field_error, unknown
from biosnn.usercode import blame, execute, private_name

Maker = Callable[..., Coding]
"""What makes a coding from keywords such as ``duration`` and ``dt``: its class, or a `Function` with its function."""

GROUP = "biosnn.codings"
_FIRE, _READ = ["values", "steps", "rng"], ["raster", "steps"]


@dataclass(frozen=True, kw_only=True)
class Function(Brief, Coding):
    """A coding made from a function that turns values into a raster, and perhaps another that reads rasters.

    Parameters
    ----------
    function : callable
        ``function(values, steps, rng)``: which neuron spikes in which step, an array of bool of shape
        ``(steps, *values.shape)``. Values are doubles from 0 to 1 in the shape given, ``steps`` is the number of time
        steps, ``rng`` a NumPy ``Generator``.
    reader : callable, optional
        ``reader(raster, steps)``: the values, of shape ``raster.shape[1:]``. The raster has the steps that are looked
        at, one or more. What is below 0 or above 1 is cut off. Without a reader there is no `decode` and no `bound`;
        with one, the bound is 1, since nothing is known of it.
    duration, dt : Quantity
        As of `Coding`.

    Raises
    ------
    CodingError
        If either is no function; later, if what it returns has another type or shape, or if it fails.
    """

    function: Callable[[Values, int, np.random.Generator], Any]
    reader: Callable[[NDArray[np.bool_], int], Any] | None = None

    stochastic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not callable(self.function):
            expected = f"a function of {', '.join(_FIRE)}"
            raise CodingError(field_error(self.where("function"), expected, self.function))
        if self.reader is not None and not callable(self.reader):
            raise CodingError(field_error(self.where("reader"), f"a function of {', '.join(_READ)}", self.reader))

    def fire(self, values: Values, rng: np.random.Generator | None) -> Spikes:
        """Ask the function."""
        source = check.generator(_named(self.function), rng)
        raster = _called(self.function, values.copy(), self.length, source)
        shape = (self.length, *values.shape)
        if raster.dtype != np.bool_ or raster.shape != shape:
            got = f"{raster.dtype} of shape {raster.shape}"
            do = "For numbers, write raster > 0; the steps are the first axis."
            raise CodingError(field_error(_named(self.function), f"an array of bool of shape {shape}", got, do))
        return Spikes.from_raster(raster, self.dt)

    def read(self, spikes: Spikes, steps: int) -> Values:
        """Ask the reader; the middle, if nothing has been looked at."""
        reader = self._need_reader()
        if not steps:
            return np.full(spikes.shape, 0.5)
        values = _called(reader, spikes.per_step()[:steps] > 0, steps)
        if values.dtype.kind not in "biuf" or values.shape != spikes.shape or not np.isfinite(values).all():
            got = f"{values.dtype} of shape {values.shape}{'' if values.shape != spikes.shape else ', not all finite'}"
            raise CodingError(field_error(_named(reader), f"finite numbers of shape {spikes.shape}", got))
        return np.clip(values.astype(np.float64), 0, 1)

    def error(self, _steps: int) -> float:
        """Nothing is known of it."""
        self._need_reader()
        return 1.0

    def _need_reader(self) -> Callable[[NDArray[np.bool_], int], Any]:
        if self.reader is None:
            name = getattr(self.function, "__name__", "it")
            raise CodingError(
                f"{_named(self.function)} has no decoder: studies measure what a fitted decoder finds. "
                f"To give it one, write a function read_{name}(raster, steps)."
            )
        return self.reader


def read_codings(path: str | Path) -> dict[str, Maker]:
    """Load the codings of a Python file, which is executed as a study is.

    Parameters
    ----------
    path : str or Path
        A ``.py`` file. Its codings are its public subclasses of `Coding`, and its public functions whose first three
        parameters are ``values, steps, rng`` (see `Function`); a function ``read_NAME(raster, steps)`` is the reader of
        the function ``NAME``.

    Returns
    -------
    dict
        By its name in the file, what makes a coding from ``duration``, ``dt`` and what else it has.

    Raises
    ------
    NotFoundError
        If there is no such file.
    CodingError
        If it is no Python, fails when it is executed, has no coding, one that is not complete, or one with the name of
        another that there is.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise NotFoundError(f"File of codings {str(path)!r} does not exist (looked at {file.resolve()}).")
    makers = _codings_of(str(path), _load(file.resolve()))
    if not makers:
        raise CodingError(
            f"{path}: expected a coding: a function whose first parameters are {', '.join(_FIRE)}, "
            "or a subclass of Coding. What begins with _ or was imported does not count."
        )
    for name in makers:
        if name in CODINGS:
            raise CodingError(f"{path}, {name}: there is a coding of that name. Give yours another.")
    return makers


def find_codings(names: Sequence[str]) -> dict[str, Maker]:
    """Find codings by name, in files, and among those of other packages.

    Parameters
    ----------
    names : sequence of str
        Each is a name of `CODINGS`, the path of a ``.py`` file (all its codings), or the name of an entry point of the
        group ``biosnn.codings``, which names a subclass of `Coding` or a function as in `read_codings`.

    Returns
    -------
    dict
        By its name, what makes a coding from ``duration``, ``dt`` and what else it has.

    Raises
    ------
    NotFoundError
        If there is no such name or file. The message lists the names.
    CodingError
        If a file or entry point is not as it should be, or two codings have the same name.
    """
    points = _entry_points()
    makers: dict[str, Maker] = {}
    for name in dict.fromkeys(map(str, names)):
        for coding_name, maker in _find(name, points).items():
            if coding_name in makers:
                raise CodingError(f"Two codings are named {coding_name!r}; one of them is from {name}. Rename one.")
            makers[coding_name] = maker
    return makers


def _find(name: str, points: Mapping[str, EntryPoint]) -> Mapping[str, Maker]:
    if name in CODINGS:
        return {name: CODINGS[name]}
    if name.endswith(".toml"):
        raise CodingError(f"{name}: an input model is no coding by itself. biosnn.inputs.tabulate makes one of it.")
    if name.endswith(".py") or "/" in name:
        return read_codings(name)
    if name in points:
        return {name: _plugged_in(points[name])}
    known = unknown("coding", name, [*CODINGS, *points])
    raise NotFoundError(f"{known} Or the path of a .py file with a coding of yours.")


def _entry_points() -> dict[str, EntryPoint]:
    """What other packages add by name; nothing of them is imported before it is asked for."""
    points: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        if point.name in CODINGS or point.name in points:
            warnings.warn(
                f"Plugin {point.name!r} ({point.value}) is left out: there is a coding of that name.", stacklevel=3
            )
        else:
            points[point.name] = point
    return points


def _plugged_in(point: EntryPoint) -> Maker:
    where = f"Plugin {point.name!r} ({point.value})"
    try:
        given = point.load()
    except Exception as error:  # the plugin's own code: anything can happen
        raise CodingError(f"{where} cannot be loaded: {type(error).__name__}: {error}") from error
    maker = _maker(where, given, getattr(given, "__globals__", {}))  # of a function: what its module has beside it
    if maker is None:
        raise CodingError(field_error(where, f"a subclass of Coding or a function of {', '.join(_FIRE)}", given))
    return maker


def _codings_of(where: str, module: ModuleType) -> dict[str, Maker]:
    """The codings that a module defines."""
    defined = {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    }
    classes = [value for value in defined.values() if inspect.isclass(value)]
    makers = {}
    for name, value in defined.items():
        if inspect.isabstract(value) and any(other is not value and issubclass(other, value) for other in classes):
            continue  # what the others have in common
        maker = _maker(f"{where}, {name}", value, defined)
        if maker is not None:
            makers[name] = maker
    for name, value in defined.items():
        if name.startswith("read_") and _parameters(value) == _READ and name.removeprefix("read_") not in makers:
            raise CodingError(
                f"{where}, {name}: there is no coding {name.removeprefix('read_')!r} for it to read. "
                f"Codings there: {', '.join(makers) or '(none)'}."
            )
    return makers


def _maker(where: str, given: Any, beside: Mapping[str, Any]) -> Maker | None:
    """What makes a coding of a class, or of a function and its reader beside it; None if it is neither."""
    if inspect.isclass(given) and issubclass(given, Coding):
        if missing := sorted(getattr(given, "__abstractmethods__", ())):
            raise CodingError(
                f"{where}: a coding has the methods fire, read and error (missing: {', '.join(missing)})."
            )
        return given
    if not isinstance(given, FunctionType) or _parameters(given)[:3] != _FIRE:
        return None
    more = list(inspect.signature(given).parameters.values())[3:]
    if needed := [p.name for p in more if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]:
        raise CodingError(
            f"{where}: parameters after {', '.join(_FIRE)} need a default (without: {', '.join(needed)})."
        )
    reader = beside.get(f"read_{given.__name__}")
    return partial(Function, function=given, reader=reader if _parameters(reader) == _READ else None)


def _parameters(given: Any) -> list[str]:
    return list(inspect.signature(given).parameters) if isinstance(given, FunctionType) else []


def _load(file: Path) -> ModuleType:
    if file.suffix != ".py":
        raise CodingError(field_error(str(file), "a Python file, ending in .py", file.name))
    try:
        return execute(file, private_name("codings", file))
    except Exception as error:  # the user's own code: anything can happen
        raise CodingError(f"{file}: cannot be loaded: {blame(error, file)}") from error


def _called(function: Callable[..., Any], *given: Any) -> NDArray[Any]:
    """Call a user's function for an array; what it raises is reported with its place in their file."""
    try:
        return np.asarray(function(*given))
    except Exception as error:  # the user's own code: anything can happen
        raise CodingError(f"{_named(function)} failed: {blame(error, Path(_file(function)))}") from error


def _file(function: Any) -> str:
    return str(getattr(getattr(function, "__code__", None), "co_filename", ""))


def _named(function: Any) -> str:
    """What to call a user's function in a message: its name and its file."""
    name, file = getattr(function, "__name__", repr(function)), _file(function)
    return f"{name} ({file})" if file else str(name)
