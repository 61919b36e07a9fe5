from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denas_core.errors import StorageError, StoreDamaged
from denas_core.results.comparable import comparable
from denas_core.runs.store import Store
from denas_core.values.architecture import Architecture
from denas_core.values.trial import Evaluation, Trial


def trial(index: int, *, key: str | None = None, value: float = 1.5, state: str = "scored") -> Trial:
    return Trial(
        index=index,
        generation=index // 10,
        arch=Architecture(
            "toy/x", {"depth": 3, "kind": "k3", "flag": True, "ratio": 0.5}, key or f"key{index}"
        ),
        evaluation=Evaluation(
            state=state,  # type: ignore[arg-type]
            reason="" if state == "scored" else "because",
            components={"height": value, "slope": -value} if state == "scored" else {},
            metrics={"params": 10**15, "size_mb": 0.1},
            violation=0.0 if state == "scored" else 0.25,
            latency={"median": 1.0, "verdict": "stable"} if state == "scored" else None,
            seconds={"height": 0.5, "cost": 0.25},
        ),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "study.db"


def test_trials_come_back_as_they_were_committed(path: Path) -> None:
    store = Store.create(path, {"config": {"seed": 3}})
    written = [trial(0), trial(1, state="infeasible"), trial(2, state="failed")]
    for each in written:
        store.append(each, active_seconds=1.25)
    store.close()
    reopened = Store.open(path)
    assert [t.as_dict() for t in reopened.trials()] == [t.as_dict() for t in written]
    assert [t.evaluation.violation for t in reopened.trials()] == [0.0, 0.25, 0.25]
    assert reopened.header() == {"config": {"seed": 3}}
    assert reopened.active_seconds() == 1.25


@given(st.lists(st.floats(min_value=-1e308, max_value=1e308), min_size=1, max_size=20))
@settings(max_examples=20, deadline=None)
def test_every_finite_score_keeps_all_its_bits(
    tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    store = Store.create(tmp_path_factory.mktemp("bits") / "study.db", {})
    for index, value in enumerate(values):
        store.append(trial(index, value=value), active_seconds=0.0)
    found = [trial.evaluation.components["height"].hex() for trial in store.trials()]
    assert found == [(value + 0.0).hex() for value in values]
    store.close()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1.7e308])
def test_a_score_that_is_not_finite_is_never_written(path: Path, value: float) -> None:
    store = Store.create(path, {})
    with pytest.raises((StoreDamaged, ValueError)):
        store.append(trial(0, value=value), active_seconds=0.0)
    assert store.trials() == []


def test_components_can_be_added_to_a_trial_later(path: Path) -> None:
    store = Store.create(path, {})
    store.append(trial(0), active_seconds=0.0)
    store.add_components(0, {"depth": 7.0}, {"depth": 0.1})
    assert dict(store.trials()[0].evaluation.components) == {"depth": 7.0, "height": 1.5, "slope": -1.5}


def test_a_reader_sees_committed_trials_while_the_writer_goes_on(path: Path) -> None:
    writer = Store.create(path, {})
    writer.append(trial(0), active_seconds=0.0)
    reader = Store.read(path)
    assert len(reader.trials()) == 1
    writer.append(trial(1), active_seconds=0.0)
    assert len(reader.trials()) == 2


def test_a_trial_is_committed_once(path: Path) -> None:
    store = Store.create(path, {})
    store.append(trial(0), active_seconds=0.0)
    with pytest.raises(StoreDamaged, match="UNIQUE"):
        store.append(trial(0), active_seconds=0.0)
    with pytest.raises(StoreDamaged, match="UNIQUE"):
        store.append(trial(1, key="key0"), active_seconds=0.0)
    assert len(store.trials()) == 1


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("UPDATE component SET value = 9.0 WHERE name = 'height'", "component 'height' of trial 0"),
        ("UPDATE component SET name = 'length' WHERE name = 'height'", "component 'length' of trial 0"),
        ("""UPDATE trial SET arch = '["toy/x",[["depth",4]]]'""", "trial 0"),
        ("UPDATE trial SET state = 'failed', reason = 'x'", "trial 0"),
    ],
)
def test_a_changed_row_is_an_error_and_never_a_wrong_score(path: Path, statement: str, where: str) -> None:
    store = Store.create(path, {})
    store.append(trial(0), active_seconds=0.0)
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    with pytest.raises(StoreDamaged, match=f"damaged .{where}"):
        Store.open(path).trials()


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE meta SET value = '{}' WHERE key = 'header'", "header"),
        ("UPDATE meta SET value = 'nan' WHERE key = 'active_seconds'", "active seconds"),
        ("DELETE FROM meta WHERE key = 'header'", "header"),
        ("DELETE FROM component WHERE name = 'slope'", "trial 0 has lost components"),
    ],
)
def test_what_is_changed_or_lost_beside_the_trials_is_an_error(path: Path, statement: str, what: str) -> None:
    store = Store.create(path, {"config": {}})
    store.append(trial(0), active_seconds=1.0)
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    store = Store.open(path)
    with pytest.raises(StoreDamaged, match=what):
        (store.header(), store.active_seconds(), store.trials())


def test_a_store_of_a_newer_version_is_refused_by_name(path: Path) -> None:
    Store.create(path, {}).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreDamaged, match=r"newer version \(schema 99.*upgrade denas-core"):
        Store.open(path)


@pytest.mark.parametrize(
    "content", [b"", b"not a database at all, but long enough to be read as a page" * 20]
)
def test_a_file_that_is_no_store_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreDamaged):
        Store.open(path)


def test_another_program_s_database_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE x (y)")
    with pytest.raises(StoreDamaged, match="not the store of a search"):
        Store.open(path)


def test_a_truncated_store_is_an_error(path: Path) -> None:
    store = Store.create(path, {})
    for index in range(50):
        store.append(trial(index), active_seconds=0.0)
    store.close()
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])
    with pytest.raises(StoreDamaged):
        Store.open(path).trials()


def test_a_missing_store_is_an_input_error(path: Path) -> None:
    with pytest.raises(StorageError, match=r"study\.db"):
        Store.open(path)


def test_a_full_disk_loses_nothing_that_was_committed(path: Path) -> None:
    store = Store.create(path, {})
    store.append(trial(0), active_seconds=0.0)
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageError, match="full"):
        for index in range(1, 2000):
            store.append(trial(index), active_seconds=float(index))
    kept = len(store.trials())
    store._connection.execute("PRAGMA max_page_count = 1000000")
    store.append(trial(kept), active_seconds=1.0)
    assert [t.index for t in store.trials()] == list(range(kept + 1))


def test_what_is_compared_leaves_out_clocks(path: Path) -> None:
    rows = comparable([trial(0)])
    text = json.dumps(rows)
    assert "seconds" not in text
    assert "latency" not in text
    assert (1.5).hex() in text


def test_a_commit_waits_for_the_disk_and_the_log_is_one_of_writes_ahead(path: Path) -> None:
    store = Store.create(path, {})
    assert store._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert store._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_on_a_network_nothing_is_shared_in_memory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("denas_core.runs.store.network_file_system", lambda path: "nfs4")
    store = Store.create(path, {})
    store.append(trial(0), active_seconds=0.0)
    assert [file.name for file in path.parent.iterdir()] == ["study.db"]
    assert len(Store.read(path).trials()) == 1


def test_a_missing_trial_is_an_error_for_every_reader(path: Path) -> None:
    store = Store.create(path, {})
    for index in range(3):
        store.append(trial(index, state="failed"), active_seconds=0.0)
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM trial WHERE idx = 1")
    with pytest.raises(StoreDamaged, match=r"trial 1 is missing.; repair it with: denas repair "):
        Store.read(path).trials()


def test_an_index_that_does_not_match_its_table_is_damage(path: Path) -> None:
    store = Store.create(path, {})
    for index in range(3):
        store.append(trial(index), active_seconds=0.0)
    store.close()
    raw = path.read_bytes()
    # The last copy of a key is that in the index.
    place = raw.rindex(b"key1")
    path.write_bytes(raw[:place] + b"kez1" + raw[place + 4 :])
    with pytest.raises(StoreDamaged, match="damaged"):
        Store.open(path).trials()


def test_a_table_that_is_not_as_it_was_made_is_damage(path: Path) -> None:
    Store.create(path, {}).close()
    raw = path.read_bytes()
    assert raw.count(b"BETWEEN 0 AND 1e308") == 1
    path.write_bytes(raw.replace(b"BETWEEN 0 AND 1e308", b"BETWEEN 0 AND 1e307"))
    with pytest.raises(StoreDamaged, match="its first page"):
        Store.read(path)


def test_a_store_is_never_there_in_part(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rows() -> Iterator[tuple[object, ...]]:
        raise StorageError("the disk is full")
        yield ()

    with pytest.raises(StorageError):
        Store.build(path, {"header": "{}"}, rows())
    assert not path.exists()


def test_a_store_is_closed_at_the_end_of_its_context(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="inside"), Store.create(tmp_path / "study.db", {"seed": 1}) as store:
        assert store.header() == {"seed": 1}
        raise ValueError("inside")
    with pytest.raises(StoreDamaged, match="closed database"):
        store.header()
