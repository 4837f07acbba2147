"""Small ONNX models, made by hand, that the tests of `biosnn.convert` read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx.onnx_ml_pb2 import ModelProto, NodeProto

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
