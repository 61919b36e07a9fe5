"""The sentences of an evaluation say no more than its numbers."""

from __future__ import annotations

from typing import Any

from denas_core.agreement.wording import verdict


def document(kendall: float, interval: list[float]) -> dict[str, Any]:
    entry = {
        "score": "height",
        "target": "accuracy",
        "is_count": False,
        "networks": 12,
        "kendall": kendall,
        "kendall_ci": interval,
        "difference_ci": None,
    }
    return {"scores": [entry], "baseline": "height"}


def test_a_score_that_may_rank_by_chance_is_said_to() -> None:
    sure = verdict(document(0.5, [0.1, 0.8]), "accuracy")
    assert sure == ["height predicts accuracy best among the scores, with tau-b .50 [.10, .80]."]
    for kendall, interval in ((0.3, [-0.1, 0.6]), (-0.4, [-0.7, -0.2])):
        assert verdict(document(kendall, interval), "accuracy")[1] == (
            "The interval contains 0 or lies below it, so these 12 networks do not show that any score ranks them."
        )
