"""Whole networks from ONNX files: random small ones, and a pretrained one."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from hypothesis_profile import examples

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from conversion_models import batch_norm, floats, kinds, model, node, read

from biosnn.ann import Add, AveragePool, Convolution, Linear, Relu, Select, original, reference, write_onnx
from biosnn.conversion import read_network

DATA = Path(os.environ.get("BIOSNN_DATA", ""))
RESNET = DATA / "ann" / "resnet20-cifar10.onnx"
CIFAR = DATA / "cifar10-jpeg" / "test.npz"


@st.composite
def networks(draw: st.DrawFn) -> object:
    """A random small network of convolutions, normalisations, poolings and residuals."""
    nodes, arrays, value, channels, size = [], {}, "x", 3, 9
    for layer in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["conv", "residual", "pool", "norm", "concat"]))
        name = f"h{layer}"
        if kind in ("conv", "residual"):
            groups = draw(st.sampled_from([n for n in (1, 2, 3) if channels % n == 0]))
            out = channels if kind == "residual" else groups * draw(st.integers(1, 3))
            kernel, dilation = draw(st.integers(1, 3)), draw(st.integers(1, 2))
            stride = 1 if kind == "residual" else draw(st.integers(1, 2))
            reach = dilation * (kernel - 1)
            before = reach // 2 if kind == "residual" else draw(st.integers(0, 2))
            after = reach - before if kind == "residual" else draw(st.integers(0, 2))
            if size + before + after - reach < 1:
                continue
            arrays[f"w{layer}"] = floats(out, channels // groups, kernel, kernel)
            bias = draw(st.booleans())
            if bias:
                arrays[f"b{layer}"] = floats(out)
            inputs = f"{value} w{layer}" + f" b{layer}" * bias
            window = {"strides": [stride] * 2, "dilations": [dilation] * 2, "pads": [before] * 2 + [after] * 2}
            nodes.append(node("Conv", inputs, f"{name}c", group=groups, **window))
            if kind == "residual":
                nodes.append(node("Add", f"{name}c {value}", f"{name}a"))
            nodes.append(node("Relu", f"{name}a" if kind == "residual" else f"{name}c", name))
            channels, size = out, (size + before + after - reach - 1) // stride + 1
        elif kind == "pool":
            if size < 2:
                continue
            operator = draw(st.sampled_from(["MaxPool", "AveragePool"]))
            ceil = draw(st.integers(0, 1))
            nodes.append(node(operator, value, name, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=ceil))
            size = -(-size // 2) if ceil else size // 2
        elif kind == "norm":
            arrays |= batch_norm(channels, **{key: f"{key}{layer}" for key in "gsmv"})
            nodes.append(node("BatchNormalization", f"{value} g{layer} s{layer} m{layer} v{layer}", name))
        else:
            nodes.append(node("Concat", f"{value} {value}", name, axis=1))
            channels *= 2
        value = name
    arrays["w"] = floats(4, channels * size * size)
    nodes += [node("Flatten", value, "flat"), node("Gemm", "flat w", "y", transB=1)]
    return model(nodes, arrays, ("n", 3, 9, 9))


@given(made=networks())
@examples(40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_networks(tmp_path: Path, made: object) -> None:
    read(tmp_path, made)


@given(made=networks())
@examples(10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read_again(tmp_path: Path, made: object) -> None:
    graph = read(tmp_path, made)
    (tmp_path / "again.onnx").write_bytes(write_onnx(graph))
    again = read_network(tmp_path / "again.onnx")
    assert [(layer.name, type(layer), layer.shape) for layer in again.layers] == [
        (layer.name, type(layer), layer.shape) for layer in graph.layers
    ]


@pytest.mark.skipif(not RESNET.is_file(), reason="BIOSNN_DATA has no ann/resnet20-cifar10.onnx")
def test_a_pretrained_residual_network() -> None:
    graph = read_network(RESNET)
    counts = {kind: kinds(graph).count(kind) for kind in set(kinds(graph))}
    # He et al. 2016, table 6: 20 layers with weights, 40.55 million multiply-accumulates with its 10-fold output.
    assert counts == {Convolution: 19, Relu: 19, Add: 9, Select: 2, AveragePool: 1, Linear: 1}
    assert sum(graph.macs.values()) == 40_551_040
    shortcuts = [layer for layer in graph.layers if isinstance(layer, Select)]
    # Option A: every other pixel, and zeros for the new channels, half before and half after.
    assert [layer.shape for layer in shortcuts] == [(32, 16, 16), (64, 8, 8)]
    assert [int((layer.source < 0).sum()) for layer in shortcuts] == [16 * 16 * 16, 32 * 8 * 8]
    with np.load(CIFAR) as data:
        images = data["x"][:20] / 255
    normal = (images - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    shown = normal.transpose(0, 3, 1, 2).astype(np.float32)
    expected = original(RESNET, shown, ["logits"], threads=1)[0]
    np.testing.assert_allclose(reference(graph, threads=1).outputs(shown), expected, atol=1e-4)
