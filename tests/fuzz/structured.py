"""Ways to mangle networks of ONNX and NIR that need their libraries."""

from __future__ import annotations

import contextlib
import io
import random
from typing import Any

import h5py
import numpy as np
import onnx

from fuzz.mangle import odd, some_array, some_bytes


def some_onnx(content: bytes, rng: random.Random) -> bytes:
    """A network of ONNX with other tensors, attributes, names or nodes."""
    if rng.random() < 0.4:
        return some_bytes(content, rng)
    made = onnx.ModelProto()
    made.ParseFromString(content)
    for _ in range(rng.choice((1, 1, 2, 4))):
        with contextlib.suppress(ValueError, TypeError, IndexError):  # where a field cannot have such a value
            rng.choice((_tensor, _node, _attribute, _value, _model))(made, rng)
    return made.SerializeToString()


def _tensor(made: Any, rng: random.Random) -> None:
    tensor = rng.choice(made.graph.initializer)
    way = rng.randrange(5)
    if way == 0:
        tensor.dims[:] = rng.choice(([], [0], [-1, 4], [10**9, 10**9], [2, 3], [1] * 40, list(tensor.dims)[::-1]))
    elif way == 1:
        tensor.data_type = rng.choice((0, 1, 6, 7, 8, 9, 11, 16, 99, -5))
    elif way == 2:
        tensor.raw_data = rng.choice((b"", tensor.raw_data[:-4], b"\xff" * len(tensor.raw_data), tensor.raw_data * 2))
    elif way == 3:
        tensor.name = rng.choice(("", "x", "y", "none"))
    else:
        array = some_array(rng, onnx.numpy_helper.to_array(tensor))
        tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))


def _node(made: Any, rng: random.Random) -> None:
    nodes = made.graph.node
    node, way = rng.choice(nodes), rng.randrange(6)
    if way == 0:
        node.op_type = rng.choice(("Relu", "Conv", "Gemm", "MatMul", "Add", "Reshape", "Concat", "Loop", "", "Softmax"))
    elif way == 1:
        nodes.remove(node)
    elif way == 2:
        nodes.add().CopyFrom(node)
    elif way == 3 and node.input:
        node.input[rng.randrange(len(node.input))] = rng.choice(("", "x", "none", *rng.choice(nodes).output))
    elif way == 4:
        del node.output[:]
    else:
        node.domain = rng.choice(("ai.onnx.ml", "com.me", "\0"))


def _attribute(made: Any, rng: random.Random) -> None:
    node = rng.choice([node for node in made.graph.node if node.attribute])
    attribute = rng.choice(node.attribute)
    name = attribute.name
    attribute.CopyFrom(
        onnx.helper.make_attribute(name, rng.choice((0, -1, 2**40, [0, 0], [-1] * 4, [10**6] * 2, 0.5, "x")))
    )


def _value(made: Any, rng: random.Random) -> None:
    value = rng.choice([*made.graph.input, *made.graph.output])
    shape = value.type.tensor_type.shape
    if shape.dim and rng.random() < 0.7:
        rng.choice(shape.dim).dim_value = rng.choice((0, -1, 1, 7, 10**6, 2**40))
    else:
        value.name = rng.choice(("", "none", "x"))


def _model(made: Any, rng: random.Random) -> None:
    way = rng.randrange(4)
    if way == 0:
        made.opset_import[0].version = rng.choice((0, 1, 6, 11, 13, 22, 999, -1))
    elif way == 1:
        made.ir_version = rng.choice((0, 1, 3, 99, -1))
    elif way == 2:
        del made.graph.output[:]
    else:
        made.graph.input.add().name = "more"


def some_hdf5(content: bytes, rng: random.Random) -> bytes:
    """A network of NIR with other arrays, texts, nodes or links."""
    if rng.random() < 0.4:
        return some_bytes(content, rng)
    memory = io.BytesIO(content)
    with h5py.File(memory, "r+") as file:
        for _ in range(rng.choice((1, 1, 2, 3))):
            places: list[str] = []
            file.visit(places.append)
            if not places:  # all of them were taken out
                break
            with contextlib.suppress(ValueError, TypeError, KeyError, OSError, RuntimeError):
                _object(file, rng.choice(places), rng)
    return memory.getvalue()


def _object(file: Any, place: str, rng: random.Random) -> None:
    found, way = file[place], rng.randrange(9)
    array = found[()] if isinstance(found, h5py.Dataset) else np.arange(3.0)
    del file[place]
    if way == 0:
        return
    if way == 1:
        file[place] = rng.choice(
            (1, 0.5, "text", [1, 2], [["a", "b"]], b"\xff\xfe", np.array([]), [np.nan], -1, 10**12)
        )
    elif way == 2 and isinstance(array, np.ndarray) and array.dtype.kind in "iuf":
        file[place] = some_array(rng, array)
    elif way == 3:
        file.create_dataset(
            place, shape=rng.choice(((10**9, 10**3), (10**8,), (2**26,))), dtype=rng.choice(("f8", "f4"))
        )
    elif way == 4:
        file.create_dataset(place, (2**25,), "f8", chunks=(2**20,), compression=rng.choice(("gzip", "lzf")))
    elif way == 5:
        file[place] = rng.choice(
            (h5py.SoftLink("/node"), h5py.ExternalLink("/etc/passwd", "/"), h5py.SoftLink("/none"))
        )
    elif way == 6:
        file.create_group(f"{place}/{'/'.join('a' * 40)}")
    elif way == 7:
        file[place] = h5py.Empty("f4")
    else:
        file[place] = np.asarray(str(odd(rng)).replace("\0", ""), dtype=h5py.string_dtype())
