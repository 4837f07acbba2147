"""`convert` makes a spiking network of an ordinary one, from a file to thresholds, and calibrates it by a recipe."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biosnn.ann.graph import Graph
from biosnn.ann.images import check_images
from biosnn.conversion.analysis.recipes import (
    AUTO,
    PLAIN,
    TRIED,
    Choice,
    Recipe,
    Report,
    by_recipe,
    check_recipe,
    options_of,
)
from biosnn.conversion.hybrid.network import HybridNetwork, to_hybrid
from biosnn.conversion.network import Options, SpikingNetwork, population_network_for
from biosnn.conversion.outcome import Outcome
from biosnn.conversion.reading import read_network
from biosnn.conversion.running import run
from biosnn.conversion.thresholds import ThresholdSettings, find_thresholds
from biosnn.engine import Simulation, session
from biosnn.engine.progress import Progress
from biosnn.errors import ConversionError, field_error


@dataclass(frozen=True, eq=False, repr=False)
class ConvertedNetwork(SpikingNetwork):
    """A network that spikes in all layers, as `convert` makes it and `load` reads it.

    Attributes
    ----------
    choice : Choice or None
        Which recipes were tried, and how they did, if it was converted by one. It is not saved.
    """

    choice: Choice | None = None

    def run(self, images: ArrayLike, T: int = 64, **more: Any) -> Outcome:
        """Show images, each for T steps; see `biosnn.conversion.run`, which describes the other parameters."""
        return run(self, images, T, **more)


@overload
def convert(
    network: str | os.PathLike[str] | Graph | Any,
    calibration: ArrayLike,
    *,
    example: Any = None,
    options: Options | None = None,
    spiking: None = None,
    **settings: Any,
) -> ConvertedNetwork: ...


@overload
def convert(
    network: str | os.PathLike[str] | Graph | Any,
    calibration: ArrayLike,
    *,
    example: Any = None,
    options: Options | None = None,
    spiking: str | Iterable[str],
    **settings: Any,
) -> HybridNetwork: ...


def convert(
    network: str | os.PathLike[str] | Graph | Any,
    calibration: ArrayLike,
    *,
    example: Any = None,
    options: Options | None = None,
    spiking: str | Iterable[str] | None = None,
    recipe: str | None = None,
    sim: Simulation | None = None,
    target: str = "cpp",
    seed: int = 1,
    report: Report | None = None,
    **settings: Any,
) -> ConvertedNetwork | HybridNetwork:
    """Convert a trained ordinary network (ANN) into a spiking one.

    Every ReLU becomes a population of neurons whose firing rates stand for its activations; weights stay what they are,
    counted in thresholds, which come from calibration images. Nothing is trained.

    Parameters
    ----------
    network : path, Graph or torch module
        A file that `read_network` reads, what it returns, or a PyTorch module, which is exported first.
    calibration : array_like, shape (n, *shape of the input)
        Images such as those it was trained on, some hundreds; no labels are needed.
    example : array_like, optional
        For a PyTorch module, an input; by default the first calibration image.
    options : Options, optional
        How.
    spiking : str or iterable of str, optional
        Which ReLU layers spike, if not all: ``"first 6"``, ``"last 4"``, or names. The others stay what they are.
    recipe : str, optional
        How the network is made ready for so many ``steps``: a name of `biosnn.conversion.RECIPES`, or "auto",
        which tries some on calibration images and takes the best. By default "auto" where ``steps`` are given and
        nothing else is; else "plain", which needs no simulation.
    sim : Simulation, optional
        An open session in which recipes are calibrated and tried; by default one is opened.
    target, seed
        Of the session.
    report : callable, optional
        Told now and then which fraction is done, and of what; by default a progress bar is.
    **settings
        Fields of `Options`, or of `ThresholdSettings`, by their names.

    Returns
    -------
    ConvertedNetwork or HybridNetwork
        The second with ``spiking``.

    Raises
    ------
    ConversionError
        If the network cannot be read or made to spike, images do not fit it, or a setting makes no sense. The message
        names the layer, and what to do.

    Examples
    --------
    >>> snn = biosnn.convert("network.onnx", calibration=images[:500])
    >>> snn.run(images[500:], T=64, labels=labels[500:]).accuracy
    >>> few = biosnn.convert("network.onnx", calibration=images[:500], steps=8)
    >>> print(few.choice)
    """
    by_hand = options is not None or spiking is not None or bool(set(settings) - {"steps"})
    if recipe is None:
        recipe = PLAIN if by_hand or "steps" not in settings else AUTO
    check_recipe(recipe)
    chosen = _options(options or Options(), settings)
    chosen.check_neuron()
    if recipe != PLAIN:
        _check_free(recipe, chosen)
        if spiking is not None:
            do = "Leave out recipe or spiking."
            expected = "none, as recipes are for networks all of whose layers spike"
            raise ConversionError(field_error(f"convert, spiking with recipe={recipe!r}", expected, spiking, do))
    graph = network if isinstance(network, Graph) else _read(network, calibration, example)
    images = check_images(graph, calibration)
    if recipe == PLAIN:
        converted = _converted(graph, images, chosen)
    else:
        converted = _by_recipe(recipe, graph, images, chosen, sim, (target, seed), report)
    if spiking is None:
        return converted
    return to_hybrid(converted, spiking)


def _converted(graph: Graph, images: NDArray[np.float32], options: Options) -> ConvertedNetwork:
    populated = population_network_for(graph, options)
    thresholds = find_thresholds(populated, images, options.balance, most=options.most)
    return ConvertedNetwork(populated, thresholds, float(images.min()), float(images.max()), options)


def _check_free(recipe: str, options: Options) -> None:
    """Refuse options that a recipe decides upon; all but the steps, and what pixels do."""
    free = Options(balance=ThresholdSettings(steps=options.balance.steps), input=options.input)
    names = [f.name for f in fields(Options) if getattr(options, f.name) != getattr(free, f.name)]
    if names:
        where, expected = f"convert, recipe={recipe!r}", "no settings that the recipe decides upon"
        do = f"Leave out {', '.join(names)}, or take recipe='plain' and choose everything by hand."
        raise ConversionError(field_error(where, expected, names, do))


def convert_with(
    graph: Graph, images: NDArray[np.float32], recipe: Recipe, steps: int, options: Options | None = None
) -> ConvertedNetwork:
    """Convert a network with the neurons and thresholds of a recipe for so many steps; nothing is calibrated yet."""
    return replace(
        _converted(graph, images, _options(options or Options(), options_of(recipe, steps))), recipe=recipe.name
    )


def _by_recipe(
    recipe: str,
    graph: Graph,
    images: NDArray[np.float32],
    options: Options,
    sim: Simulation | None,
    opened: tuple[str, int],
    report: Report | None,
) -> ConvertedNetwork:
    steps = options.balance.steps

    names = TRIED if recipe == AUTO else (recipe,)
    with ExitStack() as stack:
        if sim is None:
            sim = stack.enter_context(session(opened[0], seed=opened[1]))
        if report is None:
            bar = stack.enter_context(Progress(f"recipes for {steps} steps"))
            report = bar.update
        make = partial(convert_with, graph, images, steps=steps, options=options)
        snn, choice = by_recipe(names, make, images, steps, sim, report)
    return replace(snn, choice=choice)


def _read(network: Any, calibration: ArrayLike, example: Any) -> Graph:
    if isinstance(network, str | os.PathLike):
        return read_network(network)
    return read_network(network, example=np.asarray(calibration)[:1] if example is None else example)


def _options(options: Options, settings: Mapping[str, Any]) -> Options:
    option_names, of_balance = ({f.name for f in fields(kind)} for kind in (Options, ThresholdSettings))
    for name in settings:
        if name not in option_names | of_balance:
            valid = ", ".join(sorted((option_names | of_balance) - {"balance"}))
            raise ConversionError(field_error("convert", f"settings among {valid}", name))
    balance = {name: value for name, value in settings.items() if name in of_balance}
    rest = {name: value for name, value in settings.items() if name in option_names}
    if balance:
        rest["balance"] = replace(rest.get("balance", options.balance), **balance)
    return replace(options, **rest)
