"""Writing the report of a run: at the end of a search, and whenever someone asks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from denas_core.results.insight import FILE, Insight
from denas_core.runs.store import Store
from denas_core.setup.setup import Setup
from denas_core.system.atomic import write_atomically, write_json
from denas_core.text import described

from .gather import gather
from .page.html import render_html

REPORT = "report.html"


def report_search(run: Path, store: Store, setup: Setup, *, notices: Sequence[str] = ()) -> list[str]:
    """Write ``report.html`` of a search that has just ended, and what a later report needs of its objects.

    Returns:
        What the user should know: a line if it could not be written, whatever the cause.
    """
    try:
        trials = store.trials()
        insight = Insight.of(setup, trials)
        write_json(run / FILE, insight.as_dict())
        write_report(run / REPORT, gather(run, store, insight, trials=trials, notices=notices))
    except Exception as error:
        # The search's result is there already, and worth more than its picture.
        return [f"the report was not written: {described(error)}"]
    return []


def write_report(path: Path, document: dict[str, Any]) -> None:
    """Write a report as HTML.

    Raises:
        StorageError: the file system refuses.
    """
    write_atomically(path, render_html(document))
