"""What a model's text may hold: of it, generated code gets what was checked, and nothing else, on every target."""

from __future__ import annotations

import contextlib
import dataclasses
import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import Network, ms
from brian2.codegen.runtime.cython_rt.cython_rt import CythonCodeObject
from brian2.codegen.runtime.numpy_rt.numpy_rt import NumpyCodeObject
from conversion_networks import chain
from model_cases import MORE, NEURON, SYNAPSE

import biosnn
from biosnn.catalogue import neuron_model
from biosnn.conversion import convert, load, save
from biosnn.errors import ConversionError, EngineError, ModelError, RunError
from biosnn.model import NeuronModel, Parameter, SynapseModel, from_toml, to_toml

MARK = "SMUGGLED"
COMMENT = f"# {MARK}(; v = {MARK}) \\"

KINDS = [(NeuronModel, NEURON), (SynapseModel, SYNAPSE), (NeuronModel, MORE)]


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
        elif path[-1] in ("equations", "reset", "on_pre", "on_post", "equation", "on_spike", "action"):
            given = put(given, path, text.replace("\n", f" {COMMENT}\n") + f" {COMMENT}\n{COMMENT}\n")
        elif path[-1] in ("threshold", "refractory", "transmits", "condition") or "initial" in path:
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
