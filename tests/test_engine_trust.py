"""A program of the cache is run only if it is whole to the last bit, and nobody else could have written it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biosnn.engine.compiler import cache, trust
from biosnn.errors import EngineError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no owners and modes of files")
AS_ROOT = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
SOMEBODY = 65534


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of this test's own."""
    monkeypatch.setenv("BIOSNN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def make(folder: Path) -> dict[str, object]:
    (folder / "main").write_bytes(bytes(range(200)))
    (folder / "parts").mkdir()
    (folder / "parts" / "one").write_text("one")
    return {"compile_flags": ["-O3"]}


def obtain(key: str = "k1") -> tuple[Path, bool]:
    return cache.obtain("programs", key, make)


def resealed(folder: Path, **changed: Any) -> None:
    """Change the record, so that its own hash is right again."""
    content = {**json.loads((folder / trust.RECORD).read_text()), **changed}
    content.pop("sha256")
    (folder / trust.RECORD).write_text(json.dumps({**content, "sha256": trust._own_hash(content)}))


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("file", ["main", "parts/one"])
def test_one_flipped_bit_is_found_and_the_entry_is_made_anew(file: str) -> None:
    path, _ = obtain()
    flip(path / file, 2)
    assert obtain() == (path, True)
    assert (path / "main").read_bytes() == bytes(range(200))
    assert obtain() == (path, False)


@pytest.mark.usefixtures("own")
def test_a_flipped_bit_in_the_record_is_found_wherever_it_is() -> None:
    path, _ = obtain()
    record = path / trust.RECORD
    content = record.read_bytes()
    for place in range(0, len(content), 7):
        flip(record, place)
        # Blanks between the words of JSON, and the case of its escapes, carry nothing.
        found = cache.facts(path)
        assert found is None or found["compile_flags"] == ["-O3"]
        record.write_bytes(content)
    assert cache.facts(path) is not None


DEEP = "[" * 100_000
CONTENTS = [
    *("", "null", "7", "[]", "{}", '"text"', "{" * 5000, DEEP, '{"files": ' + DEEP, "\0", "9" * 5000, '{"sha256": []}'),
    '{"sha256": "0", "files": {}}',
    " " * (2**20 + 1),
]


@pytest.mark.parametrize("content", CONTENTS, ids=range(len(CONTENTS)))
@pytest.mark.usefixtures("own")
def test_any_content_of_a_record_is_survived(content: str) -> None:
    path, _ = obtain()
    (path / trust.RECORD).write_text(content)
    assert cache.facts(path) is None
    assert len(cache.entries()) == 1
    assert obtain() == (path, True)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(files=json_values | st.dictionaries(st.sampled_from(["main", "../k1/main", "/etc", "."]), json_values))
def test_a_record_with_any_list_of_files_is_survived(files: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("entry")
    (folder / "main").write_bytes(b"x")
    trust.seal(folder, {})
    resealed(folder, files=files)
    assert trust.facts(folder) is None or files == {}


@pytest.mark.usefixtures("own")
def test_files_outside_and_links_are_not_taken_for_parts_of_an_entry(tmp_path: Path) -> None:
    path, _ = obtain()
    outside = tmp_path / "outside"
    outside.write_bytes(b"x")
    digest = trust._hash(outside)
    for name in ("../../../outside", str(outside), "parts/../main"):
        resealed(path, files={name: digest if "outside" in name else trust._hash(path / "main")})
        assert cache.facts(path) is None, name
    (path / "main").unlink()
    (path / "main").symlink_to(outside)
    resealed(path, files={"main": digest})
    assert cache.facts(path) is None


@pytest.mark.usefixtures("own")
def test_an_entry_under_another_s_name_is_none() -> None:
    path, _ = obtain()
    path.rename(path.with_name("k2"))
    assert obtain("k2") == (path.with_name("k2"), True)


def test_a_pipe_in_place_of_the_record_holds_nobody_up(own: Path) -> None:
    path = own / "programs" / "k1"
    path.mkdir(parents=True)
    os.mkfifo(path / trust.RECORD)
    assert obtain() == (path, True)


# ---- who could have written it ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    "open_up",
    [
        lambda path: (path / "main").chmod(0o775),
        lambda path: (path / trust.RECORD).chmod(0o666),
        lambda path: path.chmod(0o770),
        pytest.param(lambda path: os.chown(path / "main", SOMEBODY, -1), marks=AS_ROOT),
        pytest.param(lambda path: os.chown(path / trust.RECORD, SOMEBODY, -1), marks=AS_ROOT),
        pytest.param(lambda path: os.chown(path, SOMEBODY, -1), marks=AS_ROOT),
    ],
)
def test_what_others_can_write_or_own_is_made_anew(open_up: Callable[[Path], None]) -> None:
    path, _ = obtain()
    open_up(path)
    assert obtain() == (path, True)
    assert obtain() == (path, False)
    assert not any(found.stat().st_mode & 0o022 for found in (path, *path.rglob("*")))


def test_a_umask_that_lets_the_group_write_does_no_harm(own: Path) -> None:
    before = os.umask(0o002)
    try:
        own.mkdir(mode=0o777)
        (own / "programs").mkdir(mode=0o777)
        path, _ = obtain()
        assert obtain() == (path, False)
    finally:
        os.umask(before)
    assert stat.S_IMODE(own.stat().st_mode) == 0o775, "the folder is the user's: it stays as it is"
    assert not (own / "programs").stat().st_mode & 0o022


@pytest.mark.parametrize(
    ("folder", "open_up", "problem"),
    [
        (".", lambda path: path.chmod(0o777), "can be written by everybody"),
        pytest.param(".", lambda path: os.chown(path, SOMEBODY, -1), "belongs to another user", marks=AS_ROOT),
        pytest.param("programs", lambda path: os.chown(path, SOMEBODY, -1), "belongs to another user", marks=AS_ROOT),
    ],
)
def test_a_cache_of_others_is_refused(folder: str, open_up: Callable[[Path], None], problem: str, own: Path) -> None:
    obtain()
    open_up(own / folder)
    with pytest.raises(EngineError, match=rf"{problem}.*chmod -R go-w.*BIOSNN_CACHE"):
        obtain()
    (own / ".").chmod(0o1777)
    if folder == "." and "everybody" in problem:
        assert obtain()[1] is False, "in a folder such as /tmp nobody exchanges what is another's"


READ = """
import os, sys
from biosnn.engine.compiler import cache
os.setuid(int(sys.argv[1]))
def make(folder): raise SystemExit("it was made")
print(cache.obtain("programs", "k1", make)[1])
"""


@AS_ROOT
def test_a_cache_that_can_only_be_read_serves_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    # Not in pytest's folder, which nobody else can look into.
    with tempfile.TemporaryDirectory() as name:
        own = Path(name)
        if any(not folder.stat().st_mode & 0o001 for folder in own.parents):
            pytest.skip("the folder for temporary files cannot be looked into by others")
        monkeypatch.setenv("BIOSNN_CACHE", name)
        path, _ = obtain()
        for folder in (own, own / "programs", path):
            folder.chmod(0o755)
        done = subprocess.run(
            [sys.executable, "-c", READ, str(SOMEBODY)],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
            capture_output=True,
            text=True,
        )
    assert done.stdout == "False\n", done.stderr
