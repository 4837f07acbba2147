"""Networks of layers that learn without labels, one after the other: contrast, feature maps, pooling, cells."""

from biosnn.learning.layers.build import LayeredNetwork, build_layers, difference_of_gaussians
from biosnn.learning.layers.description import Cells, Contrast, Convolution, LayerSettings, Plastic, Pool
from biosnn.learning.layers.saving import load_layers, save_layers
from biosnn.learning.layers.training import LayersTrained, ShownImages, respond, train_layers

__all__ = [
    "Cells",
    "Contrast",
    "Convolution",
    "LayerSettings",
    "LayeredNetwork",
    "LayersTrained",
    "Plastic",
    "Pool",
    "ShownImages",
    "build_layers",
    "difference_of_gaussians",
    "load_layers",
    "respond",
    "save_layers",
    "train_layers",
]
