"""Networks that learn from images without labels: showing images, keeping balance, reading out, and comparing."""

from biosnn.learning.baselines import chance, k_means, logistic_regression
from biosnn.learning.checkpoint import Checkpoints, fingerprint
from biosnn.learning.coded import CLEAN, CodedPupil, CodedRecord, Disturbance, Exam, present, teach_coded
from biosnn.learning.diehl_cook import Circuit, Learner, build
from biosnn.learning.history import Record
from biosnn.learning.presenter import Played, Protocol, Stage, set_up
from biosnn.learning.readout import assign_labels, fixed_linear, mean_response, vote, weigh
from biosnn.learning.responses import Responses
from biosnn.learning.saving import Trained, check_fits, load_network, save_network, trained
from biosnn.learning.schedule import Course
from biosnn.learning.scoring import Score, learning_curve, score
from biosnn.learning.training import Pupil, rates, teach
from biosnn.measure import linear

__all__ = [
    "CLEAN",
    "Checkpoints",
    "Circuit",
    "CodedPupil",
    "CodedRecord",
    "Course",
    "Disturbance",
    "Exam",
    "Learner",
    "Played",
    "Protocol",
    "Pupil",
    "Record",
    "Responses",
    "Score",
    "Stage",
    "Trained",
    "assign_labels",
    "build",
    "chance",
    "check_fits",
    "fingerprint",
    "fixed_linear",
    "k_means",
    "learning_curve",
    "linear",
    "load_network",
    "logistic_regression",
    "mean_response",
    "present",
    "rates",
    "save_network",
    "score",
    "set_up",
    "teach",
    "teach_coded",
    "trained",
    "vote",
    "weigh",
]
