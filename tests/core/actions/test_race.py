"""A race from Python, and what its result says."""

from __future__ import annotations

from pathlib import Path

import pytest

import denas_core
from denas_core.builtin import Serial
from denas_core.errors import ConfigError


def test_a_race_keeps_its_winner_and_says_who_won(
    found: denas_core.SearchResult, points: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    won = denas_core.race(found, points, top=3, epochs=3, executor="serial")
    assert capsys.readouterr() == ("", ""), "functions of Python print nothing"
    assert won.path == found.path and won.metric == "accuracy" and won.samples == 40
    assert won.training is not None and won.training.path == found.path / "training"
    assert won.value == won.training.value == won.metrics["accuracy"]
    assert len(won.rows) == 3 and won.rows[0]["key"] == won.winner
    html = won._repr_html_()
    assert won.winner[:12] in html and won.sentence.split(",")[0].split(" (")[0] in html
    assert denas_core.evaluate(won, points).value == pytest.approx(won.value)
    again = denas_core.race(found, resume=True, executor=Serial())
    assert again.document == won.document


def test_a_second_race_is_refused_in_one_line(found: denas_core.SearchResult, points: Path) -> None:
    denas_core.race(found, points, top=2, epochs=1, executor={"name": "builtin/serial"})
    with pytest.raises(ConfigError, match="has a race already"):
        denas_core.race(found, points, top=2, epochs=1)


def test_what_is_no_race_is_refused_in_one_line(
    found: denas_core.SearchResult, points: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="top 0 is not a number of networks"):
        denas_core.race(found, points, top=0)
    with pytest.raises(ConfigError, match="'nobody' is not random:NUMBER"):
        denas_core.race(found, points, also="nobody")
    with pytest.raises(ConfigError, match="a race takes the run of a search"):
        denas_core.race(tmp_path / "nothing", points)
    with pytest.raises(ConfigError, match="there is no race"):
        denas_core.race(found, resume=True)
