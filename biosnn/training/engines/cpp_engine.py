"""The forward and the backward pass as a compiled library."""

from __future__ import annotations

import ctypes
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import brian2
import numpy as np
from numpy.typing import NDArray

from biosnn.engine.compiler import compile, toolchain
from biosnn.engine.compiler.toolchain import Flags
from biosnn.engine.progress import Progress
from biosnn.errors import EngineError, TrainingError, field_error
from biosnn.projection import Fit
from biosnn.training.batch import Answer, ConstantInputs, Floats, Gradients, Inputs, SpikeList
from biosnn.training.checks import check_inputs, check_slopes
from biosnn.training.engines.cpp_source import source
from biosnn.training.methods import Exact, Surrogate
from biosnn.training.network import Connection, TrainableNetwork
from biosnn.training.optimizers import Adam, AdamW, Optimizer, State
from biosnn.training.plan import NetworkPlan

_REAL = {"float64": ("double", np.float64), "float32": ("float", np.float32)}


class CppEngine:
    """Runs a network and its adjoint; as `NumpyEngine` does, and with the same results but for the last digits.

    Parameters
    ----------
    network : TrainableNetwork
        Its weights and parameters are read at every pass.
    method : Exact or Surrogate
        How a gradient goes through spikes.
    feature : str
        What the loss reads, one of `FEATURES`.
    precision : {"float64", "float32"}
        Of all numbers.
    threads : int
        How many work on the examples of a batch. Gradients of more than two threads differ in their last digits from
        those of one or two.

    Raises
    ------
    CompileError
        If the library cannot be built.
    """

    def __init__(
        self,
        network: TrainableNetwork,
        method: Exact | Surrogate,
        feature: str,
        *,
        precision: str = "float64",
        threads: int = 1,
    ) -> None:
        self.network, self.threads = network, threads
        self.plan = NetworkPlan.of(network, method, feature)
        real, self._dtype = _REAL[precision]
        text, self._given = source(self.plan, method, feature, real)
        self._library = _library(text)
        self._library.biosnn_backward.restype = ctypes.c_int64
        self._library.biosnn_new.restype = ctypes.c_void_p
        self._run = ctypes.c_void_p(self._library.biosnn_new())
        weakref.finalize(self, self._library.biosnn_delete, self._run)
        self._lists = [self._synapses(one) for one in network.connections]
        self._spiking = [plan.name for plan in self.plan.layers if plan.spikes]
        self._examples = self._passes = 0
        self._gradients: list[NDArray[Any]] = []

    def _synapses(self, connection: Any) -> list[NDArray[Any]]:
        if self.plan.is_dense(connection):
            return []
        indptr, targets, index = self.plan.synapses(connection)
        return [indptr.astype(np.int64), targets.astype(np.int32), index.astype(np.int32)]

    def forward(self, inputs: Inputs) -> Answer:
        """Simulate some examples; see `NumpyEngine.forward`."""
        check_inputs(self.network, inputs)
        self._examples, self._passes = len(inputs), self._passes + 1
        self._inputs = self._in_memory(inputs)
        self._weights = [self._stored(one, fit) for one, fit in self._joined()]
        values = []
        for plan in self.plan.layers:
            now = {**self.plan.values(plan), "dt": self.network.dt}
            values.append(np.array([*(now[name] for name in self._given[plan.name]), self.plan.refractory_steps(plan)]))
        features = np.empty((self._examples, self.network.layer(self.network.output).size), self._dtype)
        lists: list[NDArray[Any]] = [array for arrays in self._lists for array in (arrays or [np.zeros(0)] * 3)]
        self._library.biosnn_forward(
            self._run,
            ctypes.c_int64(self._examples),
            _addresses(self._inputs),
            _addresses(self._weights),
            _addresses(lists),
            _addresses(values),
            ctypes.c_int(self.network.steps),
            ctypes.c_double(self.network.dt),
            ctypes.c_double(self.network.duration),
            ctypes.c_int(self.threads),
            _address(features),
        )
        return Answer(features.astype(np.float64), _LazySpikes(self, self._passes))

    def _in_memory(self, inputs: Inputs) -> list[NDArray[Any]]:
        if isinstance(inputs, ConstantInputs):
            return [np.ascontiguousarray(inputs.values, self._dtype)]
        return [
            np.ascontiguousarray(inputs.indptr, np.int64),
            np.ascontiguousarray(inputs.neuron, np.int32),
            np.ascontiguousarray(inputs.step, np.int32),
        ]

    def _joined(self) -> Iterator[tuple[Connection, Fit]]:
        return zip(self.network.connections, self.network.fits, strict=True)

    def _stored(self, connection: Connection, fit: Fit) -> NDArray[Any]:
        """What a spike adds, as it lies in memory: the weights themselves, where that is possible."""
        weights = self.network.weights[connection.name]
        if weights.shape != tuple(fit.shape):
            where = f"Connection {connection.name!r}, weights"
            raise TrainingError(field_error(where, f"the shape {tuple(fit.shape)}", weights.shape))
        stored = np.ascontiguousarray(fit.stored(weights), self._dtype)
        return stored if connection.gain == 1 else stored * self._dtype(connection.gain)

    def spikes_of(self, name: str) -> SpikeList:
        """The spikes of a layer in the last forward pass."""
        layer = ctypes.c_int(self._spiking.index(name))
        counts = np.zeros(self._examples, np.int64)
        self._library.biosnn_spike_counts(self._run, ctypes.c_int64(self._examples), layer, _address(counts))
        neuron, step = np.empty(counts.sum(), np.int32), np.empty(counts.sum(), np.int32)
        self._library.biosnn_spikes(self._run, ctypes.c_int64(self._examples), layer, _address(neuron), _address(step))
        return SpikeList(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), neuron, step)

    def backward(self, by_features: Floats, by_counts: Mapping[str, Floats] | None = None) -> Gradients:
        """Go back through the examples of the last forward pass; see `NumpyEngine.backward`.

        The arrays of gradients are those of the next call, too.
        """
        given = by_counts or {}
        check_slopes(self.network, self._examples, by_features, given)
        features = np.ascontiguousarray(by_features, self._dtype)
        counts = [np.ascontiguousarray(given[name], self._dtype) if name in given else None for name in self._spiking]
        trained = [(one, fit) for one, fit in self._joined() if one.trained]
        if not self._gradients:
            self._gradients = [np.empty(one.weight.size, self._dtype) for one, _ in trained]
        weights = self._gradients
        parameters = np.zeros(len(self.network.parameters) + 1)
        clipped = self._library.biosnn_backward(
            self._run,
            ctypes.c_int64(self._examples),
            _address(features),
            _addresses(counts),
            ctypes.c_int(self.threads),
            _addresses(weights),
            _address(parameters),
        )
        by_weights = {
            one.name: fit.natural(found if one.gain == 1 else found * self._dtype(one.gain))
            for (one, fit), found in zip(trained, weights, strict=True)
        }
        return Gradients(by_weights, dict(zip(self.network.parameters, parameters.tolist(), strict=False)), clipped)

    def step(
        self, optimizer: Optimizer, values: NDArray[Any], gradient: NDArray[Any], state: State, rate: float
    ) -> None:
        """Change an array as an optimizer does: compiled where it is Adam, which would take as long as the passes."""
        arrays = (values, gradient, *(state.get(name, values) for name in ("mean", "square")))
        compiled = all(one.dtype == self._dtype and one.flags.c_contiguous for one in arrays)
        if type(optimizer) not in (Adam, AdamW) or not compiled:
            optimizer.step(values, gradient, state, rate)
            return
        assert isinstance(optimizer, Adam)
        state["steps"] += 1
        steps, decay = state["steps"][0], optimizer.weight_decay if isinstance(optimizer, AdamW) else 0.0
        to_mean, to_root = 1 - optimizer.beta_1**steps, np.sqrt(1 - optimizer.beta_2**steps)
        numbers = (1 - rate * decay, optimizer.beta_1, optimizer.beta_2, to_root, optimizer.epsilon, rate / to_mean)
        given = np.array(numbers, np.float64)
        self._library.biosnn_adam(ctypes.c_int64(values.size), *(_address(one) for one in arrays), _address(given))


class _LazySpikes(Mapping[str, SpikeList]):
    """The spikes of layers, fetched when they are asked for: most of training does not."""

    def __init__(self, engine: CppEngine, number: int) -> None:
        self._engine, self._number = engine, number

    def __getitem__(self, name: str) -> SpikeList:
        if self._number != self._engine._passes:
            raise TrainingError("The spikes of a forward pass can be read before the next one of the same engine only.")
        if name not in self._engine._spiking:
            raise KeyError(name)
        return self._engine.spikes_of(name)

    def __iter__(self) -> Any:
        return iter(self._engine._spiking)

    def __len__(self) -> int:
        return len(self._engine._spiking)


def _address(array: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _addresses(arrays: list[Any]) -> Any:
    pointers = [array.ctypes.data if array is not None else None for array in arrays] or [None]
    return (ctypes.c_void_p * len(pointers))(*pointers)


@cache
def _library(text: str) -> ctypes.CDLL:
    """A source as a library of this process, built if it is not in the cache."""
    compiler = toolchain.find_compiler()
    if compiler is None:
        raise EngineError(f"Training on the cpp target needs a compiler: {toolchain.target_problems()['cpp']}")
    chosen = toolchain.for_processor(brian2.prefs["codegen.cpp.extra_compile_args_gcc"])
    # Some processors are thought by g++ to be faster with half of their vectors' width, which here they are not. The
    # standard stands last, since Brian2's flags name an older one, in which `new` keeps no alignment beyond 16 bytes.
    own = ("-mprefer-vector-width=256", "-std=c++17")
    flags = Flags(compile=("-fPIC", "-pthread", *chosen, *own), link=("-shared", "-pthread"))
    with tempfile.TemporaryDirectory(prefix="biosnn-training-") as folder, Progress("compiling") as bar:
        (Path(folder) / "brianlib").mkdir()  # whose headers programs of Brian2 read; here there are none
        (Path(folder) / "training.cpp").write_text(text)
        built, _ = compile.build(
            Path(folder), ["training.cpp"], compiler, flags, {}, lambda done, total: bar.update(done / total, "")
        )
        return ctypes.CDLL(str(built / "main"))
