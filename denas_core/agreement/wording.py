"""Texts for the results of an evaluation, such as ``.66 [.62, .70]`` for a correlation with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.text import DASH, number, seconds

from .statistics import BANDS, RESAMPLES


def share(value: float | None, *, sign: bool = False) -> str:
    """Return a number from -1 to 1 with two digits; with `sign`, a positive number has a plus."""
    if value is None:
        return DASH
    text = f"{value:+.2f}" if sign else f"{value:.2f}"
    # This avoids "-.00".
    return text.replace("-0.00", "0.00").replace("+0.00", "0.00").replace("0.", ".", 1)


def estimate(value: float | None, ends: Sequence[float] | None, *, sign: bool = False) -> str:
    """Return an estimate with its interval."""
    if value is None or ends is None:
        return share(value, sign=sign)
    return f"{share(value, sign=sign)} [{share(ends[0])}, {share(ends[1])}]"


def columns(document: Mapping[str, Any]) -> list[str]:
    """Return the headings of `cells`; `explanations` explains them."""
    return [
        "score",
        "tau-b",
        "rho",
        f"minus {document['baseline']}",
        "in bands",
        "between seeds",
        f"regret of {document['scores'][0]['top']}",
        "regret of 1",
        "ties",
        "failed",
        "time",
    ]


def cells(entry: Mapping[str, Any]) -> list[str]:
    """Return the row of a table for one score and target."""
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
    """Return an explanation of each column."""
    top = document["scores"][0]["top"]
    return [
        "tau-b and rho are Kendall's and Spearman's rank correlations with the target. Brackets are 95 % intervals by "
        f"bootstrap: networks are drawn from the table with replacement, {RESAMPLES:,} times.",
        f"'minus {document['baseline']}' is tau-b minus that of {document['baseline']}, with the same draws for both.",
        f"'in bands' is the mean tau-b within {BANDS} equal parts of the networks, ordered by number of parameters. It "
        "shows what a score predicts beyond size.",
        "'between seeds' is the mean tau-b between the ranks for two seeds, over all pairs of seeds.",
        f"'regret of {top}' is the difference between the best target of the table and the best target of the first "
        f"{top} networks by the score. Among networks with equal values, those with the worst target come first.",
        "'ties' is the number of networks whose value another network has too.",
        "'failed' is the number of networks for which the score failed.",
        "'time' is the median time for a network and seed. If several scores share a run of the network, it counts for "
        "the first of them.",
    ]


def counted(number: int, noun: str) -> str:
    """Return ``1 seed`` or ``3 seeds``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def of_target(document: Mapping[str, Any], target: str) -> list[Mapping[str, Any]]:
    """Return the entries of one target, best first."""
    return [entry for entry in document["scores"] if entry["target"] == target]


def verdict(document: Mapping[str, Any], target: str) -> list[str]:
    """Return sentences with the conclusions for one target."""
    entries = of_target(document, target)
    ranked = [entry for entry in entries if not entry["is_count"] and entry["kendall"] is not None]
    counts = [entry for entry in entries if entry["is_count"] and entry["kendall"] is not None]
    if all(entry["is_count"] for entry in entries):
        return ["Only counts were evaluated."]
    if not ranked:
        return [f"No score ranks the networks by {target}."]
    best, sentences = ranked[0], []
    sentences.append(
        f"{best['score']} predicts {target} best among the scores, with tau-b "
        f"{estimate(best['kendall'], best['kendall_ci'])}."
    )
    if best["kendall_ci"] is not None and best["kendall_ci"][0] <= 0:
        sentences.append(
            f"The interval contains 0 or lies below it, so these {best['networks']} networks do not show that any "
            "score ranks them."
        )
    if counts:
        count = counts[0]
        relation = "more than" if count["kendall"] > best["kendall"] else "not more than"
        sentences.append(
            f"{count['score']}, which needs no run of a network, reaches "
            f"{estimate(count['kendall'], count['kendall_ci'])}: {relation} that score."
        )
    near = [
        entry["score"]
        for entry in entries
        if entry["difference_ci"] is not None
        and entry["score"] != document["baseline"]
        and entry["difference_ci"][0] <= 0 <= entry["difference_ci"][1]
    ]
    if near:
        sentences.append(
            f"This table does not show whether {document['baseline']} is better or worse than {_join_names(near)}: the "
            "interval of the difference contains 0."
        )
    return sentences


def failed_in_words(document: Mapping[str, Any]) -> list[str]:
    """Return a line for each score that failed, with the number of failures, the first network and the reason."""
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


def _join_names(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
