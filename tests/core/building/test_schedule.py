"""How the time of a build is shared."""

from __future__ import annotations

import pytest

from denas_core.building.schedule import Schedule


def test_what_a_step_leaves_goes_to_the_next_and_a_stop_costs_nothing_twice() -> None:
    fresh = Schedule(1000.0, reserve=100.0)
    assert fresh.left("search") == pytest.approx(250, abs=1)
    assert fresh.left("race") == pytest.approx(500, abs=1)
    assert fresh.left("training") == pytest.approx(900, abs=1)
    resumed = Schedule(1000.0, spent=510.0, reserve=100.0)
    assert resumed.left("race") == 0
    assert resumed.left("training") == pytest.approx(390, abs=1)
    assert resumed.until_end() == pytest.approx(490, abs=1)


def test_the_end_keeps_what_it_needs_if_that_is_more_than_its_share() -> None:
    assert Schedule(100.0, reserve=40.0).left("training") == pytest.approx(60, abs=1)
    assert Schedule(100.0, reserve=40.0).left("search") == pytest.approx(60 * 2.5 / 9, abs=1)
    assert Schedule(100.0, reserve=40.0).planned() == pytest.approx(
        {"search": 60 * 2.5 / 9, "race": 60 * 2.5 / 9, "training": 60 * 4 / 9, "end": 40.0}
    )


def test_the_training_gets_what_the_end_turns_out_not_to_need() -> None:
    # A build on a busy machine had spent 82 of 180 seconds, and a first guess kept 40 s for the end.
    schedule = Schedule(180.0, spent=82.0, reserve=40.0, prepared=10.0)
    assert schedule.left("training") == pytest.approx(58, abs=1)
    schedule.reserve = 15.0
    assert schedule.left("training") == pytest.approx(83, abs=1)
