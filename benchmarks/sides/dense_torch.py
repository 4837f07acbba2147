"""A converted network simulated densely by PyTorch, and by SpikingJelly: `benchmarks/conversion.py` runs it.

    python benchmarks/sides/dense_torch.py torch|spikingjelly|recipe NETWORK.npz IMAGES.npz STEPS BATCH THREADS

Prints one line of JSON. In every step every layer computes all of its sums, whoever has fired.
"""

from __future__ import annotations

import copy
import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from biosnn.ann import layers
from biosnn.conversion import SpikingNetwork, load
from biosnn.conversion.to_nir import as_convolution

Tensor = Any


class Taken(nn.Module):
    """Values taken from others, or zero."""

    def __init__(self, layer: layers.Select) -> None:
        super().__init__()
        self.shape = layer.shape
        self.register_buffer("source", torch.as_tensor(np.maximum(layer.source.ravel(), 0)))
        self.register_buffer("there", torch.as_tensor((layer.source.ravel() >= 0).astype(np.float32)))

    def forward(self, x: Tensor) -> Tensor:
        return (x.flatten(1)[:, self.source] * self.there).reshape(-1, *self.shape)


def module(layer: layers.Layer) -> nn.Module:
    """A layer in PyTorch."""
    if isinstance(layer, layers.Convolution):
        top, left, bottom, right = layer.padding
        assert (top, left) == (bottom, right), "padding of one width"
        out, inner, *kernel = layer.weight.shape
        made = nn.Conv2d(inner * layer.groups, out, kernel, layer.stride, (top, left), layer.dilation, layer.groups)
        made.load_state_dict({"weight": torch.as_tensor(layer.weight), "bias": torch.as_tensor(layer.bias)})
        return made
    if isinstance(layer, layers.Linear):
        flat = nn.Linear(layer.weight.shape[1], layer.weight.shape[0])
        flat.load_state_dict({"weight": torch.as_tensor(layer.weight), "bias": torch.as_tensor(layer.bias)})
        return nn.Sequential(nn.Flatten(), flat)
    if isinstance(layer, layers.AveragePool):
        return nn.AvgPool2d(layer.kernel, layer.stride)
    if isinstance(layer, layers.Relu):
        return nn.ReLU()
    assert isinstance(layer, layers.Select), layer.where
    return Taken(layer)


def traced(snn: SpikingNetwork) -> torch.fx.GraphModule:
    """The ordinary network as a module of PyTorch."""
    graph, parts, nodes = torch.fx.Graph(), {}, {}
    for number, layer in enumerate(snn.graph.layers):
        inputs = [nodes[name] for name in layer.inputs]
        if isinstance(layer, layers.Input):
            nodes[layer.name] = graph.placeholder("x")
        elif isinstance(layer, layers.Add):
            nodes[layer.name] = graph.call_function(torch.add, tuple(inputs))
        else:
            # SpikingJelly takes no indexing by arrays: a shortcut that leaves out pixels is a kernel of one pixel.
            selects = isinstance(layer, layers.Select)
            kernel = as_convolution(layer, snn.graph[layer.inputs[0]].shape) if selects else None
            parts[f"layer{number}"] = module(kernel or layer)
            nodes[layer.name] = graph.call_module(f"layer{number}", tuple(inputs))
    graph.output(nodes[snn.graph.output])
    return torch.fx.GraphModule(nn.ModuleDict(parts), graph).eval()


class Dense:
    """The converted network, in thresholds: the same equations as biosnn's, step by step, for a batch of images."""

    def __init__(self, snn: SpikingNetwork) -> None:
        self.snn, self.names = snn, [population.name for population in snn.network.populations]
        self.paths: dict[str, list[tuple[str, Callable[[Tensor], Tensor]]]] = {}
        self.bias: dict[str, Tensor] = {}
        for population in snn.network.populations:
            last = population.kind == "output"
            theta = np.ones_like(snn.thresholds[population.name]) if last else snn.thresholds[population.name]
            theta = theta.reshape(-1, *[1] * (len(population.shape) - 1))
            self.bias[population.name] = torch.as_tensor(population.bias / theta)
            self.paths[population.name] = [
                (path.source, self._path(path, snn.thresholds.get(path.source), theta)) for path in population.paths
            ]

    def _path(self, path: Any, source: Any, theta: np.ndarray) -> Callable[[Tensor], Tensor]:
        told = np.ones(self.snn.graph.input.shape[0], np.float32) if source is None else source
        if len(path.layers) == 1 and isinstance(path.layers[0], layers.Convolution):
            layer = path.layers[0]  # its weights take the thresholds in
            weight = torch.as_tensor(layer.weight * told[None, :, None, None] / theta[..., None])
            weight = weight.contiguous(memory_format=torch.channels_last)
            return lambda x: functional.conv2d(x, weight, None, layer.stride, layer.padding[:2], layer.dilation)
        made = nn.Sequential(*(module(layer) for layer in path.layers)).eval()
        for part in made.modules():
            if getattr(part, "bias", None) is not None:
                part.bias.data.zero_()
        scale, over = torch.as_tensor(told.reshape(-1, 1, 1)), torch.as_tensor(1 / theta)
        return lambda x: made(x * scale) * over

    def run(self, images: Tensor, steps: int) -> Tensor:
        """The potentials of the output after all steps."""
        *hidden, output = self.names
        entrance = self.snn.graph.input.name
        held = {}
        for name in hidden:
            for source, path in self.paths[name]:
                if source == entrance:
                    held[name] = path(images) + self.bias[name]
        v = dict.fromkeys(hidden, self.snn.options.start)
        v[output] = 0.0
        spikes: dict[str, Tensor] = {}
        for _ in range(steps):
            for name in self.names:
                total = held.get(name, self.bias[name])
                for source, path in self.paths[name]:
                    if source != entrance:
                        total = total + path(spikes[source])
                v[name] = v[name] + total
                if name != output:
                    spikes[name] = (v[name] >= 1).float()
                    v[name] = v[name] - spikes[name]
        return v[output]


def spiking_jelly(snn: SpikingNetwork, images: Tensor, steps: int, recipe: bool) -> Callable[[Tensor], Tensor]:
    """SpikingJelly's converter as it is, or with a percentile, a threshold a channel, and a start at half of it."""
    from spikingjelly.activation_based import ann2snn
    from spikingjelly.activation_based import functional as states

    batches = [(images[k : k + 50], torch.zeros(50)) for k in range(0, len(images), 50)]
    best = {"mode": "99.9%", "channel_wise": True, "half_threshold": True} if recipe else {}
    made = ann2snn.Converter(ann2snn.RateCodingRecipe(batches, **best)).convert(copy.deepcopy(traced(snn)))

    def run(batch: Tensor) -> Tensor:
        states.reset_net(made)
        return sum(made(batch) for _ in range(steps))

    return run


def main(side: str, network: str, file: str, steps: int, batch: int, threads: int) -> None:
    torch.set_num_threads(threads)
    snn, data = load(network), np.load(file)
    images = torch.as_tensor(data["x"]).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        if side == "torch":
            dense = Dense(snn)
            run: Callable[[Tensor], Tensor] = lambda x: dense.run(x, steps)  # noqa: E731
        else:
            run = spiking_jelly(snn, torch.as_tensor(data["calibration"]), steps, side == "recipe")
        run(images[:2])  # what is done once does not count
        begin = time.perf_counter()
        answers = torch.cat([run(images[k : k + batch]) for k in range(0, len(images), batch)])
        seconds = time.perf_counter() - begin
    right = float((answers.argmax(1).numpy() == data["y"]).mean())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "accuracy": right, "memory": memory, "decided": answers.argmax(1).tolist()}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], *map(int, sys.argv[4:7]))
