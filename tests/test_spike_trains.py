"""Labelled spike trains: made of values, written and read, read from others' files, and refused."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import Quantity, ms, mV, second
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from biosnn.datasets import LabelledSpikeTrains, read_events, read_spike_trains, yin_yang
from biosnn.errors import BiosnnError, CodingError, DataError, QuantityError


def small(**changes: Any) -> LabelledSpikeTrains:
    given = {
        "neurons": np.array([2, 0, 1, 2]),
        "times": np.array([5.0, 1.0, 3.0, 3.0]) * ms,
        "indptr": np.array([0, 2, 2, 4]),
        "labels": np.array([1, 0, 2]),
        "shape": (3,),
        "duration": 10 * ms,
    }
    return LabelledSpikeTrains(**(given | changes))  # type: ignore[arg-type]


def same(one: LabelledSpikeTrains, other: LabelledSpikeTrains) -> None:
    for name in ("neurons", "indptr", "labels"):
        assert_array_equal(getattr(one, name), getattr(other, name))
    assert_array_equal(np.asarray(one.times), np.asarray(other.times))
    assert (one.shape, float(one.duration), one.times.dtype) == (other.shape, float(other.duration), other.times.dtype)


@st.composite
def trains(draw: Callable[..., Any]) -> LabelledSpikeTrains:
    counts = draw(st.lists(st.integers(0, 5), min_size=1, max_size=6))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    shape = draw(st.sampled_from([(1,), (7,), (2, 3, 4)]))
    kind = draw(st.sampled_from([np.float32, np.float64]))
    times = (rng.random(sum(counts)) * 0.9).astype(kind)
    neurons = rng.integers(0, np.prod(shape), sum(counts))
    ends, labels = np.cumsum([0, *counts]), rng.integers(0, 4, len(counts))
    return LabelledSpikeTrains(neurons, Quantity(times, dim=second.dim), ends, labels, shape, 1 * second)


# ---- in memory --------------------------------------------------------------------------------------------------


def test_spikes_are_sorted_within_an_example() -> None:
    three = small()
    assert (len(three), three.size, three.classes, three.counts.tolist()) == (3, 3, 3, [2, 0, 2])
    neurons, times = three.example(0)
    assert neurons.tolist() == [0, 2]
    assert_allclose(times / ms, [1, 5])
    assert three.example(1)[0].size == 0
    assert repr(three) == "LabelledSpikeTrains(3 examples, 4 spikes of inputs of shape (3,) in 10. ms)"
    with pytest.raises(DataError, match=r"LabelledSpikeTrains.example: expected from 0 to 2 \(got 3\)"):
        three.example(3)
    with pytest.raises(ValueError, match="read-only"):
        three.neurons[0] = 1


def test_all_examples_side_by_side() -> None:
    neurons, times = small().side_by_side()
    assert neurons.tolist() == [0, 7, 8, 2]  # of example 2 inputs 1 and 2, at the same time
    assert_allclose(times / ms, [1, 3, 3, 5])


@given(trains(), st.integers(0, 100))
def test_a_batch_has_its_examples_in_its_order(data: LabelledSpikeTrains, seed: int) -> None:
    indices = np.random.default_rng(seed).integers(0, len(data), 4)
    batch = data.take(indices)
    assert batch.labels.tolist() == data.labels[indices].tolist()
    for k, index in enumerate(indices):
        for ours, theirs in zip(batch.example(k), data.example(index), strict=True):
            assert_array_equal(np.asarray(ours), np.asarray(theirs))
    same(data.take(slice(None)), data)


@given(trains(), st.integers(1, 5))
def test_parts_are_joined_to_what_they_were(data: LabelledSpikeTrains, cut: int) -> None:
    parts = [part for part in (slice(0, cut), slice(cut, None)) if len(data.labels[part])]
    same(LabelledSpikeTrains.joined([data.take(part) for part in parts]), data)


def test_parts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="at least one part"):
        LabelledSpikeTrains.joined([])
    with pytest.raises(DataError, match=r"part 1: expected inputs of shape \(3,\) for 10. ms.*\(got '\(4,\) for 10"):
        LabelledSpikeTrains.joined([small(), small(shape=(4,))])
    with pytest.raises(DataError, match=r"part 1: .*for 11\. ms"):
        LabelledSpikeTrains.joined([small(), small(duration=11 * ms)])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"neurons": [0, 1, 2, 3]}, r"neurons: expected inputs from 0 to 2, as the shape \(3,\).* \(got '0 to 3'\)"),
        ({"neurons": [0, 1, 2, -1]}, r"neurons: expected inputs from 0 to 2"),
        ({"neurons": [0, 1, 2]}, r"neurons: expected 4 whole numbers, shape \(4,\) \(got 'int64 \(3,\)'\)"),
        ({"neurons": [0.0, 1, 2, 1]}, "neurons: expected 4 whole numbers"),
        ({"times": np.arange(3) * ms}, r"times: expected one for each of 4 spikes \(got \(3,\)\)"),
        (
            {"times": np.array([1, 2, 3, 10]) * ms},
            r"times: expected from 0 on and before the duration of 10. ms.*Shift",
        ),
        ({"times": np.array([1, 2, 3, -1]) * ms}, r"times: expected from 0 on"),
        ({"times": np.array([1, np.nan, 3, 1]) * ms}, r"times: expected from 0 on"),
        ({"times": ["a"]}, "times: expected times"),
        ({"indptr": [0, 2, 1, 4]}, "indptr: expected numbers that grow from 0"),
        ({"indptr": [1, 2, 3, 4]}, "indptr: expected numbers that grow from 0"),
        ({"indptr": [0]}, "indptr: expected numbers that grow from 0"),
        ({"indptr": [0, 2, 4]}, r"labels: expected 2 whole numbers, shape \(2,\)"),
        ({"labels": [0, 1, -1]}, r"labels: expected classes from 0 \(got -1\)"),
        ({"labels": np.array([0, 1, 2**64 - 1], np.uint64)}, "labels: expected whole numbers of at most 63 bits"),
        ({"shape": 3}, "shape: expected a tuple"),
        ({"shape": ()}, "shape: expected a tuple"),
        ({"shape": (3, 0)}, "shape: expected a tuple"),
        ({"shape": (2**20, 2**20)}, "shape: expected a tuple of whole numbers, of at most"),
        ({"duration": 0 * ms}, "duration: expected one time above 0"),
        ({"duration": np.inf * ms}, "duration: expected one time above 0"),
        ({"duration": [1, 2] * ms}, "duration: expected one time above 0"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=f"LabelledSpikeTrains.{message}"):
        small(**changes)


def test_times_have_a_unit() -> None:
    for changes in ({"times": np.arange(4.0)}, {"times": np.arange(4) * mV}, {"duration": 10}):
        with pytest.raises(
            QuantityError, match=r"LabelledSpikeTrains\.(times|duration): expected a quantity in second"
        ):
            small(**changes)


# ---- values -> times --------------------------------------------------------------------------------------------


def test_values_become_latencies() -> None:
    images = np.array([[[0.0, 1.0], [0.25, 0.5]]])
    data = LabelledSpikeTrains.latency(images, [3], 2 * ms, 10 * ms, duration=20 * ms)
    assert (data.shape, data.labels.tolist()) == ((2, 2), [3])
    assert data.neurons.tolist() == [1, 3, 2, 0]
    assert_allclose(data.times / ms, [2, 6, 8, 10])
    silent = LabelledSpikeTrains.latency(images, [3], 2 * ms, 10 * ms, duration=20 * ms, zeros=False)
    assert silent.neurons.tolist() == [1, 3, 2]
    with_bias = LabelledSpikeTrains.latency(images, [3], 2 * ms, 10 * ms, duration=20 * ms, zeros=False, bias=0 * ms)
    assert (with_bias.shape, with_bias.neurons.tolist()) == ((5,), [4, 1, 3, 2])
    assert_allclose(with_bias.times / ms, [0, 2, 6, 8])
    later = LabelledSpikeTrains.latency(images, [3], 2 * ms, 10 * ms, duration=20 * ms, large_first=False)
    assert later.neurons.tolist() == [0, 2, 3, 1]
    assert_allclose(later.times / ms, [2, 4, 6, 10])


def test_the_first_point_of_yin_yang_in_spikes() -> None:
    features, labels = yin_yang(3, 42)
    data = LabelledSpikeTrains.latency(
        features, labels, 0 * ms, 30 * ms, duration=60 * ms, bias=20 * ms, large_first=False
    )
    neurons, times = data.example(0)
    x, y = 0.68030754, 0.45049925
    assert neurons.tolist() == [2, 1, 3, 4, 0]
    assert_allclose(times / ms, [30 * (1 - x), 30 * y, 30 * (1 - y), 20, 30 * x], atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "more", "error", "message"),
    [
        (([[0.5, 1.5]], [0], 0 * ms, 1 * ms), {}, CodingError, "latency, features: expected values from 0 to 1"),
        (([0.5], [0], 0 * ms, 1 * ms), {}, DataError, r"features: expected shape \(n, ...\) \(got 'shape \(1,\)'\)"),
        (([[0.5]], [0], 1 * ms, 1 * ms), {}, DataError, "t_late: expected a time after t_early"),
        (([[0.5]], [0], -1 * ms, 1 * ms), {}, DataError, "t_early: expected one time from 0"),
        (([[0.5]], [0], 0 * ms, 1), {}, QuantityError, "t_late: expected a quantity in second"),
        (([[0.5]], [0, 1], 0 * ms, 1 * ms), {}, DataError, "labels: expected 1 whole numbers"),
        (([[0.0]], [0], 0 * ms, 5 * ms), {}, DataError, "times: expected from 0 on and before the duration"),
        (([[0.5]], [0], 0 * ms, 1 * ms), {"bias": 7 * ms}, DataError, "times: expected from 0 on and before"),
        (([[0.5]], [0], 0 * ms, 1 * ms), {"bias": -1 * ms}, DataError, "bias: expected one time from 0"),
    ],
)
def test_values_and_times_that_do_not_fit(
    arguments: tuple[Any, ...], more: dict[str, Any], error: type[BiosnnError], message: str
) -> None:
    with pytest.raises(error, match=message):
        LabelledSpikeTrains.latency(*arguments, duration=5 * ms, **more)


# ---- files ------------------------------------------------------------------------------------------------------


@given(data=trains())
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, data: LabelledSpikeTrains) -> None:
    path = tmp_path_factory.mktemp("trains") / "mine.npz"
    data.write(path)
    found = read_spike_trains(path)
    same(found, data)
    assert found.source == "the file mine.npz"


def test_a_file_that_says_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    small().write(path)
    arrays = dict(np.load(path))
    for changes, message in (
        ({"labels": np.array([0, 1])}, r"mine.npz: LabelledSpikeTrains.labels: expected 3 whole numbers"),
        ({"times": np.array(["a"] * 4)}, r"mine.npz: times: expected numbers, in seconds"),
        ({"shape": np.array([3.0])}, r"mine.npz: shape: expected whole numbers, one for each axis"),
        ({"duration": np.array([1, 2])}, r"mine.npz: LabelledSpikeTrains.duration: expected one time"),
        ({"times": np.array([None] * 4)}, r"mine.npz: times: expected numbers \(got 'objects"),
    ):
        np.savez(path, **(arrays | changes))
        with pytest.raises(DataError, match=message):
            read_spike_trains(path)
    del arrays["shape"]
    np.savez(path, **arrays)
    with pytest.raises(DataError, match=r"expected the arrays neurons and times and .* \(got '.*duration'\)"):
        read_spike_trains(path)
    with pytest.raises(DataError, match="size and duration are given for HDF5 files only"):
        read_spike_trains(path, size=3)


ROWS = [np.array([0.5, 0.25, 0.125]), np.array([]), np.array([1.0, 0.75])]
UNITS = [np.array([3, 699, 0]), np.array([]), np.array([5, 5])]


def heidelberg(path: Path, kind: str = "f2", **storage: Any) -> Path:
    """A file as the Heidelberg digits are."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        spikes = file.create_group("spikes")
        for name, rows, each in (("times", ROWS, kind), ("units", UNITS, "u2")):
            array = spikes.create_dataset(name, (3,), h5py.vlen_dtype(np.dtype(each)), **storage)
            for k, row in enumerate(rows):
                array[k] = row.astype(each)
        file.create_dataset("labels", data=np.array([1, 0, 19], np.uint16), **storage)
        file.create_group("extra")["speaker"] = np.arange(3)
    return path


@pytest.mark.parametrize(
    "storage",
    [
        {},
        {"chunks": (2,)},
        {"chunks": (2,), "compression": "gzip"},
        {"chunks": (3,), "compression": "gzip", "shuffle": True, "maxshape": (None,)},
    ],
)
@pytest.mark.parametrize("kind", ["f2", "f4", ">f8"])
def test_a_file_of_heidelberg_digits(tmp_path: Path, kind: str, storage: dict[str, Any]) -> None:
    data = read_spike_trains(heidelberg(tmp_path / "shd.h5", kind, **storage))
    assert (data.shape, data.counts.tolist(), data.labels.tolist()) == ((700,), [3, 0, 2], [1, 0, 19])
    assert data.times.dtype == (np.float64 if kind == ">f8" else np.float32)
    assert float(data.duration) == 1.4
    assert data.neurons.tolist() == [0, 699, 3, 5, 5]
    assert_array_equal(np.asarray(data.times), [0.125, 0.25, 0.5, 0.75, 1.0])
    longer = read_spike_trains(tmp_path / "shd.h5", size=800, duration=2 * second)
    assert (longer.size, float(longer.duration)) == (800, 2)


def test_what_is_no_file_of_heidelberg_digits_is_refused(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "shd.h5"
    units = h5py.vlen_dtype(np.dtype("u2"))

    def changed(name: str, change: Callable[[Any], object]) -> None:
        heidelberg(path)
        with h5py.File(path, "r+") as file:
            if name in file:
                del file[name]
            change(file)

    def rows(file: Any) -> None:
        file.create_dataset("spikes/units", (2,), units)[0] = np.array([1, 2, 3])

    def fewer(file: Any) -> None:
        file.create_dataset("spikes/units", (3,), units)[0] = np.array([1, 2])

    for name, change, message in (
        (
            "labels",
            lambda _: None,
            r"labels: expected an array in the file \(got 'NoneType'\)\. It should be as the Heid",
        ),
        (
            "labels",
            lambda file: file.__setitem__("labels", np.arange(2)),
            "LabelledSpikeTrains.labels: expected 3 whole",
        ),
        ("labels", lambda file: file.__setitem__("labels", np.ones(3)), "labels: expected whole numbers"),
        ("labels", lambda file: file.__setitem__("labels", np.ones((3, 1), int)), "labels: expected an array with one"),
        ("labels", lambda file: file.__setitem__("labels", h5py.SoftLink("/extra/speaker")), "labels: .*SoftLink"),
        ("spikes/times", lambda file: file.__setitem__("spikes/times", np.ones(3)), "times: expected a row of numbers"),
        ("spikes/units", fewer, "units: expected as many as .*3 and 3 examples; the first that differs is 0"),
        ("spikes/units", rows, "units: expected as many as .*3 and 2 examples"),
        ("none", lambda file: file["spikes/units"].__setitem__(0, np.array([1, 2, 700])), "inputs from 0 to 699"),
        ("none", lambda file: file["spikes/times"].__setitem__(0, np.array([1, 2, 3.0])), "before the duration of 1.4"),
    ):
        changed(name, change)
        with pytest.raises(DataError, match=rf"shd.h5: .*{message}"):
            read_spike_trains(path)
    heidelberg(path, chunks=(2,), compression="lzf")
    with pytest.raises(DataError, match=r"times: expected arrays compressed by gzip or not at all \(got \[32000\]\)"):
        read_spike_trains(path)
    with pytest.raises(DataError, match=r"times of floating point, units of whole .*int32 and uint16"):
        read_spike_trains(heidelberg(path, "i4"))
    changed("spikes/units", lambda file: file.create_dataset("spikes/units", (3,), units))
    with pytest.raises(DataError, match="units: expected 48 bytes in the file"):
        read_spike_trains(path)
    heidelberg(path, chunks=(3,), compression="gzip")
    with h5py.File(path, "r+") as file:
        file["labels"].id.write_direct_chunk((0,), zlib.compress(b"1234"))
    with pytest.raises(DataError, match=r"labels: expected pieces of 6 bytes \(got 4\)"):
        read_spike_trains(path)
    (tmp_path / "elsewhere").write_bytes(bytes(24))
    elsewhere = [(tmp_path / "elsewhere", 0, 24)]
    changed("labels", lambda file: file.create_dataset("labels", (3,), "i8", external=elsewhere))
    with pytest.raises(DataError, match=r"labels: expected 1 to \d+ examples, in the file itself"):
        read_spike_trains(path)
    path.write_bytes(b"none")
    with pytest.raises(DataError, match=r"shd.h5: it is no HDF5 file\. It should"):
        read_spike_trains(path)


def test_rows_that_claim_what_is_not_there_are_refused(tmp_path: Path) -> None:
    content = heidelberg(tmp_path / "shd.h5", "f4").read_bytes()
    place = np.array([3], "<u4").tobytes() + content.find(b"GCOL").to_bytes(8, "little")
    at = content.find(place)
    assert at > 0
    for bad, message in (
        (np.array([2**31], "<u4").tobytes(), r"times: expected at most .* bytes when unpacked"),
        (np.array([2], "<u4").tobytes(), r"times\[0\]: expected 2 numbers of float32 \(got '12 bytes'\)"),
        (np.array([3, 8], "<u4").tobytes(), r"times: the heap at byte \d+ is damaged"),
        (np.array([3, 2**31, 2**31 + 1], "<u4").tobytes(), r"times: the heap at byte \d+ is damaged"),
        (place + np.array([77], "<u4").tobytes(), r"times\[0\]: expected 3 numbers of float32 \(got 'nothing'\)"),
    ):
        (tmp_path / "bad.h5").write_bytes(content[:at] + bad + content[at + len(bad) :])
        with pytest.raises(DataError, match=message):
            read_spike_trains(tmp_path / "bad.h5")
    heap = content.find(b"GCOL")
    # Not the signature; and a row that goes on behind the heap, to where there are bytes, but of something else.
    for place, bad in ((heap, b"X"), (heap + 24, (2**32).to_bytes(8, "little"))):
        (tmp_path / "bad.h5").write_bytes(content[:place] + bad + content[place + len(bad) :])
        with pytest.raises(DataError, match=rf"times: the heap at byte {heap} is damaged"):
            read_spike_trains(tmp_path / "bad.h5")


# ---- events -----------------------------------------------------------------------------------------------------

EVENTS = np.array([[2, 1, 3000, 1], [0, 0, 500, 0], [33, 3, 20, 1]])  # x, y, t (us), p
CAMERA = {"shape": (4, 34), "duration": 10 * ms}


def event_files(folder: Path) -> list[Path]:
    text = "\n".join(",".join(map(str, event)) for event in EVENTS)
    (folder / "plain.csv").write_text(text)
    (folder / "named.txt").write_text(f"x, y, t, p\r\n{text}\n")
    np.savez(folder / "events.npz", **dict(zip("xytp", EVENTS.T, strict=True)))
    packed = [(x << 32) | (y << 24) | (p << 23) | t for x, y, t, p in EVENTS.tolist()]
    (folder / "events.bin").write_bytes(b"".join(event.to_bytes(5, "big") for event in packed))
    return [folder / name for name in ("plain.csv", "named.txt", "events.npz", "events.bin")]


def test_events_of_a_camera(tmp_path: Path) -> None:
    for path in event_files(tmp_path):
        data = read_events(path, **CAMERA, label=7)  # type: ignore[arg-type]
        assert (data.shape, data.labels.tolist(), data.counts.tolist()) == ((2, 4, 34), [7], [3])
        assert np.transpose(np.unravel_index(data.neurons, data.shape)).tolist() == [[1, 3, 33], [0, 0, 0], [1, 1, 2]]
        assert_allclose(data.times / ms, [0.02, 0.5, 3], rtol=1e-12)
    (tmp_path / "none.csv").write_text("x,y,t,p\n")
    assert read_events(tmp_path / "none.csv", **CAMERA).counts.tolist() == [0]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2,3", "expected four numbers in a line, x,y,t,p"),
        ("1,2,3,1\n1,2", "mine.csv: cannot be read as lines of four numbers"),
        ("a,b,c,d", "mine.csv: cannot be read as lines of four numbers"),
        ("34,0,1,1", r"mine.csv: x: expected whole numbers from 0 to 33 \(got '34.0 in event 0'\)"),
        ("0,0,1,1\n0,4,1,1", r"y: expected whole numbers from 0 to 3 \(got '4.0 in event 1'\)"),
        ("0,0,1,-1", "p: expected whole numbers from 0 to 1"),
        ("0.5,0,1,1", "x: expected whole numbers"),
        ("nan,0,1,1", "x: expected whole numbers"),
        ("0,0,1e999,1", "mine.csv: LabelledSpikeTrains.times: expected from 0 on and before the duration"),
        ("0,0,10000,1", "LabelledSpikeTrains.times: expected from 0 on and before the duration"),
    ],
)
def test_events_that_make_no_sense_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "mine.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_events(tmp_path / "mine.csv", **CAMERA)  # type: ignore[arg-type]


def test_other_files_of_events_are_refused(tmp_path: Path) -> None:
    event_files(tmp_path)
    with pytest.raises(DataError, match=r"expected a file of events, .csv, .txt, .npz, .bin \(got '.aedat'\)"):
        read_events(tmp_path / "mine.aedat", **CAMERA)  # type: ignore[arg-type]
    for shape in ((2, 4, 34), (4.0, 34), ("4", "34"), 34):
        with pytest.raises(DataError, match="read_events shape: expected rows and columns"):
            read_events(tmp_path / "plain.csv", shape=shape, duration=10 * ms)  # type: ignore[arg-type]
    (tmp_path / "cut.bin").write_bytes((tmp_path / "events.bin").read_bytes()[:-1])
    with pytest.raises(DataError, match=r"cut.bin: expected 5 bytes for each event \(got '14 bytes'\)"):
        read_events(tmp_path / "cut.bin", **CAMERA)  # type: ignore[arg-type]
    np.savez(tmp_path / "odd.npz", x=np.arange(3), y=np.arange(3), t=np.arange(3), p=np.arange(2))
    with pytest.raises(DataError, match=r"odd.npz: p: expected 3 numbers, as x has \(got 'int64 \(2,\)'\)"):
        read_events(tmp_path / "odd.npz", **CAMERA)  # type: ignore[arg-type]
