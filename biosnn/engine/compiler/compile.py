"""Drive the compiler: one process per source file on all cores, a precompiled header, no dependency pass."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

from biosnn.engine import children
from biosnn.engine.compiler import cache, toolchain, translation_units
from biosnn.engine.compiler.toolchain import Compiler, Flags
from biosnn.errors import CompileError, EngineError, field_error

HEADER = "common.h"
NEEDED_SPACE = 200 * 10**6  # bytes: objects, binary and a precompiled header of some 50 MB

# What the generated files of a usual network include between them.
_STANDARD = (
    *("algorithm", "chrono", "climits", "cmath", "csignal", "cstdint", "cstdio", "cstdlib", "ctime", "fstream"),
    *("iostream", "limits", "map", "math.h", "random", "set", "string", "tuple", "utility", "vector"),
)

# Code that runs once: reading, writing, setting up. A quarter of the compile time goes into optimising it to no use.
_COLD = re.compile(r"(main|objects|run|synapses_classes|frame|once_\d+)\.cpp|code_objects/(before|after)_run_\w+\.cpp")

# Files that every program has, and that hold so little that the compiler mostly starts and reads headers.
_FRAME = ("main.cpp", "run.cpp", "synapses_classes.cpp")

LOOP = "loop.cpp"
_LOOP = ("network.cpp", "threads.cpp")
"""The same text in every program, which is compiled once for all."""

_ONCE = re.compile(r"(objects|once_\d+)\.cpp")
"""What is compiled with the frame where that is quicker: on few cores, or if the compiler does not optimise."""

MANY_CORES = 4


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
        shutil.copytree(sources, folder, dirs_exist_ok=True)
        header, usable, made = _common(folder, files, compiler, flags, fingerprint)
        driver = _Driver(folder, compiler, usable, header, origins)
        left = [name for name in files if not (made and name in _LOOP)]
        driver.run(_units(folder, left, _optimised(usable)), made, on_progress)
        return {"compiler": compiler.version, "compile_flags": usable.compile, "link_flags": usable.link}

    return cache.obtain("programs", key, make)


def _units(folder: Path, files: Sequence[str], optimised: bool) -> list[str]:
    """What to compile: code objects joined, apart by how they are optimised, small files joined, others as they are."""
    objects = [name for name in files if name.startswith("code_objects/")]
    once = [name for name in objects if optimised and _COLD.fullmatch(name)]
    often = [name for name in objects if name not in once]
    often = translation_units.join(folder, often, "often", cores() if optimised else 1)
    rest = [*translation_units.join(folder, once, "once", 1), *(name for name in files if name not in objects)]
    few = cores() < MANY_CORES or not optimised
    frame = [name for name in rest if name in _FRAME or (few and _ONCE.fullmatch(name))]
    loop = [name for name in rest if name in _LOOP]
    return [
        *often,
        *_one_file(folder, "frame.cpp", frame),
        *_one_file(folder, LOOP, loop),
        *(name for name in rest if name not in frame and name not in loop),
    ]


def _optimised(flags: Flags) -> bool:
    return bool({"-O2", "-O3"} & set(flags.compile))


def _one_file(folder: Path, unit: str, files: Sequence[str]) -> list[str]:
    """A file that includes these, if they are more than one."""
    if len(files) < 2:
        return list(files)
    (folder / unit).write_text("".join(f'#include "{name}"\n' for name in files))
    return [unit]


def _hash(folder: Path, fingerprint: str) -> str:
    """SHA-256 of every file's name and content and of the toolchain's fingerprint."""
    digest = hashlib.sha256(fingerprint.encode())
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        content = path.read_bytes()
        digest.update(f"\0{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _environment(folder: Path) -> dict[str, str]:
    """That of a compiler, whose own temporary files lie where they go with the build if it is killed."""
    return {**os.environ, "TMPDIR": str(folder)}


def _check_space(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < NEEDED_SPACE:
        raise CompileError(
            f"Not enough room to compile: {free / 1e6:.0f} MB free in {cache.folder()}, {NEEDED_SPACE / 1e6:.0f} MB "
            "needed. Free some, run `biosnn cache --clear`, or set BIOSNN_CACHE to a folder on another disk."
        )


class _NotPrecompiled(Exception):
    """The compiler makes no precompiled header, or did not this time."""


def _common(
    project: Path, files: Sequence[str], compiler: Compiler, flags: Flags, fingerprint: str
) -> tuple[Path, Flags, list[Path]]:
    """What programs have in common: a header (standard headers and those of Brian2), and the object of `_LOOP`.

    The header is precompiled, and both are in the cache. Without its precompiled form, the compiler reads it as text,
    which takes longer and comes to the same; it is of the project alone then, so that the next build tries again.

    Returns
    -------
    tuple
        The header, the flags that work, and the object, if there is one.
    """
    library = project / "brianlib"
    headers = sorted(path.relative_to(project).as_posix() for path in library.rglob("*.h"))
    text = "".join(f"#include <{name}>\n" for name in _STANDARD)
    text += "".join(f'#include "{name}"\n' for name in headers)
    loop = _with_included(project, _LOOP) if set(_LOOP) <= set(files) else []
    digest = hashlib.sha256(f"{fingerprint}\0{text}".encode())
    for name in dict.fromkeys([*headers, *loop]):
        digest.update((project / name).read_bytes())

    def make(folder: Path) -> dict[str, object]:
        usable = toolchain.accepted(compiler, flags.compile, folder)
        shutil.copytree(library, folder / "brianlib")
        (folder / HEADER).write_text(text)
        if not _compiled(folder, [*compiler.command, *usable, "-I.", "-x", "c++-header", HEADER], f"{HEADER}.gch"):
            raise _NotPrecompiled
        for name in loop:
            shutil.copyfile(project / name, folder / name)
        if loop:
            # Should it fail, the compiler is asked again with the rest of the program, and what it says is told.
            command = [*compiler.command, *_compiling(usable, Path(HEADER)), *_one_file(folder, LOOP, _LOOP)]
            _compiled(folder, command, _object(LOOP))
        return {"compiler": compiler.version, "compile_flags": list(usable)}

    try:
        folder, _ = cache.obtain("headers", digest.hexdigest(), make)
    except _NotPrecompiled:
        (project / HEADER).write_text(text)
        return project / HEADER, Flags(toolchain.accepted(compiler, flags.compile, project), flags.link), []
    recorded = (cache.facts(folder) or {}).get("compile_flags", ())
    # Of those asked for: nothing that stands in a file becomes a flag.
    usable = Flags(tuple(flag for flag in flags.compile if flag in recorded), flags.link)
    made = folder / _object(LOOP)
    return folder / HEADER, usable, [made] if made.is_file() else []


def _with_included(project: Path, files: Sequence[str]) -> list[str]:
    """Files of a project, and those that they include."""
    found = list(files)
    for name in found:  # which grows
        included = re.findall(r'^#include "([^"]+)"', (project / name).read_text(), re.MULTILINE)
        found += [other for other in dict.fromkeys(included) if other not in found and (project / other).is_file()]
    return found


def _compiled(folder: Path, command: Sequence[str], made: str) -> bool:
    """Run a compiler in a folder, without a word; whether it has made the file."""
    with children.child([*command, "-o", made], folder, _environment(folder)) as process:
        try:
            process.communicate(timeout=toolchain.time_limit())
        except subprocess.TimeoutExpired:
            return False
    if process.returncode != 0:
        (folder / made).unlink(missing_ok=True)
    return (folder / made).is_file()


def _compiling(flags: Sequence[str], header: Path) -> list[str]:
    return ["-c", "-Wno-write-strings", *flags, "-I.", "-include", str(header)]


class _Driver:
    """Compiles and links one project; kills its compilers if it is interrupted."""

    def __init__(
        self, folder: Path, compiler: Compiler, flags: Flags, header: Path, origins: Mapping[str, str]
    ) -> None:
        self.folder, self.compiler, self.flags, self.header, self.origins = folder, compiler, flags, header, origins
        self.running: set[subprocess.Popen[str]] = set()
        self.time_limit = toolchain.time_limit()
        self.guard = threading.Lock()
        self.stopped = False

    def run(self, files: Sequence[str], made: Sequence[Path], on_progress: Callable[[int, int], None]) -> None:
        """Compile the files, and link them with the objects that are made already."""
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
                cold = [_object(name) for name in files if _COLD.fullmatch(name)]
                hot = [_object(name) for name in files if not _COLD.fullmatch(name)]
                objects = [*hot, *map(str, made), *cold]
                self._call([*self.compiler.command, *objects, "-o", "main", *self.flags.link], "main")
            except BaseException:
                self._stop(pool)
                raise
        for name in files:
            (self.folder / _object(name)).unlink()

    def _compile(self, name: str) -> None:
        command = [*self.compiler.command, *_compiling(self.flags.compile, self.header)]
        if _COLD.fullmatch(name) and _optimised(self.flags):
            command.append("-O1")
        self._call([*command, name, "-o", _object(name)], name)

    def _call(self, command: list[str], name: str) -> None:
        with contextlib.ExitStack() as stack:
            with self.guard:
                if self.stopped:
                    return
                process = stack.enter_context(children.child(command, self.folder, _environment(self.folder)))
                self.running.add(process)
            try:
                output, _ = process.communicate(timeout=self.time_limit)
            except subprocess.TimeoutExpired:
                raise self._too_long(name) from None
            finally:
                with self.guard:
                    self.running.discard(process)
        if process.returncode != 0 and not self.stopped:
            raise self._error(command, name, output)

    def _stop(self, pool: ThreadPoolExecutor) -> None:
        with self.guard:
            self.stopped = True
            for process in self.running:
                children.end(process)
        pool.shutdown(wait=True, cancel_futures=True)

    def _too_long(self, name: str) -> CompileError:
        what = "Linking the program" if name == "main" else f"Compiling {name}{self._origin(name)}"
        return CompileError(
            f"{what} took longer than {self.time_limit:g} s, and was stopped. Does the machine have enough memory? "
            "BIOSNN_COMPILE_TIMEOUT sets another limit, such as '2 h'; shorter equations compile faster."
        )

    def _origin(self, name: str) -> str:
        """In brackets, the objects that a file stems from; a unit holds several files."""
        text = (self.folder / name).read_text(errors="replace") if name not in self.origins else ""
        origins = [self.origins[name]] if name in self.origins else [o for f, o in self.origins.items() if f in text]
        named = list(dict.fromkeys(origin for origin in origins if origin))
        return f" ({', '.join(named[:3])}{' and others' if len(named) > 3 else ''})" if named else ""

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
    """How many processors this process may use: those that it is given, and at most ``BIOSNN_CORES``.

    Raises
    ------
    EngineError
        When the variable is no such number.
    """
    given = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("BIOSNN_CORES", "").strip()
    if not asked:
        return given
    if not (asked.isascii() and asked.isdigit() and int(asked) > 0):
        raise EngineError(field_error("BIOSNN_CORES", "a number of processors, 1 or more", asked))
    return min(given, int(asked))
