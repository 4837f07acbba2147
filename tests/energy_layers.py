"""Layers for the tests of the energy ledger: fixed ones, and ones as they come."""

from brian2 import joule
from hypothesis import strategies as st

from biosnn.energy import IF_UPDATE, LIF_UPDATE, LayerCounts, Update

PJ = 1e-12 * joule
STEPS, IMAGES = 10, 4


def spiking(name="hidden", spikes=(3, 0, 5), fan_out=2, **others):
    given = {"neurons": 2, "update": LIF_UPDATE, "steps": STEPS, "inferences": IMAGES}
    return LayerCounts.spiking(name, spikes, fan_out, **{**given, **others})


def analog(name="first", fan_out=2, **others):
    given = {"sources": 3, "neurons": 2, "update": LIF_UPDATE, "steps": STEPS, "inferences": IMAGES, "passes": 1}
    return LayerCounts.analog(name, fan_out, **{**given, **others})


def pj(energy):
    return float(energy / PJ)


@st.composite
def layers(draw, name="hidden"):
    """A layer of any kind, with spikes, fan-out and zeros as they come."""
    size = draw(st.integers(1, 5))
    each = lambda most: draw(st.lists(st.integers(0, most), min_size=size, max_size=size))  # noqa: E731
    common = {"neurons": draw(st.integers(0, 50)), "steps": STEPS, "inferences": IMAGES}
    common |= {"ann_active": each(IMAGES), "update": draw(st.sampled_from([IF_UPDATE, LIF_UPDATE, Update(3, 2, 1, 4)]))}
    fan_out = [1 + reach for reach in each(99)]
    if draw(st.booleans()):
        return LayerCounts.spiking(name, each(STEPS * IMAGES), fan_out, **common)
    return LayerCounts.analog(name, fan_out, sources=size, passes=draw(st.sampled_from([1, STEPS])), **common)
