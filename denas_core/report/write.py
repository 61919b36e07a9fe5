"""Write the report of a run, at the end of a search or later."""

from __future__ import annotations

import dataclasses
import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from denas_core.errors import DenasError
from denas_core.isolation.plugin_errors import plugin_errors
from denas_core.results.insight import Insight
from denas_core.runs.files import INSIGHT, REPORT, read_run
from denas_core.runs.store import Store
from denas_core.setup.setup import Setup
from denas_core.system.atomic import write_atomically, write_json
from denas_core.text import describe_error
from denas_core.values.trial import Trial

from .familiar import familiar_network
from .gather import gather
from .page.html import render_html
from .sections.drawing import draw


def report_search(
    run: Path, store: Store, setup: Setup, *, notices: Sequence[str] = (), is_finished: bool = True
) -> list[str]:
    """Write ``report.html`` of a search that has just ended, and ``insight.json`` for later reports.

    Args:
        run: The run directory.
        store: Its open store.
        setup: The objects of the search.
        notices: Further notices for the user.
        is_finished: Whether the search has ended by itself. Only then a familiar network is scored for comparison.

    Returns:
        Notices for the user: one line if the report could not be written, for any reason.
    """
    try:
        trials = store.trials()
        insight = insight_of(setup, trials)
        if is_finished:
            insight = dataclasses.replace(insight, familiar=familiar_network(setup, trials))
        write_json(run / INSIGHT, insight.as_dict())
        write_report(run / REPORT, gather(run, store, insight, trials=trials, notices=notices))
    except Exception as error:
        # The result of the search exists already, so a failure of the report must not end the command.
        return [f"the report was not written: {describe_error(error)}"]
    return []


def rewrite_report(run: Path) -> list[str]:
    """Write the report of a run again, with the training or the race that it has by now.

    Returns:
        Notices for the user: one line if the report could not be written.
    """
    try:
        with read_run(run) as store:
            write_report(run / REPORT, gather(run, store, Insight.read(run)))
    except Exception as error:
        # The networks are trained, so a failure of the report must not end the command.
        said = str(error) if isinstance(error, DenasError) else describe_error(error)
        return [
            f"the report was not written again: {said}; write it with: denas report {shlex.quote(str(run))}"
        ]
    return []


def insight_of(setup: Setup, trials: Sequence[Trial]) -> Insight:
    """Return the facts of a report that only the objects of a search can give."""
    ranked, values = setup.scoring.rank(trials)
    best = next((trial.arch for trial in ranked if trial.is_scored), None)
    notices: list[str] = []
    drawing = notation = size = None
    try:
        # If the space fails here, the report is written without the drawing.
        with plugin_errors(f"space {setup.space.id!r}"):
            size = str(setup.space.size())
            if best is not None:
                notation = str(setup.space.format(best))
                drawing = draw(setup.space, best)
    except DenasError as error:
        notices.append(f"the network is not drawn: {error}")
    components = setup.scoring.components
    return Insight(
        values={key: value if math.isfinite(value) else None for key, value in values.items()},
        weights=dict(setup.scoring.weights),
        directions={
            name: components[name].direction if name in components else "minimize"
            for name in setup.scoring.weights
        },
        is_relative=setup.scoring.is_relative,
        uses_sample=setup.scoring.uses_sample,
        constraints=[
            {"text": str(c), "metric": c.metric, "upper": c.upper, "bound": c.bound}
            for c in setup.problem.constraints
        ],
        ranges={name: list(ends) for name, ends in setup.ranges.items()},
        objectives=[objective.text(setup.metrics) for objective in setup.objectives],
        drawing=drawing,
        notation=notation,
        size=size,
        notices=notices,
        metrics=[metric.as_dict() for metric in setup.metrics.declared],
    )


def write_report(path: Path, document: dict[str, Any]) -> None:
    """Write a report as HTML.

    Raises:
        StorageError: the file system refuses.
    """
    write_atomically(path, render_html(document))
