"""Conventions: which of the counted operations an energy is made of, and with which precision.

For each, the energy of the spiking network is affine in the number of events, which gives the break-even in closed
form. An event is counted once; no rate is multiplied in again. What no convention counts: the sending of spikes from
place to place, addresses, random numbers of an encoder, control, and leakage.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from brian2 import Quantity, joule

from biosnn.energy.counts import LayerCounts
from biosnn.energy.ledger import Ledger
from biosnn.energy.prices import PriceTable
from biosnn.errors import EnergyError, field_error, unknown


@dataclass(frozen=True)
class _Precision:
    """Entries of the price table for arithmetic, and bits of what is moved."""

    add: str
    multiply: str
    product: str  # of a multiply-accumulate, whose sum costs `add`
    weight: int
    activation: int
    state: int


_PRECISIONS = {
    "fp32": _Precision("fp32_add", "fp32_multiply", "fp32_multiply", 32, 32, 32),
    "int32": _Precision("int32_add", "int32_multiply", "int32_multiply", 32, 32, 32),
    "int8": _Precision("int32_add", "int32_multiply", "int8_multiply", 8, 8, 32),
}


@dataclass(frozen=True)
class Memory:
    """How memory is counted.

    An event reads a weight, and reads and writes a state variable. A multiply-accumulate reads a weight and an
    activation, unless they are reused; its sum stays in a register. Each output of the ANN is written once.

    Parameters
    ----------
    reuse : bool
        Whether the ANN reads each weight and each input once per inference only, which is the best that it can do.
    weights_in_dram : bool
        Whether weights lie beside the chip. All else lies in the cache.
    """

    reuse: bool
    weights_in_dram: bool


@dataclass(frozen=True, kw_only=True)
class Convention:
    """A way to count energy.

    Parameters
    ----------
    name, source : str
        What it is called, and who counts like this.
    precision : {"fp32", "int32", "int8"}
        Of both networks. With "int8", products of 8 bits and the weights that spikes bring are added up in 32 bits.
    analog_as_additions : bool
        Whether multiply-accumulates of an analog input to neurons that spike cost as much as additions.
    updates : bool
        Whether updates of neurons count, and on the side of the ANN the comparison of each ReLU.
    zeros_skipped : bool
        Whether multiply-accumulates of a zero input cost nothing, on both sides.
    memory : Memory or None
        How memory is counted, if it is.

    Raises
    ------
    EnergyError
        If the precision is not one of these.
    """

    name: str
    source: str
    precision: str
    analog_as_additions: bool = False
    updates: bool = True
    zeros_skipped: bool = False
    memory: Memory | None = None

    def __post_init__(self) -> None:
        if self.precision not in _PRECISIONS:
            raise EnergyError(f"Convention.precision: {unknown('precision', self.precision, _PRECISIONS)}")

    def snn(self, ledger: Ledger, prices: PriceTable) -> Quantity:
        """Energy per inference of the spiking network."""
        costs = _costs(self, prices)
        return (costs.event * ledger.an_inference("events") + _without_events(ledger, costs)) * joule

    def ann(self, ledger: Ledger, prices: PriceTable) -> Quantity:
        """Energy per inference of the ANN that the network stands for."""
        costs = _costs(self, prices)
        layers = [layer for layer in ledger.layers if layer.macs]
        return sum(_dense(layer, costs, costs.mac) + _outputs(layer, costs) for layer in layers) * joule


@dataclass(frozen=True)
class _Costs:
    """Joules of each thing that is counted; zero of what a convention leaves out."""

    event: float
    mac: float
    analog_mac: float
    update_add: float
    update_multiply: float
    weight: float
    activation: float
    state: float
    reuse: bool
    zeros_skipped: bool


def _costs(convention: Convention, prices: PriceTable) -> _Costs:
    def price(entry: str) -> float:
        return float(np.asarray(getattr(prices, entry)))

    precision, memory = _PRECISIONS[convention.precision], convention.memory
    add = price(precision.add)
    mac = price(precision.product) + add
    bit = price("cache_64bit") / 64 if memory else 0.0
    weight_bit = price("dram_64bit") / 64 if memory and memory.weights_in_dram else bit
    weight, state = weight_bit * precision.weight, bit * precision.state
    return _Costs(
        event=add + weight + 2 * state,
        mac=mac,
        analog_mac=add if convention.analog_as_additions else mac,
        update_add=add if convention.updates else 0.0,
        update_multiply=price(precision.multiply) if convention.updates else 0.0,
        weight=weight,
        activation=bit * precision.activation,
        state=state,
        reuse=memory is not None and memory.reuse,
        zeros_skipped=convention.zeros_skipped,
    )


def _without_events(ledger: Ledger, costs: _Costs) -> float:
    """What the spiking network costs an inference, beside its events."""
    total = 0.0
    for layer in ledger.layers:
        total += layer.update_additions / layer.inferences * costs.update_add
        total += layer.multiplications / layer.inferences * costs.update_multiply
        total += layer.update_traffic / layer.inferences * costs.state
        if layer.analog_macs:
            passes = layer.analog_macs / (layer.macs * layer.inferences)
            outputs = 0.0 if layer.update else _outputs(layer, costs)
            # A layer that stays as it is in the ANN costs what it costs there.
            mac = costs.analog_mac if layer.update else costs.mac
            total += passes * (_dense(layer, costs, mac) + outputs)
    return total


def _dense(layer: LayerCounts, costs: _Costs, mac: float) -> float:
    """The multiply-accumulates of a layer, done once."""
    done = float(layer.macs)
    if costs.zeros_skipped and layer.active_macs is not None:
        done = layer.active_macs / layer.inferences
    # An input is read to see whether it is zero; if it is, its weight is not. A weight is read no more often than used.
    weights = min(layer.weights, done) if costs.reuse else done
    inputs = layer.sources if costs.reuse else layer.macs
    return done * mac + weights * costs.weight + inputs * costs.activation


def _outputs(layer: LayerCounts, costs: _Costs) -> float:
    """The ReLUs of a layer of the ANN: compared with zero, and written."""
    return layer.neurons * (costs.update_add + costs.activation)


_LEMAIRE = "Lemaire et al. 2022, arXiv:2210.13107"
_DAMPFHOFFER = "Dampfhoffer et al. 2023, doi:10.1109/TETCI.2022.3214509"

CONVENTIONS = (
    Convention(
        name="additions only",
        source="Rueckauer et al. 2017, doi:10.3389/fnins.2017.00682",
        precision="fp32",
        analog_as_additions=True,
        updates=False,
    ),
    Convention(
        name="analog input as MACs",
        source="Zhou et al. 2023, arXiv:2209.15425",
        precision="fp32",
        updates=False,
    ),
    Convention(
        name="neuron updates too",
        source=f"{_LEMAIRE}, without memory",
        precision="fp32",
    ),
    Convention(
        name="ANN skips zeros",
        source=f"{_DAMPFHOFFER}, without memory",
        precision="fp32",
        zeros_skipped=True,
    ),
    Convention(
        name="8-bit weights in both",
        source="Yan et al. 2024, arXiv:2409.08290, without memory",
        precision="int8",
    ),
    Convention(
        name="memory, nothing reused",
        source=f"{_LEMAIRE} (there 6 to 8 times less for the SNN)",
        precision="int32",
        memory=Memory(reuse=False, weights_in_dram=False),
    ),
    Convention(
        name="memory, ANN reuses",
        source=_DAMPFHOFFER,
        precision="int8",
        memory=Memory(reuse=True, weights_in_dram=False),
    ),
    Convention(
        name="memory, ANN reuses and skips zeros",
        source=_DAMPFHOFFER,
        precision="int8",
        zeros_skipped=True,
        memory=Memory(reuse=True, weights_in_dram=False),
    ),
    Convention(
        name="the same, weights in DRAM",
        source=_DAMPFHOFFER,
        precision="int8",
        zeros_skipped=True,
        memory=Memory(reuse=True, weights_in_dram=True),
    ),
)
"""Roughly from the kindest to the SNN to the strictest; all but the first two count all arithmetic."""


def convention(name: str) -> Convention:
    """One of `CONVENTIONS` by its name.

    Raises
    ------
    EnergyError
        If there is none of that name.
    """
    for known in CONVENTIONS:
        if known.name == name:
            return known
    raise EnergyError(unknown("convention", name, [known.name for known in CONVENTIONS]))


def break_even(ledger: Ledger, prices: PriceTable, convention: Convention) -> float | None:
    """Spikes per synapse per inference at which both networks cost the same, all other counts as they are.

    Parameters
    ----------
    ledger : Ledger
        The network; its own events do not matter.
    prices : PriceTable
        What operations cost.
    convention : Convention
        How energy is counted.

    Returns
    -------
    float or None
        The rate, to be compared with `Ledger.spikes_a_synapse`; infinite if events cost nothing. None if there is no
        such rate: the SNN would cost more even without a spike, or spikes replace no layer of the ANN.

    Raises
    ------
    EnergyError
        If the ledger has no counterpart in an ANN.

    Notes
    -----
    (E_ANN - E_0) / (e S): E_0 what the SNN costs without events, e what an event costs, S the multiply-accumulates that
    events replace.
    """
    if not ledger.macs:
        names = [layer.name for layer in ledger.layers]
        do = "Without the macs of an ANN there is nothing to compare with."
        raise EnergyError(field_error("Ledger.layers", "a layer with macs", names, do))
    costs = _costs(convention, prices)
    left = float(np.asarray(convention.ann(ledger, prices))) - _without_events(ledger, costs)
    if left < 0 or not ledger.synapses:
        return None
    return left / (costs.event * ledger.synapses) if costs.event else math.inf
