"""How well a stimulus can be read from spikes by a linear filter, and the information that this guarantees.

Bialek, Rieke, de Ruyter van Steveninck & Warland 1991, doi:10.1126/science.2063199; Rieke et al. 1997, Spikes,
chapter 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biosnn.display import Brief
from biosnn.errors import DataError, field_error

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spectra(Brief):
    """Spectra of stimuli and of the responses to them, two-sided, at frequencies from 0 up.

    Parameters
    ----------
    frequency : ndarray
        In Hz.
    stimulus, response : ndarray
        Power.
    cross : ndarray of complex
        Of the response with the stimulus.
    windows : int
        Over how many windows they are means.
    """

    frequency: Floats
    stimulus: Floats
    response: Floats
    cross: NDArray[np.complex128]
    windows: int

    @property
    def coherence(self) -> Floats:
        """The squared coherence, from 0 to 1, without the bias 1/windows that chance alone gives it."""
        raw = np.abs(self.cross) ** 2 / (self.stimulus * self.response)
        return (raw - 1 / self.windows) / (1 - 1 / self.windows)

    @property
    def filter(self) -> NDArray[np.complex128]:
        """The filter that makes the best estimate of the stimulus from the response, at each frequency."""
        return self.cross / self.response

    def information_rate(self, highest: float) -> float:
        """The least information rate (bits per second) of a Gaussian stimulus, from frequencies up to ``highest``.

        It is the integral of -log2(1 - coherence): what the best linear estimate tells, and so a lower bound. At the
        frequency 0, which the mean is taken from, it is taken to be what it is at the next.
        """
        used = (self.frequency > 0) & (self.frequency <= highest)
        bits = -np.log2(1 - np.clip(self.coherence[used], None, 1 - 1e-12))
        return float((bits.sum() + bits[0] / 2) * (self.frequency[1] - self.frequency[0]))


def spectra(stimuli: Floats, spikes: Floats, dt: float, window: int) -> Spectra:
    """Estimate spectra over windows that do not overlap, under Hann's taper.

    Parameters
    ----------
    stimuli : ndarray, shape (neurons, steps)
        The stimulus of each neuron.
    spikes : ndarray, shape (neurons, steps)
        The number of its spikes in each step.
    dt : float
        The step in seconds.
    window : int
        Steps of a window.

    Returns
    -------
    Spectra

    Raises
    ------
    DataError
        If shapes differ, or there are less than two windows.
    """
    if stimuli.shape != spikes.shape or stimuli.ndim != 2:
        raise DataError(field_error("spectra, spikes", f"counts of the shape {stimuli.shape}", spikes.shape))
    count = stimuli.shape[1] // window
    if count * len(stimuli) < 2:
        raise DataError(field_error("spectra, window", "a length of which there are two at least", window))
    taper = np.hanning(window + 1)[:-1]
    scale = dt / (taper**2).sum()

    def transformed(values: Floats) -> NDArray[np.complex128]:
        cut = values[:, : count * window].reshape(-1, window)
        return np.fft.rfft((cut - values.mean()) * taper)

    s, x = transformed(stimuli), transformed(spikes / dt)
    return Spectra(
        np.asarray(np.fft.rfftfreq(window, dt), np.float64),
        scale * (np.abs(s) ** 2).mean(axis=0),
        scale * (np.abs(x) ** 2).mean(axis=0),
        scale * (s * np.conj(x)).mean(axis=0),
        count * len(stimuli),
    )


def reconstruct(found: Spectra, spikes: Floats, dt: float) -> Floats:
    """The best linear estimate of each stimulus, from spikes before and after.

    Parameters
    ----------
    found : Spectra
        Of other trials, so that the filter is not fitted to what it is tried on.
    spikes : ndarray, shape (neurons, steps)
    dt : float
        The step in seconds, as in `spectra`.
    """
    steps = spikes.shape[1]
    at = np.fft.rfftfreq(steps, dt)
    used = np.interp(at, found.frequency, found.filter.real) + 1j * np.interp(at, found.frequency, found.filter.imag)
    rates = spikes / dt
    return np.fft.irfft(np.fft.rfft(rates - rates.mean()) * used, n=steps)


def coding_fraction(stimuli: Floats, estimates: Floats) -> float:
    """1 minus the root mean square error of estimates, as a share of the stimuli's standard deviation: 1 is perfect."""
    return float(1 - np.sqrt(((stimuli - estimates) ** 2).mean() / stimuli.var()))
