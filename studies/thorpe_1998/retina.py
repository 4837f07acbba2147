"""Images made of dead leaves, ganglion cells that look at them at several scales, and the picture read back."""

from dataclasses import dataclass
from typing import Any

import numpy as np


def dead_leaves(size: int, random: Any) -> Any:
    """A picture of discs that cover each other, with radii distributed as 1/r**3; shape (size, size), mean 0.

    Lee, Mumford & Huang 2001: such pictures have the statistics of natural images at all scales, edges and occlusion.
    """
    picture, missing = np.zeros((size, size)), np.ones((size, size), bool)
    rows, columns = np.mgrid[:size, :size]
    smallest, largest = 1.0, size / 2
    while missing.any():
        radius = (smallest**-2 - random.random() * (smallest**-2 - largest**-2)) ** -0.5
        row, column = random.uniform(0, size, 2)
        # The picture is a torus, so that no edge of it is an edge in it.
        apart = [np.abs((grid - at + size / 2) % size - size / 2) for grid, at in ((rows, row), (columns, column))]
        disc = missing & (apart[0] ** 2 + apart[1] ** 2 < radius**2)
        picture[disc] = random.uniform(-1, 1)
        missing &= ~disc
    return picture - picture.mean()


@dataclass(frozen=True)
class Retina:
    """On- and off-centre cells at several scales: differences of two Gaussians, one twice as wide as the other.

    Parameters
    ----------
    size : int
        Of the picture, a power of two.
    scales : int
        From one to the next, cells are twice as large and twice as far apart.
    width : float
        Standard deviation of the smallest centre, in pixels.
    """

    size: int
    scales: int
    width: float = 0.5

    @property
    def steps(self) -> list[int]:
        """How far apart cells are, at each scale."""
        return [2**scale for scale in range(self.scales)]

    @property
    def fields(self) -> Any:
        """The transfer function of each scale; shape (scales, size, size)."""
        frequency = 2 * np.pi * np.fft.fftfreq(self.size)
        square = frequency[:, None] ** 2 + frequency**2
        widths = [self.width * step for step in self.steps]
        return np.array([np.exp(-square * w**2 / 2) - np.exp(-2 * square * w**2) for w in widths])

    @property
    def sites(self) -> int:
        """Where cells are; at each of them is one of either kind."""
        return sum((self.size // step) ** 2 for step in self.steps)

    def contrasts(self, picture: Any) -> Any:
        """The signed contrast at each site, which drives the on-centre cell if positive, the off-centre cell if not.

        Cells of all scales count alike, as the filters are normalised to the same response to their own field.
        """
        spectrum = np.fft.fft2(picture)
        filtered = [np.fft.ifft2(field * spectrum).real for field in self.fields]
        return np.concatenate(
            [
                one[::step, ::step].ravel() / norm
                for one, step, norm in zip(filtered, self.steps, self._norms, strict=True)
            ]
        )

    @property
    def _norms(self) -> Any:
        """The length of each scale's field."""
        return np.sqrt((self.fields**2).mean(axis=(1, 2)))

    def picture(self, contrasts: Any) -> Any:
        """The picture that has such contrasts: every cell adds its field, as strong as it says.

        What all fields together pass too much or too little of a frequency is made up for.
        """
        total, begin = np.zeros((self.size, self.size), complex), 0
        passed = np.zeros((self.size, self.size))
        for field, step, norm in zip(self.fields, self.steps, self._norms, strict=True):
            count = (self.size // step) ** 2
            placed = np.zeros((self.size, self.size))
            placed[::step, ::step] = contrasts[begin : begin + count].reshape(self.size // step, -1) * norm
            total += np.fft.fft2(placed) * field * step**2
            passed += field**2
            begin += count
        return np.fft.ifft2(np.where(passed > 1e-6, total / np.maximum(passed, 1e-6), 0)).real
