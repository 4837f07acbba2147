"""Ordinary Brian2 scripts on the targets of biosnn: `activate` in the script, or ``biosnn exec``."""

from biosnn.script.activation import activate

__all__ = ["activate"]
