"""Searches whose score ranks candidates against the random ones of the run."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from denas_core import Strategy, search
from denas_core.errors import Interrupted
from denas_core.launch import resume, run_search
from denas_core.registry.registry import Registry
from denas_core.results.compare import compare_runs, read_runs
from denas_core.results.insight import Insight
from denas_core.runs.files import read_run
from denas_core.values.sample import SMALLEST_SAMPLE
from tests.core.toy_searches import Watcher, denas_here, table, toy_config, toy_search

POPULATION = {"name": "evolution", "population": 20, "mutations": 10, "crossovers": 10}
SIZE = 40
SCORE = {"name": "toy/sampled"}


def sampled(out: Path, **changes: Any) -> Any:
    return toy_search(out, **{"score": SCORE, "strategy": POPULATION, "budget": 120, **changes})


def ranked(run: Path, *arguments: str) -> dict[str, float]:
    done = denas_here("rank", str(run), "--top", "1000", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return {row["key"]: row["score"] for row in json.loads(done.stdout)["ranked"]}


def architectures(run: Path) -> list[Any]:
    with read_run(run) as store:
        return [dict(trial.arch.values) for trial in store.trials()]


def test_a_value_does_not_move_when_others_join(tmp_path: Path) -> None:
    before = sampled(tmp_path / "run", budget=80).values
    after = resume(tmp_path / "run", budget=200).values
    assert len(before) == 80 and before.items() < after.items()
    assert sampled(tmp_path / "whole", budget=200).values == after


def test_values_among_each_other_do_move(tmp_path: Path) -> None:
    before = sampled(tmp_path / "run", score="toy/both", budget=80).values
    after = resume(tmp_path / "run", budget=200).values
    assert any(after[key] != value for key, value in before.items())


def test_a_search_that_was_killed_ends_with_the_same_table(tmp_path: Path) -> None:
    whole = sampled(tmp_path / "whole")
    for name, after in (("first", 25), ("second", 61)):
        watcher = Watcher(after=after, act=lambda: os.kill(os.getpid(), signal.SIGTERM))
        config = toy_config(tmp_path / name, score=SCORE, strategy=POPULATION, budget=120)
        with pytest.raises(Interrupted):
            run_search(config, Registry.discover(), observers=[watcher])
        assert resume(tmp_path / name).values == whole.values
        assert table(tmp_path / name) == table(tmp_path / "whole")


def test_the_first_generation_is_ranked_as_it_is_among_itself(tmp_path: Path) -> None:
    against_sample = sampled(tmp_path / "sampled", budget=SIZE)
    among = sampled(tmp_path / "both", score="toy/both", budget=SIZE)
    assert against_sample.values == among.values
    # Both strategies begin with the same random candidates.
    assert table(tmp_path / "sampled") == table(tmp_path / "both")


def test_too_small_a_sample_ranks_candidates_among_each_other(tmp_path: Path) -> None:
    small = {"name": "random", "batch": SMALLEST_SAMPLE - 1}
    few = sampled(tmp_path / "sampled", strategy=small)
    assert few.values == sampled(tmp_path / "both", score="toy/both", strategy=small).values
    assert few.as_dict()["score_is"] == "rank within this run"
    assert few.against_random is not None and few.against_random.sampled == SMALLEST_SAMPLE - 1


def test_every_command_uses_the_same_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = sampled(tmp_path / "run")
    document = json.loads((tmp_path / "run/result.json").read_text())
    assert document["score_is"] == f"rank against {SIZE} random networks of this run"
    assert document["best"]["score"] == result.values[document["best"]["key"]]
    insight = Insight.read(tmp_path / "run")
    assert insight is not None and insight.values == result.values and insight.uses_sample
    assert ranked(tmp_path / "run") == result.values
    doubled = ranked(tmp_path / "run", "--weights", "height=2")
    again = tmp_path / "again"
    sampled(again, seed=1)
    joint = compare_runs(read_runs([tmp_path / "run", again]))["joint"]
    assert joint["sampled"] == 2 * SIZE
    assert joint["score_is"] == f"rank against {2 * SIZE} random networks of all runs"
    # What the search has stored suffices where the plugin is missing.
    monkeypatch.setenv("DENAS_DISABLE_PLUGINS", "toy")
    assert ranked(tmp_path / "run") == result.values
    assert ranked(tmp_path / "run", "--weights", "height=2") == doubled != result.values
    assert compare_runs(read_runs([tmp_path / "run", again]))["joint"] == joint


def test_the_best_is_compared_with_random_networks_in_words(tmp_path: Path) -> None:
    document = sampled(tmp_path / "run").as_dict()
    words = document["against_random"]
    assert words["sampled"] == SIZE and 0.9 < words["at_least"] < 1
    assert words["text"].startswith(f"better than all of {SIZE} random networks within your budgets")
    page = (tmp_path / "run/report.html").read_text()
    assert f"By its score, the first one is {words['text']}." in page
    out = str(tmp_path / "printed")
    done = denas_here("search", "toy/stairs", "--score", "toy/sampled", "--budget", "120", "--out", out)
    printed = json.loads((tmp_path / "printed/result.json").read_text())["against_random"]
    assert printed["sampled"] == 50
    assert f"by this score the first one is {printed['text']}" in done.stdout
    assert "score*: sum of log-ranks against the 50 random networks of this run" in done.stdout


def test_a_run_without_a_random_sample_claims_nothing(tmp_path: Path) -> None:
    document = sampled(tmp_path / "run", score="toy/both").as_dict()
    assert document["against_random"] is None and document["score_is"] == "rank within this run"
    assert "random networks within your budgets" not in (tmp_path / "run/report.html").read_text()


@dataclasses.dataclass(kw_only=True)
class Steady(Strategy):
    """A strategy that is not asked for a first generation."""

    @property
    def generation_size(self) -> int:
        return SIZE

    def ask(self, problem: Any, history: Any, *, count: int, seed: int) -> list[Any]:
        raise AssertionError("the first generation of this search is drawn without the strategy")


def test_the_sample_is_random_whatever_the_strategy(tmp_path: Path) -> None:
    from denas_toy.scores import Sampled  # type: ignore[import-not-found]
    from denas_toy.stairs import Stairs  # type: ignore[import-not-found]

    steady = search(
        Stairs(), score=Sampled(), strategy=Steady(), budget=SIZE, device="cpu", out=str(tmp_path / "a")
    )
    assert steady.counts["scored"] == SIZE
    sampled(tmp_path / "b", budget=SIZE)
    assert architectures(tmp_path / "a") == architectures(tmp_path / "b")
