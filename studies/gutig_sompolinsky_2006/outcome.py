"""What is claimed of the tempotron."""

from biosnn.study import Claim, Result

PERCEPTRON = 2.0
"""Patterns per input that a perceptron learns at most: Cover 1965."""


def _value(result: Result, name: str) -> float:
    return float(result.values[name])


def _fires(result: Result) -> bool:
    """Whether there is a learned tempotron that fires at some patterns in Brian2."""
    return "patterns answered in Brian2" in result.values and _value(result, "patterns answered in Brian2") >= 1


def _beyond_perceptron(result: Result) -> bool:
    return _value(result, "highest load") > PERCEPTRON and _value(result, "learned at the highest load") > 0.5


def _same_neuron(result: Result) -> bool:
    return _value(result, "answers alike in Brian2") >= 0.99


def _gradient(result: Result) -> bool:
    return _value(result, "update and gradient apart") < 0.02


def _random_time(result: Result) -> bool:
    return _value(result, "learned at a random time") == 0 and _value(result, "errors at a random time") > 0.3


def _too_many(result: Result) -> bool:
    return _value(result, "learned beyond the capacity") == 0 and _value(result, "errors beyond the capacity") > 0.05


def _other_times(result: Result) -> bool:
    return 0.35 < _value(result, "right with other times") < 0.65


CLAIMS = [
    Claim(
        "more than a perceptron",
        "More patterns per afferent than a perceptron can learn, 2, are learned without an error.",
        _beyond_perceptron,
        _fires,
    ),
    Claim(
        "the neuron",
        "A neuron of the catalogue in Brian2 with the learned weights answers at least 99 % of the patterns as taught.",
        _same_neuron,
        _fires,
    ),
    Claim(
        "gradient",
        "The change of the rule is the gradient of the largest potential, as derived from the neuron's equations.",
        _gradient,
        _fires,
    ),
    Claim(
        "control: random time",
        "With a random time in the place of that of the largest potential, one pattern per afferent is not learned.",
        _random_time,
        _fires,
    ),
    Claim("control: too many", "Beyond the capacity nothing is learned in full.", _too_many, _fires),
    Claim(
        "control: other times",
        "With other times of the same numbers of spikes the learned weights answer by chance.",
        _other_times,
        _fires,
    ),
]
