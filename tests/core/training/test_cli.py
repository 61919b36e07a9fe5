"""``denas train`` and ``denas evaluate`` as a user meets them."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from denas_core.models.trained import load_model
from tests.core.toy_searches import denas_here


def test_from_a_search_to_a_measured_model(
    searched: Path, points: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(searched.parent)
    trained = denas_here("train", "run", "--data", "points.txt", "--epochs", "2", "--set", "task.jitter=0")
    assert trained.returncode == 0, trained.stderr
    lines = trained.stdout.splitlines()
    assert lines[0].startswith("best model: epoch ") and " of 2: loss 0." in lines[0]
    assert lines[1:] == [
        "model: run/training/model",
        "next:",
        f"  denas evaluate run --data {points}",
        "  denas export run --to safetensors",
    ]
    # A busy machine prints its progress in between.
    progress = [line for line in trained.stderr.splitlines() if "% step " not in line]
    assert progress[0] == "data: 120 samples to train on, 40 to measure on"
    assert progress[1].startswith("training: ") and ", 2 epochs in batches of " in progress[1]
    assert progress[2].startswith("epoch 1 of 2: loss ") and "accuracy 0." in progress[3]
    assert len(progress) == 4, "nothing else is printed"
    settings = json.loads((searched / "training" / "settings.json").read_text())
    assert settings["settings"]["seed"] == 5 and settings["task"]["options"]["jitter"] == 0
    assert settings["arch"] == json.loads((searched / "best.json").read_text())

    measured = denas_here("evaluate", "run", "--data", "points.txt", "--json")
    assert measured.returncode == 0, measured.stderr
    document = json.loads(measured.stdout)
    model = load_model(searched / "training" / "model")
    assert document["metrics"] == pytest.approx(dict(model.metrics))
    assert document["samples"] == 40
    by_hand = 0
    for line in points.read_text().splitlines()[::4]:
        x, y, label = line.split()
        with torch.no_grad():
            by_hand += int(model.network(torch.tensor([[float(x), float(y)]])).argmax()) == int(label)
    assert document["metrics"]["accuracy"] == by_hand / 40
    for same in ("run/training", "run/training/model"):
        assert (
            json.loads(denas_here("evaluate", same, "--data", "points.txt", "--json").stdout)["metrics"]
            == (document["metrics"])
        )
    table = denas_here("evaluate", "run", "--data", "points.txt")
    assert "accuracy" in table.stdout and table.stderr == "points/side on 40 samples of points.txt\n"

    again = denas_here("train", "run", "--data", "points.txt")
    assert again.returncode == 2 and "holds a finished training (accuracy " in again.stderr
    resumed = denas_here("train", "run", "--resume", "--json", "-q")
    assert resumed.returncode == 0 and json.loads(resumed.stdout)["steps"] == 14
    differs = denas_here("train", "run", "--resume", "--lr", "0.1")
    assert differs.returncode == 2 and "cannot go on with settings.lr: 0.05 -> 0.1" in differs.stderr


def test_another_finalist_by_its_key(searched: Path, points: Path, tmp_path: Path) -> None:
    best = json.loads((searched / "best.json").read_text())
    files = sorted((searched / "architectures").glob("*.json"))
    other = next(file for file in files if json.loads(file.read_text()) != best)
    out = tmp_path / "other"
    arguments = ["train", str(searched), "--data", str(points), "--epochs", "1", "--out", str(out), "-q"]
    done = denas_here(*arguments, "--arch", other.stem[:10])
    assert done.returncode == 0, done.stderr
    assert load_model(out / "model").arch.as_dict() == json.loads(other.read_text())
    assert done.stderr == ""
    assert f"next:\n  denas evaluate {out} --data {points}\n" in done.stdout
    smallest = json.loads((searched / "result.json").read_text())["choices"]["smallest"]
    chosen = denas_here(*arguments[:-2], str(tmp_path / "chosen"), "-q", "--select", "smallest")
    assert chosen.returncode == 0, chosen.stderr
    assert load_model(tmp_path / "chosen" / "model").arch.key == smallest
    file = denas_here(*arguments[:-2], str(tmp_path / "file"), "-q", "--arch", str(other))
    assert file.returncode == 0, file.stderr
    assert load_model(tmp_path / "file" / "model").arch.as_dict() == json.loads(other.read_text())


def test_a_key_that_no_finalist_has_lists_those_there_are(
    searched: Path, points: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for wrong in ("zzzz", "424242424242"):
        done = denas_here("train", str(searched), "--data", str(points), "--arch", wrong, "--out", str(out))
        assert done.returncode == 2 and not out.exists()
        assert f"no finalist of run '{searched}' has a key that begins with '{wrong}'" in done.stderr
        assert all(file.stem[:12] in done.stderr for file in (searched / "architectures").glob("*.json"))
        assert done.stderr.count("\n") == 1


def test_the_key_that_began_a_training_may_be_said_again_on_resume(
    searched: Path, points: Path, tmp_path: Path
) -> None:
    key = min((searched / "architectures").glob("*.json")).stem[:10]
    out = str(tmp_path / "out")
    arguments = ["train", str(searched), "--data", str(points), "--arch", key, "--epochs", "1", "--out", out]
    assert denas_here(*arguments, "-q").returncode == 0
    again = denas_here(*arguments, "--resume", "-q")
    assert again.returncode == 0, again.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "'points/mlp' is a space, not a run: a training of one also needs --arch and --out"),
        (["--out", "out"], "a training of one also needs --arch"),
        (["--arch", '{"depth": 1, "width": 4}'], "a training of one also needs --out"),
    ],
)
def test_a_space_says_what_it_needs(
    points: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = denas_here("train", "points/mlp", "--data", str(points), *arguments)
    assert done.returncode == 2 and text in done.stderr


def test_a_space_without_a_run(points: Path, tmp_path: Path) -> None:
    arguments = ["train", "points/mlp", "--arch", '{"depth": 1, "width": 4}', "--data", str(points)]
    arguments += ["--epochs", "1", "--set", "space.norm=batch", "--out", str(tmp_path / "out"), "-q"]
    assert denas_here(*arguments).returncode == 0
    assert load_model(tmp_path / "out" / "model").space.options()["norm"] == "batch"


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--set", "training.lrs=1"], 2, "'training' has no option 'lrs'; did you mean 'lr'"),
        (
            ["--set", "lr=1"],
            2,
            "a training has keys of training and task, such as training.schedule; did you mean",
        ),
        (
            ["--set", "space.norm=batch"],
            2,
            "--set changes options of training and task only: the space is that of run",
        ),
        (["--set", "task.jiter=1"], 2, "did you mean 'jitter'"),
        (
            ["--vocab", "names.txt"],
            2,
            "'points/side' has no option 'vocab' (the command line); it has jitter, mix",
        ),
        (
            ["--allow-pickle"],
            2,
            "'points/mlp' has no option 'allow_pickle' (the command line); it has classes",
        ),
        (["--task", "points/sides"], 2, "did you mean 'points/side'"),
        (["--teacher", "nowhere"], 2, "'nowhere' is neither a run nor a trained model"),
        (["--arch", "nothing.json"], 2, "nothing.json"),
        (["--data", "nowhere.txt"], 2, "nowhere.txt': No such file or directory; name a file of points"),
        (["--device", "gpu"], 2, "device 'gpu' is not one of auto, cpu, cuda"),
        (["--epochs", "-1"], 2, "option 'epochs' of 'training'"),
        (["--resume"], 2, "there is no training in"),
    ],
)
def test_a_wrong_option_is_one_line_and_leaves_nothing(
    searched: Path, points: Path, arguments: list[str], code: int, text: str
) -> None:
    data = [] if "--data" in arguments else ["--data", str(points)]
    done = denas_here("train", str(searched), *data, *arguments)
    assert done.returncode == code, done.stderr
    assert text in done.stderr and done.stderr.count("\n") == 1 and done.stderr.startswith("error: ")
    assert not (searched / "training").exists()


def test_no_data_and_no_run(searched: Path, tmp_path: Path) -> None:
    assert "name one with --data" in denas_here("train", str(searched)).stderr
    done = denas_here("train", str(tmp_path / "nowhere"), "--data", "x")
    assert done.returncode == 2 and "is not a run directory" in done.stderr
    (searched / "best.json").unlink()
    done = denas_here("train", str(searched), "--data", "x")
    assert done.returncode == 2 and "has no best architecture yet; finish its search" in done.stderr
    done = denas_here("evaluate", str(searched), "--data", "x")
    assert done.returncode == 2 and "is not trained; train it first: denas train" in done.stderr


def test_data_of_other_labels_is_not_measured(searched: Path, points: Path, tmp_path: Path) -> None:
    assert denas_here("train", str(searched), "--data", str(points), "--epochs", "0", "-q").returncode == 0
    other = tmp_path / "other.txt"
    other.write_text("0 0 0\n0 0 7")
    done = denas_here("evaluate", str(searched), "--data", str(other))
    assert done.returncode == 2 and "has the labels [0, 7], the model [0, 1]" in done.stderr
    (searched / "training" / "model" / "model.safetensors").write_bytes(b"")
    done = denas_here("evaluate", str(searched), "--data", str(points))
    assert done.returncode == 5 and "is damaged" in done.stderr


def test_an_evaluation_sets_options_of_the_task(searched: Path, points: Path, tmp_path: Path) -> None:
    assert denas_here("train", str(searched), "--data", str(points), "--epochs", "1", "-q").returncode == 0
    damaged = tmp_path / "damaged.txt"
    damaged.write_text("0.5 0.5 -1\n" + points.read_text())
    evaluation = ("evaluate", str(searched), "--data", str(damaged))
    done = denas_here(*evaluation)
    assert done.returncode == 2 and "point 0 has no side" in done.stderr
    left_out = denas_here(*evaluation, "--set", "task.skip=true", "--json")
    assert left_out.returncode == 0, left_out.stderr
    whole = denas_here("evaluate", str(searched), "--data", str(points), "--json")
    assert json.loads(left_out.stdout)["metrics"] == json.loads(whole.stdout)["metrics"]
    for wrong, text in (
        ("task.skp=true", "did you mean 'skip'"),
        ("training.lr=1", "only keys of the task can be set"),
    ):
        done = denas_here(*evaluation, "--set", wrong)
        assert done.returncode == 2 and text in done.stderr and done.stderr.count("\n") == 1


def test_a_missing_library_is_one_line(searched: Path, points: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec

    def without(name: str, *rest: Any) -> Any:
        return None if name in ("transformers", "accelerate") else found(name, *rest)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    done = denas_here("train", str(searched), "--data", str(points))
    assert done.returncode == 2
    assert done.stderr == (
        "error: training needs transformers and accelerate: pip install 'denas-core[train]'\n"
    )


def test_without_tensorboard_there_is_a_notice(
    searched: Path, points: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib

    real = importlib.import_module

    def without(name: str, *rest: Any) -> Any:
        if name == "tensorboard":
            raise ModuleNotFoundError("No module named 'tensorboard'")
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", without)
    done = denas_here("train", str(searched), "--data", str(points), "--epochs", "1", "-q", "--json")
    assert done.returncode == 0
    assert done.stderr.startswith("note: tensorboard is not installed: no events are written")
    assert not (searched / "training" / "events").exists()


def test_progress_in_a_terminal_is_a_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import sys

    from denas_core.progress.training import TrainingDisplay

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    bar = TrainingDisplay("accuracy")
    bar.started(step=2, total=8, epochs=4)
    bar.stepped(4)
    bar.logged({"step": 4, "epoch": 2.0, "loss": 0.5, "lr": 0.1})
    bar.logged({"step": 4, "epoch": 2.0, "metrics": {"loss": 0.75, "accuracy": 0.25}})
    bar.finished()
    shown = capsys.readouterr().err
    assert "going on after step 2 of 8" in shown
    assert "epoch 2 of 4: loss 0.5 in training; accuracy 0.25, loss 0.75" in shown
    assert "step 4 of 8, loss 0.5" in shown and "50%" in shown and "━" in shown


def test_the_bar_of_a_training_whose_time_is_limited_follows_the_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import sys
    import time

    from denas_core.progress.training import TrainingDisplay
    from denas_core.training.settings import TrainingSettings

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    bar = TrainingDisplay("accuracy", TrainingSettings(max_time="0.01s"))
    bar.started(step=0, total=1000, epochs=100)
    time.sleep(0.02)
    bar.stepped(4)
    bar.finished()
    shown = capsys.readouterr().err
    assert "100%" in shown and "step 4 of 1000" in shown


def test_progress_that_nobody_reads_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from denas_core.progress.training import TrainingDisplay

    class Closed:
        def isatty(self) -> bool:
            return False

        def write(self, text: str) -> int:
            raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(sys, "stderr", Closed())
    lines = TrainingDisplay("accuracy")
    lines.started(step=2, total=8, epochs=4)
    lines.logged({"step": 4, "epoch": 2.0, "metrics": {"loss": 0.75, "accuracy": 0.25}})
