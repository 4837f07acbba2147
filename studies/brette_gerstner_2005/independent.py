"""The same neuron, integrated by other means: SciPy's Runge-Kutta method of eighth order, which chooses its steps."""

from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

CUT = -35.0
"""From this potential (mV) on, up to the spike, time is integrated over the potential: it rises faster and faster."""
SOLVER: Any = {"method": "DOP853", "rtol": 1e-11, "atol": 1e-11, "dense_output": True}


def integrate(time: Any, cell: dict[str, float], start: tuple[float, float]) -> tuple[Any, Any]:
    """The potential (mV) and the adaptation (pA) at given times (ms), and when it spikes.

    ``cell`` has the parameters of the paper in pF, nS, mV, ms and pA.
    """

    def flow(_: float, state: Any) -> Any:
        v, w = state
        ions = cell["g_L"] * (cell["E_L"] - v + cell["Delta_T"] * np.exp((v - cell["V_T"]) / cell["Delta_T"]))
        return [(ions - w + cell["I"]) / cell["C"], (cell["a"] * (v - cell["E_L"]) - w) / cell["tau_w"]]

    def over_potential(v: float, state: Any) -> Any:
        rise, adapt = flow(0.0, [v, state[1]])
        return [1 / rise, adapt / rise]

    def cut(_: float, state: Any) -> float:
        return float(state[0] - CUT)

    cut.terminal, cut.direction = True, 1.0  # type: ignore[attr-defined]
    trace, spikes = np.full((2, len(time)), np.nan), []
    now, state = float(time[0]), list(start)
    while now < time[-1]:
        below = solve_ivp(flow, (now, time[-1] + 1), state, events=cut, **SOLVER)
        here = (time >= now) & (time <= below.t[-1])
        trace[:, here] = below.sol(time[here])
        if below.status != 1:
            break
        above = solve_ivp(over_potential, (CUT, cell["V_peak"]), [below.t[-1], below.y[1, -1]], **SOLVER)
        now = float(above.y[0, -1])
        here = (time > below.t[-1]) & (time < now)
        # What the potential is at a time between: the solution has times at potentials.
        potentials = np.linspace(CUT, cell["V_peak"], 2001)
        times, adaptation = above.sol(potentials)
        trace[:, here] = np.interp(time[here], times, potentials), np.interp(time[here], times, adaptation)
        spikes.append(now)
        state = [cell["V_r"], float(above.y[1, -1]) + cell["b"]]
    return trace, np.array(spikes)
