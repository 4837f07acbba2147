"""What drives a network from outside: spike trains and images, made inside the generated code."""

from biosnn.inputs.frames import Images, images
from biosnn.inputs.group import InputGroup
from biosnn.inputs.trains import SpikeTrains, poisson

__all__ = ["Images", "InputGroup", "SpikeTrains", "images", "poisson"]
