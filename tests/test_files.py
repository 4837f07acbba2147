"""Files from strangers and files of our own: bounded, plain, and written whole or not at all."""

from __future__ import annotations

import gzip
import os
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biosnn import archive, files
from biosnn.datasets import from_file, idx
from biosnn.energy.prices import read_prices
from biosnn.errors import BiosnnError, DataError, EnergyError
from biosnn.learning import load_network
from biosnn.study import load_result
from biosnn.writing import replaced


def npy_of_zeros(archive: zipfile.ZipFile, name: str, size: int) -> None:
    """A member of zeros, packed to a hundredth or less of its size."""
    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
        np.lib.format.write_array_header_1_0(member, {"descr": "|u1", "fortran_order": False, "shape": (size,)})
        for _ in range(size // 10**7):
            member.write(bytes(10**7))


def bomb_of_data(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as opened:
        npy_of_zeros(opened, "x", 4 * 10**7)
        npy_of_zeros(opened, "y", 4 * 10**7)


def bomb_of_texts(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as opened:
        for number in range(100):
            opened.writestr(f"{number}.toml", b" " * 10**6)


def bomb_that_lies(path: Path) -> None:
    """A text of 100 MB that says that it has ten bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as opened:
        opened.writestr("about.json", b" " * 10**8)
    content = bytearray(path.read_bytes())
    at = content.find(b"PK\1\2") + 24
    content[at : at + 4] = (10).to_bytes(4, "little")
    path.write_bytes(content)


def bomb_of_images(path: Path) -> None:
    """An IDX file of ten images with 100 MB behind them."""
    head = bytes([0, 0, 8, 3]) + np.array([10, 28, 28], ">u4").tobytes()
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(head)
        for _ in range(10):
            file.write(bytes(10**7))


def bomb_of_tables(path: Path) -> None:
    path.write_text(f"{'a.' * 30_000}a = 1")


def bomb_of_nodes(path: Path) -> None:
    """A network of NIR whose weights are nothing but a claim: HDF5 stores no zeros."""
    import h5py

    with h5py.File(path, "w") as file:
        file["version"] = "1"
        for name in "abcd":
            file.create_dataset(f"node/nodes/{name}/weight", (5000, 5000), "f8")


BOMBS: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "data.npz": (bomb_of_data, "datasets.from_file", "at most .* bytes when unpacked"),
    "texts.npz": (bomb_of_texts, "learning.load_network", "at most .* bytes when unpacked"),
    "converted.npz": (bomb_of_texts, "conversion.load", "at most .* bytes when unpacked"),
    "lies.npz": (bomb_that_lies, "learning.load_network", "about.json"),
    "images.gz": (bomb_of_images, "datasets.idx.unpack", "was read"),
    "prices.toml": (bomb_of_tables, "energy.prices.read_prices", "keys of at most 64 parts"),
    "network.nir": (bomb_of_nodes, "nir.read_nir", "at most .* bytes when unpacked"),
}
READ_ALL = """
import importlib, resource, sys
from pathlib import Path
from biosnn import files
from biosnn.errors import BiosnnError
files.ALWAYS = 2**24  # bombs of 80 MB are enough then, and are made quickly
readers = []
for word in sys.argv[2:]:
    name, _, reader = word.partition("=")
    module, _, function = reader.rpartition(".")
    readers.append((name, getattr(importlib.import_module(f"biosnn.{module}"), function)))
import h5py
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
resource.setrlimit(resource.RLIMIT_AS, (4 * 10**9, 4 * 10**9))
for name, read in readers:
    before = peak()
    try:
        read(Path(sys.argv[1], name))
        said = "was read"
    except BiosnnError as error:
        said = str(error).replace(chr(10), " ")
    print(name, peak() - before, said, sep="\\t")
"""


@pytest.mark.slow
def test_a_small_file_does_not_fill_the_memory(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    for name, (make, _, _) in BOMBS.items():
        make(tmp_path / name)
        assert (tmp_path / name).stat().st_size < 3 * 10**6
    words = [f"{name}={reader}" for name, (_, reader, _) in BOMBS.items()]
    done = run_python(READ_ALL, str(tmp_path), *words)
    assert done.returncode == 0, done.stderr
    told = [line.split("\t") for line in done.stdout.splitlines()]
    assert [name for name, _, _ in told] == list(BOMBS)
    for name, taken, said in told:
        assert int(taken) < 60, f"{name}: {taken} MB"
        assert re.search(BOMBS[name][2], said), said


def run_python(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", script, *words]
    return subprocess.run(command, capture_output=True, text=True, env=env, check=False, timeout=200)


def test_large_data_that_are_no_bomb_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What compresses as images do, far beyond the size that every file may have."""
    monkeypatch.setattr(files, "ALWAYS", 10**4)
    x = np.random.default_rng(0).integers(0, 8, (300, 1, 28, 28)).astype(np.float32)
    x[:, :, ::2] = 0
    np.savez_compressed(tmp_path / "large.npz", x=x, y=np.arange(300))
    assert (tmp_path / "large.npz").stat().st_size * 8 < x.nbytes
    np.testing.assert_array_equal(from_file(tmp_path / "large.npz").inputs, x)


READERS: dict[str, Callable[[Path], Any]] = {
    "data": from_file,
    "images": idx.unpack,
    "prices": read_prices,
    "a trained network": load_network,
}


@pytest.mark.parametrize("name", READERS)
def test_what_is_no_plain_file_is_refused_and_not_waited_for(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.npz")
    for path, told in (
        (tmp_path / "pipe.npz", "a named pipe"),
        (Path("/dev/zero"), "a device"),
        (tmp_path, "a folder"),
    ):
        with pytest.raises(BiosnnError, match=f"is {told}, not a file"):
            READERS[name](path)
    with pytest.raises(BiosnnError, match="embedded null"):
        READERS[name](Path("a\0b.npz"))
    with pytest.raises(BiosnnError, match="no such file"):
        READERS[name](tmp_path / "nothing.npz")


def test_a_result_with_a_pipe_in_it_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "result.json")
    with pytest.raises(BiosnnError, match="a named pipe"):
        load_result(tmp_path)


def test_whatever_a_parser_throws_names_the_file() -> None:
    for problem in (
        KeyError("a"),
        TypeError("b"),
        RecursionError(),
        MemoryError(),
        OverflowError("c"),
        EnergyError("d"),
    ):
        with pytest.raises(DataError, match="^mine.npz"), files.reading("mine.npz", DataError, "data"):  # noqa: RUF043
            raise problem


def test_the_memory_that_is_free_is_that_which_a_limit_leaves() -> None:
    limited = "import resource; resource.setrlimit(resource.RLIMIT_AS, (2 * 10**9, 2 * 10**9))\n"
    done = run_python(f"{limited}from biosnn.files import available_memory; print(available_memory())")
    assert 0 < int(done.stdout) < 2 * 10**9


# ---- written whole ----------------------------------------------------------------------------------------------


def test_what_a_killed_program_left_is_cleared_away_by_the_next(tmp_path: Path) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from biosnn.writing import replaced
with replaced(Path(sys.argv[1])) as new:
    new.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    path = tmp_path / "x.npz"
    archive.write(path, {"a": np.arange(3)})
    done = run_python(script, str(path))
    assert done.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 2, "the file of before, and the half one under a hidden name"
    with replaced(tmp_path / "x.npz.npz") as other:
        other.write_text("of another name")
    assert len(list(tmp_path.iterdir())) == 3
    archive.write(path, {"a": np.arange(4)})
    assert sorted(found.name for found in tmp_path.iterdir()) == ["x.npz", "x.npz.npz"]
    assert len(np.load(path)["a"]) == 4


def test_a_failure_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("before")
    with pytest.raises(ZeroDivisionError), replaced(path) as new:
        new.write_text(str(1 / 0))
    assert [found.read_text() for found in tmp_path.iterdir()] == ["before"]
    with pytest.raises(OSError, match="NUL"), replaced(tmp_path / "a\0b"):
        pass
