"""No name that a user may give to a variable meets a word of our templates."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, ms, prefs
from brian2.equations.equations import EquationError
from numpy.testing import assert_allclose

import biosnn
from biosnn import Dense, Lateral, OneToOne, Projection
from biosnn.errors import ModelError

ROOT = Path(biosnn.__file__).parent
MORE = "n i j k m x y row end begin kernel weights pre post idx gamma rand y0 j1 time M_PI E I R C".split()  # noqa: SIM905
WORDS = {"numpy": {"router", "late_idx"}, "cpp": {"side", "heterogeneous", "gate", "count", "arrays", "size", "spikes"}}
COUNT = 2000
"""As many neurons as make Brian2's templates give way to ours."""


def words(target: str) -> list[str]:
    """All that a target's templates call something by, without the underscores that it begins with."""
    files = [
        *ROOT.glob(f"**/templates/{target}/*"),
        *ROOT.glob("engine/program/templates/*.cpp"),
        ROOT / "engine/program/cpp/exp.h",
    ]
    files = [path for path in files if target == "cpp" or path.parent.name == target]
    texts = [re.sub(r"\{#.*?#\}|//[^\n]*", "", path.read_text(), flags=re.DOTALL) for path in files]
    found = {word.lstrip("_") for text in texts for word in re.findall(r"\b[A-Za-z_]\w*\b", text)}
    return sorted({*found, *MORE} - {""})


def ends(name: str, threshold: str | None = None) -> tuple[Any, Any]:
    source = SpikeGeneratorGroup(4, [0, 1], [1, 2] * ms, name=f"{name}_source")
    return source, NeuronGroup(4, "out : 1", threshold=threshold, namespace={}, name=f"{name}_target")


def allowed(target: str) -> list[str]:
    """Those that a projection and a group take: the others are refused by name."""
    found = []
    before, after = ends("probe")
    for number, word in enumerate(words(target)):
        try:
            Projection(before, after, OneToOne(), model=f"{word} : 1", name=f"probe{number}")
            NeuronGroup(
                1, f"{word} : 1", threshold=f"{word} > 1", refractory=1 * ms, namespace={}, name=f"group{number}"
            )
        except (ModelError, SyntaxError, ValueError, EquationError):
            continue
        found.append(word)
    return found


def parts(names: list[str], size: int = 100) -> list[list[str]]:
    return [names[first : first + size] for first in range(0, len(names), size)]


@pytest.mark.parametrize("target", ["numpy", pytest.param("cpp", marks=[pytest.mark.cpp, pytest.mark.slow])])
def test_every_word_of_a_template_may_be_the_name_of_a_variable(target: str) -> None:
    with biosnn.session(target, dt=1 * ms) as sim:
        # Names are what is tried here, and functions of so many variables take minutes to optimise.
        prefs["codegen.cpp.extra_compile_args_gcc"] = ["-w", "-O0", "-std=c++11"]
        names = allowed(target)
        assert {"n", "kernel", "row", "end", "pre", "post", *WORDS[target]} <= set(names)
        # One value for all is compiled faster, and its name is known in all of a template's code.
        flags = "(shared, constant)" if target == "cpp" else ""
        declared = "\n".join(f"{name} : 1 {flags}" for name in names)
        adding = "\n".join(f"out_post += {' + '.join(part)}" for part in parts(names))
        total = len(names) * (len(names) + 1) / 2
        objects: list[Any] = []
        targets = []
        kinds = {"dense": Dense(), "one": OneToOne(), "delayed": Dense()}
        for label, kind in kinds.items():
            source, group = ends(label)
            delay = np.full((4, 4), 2.0) * ms if label == "delayed" else None
            joint = Projection(source, group, kind, model=declared, on_pre=adding, delay=delay, name=label)
            fill(joint, names)
            objects += [source, group, joint]
            targets.append(group)
        source, group = ends("lateral")
        shared = "\n".join(f"{name} : 1 (shared)" for name in names)
        lateral = Projection(source, group, Lateral(), model=shared, on_pre=adding, name="lateral")
        fill(lateral, names)
        objects += [source, group, lateral]
        cells = [large(part, number, flags) for number, part in enumerate(parts(names))]
        sim.run(Network(*objects, *cells), 6 * ms)
        for reached, expected in zip([*targets, group], [[2] * 4, [1, 1, 0, 0], [2] * 4, [1, 1, 2, 2]], strict=True):
            assert_allclose(reached.out[:], total * np.array(expected), err_msg=reached.name)
        for part, cell in zip(parts(names), cells, strict=True):
            assert_allclose(cell.out[:], len(part) * (len(part) + 1) / 2 * (1 - 0.9**6), rtol=1e-12)


def fill(group: Any, names: list[str]) -> None:
    """Give the variables the values 1, 2, ... by way of what no attribute of the group hides."""
    for number, name in enumerate(names):
        group.variables[name].set_value(number + 1.0)


def large(names: list[str], number: int, flags: str) -> NeuronGroup:
    """A group of which blocks may rest, with a threshold and a refractory period."""
    declared = "\n".join(f"{name} : 1 {flags}" for name in names)
    group = NeuronGroup(
        COUNT, f"dout/dt = ({' + '.join(names)} - out)/(10*ms) : 1 (unless refractory)\n{declared}",
        threshold=f"out > 1e9 + {names[0]}", reset="out = 0", refractory=3 * ms, method="euler", namespace={},
        name=f"large{number}",
    )  # fmt: skip
    fill(group, names)
    return group


@pytest.mark.parametrize("target", ["numpy", pytest.param("cpp", marks=pytest.mark.cpp)])
def test_event_driven_variables_have_names_that_templates_have_with_an_underscore(target: str) -> None:
    names = ["pre", "post", "idx", "router", "entry", "starts", "history"]
    model = "\n".join(f"d{name}/dt = -{name}/(10*ms) : 1 (event-driven)" for name in names)
    with biosnn.session(target, dt=1 * ms) as sim:
        source = SpikeGeneratorGroup(2, [0, 0], [1, 6] * ms, name="source")
        group = NeuronGroup(3, "out : 1", namespace={}, name="target")
        code = "\n".join([*(f"{name} += 1" for name in names), f"out_post += {' + '.join(names)}"])
        delay = np.full((2, 3), 2.0) * ms
        joint = Projection(source, group, Dense(), model=model, on_pre=code, delay=delay, name="joint")
        sim.run(Network(source, group, joint), 10 * ms)
        assert_allclose(group.out[:], [len(names) * (2 + np.exp(-0.5))] * 3)


@pytest.mark.parametrize("word", ["owner", "variables", "scalar_code"])
def test_words_that_brian_hands_to_templates_are_refused_by_name(word: str) -> None:
    with biosnn.session("numpy"), pytest.raises(ModelError, match=f"no word of generated code.*{word}"):
        Projection(*ends("a"), Dense(), model=f"{word} : 1")


def test_words_of_cpp_are_refused_before_anything_is_compiled() -> None:
    cell = biosnn.NeuronModel(name="m", summary="s", source="s", equations="dv/dt = -M_PI/second : 1\nM_PI : 1")
    with biosnn.session("numpy"):
        biosnn.neurons(1, cell)
    with biosnn.session("cpp"):
        with pytest.raises(ModelError, match=r"no word of C.*M_PI"):
            biosnn.neurons(1, cell)
        with pytest.raises(ModelError, match=r"no word of C.*register"):
            Projection(*ends("a"), Dense(), model="register : 1")
