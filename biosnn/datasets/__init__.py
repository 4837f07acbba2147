"""Labelled images, points and spike trains: by name, in the formats of their sources, and a user's own."""

from biosnn.datasets.own import Examples, from_file, read_npz
from biosnn.datasets.registry import Dataset, examples, load, names, stratified_split
from biosnn.datasets.yin_yang import yin_yang

__all__ = ["Dataset", "Examples", "examples", "from_file", "load", "names", "read_npz", "stratified_split", "yin_yang"]
