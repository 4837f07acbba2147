"""Does a plasticity rule of inhibitory synapses balance inhibition with excitation?

Vogels, Sprekeler, Zenke, Clopath & Gerstner (2011) let inhibitory synapses grow when the spikes of both sides are near
each other, and weaken a little at every presynaptic spike. A neuron should then fire at the rate that the rule sets,
whatever excites it, and each group of excitatory inputs should be matched by the inhibition that comes with it. A
recurrent network, synchronous and fast without inhibition, should become irregular and slow. Without learning, neither.
"""

from dataclasses import dataclass

from brian2 import Hz, Quantity, second

from biosnn.engine import Simulation
from biosnn.study import Part, Result, run_parts, setting

from .cell import CLAIMS as CELL_CLAIMS
from .cell import run_cell
from .network import CLAIMS as NETWORK_CLAIMS
from .network import run_network

TARGET = "cpp"
ANSWER = (
    "With a target of 5 Hz the cell fires at {cell rate, target 5 Hz}, without learning at {cell rate, "
    "without learning}; the network at {network rate, last 3 s}, without learning at {network rate without "
    "learning}."
)
METHOD = """\
Inhibitory synapses follow the rule `istdp`; all neurons are `lif_cond`, with a constant current of 200 pA in the
network.

- A cell with 800 excitatory and 200 inhibitory inputs in eight channels. Excitatory weights are fixed and tuned to one
channel; inhibitory ones begin at almost nothing. Where inputs are steady, weights come to rest when the cell fires at
the target rate rho_0 = alpha/(2 tau). Where those of a channel, of both kinds, share a rate that fluctuates within
50 ms, inhibition has to become tuned. Rates are those of the second half.
- A network of 8000 excitatory and 2000 inhibitory neurons, of which any two are joined with a probability of 2 %. The
synapses from inhibitory to excitatory neurons begin at nothing and learn from the beginning.

The control of each is the same without learning (eta = 0): the cell on the same input spikes, the network for half a
second. `learning=0` turns the study itself into its control, and claims must fail."""


@dataclass(frozen=True)
class Settings:
    parts: tuple[str, ...] = setting(("cell", "network"), "what is simulated", choices=("cell", "network"))
    learning: float = setting(1.0, "factor of the learning rates; 0 is the control", minimum=0.0)
    targets: tuple[Quantity, ...] = setting((3 * Hz, 5 * Hz, 10 * Hz), "target rates of the cell", minimum=0.5 * Hz)
    cell_duration: Quantity = setting(200 * second, "simulated time of the cell", minimum=0.5 * second)
    network_duration: Quantity = setting(15 * second, "simulated time of the network", minimum=0.1 * second)
    size: float = setting(1.0, "share of the network's neurons; each keeps its synapses", minimum=0.05, maximum=1.0)
    seeds: int = setting(3, "repetitions", minimum=1)


def run(settings: Settings, sim: Simulation) -> Result:
    return run_parts(PARTS, settings.parts, settings, sim)


PARTS = [Part("cell", run_cell, CELL_CLAIMS), Part("network", run_network, NETWORK_CLAIMS)]
CLAIMS = [claim for part in PARTS for claim in part.claims]
