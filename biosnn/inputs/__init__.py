"""What drives a network from outside: spike trains and images, made inside the generated code."""

from biosnn.inputs.background import Background, background
from biosnn.inputs.encoders import encoder
from biosnn.inputs.group import InputGroup
from biosnn.inputs.image_sequence import Images, images
from biosnn.inputs.playback import Playback, playback
from biosnn.inputs.restore import reset_on_image
from biosnn.inputs.tabulated import Tabulated, tabulate
from biosnn.inputs.trains import SpikeTrains, poisson

__all__ = ["Background", "Images", "InputGroup", "Playback", "SpikeTrains", "Tabulated"]
__all__ += ["background", "encoder", "images", "playback", "poisson", "reset_on_image", "tabulate"]
