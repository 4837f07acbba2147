# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # A plasticity rule of your own
#
# Spike-timing dependent plasticity (STDP) changes a synapse by the order of spikes: if the presynaptic neuron fires
# just before the postsynaptic one, the synapse grows stronger, in the other order weaker. We write such a rule,
# measure its window, and let a neuron learn with it.

# %%
import matplotlib.pyplot as plt
import numpy as np
from brian2 import Network, SpikeGeneratorGroup, SpikeMonitor, StateMonitor, ms, mV, second

import biosnn

plt.style.use("tableau-colorblind10")
plt.rcParams.update({"figure.figsize": (7, 3), "figure.constrained_layout.use": True, "figure.dpi": 100})
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False})

# %% [markdown]
# ## The rule
#
# Each side has a trace, which a spike raises by 1 and which then decays. A presynaptic spike finds in the
# postsynaptic trace `y` how long ago the other neuron fired, and weakens the synapse by it. A postsynaptic spike
# strengthens it by the presynaptic trace `x`. Strengthening is proportional to what is left up to the bound,
# weakening to what is there (a multiplicative rule), so that weights stay between 0 and 1 by themselves.

# %%
rule = biosnn.SynapseModel(
    name="multiplicative_stdp",
    summary="Pair-based STDP whose steps depend on the weight.",
    source="van Rossum, Bi & Turrigiano 2000, J Neurosci 20:8812, doi:10.1523/JNEUROSCI.20-23-08812.2000",
    equations="w : 1",
    on_pre="w -= eta*alpha*w*y",
    on_post="w += eta*(1 - w)*x",
    parameters={
        "eta": biosnn.Parameter("0.02", "learning rate"),
        "alpha": biosnn.Parameter("1.05", "how much more weakening there is than strengthening"),
        "tau_x": biosnn.Parameter("20 ms", "time constant of the presynaptic trace"),
        "tau_y": biosnn.Parameter("20 ms", "time constant of the postsynaptic trace"),
    },
    traces={
        "x": biosnn.Trace("pre", "dx/dt = -x/tau_x : 1", "x += 1", "presynaptic trace"),
        "y": biosnn.Trace("post", "dy/dt = -y/tau_y : 1", "y += 1", "postsynaptic trace"),
    },
    initial={"w": "0.5"},
)
rule

# %% [markdown]
# A mistake is found when the model is made: a unit that does not fit, a name that is unknown, a parameter that is never
# used.

# %%
from dataclasses import replace

from biosnn.errors import ModelError

try:
    replace(rule, on_pre="w -= eta*alpha*w*z")
except ModelError as error:
    print(error)

# %% [markdown]
# ## Its window
#
# 82 pairs of neurons fire one spike each, at a time difference of their own from -80 to 80 ms. What becomes of the
# weight is known: with the weight at 0.5, it changes by 0.5 eta exp(-d/tau) if the presynaptic spike comes first by
# d, and by -0.5 eta alpha exp(d/tau) otherwise.

# %%
differences = np.linspace(-80, 80, 82) * ms  # post minus pre; none of them is 0
n = len(differences)
with biosnn.session("numpy", seed=1) as sim:
    pre = SpikeGeneratorGroup(n, range(n), np.full(n, 100) * ms)
    post = SpikeGeneratorGroup(n, range(n), 100 * ms + differences)
    way = biosnn.synapses(pre, post, rule, connect="i == j")
    sim.run(Network(pre, post, way), 250 * ms)

changes = np.asarray(way.w) - 0.5
d = differences / (20 * ms)
expected = np.where(d > 0, 0.5 * 0.02 * np.exp(-np.abs(d)), -0.5 * 0.02 * 1.05 * np.exp(-np.abs(d)))
print(f"largest deviation from the closed form: {np.abs(changes - expected).max():.1e}")

figure, axis = plt.subplots()
axis.axhline(0, color="grey", linewidth=0.8)
axis.axvline(0, color="grey", linewidth=0.8)
for side in (d < 0, d > 0):
    axis.plot(differences[side] / ms, 100 * expected[side], color="C5", linewidth=5, alpha=0.4)
axis.plot(differences / ms, 100 * changes, ".", color="C0", label="simulated")
axis.plot([], [], color="C5", linewidth=5, alpha=0.4, label="closed form")
axis.set(xlabel="postsynaptic minus presynaptic spike (ms)", ylabel="change of the weight (%)", title="STDP window")
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# The last digits differ since spikes lie on the time steps of 0.1 ms, and the differences do not quite.
#
# ## What it learns
#
# One neuron gets volleys of spikes, ten a second: of its 100 inputs the first spikes at once, the last 20 ms later,
# each with a jitter of 1 ms. In between they spike at random, at 2 Hz. At first the neuron needs the first 9 ms of a
# volley to reach its threshold. The inputs that came before its spike grow stronger, those that came too late grow
# weaker. So it needs fewer of them, and spikes sooner: it learns to respond to the beginning (Song, Miller & Abbott
# 2000, doi:10.1038/78829).

# %%
random = np.random.default_rng(2)
n_volleys, period, latency = 120, 0.1, np.linspace(0, 20e-3, 100)  # seconds
duration = n_volleys * period
onsets = period * np.arange(n_volleys) + 20e-3
trains = []
for late in latency:
    volley = onsets + late + random.normal(0, 1e-3, n_volleys)
    noise = random.uniform(0, duration, random.poisson(2 * duration))
    trains.append(np.unique(np.round(np.concatenate([volley, noise]) / 0.5e-3)))  # one spike a time step at most
who = np.concatenate([np.full(len(train), k) for k, train in enumerate(trains)])
when = np.concatenate(trains) * 0.5 * ms

with biosnn.session("numpy", seed=1, dt=0.5 * ms) as sim:
    inputs = SpikeGeneratorGroup(100, who, when)
    cell = biosnn.neurons(1, "lif")
    way = biosnn.synapses(inputs, cell, rule, onto="v", gain=0.65 * mV, connect=True, values={"eta": "0.05"})
    weights = StateMonitor(way, "w", record=True, dt=100 * ms)
    fired = SpikeMonitor(cell)
    sim.run(Network(inputs, cell, way, weights, fired), duration * second)

answers = [(fired.t / second)[(fired.t / second >= onset) & (fired.t / second < onset + 0.05)] for onset in onsets]
first = np.array([1e3 * (answer[0] - onset) if len(answer) else np.nan for answer, onset in zip(answers, onsets)])

figure, (course, final) = plt.subplots(1, 2, figsize=(7, 3))
course.plot(np.arange(n_volleys), first, ".", color="C0")
course.set(xlabel="volley", ylabel="first spike after its onset (ms)", title="It responds sooner", ylim=(0, None))
for number, colour in ((0, "C2"), (30, "C1"), (n_volleys - 1, "C0")):
    final.plot(1e3 * latency, weights.w[:, number], ".", color=colour, label=f"volley {number}")
final.set(xlabel="an input's time in the volley (ms)", ylabel="weight", title="Early inputs win", ylim=(0, 1))
final.legend(frameon=False)
begin, end = np.nanmean(first[:10]), np.nanmean(first[-10:])
plt.show()
print(f"the first spike comes {begin:.1f} ms after the onset at first, {end:.1f} ms in the end")

# %% [markdown]
# [Write your own neuron or synapse](../write-a-model.md) says what a model may contain, and how to write it as a file;
# `biosnn run stdp-window` holds every rule of the catalogue against the window it should have.
