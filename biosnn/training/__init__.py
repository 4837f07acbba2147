"""Training by gradients through spikes: exact ones of spike times, or surrogates, derived from a model's equations."""

from biosnn.training.activity import ActivityRange, SilentBump
from biosnn.training.batch import Answer, Gradients, SpikeList
from biosnn.training.build import feedforward
from biosnn.training.export.as_brian import BrianNetwork, as_brian
from biosnn.training.export.saving import load_network, save_network
from biosnn.training.export.to_nir import to_nir
from biosnn.training.history import Epoch, Evaluation, TrainingResult
from biosnn.training.losses import FirstSpike, Loss, MaxPotential, MeanPotential, SpikeCount
from biosnn.training.methods import Exact, Surrogate
from biosnn.training.network import INPUT, Connection, Layer, TrainableNetwork
from biosnn.training.optimizers import SGD, Adam, AdamW, Optimizer
from biosnn.training.train import engine_for, evaluate, gradient, spike_list, train

__all__ = [
    "INPUT",
    "SGD",
    "ActivityRange",
    "Adam",
    "AdamW",
    "Answer",
    "BrianNetwork",
    "Connection",
    "Epoch",
    "Evaluation",
    "Exact",
    "FirstSpike",
    "Gradients",
    "Layer",
    "Loss",
    "MaxPotential",
    "MeanPotential",
    "Optimizer",
    "SilentBump",
    "SpikeCount",
    "SpikeList",
    "Surrogate",
    "TrainableNetwork",
    "TrainingResult",
    "as_brian",
    "engine_for",
    "evaluate",
    "feedforward",
    "gradient",
    "load_network",
    "save_network",
    "spike_list",
    "to_nir",
    "train",
]
