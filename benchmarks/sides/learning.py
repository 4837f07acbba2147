"""The whole network of Diehl & Cook 2015: 784 inputs, 400 excitatory and 400 inhibitory neurons, on MNIST images.

The stock side is Brian2's own example of this paper (examples/frompapers/Diehl_Cook_2015.py, training), changed so that
all images are seen in one run: the rates and the scaling of weights, which the example sets from Python between images,
are set at regular times within the run.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from brian2 import Hz, Network, NeuronGroup, PoissonGroup, Quantity, SpikeMonitor, Synapses, TimedArray, ms, mV

import biosnn
from biosnn.inputs import poisson
from biosnn.learning.homeostasis import keep_weight_sum
from sides import mnist
from sides.dense import ON_POST, ON_PRE, ON_SYNAPSE
from sides.programs import Side, Work

IMAGES = 200
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


def show_images(inputs: Any) -> Any:
    """Let a Poisson group show one image after the other, each followed by a rest."""
    grey, _ = mnist.images(IMAGES)
    pictures = TimedArray(grey / 4.0 * Hz, dt=PERIOD)
    inputs.namespace = {"pictures": pictures, "period": PERIOD, "shown": SHOWN}
    inputs.run_regularly(
        "rates = pictures(t, i)*int(t - floor(t/period + 1e-6)*period < shown - 1e-6*second)",
        dt=50 * ms,  # of which both the time shown and the rest are multiples
        when="start",
        name="show",
    )
    return inputs


def stock(delays: bool) -> Work:
    """Brian2's example, in one run."""
    inputs = PoissonGroup(INPUTS, np.zeros(INPUTS) * Hz, name="inputs")
    inputs.variables["rates"].read_only = False
    show_images(inputs)
    exc, inh = cells()
    plastic = Synapses(inputs, exc, ON_SYNAPSE, on_pre=ON_PRE, on_post=ON_POST, namespace={}, name="plastic")
    plastic.connect()
    plastic.w = "0.3*(rand() + 0.01)"
    if delays:
        plastic.pre.delay = f"rand()*{float(LONGEST_DELAY)}*second"
    keep_weight_sum(plastic, WEIGHT_SUM, PERIOD)
    excite = Synapses(exc, inh, on_pre=f"ge_post += {EXCITATION}", namespace={}, name="excite")
    excite.connect(j="i")
    inhibit = Synapses(inh, exc, on_pre=f"gi_post += {INHIBITION}", namespace={}, name="inhibit")
    inhibit.connect("i != j")
    return _work(inputs, exc, inh, plastic, excite, inhibit)


def ours(delays: bool) -> Work:
    """The same network with what biosnn has for each part."""
    inputs = show_images(poisson(INPUTS, 0 * Hz, name="inputs"))
    exc, inh = cells()
    delay: Any = None
    if delays:
        delay = Quantity(np.random.default_rng(1).uniform(0, 1, (INPUTS, CELLS)) * LONGEST_DELAY)
    plastic = biosnn.synapses(
        inputs, exc, "stdp_diehl_cook", onto="ge", connect=biosnn.Dense(), delay=delay, name="plastic"
    )
    keep_weight_sum(plastic, WEIGHT_SUM, PERIOD)
    excite = biosnn.Projection(exc, inh, biosnn.OneToOne(), EXCITATION, on_pre="ge_post += w", name="excite")
    inhibit = biosnn.Projection(inh, exc, biosnn.Lateral(), INHIBITION, on_pre="gi_post += w", name="inhibit")
    return _work(inputs, exc, inh, plastic, excite, inhibit)


def _work(inputs: Any, exc: Any, *others: Any) -> Work:
    answers = SpikeMonitor(exc, name="answers")
    seen = SpikeMonitor(inputs, record=False, name="seen")
    counts = {"inputs": seen.variables["N"], "answers": answers.variables["N"]}
    return Work(Network(inputs, exc, *others, answers, seen), IMAGES * PERIOD, counts)


def by_hand(folder: Path) -> tuple[Path, list[str]]:
    grey, _ = mnist.images(IMAGES)
    grey.tofile(folder / "images")
    return SOURCE, ["images", str(IMAGES)]


SIDES = {
    "stock": Side("stock Brian2", "stock", partial(stock, False)),
    "stock_delays": Side("stock Brian2, a random delay a synapse", "stock", partial(stock, True)),
    "ours": Side("biosnn", "biosnn", partial(ours, False)),
    "ours_delays": Side("biosnn, a random delay a synapse", "biosnn", partial(ours, True)),
    "hand": Side("C++ by hand", "c++", by_hand),
}
