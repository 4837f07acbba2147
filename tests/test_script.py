"""Ordinary Brian2 scripts on the targets of biosnn: the same results, or a refusal by name."""

from __future__ import annotations

import json
import os
import random
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import brian2
import numpy as np
import pytest
from brian2.stateupdaters.base import StateUpdateMethod
from brian2.stateupdaters.exact import LinearStateUpdater

import biosnn
from biosnn.engine import state
from biosnn.errors import EngineError
from biosnn.script.activation import active
from biosnn.script.execution import FAILED, REFUSED, Execution, execute_script

MAGIC = """
from brian2 import *
tau = 10*ms
G = NeuronGroup(20, 'dv/dt = (1.2 - v)/tau + 0.3*xi*tau**-0.5 : 1', threshold='v > 1', reset='v = 0', method='euler')
G.v = 'rand()'
S = Synapses(G, G, on_pre='v_post += 0.05')
S.connect(p=0.3)
M = SpikeMonitor(G)
run(30*ms)
seen = [M.t_[:].tolist(), M.i[:].tolist(), S.i[:].tolist()]
"""
EXPLICIT = MAGIC.replace("run(30*ms)", "net = Network(G, S, M)\nnet.run(10*ms, report='text')\nnet.run(20*ms)")
OPERATION = MAGIC.replace("run(30*ms)", "@network_operation(dt=5*ms)\ndef kick():\n    G.v += 0.1\nrun(30*ms)")
STORED = MAGIC.replace("run(30*ms)", "store()\nrun(10*ms)\nn = M.num_spikes\nrestore()\nrun(20*ms)")
STEP = MAGIC.replace("tau = 10*ms", "start_scope()\ndefaultclock.dt = 0.5*ms\nseed(5)\ntau = 10*ms")
TABLE = MAGIC.replace("1.2 - v", "I(t) - v").replace("tau =", "I = TimedArray([1.1, 1.4, 0.9], dt=10*ms)\ntau =")
FUNCTION = MAGIC.replace("1.2 - v", "f(v) - v").replace(
    "tau =", "@check_units(x=1, result=1)\ndef f(x):\n    return 1.2 - 0.1*x\ntau ="
)


@contextmanager
def left_as_it_was() -> Iterator[None]:
    before = state.capture()
    try:
        yield
    finally:
        state.restore(before)


def plainly(script: Path, seed: int) -> dict[str, Any]:
    """What a script leaves when Brian2 runs it on its target numpy."""
    with left_as_it_was():
        brian2.prefs.codegen.target = "numpy"
        brian2.start_scope()
        state.brian_device.runtime_device.defaultclock = brian2.Clock(0.1 * brian2.ms, name="defaultclock")
        brian2.seed(seed)
        random.seed(seed)
        return runpy.run_path(str(script), run_name="__main__")


def executed(text: str, folder: Path, *arguments: str, target: str = "numpy", seed: int | None = 7) -> Execution:
    script = folder / "script.py"
    script.write_text(text)
    return execute_script(script, arguments, target=target, seed=seed)


def printed(text: str, folder: Path, capsys: pytest.CaptureFixture[str], **options: Any) -> Any:
    """What a script leaves in ``seen``."""
    capsys.readouterr()
    done = executed(f"{text}\nimport json\nprint('SEEN', json.dumps(seen))", folder, **options)
    assert done.status == 0, done.said
    return json.loads(capsys.readouterr().out.rpartition("SEEN ")[2])


@pytest.mark.parametrize(
    "text",
    [MAGIC, EXPLICIT, OPERATION, STORED, STEP, TABLE, FUNCTION],
    ids=["run", "net", "op", "store", "dt", "table", "function"],
)
def test_on_numpy_a_script_gives_what_brian2_gives(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = printed(text, tmp_path, capsys)
    expected = plainly(tmp_path / "script.py", 7)["seen"]
    assert found == expected
    assert len(found[0]) > 10


def test_what_a_script_says_of_devices_and_targets_is_passed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = "set_device('cpp_standalone', build_on_run=False)\nprefs.codegen.target = 'cython'\ntau ="
    text = MAGIC.replace("tau =", first, 1).replace("seen =", "device.build(directory='x')\nseen =")
    assert printed(text, tmp_path, capsys) == printed(MAGIC, tmp_path, capsys)
    executed(text, tmp_path)
    said = capsys.readouterr().err
    assert "set_device('cpp_standalone') is passed over: the script runs on the target numpy." in said
    assert "prefs.codegen.target = 'cython' is passed over" in said


def test_a_projection_belongs_to_the_network_of_a_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = MAGIC.replace("0.3*xi", "0*xi").replace("v_post += 0.05", "v_post -= 0.2")
    text = text.replace("connect(p=0.3)", "connect('i != j')")
    line = "import biosnn\nS = biosnn.Projection(G, G, biosnn.Lateral(), on_pre='v_post -= 0.2')"
    ours = re.sub(r"S = .*\nS.connect.*", line, text).replace(", S.i[:].tolist()", "")
    found = printed(ours, tmp_path, capsys)
    assert found == printed(text, tmp_path, capsys)[:2]
    without = ours.replace("biosnn.Lateral(), on_pre='v_post -= 0.2'", "biosnn.Lateral(), on_pre='v_post -= 0'")
    assert printed(without, tmp_path, capsys) != found


def test_a_script_finds_its_arguments_its_name_and_the_files_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "beside.py").write_text("value = 3\n")
    text = "import sys, beside\nseen = [sys.argv[1:], __name__, beside.value, __file__]"
    before = sys.argv, list(sys.path)
    done = executed(f"{text}\nprint(seen)\nsys.exit(4)", tmp_path, "a", "--target", "-h")
    assert done.status == 4
    assert capsys.readouterr().out == f"{[['a', '--target', '-h'], '__main__', 3, str(tmp_path / 'script.py')]}\n"
    assert (sys.argv, sys.path) == before
    del sys.modules["beside"]


@pytest.mark.parametrize(
    ("end", "status", "said"),
    [
        ("sys.exit()", 0, ""),
        ("sys.exit('no data')", FAILED, "no data"),
        ("raise KeyboardInterrupt", 130, "Interrupted."),
    ],
)
def test_a_script_ends_as_it_wants(end: str, status: int, said: str, tmp_path: Path) -> None:
    done = executed(f"import sys\n{end}", tmp_path)
    assert (done.status, done.said) == (status, said)


def test_an_error_is_told_with_the_lines_of_the_script_alone(tmp_path: Path) -> None:
    done = executed(MAGIC.replace("tau = 10*ms", "tua = 10*ms"), tmp_path)
    assert done.status == FAILED
    assert 'script.py", line 9, in <module>\n    run(30*ms)' in done.said
    assert "site-packages" not in done.said
    assert done.said.count("File") == 2, "the line that runs, and that of the group"
    assert 'The identifier "tau" could not be resolved' in done.said
    assert "namespace={'tau': ...}" in done.said


def test_a_syntax_error_is_told(tmp_path: Path) -> None:
    done = executed("x = = 3", tmp_path)
    assert done.status == FAILED
    assert "line 1" in done.said
    assert "SyntaxError: invalid syntax" in done.said


REFUSALS = {
    "network_operation": ("@network_operation\ndef op():\n    pass\nrun(1*ms)", "op is a network_operation. No Python"),
    "report": ("run(1*ms, report=lambda *_: None)", "would never be called"),
    "python function": (
        "@check_units(x=1, result=1)\ndef f(x):\n    return x\n"
        "H = NeuronGroup(1, 'dv/dt = -f(v)/ms : 1', method='euler')\nrun(1*ms)",
        "f is a function of Python, which this target has no code for.",
    ),
    "profile": ("run(1*ms, profile=True)", "profile=True: the steps of a program are not timed"),
    "file of a state": ("magic_network.store(filename='x')", "(filename='x') by the targets cython and numpy only"),
    "unknown state": ("restore('before')", "there is no state named 'before'. Stored before: none."),
    "run arguments": ("run(1*ms)\ndevice.run(run_args={})", "device.run: a program runs when a result is read."),
    "build without run": ("run(1*ms)\ndevice.build(run=False)", "device.build(run=False): a program is built when"),
    "another device": ("set_device('cuda_standalone')", "No device named 'cuda_standalone'."),
    "functions of the device": ("device.run_function('f', False)", "programs of scripts have no such functions"),
    "made after the mark": (
        "net = Network(G)\nnet.store()\nH = NeuronGroup(1, 'v : 1')\nnet.restore()",
        "neurongroup_1 was made since the state was stored",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_a_program_cannot_do_is_refused_by_name_before_anything_is_run(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text, message = REFUSALS[case]
    monkeypatch.setattr("biosnn.engine.program.simulation.ProgramSimulation._build", None)
    done = executed(
        f"from brian2 import *\nG = NeuronGroup(3, 'dv/dt = -v/(5*ms) : 1', method='exact')\n{text}",
        tmp_path,
        target="cpp",
    )
    assert done.status == REFUSED, done.said
    assert message in done.said
    queued = "1 queued run(s) were not executed, since the script has failed." in capsys.readouterr().err
    assert queued == text.startswith("run(1*ms)\n")


def test_an_object_made_before_activation_is_refused() -> None:
    group = brian2.NeuronGroup(1, "v : 1")
    with active("cpp"), pytest.raises(EngineError, match=r"was made before biosnn.activate\(\): put that line"):
        brian2.Network(group).run(1 * brian2.ms)


def test_one_script_has_one_target(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(EngineError, match="No target named 'cqq'"), active("cqq"):
        pass
    with active("numpy"):
        with pytest.raises(EngineError, match="one script runs on one target"), active("numpy"):
            pass
        biosnn.activate("cpp")
        assert "biosnn.activate('cpp') is passed over: the script runs on numpy already." in capsys.readouterr().err
        assert brian2.prefs.codegen.target == "numpy"
    with pytest.raises(EngineError, match=r"threads: expected 1 on the target numpy \(got 2\)"):
        biosnn.activate("numpy", threads=2)


DETERMINISTIC = """
from brian2 import *
tau = 10*ms
G = NeuronGroup(5, 'dv/dt = (I - v)/tau : 1\\nI : 1', threshold='v > 1', reset='v = 0', method='exact')
G.I = '1.1 + 0.2*i'
S = Synapses(G, G, 'w : 1', on_pre='v_post += w', delay=1*ms)
S.connect(condition='i != j')
S.w = np.linspace(0.01, 0.05, len(S))
M = SpikeMonitor(G)
net = Network(G, S, M)
seen = [S.j[:].tolist()]
net.run(20*ms)
seen += [M.t_[:].tolist(), G.v['v > 0.5'].round(9).tolist()]
G.v = 'i*0.1'
seen += [G.v[:].tolist()]
net.run(20*ms)
seen += [M.t_[:].tolist(), float(net.t/ms)]
net.store()
for current in (1.3, 1.6):
    net.restore()
    G.I = current
    net.run(20*ms)
    seen.append(M.i[:].tolist())
defaultclock.dt = 0.2*ms
start_scope()
ours = Clock(0.5*ms)
def trial(clock):
    H = NeuronGroup(3, 'dv/dt = (1.5 - v)/tau : 1', threshold='v > 1', reset='v = 0', method='exact', clock=clock)
    N = SpikeMonitor(H)
    Network(H, N).run(30*ms)
    return N
kept = [trial(defaultclock), trial(ours), trial(ours)]
seen += [trained.t_[:].tolist() for trained in kept]
"""
NOISY = """
from brian2 import *
def trial():
    G = NeuronGroup(20, 'dv/dt = (1.2 - v)/(10*ms) + 0.3*xi*(10*ms)**-0.5 : 1', threshold='v > 1', reset='v = 0',
                    method='euler')
    M = SpikeMonitor(G)
    Network(G, M).run(30*ms)
    return M.t_[:].tolist()
seen = [trial(), trial()]
for _ in range(2):
    seed(3)
    seen += [trial(), trial()]
"""


def test_equations_that_were_solved_once_are_not_solved_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    solved = []
    solve = LinearStateUpdater.__call__

    def counted(*args: Any) -> Any:
        solved.append(args[1])
        return solve(*args)

    monkeypatch.setattr(LinearStateUpdater, "__call__", counted)
    monkeypatch.setenv("BIOSNN_CACHE", str(tmp_path / "cache"))
    text = """
from brian2 import *
tau = 10*ms
G = NeuronGroup(2, 'dv/dt = (w - v)/tau : 1\\ndw/dt = -w/(2*tau) : 1', method='exact')
G.w = 1
run(5*ms)
seen = G.v[:].tolist()
"""

    def anew(text: str) -> Any:
        for function in (StateUpdateMethod.apply_stateupdater, solve):  # what Brian2 keeps within a process
            function.__wrapped__._cache.clear()
        return printed(text, tmp_path, capsys)

    found = [anew(text) for _ in range(2)]
    assert len(solved) == 1
    # v follows w = exp(-t/20 ms): v = 2 (exp(-t/20 ms) - exp(-t/10 ms))
    assert found[0] == found[1] == [pytest.approx(2 * (np.exp(-0.25) - np.exp(-0.5)))] * 2
    anew(text.replace("-w/(2*tau)", "-w/(3*tau)"))
    assert len(solved) == 2
    table = "w = TimedArray([1, 2], dt=10*ms)\nG = NeuronGroup(2, 'dv/dt = (w(t) - v)/tau : 1', method='exact') #"
    timed = text.replace("G = ", table).replace("G.w = 1", "")
    assert anew(timed) == anew(timed)
    assert len(solved) == 4, "a function of the script's may be another next time"


@pytest.mark.cpp
def test_on_cpp_a_script_may_read_run_on_restore_and_begin_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = printed(DETERMINISTIC, tmp_path, capsys, target="cpp")
    assert found == printed(DETERMINISTIC, tmp_path, capsys)
    assert [len(times) for times in found[-3:]] == [6, 6, 6]
    assert len(found[4]) > len(found[1]) > 5


@pytest.mark.cpp
def test_on_cpp_each_trial_draws_numbers_of_its_own_which_follow_from_the_seed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = printed(NOISY, tmp_path, capsys, target="cpp")
    assert printed(NOISY, tmp_path, capsys, target="cpp") == found
    assert found[2:4] == found[4:6]
    assert len({str(times) for times in found}) == 4
    assert printed(NOISY, tmp_path, capsys, target="cpp", seed=8)[:2] != found[:2]


@pytest.mark.cpp
def test_on_cpp_a_network_whose_program_is_over_is_read_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = NOISY.replace("    Network(G, M).run(30*ms)", "    net = Network(G, M)\n    net.run(30*ms)")
    kept = kept.replace("return M.t_[:].tolist()", "len(M.t_[:])\n    return net, G, M").split("seen =")[0]
    text = f"{kept}net, G, M = trial()\nbefore = M.t_[:].tolist()\ntrial()\nseen = [before == M.t_[:].tolist()]\n"
    assert printed(text, tmp_path, capsys, target="cpp") == [True]
    for statement in ("net.run(1*ms)", "G.v = 'rand()'", "G.v[2:4] = 0.5", "net.store()"):
        done = executed(text + statement, tmp_path, target="cpp")
        assert done.status == REFUSED
        assert f", in <module>\n    {statement}\n" in done.said
        assert re.search(r"^neurongroup(\.v)? belongs to a network whose program is over", done.said, re.MULTILINE)


@pytest.mark.cpp
def test_on_cpp_an_object_that_joins_what_was_read_is_refused(tmp_path: Path) -> None:
    text = NOISY.replace("    Network(G, M).run(30*ms)", "    net = Network(G, M)\n    net.run(30*ms)")
    text = text.replace("return M.t_[:].tolist()", "len(M.t_[:])\n    net.add(SpikeMonitor(G))\n    net.run(1*ms)")
    done = executed(text, tmp_path, target="cpp")
    assert "spikemonitor was made after the results of the run with neurongroup were read" in done.said


@pytest.mark.cpp
def test_on_cpp_what_is_no_number_is_warned_of_and_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = """
from brian2 import *
G = NeuronGroup(2, 'dv/dt = sqrt(-1 - v**2)/ms : 1', method='euler')
run(1*ms)
seen = [str(v) for v in G.v[:]]
"""
    done = executed(f"{text}\nprint(seen)", tmp_path, target="cpp")
    captured = capsys.readouterr()
    assert (done.status, captured.out) == (0, "['nan', 'nan']\n")
    assert "biosnn: warning: v of neurongroup is NaN after the run, first at index 0, for 2 of 2." in captured.err


@pytest.mark.cpp
def test_on_cpp_what_is_not_read_is_run_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(NOISY.replace("return M.t_[:].tolist()", "return M").split("seen =")[0])
    with active("cpp", seed=1) as run:
        kept = runpy.run_path(str(tmp_path / "script.py"))
        monitor = kept["trial"]()
        program = run.programs[0]
        assert (run.queued, program.usage.seconds) == (1, 0)
        run.execute()
        assert run.queued == 0
        assert program.usage.seconds > 0
        assert monitor.num_spikes > 10


def run_by_python(text: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    (folder / "script.py").write_text(text)
    root = str(Path(__file__).parent.parent)
    return subprocess.run(
        [sys.executable, "script.py"], cwd=folder, env={**os.environ, "PYTHONPATH": root, **more},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_activation_is_one_line_of_a_script_that_python_runs(tmp_path: Path) -> None:
    line = "import biosnn\nbiosnn.activate('numpy', seed=7)\ntau ="
    done = run_by_python(f"{MAGIC.replace('tau =', line, 1)}\nprint(seen)", tmp_path)
    (tmp_path / "plain.py").write_text(MAGIC)
    assert done.stdout == f"{plainly(tmp_path / 'plain.py', 7)['seen']}\n", done.stderr


def test_a_script_that_fails_is_not_simulated_at_its_end(tmp_path: Path) -> None:
    line = "import biosnn\nbiosnn.activate('cpp')\ntau ="
    text = MAGIC.replace("tau =", line, 1).replace("seen =", "1/0\nseen =")
    done = run_by_python(text, tmp_path, BIOSNN_CXX="no-such-compiler-but-it-is-not-asked-for")
    assert done.returncode == 1
    assert done.stderr.count("Traceback") == 1
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.cpp
def test_the_end_of_a_script_that_activates_runs_what_is_queued(tmp_path: Path) -> None:
    line = "import biosnn\nbiosnn.activate('cpp')\ntau ="
    text = MAGIC.replace("tau =", line, 1).split("seen =")[0]
    done = run_by_python(text, tmp_path, BIOSNN_PROGRESS="plain:0")
    assert done.returncode == 0
    assert "simulating: 100 % (30 ms of 30 ms simulated)" in done.stderr
