"""What spikes and traces of the axon come to, and what is claimed of it."""

from typing import Any

import numpy as np

from biosnn.study import Claim, Result

HALF = 0.5
"""The share of a run, at its end, in which a cell has to fire."""


def lasting_rates(monitor: Any, end: float) -> Any:
    """The rate (Hz) of each cell from its intervals in the last half of a run; 0 if it has ceased to fire."""
    trains = monitor.spike_trains()
    rates = np.zeros(len(trains))
    for cell, train in trains.items():
        late = np.asarray(train)[np.asarray(train) > HALF * end]
        if len(late) > 2 and end - late[-1] < 2 * (late[-1] - late[-2]):
            rates[cell] = (len(late) - 1) / (late[-1] - late[0])
    return rates


def crossing_frequency(time: Any, trace: Any) -> float:
    """The frequency (Hz) at which a trace rises through its mean, from 20 ms on."""
    time, trace = np.asarray(time), np.asarray(trace)
    late = time > 0.02
    time, trace = time[late], trace[late] - trace[late].mean()
    up = np.flatnonzero((trace[:-1] < 0) & (trace[1:] >= 0))
    when = time[up] - trace[up] * (time[up + 1] - time[up]) / (trace[up + 1] - trace[up])
    return float((len(when) - 1) / (when[-1] - when[0]))


def _fires(result: Result) -> bool:
    """The membrane fires at more than five currents."""
    return bool(result.values["most currents fired"] > 5)


def _two_states(result: Result) -> bool:
    """Where both states are asked for, from the least current that keeps a firing cell firing up to the Hopf point."""
    current = result.arrays["falling current"]
    least, hopf = (result.values[name] for name in ("least current of lasting firing", "first Hopf point"))
    between = (current >= least) & (current < 0.99 * hopf)
    above = current > 1.1 * hopf  # close to it, rest is left slowly
    firing, quiet = result.arrays["falling rate"], result.arrays["quiet rate"]
    return bool(
        between.sum() > 3
        and above.sum() > 1
        and np.all(firing[between] > 0)
        and np.all(quiet[between] == 0)
        and np.all(quiet[above] > 0)
    )


def _linear(result: Result) -> bool:
    ratio = result.values["frequency of a small oscillation"] / result.values["frequency at the first Hopf point"]
    return bool(abs(ratio - 1) < 0.01)


def _threshold(result: Result) -> bool:
    """In figure 12 of the paper 7, 15 and 90 mV fire, and 6 mV does not."""
    return [bool(one) for one in result.arrays["displacement fires"][:4]] == [True, True, True, False]


def _class_two(result: Result) -> bool:
    """At the least current the rate is already over half of what it is at three times that current."""
    current, rate = result.arrays["step current"], result.arrays["step rate"]
    least = result.values["least current of lasting firing"]
    three = np.interp(float(np.asarray(3 * least)), np.asarray(current), np.asarray(rate))
    return bool(float(np.asarray(result.values["lowest lasting rate"])) > 0.5 * three)


def _needs_potassium(result: Result) -> bool:
    return bool(
        result.values["Hopf points without potassium activation"] == 0
        and np.all(result.arrays["control rate"] == 0)
        and result.values["spikes without potassium activation"] <= 1
    )


CLAIMS = [
    Claim(
        "threshold", "A displacement by 7, 15 or 90 mV fires the membrane, one by 6 mV does not.", _threshold, _fires
    ),
    Claim(
        "class 2",
        "Firing begins at a frequency over half of that at three times the current: it cannot fire slowly.",
        _class_two,
        _fires,
    ),
    Claim(
        "two states",
        "Between the least current of lasting firing and the first Hopf point a cell that fires goes on firing, "
        "and one at rest stays at rest; a tenth above the Hopf point rest is left.",
        _two_states,
        _fires,
    ),
    Claim(
        "linear frequency",
        "At the first Hopf point a small oscillation has the frequency of the Jacobian's eigenvalues within 1 %.",
        _linear,
        _fires,
    ),
    Claim(
        "control",
        "Without potassium activation the membrane has no Hopf point and fires at most once, at whatever current.",
        _needs_potassium,
        _fires,
    ),
]
