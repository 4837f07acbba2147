"""The nearest networks of BindsNET (0.3.4): images per second of one thread. Prints one line of JSON.

    PYTHON benchmarks/layers_peer.py {maps,cells} [--images 50]

"maps": 28x28 inputs, a Conv2dConnection of 64 kernels of 7x7 with the rule PostPre onto LIF neurons, 22 steps of 1 ms,
of random spikes of a tenth of the pixels. "cells": 1600 inputs, of which 158 spike once, a Connection with PostPre onto
1600 DiehlAndCookNodes, of which one spikes at most in a step, 12 steps. Neither has the competition and homeostasis of
maps that biosnn's have: less is done for an image, in fewer steps.
"""

from __future__ import annotations

import argparse
import json
import time

import torch
from bindsnet.learning import PostPre
from bindsnet.network import Network
from bindsnet.network.nodes import DiehlAndCookNodes, Input, LIFNodes
from bindsnet.network.topology import Connection, Conv2dConnection


def maps() -> tuple[Network, torch.Tensor, str]:
    """Feature maps with a shared kernel that learns."""
    network = Network(dt=1.0, learning=True)
    network.add_layer(Input(shape=(1, 28, 28), traces=True), "x")
    network.add_layer(LIFNodes(shape=(64, 22, 22), traces=True, thresh=-52.0), "y")
    joint = Conv2dConnection(
        network.layers["x"],
        network.layers["y"],
        kernel_size=7,
        stride=1,
        update_rule=PostPre,
        nu=[1e-4, 1e-2],
        wmin=0.0,
        wmax=1.0,
        norm=0.2 * 49,
    )
    network.add_connection(joint, "x", "y")
    return network, (torch.rand(22, 1, 1, 28, 28) < 0.1).byte(), "y"


def cells() -> tuple[Network, torch.Tensor, str]:
    """Cells that compete, all connected to all inputs."""
    network = Network(dt=1.0, learning=True)
    network.add_layer(Input(n=1600, traces=True), "x")
    network.add_layer(DiehlAndCookNodes(n=1600, traces=True, thresh=-52.0, one_spike=True), "y")
    joint = Connection(
        network.layers["x"], network.layers["y"], update_rule=PostPre, nu=[1e-4, 1e-2], wmin=0.0, wmax=1.0, norm=400.0
    )
    network.add_connection(joint, "x", "y")
    spikes = torch.zeros(12, 1, 1600)
    spikes[torch.randint(0, 9, (158,)), 0, torch.randperm(1600)[:158]] = 1
    return network, spikes.byte(), "y"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=("maps", "cells"))
    parser.add_argument("--images", type=int, default=50)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    network, spikes, name = {"maps": maps, "cells": cells}[given.work]()
    fired, layer = 0.0, network.layers[name]
    for step in spikes:  # once step by step, to count
        network.run({"x": step[None]}, time=1)
        fired += float(layer.s.sum())
    for number in range(given.images + 2):
        if number == 2:  # the first ones do not count
            began = time.process_time()
        network.reset_state_variables()
        network.run({"x": spikes}, time=len(spikes))
    print(json.dumps({"seconds": time.process_time() - began, "images": given.images, "spikes": fired}))


if __name__ == "__main__":
    main()
