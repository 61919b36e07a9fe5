"""An executor whose results come out of order, as from many workers."""

import dataclasses
import random
from pathlib import Path

from denas_core import Executor, option

from .gate import wait_at


@dataclasses.dataclass(kw_only=True)
class Shuffled(Executor):
    """Takes as much work as it has workers and returns the results in a random order."""

    workers: int = option(4, "Evaluations in flight", at_least=1)
    order: int = option(0, "Seed of the order")
    gate: str = option("", "File that says after how many trials work waits while it is there")

    in_flight = 0

    @property
    def slots(self):
        return self.workers

    def run(self, evaluate, work):
        rng = random.Random(self.order)
        flight = []
        for index, arch in work:
            if self.gate:
                wait_at(Path(self.gate))
            flight.append((index, evaluate(arch)))
            Shuffled.in_flight = len(flight)
            if len(flight) == self.workers:
                yield flight.pop(rng.randrange(len(flight)))
        rng.shuffle(flight)
        Shuffled.in_flight = 0
        yield from flight
