"""Networks that learn from images without labels: showing images, keeping balance, reading out, and comparing."""

from biosnn.learning.baselines import chance, k_means, logistic_regression
from biosnn.learning.network import Circuit, Learner, build
from biosnn.learning.readout import assign_labels, mean_response, vote, weigh
from biosnn.learning.stage import Protocol, Stage, set_up
from biosnn.learning.training import Course, Record, Score, learning_curve, rates, read, score, teach

__all__ = [
    "Circuit",
    "Course",
    "Learner",
    "Protocol",
    "Record",
    "Score",
    "Stage",
    "assign_labels",
    "build",
    "chance",
    "k_means",
    "learning_curve",
    "logistic_regression",
    "mean_response",
    "rates",
    "read",
    "score",
    "set_up",
    "teach",
    "vote",
    "weigh",
]
