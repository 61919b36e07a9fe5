from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from denas_core.registry.registry import Registry
from denas_core.report.sections.confidence import (
    FILE,
    further_seeds,
    measure_confidence,
    read_confidence,
    select,
    usable_summary,
)
from denas_core.report.sections.stability import agreement
from denas_core.runs.files import read_run
from denas_core.setup.config import make_config
from denas_core.setup.setup import Setup
from tests.core.toy_searches import toy_search


class Stopped(Exception):
    """The measurement is cut off, as a kill would."""


def measure(run: Path, *, seeds: int = 2, stop_after: int | None = None) -> list[int]:
    """Measure the confidence of a toy run and return how many evaluations were done, one entry each."""
    calls: list[int] = []
    store = read_run(run)
    try:
        header, trials = store.header(), store.trials()
    finally:
        store.close()
    setup = Setup.from_config(make_config(header["config"], origin="test"), Registry.discover())

    def record(done: int, total: int) -> None:
        calls.append(done)
        if done == stop_after:
            raise Stopped

    measure_confidence(run, header, setup, trials, seeds=seeds, on_progress=record)
    return calls


def summary(run: Path) -> tuple[dict[str, Any] | None, list[str]]:
    store = read_run(run)
    try:
        header, trials = store.header(), store.trials()
    finally:
        store.close()
    setup = Setup.from_config(make_config(header["config"], origin="test"), Registry.discover())
    ranked, _ = setup.scoring.rank(trials)
    return usable_summary(read_confidence(run), header, [trial for trial in ranked if trial.is_scored])


@pytest.fixture
def run(tmp_path: Path) -> Path:
    toy_search(tmp_path / "run", budget=60)
    return tmp_path / "run"


def test_agreement_of_seeds_worked_out_by_hand() -> None:
    own = {"a": 3.0, "b": 2.0, "c": 1.0, "d": 0.0}
    swapped = {"a": 2.0, "b": 3.0, "c": 1.0, "d": 0.0}
    found = agreement(
        [own, own, swapped],
        [{"x": own}, {"x": own}, {"x": swapped}],
        finalists=["a", "b"],
        best="a",
    )
    # Pairs of seeds: the same order, and twice one of six pairs the other way round.
    assert found["all"] == {
        "mean": pytest.approx((1 + 4 / 6 + 4 / 6) / 3),
        "min": pytest.approx(4 / 6),
        "max": 1,
        "pairs": 3,
    }
    assert found["finalists"]["min"] == -1
    assert found["ranks"] == [1, 2]
    assert (found["first"], found["top3"], found["seeds"]) == (1, 2, 2)
    assert found["components"]["x"] == found["all"]


def test_a_candidate_that_failed_in_one_seed_is_left_out_there() -> None:
    own = {"a": 3.0, "b": 2.0, "c": 1.0}
    found = agreement([own, {"b": 1.0, "c": 2.0}], [{}, {}], finalists=["a", "b", "c"], best="a")
    assert found["ranks"] == [None]
    assert found["all"]["mean"] == -1


def test_other_seeds_give_other_values_and_the_run_is_left_alone(run: Path) -> None:
    before = (run / "study.db").read_bytes()
    assert len(measure(run)) == 2 * 20
    found, notices = summary(run)
    assert notices == [] and found is not None
    assert (found["seeds"], found["candidates"], found["finalist_count"]) == (2, 20, 10)
    # The slope has no noise; the height has less than one.
    assert found["components"]["slope"]["min"] == 1
    assert 0.8 < found["components"]["height"]["mean"] <= 1
    values = json.loads((run / FILE).read_text())["values"]
    assert sorted(values, key=int) == ["1", "2"]
    heights = {seed: [one["components"]["height"] for one in row.values()] for seed, row in values.items()}
    assert heights["1"] != heights["2"]
    assert (run / "study.db").read_bytes() == before


def test_a_measurement_that_was_cut_off_goes_on_where_it_stopped(run: Path) -> None:
    with pytest.raises(Stopped):
        measure(run, stop_after=7)
    kept = json.loads((run / FILE).read_text())["values"]["1"]
    assert len(kept) == 7
    found, notices = summary(run)
    assert found is None and "unfinished" in notices[0]
    measure(run)
    assert summary(run)[0] is not None
    assert {key: json.loads((run / FILE).read_text())["values"]["1"][key] for key in kept} == kept


def test_values_of_other_options_or_of_an_earlier_ranking_are_ignored(run: Path) -> None:
    measure(run, seeds=1)
    document = json.loads((run / FILE).read_text())
    stale = {**document, "context": {**document["context"], "seed": 5}}
    (run / FILE).write_text(json.dumps(stale))
    assert "other options or versions" in summary(run)[1][0]
    (run / FILE).write_text(json.dumps({**document, "selected": document["selected"][::-1]}))
    assert "earlier ranking" in summary(run)[1][0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"schema": "denas.confidence/1", "values": 3}',
        '{"schema": "denas.confidence/1", "values": {}}',
    ],
)
def test_a_file_that_is_none_of_ours_does_no_harm(run: Path, text: str) -> None:
    (run / FILE).write_text(text)
    assert summary(run)[0] is None


def test_the_rest_of_the_ranking_is_sampled_evenly_to_its_end(run: Path) -> None:
    store = read_run(run)
    trials = [trial for trial in store.trials() if trial.is_scored]
    store.close()
    finalists, context = select(trials)
    assert finalists == trials[:10]
    assert len({trial.index for trial in context}) == 10 and context[-1] == trials[-1]
    assert select(trials[:14]) == (trials[:10], trials[10:14])
    assert select([]) == ([], [])


def test_seeds_stay_within_what_a_generator_takes() -> None:
    assert further_seeds(0, 3) == [1, 2, 3]
    assert further_seeds(2**63 - 1, 2) == [0, 1]
