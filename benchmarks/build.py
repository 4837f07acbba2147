"""How long it takes to build a Diehl & Cook network's C++ program: Brian2's own build beside biosnn's.

    python benchmarks/build.py [--repeat 3] [--points 20]

Every measurement is a fresh process; stock and ours take turns, so that a busy machine is busy for both. Times are wall
seconds of ``device.build(compile=True, run=False)`` in a fresh folder on the one side, of ``sim.execute()`` on the
other, which also runs one time step. Both generate the same network with the same compiler flags. CPU
seconds are those of the process and of the compilers it starts: on a busy machine they are the steadier measure.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import brian2
from brian2 import Network, NeuronGroup, PopulationRateMonitor, SpikeMonitor, StateMonitor, Synapses, ms, mV

from biosnn import session
from biosnn.engine import Point

EXCITATORY = """
dv/dt = ((-65*mV - v) + ge*(0*mV - v) + gi*(-100*mV - v)) / tau : volt (unless refractory)
dge/dt = -ge / tau_e : 1
dgi/dt = -gi / tau_i : 1
dtheta/dt = -theta / tau_theta : volt
tau : second (shared, constant)
tau_e : second (shared, constant)
tau_i : second (shared, constant)
tau_theta : second (shared, constant)
"""
INHIBITORY = """
dv/dt = ((-60*mV - v) + ge*(0*mV - v) + gi*(-85*mV - v)) / tau : volt (unless refractory)
dge/dt = -ge / tau_e : 1
dgi/dt = -gi / tau_i : 1
tau : second (shared, constant)
tau_e : second (shared, constant)
tau_i : second (shared, constant)
"""
PLASTIC = """
w : 1
eta : 1 (shared, constant)
dpre/dt = -pre / (20*ms) : 1 (event-driven)
dpost1/dt = -post1 / (20*ms) : 1 (event-driven)
dpost2/dt = -post2 / (40*ms) : 1 (event-driven)
"""
ON_PRE = "ge_post += w; pre = 1; w = clip(w - eta*post1, 0, 1)"
ON_POST = "w = clip(w + 100*eta*pre*post2, 0, 1); post1 = 1; post2 = 1"


def network(neurons: int = 100, inputs: int = 784) -> Network:
    """Poisson inputs, plastic synapses onto excitatory neurons, and inhibitory ones that make them compete."""
    images = NeuronGroup(inputs, "rate : Hz", threshold="rand() < rate*dt", name="images", namespace={})
    images.rate = "rand()*64*Hz"
    exc = NeuronGroup(
        neurons,
        EXCITATORY,
        threshold="v > theta - 72*mV",
        reset="v = -65*mV; theta += 0.05*mV",
        refractory=5 * ms,
        method="euler",
        name="exc",
        namespace={},
    )
    inh = NeuronGroup(
        neurons,
        INHIBITORY,
        threshold="v > -40*mV",
        reset="v = -45*mV",
        refractory=2 * ms,
        method="euler",
        name="inh",
        namespace={},
    )
    exc.v, exc.theta, exc.tau, exc.tau_theta = -105 * mV, 20 * mV, 100 * ms, 1e7 * ms
    inh.v, inh.tau = -100 * mV, 10 * ms
    for group in (exc, inh):
        group.tau_e, group.tau_i = 1 * ms, 2 * ms
    xe = Synapses(images, exc, PLASTIC, on_pre=ON_PRE, on_post=ON_POST, name="xe", namespace={})
    xe.connect()
    xe.w, xe.eta, xe.pre.delay = "0.3*(rand() + 0.01)", 1e-4, "rand()*10*ms"
    xe.run_regularly("w = clip(w, 0, 0.99)", dt=500 * ms, name="bound")
    ei = Synapses(exc, inh, "w : 1 (shared, constant)", on_pre="ge_post += w", name="ei", namespace={})
    ei.connect(j="i")
    ei.w = 10.4
    ie = Synapses(inh, exc, "w : 1 (shared, constant)", on_pre="gi_post += w", name="ie", namespace={})
    ie.connect(condition="i != j")
    ie.w = 17.0
    seen = SpikeMonitor(exc, name="spikes"), PopulationRateMonitor(exc, name="rate")
    return Network(images, exc, inh, xe, ei, ie, *seen, StateMonitor(exc, ["v", "theta"], record=[0, 1], name="state"))


def timed(action: Callable[[], object]) -> dict[str, float]:
    """Wall seconds of an action, and CPU seconds of this process and of those it has started and waited for."""
    begin, used = time.perf_counter(), os.times()
    action()
    now = os.times()
    return {"wall": time.perf_counter() - begin, "cpu": sum(now[:4]) - sum(used[:4])}


def stock(folder: Path) -> dict[str, float]:
    """Brian2's own build."""
    brian2.set_device("cpp_standalone", build_on_run=False)
    brian2.defaultclock.dt = 0.5 * ms
    net = network()
    net.run(0.5 * ms, namespace={})
    return timed(partial(brian2.device.build, directory=str(folder), compile=True, run=False))


def ours(eta: float = 1e-4, seed: int = 1) -> dict[str, float]:
    """The engine's, with whatever the cache folder holds."""
    with session("cpp", seed=seed, dt=0.5 * ms) as sim:
        net = network()
        net["xe"].eta, net["exc"].tau = eta, 90 * ms
        sim.run(net, 0.5 * ms)
        return timed(sim.execute)


def sweep(points: int) -> dict[str, float]:
    """What each further point of a sweep costs: many points against one, both with the program built."""
    found = []
    with session("cpp", seed=1, dt=0.5 * ms) as sim:
        for count in (1, 1, points):  # the first builds
            sim.reset()
            net = network()
            values = [Point({"exc.tau": (80 + number) * ms}, seed=number) for number in range(count)]
            program, spikes = partial(sim.run, net, 0.5 * ms), net["spikes"]
            found.append(timed(partial(sim.sweep, net, program, values, lambda _, spikes=spikes: spikes.num_spikes)))
    return {kind: (found[2][kind] - found[1][kind]) / (points - 1) for kind in found[0]}


def measure(what: str, folder: Path, points: int) -> dict[str, float]:
    """Measure in a fresh process."""
    command = [sys.executable, __file__, "--points", str(points), "--measure", what, "--folder", str(folder)]
    environment = {**os.environ, "BIOSNN_CACHE": str(folder / "cache"), "BIOSNN_PROGRESS": "off"}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def compare(repeat: int, points: int) -> None:
    """Take the measurements and print them."""
    found: dict[str, list[dict[str, float]]] = {}
    for _ in range(repeat):
        with tempfile.TemporaryDirectory(prefix="biosnn-build-") as name:
            folder = Path(name)
            for what in ("stock", "first", "header", "cached", "point"):
                if what == "header":  # the header stays, the program goes
                    shutil.rmtree(folder / "cache" / "programs")
                found.setdefault(what, []).append(measure(what, folder, points))
    median = {w: {k: statistics.median(f[k] for f in many) for k in ("wall", "cpu")} for w, many in found.items()}
    rows = {
        "stock": "Brian2's own build",
        "first": "biosnn, nothing cached",
        "header": "biosnn, a new model with the header precompiled",
        "cached": "biosnn, the same model with other values and seed",
        "point": f"biosnn, each further point of a sweep ({points} points)",
    }
    print(f"{'':50} {'wall s':>9} {'ratio':>7} {'CPU s':>9} {'ratio':>7}   wall s, each time")
    for what, label in rows.items():
        numbers = " ".join(
            f"{median[what][k]:9.3f} {median[what][k] / median['stock'][k]:7.3f}" for k in ("wall", "cpu")
        )
        each = ", ".join(f"{one['wall']:.2f}" for one in found[what])
        print(f"{label:50} {numbers}   {each}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3, help="how often each is measured (the median is printed)")
    parser.add_argument("--points", type=int, default=20, help="points of the sweep")
    parser.add_argument("--measure", choices=["stock", "first", "header", "cached", "point"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure is None:
        compare(asked.repeat, asked.points)
        return
    if asked.measure == "stock":
        result = stock(asked.folder / "stock")
    elif asked.measure == "point":
        result = sweep(asked.points)
    else:
        result = ours(*((2e-4, 7) if asked.measure == "cached" else ()))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
