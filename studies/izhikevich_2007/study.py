"""How does a synapse earn a reward that comes seconds after its spikes, when all others see the same dopamine?

Izhikevich (2007) lets pairs of spikes leave a trace at each synapse that fades within a second, and lets dopamine turn
traces into weight. In a network of a thousand neurons one synapse is chosen: whenever its two neurons fire in order
within 20 ms, a reward follows one to three seconds later. By then many other pairs have come by chance, but none of
them comes before every reward. The chosen synapse should win within an hour; with rewards at random it must not.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from brian2 import Hz, Network, NeuronGroup, Quantity, SpikeMonitor, StateMonitor, Synapses, ms, mV, second

from biosnn.catalogue import synapse_model
from biosnn.engine import Point, Simulation
from biosnn.groups.build import neurons, synapses
from biosnn.model import SynapseModel
from biosnn.projection import Sparse
from biosnn.seeds import derived_seed
from biosnn.study import Claim, Result, setting

TARGET = "cpp"
ANSWER = (
    "The chosen synapse reaches {highest chosen weight, least} by reward, by {time to nine tenths of the "
    "bound, longest} at the latest; with rewards at random {control: highest chosen weight}."
)
DT = 0.5 * ms
EXC, INH, OUT = 800, 200, 100
W_FIRST, W_MAX = 1.0, 4.0
UPDATE = 10 * ms
A_PLUS, A_MINUS, TAU = 0.1, 0.15, 20 * ms
SLOTS = 40
METHOD = """\
800 regular spiking and 200 fast spiking neurons (`izhikevich`), each with 100 synapses that are drawn: those of
excitatory neurons end anywhere and learn, those of inhibitory ones end at excitatory neurons, with -1 mV. Every
millisecond each neuron gets another current, evenly distributed between -6.5 and 6.5.

Pairs of spikes change the eligibility c as in `rstdp`. Every 10 ms, as in the program of the paper, weights grow by
(0.002 + d) c, between 0 and 4 mV, and c fades by one hundredth: within a second. A reward raises the dopamine d by 0.5,
which fades within 200 ms.

The chosen synapse begins at 0, all others at 1 mV. When its presynaptic neuron has fired and its postsynaptic one
follows within 20 ms, a reward comes after 1 to 3 s. Each repetition has another synapse of the same network, and other
noise. In the control, rewards come at random times, one in 20 s on average."""


@dataclass(frozen=True)
class Settings:
    duration: Quantity = setting(3000 * second, "simulated time", minimum=10 * second)
    seeds: int = setting(3, "repetitions, each with another synapse", minimum=1)
    control: bool = setting(True, "once more, with rewards at random times")
    dopamine: float = setting(0.5, "what a reward adds to the dopamine", minimum=0.0)
    chance: Quantity = setting(0.05 * Hz, "rate of rewards in the control", minimum=0 * Hz)


def rule() -> SynapseModel:
    """The model `rstdp` without its equations, which are solved at regular times here."""
    model = synapse_model("rstdp")
    kept = {name: value for name, value in model.parameters.items() if name != "tau_c"}
    return replace(model, equations="w : 1\nc : 1", parameters=kept, inputs={}, method="exact")


def run(settings: Settings, sim: Simulation) -> Result:
    sim.reset(dt=DT)
    base = 0 if sim.seed is None else sim.seed
    drawn = _wiring(np.random.default_rng(np.random.SeedSequence([base, 7])), settings.seeds)
    cells, learns, fixed = _network(drawn)
    reward = _reward(cells[0], settings.dopamine)
    text = f"w = clip(w + (0.002 + dopamine)*c, 0, {W_MAX})\nc = 0.99*c"
    for wires in learns:
        wires.variables.add_reference("dopamine", reward[-1], "d", index="0")
        wires.run_regularly(text, dt=UPDATE, when="end", name=f"{wires.name}_update")
    every = max(settings.duration / 360, 1 * second)
    course = StateMonitor(learns[0], "w", record=drawn.chosen, dt=every)
    rewards = SpikeMonitor(reward[SLOT_GROUP])
    firing = [SpikeMonitor(group, record=False) for group in cells]
    network = Network(*cells, *learns, fixed, *reward, course, rewards, *firing)
    points = []
    for n in range(settings.seeds + settings.control):
        by_chance = n == settings.seeds
        synapse = drawn.chosen[0 if by_chance else n]
        first, following = (np.zeros(EXC), np.zeros(EXC))
        first[drawn.pre[synapse]] = following[drawn.post[synapse]] = 1
        values: dict[str, Any] = {"look.is_first": first, "look.is_following": following}
        values |= {"watch.chance": settings.chance if by_chance else 0 * Hz, "watch.earned": 0 if by_chance else 1}
        points.append(Point(values, seed=derived_seed(base, n)))

    def read(n: int) -> dict[str, Any]:
        k = 0 if n == settings.seeds else n
        weights = np.concatenate([np.array(wires.w[:]).ravel() for wires in learns])
        return {
            "time": np.asarray(course.t / second),
            "weight": np.array(course.w[k]),
            "final": float(weights[drawn.chosen[k]]),
            "weights": np.delete(weights, drawn.chosen),
            "rewards": np.asarray(rewards.t / second),
            "rate": firing[0].num_spikes / EXC / float(settings.duration / second),
        }

    found = sim.sweep(network, lambda: sim.run(network, settings.duration, "learning"), points, read)
    return _result(settings, found)


@dataclass(frozen=True)
class Wiring:
    """Pairs of neurons, by what they join, and the numbers of the chosen synapses among those of excitatory neurons."""

    pre: Any
    post: Any
    onto_inhibitory: Any
    inhibitory: Any
    chosen: Any


def _wiring(rng: np.random.Generator, seeds: int) -> Wiring:
    # Sorted, so that synapses lie in this order in memory.
    pre, post = np.repeat(np.arange(EXC), OUT), np.sort(rng.integers(EXC + INH, size=(EXC, OUT))).ravel()
    inhibitory = (np.repeat(np.arange(INH), OUT), np.sort(rng.integers(EXC, size=(INH, OUT))).ravel())
    among = post < EXC
    onto_inhibitory = (pre[~among], post[~among] - EXC)
    pre, post = pre[among], post[among]
    # The first synapse of each of the first neurons; not one onto itself.
    chosen = [int(np.flatnonzero((pre == n) & (post != n))[0]) for n in range(seeds)]
    return Wiring(pre, post, onto_inhibitory, inhibitory, np.array(chosen))


def _network(drawn: Wiring) -> tuple[list[Any], list[Any], Any]:
    """The cells, the synapses that learn, and those that do not."""
    start = {"v": -65 * mV, "u": -13 * mV / ms}
    exc = neurons(EXC, "izhikevich", preset="regular_spiking", values=start, name="exc")
    inh = neurons(INH, "izhikevich", preset="fast_spiking", values=start, name="inh")
    for group in (exc, inh):
        group.run_regularly("I = 13*(rand() - 0.5)*mV/ms", dt=1 * ms, when="start", name=f"{group.name}_noise")
    given = {"A_plus": A_PLUS, "A_minus": A_MINUS, "tau_plus": TAU, "tau_minus": TAU, "w_max": W_MAX, "w": W_FIRST}
    learns = []
    for target, (pre, post) in ((exc, (drawn.pre, drawn.post)), (inh, drawn.onto_inhibitory)):
        kind, name = Sparse.pairs(pre, post), f"learns_{target.name}"
        learns.append(synapses(exc, target, rule(), onto="v", gain=1 * mV, connect=kind, values=given, name=name))
    first = np.full(len(drawn.pre), W_FIRST)
    first[drawn.chosen] = 0
    learns[0]["w"] = first
    kind = Sparse.pairs(*drawn.inhibitory)
    fixed = synapses(inh, exc, "static", onto="v", gain=-1 * mV, connect=kind, name="inhibit")
    return [exc, inh], learns, fixed


SLOT_GROUP = 3


def _reward(exc: Any, amount: float) -> list[Any]:
    """What sees the chosen synapse at work, waits, and releases dopamine, the last of them."""
    # Each spike of the first neuron leaves 20 ms for the other one to follow.
    watch = NeuronGroup(
        1,
        "left : 1\nhit : 1\nslot : 1\nearned : 1 (shared, constant)\nchance : Hz (shared, constant)",
        threshold="hit*earned > 0 or rand() < chance*dt",
        reset=f"slot = (slot + 1) % {SLOTS}",
        namespace={},
        name="watch",
    )
    steps = round(float(TAU / DT))
    watch.run_regularly(f"left = clip(left - 1, 0, {steps})\nhit = 0", when="before_synapses", name="watch_forgets")
    look = Synapses(
        *(exc, watch),
        "is_first : 1\nis_following : 1",
        on_pre={
            "follows": "hit_post += is_following*int(left_post > 0)",
            "begins": f"left_post += is_first*{steps + 1}",
        },
        namespace={},
        name="look",
    )
    look.connect()
    look.begins.order = 1
    # A reward waits in a slot of its own.
    slots = NeuronGroup(
        *(SLOTS, "due : second\nwait : 1"),
        threshold="due > 0*second and t >= due",
        reset="due = 0*second; wait = rand()",
        namespace={},
        name="slots",
    )
    slots.wait = "rand()"
    text = "due_post += int(j == slot_pre)*(t + 1*second + 2*second*wait_post)"
    arrange = Synapses(watch, slots, on_pre=text, namespace={}, name="arrange")
    arrange.connect()
    text = "dd/dt = -d/(200*ms) : 1\namount : 1 (shared, constant)"
    dopamine = NeuronGroup(1, text, method="exact", namespace={}, name="dopamine")
    dopamine.amount = amount
    release = Synapses(slots, dopamine, on_pre="d_post += amount_post", namespace={}, name="release")
    release.connect()
    return [watch, look, arrange, slots, release, dopamine]


def _result(settings: Settings, found: list[dict[str, Any]]) -> Result:
    learned = found[: settings.seeds]
    course = np.array([one["weight"] for one in learned])
    late = slice(2 * course.shape[1] // 3, None)
    high = course >= 0.9 * W_MAX
    reached = np.where(high.any(axis=1), learned[0]["time"][high.argmax(axis=1)], np.inf)
    values: dict[str, Any] = {
        "highest chosen weight, least": course.max(axis=1).min() * mV,
        "time to nine tenths of the bound, longest": reached.max() * second,
        "chosen weight in the last third, least": course[:, late].mean(axis=1).min() * mV,
        "chosen weight at the end, least": min(one["final"] for one in learned) * mV,
        "share of weaker synapses, least": min(float((one["weights"] < one["final"]).mean()) for one in learned),
        "mean weight of the others": np.mean([one["weights"].mean() for one in learned]) * mV,
        "rewards, fewest": min(len(one["rewards"]) for one in learned),
        "excitatory rate": np.mean([one["rate"] for one in learned]) * Hz,
    }
    arrays: dict[str, Any] = {
        "time": learned[0]["time"] * second,
        "chosen": course * mV,
        "chosen at the end": np.array([one["final"] for one in learned]) * mV,
        "others": learned[0]["weights"] * mV,
        "reward times": learned[0]["rewards"] * second,
    }
    left = []
    if settings.control:
        control = found[-1]
        values["control: highest chosen weight"] = control["weight"].max() * mV
        values["control: chosen weight in the last third"] = control["weight"][late].mean() * mV
        values["control: rewards"] = len(control["rewards"])
        arrays |= {"control": control["weight"] * mV, "control others": control["weights"] * mV}
        arrays["control reward times"] = control["rewards"] * second
    else:
        left.append("control: rewards at random")
    return Result(values, arrays, not_applicable=left)


def _active(result: Result) -> bool:
    """The network fires above 0.5 Hz, and every run has five rewards at least."""
    return bool(result.values["excitatory rate"] > 0.5 * Hz and result.values["rewards, fewest"] >= 5)


CLAIMS = [
    Claim(
        "chosen synapses rise",
        "Each chosen synapse reaches nine tenths of the bound, and is above three quarters of it in the last third.",
        lambda result: bool(
            result.values["highest chosen weight, least"] > 0.9 * W_MAX * mV
            and result.values["chosen weight in the last third, least"] > 0.75 * W_MAX * mV
        ),
        _active,
    ),
    Claim(
        "chosen synapses win",
        "Each chosen synapse ends above nine tenths of the bound, stronger than 99 % of all others.",
        lambda result: bool(
            result.values["chosen weight at the end, least"] > 0.9 * W_MAX * mV
            and result.values["share of weaker synapses, least"] > 0.99
        ),
        _active,
    ),
    Claim(
        "others stay weak",
        "The mean weight of all other synapses stays below a quarter of the bound.",
        lambda result: bool(result.values["mean weight of the others"] < 0.25 * W_MAX * mV),
        _active,
    ),
    Claim(
        "control: rewards at random",
        "With rewards at random times the same synapse never gets to half of the bound.",
        lambda result: bool(result.values["control: highest chosen weight"] < 0.5 * W_MAX * mV),
        lambda result: bool(_active(result) and result.values["control: rewards"] >= 5),
    ),
]
