"""``biosnn exec``, as somebody at a terminal uses it, and its advice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_user import ROOT, biosnn, elsewhere  # noqa: F401

SCRIPT = """
import sys
from brian2 import *
tau = 10*ms
G = NeuronGroup(4, 'dv/dt = (1.5 - v)/tau : 1', threshold='v > 1', reset='v = 0', method='exact')
M = SpikeMonitor(G)
run(25*ms)
print(sys.argv[1:], M.num_spikes)
"""
CONNECTED = """
from brian2 import *
seed(1)
w0 = 0.1*mV
G = NeuronGroup(100, 'dv/dt = -v/(10*ms) : volt', threshold='v > 1*mV', reset='v = 0*mV', method='exact')
A = NeuronGroup(100, 'dv/dt = -v/(10*ms) : volt', threshold='v > 1*mV', reset='v = 0*mV', method='exact')
drawn = Synapses(G, A, on_pre='v_post += w0', name='a_drawn')
drawn.connect(p=0.1)
dense = Synapses(G, A, 'w : volt', on_pre='v_post += w', delay=2*ms, name='b_dense')
dense.connect()
dense.w = '0.01*mV*(1 + i)'
others = Synapses(G, G, on_pre='v_post -= w0', name='c_others')
others.connect(condition='i != j')
paired = Synapses(G, A, 'w : 1', on_pre='v_post += w*mV', name='d_paired')
paired.connect(j='i')
paired.w = 0.5
listed = Synapses(G, A, on_pre='v_post += w0', name='e_listed')
listed.connect(i=[0, 0, 5], j=[1, 2, 2])
racing = Synapses(G, A, 'w : volt', on_pre='v_post = w', name='f_racing')
racing.connect(i=[0, 1], j=[2, 2])
racing.w = 'i*mV'
nothing = Synapses(G, A, name='g_nothing')
plastic = Synapses(G, A, 'w : volt', on_pre='v_post += w', on_post='w *= 1.01', name='h_plastic')
plastic.connect(j='k for k in sample(N_post, size=7)')
run(1*ms)
"""


def test_a_script_runs_with_its_own_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    Path("cells.py").write_text(SCRIPT)
    assert biosnn("exec", "--target", "numpy", "cells.py", "--target", "x", "-h", "--debug") == 0
    # 4 neurons that spike each 10 ms * log(3) = 11 ms
    assert capsys.readouterr().out == "['--target', 'x', '-h', '--debug'] 8\n"


def test_advice_is_from_what_is_connected_and_stated(capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.py").write_text(CONNECTED)
    assert biosnn("exec", "--target", "numpy", "--advise", "net.py") == 0
    out = capsys.readouterr().out.splitlines()
    heads = {line[0]: line for line in out if line[1:2] == "_"}
    assert "could be a projection, FixedProbability(0.1)." in heads["a"]
    assert "10,000 synapses): could be a projection, Dense()." in heads["b"]
    assert "9,900 synapses): could be a projection, Lateral()." in heads["c"]
    assert "100 synapses): could be a projection, OneToOne()." in heads["d"]
    assert "3 synapses): could be a projection, Sparse.pairs(i, j)." in heads["e"]
    assert "stays Synapses. on_pre: expected statements whose result does not depend on the order" in heads["f"]
    assert heads["g"].endswith("connects nothing.")
    assert "700 synapses): could be a projection, FixedOutdegree(7)." in heads["h"]
    sizes = {line[0]: out[number + 1].strip() for number, line in enumerate(out) if "could be" in line}
    # Synapses: 4 + 4 bytes for two neurons; 4 for a list and 8 for a delay, unless it is one for all, of each of the
    # pathways; 8 for a weight.
    assert sizes["b"] == "Indices, delays and variables: 200 kB now, 80 kB then."
    assert sizes["c"] == "Indices, delays and variables: 198 kB now, 0 bytes then."
    assert sizes["d"] == "Indices, delays and variables: 2.8 kB now, 0 bytes then.", "one weight for all"
    assert sizes["e"] == "Indices, delays and variables: 60 bytes now, 6 bytes then."
    assert sizes["h"] == "Indices, delays and variables: 28 kB now, 12.6 kB then."
    line = next(out[number + 2].strip() for number, line in enumerate(out) if line.startswith("b_"))
    assert "biosnn.Dense(), model='w : volt', on_pre='v_post += w', delay={'pre': 2*ms})" in line
    assert any("on_pre='v_post += w0', namespace={'w0': w0})" in line for line in out)


def test_without_synapses_there_is_no_advice(capsys: pytest.CaptureFixture[str]) -> None:
    Path("cells.py").write_text(SCRIPT)
    assert biosnn("exec", "--advise", "--target", "numpy", "cells.py") == 0
    assert capsys.readouterr().out.endswith("No Synapses were run: there is nothing to replace.\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere.py",), "nowhere.py: no such file. biosnn exec takes a Brian2 script, a Python file."),
        (("folder",), "folder: expected a Python file (got 'a folder'). Give one of the files in it."),
        (("notes.ipynb",), "Write it as a script: jupyter nbconvert --to script notes.ipynb."),
        (("folder/study.py",), "is the script of a study. biosnn run folder runs it."),
        (("--target", "abacus", "cells.py"), "No target named 'abacus'. Valid names: cpp, cython, numpy."),
        (("--seed", "abc", "cells.py"), "'--seed': expected a whole number (got 'abc')"),
        (("--seed", "-1", "cells.py"), "seed: expected a whole number from 0 to 4294967295 (got -1)"),
        (("--target", "numpy", "--threads", "2", "cells.py"), "threads: expected 1 on the target numpy (got 2)."),
        (("--figures", "cells.py", "cells.py"), "--figures: expected a folder (got 'cells.py')."),
        (("--advice", "cells.py"), "No such option: --advice"),
    ],
)
def test_a_mistake_gets_a_message(arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("folder").mkdir()
    for file in ("cells.py", "notes.ipynb", "folder/study.py"):
        Path(file).write_text("print('it runs')\n")
    assert biosnn("exec", *arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert "it runs" not in captured.out
    assert "Traceback" not in captured.err


def test_an_error_of_the_script_is_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    Path("cells.py").write_text(SCRIPT.replace("tau = 10*ms", "tau = 10*mV"))
    assert biosnn("exec", "--target", "numpy", "cells.py") == 1
    err = capsys.readouterr().err
    assert err.startswith('Traceback of the script (most recent call last):\n  File "cells.py", line 7')
    assert "DimensionMismatchError" in err
    assert "fault of biosnn" not in err
    assert "site-packages" not in err
    assert biosnn("exec", "--debug", "--target", "numpy", "cells.py") == 1
    assert "site-packages" in capsys.readouterr().err


def exec_alone(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, in which matplotlib has not yet chosen how to draw, and without a display."""
    kept = {name: value for name, value in os.environ.items() if "DISPLAY" not in name and name != "MPLBACKEND"}
    command = [sys.executable, "-c", "from biosnn.cli import main; main()", "exec", "--target", "numpy", *arguments]
    environment = {**kept, "PYTHONPATH": ROOT, **environment}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_figures_become_files_and_nothing_waits_without_a_display() -> None:
    Path("draws.py").write_text(
        "from brian2 import *\nplot([1, 2])\nshow()\nfigure()\nplot([2, 1])\nshow()\nclose('all')\nplot([3])\n"
    )
    done = exec_alone("--figures", "drawn", "draws.py")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in Path("drawn").iterdir()) == ["draws-1.png", "draws-2.png", "draws-3.png"]
    assert Path("drawn/draws-1.png").read_bytes().startswith(b"\x89PNG")
    said = [f"biosnn: figures: drawn/draws-{number}.png" for number in (1, 2, 3)]
    assert done.stderr.splitlines() == said
    done = exec_alone("draws.py")
    assert done.returncode == 0
    assert done.stderr.splitlines()[0].startswith("biosnn: figures not shown, as there is no display: 1.")
    assert exec_alone("draws.py", MPLBACKEND="svg").stderr.count("biosnn:") == 0
