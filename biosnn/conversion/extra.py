"""The libraries of the extra ``convert``, imported when they are first needed."""

from __future__ import annotations

import importlib
from functools import cache
from types import SimpleNamespace
from typing import Any

from biosnn.errors import MissingExtraError


def imported(name: str) -> Any:
    """Import a library of the extra; `MissingExtraError` says how to install it."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as missing:
        raise MissingExtraError(
            f"Reading networks needs {name.partition('.')[0]}, which is not installed ({missing}). "
            "Install it with: pip install 'biosnn[convert]'"
        ) from None


@cache
def onnx() -> Any:
    """The library ``onnx`` with the parts that are used here, and the error of a failed parse."""
    library = imported("onnx")
    parts = {
        part: imported(f"onnx.{part}") for part in ("checker", "defs", "helper", "numpy_helper", "shape_inference")
    }
    names = ("ModelProto", "NodeProto", "TensorProto", "ValueInfoProto")
    protos = {name: getattr(library, name) for name in names}
    return SimpleNamespace(**parts, **protos, DecodeError=imported("google.protobuf.message").DecodeError)


@cache
def onnxruntime() -> Any:
    """The library ``onnxruntime``."""
    return imported("onnxruntime")
