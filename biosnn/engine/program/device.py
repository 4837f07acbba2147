"""Brian2's C++ standalone device, changed in five ways.

Numbers are kept out of the sources, the simulation loop and some templates are our own, loops over many arrays become
vector instructions with an exponential among them, neurons at rest take no step, and reading a result builds and runs
what is queued.

A program has a device of its own, made when the session (or its `reset`) begins; the device that Brian2 knows as
``cpp_standalone`` is not touched.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import brian2
import numpy as np
from brian2.core.functions import DEFAULT_FUNCTIONS
from brian2.core.variables import ArrayVariable, DynamicArrayVariable, VariableView
from brian2.devices.cpp_standalone.codeobject import CPPStandaloneCodeObject
from brian2.devices.cpp_standalone.device import CPPStandaloneDevice, CPPWriter
from numpy.typing import NDArray

from biosnn.engine.checks import describe
from biosnn.engine.compiler.toolchain import Flags, for_processor
from biosnn.engine.program import literals, neuron_steps, versions
from biosnn.engine.program.as_given import as_given, leave_out, read_once, set_first, set_once
from biosnn.engine.program.evaluating import evaluating
from biosnn.errors import EngineError

SIZES = "sizes.txt"
FAST_MATH = "-ffast-math"
VECTORISE = ("--param=vect-max-version-for-alias-checks=200", "-D__FAST_MATH__")
"""What lets g++ make vector instructions of a neuron's equations. By itself it does so for few arrays only, since it
checks for each pair that they do not overlap; and glibc offers it exp and the like for several numbers at once only
under this name, which g++ does not define for fast mathematics that knows NaN."""

USAGE_REPORT = (resources.files("biosnn.engine.program") / "cpp" / "usage.cpp").read_text()
"""Lines that say how much memory the program has held at most (0 where the system has no such file), and its time."""


class ProgramCodeObject(CPPStandaloneCodeObject):  # type: ignore[misc]
    """Brian2's code object, with templates of ours in place of some of its own."""

    templater = CPPStandaloneCodeObject.templater.derive("biosnn.engine.program")


DEFAULT_FUNCTIONS["exp"].implementations.add_implementation(
    ProgramCodeObject, name="_exp", code=(resources.files("biosnn.engine.program") / "cpp" / "exp.h").read_text()
)


class ProgramDevice(CPPStandaloneDevice):  # type: ignore[misc]
    """The device of one program.

    Attributes
    ----------
    execute
        Called with what is being read when a value is wanted that only the run can tell; must set `results_dir`.
    closed
        Why nothing can be read any more; "" while it can.
    over
        Whether its session, or the program in it, has ended: nothing can be set or run any more.
    durations
        Simulated seconds of each queued run.
    given_nan
        Variables into which NaN was put from outside.
    memory_asked
        How many bytes the synapses that the program draws take.
    as_given
        Variables that a program does not write, since nothing changes them, and the names of their arrays.
    at_end
        Each returns lines of C++ for what is done before results are written.
    """

    main_queue: list[tuple[str, Any]]
    zero_arrays: list[tuple[Any, str]]
    static_arrays: dict[str, Any]
    code_lines: dict[str, list[str]]

    def __init__(self) -> None:
        super().__init__()
        self.execute: Callable[[str], None] | None = None
        self.closed, self.over = "", False
        self.durations: list[float] = []
        self.given_nan: set[Any] = set()
        self.memory_asked = 0
        self.at_end: list[Callable[[], list[str]]] = []
        self.as_given: dict[Any, str] = {}
        self._generating = 0
        self._owners: set[Any] = set()
        self._sizes: dict[Any, tuple[int, ...]] = {}

    # ---- while the program is being written -------------------------------------------------------------------

    def network_run(self, net: Any, duration: Any, *args: Any, **kwds: Any) -> None:
        begin = len(self.main_queue)
        with self._generation():
            kwds["level"] = kwds.get("level", 0) + 1
            super().network_run(net, duration, *args, **kwds)
        self.main_queue[begin:] = self._in_order(self.main_queue[begin:])
        position = max(i for i, (function, _) in enumerate(self.main_queue) if function == "run_network")
        network, lines = self.main_queue[position][1]
        key = literals.duration(len(self.durations))
        value = literals.PointValue(key, integer=False, otherwise=float(duration))
        self.main_queue[position] = ("run_network", (network, literals.run_lines(net.name, value, lines)))
        self.durations.append(float(duration))

    def _in_order(self, entries: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
        """Entries of one run, its clocks set in the order of their names.

        Brian2 keeps the clocks of a network in a set, whose order depends on where in memory they lie.
        """
        clocks = {self.get_array_name(clock.variables[name]) for clock in self.clocks for name in ("t", "timestep")}

        def clock_of(entry: tuple[str, Any]) -> str:
            return str(entry[1][0]) if entry[0] == "set_by_single_value" and entry[1][0] in clocks else ""

        sets = sorted((entry for entry in entries if clock_of(entry)), key=clock_of)
        return [*sets, *(entry for entry in entries if not clock_of(entry))]

    def code_object_class(self, codeobj_class: Any = None, fallback_pref: str | None = None) -> Any:
        chosen = super().code_object_class(codeobj_class, fallback_pref)
        return ProgramCodeObject if chosen is CPPStandaloneCodeObject else chosen

    def add_array(self, var: Any) -> None:
        # Brian2 holds owners weakly; a group that nobody uses any more would break the sources that name its arrays.
        with contextlib.suppress(ReferenceError, AttributeError):
            self._owners.add(var.owner.__init__.__self__)
        super().add_array(var)

    def fill_with_array(self, var: Any, arr: Any) -> None:
        self._note_nan(var, arr)
        super().fill_with_array(var, arr)

    def variableview_set_with_index_array(self, variableview: Any, item: Any, value: Any, check_units: bool) -> None:
        var = variableview.variable
        self._note_nan(var, value)
        if isinstance(item, int | np.integer) and not isinstance(var, DynamicArrayVariable):
            # Brian2 takes the number as it is: past the end, from the end, or from the start of a subgroup's group.
            index = np.asarray(variableview.indexing(int(item), index_var=variableview.index_var)).item()
            item = index if index >= 0 else index + var.size
            if not 0 <= item < var.size:
                raise EngineError(f"{_variable_name(var)} has {var.size} values: there is none at index {index}.")
        super().variableview_set_with_index_array(variableview, item, value, check_units)

    def _note_nan(self, var: Any, value: Any) -> None:
        if np.issubdtype(var.dtype, np.floating) and np.isnan(np.asarray(value, dtype=float)).any():
            self.given_nan.add(var)

    def code_object(self, **kwds: Any) -> Any:
        with self._generation():
            if kwds["template_name"] in ("stateupdate", "threshold"):
                kwds["template_kwds"] = {**(kwds["template_kwds"] or {}), **neuron_steps.template_options(**kwds)}
            return super().code_object(**kwds)

    @contextlib.contextmanager
    def _generation(self) -> Iterator[None]:
        self._generating += 1
        try:
            yield
        finally:
            self._generating -= 1

    # ---- reading ----------------------------------------------------------------------------------------------

    def get_value(self, var: Any, access_data: bool = True) -> Any:
        if self.array_cache.get(var, None) is None and not self._generating:
            self.need(_variable_name(var))
        return super().get_value(var, access_data)

    def need(self, what: str) -> None:
        """Make sure that results can be read, running the program first if it is queued."""
        if self.closed:
            raise EngineError(f"Cannot read {what}: {self.closed}")
        if self.has_been_run:
            return
        if not self.durations or self.execute is None:
            raise EngineError(
                f"Cannot read {what} on the cpp target before something has run: its value comes from generated code. "
                "Call sim.run first, or set it by numbers (synapses: connect with arrays i=..., j=...)."
            )
        self.execute(what)

    def variableview_get_subexpression_with_index_array(self, view: Any, item: Any, run_namespace: Any = None) -> Any:
        self.need(f"{view.group_name}.{view.name}")
        with evaluating():
            return VariableView.get_subexpression_with_index_array(view, item, run_namespace=run_namespace)

    def variableview_get_with_expression(self, view: Any, code: str, run_namespace: Any = None) -> Any:
        self.need(f"{view.group_name}.{view.name}")
        with evaluating():
            return VariableView.get_with_expression(view, code, run_namespace=run_namespace)

    # ---- writing the sources ----------------------------------------------------------------------------------

    def write_sources(self, folder: Path, inputs: Path) -> tuple[list[str], literals.Settings]:
        """Write the project into a folder and the arrays it reads into another.

        Returns
        -------
        tuple
            The C++ files to compile, relative to the folder, and the numbers that were lifted out.
        """
        self._check_names()
        for path in (folder / "code_objects", inputs / "static_arrays"):
            path.mkdir(parents=True, exist_ok=True)
        once = set_once(self.arrays, self.main_queue, self.static_arrays)
        self.as_given, first = as_given(once, self.array_cache), set_first(once, self.main_queue)
        queue, settings = literals.lift(read_once(self.main_queue, set(once.values())))
        writer = CPPWriter(str(folder))
        kept = self.main_queue, dict(self.static_arrays), dict(self.code_lines), self.zero_arrays
        try:
            self.main_queue = queue
            self.zero_arrays = [entry for entry in self.zero_arrays if entry[0] not in first]
            self.static_arrays.update(settings.arrays())
            at_end = [*(line for lines in self.at_end for line in lines()), self._size_report(), USAGE_REPORT]
            self.code_lines["before_end"] = [*self.code_lines["before_end"], *at_end]
            self.write_static_arrays(str(inputs))
            self.generate_objects_source(
                writer,
                self.arange_arrays,
                self.synapses,
                self.static_array_specs,
                self.networks,
                self.timed_arrays,
            )
            leave_out(folder / "objects.cpp", sorted(self.as_given.values()))
            self.generate_main_source(writer)
            self.generate_codeobj_source(writer)
            self.generate_network_source(writer, None)
            self.generate_synapses_classes_source(writer)
            self.generate_run_source(writer)
            self.copy_source_files(writer, str(folder))
        finally:
            self.main_queue, self.static_arrays, self.code_lines, self.zero_arrays = kept
        for codeobj in self.code_objects.values():
            writer.source_files.update(os.path.abspath(file) for file in codeobj.compiler_kwds.get("sources", []))
        return sorted(writer.source_files), settings

    def generate_network_source(self, writer: Any, compiler: Any) -> None:  # noqa: ARG002
        templates = resources.files("biosnn.engine.program") / "cpp"
        for name in ("network.h", "network.cpp", "threads.h", "threads.cpp"):
            writer.write(name, (templates / name).read_text())
        writer.write("base_clock.h", versions.BASE_CLOCK)

    def copy_source_files(self, writer: Any, directory: str) -> None:
        super().copy_source_files(writer, directory)
        writer.source_files.update(versions.LIBRARY_SOURCES)
        for header in (Path(directory) / "brianlib").glob("*.h"):
            text = header.read_text()
            if "#pragma once" not in text and not re.search(r"^\s*#ifndef\s+(\w+)\s+#define\s+\1", text, re.MULTILINE):
                # Read twice when it is in the precompiled header too.
                guard = f"BIOSNN_{header.stem.upper()}"
                header.write_text(f"#ifndef {guard}\n#define {guard}\n{text}\n#endif\n")

    def _check_names(self) -> None:
        names = [obj.name for net in self.networks for obj in net.sorted_objects]
        twice = sorted(name for name, count in Counter(names).items() if count > 1)
        if twice:
            raise EngineError(f"Objects of one program need different names; more than once: {', '.join(twice)}.")

    def _size_report(self) -> str:
        """C++ lines that say how long each result is, so that a file cut short by a full disk is recognised."""
        lines = [f'std::ofstream sizes((brian::results_dir + "{SIZES}").c_str());']
        for var in sorted(self._results(), key=self.get_array_filename):
            name = self.get_array_name(var, access_data=False)
            length = f"brian::_num_{name}"
            if isinstance(var, DynamicArrayVariable):
                length = f"brian::{name}.size()" if var.ndim == 1 else f"(size_t) brian::{name}.n * brian::{name}.m"
            lines.append(f'sizes << "{self.get_array_filename(var)} " << {length} << "\\n";')
        return "\n".join(["{", *lines, 'sizes << "end\\n";', "}"])

    def flags(self) -> Flags:
        """Compiler and linker flags that Brian2's preferences, the device and the code objects ask for."""
        prefs = brian2.prefs
        flags = prefs["codegen.cpp.extra_compile_args"]
        flags = prefs["codegen.cpp.extra_compile_args_gcc"] if flags is None else flags

        def asked(kind: str) -> list[Any]:
            arguments = list(getattr(self, kind)) + list(prefs[f"codegen.cpp.{kind}"])
            for codeobj in self.code_objects.values():
                arguments += codeobj.compiler_kwds.get(kind, [])
            return list(dict.fromkeys(arguments))

        macros = [f"-D{name}" if value is None else f"-D{name}={value}" for name, value in asked("define_macros")]
        return Flags(
            compile=(
                "-pthread",
                *self.extra_compile_args,
                *(VECTORISE if FAST_MATH in flags else ()),
                *for_processor(flags),
                *macros,
                *(f"-I{path}" for path in asked("include_dirs")),
            ),
            link=(
                "-pthread",
                # Linked with it too, the program takes numbers below 1e-307 for zero. A trace that nothing has raised
                # for long decays to such numbers, and with them an operation takes a hundred times longer.
                *(flag for flag in flags if flag == FAST_MATH),
                *(f"-L{path}" for path in asked("library_dirs")),
                *(f"-Wl,-rpath,{path}" for path in asked("runtime_library_dirs")),
                *(f"-l{name}" for name in asked("libraries")),
                *self.extra_link_args,
                *prefs["codegen.cpp.extra_link_args"],
            ),
        )

    def origins(self) -> dict[str, str]:
        """Which object, of which model, each source file of a code object stems from."""
        origins = {}
        for codeobj in self.code_objects.values():
            owner = describe(codeobj.owner)
            for prefix in ("", "before_run_", "after_run_"):
                origins[f"code_objects/{prefix}{codeobj.name}.cpp"] = owner
        return origins

    # ---- results ----------------------------------------------------------------------------------------------

    def open_results(self, folder: Path) -> None:
        """Let reads go to the results in this folder."""
        self.results_dir = os.path.join(str(folder), "")
        self.has_been_run = True
        self.closed = ""
        for var in self.arrays:
            if isinstance(var, DynamicArrayVariable) and isinstance(var.size, tuple):
                # Brian2 takes the length of the results that it has read last for that of all results.
                var.size = self._sizes.setdefault(var, var.size)

    def close_results(self, reason: str) -> None:
        """Let reads of what the run has computed fail for this reason, until results are opened again."""
        self.has_been_run = False
        self.closed = reason

    def close(self, reason: str) -> None:
        """Let reads of what the run has computed fail for this reason, for good."""
        self.close_results(reason)
        self.end()

    def end(self) -> None:
        """Refuse to set or run anything, and let go of what only a program needs that is yet to run."""
        self.over = True
        for needed in (self._owners, self.main_queue, self.static_arrays, self.code_objects):
            needed.clear()

    def result_dtypes(self) -> dict[str, tuple[str, np.dtype[Any]]]:
        """For each file of results, what it holds and the type of its elements."""
        return {self.get_array_filename(var): (_variable_name(var), np.dtype(var.dtype)) for var in self._results()}

    def _results(self) -> list[Any]:
        """The variables whose arrays a program writes."""
        return [var for var in self.arrays if var not in self.as_given]

    # ---- points of a sweep ------------------------------------------------------------------------------------

    def set_by_point(self, key: str, var: Any, example: NDArray[Any] | float, place: int) -> str:
        """Queue, at a place of the program, that a variable gets the value that each point brings along.

        Parameters
        ----------
        key
            Name of the value among the point's.
        var
            The variable.
        example
            The first point's value in base units, whose shape all others share.
        place
            Index in the main queue.

        Returns
        -------
        str
            Name of the static array that carries the values, or "" when it is a single number.
        """
        array, dynamic = self.get_array_name(var, access_data=False), isinstance(var, DynamicArrayVariable)
        self.array_cache[var] = None
        if np.ndim(example) == 0:
            value = literals.PointValue(key, integer=not np.issubdtype(var.dtype, np.floating))
            self.main_queue.insert(place, ("set_by_constant", (array, value, dynamic)))
            return ""
        name = str(self.static_array(f"_point_{array}", np.asarray(example, dtype=var.dtype)))
        self.main_queue.insert(place, ("set_if_given", (array, key, name, dynamic)))
        return name


def _variable_name(var: Any) -> str:
    try:
        return f"{var.owner.name}.{var.name}"
    except (ReferenceError, AttributeError):
        return str(var.name) if isinstance(var, ArrayVariable) else "a value"
