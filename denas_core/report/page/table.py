"""The trials as a CSV table. A spreadsheet does not take any of its texts as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render_csv(document: Mapping[str, Any]) -> str:
    """Return a CSV file with a row for each trial.

    If a spreadsheet would take a text as a formula, the text gets an apostrophe before it. Numbers do not.
    """
    trials = document["trials"]
    groups = {
        group: sorted({name for row in trials for name in row[group]})
        for group in ("components", "metrics", "arch")
    }
    columns = ["index", "generation", "key", "state", "rank", "score", "on_front"]
    columns += [*groups["components"], *groups["metrics"], "latency_low", "latency_high", "latency_verdict"]
    # What was predicted of networks that were measured later. A verdict "predicted" says that nothing was measured.
    foreseen = sorted({name for row in trials for name in row.get("predicted", {})})
    columns += [f"predicted_{name}" for name in foreseen]
    columns += ["seconds", *groups["arch"], "reason"]
    file = io.StringIO(newline="")
    # Rows end with CR LF as in RFC 4180. With LF alone, the writer would not quote a carriage return.
    writer = csv.writer(file)
    writer.writerow([_cell(column) for column in columns])
    for row in trials:
        latency = row["latency"] or {}
        cells: list[Any] = [
            *(row[name] for name in ("index", "generation", "key", "state", "rank", "score", "on_front")),
            *(row["components"].get(name) for name in groups["components"]),
            *(row["metrics"].get(name) for name in groups["metrics"]),
            *(latency.get(name) for name in ("low", "high", "verdict")),
            *(row.get("predicted", {}).get(name) for name in foreseen),
            row["total_seconds"],
            *(row["arch"].get(name) for name in groups["arch"]),
            row["reason"],
        ]
        writer.writerow([_cell(cell) for cell in cells])
    return file.getvalue()


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    # Some readers take a null byte as the end of the file.
    text = value.replace("\0", "␀")
    return f"'{text}" if text.startswith(_FORMULA) else text
