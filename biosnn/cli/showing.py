"""Print one thing in full: a model, a study, a saved result."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from rich.markdown import Markdown
from rich.table import Table

from biosnn import catalogue
from biosnn.cli import networks
from biosnn.cli.naming import check_study
from biosnn.cli.results import print_saved, quoted, typed
from biosnn.cli.terminal import Console, Text
from biosnn.conversion import is_converted
from biosnn.errors import NotFoundError, SettingsError, field_error, unknown
from biosnn.model import Model, NeuronModel
from biosnn.model.sheet import describe_model
from biosnn.study.load import Study, load_study
from biosnn.study.saved import holds_result, load_result
from biosnn.study.verdict import KINDS, Expected


def show_anything(
    console: Console, name: str, *, figure: bool, out: Path | None = None, drive: str = "", duration: str = ""
) -> None:
    """Print whatever has that name or lies at that path; a model and a study of one name are both printed.

    The figure of a model or a trained network goes to the file ``out``, by default NAME.png in the working directory.
    That of a model takes a drive and a duration (see `biosnn.report.preview.draw_preview`).

    Raises
    ------
    NotFoundError
        If there is nothing of that name.
    SettingsError
        If a figure is asked of something that has none, or a place for it without it.
    """
    if out and not figure:
        raise SettingsError("--out: says where the figure goes. Give --figure as well.")
    for option, given in (("--drive", drive), ("--duration", duration)):
        if given and not figure:
            raise SettingsError(f"{option}: is for the figure of a model. Give --figure as well.")
        if given and not _names_model(name):
            raise SettingsError(f"{option}: is for the figure of a model, and {name} is none.")
    if holds_result(Path(name)):
        _no_figure(name, figure)
        print_saved(console, load_result(Path(name)))
        return
    if name.endswith(networks.ENDINGS) or name in catalogue.ann_names():
        _no_figure(name, figure)
        networks.show_ann(console, name)
        return
    if name.endswith(".npz") and is_converted(name):
        _no_figure(name, figure)
        networks.show_converted(console, name)
        return
    if name.endswith(".npz") and networks.is_trained_by_gradients(name):
        _no_figure(name, figure)
        networks.show_trained_by_gradients(console, name)
        return
    if name.endswith(".npz") and networks.is_layers(name):
        path = (out or Path(f"{Path(name).stem}.png")) if figure else None
        networks.show_layers(console, name, out=path)
        if path is not None:
            _say_figure(console, path)
        return
    if name.endswith(".npz") or name in catalogue.network_names():
        show_network(console, name, figure=figure, out=out)
        return
    models, study = _find(name)
    if not models:
        _no_figure(name, figure)
    for model in models:
        show_model(console, model)
        if figure:
            from biosnn.report.preview import draw_preview

            path = out or Path(f"{model.name}.png")
            for sentence in draw_preview(model, path, drive, duration):
                console.print(Text(sentence, style="bold" if sentence.startswith("CAUTION") else "dim"))
            _say_figure(console, path)
    if study is not None:
        show_study(console, study)


def show_interactive(console: Console, name: str, out: Path | None, *, alone: bool) -> None:
    """Write the figures of a saved result as a page to look closer at; ``alone``: without options of other figures.

    Raises
    ------
    SettingsError
        If it is no result, or not alone.
    BiosnnError
        What `write_interactive` raises.
    """
    from biosnn.report.interactive import write_interactive

    if not alone:
        raise SettingsError(
            "--interactive: is for the figures of a result. Leave out --figure, --adjoint, --drive and --duration."
        )
    if not holds_result(Path(name)):
        raise SettingsError(field_error("--interactive", "the folder of a saved result", name))
    result = load_result(Path(name))
    page = out or Path(f"{result.folder.resolve().name}.html")
    write_interactive(result, page)
    _say_figure(console, page)


def _names_model(name: str) -> bool:
    return name.endswith(".toml") or name in {*catalogue.neuron_names(), *catalogue.synapse_names()}


def show_adjoint(console: Console, name: str, *, alone: bool) -> None:
    """Print what goes backwards in time through a neuron model; ``alone``: without options of a figure.

    Raises
    ------
    NotFoundError
        If there is no such model.
    SettingsError
        If it is no neuron model, or not alone.
    AdjointError
        If no gradient can be derived from the model.
    """
    from biosnn.adjoint import adjoint, text

    if not alone:
        raise SettingsError("--adjoint: prints a text, and draws no figure. Leave out --figure and --out.")
    models = catalogue.models_named(name) if _names_model(name) else []
    neurons = [model for model in models if isinstance(model, NeuronModel)]
    if not neurons:
        do = "Give the name of a neuron model, or its .toml file."
        what = "a synapse model" if models else _shown_otherwise(name)
        raise SettingsError(f"{name}: is {what}, and only a neuron model has an adjoint. {do}")
    for model in neurons:
        console.print(Text(text(adjoint(model))), soft_wrap=True)


def _shown_otherwise(name: str) -> str:
    """What else than a model a name means; `NotFoundError` if nothing."""
    if holds_result(Path(name)):
        return "the folder of a saved result"
    trained = {*catalogue.ann_names(), *catalogue.network_names()}
    if name in trained or name.endswith((*networks.ENDINGS, ".npz")):
        return "a network"
    _find(name)
    return "a study"


def _say_figure(console: Console, path: Path) -> None:
    console.print(f"Figure: {typed(path)}", markup=False, highlight=False, soft_wrap=True)


def _no_figure(name: str, figure: bool) -> None:
    if figure:
        do = "a result has its own in its folder."
        raise SettingsError(f"{name}: only a model or a trained network has a figure to be drawn here; {do}")


def _find(name: str) -> tuple[list[Model], Study[Any] | None]:
    if (Path(name) / "study.py").is_file():
        return [], load_study(name)
    models = catalogue.models_named(name)
    if not models:
        check_study("show", name)
    study = load_study(name) if catalogue.is_study(name) else None
    if not models and study is None:
        names = {*catalogue.neuron_names(), *catalogue.synapse_names(), *catalogue.study_names()}
        names |= {*catalogue.study_aliases(), *catalogue.network_names(), *catalogue.ann_names()}
        missing = unknown("model, network or study", name, names, "biosnn list")
        raise NotFoundError(f"{missing} Of a result, give the folder.")
    return models, study


def show_model(console: Console, model: Model) -> None:
    """Print a model: equations, parameters with units and meaning, inputs, presets, source."""
    sheet = describe_model(model)
    console.print(Text(sheet.name, style="bold") + Text(f" ({sheet.kind} model)\n{sheet.summary}\n"))
    for heading, text in sheet.blocks:
        console.print(heading, style="dim", markup=False, highlight=False)
        console.print(Text("\n".join(f"    {line}" for line in text.splitlines())))
    console.print()
    for title, rows in (("parameter", sheet.parameters), ("input", sheet.inputs)):
        if rows:
            console.print(_rows((title, "value" if title == "parameter" else "unless set", "meaning"), rows))
            console.print()
    if sheet.presets:
        console.print(_rows(("preset", "values"), sheet.presets))
        console.print()
    if sheet.notes:
        console.print(Text(f"{sheet.notes}\n"))
    console.print(Text(f"Source: {sheet.source}\n"))


def show_network(console: Console, name: str, *, figure: bool, out: Path | None) -> None:
    """Print a trained network: what it is made of, what it has learned from, how well it did. Draw its fields if asked.

    Raises
    ------
    NotFoundError, DataError
        If there is no such file, or it is no trained network.
    """
    from biosnn.learning import load_network

    file = catalogue.network_file(name)
    network = load_network(file)
    made_of = network.network_settings
    console.print(Text(file.stem, style="bold") + Text(" (trained network)\n"))
    named = dict(np.asarray(np.unique(network.neuron_labels, return_counts=True)).T.tolist())
    labels = ", ".join(f"{'none' if label < 0 else label}: {count}" for label, count in sorted(named.items()))
    height, width = network.shape
    rows = [
        ("images", f"{network.dataset}, {height}x{width} pixels"),
        ("training", f"{network.n_training:,} presentations of {len(network.learned_from):,} images"),
        ("accuracy", f"{100 * network.accuracy:.1f} % of {len(network.held_out):,} images held out"),
        ("cells", f"{made_of.size} excitatory ({_model_name(made_of.neuron)}) and as many inhibitory"),
        ("rule", _model_name(made_of.rule)),
        ("cells by class", labels),
    ]
    console.print(_rows(("", ""), rows))
    console.print()
    if network.settings:
        run = f"biosnn run unsupervised {quoted(f'network={name}')}"
        console.print(f"{run} tests it anew; with n_training=N it learns on.", markup=False, highlight=False)
    console.print("Its models are in the file as text: unzip -p FILE excitatory.toml", style="dim", highlight=False)
    if figure:
        from biosnn.report.fields import draw_fields
        from biosnn.report.preview import write_preview

        path = out or Path(f"{file.stem}.png")
        write_preview(path, lambda: draw_fields(network.fields, network.neuron_labels))
        _say_figure(console, path)


def _model_name(model: object) -> str:
    return str(getattr(model, "name", model))


def show_study(console: Console, study: Study[Any]) -> None:
    """Print a study: question, settings with defaults and help, claims, expected values and README."""
    entry = study.entry
    also = f", also called {entry.alias}" if entry and entry.alias else ""
    console.print(Text(study.name, style="bold") + Text(f" (study{also})\n{study.title}\n"))
    if entry:
        needs = f"about {entry.seconds:g} seconds of a processor and {entry.memory} of memory"
        console.print(Text(f"After: {entry.paper}\nA run takes {needs}.\n"))
    if study.question:
        console.print(Text(f"{study.question}\n"))
    settings = [
        (info.name, info.text, info.help + (f" ({info.limits})" if info.limits else "")) for info in study.describe()
    ]
    if settings:
        console.print(_rows(("setting", "default", "meaning"), settings))
        console.print()
    if study.claims:
        console.print(_rows(("claim", "statement"), [(claim.name, claim.statement) for claim in study.claims]))
        console.print()
    for kind in KINDS:
        values = [_expected(item) for item in study.expected if item.kind == kind]
        if values:
            console.print(_rows((f"{kind} value", "expected", "source"), values))
            console.print()
    console.print(Text(f"Usual target: {study.target}. Folder: {study.folder}\n"), soft_wrap=True)
    console.print(Markdown(study.readme, hyperlinks=False))


def _expected(item: Expected) -> tuple[str, str, str]:
    unit = "" if item.unit == "1" else f" {item.unit}"
    only = f" (only with the default of: {', '.join(item.depends_on)})" if item.depends_on else ""
    return item.name, f"{item.expected:.6g} ± {item.allowed:.3g}{unit}", item.source + only


def _rows(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
