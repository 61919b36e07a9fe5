"""How the best network of a run compares with its random ones, with a bound that their number allows."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.values.sample import random_trials
from denas_core.values.trial import Trial

CONFIDENCE = 0.95


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AgainstRandom:
    """The best network of a run against networks that were drawn at random from the space within its budgets.

    Attributes:
        sampled: Number of random networks.
        better_than: Number of random networks whose value is lower than that of the best network.
        is_sampled: Whether the best network is one of them.
    """

    sampled: int
    better_than: int
    is_sampled: bool

    @property
    def at_least(self) -> float:
        """Share of all random networks with a lower value: the lower bound of a one-sided interval of 95 %.

        It is the bound of Clopper and Pearson (1934, doi:10.1093/biomet/26.4.404): the share p for which
        `better_than` or more of `sampled` networks would be worse with a probability of 5 %. The best of n random
        networks is better than the share p of all with probability 1 - p^n, so its bound is that of n of n.
        """
        worse = self.sampled if self.is_sampled else self.better_than
        low, high = 0.0, 1.0
        while high - low > 1e-9:
            middle = (low + high) / 2
            low, high = (
                (low, middle) if _tail(worse, self.sampled, middle) > 1 - CONFIDENCE else (middle, high)
            )
        return low

    def describe(self) -> str:
        """Return it in words: "better than all of 50 random networks within your budgets, ..."."""
        bound = f"at least {math.floor(100 * self.at_least)} % of all such networks (95 % confidence)"
        if self.is_sampled:
            return f"the best of {self.sampled} random networks within your budgets, so better than {bound}"
        all_worse = self.better_than == self.sampled
        share = "all" if all_worse else f"{math.floor(100 * self.better_than / self.sampled)} %"
        return f"better than {share} of {self.sampled} random networks within your budgets, and than {bound}"

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can represent it."""
        return {
            "sampled": self.sampled,
            "better_than": self.better_than,
            "is_sampled": self.is_sampled,
            "at_least": self.at_least,
            "confidence": CONFIDENCE,
            "text": self.describe(),
        }


def against_random(
    trials: Sequence[Trial], values: Mapping[str, float | None], best: Trial
) -> AgainstRandom | None:
    """Return how the best trial compares with the random ones; None if no other was drawn at random.

    Args:
        trials: The trials of a run whose first generation is drawn at random.
        values: Combined value of scored trials by key; None stands for minus infinity.
        best: The best of them.
    """
    sample = [trial for trial in random_trials(trials) if trial.arch.key in values]
    others = [trial for trial in sample if trial.arch.key != best.arch.key]
    if not others:
        return None
    mine = _number(values[best.arch.key])
    return AgainstRandom(
        sampled=len(sample),
        better_than=sum(_number(values[trial.arch.key]) < mine for trial in others),
        is_sampled=len(others) < len(sample),
    )


def _number(value: float | None) -> float:
    return -math.inf if value is None else value


def _tail(least: int, count: int, share: float) -> float:
    """Return the probability that `least` or more of `count` draws succeed, each with probability `share`."""
    if not 0 < share < 1:
        return float(share == 1 or least == 0)
    logs = (
        math.lgamma(count + 1)
        - math.lgamma(k + 1)
        - math.lgamma(count - k + 1)
        + k * math.log(share)
        + (count - k) * math.log1p(-share)
        for k in range(least, count + 1)
    )
    return math.fsum(map(math.exp, logs))
