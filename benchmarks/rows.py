"""Tables of results that grow by a row at a time, so that a script goes on where it stopped."""

from __future__ import annotations

import csv
import json
import resource
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def rows_of(table: Path) -> list[dict[str, str]]:
    """Return the rows of a table; none if there is no table yet."""
    if not table.is_file():
        return []
    with table.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def add_row(table: Path, columns: Sequence[str], row: Mapping[str, Any]) -> None:
    """Add a row to a table and print it."""
    is_new = not table.is_file()
    with table.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        if is_new:
            writer.writeheader()
        writer.writerow(row)
    print(json.dumps(dict(row)), flush=True)


def cpu_seconds() -> float:
    """Return the CPU time of this process and of the processes that it started."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )
