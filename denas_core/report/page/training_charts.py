"""The charts of what was trained, as coordinates: the score against the metric, and the course of the trainings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from denas_core.text import number

from .axes import Axis
from .charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, SvgPath, dots, frame

MOST_CURVES = 12
"""Networks of which the curves are drawn in one chart; the kept one is always among them."""


def agreement_chart(trained: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a scatter plot of the metric over the score; None for too few networks."""
    agreement = None if trained is None else trained["agreement"]
    if trained is None or agreement is None:
        return None
    alike = [row for row in trained["rows"] if _is_in(row, agreement)]
    if len(alike) < 2:
        return None
    x = Axis.of([row["score"] for row in alike], LEFT, WIDTH - RIGHT)
    y = Axis.of([row["value"] for row in alike], HEIGHT - BOTTOM, TOP)
    placed = [(x(row["score"]), y(row["value"]), row) for row in alike]
    kept = next(((px, py) for px, py, row in placed if row["key"] == trained["kept"]), None)
    return {
        **_scales(x, y, WIDTH, HEIGHT),
        "x_label": "score in the search",
        "y_label": trained["metric"],
        "dots": dots((px, py) for px, py, row in placed if "random" in row["origins"]),
        "front_dots": dots((px, py) for px, py, row in placed if "random" not in row["origins"]),
        "kept": kept,
    }


def curve_charts(trained: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return charts of the loss and the metric over the epochs, two for each group of trainings with a course."""
    if trained is None:
        return []
    charts = []
    groups = dict.fromkeys(row["group"] for row in trained["rows"])
    for group in groups:
        rows = [row for row in trained["rows"] if row["group"] == group][:MOST_CURVES]
        for name, title in (("loss", "training loss"), ("metric", trained["metric"])):
            chart = _curves(rows, name, title or "metric", trained["kept"])
            if chart is not None:
                charts.append({**chart, "group": group})
    return charts


def _curves(
    rows: Sequence[Mapping[str, Any]], name: str, title: str, kept: str | None
) -> dict[str, Any] | None:
    lines = []
    for row in rows:
        points = [(point["epoch"], point[name]) for point in row["curve"] if point[name] is not None]
        if len(points) > 1:
            lines.append((row["key"] == kept or len(rows) == 1, points))
    if not lines:
        return None
    x = Axis.of([epoch for _, points in lines for epoch, _ in points], LEFT, WIDTH - RIGHT)
    y = Axis.of([value for _, points in lines for _, value in points], HEIGHT - BOTTOM, TOP)
    return {
        **_scales(x, y, WIDTH, HEIGHT),
        "x_ticks": [(x(tick), number(int(tick))) for tick in x.ticks() if tick == int(tick)],
        "name": name,
        "title": title,
        "x_label": "epoch",
        "y_label": title,
        "lines": [
            {"path": SvgPath(_line([(x(epoch), y(value)) for epoch, value in points])), "is_kept": is_kept}
            for is_kept, points in sorted(lines, key=lambda line: line[0])
        ],
    }


def shades(mistakes: Mapping[str, Any]) -> list[list[int]]:
    """Return a shade from 0 to 5 for each cell of a confusion matrix: the share of its row."""
    return [[round(5 * count / (sum(row) or 1)) for count in row] for row in mistakes.get("matrix", [])]


def _is_in(row: Mapping[str, Any], agreement: Mapping[str, Any]) -> bool:
    same = (row["group"], row["epochs"]) == (agreement["group"], agreement["epochs"])
    return same and row["key"] in agreement["keys"]


def _scales(x: Axis, y: Axis, width: int, height: int) -> dict[str, Any]:
    return {
        "width": width,
        "height": height,
        "frame": frame(width, height),
        "x_ticks": [(x(tick), number(tick)) for tick in x.ticks()],
        "y_ticks": [(y(tick), number(tick)) for tick in y.ticks()],
    }


def _line(points: Sequence[tuple[float, float]]) -> str:
    (x, y), *rest = points
    return f"M{x:g} {y:g}" + "".join(f"L{right:g} {down:g}" for right, down in rest)
