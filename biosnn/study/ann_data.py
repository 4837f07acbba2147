"""The settings and images of studies of a trained network: images as it was trained on them, divided for use.

Some are for calibration, the others for the test; the network has learned from none of the latter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from biosnn.ann import Graph, check_images
from biosnn.catalogue import ann_names
from biosnn.conversion import HybridNetwork, SpikingNetwork, is_converted, load, read_network
from biosnn.conversion.network import CODES, INPUTS, OUTPUTS
from biosnn.conversion.running import check_labels
from biosnn.conversion.thresholds import METHODS, SCOPES
from biosnn.datasets import divided, examples, from_file, names, stratified_split
from biosnn.datasets.own import Examples
from biosnn.display import Brief
from biosnn.errors import ConversionError, SettingsError, field_error
from biosnn.files import reading
from biosnn.study.nested_settings import About
from biosnn.study.settings import changed_settings, setting

CONVERSION = {
    "code": About("what tells a value: how often a neuron fires, or when it first does", choices=CODES),
    "neuron": About("what a ReLU becomes: a neuron model of the catalogue, or a file"),
    "start": About(minimum=-1.0, maximum=1.0),
    "input": About("what pixels do", choices=INPUTS),
    "output": About("what is read of the output", choices=OUTPUTS),
    "balance.method": About("how a threshold is found", choices=METHODS),
    "balance.percentile": About(
        "which percentile of the activations (%); none: as the steps want it", like=99.9, minimum=50.0, maximum=100.0
    ),
    "balance.per": About("what has a threshold of its own", choices=SCOPES),
    "balance.alpha": About(minimum=0.001),
}
"""What a study says of the `Options` that are a field ``conversion`` of its settings."""
CONVERSION_RENAMED = {name.rpartition(".")[2]: f"conversion.{name}" for name in (*CONVERSION, "preset")}
"""How these settings were called when each study had them as its own."""

SPLIT_SEED, HELD_OUT = 1, 500
"""Of the images that are held out, and how many: networks of the catalogue have not learned from them
(models/networks/train.py)."""

SCALES: dict[str, dict[str, Any]] = {
    "cifar10": {"mean": "0.485, 0.456, 0.406", "deviation": "0.229, 0.224, 0.225"},
}
"""What a dataset brings along: the scale on which networks are trained."""


@dataclass(frozen=True)
class AnnDataSettings:
    """Which network, and which images: what `load_ann_data` needs, for the ``Settings`` of a study to begin with."""

    model: str = setting("digits_cnn", "the network: a name of the catalogue, or a file that biosnn.convert reads")
    data: str = setting(
        "digits",
        f"the images: {', '.join(names())}, or an .npz file with the arrays x and y, for the test x_test and y_test",
    )
    test: str = setting("", "an .npz file with the arrays x and y: images for the test; none: those of data")
    images: int = setting(500, "how many test images are shown; 0: all", minimum=0)
    calibration: int = setting(500, "how many training images thresholds are found on; 0: all", minimum=0)
    held_out: int | None = setting(
        None,
        f"how many images of data are kept for the test, if it has no test images; none: {HELD_OUT} then",
        minimum=0,
        like=HELD_OUT,
    )
    mean: tuple[float, ...] = setting(
        (0.0,), "what is taken off intensities from 0 to 1, as in training, for each channel"
    )
    deviation: tuple[float, ...] = setting((1.0,), "what they are then divided by, for each channel")

    CONDITIONAL_DEFAULTS: ClassVar[dict[str, Any]] = {"data": SCALES}


@dataclass(frozen=True, eq=False)
class AnnData(Brief):
    """A network and its images.

    Parameters
    ----------
    graph : Graph
        The ordinary network.
    converted : SpikingNetwork or None
        The spiking one, if the file has one already.
    calibration, test : ndarray of float32, shape (n, *shape of the input)
        Images.
    labels : ndarray of int, shape (n,)
        Of the test images.
    calibration_labels : ndarray of int, shape (n,)
        Of those for calibration: only what is trained may look at them.
    source : str
        Where they come from.
    warnings : tuple of str
        What makes the accuracy on the test images doubtful.
    """

    graph: Graph
    converted: SpikingNetwork | None
    calibration: NDArray[np.float32]
    test: NDArray[np.float32]
    labels: NDArray[np.int64]
    calibration_labels: NDArray[np.int64]
    source: str
    warnings: tuple[str, ...]


def load_ann_data(settings: AnnDataSettings) -> AnnData:
    """Load the network and the images that the settings name.

    Parameters
    ----------
    settings : object
        Those of a study. If the network spikes already, its settings ``conversion`` must be what they are by default.

    Raises
    ------
    BiosnnError
        If the network or the images cannot be read, or do not go together.
    """
    converted = load(settings.model) if is_converted(settings.model) else None
    if isinstance(converted, HybridNetwork):
        do = "Run it in Python, or give the ordinary network."
        raise SettingsError(field_error("model", "a network whose layers all spike", f"a hybrid {settings.model}", do))
    if converted:
        _check_own(settings)
    graph = converted.graph if converted else read_network(settings.model)
    data = _examples(settings)
    with reading(settings.data, SettingsError, "images of the network's classes"):
        check_labels(data.labels, len(data.labels), graph)
    training, test = _split(settings, data)
    limit = settings.calibration or len(training)
    shown = settings.images or len(test)
    calibration, test = training[:limit], test[:shown]
    return AnnData(
        graph,
        converted,
        _prepared(settings, graph, data.inputs[calibration]),
        _prepared(settings, graph, data.inputs[test]),
        data.labels[test],
        data.labels[calibration],
        data.source,
        _doubts(settings, data),
    )


def _check_own(settings: AnnDataSettings) -> None:
    """Refuse settings that say how a network is converted, where it is converted already."""
    for name, text in changed_settings(settings).items():
        if name.startswith("conversion.") or name in ("recipe", "recipes"):
            do = "Give the ordinary network to convert it otherwise."
            raise SettingsError(field_error(name, f"its default, as {settings.model} is converted already", text, do))


def _split(settings: AnnDataSettings, data: Examples) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Images for calibration and for the test, both in random order."""
    if not data.for_training:
        if settings.held_out == 0:
            do = "Say how many images are kept for the test."
            raise SettingsError(field_error("held_out", f"at least 1, as {data.name} has no test images", 0, do))
        count, most = settings.held_out or HELD_OUT, len(data.labels) - 1
        if count > most:
            expected = f"from 1 to {most}, as {data.name} has {most + 1} images, some of which are for calibration"
            do = f"Say how many are for the test, such as held_out={max(1, (most + 1) // 2)}, or give test=FILE."
            raise SettingsError(field_error("held_out", expected, count, do))
        return stratified_split(data.labels, count, SPLIT_SEED)
    if settings.held_out:
        expected = f"none, as {settings.test or data.name} has {len(data.labels) - data.for_training} test images"
        do = "Say with images= how many of them are shown."
        raise SettingsError(field_error("held_out", expected, settings.held_out, do))
    rng = np.random.default_rng(SPLIT_SEED)
    return rng.permutation(data.for_training), rng.permutation(np.arange(data.for_training, len(data.labels)))


def _examples(settings: AnnDataSettings) -> Examples:
    """The images of ``data``, and those of ``test`` after them."""
    data = examples(settings.data)
    if not settings.test:
        return data
    if data.for_training:
        do = "Leave one of them out."
        raise SettingsError(field_error("test", f"none, as {data.name} has test images", settings.test, do))
    return divided(data, from_file(settings.test))


def _doubts(settings: AnnDataSettings, data: Examples) -> tuple[str, ...]:
    """Say so where the network may have learned from the test images."""
    of_catalogue = settings.model in ann_names()
    known = of_catalogue and (settings.data != "digits" or settings.held_out in (None, HELD_OUT))
    if data.for_training or known:
        return ()
    do = f"Leave out held_out={settings.held_out}." if of_catalogue else _OTHERS
    return (
        f"The test images were drawn from {data.name}, and {settings.model} may have learned from some of them: its "
        f"accuracy may look better than it is. {do}",
    )


_OTHERS = (
    "Give images that it has not learned from: test=FILE with the arrays x and y, or x_test and y_test in data=FILE."
)


def _prepared(settings: AnnDataSettings, graph: Graph, images: NDArray[Any]) -> NDArray[np.float32]:
    """Scale images, channels first, and lay them out as the network takes them."""
    values = images
    for name, change in (("mean", np.subtract), ("deviation", np.divide)):
        numbers = getattr(settings, name)
        if len(numbers) not in (1, values.shape[1]):
            raise SettingsError(field_error(name, f"a number for each of {values.shape[1]} channels", numbers))
        values = change(values, np.asarray(numbers, np.float32).reshape(-1, *[1] * (values.ndim - 2)))
    shape = graph.input.shape
    laid = values
    if values.shape[1:] != shape and values.ndim == 4 and values.transpose(0, 2, 3, 1).shape[1:] == shape:
        laid = values.transpose(0, 2, 3, 1)
    elif len(shape) == 1 and values[0].size == shape[0]:
        laid = values.reshape(len(values), -1)
    try:
        return check_images(graph, laid)
    except ConversionError as problem:
        raise SettingsError(f"data={settings.data}: its images do not fit {settings.model}. {problem}") from None
