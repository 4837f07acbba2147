"""The libraries of the extras in pyproject.toml, imported when they are first needed."""

from __future__ import annotations

import importlib
from functools import cache
from types import SimpleNamespace
from typing import Any

from biosnn.errors import MissingExtraError


def imported(name: str, extra: str = "convert") -> Any:
    """Import a library of an extra; `MissingExtraError` says how to install it."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as missing:
        raise MissingExtraError(
            f"{_PURPOSES[extra]} needs {name.partition('.')[0]}, which is not installed ({missing}). "
            f"Install it with: pip install 'biosnn[{extra}]'"
        ) from None


_PURPOSES = {
    "convert": "Reading networks",
    "train": "Training or exporting networks of PyTorch",
    "export": "Writing for other programs",
    "cluster": "A sweep on a cluster",
    "fit": "Fitting settings",
    "interactive": "A page to look closer at figures",
}


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
