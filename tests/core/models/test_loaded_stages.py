"""Stages of an exported network run in the order that their inputs need."""

from __future__ import annotations

import pytest

from denas_core.models.loaded_stages import LoadedStage, run_stages

ENCODER = LoadedStage(inputs=("x",), outputs=("middle", "early"), run=lambda given: (given[0] + 1, given[0]))
DECODER = LoadedStage(inputs=("y", "middle"), outputs=("late",), run=lambda given: (given[0] * given[1],))


@pytest.mark.parametrize("stages", [[ENCODER, DECODER], [DECODER, ENCODER]])
def test_outputs_are_those_that_no_other_stage_takes(stages: list[LoadedStage]) -> None:
    assert run_stages(stages, {"x": 2, "y": 10}) == {"early": 2, "late": 30}


def test_a_stage_must_give_all_its_outputs() -> None:
    short = LoadedStage(inputs=("x",), outputs=("a", "b"), run=lambda given: (given[0],))
    with pytest.raises(ValueError, match="shorter"):
        run_stages([short], {"x": 1})
