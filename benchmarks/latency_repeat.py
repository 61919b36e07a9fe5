"""Whether the latency of a network is the same when it is measured again, whatever else runs on the machine.

Random networks of each space are measured several times, some minutes apart, with different numbers of busy
neighbours: processes that do nothing but work, half of them with convolutions, half of them copying memory. What the
machine does anyway counts as well, so `0` neighbours means a quiet machine only if nothing else runs. The load average
is written down.

The table has a row for each number of neighbours, of pairs of measurements of one network with this number of
neighbours in both, and a row of pairs with any numbers:

- `overlap`: share of pairs whose 95 % intervals overlap, also of those that are both *stable*
- `tau`: Kendall's tau between two measurements of all networks of a space, the smallest of any two; pairs of networks
  that differ by less than 3 % in one of the two are left out, because they count as ties
- `deviation`: median relative difference within a pair
- `unstable`: share of the measurements that are *unstable*
- `said`: of the pairs that differ by more than 3 %, the share in which at least one measurement is *unstable*

Each measurement is a line of the file, and those that are there are not repeated. With `--limit`, the script ends after
so many seconds and says what is left, so that it can be run in slices.

Usage: python benchmarks/latency_repeat.py --file repeat.jsonl --space cv/cnn --space cv/vit:micro [--limit 600]
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import math
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

TIE = 0.03
NEIGHBOURS = (
    "import torch; torch.set_num_threads(1); layer = torch.nn.Conv2d(64, 64, 3, padding=1)\n"
    "images = torch.randn(8, 64, 56, 56)\n"
    "with torch.inference_mode():\n    while True: layer(images)",
    "import torch; torch.set_num_threads(1); here = torch.randn(4096, 1024); there = torch.empty_like(here)\n"
    "while True: there.copy_(here)",
)
SECONDS_TO_START = 8.0


@dataclass(frozen=True)
class Measurement:
    """One latency, as it is written to the file."""

    space: str
    network: str
    neighbours: int
    run: int
    moment: float
    load: float
    median: float
    low: float
    high: float
    verdict: str
    reason: str
    rounds: int
    dropped: int
    seconds: float

    @property
    def place(self) -> tuple[str, str, int, int]:
        """What identifies it."""
        return self.space, self.network, self.neighbours, self.run


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--file", type=Path, required=True, help="measurements, one a line")
    parser.add_argument("--space", action="append", default=[], help="id of a space; may be repeated")
    parser.add_argument("--networks", type=int, default=20, help="networks of each space")
    parser.add_argument(
        "--neighbours", type=int, nargs="+", default=[0, 1, 2, 4], help="numbers of busy processes"
    )
    parser.add_argument("--runs", type=int, default=3, help="measurements of each network for each number")
    parser.add_argument(
        "--apart", type=float, default=30.0, help="minutes between two measurements of a network"
    )
    parser.add_argument("--probe", default="builtin/wall-clock", help="id of the probe")
    parser.add_argument(
        "--set", action="append", default=[], help="option of the probe, KEY=JSON; may be repeated"
    )
    parser.add_argument("--limit", type=float, default=math.inf, help="seconds after which this slice ends")
    parser.add_argument("--table", action="store_true", help="measure nothing, print the table of the file")
    arguments = parser.parse_args()
    # Neighbours are ended also when this process is told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if not arguments.table:
        measure(arguments, time.monotonic() + arguments.limit)
    print_table(list(read(arguments.file)))


def measure(arguments: argparse.Namespace, deadline: float) -> None:
    """Add what is missing to the file, until the deadline."""
    from denas_core.registry.registry import Registry

    options = {key: json.loads(value) for key, _, value in (text.partition("=") for text in arguments.set)}
    probe = Registry.discover().create("probe", arguments.probe, options)
    spaces = {name: networks_of(name, arguments.networks) for name in arguments.space}
    for run, neighbours in itertools.product(range(arguments.runs), arguments.neighbours):
        done = {found.place: found for found in read(arguments.file)}
        missing = [
            (name, key)
            for name, (_, networks) in spaces.items()
            for key in networks
            if (name, key, neighbours, run) not in done
        ]
        if not missing:
            continue
        before = [
            found.moment for found in done.values() if (found.neighbours, found.run) == (neighbours, run - 1)
        ]
        wait = max(before, default=0.0) + arguments.apart * 60 - time.time()
        if time.monotonic() + max(wait, 0) + SECONDS_TO_START > deadline:
            print(
                f"run {run} with {neighbours} neighbours waits; run this again in {max(wait, 0) / 60:.0f} minutes"
            )
            return
        time.sleep(max(wait, 0))
        with busy(neighbours):
            for name, key in missing:
                if time.monotonic() > deadline:
                    print(f"this slice is over in run {run} with {neighbours} neighbours; run this again")
                    return
                space, networks = spaces[name]
                start = time.monotonic()
                call = probe.prepare(space, networks[key], seed=0, device="cpu")
                latency = probe.time(call, probe.prepare_reference(space, seed=0, device="cpu"))
                found = Measurement(
                    name, key, neighbours, run, time.time(), os.getloadavg()[0], latency.median, latency.low,
                    latency.high, latency.verdict, latency.reason, latency.rounds, latency.dropped,
                    time.monotonic() - start,
                )  # fmt: skip
                with arguments.file.open("a") as file:
                    file.write(json.dumps(asdict(found)) + "\n")


def networks_of(name: str, count: int) -> tuple[Any, dict[str, Any]]:
    """Return a space, and as many different random networks of it by key, the same each time."""
    from denas_core.registry.registry import Registry

    space = Registry.discover().create("space", name, {})
    rng = random.Random(0)
    networks: dict[str, Any] = {}
    while len(networks) < count:
        arch = space.sample(rng)
        networks[arch.key] = arch
    return space, networks


@contextlib.contextmanager
def busy(neighbours: int) -> Iterator[None]:
    """Have so many busy processes while the body runs. Each is its own session, as those of other users are."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    programs = [NEIGHBOURS[number % len(NEIGHBOURS)] for number in range(neighbours)]
    processes = [
        subprocess.Popen([sys.executable, "-c", program], env=environment, start_new_session=True)
        for program in programs
    ]
    try:
        if processes:
            time.sleep(SECONDS_TO_START)
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def read(file: Path) -> Iterator[Measurement]:
    """Yield the measurements of a file; a line that a killed process left half written is left out."""
    for line in file.read_text().splitlines() if file.exists() else []:
        with contextlib.suppress(ValueError, TypeError):
            yield Measurement(**json.loads(line))


def print_table(found: Sequence[Measurement]) -> None:
    """Print how well measurements of the same networks agree."""
    print(
        "| space | neighbours | pairs | overlap | overlap, both stable | tau | deviation | unstable | said |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for space in sorted({one.space for one in found}):
        of_space = [one for one in found if one.space == space]
        for neighbours in [*sorted({one.neighbours for one in of_space}), None]:
            chosen = [one for one in of_space if neighbours in (None, one.neighbours)]
            label = "any" if neighbours is None else str(neighbours)
            print(f"| `{space}` | {label} | " + " | ".join(row(chosen)) + " |")


def row(found: Sequence[Measurement]) -> list[str]:
    """Return the cells of a row."""
    pairs = [(one, other) for one, other in itertools.combinations(found, 2) if one.network == other.network]
    stable = [pair for pair in pairs if {one.verdict for one in pair} == {"stable"}]
    different = [pair for pair in pairs if deviation(*pair) > TIE]
    said = [pair for pair in different if "unstable" in {one.verdict for one in pair}]
    unstable = [one for one in found if one.verdict == "unstable"]
    runs: dict[tuple[int, int], dict[str, float]] = {}
    for one in found:
        runs.setdefault((one.neighbours, one.run), {})[one.network] = one.median
    taus = [
        tau
        for one, other in itertools.combinations(runs.values(), 2)
        if (tau := kendall(one, other)) is not None
    ]
    return [
        str(len(pairs)),
        share(sum(overlaps(*pair) for pair in pairs), len(pairs)),
        f"{share(sum(overlaps(*pair) for pair in stable), len(stable))} of {len(stable)}",
        f"{min(taus):.2f}" if taus else "-",
        f"{statistics.median(deviation(*pair) for pair in pairs):.1%}" if pairs else "-",
        share(len(unstable), len(found)),
        f"{share(len(said), len(different))} of {len(different)}",
    ]


def share(part: int, whole: int) -> str:
    """Return a percentage; - of nothing."""
    return f"{part / whole:.0%}" if whole else "-"


def overlaps(one: Measurement, other: Measurement) -> bool:
    """Return whether two intervals have a point in common."""
    return one.low <= other.high and other.low <= one.high


def deviation(one: Measurement, other: Measurement) -> float:
    """Return the difference of two measurements, relative to their mean."""
    return 2 * abs(one.median - other.median) / (one.median + other.median)


def kendall(one: dict[str, float], other: dict[str, float]) -> float | None:
    """Return Kendall's tau over the pairs of networks that differ by 3 % in both runs; None if there are none."""
    signs = [
        math.copysign(1, math.log(one[a] / one[b]) * math.log(other[a] / other[b]))
        for a, b in itertools.combinations(sorted(one.keys() & other.keys()), 2)
        if abs(math.log(one[a] / one[b])) >= TIE and abs(math.log(other[a] / other[b])) >= TIE
    ]
    return statistics.fmean(signs) if signs else None


if __name__ == "__main__":
    main()
