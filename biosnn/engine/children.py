"""Compilers and simulations run in processes of their own, which do not outlive this one, however it ends.

Each child leads a process group, so that whatever it starts ends with it. Ended by a signal that it cannot catch, this
process can do nothing any more; so a small shell script, which is told of every group, waits for its input to end, and
then ends the groups that are left.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_WATCH = """
trap '' HUP INT TERM
alive=
while read -r what group; do
    others=
    for one in $alive; do [ "$one" = "$group" ] || others="$others $one"; done
    alive=$others
    [ "$what" = begin ] && alive="$alive $group"
done
for one in $alive; do kill -KILL "-$one"; done
"""


class _Watch:
    """The script, and what has been told to it; there is one per process, as a fork needs one of its own."""

    def __init__(self) -> None:
        self.guard = threading.Lock()
        self.script: subprocess.Popen[str] | None = None
        self.owner = 0

    def start(self) -> None:
        with self.guard, contextlib.suppress(OSError):  # without the script all is well but for a killed process
            if self.owner != os.getpid():
                self._start()

    def tell(self, what: str, group: int) -> None:
        self.start()
        with self.guard, contextlib.suppress(OSError):
            if self.script is not None and self.script.stdin is not None:
                self.script.stdin.write(f"{what} {group}\n")
                self.script.stdin.flush()

    def _start(self) -> None:
        self.owner, self.script = os.getpid(), None
        shell = shutil.which("sh")
        if shell and hasattr(os, "killpg"):
            # In a session of its own: what is sent to this process's group or terminal does not reach it.
            self.script = subprocess.Popen(
                [shell, "-c", _WATCH],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=os.sep,
                text=True,
                start_new_session=True,
            )

    def end(self) -> None:
        if self.script is not None and self.owner == os.getpid():
            with contextlib.suppress(OSError):
                self.script.communicate(timeout=5)


_watch = _Watch()
atexit.register(_watch.end)


@contextlib.contextmanager
def child(command: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """A process, which is ended if it still runs at the end of the block.

    It gets no input; all that it says comes as text from one pipe.
    """
    _watch.start()  # before there is a child that would be left if this process were killed now
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        process_group=0 if hasattr(os, "killpg") else None,
    )
    try:
        _watch.tell("begin", process.pid)
        yield process
    finally:
        end(process)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
        _watch.tell("end", process.pid)


def end(process: subprocess.Popen[str]) -> None:
    """End a process, and all that it has started, unless it has ended by itself."""
    if process.poll() is not None:
        return
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
