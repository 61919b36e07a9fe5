"""Races as a user runs them."""

from __future__ import annotations

import json
import re
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from denas_core.models.trained import load_model
from denas_core.racing.finish import keep_winner
from denas_core.racing.record import read_record
from denas_core.registry.registry import Registry
from tests.core.toy_searches import denas_here
from tests.core.training.test_resume import start_command
from tests.warm import Process

HERE = ("--executor", "builtin/serial")
"""Trainings in this process are quicker, as they start no other one."""


def race(run: Path, data: Path, *options: str) -> Any:
    """Run a race in this process, and return what the command has printed."""
    return denas_here("train", str(run), "--data", str(data), *HERE, *options)


def record(run: Path) -> dict[str, Any]:
    """Return the record of a race."""
    document: dict[str, Any] = json.loads((run / "race/race.json").read_text())
    return document


def trainings(run: Path) -> dict[str, list[tuple[int, str, dict[str, float]]]]:
    """Return what each training of a race has come to."""
    return {
        entrant["key"]: [(one["epochs"], one["state"], one["metrics"]) for one in entrant["trainings"]]
        for entrant in record(run)["entrants"]
    }


def test_a_race_keeps_the_best_network_as_the_training_of_the_run(searched: Path, points: Path) -> None:
    done = race(searched, points, "--top", "3", "--also", "random:2", "--also", "largest", "--epochs", "3")
    assert done.returncode == 0, done.stderr
    document = record(searched)
    assert document["rungs"] == [1, 3]
    assert document["samples"] == {"train": 120, "valid": 40}
    result, entrants = document["result"], {one["key"]: one for one in document["entrants"]}
    last = {
        key: training["metrics"]["accuracy"]
        for key, one in entrants.items()
        for training in one["trainings"]
        if training["epochs"] == 3
    }
    assert 2 <= len(last) < len(entrants)
    assert result["value"] == last[result["winner"]] == max(last.values())
    # The best of each kind has a training of the full length.
    assert (
        result["best"].keys() == {"finalist", "random", "largest"}
        and set(result["best"].values()) <= last.keys()
    )
    for one in result["comparisons"]:
        assert one["lead"] == pytest.approx(result["value"] - last[one["key"]])
        assert one["verdict"] == ("better" if one["lead"] > one["resolution"] else "cannot be told apart")

    # The model of the winner is that of the run, and the weights of the others are removed.
    assert load_model(searched / "training/model").arch.key == result["winner"]
    assert [path.parent.name for path in searched.rglob("model.safetensors")] == ["model"]
    stored = json.loads((searched / "training/result.json").read_text())
    assert stored["directory"] == str(searched / "training")
    measured = denas_here("evaluate", str(searched), "--data", str(points), "--json")
    assert json.loads(measured.stdout)["metrics"]["accuracy"] == pytest.approx(result["value"])

    lines = done.stdout.splitlines()
    assert lines[0].split("  ")[0] == "network" and "accuracy, 3 ep." in lines[0]
    assert len(lines) == 2 + len(entrants) + 1 + 4 and lines[2 + len(entrants)] == result["sentence"]
    assert lines[-3:] == [
        f"  denas evaluate {searched} --data {points}",
        f"  denas export {searched} --to safetensors",
        f"  denas report {searched}",
    ]
    assert (
        "note: 40 samples to measure on tell apart networks that differ by more than 21.9 points"
        in done.stderr
    )
    assert f"{len(entrants)} networks, trainings of 1 and 3 epochs\n" in done.stderr


def test_fewer_networks_are_trained_at_a_time_if_more_do_not_fit_into_memory(
    searched: Path, points: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DENAS_WORKERS", "2")
    options = ["--top", "2", "--epochs", "1", "--set", "training.memory_gb=2.5e-5"]
    done = denas_here("train", str(searched), "--data", str(points), *options)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if "trainings run one at a time" in line]
    assert len(lines) == 1 and lines[0].startswith("note: ")


def test_its_result_is_everywhere_that_a_run_is_described(
    searched: Path, points: Path, tmp_path: Path
) -> None:
    shutil.copytree(searched, tmp_path / "plain")
    done = race(searched, points, "--top", "3", "--epochs", "1", "--json", "-q")
    assert done.returncode == 0, done.stderr
    assert (
        json.loads(done.stdout)
        == record(searched)
        == json.loads((searched / "result.json").read_text())["race"]
    )
    result = record(searched)["result"]
    page = (searched / "report.html").read_text()
    assert 'id="race"' in page and result["sentence"] in page and "#race" in page
    report = json.loads(denas_here("report", str(searched), "--json").stdout)
    assert [row["is_winner"] for row in report["race"]["rows"]] == [True, False, False]
    assert f"3 networks were trained in a race. {result['sentence']}" in report["verdict"]
    commands = [row["command"] for row in report["commands"]]
    assert f"denas evaluate {searched} --data DATA" in commands
    assert not any("denas train" in command for command in commands)
    printed = denas_here("report", str(searched)).stdout
    assert "Race of finalists, trained on data" in printed and printed.count(result["sentence"]) == 1

    runs = json.loads(denas_here("run", "ls", str(tmp_path), "--json").stdout)["runs"]
    trained = {Path(run["run"] if "run" in run else run["path"]).name: run["trained"] for run in runs}
    assert trained == {"run": f"accuracy {result['value']:.4g}", "plain": None}
    compared = denas_here("compare", str(searched), str(tmp_path / "plain"))
    assert compared.returncode == 0, compared.stderr
    assert f"Races of finalists\n  {searched}: {result['sentence']}" in compared.stdout
    (row,) = [line for line in compared.stdout.splitlines() if re.match(r"run +\* ", line)]
    assert f" {result['value']:.4g} " in row and result["winner"][:12] in row

    # A search that goes on keeps the race in its result.
    more = denas_here("search", "--resume", str(searched), "--budget", "9", "-q")
    assert more.returncode == 0, more.stderr
    assert json.loads((searched / "result.json").read_text())["race"] == record(searched)


def test_a_training_that_fails_is_named_and_the_others_go_on(points: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    fault = ["--set", "space.fault=error", "--set", "space.faulty=16"]
    options = "--score points/size --objective score --objective params --budget 6 --device cpu -q"
    made = denas_here("search", "points/mlp", *options.split(), *fault, "--out", str(run))
    assert made.returncode == 0, made.stderr
    done = race(run, points, "--top", "6", "--epochs", "3", "-q")
    assert done.returncode == 0, done.stderr
    failed = [entrant for entrant in record(run)["entrants"] if entrant["failure"]]
    assert [entrant["arch"]["width"] for entrant in failed] == [16]
    assert "ZeroDivisionError: the tenth step" in failed[0]["failure"]
    assert record(run)["result"]["winner"] != failed[0]["key"]
    (line,) = [line for line in done.stdout.splitlines() if failed[0]["key"][:12] in line]
    assert "ZeroDivisionError" in line
    assert "ZeroDivisionError: the tenth step" in (run / "report.html").read_text()


def test_a_race_whose_trainings_all_fail_can_be_tried_again(points: Path, searched: Path) -> None:
    broken = points.with_name("broken.txt")
    # Half of the points to learn from have no side, and every network meets one.
    lines = points.read_text().split("\n")
    broken.write_text(
        "\n".join(line if i % 4 == 0 or i % 2 else f"{line[:-1]}-1" for i, line in enumerate(lines))
    )
    done = race(searched, broken, "--top", "3", "--epochs", "1", "-q")
    assert done.returncode == 1 and done.stdout == ""
    assert "error: every training of rung 1 has failed; the first one: point " in done.stderr
    assert "has no side; give it one; try them again with" in done.stderr
    assert done.stderr.endswith(f"try them again with: denas train {searched} --resume\n")
    assert not (searched / "training").exists()
    listed = json.loads(denas_here("run", "ls", str(searched), "--json").stdout)["runs"]
    assert listed[0]["trained"] == "race: 3 trainings done"
    broken.write_text(points.read_text())
    again = denas_here("train", str(searched), "--resume", "-q", *HERE)
    assert again.returncode == 0, again.stderr
    assert not any(entrant["failure"] for entrant in record(searched)["entrants"])


def test_settings_of_a_race_cannot_change_on_resume(searched: Path, points: Path) -> None:
    options = ("--top", "3", "--also", "largest", "--epochs", "1", "-q")
    assert race(searched, points, *options).returncode == 0
    same = race(searched, points, *options, "--resume")
    assert same.returncode == 0 and record(searched)["result"]["sentence"] in same.stdout
    for changed, text in (
        (("--epochs", "2"), "settings.epochs: 1 -> 2 (the learning rate"),
        (("--lr", "0.1"), "settings.lr: 0.05 -> 0.1"),
        (("--top", "2"), "top: 3 -> 2"),
        (("--also", "random:2"), "also: ['largest'] -> ['random:2', 'largest']"),
    ):
        done = race(searched, points, *options, *changed, "--resume")
        assert (
            done.returncode == 2
            and f"the race in '{searched / 'race'}' cannot go on with {text}" in done.stderr
        )
        assert done.stderr.endswith(f"remove '{searched / 'race'}' to begin another\n")


def test_a_run_has_one_race(searched: Path, points: Path) -> None:
    assert race(searched, points, "--top", "2", "--epochs", "1", "-q").returncode == 0
    done = race(searched, points, "--top", "2", "--epochs", "1")
    assert done.returncode == 2 and f"run '{searched}' has a race already" in done.stderr
    shutil.rmtree(searched / "race")
    done = race(searched, points, "--top", "2", "--epochs", "1")
    assert done.returncode == 2
    assert f"'{searched / 'training'}' exists, where a race puts the training of its winner" in done.stderr


def test_the_winner_is_kept_once_though_a_kill_came_between(searched: Path, points: Path) -> None:
    assert race(searched, points, "--top", "3", "--epochs", "1", "-q").returncode == 0
    space = Registry.discover().create("space", "points/deep")
    found = read_record(searched, space)
    before = (searched / "training/model/model.safetensors").read_bytes()
    keep_winner(searched, found, keeps_others=False)
    assert (searched / "training/model/model.safetensors").read_bytes() == before
    # The last write of the record is lost.
    document = record(searched)
    (searched / "race/race.json").write_text(json.dumps({**document, "result": None}))
    again = denas_here("train", str(searched), "--top", "3", "--resume", "-q", *HERE)
    assert again.returncode == 0, again.stderr
    assert record(searched) == document


def test_nothing_of_a_race_is_left_when_its_run_is_removed(searched: Path, points: Path) -> None:
    assert race(searched, points, "--top", "3", "--epochs", "3", "-q").returncode == 0
    (searched / "race/1-epochs/notes.txt").write_text("mine")
    done = denas_here("run", "rm", str(searched), "--yes")
    assert done.returncode == 0, done.stderr
    left = {path.relative_to(searched).parts[0] for path in searched.rglob("*")}
    assert left == {"training", "race"}
    assert [path.name for path in (searched / "race").rglob("*") if path.is_file()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--also", "largest"], "--also is for a race of several networks; add --top N"),
        (["--executor", "builtin/serial"], "--executor is for a race of several networks; add --top N"),
        (["--top", "2", "--arch", "abcd"], "--top and --arch exclude each other"),
        (["--top", "2", "--out", "x"], "--top and --out exclude each other"),
        (["--top", "2", "--epochs", "0"], "a race trains, so it needs at least one epoch; set --epochs"),
        (["--top", "2", "--also", "small"], "--also 'small' is not random:NUMBER"),
        (["--top", "2", "--resume"], "to go on with; begin one without --resume"),
        (["--top", "2", "--executor", "nowhere"], "no installed plugin has an executor 'nowhere'"),
        (["--top", "2", "--set", "executor.speed=2"], "'speed'"),
    ],
)
def test_a_wrong_option_is_one_line(searched: Path, points: Path, options: list[str], text: str) -> None:
    done = denas_here("train", str(searched), "--data", str(points), *options)
    assert done.returncode == 2 and text in done.stderr, done.stderr
    assert done.stderr.count("error:") == 1 and not (searched / "race").exists()


def test_a_race_takes_a_run(points: Path, tmp_path: Path) -> None:
    for name in ("points/mlp", str(tmp_path / "nothing")):
        done = denas_here("train", name, "--data", str(points), "--top", "3")
        assert done.returncode == 2
        assert (
            f"a race takes the run of a search, whose finalists take part in it; {name!r} is not one"
            in done.stderr
        )


def test_data_that_cannot_be_read_are_told_before_work_begins(searched: Path, tmp_path: Path) -> None:
    done = race(searched, tmp_path / "missing.txt", "--top", "3")
    assert done.returncode == 2 and "cannot read" in done.stderr and not (searched / "race").exists()


def test_fewer_finalists_than_asked_for_is_one_note(searched: Path, points: Path) -> None:
    done = race(searched, points, "--top", "20", "--epochs", "1")
    assert done.returncode == 0, done.stderr
    assert (
        done.stderr.count("the run has only 9 scored networks, so 9 and not 20 of its finalists take part\n")
        == 1
    )


def wait_for_trainings(run: Path, process: Process, count: int) -> None:
    """Wait until a race has recorded so many trainings."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and process.poll() is None:
        if (run / "race/race.json").exists() and sum(map(len, trainings(run).values())) >= count:
            return
        time.sleep(0.02)
    pytest.fail(f"no training came: {process.communicate()[1]}")


@pytest.mark.slow
def test_a_killed_race_goes_on_and_repeats_no_training(searched: Path, points: Path) -> None:
    options = ["--top", "4", "--data", str(points), "--epochs", "3", "-q"]
    workers = ["--set", "executor.workers=2"]
    process = start_command("train", str(searched), *options, *workers, DENAS_POINTS_PAUSE="0.05")
    wait_for_trainings(searched, process, 1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = trainings(searched)
    assert record(searched)["result"] is None
    written = {path: path.stat().st_mtime_ns for path in (searched / "race").glob("*-epochs/*/result.json")}
    again = denas_here("train", str(searched), *options, "--resume", *HERE)
    assert again.returncode == 0, again.stderr
    after = trainings(searched)
    assert all(after[key][: len(found)] == found for key, found in before.items())
    assert [path.stat().st_mtime_ns for path in written] == list(written.values())
    assert [len(found) for found in after.values()].count(2) == 2 and record(searched)["result"]["value"] > 0


@pytest.mark.slow
def test_a_stopped_race_says_how_to_go_on(searched: Path, points: Path) -> None:
    options = ["--top", "4", "--data", str(points), "--epochs", "3", "-q", *HERE]
    process = start_command("train", str(searched), *options, DENAS_POINTS_PAUSE="0.05")
    wait_for_trainings(searched, process, 1)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 143, errors
    assert "error: stopped in rung 1 of 2 after " in errors
    assert errors.endswith(
        f" of its 4 trainings, which are kept; go on with: denas train {searched} --resume\n"
    )
    again = denas_here("train", str(searched), "--resume", "-q", *HERE)
    assert again.returncode == 0, again.stderr
