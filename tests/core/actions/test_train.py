"""A training from Python: what it takes, what it returns, and what it refuses in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from denas_points.space import Mlp
from denas_points.task import Side

import denas_core
from denas_core.errors import ConfigError
from tests.core.toy_searches import denas_here


def test_a_training_is_what_the_command_trains(
    found: denas_core.SearchResult, points: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    training = denas_core.train(found, points, epochs=2, settings={"lr": 0.03})
    assert capsys.readouterr() == ("", ""), "functions of Python print nothing"
    done = denas_here(
        "train",
        str(found.path),
        "--data",
        str(points),
        "-e",
        "2",
        "--lr",
        "0.03",
        "-o",
        str(tmp_path / "b"),
        "--json",
    )
    document = json.loads(done.stdout)
    assert training.metrics == document["best"] and training.samples == document["samples"] == 40
    assert (training.metric, training.value) == ("accuracy", document["best"]["accuracy"])
    assert training.path == found.path / "training"
    assert "accuracy" in training._repr_html_() and "on 40 samples" in training._repr_html_()
    assert "<iframe srcdoc=" in training.report()._repr_html_()


def test_the_report_is_written_again_after_a_training(found: denas_core.SearchResult, points: Path) -> None:
    (found.path / "report.html").unlink()
    training = denas_core.train(found, points, epochs=0)
    assert training.report().html.startswith("<!DOCTYPE html>")
    for store in found.path.glob("study.db*"):
        store.write_bytes(b"damaged")
    again = denas_core.train(training, resume=True)
    assert [notice for notice in again.notices if notice.startswith("the report was not written again: ")]


def test_the_result_of_a_training_is_read_again(found: denas_core.SearchResult, points: Path) -> None:
    training = denas_core.train(str(found.path), str(points), epochs=1)
    again = denas_core.train(training, resume=True)
    assert again.as_dict() == training.as_dict()


@pytest.mark.parametrize(
    "task",
    ["side", {"name": "points/side", "jitter": 0.2}, Side(jitter=0.2)],
    ids=["name", "mapping", "object"],
)
def test_a_task_is_given_in_every_form(found: denas_core.SearchResult, points: Path, task: object) -> None:
    training = denas_core.train(found, points, task=task, epochs=0)  # type: ignore[arg-type]
    written = json.loads((training.path / "settings.json").read_text())["task"]
    assert written["id"] == "points/side"
    assert written["options"]["jitter"] == (0.1 if isinstance(task, str) else 0.2)


def test_an_architecture_is_given_in_every_form(
    found: denas_core.SearchResult, points: Path, tmp_path: Path
) -> None:
    trial = found.ranked[-1]
    forms = [trial, trial.arch, trial.arch.as_dict(), trial.arch.key[:8]]
    for number, arch in enumerate(forms):
        training = denas_core.train(found, points, arch=arch, epochs=0, out=tmp_path / str(number))
        assert json.loads((training.path / "settings.json").read_text())["key"] == trial.arch.key


@pytest.mark.parametrize(
    "space",
    ["points/mlp", {"name": "points/mlp", "norm": "batch"}, Mlp(norm="batch")],
    ids=["name", "mapping", "object"],
)
def test_a_space_is_trained_without_a_search(space: object, points: Path, tmp_path: Path) -> None:
    arch = {"depth": 1, "width": 4}
    training = denas_core.train(space, points, arch=arch, epochs=0, out=tmp_path / "out")  # type: ignore[arg-type]
    written = json.loads((training.path / "settings.json").read_text())["space"]
    assert written["options"]["norm"] == ("none" if isinstance(space, str) else "batch")


def test_a_second_training_in_one_place_is_refused_in_one_line(
    found: denas_core.SearchResult, points: Path
) -> None:
    denas_core.train(found, points, epochs=0)
    with pytest.raises(
        ConfigError, match=r"^'.*/training' holds a finished training \(.*\); name another place"
    ):
        denas_core.train(found, points, epochs=0)


def test_what_cannot_be_trained_is_refused_in_one_line(
    found: denas_core.SearchResult, points: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=r"cannot read '.*/nothing\.txt'"):
        denas_core.train(found, tmp_path / "nothing.txt", task="side")
    with pytest.raises(ConfigError, match="no data set is named"):
        denas_core.train(found)
    with pytest.raises(ConfigError, match="data is empty"):
        denas_core.train(found, " ")
    with pytest.raises(ConfigError, match="is not a run directory"):
        denas_core.train(tmp_path / "no-run", points)
    with pytest.raises(ConfigError, match="17 is not a run or a space; give a path"):
        denas_core.train(17, points)  # type: ignore[arg-type]
    with pytest.raises(
        ConfigError, match="task 17 is neither a name, nor a mapping with a name, nor an object"
    ):
        denas_core.train(found, points, task=17)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="'epoch'; did you mean 'epochs'"):
        denas_core.train(found, points, settings={"epoch": 1})
    assert not (found.path / "training").exists()


def test_a_run_that_was_not_searched_yet_is_refused_in_one_line(
    found: denas_core.SearchResult, points: Path, tmp_path: Path
) -> None:
    (found.path / "best.json").unlink()
    with pytest.raises(ConfigError, match="has no best architecture yet; finish its search"):
        denas_core.train(found.path, points)
    (found.path / "report.html").unlink()
    with pytest.raises(ConfigError, match="has no report yet; write it with: denas report"):
        found.report()
    begun = tmp_path / "begun"
    begun.mkdir()
    for name in ("config.yaml", "run.lock"):
        (begun / name).write_text("")
    for call in (denas_core.train, denas_core.race):
        with pytest.raises(ConfigError, match="run"):
            call(begun, points)  # type: ignore[operator]
