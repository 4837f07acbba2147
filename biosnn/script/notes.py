"""Notes to whoever runs a script, on the standard error, each once."""

from __future__ import annotations

import sys

from biosnn.printable import printable


class Notes:
    """What has been said so far, so that a loop does not say it again."""

    def __init__(self) -> None:
        self.said: set[str] = set()

    def say(self, text: str) -> None:
        """Say it, unless it was said."""
        if text not in self.said:
            self.said.add(text)
            print(f"biosnn: {printable(text)}", file=sys.stderr, flush=True)
