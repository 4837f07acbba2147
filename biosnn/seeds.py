"""Seeds for the parts of a run, so that no two runs share a stream of random numbers, whatever their seeds."""

from __future__ import annotations

import numpy as np


def derived_seed(seed: int, *place: int) -> int:
    """The seed of a part of a run.

    ``seed + number`` would give the second part of a run with the seed 1 the random numbers of the first part of a run
    with the seed 2. This one is hashed of both, as `numpy.random.SeedSequence.spawn` derives them.

    Parameters
    ----------
    seed : int
        Of the run, not negative.
    *place : int
        Which part of it: its number, and the number within that, if there are such.

    Returns
    -------
    int
        Of 32 bits.
    """
    return int(np.random.SeedSequence(seed, spawn_key=place).generate_state(1)[0])
