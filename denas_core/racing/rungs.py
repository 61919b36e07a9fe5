"""Successive halving: how long the trainings of each rung are, and which networks go on to the next rung.

Jamieson and Talwalkar 2016, "Non-stochastic Best Arm Identification and Hyperparameter Optimization", arXiv:1502.07943.
There, a training goes on where the one of the rung before has stopped. Here, each is a whole training with its own
schedule, because a ranking in the middle of a long schedule, at a high learning rate, says less.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Collection, Mapping, Sequence

from denas_core.contracts.task import Metric

REDUCTION = 3
"""About one in so many networks goes on to a rung whose trainings are so many times as long."""

FEWEST = 2
"""Networks that go on at least, so that the winner's lead over another one is known after trainings of equal length."""

LOSS = "loss"


def rung_epochs(epochs: int, entrants: int, kinds: int) -> tuple[int, ...]:
    """Return the epochs of the trainings of each rung, the shortest first.

    The last rung has `epochs`, the one before it a third, and so on. There is no rung of less than one epoch, and none
    after which all networks could go on.

    Args:
        epochs: Epochs of the last rung, at least 1.
        entrants: Networks that take part, at least 1.
        kinds: Kinds of entrants; the best network of each kind always goes on.
    """
    sizes = [entrants]
    while epochs // REDUCTION ** len(sizes) and (size := _most_going_on(sizes[-1], kinds)) < sizes[-1]:
        sizes.append(size)
    return tuple(epochs // REDUCTION**power for power in reversed(range(len(sizes))))


def most_trainings(rungs: int, entrants: int, kinds: int) -> list[int]:
    """Return the largest number of trainings that each rung can have."""
    sizes = [entrants]
    while len(sizes) < rungs:
        sizes.append(_most_going_on(sizes[-1], kinds))
    return sizes


def ordered(results: Mapping[str, Mapping[str, float]], metric: Metric) -> list[str]:
    """Return keys of networks, the best first; among equal values, the smaller loss and then the given order decide.

    Args:
        results: Metrics of each network by its key.
        metric: The metric that decides.
    """

    def compare(first: str, second: str) -> int:
        one, other = results[first], results[second]
        if metric.is_better(one[metric.name], other[metric.name]):
            return -1
        if metric.is_better(other[metric.name], one[metric.name]):
            return 1
        losses = one.get(LOSS, math.inf), other.get(LOSS, math.inf)
        return (losses[0] > losses[1]) - (losses[0] < losses[1])

    return sorted(results, key=functools.cmp_to_key(compare))


def going_on(ranked: Sequence[str], kinds: Mapping[str, Collection[str]]) -> list[str]:
    """Return the keys of the networks that go on: the best third, at least two, and the best network of each kind.

    So the last rung compares the kinds by trainings of equal length.

    Args:
        ranked: Keys of the networks whose trainings have ended well, the best first.
        kinds: The kinds of each network.
    """
    chosen = set(ranked[: max(FEWEST, math.ceil(len(ranked) / REDUCTION))])
    for kind in {kind for key in ranked for kind in kinds[key]}:
        chosen.add(next(key for key in ranked if kind in kinds[key]))
    return [key for key in ranked if key in chosen]


def _most_going_on(entrants: int, kinds: int) -> int:
    # The best network of all is the best one of its own kind, too.
    return min(entrants, max(FEWEST, math.ceil(entrants / REDUCTION)) + kinds - 1)
