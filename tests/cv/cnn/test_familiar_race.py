"""A ResNet beside the finalists of a race: it is not made of the choices of the space, and is stored all the same."""

from __future__ import annotations

import random
from pathlib import Path

from denas_core.contracts.problem import Problem
from denas_core.contracts.space import SearchSpace
from denas_core.contracts.task import Metric
from denas_core.racing.entrants import Also, RankedRun, choose_entrants
from denas_core.racing.record import Racer, RaceRecord, read_record
from denas_core.registry.registry import Registry
from denas_core.results.race import summarise_race
from denas_core.values.trial import Evaluation, Trial


def test_a_resnet_takes_part_and_comes_back_from_the_record(tmp_path: Path) -> None:
    space: SearchSpace = Registry.discover().create("space", "cv/cnn:micro", {"classes": 4, "image_size": 32})
    problem, rng = Problem(space), random.Random(0)
    archs = [space.sample(rng) for _ in range(3)]
    trials = [
        Trial(
            index=index,
            generation=0,
            arch=arch,
            evaluation=Evaluation(state="scored", metrics=problem.cost(arch)),
        )
        for index, arch in enumerate(archs)
    ]
    run = RankedRun(path=tmp_path, problem=problem, trials=trials, ranked=trials, seed=0)
    entrants, notices = choose_entrants(run, 2, Also(familiar=True))
    *finalists, familiar = entrants
    assert (familiar.kinds, familiar.name) == (("familiar",), "a ResNet")
    assert abs(familiar.metrics["params"] / finalists[0].metrics["params"] - 1) <= 0.15
    assert notices[0].startswith("the familiar network is a ResNet with ")
    record = RaceRecord(
        run=str(tmp_path),
        top=2,
        also=["familiar"],
        task="cv/image-classification",
        metric=Metric(name="accuracy", is_share=True),
        data="photos",
        samples={"train": 10, "valid": 10},
        rungs=(1,),
        racers=[Racer(entrant=entrant) for entrant in entrants],
        resolution=None,
    )
    (tmp_path / "race").mkdir()
    record.write(tmp_path)
    again = read_record(tmp_path, space)
    assert [racer.entrant for racer in again.racers] == entrants
    assert summarise_race(again.as_dict())["rows"][-1]["name"] == "familiar (a ResNet)"
