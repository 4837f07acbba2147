"""Surrogate gradients against those that PyTorch differentiates by itself, step by step, through hard spikes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from training_networks import spikes, three_layers

from biosnn.training import SpikeList, Surrogate, TrainableNetwork
from biosnn.training.engines.numpy_engine import NumpyEngine

torch = pytest.importorskip("torch")

SLOPES = {
    "fast_sigmoid": lambda x: 0.5 / (1 + x.abs()) ** 2,
    "triangle": lambda x: (1 - x.abs()).clamp(min=0),
}


def spike_function(shape: str, width: float) -> Any:
    class Spike(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(context: Any, g: Any) -> Any:
            context.save_for_backward(g)
            return (g > 0).to(g.dtype)

        @staticmethod
        def backward(context: Any, slope: Any) -> Any:
            (g,) = context.saved_tensors
            return slope * SLOPES[shape](g / width) / width

    return Spike.apply


def in_torch(net: TrainableNetwork, given: SpikeList, weigh: Any, method: Surrogate) -> tuple[Any, dict[str, Any]]:
    """Membranes with exponential currents, written out: exact steps, thresholds, arrivals, resets."""
    weights = {
        name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in net.weights.items()
    }
    names = [f"hidden.{name}" for name in ("tau_m", "tau_s", "v_th", "v_reset")]
    values = {name: torch.tensor(net.parameters[name], dtype=torch.float64, requires_grad=True) for name in names}
    tau_m, tau_s, v_th, v_reset = values.values()
    spike, examples = spike_function(method.shape, method.width), len(given)
    inputs = np.zeros((net.steps, examples, net.inputs))
    np.add.at(inputs, (given.step, np.repeat(np.arange(examples), np.diff(given.indptr)), given.neuron), 1.0)
    inputs = torch.tensor(inputs)

    def step(v: Any, current: Any, tau_m: Any, tau_s: Any) -> tuple[Any, Any]:
        a, b = torch.exp(-net.dt / tau_m), torch.exp(-net.dt / tau_s)
        return a * v + tau_s / (tau_m - tau_s) * (a - b) * current, b * current

    of_output = [torch.tensor(value, dtype=torch.float64) for value in (20e-3, 5e-3)]
    v = current = torch.zeros(examples, 6, dtype=torch.float64)
    v_out = current_out = torch.zeros(examples, 3, dtype=torch.float64)
    history: list[Any] = []
    total = torch.zeros(examples, 3, dtype=torch.float64)
    for n in range(net.steps):
        v, current = step(v, current, tau_m, tau_s)
        v_out, current_out = step(v_out, current_out, *of_output)
        s = spike(v - v_th)
        history.append(s)
        current = current + inputs[n] @ weights["input_to_hidden"]
        if n >= 2:
            current = current + history[n - 2] @ weights["hidden_to_hidden"]
        current_out = current_out + s @ weights["hidden_to_output"]
        happens = s.detach() if method.detach_reset else s
        v = v + happens * (v_reset - v)
        total = total + v_out
    (total / net.steps * torch.tensor(weigh)).sum().backward()
    found = {name: one.grad.numpy() for name, one in {**weights, **values}.items()}
    return sum(float(s.detach().sum()) for s in history), found


@pytest.mark.parametrize("detached", [True, False])
@pytest.mark.parametrize("shape", SLOPES)
def test_surrogate_gradients_are_those_of_pytorch(shape: str, detached: bool) -> None:
    trained = {"tau_m": ("5 ms", "50 ms"), "tau_s": ("2 ms", "50 ms"), "v_th": ("0.1", "3"), "v_reset": ("-1", "1")}
    net, given = three_layers(trained=trained), spikes(4)
    weigh = np.random.default_rng(3).normal(size=(4, 3))
    method = Surrogate(shape, 0.7, detached)
    engine = NumpyEngine(net, method, "mean_potential")
    answer = engine.forward(given)
    found = engine.backward(weigh)
    count, expected = in_torch(net, given, weigh, method)
    assert len(answer.spikes["hidden"].neuron) == count > 20
    for name, slopes in {**found.weights, **found.parameters}.items():
        if name in expected:
            assert_allclose(slopes, expected[name], rtol=1e-10, atol=1e-14, err_msg=name)
    assert set(expected) <= {*found.weights, *found.parameters}
