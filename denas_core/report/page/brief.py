"""The sections of a report that have too little to say. They are closed, with one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FEW_TRIALS = 30
"""Candidates up to which the influence of knobs is mostly chance."""


def brief_sections(document: Mapping[str, Any], *, has_front: bool, has_time: bool) -> dict[str, str]:
    """Return the sentence of each section that is closed, by the id of the section.

    Args:
        document: The report.
        has_front: Whether there is a chart of the front.
        has_time: Whether there is a chart of the score over time.
    """
    count = document["knobs"]["trials"]
    budgets = document["budgets"]
    found = {
        "confidence": "" if document["confidence"] else "it was not measured how sure the order is",
        "front": "" if has_front else "fewer than two candidates are ranked",
        "time": "" if has_time else "fewer than two candidates are ranked",
        "finalists": "" if document["finalists"] else "no candidate is ranked",
        "knobs": "" if count >= FEW_TRIALS else f"with {count} candidates this is mostly chance",
        "budgets": "" if budgets["constraints"] or budgets["metrics"] else "no budget was set",
        "network": "" if document["best"] else "there is no best architecture",
        "latency": "" if document["latency"] else "it was not measured",
        "failures": "" if document["failures"] else "every trial has a score",
    }
    return {section: sentence for section, sentence in found.items() if sentence}
