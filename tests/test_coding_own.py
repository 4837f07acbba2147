"""Codings of a user's own: functions, classes, files, plugins, and input models that are simulated once."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import ms

from biosnn.coding import (
    CODINGS,
    TTFS,
    Coding,
    Function,
    RankOrder,
    delete,
    find_codings,
    jitter,
    own,
    read_codings,
)
from biosnn.errors import CodingError, NotFoundError

RNG = np.random.default_rng(1)
MINE = '''
"""Two codings of mine."""
from dataclasses import dataclass
import numpy as np
from biosnn.coding import Coding, TTFS, Function  # not mine

def twice(values, steps, rng):
    """Two spikes: the first at once, the second the later the smaller the value."""
    raster = np.zeros((steps, *values.shape), dtype=bool)
    raster[0] = True
    later = np.rint((1 - values)*(steps - 2)).astype(int) + 1
    np.put_along_axis(raster, later[np.newaxis], True, axis=0)
    return raster

def read_twice(raster, steps):
    return 1 - (len(raster) - 1 - np.argmax(raster[::-1], axis=0) - 1)/98

def coin(values, steps, rng, bias=0.0):
    return rng.random((steps, *values.shape)) < values + bias

def helper(values):
    return values

def _hidden(values, steps, rng):
    return None

@dataclass(frozen=True, kw_only=True)
class Half(Coding):
    """One spike at once if the value is above a half."""
    half: float = 0.5

    def fire(self, values, rng):
        (neurons,) = np.nonzero(values.ravel() > self.half)
        return self.spikes(np.zeros_like(neurons), neurons, values.shape)

    def read(self, spikes, steps):
        return 0.25 + 0.5*spikes.counts()

    def error(self, steps):
        return 0.25
'''


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    return path


# ---- rank order, several a step ------------------------------------------------------------------------------------


def test_in_rank_order_several_can_spike_together() -> None:
    code = RankOrder(mod=0.5, together=3, duration=4 * ms)
    values = np.arange(1, 11) / 10
    spikes = code.encode(values)
    assert spikes.steps.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]
    assert spikes.neurons.tolist() == [7, 8, 9, 4, 5, 6, 1, 2, 3, 0]
    # The numbers 0, 1, 2 have the mean 1, 3, 4, 5 the mean 4, ….
    assert code.decode(spikes).tolist() == [0.5**10, *[0.5**7] * 3, *[0.5**4] * 3, *[0.5] * 3]
    assert code.decode(spikes, 1 * ms).tolist() == [*[0] * 7, *[0.5] * 3]
    assert RankOrder(together=8).encode(np.ones(784)).steps.max() == 97


def test_one_a_step_is_as_it_was() -> None:
    values = np.random.default_rng(2).random(40)
    spikes = jitter(RankOrder().encode(values), 3 * ms, np.random.default_rng(3))
    order = np.unique(spikes.neurons, return_index=True)[1].argsort().argsort()
    assert np.array_equal(RankOrder().decode(spikes), 0.9**order)


def test_too_many_values_for_the_steps_are_refused() -> None:
    with pytest.raises(CodingError, match=r"at most 200 values, 2 for each step \(got 201\)"):
        RankOrder(together=2).encode(np.ones(201))
    with pytest.raises(CodingError, match=r"RankOrder.together: expected a whole number from 1"):
        RankOrder(together=0)


# ---- functions -----------------------------------------------------------------------------------------------------


def coin(values: Any, steps: int, rng: np.random.Generator) -> Any:
    return rng.random((steps, *values.shape)) < values


def test_a_function_is_a_coding() -> None:
    code = Function(function=coin, duration=200 * ms)
    values = np.array([[0, 0.5], [0.1, 1]])
    spikes = code.encode(values, np.random.default_rng(4))
    assert (spikes.shape, spikes.length) == ((2, 2), 200)
    assert np.array_equal(spikes.raster(), coin(values, 200, np.random.default_rng(4)))
    assert code.stochastic
    assert not code.of_signals


def test_without_a_reader_there_is_no_decoder() -> None:
    code = Function(function=coin)
    spikes = code.encode([0.5], RNG)
    message = r"coin \(.*test_coding_own.py\) has no decoder.* write a function read_coin\(raster, steps\)"
    for call in (lambda: code.decode(spikes), code.bound):
        with pytest.raises(CodingError, match=message):
            call()


def test_with_a_reader_there_is_one_which_sees_what_is_looked_at() -> None:
    seen = []

    def reader(raster: Any, steps: int) -> Any:
        seen.append((raster.shape, steps))
        return raster.mean(axis=0) * 1.5

    code = Function(function=coin, reader=reader)
    spikes = code.encode([0.2, 1], np.random.default_rng(5))
    assert code.decode(spikes, 40 * ms) == pytest.approx([0.3, 1], abs=0.35)
    assert code.decode(spikes, 40 * ms)[1] == 1, "cut off"
    assert code.decode(spikes, 0 * ms).tolist() == [0.5, 0.5]
    assert seen == [((40, 2), 40)] * 2
    assert code.bound() == 1
    assert np.isfinite(code.decode(delete(jitter(spikes, 9 * ms, RNG), 0.5, RNG))).all()


def no_array(_values: Any, _steps: int, _rng: Any) -> Any:
    return [[1], [0, 1]]


def fails(values: Any, _steps: int, _rng: Any) -> Any:
    return values["a"]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda v, s, r: coin(v, s, r).T, r"test_coding_own.py.*bool of shape \(100, 3\).*bool of shape \(3, 100\)"),
        (lambda v, s, r: coin(v, s, r) * 1, r"array of bool.*got 'int64 of shape \(100, 3\)'.*write raster > 0"),
        (lambda v, s, r: None, r"array of bool of shape \(100, 3\) \(got 'object of shape \(\)'"),  # noqa: ARG005
        (no_array, r"no_array \(.*\) failed: ValueError: .*inhomogeneous"),
        (fails, r"fails \(.*test_coding_own.py\) failed: IndexError: .* \(test_coding_own.py, line \d+\)"),
    ],
)
def test_what_a_function_may_do_wrong(function: Any, message: str) -> None:
    with pytest.raises(CodingError, match=message):
        Function(function=function).encode([0.1, 0.2, 0.3], RNG)


def test_what_a_reader_may_do_wrong() -> None:
    spikes = Function(function=coin).encode([0.1, 0.2], RNG)
    for reader, message in (
        (
            lambda raster, _steps: raster.mean(axis=1),
            r"finite numbers of shape \(2,\) .got 'float64 of shape \(100,\)'",
        ),
        (lambda raster, _steps: raster[0] * np.nan, r"float64 of shape \(2,\), not all finite"),
        (lambda raster, _steps: "no", r"finite numbers of shape \(2,\)"),  # noqa: ARG005
    ):
        with pytest.raises(CodingError, match=message):
            Function(function=coin, reader=reader).decode(spikes)


def test_a_function_is_needed_and_so_is_chance() -> None:
    with pytest.raises(
        CodingError, match=r"Function.function: expected a function of values, steps, rng \(got 'coin'\)"
    ):
        Function(function="coin")  # type: ignore[arg-type]
    with pytest.raises(CodingError, match=r"Function.reader: expected a function of raster, steps"):
        Function(function=coin, reader=3)  # type: ignore[arg-type]
    with pytest.raises(CodingError, match=r"coin .*, rng: expected a generator"):
        Function(function=coin).encode([0.5])


# ---- files ---------------------------------------------------------------------------------------------------------


def test_a_file_has_its_functions_and_classes(mine: Path) -> None:
    found = read_codings(mine)
    assert list(found) == ["twice", "coin", "Half"]
    twice = found["twice"](duration=100 * ms, dt=1 * ms)
    assert isinstance(twice, Function)
    values = np.array([[1, 0.5, 0]])
    spikes = twice.encode(values, RNG)
    assert spikes.steps.tolist() == [0, 0, 0, 1, 50, 99]
    assert twice.decode(spikes) == pytest.approx(values)
    half = found["Half"](half=0.2, duration=10 * ms)
    assert half.decode(half.encode([0.3, 0.1])).tolist() == [0.75, 0.25]
    with pytest.raises(CodingError, match=r"coin .*has no decoder"):
        found["coin"]().bound()


def test_a_file_is_read_anew_each_time(mine: Path) -> None:
    assert "twice" in read_codings(str(mine))
    mine.write_text("def other(values, steps, rng):\n    pass\n")
    assert list(read_codings(mine)) == ["other"]


def test_what_codings_have_in_common_is_no_coding(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    base = MINE.replace("class Half(Coding)", "class Common(Coding)").replace("def error", "def _error")
    child = "@dataclass(frozen=True)\nclass Child(Common):\n    def error(self, steps):\n        return 1.0\n"
    path.write_text(base + child)
    assert list(read_codings(path)) == ["twice", "coin", "Child"]
    path.write_text(base)
    with pytest.raises(CodingError, match=r"Common: a coding has the methods fire, read and error \(missing: error\)"):
        read_codings(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def mine(values, steps, rng)\n    pass\n", r"mine.py: cannot be loaded: SyntaxError: .*line 1"),
        ("import numpy\n1/0\n", r"mine.py: cannot be loaded: ZeroDivisionError: division by zero \(mine.py, line 2\)"),
        ("import nosuchthing\n", r"cannot be loaded: ModuleNotFoundError: .*nosuchthing.* \(mine.py, line 1\)"),
        (
            "def mine(x, steps, rng):\n    pass\n",
            r"expected a coding: a function whose first parameters are values, step",
        ),
        ("from biosnn.coding import TTFS\n", r"expected a coding: .*was imported does not count"),
        ("def ttfs(values, steps, rng):\n    pass\n", r"mine.py, ttfs: there is a coding of that name. Give yours"),
        (
            "def mine(values, steps, rng, gain):\n    pass\n",
            r"mine: parameters after .* need a default \(without: gain\)",
        ),
        (
            "def mine(values, steps, rng):\n    pass\ndef read_mien(raster, steps):\n    pass\n",
            r"read_mien: there is no coding 'mien' for it to read. Codings there: mine",
        ),
    ],
)
def test_what_a_file_may_have_wrong(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(CodingError, match=message):
        read_codings(path)
    assert not [name for name, module in sys.modules.items() if getattr(module, "nosuchthing", None)]


def test_a_file_that_is_not_there_or_is_no_python(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"File of codings '.*mien.py' does not exist"):
        read_codings(tmp_path / "mien.py")
    other = tmp_path / "mine.txt"
    other.write_text(MINE)
    with pytest.raises(CodingError, match=r"expected a Python file, ending in .py \(got 'mine.txt'\)"):
        read_codings(other)


# ---- names, files and plugins --------------------------------------------------------------------------------------


def plugins(monkeypatch: pytest.MonkeyPatch, *points: tuple[str, str]) -> None:
    """Pretend that other packages are installed that add (name, object) to the codings."""

    def entry_points(group: str) -> list[EntryPoint]:
        return [EntryPoint(name, value, group) for name, value in points if group == "biosnn.codings"]

    monkeypatch.setattr(own, "entry_points", entry_points)


@pytest.fixture
def package(mine: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of another package, of a name that no test shares."""
    name = f"their_codings_{mine.parent.name.replace('-', '_')}"
    mine.rename(mine.parent / f"{name}.py")
    monkeypatch.setattr(sys, "path", [str(mine.parent), *sys.path])
    return name


def test_codings_are_found_by_name_and_in_files(mine: Path) -> None:
    found = find_codings(["ttfs", str(mine), "phase"])
    assert list(found) == ["ttfs", "twice", "coin", "Half", "phase"]
    for make in found.values():
        code = make(duration=50 * ms, dt=0.5 * ms)
        assert isinstance(code, Coding)
        assert code.length == 100
        assert code.encode([0.4, 0.6], RNG).size == 2
    assert find_codings(["ttfs", "ttfs"]) == {"ttfs": TTFS}
    assert find_codings([]) == {}


def test_codings_are_found_in_plugins(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plugins(monkeypatch, ("pair", f"{package}:twice"), ("half", f"{package}:Half"), ("broken", "no_such_module:coding"))
    found = find_codings(["half", "pair"])
    pair = found["pair"](duration=100 * ms)
    assert pair.decode(pair.encode([0.5], RNG)) == pytest.approx([0.5]), "the reader is found beside it"
    assert found["half"]().bound() == 0.25
    with pytest.raises(
        CodingError, match=r"Plugin 'broken' \(no_such_module:coding\) cannot be loaded: ModuleNotFound"
    ):
        find_codings(["broken"])


def test_what_a_plugin_names_must_be_a_coding(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plugins(monkeypatch, ("bad", f"{package}:helper"), ("gone", f"{package}:nothing"))
    with pytest.raises(CodingError, match=r"Plugin 'bad' .*: expected a subclass of Coding or a function of values"):
        find_codings(["bad"])
    with pytest.raises(CodingError, match=r"Plugin 'gone' .*cannot be loaded: AttributeError"):
        find_codings(["gone"])


def test_a_plugin_cannot_take_a_name_that_is_there(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plugins(monkeypatch, ("ttfs", f"{package}:twice"), ("pair", f"{package}:twice"), ("pair", f"{package}:coin"))
    with pytest.warns(
        UserWarning, match=r"Plugin '.*' \(their_codings.*\) is left out: there is a coding of that name"
    ) as said:
        assert find_codings(["ttfs"]) == {"ttfs": TTFS}
    assert len(said) == 2


def test_a_name_that_is_not_there_lists_those_that_are(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plugins(monkeypatch, ("pair", f"{package}:twice"))
    message = (
        r"No coding named 'tfts'. Did you mean 'ttfs'\? Valid names: .*pair, .*ttfs_membrane. Or the path of a .py"
    )
    with pytest.raises(NotFoundError, match=message):
        find_codings(["regular", "tfts"])
    with pytest.raises(NotFoundError, match="does not exist"):
        find_codings(["./mien.py"])
    with pytest.raises(CodingError, match=r"mine.toml: an input model is no coding by itself. biosnn.inputs.tabulate"):
        find_codings(["./mine.toml"])


def test_two_codings_of_one_name_are_refused(mine: Path) -> None:
    other = mine.parent / "other.py"
    other.write_text(MINE)
    with pytest.raises(
        CodingError, match=r"Two codings are named 'twice'; one of them is from .*other.py. Rename one."
    ):
        find_codings([str(mine), str(other)])


def test_the_list_of_codings_is_left_alone(mine: Path) -> None:
    find_codings([str(mine)])
    assert len(CODINGS) == 10
