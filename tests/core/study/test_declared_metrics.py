"""A metric that a plugin declares is in constraints, the front, the report and the comparison of a real search."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from denas_core import ArchitectureMetric, Latency, search
from denas_core.errors import ConfigError
from denas_core.runs.files import read_run
from denas_core.values.ranking import pareto_front
from tests.core.toy_searches import denas_here, toy_search
from tests.toy.denas_toy.energy import Lift, Meter

LIFT = {"space": "toy/lift", "probe": "toy/meter", "budget": 40}
CONSTRAINTS = ["energy_mj<=10", "charge_mah>=850"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "lift"
    toy_search(out, **LIFT, constraints=CONSTRAINTS, objectives=["score", "energy_mj", "charge_mah"])
    return out


@pytest.fixture(params=["with its plugin", "without its plugin"])
def plugin(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param.startswith("without"):
        monkeypatch.setenv("DENAS_DISABLE_PLUGINS", "toy")


def document(*arguments: str) -> dict[str, Any]:
    done = denas_here(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    loaded: dict[str, Any] = json.loads(done.stdout)
    return loaded


def test_constraints_on_declared_metrics_hold(run: Path) -> None:
    store = read_run(run)
    trials = store.trials()
    store.close()
    scored = [trial.evaluation.metrics for trial in trials if trial.is_scored]
    assert scored and len(scored) < len(trials)
    assert all(metrics["energy_mj"] <= 10 and metrics["charge_mah"] - 1 >= 850 for metrics in scored)
    reasons = " ".join(trial.evaluation.reason for trial in trials)
    assert "charge_mah>=850" in reasons


def test_the_front_minimises_one_and_maximises_the_other(run: Path) -> None:
    result = json.loads((run / "result.json").read_text())
    scored = [row for row in document("report", str(run))["trials"] if row["state"] == "scored"]
    points = [(-row["score"], row["metrics"]["energy_mj"], -row["metrics"]["charge_mah"]) for row in scored]
    expected = {scored[index]["key"] for index in pareto_front(points)}
    assert {row["key"] for row in result["front"]} == expected


@pytest.mark.usefixtures("plugin")
def test_reports_have_their_titles_directions_and_charts(run: Path) -> None:
    report = document("report", str(run))
    shown = {metric["name"]: metric["title"] for metric in report["metrics"]}
    assert list(shown) == ["params", "flops", "latency_ms", "charge_mah", "energy_mj"]
    assert (shown["energy_mj"], shown["charge_mah"]) == ("energy (mJ)", "charge left (mAh)")
    rows = {row["name"]: row["direction"] for row in report["comparison"]["rows"]}
    assert (rows["energy_mj"], rows["charge_mah"]) == ("minimize", "maximize")
    budgets = {row["metric"]: row["rejected"] for row in report["budgets"]["constraints"]}
    assert budgets["charge_mah"] > 0 and "energy_mj" in budgets
    assert report["front"] == [row["key"] for row in json.loads((run / "result.json").read_text())["front"]]
    page = run.parent / "page.html"
    assert denas_here("report", str(run), "--out", str(page)).returncode == 0
    html = page.read_text(encoding="utf-8")
    assert re.search(r"charge left \(mAh\)</text>", html) and "energy (mJ)" in html


@pytest.mark.usefixtures("plugin")
def test_rankings_and_comparisons_have_them(run: Path, tmp_path: Path) -> None:
    printed = denas_here("rank", str(run))
    assert printed.returncode == 0 and "energy_mj" in printed.stdout and "charge_mah" in printed.stdout
    other = tmp_path / "again"
    shutil.copytree(run, other)
    comparison = document("compare", str(run), str(other))
    assert comparison["tables"][0]["identical"]
    assert comparison["joint"]["objectives"] == ["score", "energy_mj", "charge_mah"]
    assert comparison["joint"]["top"][0]["metrics"]["energy_mj"] > 0
    assert "charge_mah" in denas_here("compare", str(run), str(other)).stdout


def test_a_component_shows_what_it_declares() -> None:
    assert [metric["title"] for metric in document("show", "toy/lift")["metrics"]] == ["energy (mJ)"]
    assert "charge left (mAh)" in denas_here("show", "toy/meter").stdout


def test_a_run_keeps_the_declarations(run: Path) -> None:
    stored = json.loads((run / "insight.json").read_text())["metrics"]
    assert stored == [metric.as_dict() for metric in (*Lift.metrics, *Meter.metrics)]


def test_a_run_without_declarations_writes_none(tmp_path: Path) -> None:
    toy_search(tmp_path / "run", budget=10)
    assert "metrics" not in json.loads((tmp_path / "run/insight.json").read_text())


def test_a_metric_that_neither_space_nor_probe_declares_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"unknown metric 'energy_mj' \(constraint 'energy_mj<=5'\); .*known: "
    ):
        toy_search(tmp_path / "run", constraints=["energy_mj<=5"])
    assert not (tmp_path / "run").exists()


class Forgetful(Meter):
    """Declares a metric and does not measure it."""

    def other_metrics(self, call: Any, reference: Any) -> dict[str, Latency]:
        return {}


def test_a_probe_that_does_not_measure_what_it_declares_fails_its_trials(tmp_path: Path) -> None:
    from denas_core import Registry
    from denas_core.errors import NoResult

    score = Registry.discover().create("score", "toy/both")
    with pytest.raises(NoResult, match="declares 'charge_mah' and does not measure it"):
        search(
            Lift(),
            score=score,
            probe=Forgetful(),
            constraints=["charge_mah>=1"],
            budget=5,
            out=str(tmp_path / "run"),
        )


def test_a_metric_of_the_core_cannot_be_declared_otherwise(tmp_path: Path) -> None:
    class Wrong(Lift):
        metrics = (ArchitectureMetric(name="params", direction="maximize"),)

    with pytest.raises(Exception, match="declares the metric 'params' otherwise than the core"):
        search(Wrong(), score="toy/both", budget=5, out=str(tmp_path / "run"))
