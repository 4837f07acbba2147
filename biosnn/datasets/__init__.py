"""Labelled images by name, in the formats of their sources, found on this machine or downloaded; and a user's own."""

from biosnn.datasets.own import Examples, from_file, read_npz
from biosnn.datasets.registry import Dataset, examples, load, names, stratified_split

__all__ = ["Dataset", "Examples", "examples", "from_file", "load", "names", "read_npz", "stratified_split"]
