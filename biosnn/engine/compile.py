"""Drive the compiler: one process a source file on all cores, a precompiled header, no dependency pass."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

from biosnn.engine import cache, toolchain, units
from biosnn.engine.toolchain import Compiler, Flags
from biosnn.errors import CompileError

HEADER = "common.h"
NEEDED_SPACE = 200 * 10**6  # bytes: objects, binary and a precompiled header of some 50 MB

# What the generated files of a usual network include between them.
_STANDARD = (
    *("algorithm", "chrono", "climits", "cmath", "csignal", "cstdint", "cstdio", "cstdlib", "ctime", "fstream"),
    *("iostream", "limits", "map", "math.h", "random", "set", "string", "tuple", "utility", "vector"),
)

# Code that runs once: reading, writing, setting up. A quarter of the compile time goes into optimising it to no use.
_COLD = re.compile(r"(main|objects|run|synapses_classes|once_\d+)\.cpp|code_objects/(before|after)_run_\w+\.cpp")


def build(
    sources: Path,
    files: Sequence[str],
    compiler: Compiler,
    flags: Flags,
    origins: Mapping[str, str],
    on_progress: Callable[[int, int], None],
) -> tuple[Path, bool]:
    """The cache folder that holds the program ``main`` of these sources, built if it is not there yet.

    Parameters
    ----------
    sources
        Folder of the generated project.
    files
        Its C++ files that are to be compiled, relative to the folder.
    compiler, flags
        What to compile with.
    origins
        Which object and model a file stems from, for errors.
    on_progress
        Called with (files compiled, files in all).

    Returns
    -------
    tuple
        The folder of the entry, and whether a compiler was needed.

    Raises
    ------
    CompileError
        When the compiler or linker fails, or the disk has no room.
    """
    fingerprint = toolchain.fingerprint(compiler, flags)
    key = _hash(sources, fingerprint)

    def make(folder: Path) -> dict[str, object]:
        _check_space(folder)
        header, usable = _common_header(sources, compiler, flags, fingerprint)
        shutil.copytree(sources, folder, dirs_exist_ok=True)
        driver = _Driver(folder, compiler, usable, header, origins)
        driver.run(_units(folder, files), on_progress)
        return {"compiler": compiler.version, "compile_flags": usable.compile, "link_flags": usable.link}

    return cache.obtain("programs", key, make)


def _units(folder: Path, files: Sequence[str]) -> list[str]:
    """What to compile: code objects joined, apart by how they are optimised, and the other files as they are."""
    objects = [name for name in files if name.startswith("code_objects/")]
    once = [name for name in objects if _COLD.fullmatch(name)]
    often = [name for name in objects if name not in once]
    rest = [name for name in files if name not in objects]
    return [*units.join(folder, often, "often", cores()), *units.join(folder, once, "once", 1), *rest]


def _hash(folder: Path, fingerprint: str) -> str:
    """SHA-256 of every file's name and content and of the toolchain's fingerprint."""
    digest = hashlib.sha256(fingerprint.encode())
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        content = path.read_bytes()
        digest.update(f"\0{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _check_space(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < NEEDED_SPACE:
        raise CompileError(
            f"Not enough room to compile: {free / 1e6:.0f} MB free in {cache.folder()}, {NEEDED_SPACE / 1e6:.0f} MB "
            "needed. Free some, run `biosnn cache --clear`, or set BIOSNN_CACHE to a folder on another disk."
        )


def _common_header(sources: Path, compiler: Compiler, flags: Flags, fingerprint: str) -> tuple[Path, Flags]:
    """The precompiled header (standard headers and those of Brian2), itself in the cache, and the flags that work."""
    library = sources / "brianlib"
    own = sorted(path for path in library.rglob("*.h"))
    text = "".join(f"#include <{name}>\n" for name in _STANDARD)
    text += "".join(f'#include "{path.relative_to(sources).as_posix()}"\n' for path in own)
    digest = hashlib.sha256(f"{fingerprint}\0{text}".encode())
    for path in own:
        digest.update(path.read_bytes())

    def make(folder: Path) -> dict[str, object]:
        usable = toolchain.accepted(compiler, flags.compile, folder)
        shutil.copytree(library, folder / "brianlib")
        (folder / HEADER).write_text(text)
        # Without the precompiled form the compiler reads the text instead: slower, equally right. So no check.
        command = [*compiler.command, *usable, "-I.", "-x", "c++-header", HEADER, "-o", f"{HEADER}.gch"]
        subprocess.run(command, cwd=folder, capture_output=True, check=False)
        return {"compiler": compiler.version, "compile_flags": usable}

    folder, _ = cache.obtain("headers", digest.hexdigest(), make)
    return folder / HEADER, Flags(_recorded_flags(folder), flags.link)


def _recorded_flags(folder: Path) -> tuple[str, ...]:
    return tuple(json.loads((folder / cache.RECORD).read_text())["compile_flags"])


class _Driver:
    """Compiles and links one project; kills its compilers if it is interrupted."""

    def __init__(
        self, folder: Path, compiler: Compiler, flags: Flags, header: Path, origins: Mapping[str, str]
    ) -> None:
        self.folder, self.compiler, self.flags, self.header, self.origins = folder, compiler, flags, header, origins
        self.running: set[subprocess.Popen[str]] = set()
        self.guard = threading.Lock()
        self.stopped = False

    def run(self, files: Sequence[str], on_progress: Callable[[int, int], None]) -> None:
        # The longest files first, so that no core is left with one of them at the end.
        ordered = sorted(files, key=lambda name: (self.folder / name).stat().st_size, reverse=True)
        done = 0
        with ThreadPoolExecutor(max_workers=cores()) as pool:
            try:
                pending = {pool.submit(self._compile, name) for name in ordered}
                on_progress(0, len(files))
                while pending:
                    finished, pending = wait(pending, timeout=0.25, return_when=FIRST_COMPLETED)
                    for future in finished:
                        future.result()
                    done += len(finished)
                    on_progress(done, len(files))
                # Of a function that several objects hold, the linker takes the first: let it be a well optimised one.
                objects = [_object(name) for name in sorted(files, key=lambda name: bool(_COLD.fullmatch(name)))]
                self._call([*self.compiler.command, *objects, "-o", "main", *self.flags.link], "main")
            except BaseException:
                self._stop(pool)
                raise
        for name in files:
            (self.folder / _object(name)).unlink()

    def _compile(self, name: str) -> None:
        command = [*self.compiler.command, "-c", "-Wno-write-strings", *self.flags.compile, "-I."]
        if _COLD.fullmatch(name) and {"-O2", "-O3"} & set(self.flags.compile):
            command.append("-O1")
        self._call([*command, "-include", str(self.header), name, "-o", _object(name)], name)

    def _call(self, command: list[str], name: str) -> None:
        with self.guard:
            if self.stopped:
                return
            process = subprocess.Popen(
                command, cwd=self.folder, text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            self.running.add(process)
        output, _ = process.communicate()
        with self.guard:
            self.running.discard(process)
        if process.returncode != 0 and not self.stopped:
            raise self._error(command, name, output)

    def _stop(self, pool: ThreadPoolExecutor) -> None:
        with self.guard:
            self.stopped = True
            for process in self.running:
                process.kill()
        pool.shutdown(wait=True, cancel_futures=True)

    def _error(self, command: list[str], name: str, output: str) -> CompileError:
        source = self.folder / name
        text = source.read_text() if source.is_file() else ""
        log = cache.keep_log("compile", f"$ {' '.join(command)}\n\n{output}\n\n---- {name} ----\n{text}")
        said = [line for line in output.splitlines() if "error" in line.lower()] or output.splitlines()
        first = "\n  ".join(said[:5])
        # A unit holds several files; the compiler names the one it refuses.
        refused = next((file for file in self.origins if file in first), name)
        origin = self.origins.get(refused, "")
        return CompileError(
            f"The compiler ({self.compiler.version}) refused {refused}{f' ({origin})' if origin else ''}:\n  {first}\n"
            f"Log and source: {log}"
        )


def _object(name: str) -> str:
    return str(Path(name).with_suffix(".o")) if not os.path.isabs(name) else f"{Path(name).stem}.o"


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
