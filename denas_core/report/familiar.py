"""A familiar network beside the best one of a search: its score, at about equal size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from denas_core.errors import DenasError
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.setup.setup import Setup
from denas_core.values.trial import Trial


def familiar_network(setup: Setup, trials: Sequence[Trial]) -> dict[str, Any] | None:
    """Score a familiar network of about the size of the best one with the objects of a search.

    Nothing of the run changes. If the network cannot be named, counted or scored, there is no comparison.

    Args:
        setup: The objects of the search.
        trials: Its trials.

    Returns:
        ``name``, such as ``a ResNet``; ``key`` and ``arch``; ``params`` and ``flops``; ``components``;
        ``compared``, the key of the best network; ``is_better``: whether that one has a better combined score, None if
        both are equal. None if there is no such network.
    """
    ranked, _ = setup.scoring.rank(trials)
    best = next((trial for trial in ranked if trial.is_scored), None)
    if best is None or not {"params", "flops"} <= set(best.evaluation.metrics):
        return None
    try:
        with plugin_errors(f"space {setup.space.id!r}"):
            found = setup.space.familiar(best.evaluation.metrics)
            if found is None:
                return None
            name, arch = found
            cost = setup.problem.cost(arch)
        known = next((trial for trial in trials if trial.arch.key == arch.key and trial.is_scored), None)
        evaluation = setup.evaluator().evaluate_scores(arch) if known is None else known.evaluation
        if evaluation.state != "scored":
            return None
        # Not of generation 0, or the score would take it for one of its random networks.
        other = Trial(index=len(trials), generation=1, arch=arch, evaluation=evaluation)
        _, values = setup.scoring.rank([*trials, other] if known is None else trials)
    except (DenasError, ArithmeticError):
        return None
    ours, theirs = values[best.arch.key], values[arch.key]
    return {
        "name": str(name),
        "key": arch.key,
        "arch": arch.as_dict(),
        "params": cost["params"],
        "flops": cost["flops"],
        "components": dict(evaluation.components),
        "compared": best.arch.key,
        "is_better": None if ours == theirs or best.arch.key == arch.key else bool(ours > theirs),
    }
