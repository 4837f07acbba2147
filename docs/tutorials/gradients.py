# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Gradients through spikes
#
# A spike is there or it is not: how can a network of spikes be trained by gradient descent? The time of a spike changes
# smoothly with a weight, and that is enough. We look at one gradient, check it, and train a small network with it.

# %%
from typing import ClassVar

import matplotlib.pyplot as plt
import numpy as np
from brian2 import ms

import biosnn
from biosnn import training
from biosnn.datasets import LabelledSpikeTrains

plt.style.use("tableau-colorblind10")
plt.rcParams.update({"figure.figsize": (7, 3), "figure.constrained_layout.use": True, "figure.dpi": 100})
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False})

# %% [markdown]
# ## How a spike moves
#
# One input spike arrives at a neuron whose synaptic current decays with 5 ms and whose membrane has 20 ms. The larger
# the weight, the earlier the neuron spikes. The loss is the time of that spike; `training.gradient` says how it changes
# with the weight, from the neuron's own equations. We hold it against differences of neighbouring times.

# %%


class FirstSpikeTime(training.Loss):
    """The loss is the time of the first spike (s)."""

    feature: ClassVar[str] = "first_spike"

    def __call__(self, features, labels, duration):
        return features[:, 0], np.ones_like(features)

    def decide(self, features):
        return np.zeros(len(features), int)


one_spike = LabelledSpikeTrains([0], [0] * ms, [0, 1], [0], (1,), 12 * ms)
weights = np.linspace(8, 20, 16)
times, slopes = [], []
with biosnn.session("numpy") as sim:
    for weight in weights:
        network = training.feedforward(
            [1, 1], readout="lif_exp_trainable", weights=[(weight, 0)], dt=0.05 * ms, duration=12 * ms
        )
        time, found = training.gradient(sim, network, one_spike, loss=FirstSpikeTime())
        times.append(1e3 * time)
        slopes.append(1e3 * found.weights["input_to_output"][0, 0])

figure, (above, below) = plt.subplots(1, 2, figsize=(7, 3))
above.plot(weights, times)
above.set(xlabel="weight", ylabel="time of the spike (ms)", title="A larger weight, an earlier spike")
middle = (weights[1:] + weights[:-1]) / 2
below.plot(middle, np.diff(times) / np.diff(weights), "o", markersize=4, color="C1", label="differences of times")
below.plot(weights, slopes, label="gradient")
below.set(xlabel="weight", ylabel="slope (ms per unit)", title="The slope of that curve")
below.legend(frameon=False)
plt.show()

# %% [markdown]
# Where the weight is just large enough, the slope grows without bound: the potential barely touches the threshold,
# and a slightly smaller weight makes no spike at all. That is the one thing that an exact gradient cannot see.
#
# ## A task in time
#
# Each example has four inputs that spike once, at random times. The first two decide: the class is 1 if the first one
# comes before the second. The other two are noise.


# %%
def order_task(examples: int, seed: int) -> LabelledSpikeTrains:
    features = np.random.default_rng(seed).uniform(0, 1, (examples, 4))
    labels = (features[:, 0] > features[:, 1]).astype(int)
    return LabelledSpikeTrains.latency(features, labels, 0 * ms, 6 * ms, duration=10 * ms)


data, held_out = order_task(200, seed=1), order_task(200, seed=2)
network = training.feedforward([4, 12, 2], weights=[(2.5, 1.0), (0.0, 0.5)], dt=0.5 * ms, duration=10 * ms, seed=1)
network

# %% [markdown]
# The decision is read from the membrane potentials of two output neurons that never spike: the class is the one whose
# potential was highest.

# %%
loss = training.MaxPotential(5)
with biosnn.session("numpy", seed=4) as sim:
    before = training.evaluate(sim, network, held_out, loss=loss)
    result = training.train(
        sim,
        network,
        data,
        loss=loss,
        optimizer=training.Adam(rate=0.02),
        epochs=20,
        validation=held_out,
    )
    after = training.evaluate(sim, network, held_out, loss=loss)
print(f"accuracy on examples it has not seen: {before.accuracy:.0%} before, {after.accuracy:.0%} after")
result

# %%
epochs = np.arange(1, len(result.epochs) + 1)
figure, (losses, accuracies) = plt.subplots(1, 2, figsize=(7, 3))
losses.plot(epochs, [one.loss for one in result.epochs], label="training")
losses.plot(epochs, [one.validation_loss for one in result.epochs], label="held out")
losses.set(xlabel="epoch", ylabel="loss", title="Loss")
losses.legend(frameon=False)
accuracies.plot(epochs, [100 * one.accuracy for one in result.epochs])
accuracies.plot(epochs, [100 * one.validation_accuracy for one in result.epochs])
accuracies.axhline(50, color="grey", linestyle="--", linewidth=0.8)
accuracies.text(epochs[-1], 51, "chance", ha="right", color="grey")
accuracies.set(xlabel="epoch", ylabel="accuracy (%)", title="Accuracy", ylim=(40, 102))
plt.show()

# %% [markdown]
# ## What it has learned
#
# The two decisive inputs, and how far the two outputs are apart: the line between the classes is the diagonal.

# %%
times_of = 6 * (1 - np.random.default_rng(2).uniform(0, 1, (200, 4)))  # a large value spikes early
right = after.decisions == held_out.labels
figure, axis = plt.subplots(figsize=(4.2, 3.6))
difference = np.asarray(after.features)[:, 1] - np.asarray(after.features)[:, 0]
shown = axis.scatter(times_of[:, 0], times_of[:, 1], c=difference, cmap="cividis", s=20)
axis.plot(times_of[~right, 0], times_of[~right, 1], "x", color="C1", label="wrong")
axis.plot([0, 6], [0, 6], color="grey", linewidth=0.8)
axis.set(xlabel="first input spikes at (ms)", ylabel="second input spikes at (ms)")
axis.legend(loc="lower right")
figure.colorbar(shown, ax=axis, label="highest potential, output 1 minus output 0")
plt.show()

# %% [markdown]
# [Train with gradients through spikes](../train-with-gradients.md) derives the gradient, trains compiled networks that
# are larger, and says what to do about neurons that are silent.
