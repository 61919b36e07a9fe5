"""Scores on the user's data: what they see, what a run records of it, and one line for data that cannot be used."""

from __future__ import annotations

import json
import pickle
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from denas_points.space import LossGradient, Mlp
from denas_points.task import Side
from torch.nn import functional as F

import denas_core
from denas_core import Candidate, PassSpec
from denas_core.contracts.scoring_data import ScoringData
from denas_core.runs.files import read_run
from tests.core.toy_searches import denas_here

from .trainings import small, write_points

SEARCH = ["search", "points/mlp", "--score", "points/loss-gradient", "--device", "cpu", "-q"]
SPEC = PassSpec(size=8, readout="cross entropy", gradients="weights")


def data_of(points: Path) -> ScoringData:
    return ScoringData(Mlp().named("points/mlp"), Side().named("points/side"), points)


def search(run: Path, *options: str) -> Any:
    return denas_here(*SEARCH, "--budget", "4", "--out", str(run), *options)


def components(run: Path) -> dict[str, float]:
    with read_run(run) as store:
        return {t.arch.key: t.evaluation.components["loss-gradient"] for t in store.trials()}


def test_the_batch_is_of_samples_and_the_loss_is_that_of_the_task(points: Path) -> None:
    """Against the mean loss of the same samples, differentiated by autograd alone."""
    space = Mlp()
    seen = Candidate(space, small(space), data=data_of(points))
    trace = seen.trace(SPEC)
    batch = seen.batch(SPEC).inputs["x"]
    rows = [tuple(map(float, line.split())) for line in points.read_text().splitlines()]
    labels = {(round(x, 5), round(y, 5)): int(label) for x, y, label in rows}
    found = torch.tensor([labels[round(float(x), 5), round(float(y), 5)] for x, y in batch])
    assert len({tuple(row.tolist()) for row in batch}) == 8
    network = seen.network(SPEC)
    F.cross_entropy(network(batch), found).backward()
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(trace.gradients[name], parameter.grad, rtol=1e-5, atol=1e-7)


def test_the_head_is_that_of_the_task(points: Path) -> None:
    space = Mlp(classes=5)
    data = ScoringData(space, Side(), points)
    assert Candidate(space, small(space), data=data).trace(SPEC).outputs.logits["logits"].shape == (8, 2)
    assert Candidate(space, small(space)).trace(SPEC).outputs.logits["logits"].shape == (8, 5)


def test_constant_batches_and_spaces_without_data_stay_as_they_are(points: Path) -> None:
    space = Mlp()
    ones = PassSpec(inputs="ones", size=2)
    with_data = Candidate(space, small(space), data=data_of(points)).batch(ones)
    assert torch.equal(with_data.inputs["x"], torch.ones(2, 2))


def test_repeats_and_seeds_have_other_samples_and_candidates_the_same(points: Path) -> None:
    space, data = Mlp(), data_of(points)
    archs = [small(space), space.sample(random.Random(0))]
    batches = [Candidate(space, arch, data=data).batch(SPEC).inputs["x"] for arch in archs]
    assert torch.equal(*batches)
    other = Candidate(space, archs[0], data=data, seed=1).batch(SPEC).inputs["x"]
    assert not torch.equal(batches[0], other)


def test_what_a_network_does_to_its_input_does_not_reach_the_next(points: Path) -> None:
    data = data_of(points)
    first, _ = data.draw(4, seed=0)
    first.inputs["x"].zero_()
    assert bool(data.draw(4, seed=0)[0].inputs["x"].any())


def test_another_process_gets_the_drawn_batches_and_does_not_read_the_file(points: Path) -> None:
    data = data_of(points)
    batch, targets = data.draw(4, seed=0)
    space, score = Mlp(), LossGradient(batch_size=4)
    here = score.measure(Candidate(space, small(space), data=data))
    sent = pickle.dumps(data)
    points.unlink()
    there: ScoringData = pickle.loads(sent)  # noqa: S301
    again, labels = there.draw(4, seed=0)
    assert torch.equal(batch.inputs["x"], again.inputs["x"])
    assert torch.equal(targets["label"], labels["label"])
    assert score.measure(Candidate(space, small(space), data=there)) == here


def test_a_run_records_its_data_and_resume_and_rank_use_them(tmp_path: Path, points: Path) -> None:
    run, noise = tmp_path / "run", tmp_path / "noise"
    assert search(run, "--data", str(points)).returncode == 0
    assert search(noise).returncode == 0
    on_data, on_noise = components(run), components(noise)
    assert on_data.keys() == on_noise.keys()
    assert all(on_data[key] != on_noise[key] for key in on_data)
    with read_run(run) as store:
        header = store.header()
    assert header["config"]["data"]["path"] == str(points)
    assert header["config"]["data"]["task"]["name"] == "points/side"
    assert header["data"]["samples"] == 120
    with read_run(noise) as store:
        assert "data" not in store.header() and "data" not in store.header()["config"]
    done = denas_here("search", "--resume", str(run), "--budget", "5", "-q")
    assert done.returncode == 0, done.stderr
    assert denas_here("rank", str(run), "--compute").returncode == 0
    best = max(on_data, key=lambda key: on_data[key])
    done = denas_here("score", str(run), "--arch", best, "--no-latency", "--json")
    document = json.loads(done.stdout)
    assert document["components"]["loss-gradient"] == on_data[best]
    assert document["data"]["fingerprint"] == header["data"]["fingerprint"]
    assert denas_here("report", str(run), "--confidence", "--seeds", "1").returncode == 0


def test_data_that_have_changed_are_refused_and_data_that_have_moved_are_not(
    tmp_path: Path, points: Path
) -> None:
    run = tmp_path / "run"
    assert search(run, "--data", str(points)).returncode == 0
    moved = points.rename(tmp_path / "moved.txt")
    for command in (("search", "--resume", str(run)), ("rank", str(run), "--compute")):
        done = denas_here(*command)
        assert done.returncode == 2
        assert done.stderr.startswith(f"error: cannot read {str(points)!r}")
        assert done.stderr.count("\n") == 1
    # Nothing is scored, so the data are not needed.
    assert denas_here("rank", str(run)).returncode == 0
    assert denas_here("report", str(run)).returncode == 0
    resumed = ["search", "--resume", str(run), "--budget", "5", "-q", "--data", str(moved)]
    done = denas_here(*resumed)
    assert done.returncode == 0, done.stderr
    write_points(moved, seed=1)
    for command in (resumed, ["rank", str(run), "--compute"], ["report", str(run), "--confidence"]):
        done = denas_here(*command)
        assert done.returncode == 2
        assert "was scored on other data" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--data", "nowhere.txt"], "cannot read"),
        (["--task", "points/side"], "--task 'points/side' names the task that reads the data"),
        (["--data", "points.txt", "--task", "points/nothing"], "points/nothing"),
        (["--data", "points.txt", "--set", "data.task.spread=1"], "has no option 'spread'"),
        (["--data", "points.txt", "--set", "data.size=1"], "data.size"),
        (["--data", "points.txt", "--set", "score.batch_size=500"], "a batch of 500 samples"),
        (["--data", "empty.txt"], "holds no sample to score with"),
        (["--data", ""], "is not a name of a file or folder"),
    ],
)
def test_bad_data_is_one_line(
    tmp_path: Path, points: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.txt").write_text("")
    done = search(tmp_path / "run", *options)
    assert done.returncode == 2, done.stderr
    assert text in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_configuration_names_data_and_options_of_the_task(tmp_path: Path, points: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(f"space: points/mlp\nscore: points/loss-gradient\ndata: {points}\n")
    done = denas_here("config", "show", str(file), "--resolved", "--set", "data.task.jitter=0.5", "--json")
    data = json.loads(done.stdout)["data"]
    assert data == {
        "path": str(points),
        "task": {"name": "points/side", "jitter": 0.5, "mix": False, "skip": False},
    }
    assert denas_here("config", "validate", str(file)).returncode == 0
    points.unlink()
    assert denas_here("config", "validate", str(file)).returncode == 2


def test_python_takes_data_too(tmp_path: Path, points: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = denas_core.search(
        "points/mlp", score="points/loss-gradient", data=Path(points.name), budget=2, device="cpu", out="run"
    )
    with read_run(result.path) as store:
        assert store.header()["config"]["data"]["path"] == str(points)
    assert search(tmp_path / "other", "--data", str(points)).returncode == 0
    assert components(tmp_path / "run").items() <= components(tmp_path / "other").items()


def test_scores_are_evaluated_on_data(tmp_path: Path, points: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    archs = [{"depth": depth, "width": width} for depth in (1, 2, 3, 4) for width in (4, 8, 16)]
    rows = [{"arch": json.dumps(arch), "accuracy": 0.5 + 0.01 * place} for place, arch in enumerate(archs)]
    Path("table.json").write_text(json.dumps(rows))
    command = ["evaluate-proxy", "--table", "table.json", "--space", "points/deep", "--seeds", "1", "-q"]
    command += ["--target", "accuracy", "--scores", "points/loss-gradient", "--device", "cpu", "--json"]
    command += ["--baseline", "points/size", "--data", str(points), "--out", "out"]
    done = denas_here(*command)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["data"]
    assert found["path"] == str(points) and found["samples"] == 120
    assert found["task"]["id"] == "points/side"
    write_points(points, seed=1)
    done = denas_here(*command)
    assert done.returncode == 2
    assert "data.fingerprint" in done.stderr and done.stderr.count("\n") == 1
