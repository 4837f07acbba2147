"""How objects show themselves: short in a terminal; in a notebook as HTML that is whole, small and harmless."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, SpikeMonitor, ms, mV
from conversion_networks import residual
from numpy.typing import NDArray
from page_reader import Page
from small_study import write_study
from sweep_here import function
from training_networks import small as small_trainable

import biosnn
from biosnn import conversion, datasets, learning, training
from biosnn.conversion.outcome import Outcome
from biosnn.display import Brief, brief
from biosnn.engine import Point
from biosnn.model import typeset
from biosnn.study.claims import CheckedClaim
from biosnn.study.verdict import CheckedValue
from biosnn.sweep import Store, Sweep

HOSTILE = "<script>alert('&')</script>\x1b[2J"
MOST, MOST_HTML = 1000, 100_000


def parsed(obj: Any) -> Page:
    """What a notebook shows of an object, read as a browser would; checked to be small and to load nothing."""
    html = obj._repr_html_()
    assert len(html) < MOST_HTML
    page = Page(html)
    for tag, attributes in page.elements:
        assert tag not in ("script", "link", "iframe", "object", "a")
        assert not any(name.startswith("on") for name in attributes)
        assert (attributes.get("src") or "data:image/png").startswith("data:image/png")
    assert "http" not in html.replace("doi:", "")
    return page


def check(obj: Any, *texts: str) -> Page:
    """That an object is short in a terminal, and shows what it should in a notebook."""
    line = repr(obj)
    assert 0 < len(line) <= MOST
    assert "\x1b" not in line
    assert " at 0x" not in line
    page = parsed(obj)
    for text in texts:
        assert text in page.text
    assert "\x1b" not in page.text
    return page


# ---- all of them -----------------------------------------------------------------------------------------------------


def holders() -> list[type]:
    """The public dataclasses of the library that may hold an array, or others that do."""
    found = []
    for module in pkgutil.walk_packages(biosnn.__path__, "biosnn."):
        if ".templates" in module.name or ".skeletons" in module.name:
            continue
        for cls in vars(importlib.import_module(module.name)).values():
            if isinstance(cls, type) and dataclasses.is_dataclass(cls) and cls.__module__ == module.name:
                annotations = " ".join(str(field.type) for field in dataclasses.fields(cls) if field.repr)
                if not cls.__name__.startswith("_") and ("NDArray" in annotations or "Floats" in annotations):
                    found.append(cls)
    return found


def test_whatever_holds_arrays_is_short() -> None:
    own = {cls for cls in holders() if cls.__repr__.__qualname__.startswith("__create_fn__")}
    own |= {cls for cls in holders() if getattr(cls.__repr__, "__wrapped__", None) is not None}
    assert {f"{cls.__module__}.{cls.__name__}" for cls in own} == set()
    assert len(holders()) > 40


@dataclasses.dataclass(frozen=True)
class Held(Brief):
    name: str
    weights: NDArray[np.float64]
    inner: Any = None


def test_a_value_is_told_in_a_few_words() -> None:
    assert brief(np.zeros((3, 4), np.float32)) == "<3 x 4 float32>"
    assert brief(np.zeros(3) * mV) == "<3 float64 in m^2 kg s^-3 A^-1>"
    assert brief({f"name{k}": k for k in range(100)}) == "{name0, name1, name2, name3, name4, name5, ... 100 in all}"
    assert brief("x" * 10_000).startswith("'xxx")
    assert len(brief("x" * 10_000)) < 100
    deep: Any = "end"
    for _ in range(100):
        deep = [deep] * 100
    assert len(brief(deep)) < 1000
    assert repr(Held("a", np.zeros((2, 2)))) == "Held(name='a', weights=<2 x 2 float64>, inner=None)"
    assert len(repr(Held("a" * 5000, np.zeros(10**6), {"k" * 5000: 1}))) <= MOST


def test_names_of_strangers_are_harmless() -> None:
    page = check(Held(HOSTILE, np.zeros(2), {HOSTILE: HOSTILE}))
    assert "alert('&')" in page.text
    text = "dv/dt = -v/(10*ms) : 1"
    model = biosnn.NeuronModel("harmless", "<script>alert('&')</script>", "<img src=x onerror=alert(1)>", text)
    check(model, "alert('&')", "onerror=alert(1)")


# ---- models ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("dv/dt = (v_rest - v + I)/tau_m : volt (unless refractory)", "dvdt=vrest−v+Iτm, in volt (unless refractory)"),
        ("v = v_reset; u += d", "v←vresetu←u+d"),
        ("w -= eta*(a - b)", "w←w−η(a−b)"),
        ("v > 1 + a and not x", "v>1+a\xa0and\xa0notx"),
        ("a - (b - c)", "a−(b−c)"),
        ("(a + b)*c**2/exp(-x/y)", "(a+b)c2exp(−xy)"),
        ("at a spike: x = 1", "at a spike: x←1"),
        ("what is not <b>understood", "what is not <b>understood"),
    ],
)
def test_equations_are_formulas(text: str, shown: str) -> None:
    html = typeset.formulas(text)
    assert Page(html).text == shown


def test_all_models_of_the_catalogue_are_shown() -> None:
    for kind, find in (("neurons", biosnn.neuron_model), ("synapses", biosnn.synapse_model)):
        for path in sorted((Path(biosnn.__file__).parent.parent / "models" / kind).glob("*.toml")):
            model = find(path.stem)
            page = check(model, model.summary, *model.parameters)
            assert "pre" not in {tag for tag, _ in page.elements}, f"{path}: an equation is not understood"


# ---- results of studies ----------------------------------------------------------------------------------------------


def test_a_result_shows_verdict_values_and_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_study(Path("charging"))
    result = biosnn.run_study("./charging", target="numpy")
    assert "charging" in repr(result)
    page = check(result, "charging", "pass", "closed form")
    pictures = [attributes for tag, attributes in page.elements if tag == "img"]
    assert pictures
    assert all(attributes["alt"] for attributes in pictures)
    bad = dataclasses.replace(
        result,
        answer=HOSTILE,
        study=HOSTILE,
        rows=(CheckedValue(HOSTILE, 1.0, HOSTILE, expected=2.0, tolerance=0.1, source=HOSTILE, verdict=HOSTILE),),
        claims=(CheckedClaim(HOSTILE, HOSTILE, "fail", HOSTILE),),
    )
    check(bad, "alert('&')", "fail")
    (result.folder / "figures" / "captions.json").write_text("{")
    check(result)


# ---- networks --------------------------------------------------------------------------------------------------------


def test_networks_and_their_outcomes_are_short() -> None:
    graph = residual()
    check(graph, "multiply-accumulates", graph.output)
    for layer in graph.layers:
        check(layer, layer.name)
    shape = graph.input.shape
    snn = biosnn.convert(graph, np.random.default_rng(1).uniform(0, 1, (20, *shape)).astype(np.float32))
    check(snn, "threshold", "synapses from")
    assert str(snn).startswith("population")
    hybrid = conversion.to_hybrid(snn, "first 1")
    check(hybrid, "analog")
    for population in snn.network.populations:
        check(population)


def test_an_outcome_tells_its_accuracy() -> None:
    potentials = np.zeros((4, 64, 3), np.float32)
    potentials[:, 8:, 1] = 1
    outcome = Outcome(
        potentials,
        {HOSTILE: np.ones((1, 10), np.int64)},
        {HOSTILE: np.ones((1, 10), np.int64)},
        {HOSTILE: np.ones(64, np.int64)},
        {},
        np.full(4, 64),
        np.array([1, 1, 1, 0]),
        1.0,
        1.0,
        0,
    )
    assert repr(outcome) == "<Outcome: 4 images, 64 steps, accuracy 75.0%, 2.5 spikes an image>"
    check(outcome, "75.0%", "25.0%", "alert")
    check(dataclasses.replace(outcome, labels=None), "4 images")


def test_trainable_networks_are_short() -> None:
    network = small_trainable()
    check(network, "hidden", "output", "weights")
    check(training.TrainingResult((training.Epoch(0.5, 0.75), training.Epoch(0.4, 0.8)), 1), "80.0%", "1 (kept)")
    for connection in network.connections:
        check(connection)


def test_a_network_that_has_learned_is_short() -> None:
    network = learning.load_network(Path(biosnn.__file__).parent.parent / "models" / "networks" / "digits_100.npz")
    assert repr(network).startswith("<Trained network: 100 neurons that have learned from ")
    check(network, "digits", "presentations")
    check(network.network_settings)


def test_a_network_of_nir_is_short() -> None:
    pytest.importorskip("nir")
    from nir_graphs import recurrent

    from biosnn.nir import read_nir

    network = read_nir(recurrent())
    check(network, *network.nodes)
    for node in network.nodes.values():
        check(node)


def test_datasets_are_short() -> None:
    check(datasets.load("digits"), "digits")
    check(datasets.examples("digits"))


# ---- simulations -----------------------------------------------------------------------------------------------------


def test_sessions_projections_and_points_are_short() -> None:
    with biosnn.session("numpy", seed=7) as sim:
        check(sim, "numpy", "7", "open")
        cells = biosnn.neurons(4, "lif", name="cells")
        other = NeuronGroup(4, "x : 1", namespace={}, name="other")
        way = biosnn.Projection(cells, other, biosnn.Dense(), model="w : 1", on_pre="x += w", name="way")
        check(way, "cells", "other", "Dense", "w")
        network = Network(cells, other, way, SpikeMonitor(cells, name="spikes"))
        prepared = sim.prepare(network, lambda: sim.run(network, 1 * ms), {"way.w": np.zeros((4, 4))})
        check(prepared, "cells", "way.w")
        check(Point({"way.w": np.zeros((4, 4))}, seed=1))
    check(sim, "closed")


def test_what_is_connected_by_lists_is_short() -> None:
    check(biosnn.Sparse.pairs(np.arange(1000), np.arange(1000)))


# ---- sweeps ----------------------------------------------------------------------------------------------------------


def test_sweeps_and_their_results_are_short(tmp_path: Path) -> None:
    sweep = Sweep(function("noise"), points=[{"n": number} for number in range(3, 300)])
    check(sweep, "297 points", "n = 3", "more")
    store = Store(tmp_path / "store")
    check(store, str(store.folder))  # there is none yet
    store.begin(sweep.plan)
    page = check(store, "missing", "297")
    assert sum(tag == "tr" for tag, _ in page.elements) < 100
