"""A run as an Optuna study: from a real search on counts alone, read with Optuna."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import optuna
import pytest

from denas_core.registry.registry import Registry
from denas_core.results.run_export import record_run
from denas_core.runs.files import read_run
from tests.core.toy_searches import denas_here

SEARCH = (
    "search cv/cnn --strategy optuna/tpe --score scores/params -c params<=300k -c params>=20k --budget 14 "
    "--set space.max_layers=2 --set space.image_size=8 --set strategy.startup=6 --set strategy.batch=4 --seed 3 "
    "--out run"
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished search with the scores of counts."""
    folder = tmp_path_factory.mktemp("optuna")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert denas_here(*SEARCH.split()).returncode == 0
    return folder / "run"


def test_every_trial_is_in_the_study_with_values_and_attributes(run: Path) -> None:
    done = denas_here("export", str(run), "--to", "optuna", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["schema"], document["exporter"]) == ("denas.exported/1", "optuna/optuna")
    path = run / "export" / "optuna" / "study.db"
    assert Path(document["path"]) == path
    assert sorted(each.name for each in path.parent.iterdir()) == ["card.json", "study.db"]
    study = optuna.load_study(study_name="run", storage=f"sqlite:///{path}")
    with read_run(run) as store:
        trials = store.trials()
    assert document["trials"] == len(study.trials) == len(trials) == 14
    assert study.metric_names == ["score", "params", "flops"]
    assert [each.name for each in study.directions] == ["MAXIMIZE", "MINIMIZE", "MINIMIZE"]
    assert study.user_attrs["seed"] == 3
    values = record_run(run, Registry.discover()).history.values
    for there, here in zip(study.trials, trials, strict=True):
        metrics = here.evaluation.metrics
        assert there.state.name == "COMPLETE"
        assert there.params == here.arch.as_dict()
        assert there.values == [values[here.arch.key], metrics["params"], metrics["flops"]]
        assert there.user_attrs["components"] == dict(here.evaluation.components)
        assert there.user_attrs["metrics"] == dict(metrics)
        assert there.user_attrs["key"] == here.arch.key
        assert there.duration.total_seconds() == pytest.approx(
            sum(here.evaluation.seconds.values()), abs=1e-3
        )
    for first, second in itertools.pairwise(study.trials):
        assert first.datetime_complete == second.datetime_start
    front = {each["key"] for each in json.loads((run / "result.json").read_text())["front"]}
    assert {trial.user_attrs["key"] for trial in study.best_trials} == front


def test_the_study_can_be_continued_in_optuna(run: Path, tmp_path: Path) -> None:
    assert denas_here("export", str(run), "--to", "optuna", "--out", str(tmp_path / "there")).returncode == 0
    study = optuna.load_study(study_name="run", storage=f"sqlite:///{tmp_path / 'there' / 'study.db'}")
    first = study.trials[0]
    trial = study.ask(dict(first.distributions))
    study.tell(trial, [0.0, 1.0, math.inf])
    assert len(study.trials) == 15


def test_an_export_is_replaced_only_when_asked_and_has_no_untrained_form(run: Path, tmp_path: Path) -> None:
    there = str(tmp_path / "there")
    assert denas_here("export", str(run), "--to", "optuna", "--out", there).returncode == 0
    done = denas_here("export", str(run), "--to", "optuna", "--out", there)
    assert (done.returncode, "holds an export already" in done.stderr) == (2, True)
    done = denas_here("export", str(run), "--to", "optuna", "--out", there, "--replace")
    assert "14 trials, all read back and equal to those of the run" in done.stdout
    done = denas_here("export", str(run), "--to", "optuna", "--untrained")
    assert done.returncode == 2
    assert done.stderr == (
        "error: --untrained is for networks, and 'optuna/optuna' writes the trials of a run\n"
    )


def test_a_resumed_search_goes_on_as_if_it_had_not_stopped(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(run.parent)
    shorter = SEARCH.replace("--budget 14", "--budget 9").replace("--out run", "--out short")
    assert denas_here(*shorter.split()).returncode == 0
    assert denas_here("search", "--resume", "short", "--budget", "14").returncode == 0
    found = []
    for name in ("run", "short"):
        with read_run(Path(name)) as store:
            found.append([trial.arch.key for trial in store.trials()])
    assert found[0] == found[1]
