"""Models: one rule, one valid file or one invalid file; text -> model -> text; nothing of a file is executed."""

import contextlib
import dataclasses
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest
from brian2 import mV
from hypothesis import given
from hypothesis import strategies as st
from hypothesis_profile import examples

from biosnn import catalogue
from biosnn.errors import ModelError
from biosnn.model import Input, NeuronModel, Parameter, SynapseModel, Trace, from_toml, to_toml
from biosnn.quantity import format_quantity

HERE = Path(__file__).parent
DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
VALID = sorted((HERE / "valid").glob("*.toml"))
INVALID = sorted((HERE / "invalid").glob("*.toml"))


def named(files):
    return [pytest.param(file, id=file.stem) for file in files]


@pytest.mark.parametrize("file", named(VALID))
def test_valid_file_is_read_and_survives_the_round_trip(file):
    model = from_toml(file.read_text(encoding="utf-8"), file.name)
    assert from_toml(to_toml(model)) == model


@pytest.mark.parametrize("file", named(INVALID))
def test_invalid_file_is_refused_with_its_message(file):
    """The first line of each file says what the message must contain."""
    text = file.read_text(encoding="utf-8")
    expected = re.fullmatch(r"# expect: (.+)", text.splitlines()[0])[1]
    with pytest.raises(ModelError) as caught:
        from_toml(text, file.name)
    message = str(caught.value)
    assert expected in message
    assert len(message) < 1000, "a message is read by a person"


def test_the_files_of_rules_are_there():
    assert len(VALID) >= 15
    assert len(INVALID) >= 60


def lif(**changes):
    fields = {
        "name": "n",
        "summary": "A leaky membrane.",
        "source": "Somebody 1907",
        "equations": "dv/dt = -v/tau : volt",
        "threshold": "v > 1*mV",
        "reset": "v = 0*mV",
        "parameters": {"tau": Parameter("10 ms", "time constant")},
    }
    return NeuronModel(**{**fields, **changes})


def pair(**changes):
    fields = {
        "name": "s",
        "summary": "A pair rule.",
        "source": "Somebody 1998",
        "equations": "w : 1",
        "on_post": "w += x",
        "parameters": {"tau": Parameter("10 ms", "time constant")},
        "traces": {"x": Trace("pre", "dx/dt = -x/tau : 1", "x += 1", "trace")},
    }
    return SynapseModel(**{**fields, **changes})


# ---- a model made in Python has the same rights and duties as a file -------------------------------------------


def test_a_model_made_in_python_is_checked():
    with pytest.raises(ModelError, match=r"NeuronModel 'n', dv/dt: No variable or parameter named 'tua'"):
        lif(equations="dv/dt = -v/tua : volt")
    with pytest.raises(ModelError, match=r"Valid names: .*tau.*"):
        lif(equations="dv/dt = -v/tua : volt")
    with pytest.raises(ModelError, match=r"NeuronModel 'n'\.source: expected a text \(got ''\)"):
        lif(source="")
    with pytest.raises(ModelError, match=r"SynapseModel 's'\.traces\.x\.side"):
        pair(traces={"x": Trace("both", "dx/dt = -x/tau : 1", "x += 1", "trace")})


@pytest.mark.parametrize("value", [10, None, 10 * mV])
def test_a_parameter_is_a_text_with_a_unit(value):
    with pytest.raises(ModelError, match=r"parameters\.tau"):
        lif(parameters={"tau": Parameter(value, "time constant")})


def test_a_model_cannot_be_changed():
    model = lif()
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.name = "other"
    with pytest.raises(TypeError):
        model.parameters["tau"] = Parameter("1 ms", "time constant")
    table = {"tau": Parameter("10 ms", "time constant")}
    model = lif(parameters=table)
    table["tau"] = Parameter("1 ms", "time constant")
    assert model.parameters["tau"].value == "10 ms"


def test_equations_are_parsed_once_for_all_models_that_have_them():
    first, other = catalogue.neuron_model("lif"), catalogue.neuron_model("lif").with_values(v_th="-45 mV")
    assert first.parsed is first.parsed is other.parsed
    assert dataclasses.replace(first, equations=first.equations + "\nw : 1").parsed.keys() == {*first.parsed, "w"}


def test_parameters_of_their_own_become_inputs():
    from biosnn.catalogue import neuron_model

    model = neuron_model("adex").with_own("V_r", "b")
    assert model.inputs["V_r"].kind == "value"
    assert model.inputs["b"].default == neuron_model("adex").parameters["b"].value
    assert {"V_r", "b"}.isdisjoint(model.parameters)
    assert "tau_w" in model.parameters
    with pytest.raises(ModelError, match="No parameter named 'V_reset'"):
        neuron_model("adex").with_own("V_reset")


def test_with_values_changes_a_copy():
    model = lif(presets={"fast": {"tau": "1 ms"}})
    assert model.with_values("fast").parameters["tau"].value == "1 ms"
    assert model.with_values("fast", tau="2 ms").parameters["tau"].value == "2 ms"
    assert model.with_values(tau="2 ms").parameters["tau"].meaning == "time constant"
    assert model.parameters["tau"].value == "10 ms"
    with pytest.raises(ModelError, match=r"No preset named 'slow'\. Valid names: fast"):
        model.with_values("slow")
    with pytest.raises(ModelError, match="No parameter named 'tua'"):
        model.with_values(tua="1 ms")
    with pytest.raises(ModelError, match="tau: 1 mV: expected a quantity in second, got a quantity in volt"):
        model.with_values(tau="1 mV")
    rule = pair(presets={"fast": {"tau": "1 ms"}})
    assert rule.with_values("fast").parameters["tau"].value == "1 ms"
    with pytest.raises(ModelError, match="No preset named 'slow'"):
        rule.with_values("slow")


def test_what_a_synapse_knows_about_itself():
    rule = pair()
    assert rule.plastic
    assert list(rule.traces_of("pre")) == ["x"]
    assert rule.traces_of("post") == {}
    assert not SynapseModel("s", "Constant.", "Somebody", "w : 1").plastic


def test_spike_inputs_keep_the_order_of_the_file():
    equations = "dv/dt = (b + a - v)/tau : 1\nda/dt = -a/tau : 1\ndb/dt = -b/tau : 1"
    inputs = {"b": Input("spikes", "b"), "a": Input("spikes", "a")}
    model = lif(equations=equations, threshold="v > 1", reset="v = 0", inputs=inputs)
    assert model.spike_inputs == ["b", "a"]


# ---- hostile texts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["equations", "threshold", "reset", "refractory", "initial", "parameter", "input"])
@pytest.mark.parametrize(
    "evil",
    [
        "__import__('pathlib').Path('TRAP').touch()",
        "open('TRAP', 'w')",
        "(lambda: open('TRAP', 'w'))()",
        "[open('TRAP', 'w') for _ in (1,)]",
        "v.__class__.__base__.__subclasses__()",
        "exec('import pathlib; pathlib.Path(\"TRAP\").touch()')",
        'f\'{open("TRAP", "w")}\'',
        "(yield)",
        "v if open('TRAP', 'w') else v",
        "'a' * 10",
        "9**9**9**9 * v",
    ],
)
def test_no_text_of_a_model_is_executed(tmp_path, monkeypatch, where, evil):
    monkeypatch.chdir(tmp_path)
    fields = {
        "equations": {"equations": f"dv/dt = {evil} : volt"},
        "threshold": {"threshold": f"{evil} > v"},
        "reset": {"reset": f"v = {evil}"},
        "refractory": {"refractory": evil},
        "initial": {"initial": {"v": evil}},
        "parameter": {"parameters": {"tau": Parameter(evil, "time constant")}},
        "input": {"inputs": {"J": Input("value", "input", evil)}},
    }[where]
    with pytest.raises(ModelError):
        lif(**fields)
    assert list(tmp_path.iterdir()) == []


def test_a_hostile_file_is_refused_in_little_time_and_memory():
    """In a process of its own: a slip here would hang or crash, not fail."""
    program = (
        "import sys\n"
        "from biosnn.errors import ModelError\n"
        "from biosnn.model import from_toml\n"
        "from pathlib import Path\n"
        "for file in sorted(Path(sys.argv[1]).glob('hostile_*.toml')):\n"
        "    try:\n"
        "        from_toml(file.read_text(encoding='utf-8'))\n"
        "    except ModelError:\n"
        "        print('refused')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(HERE / "invalid")],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=HERE.parent,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["refused"] * sum(file.stem.startswith("hostile_") for file in INVALID)


@given(st.text(max_size=60))
@examples(200)
def test_any_text_is_a_threshold_or_a_model_error(text):
    try:
        model = lif(threshold=text or "v >")
    except ModelError:
        return
    assert model.threshold in " ".join(text.split())


# ---- text -> model -> text --------------------------------------------------------------------------------------

# What prose may be made of: all that can be seen, and ends of lines.
letters = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters=DIRECTIONS) | st.just("\n")
texts = st.text(letters, min_size=1, max_size=40).filter(lambda text: text.strip())
titles = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9_.+ -]{0,20}[A-Za-z0-9_.+-])?", fullmatch=True)
words = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True)
names = words.map(lambda name: f"p_{name}x")
numbers = st.floats(allow_nan=False, allow_infinity=False, width=64)
UNITS = ["mV", "volt", "ms", "second", "nS", "pA", "Hz", "1", "mV/ms", "uF/cm**2"]


@st.composite
def parameters(draw):
    chosen = draw(st.lists(names, unique=True, max_size=5))
    return {
        name: Parameter(f"{format_quantity(draw(numbers))} * {draw(st.sampled_from(UNITS))}", draw(texts))
        for name in chosen
    }


def using(table):
    """A dimensionless zero that uses every parameter, so that none is declared in vain."""
    return "".join(f" + 0*{name}/{name}" for name in table)


@st.composite
def neuron_models(draw):
    table = draw(parameters())
    spiking = draw(st.booleans())
    tau = {"tau": Parameter("10 ms", draw(texts))}
    more = draw(st.sampled_from(["", "  # leak", "\nk : 1"]))
    some = draw(st.lists(st.sampled_from(sorted(table)), unique=True)) if table else []
    return NeuronModel(
        name=draw(words),
        summary=draw(texts),
        source=draw(texts),
        equations=f"dv/dt = (-v{using(table)} + drive)/tau : 1{more}",
        threshold="v > 1" if spiking else "",
        reset=draw(st.sampled_from(["", "v = 0", "v -= 1; v += 0", "v = 0\nv += 0"])) if spiking else "",
        refractory=draw(st.sampled_from(["", "5*ms", "v > 1"])) if spiking else "",
        method=draw(st.sampled_from(["euler", "exact", "rk4"])),
        parameters={**tau, **table},
        inputs={"drive": Input("value", draw(texts), "0"), "v": Input("spikes", draw(texts))},
        initial=draw(st.sampled_from([{}, {"v": "rand()"}])),
        presets={draw(titles): {name: table[name].value for name in some}} if some else {},
        notes=draw(st.text(letters, max_size=80)),
    )


@st.composite
def synapse_models(draw):
    table = draw(parameters())
    side = draw(st.sampled_from(["pre", "post"]))
    trace = Trace(side, "dx/dt = -x/tau : 1", "x += 1", draw(texts), draw(st.sampled_from(["0", "1", "1/2"])))
    return SynapseModel(
        name=draw(words),
        summary=draw(texts),
        source=draw(texts),
        equations=draw(st.sampled_from(["w : 1", "w : 1 (constant)\nc : 1", "dw/dt = -w/tau : 1 (clock-driven)"])),
        on_pre=draw(st.sampled_from(["", "w = clip(w, 0, 1)", "w = 0\nw += x"])),
        on_post=f"w += x*reward{using(table)}",
        transmits=draw(st.sampled_from(["w", "w*x", "1"])),
        parameters={"tau": Parameter("10 ms", draw(texts)), **table},
        traces={"x": trace},
        inputs={"reward": Input("value", draw(texts), "1")},
        initial=draw(st.sampled_from([{}, {"w": "0.5"}])),
        notes=draw(st.text(letters, max_size=80)),
    )


@pytest.mark.parametrize("text", ["one\ntwo", "one\n", "\n one", 'one "two"\nthree'])
def test_lines_of_notes_and_source_are_kept(text):
    model = dataclasses.replace(catalogue.neuron_model("lif"), notes=text, source=text)
    assert from_toml(to_toml(model)) == model


@given(neuron_models() | synapse_models())
@examples(150)
def test_model_to_text_and_back(model):
    text = to_toml(model)
    again = from_toml(text)
    assert again == model
    assert to_toml(again) == text
    assert list(again.parameters) == list(model.parameters), "the order of parameters is kept"


@given(neuron_models() | synapse_models(), st.text(max_size=10), st.integers(min_value=0))
@examples(100)
def test_a_damaged_text_is_a_model_or_a_model_error(model, inserted, place):
    text = to_toml(model)
    cut = place % (len(text) + 1)
    # Any other exception fails the test.
    with contextlib.suppress(ModelError):
        from_toml(text[:cut] + inserted + text[cut + 3 :])


def test_long_texts_are_written_on_lines_of_their_own():
    text = to_toml(lif(equations="dv/dt = (k - v)/tau : volt\nk : volt", notes='He said "no".\nTwice.'))
    assert 'equations = """dv/dt' in text or 'equations = """\ndv/dt' in text
    assert "\nk : volt" in text
    assert math.isclose(float(from_toml(text).parameters["tau"].quantity), 0.01)
