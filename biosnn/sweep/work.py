"""Points in a process of their own: what executors call, on this machine or on a worker of a cluster."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from biosnn.engine import children
from biosnn.engine.compiler import compile

# A library that takes all cores for itself would take them from the other points.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")

POINT = ("-m", "biosnn.sweep.point")
"""What Python runs to compute points."""


@dataclass(frozen=True)
class Ended:
    """How a process that computed points ended.

    Parameters
    ----------
    status : int
        Its exit status; negative for a signal.
    output : str
        What it printed.
    host : str
        On which machine.
    """

    status: int
    output: str
    host: str

    @property
    def killed(self) -> bool:
        """Whether it was ended from outside, so that another try makes sense."""
        return self.status < 0 or self.status > 128


def compute_apart(
    store: str, keys: Sequence[str], figures: bool, cores: int = 1, variables: Mapping[str, str] | None = None
) -> Ended:
    """Compute points in a process of its own, and wait for it; it ends with this one, however that ends.

    Parameters
    ----------
    store : str
        The folder of the sweep's store, absolute.
    keys : sequence of str
        The points.
    figures : bool
        Whether they get figures and a page.
    cores : int
        How many processors each may use.
    variables : mapping, optional
        Further variables of the environment.
    """
    environment = {
        **dict.fromkeys(_ONE_THREAD, "1"),
        **os.environ,
        "BIOSNN_CORES": str(cores),
        "BIOSNN_PROGRESS": "off",
        **(variables or {}),
    }
    command = [sys.executable, *POINT, store, *keys, *([] if figures else ["--no-figures"])]
    with children.child(command, Path(store), environment) as process:
        output, _ = process.communicate()
    return Ended(process.returncode, output, platform.node())


def share_of_cores(workers: int) -> int:
    """How many processors each of several processes may use on this machine."""
    return max(1, compile.cores() // workers)
