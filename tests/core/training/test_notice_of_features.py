"""A user is told once if a score reads features, and networks of the space give only logits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.core.toy_searches import denas_here

NOTICE = "note: networks of points/deep give no features"
ARCHS = [{"depth": depth, "width": width} for depth in (1, 2, 3, 4) for width in (4, 8, 16)]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = [{"arch": json.dumps(arch), "acc": 0.5 + place / 100} for place, arch in enumerate(ARCHS)]
    (tmp_path / "table.json").write_text(json.dumps(rows))
    (tmp_path / "arch.json").write_text(json.dumps(ARCHS[0]))
    (tmp_path / "archs.json").write_text(json.dumps(ARCHS[:3]))
    return tmp_path


def commands(score: str) -> list[list[str]]:
    options = ["--device", "cpu", "--score", score]
    evaluation = ["evaluate-proxy", "--space", "points/deep", "--table", "table.json", "--target", "acc"]
    scores = f"scores/expressivity,mine={score}" if "/expressivity" in score else score
    return [
        ["search", "points/deep", *options, "--budget", "4", "--out", "run"],
        ["search", "points/deep", *options, "--budget", "4", "--out", "quiet", "-q"],
        ["score", "points/deep", *options, "--arch", "arch.json", "--no-latency"],
        ["score", "points/deep", *options, "--archs", "archs.json", "--no-latency"],
        [*evaluation, "--scores", scores, "--baseline", "points/size", "--seeds", "1", "--device", "cpu"],
    ]


@pytest.mark.parametrize("command", range(5))
def test_a_score_of_features_is_told_once_of_logits(place: Path, command: int) -> None:
    done = denas_here(*commands("scores/expressivity")[command])
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(NOTICE) == 1
    assert "return (features, logits)" in done.stderr


@pytest.mark.parametrize("command", range(5))
def test_other_scores_are_not(place: Path, command: int) -> None:
    done = denas_here(*commands("points/loss-gradient")[command])
    assert done.returncode == 0, done.stderr
    assert NOTICE not in done.stderr
