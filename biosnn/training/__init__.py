"""Training by gradients through spikes: exact ones of spike times, or surrogates, derived from a model's equations."""

from biosnn.training.activity import ActivityRange, SilentBump
from biosnn.training.batch import Answer, ConstantInputs, Gradients, SpikeList
from biosnn.training.build import feedforward
from biosnn.training.converted import labelled_images, trainable
from biosnn.training.examples import inputs_of, spike_list
from biosnn.training.export.as_brian import BrianNetwork, as_brian
from biosnn.training.export.saving import load_network, save_network
from biosnn.training.export.to_nir import to_nir
from biosnn.training.fine_tuning import fine_tune, with_weights
from biosnn.training.history import Epoch, Evaluation, TrainingResult
from biosnn.training.losses import (
    FirstSpike,
    FirstSpikeOrApproach,
    LastPotential,
    Loss,
    MaxPotential,
    MeanPotential,
    SpikeCount,
)
from biosnn.training.methods import Exact, Surrogate
from biosnn.training.network import BIAS, INPUT, Connection, Layer, TrainableNetwork
from biosnn.training.optimizers import SGD, Adam, AdamW, Optimizer
from biosnn.training.train import engine_for, evaluate, gradient, train
from biosnn.training.variation import LostSpikes, Shifts, Variation

__all__ = [
    "BIAS",
    "INPUT",
    "SGD",
    "ActivityRange",
    "Adam",
    "AdamW",
    "Answer",
    "BrianNetwork",
    "Connection",
    "ConstantInputs",
    "Epoch",
    "Evaluation",
    "Exact",
    "FirstSpike",
    "FirstSpikeOrApproach",
    "Gradients",
    "LastPotential",
    "Layer",
    "Loss",
    "LostSpikes",
    "MaxPotential",
    "MeanPotential",
    "Optimizer",
    "Shifts",
    "SilentBump",
    "SpikeCount",
    "SpikeList",
    "Surrogate",
    "TrainableNetwork",
    "TrainingResult",
    "Variation",
    "as_brian",
    "engine_for",
    "evaluate",
    "feedforward",
    "fine_tune",
    "gradient",
    "inputs_of",
    "labelled_images",
    "load_network",
    "save_network",
    "spike_list",
    "to_nir",
    "train",
    "trainable",
    "with_weights",
]
