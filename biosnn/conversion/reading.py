"""A network from a file, whatever its format; and a clear word about files that are not read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from biosnn import archive, files
from biosnn.ann.graph import Graph
from biosnn.ann.images import random_images
from biosnn.ann.onnx.reader import read_onnx
from biosnn.ann.readers.arrays import read_arrays
from biosnn.ann.readers.torch_module import TorchModule, from_torch, is_torch_module
from biosnn.ann.reference import check_reading
from biosnn.catalogue import ann_file, is_path
from biosnn.errors import ConversionError, unknown
from biosnn.nir.file import is_nir
from biosnn.nir.graph import ann_graph
from biosnn.nir.read import read_nir

_TORCH = (
    "Export the network to ONNX where it was made: torch.onnx.export(model.eval(), example, 'model.onnx', "
    "external_data=False, dynamic_axes={'input': {0: 'n'}}, input_names=['input'])"
)
_KERAS = "Export it to ONNX: model.export('model.onnx', format='onnx'), or python -m tf2onnx.convert."
_SKLEARN = "Export it to ONNX: skl2onnx.to_onnx(model, example)."


def read_network(
    path: str | os.PathLike[str] | TorchModule,
    check: bool = True,
    example: Any = None,
    spiking_as: str | None = None,
) -> Graph:
    """Read a network from a file, of which nothing is executed, or a module of PyTorch.

    Parameters
    ----------
    path : str, path or torch.nn.Module
        ``.onnx``; ``.nir``; ``.npz`` or ``.safetensors`` with a description of the same name, ``.toml``, beside it; or
        that. The name of an ordinary network in the catalogue (`biosnn.catalogue.ann_names`). Or a module of PyTorch
        (`from_torch`).
    check : bool
        Whether an ONNX file is run by ONNX Runtime on a few random images, and every layer that was read compared.
    example : array_like or torch.Tensor, shape (n, *shape of an image)
        What a module of PyTorch takes; a file says that itself.
    spiking_as : {None, "relu"}
        What to take IF neurons of an NIR file for; see `ann_graph`. A network that is to spike as it is: `read_nir`.

    Returns
    -------
    Graph
        Its layers in the order of computation, normalisations folded into the weights.

    Raises
    ------
    ConversionError
        If the file is missing, damaged, hostile, of another format, or has layers that are not read. The message says
        what to do.
    NotFoundError
        If there is no network of that name in the catalogue; the message lists those there are.
    MissingExtraError
        If the extra ``convert`` is not installed, or, for a module, ``train``.
    """
    if is_torch_module(path):
        return from_torch(path, example, check)
    if not isinstance(path, str | os.PathLike):
        kind = f"{type(path).__module__}.{type(path).__qualname__}"
        raise ConversionError(f"read_network: expected the path of a file (got {kind}). {_TORCH}, and read that file.")
    if example is not None:
        raise ConversionError(f"read_network: {path} says itself what it takes. Leave out example=.")
    file = Path(path)
    if not file.suffix and not file.exists() and not is_path(str(path)):
        file = ann_file(str(path))
    files.check_plain(file, ConversionError, _in_folder(file) if file.is_dir() else "")
    if file.suffix == ".nir" or (_is_hdf5(file) and is_nir(file)):
        return _from_nir(file, spiking_as)
    if spiking_as is not None:
        raise ConversionError(f"{file}: spiking_as is for NIR files. Leave it out.")
    _refuse(file)
    if file.suffix in (".toml", ".npz", ".safetensors"):
        return read_arrays(file)
    graph = read_onnx(file)
    if check:
        with files.reading(file, ConversionError, "what ONNX Runtime runs", "Export it again."):
            check_reading(file, graph, random_images(graph), threads=1)
    return graph


def _in_folder(folder: Path) -> str:
    """What to do about a folder: give one of its files that may be a network."""
    names = sorted(str(file) for file in folder.iterdir() if file.suffix in _SUFFIXES and file.suffix != ".toml")
    some = f"{', '.join(names[:5])}{', ...' if len(names) > 5 else ''}"
    ends = "Give the path of a file that ends in one of " + ", ".join(_SUFFIXES)
    return f"Give one of its files: {some}." if names else f"{ends}; there is none in it."


def _from_nir(file: Path, spiking_as: str | None) -> Graph:
    network = read_nir(file)
    with files.reading(file, ConversionError, "an ordinary network of NIR"):
        return ann_graph(network, spiking_as)


def _is_hdf5(file: Path) -> bool:
    with files.opened(file, ConversionError) as opened:
        return opened.read(8).startswith(b"\x89HDF")


def _refuse(file: Path) -> None:
    """Raise an error that says what to do about a file of a format that is not read, known by its content."""
    with files.opened(file, ConversionError) as opened:
        start = opened.read(8)
    if start.startswith(b"\x80") and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        raise _pickled(file)
    if start.startswith(b"\x89HDF"):
        raise ConversionError(f"{file} is an HDF5 file without an NIR network, as Keras writes. {_KERAS}")
    if start.startswith(b"PK") and file.suffix != ".npz":
        names = _members(file)
        if any(name.endswith("data.pkl") for name in names):
            raise _pickled(file)
        if "config.json" in names:
            raise ConversionError(f"{file} is an archive, as Keras writes. {_KERAS}")
    if file.suffix not in _SUFFIXES:
        raise ConversionError(f"{file}: {unknown('format', file.suffix or file.name, _SUFFIXES)} {_TORCH}.")


_SUFFIXES = (".nir", ".npz", ".onnx", ".safetensors", ".toml")


def _pickled(file: Path) -> ConversionError:
    return ConversionError(
        f"{file} is a pickled file (PyTorch, scikit-learn), which is not read: loading it could run any code. "
        f"{_TORCH}. For scikit-learn: {_SKLEARN}"
    )


def _members(file: Path) -> list[str]:
    try:
        with archive.opened(file, ConversionError, "an archive") as opened:
            return opened.namelist()
    except ConversionError:
        return []
