"""The page of an evaluation, in the style of the report of a search: tables, and a plot for each score and target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.report.page.axes import Axis
from denas_core.report.page.charts import BOTTOM, HEIGHT, LEFT, MOST_POINTS, RIGHT, TOP, WIDTH, SvgPath
from denas_core.report.page.html import asset, environment, policy
from denas_core.report.sections.statistics import quartiles
from denas_core.text import number

from .evaluate import Result
from .statistics import Floats
from .values import ScoreValues
from .wording import cells, columns, estimate, explanations, failed_in_words, of_target, verdict

REACH = 3.0
"""A plot ends this many interquartile ranges below and above the quartiles. Points outside are drawn on its edge."""


def render_page(result: Result) -> str:
    """Return the page, which loads no other file and runs no script."""
    from markupsafe import Markup

    document, style = result.document, asset("report.css")
    values = {one.label: one for one in result.values}
    targets = [
        {
            "name": target,
            "verdict": verdict(document, target),
            "rows": [
                {"cells": cells(entry), "is_count": entry["is_count"]}
                for entry in of_target(document, target)
            ],
            "plots": [
                _scatter(entry, values[entry["score"]], result)
                for entry in of_target(document, target)
                if entry["kendall"] is not None
            ],
        }
        for target in document["targets"]
    ]
    return (
        environment()
        .get_template("agreement.html")
        .render(
            d=document,
            style=Markup(style),
            policy=policy(style),
            columns=columns(document),
            targets=targets,
            explanations=explanations(document),
            failures=failed_in_words(document),
            options={label: _options(options) for label, options in document["options"].items()},
            space=_options(document["space"]),
        )
    )


def _scatter(entry: Mapping[str, Any], one: ScoreValues, result: Result) -> dict[str, Any]:
    """Return a plot of the target of each row over the percentage of networks with a lower rank."""
    place = {arch.key: number for number, arch in enumerate(result.table.architectures())}
    below = _percent_below(one.ranks())
    step = -(-len(result.table.rows) // MOST_POINTS)
    shown = [(below[place[row.arch.key]], row.targets[entry["target"]]) for row in result.table.rows[::step]]
    low, high = _shown_range([target for _, target in shown])
    x = Axis(0.0, 100.0, LEFT + 6, WIDTH - RIGHT)
    y = Axis.of([target for _, target in shown if low <= target <= high], HEIGHT - BOTTOM, TOP)
    # The target of a network that has learned nothing would make the scale too large for all others.
    points = [(x(rank), y(min(max(target, y.low), y.high))) for rank, target in shown]
    outside = sum(not low <= target <= high for _, target in shown)
    return {
        "title": entry["score"],
        "caption": f"tau-b {estimate(entry['kendall'], entry['kendall_ci'])}",
        "is_count": entry["is_count"],
        "width": WIDTH,
        "height": HEIGHT,
        "frame": {"left": LEFT, "right": WIDTH - RIGHT, "top": TOP, "bottom": HEIGHT - BOTTOM},
        "x_label": f"% of networks below, by {entry['score']}",
        "outside": outside,
        "x_ticks": [(x(tick), number(int(tick))) for tick in (0, 25, 50, 75, 100)],
        "y_ticks": [(y(tick), number(tick)) for tick in y.ticks()],
        "dots": SvgPath("".join(f"M{px:g} {py:g}h0" for px, py in points)),
        "target": entry["target"],
    }


def _percent_below(ranks: Floats) -> list[float]:
    return [100.0 * (float(rank) - 1) / max(len(ranks) - 1, 1) for rank in ranks]


def _shown_range(targets: Sequence[float]) -> tuple[float, float]:
    low, _, high = quartiles(targets)
    reach = REACH * (high - low)
    # If the quartiles are equal, the range covers all targets.
    return (low - reach, high + reach) if reach else (min(targets), max(targets))


def _options(options: Mapping[str, Any]) -> str:
    rest = {name: value for name, value in options.items() if name != "name"}
    text = ", ".join(f"{name} {value}" for name, value in rest.items() if value not in (None, {}, []))
    return f"{options['name']}{f' ({text})' if text else ''}"
