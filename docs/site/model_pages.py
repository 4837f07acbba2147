"""The catalogue of models as pages: one for each model, made of what its file says, and one that lists them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from prose import block, code, escaped, table

from biosnn import catalogue
from biosnn.model import Model, NeuronModel, SynapseModel

_ABOUT = """# Models

Every model that comes with biosnn: equations with units, parameters with their values and meanings, and the paper that
they come from. These pages are made of the files in `models/`. `biosnn show NAME` prints one, and with `--figure` draws
what it does; [a guide](../docs/write-a-model.md) tells how to write one of your own.
"""


def write_models(folder: Path) -> None:
    """Write the pages of all models of the catalogue into a folder."""
    neurons = [catalogue.neuron_model(name) for name in catalogue.neuron_names()]
    synapses = [catalogue.synapse_model(name) for name in catalogue.synapse_names()]
    parts = [_ABOUT]
    for kind, models in (("Neurons", neurons), ("Synapses", synapses)):
        (folder / kind.lower()).mkdir(parents=True, exist_ok=True)  # a guide may link to a file of it
        pages = {f"{kind.lower()}/{model.name}": model for model in models}
        for address, model in pages.items():
            (folder / f"{address}.md").write_text(page(model), encoding="utf-8")
        rows = [(f"[{model.name}]({address}.md)", escaped(model.summary)) for address, model in pages.items()]
        parts += [f"## {kind}\n", table(("name", "what it is"), rows)]
    parts += [_networks()]
    (folder / "index.md").write_text("\n".join(parts), encoding="utf-8")


def _networks() -> str:
    ordinary, spiking = (", ".join(map(code, names)) for names in (catalogue.ann_names(), catalogue.network_names()))
    return (
        f"## Networks\n\nTrained networks are in the catalogue too: {ordinary} are ordinary ones, which "
        f"[can be converted to spikes](../docs/convert-a-network.md); {spiking} spikes, and "
        "[has learned without labels](../docs/train-a-network.md).\n"
    )


def page(model: Model) -> str:
    """What is known of a model, as a page."""
    # Sixty names would hide the rest of the navigation: the page is found from the list, or by searching.
    parts = [
        "---\norphan: true\n---\n",
        "[← Models](../index.md)\n",
        f"# {model.name}\n",
        f"{escaped(model.summary)}\n",
        "## Equations\n",
        block(model.equations),
    ]
    parts += [_dynamics_of_neuron(model) if isinstance(model, NeuronModel) else _dynamics_of_synapse(model)]
    parameters = [(code(name), code(entry.value), escaped(entry.meaning)) for name, entry in model.parameters.items()]
    inputs = [
        (code(name), entry.kind, code(entry.default), escaped(entry.meaning)) for name, entry in model.inputs.items()
    ]
    initial = [(code(name), code(text)) for name, text in model.initial.items()]
    for heading, words in (
        ("Parameters", table(("name", "value", "meaning"), parameters)),
        ("Inputs", table(("name", "kind", "default", "meaning"), inputs)),
        ("Initial values", table(("variable", "value"), initial)),
        ("Presets", _presets(model.presets)),
        ("Notes", f"{escaped(model.notes)}\n" if model.notes else ""),
    ):
        parts += [f"## {heading}\n\n{words}"] if words else []
    return "\n".join([*parts, f"## Source\n\n{escaped(model.source)}\n"])


def _dynamics_of_neuron(model: NeuronModel) -> str:
    rows = [
        ("threshold", code(model.threshold) or "none: it never spikes"),
        ("reset", "; ".join(map(code, model.reset.splitlines()))),
        ("refractory", code(model.refractory)),
        ("integration", code(model.method)),
    ]
    return table(("", ""), [row for row in rows if row[1]])


def _dynamics_of_synapse(model: SynapseModel) -> str:
    parts = []
    for heading, text in (
        ("At a presynaptic spike", model.on_pre),
        ("At a postsynaptic spike", model.on_post),
        ("What a spike hands on", model.transmits),
    ):
        parts += [f"**{heading}**\n", block(text)] if text else []
    rows = [
        (
            code(name),
            trace.side,
            code(trace.equation),
            code("; ".join(trace.on_spike.splitlines())),
            escaped(trace.meaning),
        )
        for name, trace in model.traces.items()
    ]
    traces = table(("trace", "of the spikes", "equation", "at a spike", "meaning"), rows)
    uses = table(("variable of the neurons", "unit"), [(code(name), code(unit)) for name, unit in model.uses.items()])
    parts += [f"## Traces\n\n{traces}"] if traces else []
    parts += [f"## What it reads of the neurons\n\n{uses}"] if uses else []
    return "\n".join(parts)


def _presets(presets: Mapping[str, Mapping[str, str]]) -> str:
    names = list(dict.fromkeys(name for values in presets.values() for name in values))
    rows = [(code(preset), *(code(values.get(name, "")) for name in names)) for preset, values in presets.items()]
    return table(("preset", *map(code, names)), rows)
