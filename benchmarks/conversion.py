"""A converted ResNet-20 in generated code, beside a dense simulation of the same by PyTorch, and SpikingJelly.

    python benchmarks/conversion.py NETWORK.onnx [--images 60] [--steps 64] [--batch 20] [--repeat 3] [--python PYTHON]

NETWORK is a ResNet-20 for CIFAR-10; images are those of the dataset ``cifar10``, 500 training images for the
thresholds. All sides show the same images for as many steps on two threads or processes, one side after the other in
each round, and medians are printed. Time is by the clock, from the first image to the last answer: what is done once
(builds, tracing, loading) does not count, but for biosnn's processes, which start anew for every 20 images. Memory is
the peak of the resident memory, summed over processes. The dense simulation does the same equations as ours, so its
decisions are held against ours; SpikingJelly converts the network by itself. The last line says how long the additions
alone would take: as many additions of single floats, in a loop over a kernel's channels, as spikes cause.

PyTorch and SpikingJelly are in a Python of your choice (`--python`, by default the one that runs this), which has
biosnn[train] and spikingjelly. A side that cannot be run is left out, and said so.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from biosnn.ann import reference
from biosnn.conversion import convert, ledger, run, save
from biosnn.datasets import examples

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
THREADS = 2
SIDES = {
    "torch": "dense simulation, PyTorch",
    "spikingjelly": "SpikingJelly, as it is",
    "recipe": "SpikingJelly, 99.9 %, by channel, half threshold",
}
LOOP = """
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>
int main()
{
    const long channels = CHANNELS, pixels = 16384/channels, taps = 9, spikes = 200000;
    std::vector<float> v(pixels*channels, 0.f), w(taps*channels*channels, 1e-3f);
    std::vector<int> where(spikes), which(spikes);
    unsigned state = 1;
    for (long k = 0; k < spikes; k++)
    {
        where[k] = (state = state*1664525u + 1013904223u) % (pixels - taps);
        which[k] = (state = state*1664525u + 1013904223u) % channels;
    }
    const auto begin = std::chrono::steady_clock::now();
    for (long k = 0; k < spikes; k++)
        for (long tap = 0; tap < taps; tap++)
        {
            float* to = v.data() + (where[k] + tap)*channels;
            const float* from = w.data() + (tap*channels + which[k])*channels;
            for (long c = 0; c < CHANNELS; c++) to[c] += from[c];
        }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    double sum = 0;
    for (float x : v) sum += x;
    std::printf("%.6g %g\\n", seconds/(double(spikes)*taps*channels), sum);
}
"""


def prepared(network: str, images: int) -> tuple[Any, dict[str, np.ndarray]]:
    """The converted network, and images as it takes them."""
    data = examples("cifar10")
    inputs = (data.inputs - np.reshape(MEAN, (3, 1, 1))) / np.reshape(DEVIATION, (3, 1, 1))
    inputs, rng = inputs.astype(np.float32), np.random.default_rng(1)
    training = rng.permutation(data.for_training)[:500]
    test = data.for_training + rng.permutation(len(inputs) - data.for_training)[:images]
    snn = convert(network, inputs[training])
    return snn, {"x": inputs[test], "y": data.labels[test], "calibration": inputs[training][:200]}


def ours(snn: Any, data: dict[str, np.ndarray], steps: int) -> Callable[[], dict[str, Any]]:
    """A run of biosnn, its program built before."""
    run(snn, data["x"][:2], steps, jobs=THREADS)

    def measured() -> dict[str, Any]:
        outcome = run(snn, data["x"], steps, labels=data["y"], jobs=THREADS)
        return {
            "seconds": outcome.elapsed,
            "processor": outcome.seconds,
            "accuracy": outcome.accuracy,
            "memory": outcome.memory * THREADS,
            "decided": outcome.decided().tolist(),
            "outcome": outcome,
        }

    return measured


def theirs(side: str, files: tuple[Path, Path], steps: int, batch: int, python: str) -> dict[str, Any] | None:
    """A run of another side, in a process of its own."""
    script = Path(__file__).parent / "sides" / "dense_torch.py"
    command = [python, str(script), side, *map(str, files), str(steps), str(batch), str(THREADS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{SIDES[side]} is left out: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")
        return None
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def addition(folder: Path) -> float:
    """Seconds that one addition takes in a loop by hand, the mean over the widths of the network's layers."""
    found = []
    for channels in (16, 32, 64):
        source, program = folder / "loop.cpp", folder / f"loop{channels}"
        source.write_text(LOOP)
        flags = ["-O3", "-march=native", "-ffast-math", "-std=c++17", f"-DCHANNELS={channels}"]
        subprocess.run(["g++", *flags, str(source), "-o", str(program)], check=True)
        times = [float(subprocess.check_output([str(program)]).split()[0]) for _ in range(5)]
        found.append(statistics.median(times))
    return statistics.mean(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network")
    for name, value in (("images", 60), ("steps", 64), ("batch", 20), ("repeat", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--python", default=sys.executable)
    given = parser.parse_args()
    snn, data = prepared(given.network, given.images)
    ann = float((reference(snn.graph).outputs(data["x"]).argmax(1) == data["y"]).mean())
    with tempfile.TemporaryDirectory(prefix="biosnn-benchmark-") as made:
        folder = Path(made)
        files = folder / "network.npz", folder / "images.npz"
        save(snn, files[0])
        np.savez(files[1], **data)
        own, rounds = ours(snn, data, given.steps), {name: [] for name in ("ours", *SIDES)}
        for _ in range(given.repeat):
            rounds["ours"].append(own())
            for side in SIDES:
                if len(rounds[side]) == len(rounds["ours"]) - 1:
                    found = theirs(side, files, given.steps, given.batch, given.python)
                    rounds[side] += [found] if found else []
        show(snn, rounds, given, ann, addition(folder))


def show(snn: Any, rounds: dict[str, list[dict[str, Any]]], given: Any, ann: float, each: float) -> None:
    """Print the table."""
    own = rounds["ours"]
    ours_now = _median(own, "seconds")
    print(f"\n{given.images} images, T = {given.steps}, {THREADS} threads; the ANN is right in {100 * ann:.1f} %\n")
    print(f"{'':50} images/s  theirs/ours  accuracy (%)  memory (MB)")
    for name, runs in rounds.items():
        if runs:
            seconds, memory = _median(runs, "seconds"), _median(runs, "memory") / 1e6
            ratio = "" if name == "ours" else f"{seconds / ours_now:.2f}"
            right = 100 * runs[0]["accuracy"]
            row = f"{given.images / seconds:8.1f}  {ratio:>11}  {right:12.1f}  {memory:11.0f}"
            print(f"{SIDES.get(name, 'biosnn'):50} {row}")
    if rounds["torch"]:
        same = np.mean(np.equal(own[0]["decided"], rounds["torch"][0]["decided"]))
        print(f"\nDecisions of biosnn and of the dense simulation agree in {100 * same:.1f} % of the images.")
    events = ledger(snn, own[0]["outcome"]).an_inference("events")
    processor = _median(own, "processor") / given.images
    share = events * each / processor
    print(
        f"{events / 1e6:.0f} million additions an image, of {1e9 * each:.3f} ns each by hand, are {100 * share:.0f} %"
    )
    print(f"of the {1e3 * processor:.0f} ms that a processor takes for an image.")


def _median(runs: list[dict[str, Any]], name: str) -> float:
    return statistics.median(run[name] for run in runs)


if __name__ == "__main__":
    main()
