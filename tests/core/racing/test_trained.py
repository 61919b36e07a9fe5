"""The trained networks of a run, as lists and reports read them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from denas_core.results.trained import TrainedNetwork, trained_networks
from denas_core.values.interval import share_interval
from tests.core.toy_searches import denas_here


@pytest.fixture
def raced(searched: Path, points: Path) -> Path:
    """A run with a race of two finalists, two random networks and the largest one."""
    options = [
        "--executor",
        "builtin/serial",
        "--top",
        "2",
        "--also",
        "random:2",
        "--also",
        "largest",
        "--epochs",
        "2",
        "-q",
    ]
    done = denas_here("train", str(searched), "--data", str(points), *options)
    assert done.returncode == 0, done.stderr
    return searched


def by_key(run: Path) -> dict[str, TrainedNetwork]:
    return {network.key: network for network in trained_networks(run)}


def test_a_run_without_a_training_has_none(searched: Path) -> None:
    assert trained_networks(searched) == ()


def test_the_networks_of_a_race_are_those_of_its_record(raced: Path) -> None:
    record = json.loads((raced / "race/race.json").read_text())
    found = by_key(raced)
    assert set(found) == {one["key"] for one in record["entrants"]}
    for entrant in record["entrants"]:
        network, last = found[entrant["key"]], entrant["trainings"][-1]
        assert network.value == last["metrics"]["accuracy"]
        assert (network.metric, network.direction, network.samples) == ("accuracy", "maximize", 40)
        assert network.interval == share_interval(network.value, 40)
        assert network.rank == entrant["rank"]
        assert len(network.curve) == last["epochs"]
        assert [point.epoch for point in network.curve] == list(range(1, last["epochs"] + 1))
        assert max(point.metric or 0 for point in network.curve) == network.value
        assert all(point.loss is not None for point in network.curve)
        assert network.missing == ()
    kept = [network for network in found.values() if network.is_kept]
    assert [network.key for network in kept] == [record["result"]["winner"]]
    origins = [network.origins for network in found.values()]
    assert any("finalist 1" in kinds for kinds in origins) and any("largest" in kinds for kinds in origins)


def test_its_scores_are_those_of_the_ranking(raced: Path) -> None:
    values = json.loads((raced / "insight.json").read_text())["values"]
    scored = [network for network in trained_networks(raced) if network.rank is not None]
    assert len(scored) >= 2
    assert all(network.score == values[network.key] for network in scored)
    ordered = sorted(scored, key=lambda network: network.rank or 0)
    assert ordered == sorted(scored, key=lambda network: -(network.score or 0))


def test_a_training_of_the_best_is_listed_as_that(searched: Path, points: Path) -> None:
    done = denas_here("train", str(searched), "--data", str(points), "--epochs", "2", "-q")
    assert done.returncode == 0, done.stderr
    (network,) = trained_networks(searched)
    assert (network.origin, network.rank, network.group) == ("best", 1, "training")
    assert network.is_kept and network.is_finished
    result = json.loads((searched / "training/result.json").read_text())
    assert network.value == result["best"]["accuracy"]


def test_a_training_without_a_search_is_given(searched: Path, points: Path, tmp_path: Path) -> None:
    out = tmp_path / "alone"
    done = denas_here("train", str(searched), "--data", str(points), "--epochs", "1", "-q", "--out", str(out))
    assert done.returncode == 0, done.stderr
    (network,) = trained_networks(out)
    assert (network.origin, network.rank, network.score) == ("given", None, None)
    assert network.value is not None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 3}', '{"best": 5, "metric": []}', None])
@pytest.mark.parametrize("name", ["result.json", "settings.json", "log.jsonl"])
def test_a_damaged_training_is_listed_with_what_is_missing(
    tmp_path: Path, name: str, text: str | None
) -> None:
    folder = tmp_path / "training"
    folder.mkdir()
    whole = {
        "settings.json": json.dumps({"key": "ab" * 16, "settings": {"epochs": 1}}),
        "result.json": json.dumps({"metric": "accuracy", "best": {"accuracy": 0.5}}),
        "log.jsonl": '{"step": 1, "epoch": 1.0, "metrics": {"accuracy": 0.5}}\n',
    }
    for file, content in whole.items():
        (folder / file).write_text(content)
    if text is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(text)
    (network,) = trained_networks(tmp_path)
    has_key = name != "settings.json"
    assert (network.key == "ab" * 16) == has_key
    assert network.missing
    assert (network.value == 0.5) == (name != "result.json")


def test_a_damaged_race_leaves_the_training_of_its_winner(raced: Path) -> None:
    (raced / "race/race.json").write_text('{"schema": "denas.race/1", "entrants": 3}')
    (network,) = trained_networks(raced)
    assert network.origin == "best"
    assert network.value is not None


def test_a_race_whose_folders_are_gone_keeps_its_numbers(raced: Path) -> None:
    before = by_key(raced)
    for folder in (raced / "race").glob("*-epochs"):
        shutil.rmtree(folder)
    after = by_key(raced)
    assert {key: one.value for key, one in after.items()} == {key: one.value for key, one in before.items()}
    assert not any(one.curve for one in after.values() if not one.is_kept)


def test_what_is_no_run_has_no_trained_network(tmp_path: Path) -> None:
    assert trained_networks(tmp_path / "nowhere") == ()
    assert trained_networks(tmp_path) == ()
