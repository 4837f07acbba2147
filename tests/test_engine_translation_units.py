"""Code objects joined into translation units: nothing clashes, nothing is lost, the same numbers come out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, SpikeMonitor, TimedArray, ms
from numpy.testing import assert_allclose

from biosnn import session
from biosnn.engine.compiler import compile, toolchain, translation_units
from biosnn.errors import CompileError

FORM = """#include "code_objects/{name}.h"
namespace {{
    double helper(double x) {{ return {factor}*x; }}
}}

void _run_{name}()
{{
    using namespace brian;
    value = helper(value);{body}
}}
"""


def project(folder: Path, **texts: str) -> list[str]:
    (folder / "code_objects").mkdir()
    for name, text in texts.items():
        (folder / "code_objects" / f"{name}.cpp").write_text(text)
    return [f"code_objects/{name}.cpp" for name in texts]


def form(name: str, factor: int = 2, body: str = "") -> str:
    return FORM.format(name=name, factor=factor, body=body)


def joined(folder: Path, files: list[str], at_least: int = 1) -> tuple[list[str], str]:
    made = translation_units.join(folder, files, "unit", at_least)
    return made, "\n".join((folder / name).read_text() for name in made)


def test_helpers_of_the_same_name_go_to_namespaces_of_their_own(tmp_path: Path) -> None:
    made, text = joined(tmp_path, project(tmp_path, a=form("a", 2), b=form("b", 3)))
    assert made == ["unit_0.cpp"]
    assert "namespace {" not in text
    assert text.count("using namespace helpers_") == 2


PROGRAM = ["main.cpp", "run.cpp", "objects.cpp", "synapses_classes.cpp", "network.cpp", "threads.cpp"]


def included(folder: Path, unit: str) -> list[str]:
    return [line.split()[-1].strip('"') for line in (folder / unit).read_text().splitlines()]


def test_small_files_that_every_program_has_are_compiled_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compile, "cores", lambda: 4)
    assert compile._units(tmp_path, PROGRAM, True) == ["frame.cpp", "loop.cpp", "objects.cpp"]
    assert included(tmp_path, "frame.cpp") == ["main.cpp", "run.cpp", "synapses_classes.cpp"]
    assert included(tmp_path, "loop.cpp") == ["network.cpp", "threads.cpp"]
    assert compile._units(tmp_path, ["main.cpp"], True) == ["main.cpp"], "the file that an error names"


def test_few_cores_compile_all_that_runs_once_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compile, "cores", lambda: 2)
    objects = project(tmp_path, a=form("a"), before_run_a=form("before_run_a", 3), after_run_a=form("after_run_a", 5))
    made = compile._units(tmp_path, [*PROGRAM, *objects], True)
    assert made == ["code_objects/a.cpp", "frame.cpp", "loop.cpp"]
    assert sorted(included(tmp_path, "frame.cpp")) == [
        *("main.cpp", "objects.cpp", "once_0.cpp", "run.cpp", "synapses_classes.cpp")
    ]


def test_what_is_not_optimised_is_joined_however_often_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compile, "cores", lambda: 4)
    objects = project(tmp_path, a=form("a"), before_run_a=form("before_run_a", 3), b=form("b", 5))
    assert compile._units(tmp_path, [*PROGRAM, *objects], False) == ["often_0.cpp", "frame.cpp", "loop.cpp"]
    assert sorted(included(tmp_path, "frame.cpp")) == sorted({*PROGRAM} - {"network.cpp", "threads.cpp"})


FAKE = """#!/bin/sh
echo "$@" >> {said}
case " $* " in
*" -fsyntax-only "*) exit 0 ;;
*" loop.cpp "*) {loop} ;;
esac
for last; do :; done
: > "$last"
: > main
"""


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Build a program with a compiler that makes empty files, and return the names of what it made."""
    monkeypatch.setenv("BIOSNN_CACHE", str(tmp_path / "cache"))
    (tmp_path / "sources/brianlib").mkdir(parents=True)
    (tmp_path / "sources/brianlib/clocks.h").touch()

    def build(main: str = "", network: str = "", loop: str = ":") -> list[str]:
        texts = dict.fromkeys(PROGRAM, "") | {"main.cpp": main, "network.cpp": '#include "network.h"\n'}
        for name, text in {**texts, "network.h": '#include "steps.h"\n', "steps.h": network}.items():
            (tmp_path / "sources" / name).write_text(text)
        script, said = tmp_path / "cxx", tmp_path / "said"
        script.write_text(FAKE.format(said=said, loop=loop))
        script.chmod(0o755)
        os.utime(script, (1, 1))  # it is the same compiler, whatever it does
        said.write_text("")
        compiler = toolchain.Compiler((str(script),), __file__, "fake 1.0")
        compile.build(tmp_path / "sources", PROGRAM, compiler, toolchain.Flags(("-O3",), ()), {}, lambda *_: None)
        lines = [line.split() for line in said.read_text().splitlines()]
        linked = next(line for line in lines if "-o" in line and line[line.index("-o") + 1] == "main")
        assert any(Path(word).name == "loop.o" and (tmp_path / "cache" / word).is_file() for word in linked) == (
            loop == ":"
        )
        return [Path(line[line.index("-o") + 1]).name for line in lines if "-o" in line]

    return build


def test_what_all_programs_have_is_compiled_once(built: Callable[..., list[str]]) -> None:
    first, second = built("int one;"), built("int other;")
    assert {"common.h.gch", "loop.o", "frame.o"} < {*first}
    assert sorted(set(first) - set(second)) == ["common.h.gch", "loop.o"]
    assert "loop.o" in built("int one;", network="// another version")


def test_what_cannot_be_compiled_once_is_compiled_with_the_program(built: Callable[..., list[str]]) -> None:
    with pytest.raises(CompileError, match=r"refused loop.cpp:\n  error: no"):
        built(loop=": > loop.o; echo 'error: no'; exit 1")


def test_what_a_later_run_repeats_calls_the_first(tmp_path: Path) -> None:
    _, text = joined(tmp_path, project(tmp_path, cell=form("cell"), cell_1=form("cell_1"), b=form("b", 3)))
    assert "void _run_cell_1() { _run_cell(); }" in text
    assert text.count("double helper") == 2


DIVIDED = """#include "code_objects/{name}.h"
  # include <vector>
namespace {{ void part(double x); }}
void _run_{name}()
{{
    using namespace brian;
    static std::vector<double> kept; // with a brace: {{
    part({factor});
}}
namespace {{
    const char *const braces = "}}";
    void part(double x) {{ value = x*helper(value); }}
}}
"""


def test_code_that_is_divided_or_remembers_goes_into_a_namespace_as_a_whole(tmp_path: Path) -> None:
    divided = {name: DIVIDED.format(name=name, factor=2) for name in ("divided", "divided_1")}
    made, text = joined(tmp_path, project(tmp_path, a=form("a"), **divided))
    assert made == ["unit_0.cpp"]
    for number, name in ((1, "divided"), (2, "divided_1")):
        assert f"void _run_{name}() {{ inside_{number}::_run_{name}(); }}" in text
        inside = text[text.index(f"namespace inside_{number} {{") : text.index(f"void _run_{name}() {{ inside")]
        assert "static std::vector<double> kept" in inside, "what an object remembers is its own"
        assert "#include" not in inside.replace(" ", "")
        lines = inside.partition(f'#line 1 "code_objects/{name}.cpp"\n')[2].splitlines()
        assert lines.index(f"void _run_{name}()") == divided[name].splitlines().index(f"void _run_{name}()")


@pytest.mark.parametrize(
    "odd",
    [
        form("odd") + "\nint another()\n{\n    return 0;\n}\n",
        form("odd", body="\n    static int count = 0;") + "\nint another()\n{\n    return 0;\n}\n",
        form("odd", body="\n    static int count = 0;") + "\nextern int count;\n",
        form("odd", body="\n    static int count = 0;") + "\n}",
        "#ifndef SHARED\n#define SHARED\n#endif\n" + form("odd", body="\n    static int count = 0;"),
        "int odd;\n",
    ],
    ids=[
        "a function of another form",
        "one beside a variable that lasts",
        "a variable of all files",
        "braces that do not match",
        "what another file may have defined",
        "something else",
    ],
)
def test_what_has_not_the_form_of_a_code_object_stays_alone(tmp_path: Path, odd: str) -> None:
    made, _ = joined(tmp_path, project(tmp_path, a=form("a"), b=form("b", 3), odd=odd))
    assert made == ["unit_0.cpp", "code_objects/odd.cpp"]


def test_every_file_is_in_one_unit_and_every_core_has_one(tmp_path: Path) -> None:
    files = project(tmp_path, **{f"f{number}": form(f"f{number}", number) for number in range(20)})
    made, text = joined(tmp_path, files, at_least=4)
    assert len(made) == 4
    assert sorted(text.count(f"void _run_f{number}()") for number in range(20)) == [1] * 20


def group(name: str, values: list[float]) -> NeuronGroup:
    """Neurons driven by an array, which generated code holds in a helper function."""
    equations = f"dv/dt = (clip({name}(t), 0, 1) + push + 0.05*i)/ms : 1\npush : 1 (shared)"
    array = TimedArray(values, dt=10 * ms, name=name)
    return NeuronGroup(
        5, equations, threshold="v > 1", reset="v = 0", method="euler", name=f"{name}n", namespace={name: array}
    )


def counts(target: str) -> list[np.ndarray]:
    """The spikes of two groups in two runs; a value changes in between."""
    with session(target, seed=3, dt=0.5 * ms) as sim:
        groups = [group("early", [0.0, 0.4, 0.1]), group("late", [0.3, 0.0, 0.5])]
        monitors = [SpikeMonitor(each, name=f"{each.name}_spikes") for each in groups]
        network = Network(*groups, *monitors)
        sim.run(network, 15 * ms)
        groups[0].push = 0.2
        sim.run(network, 15 * ms)
        return [np.array(monitor.count) for monitor in monitors]


@pytest.mark.cpp
def test_two_runs_of_joined_code_give_the_numbers_of_numpy() -> None:
    compiled, expected = counts("cpp"), counts("numpy")
    assert min(each.sum() for each in expected) > 10
    assert_allclose(compiled, expected)
