"""The files of an evaluation: JSON, Markdown, CSV and an HTML page."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from denas_core.system.atomic import write_atomically, write_json

from .evaluate import Result
from .page import render_page
from .wording import cells, columns, counted, explanations, failed_in_words, of_target, verdict

JSON, MARKDOWN, CSV, NETWORKS, PAGE = "scores.json", "scores.md", "scores.csv", "networks.csv", "report.html"


def write_result(result: Result) -> None:
    """Write all files of an evaluation into its directory.

    Raises:
        StorageError: the file system refuses.
    """
    document = result.document
    write_json(result.out / JSON, document)
    write_atomically(result.out / MARKDOWN, as_markdown(document))
    write_atomically(result.out / CSV, as_csv(document))
    write_atomically(result.out / NETWORKS, networks_as_csv(result))
    write_atomically(result.out / PAGE, render_page(result))


def as_markdown(document: Mapping[str, Any]) -> str:
    """Return the tables of all targets as Markdown."""
    parts = [
        f"# How well scores predict {document['table']}",
        f"{document['networks']} networks of {document['space']['name']} in {document['rows']} rows, scored with "
        f"{counted(document['seeds'], 'seed')}.",
    ]
    for target in document["targets"]:
        rows = [columns(document), *(cells(entry) for entry in of_target(document, target))]
        lines = [_markdown_row(row) for row in rows]
        rule = "|" + "|".join(["---", *(["---:"] * (len(rows[0]) - 1))]) + "|"
        parts += [
            f"## {target}",
            " ".join(verdict(document, target)),
            "\n".join([lines[0], rule, *lines[1:]]),
        ]
    parts += ["## What the columns mean", "\n".join(f"- {line}" for line in explanations(document))]
    if failures := failed_in_words(document):
        parts += ["## Networks without a value", "\n".join(f"- {line}" for line in failures)]
    if document["notices"]:
        parts += ["## Notes", "\n".join(f"- {notice}" for notice in document["notices"])]
    return "\n\n".join(parts) + "\n"


def as_csv(document: Mapping[str, Any]) -> str:
    """Return a CSV file with a row for each score and target. The ends of intervals are columns of their own."""
    names = [name for name in document["scores"][0] if name != "kendall_each_seed"]
    header: list[str] = []
    for name in names:
        header += [f"{name}_low", f"{name}_high"] if name.endswith("_ci") else [name]
    rows = []
    for entry in document["scores"]:
        row: list[Any] = []
        for name in names:
            row += (entry[name] or [None, None]) if name.endswith("_ci") else [entry[name]]
        rows.append(row)
    return _csv([header, *rows])


def networks_as_csv(result: Result) -> str:
    """Return a CSV file with a row for each row of the table: network, targets, and value by score and seed.

    Better networks have larger values. A value is empty if the score failed.
    """
    place = {arch.key: number for number, arch in enumerate(result.table.architectures())}
    scored = [(one.label, seed, values) for one in result.values for seed, values in enumerate(one.by_seed)]
    header = ["architecture", "key", *result.table.targets]
    header += [
        label if any(one.label == label and one.is_count for one in result.values) else f"{label}:{seed}"
        for label, seed, _ in scored
    ]
    rows: list[list[Any]] = [header]
    for row in result.table.rows:
        values = [column[place[row.arch.key]] for _, _, column in scored]
        rows.append(
            [
                result.space.format(row.arch),
                row.arch.key,
                *row.targets.values(),
                *(float(value) if math.isfinite(value) else "" for value in values),
            ]
        )
    return _csv(rows)


def _markdown_row(row: Sequence[str]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|") for text in row) + " |"


def _csv(rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
