"""How much of a stimulus can be read from the spikes of one neuron by a linear filter?

Bialek, Rieke and colleagues (1991; the book Spikes, 1997) read a stimulus back from spikes with a linear filter, and
so found a lower bound of the information that they carry. Where theory gives the answer, does the estimate agree? A
Poisson neuron whose rate follows a random signal has everything in closed form; a leaky integrate-and-fire neuron in
noise has it at low frequencies.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Hz, Network, Quantity, SpikeMonitor, StateMonitor, ms, mV, second

from biosnn.engine import Simulation
from biosnn.groups.build import neurons
from biosnn.measure.reconstruction import Spectra, coding_fraction, reconstruct, spectra
from biosnn.study import Result, setting
from biosnn.theory import siegert_rate_discrete
from biosnn.theory.neurons import OVERSHOOT
from biosnn.theory.renewal import siegert_cv

from .outcome import CLAIMS as CLAIMS

TARGET = "cpp"
ANSWER = (
    "Spikes of a LIF neuron carry {LIF, bits per spike} bits each about the stimulus, with a coding fraction "
    "of {LIF, coding fraction}; spikes of another neuron one of {LIF, coding fraction, spikes of another}."
)
METHOD = """\
Every neuron has a signal of its own, an Ornstein-Uhlenbeck process of variance 1 and 50 ms correlation time. Spectra
are means over windows of about 2 s of all neurons; the filter of one half of the neurons is tried on the other half.

- Poisson neuron: the rate is r (1 + depth s). Its coherence at a frequency f is 1/(1 + 1/(r depth**2 S(f))), with S
the spectrum of the signal. Integrated, the information rate is (sqrt(1 + A) - 1)/(2 tau_s ln 2) bits per second, and
the coding fraction 1 - (1 + A)**(-1/4), with A = 2 tau_s r depth**2.
- Integrate-and-fire neuron: at low frequencies its rate follows the drive as Siegert's formula does, and its noise
has the power r CV**2 (Brunel 2000, appendix A.1); both with the threshold raised by what a time step misses. The
coherence there is 1/(1 + r CV**2/(r'**2 a**2 S(0))), where a is the amplitude of the drive and r' the slope of the
rate. - The control reads each neuron's signal from the spikes of another neuron."""

HIGHEST = 250.0
"""Frequencies (Hz) up to which information is added up: coherence has vanished there."""
LOW = 2.5
"""Frequencies (Hz) that count as low: the membrane follows them."""
BIN = 1.0
"""In ms: what spikes are counted in."""
WINDOW = 2048
LIF = {"tau_m": 10 * ms, "v_th": 15 * mV, "v_reset": 0 * mV, "t_ref": 2 * ms}
DRIVE, NOISE, AMPLITUDE = 14 * mV, 4 * mV, 1.5 * mV
TAU_S, RATE, DEPTH = 0.05, 100.0, 0.3


@dataclass(frozen=True)
class Settings:
    neurons: int = setting(400, "neurons of each kind, each with a signal of its own", minimum=8)
    duration: Quantity = setting(12.4 * second, "simulated time", minimum=4.2 * second)
    dt: Quantity = setting(0.1 * ms, "time step, of which 1 ms is a multiple", minimum=0.01 * ms, maximum=1 * ms)


def run(settings: Settings, sim: Simulation) -> Result:
    sim.reset(dt=settings.dt)
    lif = {"mu": DRIVE, "sigma": NOISE, "amplitude": AMPLITUDE, "tau_s": TAU_S * second, **LIF}
    poisson = {"rate": RATE * Hz, "depth": DEPTH, "tau_s": TAU_S * second}
    groups = {
        "LIF": neurons(settings.neurons, "lif_signal", values=lif),
        "Poisson": neurons(settings.neurons, "poisson_signal", values=poisson),
    }
    spikes = {name: SpikeMonitor(group) for name, group in groups.items()}
    signals = {name: StateMonitor(group, "s", record=True, dt=BIN * ms) for name, group in groups.items()}
    sim.run(Network(*groups.values(), *spikes.values(), *signals.values()), settings.duration, "signals and spikes")
    values, arrays = _theory(settings)
    for name in groups:
        more = _read(name, np.asarray(signals[name].s), _counts(spikes[name], signals[name].s.shape))
        values |= more[0]
        arrays |= more[1]
    return Result(values, arrays)


def _counts(monitor: Any, shape: tuple[int, int]) -> Any:
    """How many spikes each neuron has in each millisecond."""
    bins = np.minimum((np.asarray(monitor.t / ms) / BIN + 1e-6).astype(int), shape[1] - 1)
    counts = np.zeros(shape)
    np.add.at(counts, (np.asarray(monitor.i), bins), 1)
    return counts


def _read(name: str, signal: Any, counts: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What can be read of the signals of one kind of neuron."""
    one_bin, half = BIN / 1000, len(signal) // 2
    found = spectra(signal, counts, one_bin, WINDOW)
    estimate = reconstruct(spectra(signal[:half], counts[:half], one_bin, WINDOW), counts[half:], one_bin)
    # The control: each signal with the spikes of the next neuron.
    shuffled = spectra(signal, np.roll(counts, 1, axis=0), one_bin, WINDOW)
    rate = counts.mean() / one_bin
    information = found.information_rate(HIGHEST)
    values = {
        f"{name}, rate": rate * Hz,
        f"{name}, information rate": information * Hz,
        f"{name}, bits per spike": information / rate,
        f"{name}, coding fraction": coding_fraction(signal[half:], estimate),
        f"{name}, coherence at low frequencies": float(found.coherence[_low(found)].mean()),
        f"{name}, information rate, spikes of another": shuffled.information_rate(HIGHEST) * Hz,
        f"{name}, coding fraction, spikes of another": coding_fraction(signal[half:], np.roll(estimate, 1, axis=0)),
    }
    shown = slice(0, 1000)
    arrays = {
        "frequency": found.frequency * Hz,
        f"{name}, coherence": found.coherence,
        f"{name}, signal": signal[half][shown],
        f"{name}, estimate": estimate[0][shown],
        f"{name}, counts": counts[half][shown],
    }
    return values, arrays


def _low(found: Spectra) -> Any:
    return (found.frequency > 0) & (found.frequency < LOW)


def _spectrum(frequency: Any) -> Any:
    """The power of the signal, two-sided."""
    return 2 * TAU_S / (1 + (2 * np.pi * frequency * TAU_S) ** 2)


def _theory(settings: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """Everything that is known in closed form."""
    frequency = np.fft.rfftfreq(WINDOW, BIN / 1000)
    low = (frequency > 0) & (frequency < LOW)
    a = 2 * TAU_S * RATE * DEPTH**2
    poisson = 1 / (1 + 1 / (RATE * DEPTH**2 * _spectrum(frequency)))
    below, at, above = (
        siegert_rate_discrete(DRIVE + shift * mV, NOISE, dt=settings.dt, **LIF) / Hz for shift in (-0.1, 0.0, 0.1)
    )
    slope = (above - below) / 0.2  # Hz/mV
    raised = LIF["v_th"] + OVERSHOOT * NOISE * np.sqrt(float(settings.dt / LIF["tau_m"]))
    cv = siegert_cv(DRIVE, NOISE, **{**LIF, "v_th": raised})
    power = (slope * float(AMPLITUDE / mV)) ** 2 * _spectrum(frequency)
    lif = 1 / (1 + at * cv**2 / power)
    values = {
        "Poisson, information rate in theory": (np.sqrt(1 + a) - 1) / (2 * TAU_S * np.log(2)) * Hz,
        "Poisson, coding fraction in theory": 1 - (1 + a) ** -0.25,
        "Poisson, coherence at low frequencies in theory": float(poisson[low].mean()),
        "LIF, coherence at low frequencies in theory": float(lif[low].mean()),
        "LIF, rate in theory": at * Hz,
    }
    return values, {"Poisson, coherence in theory": poisson, "LIF, coherence in theory": lif}
