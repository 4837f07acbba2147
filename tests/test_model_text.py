"""What a model's text may hold: of it, generated code gets what was checked, and nothing else, on every target."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import random
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import Network, ms
from brian2.codegen.runtime.cython_rt.cython_rt import CythonCodeObject
from brian2.codegen.runtime.numpy_rt.numpy_rt import NumpyCodeObject
from brian2.core.namespace import DEFAULT_UNITS
from brian2.parsing.expressions import parse_expression_dimensions
from conversion_networks import chain
from hypothesis import given
from hypothesis import strategies as st
from hypothesis_profile import examples

import biosnn
from biosnn.catalogue import neuron_model
from biosnn.conversion import convert, load, save
from biosnn.errors import ConversionError, EngineError, ModelError, RunError
from biosnn.model import Input, NeuronModel, Parameter, SynapseModel, Trace, from_toml, to_toml
from biosnn.model.dimensions import dimension_of
from biosnn.model.expressions import scope

MARK = "SMUGGLED"
COMMENT = f"# {MARK}(; v = {MARK}) \\"

NEURON: dict[str, Any] = {
    "name": "cell",
    "summary": "A leaky membrane.",
    "source": "Somebody 1907",
    "equations": "dv/dt = (leak + drive)/tau : volt (unless refractory)\nleak = -v : volt\ndg/dt = -g/tau : 1",
    "threshold": "v > v_th",
    "reset": "v = 0*mV; g += 1",
    "refractory": "2*ms",
    "method": "euler",
    "parameters": {"tau": Parameter("10 ms", "time constant"), "v_th": Parameter("1 mV", "threshold")},
    "inputs": {"drive": Input("value", "drive", "2 mV"), "g": Input("spikes", "arrivals")},
    "initial": {"v": "v_th*rand()"},
    "presets": {"quick-2": {"tau": "1 ms"}},
    "notes": "Nothing else.",
}
SYNAPSE: dict[str, Any] = {
    "name": "rule",
    "summary": "A pair rule.",
    "source": "Somebody 1998",
    "equations": "w : 1\ndc/dt = -c/tau_s : 1 (event-driven)",
    "on_pre": "w = clip(w - y, 0, 1); c += 1",
    "on_post": "w = clip(w + x*reward + 0*v_post/mV, 0, 1)",
    "transmits": "w*c",
    "method": "euler",
    "parameters": {"tau_s": Parameter("10 ms", "time constant")},
    "traces": {
        "x": Trace("pre", "dx/dt = -x/tau_s : 1", "x += 1", "trace", "0"),
        "y": Trace("post", "dy/dt = -y/tau_s : 1", "y += 1", "trace", "1/2"),
    },
    "inputs": {"reward": Input("value", "reward", "1")},
    "uses": {"v_post": "volt"},
    "initial": {"w": "0.5"},
    "presets": {"quick": {"tau_s": "1 ms"}},
    "notes": "Nothing else.",
}
KINDS = [(NeuronModel, NEURON), (SynapseModel, SYNAPSE)]


def places(value: Any) -> list[tuple[Any, ...]]:
    """The path to each text of the fields of a model."""
    if isinstance(value, str):
        return [()]
    if dataclasses.is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return [(name, *rest) for name, inner in value.items() for rest in places(inner)]


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for name in path:
        value = value[name] if isinstance(value, dict) else getattr(value, name)
    return value


def put(value: Any, path: tuple[Any, ...], text: Any) -> Any:
    """The fields with another text at one place."""
    if not path:
        return text
    inner = put(at(value, path[:1]), path[1:], text)
    if isinstance(value, dict):
        return {**value, path[0]: inner}
    return dataclasses.replace(value, **{path[0]: inner})


EVERY_TEXT = [pytest.param(kind, given, path, id=".".join(path)) for kind, given in KINDS for path in places(given)]


@pytest.mark.parametrize(("kind", "given", "path"), EVERY_TEXT)
def test_no_text_of_a_model_has_a_hidden_end_of_a_line(kind: Any, given: dict[str, Any], path: tuple[str, ...]) -> None:
    for character in "\r\x00\x07\x0b\x0c\x1c\x1e\x7f\x85\u2028\u2029\u202e\u2066\ud800":
        for text in (f"{at(given, path)}{character}", f"{at(given, path)} # x{character}{MARK}"):
            with pytest.raises(ModelError) as caught:
                kind(**put(given, path, text))
            assert len(str(caught.value)) < 400


@pytest.mark.parametrize(("kind", "given", "path"), EVERY_TEXT)
def test_a_field_of_another_type_is_named(kind: Any, given: dict[str, Any], path: tuple[str, ...]) -> None:
    for other in (None, 3, {}, ["v"], b"v"):
        with pytest.raises(ModelError, match=path[-1]):
            kind(**put(given, path, other))


@pytest.mark.parametrize(("kind", "given"), KINDS)
def test_a_table_that_is_none_is_named(kind: Any, given: dict[str, Any]) -> None:
    for name, value in given.items():
        if isinstance(value, dict):
            inner = next(iter(value.values()))
            for other in ("v", 3, ["v"], {"a/b": inner}, {3: inner}):
                with pytest.raises(ModelError, match=name):
                    kind(**{**given, name: other})


def commented(given: dict[str, Any]) -> dict[str, Any]:
    """With a comment in every text that may have one, and a mark in those that say what is meant."""
    for path in places(given):
        text = at(given, path)
        if path[0] in ("summary", "source", "notes") or path[-1] == "meaning":
            given = put(given, path, f"{text} {MARK}")
        elif path[-1] in ("equations", "reset", "on_pre", "on_post", "equation", "on_spike"):
            given = put(given, path, text.replace("\n", f" {COMMENT}\n") + f" {COMMENT}\n{COMMENT}\n")
        elif path[-1] in ("threshold", "refractory", "transmits") or "initial" in path:
            given = put(given, path, f"({text} {COMMENT}\n) {COMMENT}")
    return given


def network_of(neuron: NeuronModel, synapse: SynapseModel) -> Network:
    cells = biosnn.neurons(3, neuron, name="cells")
    listed = biosnn.synapses(cells, cells, synapse, onto="g", name="listed")
    late = biosnn.synapses(cells, cells, synapse, onto="g", name="late", delay=2 * ms)
    implied = biosnn.synapses(cells, cells, synapse, onto="g", connect=biosnn.Dense(), name="implied")
    return Network(cells, listed, late, implied)


def marked() -> tuple[NeuronModel, SynapseModel]:
    return NeuronModel(**commented(NEURON)), SynapseModel(**commented(SYNAPSE))


@pytest.mark.parametrize(("target", "code_object"), [("numpy", NumpyCodeObject), ("cython", CythonCodeObject)])
def test_comments_do_not_reach_python(monkeypatch: pytest.MonkeyPatch, target: str, code_object: Any) -> None:
    written: list[str] = []

    def write(self: Any, block: str) -> None:
        written.append(str(getattr(self.code, block, "")))

    # Cython would compile for minutes.
    monkeypatch.setattr(code_object, "compile_block", write)
    monkeypatch.setattr(code_object, "run_block", lambda *_: None)
    with biosnn.session(target, seed=1) as sim, contextlib.suppress(RunError, EngineError):
        sim.run(network_of(*marked()), 0.1 * ms)
    code = "\n".join(written)
    assert all(name in code for name in ("tau_s", "v_th", "reward", "drive"))
    assert MARK not in code


@pytest.mark.cpp
def test_comments_do_not_reach_cpp(tmp_path: Path) -> None:
    with biosnn.session("cpp", seed=1) as sim:
        sim.run(network_of(*marked()), 1 * ms)
        sim.device.write_sources(tmp_path / "code", tmp_path / "inputs")
        sim.reset()
    code = [path.read_text() for path in (tmp_path / "code").rglob("*") if path.suffix in (".cpp", ".h")]
    assert any("tau" in text for text in code)
    assert not [text for text in code if MARK in text]


def test_what_is_kept_of_a_commented_model_is_the_model() -> None:
    for kind, fields in KINDS:
        plain, with_comments = kind(**fields), kind(**commented(fields))
        for name in ("equations", "initial", "parameters", *(["reset"] if kind is NeuronModel else ["on_pre", "uses"])):
            kept, expected = getattr(with_comments, name), getattr(plain, name)
            if name == "initial":
                kept = {key: text.removeprefix("(").removesuffix(" )") for key, text in kept.items()}
            if name != "parameters":
                assert kept == expected
        assert from_toml(to_toml(with_comments)) == with_comments


def test_a_comment_with_statements_in_it_is_a_comment() -> None:
    changes: dict[str, Any] = {
        "reset": "v = 0*mV # off: ; v = 5*mV",
        "refractory": "",
        "equations": "dv/dt = drive/tau : volt",
    }
    plain = {**NEURON, **changes, "inputs": {"drive": NEURON["inputs"]["drive"]}, "presets": {}}
    with biosnn.session("numpy", seed=1) as sim:
        cell = biosnn.neurons(1, NeuronModel(**plain), values={"v": "2 mV", "drive": "0 mV"})
        sim.run(Network(cell), 0.2 * ms)
        assert float(cell.v[0]) == 0


def test_code_in_the_model_of_a_saved_network_is_refused(tmp_path: Path) -> None:
    graph = chain(4, 5, 3)
    path = tmp_path / "network.npz"
    save(convert(graph, np.random.default_rng(0).random((4, *graph.input.shape)).astype(np.float32)), path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    text = members["neuron.toml"].decode()
    reset = neuron_model("if_soft").reset
    assert reset in text
    members["neuron.toml"] = text.replace(reset, f"{reset} # x\\rimport os").encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(ConversionError, match=r"reset: expected a text without control characters"):
        load(path)


def test_a_file_of_windows_is_read(tmp_path: Path) -> None:
    model = NeuronModel(**NEURON)
    for number, data in enumerate(
        (to_toml(model).replace("\n", "\r\n").encode(), b"\xef\xbb\xbf" + to_toml(model).encode())
    ):
        path = tmp_path / f"cell{number}.toml"
        path.write_bytes(data)
        assert neuron_model(path) == model
    assert from_toml(to_toml(model).replace("\n", "\r\n")) == model


# ---- names ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["../x", "/abs/x", "my-neuron", "lif 2", "x$_{$y", "2lif", "_x", "µ", "ﬁ", "a\nb", "a.b", "", "x" * 101, 3, {}],
)
def test_a_name_of_a_model_is_a_name(name: Any) -> None:
    for kind, fields in KINDS:
        with pytest.raises(ModelError, match=r"name: expected a name: a letter from A to Z.* Such as '[A-Za-z]\w*'"):
            kind(**{**fields, "name": name})


def test_a_name_says_what_would_do() -> None:
    with pytest.raises(ModelError, match=r"Such as 'my_neuron'"):
        NeuronModel(**{**NEURON, "name": "my-neuron"})


@pytest.mark.parametrize("name", ["regular spiking", "RS-1", "bi&poo", "a/b", "$x$", "ä", " a", "..", "-"])
def test_names_of_presets_may_have_spaces_and_hyphens(name: str) -> None:
    fields = {**NEURON, "presets": {name: {"tau": "1 ms"}}}
    if name in ("regular spiking", "RS-1"):
        assert NeuronModel(**fields).with_values(name).parameters["tau"].value == "1 ms"
    else:
        with pytest.raises(ModelError, match="presets: expected a name"):
            NeuronModel(**fields)


@pytest.mark.parametrize("name", ["lambda", "double", "new", "ta u", "ta-u", "τ", "x$", "_x", "mV"])
def test_names_of_variables_go_into_every_language(name: str) -> None:
    with pytest.raises(ModelError):
        NeuronModel(
            **{**NEURON, "equations": f"dv/dt = -v/{name} : volt", "parameters": {name: Parameter("1 ms", "x")}}
        )
    with pytest.raises(ModelError):
        NeuronModel(**{**NEURON, "reset": f"{name} = v; v = {name}"})


def test_subexpressions_that_name_each_other_in_a_circle_are_named() -> None:
    equations = "dv/dt = -a*v/tau : volt\na = 2*b : 1\nb = 3*c : 1\nc = a + 1 : 1"
    with pytest.raises(ModelError, match=r"equations: expected subexpressions .*\(got '(a <- b <- c|b <- c|c <- a)"):
        NeuronModel(**{**NEURON, "equations": equations})


# ---- dimensions, and what takes too long ------------------------------------------------------------------------

NAMES = scope(
    {
        "v": DEFAULT_UNITS["volt"].dim,
        "u": DEFAULT_UNITS["volt"].dim,
        "x": DEFAULT_UNITS["volt"].dim / DEFAULT_UNITS["volt"].dim,
        "tau": DEFAULT_UNITS["second"].dim,
    }
)
LEAVES = st.sampled_from(["v", "u", "x", "tau", "2", "0.5", "mV", "pi", "True"])


def _more(inner: Any) -> Any:
    pair = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(pair, st.sampled_from(["+", "-", "*", "/", "%", "//", "<", "=="])).map(
            lambda t: f"({t[0][0]} {t[1]} {t[0][1]})"
        ),
        st.tuples(inner, st.sampled_from(["2", "-0.5", "(1/2)", "pi", "x", "+2", "-(2*3)"])).map(
            lambda t: f"({t[0]})**{t[1]}"
        ),
        st.tuples(st.sampled_from(["sqrt", "exp", "abs", "sign", "int", "floor", "-", "not "]), inner).map(
            lambda t: f"{t[0]}({t[1]})" if t[0] != "not " else f"(not {t[1]})"
        ),
        st.tuples(pair, inner).map(lambda t: f"clip({t[0][0]}, {t[0][1]}, {t[1]})"),
        pair.map(lambda t: f"timestep({t[0]}, {t[1]})"),
        st.just("rand()"),
    )


@given(st.recursive(LEAVES, _more, max_leaves=8))
@examples(300)
def test_dimensions_are_those_of_brian2(text: str) -> None:
    try:
        expected = parse_expression_dimensions(text, NAMES)
    except Exception:  # Brian2 has one for each mistake
        expected = None
    try:
        found = dimension_of(ast.parse(text, mode="eval").body, NAMES)
    except Exception:  # DimensionError, or what powers of numbers come to
        found = None
    assert found is expected


SLOW = {
    "calls": {"reset": "v = 0*mV*" + "sqrt(1+" * 40 + "1" + ")" * 40},
    "clips": {"threshold": "clip(" * 20 + "v" + ", v_th, v_th)" * 20 + " > v_th"},
    "terms": {"equations": "dv/dt = v*(a+b+c+d+1)**60/tau : volt\na : 1\nb : 1\nc : 1\nd : 1"},
    "subexpressions": {
        "equations": "dv/dt = s0/tau : volt\n"
        + "".join(f"s{k} = s{k + 1} + s{k + 1} : volt\n" for k in range(25))
        + "s25 = v : volt"
    },
    "exact solution": {
        "equations": "\n".join(f"d{x}/dt = ({'+'.join(f'p{x}{y}*{y}' for y in 'vwxy')})/tau : volt" for x in "vwxy")
        + "\n"
        + "\n".join(f"p{x}{y} : 1 (constant)" for x in "vwxy" for y in "vwxy"),
        "method": "exact",
    },
    "cubic": {
        "equations": "dv/dt = (w*a - v)/tau : volt\ndw/dt = (x*b - w)/tau : volt\ndx/dt = (v*c - x)/tau : volt\n"
        "a : 1 (constant)\nb : 1 (constant)\nc : 1 (constant)",
        "method": "exact",
    },
    "a long sum": {"reset": "v = " + "+".join(["v"] * 400)},
    "a long text": {"notes": "x" * 1_000_000},
    "a long code": {"reset": "v = 0*mV\n" * 5000},
    "many parameters": {"parameters": {f"p{k}": Parameter("1 ms", "x") for k in range(1000)}},
    "many equations": {"equations": "dv/dt = -v/tau : volt\n" + "\n".join(f"a{k} : 1" for k in range(400))},
    "a large unit": {"parameters": {"tau": Parameter("1 ms*pF**-99", "x")}},
}


def test_what_would_take_for_ever_is_refused_at_once() -> None:
    """In a process of its own: a slip here would hang, not fail."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_model_text import NEURON, SLOW, ModelError, NeuronModel\n"
        "base = {**NEURON, 'inputs': {}, 'presets': {}, 'initial': {}, 'equations': 'dv/dt = -v/tau : volt',\n"
        "        'reset': 'v = 0*mV'}\n"
        "for name, change in SLOW.items():\n"
        "    try:\n"
        "        NeuronModel(**{**base, **change})\n"
        "    except ModelError as error:\n"
        "        assert len(str(error)) < 700 and 'cell' in str(error), error\n"
        "        print(name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == list(SLOW)


def test_what_is_only_long_is_taken() -> None:
    NeuronModel(**{**NEURON, "reset": "v = " + " + ".join(["v*exp(-g)"] * 60)})
    power = NEURON["equations"].replace("(leak + drive)", "(leak + drive)*(1 + g + g**2)**8")
    NeuronModel(**{**NEURON, "equations": power})
    rows = ["dv/dt = (leak + drive)/tau : volt", "leak = w - v : volt", "dw/dt = (u - w)/tau : volt"]
    rows += ["du/dt = -u/tau : volt", "dg/dt = -g/tau : 1"]
    NeuronModel(**{**NEURON, "equations": "\n".join(rows), "method": "exact"})


# ---- what would fail only when it is built ----------------------------------------------------------------------

REFUSED = {
    "a chain": ({"threshold": "v_th < v < 3*mV"}, r"Write 'v_th < v and v < 3 \* mV'"),
    "lastspike": (
        {"threshold": "v > v_th and t - lastspike > 1*ms", "refractory": ""},
        "'lastspike' .* refractory period",
    ),
    "a condition in an equation": (
        {"equations": "dv/dt = (drive - v)*(1 + (t > 5*ms))/tau : volt\ng : 1"},
        r"Write int\(t > 5 \* ms\)",
    ),
    "a condition in a reset": ({"reset": "v = v*(v > v_th)"}, r"Write int\(v > v_th\)"),
    "minus a condition": ({"reset": "g += -(v > v_th)"}, "sign before a condition"),
    "noise in a reset": ({"reset": "v += xi*mV*second**0.5"}, r"xi, white noise.*randn\(\)"),
    "noise at the start": ({"initial": {"v": "xi*mV*second**0.5"}}, r"initial\.v: 'xi'"),
    "two draws": ({"reset": "v = (rand() - rand())*mV"}, r"calls rand\(\) more than once"),
    "two draws at the start": (
        {"initial": {"v": "(rand() - rand())*mV"}},
        r"initial\.v.*calls rand\(\) more than once",
    ),
    "numbers as conditions": ({"threshold": "g and g"}, "ought to be boolean"),
    "one for all": (
        {"equations": NEURON["equations"] + "\na : 1 (shared)", "reset": "a += 1"},
        "'a' is one number for all",
    ),
    "an integer": (
        {"equations": NEURON["equations"] + "\nk : integer", "reset": "k += 0.5"},
        r"Write 'k = int\(k \+ \(0\.5\)\)'",
    ),
    "a flag as a factor": (
        {"equations": "dv/dt = -v*on/tau : volt\non : boolean\ng : 1"},
        r"dv/dt: 'on' is true or false, but used as a number\. Write int\(on\), which is 1 or 0",
    ),
    "a flag of a function": ({"equations": NEURON["equations"] + "\non : boolean\nk = exp(on) : 1"}, r"int\(on\)"),
    "a flag as a subexpression": ({"equations": NEURON["equations"] + "\non : boolean\nk = on : 1"}, r"int\(on\)"),
    "a condition as a subexpression": ({"equations": NEURON["equations"] + "\nk = v > v_th : 1"}, r"int\(v > v_th\)"),
    "a flag that follows": (
        {"equations": "dv/dt = -v*low/tau : volt\nlow = v < v_th : boolean\ng : 1"},
        r"Write int\(low\)",
    ),
    "true as a number": ({"reset": "v = v_th*True"}, "'True' is true or false"),
    "a flag in a reset": ({"equations": NEURON["equations"] + "\non : boolean", "reset": "v = v*on"}, r"int\(on\)"),
    "a new flag in a reset": ({"reset": "low = v < v_th; v = -v*low"}, r"Write int\(low\)"),
    "a number made a flag": ({"reset": "g = v > v_th; g = -g"}, r"Write int\(g\)"),
    "a flag with a sign": (
        {"equations": NEURON["equations"] + "\non : boolean", "threshold": "v > v_th and -on < 0"},
        r"Write int\(on\)",
    ),
    "a flag counted up": (
        {"equations": NEURON["equations"] + "\non : boolean", "reset": "on += 1"},
        r"Write 'on = int\(on\) \+ \(1\)'",
    ),
    "brackets": ({"reset": "v *= 1 + g"}, r"Write 'v \*= \(1 \+ g\)'"),
    "a power": ({"reset": "g = g^2"}, r"write \*\*"),
    "and": ({"threshold": "(v > v_th) & (g > 1)"}, "write 'and'"),
    "if": ({"reset": "v = v if g > 1 else 0*mV"}, r"Write int\(condition\)\*a"),
    "a difference in a power": ({"reset": "v = v**(3 - 2)"}, "exponent"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_brian2_cannot_build_is_refused_with_what_to_write(case: str) -> None:
    change, said = REFUSED[case]
    with pytest.raises(ModelError, match=said):
        NeuronModel(**{**NEURON, **change})


def test_what_brian2_takes_is_taken() -> None:
    noisy = "dv/dt = (drive - v)/tau + s*xi : volt\ns : volt*second**-0.5\nq : volt/second**.5\ndg/dt = -g/tau : 1"
    fields = {
        **NEURON,
        "equations": noisy + "\non : boolean",
        "threshold": "on or v > v_th or v*on > v_th",
        "reset": "v = 0*mV; low = v < v_th; g = low; g = 2; g = -g; g -= on*g; on = low or on",
    }
    fields["parameters"] = {**NEURON["parameters"], "sigma": Parameter("1 mV*second**-0.5", "noise")}
    fields["initial"] = {"s": "sigma + 2*volt*second**-0.5"}
    with biosnn.session("numpy", seed=1) as sim:
        cells = biosnn.neurons(2, NeuronModel(**fields))
        sim.run(Network(cells), 0.5 * ms)
        assert float(cells.s[0] / (DEFAULT_UNITS["volt"] * DEFAULT_UNITS["second"] ** -0.5)) == pytest.approx(2.001)


# ---- files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "kind = {}",
        "kind = []",
        'kind = "neuron"\nname = {}',
        "kind = " + "[" * 5000 + "]" * 5000,
        "kind = " + "{a=" * 5000 + "1" + "}" * 5000,
        "a" + ".a" * 50_000 + " = 1",
        'kind = "neuron"\n[parameters' + ".a" * 20_000 + "]\nx = 1",
        "kind = " + "1" * 5000,
        'kind = "neu\x00ron"',
        'kind = "neuron"\nname = "a\\u0000"',
        "kind = 1979-05-27",
        "x" * 1_000_001,
        None,
        b"kind",
    ],
)
def test_a_text_that_is_no_model_is_refused(text: Any) -> None:
    with pytest.raises(ModelError) as caught:
        from_toml(text)
    assert len(str(caught.value)) < 1500


def test_a_mangled_model_is_a_model_or_a_model_error() -> None:
    dice = random.Random(1)
    texts = [to_toml(kind(**fields)) for kind, fields in KINDS]
    pieces = [
        "{}",
        "[]",
        "3",
        '""',
        '"\\r"',
        "\n",
        "=",
        "[",
        "]",
        '"',
        "'''",
        "#",
        "\x00",
        "nan",
        "true",
        "1979-05-27",
        "(",
        "**",
        ".",
        "é",
    ]
    for _ in range(200):
        text = dice.choice(texts)
        for _ in range(dice.randint(1, 3)):
            begin = dice.randrange(len(text))
            end = min(len(text), begin + dice.choice([0, 1, 5, 40]))
            text = text[:begin] + dice.choice([*pieces, text[end : end + 30]]) + text[end:]
        try:
            from_toml(text)
        except ModelError:
            continue
