"""The kinds of files that are mangled: how a valid one is made, and what reads it."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import os
import random
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from brian2 import ms, mV, second
from rich.console import Console
from scipy import sparse

from biosnn.catalogue import neuron_model
from biosnn.cli.showing import show_anything
from biosnn.conversion import convert, load, read_network, save
from biosnn.datasets import LabelledSpikeTrains, cifar, from_file, idx, read_events, read_spike_trains
from biosnn.energy.prices import read_prices
from biosnn.errors import ConversionError, ModelError
from biosnn.files import read_text
from biosnn.learning import Checkpoints, Responses, TrainingHistory, load_network
from biosnn.model import from_toml
from biosnn.nir import read_nir
from biosnn.projection import Conv2D, Sparse
from biosnn.study import Claim, Result, Table, load_result, load_study
from biosnn.study.claims import check_claims
from biosnn.study.saved import write_result
from biosnn.study.verdict import Expected, check_values
from biosnn.training import Connection, Layer, TrainableNetwork
from biosnn.training import load_network as load_gradients
from biosnn.training import save_network as save_gradients
from fuzz.mangle import mangle

MODELS = Path(__file__).parent.parent.parent / "models"
Form = Callable[[bytes, random.Random], bytes]


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Parameters
    ----------
    make : function
        Writes valid files into an empty folder.
    read : function
        Reads them. It may raise errors of ours, and nothing else.
    form : function, optional
        How its files are mangled, if not by their suffix.
    """

    make: Callable[[Path], None]
    read: Callable[[Path], Any]
    form: Form | None = None

    def mangled(self, folder: Path, rng: random.Random) -> None:
        """Mangle one of the files, or two."""
        found = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".py")
        for path in rng.sample(found, min(len(found), rng.choice((1, 1, 1, 2)))):
            mangle(path, rng, self.form)


def shown(path: Path) -> None:
    show_anything(Console(file=io.StringIO(), width=100), str(path), figure=False)


# ---- data -------------------------------------------------------------------------------------------------------

RNG = np.random.default_rng(0)


def _data(folder: Path) -> None:
    np.savez_compressed(folder / "data.npz", x=RNG.random((6, 1, 4, 4)), y=np.arange(6) % 3, more=np.arange(3))


def _idx(folder: Path) -> None:
    for name, values in (("images.gz", np.arange(24).reshape(6, 2, 2)), ("labels.gz", np.arange(6))):
        head = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
        (folder / name).write_bytes(gzip.compress(head + values.astype(np.uint8).tobytes()))


def _read_idx(folder: Path) -> None:
    for name in ("images.gz", "labels.gz"):
        idx.parse(folder / name, idx.unpack(folder / name))


def _cifar(folder: Path) -> None:
    (folder / "small").mkdir()
    with tarfile.open(folder / "small" / "small.gz", "w:gz") as archive:
        for name in cifar._PARTS:
            member = tarfile.TarInfo(f"batches/{name}")
            member.size = 2 * 3073
            archive.addfile(member, io.BytesIO(RNG.integers(0, 10, 2 * 3073, np.uint8).tobytes()))


def _read_cifar(folder: Path) -> None:
    path = folder / "small" / "small.gz"
    found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() and not path.is_symlink() else ""
    os.environ["BIOSNN_DATA"] = str(folder)
    cifar.CifarSet("small", "small.gz", (), found, 2).load()


def _spike_trains(folder: Path) -> None:
    ends, labels, times = np.array([0, 3, 3, 8]), np.arange(3), RNG.random(8) * second
    LabelledSpikeTrains(np.arange(8) % 3, times, ends, labels, (3,), 1 * second).write(folder / "trains.npz")


def _heidelberg(folder: Path) -> None:
    import h5py

    with h5py.File(folder / "shd.h5", "w") as file:
        for name, kind in (("times", "f2"), ("units", "u2")):
            array = file.create_dataset(f"spikes/{name}", (4,), h5py.vlen_dtype(np.dtype(kind)), compression="gzip")
            for k in range(4):
                array[k] = np.arange(k) % 2
        file.create_dataset("labels", data=np.arange(4))


def _events(folder: Path) -> None:
    events = np.array([[2, 1, 3000, 1], [0, 0, 500, 0], [3, 3, 20, 1]])
    (folder / "events.csv").write_text("x,y,t,p\n" + "\n".join(",".join(map(str, event)) for event in events))
    np.savez(folder / "events.npz", **dict(zip("xytp", events.T, strict=True)))  # type: ignore[arg-type]
    (folder / "events.bin").write_bytes(b"\2\1\x80\x0b\xb8\0\0\0\1\xf4")


def _read_events(folder: Path) -> None:
    for name in ("events.csv", "events.npz", "events.bin"):
        read_events(folder / name, shape=(4, 4), duration=10 * ms)


# ---- networks ---------------------------------------------------------------------------------------------------


def _trained(folder: Path) -> None:
    (folder / "network.npz").write_bytes((MODELS / "networks" / "digits_100.npz").read_bytes())


def _read_trained(folder: Path) -> None:
    shown(folder / "network.npz")
    load_network(folder / "network.npz")


def _converted(folder: Path) -> None:
    graph = read_network(MODELS / "networks" / "digits_mlp.onnx", check=False)
    images = RNG.random((4, *graph.input.shape)).astype(np.float32)
    save(convert(graph, images, neuron="lif_soft"), folder / "network.npz")


def _read_converted(folder: Path) -> None:
    shown(folder / "network.npz")
    load(folder / "network.npz")


def _gradients(folder: Path) -> None:
    hidden = Layer("hidden", 32, neuron_model("lif_exp_trainable"), {"tau_m": ("5 ms", "50 ms")})
    layers = [hidden, Layer("output", 3, neuron_model("leaky_readout"))]
    kind = Conv2D((4, 4, 2), 2, padding=1)
    connections = [
        Connection("input", "hidden", RNG.normal(size=kind.fit(32, 32).shape), kind, keep_sign=True),
        Connection("hidden", "output", RNG.normal(size=40), Sparse.pairs(np.arange(40) % 32, np.arange(40) % 3)),
        Connection("hidden", "hidden", RNG.normal(size=(32, 32)), delay=2),
    ]
    save_gradients(TrainableNetwork(32, layers, connections), folder / "network.npz")


def _read_gradients(folder: Path) -> None:
    shown(folder / "network.npz")
    load_gradients(folder / "network.npz")


def _history(done: int) -> TrainingHistory:
    """Of a run of five cells with four inputs, after so many presentations."""
    none, steps = np.empty((2, 0)), np.arange(done)
    return TrainingHistory(
        begin=0.0,
        seconds=1.0,
        memory=2.0,
        state={"plastic.w": np.ones(20), "excitatory.v": np.ones(5) * mV} if done else {},
        image=steps,
        boost=np.zeros(done),
        responses=sparse.csr_array(RNG.integers(0, 3, (done, 5)), dtype=np.int32),
        timed=Responses(done, 5, 10, steps, steps, steps),
        input_spikes=np.zeros((3, 4), np.int64),
        excitatory_spikes=np.zeros((3, 5), np.int64),
        inhibitory_spikes=np.zeros((3, 5), np.int64),
        recorded_spikes=none,
        recorded_inputs=none,
    )


def _checkpoint(folder: Path) -> None:
    for _ in range(2):
        Checkpoints(folder, ["same"]).keep(0, _history(4))


def _read_checkpoint(folder: Path) -> None:
    found = Checkpoints(folder, ["same"]).last(0, _history(0))
    assert found.done in (0, 4), "what is read is a whole checkpoint, or none"


def _onnx(folder: Path) -> None:
    (folder / "network.onnx").write_bytes((MODELS / "networks" / "digits_cnn.onnx").read_bytes())


def _nir(folder: Path) -> None:
    from nir_graphs import convolutional, saved

    saved(folder, convolutional())


def _read_nir(folder: Path) -> None:
    read_nir(folder / "network.nir")
    with contextlib.suppress(ConversionError):  # not all that is read is an ordinary network
        read_network(folder / "network.nir", spiking_as="relu")


_DESCRIPTION = """
arrays = "weights.FORMAT"
input = [3, 8, 8]
[[layers]]
kind = "convolution"
weight = "w"
bias = "b"
padding = [1, 1]
[[layers]]
kind = "batch_norm"
gain = "g"
shift = "g"
mean = "b"
variance = "g"
[[layers]]
kind = "relu"
[[layers]]
kind = "max_pool"
kernel = 2
[[layers]]
kind = "flatten"
[[layers]]
kind = "linear"
weight = "w2"
"""


def _arrays(folder: Path, ending: str) -> None:
    arrays = {
        "w": RNG.random((4, 3, 3, 3), np.float32),
        "b": np.zeros(4, np.float32),
        "g": np.ones(4, np.float32),
        "w2": RNG.random((5, 64), np.float32),
    }
    if ending == "npz":
        np.savez(folder / "weights.npz", **arrays)  # type: ignore[arg-type]
    else:
        from safetensors.numpy import save_file

        save_file(arrays, folder / "weights.safetensors")
    (folder / "network.toml").write_text(_DESCRIPTION.replace("FORMAT", ending))


# ---- results, studies, prices, models ---------------------------------------------------------------------------


def _result(folder: Path) -> None:
    result = Result(
        {"rate": 27.5, "nan": float("nan"), "peak": 3 * mV},
        {"v": np.linspace(0, 1, 5) * mV, "names": np.array(["a", "bc"])},
        tables={"by rate": Table("What fires.", [["cell", "rate (Hz)"], ["a", "27.5"]])},
    )
    rows = check_values(result.values, [Expected("rate", 27.0, "1", "Nobody 1900", "published", relative=0.1)])
    claims = check_claims(result, [Claim("fast", "It is fast.", lambda _: True, lambda _: True)])
    about = {"study": "small", "settings": {"tau": "20 ms"}, "seed": 1, "target": "numpy"}
    (folder / "r").mkdir()
    write_result(folder / "r", result, rows, claims, about, {"models": [], "finished": "2026"})
    (folder / "r" / "report.html").write_text("a report")
    (folder / "r" / "figures").mkdir()
    (folder / "r" / "figures" / "captions.json").write_text(json.dumps([{"name": "a", "caption": "b"}]))


def _read_result(folder: Path) -> None:
    from biosnn.report.figures import read_captions
    from biosnn.study.folder import refuse_foreign

    shown(folder / "r")
    load_result(folder / "r")
    read_captions(folder / "r")
    refuse_foreign(folder / "r", "small")


_STUDY = '''"""Does it?"""
from dataclasses import dataclass
from biosnn.study import Result
TARGET, CLAIMS = "numpy", []
@dataclass(frozen=True)
class Settings:
    pass
def run(settings, sim):
    return Result({})
'''
_EXPECTED = """[values.rate]
expected = 27.5
tolerance = 0.5
unit = "Hz"
kind = "published"
source = "Nobody 1900"
depends_on = ["all"]

[values.share]
expected = 0.3
relative = 0.01
kind = "regression"
source = "Nobody 1901"
"""
_GALLERY = """topic = "coding"
alias = "it"
paper = "Nobody 1900, doi:10.1000/1"
seconds = 2
memory = "0.1 GB"
thumbnail = "a"
"""


def _study(folder: Path) -> None:
    texts = {"study.py": _STUDY, "plot.py": "def plot(result):\n    return []\n", "README.md": "# A study\n\nIt is.\n"}
    for name, text in (texts | {"expected.toml": _EXPECTED, "gallery.toml": _GALLERY}).items():
        (folder / name).write_text(text)


def _read_study(folder: Path) -> None:
    shown(folder)
    load_study(folder).hashes()


def _prices(folder: Path) -> None:
    names = ("fp32_add", "fp32_multiply", "int32_add", "int32_multiply", "int8_multiply", "cache_64bit", "dram_64bit")
    lines = ['name = "mine"', 'source = "nobody"', *(f'{name} = "0.9 pJ"' for name in names)]
    (folder / "prices.toml").write_text("\n".join(lines))


def _model(folder: Path) -> None:
    from biosnn.catalogue import neuron_names

    name = random.Random(str(folder)).choice(neuron_names())
    (folder / "model.toml").write_bytes((MODELS / "neurons" / f"{name}.toml").read_bytes())


def _read_model(folder: Path) -> None:
    path = folder / "model.toml"
    from_toml(read_text(path, ModelError, 10**6))
    shown(path)


def _forms() -> tuple[Form, Form]:
    from fuzz.structured import some_hdf5, some_onnx

    return some_onnx, some_hdf5


def kinds() -> dict[str, Kind]:
    """Every kind by its name."""
    from fuzz.mangle import some_tar

    some_onnx, some_hdf5 = _forms()
    return {
        "arrays-npz": Kind(lambda folder: _arrays(folder, "npz"), lambda folder: read_network(folder / "network.toml")),
        "arrays-safetensors": Kind(
            lambda folder: _arrays(folder, "safetensors"), lambda folder: read_network(folder / "network.toml")
        ),
        "checkpoint": Kind(_checkpoint, _read_checkpoint),
        "cifar": Kind(_cifar, _read_cifar, some_tar),
        "converted": Kind(_converted, _read_converted),
        "data": Kind(_data, lambda folder: from_file(folder / "data.npz")),
        "events": Kind(_events, _read_events),
        "gradients": Kind(_gradients, _read_gradients),
        "heidelberg": Kind(_heidelberg, lambda folder: read_spike_trains(folder / "shd.h5"), some_hdf5),
        "idx": Kind(_idx, _read_idx),
        "nir": Kind(_nir, _read_nir, some_hdf5),
        "onnx": Kind(_onnx, lambda folder: shown(folder / "network.onnx"), some_onnx),
        "prices": Kind(_prices, lambda folder: read_prices(folder / "prices.toml")),
        "result": Kind(_result, _read_result),
        "spike-trains": Kind(_spike_trains, lambda folder: read_spike_trains(folder / "trains.npz")),
        "study": Kind(_study, _read_study),
        "trained": Kind(_trained, _read_trained),
        MODEL: Kind(_model, _read_model),
    }


MODEL = "model"
"""The kind that is not of files of results or networks, and is counted by itself."""
