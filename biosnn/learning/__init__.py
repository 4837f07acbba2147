"""Networks that learn from images without labels: showing images, keeping balance, reading out, and comparing."""

from biosnn.learning.checkpoint import Checkpoints, fingerprint
from biosnn.learning.diehl_cook import DiehlCookNetwork, NetworkSettings, build
from biosnn.learning.evaluation.baselines import LabelledCentres, chance, k_means, labelled_centres, logistic_regression
from biosnn.learning.evaluation.readout import assign_labels, fixed_linear, mean_response, vote, weigh
from biosnn.learning.evaluation.scoring import Score, learning_curve, score
from biosnn.learning.history import TrainingHistory
from biosnn.learning.presentation import CLEAN, Disturbance, present
from biosnn.learning.presenter import ImagePresenter, Played, Protocol, set_up
from biosnn.learning.responses import Responses
from biosnn.learning.saving import Trained, check_fits, load_network, save_network, trained
from biosnn.learning.schedule import TrainingSchedule
from biosnn.learning.sources import EncodedImages, InputSource, PresentedImages
from biosnn.learning.training import TrainingRun, train
from biosnn.measure import linear

__all__ = [
    "CLEAN",
    "Checkpoints",
    "DiehlCookNetwork",
    "Disturbance",
    "EncodedImages",
    "ImagePresenter",
    "InputSource",
    "LabelledCentres",
    "NetworkSettings",
    "Played",
    "PresentedImages",
    "Protocol",
    "Responses",
    "Score",
    "Trained",
    "TrainingHistory",
    "TrainingRun",
    "TrainingSchedule",
    "assign_labels",
    "build",
    "chance",
    "check_fits",
    "fingerprint",
    "fixed_linear",
    "k_means",
    "labelled_centres",
    "learning_curve",
    "linear",
    "load_network",
    "logistic_regression",
    "mean_response",
    "present",
    "save_network",
    "score",
    "set_up",
    "train",
    "trained",
    "vote",
    "weigh",
]
