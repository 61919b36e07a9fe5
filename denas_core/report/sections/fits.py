"""Whether the network that a run gives keeps the budgets, and whether that was counted, measured or predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

COUNTED, MEASURED, PREDICTED = "counted", "measured", "predicted"


def describe_fit(
    rows: Sequence[Mapping[str, Any]], row: Mapping[str, Any] | None, build: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return whether the network keeps every budget.

    Args:
        rows: The budgets with the network's values, see `constraint_rows`.
        row: The trial of the network; None if it was not a candidate of the search.
        build: The build that made the run; its measurements of the exported file count more than those of the search.

    Returns:
        ``answer``: ``yes``, ``no`` or ``cannot say``, empty without budgets; ``reason``; ``claim``, the end of a
        sentence that begins with "which".
    """
    bounds = {} if build is None else {one["bound"]: one["verdict"] for one in build["bounds"]}
    verdicts = [(one["text"], *_verdict(one, row, bounds)) for one in rows]
    seen = {text for text, _, _ in verdicts}
    # A bound that is relative to the largest network has another text in the configuration.
    verdicts += [(text, said, MEASURED) for text, said in _said(bounds).items() if text not in seen]
    if not verdicts:
        return {"answer": "", "reason": "no budget was set", "claim": ""}
    broken = [one for one in verdicts if one[1] == "no"]
    open_ = [one for one in verdicts if one[1] == "cannot say"]
    if broken:
        text, how = _texts(broken), _how(broken)
        return {
            "answer": "no",
            "reason": f"{text} ({how})",
            "claim": f"breaks your {_budgets(broken)} {text} ({how})",
        }
    if open_:
        text = _texts(open_)
        reason = f"{text}: no measurement or prediction decides it"
        return {"answer": "cannot say", "reason": reason, "claim": f"may break your {_budgets(open_)} {text}"}
    how = _how(verdicts)
    kept = {1: f"your budget {verdicts[0][0]}", 2: "both of your budgets"}.get(
        len(verdicts), f"all {len(verdicts)} of your budgets"
    )
    return {"answer": "yes", "reason": f"{_texts(verdicts)} ({how})", "claim": f"keeps {kept} ({how})"}


def _verdict(
    one: Mapping[str, Any], row: Mapping[str, Any] | None, bounds: Mapping[str, str]
) -> tuple[str, str]:
    if (said := _said(bounds).get(one["text"])) is not None:
        return said, MEASURED
    if one["margin"] is None:
        return "cannot say", COUNTED
    latency = None if row is None else row["latency"]
    is_timed = row is not None and one["metric"] in row["predicted_metrics"]
    how = (
        PREDICTED
        if is_timed
        else MEASURED
        if latency is not None and one["metric"] == "latency_ms"
        else COUNTED
    )
    return ("yes" if one["margin"] >= 0 else "no"), how


def _said(bounds: Mapping[str, str]) -> dict[str, str]:
    known = {"holds": "yes", "broken": "no", "undecided": "cannot say"}
    return {text: known[verdict] for text, verdict in bounds.items() if verdict in known}


def _how(verdicts: Sequence[tuple[str, str, str]]) -> str:
    """Return the weakest evidence: a prediction is weaker than a measurement."""
    found = {how for _, _, how in verdicts}
    return next(how for how in (PREDICTED, MEASURED, COUNTED) if how in found)


def _texts(verdicts: Sequence[tuple[str, str, str]]) -> str:
    return ", ".join(text for text, _, _ in verdicts)


def _budgets(verdicts: Sequence[tuple[str, str, str]]) -> str:
    return "budget" if len(verdicts) == 1 else "budgets"
