"""How long a Brian2 script takes, the first time and the next: Brian2's targets beside ``biosnn exec``.

    python benchmarks/scripts.py SCRIPT [--repeat 3]

Each side starts with empty caches and runs the script ``--repeat`` times, each time in a process of its own. Seconds
are those of a processor (compilers included), which a busy machine does not change much, and, in brackets, of the
clock. The first run is printed, and the median of the next ones.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUN = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')"
STANDALONE = f"import brian2; brian2.set_device('cpp_standalone', directory=None); {RUN}"
EXEC = "import sys; from biosnn.cli import main; main(['exec', sys.argv[1]])"
CYTHON = f"import brian2, os; brian2.prefs['codegen.runtime.cython.cache_dir'] = os.environ['CACHE']; {RUN}"
SIDES = {
    "Brian2, runtime (Cython)": CYTHON,
    "Brian2, cpp_standalone": STANDALONE,
    "biosnn exec": EXEC,
}


def main() -> None:
    """Measure the sides, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("script", type=Path)
    parser.add_argument("--repeat", type=int, default=3, help="how often each side runs")
    options = parser.parse_args()
    print(f"{'':28}{'first':>16}{'next':>16}   seconds of a processor (of the clock)")
    for name, code in SIDES.items():
        with tempfile.TemporaryDirectory() as cache:
            runs = [measure(code, options.script.resolve(), cache) for _ in range(options.repeat)]
        following = [statistics.median(values) for values in zip(*runs[1:], strict=True)]
        print(f"{name:28}{shown(runs[0]):>16}{shown(following):>16}", flush=True)


def measure(code: str, script: Path, cache: str) -> tuple[float, float]:
    """Processor and wall seconds of one run."""
    environment = {**os.environ, "BIOSNN_CACHE": cache, "CACHE": cache, "BIOSNN_PROGRESS": "off", "MPLBACKEND": "Agg"}
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([sys.executable, "-c", code, str(script)], env=environment, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return processor, time.monotonic() - begin


def shown(seconds: tuple[float, ...] | list[float]) -> str:
    """Both times as text."""
    return f"{seconds[0]:.1f} ({seconds[1]:.1f})"


if __name__ == "__main__":
    main()
