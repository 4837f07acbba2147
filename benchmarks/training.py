"""Training by gradients through spikes: biosnn beside snnTorch, SpikingJelly and Norse, images per second on the CPU.

    python benchmarks/training.py [--steps 20 200] [--threads 1] [--batches 20]
                                  [--peer PYTHON] [--sides norse-steps ...]

The network is 784-350-10: LIF neurons with exponential currents, a readout that does not fire, batches of 32 random
images, a fifth of whose pixels spike once. PYTHON is an interpreter that has the peers; without it, biosnn alone is
measured. Each side is a process of its own; training_peers.py says what the others do.

"train" is forward, backward and update by Adam, in images per second of processor time, "clock" the same by the clock,
which tells something on an idle machine only. "times" is by how much biosnn with exact gradients is faster, in single
precision as the peers are. "limit" is the time of a C++ loop that does just the additions and multiplications that
these spikes need, as a share of forward and backward.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import brian2
import numpy as np
from brian2 import ms
from rich.console import Console
from rich.table import Table

import biosnn
from biosnn import training
from biosnn.engine.compiler import toolchain
from biosnn.training.train import engine_for

HERE = Path(__file__).parent
SIZES, BATCH, DURATION, ACTIVE = (784, 350, 10), 32, 20.0, 0.2
OURS = {
    "biosnn, exact": (training.Exact(), "float64"),
    "biosnn, exact, float32": (training.Exact(), "float32"),
    "biosnn, surrogate": (training.Surrogate(), "float64"),
    "biosnn, surrogate, float32": (training.Surrogate(), "float32"),
}
PEERS = ("snntorch", "spikingjelly", "spikingjelly-steps", "norse", "norse-steps")


def images(steps: int, seed: int = 1) -> tuple[training.SpikeList, np.ndarray]:
    random = np.random.default_rng(seed)
    active = [np.flatnonzero(random.random(SIZES[0]) < ACTIVE) for _ in range(BATCH)]
    steps_of = [np.sort(random.integers(0, steps, len(one))) for one in active]
    neurons = np.concatenate([random.permutation(one) for one in active])
    indptr = np.concatenate([[0], np.cumsum([len(one) for one in active])])
    spikes = training.SpikeList(indptr, neurons.astype(np.int32), np.concatenate(steps_of).astype(np.int32))
    return spikes, random.integers(0, SIZES[-1], BATCH)


def timed(run: Callable[[], object], batches: int) -> dict[str, float]:
    """Images per second, by the clock and of processor time."""
    run()
    clock, processor = time.perf_counter(), time.process_time()
    for _ in range(batches):
        run()
    done = BATCH * batches
    return {
        "clock": done / (time.perf_counter() - clock),
        "processor": done / (time.process_time() - processor),
    }


def ours(side: str, steps: int, threads: int, batches: int) -> dict[str, Any]:
    method, precision = OURS[side]
    imported = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    loss, optimizer = training.MeanPotential(), training.Adam(rate=1e-3)
    with biosnn.session("cpp", seed=1, threads=threads) as sim:
        # Weights by which hidden neurons fire about as often as those of the peers.
        network = training.feedforward(
            SIZES, weights=[(0.06, 0.04), (0.0, 0.1)], dt=DURATION / steps * ms, duration=DURATION * ms
        )
        network.weights = {name: weights.astype(precision) for name, weights in network.weights.items()}
        engine = engine_for(sim, network, method, loss.feature, precision)
        spikes, labels = images(steps)
        states = {name: optimizer.state_of(weights) for name, weights in network.weights.items()}

        def passes() -> dict[str, np.ndarray]:
            features = engine.forward(spikes).features
            return engine.backward(loss(features, labels, network.duration)[1]).weights

        def train() -> None:
            for name, slopes in passes().items():
                engine.step(optimizer, network.weights[name], slopes, states[name], 0.0)

        fired = len(engine.forward(spikes).spikes["hidden"].step) / BATCH
        found = {"forward": timed(lambda: engine.forward(spikes), batches), "passes": timed(passes, batches)}
        found["train"] = timed(train, batches)
    return {
        **found,
        "spikes_per_hidden_neuron": fired / SIZES[1],
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "imported": imported,
        "limit": limit(steps, len(spikes.step) / BATCH, fired, "float" if precision == "float32" else "double"),
    }


def limit(steps: int, spikes: float, hidden_spikes: float, real: str) -> float:
    """Images per second of a loop by hand."""
    compiler = toolchain.find_compiler()
    assert compiler is not None, toolchain.target_problems()["cpp"]
    flags = [*brian2.prefs["codegen.cpp.extra_compile_args_gcc"], f"-DREAL={real}"]
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "limit"
        source = HERE / "sides" / "training_limit.cpp"
        subprocess.run([*compiler.command, *flags, str(source), "-o", str(program)], check=True)
        numbers = [*SIZES, steps, round(spikes), round(hidden_spikes), 3000]
        told = subprocess.run([str(program), *map(str, numbers)], check=True, capture_output=True, text=True).stdout
    return 1 / float(told.split()[0])


def in_process(command: Sequence[str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with exit code {done.returncode}:\n{done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure(steps: int, given: argparse.Namespace) -> dict[str, dict[str, Any]]:
    found = {}
    numbers = ["--steps", str(steps), "--threads", str(given.threads)]
    for side in OURS:
        command = [sys.executable, __file__, "--one", side, *numbers, "--batches", str(given.batches)]
        found[side] = in_process(command)
        print(f"{steps} steps, {side}: {found[side]['train']['processor']:.0f} images/s", flush=True)
    for side in given.sides if given.peer else ():
        batches = max(2, given.batches * 20 // (10 * steps))
        command = [given.peer, str(HERE / "training_peers.py"), side, *numbers, "--batches", str(batches)]
        found[side] = in_process(command)
        print(f"{steps} steps, {side}: {found[side]['train']['processor']:.0f} images/s", flush=True)
    return found


def table(steps: int, threads: int, found: dict[str, dict[str, Any]]) -> Table:
    shown = Table(title=f"{'-'.join(map(str, SIZES))}, {steps} steps, {threads} thread(s)", title_justify="left")
    shown.add_column()
    for head in ("train, images/s", "clock", "times", "forward", "clock", "spikes per neuron", "MB", "limit"):
        shown.add_column(head, justify="right")
    ours_best = found["biosnn, exact, float32"]["train"]["processor"]
    for side, of_side in found.items():
        passes = of_side.get("passes", {}).get("processor", 0)
        shown.add_row(
            side,
            f"{of_side['train']['processor']:.0f}",
            f"{of_side['train']['clock']:.0f}",
            "" if side in OURS else f"{ours_best / of_side['train']['processor']:.1f}",
            f"{of_side['forward']['processor']:.0f}",
            f"{of_side['forward']['clock']:.0f}",
            f"{of_side['spikes_per_hidden_neuron']:.2f}",
            f"{of_side['memory'] / 1e6:.0f}",
            f"{passes / of_side['limit']:.0%}" if "limit" in of_side else "",
        )
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, nargs="+", default=[20, 200], help="time steps of 20 ms")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batches", type=int, default=20, help="how many are timed; of peers fewer at many steps")
    parser.add_argument("--peer", metavar="PYTHON", default="", help="an interpreter that has the peers")
    parser.add_argument("--sides", nargs="*", choices=PEERS, default=PEERS, help="which peers")
    parser.add_argument("--one", choices=OURS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(ours(given.one, given.steps[0], given.threads, given.batches)))
        return
    for steps in given.steps:
        Console(width=None if sys.stdout.isatty() else 140).print(table(steps, given.threads, measure(steps, given)))


if __name__ == "__main__":
    main()
