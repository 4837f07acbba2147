"""Labelled images, points and spike trains: by name, in the formats of their sources, and a user's own."""

from biosnn.datasets.own import Examples, divided, from_file, read_npz
from biosnn.datasets.registry import Dataset, examples, load, names, stratified_split
from biosnn.datasets.spike_files import read_events, read_spike_trains
from biosnn.datasets.spike_trains import LabelledSpikeTrains
from biosnn.datasets.values import LabelledValues
from biosnn.datasets.yin_yang import yin_yang

__all__ = [
    "Dataset",
    "Examples",
    "LabelledSpikeTrains",
    "LabelledValues",
    "divided",
    "examples",
    "from_file",
    "load",
    "names",
    "read_events",
    "read_npz",
    "read_spike_trains",
    "stratified_split",
    "yin_yang",
]
