"""Networks are written as NIR files, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from biosnn.errors import ConversionError, field_error
from biosnn.nir.network import NirNetwork, a_network
from biosnn.nir.neurons import Neuron, Spiking
from biosnn.nir.nodes import Conv2d, Flatten, Input, Node, Output
from biosnn.nir.read import OWN
from biosnn.optional_dependencies import imported
from biosnn.writing import replaced


def write_nir(network: NirNetwork, path: str | os.PathLike[str]) -> None:
    """Write a network as an NIR file, which `read_nir` and every framework with NIR read.

    What NIR has no word for stands in the metadata of a node: ``{"reset": "subtract"}`` for the reset by subtraction,
    ``{"fires": ">="}``, and ``{"v_initial": …}``. Other frameworks do not know these, and reset to ``v_reset``.

    Parameters
    ----------
    network : NirNetwork
        The network.
    path : str or path
        The file, which is replaced if it is there. It is written under another name, and then renamed.

    Raises
    ------
    ConversionError
        If the file cannot be written, or metadata are neither text nor numbers.
    MissingExtraError
        If the extra ``convert`` is not installed.
    """
    nir, file = imported("nir"), Path(path)
    a_network("write_nir network", network)
    nodes = {name: _node(nir, network, name) for name in network.nodes}
    metadata = _checked("The network", network.metadata)
    graph = nir.NIRGraph(nodes, list(network.edges), metadata=metadata, type_check=False)
    try:
        with replaced(file) as new:
            nir.write(new, graph)
    except OSError as problem:
        raise ConversionError(f"{file} cannot be written: {problem}. Is there such a folder, with room?") from None


def export_nir(
    nodes: Mapping[str, Node],
    edges: Iterable[tuple[str, str]],
    path: str | os.PathLike[str],
    metadata: Mapping[str, Any] | None = None,
) -> NirNetwork:
    """Make a network of nodes and write it: `NirNetwork` and `write_nir` at once.

    Parameters
    ----------
    nodes : mapping of str to Node
        By their names, made with the classes of `biosnn.nir.kinds`.
    edges : iterable of (str, str)
        From node to node.
    path : str or path
        The file.
    metadata : mapping, optional
        What else the file shall say.

    Returns
    -------
    NirNetwork
        What was written.

    Raises
    ------
    ConversionError
        As of `NirNetwork` and `write_nir`.

    Examples
    --------
    >>> nodes = {"input": Input(shape=(4,)), "fc": Linear(weight=np.eye(4)), "if": IF(r=1.0, v_threshold=np.ones(4)),
    ...          "output": Output(shape=(4,))}
    >>> export_nir(nodes, [("input", "fc"), ("fc", "if"), ("if", "output")], "network.nir")  # doctest: +SKIP
    """
    network = NirNetwork(nodes, tuple(edges), metadata or {})
    write_nir(network, path)
    return network


def _node(nir: Any, network: NirNetwork, name: str) -> Any:
    """A node of the library."""
    node = network.nodes[name]
    shape = network.shapes[network.sources[name][0]] if network.sources[name] else ()
    values = {f.name: getattr(node, f.name) for f in fields(node) if f.name not in ("metadata", *OWN)}
    metadata = dict(node.metadata)
    if isinstance(node, Input):
        values = {"input_type": {"input": np.array(node.shape)}}
    elif isinstance(node, Output):
        values = {"output_type": {"output": np.array(node.shape)}}
    elif isinstance(node, Flatten):
        values["input_type"] = {"input": np.array(shape)}
    elif isinstance(node, Conv2d):
        values["input_shape"] = shape[1:]
    elif isinstance(node, Neuron):
        values = {key: np.broadcast_to(value, network.shapes[name]).copy() for key, value in values.items()}
        if node.v_initial is not None:
            metadata["v_initial"] = node.v_initial
    if isinstance(node, Spiking):
        metadata |= {"reset": node.reset} if node.reset != "set" else {}
        metadata |= {"fires": node.fires} if node.fires != ">" else {}
    # The library keeps pairs as arrays, but for this one.
    arrays = {
        key: np.array(value) for key, value in values.items() if isinstance(value, tuple) and key != "input_shape"
    }
    values |= arrays
    return getattr(nir, node.kind)(**values, metadata=_checked(f"Node {name!r}", metadata))


def _checked(where: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    checked: dict[str, Any] = {}
    for key, value in metadata.items():
        if isinstance(value, Mapping):
            checked[key] = _checked(where, value)
        elif isinstance(value, str) or np.asarray(value).dtype.kind in "fiub":
            checked[key] = value if isinstance(value, str) or np.ndim(value) == 0 else np.asarray(value)
        else:
            raise ConversionError(field_error(f"{where} metadata {key!r}", "a text or numbers", type(value).__name__))
    return checked
