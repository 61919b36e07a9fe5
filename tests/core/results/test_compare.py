"""Several runs side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from denas_core.errors import ConfigError, StoreDamaged
from denas_core.results.compare import compare_runs, read_runs
from denas_core.results.joint import rank_jointly
from denas_core.runs.files import read_run
from denas_core.values.objectives import Objective
from tests.core.toy_searches import denas_here, toy_search

BUDGET = 30
# So small that searches with different seeds meet.
SMALL = {"name": "toy/stairs", "highest": 2}


def search(out: Path, **changes: Any) -> None:
    toy_search(out, **{"space": SMALL, "budget": BUDGET, **changes})


def comparison(*paths: Path) -> dict[str, Any]:
    return compare_runs(read_runs(paths))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three searches: two that are equal, and one with another seed."""
    folder = tmp_path_factory.mktemp("runs")
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        search(folder / name, seed=seed)
    return folder


def test_runs_are_described_by_what_they_hold(runs: Path) -> None:
    document = comparison(runs / "a", runs / "c")
    json.dumps(document, allow_nan=False)
    described = document["runs"][0]
    result = json.loads((runs / "a/result.json").read_text())
    assert described["trials"] == result["trials"]
    assert {key: described["best"][key] for key in ("key", "score", "components", "metrics")} == {
        key: result["best"][key] for key in ("key", "score", "components", "metrics")
    }
    assert described["weights"] == {"height": 1.0, "slope": 1.0}
    assert (described["space"], described["budget"], described["seed"]) == ("toy/stairs", BUDGET, 0)
    assert document["differences"] == [
        {"run": str(runs / "c"), "config": ["seed: 0 -> 1"], "installation": []}
    ]


def test_equal_searches_have_identical_tables_and_components(runs: Path) -> None:
    document = comparison(runs / "a", runs / "b")
    (table,) = document["tables"]
    assert table["identical"] and table["equal_trials"] == BUDGET
    (shared,) = document["shared"]
    assert shared["architectures"] == shared["equal"] == BUDGET
    assert shared["kendall_tau"] == {"height": 1.0, "slope": 1.0}


def test_a_shorter_table_is_the_beginning_of_a_longer_one(runs: Path, tmp_path: Path) -> None:
    search(tmp_path / "short", budget=10)
    (table,) = comparison(runs / "a", tmp_path / "short")["tables"]
    assert (table["identical"], table["equal_trials"], table["longer_by"]) == (False, 10, 10 - BUDGET)


def test_another_component_is_named_with_both_values(runs: Path, tmp_path: Path) -> None:
    # The first generation is random: the same architectures, some of which fail now.
    search(tmp_path / "other", score={"name": "toy/both", "failing": 2})
    document = comparison(runs / "a", tmp_path / "other")
    found = document["tables"][0]["first_difference"]
    first = next(
        i for i, trial in enumerate(trials_of(tmp_path / "other")) if trial.evaluation.state == "failed"
    )
    assert found["trial"] == first
    assert found["states"] == ["scored", "failed"]
    assert "state" in found["in"] and "key" not in found["in"]
    assert document["joint"] is None
    assert "score.failing: 0 -> 2" in document["not_comparable"]


def trials_of(path: Path) -> list[Any]:
    store = read_run(path)
    try:
        return store.trials()
    finally:
        store.close()


def test_different_seeds_share_architectures_with_a_rank_correlation(runs: Path) -> None:
    (shared,) = comparison(runs / "a", runs / "c")["shared"]
    ours, theirs = (
        {t.arch.key: t.evaluation.components for t in trials_of(runs / name)} for name in ("a", "c")
    )
    both = [key for key in ours if key in theirs]
    assert shared["architectures"] == len(both) > 2
    assert shared["equal"] == 0 and not shared["same_seed"]
    # Slopes do not depend on the seed; heights have a little noise.
    assert shared["kendall_tau"]["slope"] == 1.0
    pairs = [(a, b) for i, a in enumerate(both) for b in both[i + 1 :]]
    signs = [
        (ours[a]["height"] - ours[b]["height"]) * (theirs[a]["height"] - theirs[b]["height"])
        for a, b in pairs
    ]
    tau = (sum(s > 0 for s in signs) - sum(s < 0 for s in signs)) / len(pairs)
    assert shared["kendall_tau"]["height"] == pytest.approx(tau)


def test_the_joint_ranking_is_over_the_candidates_of_all_runs(runs: Path) -> None:
    joint = comparison(runs / "a", runs / "b", runs / "c")["joint"]
    # Equal candidates of the equal runs are one member; those of the other seed have other components.
    assert joint["members"] == 2 * BUDGET
    assert not joint["same_seed"] and joint["same_installation"]
    assert [row["rank"] for row in joint["top"]] == list(range(1, 11))
    assert all(row["runs"] in ([str(runs / "a"), str(runs / "b")], [str(runs / "c")]) for row in joint["top"])
    scores = [row["score"] for row in joint["top"]]
    assert scores == sorted(scores, reverse=True) and max(scores) <= 0
    shares = joint["front"]["by_run"]
    assert shares[str(runs / "a")] == shares[str(runs / "b")]
    assert shares[str(runs / "a")] + shares[str(runs / "c")] == joint["front"]["size"]


def test_the_joint_front_holds_what_nothing_dominates(runs: Path) -> None:
    a, c = read_runs([runs / "a", runs / "c"])
    assert a.combination is not None
    members = rank_jointly([a.trials, c.trials], a.combination, [Objective("score"), Objective("params")])
    for member in members:
        point = (-member.value, member.trial.evaluation.metrics["params"])
        others = [(-other.value, other.trial.evaluation.metrics["params"]) for other in members]
        beaten = any(o != point and o[0] <= point[0] and o[1] <= point[1] for o in others)
        assert member.on_front != beaten


def test_a_comparison_needs_no_plugin_where_the_stored_values_say_how_they_combine(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [str(runs / "a"), str(runs / "c")]
    with_plugin = denas_here("compare", *names, "--json")
    monkeypatch.setenv("DENAS_DISABLE_PLUGINS", "toy")
    without = denas_here("compare", *names, "--json")
    assert without.returncode == 0, without.stderr
    assert json.loads(without.stdout) == json.loads(with_plugin.stdout)
    assert json.loads(without.stdout)["joint"]["top"]


def test_a_combination_that_the_stored_values_do_not_prove_is_left_to_its_plugin(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search(tmp_path / "run", budget=10)
    file = tmp_path / "run/insight.json"
    insight = json.loads(file.read_text())
    insight["weights"]["height"] = 3.0
    file.write_text(json.dumps(insight))
    names = [str(runs / "a"), str(tmp_path / "run")]
    repaired = json.loads(denas_here("compare", *names, "--json").stdout)
    assert repaired["runs"][1]["weights"] == {"height": 1.0, "slope": 1.0} and repaired["joint"]
    monkeypatch.setenv("DENAS_DISABLE_PLUGINS", "toy")
    without = json.loads(denas_here("compare", *names, "--json").stdout)
    assert without["joint"] is None and "'toy'" in without["not_comparable"]
    assert without["runs"][1]["best"] is None and without["runs"][1]["trials"]["scored"] == 10


def test_other_spaces_are_described_but_not_ranked_together(runs: Path, tmp_path: Path) -> None:
    search(tmp_path / "wide", budget=5, space={**SMALL, "width": 3})
    document = comparison(runs / "a", tmp_path / "wide")
    assert document["joint"] is None and "space.width: 8 -> 3" in document["not_comparable"]
    assert document["shared"][0]["architectures"] == 0
    printed = denas_here("compare", str(runs / "a"), str(tmp_path / "wide"))
    assert printed.returncode == 0
    assert "No ranking over all runs: equal settings mean other networks" in printed.stdout


def test_the_command_prints_settings_results_and_the_best_of_all(runs: Path) -> None:
    text = denas_here("compare", *(str(runs / name) for name in "abc")).stdout
    text = text.replace(f"{runs}/", "")
    assert "b: identical, 30 trials" in text
    assert "c: seed: 0 -> 1" in text
    assert "a and b: 30, all with identical components" in text
    assert "Kendall tau: height" in text
    assert "Best of all 60 scored candidates" in text
    assert "components depend on the seed, and the seeds differ" in text


def test_runs_that_cannot_be_compared_are_refused(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="two runs or more"):
        read_runs([runs / "a"])
    with pytest.raises(ConfigError, match="named twice"):
        read_runs([runs / "a", runs / "." / "a"])
    with pytest.raises(ConfigError, match="not a run directory"):
        read_runs([runs / "a", tmp_path])
    damaged = tmp_path / "damaged"
    search(damaged, budget=3)
    (damaged / "study.db").write_bytes(b"no store at all" * 100)
    with pytest.raises(StoreDamaged):
        read_runs([runs / "a", damaged])
