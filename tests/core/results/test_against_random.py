"""The best network against the random ones of its run."""

from __future__ import annotations

import math

import pytest

from denas_core.results.against_random import AgainstRandom, against_random
from denas_core.values.trial import Evaluation, Trial
from tests.core.conditional_space import Conditional, all_members

ARCHS = list(all_members(Conditional().named("toy/conditional")).values())


def against(better_than: int, sampled: int, *, is_sampled: bool = False) -> AgainstRandom:
    return AgainstRandom(sampled=sampled, better_than=better_than, is_sampled=is_sampled)


def tail(least: int, count: int, share: float) -> float:
    return sum(math.comb(count, k) * share**k * (1 - share) ** (count - k) for k in range(least, count + 1))


@pytest.mark.parametrize("sampled", [2, 32, 50, 100])
def test_the_bound_of_all_worse_is_the_root_of_the_error(sampled: int) -> None:
    assert against(sampled, sampled).at_least == pytest.approx(0.05 ** (1 / sampled), abs=1e-6)
    # The best of n random networks is worse than the share p of all with probability p^n.
    assert against(sampled - 1, sampled, is_sampled=True).at_least == against(sampled, sampled).at_least


@pytest.mark.parametrize(("better_than", "sampled"), [(1, 2), (20, 50), (49, 50), (99, 100)])
def test_as_many_worse_networks_are_as_likely_as_the_error_at_the_bound(
    better_than: int, sampled: int
) -> None:
    bound = against(better_than, sampled).at_least
    assert tail(better_than, sampled, bound) == pytest.approx(0.05, abs=1e-6)


def test_nothing_is_claimed_of_a_network_that_is_better_than_none() -> None:
    assert against(0, 50).at_least == pytest.approx(0.0, abs=1e-6)
    assert against(10_000, 10_000).at_least == pytest.approx(0.05 ** (1 / 10_000), abs=1e-6)


def test_it_is_said_in_words() -> None:
    bound = "better than at least 94 % of all such networks (95 % confidence)"
    assert against(50, 50).describe() == (
        "better than all of 50 random networks within your budgets, and than "
        + bound.removeprefix("better than ")
    )
    assert against(49, 50).describe() == (
        "better than 98 % of 50 random networks within your budgets, and than at least 90 % of all such networks "
        "(95 % confidence)"
    )
    assert against(49, 50, is_sampled=True).describe() == (
        f"the best of 50 random networks within your budgets, so {bound}"
    )


def trial(index: int, generation: int = 0, *, scored: bool = True) -> Trial:
    evaluation = Evaluation(state="scored") if scored else Evaluation(state="failed", reason="broken")
    return Trial(
        index=index,
        generation=generation,
        arch=ARCHS[index],
        evaluation=evaluation,
    )


def test_only_scored_networks_of_the_first_generation_are_counted() -> None:
    trials = [trial(0), trial(1), trial(2, scored=False), trial(3, 1), trial(4, 1)]
    values = {t.arch.key: v for t, v in zip(trials, [0.0, 2.0, 9.0, 1.0, 0.5], strict=True) if t.is_scored}
    assert against_random(trials, values, trials[3]) == against(1, 2)
    assert against_random(trials, values, trials[1]) == against(1, 2, is_sampled=True)
    assert against_random(trials[3:], values, trials[3]) is None
    assert against_random(trials[1:], values, trials[1]) is None
