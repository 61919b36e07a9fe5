"""The rows of a store: how trials are stored, and how a digest in each row shows that the row is unchanged."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from denas_core.seeding import canonical_json, digest
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation, Trial

APPLICATION_ID = 0x44454E41
SCHEMA_VERSION = 2

TABLES = {
    "meta": "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, digest TEXT NOT NULL) STRICT",
    "trial": """CREATE TABLE trial (
    idx INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,
    key TEXT NOT NULL UNIQUE,
    arch TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('scored', 'cut', 'infeasible', 'failed')),
    reason TEXT NOT NULL CHECK ((state = 'scored') = (reason = '')),
    components TEXT NOT NULL,
    metrics TEXT NOT NULL,
    violation REAL NOT NULL CHECK (violation BETWEEN 0 AND 1e308),
    latency TEXT,
    seconds TEXT NOT NULL,
    digest TEXT NOT NULL
) STRICT""",
    "component": """CREATE TABLE component (
    idx INTEGER NOT NULL REFERENCES trial (idx),
    name TEXT NOT NULL,
    value REAL NOT NULL CHECK (value BETWEEN -1e308 AND 1e308),
    seconds REAL NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (idx, name)
) STRICT, WITHOUT ROWID""",
}
"""The SQL statement of each table, exactly as SQLite stores it."""

TABLES_BY_VERSION = {
    # There were no cut trials. All else is the same, so that such a store is read and written as it is.
    1: {name: statement.replace("'cut', ", "") for name, statement in TABLES.items()},
    SCHEMA_VERSION: TABLES,
}

_TRIAL = (
    *("idx", "generation", "key", "arch", "state", "reason"),
    *("components", "metrics", "violation", "latency", "seconds"),
)

Row = tuple[Any, ...]


def meta_row(key: str, value: str) -> Row:
    """Return the row of a fact about the run."""
    return (key, value, digest([key, value], size=8))


def component_row(index: int, name: str, value: float, seconds: float) -> Row:
    """Return the row of one component of a trial."""
    # SQLite does not store negative zero. Adding zero makes it positive before the digest is computed.
    row = [index, name, float(value) + 0.0, float(seconds)]
    return (*row, digest(row, size=8))


def trial_row(trial: Trial) -> Row:
    """Return the row of a trial. Its components have rows in another table."""
    result = trial.evaluation
    row = {
        "idx": trial.index,
        "generation": trial.generation,
        "key": trial.arch.key,
        "arch": canonical_json([trial.arch.space, list(trial.arch.as_dict().items())]),
        "state": result.state,
        "reason": result.reason,
        "components": canonical_json(list(result.components)),
        "metrics": canonical_json(list(result.metrics.items())),
        "violation": float(result.violation),
        "latency": None if result.latency is None else canonical_json(dict(result.latency)),
        "seconds": canonical_json(list(result.seconds.items())),
    }
    return (*row.values(), digest(row, size=8))


def is_intact(table: str, row: Row) -> bool:
    """Return whether a row of `table` is unchanged since it was written."""
    if len(row) != (len(_TRIAL) + 1 if table == "trial" else {"meta": 3, "component": 5}[table]):
        return False
    content: Any = dict(zip(_TRIAL, row, strict=False)) if table == "trial" else list(row[:-1])
    try:
        return bool(digest(content, size=8) == row[-1])
    except (TypeError, ValueError):  # a type that is never written
        return False


def component_names(row: Row) -> set[str]:
    """Return the names of the components of a trial, given its row."""
    return set(json.loads(row[_TRIAL.index("components")]))


def trial_seconds(row: Row) -> float:
    """Return the seconds that a trial took, given its row."""
    return float(sum(dict(json.loads(row[_TRIAL.index("seconds")])).values()))


def as_trial(row: Sequence[Any], components: Mapping[str, float]) -> Trial:
    """Return the trial of an intact row."""
    content = dict(zip(_TRIAL, row, strict=False))
    space, values = json.loads(content["arch"])
    return Trial(
        index=content["idx"],
        generation=content["generation"],
        arch=Architecture(space, dict(values), content["key"]),
        evaluation=Evaluation(
            state=content["state"],
            reason=content["reason"],
            components=components,
            metrics=dict(json.loads(content["metrics"])),
            violation=content["violation"],
            latency=None if content["latency"] is None else json.loads(content["latency"]),
            seconds=dict(json.loads(content["seconds"])),
        ),
    )


def as_trials(rows: Sequence[Row], components: Iterable[Row]) -> list[Trial]:
    """Return the trials of intact rows, given the intact rows of their components."""
    values: dict[int, dict[str, float]] = {}
    for index, name, value, *_ in components:
        values.setdefault(index, {})[name] = value
    return [as_trial(row, values.get(row[0], {})) for row in rows]
