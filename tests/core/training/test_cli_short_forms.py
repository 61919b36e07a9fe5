"""Short forms of options of tasks, on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from denas_core.cli.task_options import short_forms
from tests.core.toy_searches import denas_here

from .trainings import make_plan, run, write_points


def test_a_file_that_is_there_gets_a_whole_name_and_a_word_stays_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("words.model").touch()
    given = short_forms(vocab="words.model", train="train-clean-5", lm=None, dev="", split="a\0b")
    assert given == {
        "vocab": str(tmp_path / "words.model"), "train": "train-clean-5", "lm": None, "dev": "", "split": "a\0b",
    }  # fmt: skip


def test_a_task_without_the_option_is_told_so(tmp_path: Path) -> None:
    points = write_points(tmp_path / "points.txt", 20)
    run(make_plan(points, epochs=0), tmp_path / "training")
    network = ["points/mlp", "--arch", '{"depth": 1, "width": 4}', "--out", str(tmp_path / "other")]
    for command, given, option in (
        (["train", *network], "--train", "train"),
        (["train", *network], "--dev", "dev"),
        (["evaluate", str(tmp_path / "training")], "--split", "split"),
        (["evaluate", str(tmp_path / "training")], "--decode", "decoding"),
        (["evaluate", str(tmp_path / "training")], "--lm", "lm"),
    ):
        done = denas_here(*command, "--data", str(points), given, "x")
        assert done.returncode == 2
        assert f"'points/side' has no option {option!r} (the command line); it has jitter, mix" in done.stderr
