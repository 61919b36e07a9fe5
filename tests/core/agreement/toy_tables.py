"""Tables of stairs with an accuracy that is known."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from denas_toy.stairs import Stairs

from denas_core.agreement.evaluate import Request, Result, evaluate_scores
from denas_core.agreement.table import read_table
from denas_core.registry.registry import Registry

Rows = list[dict[str, Any]]


def stairs(count: int = 12) -> Rows:
    """Return distinct stairs with an accuracy that grows with their parameters, and one that falls."""
    space, rng = Stairs().named("toy/stairs"), random.Random(0)
    # Distinct sizes, so that nothing ties.
    by_size = {space.cost(arch)["params"]: arch for arch in (space.sample(rng) for _ in range(10 * count))}
    chosen = list(by_size.items())[:count]
    return [
        {"arch": space.format(arch), "acc": 50 + size / 10, "loss": 9 - size / 100} for size, arch in chosen
    ]


def write(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """Write rows as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def evaluate(table: Path, out: Path, *, targets: Sequence[str] = ("acc",), **changes: Any) -> Result:
    """Evaluate scores of stairs in this process."""
    given = {"scores": ["toy/height"], "baseline": "params", "seeds": 1, "device": "cpu", **changes}
    request = Request(space="toy/stairs", out=out, **given)
    return evaluate_scores(
        request, lambda space: read_table(table, space, targets=targets), registry=Registry.discover()
    )


def entry(result: Result, score: str, target: str = "acc") -> dict[str, Any]:
    """Return what was found of a score."""
    return next(one for one in result.document["scores"] if (one["score"], one["target"]) == (score, target))
