"""Divided differences of the exponential, as a function of generated code.

What a variable gets in a time step from another, by way of others, is the integral of their exponentials one after
another. That is a number times the divided difference exp[x_1, ..., x_n] at the rates times the step, which for two
points is (exp(x_1) - exp(x_2))/(x_1 - x_2). Where points come together it is 0/0, though its limit is plain: it is
exp(x)/(n - 1)! where all are equal. Points less than 1 apart are summed up by a series about their middle, and others
go through the quotients, from the next ones to those farthest apart, which loses no digits if they are in order
(McCurdy, Ng and Parlett 1984, Math. Comput. 43:501, doi:10.1090/S0025-5718-1984-0758198-0).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from brian2.codegen.generators.cpp_generator import CPPCodeGenerator
from brian2.codegen.generators.cython_generator import CythonCodeGenerator
from brian2.core.functions import DEFAULT_FUNCTIONS, Function
from numpy.typing import ArrayLike, NDArray

TERMS = 16
"""Of the series, whose points are at most 1/2 from their middle: what follows is below the last digit."""

_CPP = """
static inline double NAME_series(const double* x, const int n)
{
    const double middle = x[0] + (x[n - 1] - x[0])/2;
    double sums[COUNT], part = 1, found = 0;
    for (int j = 0; j < n; j++) sums[j] = 1;
    for (int k = 1; k < n; k++) part /= k;
    for (int k = 0; k <= TERMS; k++)
    {
        found += part*sums[n - 1];
        part /= n + k;
        for (int j = 0; j < n; j++) sums[j] = (x[j] - middle)*sums[j] + (j > 0 ? sums[j - 1] : 0.);
    }
    return std::exp(middle)*found;
}

static inline double NAME(GIVEN)
{
    double x[COUNT] = {NAMES}, found[COUNT];
    for (int i = 1; i < COUNT; i++)
        for (int j = i; j > 0 && x[j] < x[j - 1]; j--)
        {
            const double other = x[j];
            x[j] = x[j - 1];
            x[j - 1] = other;
        }
    const double largest = x[COUNT - 1];
    for (int i = 0; i < COUNT; i++)
    {
        x[i] -= largest;
        found[i] = std::exp(x[i]);
    }
    for (int n = 2; n <= COUNT; n++)
        for (int i = 0; i + n <= COUNT; i++)
        {
            const double apart = x[i + n - 1] - x[i];
            found[i] = apart < 1 ? NAME_series(x + i, n) : (found[i + 1] - found[i])/apart;
        }
    return std::exp(largest)*found[0];
}
"""

_CYTHON = """
cdef inline double NAME_series(double* x, int n) nogil:
    cdef double middle = x[0] + (x[n - 1] - x[0])/2
    cdef double[COUNT] sums
    cdef double part = 1, found = 0
    cdef int j, k
    for j in range(n):
        sums[j] = 1
    for k in range(1, n):
        part /= k
    for k in range(TERMS + 1):
        found += part*sums[n - 1]
        part /= n + k
        for j in range(n):
            sums[j] = (x[j] - middle)*sums[j] + (sums[j - 1] if j > 0 else 0.)
    return exp(middle)*found

cdef inline double NAME(GIVEN) nogil:
    cdef double[COUNT] x, found
    cdef double other, largest
    cdef int i, j, n
    SET
    for i in range(1, COUNT):
        j = i
        while j > 0 and x[j] < x[j - 1]:
            other = x[j]
            x[j] = x[j - 1]
            x[j - 1] = other
            j -= 1
    largest = x[COUNT - 1]
    for i in range(COUNT):
        x[i] -= largest
        found[i] = exp(x[i])
    for n in range(2, COUNT + 1):
        for i in range(COUNT - n + 1):
            other = x[i + n - 1] - x[i]
            found[i] = NAME_series(x + i, n) if other < 1 else (found[i + 1] - found[i])/other
    return exp(largest)*found[0]
"""


def exp_difference(*points: ArrayLike) -> NDArray[np.float64]:
    """The divided difference of the exponential at some points, which may be arrays."""
    x = np.sort(np.broadcast_arrays(*(np.asarray(point, np.float64) for point in points)), axis=0)

    # exp[x_1 + c, ...] = exp(c) exp[x_1, ...]: with the largest point at 0, no exponential overflows.
    largest = x[-1]
    x = x - largest
    quotients = list(np.exp(x))
    for n in range(2, len(x) + 1):
        for i in range(len(x) - n + 1):
            near = x[i : i + n]
            apart = near[-1] - near[0]
            wide = apart >= 1
            quotient = (quotients[i + 1] - quotients[i]) / np.where(wide, apart, 1)
            quotients[i] = np.where(wide, quotient, _series(np.where(wide, 0, near)))
    return np.asarray(np.exp(largest) * quotients[0])


def _series(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same at points that are near to each other: sums of all products of their distances, by degree."""
    # exp[x_1, ..., x_n] = exp(m) sum over k of h_k(x_1 - m, ..., x_n - m)/(n - 1 + k)!, where h_k, the sum of all
    # products of degree k, follows from h_k(.., x_j) = x_j h_k-1(.., x_j) + h_k(.., x_j-1).
    middle = x[0] + (x[-1] - x[0]) / 2
    sums, part = [np.ones_like(middle) for _ in x], 1 / math.factorial(len(x) - 1)
    series = np.zeros_like(middle)
    for k in range(TERMS + 1):
        series = series + part * sums[-1]
        part /= len(x) + k
        for j, point in enumerate(x):
            sums[j] = (point - middle) * sums[j] + (sums[j - 1] if j > 0 else 0.0)
    return np.asarray(np.exp(middle) * series)


def named(count: int) -> str:
    """The name that generated code calls this by, for so many points; made known to Brian2 when it is first wanted."""
    name = f"_exp_difference_{count}"
    if name not in DEFAULT_FUNCTIONS:
        function = Function(exp_difference, arg_units=[1] * count, return_unit=1, arg_names=_points(count))
        # Brian2 would write all values of every call into the message of an error that cannot be.
        function.implementations.add_numpy_implementation(exp_difference, discard_units=True)
        for generator, code in ((CPPCodeGenerator, _CPP), (CythonCodeGenerator, _CYTHON)):
            function.implementations.add_implementation(generator, _filled(code, name, count), name=name)
        DEFAULT_FUNCTIONS[name] = function
    return name


def _points(count: int) -> list[str]:
    return [f"x{k}" for k in range(count)]


def _filled(code: str, name: str, count: int) -> str:
    points = _points(count)
    words: dict[str, Any] = {
        "NAMES": ", ".join(points),
        "NAME": name,
        "GIVEN": ", ".join(f"double {point}" for point in points),
        "SET": "; ".join(f"x[{k}] = {point}" for k, point in enumerate(points)),
        "COUNT": count,
        "TERMS": TERMS,
    }
    for word, text in words.items():
        code = code.replace(word, str(text))
    return code
