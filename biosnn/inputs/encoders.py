"""The neuron models that spike in generated code as the codings do."""

from __future__ import annotations

from biosnn.catalogue import neuron_model
from biosnn.coding import TTFS, Bernoulli, Burst, Coding, MembraneTTFS, Phase, Regular
from biosnn.errors import CodingError, field_error
from biosnn.model import NeuronModel
from biosnn.quantity import format_quantity

_MODELS: dict[type[Coding], str] = {
    Bernoulli: "encoder_bernoulli",
    Regular: "encoder_regular",
    TTFS: "encoder_ttfs",
    MembraneTTFS: "encoder_ttfs_membrane",
    Phase: "encoder_phase",
    Burst: "encoder_burst",
}


def encoder(coding: Coding) -> NeuronModel:
    """The input model that is a coding's counterpart: neurons that turn values into spikes while a network runs.

    Its value inputs are ``x``, a value from 0 to 1 for each neuron, and ``onset``, when the values came: from 0 on, so
    that the first presentation begins with the simulation. Set both to present other values. A group of such neurons
    spikes as `Coding.encode` says if its time step is that of the coding. Where a coding has no end of its own
    (`Bernoulli`, `Regular`, `Phase`), it continues after the coding's duration until another value comes; 0 is silent.

    Parameters
    ----------
    coding : Coding
        One of `Bernoulli`, `Regular` (without ``random_start``), `TTFS`, `MembraneTTFS`, `Phase`, `Burst`.

    Returns
    -------
    NeuronModel
        Of the catalogue, with the parameters of the coding.

    Raises
    ------
    CodingError
        If the coding has no such model. The message lists those that have.

    Examples
    --------
    >>> inputs = neurons(64, encoder(TTFS(duration=50 * ms)), dt=1 * ms)
    >>> inputs.x = image.ravel()
    """
    if isinstance(coding, Regular) and coding.random_start:
        do = "biosnn.inputs.playback plays the spikes of any coding."
        raise CodingError(field_error("encoder, coding", "a Regular without random_start", coding, do))
    name = _MODELS.get(type(coding))
    if name is None:
        expected = f"one of {', '.join(kind.__name__ for kind in _MODELS)}"
        do = "Neurons of biosnn.poisson draw Poisson spikes; biosnn.inputs.playback plays the spikes of any coding."
        raise CodingError(field_error("encoder, coding", expected, coding, do))
    model = neuron_model(name)
    return model.with_values("", **{key: format_quantity(getattr(coding, key)) for key in model.parameters})
