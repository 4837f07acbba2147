"""What the ordinary network computes, layer by layer, by ONNX Runtime; and whether a file was read as it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biosnn.ann.graph import Graph
from biosnn.ann.images import check_images
from biosnn.ann.layers import Floats
from biosnn.ann.onnx import file as onnx_file
from biosnn.ann.onnx.branches import outer_values
from biosnn.ann.onnx.floats import has_halves, to_float32
from biosnn.ann.onnx.runtime import run, session
from biosnn.ann.onnx.writer import write_onnx
from biosnn.errors import ConversionError, field_error
from biosnn.optional_dependencies import onnx

RELATIVE = 2e-4
"""How far a reading may be from the file, relative to a layer's largest value: float32 rounding through many layers."""


class Reference:
    """A network run by ONNX Runtime, to compare a spiking one with.

    Parameters
    ----------
    graph : Graph
        The network.
    threads : int
        How many it may use; 0 for as many as there are cores.
    batch : int
        How many images are run at a time.

    Raises
    ------
    MissingExtraError
        If ONNX or ONNX Runtime is not installed.
    """

    def __init__(self, graph: Graph, threads: int = 0, batch: int = 100) -> None:
        self.graph = graph
        self._threads, self._batch = threads, batch
        self._sessions: dict[tuple[str, ...], Any] = {}

    def activations(self, images: ArrayLike, names: Iterable[str] | None = None) -> dict[str, Floats]:
        """The values of layers.

        Parameters
        ----------
        images : array_like, shape (n, *shape of the input)
            What the network is shown.
        names : iterable of str, optional
            The layers; by default all of them, for which memory must suffice.

        Returns
        -------
        dict of str to ndarray of float32, shape (n, *shape of the layer)

        Raises
        ------
        ConversionError
            If there is no such layer, or the images do not fit.
        """
        inputs = check_images(self.graph, images)
        wanted = [layer.name for layer in self.graph.layers] if names is None else list(dict.fromkeys(names))
        computed = tuple(name for name in wanted if self.graph[name] is not self.graph.input)
        parts = [
            self._run(computed, inputs[start : start + self._batch]) for start in range(0, len(inputs), self._batch)
        ]
        activations = {name: np.concatenate([part[k] for part in parts]) for k, name in enumerate(computed)}
        return {name: activations.get(name, inputs) for name in wanted}

    def outputs(self, images: ArrayLike) -> Floats:
        """The network's answers, before a softmax, shape (n, *shape of the output)."""
        return self.activations(images, [self.graph.output])[self.graph.output]

    def _run(self, names: tuple[str, ...], images: Floats) -> list[NDArray[Any]]:
        if not names:
            return []
        if names not in self._sessions:
            self._sessions[names] = session(write_onnx(self.graph, names), self._threads)
        return run(self._sessions[names], names, {self.graph.input.name: images})


def reference(graph: Graph, threads: int = 0, batch: int = 100) -> Reference:
    """Let ONNX Runtime compute what a network does; see `Reference`."""
    return Reference(graph, threads, batch)


def original(path: Path, images: ArrayLike, values: Sequence[str], threads: int = 0) -> list[NDArray[Any]]:
    """Values that an ONNX file itself computes, whatever biosnn reads in it.

    Parameters
    ----------
    path : Path
        The file.
    images : array_like
        Of the shape that the file's input has. If its batch axis has a fixed length, they are run so many at a time.
    values : sequence of str
        The names that the values have in the file, outputs or not.
    threads : int
        How many threads ONNX Runtime may use; 0 for as many as there are cores.

    Returns
    -------
    list of ndarray
        One for each name.

    Raises
    ------
    ConversionError
        If the file cannot be read, or ONNX Runtime refuses it.
    """
    try:
        model = onnx_file.load(path)
        _cut(model, values)
        opened = _opened(model, threads)
        taken = opened.get_inputs()[0]
        inputs = np.asarray(images, _KINDS.get(taken.type, np.float32))
        fixed = taken.shape[0] if isinstance(taken.shape[0], int) else len(inputs)
        padded = inputs[
            np.arange(-(-len(inputs) // fixed) * fixed) % len(inputs)
        ]  # the last batch: filled with the first
        parts = [run(opened, values, {taken.name: padded[k : k + fixed]}) for k in range(0, len(padded), fixed)]
    except ConversionError as problem:
        raise ConversionError(f"{path}: {problem}") from None
    return [np.concatenate(column)[: len(inputs)] for column in zip(*parts, strict=True)]


def _opened(model: Any, threads: int) -> Any:
    """A session of a model, in float32 if ONNX Runtime does not compute it as it is."""
    first = model.graph.input[0].type.tensor_type.shape.dim
    if first and first[0].HasField("dim_value") and first[0].dim_value < 1:
        first[0].dim_param = "n"  # no length at all, which some write for any
        del model.graph.value_info[:]
    if has_halves(model):
        to_float32(model)
    try:
        return session(model.SerializeToString(), threads)
    except ConversionError:
        as_it_is = model.SerializeToString()
        to_float32(model)
        if model.SerializeToString() == as_it_is:
            raise
        return session(model.SerializeToString(), threads)


def _cut(model: Any, values: Sequence[str]) -> None:
    """Leave only the nodes that lead to some values, and let these be the outputs."""
    nodes = list(model.graph.node)
    makers = {value: number for number, node in enumerate(nodes) for value in node.output if value}
    waiting, needed = list(values), set()
    while waiting:
        number = makers.get(waiting.pop())
        if number is not None and number not in needed:
            needed.add(number)
            waiting += outer_values(nodes[number])
    kept = [nodes[number] for number in sorted(needed)]
    del model.graph.node[:], model.graph.output[:]
    model.graph.node.extend(kept)
    model.graph.output.extend(onnx().ValueInfoProto(name=name) for name in dict.fromkeys(values))


_KINDS = {"tensor(double)": np.float64, "tensor(uint8)": np.uint8, "tensor(int32)": np.int32, "tensor(int64)": np.int64}


def check_reading(path: Path, graph: Graph, images: ArrayLike, threads: int = 0) -> None:
    """Make sure that a graph is the network that an ONNX file describes.

    Every layer that has a value of its own in the file is compared with it.

    Parameters
    ----------
    path : Path
        The file.
    graph : Graph
        What was read from it.
    images : array_like, shape (n, *shape of the input)
        What both are shown; random numbers will do.
    threads : int
        How many threads ONNX Runtime may use; 0 for as many as there are cores.

    Raises
    ------
    ConversionError
        If a layer computes something else than the file, beyond the rounding of float32; the message names the first.
    """
    names = [layer.name for layer in graph.layers if layer.name in graph.origins and layer is not graph.input]
    read = reference(graph, threads).activations(images, names)
    given = original(path, images, [graph.origins[name] for name in names], threads)
    largest = 0.0
    for name, expected in zip(names, given, strict=True):
        most, computed = float(np.abs(expected).max()), read[name]
        if not np.isfinite(most):
            do = "Its weights are too large, or damaged: train it again."
            raise ConversionError(field_error(f"{path}: values of {name!r}", "finite numbers", most, do))
        largest = max(largest, most)
        # Where large values cancel, what is left has their rounding errors.
        allowed = RELATIVE * most + RELATIVE / 100 * largest
        wrong = np.inf if expected.shape != computed.shape else float(np.abs(expected - computed).max())
        if not wrong <= allowed:
            raise ConversionError(
                f"{path}: {graph[name].where} does not compute what the file does (value {graph.origins[name]!r}): "
                f"they differ by {wrong:.3g}, the values of the file being up to {most:.3g} and the shapes "
                f"{expected.shape} and {computed.shape}. This is a defect of biosnn: please report it with the file."
            )
