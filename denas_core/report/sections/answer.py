"""The answer of a report: what was found, whether it fits, whether it is better than others, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from denas_core.contracts.familiar import EQUAL
from denas_core.text import percent, quantity

Sure = Literal["yes", "probably", "cannot say"]

QUANTILE = 1.96
PROBABLY = 1.28
"""Standard errors from which on a lead is probably real: one-sided 90 %."""

ENOUGH_RANDOM = 3
"""Trained random networks from which on a lead over all of them says something about random networks."""

ENOUGH_SHARE = 0.9
"""Share of random networks with a lower score from which on a network is probably better than chance."""

REPEATABLE = 0.4
"""Agreement of the orders of two seeds below which a score says nothing about the finalists."""


def answer(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the answer of a report; None if no network was found.

    Args:
        document: The report with ``subject`` (how the sentence begins), ``best``, ``trials``, ``trained``, ``race``,
            ``fits``, ``familiar``, ``against_random`` and ``confidence``.

    Returns:
        ``sentence``; ``sure``: ``yes``, ``probably`` or ``cannot say``, whether it is better than a random network;
        ``rows``: each with ``question``, ``answer`` and ``reason``.
    """
    trained = document["trained"]
    kept = None if trained is None else next((one for one in trained["rows"] if one["is_kept"]), None)
    if kept is not None and kept["value"] is None:
        kept = None
    if document["best"] is None and kept is None:
        return None
    what = _what(document, kept)
    sure, reason = _how_sure(document, kept)
    fits, familiar = document["fits"], compare_with_familiar(document, kept)
    claims = [one for one in (fits["claim"], None if familiar is None else familiar["claim"]) if one]
    claims += (
        [f"is {'' if sure == 'yes' else 'probably '}better than a random network"]
        if sure != "cannot say"
        else []
    )
    # Neither of these was found by the search, even if it is the best network of the race.
    is_other = (
        kept is not None and kept["group"] == "race" and set(kept["origins"]) <= {"familiar", "largest"}
    )
    sentence = f"{'The race gave' if is_other else document['subject']} {what}"
    if claims:
        sentence += f", which {_listed(claims)}"
    if sure == "cannot say":
        sentence += f"; it cannot be said whether it is better than a random network, because {reason}"
    else:
        sentence += f": {reason}"
    rows = [{"question": "What was found?", "answer": what, "reason": ""}]
    if fits["answer"]:
        rows.append(
            {"question": "Does it fit your budgets?", "answer": fits["answer"], "reason": fits["reason"]}
        )
    if familiar is not None:
        rows.append(
            {
                "question": f"Is it better than {familiar['name']}?",
                "answer": familiar["answer"],
                "reason": familiar["reason"],
            }
        )
    rows.append({"question": "Is it better than a random network?", "answer": sure, "reason": reason})
    return {"sentence": f"{sentence}.", "sure": sure, "rows": rows}


def compare_with_familiar(
    document: Mapping[str, Any], kept: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """Return how the network compares with a familiar one of equal size; None if there is none.

    Trained networks are compared by their metric, others by their score, which the text says.
    """
    familiar = document["familiar"]
    if familiar is None:
        return None
    if kept is not None and "familiar" in kept["origins"]:
        return {
            "name": familiar["name"],
            "answer": "no",
            "reason": f"it is {familiar['name']} itself",
            "claim": f"is {familiar['name']} itself",
        }
    key = document["best"]["key"] if kept is None else kept["key"]
    name = f"{familiar['name']} {_size_of(familiar, _metrics(document, key))}"
    pair = None if kept is None else _pair(document["trained"]["rows"], kept, "familiar")
    if pair is not None:
        ours, others = pair
        sure, reason = _lead(ours, others[:1], name, enough=1)
        claim = {"yes": "is better than", "probably": "is probably better than"}.get(sure)
        return {
            "name": name,
            "answer": sure,
            "reason": reason,
            "claim": f"{claim or 'is not shown to be better than'} {name}",
        }
    if familiar["is_better"] is None or key != familiar.get("compared"):
        return None
    level = "higher" if familiar["is_better"] else "lower"
    # One comparison of two scores is too often wrong to call it probable.
    about = "a score is only a forecast, and the two were not trained alike"
    return {
        "name": name,
        "answer": "cannot say",
        "reason": f"its score is {level} than that of {name}; {about}",
        "claim": f"has a {level} score than {name}",
    }


def _size_of(familiar: Mapping[str, Any], metrics: Mapping[str, float]) -> str:
    """Return how large the familiar network is, compared with a network of these metrics."""
    ours, theirs = metrics.get("params"), familiar.get("params")
    if not ours or not theirs or max(ours / theirs, theirs / ours) <= 1 + EQUAL:
        return "of equal size"
    return f"with {quantity(theirs)} parameters"


def _metrics(document: Mapping[str, Any], key: str) -> Mapping[str, float]:
    """Return the metrics of a network of the search or of the race, such as its parameters."""
    rows = [*document["trials"], *(document["race"] or {"rows": []})["rows"]]
    return next((row["metrics"] for row in rows if row["key"] == key), {})


def _what(document: Mapping[str, Any], kept: Mapping[str, Any] | None) -> str:
    key = document["best"]["key"] if kept is None else kept["key"]
    metrics = _metrics(document, key)
    size = f" with {quantity(metrics['params'])} parameters" if "params" in metrics else ""
    if kept is None:
        return f"a network{size}, not yet trained"
    value = _value(kept, kept["value"])
    text = f"a network{size}{' and ' if size else ' with '}{kept['metric']} {value}"
    if kept["interval"]:
        low, high = (_value(kept, end) for end in kept["interval"])
        text += f" ({low} to {high} on other data of this kind)"
    return text


def _how_sure(document: Mapping[str, Any], kept: Mapping[str, Any] | None) -> tuple[Sure, str]:
    """Return whether the network is better than a random one, with the reason."""
    if kept is not None:
        if reason := _has_learned_nothing(kept):
            return "cannot say", reason
        pair = _pair(document["trained"]["rows"], kept, "random")
        if pair is not None:
            ours, others = pair
            if "random" in ours["origins"]:
                return "cannot say", "it is a random network itself"
            sure, reason = _lead(ours, others, "the best random one", enough=ENOUGH_RANDOM)
            is_other = ours["group"] != kept["group"]
            return sure, f"in the {ours['group']}, {reason}" if is_other else reason
    without = "no random network was trained" if kept is not None else "nothing was trained"
    against, confidence = document["against_random"], document["confidence"]
    if against is None:
        return "cannot say", f"{without}, and its score was not compared with random networks"
    tau = None if confidence is None else confidence["finalists"]
    if tau is not None and tau["mean"] < REPEATABLE:
        return "cannot say", f"{without}, and with another seed the score orders the networks otherwise"
    share = percent(math.floor(100 * against["at_least"]) / 100)
    if against["is_sampled"]:
        return "cannot say", f"{without}, and it is one of the random networks with which the search began"
    if against["at_least"] < ENOUGH_SHARE:
        return (
            "cannot say",
            f"{without}, and its score is only shown to be better than that of {share} of random networks",
        )
    return "probably", f"its score is better than that of at least {share} of random networks, but {without}"


def _has_learned_nothing(kept: Mapping[str, Any]) -> str:
    interval, chance = kept["interval"], kept["chance"]
    if chance is None or not interval:
        return ""
    low, high = interval
    is_above = low > chance if kept["direction"] != "minimize" else high < chance
    if is_above:
        return ""
    return (
        f"it is not shown to have learned anything: {kept['metric']} {_value(kept, kept['value'])} on "
        f"{kept['samples']} samples, and a network that has learned nothing has {_value(kept, chance)}"
    )


def _pair(
    rows: Sequence[Mapping[str, Any]], kept: Mapping[str, Any], kind: str
) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]] | None:
    """Return the kept network and those of a kind that were trained just like it, best first; None without any."""
    for ours in (row for row in rows if row["key"] == kept["key"] and row["value"] is not None):
        alike = [
            row
            for row in rows
            if (row["group"], row["epochs"], row["metric"]) == (ours["group"], ours["epochs"], ours["metric"])
            and kind in row["origins"]
            and row["value"] is not None
        ]
        others = [row for row in alike if row["key"] != ours["key"]]
        if alike:
            return ours, sorted(others or alike, key=lambda row: -_signed(row))
    return None


def _lead(
    ours: Mapping[str, Any], others: Sequence[Mapping[str, Any]], name: str, *, enough: int
) -> tuple[Sure, str]:
    best = others[0]
    lead = _signed(ours) - _signed(best)
    if lead <= 0:
        return "cannot say", f"{name} was {'as good' if lead == 0 else 'better'} in the same training"
    samples = ours["samples"]
    if not ours["is_share"] or not samples:
        return "cannot say", f"it is not known which difference of {ours['metric']} is more than chance"
    share = min(max((ours["value"] + best["value"]) / 2, 0.0), 1.0)
    error = math.sqrt(2 * share * (1 - share) / samples)
    ahead = f"it was {_points(lead)} better than {name} on {samples} samples"
    if lead <= PROBABLY * error:
        return "cannot say", f"{ahead}, and smaller leads than {_points(PROBABLY * error)} are often chance"
    if lead <= QUANTILE * error:
        return "probably", f"{ahead}, but {_points(QUANTILE * error)} would be needed to be sure"
    if len(others) < enough:
        count = "one random network was" if len(others) == 1 else f"{len(others)} random networks were"
        return "probably", f"{ahead}, but only {count} trained"
    return "yes", f"{ahead}, and chance explains only {_points(QUANTILE * error)}"


def _signed(row: Mapping[str, Any]) -> float:
    return -float(row["value"]) if row["direction"] == "minimize" else float(row["value"])


def _value(row: Mapping[str, Any], value: float) -> str:
    return f"{100 * value:.3g} %" if row["is_share"] else f"{value:.4g}"


def _points(share: float) -> str:
    text = f"{100 * share:.1f}".removesuffix(".0")
    return f"{text} point{'' if text == '1' else 's'}"


def _listed(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
