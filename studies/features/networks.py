"""The networks that are trained side by side: those that learn, and the same architecture with other kernels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from biosnn.learning.layers import Contrast, Convolution, LayerSettings, difference_of_gaussians

from .images import Parts

if TYPE_CHECKING:
    from .study import Settings

LEARNS, NO_PLASTICITY, RANDOM, PATCHES = "learns", "without plasticity", "random kernels", "kernels of k-means"
KERNEL = "maps_1_synapses.w"
IMAGES, WINDOWS = 2000, 40000
"""From how many images windows are drawn for k-means, and how many."""


@dataclass(frozen=True)
class Kind:
    """A network: what it is, its seed, which of its layers learn, and the weights that it begins with."""

    name: str
    seed: int
    learning: tuple[bool, ...]
    begin: Mapping[str, Any] = field(default_factory=dict)


def kinds_of(settings: Settings, layers: LayerSettings, parts: Parts, seed: int) -> list[Kind]:
    """The networks that learn, and the controls, which have the seed of the first."""
    plastic = len(layers.plastic)
    if plastic == 1:
        found = [Kind(LEARNS, seed + number, (True,)) for number in range(settings.networks)]
        return [*found, Kind(NO_PLASTICITY, seed, (False,))] if settings.controls else found
    random = [{KERNEL: random_kernel(layers, seed + number)} for number in range(settings.networks)]
    kinds = [Kind(LEARNS, seed + number, (True,) * plastic, begin) for number, begin in enumerate(random)]
    if settings.controls:
        cells_only = (*(False,) * (plastic - 1), True)
        kinds.append(Kind(NO_PLASTICITY, seed, (False,) * plastic, random[0]))
        kinds.append(Kind(RANDOM, seed, cells_only, random[0]))
        windows = {KERNEL: kernel_of_windows(layers, parts, seed)}
        kinds.append(Kind(PATCHES, seed, (False, *(True,) * (plastic - 1)), windows))
    return kinds


def random_kernel(layers: LayerSettings, seed: int) -> NDArray[np.float32]:
    """Random weights of the first maps, whose squares add up to about one."""
    first = layers.layers[0]
    assert isinstance(first, Convolution)
    seen = first.kernel**2 * layers.contrast.channels
    drawn = np.random.default_rng(seed).uniform(0, np.sqrt(3 / seen), seen * first.maps)
    return drawn.astype(np.float32)


def kernel_of_windows(layers: LayerSettings, parts: Parts, seed: int) -> NDArray[np.float32]:
    """Centres of k-means of windows of the contrast, each of length one, as the weights of the first maps.

    Features so learned are those of Coates & Ng 2011 (Proc AISTATS 15:215), without their whitening.
    """
    from sklearn.cluster import MiniBatchKMeans

    first = layers.layers[0]
    assert isinstance(first, Convolution)
    rng, size = np.random.default_rng(seed), first.kernel
    rows, columns = parts.data.shape
    some = rng.choice(parts.learned, min(IMAGES, len(parts.learned)), replace=False)
    seen = contrast_of(layers.contrast, parts.pixels(some).reshape(-1, rows, columns))
    image, row, column = (rng.integers(0, most, WINDOWS) for most in (len(some), rows - size + 1, columns - size + 1))
    places = zip(image, row, column, strict=True)
    windows = np.stack([seen[i, down : down + size, right : right + size].ravel() for i, down, right in places])
    lengths = np.linalg.norm(windows, axis=1)
    kept = windows[lengths > np.median(lengths[lengths > 0])]
    kept /= np.linalg.norm(kept, axis=1, keepdims=True)
    centres = MiniBatchKMeans(first.maps, n_init=3, random_state=seed).fit(kept).cluster_centers_
    centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-12)
    return np.ascontiguousarray(centres.T, np.float32).ravel()


def contrast_of(contrast: Contrast, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the contrast cells see, shape (images, rows, columns, channels)."""
    if contrast.channels == 1:
        return images[..., None]
    kernel = difference_of_gaussians(contrast.centre, contrast.surround).astype(np.float32)
    seen = ndimage.correlate(images, kernel[None], mode="constant")
    both: NDArray[np.float32] = np.maximum(np.stack([seen, -seen], axis=-1), 0)
    return both
