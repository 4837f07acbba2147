"""What is claimed of the trace."""

from biosnn.study import Claim, Result

ALLOWED = {"potential": 5e-4, "adaptation": 1e-4}
"""Mean relative errors that NEST's test allows."""
AGAINST = ("NEST", "DOP853")


def _error(result: Result, variable: str, against: str, suffix: str = "") -> float:
    return float(result.values[f"mean relative error of the {variable} against {against}{suffix}"])


def _fires(result: Result) -> bool:
    """The neuron spikes five times at least."""
    return bool(result.values["spikes"] >= 5)


def _close(result: Result) -> bool:
    return all(_error(result, one, other) < allowed for one, allowed in ALLOWED.items() for other in AGAINST)


def _notices(result: Result) -> bool:
    return all(
        _error(result, one, other, ", wrong a") > 5 * allowed for one, allowed in ALLOWED.items() for other in AGAINST
    )


def _rheobase(result: Result) -> bool:
    ratio = result.values["rheobase from the Jacobian"] / result.values["rheobase in closed form"]
    return bool(abs(float(ratio) - 1) < 1e-6)


CLAIMS = [
    Claim(
        "trace",
        "Mean relative errors of potential and adaptation are within NEST's tolerances, against both references.",
        _close,
        _fires,
    ),
    Claim(
        "control", "With a larger by 10 % all these errors are more than five times the tolerance.", _notices, _fires
    ),
    Claim("rheobase", "The Jacobian loses its stability at the current of the closed form.", _rheobase, _fires),
]
