"""A file of preferences in the working folder is executed only if the user asks for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FILE = """
codegen.target = [open("executed", "w").close(), "numpy"][1]
"""


def python(code: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), "HOME": str(folder), **variables}
    return subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    "code",
    [
        "import biosnn; biosnn.session; import brian2; print(brian2.prefs['codegen.target'])",
        pytest.param(
            "import biosnn.quantity, brian2; print(brian2.prefs['codegen.target'])",
            marks=pytest.mark.slow,
            id="quantity",
        ),
        pytest.param(
            "import atexit; from biosnn.cli import main; "
            "atexit.register(lambda: print(__import__('brian2').prefs['codegen.target'])); main(['list'])",
            marks=pytest.mark.slow,
            id="list",
        ),
    ],
)
def test_a_file_in_the_working_folder_is_not_executed_and_this_is_told(code: str, tmp_path: Path) -> None:
    (tmp_path / "brian_preferences").write_text(FILE)
    done = python(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "auto"
    assert not (tmp_path / "executed").exists()
    assert done.stderr.count("BIOSNN_PREFERENCES=brian_preferences") == 1


def test_the_user_s_own_file_and_the_one_that_is_asked_for_are_read(tmp_path: Path) -> None:
    own = tmp_path / ".brian" / "user_preferences"
    own.parent.mkdir()
    own.write_text("codegen.target = 'cython'\ncodegen.max_cache_dir_size = 7\n")
    (tmp_path / "asked").write_text("codegen.target = 'numpy'\n")
    code = "import biosnn, brian2; print(brian2.prefs['codegen.target'], brian2.prefs['codegen.max_cache_dir_size'])"
    assert python(code, tmp_path, BIOSNN_PREFERENCES="asked").stdout == "numpy 7\n"


@pytest.mark.slow
def test_what_is_asked_for_is_read_only_when_it_is_asked_for_and_must_be_there(tmp_path: Path) -> None:
    own = tmp_path / ".brian" / "user_preferences"
    own.parent.mkdir()
    own.write_text("codegen.target = 'cython'\ncodegen.max_cache_dir_size = 7\n")
    (tmp_path / "asked").write_text("codegen.target = 'numpy'\n")
    code = "import biosnn, brian2; print(brian2.prefs['codegen.target'], brian2.prefs['codegen.max_cache_dir_size'])"
    assert python(code, tmp_path).stdout == "cython 7\n"
    refused = python(code, tmp_path, BIOSNN_PREFERENCES="nowhere")
    assert "BIOSNN_PREFERENCES: expected a file of Brian2's preferences (got 'nowhere')" in refused.stderr
    again = "import biosnn, brian2; brian2.prefs.read_preference_file('asked'); print(brian2.prefs['codegen.target'])"
    assert python(again, tmp_path).stdout == "numpy\n"
