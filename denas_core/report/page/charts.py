"""The charts of a report as coordinates, which the templates draw."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from denas_core.report.sections.statistics import spans_decades
from denas_core.text import number

from .axes import Axis
from .text import titles_of

MOST_POINTS = 3000
MOST_LINKS = 40
"""Number of points in one chart that the keyboard can select."""

MOST_BANDS = 60

WIDTH, HEIGHT = 330, 270
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 14, 44


class SvgPath(str):
    """The path of an SVG picture. It may be long, because the report makes it; it is escaped like any other text."""

    __slots__ = ()


def pareto_charts(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a scatter plot of the score over each metric that is shown."""
    ranked = _select_points(document["trials"])
    charts = []
    for metric in document["metrics"]:
        rows = [row for row in ranked if metric["name"] in row["metrics"]]
        if len(rows) > 1:
            is_partly = any(metric["name"] in row["predicted_metrics"] for row in rows)
            title = f"{metric['title']}, partly predicted" if is_partly else metric["title"]
            charts.append(_scatter(metric["name"], title, rows, document["knee"]))
    return charts


def timeline(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a chart of the score of each trial in order, with the best score so far."""
    rows = sorted(_select_points(document["trials"]), key=lambda row: int(row["index"]))
    if len(rows) < 2:
        return None
    width, height = 860, 260
    x = Axis(0, max(1, document["trials"][-1]["index"]), LEFT, width - RIGHT)
    y = Axis.of([row["score"] for row in rows], height - BOTTOM, TOP)
    points = [(x(row["index"]), y(row["score"])) for row in rows]
    steps = [
        (x(row["index"]), y(best))
        for row, best in zip(rows, itertools.accumulate((r["score"] for r in rows), max), strict=True)
    ]
    return {
        "name": "time",
        "width": width,
        "height": height,
        "frame": frame(width, height),
        "x_label": "trial",
        "y_label": "score",
        "x_ticks": [(x(tick), number(int(tick))) for tick in x.ticks(8) if tick == int(tick)],
        "y_ticks": [(y(tick), number(tick)) for tick in y.ticks()],
        "dots": dots(points),
        "line": SvgPath(f"{_staircase(steps)}H{width - RIGHT}"),
        "bands": _bands(document["trials"], x),
        "links": [],
        "points": [[px, py, row["index"]] for (px, py), row in zip(points, rows, strict=True)],
    }


def hypervolume(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a chart of the hypervolume of the front after each trial; None if it is unknown or has no course."""
    course = document["hypervolume"]
    if course is None or len(course) < 2:
        return None
    step = -(-len(course) // MOST_POINTS)
    width, height = 860, 200
    x = Axis(0, max(1, document["trials"][-1]["index"]), LEFT, width - RIGHT)
    y = Axis.of([0.0, *(volume for _, volume in course)], height - BOTTOM, TOP)
    steps = [(x(index), y(volume)) for index, volume in [*course[::step], course[-1]]]
    return {
        "width": width,
        "height": height,
        "frame": frame(width, height),
        "x_label": "trial",
        "y_label": "hypervolume",
        "x_ticks": [(x(tick), number(int(tick))) for tick in x.ticks(8) if tick == int(tick)],
        "y_ticks": [(y(tick), number(tick)) for tick in y.ticks()],
        "line": SvgPath(f"{_staircase(steps)}H{width - RIGHT}"),
        "bands": _bands(document["trials"], x),
    }


def distributions(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a histogram of each metric, with the bounds and the best architecture."""
    return [_histogram(metric, titles_of(document)) for metric in document["budgets"]["metrics"]]


def intervals(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a chart of the latency of each finalist with its interval, on one axis."""
    rows = [row for row in document["finalists"] if row["latency"] is not None]
    bounds = [c for c in document["budgets"]["constraints"] if c["metric"] == "latency_ms"]
    if not rows:
        return None
    values = [row["latency"][end] for row in rows for end in ("low", "median", "high")]
    values += [bound["bound"] for bound in bounds]
    axis = Axis.of(values, 4, 296, log=spans_decades(values, 20))
    marks = []
    for row in rows:
        low, median, high = (axis(row["latency"][end]) for end in ("low", "median", "high"))
        marks.append({"row": row, "low": low, "median": median, "high": high, "width": round(high - low, 1)})
    return {
        "marks": marks,
        "bounds": [axis(bound["bound"]) for bound in bounds],
        "ticks": [(axis(tick), number(tick)) for tick in axis.ticks()],
    }


def bars(rows: Sequence[Mapping[str, Any]], directions: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """Return the length of a bar for each finalist and component: the best of these finalists has 100."""
    found: dict[str, dict[str, float]] = {row["key"]: {} for row in rows}
    for name in dict.fromkeys(name for row in rows for name in row["components"]):
        column = {row["key"]: row["components"][name] for row in rows if name in row["components"]}
        low, high = min(column.values()), max(column.values())
        for key, value in column.items():
            share = 1.0 if low == high else (value - low) / (high - low)
            share = 1.0 - share if directions.get(name) == "minimize" and low != high else share
            found[key][name] = round(6 + 94 * share, 1)
    return found


def _select_points(trials: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    ranked = [row for row in trials if row["rank"] is not None and row["score"] is not None]
    ranked.sort(key=lambda row: int(row["rank"]))
    if len(ranked) <= MOST_POINTS:
        return ranked
    step = -(-len(ranked) // MOST_POINTS)
    return [row for place, row in enumerate(ranked) if place % step == 0 or row["on_front"] or place < 50]


def _scatter(metric: str, title: str, rows: Sequence[Mapping[str, Any]], knee: str | None) -> dict[str, Any]:
    values = [row["metrics"][metric] for row in rows]
    x = Axis.of(values, LEFT, WIDTH - RIGHT, log=spans_decades(values))
    y = Axis.of([row["score"] for row in rows], HEIGHT - BOTTOM, TOP)
    placed = [(x(row["metrics"][metric]), y(row["score"]), row) for row in rows]
    front = [(px, py, row) for px, py, row in placed if row["on_front"]]
    # The line is the front of these two axes alone.
    steps: list[tuple[float, float]] = []
    highest = float("-inf")
    for row in sorted(rows, key=lambda row: (row["metrics"][metric], -row["score"])):
        if row["score"] > highest:
            highest = row["score"]
            steps.append((x(row["metrics"][metric]), y(highest)))
    shown = [(px, py, row) for px, py, row in placed if row["on_front"] or row["rank"] == 1]
    links = sorted(shown, key=lambda item: int(item[2]["rank"]))[:MOST_LINKS]
    best_x, best_y, best = placed[0]
    return {
        "name": metric,
        "title": title,
        "width": WIDTH,
        "height": HEIGHT,
        "frame": frame(WIDTH, HEIGHT),
        "log": x.log,
        "x_label": f"{title}{', log scale' if x.log else ''}",
        "y_label": "score",
        "x_ticks": [(x(tick), number(tick)) for tick in x.ticks()],
        "y_ticks": [(y(tick), number(tick)) for tick in y.ticks()],
        "dots": dots((px, py) for px, py, row in placed if not row["on_front"]),
        "front_dots": dots((px, py) for px, py, row in front),
        "line": SvgPath(f"{_staircase(steps)}H{WIDTH - RIGHT}"),
        "bands": [],
        "best": {"x": best_x, "y": best_y, "row": best},
        "knee": next(({"x": px, "y": py} for px, py, row in front if row["key"] == knee), None),
        "links": [{"x": px, "y": py, "row": row} for px, py, row in sorted(links, key=lambda item: item[0])],
        "points": [[px, py, row["index"]] for px, py, row in placed],
    }


def _histogram(metric: Mapping[str, Any], titles: Mapping[str, str]) -> dict[str, Any]:
    width, height, bottom = 330, 150, 34
    edges = metric["edges"]
    x = Axis(edges[0], edges[-1], 10, width - 10, metric["log"])
    highest = max(a + b for a, b in zip(metric["scored"], metric["others"], strict=True)) or 1
    y = Axis(0, highest, height - bottom, 26)
    floor = height - bottom
    columns = []
    for place, (scored, others) in enumerate(zip(metric["scored"], metric["others"], strict=True)):
        left, right = x(edges[place]), x(edges[place + 1])
        top, upper = y(scored), y(scored + others)
        columns.append(
            {
                "x": left,
                "width": round(max(right - left - 1, 0.5), 1),
                "scored_y": top,
                "scored_height": round(floor - top, 1),
                "others_y": upper,
                "others_height": round(top - upper, 1),
            }
        )
    return {
        "name": metric["name"],
        "title": titles.get(metric["name"], metric["name"]),
        "log": metric["log"],
        "width": width,
        "height": height,
        "floor": floor,
        "columns": columns,
        "scored": sum(metric["scored"]),
        "others": sum(metric["others"]),
        "ticks": [(x(tick), number(tick)) for tick in x.ticks()],
        "best": None if metric["best"] is None else x(metric["best"]),
        "bounds": [{"x": x(bound["bound"]), "text": bound["text"]} for bound in metric["bounds"]],
    }


def _bands(trials: Sequence[Mapping[str, Any]], x: Axis) -> list[dict[str, Any]]:
    first: dict[int, int] = {}
    for row in trials:
        first.setdefault(row["generation"], row["index"])
    starts = list(first.values())
    if not 1 < len(starts) <= MOST_BANDS:
        return []
    ends = [*starts[1:], trials[-1]["index"] + 1]
    return [
        {"x": x(start), "width": round(max(min(x(end), x.end) - x(start), 0), 1), "number": generation}
        for generation, start, end in zip(first, starts, ends, strict=True)
    ]


def frame(width: int, height: int) -> dict[str, int]:
    return {"left": LEFT, "right": width - RIGHT, "top": TOP, "bottom": height - BOTTOM}


def dots(points: Iterable[tuple[float, float]]) -> SvgPath:
    # A line of length 0 with a round cap is a dot, and takes a tenth of the bytes of a circle.
    return SvgPath("".join(f"M{x:g} {y:g}h0" for x, y in points))


def _staircase(points: Sequence[tuple[float, float]]) -> str:
    (x, y), *rest = points
    return f"M{x:g} {y:g}" + "".join(f"H{x:g}V{y:g}" for x, y in rest)
