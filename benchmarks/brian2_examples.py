"""Run a folder of Brian2 scripts as they are, and under ``biosnn exec``: are the spikes the same?

    python benchmarks/brian2_examples.py EXAMPLES_DIR [NAME ...]

EXAMPLES_DIR is Brian2's own folder of examples (from its repository; they are not part of this one), or any other with
scripts for Brian2. Each script runs three times, in a process of its own and with the same seed: by Brian2 on its
target numpy, by biosnn on numpy, and by biosnn on cpp. What monitors have recorded is compared, and the last state of
all neurons. On numpy it has to be the same to the last bit. On cpp random numbers are others: there, counts of spikes
may differ by a tenth (or by four standard deviations of a Poisson process), means of state variables by a quarter of
their standard deviation.

``set_device`` and ``codegen.target`` of a script are passed over in all three.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import runpy
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

WAYS = ("numpy", "cpp")
SEED = 1


def main() -> None:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the folder of the scripts")
    parser.add_argument("names", nargs="*", help="only those whose path has one of these words")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds of the wall clock that one run may take")
    parser.add_argument("--probe", nargs=2, metavar=("WAY", "OUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.probe:
        probe(options.folder, *options.probe)
        return
    scripts = sorted(options.folder.rglob("*.py"))
    chosen = [s for s in scripts if not options.names or any(name in str(s) for name in options.names)]
    outcomes = [compare(script, options.folder, options.limit) for script in chosen]
    print("\n" + ", ".join(f"{outcomes.count(kind)} {kind}" for kind in sorted(set(outcomes))))


def compare(script: Path, folder: Path, limit: float) -> str:
    """Run a script each way, print a line of the table, and return its first word."""
    found = [run(script, "plain", limit)]
    if not found[0]["failed"]:
        found += [run(script, way, limit) for way in WAYS]
    took = " ".join(f"{result['seconds']:6.1f}" for result in found).ljust(20)
    outcome, why = judged(*found) if len(found) > 1 else ("skipped", f"Brian2: {found[0]['failed']}")
    print(f"{outcome:8} {took}  {script.relative_to(folder)!s:60} {why}", flush=True)
    return outcome


def judged(plain: dict[str, Any], here: dict[str, Any], program: dict[str, Any]) -> tuple[str, str]:
    """Whether three runs of a script agree, and what to say of it."""
    if here["failed"]:
        return ("skipped" if "not over" in here["failed"] else "refused"), f"numpy: {here['failed']}"
    if plain["digest"] != here["digest"]:
        return "differs", "on numpy"
    if program["failed"]:
        return "numpy", f"cpp: {program['failed']}"
    apart = differing(plain["recorded"], program["recorded"])
    if apart:
        return "differs", f"on cpp: {apart}"
    spikes = sum(entry["spikes"] for entry in plain["recorded"] if "spikes" in entry)
    counted = sum(entry["spikes"] for entry in program["recorded"] if "spikes" in entry)
    return "same", f"{spikes} spikes, {counted} on cpp" if spikes else "no spikes recorded"


def differing(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> str:
    """What of two records is not comparable; "" if all is."""
    if len(first) != len(second):
        return f"{len(first)} and {len(second)} monitors"
    for one, other in zip(first, second, strict=True):
        for key, value in one.items():
            if key == "spikes":
                apart = abs(value - other[key]) > max(0.1 * value, 4 * value**0.5, 2)
            elif key.endswith(" mean"):
                spread = one[key.replace(" mean", " std")]
                apart = abs(value - other[key]) > 0.25 * spread + 1e-6 * abs(value)
            else:
                continue
            if apart:
                return f"{key} {value:.6g} and {other[key]:.6g}"
    return ""


def run(script: Path, way: str, limit: float) -> dict[str, Any]:
    """Run a script in a process of its own; what it has recorded, or why it failed."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "out.json"
        command = [sys.executable, __file__, str(script.resolve()), "--probe", way, str(out)]
        environment = {**os.environ, "MPLBACKEND": "Agg", "BIOSNN_PROGRESS": "off"}
        begin = time.monotonic()
        try:
            done = subprocess.run(
                command, cwd=scratch, env=environment, capture_output=True, text=True, timeout=limit, check=False
            )
        except subprocess.TimeoutExpired:
            return {"failed": f"not over after {limit:.0f} s", "seconds": limit}
        seconds = time.monotonic() - begin
        if out.exists():
            return {**json.loads(out.read_text()), "seconds": seconds}
        last = (done.stderr.strip().splitlines() or ["(nothing said)"])[-1]
        return {"failed": last, "seconds": seconds}


def probe(script: Path, way: str, out: str) -> None:
    """In the process of its own: run the script one way, and write what its monitors have recorded."""
    import brian2

    from biosnn.script.device_choice import overruled
    from biosnn.script.execution import execute_script
    from biosnn.script.notes import Notes

    monitors: list[Any] = []
    for kind in (brian2.EventMonitor, brian2.StateMonitor, brian2.PopulationRateMonitor, brian2.NeuronGroup):
        collect(kind, monitors)
    failed, records = "", []
    sys.argv = [str(script)]
    if way == "plain":
        brian2.prefs.codegen.target = "numpy"
        brian2.seed(SEED)
        random.seed(SEED)
        sys.path.insert(0, str(script.parent))
        with overruled("numpy", Notes()):
            try:
                with contextlib.suppress(SystemExit):
                    kept = runpy.run_path(str(script), run_name="__main__")
                records = [record(monitor) for monitor in monitors]
                del kept
            except Exception as error:
                failed = f"{type(error).__name__}: {error}".splitlines()[0]
    else:
        done = execute_script(script, target=way, seed=SEED, look=lambda _: [record(monitor) for monitor in monitors])
        records = done.seen
        if done.said:
            told = [line for line in done.said.splitlines() if not line.startswith((" ", "Traceback"))]
            failed = told[0]
    everything = hashlib.sha256(b"".join(values for entry in records for values in entry.pop("bytes")))
    Path(out).write_text(json.dumps({"failed": failed, "digest": everything.hexdigest(), "recorded": records}))


def collect(kind: type, monitors: list[Any]) -> None:
    """Let each new monitor be known."""
    make = kind.__init__  # type: ignore[misc]

    def made(monitor: Any, *args: Any, **kwds: Any) -> None:
        make(monitor, *args, **kwds)
        monitors.append(monitor)

    kind.__init__ = made  # type: ignore[misc]


def record(monitor: Any) -> dict[str, Any]:
    """What a monitor has recorded, or the last state of a group: as bytes, and for monitors numbers that sum it up."""
    import brian2
    import numpy as np

    if isinstance(monitor, brian2.EventMonitor):
        names = ["i", "t"] if monitor.record is not False else []
        arrays = [np.asarray(getattr(monitor, name)[:]).tobytes() for name in names]
        return {"spikes": int(monitor.num_events), "bytes": arrays}
    if isinstance(monitor, brian2.NeuronGroup):
        return {"bytes": [np.asarray(values).tobytes() for values in monitor.get_states(units=False).values()]}
    names = ["rate"] if isinstance(monitor, brian2.PopulationRateMonitor) else list(monitor.record_variables)
    summary: dict[str, Any] = {"bytes": []}
    for name in names:
        values = np.asarray(getattr(monitor, f"{name}_")[:], dtype=float)
        summary["bytes"].append(values.tobytes())
        if values.size:
            summary |= {f"{name} mean": float(values.mean()), f"{name} std": float(values.std())}
    return summary


if __name__ == "__main__":
    main()
