"""The C++ of a network's forward and backward pass: the template with what a network puts into it."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import jinja2
import sympy

from biosnn.adjoint.names import JUMP, SLOPE, lambda_of, symbol
from biosnn.training.batch import FIRST_SPIKES
from biosnn.training.engines.cpp_expressions import LayerCode, functions
from biosnn.training.methods import SHAPES, Exact, Surrogate
from biosnn.training.network import OUTSIDE, Connection
from biosnn.training.plan import LayerPlan, NetworkPlan


def source(plan: NetworkPlan, method: Exact | Surrogate, feature: str, real: str) -> tuple[str, dict[str, list[str]]]:
    """The program, and for each layer the names of the values that it is given, in their order."""
    exact = isinstance(method, Exact)
    codes = {one.name: LayerCode(one) for one in plan.layers}
    places = {name: place for place, name in enumerate(plan.network.parameters)}
    numbers = {one.name: number for number, one in enumerate(plan.layers)}
    layers = [_layer(plan, one, codes[one.name], numbers[one.name], method, places) for one in plan.layers]
    connections = [
        _connection(plan, one, codes[one.target], numbers, number, exact=exact)
        for number, one in enumerate(plan.network.connections)
    ]
    for layer, code in zip(layers, codes.values(), strict=True):
        layer["hoisted"], layer["constants"] = code.hoisted, [name for name, _ in code.hoisted]
        layer["may_lose"] = any(one["lost"] for one in connections if one["target"] == layer["id"])
    values: dict[str, Any] = {
        "detach_reset": True,
        "real": real,
        "exact": exact,
        "feature": feature,
        "first_spikes": feature in FIRST_SPIKES,
        "approach": feature == "first_spike_or_approach",
        "inputs": plan.network.inputs,
        "values": plan.network.input == "values",
        "layers": layers,
        "connections": connections,
        "output": layers[numbers[plan.network.output]],
        "parameters": len(places),
        "functions": functions(_all_expressions(plan)),
    }
    if isinstance(method, Surrogate):
        values |= {"slope": SHAPES[method.shape].cpp, "detach_reset": method.detach_reset}
    return _template().render(values), {name: code.given for name, code in codes.items()}


@cache
def _template() -> jinja2.Template:
    """The template, read once: that takes longer than what a network puts into it."""
    text = (resources.files("biosnn.training.engines") / "templates" / "training.cpp").read_text()
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(text)


def _all_expressions(plan: NetworkPlan) -> list[Any]:
    found: list[Any] = []
    for one in plan.layers:
        a = one.adjoint
        for table in (a.step, a.step_held, a.flow, a.flow_held, a.reset, a.step_jacobian, a.step_held_jacobian):
            found += table.values()
        found += [*a.step_parameters.values(), *a.step_held_parameters.values(), *a.initial.values()]
        found += [] if a.threshold is None else [a.threshold]
    return found


def _layer(
    plan: NetworkPlan, one: LayerPlan, code: LayerCode, number: int, method: Exact | Surrogate, places: dict[str, int]
) -> dict[str, Any]:
    a, exact = one.adjoint, isinstance(method, Exact)
    names = {name: f"s_{name}" for name in one.states}

    def table(prefix: str, values: Any) -> str:
        return code.statements({f"{prefix}{names.get(name, name)}": values[name] for name in one.states})

    layer: dict[str, Any] = {
        "id": number,
        "size": one.size,
        "spikes": one.spikes,
        "rests": one.rests,
        "states": [names[name] for name in one.states],
        "given": [f"p_{name}" for name in code.given],
        "kept": [names[name] for name in one.kept],
        "trained": list(one.trained),
        "parameter_places": {name: places[f"{one.name}.{name}"] for name in one.trained},
        "initial": [
            (names[name], f"constants_{number}.{code.constant(a.initial.get(name, sympy.Integer(0)))}")
            for name in one.states
        ],
        "initial_parameters": [
            (by, names[name], code.constant(slope))
            for (name, by), slope in a.initial_parameters.items()
            if by in one.trained
        ],
        "step": table("_new_", a.step),
        "back": code.statements(_backwards(one, names, "_new_", "_step_by_", one.back, one.step_gradients)),
    }
    if one.rests:
        layer["step_held"] = table("_held_", a.step_held)
        held = {name: one.step_gradients_held.get(name, sympy.Integer(0)) for name in one.trained}
        layer["back_held"] = code.statements(_backwards(one, names, "_held_", "_held_by_", one.back_held, held))
        layer["release"] = code.statements({"_released": a.release})
    layer |= {"at_spikes": [], "at_release": [], "at_reset": [], "stepped": [], "before_reset": []}
    reset_reads = _read(one, [*a.reset_jacobian.values(), *a.reset_parameters.values()])
    if one.spikes:
        layer["spikes_at_zero"] = a.spikes_at_zero
        layer["threshold"] = code.statements({"_g": a.threshold})
        layer["reset"] = table("_new_", a.reset)
        layer["at_reset"] = [names[name] for name in reset_reads]
        layer["threshold_gradient"] = [(names[name], code.value(slope)) for name, slope in a.threshold_gradient.items()]
        layer |= _exact_spikes(one, code, names) if exact else _surrogate_spikes(one, code, names)
        if isinstance(method, Exact):
            layer["distance"] = repr(plan.distance(one))
            layer["threshold_parameters"] = _threshold_parameters(one, code)
            layer["largest_jump"] = repr(method.largest_jump / plan.distance(one))
            layer["smallest_slope"] = repr(method.smallest_slope(plan.distance(one)))
    if exact:
        arriving = {
            name for c in plan.network.connections if c.target == one.name for name in one.kept_at_arrivals(c.onto)
        }
        layer["stepped"] = [names[name] for name in one.states if name in arriving]
        layer["at_release"] = [names[name] for name in one.kept_at_release] if one.rests else []
    elif one.spikes:
        layer["stepped"] = [names[name] for name in one.states]
        layer["width"] = repr(method.width * plan.distance(one)) if isinstance(method, Surrogate) else "1"
    return layer


def _read(one: LayerPlan, expressions: list[Any]) -> list[str]:
    found = {symbol_ for expression in expressions for symbol_ in sympy.sympify(expression).free_symbols}
    return [name for name in one.states if symbol(name) in found]


def _backwards(one: LayerPlan, names: Any, prefix: str, by: str, back: Any, gradients: Any) -> dict[str, Any]:
    found = {f"{prefix}{names[name]}": back[name] for name in one.states}
    return found | {f"{by}{name}": gradients[name] for name in one.trained}


def _exact_spikes(one: LayerPlan, code: LayerCode, names: Any) -> dict[str, Any]:
    jump = one.adjoint.spike_jump
    assert jump is not None
    return {
        "at_spikes": [names[name] for name in one.kept_at_spikes],
        "slope": code.statements({str(SLOPE): jump.slope}, const=False),
        "jump": code.statements({str(JUMP): jump.jump}, const=False),
        "before": code.statements({f"_new_{names[name]}": jump.before[name] for name in one.states}),
        "jump_parameters": [
            (name, code.value(jump.parameters[name])) for name in one.trained if name in jump.parameters
        ],
    }


def _surrogate_spikes(one: LayerPlan, code: LayerCode, names: Any) -> dict[str, Any]:
    a = one.adjoint
    through = {name: _through(one, name) for name in one.states}
    by_reset = {
        name: sympy.Add(*(slope * lambda_of(to) for (to, by), slope in a.reset_parameters.items() if by == name))
        for name in one.trained
    }
    gone = sympy.Add(*(lambda_of(name) * (value - symbol(name)) for name, value in a.reset.items()))
    return {
        "through": code.statements({f"_through_{names[name]}": value for name, value in through.items()}),
        "reset_parameters": [(name, code.value(value)) for name, value in by_reset.items() if value != 0],
        "threshold_parameters": _threshold_parameters(one, code),
        "reset_change": code.statements({"_gone": sympy.expand(gone)}),
        "before_reset": [names[name] for name in _read(one, [sympy.expand(gone)])],
    }


def _threshold_parameters(one: LayerPlan, code: LayerCode) -> list[tuple[str, str]]:
    slopes = one.adjoint.threshold_parameters
    return [(name, code.value(slopes[name])) for name in one.trained if name in slopes]


def _through(one: LayerPlan, name: str) -> Any:
    """The adjoint before a reset that is taken as given."""
    jacobian = one.adjoint.reset_jacobian
    return sympy.Add(*(slope * lambda_of(to) for (to, of), slope in jacobian.items() if of == name))


def _connection(
    plan: NetworkPlan, one: Connection, code: LayerCode, numbers: dict[str, int], number: int, *, exact: bool
) -> dict[str, Any]:
    target = plan.by_name[one.target]
    through = _through(target, one.onto) if target.spikes else lambda_of(one.onto)
    unchanged = sympy.expand(through - lambda_of(one.onto)) == 0
    found: dict[str, Any] = {
        "id": number,
        "source": numbers.get(one.source),
        "constant": one.source if one.source in plan.network.constant else "",
        "target": numbers[one.target],
        "targets": target.size,
        "sources": plan.network.size(one.source),
        "dense": plan.is_dense(one),
        "by_rows": plan.is_dense(one) and one.source not in plan.network.constant,
        "trained": one.trained,
        "weights": one.weight.size,
        "delay": one.delay,
        "onto": f"s_{one.onto}",
        "lost": target.spikes and one.onto in target.adjoint.held,
        "through_reset": "" if unchanged else code.statements({"_through": through}),
        "target_states": [f"s_{name}" for name in target.states],
        "target_at_reset": [f"s_{name}" for name in _read(target, [through])],
        "target_rests": target.rests,
        "target_stepped": [],
    }
    if exact and one.source not in OUTSIDE:
        slope = plan.arrival_slope(one, held=False)
        found["sent"] = code.statements({"_sent_free": slope})
        found["sent_held"] = code.statements({"_sent_held": plan.arrival_slope(one, held=True)}) if target.rests else ""
        found["target_stepped"] = [f"s_{name}" for name in _read(target, [slope])]
    return found
