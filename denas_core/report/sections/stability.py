"""Compute how well the rankings of several seeds agree."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.values.ranking import kendall_tau

Values = Mapping[str, float]


def agreement(
    combined: Sequence[Values],
    components: Sequence[Mapping[str, Values]],
    *,
    finalists: Sequence[str],
    best: str,
) -> dict[str, Any]:
    """Return how well the rankings of several seeds agree.

    Args:
        combined: For each seed, with the seed of the run first, the combined value by key. Candidates that failed are
            left out.
        components: For each seed, by name of a component, its values by key. Larger is better.
        finalists: Keys of the best candidates of the run.
        best: Key of the best one.

    Returns:
        ``finalists`` and ``all``: Kendall's tau over the pairs of seeds (``mean``, ``min``, ``max``, ``pairs``), for
        the finalists and for all candidates; ``components``: the same for all candidates, by component; ``ranks``: the
        rank of the best one among all candidates for each further seed; ``first`` and ``top3``: number of further seeds
        for which it is first, or among the best three; ``seeds``: number of further seeds; ``candidates`` and
        ``finalist_count``: numbers of candidates and finalists.
    """
    keys = sorted({key for values in combined for key in values})
    ranks = [_place(values, best) for values in combined[1:]]
    names = list(components[0]) if components else []
    return {
        "finalists": _spread(combined, finalists),
        "all": _spread(combined, keys),
        "components": {name: _spread([one[name] for one in components], keys) for name in names},
        "ranks": ranks,
        "first": sum(rank == 1 for rank in ranks if rank is not None),
        "top3": sum(rank <= 3 for rank in ranks if rank is not None),
        "seeds": len(combined) - 1,
        "candidates": len(keys),
        "finalist_count": len(finalists),
    }


def _place(values: Values, key: str) -> int | None:
    if key not in values:
        return None
    return 1 + sum(value > values[key] for value in values.values())


def _spread(by_seed: Sequence[Values], keys: Sequence[str]) -> dict[str, Any] | None:
    taus = []
    for first, second in itertools.combinations(by_seed, 2):
        common = [key for key in keys if key in first and key in second]
        tau = kendall_tau([first[key] for key in common], [second[key] for key in common])
        if tau is not None:
            taus.append(tau)
    if not taus:
        return None
    return {"mean": sum(taus) / len(taus), "min": min(taus), "max": max(taus), "pairs": len(taus)}
