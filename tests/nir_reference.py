"""Networks of NIR, one number after another, straight from the equations; it shares no code with biosnn.

Pedersen et al. 2024, Nat Commun 15:8122, table 1, doi:10.1038/s41467-024-52259-9. Forward Euler; in a neuron with two
variables the current takes its step first. A spike counts 1 in the time step in which it arrives.
"""

from __future__ import annotations

from typing import Any

import numpy as np

STATEFUL = ("IF", "LIF", "CubaLIF", "I", "LI", "CubaLI")


def pooled(x: np.ndarray, node: Any, mean: bool) -> np.ndarray:
    (down, right), (rows, columns) = np.asarray(node.kernel_size), np.asarray(node.stride)
    top, left = np.asarray(node.padding)
    padded = np.zeros((x.shape[0], x.shape[1] + 2 * top, x.shape[2] + 2 * left))
    padded[:, top : top + x.shape[1], left : left + x.shape[2]] = x
    height, width = (padded.shape[1] - down) // rows + 1, (padded.shape[2] - right) // columns + 1
    out = np.zeros((x.shape[0], height, width))
    for i in range(height):
        for j in range(width):
            window = padded[:, i * rows : i * rows + down, j * columns : j * columns + right]
            out[:, i, j] = window.mean((1, 2)) if mean else window.sum((1, 2))
    return out


def convolved(x: np.ndarray, node: Any) -> np.ndarray:
    weight, groups = node.weight, int(node.groups)
    outer, inner, height, width = weight.shape
    (d1, d2), (s1, s2) = np.broadcast_to(node.dilation, 2), np.broadcast_to(node.stride, 2)
    if isinstance(node.padding, str):
        total = (d1 * (height - 1), d2 * (width - 1)) if node.padding == "same" else (0, 0)
        sides = [(n // 2, n - n // 2) for n in total]
    else:
        sides = [(n, n) for n in np.broadcast_to(node.padding, 2)]
    padded = np.pad(x, [(0, 0), *sides])
    rows = (padded.shape[1] - d1 * (height - 1) - 1) // s1 + 1
    columns = (padded.shape[2] - d2 * (width - 1) - 1) // s2 + 1
    out = np.zeros((outer, rows, columns))
    for o in range(outer):
        first = o // (outer // groups) * inner
        for i in range(rows):
            for j in range(columns):
                window = padded[
                    first : first + inner,
                    i * s1 : i * s1 + d1 * (height - 1) + 1 : d1,
                    j * s2 : j * s2 + d2 * (width - 1) + 1 : d2,
                ]
                out[o, i, j] = np.sum(window * weight[o]) + node.bias[o]
    return out


def mapped(node: Any, x: np.ndarray) -> np.ndarray:
    kind = type(node).__name__
    if kind == "Affine":
        return node.weight @ x + node.bias
    if kind == "Linear":
        return node.weight @ x
    if kind == "Scale":
        return node.scale * x
    if kind == "Conv2d":
        return convolved(x, node)
    if kind in ("SumPool2d", "AvgPool2d"):
        return pooled(x, node, mean=kind == "AvgPool2d")
    if kind == "Flatten":
        shape, first = x.shape, int(node.start_dim)
        last = len(shape) - 1 if int(node.end_dim) == -1 else int(node.end_dim)
        return x.reshape(*shape[:first], -1, *shape[last + 1 :])
    if kind == "Threshold":
        return (x > node.threshold).astype(float)
    return x  # Input, Output


def stepped(node: Any, state: dict[str, np.ndarray], x: np.ndarray, dt: float) -> np.ndarray:
    """One step of neurons; what they send is returned."""
    kind = type(node).__name__
    if kind in ("IF", "I"):
        state["v"] = state["v"] + dt * node.r * x
    elif kind in ("LIF", "LI"):
        state["v"] = state["v"] + dt / node.tau * ((node.v_leak - state["v"]) + node.r * x)
    else:
        state["I"] = state["I"] + dt / node.tau_syn * (-state["I"] + node.w_in * x)
        state["v"] = state["v"] + dt / node.tau_mem * ((node.v_leak - state["v"]) + node.r * state["I"])
    if not kind.endswith("IF"):
        return state["v"].copy()
    above = ">=" if node.metadata.get("fires") == ">=" else ">"
    spikes = state["v"] >= node.v_threshold if above == ">=" else state["v"] > node.v_threshold
    after = state["v"] - node.v_threshold if node.metadata.get("reset") == "subtract" else node.v_reset
    state["v"] = np.where(spikes, after, state["v"])
    return spikes.astype(float)


def simulate(graph: Any, inputs: np.ndarray, dt: float, order: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What every node sends in each step, and the potentials of neurons after it.

    Parameters
    ----------
    graph : nir.NIRGraph
        With one Input, called "input".
    order : list of str
        In which nodes have their turn. What comes from one that has its turn later, or from itself, is that of the step
        before; at the start it is nothing.
    """
    states: dict[str, dict[str, np.ndarray]] = {}
    sent: dict[str, np.ndarray] = {}
    for name, node in graph.nodes.items():
        if type(node).__name__ in STATEFUL:
            v = np.zeros(node.r.shape) + node.metadata.get("v_initial", getattr(node, "v_leak", 0.0))
            states[name] = {"v": v, "I": np.zeros(node.r.shape)}
            sent[name] = np.zeros(node.r.shape)
    history: dict[str, list[np.ndarray]] = {name: [] for name in graph.nodes}
    potentials: dict[str, list[np.ndarray]] = {name: [] for name in states}
    for step in range(len(inputs)):
        for name in order:
            node = graph.nodes[name]
            sources = [a for a, b in graph.edges if b == name]
            x = np.asarray(inputs[step], float) if name == "input" else sum(sent[source] for source in sources)
            if name in states:
                sent[name] = stepped(node, states[name], x, dt)
                potentials[name].append(states[name]["v"].copy())
            elif type(node).__name__ == "Delay":
                history[name + "/in"] = [*history.get(name + "/in", []), x]
                late = np.round(node.delay / dt).astype(int)
                past = np.zeros_like(x)
                for place in np.ndindex(*x.shape):
                    if step >= late[place]:
                        past[place] = history[name + "/in"][step - late[place]][place]
                sent[name] = past
            else:
                sent[name] = mapped(node, x)
            history[name].append(sent[name])
    return {n: np.array(h) for n, h in history.items() if h}, {n: np.array(p) for n, p in potentials.items()}
