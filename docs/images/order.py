"""Draw order.png: how a spike travels through layers in Brian2's order, and in that of `biosnn.within_step`.

python docs/images/order.py
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, SpikeMonitor, ms

import biosnn

DT = 1 * ms
LAYERS = 4
BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#8c8c8c"


def spike_steps(at_once: bool) -> list[int]:
    """The time step in which each layer of a chain spikes, when the first one does in step 1."""
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        groups: list[Any] = [SpikeGeneratorGroup(1, [0], [1] * DT)]
        groups += [NeuronGroup(1, "v : 1", threshold="v >= 1", reset="v = 0", namespace={}) for _ in range(LAYERS - 1)]
        joints = [biosnn.Projection(a, b, biosnn.OneToOne(), on_pre="v_post += 1") for a, b in pairwise(groups)]
        if at_once:
            biosnn.within_step(*groups, *joints)
        monitors = [SpikeMonitor(group) for group in groups]
        sim.run(Network(groups, joints, monitors), 8 * DT)
        return [int(np.rint(monitor.t[0] / DT)) for monitor in monitors]


def draw_travel(axes: Any, steps: list[int], colour: str, title: str) -> None:
    """Spikes of each layer over time steps, with the way between them."""
    axes.set_title(title, loc="left", fontsize=10)
    for x in range(7):
        axes.axvline(x, color="#e5e5e5", zorder=0)
    for layer, (a, b) in enumerate(pairwise(steps)):
        arrow = {"arrowstyle": "-|>", "color": colour, "shrinkA": 6, "shrinkB": 6}
        axes.annotate("", xy=(b + 0.5, layer + 2), xytext=(a + 0.5, layer + 1), arrowprops=arrow)
    axes.plot(np.array(steps) + 0.5, np.arange(LAYERS) + 1, "o", color=colour, markersize=9)
    axes.set(xlim=(0, 6), ylim=(0.5, LAYERS + 0.5), xlabel="time (steps)", ylabel="layer")
    axes.set_yticks(range(1, LAYERS + 1))
    axes.spines[["top", "right"]].set_visible(False)


def draw_slots(axes: Any, rows: list[tuple[str, str, str]]) -> None:
    """What runs within one step, from top to bottom."""
    axes.set_axis_off()
    axes.set_title("within one step", loc="left", fontsize=10)
    for place, (slot, what, colour) in enumerate(rows):
        y = 1 - (place + 0.6) / 9
        axes.text(0.02, y, slot, family="monospace", fontsize=8, va="center", transform=axes.transAxes)
        axes.text(0.36, y, what, fontsize=8.5, va="center", color=colour, transform=axes.transAxes)


DEFAULT = [
    ("start", "images turn, run_regularly", GREY),
    ("groups", "all layers: integrate", BLUE),
    ("thresholds", "all layers: spike", BLUE),
    ("synapses", "all projections: on_pre, on_post", BLUE),
    ("resets", "all layers: reset", BLUE),
    ("end", "", GREY),
]
AT_ONCE = [
    ("start", "images turn, run_regularly", GREY),
    ("thresholds", "layer 1: integrate, spike", ORANGE),
    ("", "projection 1 to 2; reset of layer 1", ORANGE),
    ("", "layer 2: integrate, spike", ORANGE),
    ("", "projection 2 to 3; reset of layer 2", ORANGE),
    ("", "... to the last layer; then monitors", ORANGE),
    ("synapses", "what was not given to within_step", GREY),
    ("end", "", GREY),
]


def main() -> None:
    figure, axes = plt.subplots(2, 2, figsize=(9, 5.6), width_ratios=(1, 1.05), layout="constrained")
    draw_travel(axes[0, 0], spike_steps(False), BLUE, "Brian2's order: one step per layer")
    draw_slots(axes[0, 1], DEFAULT)
    draw_travel(axes[1, 0], spike_steps(True), ORANGE, "biosnn.within_step: all layers in one step")
    draw_slots(axes[1, 1], AT_ONCE)
    figure.savefig(Path(__file__).with_suffix(".png"), dpi=130)


if __name__ == "__main__":
    main()
