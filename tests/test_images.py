"""Images shown inside the generated code: at the right time, in the right order, as rates and as currents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from brian2 import Hz, Network, NeuronGroup, SpikeMonitor, StateMonitor, Synapses, mA, ms, mV, nA, second
from scipy import signal

import biosnn
from biosnn import Conv2D, Dense, Pool2D, images, poisson
from biosnn.errors import BiosnnError, ModelError, QuantityError, RunError

DT = 1 * ms
TARGETS = ["numpy", pytest.param("cython", marks=pytest.mark.slow), pytest.param("cpp", marks=pytest.mark.cpp)]
FRAMES = np.arange(12).reshape(3, 2, 2)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_each_image_is_shown_from_its_onset_on(target: str, precision: str) -> None:
    if (target, precision) == ("cython", "float32"):
        pytest.skip("what cython does is Python's")
    with biosnn.session(target, dt=DT, precision=precision) as sim:
        pictures = images(FRAMES, period=5 * ms, shown=3 * ms, presentation_order=[2, 0, 2, 1], name="pictures")
        seen = StateMonitor(pictures, "x", record=True, name="seen")
        which = StateMonitor(pictures, "frame", record=0, name="which")
        turns = SpikeMonitor(pictures, name="turns")
        network = Network(pictures, seen, which, turns)
        sim.run(network, 7 * ms)  # runs go on where the last one ended
        sim.run(network, 17 * ms)
        expected = [frame if step < 3 else -1 for frame in (2, 0, 2, 1) for step in range(5)] + [-1] * 4
        np.testing.assert_array_equal(which.frame[0], expected)
        blank = np.vstack([FRAMES.reshape(3, 4), np.zeros((1, 4))])
        np.testing.assert_array_equal(seen.x.T, blank[expected])
        assert sorted(set(np.rint(turns.t / ms).astype(int))) == [0, 3, 5, 8, 10, 13, 15, 18]
        np.testing.assert_array_equal(turns.count[:], np.full(4, 8))


def test_onsets_of_ones_own_and_the_last_image_stays() -> None:
    with biosnn.session("numpy", dt=DT) as sim:
        pictures = images(FRAMES * nA, onsets=[2, 3, 9] * ms, name="pictures")
        which = StateMonitor(pictures, ["frame", "x"], record=0, name="which")
        sim.run(Network(pictures, which), 12 * ms)
        np.testing.assert_array_equal(which.frame[0], [-1] * 2 + [0] + [1] * 6 + [2] * 3)
        np.testing.assert_array_equal(which.x[0] / nA, [0] * 2 + [0] + [4] * 6 + [8] * 3)


def test_presentations_are_in_time_beyond_what_32_bits_count() -> None:
    with biosnn.session("numpy", dt=0.1 * ms):
        pictures = images(np.ones((2, 2)), period=350 * ms, presentation_order=np.arange(700_000) % 2)
        assert pictures.variables["_steps"].get_value()[-1] == 3500 * 699_999
        images(np.ones((1, 2)), period=1 * ms, shown=1e6 * second)


def test_times_are_multiples_whatever_the_rounding() -> None:
    """As decimals, products, and sums that have drifted a little: up to a day in steps of 0.1 ms."""
    with biosnn.session("numpy", dt=0.1 * ms):
        step = np.arange(0, 864_000_000, 777_777)
        drifted = np.cumsum(np.diff(step * 1e-4, prepend=0))
        for times in (step * 0.1 * ms, step / 10 * ms, step * 1e-4 * second, drifted * second):
            pictures = images(np.ones((1, 2)), onsets=times, presentation_order=np.zeros(len(step), dtype=int))
            np.testing.assert_array_equal(pictures.variables["_steps"].get_value(), step)


@pytest.mark.cpp
@pytest.mark.parametrize("target", ["numpy", "cpp"])
def test_an_image_far_ahead_is_not_shown_now(target: str) -> None:
    with biosnn.session(target, dt=DT) as sim:
        pictures = images(FRAMES[:2], onsets=[1, 2**31 + 5] * ms, name="pictures")
        which = StateMonitor(pictures, "frame", record=0, name="which")
        sim.run(Network(pictures, which), 4 * ms)
        np.testing.assert_array_equal(which.frame[0], [-1, 0, 0, 0])


def test_without_a_pause_between_them_the_last_one_ends() -> None:
    with biosnn.session("numpy", dt=DT) as sim:
        pictures = images(FRAMES, period=2 * ms, shown=2 * ms, name="pictures")
        which = StateMonitor(pictures, "frame", record=0, name="which")
        sim.run(Network(pictures, which), 8 * ms)
        np.testing.assert_array_equal(which.frame[0], [0, 0, 1, 1, 2, 2, -1, -1])


@pytest.mark.cpp
@pytest.mark.parametrize("target", ["numpy", "cpp"])
def test_images_become_rates(target: str) -> None:
    grey = np.array([[0, 40, 255], [255, 0, 20]], dtype=np.uint8)
    with biosnn.session(target, seed=3, dt=DT) as sim:
        pictures = images(grey, period=400 * ms, shown=300 * ms, name="pictures")
        inputs = poisson(3, 0 * Hz, name="inputs")
        pictures.drive(inputs, "rates", 1000 * Hz / 255)
        rates = StateMonitor(inputs, "rates", record=True, when="thresholds", name="seen")
        spikes = SpikeMonitor(inputs, name="spikes")
        sim.run(Network(pictures, inputs, rates, spikes), 800 * ms)
        seen = np.asarray(rates.rates / Hz)
        counts = [
            np.bincount(spikes.i[(spikes.t >= s) & (spikes.t < s + 300 * ms)], minlength=3) for s in [0, 400] * ms
        ]
        total = spikes.num_spikes
    for k in range(2):
        np.testing.assert_allclose(seen[:, 400 * k : 400 * k + 300], np.repeat(grey[k, :, None], 300, 1) * (1000 / 255))
        np.testing.assert_array_equal(seen[:, 400 * k + 300 : 400 * k + 400], 0)
        assert counts[k][grey[k] == 255] == 300  # a spike in every step
        assert counts[k][grey[k] == 0] == 0
    assert total == np.sum(counts)


@pytest.mark.cpp
@pytest.mark.parametrize("target", ["numpy", "cpp"])
def test_a_convolution_of_images_is_a_constant_current(target: str) -> None:
    rng = np.random.default_rng(1)
    frames, kernel = rng.uniform(-1, 1, (2, 6, 5, 1)), rng.uniform(-1, 1, (3, 3, 1, 2))
    kind = Conv2D((6, 5, 1), 2, padding=1)
    with biosnn.session(target, dt=DT) as sim:
        pictures = images(frames, period=4 * ms, shown=3 * ms, name="pictures")
        cells = NeuronGroup(60, "dv/dt = I*mV/(nA*ms) : volt\nI : amp", method="euler", namespace={}, name="cells")
        joint = pictures.drive(cells, "I", kernel * nA, kind, name="first")
        seen = StateMonitor(cells, "v", record=True, when="end", name="seen")
        sim.run(Network(pictures, cells, seen), 8 * ms)
        assert joint["w"].shape == (3, 3, 1, 2)
        v = np.asarray(seen.v / mV).reshape(6, 5, 2, 8)
    sums = [
        np.stack([signal.correlate2d(frame[..., 0], kernel[..., 0, c], mode="same") for c in range(2)], axis=-1)
        for frame in frames
    ]
    np.testing.assert_allclose(v[..., 2], 3 * sums[0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(v[..., 3], 3 * sums[0], rtol=1e-9, atol=1e-12)  # the rest
    np.testing.assert_allclose(v[..., 7], 3 * (sums[0] + sums[1]), rtol=1e-9, atol=1e-12)


def test_the_catalogue_takes_a_current_into_part_of_a_group() -> None:
    with biosnn.session("numpy", dt=0.1 * ms) as sim:
        pictures = images(np.array([[1.0, 0.5], [0.0, 1.0]]), period=50 * ms, name="pictures")
        cells = biosnn.neurons(4, "lif", name="cells", values={"I": "0.1*nA"})
        pictures.drive(cells[1:3], "I", 1 * nA)
        current = StateMonitor(cells, "I", record=True, name="current")
        sim.run(Network(pictures, cells, current), 100 * ms)
        np.testing.assert_allclose(current.I[:, -1] / nA, [0.1, 0, 1, 0.1])
        np.testing.assert_allclose(current.I[:, 10] / nA, [0.1, 1, 0.5, 0.1])


def test_a_presentation_order_is_set_by_the_points_of_a_sweep() -> None:
    with biosnn.session("numpy", dt=DT) as sim:
        pictures = images(FRAMES, period=2 * ms, name="pictures")
        cells = NeuronGroup(4, "y : 1\ntotal : 1", namespace={}, name="cells")
        pictures.drive(cells, "y")
        cells.run_regularly("total += y")
        network = Network(pictures, cells)
        points = [{"pictures.presentation_order": np.array(order)} for order in ([0, 1, 2], [1, 1, 1])]
        found = sim.sweep(network, lambda: sim.run(network, 6 * ms), points, lambda _: np.array(cells.total[:]))
    np.testing.assert_array_equal(found[0], 2 * FRAMES.reshape(3, 4).sum(axis=0))
    np.testing.assert_array_equal(found[1], 6 * FRAMES.reshape(3, 4)[1])


@pytest.mark.cpp
@pytest.mark.parametrize("target", ["numpy", "cpp"])
def test_an_image_that_does_not_exist_ends_the_run(target: str) -> None:
    with biosnn.session(target, dt=DT) as sim:
        pictures = images(FRAMES, period=2 * ms, name="pictures")
        network = Network(pictures)
        points = [{"pictures.presentation_order": np.array([0, 3, 1])}]
        with pytest.raises(RunError, match=r"presentation_order: expected images below 3 \(got 3\)"):
            sim.sweep(network, lambda: sim.run(network, 6 * ms), points, lambda _: np.array(pictures.x[:]))


@pytest.mark.cpp
@pytest.mark.parametrize("target", ["numpy", "cpp"])
def test_so_does_one_that_a_place_of_the_order_is_set_to(target: str) -> None:
    with biosnn.session(target, dt=DT) as sim:
        pictures = images(FRAMES, period=2 * ms, name="pictures")
        pictures.presentation_order[0] = 7
        np.testing.assert_array_equal(pictures.presentation_order[:], [7, 1, 2])

        def show() -> Any:
            sim.run(Network(pictures), 6 * ms)
            return np.array(pictures.x[:])  # C++ runs when something is read

        with pytest.raises(RunError, match=r"presentation_order: expected images below 3 \(got 7\)"):
            show()


def test_times_can_be_text() -> None:
    with biosnn.session("numpy", dt=DT):
        pictures = images(FRAMES, period="10 ms", shown="4 ms", dt="2 ms")
        assert pictures.clock.dt == 2 * ms
        np.testing.assert_array_equal(pictures.variables["_steps"].get_value(), [0, 2, 5, 7, 10, 12])


@pytest.mark.cpp
@pytest.mark.parametrize("target", ["numpy", "cpp"])
def test_a_projection_forgets_when_the_image_changes(target: str) -> None:
    kind = Pool2D((2, 1, 1), (2, 1), mode="max")
    with biosnn.session(target, seed=1, dt=DT) as sim:
        pictures = images(np.array([[1, 0], [0, 1]]), period=10 * ms, name="pictures")
        cells = NeuronGroup(2, "x : 1", threshold="x > 0", namespace={}, name="cells")
        pictures.drive(cells, "x")
        pooled = NeuronGroup(1, "total : 1", namespace={}, name="pooled")
        joint = biosnn.Projection(cells, pooled, kind, on_pre="total_post += w", name="joint")
        joint.reset_regularly(events=pictures)
        sim.run(Network(pictures, cells, pooled, joint), 20 * ms)
        assert pooled.total[0] == 20  # without forgetting, the second image would pass nothing


def test_two_drives_of_the_same_images_add_up() -> None:
    with biosnn.session("numpy", dt=DT) as sim:
        pictures = images(FRAMES, period=2 * ms, name="pictures")
        cells = NeuronGroup(4, "y : 1", namespace={}, name="cells")
        pictures.drive(cells, "y", 1)
        pictures.drive(cells, "y", np.ones((4, 4)), Dense())
        pictures.drive(cells[:1], "y", [[100], [0], [0], [0]], Dense())
        seen = StateMonitor(cells, "y", record=True, name="seen")
        sim.run(Network(pictures, cells, seen), 6 * ms)
        flat = FRAMES.reshape(3, 4)
        each = flat + flat.sum(axis=1, keepdims=True) + 100 * flat[:, :1] * [1, 0, 0, 0]
        np.testing.assert_array_equal(seen.y.T[::2], each)
        np.testing.assert_array_equal(seen.y.T[1::2], each)


def test_other_images_cannot_drive_the_same_neurons() -> None:
    with biosnn.session("numpy", dt=DT) as sim:
        one, two = (images(FRAMES[:, :, :1] + k, period=(2 + k) * ms, name=f"images_{k}") for k in range(2))
        cells = NeuronGroup(6, "y : 1\nz : 1", namespace={}, name="cells")
        one.drive(cells[:2], "y")
        with pytest.raises(ModelError, match=r"images_1.drive, y of cells.*no other images drive \(got 'images_0'\)"):
            two.drive(cells[1:3], "y")
        assert not two.contained_objects[1:]
        two.drive(cells[2:4], "y")  # beside them
        two.drive(cells[:2], "z")
        seen = StateMonitor(cells, "y", record=True, name="seen")
        sim.run(Network(one, two, cells, seen), 5 * ms)
        np.testing.assert_array_equal(seen.y[0], FRAMES[[0, 0, 1, 1, 2], 0, 0])
        np.testing.assert_array_equal(seen.y[2], FRAMES[[0, 0, 0, 1, 1], 0, 0] + 1)


def test_images_that_are_gone_drive_nothing() -> None:
    with biosnn.session("numpy", dt=DT):
        cells = NeuronGroup(4, "y : 1", namespace={}, name="cells")
        for _ in range(2):
            pictures = images(FRAMES, period=2 * ms)
            pictures.drive(cells, "y")
            del pictures


def ordered(order: Any) -> Any:
    return images(FRAMES, period=5 * ms, presentation_order=order)


WRONG: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "one image": (lambda: images(np.ones(4), period=5 * ms), ModelError, r"an array \(images, pixels"),
    "none": (lambda: images(np.ones((0, 4)), period=5 * ms), ModelError, r"an array \(images, pixels"),
    "not a number": (lambda: images([[np.nan]], period=5 * ms), ModelError, "finite"),
    "neither": (lambda: images(FRAMES), ModelError, "either a period or onsets"),
    "both": (lambda: images(FRAMES, period=5 * ms, onsets=[1, 2, 3] * ms), ModelError, "either a period or onsets"),
    "no time": (lambda: images(FRAMES, period=5 * mA), QuantityError, "period"),
    "no quantity": (lambda: images(FRAMES, period=5), QuantityError, "period"),
    "between steps": (lambda: images(FRAMES, period=5.5 * ms), ModelError, r"multiples of the time step of 1\. ms"),
    "late between steps": (
        lambda: images(FRAMES, onsets=[0, 60.00004, 70] * second, dt=0.1 * ms),
        ModelError,
        r"onsets: expected multiples of the time step of 100\. us",
    ),
    "never": (lambda: images(FRAMES, period=np.inf * second), ModelError, "less than 1099511627776 time steps"),
    "no number": (lambda: images(FRAMES, period=np.nan * second), ModelError, "less than 1099511627776 time steps"),
    "no period": (lambda: images(FRAMES, period=0 * ms), ModelError, "at least a time step"),
    "shown too long": (lambda: images(FRAMES, period=5 * ms, shown=6 * ms), ModelError, "at most until the next"),
    "shown never": (lambda: images(FRAMES, period=5 * ms, shown=0 * ms), ModelError, "more than nothing"),
    "not in order": (lambda: images(FRAMES, onsets=[1, 5, 5] * ms), ModelError, "one after the other"),
    "too few onsets": (lambda: images(FRAMES, onsets=[1, 5] * ms), ModelError, "3 times"),
    "a presentation order of halves": (lambda: ordered([0.5]), ModelError, "whole numbers"),
    "a presentation order too far": (lambda: ordered([0, 3]), ModelError, r"0 to 2 \(got 3\)"),
    "an empty presentation order": (lambda: ordered([]), ModelError, "whole numbers"),
    "one place": (lambda: ordered(1), ModelError, "presentation_order: expected one or more"),
    "a ragged presentation order": (lambda: ordered([[1], [1, 2]]), ModelError, "whole numbers"),
    "a file": (lambda: images("file.png", period=5 * ms), ModelError, r"sequence: .* real numbers \(got 'file.png'\)"),
    "ragged": (lambda: images([[1, 2], [3]], period=5 * ms), ModelError, r"real numbers \(got '\[\[1, 2\], \[3\]\]'"),
    "holes": (lambda: images([[1, None]], period=5 * ms), ModelError, "real numbers"),
    "nothing": (lambda: images(None, period=5 * ms), ModelError, r"real numbers \(got None\)"),
    "complex": (lambda: images(FRAMES * 1j, period=5 * ms), ModelError, r"real numbers \(got 'an array of complex128'"),
    "mixed units": (
        lambda: images([[1 * mA, 1 * mV]], period=5 * ms),
        QuantityError,
        "sequence: .*different dimensions",
    ),
    "text": (lambda: images(FRAMES, period="a while"), QuantityError, r"period: Quantity 'a while'"),
    "text of a voltage": (
        lambda: images(FRAMES, period="5 mV"),
        QuantityError,
        "period: expected a quantity in second",
    ),
    "many periods": (lambda: images(FRAMES, period=[5, 6] * ms), ModelError, r"period: expected one time.*\(2,\)"),
    "shown many": (
        lambda: images(FRAMES, period=5 * ms, shown=[1, 2, 3] * ms),
        ModelError,
        r"shown: expected one time",
    ),
    "onsets of text": (lambda: images(FRAMES, onsets=["1 ms"] * 3), ModelError, "onsets: expected times"),
    "dt without a unit": (lambda: images(FRAMES, period=5 * ms, dt=1), QuantityError, "dt: expected .* second"),
    "dt below 0": (lambda: images(FRAMES, period=5 * ms, dt=-1 * ms), ModelError, "dt: expected a time above 0"),
    "a name": (lambda: images(FRAMES, period=5 * ms, name="a-b"), ModelError, r"images, name: .*\(got 'a-b'\)"),
    "no name": (lambda: images(FRAMES, period=5 * ms, name=None), ModelError, r"images, name: "),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_does_not_fit_is_refused(what: str) -> None:
    make, error, message = WRONG[what]
    with biosnn.session("numpy", dt=DT), pytest.raises(error, match=message):
        make()


def test_what_cannot_be_driven_is_refused() -> None:
    with biosnn.session("numpy", dt=DT):
        pictures = images(FRAMES, period=5 * ms, name="pictures")
        cells = NeuronGroup(4, "I : amp\ndouble = 2*I : amp\nv : volt (constant)", namespace={}, name="cells")
        for variable in ("current", "double", "N"):
            with pytest.raises(ModelError, match=rf"variable of cells named '{variable}'. Valid names: .*I"):
                pictures.drive(cells, variable, 1 * nA)
        with pytest.raises(BiosnnError, match="units"):
            pictures.drive(cells, "I", 1 * mV)
        with pytest.raises(BiosnnError, match="constant"):
            pictures.drive(cells, "v", 1 * mV)
        with pytest.raises(ModelError, match="a kind that is a sum"):
            pictures.drive(cells, "I", 1 * nA, Pool2D((2, 2, 1), 1, mode="max"))
        with pytest.raises(ModelError, match=r"weights: .*\(4, 4\)"):
            pictures.drive(cells, "I", np.ones((4, 3)) * nA, Dense())
        with pytest.raises(ModelError, match=r"weights: expected numbers \(got Dense\(\)\)\. Write kind="):
            pictures.drive(cells, "I", Dense())
        with pytest.raises(QuantityError, match=r"weights: Quantity 'much'"):
            pictures.drive(cells, "I", "much")
        with pytest.raises(ModelError, match=r"variable: expected the name of a variable of cells \(got 3\)"):
            pictures.drive(cells, 3)
        for no_group in (None, "cells", StateMonitor(cells, "I", record=True), Synapses(pictures, cells)):
            with pytest.raises(ModelError, match=r"pictures.drive, target: expected a group of neurons"):
                pictures.drive(no_group, "I")
        with pytest.raises(ModelError, match=r"pictures.drive, name: "):
            pictures.drive(cells, "I", 1 * nA, name="a-b")
        with pytest.raises(ModelError, match=r"presentation_order: expected 3 whole numbers"):
            pictures.presentation_order = [0, 1]
        assert second > pictures.clock.dt
