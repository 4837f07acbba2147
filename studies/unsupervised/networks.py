"""Trained networks: the settings that one brings along, what is taken from it, and how it is saved."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from biosnn.catalogue import network_file
from biosnn.datasets import Dataset
from biosnn.engine.prepared import state_variables
from biosnn.errors import SettingsError, field_error
from biosnn.learning import DiehlCookNetwork, NetworkSettings, Trained, check_fits, load_network, save_network, trained
from biosnn.study import setting_texts

from .outcome import Outcome

if TYPE_CHECKING:
    from .study import Settings

# Settings that had other names in earlier versions, as in the networks that these have saved.
RENAMED = {
    "lessons": "n_training",
    "training": "training_images",
    "labelled": "n_labelling",
    "settle": "reset_state",
    "fewest_spikes": "minimum_spikes",
    "brighter": "intensity_step",
}

# What is asked of a run, and not how its network was made.
_OF_THE_RUN = ("network", "networks", "n_training", "control", "checkpoint")

# The settings that say what a model is.
_NAMED_BY = {
    "neuron": ("neuron", "neuron_preset", "theta_plus", "tau_theta"),
    "rule": ("rule", "rule_preset"),
    "inhibitory": ("inhibitory",),
}


def settings_of(name: str) -> dict[str, str]:
    """The settings that a trained network brings along: those it was trained with, and that it is only tested."""
    if not name:
        return {}
    settings = load_network(network_file(name)).settings
    if not settings:
        do = "Say what it is with the settings, or go on with it from Python: biosnn.learning.train."
        raise SettingsError(field_error(f"network={name}", "a network that this study has saved", "no settings", do))
    named = {RENAMED.get(key, key): text for key, text in settings.items()}
    own = {key: text for key, text in named.items() if key not in _OF_THE_RUN}
    return {**own, "n_training": "0", "networks": "1", "control": "off"}


@dataclass(frozen=True)
class Start:
    """Where training begins: with a new network, or with a trained one."""

    network: Trained | None
    digest: str = ""

    @classmethod
    def of(cls, settings: Settings, data: Dataset) -> Start:
        """The start that the settings ask for, checked against them."""
        if not settings.network:
            if settings.n_training < 1:
                do = "Without training, give network=NAME to test a trained network."
                raise SettingsError(field_error("n_training", "at least 1", settings.n_training, do))
            return cls(None)
        network = load_network(network_file(settings.network))
        check_fits(network, data, f"network={settings.network}")
        if network.network_settings.size != settings.neurons:
            do = "Leave it out: the network brings its own."
            expected = f"{network.network_settings.size}, as the network has"
            raise SettingsError(field_error("neurons", expected, settings.neurons, do))
        return cls(network, hashlib.sha256(network_file(settings.network).read_bytes()).hexdigest())

    def split(self, data: Dataset) -> tuple[Any, Any] | None:
        """The images that the network learned from, and those held out; None if it is of other images, or new."""
        if self.network is None or self.network.dataset != data.name:
            return None
        return self.network.learned_from, self.network.held_out

    def network_settings(self, settings: Settings, made_of: NetworkSettings) -> NetworkSettings:
        """What a network is made of: its own models, where the settings name no others than it was trained with."""
        if self.network is None:
            return made_of
        own, before, now = self.network.network_settings, self.network.settings, setting_texts(settings)
        models: dict[str, Any] = {}
        for name, named_by in _NAMED_BY.items():
            if all(now[key] == before[key] for key in named_by):
                models[name] = getattr(own, name)
        if "rule" in models:
            models["rule_preset"] = ""
        return replace(made_of, **models)

    def state(self, built: DiehlCookNetwork) -> dict[str, Any]:
        """What `train` takes: the state of the network, and the time from which it continues."""
        if self.network is None:
            return {}
        known = {key: var.size for key, var in state_variables(built.network).items()}
        state = {key: value for key, value in self.network.state.items() if known.get(key) == np.size(value)}
        period = float(built.protocol.period)
        return {"state": state, "begin": np.ceil(self.network.time / period) * period}

    @property
    def n_training(self) -> int:
        """How many training presentations the network has had before."""
        return self.network.n_training if self.network else 0


def network_files(
    settings: Settings, start: Start, built: DiehlCookNetwork, outcomes: Sequence[Outcome]
) -> dict[str, Callable[[Path], None]]:
    """The files with the trained networks, for the result."""

    def writer(outcome: Outcome) -> Callable[[Path], None]:
        network = trained(
            built,
            outcome.schedule,
            outcome.history,
            outcome.score,
            before=start.n_training,
            settings=setting_texts(settings),
        )
        return lambda path: save_network(network, path)

    return {f"seed-{outcome.schedule.seed}.npz": writer(outcome) for outcome in outcomes}
