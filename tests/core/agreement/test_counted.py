"""A table of trainings counts values beyond the worst of the metric as equal to it."""

from __future__ import annotations

import pytest

from denas_core.agreement.from_run import with_counted
from denas_core.agreement.table import AccuracyTable, Row
from denas_core.contracts.task import Metric
from denas_core.errors import ConfigError
from tests.core.conditional_space import Conditional, all_members

ERRORS = Metric(name="wer", direction="minimize", worst=1.0)


def table(*values: float) -> AccuracyTable:
    archs = list(all_members(Conditional()).values())
    rows = [
        Row(arch, "", "", {"wer": value, "loss": 2 * value})
        for arch, value in zip(archs, values, strict=False)
    ]
    return AccuracyTable("trained.csv", ("wer", "loss"), tuple(rows))


def test_errors_above_one_count_as_one() -> None:
    given = table(0.2, 1.0, 1.5, 3.0, *[0.5] * 8)
    counted = with_counted(given, ERRORS)
    assert [row.targets["wer"] for row in counted.rows][:5] == [0.2, 1.0, 1.0, 1.0, 0.5]
    assert [row.targets["loss"] for row in counted.rows] == [row.targets["loss"] for row in given.rows]


def test_networks_that_have_all_learned_nothing_give_no_ranking() -> None:
    with pytest.raises(ConfigError, match=r"'wer' is 1 in all 12 rows of trained\.csv"):
        with_counted(table(*[1 + place / 10 for place in range(12)]), ERRORS)


def test_other_targets_stay_as_they_are() -> None:
    given = table(*[1 + place / 10 for place in range(12)])
    assert with_counted(given, Metric(name="accuracy", worst=0.5)) is given
