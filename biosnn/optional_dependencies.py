"""The libraries of the extras in pyproject.toml, imported when they are first needed."""

from __future__ import annotations

import importlib
import re
import shlex
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
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
            f"Install the extra {extra!r}: {install_command(extra, name.partition('.')[0])}"
        ) from None


def install_command(extra: str, library: str) -> str:
    """The command that installs an extra where this runs: in a checkout, and where a wheel was installed.

    It names the libraries, since biosnn itself may have come from no index that could be asked for it.

    Parameters
    ----------
    extra : str
        Such as ``"convert"``.
    library : str
        What is named alone where biosnn is not installed, or has no such extra.
    """
    try:
        entries = requires("biosnn") or []
    except PackageNotFoundError:
        entries = []
    needed = [
        entry.partition(";")[0].strip()
        for entry in entries
        if re.search(rf"extra == ['\"]{re.escape(extra)}['\"]", entry)
    ]
    return shlex.join([sys.executable, "-m", "pip", "install", *(needed or [library])])


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
