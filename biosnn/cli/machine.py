"""Print the doctor's findings."""

from __future__ import annotations

from biosnn.cli.terminal import Console, Text
from biosnn.doctor import BROKEN, MISSING, OK, WARNING, examine

_SIGNS = {
    OK: ("✓ ok", "green"),
    WARNING: ("○ without", "yellow"),
    MISSING: ("✗ missing", "red"),
    BROKEN: ("✗ broken", "red"),
}


def print_doctor(console: Console) -> bool:
    """Print each finding as it comes; return whether everything that is needed is there."""
    states = set()
    for finding in examine():
        sign, style = _SIGNS[finding.state]
        line = Text(f"{sign:<10}", style=style) + Text(f" {finding.what:<14} {finding.detail}", style="default")
        console.print(line, soft_wrap=True)
        if finding.remedy:
            console.print(Text(f"{'':<26}{finding.remedy}", style="bold"), soft_wrap=True)
        states.add(finding.state)
    if states & {MISSING, BROKEN}:
        console.print("Something needed is missing or broken: see above.")
        return False
    console.print("Everything needed is there" + ("; see above what could be mended." if WARNING in states else "."))
    return True
