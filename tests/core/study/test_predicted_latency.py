"""A search that knows the latency of its candidates by prediction, and measures finalists at the end."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from denas_core import Latency, SearchResult
from denas_core.errors import ConfigError, StoreDamaged
from denas_core.launch import resume, search
from denas_core.runs.files import read_run
from denas_core.runs.measurements import OF_SEARCH, Measurement
from tests import warm
from tests.core.predicting import Guess, Scale
from tests.core.toy_searches import TOY as TOY_FOLDER
from tests.core.toy_searches import denas_here, environment

TOY: dict[str, Any] = {
    "space": "toy/stairs",
    "score": "toy/height",
    "device": "cpu",
    "executor": "builtin/serial",
    "constraints": ["latency_ms<=200"],
}


def found(out: Path, probe: Any, *, factor: float = 1.0, **changes: Any) -> SearchResult:
    """Search the toy space with a prediction that is wrong by a factor."""
    options = {**TOY, "budget": 60, "predictor": Guess(factor), "probe": probe, **changes}
    return search(**options, out=out)


def test_candidates_beyond_the_bound_are_turned_away_before_they_are_scored_or_measured(
    tmp_path: Path,
) -> None:
    probe = Scale()
    result = found(tmp_path / "run", probe)
    with read_run(result.path) as store:
        trials = store.searched_trials()
    for trial in trials:
        assert trial.evaluation.latency is not None
        assert trial.evaluation.latency["verdict"] == "predicted"
        assert trial.is_scored == (trial.evaluation.metrics["latency_ms"] <= 200)
        assert trial.is_scored or not trial.evaluation.components
    # Proposals are repaired by predictions, so that hardly any is turned away.
    assert sum(trial.is_scored for trial in trials) == 60
    assert len(probe.readings) < 40


def test_the_one_that_is_returned_meets_the_bound_by_measurement(tmp_path: Path) -> None:
    result = found(tmp_path / "run", Scale(width=0.02), factor=0.97)
    best = result.best.evaluation
    assert best.latency is not None and best.latency["verdict"] == "stable"
    assert best.latency["high"] <= 200
    assert best.predicted == {"latency_ms": pytest.approx(0.97 * best.metrics["latency_ms"])}
    with read_run(result.path) as store:
        measured = store.measurements()[OF_SEARCH]
        states = {trial.arch.key: trial.evaluation.state for trial in store.trials()}
    rejected = [key for key, one in measured.items() if one.latency is not None and one.state != "scored"]
    assert rejected
    assert all(states[key] == "infeasible" for key in rejected)
    assert all(measured[key].latency["high"] > 200 for key in rejected)  # type: ignore[index]
    document = json.loads((result.path / "result.json").read_text())
    assert document["best"]["latency"]["verdict"] == "stable"
    assert document["best"]["predicted"] == dict(best.predicted)


def test_predictions_that_are_far_too_low_still_lead_to_a_network_within_the_bound(tmp_path: Path) -> None:
    probe = Scale()
    result = found(tmp_path / "run", probe, factor=0.6)
    assert result.best.evaluation.metrics["latency_ms"] <= 200
    assert result.best.evaluation.has_predicted_latency is False
    with read_run(result.path) as store:
        reasons = [one.reason for one in store.measurements()[OF_SEARCH].values() if one.latency is None]
    assert reasons
    assert all(reason.endswith("multiplied by 1.67 as for measured networks") for reason in reasons)
    assert probe.readings[:3] == sorted(probe.readings[:3], reverse=True) and max(probe.readings[3:]) <= 200


def test_finalists_and_front_are_measured_and_the_rest_is_not(tmp_path: Path) -> None:
    result = found(tmp_path / "run", Scale(), objectives=["score", "latency_ms"])
    shown = {trial.arch.key: trial for trial in (*result.ranked[:10], *result.front)}
    assert all(not trial.evaluation.has_predicted_latency for trial in shown.values())
    others = [trial for trial in result.ranked if trial.arch.key not in shown]
    assert others and all(trial.evaluation.has_predicted_latency for trial in others)


def test_a_resumed_run_measures_nothing_again(tmp_path: Path) -> None:
    probe = Scale()
    first = found(tmp_path / "run", probe)
    count = len(probe.readings)
    again = resume(tmp_path / "run", predictor=Guess(), objects={"probe": probe})
    assert len(probe.readings) == count
    assert {**again.as_dict(), "notices": []} == {**first.as_dict(), "notices": []}


PROGRAM = """
from denas_core.launch import search
from tests.core.predicting import Guess, Scale
from tests.core.toy_searches import TOY as TOY_FOLDER
from tests.core.toy_searches import denas_here, environment
search(
    "toy/stairs", score="toy/height", device="cpu", executor="builtin/serial", constraints=["latency_ms<=200"],
    budget=60, predictor=Guess(0.97), probe=Scale(width=0.02, pause=0.3), out="run",
)
"""


def test_a_kill_between_two_measurements_loses_and_repeats_none(tmp_path: Path) -> None:
    here = Path(__file__).parents[3]
    process = warm.start(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, env=environment(PYTHONPATH=f"{here}:{TOY_FOLDER}")
    )
    try:
        end = time.monotonic() + 300
        while len(kept := measured_in(tmp_path / "run")) < 3:
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    kept = measured_in(tmp_path / "run")
    probe = Scale(width=0.02, pause=0.3)
    result = resume(tmp_path / "run", predictor=Guess(0.97), objects={"probe": probe})
    after = measured_in(tmp_path / "run")
    assert list(after)[: len(kept)] == list(kept) and {key: after[key] for key in kept} == kept
    assert len(after) == len(kept) + len(probe.readings)
    undisturbed = found(tmp_path / "whole", Scale(width=0.02), factor=0.97)
    assert result.best.arch.key == undisturbed.best.arch.key
    assert set(after) == set(measured_in(tmp_path / "whole"))


def measured_in(run: Path) -> dict[str, Measurement]:
    """Return what the end of a search has measured so far."""
    if not (run / "study.db").exists():
        return {}
    with read_run(run) as store:
        return store.measurements().get(OF_SEARCH, {})


def test_a_raised_budget_has_the_same_trials_as_a_longer_run(tmp_path: Path) -> None:
    probe = Scale()
    found(tmp_path / "short", probe, budget=30)
    resume(tmp_path / "short", budget=150, predictor=Guess(), objects={"probe": probe})
    found(tmp_path / "long", Scale(), budget=150)
    tables = []
    for name in ("short", "long"):
        with read_run(tmp_path / name) as store:
            tables.append([trial.without_seconds() for trial in store.searched_trials()])
    assert tables[0] == tables[1]


def test_workers_score_in_parallel_with_the_same_result(tmp_path: Path) -> None:
    serial = found(tmp_path / "serial", Scale())
    spread = found(tmp_path / "spread", Scale(), executor={"name": "toy/shuffled", "workers": 4})
    assert [t.arch.key for t in spread.ranked] == [t.arch.key for t in serial.ranked]


def test_where_the_machine_is_too_noisy_predictions_are_returned_and_marked(tmp_path: Path) -> None:
    probe = Scale(width=0.5, noisy=True)
    result = found(tmp_path / "run", probe)
    assert len(probe.readings) == 3
    assert result.best.evaluation.has_predicted_latency
    assert any(
        "too noisy to measure: 3 of 3 measurements were unstable" in notice for notice in result.notices
    )


def test_where_the_probe_fails_predictions_are_returned_and_marked(tmp_path: Path) -> None:
    result = found(tmp_path / "run", Scale(broken=True))
    assert result.best.evaluation.has_predicted_latency
    assert any(
        "no latency could be measured (latency: RuntimeError: no such runtime)" in n for n in result.notices
    )


def test_without_a_model_each_candidate_is_measured_also_when_the_run_goes_on(tmp_path: Path) -> None:
    probe = Scale()
    # Networks of this space cannot be built, so that there are no operators to time.
    result = found(tmp_path / "run", probe, predictor=None, budget=10)
    assert len(probe.readings) >= 10
    assert any("the latency of each candidate is measured, because" in notice for notice in result.notices)
    with read_run(result.path) as store:
        assert store.header()["config"]["search"] == {"latency": "measured"}
    assert not (result.path / "latency-model.json").exists()
    resume(tmp_path / "run", budget=12, objects={"probe": probe})


def test_a_run_without_the_key_goes_on_as_it_began(tmp_path: Path) -> None:
    probe = Scale()
    found(tmp_path / "run", probe, predictor=None, budget=10, latency="measured")
    from denas_core.study.run_directory import RunDirectory

    with RunDirectory.open(tmp_path / "run") as run:
        stored = run.store.header()
        del stored["config"]["search"]
        run.store.set_header(stored)
    before = len(probe.readings)
    result = resume(tmp_path / "run", budget=12, objects={"probe": probe})
    assert len(probe.readings) > before
    assert not any(trial.evaluation.has_predicted_latency for trial in result.ranked)


def test_a_metric_that_nothing_predicts_is_measured(tmp_path: Path) -> None:
    result = search(
        **{**TOY, "constraints": ["charge_mah>=800"]}, probe="toy/meter", budget=5, out=tmp_path / "run"
    )
    assert any("charge_mah cannot be predicted" in notice for notice in result.notices)
    assert result.best.evaluation.metrics["charge_mah"] >= 800


def test_a_lost_or_foreign_model_is_an_error_of_one_line(tmp_path: Path) -> None:
    probe = Scale()
    found(tmp_path / "run", probe, budget=5)
    with pytest.raises(
        ConfigError, match=r"predicts latency by an object of a Python program; resume it from"
    ):
        resume(tmp_path / "run", budget=6, objects={"probe": probe})
    model = tmp_path / "run" / "latency-model.json"
    model.write_text("{")
    with pytest.raises(StoreDamaged, match=r"latency-model.json' is damaged"):
        resume(tmp_path / "run", budget=6, objects={"probe": probe}, predictor=Guess())
    model.unlink()
    with pytest.raises(StoreDamaged, match=r"has lost its latency-model.json"):
        resume(tmp_path / "run", budget=6, objects={"probe": probe}, predictor=Guess())


def test_relative_bounds_hold_by_prediction_and_by_measurement(tmp_path: Path) -> None:
    result = found(tmp_path / "run", Scale(), constraints=["latency_ms<=0.3x"])
    bound = 0.3 * 8 * 9 * 6
    assert result.best.evaluation.metrics["latency_ms"] <= bound
    with read_run(result.path) as store:
        assert all(
            t.evaluation.metrics["latency_ms"] <= bound for t in store.searched_trials() if t.is_scored
        )


@dataclasses.dataclass(frozen=True)
class Wrong(Guess):
    """Predicts a negative time."""

    def predict(self, arch: Any) -> Latency:
        return dataclasses.replace(super().predict(arch), median=-1.0)


def test_a_prediction_that_is_no_time_fails_the_candidate(tmp_path: Path) -> None:
    from denas_core.errors import NoResult

    with pytest.raises(NoResult, match="latency_ms is negative"):
        found(tmp_path / "run", Scale(), predictor=Wrong())


def test_machines_that_measured_the_front_stand_side_by_side(tmp_path: Path) -> None:
    result = found(tmp_path / "run", {"name": "toy/ruler", "width": 0.02})
    assert len(result.front) > 2
    alone = denas_here("compare", "run", cwd=tmp_path)
    assert alone.returncode == 2 and "or one whose latency two machines have measured" in alone.stderr
    slow = ["latency", "run", "--here", "--machine", "slow"]
    shown = denas_here(*slow, "--set", "probe.width=0.4", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines()[0].split() == [
        "key",
        "in",
        "the",
        "run,",
        "ms",
        "slow,",
        "ms",
        "verdict",
    ]
    with read_run(tmp_path / "run") as store:
        kept = store.measurements()["slow"]
    assert set(kept) == {trial.arch.key for trial in (result.best, *result.front)}
    assert all(one.setting["options"] == "width=0.4" for one in kept.values())
    refused = denas_here(*slow, cwd=tmp_path)
    assert refused.returncode == 2
    assert "keeps latencies of 'slow' that were measured with another options; give this" in refused.stderr
    assert denas_here("latency", "measure", "run", "--machine", " ", cwd=tmp_path).returncode == 2
    shown = denas_here("compare", "run", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "the search" in shown.stdout and "slow" in shown.stdout
    assert "Kendall tau 1.00; slow takes as long as the search (median)" in shown.stdout
    (run,) = json.loads(denas_here("compare", "run", "--json", cwd=tmp_path).stdout)["runs"]
    assert run["latency_is"] == "predicted"
    assert [machine["name"] for machine in run["machines"]["machines"]] == ["the search", "slow"]


def test_tables_and_the_report_mark_predictions(tmp_path: Path) -> None:
    result = found(tmp_path / "run", Scale(width=0.02), factor=0.97, score="toy/slope")
    listed = denas_here("trials", "run", cwd=tmp_path).stdout
    assert listed.rstrip().endswith("~: predicted by the latency model of the run; the others are measured")
    assert any(" ~" in line for line in listed.splitlines()[2:-1])
    ranked = denas_here("rank", "run", "--top", "3", cwd=tmp_path).stdout
    assert "~" not in ranked
    shown = denas_here("report", "run", "--json", cwd=tmp_path)
    document = json.loads(shown.stdout)
    latency = document["latency"]
    assert latency["predicted"] + latency["measured"] == sum(document["counts"].values())
    assert latency["model"] == Guess().error
    assert latency["error"]["median_percent"] == pytest.approx(3.0)
    assert latency["error"]["networks"] == len(latency["machines"]["rows"])
    page = (result.path / "report.html").read_text()
    assert "The search predicted the latency of its candidates" in page
    assert "Predicted and measured" in page
