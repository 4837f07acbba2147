"""The command line. It only prints: what it does is done by the modules below."""

from biosnn.cli.entry import main

__all__ = ["main"]
