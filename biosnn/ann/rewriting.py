"""A network while it is being changed, layer by layer; and rules that change it until none applies. NumPy only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from biosnn.ann.graph import Graph
from biosnn.ann.layers import Layer


class Net:
    """Layers that are being changed, and who reads whom."""

    def __init__(self, layers: Iterable[Layer], output: str, origins: Mapping[str, str]) -> None:
        self.layers = {layer.name: layer for layer in layers}
        self.output = output
        self.origins = dict(origins)
        self.readers: dict[str, list[str]] = {name: [] for name in self.layers}
        for layer in self.layers.values():
            for source in layer.inputs:
                self.readers[source].append(layer.name)
        for name in list(self.layers):
            self.drop_if_idle(name)

    def source(self, layer: Layer) -> Layer | None:
        """The layer that another takes its only input from."""
        return self.layers[layer.inputs[0]] if len(layer.inputs) == 1 else None

    def only(self, source: Layer) -> bool:
        """Whether a layer has a single reader, so that it may change together with it."""
        return source.name != self.output and len(self.readers[source.name]) == 1

    def put(self, layer: Layer) -> None:
        """Put a layer in the place of the one of its name."""
        before = self.layers[layer.name].inputs
        for source in before:
            self.readers[source].remove(layer.name)
        for source in layer.inputs:
            self.readers[source].append(layer.name)
        self.layers[layer.name] = replace(layer, shape=layer.fit([self.layers[name].shape for name in layer.inputs]))
        for source in before:
            self.drop_if_idle(source)

    def hand_over(self, name: str, to: str) -> None:
        """Let those who read one layer read another."""
        for reader in dict.fromkeys(self.readers[name]):
            layer = self.layers[reader]
            inputs = tuple(to if source == name else source for source in layer.inputs)
            self.layers[reader] = replace(layer, inputs=inputs)
        self.readers[to] += self.readers[name]
        self.readers[name] = []
        if self.output == name:
            self.output = to

    def swap(self, first: Layer, second: Layer) -> None:
        """Let a layer come after its only reader, rather than before it."""
        origin = self.origins.pop(second.name, None)
        self.origins.pop(first.name, None)
        self.hand_over(second.name, first.name)
        # For a moment both read each other.
        self.readers[second.name].append(first.name)
        self.readers[first.inputs[0]].remove(first.name)
        self.layers[first.name] = replace(first, inputs=(second.name,), shape=second.shape)
        self.put(replace(second, inputs=first.inputs))
        if origin:
            self.origins[first.name] = origin

    def drop_if_idle(self, name: str) -> None:
        """Remove a layer that nothing reads, and then those that only it has read."""
        waiting = [name]
        while waiting:
            name = waiting.pop()
            if name in self.layers and not self.readers[name] and name != self.output and self.layers[name].inputs:
                layer = self.layers.pop(name)
                self.origins.pop(name, None)
                del self.readers[name]
                for source in layer.inputs:
                    self.readers[source].remove(name)
                waiting += layer.inputs

    def absorb(self, layer: Layer, gone: Layer) -> None:
        """Put a layer that now computes what its only reader did, which goes."""
        origin = self.origins.pop(gone.name, None)
        self.origins.pop(layer.name, None)
        self.put(layer)
        self.hand_over(gone.name, layer.name)
        self.drop_if_idle(gone.name)
        if origin:
            self.origins[layer.name] = origin

    def graph(self, head: tuple[str, ...]) -> Graph:
        """What it has become."""
        return Graph(tuple(self.layers.values()), self.output, head, self.origins)

    def new(self, name: str) -> str:
        """That name, or one like it that no layer has."""
        while name in self.layers:
            name += "'"
        return name

    def add(self, layer: Layer) -> Layer:
        """Put a layer that is new, which nothing reads yet; its name is made unique."""
        shaped = replace(layer, name=self.new(layer.name))
        shaped = replace(shaped, shape=shaped.fit([self.layers[name].shape for name in layer.inputs]))
        self.layers[shaped.name] = shaped
        self.readers[shaped.name] = []
        for source in layer.inputs:
            self.readers[source].append(shaped.name)
        return shaped

    def follow(self, name: str, layer: Layer) -> Layer:
        """Put a new layer between a layer and all who read it; it computes the value that the layer did in the file."""
        readers = list(self.readers[name])
        added = self.add(layer)
        self.readers[name] = readers
        self.hand_over(name, added.name)
        self.readers[name] = [added.name]
        if name in self.origins:
            self.origins[added.name] = self.origins.pop(name)
        return added


Rule = Callable[[Net, Layer], bool]
"""Looks at a layer and what is around it, changes them if it applies, and says whether it did."""


def rewritten(net: Net, rules: Sequence[Rule]) -> None:
    """Apply rules to all layers until none applies.

    Every rule leaves what the network computes as it is, so that it does no harm to stop: after as many rounds as no
    network has needed yet.
    """
    for _ in range(4 * len(net.layers) + 100):
        changed = False
        for name in list(net.layers):
            changed |= any(name in net.layers and rule(net, net.layers[name]) for rule in rules)
        if not changed:
            return
