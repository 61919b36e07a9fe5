"""The record of a race: who takes part, what their trainings have come to, and who won. It is the file of the race."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from denas_core.contracts.space import SearchSpace
from denas_core.contracts.task import Metric
from denas_core.errors import StoreDamaged
from denas_core.runs.files import RACE_RECORD
from denas_core.runs.races import SCHEMA
from denas_core.seeding import canonical_json
from denas_core.system.atomic import storage_errors, write_json
from denas_core.values.trial import Evaluation

from .entrants import Entrant, describe


@dataclasses.dataclass(slots=True, kw_only=True)
class Racer:
    """An entrant and its trainings.

    Attributes:
        entrant: The entrant.
        trainings: What each training has come to, by its epochs.
    """

    entrant: Entrant
    trainings: dict[int, Evaluation] = dataclasses.field(default_factory=dict)

    @property
    def key(self) -> str:
        """The key of its architecture."""
        return self.entrant.arch.key

    def describe(self) -> str:
        """Return how sentences name it, such as ``finalist 3``."""
        return describe(self.entrant.kinds, self.entrant.rank)

    def metrics(self, epochs: int) -> Mapping[str, float] | None:
        """Return the metrics of its training of so many epochs; None if there is none that has ended well."""
        found = self.trainings.get(epochs)
        return None if found is None or found.state != "scored" else found.metrics

    def failure(self) -> str:
        """Return why its training failed; empty if none failed."""
        return next((one.reason for one in self.trainings.values() if one.state != "scored"), "")


@dataclasses.dataclass(slots=True, kw_only=True)
class RaceRecord:
    """A race.

    Attributes:
        run: The run whose finalists take part.
        top: Number of finalists that the user asked for.
        also: The other networks that the user asked for.
        task: Id of the task.
        metric: The metric that decides.
        data: The data set.
        samples: Number of samples to train on, and to measure on, as ``train`` and ``valid``.
        rungs: Epochs of the trainings of each rung.
        racers: The networks that take part.
        resolution: The smallest difference that the samples can show in the worst case; None if it is not known.
        notices: What the user should know before work begins.
        result: What `conclude` has found; None while trainings are left.
    """

    run: str
    top: int
    also: Sequence[str]
    task: str
    metric: Metric
    data: str
    samples: Mapping[str, int]
    rungs: tuple[int, ...]
    racers: Sequence[Racer]
    resolution: float | None
    notices: Sequence[str] = ()
    result: Mapping[str, Any] | None = None

    def kinds(self) -> dict[str, tuple[str, ...]]:
        """Return the kinds of each network by its key."""
        return {racer.key: racer.entrant.kinds for racer in self.racers}

    def results(self, epochs: int) -> dict[str, Mapping[str, float]]:
        """Return the metrics of the trainings of so many epochs that have ended well, by key."""
        found = ((racer.key, racer.metrics(epochs)) for racer in self.racers)
        return {key: metrics for key, metrics in found if metrics is not None}

    def racer(self, key: str) -> Racer:
        """Return the network with a key."""
        return next(racer for racer in self.racers if racer.key == key)

    def as_dict(self) -> dict[str, Any]:
        """Return the record as JSON can represent it."""
        return {
            "schema": SCHEMA,
            "run": self.run,
            "top": self.top,
            "also": list(self.also),
            "task": self.task,
            "metric": dataclasses.asdict(self.metric),
            "data": self.data,
            "samples": dict(self.samples),
            "rungs": list(self.rungs),
            "resolution": self.resolution,
            "entrants": [_describe(racer) for racer in self.racers],
            "notices": list(self.notices),
            "result": None if self.result is None else dict(self.result),
        }

    def write(self, run: Path) -> None:
        """Write the record into the folder of the race.

        Raises:
            StorageError: the file system refuses.
        """
        write_json(run / RACE_RECORD, self.as_dict())


def read_record(run: Path, space: SearchSpace) -> RaceRecord:
    """Return the record of a race that has begun.

    Args:
        run: The run directory.
        space: The space of the run.

    Raises:
        StoreDamaged, StorageError: it cannot be read.
    """
    path = run / RACE_RECORD
    with storage_errors(path):
        text = path.read_text(encoding="utf-8")
    try:
        document = json.loads(text)
        if document["schema"] != SCHEMA:
            raise ValueError(f"it has the format {document['schema']!r} and not {SCHEMA!r}")
        return RaceRecord(
            run=document["run"],
            top=document["top"],
            also=document["also"],
            task=document["task"],
            metric=Metric(**document["metric"]),
            data=document["data"],
            samples=document["samples"],
            rungs=tuple(document["rungs"]),
            racers=[_read(row, space, path) for row in document["entrants"]],
            resolution=document["resolution"],
            notices=document["notices"],
            result=document["result"],
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreDamaged(
            f"{str(path)!r} is damaged: {error!r}; remove {str(path.parent)!r}, and begin the race again"
        ) from error


def _describe(racer: Racer) -> dict[str, Any]:
    entrant = racer.entrant
    return {
        "key": racer.key,
        "arch": entrant.arch.as_dict(),
        "kinds": list(entrant.kinds),
        "rank": entrant.rank,
        "metrics": dict(entrant.metrics),
        "name": entrant.name,
        "trainings": [
            {
                "epochs": epochs,
                "state": one.state,
                "reason": one.reason,
                "metrics": dict(one.metrics),
                "seconds": one.seconds.get("training"),
            }
            for epochs, one in sorted(racer.trainings.items())
        ],
        "failure": racer.failure(),
    }


def _read(row: Mapping[str, Any], space: SearchSpace, path: Path) -> Racer:
    entrant = Entrant(
        arch=space.parse(canonical_json(row["arch"]), origin=str(path)),
        kinds=tuple(row["kinds"]),
        rank=row["rank"],
        metrics=row["metrics"],
        # Earlier versions had no familiar networks.
        name=row.get("name", ""),
    )
    trainings = {
        one["epochs"]: Evaluation(
            state=one["state"],
            reason=one["reason"],
            metrics=one["metrics"],
            seconds={} if one["seconds"] is None else {"training": one["seconds"]},
        )
        for one in row["trainings"]
    }
    return Racer(entrant=entrant, trainings=trainings)
