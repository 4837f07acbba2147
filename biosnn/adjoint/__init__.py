"""From the equations of a neuron to its gradients: what goes backwards in time, and through spikes."""

from biosnn.adjoint.as_text import text
from biosnn.adjoint.derive import adjoint, differentiable
from biosnn.adjoint.functions import numpy_functions
from biosnn.adjoint.gradient import Adjoint, SpikeJump
from biosnn.adjoint.names import ERROR, JUMP, SLOPE, WEIGHT, lambda_of, symbol
from biosnn.adjoint.vector_field import VectorField, vector_field

__all__ = ["ERROR", "JUMP", "SLOPE", "WEIGHT", "Adjoint", "SpikeJump", "VectorField", "adjoint", "differentiable"]
__all__ += ["lambda_of", "numpy_functions", "symbol", "text", "vector_field"]
