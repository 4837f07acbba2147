"""One network on several threads: the same bits whatever their number, and what is left to one of them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from brian2 import Hz, Network, NeuronGroup, PoissonGroup, SpikeMonitor, linked_var, ms, pA, pF
from brian2.devices.device import get_device
from numpy.typing import NDArray

import biosnn
from biosnn.engine import Point
from biosnn.errors import EngineError, ModelError
from biosnn.projection import Dense, FixedIndegree, FixedOutdegree, FixedTotal, Projection, Sparse

N = 6500  # parts of a group have at least 2048 neurons
DT = 0.1 * ms
ADDS = {"on_pre": "x_post += w", "model": "w : 1"}

# Each made of one projection at least: those that threads divide between them, and those that one goes through.
DIVIDED = {
    "cells_stateupdater",
    "cells_spike_thresholder",
    "others_stateupdater",
    "background_draw",
    "learns_pre",
    "learns_post",
    "decays_regularly",
    "spread_pre",
    "total_pre",
    "dense_pre",
    "pairs_pre",
    "pairs_late_pre",
}
SERIAL = {"noisy_stateupdater", "poisson_spike_thresholder", "unsorted_pre", "random_pre", "exp_pre"}


def network() -> tuple[Network, dict[str, Any]]:
    """Cells that excite each other by every kind of synapse that threads divide, and by some that they do not."""
    cells = biosnn.neurons(N, "lif_psc_exp", name="cells", values={"v": "v_rest + 14*mV*rand()"})
    others = NeuronGroup(N, "dx/dt = (2.5 - x - exp(-x/2))/(8*ms) : 1", threshold="x > 1.5", reset="x = 0",
                         method="euler", name="others", namespace={"ms": ms})  # fmt: skip
    others.x = "2*rand()"
    noisy = NeuronGroup(N, "dx/dt = -x/(5*ms) + 0.1*xi*ms**-0.5 : 1", method="euler", name="noisy",
                        namespace={"ms": ms})  # fmt: skip
    drive = biosnn.background(
        cells, "I_syn", n=np.linspace(900, 1100, N), rate=8 * Hz, weight=110 * pA, name="background"
    )
    learns = biosnn.synapses(
        cells, cells, "stdp_pair", connect=FixedTotal(40 * N), gain=5 * pA, onto="I_syn", name="learns",
        delay="1*ms + 0.8*ms*rand()", values={"w": "0.5 + 0.1*randn()"},
    )  # fmt: skip
    rng = np.random.default_rng(1)
    i, j = rng.integers(N, size=(2, 60 * N))
    pairs = Sparse.pairs(i, j, shape=(N, N))
    unsorted = Sparse(
        (N, N), pairs.indptr, np.concatenate([row[::-1] for row in np.split(pairs.indices, pairs.indptr[1:-1])])
    )
    few = FixedIndegree(20)
    joined = {
        "spread": Projection(cells, others, FixedOutdegree(50, multapses=False), name="spread", **ADDS),
        "total": Projection(others, noisy, FixedTotal(30 * N), name="total", delay=1.3 * ms, **ADDS),
        "dense": Projection(cells[:200], noisy, Dense(), name="dense", **ADDS),
        "pairs": Projection(cells, others, pairs, name="pairs", **ADDS),
        "pairs_late": Projection(others, noisy, pairs, name="pairs_late", delay=rng.uniform(0, 3, len(i)) * ms, **ADDS),
        "unsorted": Projection(cells, noisy, unsorted, name="unsorted", **ADDS),
        "random": Projection(cells, noisy, few, name="random", model="w : 1", on_pre="x_post += rand()*w"),
        "exp": Projection(others, noisy, few, name="exp", model="w : 1", on_pre="x_post += exp(-x_pre)*w"),
        "decays": Projection(cells, others, few, name="decays", **ADDS),
    }  # fmt: skip
    joined["decays"].run_regularly("w *= exp(-dt/(20*ms))", dt=1 * ms, name="decays_regularly")
    for name, projection in joined.items():
        given = name in ("pairs", "pairs_late", "unsorted", "dense")
        projection["w"] = np.full(projection["w"].shape, 0.001) if given else "0.002*rand()"
    poisson = PoissonGroup(N, 100 * Hz, name="poisson")
    seen = SpikeMonitor(cells, name="seen"), SpikeMonitor(others, name="seen_others")
    groups = {"cells": cells, "others": others, "noisy": noisy, "learns": learns, **joined}
    return Network(cells, others, noisy, drive, learns, *joined.values(), poisson, *seen), {
        **groups, "seen": seen[0], "seen_others": seen[1], "poisson": poisson,
    }  # fmt: skip


@cache
def simulated(threads: int) -> dict[str, NDArray[Any]]:
    with biosnn.session("cpp", seed=3, dt=DT, threads=threads) as sim:
        net, parts = network()
        sim.run(net, 30 * ms)
        read = {"spikes": parts["seen"].i, "times": parts["seen"].t, "others": parts["seen_others"].i}
        read |= {
            "v": parts["cells"].v,
            "I_syn": parts["cells"].I_syn,
            "x": parts["others"].x,
            "noise": parts["noisy"].x,
        }
        read |= {"learnt": parts["learns"].w, "decayed": parts["decays"].w, "delays": parts["learns"].delays()}
        divided = {name for name, code in get_device().code_objects.items() if "biosnn::in_" in code.code.cpp_file}
        names = {name.removesuffix("_codeobject") for name in divided}
        return {name: np.array(values) for name, values in read.items()} | {"divided": np.array(sorted(names))}


@pytest.mark.cpp
@pytest.mark.usefixtures("optimised")
def test_what_no_neuron_shares_with_another_is_divided() -> None:
    divided = set(simulated(1)["divided"])
    assert divided >= DIVIDED, DIVIDED - divided
    assert not divided & SERIAL


@pytest.mark.cpp
@pytest.mark.usefixtures("optimised")
@pytest.mark.parametrize("threads", [2, 3, 5])
def test_results_are_the_same_to_the_last_bit_for_any_number_of_threads(threads: int) -> None:
    one, several = simulated(1), simulated(threads)
    assert len(one["spikes"]) > N, "too quiet a network to tell"
    assert len(one["others"]) > N
    for name, values in one.items():
        np.testing.assert_array_equal(several[name], values, err_msg=name)


@pytest.mark.cpp
def test_points_run_on_several_threads_too() -> None:
    """Fewer programs at once, so that all their threads have a core."""
    found = []
    for threads in (1, 2):
        with biosnn.session("cpp", seed=2, dt=DT, threads=threads) as sim:
            cells = biosnn.neurons(N, "lif_psc_exp", name="cells", values={"v": "v_rest + 14*mV*rand()"})
            seen = SpikeMonitor(cells, name="seen")
            net = Network(cells, seen)
            points = [Point({"cells.C": C * pF}, seed=1) for C in (200.0, 260.0)]
            cells.I = 500 * pA
            assert sim.threads == threads
            found.append(sim.sweep(net, lambda: sim.run(net, 20 * ms), points, lambda _: np.array(seen.i)))  # noqa: B023
    for one, two in zip(*found, strict=True):
        assert len(one) > 100
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("threads", [0, -1, 2.0, True, 5000, "2"])
def test_threads_are_a_number_of_them(threads: Any) -> None:
    with (
        pytest.raises(EngineError, match="threads: expected a whole number from 1 to 1024"),
        biosnn.session(threads=threads),
    ):
        pass


@pytest.mark.parametrize("target", ["numpy", "cython"])
def test_other_targets_have_one_thread(target: str) -> None:
    with (
        pytest.raises(EngineError, match=f"threads: expected 1 on the target {target}.*cpp"),
        biosnn.session(target, threads=2),
    ):
        pass


@pytest.mark.cpp
def test_a_rate_that_other_statements_change_is_refused_before_anything_is_compiled() -> None:
    """A program looks at rates of single neurons once per run, unless the background's own statements change them."""
    with biosnn.session("cpp", seed=1, dt=DT) as sim:
        cells = biosnn.neurons(10, "lif_psc_exp", name="cells")
        drive = biosnn.background(cells, "I_syn", n=np.arange(10), rate=8 * Hz, weight=1 * pA, name="drive")
        tuned = NeuronGroup(10, "n : 1 (linked)", name="tuned")
        tuned.n = linked_var(drive, "n")
        tuned.run_regularly("n = 2*n", dt=1 * ms)
        sim.run(Network(cells, drive, tuned), 1 * ms)
        with pytest.raises(
            ModelError, match=r"drive, n, changed in a run: expected statements of drive\.run_regularly.*tuned"
        ):
            sim.execute()
