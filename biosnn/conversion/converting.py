"""`convert` makes a spiking network of an ordinary one, from a file to thresholds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike

from biosnn.ann.graph import Graph
from biosnn.ann.images import check_images
from biosnn.conversion.hybrid.network import HybridNetwork, to_hybrid
from biosnn.conversion.network import Options, SpikingNetwork, population_network_for
from biosnn.conversion.outcome import Outcome
from biosnn.conversion.reading import read_network
from biosnn.conversion.running import run
from biosnn.conversion.thresholds import ThresholdSettings, find_thresholds
from biosnn.errors import ConversionError, field_error


@dataclass(frozen=True, eq=False, repr=False)
class ConvertedNetwork(SpikingNetwork):
    """A network that spikes in all layers, as `convert` makes it and `load` reads it."""

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
    """
    chosen = _options(options or Options(), settings)
    chosen.check_neuron()
    graph = network if isinstance(network, Graph) else _read(network, calibration, example)
    images = check_images(graph, calibration)
    populated = population_network_for(graph, chosen)
    thresholds = find_thresholds(populated, images, chosen.balance)
    converted = ConvertedNetwork(populated, thresholds, float(images.min()), float(images.max()), chosen)
    if spiking is None:
        return converted
    return to_hybrid(converted, spiking)


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
