"""A network as ONNX with channels first, and with channels last, as exporters of Keras and TensorFlow write it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from conversion_models import model, node
from hypothesis import strategies as st
from onnx.onnx_ml_pb2 import ModelProto, NodeProto

FIRST, LAST = [0, 3, 1, 2], [0, 2, 3, 1]


@dataclass
class Writer:
    """Writes nodes; values are named alike in all layouts, and transpositions come in between.

    ``layout`` is "first"; "front" (transposed at the front, and back before it is flattened); or "everywhere": all
    values have channels last but for those that windows take and give.
    """

    layout: str
    nodes: list[NodeProto] = field(default_factory=list)
    arrays: dict[str, Any] = field(default_factory=dict)
    turned: int = 0

    @property
    def last(self) -> bool:
        return self.layout == "everywhere"

    def transposed(self, value: str, order: list[int]) -> str:
        self.turned += 1
        name = f"{value}_turned{self.turned}"
        self.nodes.append(node("Transpose", value, name, perm=order))
        return name

    def window(self, operator: str, value: str, output: str, weights: str = "", **attributes: Any) -> str:
        """An operator that takes channels first."""
        if not self.last:
            self.nodes.append(node(operator, f"{value} {weights}", output, **attributes))
            return output
        taken = self.transposed(value, FIRST)
        self.nodes.append(node(operator, f"{taken} {weights}", f"{output}_first", **attributes))
        self.nodes.append(node("Transpose", f"{output}_first", output, perm=LAST))
        return output

    def by_channel(self, operator: str, value: str, output: str, numbers: np.ndarray) -> str:
        """Add or multiply a number for each channel."""
        name = f"{output}_numbers"
        self.arrays[name] = (numbers if self.last else numbers.reshape(-1, 1, 1)).astype(np.float32)
        self.nodes.append(node(operator, f"{value} {name}", output))
        return output

    def plain(self, operator: str, inputs: str, output: str, **attributes: Any) -> str:
        self.nodes.append(node(operator, inputs, output, **attributes))
        return output


def written(blocks: list[dict[str, Any]], layout: str, seed: int) -> ModelProto:
    """A network of the blocks, weights at random."""
    rng, out = np.random.default_rng(seed), Writer(layout)
    channels, side = 3, 8
    value = out.transposed("x", FIRST) if layout == "front" else "x"
    for number, block in enumerate(blocks):
        kind, name = block["kind"], f"b{number}"
        width = channels if kind == "residual" else 4
        if kind in ("conv", "residual", "branches"):
            before = value
            value = _convolved(out, rng, value, channels, width, name, block)
            if kind == "residual" and number:
                value = out.plain("Add", f"{value} {before}", f"{name}sum")
            if block["relu"] == "relu":
                value = out.plain("Relu", value, f"{name}relu")
            else:
                out.arrays["zero"], out.arrays["six"] = np.float32(0), np.float32(6)
                value = out.plain("Clip", f"{value} zero six", f"{name}relu")
            if kind == "branches":
                other = out.plain("Relu", _convolved(out, rng, before, channels, 2, f"{name}o", block), f"{name}or")
                value = out.plain("Concat", f"{value} {other}", f"{name}joined", axis=3 if out.last else 1)
                width += 2
            channels = width
        elif kind == "norm":
            value = out.by_channel("Mul", value, f"{name}gain", rng.uniform(0.5, 1.5, channels))
            value = out.by_channel("Add", value, f"{name}shift", rng.normal(size=channels) * 0.1)
        elif kind == "pad":
            out.arrays[f"{name}pads"] = np.array([0, 1, 0, 0, 0, 0, 1, 0] if out.last else [0, 0, 1, 0, 0, 0, 0, 1])
            value = out.plain("Pad", f"{value} {name}pads", f"{name}padded")
            value = _convolved(out, rng, value, channels, 4, f"{name}after", block | {"kernel": 2, "pads": [0] * 4})
            value = out.plain("Relu", value, f"{name}relu")
            channels = 4
        elif side >= 4:
            window = {"kernel_shape": [2, 2], "strides": [2, 2]}
            value = out.window(block["pool"], value, f"{name}pooled", **window)
            side //= 2
    size = side * side
    if blocks[-1]["whole"]:
        axes = [1, 2] if out.last else [2, 3]
        value, size = out.plain("ReduceMean", value, "mean", axes=axes, keepdims=0), 1
    elif layout == "front":
        value = out.transposed(value, LAST)
    weights = (rng.normal(size=(5, channels, size)) / np.sqrt(channels * size)).astype(np.float32)
    turned = weights if layout == "first" else weights.transpose(0, 2, 1)
    out.arrays["w"] = turned.reshape(5, -1)
    out.plain("Gemm", f"{out.plain('Flatten', value, 'flat')} w", "y", transB=1)
    shape = ("n", 3, 8, 8) if layout == "first" else ("n", 8, 8, 3)
    return model(out.nodes, out.arrays, shape)


def _convolved(out: Writer, rng: Any, value: str, inner: int, outer: int, name: str, block: dict[str, Any]) -> str:
    """A convolution with its bias inside, added, or added after a normalisation without one."""
    kernel = block.get("kernel", 3)
    out.arrays[f"{name}w"] = (rng.normal(size=(outer, inner, kernel, kernel)) / np.sqrt(4.5 * inner)).astype(np.float32)
    bias, gain = rng.normal(size=outer) * 0.1, rng.uniform(0.5, 1.5, outer)
    window = {"pads": block.get("pads", [1] * 4)}
    if block["bias"] == "inside":
        out.arrays[f"{name}b"] = bias.astype(np.float32)
        return out.window("Conv", value, f"{name}c", f"{name}w {name}b", **window)
    value = out.window("Conv", value, f"{name}c", f"{name}w", **window)
    if block["bias"] == "normalised":
        value = out.by_channel("Mul", value, f"{name}g", gain)
    return out.by_channel("Add", value, f"{name}a", bias)


@st.composite
def networks(draw: st.DrawFn) -> tuple[list[dict[str, Any]], int]:
    """Blocks of a network, the first of which has weights, and a seed."""
    kinds = ["conv", "residual", "branches", "norm", "pad", "pool"]
    blocks = []
    for number in range(draw(st.integers(1, 4))):
        kind = "conv" if number == 0 else draw(st.sampled_from(kinds))
        blocks.append(
            {
                "kind": kind,
                "bias": draw(st.sampled_from(["inside", "added", "normalised"])),
                "relu": draw(st.sampled_from(["relu", "clip"])),
                "pool": draw(st.sampled_from(["MaxPool", "AveragePool"])),
                "whole": draw(st.booleans()),
            }
        )
    return blocks, draw(st.integers(0, 10**6))
