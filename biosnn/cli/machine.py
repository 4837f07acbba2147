"""Print what this machine has: the doctor's findings; and compiled programs, without Brian2, which takes seconds."""

from __future__ import annotations

from datetime import datetime

from rich.table import Table

from biosnn.cli.terminal import Console, Text
from biosnn.engine.compiler import cache
from biosnn.folders import size_text


def print_doctor(console: Console) -> bool:
    """Print each finding as it comes; return whether everything that is needed is there."""
    from biosnn.doctor import BROKEN, MISSING, OK, WARNING, examine

    signs = {
        OK: ("✓ ok", "green"),
        WARNING: ("○ without", "yellow"),
        MISSING: ("✗ missing", "red"),
        BROKEN: ("✗ broken", "red"),
    }
    states = set()
    for finding in examine():
        sign, style = signs[finding.state]
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


def print_cache(console: Console, *, clear: bool) -> None:
    """Print where the compiled programs lie and how large they are, or remove them."""
    if clear:
        console.print(f"Freed {size_text(cache.clear())} in {cache.folder()}.", soft_wrap=True)
        return
    limit = f"{size_text(cache.total_size())} of at most {size_text(cache.size_limit())}"
    console.print(f"{cache.folder()}: {limit}", soft_wrap=True)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("kind", "key", "size", "last used"):
        table.add_column(heading, justify="right" if heading == "size" else "left")
    for entry in [*cache.entries(), *cache.unfinished()]:
        used = datetime.fromtimestamp(entry.used).isoformat(" ", "seconds")
        table.add_row(entry.kind, entry.key[:12], size_text(entry.size), used)
    if table.row_count:
        console.print(table)
        console.print("biosnn cache --clear removes them; the oldest go by themselves.", style="dim")
