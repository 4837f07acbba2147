"""What is claimed of reconstructed stimuli."""

from biosnn.study import Claim, Result


def _value(result: Result, name: str) -> float:
    return float(result.values[name])


def _fires(result: Result) -> bool:
    """Both neurons fire above 5 Hz."""
    return all(_value(result, f"{name}, rate") > 5 for name in ("LIF", "Poisson"))


def _near(result: Result, name: str, relative: float) -> bool:
    theory = _value(result, f"{name} in theory")
    return abs(_value(result, name) - theory) < relative * theory


def _poisson(result: Result) -> bool:
    names = ("information rate", "coding fraction", "coherence at low frequencies")
    return all(_near(result, f"Poisson, {name}", 0.1) for name in names)


def _lif(result: Result) -> bool:
    return _near(result, "LIF, coherence at low frequencies", 0.15) and _near(result, "LIF, rate", 0.1)


def _other_spikes(result: Result) -> bool:
    return all(
        _value(result, f"{name}, information rate, spikes of another")
        < 0.1 * _value(result, f"{name}, information rate")
        and _value(result, f"{name}, coding fraction, spikes of another") < 0
        for name in ("LIF", "Poisson")
    )


CLAIMS = [
    Claim(
        "Poisson neuron",
        "Information rate, coding fraction and coherence of the Poisson neuron are within 10 % of their closed forms.",
        _poisson,
        _fires,
    ),
    Claim(
        "integrate-and-fire neuron",
        "At low frequencies the coherence of the integrate-and-fire neuron is that of Siegert's and Brunel's formulas.",
        _lif,
        _fires,
    ),
    Claim("control", "From the spikes of another neuron nothing can be read.", _other_spikes, _fires),
]
