"""An NIR file, or a graph of the library ``nir``, becomes a `NirNetwork`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from biosnn import files
from biosnn.errors import ConversionError, field_error, unknown
from biosnn.nir import file as nir_file
from biosnn.nir.file import DEEPEST, Table
from biosnn.nir.kinds import KINDS
from biosnn.nir.network import Edge, NirNetwork
from biosnn.nir.neurons import Neuron
from biosnn.nir.nodes import Flatten, Input, Node, Output

OWN = ("reset", "fires", "v_initial")
"""The fields of neurons that NIR does not have: they stand in the metadata."""


def read_nir(source: str | os.PathLike[str] | Any) -> NirNetwork:
    """Read a network from an NIR file. Nothing of it is executed, and sizes are looked at before memory is taken.

    Parameters
    ----------
    source : str, path, or nir.NIRGraph
        The file, as ``nir.write`` makes it, or a graph of that library.

    Returns
    -------
    NirNetwork
        Its nodes by name. Graphs within the graph are taken apart: their nodes are called ``"graph.node"``.

    Raises
    ------
    ConversionError
        If the file is missing, damaged, too large or hostile, has a node that is not known, or fields and shapes do not
        fit. The message names the file and the node.
    MissingExtraError
        If the extra ``convert`` is not installed.
    """
    if isinstance(source, str | os.PathLike):
        where = str(Path(source))
    elif callable(getattr(source, "to_dict", None)):
        where = "The graph"
    else:
        kind = f"{type(source).__module__}.{type(source).__qualname__}"
        raise ConversionError(field_error("read_nir", "the path of a file, or a nir.NIRGraph", kind))
    with files.reading(where, ConversionError, "a network of NIR", "Write it again with nir.write."):
        table = (
            nir_file.load(Path(source)) if isinstance(source, str | os.PathLike) else nir_file.plain(source.to_dict())
        )
        if not _is_graph(table):
            do = "Put the node into a graph: nir.NIRGraph.from_list(node)."
            raise ConversionError(field_error("its root", "a NIRGraph", table.get("type"), do))
        nodes, edges = _graph(table, "", 0)
        return NirNetwork(nodes, tuple(edges), _metadata(table))


def _is_graph(table: Mapping[str, Any]) -> bool:
    kind = table.get("type")
    return isinstance(kind, str) and kind == "NIRGraph"


def _graph(table: Table, prefix: str, depth: int) -> tuple[dict[str, Node], list[Edge]]:
    """The nodes and edges of a graph, and of those within it."""
    where = f"Graph {prefix.rstrip('.')!r}" if prefix else "The graph"
    if depth > DEEPEST:
        raise ConversionError(field_error(where, f"at most {DEEPEST} graphs in one another", "more"))
    given, pairs = table.get("nodes"), table.get("edges", [])
    if not isinstance(given, Mapping) or not isinstance(pairs, list) or not all(_is_pair(pair) for pair in pairs):
        got = f"nodes: {type(given).__name__}, edges: {type(pairs).__name__}"
        raise ConversionError(field_error(where, "nodes by name, and edges as pairs of names", got))
    nodes: dict[str, Node] = {}
    edges: list[Edge] = [(prefix + a, prefix + b) for a, b in pairs]
    for name, node in given.items():
        if not isinstance(node, Mapping):
            raise ConversionError(field_error(f"Node {prefix + name!r}", "a node with a type", type(node).__name__))
        if _is_graph(node):
            inner, between = _graph(dict(node), f"{prefix}{name}.", depth + 1)
            edges = _joined(prefix + name, inner, between, edges)
            nodes |= {key: part for key, part in inner.items() if not isinstance(part, Input | Output)}
        else:
            nodes[prefix + name] = _node(prefix + name, dict(node))
    return nodes, edges


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(end, str) for end in pair)


def _joined(name: str, inner: Mapping[str, Node], between: list[Edge], edges: list[Edge]) -> list[Edge]:
    """The edges of a graph and of one within it, whose entrance and exit are left out."""
    for kind in (Input, Output):
        gates = [key for key, node in inner.items() if isinstance(node, kind)]
        if len(gates) != 1:
            do = "Graphs within a graph are read that have one Input and one Output."
            raise ConversionError(field_error(f"Graph {name!r}", f"one {kind.__name__}", gates, do))
        if kind is Input:
            edges = [(a, gates[0] if b == name else b) for a, b in edges]
        else:
            edges = [(gates[0] if a == name else a, b) for a, b in edges]
    edges = [*edges, *between]
    for gate in (key for key, node in inner.items() if isinstance(node, Input | Output)):
        before, after = [a for a, b in edges if b == gate], [b for a, b in edges if a == gate]
        edges = [edge for edge in edges if gate not in edge] + [(a, b) for a in before for b in after]
    return edges


def _node(name: str, table: Table) -> Node:
    kind = table.pop("type", None)
    where = f"Node {name!r}"
    if not isinstance(kind, str) or kind not in KINDS:
        do = "Replace it by nodes that are read, or run the network where it was made."
        raise ConversionError(f"{where}: {unknown('kind of node', str(kind), KINDS)} {do}")
    metadata = _metadata(table)
    table.pop("metadata", None)
    made = KINDS[kind]
    known = {f.name for f in fields(made)} - {"metadata", *OWN}
    if issubclass(made, Neuron):
        in_metadata = {f.name for f in fields(made)} & set(OWN)
        table |= {key: metadata.pop(key) for key in in_metadata & set(metadata)}
        known |= in_metadata
    if issubclass(made, Flatten | Input | Output) and "input_type" in table and "input_type" not in known:
        del table["input_type"]
    for key in table:
        if key not in known:
            raise ConversionError(f"{where} ({kind}): {unknown('field', key, known)}")
    needed = {f.name for f in fields(made) if f.default is MISSING and f.default_factory is MISSING}
    missing = sorted(needed - set(table))
    if missing:
        do = "The file is incomplete: write it again with nir.write."
        raise ConversionError(field_error(f"{where} ({kind})", f"the fields {', '.join(missing)}", sorted(table), do))
    try:
        return made(**table, metadata=metadata)
    except ConversionError as problem:
        raise ConversionError(f"{where}: {problem}") from None


def _metadata(table: Table) -> dict[str, Any]:
    metadata = table.get("metadata", {})
    return dict(metadata) if isinstance(metadata, Mapping) else {}
