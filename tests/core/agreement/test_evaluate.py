"""An evaluation says what is true of a table, goes on after a stop, and never drops a network."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from denas_toy.scores import Height
from denas_toy.stairs import Stairs

from denas_core import Candidate
from denas_core.errors import ConfigError, Interrupted, StoreDamaged
from denas_core.runs.store import Store
from denas_core.values.ranking import average_ranks, kendall_tau, log_rank_sum
from denas_core.values.table import Table
from tests import warm
from tests.core.gate import Gate
from tests.core.toy_searches import denas_command, environment

from .toy_tables import entry, evaluate, stairs, write


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("table") / "acc.csv", stairs(16))


class Counting:
    """Counts the measurements of a score, and may act at one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, act_at: int = 0, act: Any = None) -> None:
        self.calls: list[tuple[str, int]] = []
        measure = Height.measure

        def counted(score: Height, candidate: Candidate) -> float:
            self.calls.append((candidate.arch.key, candidate.seed))
            if len(self.calls) == act_at:
                act()
            return measure(score, candidate)

        monkeypatch.setattr(Height, "measure", counted)


def test_counts_are_there_and_right(table: Path, tmp_path: Path) -> None:
    result = evaluate(table, tmp_path / "out", targets=("acc", "loss"))
    params = entry(result, "params")
    assert (params["kendall"], params["spearman"], params["top_regret"]) == (1.0, 1.0, 0.0)
    assert (params["n"], params["failed"], params["is_count"]) == (16, 0, True)
    assert entry(result, "flops", "loss")["kendall"] == -1.0
    assert entry(result, "depth x width")["failed"] == 16


def test_smaller_targets_may_be_better(table: Path, tmp_path: Path) -> None:
    result = evaluate(table, tmp_path / "out", targets=("loss",), smaller_is_better=True)
    assert entry(result, "params", "loss")["kendall"] == 1.0


def test_ranks_are_averaged_over_seeds_and_compared_with_the_baseline(table: Path, tmp_path: Path) -> None:
    result = evaluate(table, tmp_path / "out", seeds=3, scores=["toy/height"], baseline="params")
    space = Stairs().named("toy/stairs")
    networks = result.table.architectures()
    truth = [row.targets["acc"] for row in result.table.rows]
    columns = [
        [Height().measure(Candidate(space, arch, seed=seed)) for arch in networks] for seed in range(3)
    ]
    ranks = np.mean([average_ranks(np.array(column)) for column in columns], axis=0)
    found = entry(result, "toy/height")
    assert found["kendall"] == pytest.approx(kendall_tau(ranks.tolist(), truth))
    assert found["kendall_each_seed"] == pytest.approx([kendall_tau(column, truth) for column in columns])
    assert found["difference"] == pytest.approx(found["kendall"] - 1.0)
    assert found["difference_ci"][0] <= found["difference"] <= found["difference_ci"][1]
    pairs = [kendall_tau(columns[a], columns[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert found["kendall_between_seeds"] == pytest.approx(np.mean(pairs))


def test_a_combined_score_combines_the_networks_of_the_table(table: Path, tmp_path: Path) -> None:
    result = evaluate(table, tmp_path / "out", scores=["toy/both", "toy/height", "toy/slope"])
    by_label = {one.label: one.by_seed[0] for one in result.values}
    heights, slopes = by_label["toy/height"].tolist(), (-by_label["toy/slope"]).tolist()
    expected = log_rank_sum(
        Table(
            columns={"height": heights, "slope": slopes},
            weights={"height": 1.0, "slope": 1.0},
            directions={"height": "maximize", "slope": "minimize"},
        )
    )
    assert by_label["toy/both"].tolist() == pytest.approx(expected)


def test_components_that_scores_share_are_measured_once(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Counting(monkeypatch)
    evaluate(table, tmp_path / "out", scores=["toy/both", "toy/height", "again=toy/height"], seeds=2)
    assert len(counting.calls) == len(set(counting.calls)) == 2 * 16


def test_a_stopped_evaluation_goes_on_where_it_was(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = evaluate(table, tmp_path / "whole", seeds=2, scores=["toy/both"])
    stopping = Counting(monkeypatch, act_at=20, act=lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(
        Interrupted, match="stopped after 20 of 32 pairs of network and seed, which are kept in"
    ):
        evaluate(table, tmp_path / "out", seeds=2, scores=["toy/both"])
    result = evaluate(table, tmp_path / "out", seeds=2, scores=["toy/both"])
    assert len(stopping.calls) == len(set(stopping.calls)) == 32
    for one, other in zip(result.values, whole.values, strict=True):
        assert [column.tolist() for column in one.by_seed] == [column.tolist() for column in other.by_seed]


def test_a_kill_loses_no_network_that_was_scored(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "out" / "seed-0.db"
    gate = Gate(tmp_path / "gate", store, trials=6)
    given = ["--scores", "toy/height", "--baseline", "toy/height", "--set", f"toy/height.gate={gate.path}"]
    command = ["evaluate-proxy", "--table", str(table), "--space", "toy/stairs", "--target", "acc", *given]
    process = warm.start(
        denas_command(*command, "--seeds", "1", "--device", "cpu", "--out", str(tmp_path / "out")),
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 300
    while trials_in(store) < 4:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.kill()
    process.wait()
    gate.open()
    kept = trials_in(store)
    assert 4 <= kept < 16
    counting = Counting(monkeypatch)
    result = evaluate(table, tmp_path / "out", options={"toy/height": {"gate": str(gate.path)}})
    assert len(counting.calls) == 16 - kept
    assert entry(result, "toy/height")["failed"] == 0


def trials_in(path: Path) -> int:
    if not path.exists():
        return 0
    store = Store.read(path)
    try:
        return len(store.trials())
    finally:
        store.close()


def test_only_what_is_new_is_measured(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(monkeypatch)
    evaluate(table, tmp_path / "out", networks=10)
    assert len(counting.calls) == 10
    evaluate(table, tmp_path / "out", scores=["toy/slope"])
    evaluate(table, tmp_path / "out", scores=["toy/both", "toy/slope"], seeds=2)
    assert len(counting.calls) == len(set(counting.calls)) == 32
    assert {path.name for path in (tmp_path / "out").glob("*.db")} == {
        "seed-0.db",
        "seed-0-2.db",
        "seed-1.db",
    }
    again = evaluate(table, tmp_path / "out", scores=["toy/both", "toy/height"], seeds=2)
    fresh = evaluate(table, tmp_path / "fresh", scores=["toy/both", "toy/height"], seeds=2)
    assert len(counting.calls) == 64
    for name in ("toy/both", "toy/height"):
        assert {**entry(again, name), "seconds": 0} == {**entry(fresh, name), "seconds": 0}


def test_a_network_that_fails_is_named_and_ranks_last(table: Path, tmp_path: Path) -> None:
    failing = {"toy/height": {"failing": 3}, "toy/both": {"failing": 3}}
    result = evaluate(
        table, tmp_path / "out", scores=["toy/height", "toy/both", "toy/slope"], options=failing, seeds=2
    )
    broken = {arch.key for arch in result.table.architectures() if int(arch.key, 16) % 3 == 0}
    assert 0 < len(broken) < 16
    found = entry(result, "toy/height")
    assert (found["failed"], found["n"]) == (len(broken), 16)
    assert entry(result, "toy/slope")["failed"] == 0
    told = [one for one in result.document["failures"] if one["score"] == "toy/height"]
    assert {(one["key"], one["seed"]) for one in told} == {(key, seed) for key in broken for seed in range(2)}
    assert {one["reason"] for one in told} == {"the stairs are broken"}
    reasons = {one["reason"] for one in result.document["failures"] if one["score"] == "toy/both"}
    assert reasons == {"height: the stairs are broken"}
    keys = [arch.key for arch in result.table.architectures()]
    for label in ("toy/height", "toy/both"):
        ranks = next(one for one in result.values if one.label == label).ranks()
        last = {keys[place] for place in np.argsort(ranks, kind="stable")[: len(broken)]}
        assert last == broken


def test_a_score_that_fails_for_all_has_no_correlation(table: Path, tmp_path: Path) -> None:
    result = evaluate(table, tmp_path / "out", options={"toy/height": {"failing": 1}})
    found = entry(result, "toy/height")
    assert (found["kendall"], found["kendall_ci"], found["failed"]) == (None, None, 16)
    assert found["top_regret"] > 0


def test_networks_of_several_rows_are_scored_once_and_drawn_together(tmp_path: Path) -> None:
    rows = [{**row, "seed": 0} for row in stairs(10)]
    rows += [{**row, "acc": row["acc"] + 0.001, "seed": 1} for row in rows]
    result = evaluate(write(tmp_path / "twice.csv", rows), tmp_path / "out")
    found = entry(result, "params")
    assert (found["n"], found["networks"]) == (20, 10)
    assert 0.9 < found["kendall"] < 1


def test_a_directory_of_other_options_is_refused(table: Path, tmp_path: Path) -> None:
    evaluate(table, tmp_path / "out")
    with pytest.raises(
        ConfigError, match=r"scores from other settings: .*space.width: 8 -> 16; name another directory"
    ):
        evaluate(table, tmp_path / "out", options={"space": {"width": 16}})


def test_a_damaged_store_is_said_to_be_replaceable(table: Path, tmp_path: Path) -> None:
    evaluate(table, tmp_path / "out")
    store = tmp_path / "out" / "seed-0.db"
    store.write_bytes(store.read_bytes()[:-5000])
    with pytest.raises(StoreDamaged, match=r"seed-0.db' is damaged; remove it, then the same command scores"):
        evaluate(table, tmp_path / "out")
    store.unlink()
    assert entry(evaluate(table, tmp_path / "out"), "params")["kendall"] == 1.0


def test_a_removed_store_is_made_again_although_later_ones_are_kept(table: Path, tmp_path: Path) -> None:
    evaluate(table, tmp_path / "out")
    evaluate(table, tmp_path / "out", scores=["toy/slope"])
    stores = {"seed-0.db", "seed-0-2.db"}
    assert {path.name for path in (tmp_path / "out").glob("*.db")} == stores
    (tmp_path / "out" / "seed-0.db").unlink()
    assert entry(evaluate(table, tmp_path / "out"), "params")["kendall"] == 1.0
    assert {path.name for path in (tmp_path / "out").glob("*.db")} >= stores
    assert entry(evaluate(table, tmp_path / "out", scores=["toy/slope"]), "toy/slope")["failed"] == 0
