"""The whole network of Diehl & Cook 2015: 784 inputs, 400 excitatory and 400 inhibitory neurons, on MNIST images.

The stock side is Brian2's own example of this paper (examples/frompapers/Diehl_Cook_2015.py, training), changed so that
all images are seen in one run: the rates and the scaling of weights, which the example sets from Python between images,
are set at regular times within the run. With Brian2's runtime target the example is measured as it is, too: two runs an
image. As that takes a third of a second, these sides see the first images only, beside biosnn with the same ones.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from brian2 import Hz, Network, NeuronGroup, PoissonGroup, Quantity, SpikeMonitor, Synapses, TimedArray, ms, mV
from numpy.typing import NDArray

import biosnn
from biosnn.inputs import poisson
from biosnn.learning.homeostasis import normalise_weights
from sides import mnist
from sides.dense import ON_POST, ON_PRE, ON_SYNAPSE
from sides.programs import Side, Work

IMAGES, FEW = 200, 20
INPUTS, CELLS = 784, 400
SHOWN, PERIOD = 350 * ms, 500 * ms
EXCITATION, INHIBITION, WEIGHT_SUM = 10.4, 17.0, 78.0
LONGEST_DELAY = 10 * ms
SOURCE = Path(__file__).with_suffix(".cpp")

EQUATIONS = """
dv/dt = (v_rest - v + i_exc + i_inh)/tau_mem : volt (unless refractory)
i_exc = ge*-v : volt
i_inh = gi*(v_inh_base - v) : volt
dge/dt = -ge/(1*ms) : 1
dgi/dt = -gi/(2*ms) : 1
dtimer/dt = 0.1 : second
"""


def cells() -> tuple[NeuronGroup, NeuronGroup]:
    """Excitatory and inhibitory neurons, as the example has them."""
    excitatory = NeuronGroup(
        CELLS,
        f"{EQUATIONS}\ndtheta/dt = -theta/(1e7*ms) : volt",
        threshold="v > (theta - 72*mV) and (timer > 5*ms)",
        reset="v = -65*mV; timer = 0*ms; theta += 0.05*mV",
        refractory=5 * ms,
        method="euler",
        name="exc",
        namespace={"tau_mem": 100 * ms, "v_rest": -65 * mV, "v_inh_base": -100 * mV},
    )
    inhibitory = NeuronGroup(
        CELLS,
        EQUATIONS,
        threshold="v > -40*mV",
        reset="v = -45*mV",
        refractory=2 * ms,
        method="euler",
        name="inh",
        namespace={"tau_mem": 10 * ms, "v_rest": -60 * mV, "v_inh_base": -85 * mV},
    )
    excitatory.v, excitatory.theta, inhibitory.v = -105 * mV, 20 * mV, -100 * mV
    return excitatory, inhibitory


def show_images(inputs: Any, count: int) -> Any:
    """Let a Poisson group show one image after the other, each followed by a rest."""
    grey, _ = mnist.images(count)
    pictures = TimedArray(grey / 4.0 * Hz, dt=PERIOD)
    inputs.namespace = {"pictures": pictures, "period": PERIOD, "shown": SHOWN}
    inputs.run_regularly(
        "rates = pictures(t, i)*int(t - floor(t/period + 1e-6)*period < shown - 1e-6*second)",
        dt=50 * ms,  # of which both the time shown and the rest are multiples
        when="start",
        name="show",
    )
    return inputs


def stock(delays: bool = False, count: int = IMAGES) -> Work:
    """Brian2's example, in one run."""
    inputs, exc, plastic, *others = _example(delays)
    show_images(inputs, count)
    normalise_weights(plastic, WEIGHT_SUM, PERIOD)
    return _work(count, inputs, exc, plastic, *others)


def stock_in_runs(count: int) -> Work:
    """Brian2's example as it is: before each image and each rest, Python sets the rates, and a run begins."""
    inputs, exc, plastic, *others = _example(delays=False)
    work = _work(count, inputs, exc, plastic, *others)
    grey, _ = mnist.images(count)

    def presentation(image: NDArray[np.uint8]) -> None:
        weights = np.reshape(plastic.w[:], (INPUTS, CELLS))
        plastic.w = (weights * (WEIGHT_SUM / weights.sum(axis=0))).ravel()
        inputs.rates = image / 4.0 * Hz
        work.network.run(SHOWN, namespace={})
        inputs.rates = 0 * Hz
        work.network.run(PERIOD - SHOWN, namespace={})

    return replace(work, presentations=[partial(presentation, image) for image in grey])


def _example(delays: bool) -> tuple[Any, ...]:
    """The inputs, the excitatory cells, the plastic synapses, and the rest of the example's network."""
    inputs = PoissonGroup(INPUTS, np.zeros(INPUTS) * Hz, name="inputs")
    inputs.variables["rates"].read_only = False
    exc, inh = cells()
    plastic = Synapses(inputs, exc, ON_SYNAPSE, on_pre=ON_PRE, on_post=ON_POST, namespace={}, name="plastic")
    plastic.connect()
    plastic.w = "0.3*(rand() + 0.01)"
    if delays:
        plastic.pre.delay = f"rand()*{float(LONGEST_DELAY)}*second"
    excite = Synapses(exc, inh, on_pre=f"ge_post += {EXCITATION}", namespace={}, name="excite")
    excite.connect(j="i")
    inhibit = Synapses(inh, exc, on_pre=f"gi_post += {INHIBITION}", namespace={}, name="inhibit")
    inhibit.connect("i != j")
    return inputs, exc, plastic, inh, excite, inhibit


def ours(delays: bool = False, count: int = IMAGES) -> Work:
    """The same network with what biosnn has for each part."""
    inputs = show_images(poisson(INPUTS, 0 * Hz, name="inputs"), count)
    exc, inh = cells()
    delay: Any = None
    if delays:
        delay = Quantity(np.random.default_rng(1).uniform(0, 1, (INPUTS, CELLS)) * LONGEST_DELAY)
    plastic = biosnn.synapses(
        inputs, exc, "stdp_diehl_cook", onto="ge", connect=biosnn.Dense(), delay=delay, name="plastic"
    )
    normalise_weights(plastic, WEIGHT_SUM, PERIOD)
    excite = biosnn.Projection(exc, inh, biosnn.OneToOne(), EXCITATION, on_pre="ge_post += w", name="excite")
    inhibit = biosnn.Projection(inh, exc, biosnn.Lateral(), INHIBITION, on_pre="gi_post += w", name="inhibit")
    return _work(count, inputs, exc, inh, plastic, excite, inhibit)


def _work(count: int, inputs: Any, exc: Any, *others: Any) -> Work:
    answers = SpikeMonitor(exc, name="answers")
    seen = SpikeMonitor(inputs, record=False, name="seen")
    counts = {"inputs": seen.variables["N"], "answers": answers.variables["N"]}
    return Work(Network(inputs, exc, *others, answers, seen), count * PERIOD, counts)


def by_hand(folder: Path) -> tuple[Path, list[str]]:
    grey, _ = mnist.images(IMAGES)
    grey.tofile(folder / "images")
    return SOURCE, ["images", str(IMAGES)]


SIDES = {
    "example_few": Side("stock Brian2, runtime, as its example runs it", "runtime", partial(stock_in_runs, FEW)),
    "runtime_few": Side("stock Brian2, runtime, all in one run", "runtime", partial(stock, count=FEW)),
    "ours_few": Side("biosnn, the same images", "biosnn", partial(ours, count=FEW)),
    "stock": Side("stock Brian2, C++", "stock", stock),
    "stock_delays": Side("stock Brian2, C++, a random delay a synapse", "stock", partial(stock, delays=True)),
    "ours": Side("biosnn", "biosnn", ours),
    "ours32": Side("biosnn, float32", "biosnn", ours, "float32"),
    "ours_delays": Side("biosnn, a random delay a synapse", "biosnn", partial(ours, delays=True)),
    "hand": Side("C++ by hand", "c++", by_hand),
}
