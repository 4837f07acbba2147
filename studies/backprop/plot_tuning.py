"""Accuracy and spikes of a converted network with few time steps, before and after it was trained further."""

from __future__ import annotations

from typing import Any

from biosnn.report import Figure, new_figure
from biosnn.report.figures import COLOURS

from .fine_tuning import ALONE, SHUFFLED, TUNED


def tuning_figures(result: Any) -> list[Figure]:
    """One figure: accuracy on the left, spikes on the right."""
    steps, accuracy, spikes = (result.arrays[f"tuning {name}"] for name in ("steps", "accuracy", "spikes"))
    figure, (left, right) = new_figure(1, 2, width=9.0, height=3.6)
    for number, (name, marker) in enumerate(((ALONE, "o--"), (TUNED, "s-"))):
        left.plot(steps, 100 * accuracy[number], marker, color=COLOURS[number], label=name)
        right.plot(steps, spikes[number], marker, color=COLOURS[number], label=name)
    control = 100 * float(result.values[f"tuning accuracy, {SHUFFLED}"])
    left.plot([steps.min()], [control], "x", color=COLOURS[3], label=f"{SHUFFLED}, trained", clip_on=False)
    left.set(ylabel="correctly classified (%)", ylim=(0, 102))
    right.set(ylabel="spikes per image", ylim=(0, None))
    for axis in (left, right):
        axis.set(xlabel="time steps T", xscale="log", xticks=steps, xticklabels=[str(one) for one in steps])
        axis.minorticks_off()
    left.legend(loc="lower right", fontsize=9)
    caption = (
        "A converted network before and after its weights, biases and thresholds were trained at this number of time "
        "steps: images that it has not learned from. The cross is the control."
    )
    return [Figure("fine-tuning", figure, caption)]
