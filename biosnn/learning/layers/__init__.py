"""Networks of layers that learn without labels, one after the other: contrast, feature maps, pooling, cells."""

from biosnn.learning.layers.build import LayeredNetwork, build_layers, difference_of_gaussians
from biosnn.learning.layers.description import Cells, Contrast, Convolution, LayerSettings, Plastic, Pool
from biosnn.learning.layers.fields import fields
from biosnn.learning.layers.recording import Recordings, record, respond
from biosnn.learning.layers.saving import is_saved_layers, load_layers, save_layers
from biosnn.learning.layers.sources import RecordedSpikes, Recording, ShownImages
from biosnn.learning.layers.trained import LayersTrained
from biosnn.learning.layers.training import train_layers

__all__ = [
    "Cells",
    "Contrast",
    "Convolution",
    "LayerSettings",
    "LayeredNetwork",
    "LayersTrained",
    "Plastic",
    "Pool",
    "RecordedSpikes",
    "Recording",
    "Recordings",
    "ShownImages",
    "build_layers",
    "difference_of_gaussians",
    "fields",
    "is_saved_layers",
    "load_layers",
    "record",
    "respond",
    "save_layers",
    "train_layers",
]
