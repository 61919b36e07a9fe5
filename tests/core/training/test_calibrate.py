"""``denas calibrate``: weights that were fitted to trainings rank a run, or are refused and leave it as it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from denas_core.contracts.task import Metric
from denas_core.runs.files import read_run
from denas_core.values.trial import Trial
from tests.core.toy_searches import denas_here

from .trainings import PLUGIN, write_points

CALIBRATE = ["calibrate", "run", "--data", "points.txt", "--epochs", "1", "--device", "cpu", "-q"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with points, and a run whose twelve networks have been trained."""
    place = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PLUGIN))
        patch.setenv("DENAS_WORKERS", "1")
        write_points(place / "points.txt")
        options = (
            "--score points/mixed --objective score --objective params --budget 12 --seed 5 --device cpu -q"
        )
        searched = denas_here("search", "points/deep", *options.split(), "--out", "run", cwd=place)
        assert searched.returncode == 0, searched.stderr
        shutil.copytree(place / "run", place / "before")
        # Whether the weights are better on real accuracies does not matter here.
        done = denas_here(*CALIBRATE, cwd=place)
        assert done.returncode in (0, 1), done.stderr
        shutil.copytree(place / "run" / "trainings", place / "before" / "trainings")
        shutil.rmtree(place / "run")
        (place / "before").rename(place / "run")
    yield place


@pytest.fixture
def place(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it."""
    monkeypatch.setenv("DENAS_WORKERS", "1")
    return Path(shutil.copytree(trained, tmp_path / "copy"))


def digits(trial: Trial) -> float:
    return trial.evaluation.components["digits"]


def write_accuracies(run: Path, accuracy: Callable[[Trial], float]) -> list[Trial]:
    """Replace the measured accuracies of the trainings by ones with a known truth, and return the trials."""
    with read_run(run) as store:
        trials = store.trials()
    for trial in trials:
        (path,) = run.glob(f"trainings/*/{trial.arch.key[:16]}/result.json")
        document = json.loads(path.read_text())
        document["best"]["accuracy"] = accuracy(trial)
        path.write_text(json.dumps(document))
    return trials


def ranked(place: Path, *options: str) -> list[str]:
    done = denas_here("rank", "run", "--top", "12", "--json", *options, cwd=place)
    assert done.returncode == 0, done.stderr
    return [row["key"] for row in json.loads(done.stdout)["ranked"]]


def best(place: Path) -> Any:
    return json.loads((place / "run" / "best.json").read_text())


def test_better_weights_rank_the_run_everywhere(place: Path) -> None:
    trials = write_accuracies(place / "run", lambda trial: digits(trial) / 2**32)
    by_digits = max(trials, key=digits)
    before = ranked(place)
    shutil.copytree(place / "run", place / "other")
    assert before[0] != by_digits.arch.key
    done = denas_here(*CALIBRATE, cwd=place)
    assert done.returncode == 0, done.stderr
    document = json.loads((place / "run" / "calibration.json").read_text())
    weights = document["weights"]
    assert weights["digits"] > 5 * weights["size"]
    assert document["weights_before"] == {"size": 1.0, "digits": 1.0}
    assert document["kendall"] > document["kendall_before"] + 0.2
    assert len(document["networks"]) == 12
    assert "best architecture: " + by_digits.arch.key[:12] in done.stdout
    assert best(place) == by_digits.arch.as_dict()
    result = json.loads((place / "run" / "result.json").read_text())
    assert result["best"]["key"] == by_digits.arch.key
    assert "fitted to 12 trainings" in " ".join(result["notices"])
    assert (place / "run" / "architectures" / f"{by_digits.arch.key}.json").is_file()
    now = ranked(place)
    assert now[0] == by_digits.arch.key
    report = json.loads(denas_here("report", "run", "--json", cwd=place).stdout)
    assert report["score"]["weights"] == {name: value for name, value in weights.items() if value > 0}
    assert report["best"]["key"] == by_digits.arch.key
    assert "fitted to 12 trainings" in " ".join(report["notices"])
    assert ranked(place, "--weights", "size=1,digits=1") == before
    shutil.copytree(place / "run", place / "twin")
    compared = denas_here("compare", "run", "twin", "--json", cwd=place)
    assert compared.returncode == 0, compared.stderr
    assert json.loads(compared.stdout)["joint"]["top"][0]["key"] == by_digits.arch.key
    differing = json.loads(denas_here("compare", "run", "other", "--json", cwd=place).stdout)
    assert "run and other score differently: weights." in differing["not_comparable"]
    resumed = denas_here("search", "--resume", "run", "-q", cwd=place)
    assert resumed.returncode == 0, resumed.stderr
    assert "fitted to 12 trainings" in resumed.stderr
    assert best(place) == by_digits.arch.as_dict()


def test_a_calibration_can_be_undone(place: Path) -> None:
    original = {
        name: json.loads((place / "run" / name).read_text())
        for name in ("best.json", "insight.json", "result.json")
    }
    write_accuracies(place / "run", lambda trial: digits(trial) / 2**32)
    assert denas_here(*CALIBRATE, cwd=place).returncode == 0
    assert best(place) != original["best.json"]
    again = denas_here(*CALIBRATE, cwd=place)
    assert again.returncode == 0, again.stderr
    undone = denas_here("calibrate", "run", "--undo", cwd=place)
    assert undone.returncode == 0, undone.stderr
    assert not (place / "run" / "calibration.json").exists()
    for name, document in original.items():
        found = json.loads((place / "run" / name).read_text())
        assert (
            {**found, "notices": []} == {**document, "notices": []}
            if name != "best.json"
            else found == document
        )


def test_weights_that_are_not_better_leave_the_run_as_it_is(place: Path) -> None:
    result = json.loads((place / "run" / "result.json").read_text())
    order = ranked(place)
    write_accuracies(place / "run", lambda trial: 1 - order.index(trial.arch.key) / 12)
    before = files(place / "run")
    done = denas_here(*CALIBRATE, cwd=place)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        "error: weights fitted to 12 networks do not rank better than those of the search: tau-b with accuracy "
    )
    assert done.stderr.endswith(
        "1.00 [1.00, 1.00] with those of the search; they are better in 0 % of the draws of networks; run 'run' is "
        "unchanged\n"
    )
    assert files(place / "run") == before
    assert json.loads((place / "run" / "result.json").read_text()) == result


def test_accuracies_below_the_worst_of_the_metric_count_as_equal(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from denas_points.task import Side

    monkeypatch.setattr(Side, "metric", Metric(name="accuracy", worst=0.5, is_share=True))
    weights = []
    # The networks below the worst are in one order, and then in the other.
    for turned in (False, True):

        def accuracy(trial: Trial, turned: bool = turned) -> float:
            above = digits(trial) / 2**32 - 0.3
            return 0.2 - above if turned and above < 0 else 0.5 + above

        write_accuracies(place / "run", accuracy)
        assert denas_here(*CALIBRATE, cwd=place).returncode == 0
        weights.append(json.loads((place / "run" / "calibration.json").read_text())["weights"])
    assert weights[0] == weights[1]


def files(run: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(run)): path.read_bytes()
        for path in run.rglob("*")
        if path.is_file() and "study.db" not in path.name
    }


def test_a_removed_run_leaves_only_its_trainings(place: Path) -> None:
    write_accuracies(place / "run", lambda trial: digits(trial) / 2**32)
    assert denas_here(*CALIBRATE, cwd=place).returncode == 0
    done = denas_here("run", "rm", "run", "--yes", cwd=place)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (place / "run").iterdir()] == ["trainings"]


def test_a_damaged_calibration_is_one_line(place: Path) -> None:
    (place / "run" / "calibration.json").write_text(
        '{"schema": "denas.calibration/1", "weights": {"size": -1}}'
    )
    done = denas_here("rank", "run", cwd=place)
    assert done.returncode == 5
    assert "'run/calibration.json' is damaged: " in done.stderr
    assert done.stderr.endswith("remove it to rank with the weights of the search\n")
    assert done.stderr.count("\n") == 1


BAD = {
    "too few": (["--train", "7"], "--train 7: weights are fitted to at least 8 networks"),
    "too many": (["--train", "13"], "run 'run' has 12 scored trials, which is less than the 13 networks"),
    "no data": (["--data", "none.txt"], "none.txt': No such file"),
    "another part": (["--set", "size.x=1"], "--set size: a training has keys of training and task"),
    "the space": (["--set", "space.dropout=0.1"], "--set space.dropout: the space is that of run 'run'"),
    "nothing to undo": (["--undo"], "run 'run' has no calibration to undo"),
    "a device": (["--device", "tpu"], "device 'tpu' is none of auto, cpu, cuda"),
}


@pytest.mark.parametrize(("given", "text"), BAD.values(), ids=list(BAD))
def test_what_cannot_be_calibrated_is_one_line(trained: Path, given: list[str], text: str) -> None:
    before = files(trained / "run")
    done = denas_here(*CALIBRATE, *given, cwd=trained)
    assert done.returncode == 2, done.stderr
    assert text in done.stderr
    assert done.stderr.count("\n") == 1
    assert files(trained / "run") == before


def test_a_single_score_has_no_weights(trained: Path, tmp_path: Path) -> None:
    options = "--score points/size --objective score --objective params --budget 12 --device cpu -q"
    searched = denas_here("search", "points/deep", *options.split(), "--out", "run", cwd=tmp_path)
    assert searched.returncode == 0, searched.stderr
    done = denas_here("calibrate", "run", "--data", str(trained / "points.txt"), cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "error: score 'points/size' of run 'run' has a single component, so there are no weights to fit\n"
    )
