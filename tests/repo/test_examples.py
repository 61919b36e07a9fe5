"""The examples: every file can be searched as it is, and a short search of one succeeds."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from denas_core.cli import _run
from denas_core.setup.config import read_document

FOLDER = Path(__file__).parents[2] / "examples"
EXAMPLES = sorted(FOLDER.glob("*.yaml"))


def test_there_are_examples() -> None:
    assert {path.stem for path in EXAMPLES} >= {"cifar-cnn", "imagenet-cnn", "latency"}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_valid(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["config", "validate", str(path), "--json"], debug=False) == 0, capsys.readouterr().err
    assert json.loads(capsys.readouterr().out)["valid"] is True


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_names_components_by_full_id_and_says_how_it_is_run(path: Path) -> None:
    document, text = read_document(str(path))
    for kind in ("space", "score", "strategy"):
        assert "/" in document[kind]["name"]
    assert f"denas search --config examples/{path.name}" in text


def test_a_short_search_of_an_example(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    arguments = ["--budget", "2", "--set", "score.batch_size=4", "--out", str(run), "--quiet", "--json"]
    assert _run(["search", "--config", str(FOLDER / "cifar-cnn.yaml"), *arguments], debug=True) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["trials"]["scored"] == 2
    assert document["best"]["metrics"]["params"] <= 500_000


def test_the_example_of_a_network_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main = runpy.run_path(str(FOLDER / "own_module.py"))["main"]
    network = main(str(tmp_path / "run"), 2)
    assert "blocks that can be left out: 1.0, 1.1, 1.2, 1.3" in capsys.readouterr().out
    assert sum(parameter.numel() for parameter in network.parameters()) <= 0.5 * 75_722
