# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # A first network
#
# We look at one neuron, then at many at once, and last at a network that keeps itself active. Every quantity has its
# unit: a plain number where a voltage is wanted is an error.

# %%
import matplotlib.pyplot as plt
import numpy as np
from brian2 import Network, SpikeMonitor, StateMonitor, ms, mV, nA, pA, second

import biosnn
from biosnn.theory import lif_rate

plt.style.use("tableau-colorblind10")
plt.rcParams.update({"figure.figsize": (7, 3), "figure.constrained_layout.use": True, "figure.dpi": 100})
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False})

# %% [markdown]
# ## A neuron is its equations
#
# A model is a text: equations with units, a threshold, what happens at a spike, and parameters with a source. The leaky
# integrate-and-fire neuron charges like a capacitor with a leak; when the membrane potential reaches the threshold,
# there is a spike and the potential is reset.

# %%
biosnn.neuron_model("lif")

# %% [markdown]
# A session simulates. On the target `"numpy"` nothing is compiled, which is right for a first look. We inject a
# constant current of 0.25 nA into one neuron and record its membrane potential. What was recorded is read after the
# block.

# %%
with biosnn.session("numpy", seed=1) as sim:
    cell = biosnn.neurons(1, "lif", values={"I": 0.25 * nA})
    trace = StateMonitor(cell, "v", record=True)
    spikes = SpikeMonitor(cell)
    sim.run(Network(cell, trace, spikes), 100 * ms)

figure, axis = plt.subplots()
axis.plot(trace.t / ms, trace.v[0] / mV)
axis.axhline(10, color="C5", linestyle="--", linewidth=1)
axis.text(0, 10.2, "threshold", color="C5")
axis.plot(spikes.t / ms, np.full(len(spikes.t), 11.5), "|", color="C1", markersize=10)
axis.set(xlabel="time (ms)", ylabel="membrane potential (mV)", title="One neuron, a constant current", ylim=(0, 12.5))
plt.show()

# %% [markdown]
# ## Many currents at once
#
# A group of neurons is an array: each of these 200 gets another current. How often a neuron fires is known in closed
# form, so we can hold the simulation against it. Below the rheobase, v_th / R = 0.2 nA, nothing happens.

# %%
currents = np.linspace(0.1, 0.6, 200) * nA
with biosnn.session("numpy", seed=1) as sim:
    cells = biosnn.neurons(200, "lif", values={"I": currents})
    spikes = SpikeMonitor(cells)
    sim.run(Network(cells, spikes), 1 * second)

R, tau_m = 50e6, 10 * ms  # R C = 50 Mohm x 200 pF
drive = R * np.asarray(currents) * 1e3 * mV  # the potential that the current alone would lead to
expected = lif_rate(drive, tau_m=tau_m, v_th=10 * mV, v_reset=0 * mV, t_ref=5 * ms)

figure, axis = plt.subplots()
axis.plot(currents / nA, expected, color="C5", linewidth=5, alpha=0.4, label="closed form")
axis.plot(currents / nA, spikes.count[:] / 1.0, label="simulated")
axis.set(xlabel="injected current (nA)", ylabel="firing rate (Hz)", title="From current to firing rate")
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# The steps of the simulated curve are whole numbers of spikes in one second.
#
# ## A network that keeps itself active
#
# Now 1000 neurons, of which 800 excite and 200 inhibit. Any two of them are joined with a probability of 8 %. This is
# the network of Vogels and Abbott (2005, doi:10.1523/JNEUROSCI.3508-05.2005), a quarter of its size with four times
# the probability. It starts from random potentials; from then on there is no input but its own spikes.

# %%
with biosnn.session("numpy", seed=3) as sim:
    cells = biosnn.neurons(1000, "lif_exp", values={"v": "v_reset + rand()*(v_th - v_reset)"})
    exc, inh = cells[:800], cells[800:]
    sparse = biosnn.FixedProbability(0.08)
    excite = biosnn.synapses(exc, cells, "static", onto="I_exc", gain=16.2 * pA, connect=sparse)
    inhibit = biosnn.synapses(inh, cells, "static", onto="I_inh", gain=90 * pA, connect=sparse)
    spikes = SpikeMonitor(cells)
    sim.run(Network(cells, excite, inhibit, spikes), 1 * second)

figure, (raster, rate) = plt.subplots(2, 1, figsize=(7, 5), sharex=True, height_ratios=(3, 1))
for some, colour, name in ((spikes.i < 800, "C0", "excitatory"), (spikes.i >= 800, "C1", "inhibitory")):
    raster.plot(spikes.t[some] / ms, spikes.i[some], ".", markersize=2, color=colour, label=name)
raster.set(ylabel="neuron", title="Each point is a spike")
raster.legend(frameon=False, loc="upper right", markerscale=5)
width = 5
counts, edges = np.histogram(spikes.t / ms, bins=np.arange(0, 1001, width))
rate.step(edges[:-1], counts / 1000 / (width * 1e-3), where="post", color="C0")
rate.set(xlabel="time (ms)", ylabel="rate (Hz)")
plt.show()

# %% [markdown]
# Excitation and inhibition cancel on average, so that a neuron spikes when their fluctuations happen to lift it over
# the threshold. How irregular that is, the coefficient of variation of its intervals says: 0 for a clock, 1 for a
# Poisson process. The rate of all neurons fluctuates too, since the network is small.

# %%
trains = spikes.spike_trains()
intervals = [np.diff(train / ms) for train in trains.values() if len(train) > 5]
variation = np.mean([one.std() / one.mean() for one in intervals])
print(f"mean rate {spikes.num_spikes / 1000 / 1.0:.0f} Hz, coefficient of variation {variation:.2f}")

# %% [markdown]
# ## As a compiled program
#
# `biosnn.session("cpp")` turns the same lines into a C++ program. It is compiled once and kept: another current, seed
# or duration runs without a compiler. The [guide to random networks](../networks.md) goes on to a square millimetre
# of cortex.
