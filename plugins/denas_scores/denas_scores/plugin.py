"""What this plugin registers; light, since it is imported whenever plugins are listed."""

from __future__ import annotations

from denas_core.hookspecs import Components, hookimpl


@hookimpl
def denas_scores() -> Components:
    """Return the DE-Score, its components and the baselines."""
    return {
        "de-score": "denas_scores.de_score:DEScore",
        "expressivity": "denas_scores.expressivity:Expressivity",
        "complexity": "denas_scores.complexity:Complexity",
        "diversity": "denas_scores.diversity:Diversity",
        "saliency": "denas_scores.saliency:Saliency",
        "params": "denas_scores.baselines:Params",
        "flops": "denas_scores.baselines:Flops",
    }
