"""What an image costs in each coding, counted from the run: spikes, additions, updates of neurons, memory."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from biosnn.energy import IF_UPDATE, LayerCounts, Ledger, Update

from .recognition import TEST, Told


def ledger_of(told: Told) -> Ledger:
    """Count what the frozen network did in the test.

    The ANN that it stands for is one dense layer from the pixels to as many cells.
    """
    history, built, inputs = told.history, told.built, told.history.input_spikes[TEST]
    answers = told.answers(TEST)
    cells, images = answers.neurons, answers.presentations
    counts = np.bincount(answers.neuron, minlength=cells)
    shared = {"steps": answers.steps, "inferences": images}
    layers = [
        # Whatever the code, an input is charged one addition a step while the image is there, as an IF neuron's.
        LayerCounts.encoder("inputs", neurons=len(inputs), update=IF_UPDATE, steps=told.code.length, inferences=images),
        LayerCounts.spiking(
            "cells",
            inputs,
            cells,
            neurons=cells,
            update=update_of(built.excitatory.model),
            **shared,
        ),
    ]
    if built.inhibitory is None:
        # Each answer tells all the other cells that it was given.
        lateral = LayerCounts.spiking(
            "winners", counts, cells - 1, neurons=0, update=IF_UPDATE, macs=0, weights=1, **shared
        )
        return Ledger((*layers, lateral))
    update = update_of(built.inhibitory.model)
    partner = LayerCounts.spiking("inhibitory", counts, 1, neurons=cells, update=update, macs=0, weights=1, **shared)
    inhibition = LayerCounts.spiking(
        "inhibition", history.inhibitory_spikes[TEST], cells - 1, neurons=0, update=update, macs=0, weights=1, **shared
    )
    return Ledger((*layers, partner, inhibition))


def update_of(model: Any) -> Update:
    """What a step of a neuron costs, from its equations.

    Each state variable is read and written, and changes by the product of the time step and its right-hand side.
    Additions and products are counted as they stand in that and in the threshold; a quotient is a product, since
    parameters do not change, and a comparison an addition. Functions and refractoriness are not counted.
    """
    names = sorted(model.parsed.diff_eq_names)
    texts = [*(model.parsed[name].expr.code for name in names), model.threshold]
    found = [node for text in texts for node in ast.walk(ast.parse(text.strip(), mode="eval"))]
    operators = [type(node.op) for node in found if isinstance(node, ast.BinOp)]
    comparisons = sum(len(node.ops) for node in found if isinstance(node, ast.Compare))
    return Update(
        additions=sum(operator in (ast.Add, ast.Sub) for operator in operators) + comparisons + len(names),
        multiplications=sum(operator in (ast.Mult, ast.Div) for operator in operators) + len(names),
        reads=len(names),
        writes=len(names),
    )
