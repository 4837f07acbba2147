"""Print an ordinary network (ANN), a converted one, or one trained by gradients: layers, neurons, synapses."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table

from biosnn.cli.results import quoted
from biosnn.cli.terminal import Console, Text
from biosnn.conversion import HybridNetwork, SpikingNetwork, load, read_network

ENDINGS = (".onnx", ".nir", ".safetensors")


def show_ann(console: Console, name: str) -> None:
    """Print the layers of an ordinary network.

    Raises
    ------
    ConversionError
        If it cannot be read.
    """
    graph = read_network(name)
    console.print(Text(Path(name).name, style="bold") + Text(" (ordinary network, to be converted)\n"))
    table = _table("layer", "kind", "inputs", "shape", "multiply-accumulates")
    for layer in graph.layers:
        shape = " x ".join(map(str, layer.shape))
        inputs, macs = ", ".join(layer.inputs), f"{layer.macs:,}" if layer.macs else ""
        table.add_row(*map(Text, (layer.name, type(layer).__name__, inputs, shape, macs)))
    console.print(table)
    left = f"; left out after the output: {', '.join(graph.head)}" if graph.head else ""
    console.print(f"\nOutput: {graph.output}{left}.")
    console.print(f"biosnn convert {quoted(name)} makes it spike.")


def _calibrated(snn: SpikingNetwork) -> str:
    """Whether populations begin elsewhere, or have currents of their own, since they were calibrated."""
    return ", but for what was calibrated" if snn.adjusted else ""


def show_converted(console: Console, name: str) -> None:
    """Print the populations of a converted network.

    Raises
    ------
    ConversionError
        If the file is damaged.
    """
    snn = load(name)
    options, balance = snn.options, snn.options.balance
    whole = snn.whole if isinstance(snn, HybridNetwork) else snn
    console.print(Text(Path(name).stem, style="bold") + Text(" (converted network)\n"))
    level = {
        "percentile": f"the {100 - 100 * balance.above:.6g} % percentile of activations",
        "max": "the largest of activations",
        "error": f"the smallest error in {balance.steps} steps",
    }[balance.method]
    rows = [
        ("code", options.code),
        ("recipe", f"{whole.recipe}, for {balance.steps} steps"),
        ("neuron", options.model.name),
        ("thresholds", f"{level}, one per {balance.per}, times {balance.alpha:g}"),
        ("pixels", f"{options.input}, from {snn.lowest:.4g} to {snn.highest:.4g} in calibration images"),
        ("output", "potential of neurons that integrate" if options.output == "potential" else "spike counts"),
        ("spiking neurons", f"{snn.neurons:,}"),
    ]
    if options.code == "rate":
        rows.insert(4, ("start of an image", f"{options.start:g} thresholds" + _calibrated(whole)))
    if options.delay:
        rows.append(("delay", f"read from step {options.delay} on"))
    if options.pre_run:
        rows.append(("pre-run", f"{options.pre_run} steps, then shifted by offset spikes"))
    if options.delay_per_layer:
        rows.append(("delay per layer", f"{options.delay_per_layer} steps"))
    head = _table("", "")
    for row in rows:
        head.add_row(*map(Text, row))
    console.print(head)
    console.print()
    table = _table("population", "shape", "threshold", "synapses from")
    for words in snn.rows():
        table.add_row(*map(Text, words))
    console.print(table)
    hint = "Its neuron and its layers are in the file as text: unzip -p FILE neuron.toml network.json"
    console.print(Text(f"\n{hint}", style="dim"))


def is_trained_by_gradients(name: str) -> bool:
    """Whether a file holds a network trained by gradients."""
    from biosnn.training.export.saving import is_saved_network

    return is_saved_network(name)


def show_trained_by_gradients(console: Console, name: str) -> None:
    """Print the layers, connections and trained parameters of a network trained by gradients.

    Raises
    ------
    TrainingError
        If the file is damaged.
    """
    from biosnn.training.export.describe import tables
    from biosnn.training.export.saving import load_network

    network = load_network(name)
    console.print(Text(Path(name).stem, style="bold") + Text(" (network trained by gradients)\n"))
    for headings, lines in tables(network):
        table = _table(*headings)
        for words in lines:
            table.add_row(*map(Text, words))
        console.print(table)
        console.print()
    hint = "Its models and connections are in the file as text: unzip -p FILE training.json"
    console.print(Text(hint, style="dim"))


def is_layers(name: str) -> bool:
    """Whether a file holds trained layers."""
    from biosnn.learning.layers import is_saved_layers

    return is_saved_layers(name)


def show_layers(console: Console, name: str, *, out: Path | None) -> None:
    """Print layers that have learned without labels; draw what their neurons look for into a file, if one is given.

    Raises
    ------
    DataError
        If the file is damaged.
    """
    from brian2 import ms

    from biosnn.learning.layers import Plastic, fields, load_layers
    from biosnn.learning.layers.build import name_of

    trained = load_layers(name)
    made = trained.layers
    console.print(Text(Path(name).stem, style="bold") + Text(" (layers that learned without labels)\n"))
    contrast, (rows, columns) = made.contrast, trained.image
    seen = f"Images of {rows}x{columns} pixels, {round(float(made.period / ms), 6):g} ms each"
    console.print(Text(f"{seen}; what the first cells see: {contrast.kind}, told by a {contrast.coding}."))
    console.print()
    table = _table("layer", "shape", "rule", "neuron", "presentations", "weights")
    shapes = made.shapes(trained.image)
    names = [name_of(layer, number) for number, layer in enumerate(made.layers)]
    for number, (layer, own) in enumerate(zip(made.layers, names, strict=True)):
        words = [own, " x ".join(map(str, shapes[number + 1]))]
        if isinstance(layer, Plastic):
            models = [str(getattr(model, "name", model)) for model in (layer.rule, layer.neuron)]
            words += [*models, f"{layer.presentations:,}", f"{trained.weights(number).size:,}"]
        else:
            words += [f"{layer.mode} of {layer.size}x{layer.size}", "", "", ""]
        table.add_row(*map(Text, words))
    console.print(table)
    hint = f"Its models are in the file as text: unzip -p FILE rule_{made.plastic[0]}.toml"
    console.print(Text(f"\n{hint}", style="dim"))
    if out is not None:
        from biosnn.report.fields import draw_layers
        from biosnn.report.preview import write_preview

        drawn = [(names[number], fields(trained, number)) for number in made.plastic]
        write_preview(out, lambda: draw_layers(drawn))


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table
