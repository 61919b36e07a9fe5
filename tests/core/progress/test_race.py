"""The progress of a race, as its display reads it from the logs of trainings in other processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from denas_core.contracts.task import Metric
from denas_core.progress.race import RaceDisplay, epochs_of
from denas_core.racing.entrants import Entrant
from denas_core.racing.race import Race, Rung
from denas_core.racing.record import Racer, RaceRecord
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation


def make_race(path: Path) -> Race:
    """Return a race of five networks in trainings of 2 and 6 epochs."""
    racers = [
        Racer(
            entrant=Entrant(
                arch=Architecture("x/y", {"width": place}, f"{place}" * 32),
                kinds=("finalist",),
                rank=place,
                metrics={},
            )
        )
        for place in range(1, 6)
    ]
    record = RaceRecord(
        run="run",
        top=5,
        also=[],
        task="x/task",
        metric=Metric(name="wer", direction="minimize"),
        data="data",
        samples={"train": 10, "valid": 10},
        rungs=(2, 6),
        racers=racers,
        resolution=None,
    )
    return Race(path, None, record, None)  # type: ignore[arg-type]


def test_the_state_counts_epochs_of_trainings_that_still_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    race, display = make_race(tmp_path), RaceDisplay()
    racers = race.record.racers
    rung = Rung(
        number=1, epochs=2, racers=racers, directories={racer.key: tmp_path / racer.key for racer in racers}
    )
    display.begun(race)
    display.rung_begun(rung)
    assert display.line() == "rung 1 of 2, 0 of 5 trainings"
    for racer, value in ((racers[0], 0.5), (racers[1], 0.25)):
        racer.trainings[2] = Evaluation(state="scored", metrics={"wer": value})
        display.training_done(rung, racer)
    racers[2].trainings[2] = Evaluation(state="failed", reason="out of memory")
    display.training_done(rung, racers[2])
    (tmp_path / racers[3].key).mkdir()
    (tmp_path / racers[3].key / "log.jsonl").write_text(json.dumps({"epoch": 1.5}) + '\n{"epo')
    # 7.5 epochs of 10, and at most 2 trainings of 6 epochs to come.
    assert display._share() == pytest.approx(7.5 / 22)
    assert display.line().startswith("rung 1 of 2, 3 of 5 trainings, best wer 0.25, about ")
    display.finished()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "5 networks, trainings of 2 and 6 epochs"
    assert "2 epochs, finalist 3 (333333333333): failed: out of memory" in lines


def test_a_training_without_a_log_has_no_epochs(tmp_path: Path) -> None:
    assert epochs_of(tmp_path) == 0.0
    (tmp_path / "log.jsonl").write_text("")
    assert epochs_of(tmp_path) == 0.0
    (tmp_path / "log.jsonl").write_text('{"loss": 1}\n[]\n')
    assert epochs_of(tmp_path) == 0.0
