"""The result of a race, as Python gets it: who won, and what every network has come to."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from denas_core.results.race import summarise_race
from denas_core.runs.report_page import Report
from denas_core.text import number, quantity
from denas_core.values.html import paragraphs_html, table_html

if TYPE_CHECKING:
    from denas_core.models.predictor import Predictor
    from denas_core.training.result import TrainingResult

KEY_DIGITS = 12


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RaceResult:
    """The result of a race of finalists that has ended.

    Attributes:
        path: The run, which has the training of the winner.
        document: The record of the race, as ``denas train --top --json`` prints it.
        training: The training of the winner.
        notices: What the user should know.
    """

    path: Path
    document: Mapping[str, Any]
    training: TrainingResult | None = None
    notices: Sequence[str] = ()

    @property
    def winner(self) -> str:
        """Key of the network that won."""
        return str(self.document["result"]["winner"])

    @property
    def metric(self) -> str:
        """Name of the metric that decided."""
        return str(self.document["metric"]["name"])

    @property
    def value(self) -> float:
        """Value of this metric for the winner."""
        return float(self.document["result"]["value"])

    @property
    def metrics(self) -> Mapping[str, float]:
        """All metrics of the winner."""
        found: Mapping[str, float] = self.document["result"]["metrics"]
        return found

    @property
    def samples(self) -> int:
        """Number of samples that the metrics were measured on."""
        return int(self.document["samples"]["valid"])

    @property
    def sentence(self) -> str:
        """Who won, by how much, and whether that may be chance."""
        return str(self.document["result"]["sentence"])

    @property
    def rows(self) -> Sequence[Mapping[str, Any]]:
        """A row for each network, the winner first, see `summarise_race`."""
        found: Sequence[Mapping[str, Any]] = summarise_race(self.document)["rows"]
        return found

    def predictor(self, **options: Any) -> Predictor:
        """Return the winner as a `Predictor`; the options are those of `Predictor.load`."""
        from denas_core.models.predictor import Predictor

        return Predictor.load(self.path, **options)

    def report(self) -> Report:
        """Return the report of the run, which a notebook shows."""
        return Report.of_run(self.path)

    def _repr_html_(self) -> str:
        race = summarise_race(self.document)
        headings = [
            "network",
            "key",
            *race["metrics"],
            *(f"{self.metric}, {one} ep." for one in race["rungs"]),
        ]
        rows = [
            [
                row["name"],
                row["key"][:KEY_DIGITS],
                *(
                    quantity(row["metrics"][name]) if name in row["metrics"] else ""
                    for name in race["metrics"]
                ),
                *("" if value is None else number(value) for value in row["values"]),
            ]
            for row in race["rows"]
        ]
        said = [self.sentence, f"{self.samples} samples; run: {self.path}"]
        return table_html(headings, rows) + paragraphs_html(said)
