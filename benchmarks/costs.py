"""How long it takes to count the cost of a network, and to read its operators, in CPU time.

    python benchmarks/costs.py cv/vit asr/transformer bench/nasbench201

Random architectures of a space are counted in three ways: whole networks on the meta device, as `counted_cost` does;
`cost` of 1,000 architectures in a process that knows none of them, which is mostly the counting of pieces; and `cost`
of the same ones again. Then the operators of these architectures are read, as a prediction of latency does. The floor
is the second pass: what is left when every piece is known.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from comparing import markdown

from denas_core import Architecture, Registry, SearchSpace
from denas_core.latency.pieces import PieceReader

COLUMNS = [
    "space",
    "whole network, ms",
    "cost of the first 1,000, ms each",
    "again, ms",
    "pieces",
    "first 1,000 networks read, a second",
    "again, a second",
]


def milliseconds(call: Callable[[Architecture], object], archs: Sequence[Architecture]) -> float:
    """Return the CPU milliseconds of a call for each architecture."""
    start = time.process_time()
    for arch in archs:
        call(arch)
    return 1000 * (time.process_time() - start) / len(archs)


def row(make: Callable[[], SearchSpace], name: str, count: int, whole: int) -> list[str]:
    """Return the row of a space."""
    space = make()
    rng = random.Random(0)
    archs = [space.sample(rng) for _ in range(count)]
    # The first network of a process imports what builds it.
    space.counted_cost(archs[0])
    counted = milliseconds(space.counted_cost, archs[:whole])
    fresh = make()
    first, again = milliseconds(fresh.cost, archs), milliseconds(fresh.cost, archs)
    reader = PieceReader(make(), batch_size=1)
    read, read_again = milliseconds(reader.of_network, archs), milliseconds(reader.of_network, archs)
    pieces = {piece.key for arch in archs for piece in fresh.pieces(arch) if piece.count}
    numbers = [f"{counted:.1f}", f"{first:.3f}", f"{again:.3f}", str(len(pieces))]
    return [name, *numbers, f"{1000 / read:,.0f}", f"{1000 / read_again:,.0f}"]


def main() -> None:
    """Measure the spaces and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("spaces", nargs="+", metavar="SPACE")
    parser.add_argument(
        "--model", default="", help="checkpoint of the spaces that have an option of this name"
    )
    parser.add_argument("--count", type=int, default=1000, help="random architectures of a space")
    parser.add_argument("--whole", type=int, default=10, help="of these, how many whole networks are counted")
    given = parser.parse_args()
    registry = Registry.discover()
    rows: list[list[str]] = []
    for name in given.spaces:
        kind: Any = registry.load("space", name.partition(":")[0])
        has_model = any(field.name == "model" for field in dataclasses.fields(kind))
        options = {"model": given.model} if has_model and given.model else {}
        make = functools.partial(registry.create, "space", name, options)
        rows.append(row(make, name, given.count, given.whole))
        print(" | ".join(rows[-1]), flush=True)
    print(markdown(COLUMNS, rows))


if __name__ == "__main__":
    main()
