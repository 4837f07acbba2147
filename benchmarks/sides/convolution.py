"""A convolution with a 3x3 kernel, 64 -> 64 channels, on 32x32 pixels, of which a tenth of the neurons spike a step."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, Synapses
from numpy.typing import NDArray

import biosnn
from sides.programs import DT, Side, Work

SIZE, CHANNELS, KERNEL = 32, 64, 3
NEURONS = SIZE * SIZE * CHANNELS
SPIKING = 0.1
PERIOD = 20  # steps after which the spikes recur
STEPS = {"stock": 4 * PERIOD, "biosnn": 100 * PERIOD, "c++": 100 * PERIOD}
SOURCE = Path(__file__).with_suffix(".cpp")


def spikes() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Steps and neurons of the spikes of a period, in order."""
    fires = np.random.default_rng(0).random((PERIOD, NEURONS)) < SPIKING
    steps, neurons = np.nonzero(fires)
    return steps, neurons


def kernel() -> NDArray[np.float64]:
    """Weights of shape (row, column, channel in, channel out), by a formula that `Synapses` can work out too."""
    tap, inner, outer = np.ogrid[: KERNEL * KERNEL, :CHANNELS, :CHANNELS]
    return np.cos(0.7 * tap + 0.3 * inner + 0.9 * outer).reshape(KERNEL, KERNEL, CHANNELS, CHANNELS)


def additions() -> int:
    """Additions that the spikes of a period ask for."""
    _, neurons = spikes()
    pixel = neurons // CHANNELS
    taps = [3 - (place == 0).astype(int) - (place == SIZE - 1) for place in (pixel // SIZE, pixel % SIZE)]
    return int(np.sum(taps[0] * taps[1]) * CHANNELS)


def work(how: str, steps: int) -> Work:
    """Given spikes, neurons that add up what arrives, and what joins them."""
    when, which = spikes()
    source = SpikeGeneratorGroup(NEURONS, which, when * DT, period=PERIOD * DT, sorted=True, name="pixels")
    target = NeuronGroup(NEURONS, "x : 1", namespace={}, name="features")
    network = Network(source, target)
    joined = None
    if how == "synapses":
        network.add(unrolled(source, target))
    elif how == "projection":
        shape = (SIZE, SIZE, CHANNELS)
        kind = biosnn.Conv2D(input=shape, channels=CHANNELS, kernel=KERNEL, padding=1)
        joined = biosnn.Projection(source, target, kind, kernel(), on_pre="x_post += w", name="joined")
        network.add(joined)
    return Work(network, steps * DT, total=target.variables["x"], joined=joined)


def unrolled(source: Any, target: Any) -> Synapses:
    """The same convolution as ``Synapses``: one for each addition, with a weight of its own."""
    joined = Synapses(source, target, "w : 1", on_pre="x_post += w", namespace={}, name="joined")
    row, column = f"(i//{SIZE * CHANNELS})", f"((i//{CHANNELS})%{SIZE})"
    tap = f"(k//{CHANNELS})"
    to_row, to_column = f"({row} + 1 - {tap}//{KERNEL})", f"({column} + 1 - {tap}%{KERNEL})"
    joined.connect(
        j=f"({to_row}*{SIZE} + {to_column})*{CHANNELS} + k%{CHANNELS} for k in range({KERNEL**2 * CHANNELS}) "
        f"if {to_row} >= 0 and {to_row} < {SIZE} and {to_column} >= 0 and {to_column} < {SIZE}"
    )
    down, right = (f"({place} - {place.replace('i', 'j')} + 1)" for place in (row, column))
    joined.w = f"cos(0.7*({down}*{KERNEL} + {right}) + 0.3*(i%{CHANNELS}) + 0.9*(j%{CHANNELS}))"
    return joined


def by_hand(how: str, folder: Path) -> tuple[Path, list[str]]:
    steps, neurons = spikes()
    starts = np.searchsorted(steps, np.arange(PERIOD + 1)).astype(np.int32)
    np.concatenate([starts, neurons.astype(np.int32)]).astype(np.int32).tofile(folder / "spikes")
    kernel().tofile(folder / "kernel")
    return SOURCE, ["spikes", "kernel", str(PERIOD), str(STEPS["c++"]), how]


SIDES = {
    "stock_none": Side("", "stock", lambda: work("", STEPS["biosnn"])),
    "stock": Side("Synapses, unrolled (stock Brian2)", "stock", lambda: work("synapses", STEPS["stock"])),
    "none": Side("", "biosnn", lambda: work("", STEPS["biosnn"])),
    "ours": Side("Projection(Conv2D(...))", "biosnn", lambda: work("projection", STEPS["biosnn"])),
    "hand": Side("C++ by hand: only the additions", "c++", partial(by_hand, "spike")),
    "pixel": Side("C++ by hand: a pixel's spikes together", "c++", partial(by_hand, "pixel")),
}
