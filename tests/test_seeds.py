"""Seeds of the parts of a run."""

from __future__ import annotations

import numpy as np

from biosnn.seeds import derived_seed


def test_neighbouring_runs_share_no_seed() -> None:
    seeds = {derived_seed(seed, number) for seed in range(50) for number in range(50)}
    assert len(seeds) == 2500
    assert all(0 <= seed < 2**32 for seed in seeds)


def test_it_is_that_of_the_spawned_sequence_of_numpy() -> None:
    spawned = np.random.SeedSequence(7).spawn(3)
    assert [derived_seed(7, number) for number in range(3)] == [int(one.generate_state(1)[0]) for one in spawned]
    assert derived_seed(7, 1, 2) == int(spawned[1].spawn(3)[2].generate_state(1)[0])
