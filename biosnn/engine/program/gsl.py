"""Integration by the GNU Scientific Library in programs, ``method="gsl_rk4"`` and its kin.

Brian2 offers it for its own device and for no class made from that.
"""

from __future__ import annotations

import os
import subprocess
from typing import Any

import brian2
from brian2.devices.cpp_standalone.GSLcodeobject import GSLCPPStandaloneCodeObject
from brian2.devices.device import get_device
from brian2.stateupdaters.GSL import GSLContainer

from biosnn.engine.compiler import toolchain
from biosnn.engine.program import versions
from biosnn.engine.program.device import ProgramDevice
from biosnn.errors import EngineError

_OTHERWISE = "use another method, such as rk4 or exponential_euler with a small enough step"
_HEADERS = ("<stdio.h>", "<stdlib.h>", "<gsl/gsl_odeiv2.h>", "<gsl/gsl_errno.h>", "<gsl/gsl_matrix.h>")


_of_brian = GSLContainer.get_codeobj_class


def _code_object_class(container: Any) -> Any:
    device = get_device()
    if not isinstance(device, ProgramDevice):
        return _of_brian(container)
    if not versions.GSL:
        raise EngineError(
            "The method integrates by the GNU Scientific Library, for which this version of Brian2 makes no program: "
            f"{_OTHERWISE}, the target cython, or Brian2 2.10 or later (Python 3.12 or later)."
        )
    if "gsl" not in device.libraries:
        folder = brian2.prefs["GSL.directory"]
        _check_headers(folder)
        device.libraries += ["gsl", "gslcblas"]
        device.headers += list(_HEADERS)
        if folder is not None:
            device.include_dirs += [folder]
            device.library_dirs += [os.path.abspath(os.path.join(folder, "..", "lib"))]
    return GSLCPPStandaloneCodeObject


GSLContainer.get_codeobj_class = _code_object_class


def _check_headers(folder: str | None) -> None:
    """Refuse before anything is built where the library is not there."""
    compiler = toolchain.find_compiler()
    if compiler is None:
        return  # which is told when the program is built
    command = [*compiler.command, "-x", "c++", "-fsyntax-only", *([f"-I{folder}"] if folder else []), "-"]
    text = "".join(f"#include {header}\n" for header in _HEADERS)
    if subprocess.run(command, input=text, text=True, capture_output=True, check=False).returncode != 0:
        raise EngineError(
            "The method integrates by the GNU Scientific Library, which the compiler does not find. Install it "
            "(Debian, Ubuntu: apt install libgsl-dev; conda: conda install gsl), name the folder of its headers in "
            f"Brian2's preference GSL.directory, or {_OTHERWISE}."
        )
