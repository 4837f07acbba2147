"""Which compiler there is, which targets work, and with which flags a program is built."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import platform
import re
import shlex
import shutil
import subprocess
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from biosnn.errors import EngineError, field_error, unknown

TARGETS = ("cpp", "cython", "numpy")
FALLBACK = "numpy"
CANDIDATES = ("g++", "c++", "clang++")
TIMEOUT = "30 min"
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}
INSTALL = "Install g++ (Debian, Ubuntu: apt install g++; conda: conda install cxx-compiler), or set BIOSNN_CXX."


@dataclass(frozen=True)
class Compiler:
    """A C++ compiler that answers.

    Attributes
    ----------
    command
        Words that start it; more than one for a wrapper such as ``ccache g++``.
    path
        The real file behind the last word.
    version
        First line of its ``--version``.
    """

    command: tuple[str, ...]
    path: str
    version: str

    def identity(self) -> str:
        """Text that changes when the compiler does; no process is started for it."""
        stat = os.stat(self.path)
        return "|".join((*self.command, self.path, self.version, str(stat.st_size), str(stat.st_mtime_ns)))


@dataclass(frozen=True)
class Flags:
    """What the compiler and the linker are told, apart from file names."""

    compile: tuple[str, ...]
    link: tuple[str, ...]


def find_compiler() -> Compiler | None:
    """The compiler to use: ``BIOSNN_CXX``, else ``CXX``, else the first of g++, c++ and clang++; None without one.

    A variable that names something unusable is not passed over in favour of another compiler.
    """
    for variable in ("BIOSNN_CXX", "CXX"):
        asked = os.environ.get(variable, "").strip()
        if asked:
            try:
                return _probe(tuple(shlex.split(asked)))
            except ValueError:  # a quotation mark, or a backslash at the end, that nothing follows
                return None
    return next((compiler for name in CANDIDATES if (compiler := _probe((name,)))), None)


def _probe(command: tuple[str, ...]) -> Compiler | None:
    paths = [shutil.which(word) for word in command if not word.startswith("-")]
    if not paths or any(path is None for path in paths):
        return None
    path = os.path.realpath(str(paths[-1]))
    version = _version(command, path, os.stat(path).st_mtime_ns)
    return Compiler(command, path, version) if version else None


@functools.lru_cache(maxsize=16)
def _version(command: tuple[str, ...], path: str, changed: int) -> str:  # noqa: ARG001 - they renew the memory
    """First line of ``--version``, or "" when the command does not answer."""
    try:
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = done.stdout.splitlines()
    return lines[0].strip() if done.returncode == 0 and lines else ""


def target_problems() -> dict[str, str]:
    """What keeps each target from working, as ``{target: problem}``; "" for a target that works."""
    return {"cpp": _compiler_problem(), "cython": _compiler_problem() or _cython_problem(), "numpy": ""}


def _compiler_problem() -> str:
    if find_compiler() is not None:
        return ""
    for variable in ("BIOSNN_CXX", "CXX"):
        if os.environ.get(variable, "").strip():
            asked = f"{variable} is {os.environ[variable]!r}, which is not a compiler that runs"
            return f"{asked}{_quoting(variable)}. {INSTALL}"
    return f"no C++ compiler found (looked for {', '.join(CANDIDATES)}). {INSTALL}"


def _quoting(variable: str) -> str:
    try:
        shlex.split(os.environ[variable])
    except ValueError as error:
        return f" ({error}: it is read as a shell would)"
    return ""


def time_limit() -> float:
    """How many seconds one file may take to compile: ``BIOSNN_COMPILE_TIMEOUT`` such as "2 h", else half an hour.

    Raises
    ------
    EngineError
        When the variable is not a time.
    """
    text = os.environ.get("BIOSNN_COMPILE_TIMEOUT", "") or TIMEOUT
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|min|h)\s*", text)
    if not match or float(match[1]) == 0:
        raise EngineError(field_error("BIOSNN_COMPILE_TIMEOUT", "a time such as '90 s', '30 min' or '2 h'", text))
    return float(match[1]) * _SECONDS[match[2]]


def _cython_problem() -> str:
    if importlib.util.find_spec("Cython") is None:
        return "Cython is not installed. pip install cython"
    if not Path(sysconfig.get_paths()["include"], "Python.h").exists():
        return "Python's C headers are missing. Install them (Debian, Ubuntu: apt install python3-dev)."
    return ""


def choose_target(asked: str) -> tuple[str, str]:
    """The target to use for the one asked for, and why it differs ("" when it does not).

    Raises
    ------
    EngineError
        For a name that is no target; the message lists the valid ones.
    """
    if asked not in TARGETS:
        raise EngineError(unknown("target", asked, TARGETS))
    problem = target_problems()[asked]
    return (asked, "") if not problem else (FALLBACK, f"target {FALLBACK} instead of {asked}: {problem}")


def fingerprint(compiler: Compiler, flags: Flags) -> str:
    """A hash of all that makes two compilations of a text differ: compiler, flags and, for a native build, CPU."""
    parts = [compiler.identity(), *flags.compile, "link", *flags.link, platform.system(), platform.machine()]
    if any("native" in flag for flag in flags.compile):
        parts.append(cpu())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@functools.cache
def cpu() -> str:
    """Model and instruction sets of this processor: code for one is not code for another."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").split("\n\n")[0].splitlines()
    except OSError:
        return f"{platform.processor()} {platform.machine()}"
    wanted = ("model name", "flags", "Features", "CPU part", "CPU implementer", "cpu family", "model", "stepping")
    return "\n".join(line for line in lines if line.split(":")[0].strip() in wanted)


def processor_name() -> str:
    """What this processor is called."""
    lines = dict(line.split(":", 1) for line in cpu().splitlines() if ":" in line)
    named = {name.strip(): text.strip() for name, text in lines.items()}
    return named.get("model name") or named.get("CPU part") or platform.processor() or platform.machine()


def processor_flag() -> str:
    """For which processor programs are compiled: ``-march=native``, or what ``BIOSNN_MARCH`` says.

    Raises
    ------
    EngineError
        When the variable is no name of a processor.
    """
    text = os.environ.get("BIOSNN_MARCH", "").strip() or "native"
    if not re.fullmatch(r"[A-Za-z0-9][\w.+-]*", text):
        raise EngineError(field_error("BIOSNN_MARCH", "the name of a processor as g++ has it, such as x86-64-v3", text))
    return f"-march={text}"


def for_processor(flags: Sequence[str]) -> tuple[str, ...]:
    """Flags of the compiler, with ``BIOSNN_MARCH`` instead of the processor on which it runs."""
    return tuple(processor_flag() if flag == "-march=native" else flag for flag in flags)


def accepted(compiler: Compiler, flags: Sequence[str], folder: Path) -> tuple[str, ...]:
    """Those of the flags that the compiler knows; asked once for all, and one by one only if that fails."""
    empty = folder / "flags.cpp"
    empty.write_text("int main() { return 0; }\n")

    def works(some: Sequence[str]) -> bool:
        command = [*compiler.command, *some, "-fsyntax-only", str(empty)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    return tuple(flags) if works(flags) else tuple(flag for flag in flags if works([flag]))
