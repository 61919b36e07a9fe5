"""Which network won a race, and whether its lead over the others is more than chance."""

from __future__ import annotations

from typing import Any

from denas_core.contracts.task import Metric

from .entrants import KINDS
from .record import Racer, RaceRecord
from .resolution import points, resolution
from .rungs import ordered

NAMES = {
    "finalist": "the best finalist",
    "random": "the best random network",
    "largest": "the largest network",
    "familiar": "the familiar network",
    "next": "the second best",
}


def conclude(record: RaceRecord) -> dict[str, Any]:
    """Return the result of a race whose last rung has ended well for at least one network, as JSON can represent it.

    Returns:
        ``winner``: its key; ``kinds``, ``rank``, ``epochs``, ``value`` and ``metrics`` of the winner; ``best``: the key
        of the best network of each kind; ``comparisons``: the winner against the best network of each kind that it does
        not belong to, or against the second best; ``sentence``: all of it in words.
    """
    epochs = record.rungs[-1]
    results = record.results(epochs)
    ranked = [record.racer(key) for key in ordered(results, record.metric)]
    winner = ranked[0]
    best = {kind: next((racer for racer in ranked if kind in racer.entrant.kinds), None) for kind in KINDS}
    others: dict[str, Racer] = {
        kind: found for kind, found in best.items() if found and kind not in winner.entrant.kinds
    }
    if not others and len(ranked) > 1:
        others = {"next": ranked[1]}
    result = {
        "winner": winner.key,
        "kinds": list(winner.entrant.kinds),
        "rank": winner.entrant.rank,
        "epochs": epochs,
        "value": results[winner.key][record.metric.name],
        "metrics": dict(results[winner.key]),
        "best": {kind: found.key for kind, found in best.items() if found},
        "comparisons": [_compare(record, winner, other, kind) for kind, other in others.items()],
    }
    return {**result, "sentence": _sentence(record, winner, result)}


def _compare(record: RaceRecord, winner: Racer, other: Racer, kind: str) -> dict[str, Any]:
    metric, results = record.metric, record.results(record.rungs[-1])
    ours, theirs = (results[racer.key][metric.name] for racer in (winner, other))
    lead = ours - theirs if metric.direction == "maximize" else theirs - ours
    smallest = resolution(metric, record.samples["valid"], share=(ours + theirs) / 2)
    verdict = "unknown" if smallest is None else "better" if lead > smallest else "cannot be told apart"
    return {
        "with": kind,
        "name": NAMES[kind],
        "key": other.key,
        "rank": other.entrant.rank,
        "value": theirs,
        "lead": lead,
        "resolution": smallest,
        "verdict": verdict,
    }


def _sentence(record: RaceRecord, winner: Racer, result: dict[str, Any]) -> str:
    metric, count = record.metric, record.samples["valid"]
    name = winner.describe()
    # A name with a comma in it needs another one after it.
    subject = f"{name[0].upper()}{name[1:]} ({winner.key[:12]}){',' if ',' in name else ''}"
    epochs = f"{result['epochs']} epoch{'s' if result['epochs'] > 1 else ''}"
    values = {metrics[metric.name] for metrics in record.results(record.rungs[-1]).values()}
    if len(values) == 1 and result["comparisons"]:
        return (
            f"Nothing tells the networks of the last rung apart: all have {metric.name} {result['value']:.4g} after "
            f"{epochs}. {subject} is kept, because no other one has a smaller loss; more epochs may show a difference."
        )
    text = f"{subject} won with {metric.name} {result['value']:.4g} after {epochs}"
    leads = [_lead(metric, one) for one in result["comparisons"]]
    if leads:
        text += f", {', and '.join(leads)}"
    verdicts = [one["verdict"] for one in result["comparisons"]]
    smallest = max((one["resolution"] or 0.0 for one in result["comparisons"]), default=0.0)
    if "cannot be told apart" in verdicts:
        text += f". {count} samples tell apart networks that differ by more than {points(smallest)}"
    return f"{text}."


def _lead(metric: Metric, comparison: dict[str, Any]) -> str:
    other = f"{comparison['name']} ({comparison['value']:.4g})"
    if comparison["lead"] == 0:
        return f"as good as {other}"
    amount = points(comparison["lead"]) if metric.is_share else f"{comparison['lead']:.3g}"
    chance = ", which may be chance" if comparison["verdict"] == "cannot be told apart" else ""
    return f"{amount} better than {other}{chance}"
