"""A file of a dataset, downloaded whole and right or not at all."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from biosnn.errors import DataError
from biosnn.writing import replaced


def download(path: Path, addresses: Sequence[str], is_right: Callable[[Path], bool], wanted: str) -> None:
    """Put a file where it is looked for, from the first address that has it.

    Parameters
    ----------
    path : Path
        Where to put it.
    addresses : sequence of str
        Where it can be had.
    is_right : function
        Whether a file that was downloaded is the one that it should be. An incomplete or wrong file is not kept.
    wanted : str
        Which file a folder named by ``BIOSNN_DATA`` would have instead, for the message.

    Raises
    ------
    DataError
        If no address has it; the message tells each one's reason.
    """
    import pooch  # slow to import, and only needed here

    pooch.get_logger().setLevel(logging.ERROR)
    reasons = []
    for address in addresses:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # A name of its own for each process, so that two at once do not write to one file.
            with replaced(path) as fetched:
                pooch.retrieve(address, known_hash=None, fname=fetched.name, path=fetched.parent)
                if not is_right(fetched):
                    raise DataError("not the file that it should be")
            return
        except (OSError, ValueError) as error:  # what requests raises is an OSError
            reasons.append(f"{address}: {error}")
    raise DataError(
        f"{path} is missing and could not be downloaded. Put it there, or set BIOSNN_DATA to a folder that has "
        f"{wanted}. Tried: {'; '.join(reasons)}"
    )
