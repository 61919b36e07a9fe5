"""What lists and reports read of a training and a race: a damaged file is as none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from denas_core.runs.races import describe_trained, read_race, trained_metric
from tests.core.toy_searches import denas_here, toy_search

RACE: dict[str, Any] = {
    "schema": "denas.race/1",
    "task": "points/side",
    "metric": {"name": "accuracy", "direction": "maximize"},
    "data": "/data/points.txt",
    "samples": {"train": 120, "valid": 40},
    "rungs": [1, 3],
    "entrants": [
        {
            "key": "ab" * 16,
            "kinds": ["finalist"],
            "rank": 1,
            "metrics": {"params": 10},
            "failure": "",
            "trainings": [{"epochs": 1, "state": "scored", "metrics": {"accuracy": 0.5}}],
        }
    ],
    "result": None,
}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    toy_search(tmp_path / "run", budget=8)
    (tmp_path / "run/race").mkdir()
    return tmp_path / "run"


def write(run: Path, document: object) -> None:
    (run / "race/race.json").write_text(json.dumps(document))


def test_a_race_that_is_not_over_says_how_far_it_is(run: Path) -> None:
    assert read_race(run) is None and describe_trained(run) is None
    write(run, RACE)
    assert read_race(run) == RACE and describe_trained(run) == "race: 1 training done"
    denas_here("report", str(run))
    page = (run / "report.html").read_text()
    assert "This race is not over" in page and f"denas train {run} --resume" in page


@pytest.mark.parametrize(
    "damaged",
    [
        [],
        {},
        {**RACE, "schema": "denas.race/9"},
        {**RACE, "entrants": []},
        {**RACE, "entrants": [1]},
        {**RACE, "metric": "accuracy"},
        {**RACE, "rungs": []},
        {**RACE, "result": {"winner": "x"}},
        {**RACE, "samples": {"valid": "many"}},
        {**RACE, "entrants": [{**RACE["entrants"][0], "trainings": None}]},
    ],
)
def test_a_damaged_record_is_as_none(run: Path, damaged: object) -> None:
    write(run, damaged)
    assert read_race(run) is None
    listed = denas_here("run", "ls", str(run), "--json")
    assert listed.returncode == 0 and json.loads(listed.stdout)["runs"][0]["trained"] is None
    assert denas_here("report", str(run), "--json").returncode == 0


def test_the_metric_of_a_training_is_read_from_its_result(run: Path) -> None:
    (run / "training").mkdir()
    result = run / "training/result.json"
    for text in ("", "[]", "{}", '{"metric": "accuracy", "best": {}}', '{"metric": 1, "best": {"1": 2}}'):
        result.write_text(text)
        assert trained_metric(run) is None
    result.write_text('{"metric": "accuracy", "best": {"accuracy": 0.912345, "loss": 1}}')
    assert trained_metric(run) == ("accuracy", 0.912345) and describe_trained(run) == "accuracy 0.9123"
