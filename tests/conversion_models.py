"""Small ONNX models, made by hand, that the tests of `biosnn.conversion` read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx.onnx_ml_pb2 import ModelProto, NodeProto

from biosnn.ann import Graph, original, reference
from biosnn.conversion import read_network

RNG = np.random.default_rng(0)


def floats(*shape: int) -> np.ndarray:
    """Random weights, of about the size that keeps activations as they are."""
    return (RNG.normal(size=shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)


def node(operator: str, inputs: str, output: str, **attributes: Any) -> NodeProto:
    """A node; inputs and outputs are words."""
    name = f"{operator}_{output.split()[0]}"
    return helper.make_node(operator, inputs.split(), output.split(), name=name, **attributes)


def model(
    nodes: Sequence[NodeProto],
    arrays: dict[str, Any] | None = None,
    shape: Sequence[Any] = ("n", 3, 8, 8),
    outputs: str = "y",
    opset: int = 17,
    kind: int = TensorProto.FLOAT,
) -> ModelProto:
    """A model from `x`, of the shape, to the outputs."""
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", kind, list(shape))],
        [helper.make_empty_tensor_value_info(name) for name in outputs.split()],
        initializer=[numpy_helper.from_array(np.asarray(array), name) for name, array in (arrays or {}).items()],
    )
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 2)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def saved(folder: Path, made: ModelProto, name: str = "model.onnx") -> Path:
    """Save a model."""
    path = folder / name
    path.write_bytes(made.SerializeToString())
    return path


def batch_norm(channels: int, **names: str) -> dict[str, np.ndarray]:
    """The four arrays of a batch normalisation, as g, s, m and v."""
    arrays = {"g": floats(channels), "s": floats(channels), "m": floats(channels), "v": 0.1 + RNG.random(channels)}
    return {names.get(name, name): array.astype(np.float32) for name, array in arrays.items()}


def kinds(graph: Graph) -> list[type]:
    """The kinds of its layers, but for the input."""
    return [type(layer) for layer in graph.layers[1:]]


def read(folder: Path, made: ModelProto, value: str = "y") -> Graph:
    """Read a model and hold its output against the file's for other images than `read_network` has tried."""
    path = saved(folder, made)
    graph = read_network(path)
    images = RNG.normal(size=(3, *graph.input.shape)).astype(np.float32)
    expected = original(path, images, [value], threads=1)[0]
    found = reference(graph, threads=1).outputs(images)
    assert found.shape == expected.shape == (3, *graph[graph.output].shape)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5 * max(1, np.abs(expected).max()))
    return graph
