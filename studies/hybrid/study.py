"""Which layers should spike, and which stay analog?

A trained network (ANN) is cut behind each of its ReLU layers. Either the layers before the cut spike and the ANN
computes the rest from their decoded rates, or the ANN computes the first layers and the rest spikes. The study measures
how many time steps, how many spikes and how much energy every such hybrid needs to be as accurate as the ANN, and holds
them against the network whose layers all spike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from biosnn.conversion import Options
from biosnn.engine import Simulation
from biosnn.study import About, Claim, Result, nested, setting
from biosnn.study.ann_data import CONVERSION, CONVERSION_RENAMED, AnnDataSettings, load_ann_data

from .cuts import measure
from .outcome import arrays_of, tables_of, values_of

TARGET = "cpp"
ANSWER = (
    "With all layers spiking {accuracy, all layers spike|%} of the images are correctly classified, by the "
    "ordinary network {accuracy of the ANN|%}; the worst cut between both reaches {lowest accuracy of a "
    "cut|%}."
)

METHOD = """
The network is converted once (Rueckauer et al. 2017; Han et al. 2020): soft reset, thresholds from the activations of
calibration images, pixels and biases as constant currents. All hybrids have these thresholds. Rates are decoded as
spikes in T steps, times the threshold, over T; what is analog is computed by ONNX Runtime. All are shown the same
images.

- First layers that spike do the same whatever follows. So one run of the whole network, in which the spikes of each
  neuron are counted for each image up to every mark, gives all hybrids whose first layers spike.
- Last layers that spike take the constant input that the ANN computes for them. A second program has the whole network,
  in which each neuron gets a current of its own, and the layers before the cut are kept silent.

*Needed* are the steps from which on the accuracy is within a point of the ANN's. Intervals come from drawing the images
again with replacement, for all networks the same (bootstrap); the best cut is also chosen on one half of the images and
measured on the other.
"""


@dataclass(frozen=True)
class Settings(AnnDataSettings):
    """What can be changed."""

    model: str = setting("digits_plain", "the network: a name of the catalogue, or a file that biosnn.convert reads")
    conversion: Options = nested(
        Options(),
        CONVERSION | {"start": About(minimum=-1.0, maximum=0.99)},
        leave_out=("code", "input", "output", "balance.steps"),
    )
    steps: int = setting(32, "time steps per image", minimum=2)

    cuts: int = setting(0, "about how many cuts each way are tried; 0: all", minimum=0)
    marks: int = setting(4, "at how many steps there is an answer in each doubling of the time", minimum=1, maximum=16)
    within: float = setting(1.0, "how many points below the ANN count as its accuracy", minimum=0.0)
    prices: str = setting("", "file of energy prices (biosnn.energy.read_prices); none: those of 45 nm")

    RENAMED: ClassVar[dict[str, str]] = CONVERSION_RENAMED


def run(settings: Settings, sim: Simulation) -> Result:
    """Convert the network, cut it everywhere, and measure what each hybrid needs."""
    found = measure(settings, sim, load_ann_data(settings))
    return Result(values_of(found), arrays_of(found), tables=tables_of(found), warnings=found.data.warnings)


def _fires(result: Result) -> bool:
    """The minimum activity: every layer fires, in every hybrid, and the ANN itself knows something."""
    return bool(
        result.arrays["rate"].min() > 1e-4
        and result.arrays["lowest rate"].min() > 1e-4
        and result.values["accuracy of the ANN"] > 0.3
    )


CLAIMS = [
    Claim(
        "half the time",
        "the best cut needs at most half the steps of the network whose layers all spike, chosen on one half of the "
        "images and measured on the other, and in nine of ten resamples",
        lambda result: bool(
            result.values["best cut, part of the steps, other half"] <= 0.5
            and (result.arrays["resampled part"] <= 0.5).mean() >= 0.9
        ),
        _fires,
    ),
    Claim(
        "each layer that spikes takes time",
        "a hybrid of a single spiking layer, the first or the last, needs fewer steps than the network whose layers "
        "all spike, in nine of ten resamples",
        lambda result: bool((result.arrays["resampled single part"] < 1).mean() >= 0.9),
        _fires,
    ),
    Claim(
        "error grows with depth",
        "rates of the last layer are further from the ANN's activations than those of the first, at all marks",
        lambda result: bool((result.arrays["layer errors"][-1] > result.arrays["layer errors"][0]).all()),
        _fires,
    ),
]
