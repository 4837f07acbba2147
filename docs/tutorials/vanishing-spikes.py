# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Why spikes vanish in deep layers
#
# In a deep spiking network, activity may fade from layer to layer until nothing arrives at the output. We make it
# happen, see why, and undo it without training. This needs the extra `convert` and a C++ compiler.

# %%
import matplotlib.pyplot as plt
import numpy as np

import biosnn
from biosnn.conversion import Trials
from biosnn.conversion.analysis.remedies import Target, search_scales
from biosnn.datasets import examples, stratified_split
from biosnn.measure import layer_activity

plt.style.use("tableau-colorblind10")
plt.rcParams.update({"figure.figsize": (7, 3), "figure.constrained_layout.use": True, "figure.dpi": 100})
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False})

# %% [markdown]
# ## A network of twelve convolutions
#
# `digits_plain` has twelve convolutions one after another. We convert it in the oldest way: one threshold for a whole
# layer, at the largest activation that any image has caused, and a reset to zero, which throws away what the potential
# had above the threshold.

# %%
digits = examples("digits")
training, test = stratified_split(digits.labels, 500, seed=1)
images, labels = digits.inputs[test][:200], digits.labels[test][:200]
calibration = digits.inputs[training][:100]
snn = biosnn.convert("digits_plain", calibration, neuron="if_hard", method="max", per="layer", start=0.0)
snn

# %% [markdown]
# ## What arrives
#
# Each image is shown for 32 steps. Two treatments are tried beside it in the same program: thresholds that are searched
# for, layer by layer, so that rates agree with the activations of the ordinary network on a hundred calibration images;
# and the reset by subtraction with thresholds that a few activations exceed.

# %%
with biosnn.session("cpp", seed=1) as sim:
    trials = Trials(snn, 32, sim, each=True)
    scaled = search_scales(Target(snn, trials, calibration)).snn
    outcomes = dict(zip(("as it is", "lower thresholds"), trials.run([snn, scaled], images, labels)))
soft = biosnn.convert("digits_plain", calibration)
outcomes["reset by subtraction"] = soft.run(images, T=32, labels=labels, each=True)

figure, axis = plt.subplots()
for name, outcome in outcomes.items():
    layers = [layer for layer in outcome.spikes if not layer.startswith("input")]
    rates = [outcome.spikes[layer].mean() / 32 for layer in layers]
    axis.plot(np.arange(1, len(rates) + 1), rates, "o-", label=f"{name}: accuracy {outcome.accuracy:.0%}")
axis.set(
    xlabel="layer", ylabel="spikes per neuron and step", title="Activity, and the accuracy it leads to", ylim=(0, None)
)
figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize="small")
plt.show()

# %% [markdown]
# ## Why
#
# A neuron of the next layer needs several spikes before it fires for the first time, and with a threshold at the
# largest activation most neurons are far from it. What is below the threshold at the end of 32 steps is lost: a layer
# passes on only what is left after that, and so does the next one. With the reset to zero, what a spike leaves above
# the threshold is lost as well. Both losses multiply over the layers.

# %%
figure, (silent, told) = plt.subplots(1, 2, figsize=(7, 3), sharex=True)
for name, outcome in outcomes.items():
    layers = {layer: spikes for layer, spikes in outcome.spikes.items() if not layer.startswith("input")}
    measured = layer_activity(layers, steps=32, labels=labels)
    numbers = np.arange(1, len(measured) + 1)
    silent.plot(numbers, [100 * layer.silent for layer in measured], "o-", label=name)
    told.plot(numbers, [100 * layer.decoded for layer in measured], "o-")
silent.set(xlabel="layer", ylabel="neurons that never spike (%)", title="Silence", ylim=(0, None))
told.axhline(10, color="grey", linestyle="--", linewidth=0.8)
told.set(xlabel="layer", ylabel="digits read from the layer (%)", title="What a layer still tells", ylim=(0, 102))
figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize="small")
plt.show()

# %% [markdown]
# As it is, ever more neurons never spike at all. A decoder that is trained on the spikes of a layer still finds nine of
# ten digits in the last one: what is lost first is not what the spikes tell, but the rates that the weights behind them
# were made for.
#
# [The guide](../convert-a-network.md#when-spikes-vanish) lists the remedies, and the study `vanishing` says of a
# network of your own in which layer activity begins to fade:
#
#     biosnn run vanishing model=mine.onnx data=mine.npz
