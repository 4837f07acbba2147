"""The tempotron's rule, for many tasks side by side: spikes in, weights out. Times are in ms, the threshold is 1.

Between spikes the potential is a difference of two exponentials, whose maximum is known in closed form. So the largest
potential of a pattern is exact, and takes as many steps as the pattern has spikes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Kernel:
    """The postsynaptic potential of one spike, of height 1.

    Parameters
    ----------
    tau, tau_s : float
        Time constants of membrane and synapse.
    """

    tau: float
    tau_s: float

    @property
    def ratio(self) -> float:
        """By how much the membrane is slower than the synapse."""
        return self.tau / self.tau_s

    @property
    def height(self) -> float:
        """What makes the highest value 1: V_0 of the paper."""
        peak = self.tau / (self.ratio - 1) * np.log(self.ratio)
        return float(1 / (np.exp(-peak / self.tau) - np.exp(-peak / self.tau_s)))

    def __call__(self, time: Any) -> Any:
        """The potential at times after the spike; 0 before it."""
        after = np.maximum(time, 0)
        return self.height * (np.exp(-after / self.tau) - np.exp(-after / self.tau_s))


@dataclass(frozen=True, eq=False)
class Tasks:
    """Patterns in which each afferent fires once, of several tasks, each with weights of its own.

    Parameters
    ----------
    kernel : Kernel
    times : ndarray, shape (patterns of all tasks, afferents + 1)
        When spikes arrive, sorted; the last is the end of the pattern, at which nothing arrives.
    afferents : ndarray of int, the same shape
        Whose spikes they are. The end counts as one more afferent, with a weight of 0.
    fires : ndarray of bool, shape (patterns of all tasks,)
        Which patterns are to make the neuron fire.
    first : ndarray of int, shape (tasks + 1,)
        Where the patterns of each task begin.
    """

    kernel: Kernel
    times: Any
    afferents: Any
    fires: Any
    first: Any
    slow: Any = field(init=False)
    """Both exponentials of the times, which the potential is made of."""
    fast: Any = field(init=False)
    synapses: Any = field(init=False)
    """Whose spikes they are, counted through all tasks."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "slow", np.exp(self.times / self.kernel.tau))
        object.__setattr__(self, "fast", np.exp(self.times / self.kernel.tau_s))
        begins = np.repeat(np.arange(len(self.counts)), self.counts) * self.times.shape[1]
        object.__setattr__(self, "synapses", begins[:, None] + self.afferents)

    @property
    def size(self) -> int:
        """How many afferents there are."""
        return int(self.times.shape[1] - 1)

    @property
    def counts(self) -> Any:
        """How many patterns each task has."""
        return np.diff(self.first)

    def part(self, task: int) -> "Tasks":
        """One of the tasks."""
        chosen = slice(self.first[task], self.first[task + 1])
        first = np.array([0, chosen.stop - chosen.start])
        return Tasks(self.kernel, self.times[chosen], self.afferents[chosen], self.fires[chosen], first)

    def highest(self, rows: Any, weights: Any) -> tuple[Any, Any]:
        """The largest potential of patterns, with the weights of their tasks, and when it is reached.

        Parameters
        ----------
        rows : ndarray of int, shape (n,)
            Which patterns.
        weights : ndarray, shape (tasks, afferents + 1)
        """
        ratio, arriving = self.kernel.ratio, weights.ravel().take(self.synapses[rows])
        a, b = (np.cumsum(arriving * grown[rows], 1) / grown[rows] for grown in (self.slow, self.fast))
        potential, climb = a - b, ratio * b - a
        # A maximum between two spikes: the potential climbs after the first, and falls before the second.
        inside = (climb[:, :-1] > 0) & (climb[:, 1:] < (ratio - 1) * arriving[:, 1:])
        row, column = np.nonzero(inside)
        up = a[row, column]
        steep = ratio * b[row, column] / up
        potential[row, column] = up * (1 - 1 / ratio) * steep ** (-1 / (ratio - 1))
        each, best = np.arange(len(rows)), potential.argmax(1)
        time, later = self.times[rows, best], inside[each, np.minimum(best, self.size - 1)] & (best < self.size)
        b, a = b[each, best][later], a[each, best][later]
        time[later] += self.kernel.tau / (ratio - 1) * np.log(ratio * b / a)
        return self.kernel.height * potential[each, best], time


def draw(kernel: Kernel, patterns: Any, size: int, duration: float, step: float, random: Any) -> Tasks:
    """Tasks of random patterns: each afferent fires once, at any time step; half of the patterns are to be answered."""
    total, first = int(np.sum(patterns)), np.concatenate([[0], np.cumsum(patterns)])
    times = random.integers(0, round(duration / step), (total, size)) * step
    order = np.argsort(times, axis=1, kind="stable")
    sorted_times = np.pad(np.take_along_axis(times, order, 1), ((0, 0), (0, 1)), constant_values=duration)
    fires = np.concatenate([random.permutation(count) % 2 == 1 for count in patterns])
    return Tasks(kernel, sorted_times, np.pad(order, ((0, 0), (0, 1)), constant_values=size), fires, first)


def learn(
    tasks: Tasks,
    rate: float,
    momentum: float,
    cycles: int,
    random: Any,
    *,
    when: Callable[[Any], Any] | None = None,
    told: Callable[[int, int], None] | None = None,
) -> tuple[Any, Any, Any]:
    """Show the patterns of every task in random order, again and again, until a cycle is without an error.

    After an error each weight moves by what its spike adds to the potential at its maximum, up if the neuron was to
    fire, down if not; the share ``momentum`` of the last change comes along.

    Parameters
    ----------
    tasks : Tasks
    rate, momentum : float
        lambda and mu of the paper.
    cycles : int
        After how many to give up.
    random : numpy.random.Generator
    when : callable, optional
        What time stands for that of the maximum, which it is given; for the control.
    told : callable, optional
        Is told the cycle, and how many tasks are left.

    Returns
    -------
    needed : ndarray, shape (tasks,)
        The number of cycles up to the first without an error; infinite where there was none.
    weights : ndarray, shape (tasks, afferents + 1)
    errors : ndarray, shape (cycles that were made, tasks)
        The share of errors in each cycle; 0 after the end.
    """
    counts, synapses = tasks.counts, tasks.synapses
    weights = np.pad(random.normal(0, 0.01, (len(counts), tasks.size)), ((0, 0), (0, 1)))
    flat, change, needed, errors = weights.ravel(), np.zeros(weights.size), np.full(len(counts), np.inf), []
    learning = np.arange(len(counts))
    for cycle in range(cycles):
        if told is not None:
            told(cycle, len(learning))
        wrong = np.zeros(len(counts))
        orders = np.concatenate([random.permutation(count) for count in counts]) + np.repeat(tasks.first[:-1], counts)
        for position in range(counts[learning].max()):
            shown = learning[counts[learning] > position]
            rows = orders[tasks.first[shown] + position]
            potential, time = tasks.highest(rows, weights)
            (missed,) = np.nonzero((potential >= 1) != tasks.fires[rows])
            if missed.size:
                row, time = rows[missed], time[missed]
                time = time if when is None else when(time)
                sign = np.where(tasks.fires[row], rate, -rate)
                towards = sign[:, None] * tasks.kernel(time[:, None] - tasks.times[row])
                synapse = synapses[row]  # of one task each, every afferent once
                change[synapse] = towards + momentum * change[synapse]
                flat[synapse] += change[synapse]
                wrong[shown[missed]] += 1
        errors.append(wrong / counts)
        needed[learning[wrong[learning] == 0]] = cycle + 1
        learning = learning[wrong[learning] > 0]
        if not learning.size:
            break
    return needed, weights, np.array(errors)
