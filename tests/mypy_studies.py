"""Check the types of all studies, which have no import name: each as a package of that of its folder, for mypy only."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Run mypy on every folder of ``studies/``, under a name without hyphens."""
    studies = sorted(path.parent for path in (ROOT / "studies").glob("*/study.py"))
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for study in studies:
            names.append(study.name.replace("-", "_"))
            (Path(folder) / names[-1]).symlink_to(study, target_is_directory=True)
        words = [word for name in names for word in ("-p", name)]
        command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), *words]
        path = os.pathsep.join([folder, str(ROOT)])
        return subprocess.run(command, cwd=ROOT, env={**os.environ, "MYPYPATH": path}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
