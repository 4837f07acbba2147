"""Settings that are a dataclass of the library: declared there once, and given with a dot in their names."""

from __future__ import annotations

import builtins
import dataclasses
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from brian2 import Quantity, ms
from hypothesis import given
from hypothesis import strategies as st
from small_study import STUDY, write_study

from biosnn.cli import main
from biosnn.conversion import Options, ThresholdSettings
from biosnn.errors import SettingsError
from biosnn.run import run_study
from biosnn.study import About, load_study, make_settings, nested, setting, setting_texts
from biosnn.study.settings import changed_settings, describe_settings


@dataclass(frozen=True)
class Synapse:
    """A synapse.

    Parameters
    ----------
    weight : float
        How much a spike adds. In thresholds.
    delay, rise : Quantity
        Times: the first until a spike arrives.

    Raises
    ------
    ValueError
        If the weight is 13.
    """

    weight: float = 1.0
    delay: Quantity = dataclasses.field(default_factory=lambda: 1 * ms)
    rise: Quantity = dataclasses.field(default_factory=lambda: 2 * ms)

    def __post_init__(self) -> None:
        if self.weight == 13:
            raise ValueError("weight: expected luck")


@dataclass(frozen=True)
class Cell:
    """A cell.

    Parameters
    ----------
    size : int
        `ANN` units. More follows.
    synapse : Synapse
        What leads to it.
    limit : float, optional
        Of its rate.
    hidden : dict
        Of no use to anybody.
    """

    size: int = 3
    synapse: Synapse = dataclasses.field(default_factory=Synapse)
    limit: float | None = None
    hidden: dict[str, int] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Settings:
    cell: Cell = nested(
        Cell(size=7),
        {"size": About(minimum=1), "limit": About("of its firing rate", like=1.0, maximum=9.0)},
        leave_out=("hidden", "synapse.rise"),
    )
    rule: str = setting("pair", "plasticity rule", choices=("pair", "triplet"))

    RENAMED: ClassVar[dict[str, str]] = {"units": "cell.size", "law": "rule"}
    CONDITIONAL_DEFAULTS: ClassVar[dict[str, Any]] = {"rule": {"triplet": {"cell.synapse.weight": "3"}}}


def test_fields_of_a_dataclass_are_settings_with_its_defaults_and_its_words() -> None:
    infos = {info.name: info for info in describe_settings(Settings)}
    assert list(infos) == ["cell.size", "cell.synapse.weight", "cell.synapse.delay", "cell.limit", "rule"]
    assert setting_texts(Settings()) == {
        "cell.size": "7",
        "cell.synapse.weight": "1.0",
        "cell.synapse.delay": "1 ms",
        "cell.limit": "none",
        "rule": "pair",
    }
    assert infos["cell.size"].help == "ANN units"
    assert infos["cell.synapse.weight"].help == "how much a spike adds"
    assert infos["cell.synapse.delay"].help == "times: the first until a spike arrives"
    assert infos["cell.limit"].help == "of its firing rate"
    assert infos["cell.size"].limits == "at least 1"


def test_what_is_given_becomes_an_instance_of_the_librarys_own_class() -> None:
    made = make_settings(Settings, {"cell.size": "9", "cell.synapse.delay": "5 ms", "cell.limit": "2"})
    assert made.cell == Cell(9, Synapse(delay=5 * ms), 2.0)
    assert changed_settings(made) == {"cell.size": "9", "cell.synapse.delay": "5 ms", "cell.limit": "2.0"}
    assert make_settings(Settings, {"cell.limit": "2"} | {"cell.limit": "None"}).cell == Cell(7)
    assert make_settings(Settings, {"cell.limit": None, "cell.synapse.weight": 2}).cell.synapse.weight == 2.0


def test_defaults_that_another_setting_brings_along_reach_into_it() -> None:
    made = make_settings(Settings, {"rule": "triplet"})
    assert made.cell.synapse.weight == 3.0
    assert changed_settings(made) == {"rule": "triplet"}
    assert make_settings(Settings, {"rule": "triplet", "cell.synapse.weight": "4"}).cell.synapse.weight == 4.0


@given(
    st.integers(1, 99),
    st.floats(allow_nan=False).filter(lambda x: x != 13),
    st.none() | st.floats(-9, 9),
    st.booleans(),
)
def test_texts_of_nested_settings_give_back_the_same(size: int, weight: float, limit: Any, triplet: bool) -> None:
    rule = "triplet" if triplet else "pair"
    made = make_settings(
        Settings, {"cell.size": size, "cell.synapse.weight": weight, "cell.limit": limit, "rule": rule}
    )
    assert make_settings(Settings, setting_texts(made)) == made
    assert make_settings(Settings, changed_settings(made)) == made


@pytest.mark.parametrize(
    ("given_settings", "message"),
    [
        ({"cell.size": "0"}, r"Setting cell\.size: expected at least 1 \(got 0\)"),
        ({"cell.size": "none"}, "expected a whole number"),
        ({"cell.limit": "10"}, "expected at most 9.0"),
        ({"cell.synapse.weight": "1 ms"}, "expected a number"),
        ({"weight": "1"}, r"No setting named 'weight'. Did you mean 'cell\.synapse\.weight'\?"),
        ({"cell.hidden": "1"}, r"No setting named 'cell\.hidden'"),
        ({"cell": "1"}, r"No setting named 'cell'"),
        ({"cell.synapse.rise": "1 ms"}, "No setting named"),
        ({"cell.synapse.weight": "13"}, r"Setting cell\.synapse: weight: expected luck"),
        ({"units": "4"}, r"Setting units: it is called cell\.size now. Write cell\.size=4\.$"),
        ({"law": "pair"}, "Write rule=pair"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_full_name(given_settings: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        make_settings(Settings, given_settings)


@dataclass(frozen=True)
class Silent:
    size: int = 1


@dataclass
class Thawed:
    """Not frozen."""

    size: int = 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nested(Silent()), r"nested\(Silent\)\.size: is documented nowhere"),
        (lambda: nested(Thawed()), "an instance of a frozen dataclass"),
        (lambda: nested(Cell), "an instance of a frozen dataclass"),
        (lambda: nested(Cell()), r"nested\(Cell\)\.limit: expected a default whose type can be seen"),
        (lambda: nested(Cell(), {"limit": About(like=1.0)}), r"nested\(Cell\)\.hidden: expected a setting's type"),
        (lambda: nested(Cell(), {"sise": About(minimum=1)}), "No field named 'sise'. Did you mean 'size'"),
        (lambda: nested(Cell(), leave_out=("synapse.hight",)), "No field named 'synapse.hight'"),
        (lambda: nested(Synapse(), {"weight": About(minimum=2.0)}), r"expected at least 2.0 \(got 1.0\)"),
        (lambda: nested(Synapse(), {"delay": About(minimum=2.0)}), "limit: expected a quantity in second"),
    ],
)
def test_a_dataclass_that_cannot_be_nested_is_refused_where_it_is_declared(make: Any, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        make()


def test_no_file_is_opened_while_settings_are_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Converting:
        conversion: Options = nested(Options(), {"balance.percentile": About(like=99.9)})

    def refuse(*_: Any, **__: Any) -> Any:
        pytest.fail("a file was opened")

    for module in (builtins, io):
        monkeypatch.setattr(module, "open", refuse)
    monkeypatch.setattr(Path, "open", refuse)
    made = make_settings(Converting, {"conversion.neuron": "none.toml", "conversion.balance.percentile": "99"})
    assert made.conversion == Options(ThresholdSettings(percentile=99.0), neuron="none.toml")
    with pytest.raises(SettingsError, match=r"Setting conversion\.balance: ThresholdSettings\.percentile: expected"):
        make_settings(Converting, {"conversion.balance.percentile": "9"})


NESTED = STUDY.replace(
    "@dataclass(frozen=True)\nclass Settings:",
    '@dataclass(frozen=True)\nclass Current:\n    """A current.\n\n    Parameters\n    ----------\n'
    '    strength : float\n        In units of 0.1 nA.\n    """\n\n    strength: float = 1.0\n\n\n'
    "@dataclass(frozen=True)\nclass Settings:\n"
    '    current: Current = nested(Current(), {"strength": About(minimum=0.5)})\n',
).replace("import Claim", "import About, Claim, nested")


def test_a_study_shows_saves_and_repeats_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_study(tmp_path / "charging", study=NESTED)
    result = run_study(folder, {"current.strength": "0.75"}, out=tmp_path / "out")
    assert result.settings["current.strength"] == "0.75"
    assert result.provenance["changed"] == {"current.strength": "0.75"}
    assert f"biosnn run {folder} current.strength=0.75" in result.provenance["command"]
    assert "current.strength" in result.report.read_text()
    with pytest.raises(SystemExit):
        main(["show", str(folder)])
    assert "in units of 0.1 nA (at least 0.5)" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(SystemExit) as ended:
        main(["run", str(folder), "current.strength=0", "--out", str(tmp_path / "none")])
    assert ended.value.code == 2
    assert "current.strength: expected at least 0.5 (got 0.0)" in capsys.readouterr().err


FROM_FILE = STUDY.replace(
    "def run(settings, sim):",
    """def settings_of_files(given):
    from pathlib import Path

    name = given.get("start", "")
    return dict(line.split("=") for line in Path(name).read_text().split()) if name else {}


def run(settings, sim):""",
).replace(
    '    points: int = setting(3, "how',
    '    start: str = setting("", "a file with settings")\n    points: int = setting(3, "how',
)


def test_settings_of_a_file_come_before_defaults_and_behind_what_is_given(tmp_path: Path) -> None:
    (tmp_path / "before.txt").write_text("points=7")
    study = load_study(write_study(tmp_path / "charging", study=FROM_FILE))
    file = {"start": str(tmp_path / "before.txt")}
    assert study.make_settings(file).points == 7
    assert study.changed_settings(study.make_settings(file)) == file
    for points in ("3", "5"):  # the first of which is the default without the file
        given = file | {"points": points}
        assert study.changed_settings(study.make_settings(given)) == given
    with pytest.raises(SettingsError, match="No setting named 'pints'"):
        study.make_settings({"start": "nowhere.txt", "pints": "1"})
