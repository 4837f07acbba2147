"""Decoders that are supervised: linear classifiers of responses, whose penalty is chosen on images with labels too."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.learning import linear

LABELS = 20000
"""From how many labels linear readouts learn that are compared with each other, and on how many C is chosen."""
CHOICES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""How much errors may count beside the penalty of the weights (C of scikit-learn)."""

Labels = NDArray[np.int64]


def linear_readout(known: Any, labels: Labels, new: Any) -> Labels:
    """What logistic regression decides on new responses, after it has learned from known ones."""
    from sklearn.linear_model import LogisticRegression

    return linear(known, labels, new, C=best_C(LogisticRegression(max_iter=1000), _scaled(known, known), labels))


def support_vectors(known: Any, labels: Labels, new: Any) -> Labels:
    """What a linear support vector machine decides."""
    from sklearn.svm import LinearSVC

    machine = LinearSVC(random_state=0)
    machine.set_params(C=best_C(machine, _scaled(known, known), labels))
    return np.asarray(machine.fit(_scaled(known, known), labels).predict(_scaled(new, known)), np.int64)


def best_C(classifier: Any, known: Any, labels: Labels) -> float:
    """The C with which a classifier decides best on a fifth of the labelled images, having learned from the others."""
    from sklearn.model_selection import GridSearchCV

    some = np.arange(min(len(labels), LABELS))
    parts = [(some[some % 5 < 4], some[some % 5 == 4])]
    search = GridSearchCV(classifier, {"C": CHOICES}, cv=parts, refit=False).fit(known[some], labels[some])
    return float(search.best_params_["C"])


def _scaled(responses: Any, known: Any) -> Any:
    """Responses in units of the largest known one."""
    return responses / (known.max() or 1)
