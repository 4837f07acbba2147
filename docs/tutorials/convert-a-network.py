# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Convert a network to spikes
#
# A trained network of ReLUs becomes one of spiking neurons, without being trained again: each ReLU is replaced by an
# integrate-and-fire neuron, whose firing rate stands for the activation. We convert a small network, see how long it
# must look at an image, and where it loses what. This needs the extra `convert` and a C++ compiler.

# %%
import matplotlib.pyplot as plt
import numpy as np

import biosnn
from biosnn.ann import reference
from biosnn.conversion import explain, ledger
from biosnn.datasets import examples, stratified_split
from biosnn.energy import verdicts

plt.style.use("tableau-colorblind10")
plt.rcParams.update({"figure.figsize": (7, 3), "figure.constrained_layout.use": True, "figure.dpi": 100})
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False})

# %% [markdown]
# ## The network and the images
#
# `digits_cnn` comes with biosnn: four convolutions, trained on handwritten digits of 8 x 8 pixels. It has not learned
# from the 500 images that we test with. Conversion itself looks at training images, without their labels, to find out
# how large activations become: they are the thresholds.

# %%
digits = examples("digits")
training, test = stratified_split(digits.labels, 500, seed=1)
images, labels = digits.inputs[test], digits.labels[test]

snn = biosnn.convert("digits_cnn", calibration=digits.inputs[training])
snn

# %% [markdown]
# ## Accuracy against time
#
# Each image is shown for 64 time steps. The answer after every step is in the outcome: one run gives the whole curve.

# %%
outcome = snn.run(images, T=64, labels=labels)
outcome

# %%
ann = np.mean(reference(snn.graph).outputs(images).argmax(axis=1) == labels)
figure, axis = plt.subplots()
axis.axhline(100 * ann, color="C5", linestyle="--", linewidth=1)
axis.text(64, 100 * ann - 1.5, f"before conversion: {ann:.1%}", color="C5", ha="right", va="top")
axis.semilogx(np.arange(1, 65), 100 * outcome.latency_curve, base=2)
axis.set(xlabel="time steps", ylabel="accuracy (%)", title="A longer look", xticks=[1, 2, 4, 8, 16, 32, 64])
axis.xaxis.set_major_formatter("{x:.0f}")
plt.show()

# %% [markdown]
# ## One neuron's rate is one ReLU's activation
#
# A rate can only be a whole number of spikes divided by the number of steps. How far rates are from activations,
# layer by layer, and why, `explain` says; here are the parts of the error as it names them.

# %%
some = snn.run(images[:50], T=64, each=True)
reports = explain(snn, images[:50], some)
parts = [name for name in reports[0].errors if name != "error"]
figure, axis = plt.subplots()
for number, part in enumerate(parts):
    height = np.array([report.errors[part] for report in reports])
    axis.bar(np.arange(len(reports)) + 0.15 * (number - 2), 100 * height, width=0.14, label=part)
axis.set_xticks(range(len(reports)), [report.name for report in reports])
axis.set(xlabel="layer", ylabel="error (% of the activations)", title="Where rates differ from activations")
figure.legend(loc="outside lower center", ncols=5, frameon=False, fontsize="small")
plt.show()

# %% [markdown]
# ## Ending early
#
# Most images are clear after a few steps. `margin` says how far the first answer must be ahead of the second, so that
# waiting would not have changed it on training images.

# %%
margin = snn.run(digits.inputs[training[:200]], T=64).margin()
early = snn.run(images, T=64, labels=labels, margin=margin)
figure, axis = plt.subplots()
axis.hist(early.steps_used, bins=np.arange(0.5, early.steps_used.max() + 1.5))
axis.xaxis.get_major_locator().set_params(integer=True)
axis.set(xlabel="time steps until the answer", ylabel="images", title="Most images need few steps")
plt.show()
print(f"accuracy {early.accuracy:.1%} after {early.steps_used.mean():.1f} steps on average")

# %% [markdown]
# ## What it costs
#
# Spikes cost energy only where they arrive. How the bill comes out depends on what is counted: each convention in the
# literature has its own, and they disagree.

# %%
judged = verdicts(ledger(snn, early))[::-1]
figure, axis = plt.subplots(figsize=(7, 3.5))
ratios = np.array([verdict.ratio for verdict in judged])
axis.barh([verdict.convention for verdict in judged], ratios, color=np.where(ratios > 1, "C0", "C1"))
axis.axvline(1, color="grey", linewidth=0.8)
axis.set(xscale="log", xlabel="energy of the ordinary network / energy of the spiking one", title="Who needs more?")
plt.show()

# %% [markdown]
# [Convert a trained network to spikes](../convert-a-network.md) has all settings, networks of which only some layers
# spike, and how to bring a network of your own.
