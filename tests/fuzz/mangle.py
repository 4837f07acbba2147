"""Ways to mangle a file: blindly, byte by byte; and knowing its form, so that what is wrong comes far."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import socket
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 3, 2**31, 2**63, 10**30, -(10**30), 0.5, 1e308, float("nan"), float("inf")),
    *(
        "",
        "x",
        "\0",
        "../../x",
        "1 mV",
        "-5 ms",
        "1e999 s",
        "é" * 50,
        "[" * 3000,
        "a." * 500,
        "<f8",
        "O",
        "<U999999999",
    ),
    *([], [1], [[1], [2, 3]], {}, {"a": 1}, [10**9, 10**9], [-1, -1], ["input"]),
)
"""Values that a field is not meant to have, or that it could have once too often."""


def odd(rng: random.Random) -> Any:
    return rng.choice(ODD)


# ---- bytes ------------------------------------------------------------------------------------------------------


def some_bytes(content: bytes, rng: random.Random) -> bytes:
    """Bits flipped, bytes cut off, put in, doubled, moved, or set to what lengths and counts often are."""
    made = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 5, 30))):
        at, end = sorted((rng.randrange(len(made) + 1), rng.randrange(len(made) + 1)))
        way = rng.randrange(7)
        if way == 0 and made:
            made[min(at, len(made) - 1)] ^= 1 << rng.randrange(8)
        elif way == 1:
            made[at : at + 4] = rng.choice((b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", struct.pack("<I", 2**20)))
        elif way == 2:
            made[at:at] = rng.randbytes(rng.choice((1, 4, 100)))
        elif way == 3 and rng.random() < 0.3:
            del made[at:]
        elif way == 4:
            del made[at : at + rng.choice((1, 3, 16))]
        elif way == 5:
            made[at:end] = made[at:end][::-1] if end - at < 64 else made[at:end]
        elif way == 6:
            made[at : at + 8] = made[end : end + 8]
    if rng.random() < 0.05:
        made[:4] = rng.choice((b"PK\3\4", b"\x89HDF", b"\x1f\x8b\x08\0", b"\x80\x04", b"\x93NUM", b"{}\n\n"))
    return bytes(made)


# ---- texts ------------------------------------------------------------------------------------------------------


def some_text(content: bytes, rng: random.Random) -> bytes:
    """Words and lines changed, put elsewhere, or left out; values replaced; nested too deeply; no UTF-8."""
    lines = content.decode("utf-8", "replace").split("\n")
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(lines))
        way = rng.randrange(9)
        if way == 0:
            del lines[at : at + rng.choice((1, 1, 3))]
            lines = lines or [""]
        elif way == 1:
            lines.insert(at, rng.choice(lines))
        elif way == 2:
            lines[at] = f"{lines[at].partition('=')[0]}= {toml_value(odd(rng))}"
        elif way == 3:
            words = lines[at].split(" ")
            words[rng.randrange(len(words))] = str(odd(rng))[:80]
            lines[at] = " ".join(words)
        elif way == 4:
            lines[at] = f"{rng.choice('abx')} = {'[' * 3000}"
        elif way == 5:
            lines[at] = f"{'a.' * rng.choice((3, 2000))}a = 1"
        elif way == 6:
            cut = rng.randrange(len(lines[at]) + 1)
            lines[at] = lines[at][:cut] + rng.choice("\"'[]{}=,.#\\\0\n\t5é-()*^ ") + lines[at][cut:]
        elif way == 7:
            lines[at] = rng.choice(("[a]", "[[a]]", "[values]", "[a.b]", '"" = 1', "kind = 3", "[values.rate]"))
        else:
            return some_bytes("\n".join(lines).encode(), rng)
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def toml_value(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False).replace("NaN", "nan").replace("Infinity", "inf")
    except ValueError:
        return "1"


def some_json(content: bytes, rng: random.Random) -> bytes:
    """A JSON text in which values are replaced, left out, or nested too deeply; or that is none."""
    if rng.random() < 0.25:
        return some_text(content, rng)
    if rng.random() < 0.05:
        return rng.choice((b"[" * 100_000, b'{"a":' * 50_000, b"null", b"[]", b"3", b'"x"', b"1" * 5000))
    data = json.loads(content)
    for _ in range(rng.choice((1, 1, 2, 3))):
        data = changed(data, rng)
    return json.dumps(data).encode()


def changed(data: Any, rng: random.Random) -> Any:
    """Replace, remove or rename a part of nested dicts and lists."""
    if not isinstance(data, dict | list) or not data or rng.random() < 0.1:
        return odd(rng)
    key = rng.choice(list(data)) if isinstance(data, dict) else rng.randrange(len(data))
    way = rng.random()
    if way < 0.1:
        del data[key]
    elif way < 0.2 and isinstance(data, dict):
        data[str(odd(rng))] = data.pop(key)
    elif way < 0.3:
        other = rng.choice(list(data.values()) if isinstance(data, dict) else data)
        data[key] = other
    else:
        data[key] = changed(data[key], rng)
    return data


# ---- archives ---------------------------------------------------------------------------------------------------


def some_array(rng: random.Random, array: np.ndarray) -> np.ndarray:
    """An array with another type, shape or content."""
    way = rng.randrange(8)
    if way == 0:
        return np.asarray(array).astype(rng.choice(("f2", "f4", "f8", "i1", "u8", "c8", "?")), casting="unsafe")
    if way == 1:
        return rng.choice((np.array([]), np.array(1.5), np.array(["a", "b"]), np.zeros((0, 3)), np.array(["1"], "U1")))
    if way == 2 and array.size:
        flat = np.array(array.ravel(), float) if array.dtype.kind in "biuf" else np.zeros(3)
        flat[rng.randrange(flat.size)] = rng.choice((np.nan, np.inf, -np.inf, -1, 1e300, 0.5))
        return flat.reshape(array.shape if flat.size == array.size else -1)
    if way == 3:
        return array.reshape(-1)
    if way == 4:
        return array[..., None]
    if way == 5:
        return array.reshape(-1)[: max(1, array.size // 2)]
    if way == 6:
        return np.zeros(3, [("a", "f4"), ("b", "i2")])
    return -array if array.dtype.kind in "if" else array


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array), allow_pickle=True)
    return file.getvalue()


def some_npy(content: bytes, rng: random.Random) -> bytes:
    """An array's file that says other than it brings, or has another array in it."""
    way = rng.random()
    if way < 0.5:
        try:
            return npy(some_array(rng, np.load(io.BytesIO(content))))
        except (ValueError, TypeError):
            return some_bytes(content, rng)
    start, end = content.find(b"{"), content.find(b"\n")
    if way < 0.8 and 0 < start < end:
        shape = rng.choice(
            ("(1000000000, 1000)", "(-1,)", "(3,", "(1.5,)", "()", "('a',)", "(" * 200, "(0, 99999999999)")
        )
        descr = rng.choice(
            ("'<f8'", "'|O'", "'<U1'", "'|V0'", "'<U0'", "[('a', '<f4')]", "'<U100000000'", "3", "'\\x00'")
        )
        head = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
        length = struct.pack("<H", len(head) + 1)
        return content[:8] + length + head + b"\n" + content[end + 1 :]
    return some_bytes(content, rng)


def some_zip(content: bytes, rng: random.Random) -> bytes:
    """An archive in which a member is mangled, left out, exchanged, packed otherwise, or lies about its size."""
    if rng.random() < 0.2:
        return some_bytes(content, rng)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    names, method = list(members), zipfile.ZIP_DEFLATED
    one, other = rng.choice(names), rng.choice(names)
    way = rng.random()
    if way < 0.65:
        members[one] = member(one)(members[one], rng)
    elif way < 0.72:
        members[one], members[other] = members[other], members[one]
    elif way < 0.8:
        del members[one]
    elif way < 0.85:
        method = rng.choice((zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_STORED))
    elif way < 0.9:
        members |= {f"{n}.toml": b"x" * 10**5 for n in range(rng.choice((1, 30)))}
    elif way < 0.93:
        members |= {f"{n}": b"" for n in range(11_000)}
    else:
        members[one] = bytes(3 * 10**7)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    made = file.getvalue()
    return lie(made, rng) if rng.random() < 0.1 else made


def lie(content: bytes, rng: random.Random) -> bytes:
    """Another size, method or flag in the archive's directory."""
    at = content.find(b"PK\1\2")
    field, kind = rng.choice(((24, "<I"), (20, "<I"), (16, "<I"), (10, "<H"), (8, "<H"), (42, "<I")))
    value = rng.choice((0, 1, 10, 2**31, 2**32 - 1, 10**6)) & (2 ** (8 * struct.calcsize(kind)) - 1)
    made = bytearray(content)
    struct.pack_into(kind, made, at + field, value)
    return bytes(made)


def member(name: str) -> Callable[[bytes, random.Random], bytes]:
    forms = {".npy": some_npy, ".json": some_json, ".toml": some_text}
    return forms.get(Path(name).suffix, some_bytes)


def some_gzip(content: bytes, rng: random.Random) -> bytes:
    """A gzip file that is mangled, or has mangled content; that may be much more than it says."""
    if rng.random() < 0.3:
        return some_bytes(content, rng)
    inner = bytearray(gzip.decompress(content))
    way = rng.randrange(5)
    if way == 0:
        inner[3] = rng.randrange(256)
    elif way == 1:
        inner[4:8] = rng.choice((b"\xff" * 4, b"\0\0\0\0", b"\0\0\1\0"))
    elif way == 2:
        inner += bytes(10**7)
    elif way == 3:
        inner[2] = rng.randrange(256)
    else:
        inner = bytearray(some_bytes(bytes(inner), rng))
    return gzip.compress(bytes(inner), 1)


def some_tar(content: bytes, rng: random.Random) -> bytes:
    """An archive of tar and gzip with a mangled member, a wrong name, or a link."""
    if rng.random() < 0.4:
        return some_bytes(content, rng)
    made = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(content)) as old, tarfile.open(fileobj=made, mode="w:gz") as new:
        for info in old.getmembers():
            file = old.extractfile(info)
            data = file.read() if file else b""
            if rng.random() < 0.3:
                data = some_bytes(data, rng)
            if rng.random() < 0.1:
                info.type, info.linkname = (
                    rng.choice((tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE)),
                    "/etc/passwd",
                )
                data = b""
            info.size = len(data)
            new.addfile(info, io.BytesIO(data))
    return made.getvalue()


def some_safetensors(content: bytes, rng: random.Random) -> bytes:
    """A file of tensors with a mangled head."""
    if rng.random() < 0.3:
        return some_bytes(content, rng)
    length = int.from_bytes(content[:8], "little")
    head = some_json(content[8 : 8 + length], rng)
    size = len(head) if rng.random() < 0.9 else rng.choice((0, 2**40, 2**63, len(head) + 100))
    return struct.pack("<Q", size) + head + content[8 + length :]


# ---- what is no file at all -------------------------------------------------------------------------------------


def something_else(path: Path, rng: random.Random) -> None:
    """Put something else in the place of a file: nothing, a folder, a pipe, a link, a device, a socket."""
    path.unlink()
    way = rng.randrange(7)
    if way == 0:
        path.mkdir()
    elif way == 1:
        os.mkfifo(path)
    elif way == 2:
        path.symlink_to(path.name)
    elif way == 3:
        path.symlink_to(rng.choice(("/dev/zero", "/dev/null", "/dev/full")))
    elif way == 4 and len(str(path)) < 100:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(path))
    elif way == 5:
        path.write_bytes(b"")


FORMS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    ".bin": some_bytes,
    ".gz": some_gzip,
    ".json": some_json,
    ".md": some_text,
    ".npz": some_zip,
    ".npy": some_npy,
    ".safetensors": some_safetensors,
    ".toml": some_text,
}


def mangle(path: Path, rng: random.Random, form: Callable[[bytes, random.Random], bytes] | None = None) -> None:
    """Mangle a file in its place."""
    if rng.random() < 0.04:
        something_else(path, rng)
        return
    path.write_bytes((form or FORMS.get(path.suffix, some_bytes))(path.read_bytes(), rng))
