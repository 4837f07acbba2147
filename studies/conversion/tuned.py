"""Fine-tuning beside the recipes: it is training, and looks at labels, which no recipe does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from biosnn.ann import reference
from biosnn.conversion import convert, decisions
from biosnn.conversion.analysis.few_steps import FewSteps, as_row
from biosnn.conversion.running import run
from biosnn.energy import PriceTable
from biosnn.engine import Simulation
from biosnn.errors import TrainingError
from biosnn.study.ann_data import AnnData
from biosnn.training import fine_tune, trainable

TUNED = "fine-tuned (training, with labels)"
MOST_STEPS = 8
"""From twice as many on, conversion alone loses so little that there is nothing to train for."""
EPOCHS = 4
MOST_UPDATES = 2 * 10**9
"""How many updates of neurons a training may take: some minutes on a core."""


def tuned_rows(
    data: AnnData,
    images: int,
    steps: Sequence[int],
    sim: Simulation,
    prices: PriceTable,
    report: Callable[[float, str], None],
) -> tuple[list[FewSteps], str]:
    """Fine-tune the network for each number of steps up to `MOST_STEPS`, on the images that recipes are calibrated on.

    Returns
    -------
    (list of FewSteps, str)
        A row for each number of steps, those without training not being numbers; and why there are none, if so.
    """
    try:
        few = [T for T in steps if T <= MOST_STEPS]
        _check(data, few)
    except TrainingError as problem:
        return [], str(problem)
    shown, labels = data.test[:images], data.labels[:images]
    decided = decisions(reference(data.graph).outputs(shown).reshape(images, -1))
    rows = []
    for number, T in enumerate(steps):
        if T not in few:
            rows.append(FewSteps(TUNED, T, *[float("nan")] * 4))
            continue
        report(number / len(few), f"{TUNED}, {T} steps")
        snn = fine_tune(data.graph, data.calibration, data.calibration_labels, steps=T, epochs=EPOCHS, sim=sim)
        outcome = run(snn, shown, T, labels=labels, sim=sim)
        rows.append(as_row(TUNED, snn, outcome, decided, prices))
    return rows, ""


def _check(data: AnnData, steps: Sequence[int]) -> None:
    snn = convert(data.graph, data.calibration)
    updates = sum(trainable(snn, T, thresholds=False, lists=False).steps for T in steps) * snn.neurons
    updates *= EPOCHS * len(data.calibration)
    if updates > MOST_UPDATES:
        do = "Fewer images (calibration=100), or biosnn.training.fine_tune by itself."
        raise TrainingError(f"training would take {updates:.1e} updates of neurons, more than {MOST_UPDATES:.0e}. {do}")
