"""Which code answers best, soonest and for the fewest spikes: rates, or the times of single spikes?

Every coding does the same work: it tells values, the same images to networks of the same size that learn without
labels, and passes through the same deep network; and everything is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from brian2 import Hz, Quantity, ms, mV, second

from biosnn.coding import Coding
from biosnn.datasets import Dataset, load, names
from biosnn.engine import Simulation
from biosnn.engine.progress import Progress
from biosnn.propagation import CodedLayers, coded_layers, run_depth
from biosnn.study import About, Part, Result, nested, run_parts, setting

from .claims import CLAIMS, COMPARED
from .code import POPULATION, code_arrays, code_values, measure_codes
from .codes import made, makers
from .depth import depth_arrays, depth_values
from .outcome import Outcomes, prices_of, rasters, recognition_arrays, recognition_tables, recognition_values
from .recognition import disturbances, recognise

TARGET = "cpp"
ANSWER = (
    "With times to first spikes {accuracy of ttfs|%} of digits are correctly classified, decided after "
    "{decision of ttfs} and {input spikes of ttfs} input spikes per image; with Poisson rates {accuracy of "
    "poisson|%}, after {decision of poisson} and {input spikes of poisson} spikes."
)
ALL = ("code", "recognition", "depth")

LARGE = {
    "neurons": "400",
    "n_training": "10000",
    "n_labelling": "10000",
    "held_out": "0",
    "disturbed": "2000",
    "rate": "63.75 Hz",
    "rate_shown": "350 ms",
    "rate_rest": "150 ms",
    "rate_theta_plus": "0.1 mV",
    "rate_tau_theta": "5000 s",
    "rate_rule_preset": "short_training",
    "rate_input_gain": "1",
    "rate_weight_total": "78",
    "inhibition": "30",
    "input_gain": "2",
    "weight_total": "78",
    "precision": "float32",
}


@dataclass(frozen=True)
class Settings:
    """What can be changed; README.md tells how the defaults were chosen."""

    codings: tuple[str, ...] = setting(
        ("poisson", "regular", "ttfs", "ttfs_membrane", "rank_order", "phase", "burst"),
        "which codings: names, .py files with codings of yours, .toml files of input models",
    )
    parts: tuple[str, ...] = setting(ALL, "which parts of the study", choices=ALL)
    dataset: str = setting("digits", "which images", choices=names(colour=False))
    neurons: int = setting(100, "how many cells", minimum=1)
    networks: int = setting(3, "how many networks learn in each coding, each with a seed of its own", minimum=1)
    n_training: int = setting(3000, "presentations while learning", minimum=0)
    n_labelling: int = setting(0, "how many training images, at most, a readout learns from; 0: all", minimum=0)
    held_out: int = setting(500, "how many images are held out for the test; 0: the dataset's test images", minimum=0)
    disturbed: int = setting(0, "how many of these are shown disturbed; 0: all", minimum=0)
    noise: tuple[float, ...] = setting((0.1, 0.3), "noise of the grey levels, standard deviations", minimum=0.0)
    deletion: tuple[float, ...] = setting((0.25, 0.5), "with which probability an input spike is lost", minimum=0.0)
    jitter: tuple[Quantity, ...] = setting(
        (2 * ms, 5 * ms), "how much it is moved, standard deviations", minimum=0 * ms
    )

    rate_codings: tuple[str, ...] = setting(
        ("poisson", "regular", "bernoulli"), "codings told to the network that counts spikes; others: first spikes"
    )
    rate: Quantity = setting(1000 * Hz, "firing rate of an input at full intensity in rate codes", minimum=1 * Hz)
    rate_shown: Quantity = setting(150 * ms, "how long an image is shown in a rate code", minimum=1 * ms)
    rate_rest: Quantity = setting(30 * ms, "how long the inputs are silent after it", minimum=0 * ms)
    rate_neuron: str = setting("lif_adaptive", "model of the cells where spikes are counted: a name or a file")
    rate_theta_plus: Quantity = setting(0.1 * mV, "rise of a threshold at a spike; 0 mV: the model's", minimum=0 * mV)
    rate_tau_theta: Quantity = setting(600 * second, "its decay time constant; 0 s: the model's", minimum=0 * second)
    rate_rule: str = setting("stdp_diehl_cook", "model of the plastic synapses there: a name or a file")
    rate_rule_preset: str = setting("sixteen_fibres", "its preset to learn with, if it has it")
    rate_input_gain: float = setting(0.5, "conductance of an input spike at a weight of one, in leaks", minimum=0.0)
    rate_weight_total: float = setting(4.0, "sum of the input weights of a cell; 0: not kept", minimum=0.0)
    inhibition: float = setting(17.0, "conductance of an inhibitory spike, in leaks", minimum=0.0)

    shown: Quantity = setting(20 * ms, "how long an image is shown in the other codes", minimum=1 * ms)
    rest: Quantity = setting(40 * ms, "how long an answer may come after it", minimum=0 * ms)
    neuron: str = setting("lif_first_spike", "model of the cells where the first spikes count: a name or a file")
    theta_plus: Quantity = setting(0 * mV, "rise of a threshold at a spike; 0 mV: the model's", minimum=0 * mV)
    tau_theta: Quantity = setting(0 * second, "its decay time constant; 0 s: the model's", minimum=0 * second)
    rule: str = setting("stdp_potential", "model of the plastic synapses there: a name or a file")
    input_gain: float = setting(28.0, "conductance of an input spike at a weight of one", minimum=0.0)
    weight_total: float = setting(8.0, "sum of the input weights of a cell; 0: not kept", minimum=0.0)
    winners: int = setting(8, "how many cells answer an image after learning; while learning, one", minimum=1)
    fade: float = setting(0.8, "how much each counts, compared with the one before", minimum=0.0, maximum=1.0)

    prices: str = setting("", "file of energy prices (biosnn.energy.read_prices); none: those of 45 nm")

    code_times: tuple[Quantity, ...] = setting(
        (5 * ms, 10 * ms, 20 * ms, 50 * ms, 100 * ms, 200 * ms), "times allowed in the part code", minimum=0.5 * ms
    )
    code_rate: Quantity = setting(200 * Hz, "peak rate of rate codes in the parts code and depth", minimum=1 * Hz)
    code_values: int = setting(2048, "how many values are encoded in the part code", minimum=128)
    code_repeats: int = setting(3, "how often, with other values", minimum=1)
    depth: CodedLayers = nested(
        CodedLayers(),
        {
            "layers": About("how many layers in the part depth", minimum=coded_layers.LEAST["layers"]),
            "width": About(minimum=coded_layers.LEAST["width"]),
            "images": About("how many digits go through them", minimum=30),
            "duration": About(minimum=coded_layers.LEAST["duration"]),
        },
    )

    dt: Quantity = setting(0.5 * ms, "time step", minimum=0.01 * ms)
    precision: str = setting("float64", "precision of the state variables", choices=("float64", "float32"))

    RENAMED: ClassVar[dict[str, str]] = {
        "lessons": "n_training",
        "labelled": "n_labelling",
        **{f"depth_{name}": f"depth.{name}" for name in coded_layers.LEAST},
    }
    CONDITIONAL_DEFAULTS: ClassVar[dict[str, Any]] = {"dataset": {"mnist": LARGE, "fashion-mnist": LARGE}}


@dataclass(frozen=True)
class Work:
    """What parts of the study share: the simulation, the images to recognise, and the codings made for them."""

    sim: Simulation
    data: Dataset
    codings: Mapping[str, Coding]


def run(settings: Settings, sim: Simulation) -> Result:
    """Do the parts that are asked for."""
    data = load(settings.dataset)
    # Whether the codings can be made for these images, and prices read, is known before anything long begins.
    codings = made(makers(settings, sim, data.images[0].size), settings)
    prices_of(settings)
    return run_parts(PARTS, settings.parts, settings, Work(sim, data, codings))


def _code(settings: Settings, work: Work) -> Result:
    """Part 1: populations of 64 values, the same for every coding."""
    with Progress("telling values") as shown:
        measures = measure_codes(
            makers(replace(settings, rate=settings.code_rate), work.sim, POPULATION),
            times=settings.code_times,
            disturbances=disturbances(settings),
            values=settings.code_values,
            repeats=settings.code_repeats,
            seed=work.sim.seed,
            report=shown.update,
        )
    return Result(code_values(measures, settings.code_times[-1]), code_arrays(measures))


def _recognition(settings: Settings, work: Work) -> Result:
    """Part 2: networks that learn without labels."""
    outcomes = Outcomes(settings, work.data, recognise(settings, work.sim, work.data, work.codings))
    values = recognition_values(outcomes)
    return Result(
        values,
        recognition_arrays(outcomes) | rasters(settings, work.data, work.codings, work.sim.seed),
        not_applicable=[claim.name for claim in CLAIMS if not set(COMPARED) <= set(values)],
        tables=recognition_tables(outcomes),
    )


def _depth(settings: Settings, work: Work) -> Result:
    """Part 3: the small digits, whatever the images of recognition are."""
    digits = load("digits")
    able = makers(replace(settings, rate=settings.code_rate), work.sim, digits.images[0].size)
    codings = {name: make(settings.depth.duration) for name, make in able.items()}
    depth = run_depth(codings, digits, settings.depth, work.sim, dt=settings.dt, seeds=settings.networks)
    return Result(depth_values(depth), depth_arrays(depth))


# What takes the longest comes last.
PARTS = (Part("code", _code), Part("depth", _depth), Part("recognition", _recognition, CLAIMS))
