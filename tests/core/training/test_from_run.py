"""``denas evaluate-proxy --from-run``: networks of a run are trained once, and scores are compared with them."""

from __future__ import annotations

import csv
import importlib
import json
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from denas_core.agreement.trained_table import describe_failed, write_trained_table
from denas_core.errors import NoResult
from denas_core.racing.searched_run import read_searched_run
from denas_core.registry.registry import Registry
from denas_core.values.ranking import kendall_tau
from denas_core.values.trial import Evaluation
from tests.core.toy_searches import denas_here

from .test_resume import start_command
from .trainings import PLUGIN, write_points

EVALUATE = ["evaluate-proxy", "--train", "10", "--epochs", "1", "--seeds", "1", "--device", "cpu", "-q"]
SEARCH = ["search", "points/deep", "--score", "points/mixed", "--objective", "score", "--device", "cpu", "-q"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with points, and a run of which ten networks have been trained and evaluated."""
    place = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGIN))
        patch.setenv("DENAS_WORKERS", "1")
        write_points(place / "points.txt")
        searched = denas_here(*SEARCH, "--budget", "12", "--seed", "5", "--out", "run", cwd=place)
        assert searched.returncode == 0, searched.stderr
        done = denas_here(*EVALUATE, "--from-run", "run", "--data", "points.txt", "--json", cwd=place)
        assert done.returncode == 0, done.stderr
        (place / "printed.json").write_text(done.stdout)
        (place / "notes.txt").write_text(done.stderr)
    yield place


@pytest.fixture
def place(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it."""
    monkeypatch.setenv("DENAS_WORKERS", "1")
    return Path(shutil.copytree(trained, tmp_path / "copy"))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def results(run: Path) -> dict[str, int]:
    return {path.parent.name: path.stat().st_mtime_ns for path in run.glob("trainings/*/*/result.json")}


def test_the_run_s_score_and_its_components_are_compared_with_what_was_trained(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = json.loads((trained / "printed.json").read_text())
    assert {one["score"] for one in document["scores"]} == {
        *("mixed", "size", "digits", "params", "flops", "depth x width")
    }
    assert (document["baseline"], document["targets"], document["networks"]) == ("mixed", ["accuracy"], 10)
    assert (document["trained"]["samples"], document["trained"]["valid_samples"]) == (120, 40)
    assert document["trained"]["settings"]["epochs"] == 1
    table = rows(trained / "evaluations" / "points-deep-run" / "trained.csv")
    assert [*table[0]] == [
        *("arch", "key", "params", "flops", "score", "accuracy", "loss", "train_loss", "seconds")
    ]
    accuracies = [float(row["accuracy"]) for row in table]
    sizes = [float(row["params"]) for row in table]
    found = {one["score"]: one["kendall"] for one in document["scores"]}
    assert found["size"] == found["params"] == pytest.approx(kendall_tau(sizes, accuracies))
    monkeypatch.syspath_prepend(str(PLUGIN))
    digits_of = importlib.import_module("denas_points.mixed").digits_of
    digits = [float(digits_of(json.loads(row["arch"]))) for row in table]
    assert found["digits"] == pytest.approx(kendall_tau(digits, accuracies))


def test_what_can_be_told_is_said_before_the_work(trained: Path) -> None:
    assert (trained / "notes.txt").read_text().splitlines()[0] == (
        "note: 10 networks are trained for 1 epoch on 120 samples, and validated on 40; accuracy that differs by "
        "less than 21.9 points is partly ranked by chance"
    )


def test_the_table_can_be_read_as_any_other_one(place: Path) -> None:
    table = "evaluations/points-deep-run/trained.csv"
    command = ["evaluate-proxy", "--table", table, "--space", "points/deep", "--target", "accuracy"]
    more = ["--scores", "points/size", "--baseline", "params", "--seeds", "1", "-q", "--json"]
    done = denas_here(*command, *more, cwd=place)
    assert done.returncode == 0, done.stderr
    before = {
        one["score"]: one["kendall"] for one in json.loads((place / "printed.json").read_text())["scores"]
    }
    after = {one["score"]: one["kendall"] for one in json.loads(done.stdout)["scores"]}
    assert (after["points/size"], after["params"]) == (before["size"], before["params"])


def test_nothing_is_trained_twice_and_only_what_is_new_is_trained(place: Path) -> None:
    before = results(place / "run")
    assert len(before) == 10
    again = denas_here(*EVALUATE, "--from-run", "run", "--data", "points.txt", "--json", cwd=place)
    assert again.returncode == 0, again.stderr
    assert results(place / "run") == before
    given = ["--from-run", "run", "--data", "points.txt", "--train", "12", "--scores", "points/size"]
    more = denas_here(*EVALUATE, *given, "--json", cwd=place)
    assert more.returncode == 0, more.stderr
    after = results(place / "run")
    assert len(after) == 12
    assert {name: after[name] for name in before} == before
    document = json.loads(more.stdout)
    assert {one["score"] for one in document["scores"] if not one["is_count"]} == {"mixed", "points/size"}
    assert document["networks"] == 12


def test_fewer_are_trained_at_a_time_if_more_do_not_fit_into_memory(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DENAS_WORKERS", "2")
    given = ["--from-run", "run", "--data", "points.txt", "--scores", "points/size"]
    done = denas_here(
        *EVALUATE, *given, "--epochs", "2", "--set", "training.memory_gb=3e-5", "--json", cwd=place
    )
    assert done.returncode == 0, done.stderr
    assert "note: trainings run one at a time, because each of them takes up to " in done.stderr
    assert "and training.memory_gb allows 3e-05 GB" in done.stderr
    assert len([*(place / "run").glob("trainings/*/*/result.json")]) == 20


def test_scores_see_noise_unless_the_user_asks_for_the_data(place: Path) -> None:
    given = ["--from-run", "run", "--data", "points.txt", "--scores", "points/loss-gradient"]
    noise = denas_here(*EVALUATE, *given, "--out", "noise", "--json", cwd=place)
    seen = denas_here(*EVALUATE, *given, "--out", "seen", "--on-data", "--json", cwd=place)
    assert (noise.returncode, seen.returncode) == (0, 0), noise.stderr + seen.stderr
    assert "data" not in json.loads(noise.stdout)
    assert json.loads(seen.stdout)["data"]["path"] == str(place / "points.txt")
    values = [
        [row["points/loss-gradient:0"] for row in rows(place / out / "networks.csv")]
        for out in ("noise", "seen")
    ]
    assert len(values[0]) == 10
    assert values[0] != values[1]


def test_a_run_on_data_is_trained_and_scored_on_them_by_default(place: Path) -> None:
    options = ["--data", "points.txt", "--score", "points/loss-gradient", "--budget", "12", "--out", "seeing"]
    searched = denas_here(*SEARCH, *options, "--seed", "5", cwd=place)
    assert searched.returncode == 0, searched.stderr
    shutil.copytree(place / "run" / "trainings", place / "seeing" / "trainings")
    done = denas_here(*EVALUATE, "--from-run", "seeing", "--json", cwd=place)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["data"]["path"] == document["trained"]["data"] == str(place / "points.txt")
    assert {one["score"] for one in document["scores"] if not one["is_count"]} == {"loss-gradient"}


@pytest.mark.slow
def test_a_kill_loses_no_training_and_the_same_command_goes_on(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    whole = rows(place / "evaluations" / "points-deep-run" / "trained.csv")
    kept = results(place / "run")
    # Three networks are left to train, slowly.
    for name in list(kept)[:3]:
        shutil.rmtree(next((place / "run").glob(f"trainings/*/{name}")))
    command = [*EVALUATE, "--from-run", "run", "--data", "points.txt", "--out", "again"]
    process = start_command(*command, DENAS_POINTS_PAUSE="0.3", DENAS_WORKERS="1")
    wait_for_trainings(process, place / "run", begun=8)
    process.kill()
    process.wait()
    assert not (place / "again" / "trained.csv").exists()
    stopped = start_command(*command, DENAS_POINTS_PAUSE="0.3", DENAS_WORKERS="1")
    # The first one of them ends, and the second one begins.
    wait_for_trainings(stopped, place / "run", begun=9)
    stopped.send_signal(signal.SIGINT)
    _, errors = stopped.communicate(timeout=300)
    assert stopped.returncode == 130, errors
    assert "trainings, which are kept in 'run/trainings/side-1-" in errors
    assert errors.endswith("'; continue with the same command\n")
    done = denas_here(*command, cwd=place)
    assert done.returncode == 0, done.stderr
    assert without_seconds(rows(place / "again" / "trained.csv")) == without_seconds(whole)
    assert len(results(place / "run")) == 10


def wait_for_trainings(process: Any, run: Path, *, begun: int) -> None:
    """Wait until so many trainings have begun."""
    deadline = time.monotonic() + 300
    while len([*run.glob("trainings/*/*/settings.json")]) < begun:
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()[1]
        time.sleep(0.02)


def without_seconds(table: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in table]


def test_a_failed_training_is_named_and_its_network_left_out(place: Path) -> None:
    run = read_searched_run(place / "run", Registry.discover())
    chosen = run.choose(11)
    good = Evaluation(state="scored", metrics={"accuracy": 0.5}, seconds={"training": 1.0})
    bad = Evaluation(state="failed", reason="the loss is not finite")
    trained = {trial.arch.key: good for trial in chosen} | {chosen[3].arch.key: bad}
    write_trained_table(place / "table.csv", run, chosen, trained)
    assert chosen[3].arch.key not in {row["key"] for row in rows(place / "table.csv")}
    assert len(rows(place / "table.csv")) == 10
    (line,) = describe_failed(chosen, trained)
    assert line == (
        f"1 of 11 trainings failed; the first is that of {chosen[3].arch.key[:12]}: the loss is not finite"
    )
    with pytest.raises(
        NoResult, match=r"9 of 11 networks could be trained, .* at least 10; .* 2 of 11 trainings"
    ):
        write_trained_table(place / "none.csv", run, chosen, trained | {chosen[4].arch.key: bad})
    assert not (place / "none.csv").exists()


@pytest.mark.slow
def test_too_few_trained_networks_are_one_line(place: Path) -> None:
    # The space fails once in a worker process.
    broken = denas_here(*SEARCH, "--set", "space.fault=nan", "--budget", "12", "--out", "broken", cwd=place)
    assert broken.returncode == 0, broken.stderr
    done = denas_here(*EVALUATE, "--from-run", "broken", "--data", "points.txt", "--epochs", "2", cwd=place)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        "error: 9 of 10 networks could be trained, and a correlation needs at least 10; the trainings are kept; 1 of "
        "10 trainings failed; the first is that of"
    )
    assert len(results(place / "broken")) == 9
    assert not (place / "evaluations" / "points-deep-broken").exists()


BAD = {
    "both": (["--table", "acc.csv"], "--table and --from-run exclude each other"),
    "a space": (["--space", "points/deep"], "--space belongs to --table; leave it out"),
    "a sample": (["--networks", "10"], "--networks belongs to --table"),
    "an option of the space": (
        ["--set", "space.dropout=0.1"],
        "--set space.dropout: the space is that of run 'run'",
    ),
    "too many": (
        ["--train", "13"],
        "run 'run' has 12 scored trials, which is less than the 13 networks of --train",
    ),
    "too few": (["--train", "9"], "--train 9: a correlation needs at least 10 networks"),
    "no data": (["--data", "none.txt"], "none.txt': No such file"),
    "a training option": (["--set", "training.epoch=1"], "has no option 'epoch'"),
    "an option of a component": (["--set", "digits.x=1"], "--set names 'digits'"),
    "another score": (["--scores", "points/sise"], "did you mean 'points/size'?"),
    "a file as directory": (["--out", "points.txt"], "out 'points.txt' is a file; name a directory"),
    "another task": (["--task", "points/sides"], "points/side"),
}


@pytest.mark.parametrize(("given", "text"), BAD.values(), ids=list(BAD))
def test_what_cannot_be_trained_is_one_line(
    trained: Path, monkeypatch: pytest.MonkeyPatch, given: list[str], text: str
) -> None:
    before = results(trained / "run")
    given = ["--data", "points.txt", *given] if "--data" not in given else given
    done = denas_here(*EVALUATE, "--from-run", "run", *given, cwd=trained)
    assert done.returncode == 2, done.stderr
    assert text in done.stderr
    assert done.stderr.count("\n") == 1
    assert results(trained / "run") == before


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (["--from-run", "run"], "no data set to train on is named; name one with --data"),
        (["--from-run", "nowhere", "--data", "points.txt"], "'nowhere' is not a run directory"),
        (["--table", "acc.csv", "--space", "points/deep", "--train", "10"], "--train belongs to --from-run"),
    ],
)
def test_a_source_that_is_missing_is_one_line(trained: Path, given: list[str], text: str) -> None:
    done = denas_here("evaluate-proxy", *given, "--target", "accuracy", "-q", cwd=trained)
    assert done.returncode == 2, done.stderr
    assert text in done.stderr
    assert done.stderr.count("\n") == 1
