"""The table of the networks of a run that were trained: a CSV file that ``--table`` can read too."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.errors import NoResult
from denas_core.racing.searched_run import SearchedRun
from denas_core.system.atomic import storage_errors, write_atomically
from denas_core.values.trial import Evaluation, Trial

from .table import FEWEST_ROWS

TRAINED = "trained.csv"
"""Name of the table in the directory of an evaluation."""


def write_trained_table(
    path: Path, run: SearchedRun, chosen: Sequence[Trial], trained: Mapping[str, Evaluation]
) -> None:
    """Write a row for each network that was trained.

    Args:
        path: The file.
        run: The run of the networks.
        chosen: The trials that were to be trained.
        trained: What has come of each training, by key of the architecture.

    Raises:
        NoResult: fewer than 10 networks could be trained.
        StorageError: the file system refuses.
    """
    rows = [
        _row(run, trial, trained[trial.arch.key])
        for trial in chosen
        if trained[trial.arch.key].state == "scored"
    ]
    if len(rows) < FEWEST_ROWS:
        failure = next(iter(describe_failed(chosen, trained)), "")
        raise NoResult(
            f"{len(rows)} of {len(chosen)} networks could be trained, and a correlation needs at least {FEWEST_ROWS}; "
            f"the trainings are kept{f'; {failure}' if failure else ''}"
        )
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.getvalue())


def describe_failed(chosen: Sequence[Trial], trained: Mapping[str, Evaluation]) -> list[str]:
    """Return one line about the trainings that failed, with the reason of the first; empty if none did."""
    failed = [trial for trial in chosen if trained[trial.arch.key].state != "scored"]
    if not failed:
        return []
    first = failed[0].arch.key
    return [
        f"{len(failed)} of {len(chosen)} trainings failed; the first is that of {first[:12]}: {trained[first].reason}"
    ]


def _row(run: SearchedRun, trial: Trial, result: Evaluation) -> dict[str, Any]:
    metrics = trial.evaluation.metrics
    return {
        "arch": json.dumps(trial.arch.as_dict()),
        "key": trial.arch.key,
        "params": metrics["params"],
        "flops": metrics["flops"],
        "score": f"{run.values[trial.arch.key]:.6g}",
        **{name: f"{value:.6g}" for name, value in result.metrics.items()},
        "seconds": f"{result.seconds['training']:.1f}",
    }
