"""What the weights of the original's score of token models are here: terms of its own unit, where ours are ranks."""

from __future__ import annotations

from .contract import OldConfig, Outcome


def diversity_weight(old: OldConfig, key: str) -> Outcome:
    """Return what becomes of the weight of diversity: 0 stays, others only fitted its unit to that of saliency."""
    weight = old.number(key)
    if weight == 0:
        return Outcome(fate="translated", settings={"score.weights.diversity": 0.0})
    return Outcome(
        fate="changed",
        note=f"{weight:g} made its unit fit that of saliency, and ranks have none; score.combination=reference has "
        "that arithmetic",
    )


def latency_weight(old: OldConfig, key: str) -> Outcome:
    """Return what becomes of the weight of the milliseconds of a batch."""
    return Outcome(
        fate="changed",
        note=f"{old.number(key):g} for each millisecond of a batch; score.combination=reference has that arithmetic, "
        "and score.weights.latency a part in the ranks",
    )
