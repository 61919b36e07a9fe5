"""How the time of a build is shared."""

from __future__ import annotations

import pytest

from denas_core.building.schedule import Schedule


def test_what_a_step_leaves_goes_to_the_next_and_a_stop_costs_nothing_twice() -> None:
    fresh = Schedule(1000.0)
    assert fresh.left("search") == pytest.approx(250, abs=1)
    assert fresh.left("race") == pytest.approx(500, abs=1)
    assert fresh.left("training") == pytest.approx(900, abs=1)
    resumed = Schedule(1000.0, spent=510.0)
    assert resumed.left("race") == 0
    assert resumed.left("training") == pytest.approx(390, abs=1)
    assert resumed.until_end() == pytest.approx(490, abs=1)


def test_the_end_keeps_what_it_needs_if_that_is_more_than_its_share() -> None:
    assert Schedule(100.0, reserve=40.0).left("training") == pytest.approx(60, abs=1)
    assert Schedule(100.0, reserve=40.0).left("search") == pytest.approx(60 * 2.5 / 9, abs=1)
