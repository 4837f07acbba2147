"""Networks of NIR for tests, made with the library ``nir``: the kinds of its paper's three tasks, and a mixed one."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import nir
import numpy as np

RNG = np.random.default_rng(0)


def normal(*shape: int, scale: float = 1.0) -> np.ndarray:
    return RNG.normal(size=shape) * scale


def between(low: float, high: float, *shape: int) -> np.ndarray:
    return RNG.uniform(low, high, shape)


def chain(**nodes: Any) -> nir.NIRGraph:
    """Nodes one behind the other, unchecked: the library takes kernels for square and groups for one."""
    return nir.NIRGraph(nodes, list(pairwise(nodes)), type_check=False)


def entrance(*shape: int) -> nir.Input:
    return nir.Input({"input": np.array(shape)})


def exit_(*shape: int) -> nir.Output:
    return nir.Output({"output": np.array(shape)})


def saved(folder: Path, graph: nir.NIRGraph, name: str = "network.nir") -> Path:
    nir.write(folder / name, graph)
    return folder / name


def lif(n: int, **metadata: Any) -> nir.LIF:
    return nir.LIF(
        tau=between(5e-3, 20e-3, n),
        r=between(3, 6, n),
        v_leak=normal(n, scale=0.1),
        v_threshold=between(0.5, 1, n),
        v_reset=normal(n, scale=0.1),
        metadata=metadata,
    )


def integrate_and_fire(*shape: int, **metadata: Any) -> nir.IF:
    threshold = between(0.5, 1.5, *shape)
    return nir.IF(r=np.full(shape, 1000.0), v_threshold=threshold, v_reset=np.zeros(shape), metadata=metadata)


def feed_forward(n: int = 12) -> nir.NIRGraph:
    """An Affine and LIF neurons."""
    return chain(input=entrance(5), fc=nir.Affine(normal(n, 5), normal(n, scale=0.1)), lif=lif(n), output=exit_(n))


def convolutional() -> nir.NIRGraph:
    """As the network for N-MNIST: convolutions, sum pooling, IF neurons; pooling stands beside a convolution."""
    c1 = nir.Conv2d((10, 11), normal(4, 2, 3, 3, scale=0.5), 1, 1, 1, 1, normal(4, scale=0.1))
    c2 = nir.Conv2d((5, 5), normal(6, 4, 3, 2, scale=0.3), 1, "same", 1, 1, normal(6, scale=0.1))
    c3 = nir.Conv2d((3, 3), normal(6, 3, 3, 3, scale=0.5), 1, (1, 1), 1, 2, normal(6, scale=0.1))
    return chain(
        input=entrance(2, 10, 11),
        c1=c1,
        i1=integrate_and_fire(4, 10, 11),
        p1=nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        c2=c2,
        i2=integrate_and_fire(6, 5, 5, reset="subtract"),
        p2=nir.AvgPool2d(np.array([2, 2]), np.array([2, 2]), np.array([1, 1])),
        i3=integrate_and_fire(6, 3, 3),
        c3=c3,
        i4=integrate_and_fire(6, 3, 3),
        flat=nir.Flatten({"input": np.array([6, 3, 3])}, 0, -1),
        fc=nir.Affine(normal(10, 54, scale=0.5), normal(10)),
        i5=integrate_and_fire(10),
        output=exit_(10),
    )


def recurrent(n: int = 12, m: int = 6) -> nir.NIRGraph:
    """As the network for Braille letters: CubaLIF neurons with an Affine back onto themselves, and a readout."""
    cuba = nir.CubaLIF(
        tau_syn=between(3e-3, 10e-3, n),
        tau_mem=between(5e-3, 20e-3, n),
        r=between(3, 6, n),
        v_leak=normal(n, scale=0.1),
        v_threshold=between(0.5, 1, n),
        v_reset=normal(n, scale=0.1),
        w_in=between(1, 3, n),
    )
    readout = nir.CubaLI(
        tau_syn=np.full(m, 5e-3), tau_mem=np.full(m, 10e-3), r=between(1, 2, m), v_leak=normal(m), w_in=normal(m)
    )
    nodes = {
        "input": entrance(5),
        "fc": nir.Affine(normal(n, 5), normal(n, scale=0.1)),
        "cuba": cuba,
        "back": nir.Affine(normal(n, n, scale=0.5), normal(n, scale=0.1)),
        "read": nir.Affine(normal(m, n), normal(m)),
        "readout": readout,
        "output": exit_(m),
    }
    edges = [("input", "fc"), ("fc", "cuba"), ("cuba", "back"), ("back", "cuba"), ("cuba", "read")]
    return nir.NIRGraph(nodes, [*edges, ("read", "readout"), ("readout", "output")])


def mixed(n: int = 12, m: int = 6) -> nir.NIRGraph:
    """Delays, a threshold behind leaky integrators, two ways that meet, and metadata."""
    soft = {"reset": "subtract", "fires": ">=", "v_initial": np.full(m, 0.1)}
    nodes = {
        "input": entrance(n),
        "late": nir.Delay(RNG.integers(0, 4, n) * 1e-3),
        "li": nir.LI(np.full(n, 5e-3), np.full(n, 5.0), np.zeros(n)),
        "threshold": nir.Threshold(np.full(n, 0.3)),
        "w": nir.Affine(normal(m, n), normal(m)),
        "one": nir.Scale(normal(m)),
        "two": nir.Scale(np.full(m, 0.5)),
        "lif": nir.LIF(np.full(m, 5e-3), np.full(m, 5.0), np.zeros(m), np.full(m, 0.2), metadata=soft),
        "later": nir.Delay(RNG.integers(0, 4, m) * 1e-3),
        "i": nir.I(normal(m)),
        "output": exit_(m),
    }
    ways = "input-late-li-threshold-w-one-lif-later-i-output w-two-lif-i one-output"
    return nir.NIRGraph(nodes, [edge for way in ways.split() for edge in pairwise(way.split("-"))])
