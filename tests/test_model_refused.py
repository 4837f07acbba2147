"""What of a model's text is refused when it is checked: dimensions, what takes too long, what cannot be built."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from brian2 import Network, ms
from brian2.core.namespace import DEFAULT_UNITS
from brian2.parsing.expressions import parse_expression_dimensions
from hypothesis import given
from hypothesis import strategies as st
from hypothesis_profile import examples
from model_cases import NEURON

import biosnn
from biosnn.errors import ModelError
from biosnn.model import NeuronModel, Parameter
from biosnn.model.dimensions import dimension_of
from biosnn.model.expressions import scope

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
        "from test_model_refused import NEURON, SLOW, ModelError, NeuronModel\n"
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
