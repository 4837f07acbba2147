"""Training with surrogate gradients in other simulators: images per second on the CPU. Prints one line of JSON.

    PYTHON benchmarks/training_peers.py SIDE [--steps 20] [--batch 32] [--threads 1] [--hidden 350]
                                             [--batches 10] [--seed 1]

PYTHON has PyTorch and the simulator. The network is 784-350-10: LIF neurons with exponential currents (20 and 5 ms), a
readout that does not fire, cross entropy of its mean potential, Adam. Images are random, a fifth of the pixels active;
an active pixel spikes once in 20 ms, which are so many steps. All do the product with the weights for all steps at
once, then come the simulator's own neurons: step by step in snnTorch; in SpikingJelly and Norse a sequence in one call,
or step by step ("-steps"), which is twice as fast at 200 steps. "torch" is the same loop by hand, without a simulator.

With the same seed all sides fire as many spikes. The input is laid out beforehand and does not count, nor does the
first batch. ``train`` is forward, backward and update; ``forward`` runs without a gradient. Rates are images per
second, by the clock and by the processor time of all threads; ``memory`` is the peak of resident memory in bytes,
``imported`` what it was once everything was imported.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import resource
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

INPUTS, CLASSES, DURATION, TAU_M, TAU_S = 784, 10, 20.0, 20.0, 5.0  # ms
SIDES = ("torch", "snntorch", "spikingjelly", "spikingjelly-steps", "norse", "norse-steps")
Tensor = torch.Tensor
Network = Callable[[Tensor], tuple[Tensor, Tensor]]


class Spike(torch.autograd.Function):
    """A step, with the derivative of a fast sigmoid."""

    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        context.save_for_backward(x)
        return (x > 0).to(x.dtype)

    @staticmethod
    def backward(context: Any, given: Tensor) -> Tensor:  # type: ignore[override]
        return given / (1 + 25 * context.saved_tensors[0].abs()) ** 2


class Layers(nn.Module):
    """The weights, which all sides share, in units in which a spike adds to the current in thresholds.

    Parameters
    ----------
    gain : float
        What a simulator needs besides, as its neurons scale currents otherwise.
    """

    def __init__(self, hidden: int, gain: float) -> None:
        super().__init__()
        self.gain = gain
        self.first, self.last = nn.Linear(INPUTS, hidden, bias=False), nn.Linear(hidden, CLASSES, bias=False)
        nn.init.normal_(self.first.weight, 0.078 * gain, 0.045 * gain)
        nn.init.normal_(self.last.weight, 0.2 * gain, 0.37 * gain)


class ByHand(Layers):
    def __init__(self, hidden: int, dt: float) -> None:
        super().__init__(hidden, 1.0)
        self.dt = dt

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        spikes = self.neurons(self.first(x), True)
        return self.neurons(self.last(spikes), False).mean(0), spikes

    def neurons(self, drive: Tensor, fires: bool) -> Tensor:
        leak, decay = self.dt / TAU_M, 1 - self.dt / TAU_S
        v = i = torch.zeros_like(drive[0])
        out = []
        for arrived in drive.unbind(0):
            i = decay * i + arrived
            v = v + leak * (i - v)
            if fires:
                s = Spike.apply(v - 1)
                v = v * (1 - s.detach())
            out.append(s if fires else v)
        return torch.stack(out)


class SnnTorch(Layers):
    def __init__(self, hidden: int, dt: float) -> None:
        import snntorch
        from snntorch import surrogate

        super().__init__(hidden, dt / TAU_M)
        decays = {"alpha": 1 - dt / TAU_S, "beta": 1 - dt / TAU_M}
        at_once = {"reset_mechanism": "zero", "reset_delay": False}  # by default a step later
        self.cells = snntorch.Synaptic(**decays, **at_once, spike_grad=surrogate.fast_sigmoid())
        self.readout = snntorch.Synaptic(**decays, reset_mechanism="none", spike_grad=surrogate.fast_sigmoid())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        i, v = self.cells.reset_mem()
        spikes = []
        for drive in self.first(x).unbind(0):
            s, i, v = self.cells(drive, i, v)
            spikes.append(s)
        fired = torch.stack(spikes)
        i, v = self.readout.reset_mem()
        potentials = []
        for drive in self.last(fired).unbind(0):
            _, i, v = self.readout(drive, i, v)
            potentials.append(v)
        return torch.stack(potentials).mean(0), fired


class SpikingJelly(Layers):
    def __init__(self, hidden: int, dt: float) -> None:
        from spikingjelly.activation_based import functional as states
        from spikingjelly.activation_based import neuron, surrogate

        super().__init__(hidden, TAU_S / dt)
        self.states = states
        # A neuron that does not fire is a filter: the synaptic current.
        self.current = neuron.NonSpikingLIFNode(tau=TAU_S / dt)
        fires = {"surrogate_function": surrogate.ATan(), "detach_reset": True, "step_mode": "m"}
        self.cells = neuron.LIFNode(tau=TAU_M / dt, **fires)
        self.last_current, self.readout = (neuron.NonSpikingLIFNode(tau=tau / dt) for tau in (TAU_S, TAU_M))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.states.reset_net(self)
        # It gives a list of steps.
        spikes = self.cells(torch.stack(self.current(self.first(x))))
        potentials = self.readout(torch.stack(self.last_current(self.last(spikes))))
        return torch.stack(potentials).mean(0), spikes


class SpikingJellySteps(SpikingJelly):
    """Step by step, which spares the backward pass of a slice of all steps in each of them."""

    def __init__(self, hidden: int, dt: float) -> None:
        super().__init__(hidden, dt)
        self.cells.step_mode = "s"

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.states.reset_net(self)
        spikes = torch.stack([self.cells(i) for i in self.filtered(self.current, self.first(x).unbind(0))])
        currents = self.filtered(self.last_current, self.last(spikes).unbind(0))
        return torch.stack(self.filtered(self.readout, currents)).mean(0), spikes

    @staticmethod
    def filtered(node: Any, drive: Sequence[Tensor]) -> list[Tensor]:
        node.v = torch.zeros_like(drive[0])
        potentials = []
        for arrived in drive:
            node.neuronal_charge(arrived)
            potentials.append(node.v)
        return potentials


class Norse(Layers):
    def __init__(self, hidden: int, dt: float) -> None:
        import norse.torch as norse

        super().__init__(hidden, 1.0)
        taus = {"tau_syn_inv": torch.tensor(1e3 / TAU_S), "tau_mem_inv": torch.tensor(1e3 / TAU_M)}
        p = norse.LIFParameters(**taus, method="super", alpha=torch.tensor(25.0))
        self.cells = norse.LIF(p, dt=dt * 1e-3)
        self.readout = norse.LI(norse.LIParameters(**taus), dt=dt * 1e-3)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        spikes, _ = self.cells(self.first(x))
        potentials, _ = self.readout(self.last(spikes))
        return potentials.mean(0), spikes


class NorseSteps(Layers):
    """Step by step, which spares the backward pass of a slice of all steps in each of them."""

    def __init__(self, hidden: int, dt: float) -> None:
        import norse.torch as norse

        super().__init__(hidden, 1.0)
        taus = {"tau_syn_inv": torch.tensor(1e3 / TAU_S), "tau_mem_inv": torch.tensor(1e3 / TAU_M)}
        p = norse.LIFParameters(**taus, method="super", alpha=torch.tensor(25.0))
        self.cells, self.readout = (
            norse.LIFCell(p, dt=dt * 1e-3),
            norse.LICell(norse.LIParameters(**taus), dt=dt * 1e-3),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        spikes = self.stepped(self.cells, self.first(x))
        return self.stepped(self.readout, self.last(spikes)).mean(0), spikes

    @staticmethod
    def stepped(cell: nn.Module, drive: Tensor) -> Tensor:
        state, out = None, []
        for arrived in drive.unbind(0):
            given, state = cell(arrived, state)
            out.append(given)
        return torch.stack(out)


MADE = dict(zip(SIDES, (ByHand, SnnTorch, SpikingJelly, SpikingJellySteps, Norse, NorseSteps), strict=True))


def images(steps: int, batch: int, seed: int) -> tuple[Tensor, Tensor]:
    """Spikes of a batch, shape (steps, batch, inputs), and the labels."""
    generator = torch.Generator().manual_seed(seed)
    active = torch.rand(batch, INPUTS, generator=generator) < 0.2
    when = (torch.rand(batch, INPUTS, generator=generator) * steps).long()
    spikes = functional.one_hot(when, steps).permute(2, 0, 1) * active
    return spikes.float().contiguous(), torch.randint(CLASSES, (batch,), generator=generator)


def timed(act: Callable[[], object], batches: int) -> tuple[float, float]:
    """Seconds by the clock and of the processor that a batch takes, the first one left out."""
    act()
    clock, processor = time.perf_counter(), time.process_time()
    for _ in range(batches):
        act()
    return (time.perf_counter() - clock) / batches, (time.process_time() - processor) / batches


def measure(given: argparse.Namespace) -> dict[str, Any]:
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    network = MADE[given.side](given.hidden, DURATION / given.steps)
    optimizer = torch.optim.Adam([network.first.weight, network.last.weight], lr=1e-3 * network.gain)
    imported = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    x, labels = images(given.steps, given.batch, given.seed)

    def forward() -> Tensor:
        with torch.no_grad():
            return network(x)[1]

    def train() -> None:
        optimizer.zero_grad()
        functional.cross_entropy(network(x)[0], labels).backward()
        optimizer.step()

    fired = float(forward().sum()) / (given.batch * given.hidden)
    training, alone = timed(train, given.batches), timed(forward, given.batches)
    names = {name: importlib.metadata.version(name) for name in {"torch", given.side.partition("-")[0]}}
    return {
        "side": given.side,
        "versions": names,
        **{name: getattr(given, name) for name in ("steps", "batch", "threads", "hidden")},
        "train": {"clock": given.batch / training[0], "processor": given.batch / training[1]},
        "forward": {"clock": given.batch / alone[0], "processor": given.batch / alone[1]},
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "imported": imported,
        "spikes_per_hidden_neuron": fired,
        "loss": functional.cross_entropy(network(x)[0], labels).item(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("side", choices=SIDES)
    for name, number in (("steps", 20), ("batch", 32), ("threads", 1), ("hidden", 350), ("batches", 10), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=number)
    print(json.dumps(measure(parser.parse_args())))


if __name__ == "__main__":
    main()
