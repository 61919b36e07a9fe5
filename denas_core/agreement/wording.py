"""Correlations as they are written for people: ``.66 [.62, .70]``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.text import DASH, number, seconds

from .statistics import BANDS, RESAMPLES


def share(value: float | None, *, sign: bool = False) -> str:
    """Return a number from -1 to 1 with two digits; with a plus, if asked, where it is positive."""
    if value is None:
        return DASH
    text = f"{value:+.2f}" if sign else f"{value:.2f}"
    # Not "-.00".
    return text.replace("-0.00", "0.00").replace("+0.00", "0.00").replace("0.", ".", 1)


def estimate(value: float | None, ends: Sequence[float] | None, *, sign: bool = False) -> str:
    """Return an estimate with its interval."""
    if value is None or ends is None:
        return share(value, sign=sign)
    return f"{share(value, sign=sign)} [{share(ends[0])}, {share(ends[1])}]"


def columns(document: Mapping[str, Any]) -> list[str]:
    """Return the headings of `cells`; `explanations` says what they mean."""
    return [
        "score",
        "tau-b",
        "rho",
        f"less {document['baseline']}",
        "in bands",
        "between seeds",
        f"regret of {document['scores'][0]['top']}",
        "regret of 1",
        "ties",
        "failed",
        "a network",
    ]


def cells(entry: Mapping[str, Any]) -> list[str]:
    """Return what a table says of one score and target."""
    return [
        entry["score"],
        estimate(entry["kendall"], entry["kendall_ci"]),
        estimate(entry["spearman"], entry["spearman_ci"]),
        estimate(entry["difference"], entry["difference_ci"], sign=True),
        estimate(entry["kendall_in_bands"], entry["kendall_in_bands_ci"]),
        share(entry["kendall_between_seeds"]),
        number(entry["top_regret"]),
        number(entry["first_regret"]),
        str(entry["ties"]),
        str(entry["failed"]),
        seconds(entry["seconds"]),
    ]


def explanations(document: Mapping[str, Any]) -> list[str]:
    """Return what the columns mean, a sentence or a few each."""
    top = document["scores"][0]["top"]
    return [
        "tau-b and rho are Kendall's and Spearman's rank correlations with the target. Brackets are 95 % intervals: "
        f"{RESAMPLES:,} times, as many networks are drawn again from the table, with replacement.",
        f"'less {document['baseline']}' is tau-b less that of {document['baseline']}, in the same draws for both.",
        f"'in bands' is the mean tau-b within {BANDS} equal parts of the networks, from the smallest to the largest by "
        "parameters: what a score knows beside size.",
        "'between seeds' is the tau-b of the ranks under one seed with those under another, the mean over all pairs.",
        f"'regret of {top}' is how far the best target among the first {top} networks by the score is below the "
        "best of the table. Networks of equal value are taken with the worst target first.",
        "'ties' are networks whose value another network has too.",
        "'a network' is the median time for a network and seed. A run of the network that several scores share counts "
        "for the one that asked first.",
    ]


def counted(number: int, noun: str) -> str:
    """Return ``1 seed`` or ``3 seeds``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def of_target(document: Mapping[str, Any], target: str) -> list[Mapping[str, Any]]:
    """Return the entries of one target, best first."""
    return [entry for entry in document["scores"] if entry["target"] == target]


def verdict(document: Mapping[str, Any], target: str) -> list[str]:
    """Return what the numbers of one target mean, a sentence each."""
    entries = of_target(document, target)
    ranked = [entry for entry in entries if not entry["is_count"] and entry["kendall"] is not None]
    counts = [entry for entry in entries if entry["is_count"] and entry["kendall"] is not None]
    if all(entry["is_count"] for entry in entries):
        return ["Only counts were evaluated."]
    if not ranked:
        return [f"No score ranks the networks by {target}."]
    best, said = ranked[0], []
    said.append(
        f"{best['score']} predicts {target} best among the scores, with tau-b "
        f"{estimate(best['kendall'], best['kendall_ci'])}."
    )
    if counts:
        count = counts[0]
        relation = "more than" if count["kendall"] > best["kendall"] else "not more than"
        said.append(
            f"{count['score']}, which costs nothing, reaches {estimate(count['kendall'], count['kendall_ci'])}: "
            f"{relation} that score."
        )
    near = [
        entry["score"]
        for entry in entries
        if entry["difference_ci"] is not None
        and entry["score"] != document["baseline"]
        and entry["difference_ci"][0] <= 0 <= entry["difference_ci"][1]
    ]
    if near:
        said.append(
            f"This table cannot tell {_listed(near)} from {document['baseline']}: the interval of the difference "
            "holds 0."
        )
    return said


def failed_in_words(document: Mapping[str, Any]) -> list[str]:
    """Return a line for each score that failed: how often, for which network first, and why."""
    lines = []
    for label in dict.fromkeys(failure["score"] for failure in document["failures"]):
        mine = [failure for failure in document["failures"] if failure["score"] == label]
        networks = len({failure["key"] for failure in mine})
        first = mine[0]
        lines.append(
            f"{label} failed for {networks} of {document['networks']} networks, which rank last; the first is "
            f"{first['notation'][:80]} (seed {first['seed']}): {first['reason']}"
        )
    return lines


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
