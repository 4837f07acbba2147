"""What the measures of part 2 come to, in questions and answers."""

from __future__ import annotations

from biosnn.conversion.analysis.diagnosis import Diagnosis, diagnose, reasons
from biosnn.measure import interval
from biosnn.model import NeuronModel

from .converted import AS_IT_IS, Converted


def diagnosis_of(found: Converted) -> Diagnosis:
    """What is wrong with the network as it is."""
    number = found.conversions.index(AS_IT_IS)
    kept, rest = found.measured["kept"][number], found.measured["rest"][number]
    return diagnose(kept, rest, float(found.ann.mean()), found.own, found.dead)


def told(found: Converted, model: NeuronModel, images: int) -> list[list[str]]:
    """The diagnosis as questions and answers."""
    diagnosis = diagnosis_of(found)
    words = reasons(model)
    rows = [["question", "answer"]]
    curve = found.curves[found.conversions.index(AS_IT_IS), :, -1].mean()
    low, high = interval(float(curve), images)
    rows.append(
        [
            "What is left?",
            f"{100 * curve:.1f} % of images are correctly classified ({100 * low:.1f} to {100 * high:.1f}), "
            f"{100 * found.ann.mean():.1f} % by the ANN.",
        ]
    )
    rows.append(["Where is accuracy lost first?", _at(found, diagnosis.loses, "in no layer: it is within a point")])
    rows.append(["Where has half of the activity gone?", _at(found, diagnosis.vanishes, "in no layer")])
    if diagnosis.overfires:
        rows.append(["Where is it twice what it should be?", _at(found, diagnosis.overfires, "")])
    lost = sorted(diagnosis.shares.items(), key=lambda item: -item[1])
    why = "; ".join(f"{100 * share:.0f} %: {words[part]}" for part, share in lost if share >= 0.1)
    rows.append(["Why do layers up to there tell too little?", why or "They do not."])
    rows.append(
        [
            "Are units dead in the ANN itself?",
            f"{100 * diagnosis.dead:.1f} % of the neurons there are zero for all images in the ANN too.",
        ]
    )
    return rows


def _at(found: Converted, layer: int | None, nowhere: str) -> str:
    return nowhere if layer is None else f"in layer {layer} of {len(found.layers)}, {found.layers[layer - 1]!r}"
