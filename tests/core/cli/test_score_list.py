"""``denas score`` with several architectures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.core.agreement.toy_tables import stairs, write
from tests.core.toy_searches import denas_here

SCORE = ["score", "toy/stairs", "--set", "score.name=toy/both", "--set", "device=cpu"]


METRICS = ["params", "flops", "latency_ms"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    texts = [row["arch"] for row in stairs(4)]
    (tmp_path / "archs.txt").write_text("# four\n\n" + "\n".join(texts) + "\n")
    write(tmp_path / "archs.csv", [{"id": number, "arch": text} for number, text in enumerate(texts)])
    (tmp_path / "archs.json").write_text(json.dumps([json.loads(text) for text in texts]))
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.json").write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    "given",
    [
        ["--archs", "archs.txt"],
        ["--archs", "archs.csv"],
        ["--archs", "archs.json"],
        ["--arch", "0.json", "--arch", "1.json", "--arch", "2.json", "--arch", "3.json"],
    ],
    ids=["text", "csv", "json", "files"],
)
def test_a_list_is_ranked_whatever_its_form(place: Path, given: list[str]) -> None:
    done = denas_here(*SCORE, *given, "--no-latency", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["schema"], document["failed"]) == ("denas.scores/1", 0)
    rows = document["architectures"]
    assert [row["rank"] for row in rows] == [1, 2, 3, 4]
    assert [row["score"] for row in rows] == sorted((row["score"] for row in rows), reverse=True)
    assert sorted(row["notation"] for row in rows) == sorted(row["arch"] for row in stairs(4))
    alone = json.loads(denas_here(*SCORE, "--arch", "0.json", "--no-latency", "--json").stdout)
    assert alone["schema"] == "denas.score/1"
    same = next(row for row in rows if row["key"] == alone["key"])
    assert same["components"] == alone["components"]
    assert same["latency"] is None


def test_a_component_that_is_a_metric_is_printed_once(place: Path) -> None:
    given = ["--score", "scores/params", "--arch", "0.json", "--no-latency"]
    done = denas_here("score", "toy/stairs", "--device", "cpu", *given)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines() if line.strip()].count("params") == 1


def test_latency_is_measured_unless_it_is_refused(place: Path) -> None:
    done = denas_here(*SCORE, "--set", "probe.name=toy/ruler", "--archs", "archs.txt", "--json")
    for row in json.loads(done.stdout)["architectures"]:
        assert row["metrics"]["latency_ms"] == row["metrics"]["params"]
    shown = denas_here(*SCORE, "--set", "probe.name=toy/ruler", "--archs", "archs.txt").stdout
    assert shown.split("\n")[0].split() == ["rank", "key", "score", "height", "slope", *METRICS]
    assert len(shown.splitlines()) == 6


def test_what_fails_is_named_and_ranks_last(place: Path) -> None:
    done = denas_here(*SCORE, "--set", "score.failing=2", "--archs", "archs.txt", "--no-latency", "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["architectures"]
    broken = [int(row["key"], 16) % 2 == 0 for row in rows]
    assert broken == sorted(broken)
    assert 0 < sum(broken) < 4
    assert [row["score"] is None for row in rows] == broken
    assert f"{sum(broken)} of 4 architectures have no score, and rank last" in done.stderr
    assert "has no score: height: the stairs are broken" in done.stderr


def test_a_list_of_failures_is_no_result(place: Path) -> None:
    done = denas_here(*SCORE, "--set", "score.failing=1", "--archs", "archs.txt", "--no-latency")
    assert done.returncode == 1
    assert "none of the 4 architectures can be scored" in done.stderr


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ([], "no architecture is named; name one with --arch"),
        (["--arch", "0.json", "--arch", "0.json"], "is named twice; name it once"),
        (["--archs", "none.txt"], "cannot read 'none.txt': No such file"),
        (["--archs", "empty.txt"], "'empty.txt' has no lines"),
        (["--archs", "wrong.txt"], "(wrong.txt:1)"),
        (["--archs", "twice.txt"], "occurs twice (twice.txt:1 and twice.txt:2)"),
        (
            ["--archs", "archs.txt", "--no-latency", "--weights", "latency=1"],
            "--no-latency and a weight of latency exclude each other",
        ),
    ],
    ids=["none", "twice", "missing", "empty", "wrong", "twice in a file", "latency"],
)
def test_a_list_that_cannot_be_used_is_one_line(place: Path, given: list[str], text: str) -> None:
    (place / "empty.txt").write_text("# none\n")
    (place / "wrong.txt").write_text('{"depth": 99}\n')
    (place / "twice.txt").write_text(f"{(place / '0.json').read_text()}\n{(place / '0.json').read_text()}\n")
    done = denas_here(*SCORE, *given)
    assert done.returncode == 2
    assert text in done.stderr
    assert done.stderr.count("\n") == 1
