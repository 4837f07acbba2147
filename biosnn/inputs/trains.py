"""Spike trains of given rates, with as few random numbers as spikes.

A neuron knows the time step of its next spike. When that comes, the next one is drawn: one random number per
spike, where a group that draws in every step needs one for each neuron and step. In a Bernoulli process with
probability p per step, the steps from spike to spike are geometric: ``log(1 - u)/log(1 - p)`` for a uniform u,
rounded up, exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import Hz, Quantity, get_dimensions
from brian2.groups.group import CodeRunner

from biosnn.codegen import code_objects
from biosnn.errors import ModelError, field_error
from biosnn.inputs import check
from biosnn.inputs.group import InputGroup
from biosnn.quantity import check_dimension

# log(1 - u), kept below 0 where u is 0, so that at a rate of 0 the wait is always long (1e13 steps).
_WAIT = "_scale*clip(log(1 - rand()), -100, -1e-17)"
_POISSON = {
    "start": f"_scale = 1/log1p(-clip(rates*dt, 1e-30, 1 - 1e-16))\n_next_step = t_in_timesteps - 1 + {_WAIT}",
    "spike": f"_next_step = t_in_timesteps + {_WAIT}",
}
_RATES = "rates, such as 10*Hz"

BLOCK = 16
"""Of how many neurons the C++ template keeps the soonest spike."""


class SpikeTrains(InputGroup):
    """Neurons that spike at rates of their own; made by `poisson`.

    An ordinary group for monitors, ``Synapses`` and `Projection`.

    Attributes
    ----------
    rates : Hz
        Of each neuron. Whatever sets it, between runs or in a run, it holds from that step on.
    """

    def __init__(
        self, n: int, rates: Quantity | str, texts: dict[str, str], *, dt: Quantity | str | None, name: str
    ) -> None:
        InputGroup.__init__(self, n, dt=dt, when="thresholds", order=0, name=name)
        variables = self.variables
        # Doubles even where state variables are single: small probabilities, and the steps of a run of any length.
        for variable, unit in (("rates", Hz), ("_rates_seen", Hz), ("_scale", 1), ("_next_step", 1)):
            variables.add_array(variable, size=self._N, dimensions=get_dimensions(unit), dtype=np.float64)
        variables.add_array("_anew", size=1, dtype=np.int32, scalar=True)
        variables.add_array("_soonest", size=-(-self._N // BLOCK), dtype=np.float64)
        self.spikes_by(_Due(self, texts))
        self._enable_group_attributes()
        self._next_step = -2  # missed, so that the first step draws
        self.variables["_anew"].set_value(1)  # all begin anew in the next step
        self.rates = check.quantity(f"{self.name}, rates", rates, _RATES)

    def __setattr__(self, name: str, value: Any, level: int = 0) -> None:
        """Set a variable; rates are checked."""
        if name == "rates" and not isinstance(value, str):
            value = self._checked(value)
        super().__setattr__(name, value, level=level + 1)

    def _checked(self, given: Any) -> Quantity:
        where = f"{self.name}, rates"
        rates = check.numbers(where, given, _RATES)
        check_dimension(where, rates, Hz)
        if rates.shape not in ((), (self._N,)):
            raise ModelError(field_error(where, f"one rate or {self._N}", f"shape {rates.shape}"))
        highest = (1 / self.clock.dt) * (1 + 1e-9)  # the reciprocal is rounded
        wrong = ~((rates >= 0 * Hz) & (rates <= highest))  # also where one is NaN
        if np.any(wrong):
            got = rates[wrong][0] if rates.shape else rates
            raise ModelError(field_error(where, f"rates from 0 Hz to one spike per time step of {self.clock.dt}", got))
        return rates


class _Due(CodeRunner):  # type: ignore[misc]
    """Lets the neurons spike whose time has come."""

    def __init__(self, group: SpikeTrains, texts: dict[str, str]) -> None:
        CodeRunner.__init__(
            self,
            group,
            "due",
            code=texts,
            clock=group.clock,
            when=group.when,
            order=group.order,
            name=f"{group.name}_due",
            needed_variables=["_spikespace", "rates", "_rates_seen", "_next_step", "_soonest", "_anew"],
            template_kwds={"eventspace_variable": group.variables["_spikespace"], "block": BLOCK},
        )

    def before_run(self, run_namespace: Any) -> None:
        """Let Brian2 generate the code from the templates of this package."""
        self.codeobj_class = code_objects.for_target("biosnn.inputs")
        for text in self.abstract_code.values():
            code_objects.complete_functions(self.group, text, run_namespace)
        super().before_run(run_namespace)


def poisson(n: int, rates: Quantity | str, *, dt: Quantity | str | None = None, name: str = "poisson*") -> SpikeTrains:
    """Independent Poisson spike trains: in each time step, a neuron spikes with probability ``rates*dt``.

    The distribution is that of Brian2's ``PoissonGroup``. One random number is drawn per spike.

    Parameters
    ----------
    n : int
        Number of neurons.
    rates : Quantity or str
        One rate, or an array of ``n``. The variable ``rates`` of the group can be set between runs, and by
        ``run_regularly`` or any other statement during one. Where it changes, the wait for the next spike is drawn
        anew, which a process without memory allows. Set by statements beyond 1/dt, it saturates: a spike in every step;
        below 0, none. Images set it through `Images.drive`; ``sim.sweep`` takes rates, and the order of images.
    dt : Quantity or str, optional
        Time step of the group; by default the session's.
    name : str
        Its name.

    Returns
    -------
    SpikeTrains

    Raises
    ------
    ModelError
        If rates do not fit the number of neurons, are negative, or are above one spike per time step; if ``n`` is no
        whole number, the time step is not above 0, or the name is none that Brian2 takes.
    QuantityError
        If a quantity has the wrong dimension, or a text is none.
    """
    check.plain_name("poisson", name)
    return SpikeTrains(n, rates, _POISSON, dt=dt, name=name)
