"""Who won, and by how much: sentences for people."""

from __future__ import annotations

from typing import Any

import pytest

from denas_core.contracts.task import Metric
from denas_core.racing.entrants import Entrant, Kind
from denas_core.racing.record import Racer, RaceRecord
from denas_core.racing.verdict import conclude
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation

ACCURACY = Metric(name="accuracy", is_share=True)


def make_record(metric: Metric, *racers: tuple[tuple[Kind, ...], int | None, float, float]) -> RaceRecord:
    """Return a race of one rung, each network with its kinds, its rank, its metric and its loss."""
    return RaceRecord(
        run="run",
        top=2,
        also=[],
        task="x/task",
        metric=metric,
        data="data",
        samples={"train": 2000, "valid": 500},
        rungs=(9,),
        racers=[
            Racer(
                entrant=Entrant(
                    arch=Architecture("x/y", {"width": place}, f"{place}" * 32),
                    kinds=kinds,
                    rank=rank,
                    metrics={},
                ),
                trainings={9: Evaluation(state="scored", metrics={metric.name: value, "loss": loss})},
            )
            for place, (kinds, rank, value, loss) in enumerate(racers, start=1)
        ],
        resolution=None,
    )


def test_the_winner_is_compared_with_the_best_of_each_other_kind() -> None:
    result = conclude(
        make_record(
            ACCURACY,
            (("finalist",), 1, 0.70, 1.0),
            (("finalist",), 2, 0.80, 1.0),
            (("random",), 7, 0.60, 1.0),
            (("random",), 9, 0.65, 1.0),
            (("largest",), None, 0.78, 1.0),
        )
    )
    assert result["sentence"] == (
        "Finalist 2 (222222222222) won with accuracy 0.8 after 9 epochs, 15.0 points better than the best random "
        "network (0.65), and 2.0 points better than the largest network (0.78), which may be chance. 500 samples tell "
        "apart networks that differ by more than 5.5 points."
    )
    assert [one["verdict"] for one in result["comparisons"]] == ["better", "cannot be told apart"]
    assert result["best"] == {"finalist": "2" * 32, "random": "4" * 32, "largest": "5" * 32}


def test_a_race_of_finalists_alone_compares_the_first_two() -> None:
    result = conclude(make_record(ACCURACY, (("finalist",), 1, 0.5, 1.0), (("finalist",), 2, 0.9, 1.0)))
    assert result["sentence"] == (
        "Finalist 2 (222222222222) won with accuracy 0.9 after 9 epochs, 40.0 points better than the second best (0.5)."
    )


def test_an_error_rate_is_better_by_how_much_it_is_smaller() -> None:
    metric = Metric(name="wer", direction="minimize", worst=1.0, is_share=True)
    result = conclude(make_record(metric, (("finalist",), 1, 0.4, 1.0), (("random",), 5, 0.6, 1.0)))
    assert result["comparisons"][0]["lead"] == pytest.approx(0.2)
    assert "20.0 points better than the best random network (0.6)" in result["sentence"]


def test_a_metric_that_is_no_share_has_a_lead_and_no_verdict() -> None:
    result = conclude(
        make_record(Metric(name="pearson"), (("finalist",), 1, 0.512, 1.0), (("random",), 5, 0.5, 1.0))
    )
    assert result["comparisons"][0]["verdict"] == "unknown"
    assert result["sentence"].endswith("0.012 better than the best random network (0.5).")


def test_networks_that_have_all_learned_the_same_are_not_called_winners() -> None:
    rows: list[Any] = [(("finalist",), 1, 0.5, 0.8), (("finalist",), 2, 0.5, 0.7), (("random",), 5, 0.5, 0.9)]
    result = conclude(make_record(ACCURACY, *rows))
    assert result["winner"] == "2" * 32
    assert result["sentence"] == (
        "Nothing tells the networks of the last rung apart: all have accuracy 0.5 after 9 epochs. Finalist 2 "
        "(222222222222) is kept, because no other one has a smaller loss; more epochs may show a difference."
    )


def test_a_network_that_is_alone_has_no_comparison() -> None:
    result = conclude(make_record(ACCURACY, (("finalist", "random"), 1, 0.5, 0.8)))
    assert result["comparisons"] == []
    assert (
        result["sentence"]
        == "Finalist 1, also a random network (111111111111), won with accuracy 0.5 after 9 epochs."
    )
