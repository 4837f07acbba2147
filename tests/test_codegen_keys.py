"""What Brian2 looks up by variables: our keys are its own."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import numpy as np
import pytest
from brian2 import Hz, Network, PoissonGroup, SpikeMonitor, TimedArray, ms, mV
from brian2.utils import caching

import biosnn
from biosnn.codegen import keys


def test_keys_are_those_of_brian(monkeypatch: pytest.MonkeyPatch) -> None:
    names = dict(vars(caching))
    brians = names["_hashable"] = FunctionType(keys._brians.__code__, names)  # which calls itself, not ours
    seen: set[Any] = set()

    def both(value: Any) -> Any:
        found = keys.key(value)
        assert found == brians(value)
        seen.add(found)
        return found

    monkeypatch.setattr(caching, "_hashable", both)
    with biosnn.session("numpy", seed=1) as sim:
        drive = TimedArray([[10, 20]] * Hz, dt=1 * ms)
        source = PoissonGroup(2, "drive(t, i)", namespace={"drive": drive})
        cells = biosnn.neurons(2, "lif_exp")
        wires = biosnn.synapses(source, cells, "stdp_pair", onto="v", gain=1 * mV, connect="i == j")
        sim.run(Network(source, cells, wires, SpikeMonitor(cells)), 1 * ms)
    assert len(seen) > 50


@pytest.mark.parametrize("value", [3.0 * ms, np.array(2.0), np.dtype(float), {"a": [1, {2}]}, ("x", None), 2 * ms / ms])
def test_plain_values_and_collections_too(value: Any) -> None:
    names = dict(vars(caching))
    brians = names["_hashable"] = FunctionType(keys._brians.__code__, names)
    try:
        expected = brians(value)
    except TypeError:
        with pytest.raises(TypeError):
            keys.key(value)
    else:
        assert keys.key(value) == expected
