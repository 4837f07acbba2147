"""Read mangled files of all kinds, and tell those that end in a traceback, a crash or without end.

    python tests/fuzz/run.py [--files 1000] [--models 1000] [--seed 1] [--only KIND:NUMBER]

Cases run in processes with 4 GB of address space and 20 s each. A case depends on the seed, its kind and number only.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import faulthandler
import io
import json
import logging
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from biosnn.errors import BiosnnError  # noqa: E402
from fuzz.kinds import MODEL, Kind, kinds  # noqa: E402

SPACE, SECONDS = 4 * 2**30, 20
READ, REFUSED, RAISED = "read", "refused", "raised"


def case(kind: Kind, name: str, number: int, seed: int, valid: Path, folder: Path) -> tuple[str, str]:
    """What comes of a case: read, refused, or raised, and the message or the traceback."""
    rng = random.Random(f"{seed} {name} {number}")
    shutil.copytree(valid, folder)
    try:
        kind.mangled(folder, rng)
        with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            kind.read(folder)
    except BiosnnError as error:
        return REFUSED, str(error)
    except Exception:
        return RAISED, traceback.format_exc()
    finally:
        shutil.rmtree(folder)
    return READ, ""


def work(name: str, first: int, last: int, seed: int) -> None:
    """Do cases of a kind, and print a line for each."""
    resource.setrlimit(resource.RLIMIT_AS, (SPACE, SPACE))
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        valid = folder / "valid"
        valid.mkdir()
        kind = kinds()[name]
        kind.make(valid)
        kind.read(valid)
        tell(event="ready")
        for number in range(first, last):
            faulthandler.dump_traceback_later(SECONDS, exit=True)
            if name == MODEL:  # each of another model
                shutil.rmtree(valid)
                (valid := folder / f"valid {number % 40}").mkdir()
                kind.make(valid)
            outcome, told = case(kind, name, number, seed, valid, folder / "case")
            faulthandler.cancel_dump_traceback_later()
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            tell(event="case", number=number, outcome=outcome, told=told, peak=peak)


def tell(**what: Any) -> None:
    print(json.dumps(what), flush=True)


def run(name: str, first: int, last: int, seed: int, shown: bool) -> collections.Counter[str]:
    """Do cases of a kind in processes of their own: after one that ends it, another goes on."""
    found: collections.Counter[str] = collections.Counter()
    while first < last:
        command = [sys.executable, __file__, "--work", f"{name}:{first}:{last}", "--seed", str(seed)]
        env = os.environ | {"MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        ready = False
        with (
            tempfile.TemporaryFile("w+") as errors,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=env) as process,
        ):
            assert process.stdout is not None
            for line in process.stdout:
                told = json.loads(line)
                if told["event"] == "ready":
                    ready = True
                    continue
                first = told["number"] + 1
                found[told["outcome"]] += 1
                found["peak"] = max(found["peak"], told["peak"])
                if shown or told["outcome"] == RAISED:
                    print(
                        f"\n--only {name}:{told['number']} --seed {seed}: {told['outcome']}\n{told['told']}", flush=True
                    )
            code = process.wait()
            errors.seek(0)
            if not ready:
                raise SystemExit(f"{name}: the valid file is not read\n{errors.read()}")
            if code:
                print(f"\n--only {name}:{first} --seed {seed}: ended with {code}\n{errors.read()[-3000:]}", flush=True)
                found[RAISED] += 1
                first += 1
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="KIND, or KIND:NUMBER")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        name, first, last = given.work.split(":")
        work(name, int(first), int(last), given.seed)
        return
    names = [name for name in kinds() if name != MODEL]
    counts = {name: -(-given.files // len(names)) for name in names} | {MODEL: given.models}
    cases = {name: (0, count) for name, count in counts.items()}
    if given.only:
        name, _, number = given.only.partition(":")
        cases = {name: (int(number), int(number) + 1) if number else cases[name]}
    wrong = 0
    for name, (first, last) in cases.items():
        found = run(name, first, last, given.seed, shown=bool(given.only and ":" in given.only))
        wrong += found[RAISED]
        counted = ", ".join(f"{found[outcome]} {outcome}" for outcome in (READ, REFUSED, RAISED))
        print(f"{name:20} {counted}; at most {found['peak']} MB", flush=True)
    if wrong:
        raise SystemExit(f"{wrong} cases ended otherwise than in an error of ours. Run one again with its --only.")
    print("Every case was read, or refused with an error of ours.")


if __name__ == "__main__":
    main()
