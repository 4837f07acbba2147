"""Where a result comes from: versions, code, seed, target, compiler, settings, models, and the command to repeat it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from biosnn.engine.compiler import toolchain
from biosnn.model import Model, to_toml
from biosnn.study.load import Settings, Study
from biosnn.study.settings import setting_texts

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

PACKAGES = ("biosnn", "brian2", "numpy", "scipy", "cython", "matplotlib", "scikit-learn", "jinja2")
_ROOT = Path(__file__).resolve().parents[2]


@cache
def versions() -> Mapping[str, str]:
    """Versions of Python and of the packages that a result may depend on; "not installed" where there is none."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "a checkout, not installed" if name == "biosnn" else "not installed"
    return found


@cache
def code_state() -> Mapping[str, Any]:
    """The git commit of the code and whether it has changes, if the code is a checkout; else an empty dict."""
    top = _git("rev-parse", "--show-toplevel")
    # An environment inside somebody else's repository is no checkout of ours.
    if top is None or Path(top).resolve() != _ROOT:
        return {}
    return {"commit": _git("rev-parse", "HEAD"), "changed": bool(_git("status", "--porcelain"))}


def _git(*words: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(_ROOT), *words], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def repeat_command(study: Study[Settings], settings: Settings, seed: int, target: str) -> str:
    """The command that repeats a run."""
    changed = [f"{key}={text}" for key, text in study.changed_settings(settings).items()]
    words = ["biosnn", "run", study.given, *changed, "--seed", str(seed), "--target", target]
    return shlex.join(words)


def model_entry(model: Model) -> dict[str, str]:
    """A model as it was used: its full text, and the SHA-256 of that."""
    text = to_toml(model)
    return {"name": model.name, "sha256": hashlib.sha256(text.encode()).hexdigest(), "text": text}


def collect(
    study: Study[Settings],
    settings: Settings,
    seed: int,
    target: Mapping[str, str],
    models: Sequence[Model],
    wall_time: float,
) -> dict[str, Any]:
    """Gather the content of ``provenance.json``.

    Parameters
    ----------
    study : Study
        The study that ran.
    settings : Settings
        Its settings.
    seed : int
        The seed.
    target : mapping
        ``asked``, ``used`` and ``note`` (why they differ).
    models : sequence of Model
        The models that were simulated, each once.
    wall_time : float
        How long ``run`` took, in seconds.
    """
    return {
        "command": repeat_command(study, settings, seed, target["asked"]),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_time": {"value": wall_time, "unit": "s"},
        "seed": seed,
        "target": dict(target),
        "settings": setting_texts(settings),
        "changed": study.changed_settings(settings),
        "study": {"name": study.name, "title": study.title, "sha256": study.hashes()},
        "models": [model_entry(model) for model in models],
        "versions": dict(versions()),
        "code": dict(code_state()),
        "compiler": _compiler(),
        "platform": {
            "system": platform.platform(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "host": platform.node(),
            "processor": toolchain.processor_name(),
            "flags": toolchain.processor_flag(),
        },
        "memory": {"value": peak_memory(), "unit": "B"},
    }


def peak_memory() -> int:
    """The most bytes that this process or one of those that it has started held; 0 where the system does not say."""
    if resource is None:
        return 0
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return int(most) * (1 if sys.platform == "darwin" else 1024)


def _compiler() -> str:
    compiler = toolchain.find_compiler()
    return "" if compiler is None else f"{' '.join(compiler.command)}: {compiler.version}"
